"""A term around the grades: what an instructor reads and gives back."""
