"""The checks of sheet 14."""
