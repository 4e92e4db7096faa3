"""The checks of sheet 10: ensembles, priors and the posterior that they draw from."""
