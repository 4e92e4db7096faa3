"""Check of sheet 06: the best mixture of two Betas, judged by its likelihood."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import softplus

from helpers import data
from helpers.check.kit.agree import STANDARD_ERRORS, note, numbers, same, standard_errors, within
from helpers.check.kit.message import CheckFailed, passed, show
from helpers.check.mixtures import analytic, fit_beta

TRUTH = torch.tensor([[10.0, 1.5, 0.5], [1.5, 10.0, 0.5]], dtype=torch.float64)


@functools.lru_cache(maxsize=4)
def peaks(data_seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the sample of a data seed, its best mixture, and its best single Beta."""
    x = data.two_peaks()
    return x, analytic.mixture_optimum(x, TRUTH), analytic.beta_mle(x)


def _mixture_nll(x: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the mean loss of a mixture, infinite where its numbers make no distribution."""

    def mean_nll(params: torch.Tensor) -> torch.Tensor:
        if not is_mixture(params):
            return torch.tensor(math.inf)
        shares = torch.cat([params[:, :2], params[:, 2:] / params[:, 2].sum()], dim=1)
        return -analytic.mixture_log_prob(shares, x).mean()

    return mean_nll


def is_mixture(params: torch.Tensor) -> bool:
    """Whether a and b are positive and the weights probabilities that sum to 1, to 1e-5."""
    weights = params[:, 2]
    sums_to_1 = abs(float(weights.sum()) - 1) < 1e-5
    return bool((params[:, :2] > 0).all() and (weights >= 0).all() and sums_to_1)


@dataclass(frozen=True)
class _Ending:
    """Where a fit ended: the numbers given, the data, their best mixture and best single Beta."""

    params: torch.Tensor
    x: torch.Tensor
    optimum: torch.Tensor
    single: torch.Tensor

    def left(self, params: torch.Tensor) -> float:
        """Return how many standard errors a mixture is from the best one; labels do not matter."""
        return standard_errors(_mixture_nll(self.x), params, self.optimum, len(self.x))

    @property
    def loss(self) -> float:
        """The mean loss, infinite where the numbers make no distribution."""
        return float(_mixture_nll(self.x)(self.params))

    @property
    def single_loss(self) -> float:
        """The mean loss of the best single Beta."""
        return float(fit_beta.mean_nll(self.single, self.x))


@dataclass(frozen=True)
class _Reading:
    """A wrong turn that shows when the numbers are read in another way and then fit well.

    ``reads`` takes the numbers of a and b, shape (2, 2), and those of the weights, shape (2,).
    """

    name: str
    hint: str
    reads: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


READINGS = [
    _Reading("raw parameters returned",
             "these are the unconstrained numbers; apply softplus to a and b, softmax to weights.",
             lambda ab, w: (softplus(ab), w.softmax(0))),
    _Reading("logits returned", "the weights are still logits; softmax makes them sum to 1.",
             lambda ab, w: (ab, w.softmax(0))),
    _Reading("log weights returned", "these are logs of weights; return the weights.",
             lambda ab, w: (ab, w.exp())),
    _Reading("weights not normalised", "the weights must sum to 1.",
             lambda ab, w: (ab, w / w.sum())),
]  # fmt: skip
# The same for numbers whose weights are fine.
SHAPE_READINGS = [
    _Reading("raw a and b", "a and b are before their softplus; the weights are fine.",
             lambda ab, w: (softplus(ab), w)),
    _Reading("softplus twice", "softplus has been applied twice to a and b.",
             lambda ab, w: (ab.clamp(min=1e-9).expm1().log(), w)),
]  # fmt: skip


def _reading(end: _Ending) -> _Reading | None:
    """Return the reading that fits best, if it fits well: the log of weights is a logit too."""
    ab, weights = end.params[:, :2], end.params[:, 2]
    fine = bool((weights >= 0).all()) and abs(float(weights.sum()) - 1) < 1e-5
    found: _Reading | None = None
    nearest = min(10.0, end.left(end.params) / 5)
    for reading in SHAPE_READINGS if fine else READINGS:
        new_ab, new_weights = reading.reads(ab, weights)
        left = end.left(torch.cat([new_ab, new_weights[:, None]], dim=1))
        # Of two that are equal but for rounding, the later one says more.
        if left < nearest + 1e-3:
            found, nearest = reading, left
    return found


def _from_part(end: _Ending) -> bool:
    """Whether the numbers fit the sheet's first 200 observations, and not all of them."""
    few = end.x[:200]
    best = analytic.mixture_optimum(few, TRUTH)
    return standard_errors(_mixture_nll(few), end.params, best, len(few)) < 0.5


def _turn(end: _Ending) -> tuple[str, str]:
    """Return the wrong turn that explains an ending, and its hint."""
    reading = _reading(end)
    if reading is not None:
        return reading.name, reading.hint
    if not is_mixture(end.params):
        return (
            "not a distribution",
            "a and b must be positive, the weights between 0 and 1 and summing to 1.",
        )
    # A run on part of the data ends a little above or below the best single Beta of all of them.
    best = float(_mixture_nll(end.x)(end.optimum))
    if (best - end.single_loss) / 4 < end.loss - end.single_loss < 0.05:
        return (
            "stuck at one Beta",
            "this is hardly better than the best single Beta; try other starts, keep the best.",
        )
    if _from_part(end):
        return (
            "part of the data",
            "this fits the first 200 observations best; train on all of x.",
        )
    if any(same(end.params, rows) for rows in (TRUTH, TRUTH.flip(0))):
        return (
            "truth typed in",
            "the data were drawn with these; asked are the parameters that fit the data best.",
        )
    if end.loss > end.single_loss:
        return (
            "worse than one Beta",
            "a single Beta fits better than this; is the sign of the loss right, did it run?",
        )
    return (
        "stops early",
        "the right peaks, but not their best place; train on, slow down, or round less.",
    )


def fitted_mixture(answer: Any) -> bool:
    """Check the learned mixture by deviance: within 0.1 standard errors of the best, any order.

    Args:
        answer: (a, b, weight) of two components, shape (2, 3).
    """
    x, optimum, single = peaks(data.seed())
    tested = f"fitted, the mixture learned from {len(x)} observations"
    params = _taken(tested, answer, optimum)
    end = _Ending(params, x, optimum, single)
    left = end.left(params)
    if within("standard errors", left / STANDARD_ERRORS):
        return passed(f"fitted: {max(left, 0.001):.2g} standard errors or less from the optimum.")
    best = float(_mixture_nll(x)(optimum))
    name, hint = _turn(end)
    got = f"mean loss {end.loss:.6f}, {left:.3g} standard errors away"
    raise CheckFailed(
        tested, f"mean loss {best:.6f}, to 0.1 standard errors",
        got if math.isfinite(left) else f"{show(answer)}, no mixture", name, hint,
    )  # fmt: skip


def _taken(tested: str, answer: Any, optimum: torch.Tensor) -> torch.Tensor:
    try:
        return numbers(tested, answer, optimum).to(torch.float64)
    except CheckFailed as failed:
        note(failed.wrong_turn, math.inf)
        raise
