"""Checks of sheet 05, second part: maps to increasing pairs and to the simplex."""

from collections.abc import Callable
from typing import Any

import torch
from torch.distributions import StickBreakingTransform

from helpers.check.constraints import analytic
from helpers.check.constraints.maps import Tensors, line, there_and_back
from helpers.check.kit.agree import any_of
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.message import passed


def _columns(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return x[..., 0], x[..., 1]


def _pair(of: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]) -> Tensors:
    """Return a function of pairs from one of their two columns."""
    return lambda v: torch.stack(of(*_columns(v)), dim=-1)


def increasing_maps(to_increasing: Any, from_increasing: Any) -> bool:
    """Check ``to_increasing(y)`` and ``from_increasing(x)``: (y₁, y₁ + e^y₂) and its inverse."""
    given = [(line("pairs", shape),) for shape in [(2,), (6, 2), (2, 3, 2)]]
    there_and_back(("to_increasing", "from_increasing"), (to_increasing, from_increasing),
                    (analytic.to_increasing, analytic.from_increasing), given,
                    (TO_INCREASING, FROM_INCREASING))  # fmt: skip
    return passed("to_increasing, from_increasing: there and back, pairs of several shapes.")


TO_INCREASING = [
    Turn("order not kept", "two free numbers come in any order; x₂ is x₁ plus something positive.",
         lambda y: [_pair(lambda p, q: (p, q.exp()))(y), _pair(lambda p, q: (p.exp(), q.exp()))(y),
                    y], alike=any_of),
    Turn("sorted, not stretched", "sorting sends (1, 2) and (2, 1) to the same pair: no way back.",
         lambda y: y.sort(-1).values),
    Turn("gap not positive", "y₂ may be negative, and then so is the gap; make it positive.",
         _pair(lambda p, q: (p, p + q))),
    Turn("first made positive", "x₁ may be any number: only the gap has to be positive.",
         _pair(lambda p, q: (p.exp(), p.exp() + q.exp()))),
    Turn("exp of the sum", "y₁ + y₂ is in the exponent; only y₂ belongs there.",
         _pair(lambda p, q: (p, (p + q).exp()))),
    Turn("decreasing", "your second number is the smaller one.",
         lambda y: [_pair(lambda p, q: (p + q.exp(), p))(y),
                    _pair(lambda p, q: (p, p - q.exp()))(y)], alike=any_of),
    Turn("columns swapped", "y₁ is the place and y₂ the gap, not the other way round.",
         _pair(lambda p, q: (q, q + p.exp()))),
    Turn("softplus for exp", "softplus makes a positive gap too, but the task says exp.",
         _pair(lambda p, q: (p, p + torch.nn.functional.softplus(q)))),
    Turn("gap folded", "two different y₂ give the same gap here, so there is no way back.",
         lambda y: [_pair(lambda p, q: (p, p + q.abs()))(y), _pair(lambda p, q: (p, p + q**2))(y)],
         alike=any_of),
    Turn("first axis for last", "the last axis tells the two apart: index [..., 0].",
         lambda y: [torch.stack([y[0], y[0] + y[1].exp()], dim) for dim in (0, -1)],
         alike=any_of),
]  # fmt: skip
FROM_INCREASING = [
    Turn("log forgotten", "this is the gap; y₂ is its logarithm.", _pair(lambda p, q: (p, q - p))),
    Turn("gap upside down", "the gap is x₂ − x₁; the other way round it is negative.",
         _pair(lambda p, q: (p, (p - q).log()))),
    Turn("log before difference", "take the difference first, then its logarithm.",
         _pair(lambda p, q: (p, q.log() - p.log()))),
    Turn("gap forgotten", "y₂ tells the gap between the two, not where x₂ is.",
         lambda x: [_pair(lambda p, q: (p, q.log()))(x), x], alike=any_of),
    Turn("first made positive", "x₁ may be any number: it comes back as it is.",
         _pair(lambda p, q: (p.log(), (q - p).log()))),
    Turn("columns swapped", "first the place, then the gap.",
         _pair(lambda p, q: ((q - p).log(), p))),
    Turn("measured from x₂", "the map began at the smaller number, so y₁ is x₁.",
         _pair(lambda p, q: (q, (q - p).log()))),
    Turn("sign", "this is −y₂: the logarithm itself, without a minus.",
         _pair(lambda p, q: (p, -(q - p).log()))),
    Turn("map for inverse", "this is the way there; the inverse begins at x and returns y.",
         _pair(lambda p, q: (p, p + q.exp()))),
    Turn("first axis for last", "the last axis tells the two apart: index [..., 0].",
         lambda x: [torch.stack([x[0], (x[1] - x[0]).log()], dim) for dim in (0, -1)],
         alike=any_of),
]  # fmt: skip


def simplex_maps(to_simplex: Any, from_simplex: Any) -> bool:
    """Check ``to_simplex(y)`` and ``from_simplex(x)``: softmax of (y, 0), and the log-ratios."""
    given = [(line("shares", shape),) for shape in [(3,), (5, 2), (2, 3, 4)]]
    there_and_back(("to_simplex", "from_simplex"), (to_simplex, from_simplex),
                    (analytic.to_simplex, analytic.from_simplex), given,
                    (TO_SIMPLEX, FROM_SIMPLEX))  # fmt: skip
    return passed("to_simplex, from_simplex: there and back, for 3, 4 and 5 shares.")


def _with(y: torch.Tensor, value: float, first: bool = False) -> torch.Tensor:
    fixed = torch.full_like(y[..., :1], value)
    return torch.cat([fixed, y] if first else [y, fixed], dim=-1)


def _rest(x: torch.Tensor) -> torch.Tensor:
    return torch.cat([x, 1 - x.sum(-1, keepdim=True)], dim=-1)


TO_SIMPLEX = [
    Turn("no coordinate fixed", "softmax of y alone gives K − 1 shares; fix the last number at 0.",
         lambda y: y.softmax(-1)),
    Turn("fixed coordinate first", "the number fixed at 0 is the last one, not the first.",
         lambda y: _with(y, 0.0, first=True).softmax(-1)),
    Turn("not normalised", "these have the right ratios; divide by their sum.",
         lambda y: [_with(y, 0.0).exp(), y.exp()], alike=any_of),
    Turn("zero not exponentiated", "the last number is 0 before exp, and 1 after it.",
         lambda y: torch.cat([y.softmax(-1), torch.zeros_like(y[..., :1])], dim=-1)),
    Turn("one for zero", "the last number is fixed at 0; you exponentiate 1.",
         lambda y: _with(y, 1.0).softmax(-1)),
    Turn("wrong axis", "the shares run along the last axis; with many, normalise each by itself.",
         lambda y: [_with(y, 0.0).softmax(0), _with(y, 0.0).exp() / _with(y, 0.0).exp().sum()],
         alike=any_of),
    Turn("sigmoid of each", "each is between 0 and 1, but what is left for the last may be "
         "negative.", lambda y: _rest(y.sigmoid())),
    Turn("rest not positive", "what is left to 1 after exp may be negative; divide by a sum.",
         lambda y: [_rest(y.exp()), _rest(y)], alike=any_of),
    Turn("stick-breaking", "this is a map to the simplex too, but the task says softmax of (y, 0).",
         lambda y: StickBreakingTransform()(y)),
    Turn("exponent negative", "these shares fall as their y grows.",
         lambda y: _with(-y, 0.0).softmax(-1)),
]  # fmt: skip
FROM_SIMPLEX = [
    Turn("ratio forgotten", "log x_k alone forgets the sum; compare with the last share.",
         lambda x: x[..., :-1].log()),
    Turn("log forgotten", "these are the ratios e^y; take their logarithm.",
         lambda x: x[..., :-1] / x[..., -1:]),
    Turn("fixed coordinate kept", "the last log-ratio is 0 for every x; leave it out.",
         lambda x: (x / x[..., -1:]).log()),
    Turn("first as reference", "the ratios are to the last share, not to the first.",
         lambda x: (x[..., 1:] / x[..., :1]).log()),
    Turn("ratio upside down", "this is −y: the last share stands below.",
         lambda x: (x[..., -1:] / x[..., :-1]).log()),
    Turn("logit of each", "a logit compares with all the other shares; compare with the last one.",
         lambda x: [x[..., :-1].logit(), x.logit()], alike=any_of),
    Turn("centred", "you subtract the mean log; the log of the last share is the reference.",
         lambda x: [x.log() - x.log().mean(-1, keepdim=True),
                    (x.log() - x.log().mean(-1, keepdim=True))[..., :-1]], alike=any_of),
    Turn("wrong axis", "the shares run along the last axis: index [..., :-1] and [..., -1:].",
         lambda x: (x[:-1] / x[-1]).log()),
    Turn("stick-breaking", "this undoes another map; the task fixes the last number at 0.",
         lambda x: StickBreakingTransform().inv(x)),
    Turn("map for inverse", "this is the way there; the inverse begins at x and returns y.",
         lambda x: [_with(x, 0.0).softmax(-1), x.softmax(-1)], alike=any_of),
]  # fmt: skip
