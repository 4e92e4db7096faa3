"""The teaching staff's side: build the sheets, simulate classes, grade them. Never needed at a desk."""
