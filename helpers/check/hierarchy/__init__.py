"""Checks of sheet 13: hierarchical regression by variational inference."""
