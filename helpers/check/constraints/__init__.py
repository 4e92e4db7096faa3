"""The checks of sheet 05."""

from helpers.check.constraints.areas import gamma_modes, mass_between
from helpers.check.constraints.density import log_prob_unconstrained, logit_beta_density
from helpers.check.constraints.maps import interval_maps, positive_maps
from helpers.check.constraints.several import increasing_maps, simplex_maps

__all__ = [
    "gamma_modes",
    "increasing_maps",
    "interval_maps",
    "log_prob_unconstrained",
    "logit_beta_density",
    "mass_between",
    "positive_maps",
    "simplex_maps",
]
