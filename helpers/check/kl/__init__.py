"""The checks of sheet 07."""
