"""The checks of sheet 03."""

from helpers.check.sgd.steps import (
    fit_location,
    largest_stable_learning_rate,
    learning_rate_from_log,
    sgd_step,
    stall_distance,
)
from helpers.check.sgd.tuning import settings

__all__ = [
    "fit_location",
    "largest_stable_learning_rate",
    "learning_rate_from_log",
    "settings",
    "sgd_step",
    "stall_distance",
]
