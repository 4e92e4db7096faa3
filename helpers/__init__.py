"""What the sheets import: data, plots, demos and checks. A desk needs this package and no other."""
