"""derivative(f, x): the slope of an elementwise function at every element."""

from collections.abc import Callable

import torch

from helpers.check.autodiff import analytic
from helpers.check.autodiff.functions import (
    DETACHED,
    EXACT,
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

SUMS: tuple[Callable[[torch.Tensor], torch.Tensor], ...] = (
    lambda y: (y**2).sum(),
    lambda y: (y**2).sum() / 2,
    lambda y: (y**2).mean(),
    lambda y: y.norm(),
    lambda y: y.abs().log().sum(),
    lambda y: y.exp().sum(),
    lambda y: y.prod(),
    lambda y: y.cumsum(0).sum() if y.ndim else y**2,
    lambda y: y.max(),
    lambda y: y.flatten()[0],
)

TURNS = (
    Turn("gradient summed",
         "you return one number, the sum of all slopes; return x.grad as it is, one slope each.",
         lambda f, x: AnyOf(analytic.slope(f, x).sum(), analytic.slope(f, x).sum().expand(x.shape),
                            analytic.slope(f, x).sum().reshape(1))),
    Turn("gradient of the mean",
         "you called backward() on the mean, so each slope is divided by the number of elements.",
         lambda f, x: AnyOf(analytic.slope(f, x) / x.numel(), analytic.slope(f, x).mean())),
    Turn("value returned", "you return f(x) itself; its slope is in x.grad after backward().",
         lambda f, x: AnyOf(f(x), f(x).sum())),
    Turn("example's formula",
         "2x + 1/x is the derivative of x² + log x only; let autograd find it for the given f.",
         lambda f, x: 2 * x + 1 / x),
    Turn("second derivative", "this is the slope of the slope: once is enough.",
         analytic.curvature),
    Turn("sign lost", "a slope may be negative.", lambda f, x: analytic.slope(f, x).abs()),
    Turn("another sum",
         "go back from the plain sum of f(x): a square, a product, a logarithm, a running sum, the "
         "largest or the first element of f(x) has other slopes.",
         lambda f, x: AnyOf(*[sent_back(of, f, x) for of in SUMS])),
    Turn("slope times x", "multiply the slope by nothing: f'(x) itself is asked.",
         lambda f, x: x * analytic.slope(f, x)),
    Turn("value over x", "f(x)/x is how steep the line from zero to the point is; the slope at the "
         "point is asked.",
         lambda f, x: AnyOf(f(x) / x, (f(x) - f(torch.zeros_like(x))) / x)),
    neighbours_compared(lambda f, x: f(x)),
    Turn("f of the slope", "f goes in, its slope comes out; f is not applied once more.",
         lambda f, x: f(analytic.slope(f, x))),
    DETACHED,
    SCALAR_ONLY,
    NEVER_FILLED,
    *inexact(analytic.slope),
)  # fmt: skip

EXERCISE = Exercise(
    name="derivative",
    arguments=(function(), points()),
    reference=analytic.slope,
    agree=Close(rtol=EXACT),
    double=True,
    turns=TURNS,
    hints={"twice of it": "this is twice the slope: did backward() run twice, or was .grad not "
           "empty before it?"},
    passed="derivative: five families of functions, x of any shape.",
)  # fmt: skip
derivative = EXERCISE.check
