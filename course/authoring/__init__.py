"""A sheet's way: text → source/ (executed) → release/ (without answers), and its rules."""
