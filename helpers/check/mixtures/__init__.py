"""The checks of sheet 06."""
