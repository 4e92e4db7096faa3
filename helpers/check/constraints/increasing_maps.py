"""to_increasing(y), from_increasing(x): lists of numbers that rise."""

from collections.abc import Callable

import torch

from helpers.check.constraints import analytic
from helpers.check.constraints.line import itself, line, shapes
from helpers.check.kit.asks import Draws, Given, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise, Together

SHAPES = ((3,), (2, 3, 4))
# Lists whose gaps are next to nothing: none is cut off or padded.
NARROW = torch.tensor([0.0, -24.0, -21.0, -22.0], dtype=torch.float64)


def _lists(u: Draws, given: Given, k: int) -> torch.Tensor:
    """Return five lists of k numbers of the line, shape (5, k)."""
    return line(u, 5, k)


def _rising(u: Draws, given: Given, k: int) -> torch.Tensor:
    return analytic.to_increasing(line(u, 5, k))


def _rest(
    of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a function that keeps the first number, and makes the others of first and others."""
    return lambda v: torch.cat([v[..., :1], of(v[..., :1], v[..., 1:])], dim=-1)


def _summed(gaps: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a map with other gaps than e^y."""
    return lambda y: _rest(lambda first, others: gaps(others))(y).cumsum(-1)


def by_cumsum(y: torch.Tensor) -> torch.Tensor:
    """Return to_increasing as a student writes it."""
    return torch.cat([y[..., :1], y[..., 1:].exp()], dim=-1).cumsum(-1)


def by_offsets(y: torch.Tensor) -> torch.Tensor:
    """Return to_increasing by the distances from the first."""
    gaps = torch.exp(y[..., 1:])
    return torch.cat([y[..., :1], y[..., :1] + gaps.cumsum(-1)], dim=-1)


def by_diff(x: torch.Tensor) -> torch.Tensor:
    """Return from_increasing as a student writes it."""
    return torch.cat([x[..., :1], torch.log(x.diff(dim=-1))], dim=-1)


def by_slices(x: torch.Tensor) -> torch.Tensor:
    """Return from_increasing without diff."""
    gaps = x[..., 1:] - x[..., :-1]
    return torch.cat([x[..., :1], torch.log(gaps)], dim=-1)


TO_INCREASING = Exercise(
    name="to_increasing",
    arguments=(
        sample("y", _lists, many=(3, 4), sizes=(2, 6), dtypes=(torch.float32,), edges={
            **shapes("y", *SHAPES, of=itself),
            "a first number far out": torch.tensor([800.0, 0.3, -1.0], dtype=torch.float64),
            "gaps next to nothing": NARROW,
            "a gap that is huge": torch.tensor([1.0, -0.4, 45.0], dtype=torch.float64)}),
    ),
    reference=analytic.to_increasing,
    worked=(by_cumsum, by_offsets),
    slopes=("y",),
    typical=2,
    turns=(
        Turn("order not kept", "free numbers come in any order; each is the one before it plus "
             "something positive.",
             lambda y: AnyOf(_rest(lambda first, others: others.exp())(y), y.exp(), y)),
        Turn("sorted, not stretched", "sorting sends (1, 2) and (2, 1) to the same list: no way "
             "back.", lambda y: y.sort(-1).values),
        Turn("gap not positive", "y₂ may be negative, and then so is the gap; make it positive.",
             _summed(lambda y: y)),
        Turn("gaps not added up", "each gap begins where the last one ended: add all of them up.",
             _rest(lambda first, others: first + others.exp())),
        Turn("first made positive", "x₁ may be any number: only the gaps have to be positive.",
             lambda y: y.exp().cumsum(-1)),
        Turn("exp of the sum", "only the gaps go through exp, each by itself; then they are added.",
             lambda y: AnyOf(_rest(lambda first, others: (first + others).exp())(y),
                             _rest(lambda first, others: first + others.cumsum(-1).exp())(y),
                             y.cumsum(-1).exp())),
        Turn("decreasing", "each number has to be larger than the one before it.",
             lambda y: AnyOf(analytic.to_increasing(y).flip(-1), _summed(lambda g: -g.exp())(y))),
        Turn("last for first", "y₁ is the place where the list begins, and all others are gaps.",
             lambda y: AnyOf(analytic.to_increasing(y.flip(-1)),
                             torch.cat([y[..., -1:], y[..., :-1].exp()], -1).cumsum(-1))),
        Turn("softplus for exp", "softplus makes a positive gap too, but the task says exp.",
             _summed(torch.nn.functional.softplus)),
        Turn("gap folded", "two different y₂ give the same gap here, so there is no way back.",
             lambda y: AnyOf(_summed(torch.abs)(y), _summed(torch.square)(y))),
        Turn("exponent negative", "the gaps are e^y, not e^−y.", _summed(lambda g: (-g).exp())),
        Turn("first axis for last", "the list runs along the last axis: index [..., 0], dim=-1.",
             lambda y: AnyOf(torch.cat([y[:1], y[1:].exp()]).cumsum(0),
                             torch.cat([y[..., :1], y[..., 1:].exp()], dim=-1).cumsum(0))),
        Turn("pairs only", "a list may be longer than two: gaps as many as there are, added up.",
             lambda y: AnyOf(torch.stack([y[..., 0], y[..., 0] + y[..., 1].exp()], dim=-1),
                             torch.cat([y[..., :1], y[..., :1] + y[..., 1:2].exp(), y[..., 2:]],
                                       dim=-1))),
        Turn("first left out", "x₁ itself is in the list, and all others begin there.",
             lambda y: AnyOf(y[..., 1:].exp().cumsum(-1),
                             y[..., :1] + y[..., 1:].exp().cumsum(-1),
                             torch.cat([0 * y[..., :1], y[..., 1:].exp()], -1).cumsum(-1))),
        Turn("first counted as a gap", "y₁ is a place and no gap: only the others go through exp.",
             lambda y: y[..., :1] + y.exp().cumsum(-1)),
    ),
    passed="to_increasing.",
)  # fmt: skip

FROM_INCREASING = Exercise(
    name="from_increasing",
    arguments=(
        sample("x", _rising, many=(3, 4), sizes=(2, 6), dtypes=(torch.float32,),
               edges={**shapes("x", *SHAPES, of=lambda y, given: analytic.to_increasing(y)),
                      "gaps next to nothing": analytic.to_increasing(NARROW)}),
    ),
    reference=analytic.from_increasing,
    worked=(by_diff, by_slices),
    typical=2,
    turns=(
        Turn("log forgotten", "these are the gaps; y is their logarithm.",
             _rest(lambda first, others: torch.cat([first, others], -1).diff(dim=-1))),
        Turn("gap upside down", "the gap is x₂ − x₁; the other way round it is negative.",
             _rest(lambda first, others: (-torch.cat([first, others], -1).diff(dim=-1)).log())),
        Turn("log before difference", "take the difference first, then its logarithm.",
             lambda x: AnyOf(_rest(lambda first, others:
                                   torch.cat([first, others], -1).log().diff(dim=-1))(x),
                             torch.cat([x[..., :1].log(), x.log().diff(dim=-1)], dim=-1))),
        Turn("gap forgotten", "y₂ tells the gap between the two, not where x₂ is.",
             lambda x: AnyOf(_rest(lambda first, others: others.log())(x), x)),
        Turn("all from the first", "a gap is the distance to the number just before, not to x₁.",
             _rest(lambda first, others: (others - first).log())),
        Turn("first made positive", "x₁ may be any number: it comes back as it is.",
             lambda x: torch.cat([x[..., :1].log(), x.diff(dim=-1).log()], dim=-1)),
        Turn("gaps first", "first the place where the list begins, then the gaps.",
             lambda x: torch.cat([x.diff(dim=-1).log(), x[..., :1]], dim=-1)),
        Turn("measured from the end", "the map began at the smallest number, so y₁ is x₁.",
             lambda x: AnyOf(torch.cat([x[..., -1:], x.diff(dim=-1).log()], dim=-1),
                             torch.cat([x.diff(dim=-1).log(), x[..., -1:]], dim=-1))),
        Turn("first left out", "x₁ comes back as y₁; the gaps follow.",
             lambda x: x.diff(dim=-1).log()),
        Turn("sign", "this is −y₂: the logarithm itself, without a minus.",
             lambda x: torch.cat([x[..., :1], -x.diff(dim=-1).log()], dim=-1)),
        Turn("softplus undone", "this undoes softplus; the map was the exponential.",
             lambda x: torch.cat([x[..., :1], x.diff(dim=-1).expm1().log()], dim=-1)),
        Turn("map for inverse", "this is the way there; the inverse begins at x and returns y.",
             analytic.to_increasing),
        Turn("another logarithm", "e^y is undone by the natural logarithm.",
             lambda x: AnyOf(*[torch.cat([x[..., :1], log(x.diff(dim=-1))], dim=-1)
                               for log in (torch.log2, torch.log10, torch.log1p)])),
        Turn("first axis for last", "the list runs along the last axis: index [..., 0], dim=-1.",
             lambda x: AnyOf(torch.cat([x[:1], x.diff(dim=0).log()]))),
        Turn("pairs only", "a list may be longer than two: as many gaps as there are.",
             lambda x: torch.stack([x[..., 0], (x[..., 1] - x[..., 0]).log()], dim=-1)),
    ),
    passed="from_increasing.",
)  # fmt: skip

increasing_maps = Together(
    (TO_INCREASING, FROM_INCREASING),
    "to_increasing, from_increasing: there and back, lists of 2 to 6 numbers.",
).check
