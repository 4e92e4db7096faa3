"""The checks of sheet 08."""
