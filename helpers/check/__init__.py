"""The checks: one function for each exercise, called by the test cell below it.

This is the only part of the project that knows answers: a folder a sheet, and in it `analytic`, the
closed forms with their derivations. `kit` knows no sheet: it calls answers, compares, names what
went wrong, and speaks. A check returns True and prints a green line, or raises `CheckFailed`, which
says what was tested, what was expected, what came, and which wrong turn it recognised.
"""

from typing import Any

from helpers.check.autodiff.beta_slope import beta_slope
from helpers.check.autodiff.curvature import curvature
from helpers.check.autodiff.derivative import derivative
from helpers.check.autodiff.forecast_slope import forecast_slope
from helpers.check.autodiff.grad_after import grad_after
from helpers.check.autodiff.nll_gradient import nll_gradient
from helpers.check.benford.benford_law import benford
from helpers.check.benford.benford_test import benford_test
from helpers.check.benford.digit_distribution import digit_distribution
from helpers.check.benford.digit_mle import digit_mle
from helpers.check.benford.first_digit import first_digit
from helpers.check.benford.lognormal_digits import lognormal_digits
from helpers.check.constraints.fit_thresholds import fit_thresholds
from helpers.check.constraints.gamma_modes import gamma_modes
from helpers.check.constraints.increasing_maps import increasing_maps
from helpers.check.constraints.interval_maps import interval_maps
from helpers.check.constraints.log_jacobians import log_jacobians
from helpers.check.constraints.log_prob_unconstrained import log_prob_unconstrained
from helpers.check.constraints.logit_beta_density import logit_beta_density
from helpers.check.constraints.mass_between import mass_between
from helpers.check.constraints.simplex_maps import simplex_maps
from helpers.check.elbo.elbo_gradients import elbo_gradients
from helpers.check.elbo.elbo_quadrature import elbo_quadrature
from helpers.check.elbo.elbo_samples import elbo_samples
from helpers.check.elbo.evidence_parts import evidence_parts
from helpers.check.elbo.fit_elbo import fit_elbo
from helpers.check.elbo.fit_weights import fit_weights
from helpers.check.elbo.log_evidence import log_evidence
from helpers.check.elbo.log_joint import log_joint
from helpers.check.hierarchy.fit_full import fit_full
from helpers.check.hierarchy.gaussian_elbo import gaussian_elbo
from helpers.check.hierarchy.hierarchical_fit import hierarchical_fit
from helpers.check.hierarchy.mean_field import mean_field
from helpers.check.hierarchy.partial_pooling import partial_pooling
from helpers.check.hierarchy.pooling import pooling
from helpers.check.kit.calling import own_copy
from helpers.check.kit.exercise import Exercise, Together
from helpers.check.kit.message import CheckFailed
from helpers.check.kit.missing_names import explain_missing_names
from helpers.check.kl.covering_normal import covering_normal
from helpers.check.kl.factorised import factorised
from helpers.check.kl.kl_difference import kl_difference
from helpers.check.kl.kl_monte_carlo import kl_monte_carlo
from helpers.check.kl.kl_quadrature import kl_quadrature
from helpers.check.kl.seeking_grid import seeking_grid
from helpers.check.kl.seeking_normal import seeking_normal
from helpers.check.likelihood.censored_mle import censored_mle
from helpers.check.likelihood.first_underflow import first_underflow
from helpers.check.likelihood.grid_search import grid_search
from helpers.check.likelihood.kl_estimate import kl_estimate
from helpers.check.likelihood.log_likelihood import log_likelihood
from helpers.check.likelihood.normal_mle import normal_mle
from helpers.check.likelihood.standard_errors import standard_errors
from helpers.check.likelihood.three_mles import three_mles
from helpers.check.listening.diagnose import diagnose
from helpers.check.listening.heard import heard
from helpers.check.listening.layer_norms import layer_norms
from helpers.check.listening.score import score
from helpers.check.listening.to_pcm16 import to_pcm16
from helpers.check.listening.tone import tone
from helpers.check.map.fit_map import fit_map
from helpers.check.map.log_posterior import log_posterior
from helpers.check.map.posterior_normal_mean import posterior_normal_mean
from helpers.check.map.posterior_weights import posterior_weights
from helpers.check.map.regression_log_likelihood import regression_log_likelihood
from helpers.check.map.weight_decay import weight_decay
from helpers.check.mixtures.em_step import em_step
from helpers.check.mixtures.fit_beta import fit_beta
from helpers.check.mixtures.fit_mixture import fit_mixture
from helpers.check.mixtures.mixture_log_prob import mixture_log_prob
from helpers.check.mixtures.responsibilities import responsibilities
from helpers.check.mixtures.train_and_validate import train_and_validate
from helpers.check.normals.adam_step import adam_step
from helpers.check.normals.fit_loc_scale import fit_loc_scale
from helpers.check.normals.fit_mean_and_factor import fit_mean_and_factor
from helpers.check.normals.fit_shared_mean import fit_shared_mean
from helpers.check.normals.fit_student_t import fit_student_t
from helpers.check.normals.mvn_mle import mvn_mle
from helpers.check.normals.softplus_pair import softplus_pair
from helpers.check.normals.standard_errors_left import standard_errors_left
from helpers.check.priors.bootstrap_indices import bootstrap_indices
from helpers.check.priors.decompose import decompose
from helpers.check.priors.linear_ensemble import linear_ensemble
from helpers.check.priors.linear_member import linear_member
from helpers.check.priors.model_with_prior import model_with_prior
from helpers.check.priors.train_members import train_members
from helpers.check.retrieval.angle_mle import angle_mle
from helpers.check.retrieval.nearest import nearest
from helpers.check.retrieval.recall import recall
from helpers.check.retrieval.signs import signs
from helpers.check.sgd.batch_gradient import batch_gradient
from helpers.check.sgd.descend import descend
from helpers.check.sgd.fit_location import fit_location
from helpers.check.sgd.largest_stable_learning_rate import largest_stable_learning_rate
from helpers.check.sgd.resting_spread import resting_spread
from helpers.check.sgd.settings import settings
from helpers.check.sgd.sgd_step import sgd_step
from helpers.check.sgd.stall_distance import stall_distance

__all__ = [
    "CheckFailed",
    "adam_step",
    "angle_mle",
    "batch_gradient",
    "benford",
    "benford_test",
    "beta_slope",
    "bootstrap_indices",
    "case",
    "censored_mle",
    "covering_normal",
    "curvature",
    "decompose",
    "derivative",
    "descend",
    "diagnose",
    "digit_distribution",
    "digit_mle",
    "elbo_gradients",
    "elbo_quadrature",
    "elbo_samples",
    "em_step",
    "evidence_parts",
    "factorised",
    "first_digit",
    "first_underflow",
    "fit_beta",
    "fit_elbo",
    "fit_full",
    "fit_loc_scale",
    "fit_location",
    "fit_map",
    "fit_mean_and_factor",
    "fit_mixture",
    "fit_shared_mean",
    "fit_student_t",
    "fit_thresholds",
    "fit_weights",
    "forecast_slope",
    "gamma_modes",
    "gaussian_elbo",
    "grad_after",
    "grid_search",
    "heard",
    "hierarchical_fit",
    "increasing_maps",
    "interval_maps",
    "kl_difference",
    "kl_estimate",
    "kl_monte_carlo",
    "kl_quadrature",
    "largest_stable_learning_rate",
    "layer_norms",
    "linear_ensemble",
    "linear_member",
    "log_evidence",
    "log_jacobians",
    "log_joint",
    "log_likelihood",
    "log_posterior",
    "log_prob_unconstrained",
    "logit_beta_density",
    "lognormal_digits",
    "mass_between",
    "mean_field",
    "mixture_log_prob",
    "model_with_prior",
    "mvn_mle",
    "nearest",
    "nll_gradient",
    "normal_mle",
    "partial_pooling",
    "pooling",
    "posterior_normal_mean",
    "posterior_weights",
    "recall",
    "regression_log_likelihood",
    "responsibilities",
    "resting_spread",
    "score",
    "seeking_grid",
    "seeking_normal",
    "settings",
    "sgd_step",
    "signs",
    "simplex_maps",
    "softplus_pair",
    "stall_distance",
    "standard_errors",
    "standard_errors_left",
    "three_mles",
    "to_pcm16",
    "tone",
    "train_and_validate",
    "train_members",
    "weight_decay",
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
                    # Copies: the check keeps its own, whatever a cell does with these.
                    return tuple(own_copy(a) for a in one.cases()[number].args)
    raise KeyError(f"no exercise {exercise!r} is declared; the name is that of the function")
