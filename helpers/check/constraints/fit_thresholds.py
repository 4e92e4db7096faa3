"""fit_thresholds(counts): two thresholds in order and a shift, learned from stars."""

from collections.abc import Callable

import torch

from helpers import data
from helpers.check.constraints import analytic
from helpers.check.kit.agree import AnyOf, Learned
from helpers.check.kit.asks import Argument, Draws, Given
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise


def _counts(u: Draws, given: Given, turn: int) -> torch.Tensor:
    """Return counts of unlike groups; the shift is positive and negative by turns.

    They are the expected counts, rounded, with a jitter: no count is below 4.
    """
    gap = u.real(0.6, 2.2)
    first = u.real(-1.6, 0.6) - gap / 2
    shift = (1 if turn else -1) * u.real(0.6, 1.6)
    theta = torch.tensor([first, first + gap, shift], dtype=torch.float64)
    guests = torch.tensor([[u.real(50, 80)], [u.real(200, 300)]], dtype=torch.float64)
    jitter = 0.8 + 0.4 * u.uniform(6).reshape(2, 3)
    return (guests * analytic.threshold_shares(theta) * jitter).round().clamp(min=4)


def _few_twos(u: Draws, given: Given) -> torch.Tensor:
    """Return counts whose thresholds lie close together: few guests give two stars."""
    return torch.tensor([[20.0, 5.0, 60.0], [30.0, 9.0, 55.0]], dtype=torch.float64)


def with_jacobian(counts: torch.Tensor) -> AnyOf:
    """Return the best thresholds where the log-Jacobian is added to the log-likelihood.

    To that of all guests, or to the mean of one.
    """
    return AnyOf(*[analytic.fit_thresholds(counts, weight=1 / n)
                   for n in (float(counts.sum()), 1.0)])  # fmt: skip


def _pooled(counts: torch.Tensor) -> torch.Tensor:
    """Return the thresholds of all guests together, without a shift."""
    below = counts.sum(0).cumsum(0)[:2] / counts.sum()
    return torch.cat([below.logit(), torch.zeros(1, dtype=counts.dtype)])


def _before_only(counts: torch.Tensor) -> AnyOf:
    """Return the thresholds of the first row alone, and the shift of the second from there."""
    below = (counts.cumsum(1)[:, :2] / counts.sum(1, keepdim=True)).logit()
    difference = below[0] - below[1]
    return AnyOf(*[torch.cat([below[0], shift.reshape(1)])
                   for shift in (difference[0], difference[1], difference.mean())])  # fmt: skip


def _equal_weights(counts: torch.Tensor) -> torch.Tensor:
    return analytic.fit_thresholds(counts / counts.sum(1, keepdim=True))


def _changed(
    at: int, of: Callable[[torch.Tensor], torch.Tensor]
) -> Callable[[torch.Tensor], torch.Tensor]:
    def gives(counts: torch.Tensor) -> torch.Tensor:
        theta = analytic.fit_thresholds(counts).clone()
        theta[at] = of(theta)
        return theta

    return gives


TURNS = (
    Turn("Jacobian in a likelihood", "the guests kept their coordinate: a likelihood takes the "
         "same value in y, and no stretch enters.", with_jacobian, tolerance=1e-4),
    Turn("log of the gap returned", "the second number is c₂ = c₁ + e^y₂, not y₂.",
         _changed(1, lambda t: (t[1] - t[0]).log()), tolerance=1e-3),
    Turn("gap returned", "the second number is c₂ itself, not its distance from c₁.",
         _changed(1, lambda t: t[1] - t[0]), tolerance=1e-3),
    Turn("sign of the shift", "after the change the thresholds are c − shift: with a larger shift "
         "fewer guests give one star.", _changed(2, lambda t: -t[2]), tolerance=1e-3),
    Turn("thresholds exchanged", "c₁ is the lower one and comes first.",
         lambda c: analytic.fit_thresholds(c)[[1, 0, 2]], tolerance=1e-3),
    Turn("shift through exp", "a shift may have either sign: it is a free number as it is.",
         _changed(2, lambda t: t[2].exp()), tolerance=1e-3),
    Turn("rows exchanged", "the first row is before, the second after the change.",
         lambda c: analytic.fit_thresholds(c.flip(0)), tolerance=1e-3),
    Turn("stars from the other end", "the first column counts one star, the last one three.",
         lambda c: analytic.fit_thresholds(c.flip(1)), tolerance=1e-3),
    Turn("no shift", "these are the thresholds of all guests together: the second row has a shift.",
         _pooled, tolerance=1e-3),
    Turn("first row's thresholds", "both rows share the thresholds: fit them together.",
         _before_only, tolerance=1e-3),
    Turn("each row weighs alike", "every guest counts the same: a row of many weighs more.",
         _equal_weights, tolerance=1e-4),
    Turn("shares for thresholds", "c₁ and c₂ are logits of shares, not the shares.",
         lambda c: torch.cat([analytic.fit_thresholds(c)[:2].sigmoid(),
                              analytic.fit_thresholds(c)[2:]]), tolerance=1e-3),
)  # fmt: skip

EXERCISE = Exercise(
    name="fit_thresholds",
    arguments=(
        Argument("counts", _counts, many=(0, 1), edges={"few guests with two stars": _few_twos},
                 shown=lambda c: str([[int(v) for v in row] for row in c]),
                 used_instead=data.stars),
    ),
    reference=analytic.fit_thresholds,
    agree=Learned(
        mean_nll=analytic.thresholds_nll,
        size=lambda counts: int(counts.sum()),
        start=lambda counts: AnyOf((0.0, 1.0, 0.0), (-1.0, 1.0, 0.0)),
    ),
    turns=TURNS,
    parts=("c₁", "c₂", "shift"),
    typical=2,
    passed="fit_thresholds: within a tenth of a standard error of the optimum, three times.",
)  # fmt: skip
fit_thresholds = EXERCISE.check
