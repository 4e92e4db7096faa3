"""The checks: one function for each exercise, called by the test cell below it.

This is the only part of the project that knows answers: a folder a sheet, and in it `analytic`, the
closed forms with their derivations. `kit` knows no sheet: it calls answers, compares, names what
went wrong, and speaks. A check returns True and prints a green line, or raises `CheckFailed`, which
says what was tested, what was expected, what came, and which wrong turn it recognised.
"""

from helpers.check.autodiff import beta_slope, derivative, grad_after, nll_gradient
from helpers.check.constraints import (
    gamma_modes,
    increasing_maps,
    interval_maps,
    log_prob_unconstrained,
    logit_beta_density,
    mass_between,
    positive_maps,
    simplex_maps,
)
from helpers.check.elbo import (
    elbo_gradient,
    elbo_quadrature,
    elbo_samples,
    fit_elbo,
    kl_to_posterior,
    log_evidence,
    log_joint,
)
from helpers.check.kit.message import CheckFailed
from helpers.check.kit.missing_names import explain_missing_names
from helpers.check.kl import (
    covering_normal,
    kl_difference,
    kl_monte_carlo,
    kl_quadrature,
    seeking_grid,
    seeking_normal,
)
from helpers.check.likelihood import (
    first_underflow,
    grid_search,
    kl_estimate,
    log_likelihood,
    normal_mle,
    three_mles,
)
from helpers.check.mixtures import (
    fit_beta,
    fitted_mixture,
    mixture_log_prob,
    responsibilities,
    train_and_validate,
)
from helpers.check.normals import (
    fit_loc_scale,
    fit_mean_and_factor,
    fit_mean_vector,
    learned_loc,
    mvn_mle,
    softplus_pair,
    standard_errors_left,
)
from helpers.check.sgd import (
    fit_location,
    largest_stable_learning_rate,
    learning_rate_from_log,
    settings,
    sgd_step,
    stall_distance,
)

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
