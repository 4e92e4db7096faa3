"""to_simplex(y), from_simplex(x): softmax of (y, 0), and the log-ratios to the last share."""

import math

import torch
from torch.distributions import StickBreakingTransform

from helpers.check.constraints import analytic
from helpers.check.constraints.line import itself, line, shapes
from helpers.check.kit.asks import Draws, Given, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise, Together


def _free(u: Draws, given: Given, k: int) -> torch.Tensor:
    """Return five lists of k free numbers, shape (5, k)."""
    return line(u, 5, k)


def _shares(u: Draws, given: Given, k: int) -> torch.Tensor:
    return analytic.to_simplex(line(u, 5, k))


def _with(y: torch.Tensor, value: float, first: bool = False) -> torch.Tensor:
    fixed = torch.full_like(y[..., :1], value)
    return torch.cat([fixed, y] if first else [y, fixed], dim=-1)


def _rest(x: torch.Tensor) -> torch.Tensor:
    return torch.cat([x, 1 - x.sum(-1, keepdim=True)], dim=-1)


def by_softmax(y: torch.Tensor) -> torch.Tensor:
    """Return to_simplex as a student writes it."""
    zero = torch.zeros_like(y[..., :1])
    return torch.cat([y, zero], dim=-1).softmax(-1)


def by_ratio(x: torch.Tensor) -> torch.Tensor:
    """Return from_simplex as a student writes it."""
    return torch.log(x[..., :-1] / x[..., -1:])


def by_logs(x: torch.Tensor) -> torch.Tensor:
    """Return from_simplex as a difference of logarithms."""
    return torch.log(x[..., :-1]) - torch.log(x[..., -1:])


FAR = [[-800.0, 2.0], [800.0, 799.0], [0.5, 800.0]]

TO_SIMPLEX = Exercise(
    name="to_simplex",
    arguments=(
        sample("y", _free, many=(2, 3), sizes=(1, 5), dtypes=(torch.float32,), edges={
            **shapes("y", (4,), (2, 3, 2), of=itself),
            "y far out": torch.tensor(FAR, dtype=torch.float64),
            "all of y far below zero": torch.tensor([[-800.0, -801.0]], dtype=torch.float64),
        }),
    ),
    reference=analytic.to_simplex,
    worked=(by_softmax,),
    slopes=("y",),
    typical=2,
    turns=(
        Turn("overflows far out", "exp(800) is infinite, and infinity over infinity is no number: "
             "shift all of y first, as torch.softmax does.",
             lambda y: AnyOf(_with(y, 0.0).exp() / _with(y, 0.0).exp().sum(-1, keepdim=True),
                             _with(y.exp(), 1.0) / (1 + y.exp().sum(-1, keepdim=True)))),
        Turn("zero of one list", "the zero has the axes of y: torch.zeros_like(y[..., :1]).",
             raises=lambda error: "number of dimensions" in str(error)),
        Turn("no coordinate fixed", "softmax of y alone gives K − 1 shares; fix the last number at "
             "0.", lambda y: y.softmax(-1)),
        Turn("fixed coordinate first", "the number fixed at 0 is the last one, not the first.",
             lambda y: _with(y, 0.0, first=True).softmax(-1)),
        Turn("not normalised", "these have the right ratios; divide by their sum.",
             lambda y: AnyOf(_with(y, 0.0).exp(), y.exp())),
        Turn("zero not exponentiated", "the last number is 0 before exp, and 1 after it.",
             lambda y: torch.cat([y.softmax(-1), torch.zeros_like(y[..., :1])], dim=-1)),
        Turn("one for zero", "the last number is fixed at 0; you exponentiate 1.",
             lambda y: _with(y, 1.0).softmax(-1)),
        Turn("wrong axis", "the shares run along the last axis; with many, normalise each by "
             "itself.",
             lambda y: AnyOf(_with(y, 0.0).softmax(0),
                             _with(y, 0.0).exp() / _with(y, 0.0).exp().sum(),
                             torch.cat([y, torch.zeros_like(y[:1])]).softmax(0))),
        Turn("sigmoid of each", "each is between 0 and 1, but what is left for the last may be "
             "negative.", lambda y: _rest(y.sigmoid())),
        Turn("sigmoids normalised", "e^y stands in the softmax, not σ(y).",
             lambda y: AnyOf(_with(y, 0.0).sigmoid()
                             / _with(y, 0.0).sigmoid().sum(-1, keepdim=True))),
        Turn("rest not positive", "what is left to 1 after exp may be negative; divide by a sum.",
             lambda y: AnyOf(_rest(y.exp()), _rest(y))),
        Turn("stick-breaking", "this is a map to the simplex too, but the task says softmax of "
             "(y, 0).", lambda y: StickBreakingTransform()(y)),
        Turn("exponent negative", "these shares fall as their y grows.",
             lambda y: _with(-y, 0.0).softmax(-1)),
        Turn("another base", "the ratios are e^y, no power of 2 or 10.",
             lambda y: AnyOf(*[_with(y * math.log(base), 0.0).softmax(-1) for base in (2, 10)])),
        Turn("exp forgotten", "y may be negative: take e^y before you divide by the sum.",
             lambda y: AnyOf(*[z / z.sum(-1, keepdim=True)
                               for z in (_with(y, 0.0), _with(y, 1.0), _with(y, 0.0) ** 2,
                                         _with(y, 1.0) ** 2, _with(y, 0.0).abs())])),
        Turn("shift without the zero", "shift all K numbers alike, the zero among them.",
             lambda y: AnyOf(_with(y - y.amax(-1, keepdim=True), 0.0).softmax(-1),
                             _with(y - y.max(), 0.0).softmax(-1))),
        Turn("log of the shares", "these are logarithms of the shares: softmax, not log_softmax.",
             lambda y: _with(y, 0.0).log_softmax(-1)),
        Turn("last share left out", "all K shares are asked for, the last one too.",
             lambda y: _with(y, 0.0).softmax(-1)[..., :-1]),
    ),
    passed="to_simplex.",
)  # fmt: skip

FROM_SIMPLEX = Exercise(
    name="from_simplex",
    arguments=(
        sample("x", _shares, many=(2, 3), sizes=(1, 5), dtypes=(torch.float32,), edges={
            **shapes("x", (4,), (2, 3, 2), of=lambda y, given: analytic.to_simplex(y)),
            "x close to zero": torch.tensor([[1e-12, 0.25, 0.75 - 1e-12]], dtype=torch.float64),
        }),
    ),
    reference=analytic.from_simplex,
    worked=(by_ratio, by_logs),
    typical=2,
    turns=(
        Turn("ratio forgotten", "log x_k alone forgets the sum; compare with the last share.",
             lambda x: AnyOf(x[..., :-1].log(), x.log())),
        Turn("log forgotten", "these are the ratios e^y; take their logarithm.",
             lambda x: x[..., :-1] / x[..., -1:]),
        Turn("fixed coordinate kept", "the last log-ratio is 0 for every x; leave it out.",
             lambda x: (x / x[..., -1:]).log()),
        Turn("first as reference", "the ratios are to the last share, not to the first.",
             lambda x: AnyOf((x[..., 1:] / x[..., :1]).log(), (x[..., :-1] / x[..., :1]).log())),
        Turn("ratio upside down", "this is −y: the last share stands below.",
             lambda x: (x[..., -1:] / x[..., :-1]).log()),
        Turn("logit of each", "a logit compares with all the other shares; compare with the last "
             "one.", lambda x: AnyOf(x[..., :-1].logit(), x.logit())),
        Turn("centred", "you subtract the mean log; the log of the last share is the reference.",
             lambda x: AnyOf(x.log() - x.log().mean(-1, keepdim=True),
                             (x.log() - x.log().mean(-1, keepdim=True))[..., :-1],
                             x[..., :-1].log() - x[..., :-1].log().mean(-1, keepdim=True))),
        Turn("difference for ratio", "compare by a ratio, and take its log; the shares themselves "
             "are not subtracted.", lambda x: x[..., :-1] - x[..., -1:]),
        Turn("log before ratio", "take the ratio first, then its logarithm.",
             lambda x: AnyOf(x[..., :-1].log() / x[..., -1:], x[..., :-1].log() / x[..., -1:].log(),
                             x[..., :-1].log() - x[..., -1:])),
        Turn("one last share for all", "each list has a last share of its own.",
             lambda x: (x[..., :-1] / x.flatten()[-1]).log()),
        Turn("ratio to the next", "every share is compared with the last one, not with its "
             "neighbour.", lambda x: AnyOf((x[..., :-1] / x[..., 1:]).log(), x.log().diff())),
        Turn("wrong axis", "the shares run along the last axis: index [..., :-1] and [..., -1:].",
             lambda x: AnyOf((x[:-1] / x[-1]).log(), (x[:, :-1] / x[-1:, :-1]).log())),
        Turn("another logarithm", "e^y is undone by the natural logarithm.",
             lambda x: AnyOf(*[log(x[..., :-1] / x[..., -1:])
                               for log in (torch.log2, torch.log10, torch.log1p)])),
        Turn("stick-breaking", "this undoes another map; the task fixes the last number at 0.",
             lambda x: StickBreakingTransform().inv(x)),
        Turn("map for inverse", "this is the way there; the inverse begins at x and returns y.",
             lambda x: AnyOf(_with(x, 0.0).softmax(-1), x.softmax(-1))),
        Turn("cut near zero", "a small share has a large log-ratio, right as it is: add nothing.",
             lambda x: AnyOf(*[((x[..., :-1] + e) / (x[..., -1:] + e)).log()
                               for e in (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6)],
                             *[(x[..., :-1].clamp(min=e) / x[..., -1:].clamp(min=e)).log()
                               for e in (1e-10, 1e-9, 1e-8, 1e-7, 1e-6)])),
    ),
    passed="from_simplex.",
)  # fmt: skip

simplex_maps = Together(
    (TO_SIMPLEX, FROM_SIMPLEX),
    "to_simplex, from_simplex: there and back, for 2 to 6 shares, far out as well.",
).check
