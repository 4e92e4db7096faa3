"""The checks: one function for each exercise, called by the test cell below it.

This is the only part of the project that knows answers. `analytic` holds the closed forms with
their derivations, `measure` compares, `verdict` speaks; the other files hold one sheet each.
A check returns True and prints a green line, or raises `CheckFailed`, which says what was
tested, what was expected, what came, and which wrong turn it recognised.
"""

from helpers.check.autodiff import derivative, grad_after, nll_gradient
from helpers.check.autodiff_density import beta_slope
from helpers.check.likelihood import first_underflow, log_likelihood
from helpers.check.likelihood_estimates import grid_search, normal_mle, three_mles
from helpers.check.likelihood_kl import kl_estimate
from helpers.check.missing import explain_missing_names
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
    "derivative",
    "first_underflow",
    "fit_location",
    "grad_after",
    "grid_search",
    "kl_estimate",
    "largest_stable_learning_rate",
    "learning_rate_from_log",
    "log_likelihood",
    "nll_gradient",
    "normal_mle",
    "settings",
    "sgd_step",
    "stall_distance",
    "three_mles",
]

explain_missing_names()
