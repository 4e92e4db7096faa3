"""The checks of sheet 09."""
