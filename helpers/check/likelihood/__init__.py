"""The checks of sheet 02."""

from helpers.check.likelihood.divergence import kl_estimate
from helpers.check.likelihood.estimates import grid_search, normal_mle, three_mles
from helpers.check.likelihood.log_likelihoods import first_underflow, log_likelihood

__all__ = [
    "first_underflow",
    "grid_search",
    "kl_estimate",
    "log_likelihood",
    "normal_mle",
    "three_mles",
]
