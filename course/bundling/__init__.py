"""What a class gets: released sheets, helpers as a wheel, a page to begin; no solution in it."""
