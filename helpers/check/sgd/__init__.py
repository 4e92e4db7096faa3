"""The checks of sheet 03."""
