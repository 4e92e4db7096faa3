"""The checks of sheet 11."""
