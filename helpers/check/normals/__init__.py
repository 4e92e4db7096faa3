"""The checks of sheet 04."""
