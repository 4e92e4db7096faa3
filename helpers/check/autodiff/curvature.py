"""curvature(f, x): the second derivative of an elementwise function at every element."""

from functools import partial

import torch

from helpers.check.autodiff import analytic
from helpers.check.autodiff.functions import (
    EXACT,
    GRAPH_USED_TWICE,
    NEVER_FILLED,
    SCALAR_ONLY,
    function,
    inexact,
    neighbours_compared,
    points,
    sent_back,
)
from helpers.check.kit.agree import Close
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise


def _of_something_else(f: "partial[torch.Tensor]", x: torch.Tensor) -> AnyOf:
    y, first, second = f(x), analytic.slope(f, x), analytic.curvature(f, x)
    return AnyOf(
        x * second, x * first,
        2 * y * first, 2 * first * second, first * second, 2 * (first**2 + y * second),
        second / first, second / (1 + first**2) ** 1.5, analytic.slope(f, first), first * y,
        sent_back(lambda v: v.flatten()[0], partial(analytic.slope, f), x),
    )  # fmt: skip


TURNS = (
    Turn("gradient summed", "you return one number; return one second derivative for each element.",
         lambda f, x: AnyOf(analytic.curvature(f, x).sum(),
                            analytic.curvature(f, x).sum().expand(x.shape))),
    Turn("slope returned", "this is f'(x); differentiate it once more.", analytic.slope),
    Turn("value returned", "this is f(x); differentiate it twice.", lambda f, x: f(x)),
    Turn("first gradient kept",
         ".grad still held f'(x) when f''(x) was added to it: clear it in between, or ask "
         "torch.autograd.grad, which fills nothing.",
         lambda f, x: AnyOf(analytic.slope(f, x) + analytic.curvature(f, x),
                            2 * analytic.slope(f, x))),
    Turn("slope squared", "(f')² is not f'': the slope of the slope is asked.",
         lambda f, x: analytic.slope(f, x) ** 2),
    Turn("gradient of the mean", "sum before each derivative: a mean divides by the number of "
         "elements.", lambda f, x: AnyOf(*[analytic.curvature(f, x) / x.numel() ** k
                                           for k in (1, 2)], analytic.curvature(f, x).mean())),
    Turn("f applied twice", "this differentiates f(f(x)); the derivative is taken twice, not f.",
         lambda f, x: analytic.slope(f, f(x)) * analytic.slope(f, x)),
    Turn("sign lost", "a second derivative may be negative.",
         lambda f, x: analytic.curvature(f, x).abs()),
    Turn("one derivative too many", "this is the third derivative: two are asked.",
         lambda f, x: sent_back(torch.sum, partial(analytic.curvature, f), x)),
    Turn("slope of something else", "take the slope of the slope itself: not of its square, its "
         "logarithm or f², and divide by nothing.", _of_something_else),
    neighbours_compared(analytic.slope),
    Turn("slope by itself", "how the slope moves with itself is always 1: differentiate it by x, "
         "with the graph that leads back to x.", lambda f, x: torch.ones_like(x)),
    Turn("gradient added to itself", "x.grad is one tensor, which the second backward() changes: "
         "clear x.grad, or clone() it, before.", lambda f, x: torch.zeros_like(x)),
    Turn("slope not tracked",
         "the first derivative came back as plain numbers: keep create_graph=True there, and no "
         "detach() or .data on the way.",
         raises=lambda error: "does not require grad" in str(error)
         or "not have been used in the graph" in str(error)),
    GRAPH_USED_TWICE,
    SCALAR_ONLY,
    NEVER_FILLED,
    *inexact(analytic.curvature),
)  # fmt: skip

EXERCISE = Exercise(
    name="curvature",
    arguments=(function(), points()),
    reference=analytic.curvature,
    agree=Close(rtol=EXACT),
    double=True,
    turns=TURNS,
    passed="curvature: five families of functions, x of any shape.",
)
curvature = EXERCISE.check
