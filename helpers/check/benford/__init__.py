"""Checks of sheet 12: first digits, and a language model that has learned some."""
