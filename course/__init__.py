"""The teaching staff's side: build sheets, simulate and grade classes. Never needed at a desk."""
