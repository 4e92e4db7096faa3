"""The checks: one function for each exercise, called by the test cell below it.

This is the only part of the project that knows answers. `analytic` holds the closed forms with
their derivations, `measure` compares, `verdict` speaks; the other files hold one sheet each.
A check returns True and prints a green line, or raises `CheckFailed`, which says what was
tested, what was expected, what came, and which wrong turn it recognised.
"""

from helpers.check.autodiff import derivative, grad_after, nll_gradient
from helpers.check.autodiff_density import beta_slope
from helpers.check.constraints import interval_maps, positive_maps
from helpers.check.constraints_areas import gamma_modes, mass_between
from helpers.check.constraints_density import log_prob_unconstrained, logit_beta_density
from helpers.check.constraints_several import increasing_maps, simplex_maps
from helpers.check.elbo import log_evidence, log_joint
from helpers.check.elbo_bound import elbo_quadrature, kl_to_posterior
from helpers.check.elbo_draws import elbo_gradient, elbo_samples
from helpers.check.elbo_fit import fit_elbo
from helpers.check.kl import kl_quadrature
from helpers.check.kl_fits import covering_normal
from helpers.check.kl_grid import seeking_grid
from helpers.check.kl_sampled import kl_difference, kl_monte_carlo
from helpers.check.kl_seeking import seeking_normal
from helpers.check.likelihood import first_underflow, log_likelihood
from helpers.check.likelihood_estimates import grid_search, normal_mle, three_mles
from helpers.check.likelihood_kl import kl_estimate
from helpers.check.missing import explain_missing_names
from helpers.check.mixtures import mixture_log_prob
from helpers.check.mixtures_bayes import responsibilities
from helpers.check.mixtures_ending import fitted_mixture
from helpers.check.mixtures_fit import fit_beta
from helpers.check.mixtures_training import train_and_validate
from helpers.check.normals import fit_loc_scale, learned_loc, standard_errors_left
from helpers.check.normals_pairs import mvn_mle
from helpers.check.normals_several import fit_mean_and_factor, fit_mean_vector
from helpers.check.normals_softplus import softplus_pair
from helpers.check.sgd import (
    fit_location,
    largest_stable_learning_rate,
    learning_rate_from_log,
    sgd_step,
    stall_distance,
)
from helpers.check.sgd_settings import settings
from helpers.check.verdict import CheckFailed

__all__ = [
    "CheckFailed",
    "beta_slope",
    "covering_normal",
    "derivative",
    "elbo_gradient",
    "elbo_quadrature",
    "elbo_samples",
    "first_underflow",
    "fit_beta",
    "fit_elbo",
    "fit_loc_scale",
    "fit_location",
    "fit_mean_and_factor",
    "fit_mean_vector",
    "fitted_mixture",
    "gamma_modes",
    "grad_after",
    "grid_search",
    "increasing_maps",
    "interval_maps",
    "kl_difference",
    "kl_estimate",
    "kl_monte_carlo",
    "kl_quadrature",
    "kl_to_posterior",
    "largest_stable_learning_rate",
    "learned_loc",
    "learning_rate_from_log",
    "log_evidence",
    "log_joint",
    "log_likelihood",
    "log_prob_unconstrained",
    "logit_beta_density",
    "mass_between",
    "mixture_log_prob",
    "mvn_mle",
    "nll_gradient",
    "normal_mle",
    "positive_maps",
    "responsibilities",
    "seeking_grid",
    "seeking_normal",
    "settings",
    "sgd_step",
    "simplex_maps",
    "softplus_pair",
    "stall_distance",
    "standard_errors_left",
    "three_mles",
    "train_and_validate",
]

explain_missing_names()
