"""Checks of sheet 04, first part: one normal distribution, learned with Adam."""

import math
from collections.abc import Callable
from typing import Any

import torch

from helpers import data
from helpers.check.kit.agree import (
    STANDARD_ERRORS,
    note,
    numbers,
    same,
    standard_errors,
    within,
)
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.message import WRONG_SHAPE, WRONG_TYPE, CheckFailed, passed, show
from helpers.check.normals import analytic

# A learned value carries the error of the run that learned it: it is taken for a wrong turn's value
# when the two agree to two per cent.
LEARNED = 0.02
STOPS_EARLY = (
    "the likelihood still rises from here: make more steps, each after zero_grad(), larger ones "
    "far away or smaller ones near the end, and on the data you are given."
)


def near(got: Any, expected: Any) -> bool:
    """Return whether a learned value is, to two per cent, the given one."""
    return same(got, expected, LEARNED)


def near_any(got: Any, several: Any) -> bool:
    """Return whether a learned value is, to two per cent, one of several."""
    return any(near(got, one) for one in several)


def arrived(tested: str, left: float, expected: Any, value: Any) -> None:
    """Record how many standard errors a learned value is from the optimum.

    Raises:
        CheckFailed: more than a tenth; the message says how many.
    """
    if not within("standard errors", left / STANDARD_ERRORS):
        away = f"{left:.3g} standard errors away" if math.isfinite(left) else "no likelihood there"
        wanted = f"{show(expected)}, to a tenth of a standard error"
        raise CheckFailed(tested, wanted, f"{show(value)}: {away}")


def by_deviance(
    mean_nll: Callable[[torch.Tensor], torch.Tensor], n: int
) -> Callable[[str, Any, Any], None]:
    """Return a judge of learned numbers: within a tenth of a standard error of the optimum.

    Args:
        mean_nll: maps the numbers, as one tensor, to the mean negative log-likelihood.
        n: number of observations.
    """

    def judge(tested: str, value: Any, expected: Any) -> None:
        got = numbers(tested, value, expected).to(torch.float64)
        optimum = torch.as_tensor(expected, dtype=torch.float64)
        arrived(tested, standard_errors(mean_nll, got, optimum, n), expected, value)

    return judge


def learned_loc(answer: Any) -> bool:
    """Check the location learned on the sheet's sample, with standard deviation 1: its mean.

    Args:
        answer: a number, within 0.1 standard errors of the mean of the sample.
    """
    sample = data.normals_sample()
    mean = sample.mean()
    judge = by_deviance(lambda loc: 0.5 * ((sample - loc) ** 2).mean(), len(sample))
    try:
        judge(f"learned_loc on {len(sample)} observations", answer, mean)
    except CheckFailed as failure:
        if failure.wrong_turn:
            note(failure.wrong_turn, math.inf)
            hint = LOC_NONE if answer is None else LOC_HINTS.get(failure.wrong_turn, failure.hint)
            raise CheckFailed(
                failure.tested, failure.expected, failure.got, failure.wrong_turn, hint
            ) from None
        got = float(answer)
        turn = next(turn for turn in LOC_TURNS if turn.alike is None or turn.alike(got, sample))
        raise CheckFailed(
            failure.tested, failure.expected, failure.got, turn.name, turn.hint
        ) from None
    return passed("learned_loc: within a tenth of a standard error of the mean of the data.")


# The general sentences speak of functions and docstrings; this answer is a number without either.
LOC_NONE = (
    "learned_loc is None: what you assigned gives nothing back, as print and step do; assign the "
    "location itself."
)
LOC_HINTS = {
    WRONG_TYPE: "learned_loc is a single number, as location.item() gives it, or a tensor of one.",
    WRONG_SHAPE: "learned_loc is a single number without brackets: the last location, as "
    "location.item() gives it.",
}
# In this order, for one number and the sample; the last one takes whatever is left.
LOC_TURNS = [
    Turn("start returned", "the location is still where it began: does step() know this tensor?",
         alike=lambda got, x: abs(got + 10) < 1e-6),
    Turn("loss returned", "this is the loss at the end of a run; the location is asked for.",
         alike=lambda got, x: near_any(got, _losses(x))),
    Turn("sum for mean", "this is the sum of the data; a location lies in their midst.",
         alike=lambda got, x: near(got, x.sum())),
    Turn("walks uphill", "it moved away from the data: is the loss the negative log-likelihood, "
         "and are the slopes zeroed in every step?",
         alike=lambda got, x: got < -10 or got > 10),
    Turn("wrong sample", "this is the mean of the 1000 draws of section 1; train on train_data.",
         alike=lambda got, x: abs(got - data.normal("normals: draws", 1000).mean()) < 2e-3),
    Turn("number typed in", "this number was not learned from these data; let the cell learn it.",
         alike=lambda got, x: abs(got) < 0.05 and abs(got - round(got, 4)) < 1e-8),
    Turn("sign", "this is the location of the data with the opposite sign.",
         alike=lambda got, x: near(got, -x.mean())),
    Turn("stops early", STOPS_EARLY),
]  # fmt: skip


def _losses(x: torch.Tensor) -> list[torch.Tensor]:
    """Return mean and sum of the negative log-densities at the optimum."""
    mean = analytic.mean_nll(torch.stack([x.mean(), torch.ones_like(x.mean())]), x)
    return [mean, len(x) * mean]
