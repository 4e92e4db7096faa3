"""The checks of sheet 04."""

from helpers.check.normals.loc_scale import fit_loc_scale, learned_loc, standard_errors_left
from helpers.check.normals.pairs import mvn_mle
from helpers.check.normals.several import fit_mean_and_factor, fit_mean_vector
from helpers.check.normals.softplus import softplus_pair

__all__ = [
    "fit_loc_scale",
    "fit_mean_and_factor",
    "fit_mean_vector",
    "learned_loc",
    "mvn_mle",
    "softplus_pair",
    "standard_errors_left",
]
