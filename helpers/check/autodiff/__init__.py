"""The checks of sheet 01."""
