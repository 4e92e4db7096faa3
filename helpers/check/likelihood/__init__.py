"""The checks of sheet 02."""
