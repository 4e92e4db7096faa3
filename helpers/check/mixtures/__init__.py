"""The checks of sheet 06."""

from helpers.check.mixtures.bayes import responsibilities
from helpers.check.mixtures.density import mixture_log_prob
from helpers.check.mixtures.ending import fitted_mixture
from helpers.check.mixtures.one_beta import fit_beta
from helpers.check.mixtures.training import train_and_validate

__all__ = [
    "fit_beta",
    "fitted_mixture",
    "mixture_log_prob",
    "responsibilities",
    "train_and_validate",
]
