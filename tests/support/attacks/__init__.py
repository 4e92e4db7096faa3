"""Hostile submissions, by what they try."""
