"""The checks of sheet 05."""
