"""The checks: one function for each exercise, called by the test cell below it.

This is the only part of the project that knows answers: a folder a sheet, and in it `analytic`, the
closed forms with their derivations. `kit` knows no sheet: it calls answers, compares, names what
went wrong, and speaks. A check returns True and prints a green line, or raises `CheckFailed`, which
says what was tested, what was expected, what came, and which wrong turn it recognised.
"""

from typing import Any

from helpers.check.autodiff.density import beta_slope
from helpers.check.autodiff.slopes import derivative, grad_after, nll_gradient
from helpers.check.constraints.fit_thresholds import fit_thresholds
from helpers.check.constraints.gamma_modes import gamma_modes
from helpers.check.constraints.increasing_maps import increasing_maps
from helpers.check.constraints.interval_maps import interval_maps
from helpers.check.constraints.log_jacobians import log_jacobians
from helpers.check.constraints.log_prob_unconstrained import log_prob_unconstrained
from helpers.check.constraints.logit_beta_density import logit_beta_density
from helpers.check.constraints.mass_between import mass_between
from helpers.check.constraints.simplex_maps import simplex_maps
from helpers.check.elbo.bound import elbo_quadrature, kl_to_posterior
from helpers.check.elbo.draws import elbo_gradient, elbo_samples
from helpers.check.elbo.fit import fit_elbo
from helpers.check.elbo.joint import log_evidence, log_joint
from helpers.check.kit.exercise import Exercise, Together
from helpers.check.kit.message import CheckFailed
from helpers.check.kit.missing_names import explain_missing_names
from helpers.check.kl.covering import covering_normal
from helpers.check.kl.grid import seeking_grid
from helpers.check.kl.kl_difference import kl_difference
from helpers.check.kl.kl_monte_carlo import kl_monte_carlo
from helpers.check.kl.quadrature import kl_quadrature
from helpers.check.kl.seeking import seeking_normal
from helpers.check.likelihood.first_underflow import first_underflow
from helpers.check.likelihood.grid_search import grid_search
from helpers.check.likelihood.kl_estimate import kl_estimate
from helpers.check.likelihood.log_likelihood import log_likelihood
from helpers.check.likelihood.normal_mle import normal_mle
from helpers.check.likelihood.three_mles import three_mles
from helpers.check.mixtures.bayes import responsibilities
from helpers.check.mixtures.density import mixture_log_prob
from helpers.check.mixtures.ending import fitted_mixture
from helpers.check.mixtures.one_beta import fit_beta
from helpers.check.mixtures.training import train_and_validate
from helpers.check.normals.fit_loc_scale import fit_loc_scale
from helpers.check.normals.loc_scale import learned_loc, standard_errors_left
from helpers.check.normals.pairs import mvn_mle
from helpers.check.normals.several import fit_mean_and_factor, fit_mean_vector
from helpers.check.normals.softplus import softplus_pair
from helpers.check.sgd.steps import (
    fit_location,
    largest_stable_learning_rate,
    learning_rate_from_log,
    sgd_step,
    stall_distance,
)
from helpers.check.sgd.tuning import settings

__all__ = [
    "CheckFailed",
    "beta_slope",
    "case",
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
    "fit_thresholds",
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
    "log_jacobians",
    "log_joint",
    "log_likelihood",
    "log_prob_unconstrained",
    "logit_beta_density",
    "mass_between",
    "mixture_log_prob",
    "mvn_mle",
    "nll_gradient",
    "normal_mle",
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


def case(exercise: str, number: int) -> tuple[Any, ...]:
    """Return the arguments of one case of an exercise, as a check hands them to an answer.

    Args:
        exercise: name of the function, such as ``"normal_mle"``.
        number: the case's number, as a message gives it.

    Raises:
        KeyError: no such exercise.
        IndexError: no such case.
    """
    for name in __all__:
        declared = getattr(globals()[name], "__self__", None)
        if isinstance(declared, Exercise | Together):
            for one in declared.exercises:
                if one.name == exercise:
                    return one.cases()[number].args
    raise KeyError(f"no exercise {exercise!r} is declared; the name is that of the function")
