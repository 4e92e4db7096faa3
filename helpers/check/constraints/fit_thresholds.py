"""fit_thresholds(counts): two thresholds in order and a shift, learned from stars."""

import functools
import itertools
from collections.abc import Callable
from typing import Any

import torch

from helpers import data
from helpers.check.constraints import analytic
from helpers.check.kit import runs
from helpers.check.kit.asks import Argument, Draws, Given
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.learned import Learned

ORDERS = list(itertools.permutations(range(3)))[1:]


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


def _unlike_rows(u: Draws, given: Given) -> torch.Tensor:
    """Return counts that no thresholds and shift explain: the rows scatter unlike."""
    return torch.tensor([[100.0, 260.0, 75.0], [450.0, 200.0, 305.0]], dtype=torch.float64)


def with_jacobian(counts: torch.Tensor) -> AnyOf:
    """Return the best thresholds where the log-Jacobian is added to the log-likelihood.

    To that of all guests, or to the mean of one.
    """
    return AnyOf(*[analytic.fit_thresholds(counts, weight=1 / n)
                   for n in (float(counts.sum()), 1.0, -float(counts.sum()))])  # fmt: skip


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


def _lowest(loss: Callable[[torch.Tensor], torch.Tensor], counts: torch.Tensor) -> torch.Tensor:
    """Return where another loss of (c₁, c₂, shift) is lowest."""
    theta = analytic.fit_thresholds(counts).requires_grad_(True)
    optimizer = torch.optim.LBFGS([theta], max_iter=60, line_search_fn="strong_wolfe",
                                  tolerance_grad=1e-12, tolerance_change=1e-14)  # fmt: skip

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value = loss(theta)
        value.backward()
        return value

    optimizer.step(closure)
    return theta.detach()


def _by_squares(counts: torch.Tensor) -> AnyOf:
    """Return the thresholds whose shares, or counts, have the least squared distances."""
    rows = counts.sum(1, keepdim=True)

    def loss(theta: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return ((weights * (counts / rows - analytic.threshold_shares(theta))) ** 2).sum()

    return AnyOf(*[_lowest(functools.partial(loss, weights=weights), counts)
                   for weights in (torch.ones_like(rows), rows / rows.sum())])  # fmt: skip


def _by_normal(counts: torch.Tensor) -> torch.Tensor:
    """Return the thresholds of opinions that scatter normally."""

    def loss(theta: torch.Tensor) -> torch.Tensor:
        moved = torch.stack([0 * theta[2], theta[2]])
        first, second = (torch.special.ndtr(c - moved) for c in theta[:2])
        shares = torch.stack([first, second - first, 1 - second], dim=-1)
        return -(counts * shares.log()).sum() / counts.sum()

    return _lowest(loss, counts)


def _changed(
    at: int, of: Callable[[torch.Tensor], torch.Tensor]
) -> Callable[[torch.Tensor], torch.Tensor]:
    def gives(counts: torch.Tensor) -> torch.Tensor:
        theta = analytic.fit_thresholds(counts).clone()
        theta[at] = of(theta)
        return theta

    return gives


def _two_for_one(counts: torch.Tensor) -> torch.Tensor:
    """Return the thresholds where the share of at most two is taken for that of two.

    Then a share grows with c₁ as far as it may, up to c₂, and c₂ tells three stars from the others.
    """
    second = (counts[:, :2].sum(1) / counts[:, 2]).log()
    return torch.stack([second[0], second[0], second[0] - second[1]])


def _averaged(counts: torch.Tensor) -> AnyOf:
    """Return thresholds with the difference of the mean stars for the shift."""
    mean = (counts * torch.arange(1, 4)).sum(1) / counts.sum(1)
    thresholds = [_pooled(counts)[:2], _before_only(counts).values[0][:2],
                  analytic.fit_thresholds(counts)[:2]]  # fmt: skip
    return AnyOf(*[torch.cat([c, (mean[1] - mean[0]).reshape(1)]) for c in thresholds])


def _both_shifted(got: Any, wanted: torch.Tensor) -> bool:
    """Whether the thresholds less the shift are those of all guests together."""
    row = as_tensor(got)
    return row is not None and row.shape == (3,) and same(row[:2] - row[2], wanted[:2], 1e-3)


def _kept_positive(got: Any, right: torch.Tensor) -> bool:
    """Whether a positive shift is right, and none is found where it is negative."""
    row = as_tensor(got)
    if row is None or row.shape != (3,) or not bool(row[2] >= 0):
        return False
    return same(row, right, 1e-2) if right[2] > 0 else bool(row[2] < 0.3)


def _too_wide(got: Any, right: torch.Tensor) -> bool:
    """Whether the gap is far wider than the right one, in any case."""
    row = as_tensor(got)
    gap = float(right[1] - right[0])
    return row is not None and row.shape == (3,) and bool(row[1] - row[0] > gap + 1.5)


def _is_nan(got: Any, _: Any) -> bool:
    row = as_tensor(got)
    return row is not None and bool(row.isnan().any())


def _losses(raw: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Return the mean loss of rows of free coordinates."""
    c = analytic.to_increasing(raw[..., :2])
    below = torch.stack([c, c - raw[..., 2:]], dim=-2).sigmoid()
    ends = torch.zeros_like(below[..., :1])
    shares = torch.cat([ends, below, ends + 1], dim=-1).diff(dim=-1)
    return -(counts * shares.log()).sum((-2, -1)) / counts.sum()


def _thresholds(raw: torch.Tensor) -> torch.Tensor:
    return torch.cat([analytic.to_increasing(raw[..., :2]), raw[..., 2:]], dim=-1)


def _free(row: torch.Tensor) -> torch.Tensor:
    return torch.cat([analytic.from_increasing(row[:2]), row[2:]])


WAYS = [runs.Way(lambda counts: torch.zeros(3), _losses, _thresholds, _free)]
TRAILS = runs.trails(WAYS, 600, size=lambda counts: int(counts.sum()))

TURNS = (
    Turn("Jacobian in a likelihood", "the guests kept their coordinate: a likelihood takes the "
         "same value in y, and no stretch enters.", with_jacobian, tolerance=1e-4),
    Turn("log of the gap returned", "the second number is c₂ = c₁ + e^y₂, not y₂.",
         _changed(1, lambda t: (t[1] - t[0]).log()), tolerance=1e-3),
    Turn("gap returned", "the second number is c₂ itself, not its distance from c₁.",
         _changed(1, lambda t: t[1] - t[0]), tolerance=1e-3),
    Turn("sign of the shift", "after the change the thresholds are c − shift: with a larger shift "
         "fewer guests give one star.", _changed(2, lambda t: -t[2]), tolerance=1e-3),
    Turn("order mixed up", "c₁ comes first, then c₂, then the shift.",
         lambda c: AnyOf(*[analytic.fit_thresholds(c)[list(order)] for order in ORDERS]),
         tolerance=1e-3),
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
    Turn("normal for logistic", "opinions scatter with the sigmoid as their CDF, not with that of "
         "the normal.", _by_normal, tolerance=5e-3),
    Turn("squares of shares", "the likelihood adds counts times logs of probabilities; squared "
         "distances of shares have another lowest point.", _by_squares, tolerance=1e-3),
    Turn("shares for thresholds", "c₁ and c₂ are logits of shares, not the shares.",
         lambda c: torch.cat([analytic.fit_thresholds(c)[:2].sigmoid(),
                              analytic.fit_thresholds(c)[2:]]), tolerance=1e-3),
    Turn("both rows shifted", "the shift is 0 before the change: only the second row is moved.",
         _pooled, alike=_both_shifted),
    Turn("at most two for two", "σ(c₂) is the share of at most two stars: that of two is "
         "σ(c₂) − σ(c₁).", _two_for_one, tolerance=2e-2),
    Turn("stars averaged", "stars are no numbers to average: a shift moves opinions, on the "
         "line of the thresholds.", _averaged, tolerance=1e-3),
    Turn("shift kept positive", "a shift may have either sign: it is a free number as it is.",
         analytic.fit_thresholds, alike=_kept_positive),
    Turn("Jacobian in a likelihood", "the gap is far too wide: does the log-Jacobian stand in the "
         "loss of one guest? The guests kept their coordinate, and no stretch enters.",
         analytic.fit_thresholds, alike=_too_wide),
    Turn("a share became zero", "the log of a share of 0 is −∞: start with c₁ below c₂, and divide "
         "the loss by the number of all guests, which keeps the steps short.",
         analytic.fit_thresholds, alike=_is_nan),
    *runs.turns(TRAILS, diverged=True),
)  # fmt: skip

EXERCISE = Exercise(
    name="fit_thresholds",
    arguments=(
        Argument("counts", _counts, many=(0, 1), edges={
            "few guests with two stars": _few_twos, "rows that scatter unlike": _unlike_rows},
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
