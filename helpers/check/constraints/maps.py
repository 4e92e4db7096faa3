"""Checks of sheet 05, first part: maps between the real line and intervals of it."""

import math
from collections.abc import Callable
from typing import Any

import torch

from helpers import data
from helpers.check.constraints import analytic
from helpers.check.kit.agree import any_of
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed, show

Tensors = Callable[..., torch.Tensor]

# Points of the line lie within 2 of zero and off it: there the maps bend enough to tell a wrong
# turn from the right way, and single precision loses less than two digits on the way back.
REACH = 2.0


def line(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Return points of the line, drawn at even distances with a jitter, in mixed order.

    A single point keeps away from zero, where a relative bound asks too much of rounding.
    """
    count = int(torch.Size(shape).numel())
    if count == 1:
        return data.uniform(f"constraints: {name} {shape}", 1, 0.5, 1.5).reshape(shape)
    jitter = data.uniform(f"constraints: {name} {shape}", count, 0.2, 0.8)
    even = -REACH + 2 * REACH * (torch.arange(count, dtype=torch.float64) + jitter) / count
    order = torch.randperm(count, generator=data.generator(f"constraints: order {name} {shape}"))
    return even[order].reshape(shape)


def _sizes(shapes: str) -> list[tuple[int, ...]]:
    return [(5,), (8,)] if shapes == "practice" else [(), (5,), (8,), (3, 4), (2, 1, 3)]


def eighths(name: str, count: int, low: float, high: float) -> list[float]:
    """Draw numbers that every floating-point type holds exactly."""
    return [math.floor(8 * v) / 8 for v in data.uniform(f"constraints: {name}", count, low, high)]


def there_and_back(
    names: tuple[str, str],
    answers: tuple[Any, Any],
    maps: tuple[Tensors, Tensors],
    given: list[tuple[Any, ...]],
    turns: tuple[list[Turn], list[Turn]],
) -> None:
    """Compare a pair of maps with its reference: the first on y, the second on the x it gives.

    Since both agree with a pair of inverses, one undoes the other on all these points.

    Args:
        names: of the two functions.
        answers: the student's functions.
        maps: the reference, to the constrained set and back.
        given: arguments of the first function, y first.
        turns: the wrong turns of each.
    """
    to, back = [], []
    for y, *bounds in given:
        x = maps[0](y, *bounds)
        told = "".join(f", {b:g}" for b in bounds)
        to.append(Case(f"{names[0]}(y{told}) at y = {show(y)}", (y, *bounds), x))
        back.append(Case(f"{names[1]}(x{told}) at x = {show(x)}", (x, *bounds), y))
    function_agrees(answers[0], to, turns[0])
    function_agrees(answers[1], back, turns[1])


def positive_maps(to_above: Any, from_above: Any, shapes: str = "practice") -> bool:
    """Check ``to_above(y, low)`` and ``from_above(x, low)``: low + e^y and log(x − low).

    Args:
        to_above: the student's map from the line.
        from_above: its inverse.
        shapes: "practice" for vectors, "fresh" for other shapes too.
    """
    lows = [0.0, *eighths("above", 1, 2, 4), *eighths("below", 1, -6, -2)]
    given = [(line(f"above {i}", s), low) for s in _sizes(shapes) for i, low in enumerate(lows)]
    there_and_back(("to_above", "from_above"), (to_above, from_above),
                    (analytic.to_above, analytic.from_above), given,
                    (TO_ABOVE, FROM_ABOVE))  # fmt: skip
    return passed(f"to_above, from_above: there and back, for lower bounds {show(lows)}.")


TO_ABOVE = [
    Turn("bound forgotten", "this is above 0, not above low; shift it.", lambda y, low: y.exp()),
    Turn("sign of the bound", "you shift by low in the wrong direction: x has to end up above low.",
         lambda y, low: y.exp() - low),
    Turn("shift before exp", "shift after the exponential: inside it, low becomes a factor.",
         lambda y, low: [(y + low).exp(), (y - low).exp()], alike=any_of),
    Turn("bound as factor", "a factor moves no bound: the values begin at 0 as before.",
         lambda y, low: low * y.exp()),
    Turn("folded, not stretched", "two different y give the same x here, so there is no way back.",
         lambda y, low: [low + y.abs(), low + y**2], alike=any_of),
    Turn("softplus for exp", "softplus is a map onto these numbers too, but the task says exp.",
         lambda y, low: low + torch.nn.functional.softplus(y)),
    Turn("cut, not stretched", "a cut sends many y to one x; every x needs a y of its own.",
         lambda y, low: y.clamp(min=low)),
    Turn("inverse for map", "this is the way back; y is on the line and x above low.",
         lambda y, low: [(y - low).log(), y.log() + low, y.log() - low], alike=any_of),
    Turn("exponent negative", "this falls as y grows: e^−y for e^y.",
         lambda y, low: low + (-y).exp()),
]  # fmt: skip
FROM_ABOVE = [
    Turn("bound forgotten", "log x is the way back from 0 upwards; first undo the shift.",
         lambda x, low: x.log()),
    Turn("sign of the bound", "undoing a shift by low means subtracting it.",
         lambda x, low: (x + low).log()),
    Turn("undone in wrong order", "the shift came last, so it is undone first, before the log.",
         lambda x, low: [x.log() - low, x.log() + low], alike=any_of),
    Turn("bound as factor", "a shift is undone by a difference, not by a quotient.",
         lambda x, low: [(x / low).log(), x.log() - torch.tensor(low).log()], alike=any_of),
    Turn("map for inverse", "this is the way there; the inverse begins at x and returns y.",
         lambda x, low: [low + x.exp(), (x - low).exp(), x.exp()], alike=any_of),
    Turn("log forgotten", "the shift is undone, the exponential is not.", lambda x, low: x - low),
    Turn("another logarithm", "e^y is undone by the natural logarithm.",
         lambda x, low: [(x - low).log2(), (x - low).log10(), (x - low).log1p()], alike=any_of),
    Turn("sign", "this is −y: look at what the logarithm is taken of.",
         lambda x, low: -(x - low).log()),
]  # fmt: skip


def interval_maps(to_interval: Any, from_interval: Any, shapes: str = "practice") -> bool:
    """Check ``to_interval(y, a, b)`` and ``from_interval(x, a, b)``, the unit interval included.

    Args:
        to_interval: the student's map from the line.
        from_interval: its inverse.
        shapes: "practice" for vectors, "fresh" for other shapes too.
    """
    starts, widths = eighths("starts", 2, 2, 4), eighths("widths", 2, 2, 5)
    # The third holds zero on its left half, away from the single point that is asked; the last
    # lies inside of (0, 1), where also the logit of x itself is a number.
    ends = [(0.0, 1.0), (starts[0], starts[0] + widths[0]), (-starts[1], starts[1] + widths[1]),
            (0.125, 0.875)]  # fmt: skip
    given = [(line(f"in {i}", s), a, b) for s in _sizes(shapes) for i, (a, b) in enumerate(ends)]
    there_and_back(("to_interval", "from_interval"), (to_interval, from_interval),
                    (analytic.to_interval, analytic.from_interval), given,
                    (TO_INTERVAL, FROM_INTERVAL))  # fmt: skip
    return passed(f"to_interval, from_interval: there and back, for the intervals {show(ends)}.")


TO_INTERVAL = [
    Turn("affine map's bug", "(b − a)(u + a) sends u = 0 to (b − a)·a; it should go to a.",
         lambda y, a, b: (b - a) * (y.sigmoid() + a)),
    Turn("unit interval only", "σ(y) lies between 0 and 1; stretch and shift it.",
         lambda y, a, b: y.sigmoid()),
    Turn("end for width", "where σ(y) comes near 1 this comes near a + b; the width is b − a.",
         lambda y, a, b: [a + b * y.sigmoid(), a * y.sigmoid() + b], alike=any_of),
    Turn("shift forgotten", "this begins at 0, not at a.", lambda y, a, b: (b - a) * y.sigmoid()),
    Turn("sigmoid forgotten", "y is any number on the line; bring it into (0, 1) first.",
         lambda y, a, b: [a + (b - a) * y, (b - a) * (y + a)], alike=any_of),
    Turn("tanh for sigmoid", "tanh runs from −1 to 1; this leaves the interval.",
         lambda y, a, b: a + (b - a) * y.tanh()),
    Turn("ends swapped", "this falls from b to a; it should rise with y.",
         lambda y, a, b: a + (b - a) * (-y).sigmoid()),
    Turn("inverse for map", "this is the way back; y is on the line and x in the interval.",
         lambda y, a, b: [analytic.from_interval(y, a, b), y.logit()], alike=any_of),
    Turn("cut, not stretched", "a cut sends many y to one x; every x needs a y of its own.",
         lambda y, a, b: y.clamp(a, b)),
    Turn("normal for logistic", "the normal CDF is a map onto (0, 1) too, but the task says σ.",
         lambda y, a, b: a + (b - a) * torch.special.ndtr(y)),
]  # fmt: skip
FROM_INTERVAL = [
    Turn("affine map's bug", "x/(b − a) − a undoes the faulty map; which u should x = a come from?",
         lambda x, a, b: (x / (b - a) - a).logit()),
    Turn("log forgotten", "this is u/(1 − u), which is e^y; one step is left.",
         lambda x, a, b: (x - a) / (b - x)),
    Turn("undone in wrong order", "the affine map came last, so it is undone first, before the "
         "logit.", lambda x, a, b: [(x.logit() - a) / (b - a), x.logit() / (b - a) - a],
         alike=any_of),
    Turn("unit interval only", "logit x is right between 0 and 1; first bring x there.",
         lambda x, a, b: x.logit()),
    Turn("end for width", "divide by the width of the interval, which is b − a.",
         lambda x, a, b: ((x - a) / b).logit()),
    Turn("shift forgotten", "x = a belongs to u = 0: subtract a before you divide.",
         lambda x, a, b: (x / (b - a)).logit()),
    Turn("logit forgotten", "this is u between 0 and 1; y is its logit.",
         lambda x, a, b: (x - a) / (b - a)),
    Turn("sign", "this is −y: look which of u and 1 − u is above in the fraction.",
         lambda x, a, b: ((b - x) / (x - a)).log()),
    Turn("log of the share", "log u lies below 0 only; the logit is the log of u/(1 − u).",
         lambda x, a, b: [((x - a) / (b - a)).log(), -((x - a) / (b - a)).log()], alike=any_of),
    Turn("map for inverse", "this is the way there; the inverse begins at x and returns y.",
         lambda x, a, b: [((x - a) / (b - a)).sigmoid(), a + (b - a) * x.sigmoid(),
                          x.sigmoid()], alike=any_of),
    Turn("another logarithm", "e^y is undone by the natural logarithm.",
         lambda x, a, b: [((x - a) / (b - x)).log2(), ((x - a) / (b - x)).log10()], alike=any_of),
]  # fmt: skip
