"""to_above, from_above, to_interval, from_interval: numbers above a bound, and between two.

Lists of an odd length go with positive bounds, those of an even length with negative ones, so that
both signs are asked whatever the data seed.
"""

import math

import torch

from helpers.check.constraints import analytic
from helpers.check.constraints.line import itself, line, shapes
from helpers.check.kit.asks import Argument, Draws, Given, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise, Together

SHAPES = ((), (3, 4), (2, 1, 3))


def _points(u: Draws, given: Given, n: int) -> torch.Tensor:
    return line(u, n)


def _above(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return numbers above 2.2 or, for an even n, above −3.4: beyond every bound drawn for them."""
    return (2.2 if n % 2 else -3.4) + line(u, n).exp()


def _low(u: Draws, given: Given, n: int) -> float:
    return u.real(0.6, 2) if n % 2 else u.real(-5, -3.6)


def _inside(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return numbers between 2.2 and 4.8 or, for an even n, between −3.5 and 1.5."""
    low, high = (2.2, 4.8) if n % 2 else (-3.5, 1.5)
    return low + (high - low) * (line(u, n) + 2) / 4


def _a(u: Draws, given: Given, n: int) -> float:
    return u.real(0.6, 2) if n % 2 else u.real(-6, -4)


def _b(u: Draws, given: Given, n: int) -> float:
    return u.real(5, 7) if n % 2 else u.real(2.2, 4)


MANY = (5, 8)
LOW = Argument("low", _low, many=MANY, edges={"low = 0": 0.0})
A, B = Argument("a", _a, many=MANY, edges={"a = 0": 0.0}), Argument("b", _b, many=MANY)


def above(y: torch.Tensor, low: float) -> torch.Tensor:
    """Return to_above as a student writes it."""
    return low + torch.exp(y)


def back_from_above(x: torch.Tensor, low: float) -> torch.Tensor:
    """Return from_above as a student writes it."""
    return torch.log(x - low)


def between(y: torch.Tensor, a: float, b: float) -> torch.Tensor:
    """Return to_interval as a student writes it."""
    u = torch.sigmoid(y)
    return a + (b - a) * u


def between_by_hand(y: torch.Tensor, a: float, b: float) -> torch.Tensor:
    """Return to_interval without torch.sigmoid."""
    return a + (b - a) / (1 + torch.exp(-y))


def between_by_middle(y: torch.Tensor, a: float, b: float) -> torch.Tensor:
    """Return to_interval by a tanh around the middle."""
    return (a + b) / 2 + (b - a) / 2 * torch.tanh(y / 2)


def back_from_between(x: torch.Tensor, a: float, b: float) -> torch.Tensor:
    """Return from_interval as a student writes it."""
    u = (x - a) / (b - a)
    return torch.log(u / (1 - u))


def back_by_two_logs(x: torch.Tensor, a: float, b: float) -> torch.Tensor:
    """Return from_interval as a difference of two logarithms."""
    return torch.log(x - a) - torch.log(b - x)


TO_ABOVE = Exercise(
    name="to_above",
    arguments=(
        sample("y", _points, MANY, sizes=(1,), dtypes=(torch.float32,),
               edges=shapes("y", *SHAPES, of=itself)),
        LOW,
    ),
    reference=analytic.to_above,
    worked=(above,),
    slopes=("y",),
    typical=2,
    turns=(
        Turn("bound forgotten", "this is above 0, not above low; shift it.",
             lambda y, low: y.exp()),
        Turn("sign of the bound", "you shift by low in the wrong direction: x has to end up above "
             "low.", lambda y, low: y.exp() - low),
        Turn("shift before exp", "shift after the exponential: inside it, low becomes a factor.",
             lambda y, low: AnyOf((y + low).exp(), (y - low).exp())),
        Turn("bound as factor", "a factor moves no bound: the values begin at 0 as before.",
             lambda y, low: low * y.exp()),
        Turn("folded, not stretched", "two different y give the same x here, so there is no way "
             "back.", lambda y, low: AnyOf(low + y.abs(), low + y**2)),
        Turn("softplus for exp", "softplus is a map onto these numbers too, but the task says exp.",
             lambda y, low: low + torch.nn.functional.softplus(y)),
        Turn("cut, not stretched", "a cut sends many y to one x; every x needs a y of its own.",
             lambda y, low: AnyOf(y.clamp(min=low), low + y.clamp(min=0))),
        Turn("exp forgotten", "low + y may lie below low; make y positive before the shift.",
             lambda y, low: low + y),
        Turn("inverse for map", "this is the way back; y is on the line and x above low.",
             lambda y, low: AnyOf((y - low).log(), y.log() + low, y.log() - low)),
        Turn("exponent negative", "this falls as y grows: e^−y for e^y.",
             lambda y, low: low + (-y).exp()),
        Turn("another base", "stretch with e^y, not with a power of 2 or 10.",
             lambda y, low: AnyOf(low + 2**y, low + 10**y)),
    ),
    passed="to_above.",
)  # fmt: skip

FROM_ABOVE = Exercise(
    name="from_above",
    arguments=(
        sample("x", _above, MANY, sizes=(1,), dtypes=(torch.float32,), edges={
            **shapes("x", *SHAPES, of=lambda y, given: given["low"] + y.exp()),
            "x close to low": lambda u, given: given["low"] + torch.tensor([1e-9, 0.5]).double(),
            "x far above low": lambda u, given: given["low"] + torch.tensor([3e9, 2.0]).double(),
        }),
        LOW,
    ),
    reference=analytic.from_above,
    worked=(back_from_above,),
    typical=2,
    turns=(
        Turn("bound forgotten", "log x is the way back from 0 upwards; first undo the shift.",
             lambda x, low: x.log()),
        Turn("sign of the bound", "undoing a shift by low means subtracting it.",
             lambda x, low: (x + low).log()),
        Turn("undone in wrong order", "the shift came last, so it is undone first, before the log.",
             lambda x, low: AnyOf(x.log() - low, x.log() + low, x.abs().log() - low)),
        Turn("bound as factor", "a shift is undone by a difference, not by a quotient.",
             lambda x, low: AnyOf((x / low).log(), x.log() - torch.tensor(low).abs().log())),
        Turn("map for inverse", "this is the way there; the inverse begins at x and returns y.",
             lambda x, low: AnyOf(low + x.exp(), (x - low).exp(), x.exp())),
        Turn("log forgotten", "the shift is undone, the exponential is not.",
             lambda x, low: x - low),
        Turn("another logarithm", "e^y is undone by the natural logarithm.",
             lambda x, low: AnyOf((x - low).log2(), (x - low).log10(), (x - low).log1p())),
        Turn("softplus undone", "this undoes softplus; the map was the exponential.",
             lambda x, low: (x - low).expm1().log()),
        Turn("sign", "this is −y: look at what the logarithm is taken of.",
             lambda x, low: -(x - low).log()),
    ),
    passed="from_above.",
)  # fmt: skip

TO_INTERVAL = Exercise(
    name="to_interval",
    arguments=(
        sample("y", _points, MANY, sizes=(1,), dtypes=(torch.float32,), edges={
            **shapes("y", *SHAPES, of=itself),
            "y far out": torch.tensor([-800.0, 0.3, 800.0], dtype=torch.float64),
        }),
        A,
        B,
    ),
    reference=analytic.to_interval,
    worked=(between, between_by_hand, between_by_middle),
    slopes=("y",),
    typical=2,
    turns=(
        Turn("overflows far out", "exp(y) becomes infinite, and infinity over infinity is no "
             "number: torch.sigmoid knows a way around it.",
             lambda y, a, b: AnyOf(a + (b - a) * y.exp() / (1 + y.exp()),
                                   (a + b * y.exp()) / (1 + y.exp()))),
        Turn("affine map's bug", "(b − a)(u + a) sends u = 0 to (b − a)·a; it should go to a.",
             lambda y, a, b: (b - a) * (y.sigmoid() + a)),
        Turn("unit interval only", "σ(y) lies between 0 and 1; stretch and shift it.",
             lambda y, a, b: y.sigmoid()),
        Turn("end for width", "where σ(y) comes near 1 this comes near a + b; the width is b − a.",
             lambda y, a, b: AnyOf(a + b * y.sigmoid(), a * y.sigmoid() + b)),
        Turn("width upside down", "the width is b − a, which is positive.",
             lambda y, a, b: AnyOf(a + (a - b) * y.sigmoid(), b + (b - a) * y.sigmoid())),
        Turn("ends added", "the width is b − a, not a + b.",
             lambda y, a, b: a + (a + b) * y.sigmoid()),
        Turn("shift forgotten", "this begins at 0, not at a.",
             lambda y, a, b: (b - a) * y.sigmoid()),
        Turn("width forgotten", "σ(y) is shifted, not stretched: its width is 1 still.",
             lambda y, a, b: a + y.sigmoid()),
        Turn("sigmoid forgotten", "y is any number on the line; bring it into (0, 1) first.",
             lambda y, a, b: AnyOf(a + (b - a) * y, (b - a) * (y + a))),
        Turn("tanh for sigmoid", "tanh runs from −1 to 1; this leaves the interval.",
             lambda y, a, b: a + (b - a) * y.tanh()),
        Turn("another steepness", "a tanh of y/2 is the sigmoid of y; this one rises faster.",
             lambda y, a, b: a + (b - a) * (2 * y).sigmoid()),
        Turn("ends swapped", "this falls from b to a; it should rise with y.",
             lambda y, a, b: a + (b - a) * (-y).sigmoid()),
        Turn("affine map before sigmoid", "the sigmoid comes first, and stretch and shift after "
             "it.",
             lambda y, a, b: AnyOf((a + (b - a) * y).sigmoid(), (b - a) * (y + a).sigmoid())),
        Turn("inverse for map", "this is the way back; y is on the line and x in the interval.",
             lambda y, a, b: AnyOf(analytic.from_interval(y, a, b), y.logit())),
        Turn("cut, not stretched", "a cut sends many y to one x; every x needs a y of its own.",
             lambda y, a, b: AnyOf(y.clamp(a, b), a + (b - a) * y.clamp(0, 1))),
        Turn("normal for logistic", "the normal CDF is a map onto (0, 1) too, but the task says σ.",
             lambda y, a, b: a + (b - a) * torch.special.ndtr(y)),
        Turn("arctangent for sigmoid", "the arctangent is a map onto an interval too, but the task "
             "says σ.", lambda y, a, b: a + (b - a) * (y.atan() / math.pi + 0.5)),
    ),
    passed="to_interval.",
)  # fmt: skip


def _close(u: Draws, given: Given) -> torch.Tensor:
    width = given["b"] - given["a"]
    return torch.tensor([given["a"] + 1e-9 * width, given["a"] + width / 3,
                         given["b"] - 1e-9 * width], dtype=torch.float64)  # fmt: skip


FROM_INTERVAL = Exercise(
    name="from_interval",
    arguments=(
        sample("x", _inside, MANY, sizes=(1,), dtypes=(torch.float32,), edges={
            **shapes("x", *SHAPES, of=lambda y, given: analytic.to_interval(
                y, given["a"], given["b"])),
            "x close to an end": _close,
        }),
        A,
        B,
    ),
    reference=analytic.from_interval,
    worked=(back_from_between, back_by_two_logs),
    typical=2,
    turns=(
        Turn("affine map's bug", "x/(b − a) − a undoes the faulty map; which u should x = a come "
             "from?", lambda x, a, b: (x / (b - a) - a).logit()),
        Turn("log forgotten", "this is u/(1 − u), which is e^y; one step is left.",
             lambda x, a, b: (x - a) / (b - x)),
        Turn("undone in wrong order", "the affine map came last, so it is undone first, before the "
             "logit.", lambda x, a, b: AnyOf((x.logit() - a) / (b - a), x.logit() / (b - a) - a)),
        Turn("unit interval only", "logit x is right between 0 and 1; first bring x there.",
             lambda x, a, b: x.logit()),
        Turn("end for width", "divide by the width of the interval, which is b − a.",
             lambda x, a, b: ((x - a) / b).logit()),
        Turn("shift forgotten", "x = a belongs to u = 0: subtract a before you divide.",
             lambda x, a, b: (x / (b - a)).logit()),
        Turn("width forgotten", "the shift is undone, the stretch is not: divide by b − a.",
             lambda x, a, b: (x - a).logit()),
        Turn("logit forgotten", "this is u between 0 and 1; y is its logit.",
             lambda x, a, b: (x - a) / (b - a)),
        Turn("sign", "this is −y: look which of u and 1 − u is above in the fraction.",
             lambda x, a, b: ((b - x) / (x - a)).log()),
        Turn("log of the share", "log u lies below 0 only; the logit is the log of u/(1 − u).",
             lambda x, a, b: AnyOf(((x - a) / (b - a)).log(), -((x - a) / (b - a)).log())),
        Turn("map for inverse", "this is the way there; the inverse begins at x and returns y.",
             lambda x, a, b: AnyOf(((x - a) / (b - a)).sigmoid(), a + (b - a) * x.sigmoid(),
                                   x.sigmoid())),
        Turn("another logarithm", "e^y is undone by the natural logarithm.",
             lambda x, a, b: AnyOf(((x - a) / (b - x)).log2(), ((x - a) / (b - x)).log10())),
        Turn("cut near the ends", "near an end y is large, and right as it is: cut nothing off.",
             lambda x, a, b: AnyOf(*[((x - a) / (b - a)).clamp(eps, 1 - eps).logit()
                                     for eps in (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)])),
    ),
    passed="from_interval.",
)  # fmt: skip

interval_maps = Together(
    (TO_ABOVE, FROM_ABOVE, TO_INTERVAL, FROM_INTERVAL),
    "to_above, from_above, to_interval, from_interval: there and back, far out and near the edges.",
).check
