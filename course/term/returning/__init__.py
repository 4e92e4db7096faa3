"""Giving back: grades and feedback in the forms that learning platforms take in."""
