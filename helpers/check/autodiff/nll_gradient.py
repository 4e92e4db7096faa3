"""nll_gradient(loc, log_scale, data): both slopes of a normal's mean negative log-likelihood."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from helpers.check.autodiff import analytic
from helpers.check.autodiff.functions import (
    DETACHED,
    GRAPH_USED_TWICE,
    NEVER_FILLED,
    SCALAR_ONLY,
    by_autograd,
)
from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Draws, Given, real, sample
from helpers.check.kit.compare import AnyOf, as_tensor
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.normal_facts import normal_log_densities

Pair = tuple[float, float]
reference = analytic.nll_gradient


def _data(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return observations away from loc, so that neither slope is near zero."""
    scale = math.exp(given["log_scale"])
    loc = given["loc"] + u.choice((-1, 1)) * u.real(1.5, 3) * scale
    return u.normal(n, loc, u.real(0.6, 1.4) * scale)


def _loss(loc: float, log_scale: float, x: torch.Tensor) -> float:
    return float(-normal_log_densities(loc, math.exp(log_scale), x).mean())


def _scaled(loc: float, log_scale: float, x: torch.Tensor, in_loc: float, in_scale: float) -> Pair:
    first, second = reference(loc, log_scale, x)
    return first * in_loc, second * in_scale


def _as_scale(loc: float, log_scale: float, x: torch.Tensor) -> Pair:
    """Return the slopes where log_scale itself is the scale, or its absolute value."""
    if log_scale == 0:
        raise ValueError("no scale")
    first, second = reference(loc, math.log(abs(log_scale)), x)
    return first, second / log_scale


def _as_log_variance(loc: float, log_scale: float, x: torch.Tensor) -> Pair:
    first, second = reference(loc, log_scale / 2, x)
    return first, second / 2


def _of_density(loc: float, log_scale: float, x: torch.Tensor) -> Pair:
    """Return the slopes of the mean density, negative: its log was forgotten."""
    scale = math.exp(log_scale)
    p, z = normal_log_densities(loc, scale, x).exp(), (x - loc) / scale
    return float(-(p * z).mean()) / scale, float(-(p * (z**2 - 1)).mean())


def _about_the_mean(loc: float, log_scale: float, x: torch.Tensor) -> Pair:
    return reference(loc, log_scale, x)[0], reference(float(x.mean()), log_scale, x)[1]


SCALES: tuple[Callable[[torch.Tensor], torch.Tensor], ...] = (
    torch.nn.functional.softplus,
    lambda s: 2**s,
    lambda s: 10**s,
    lambda s: s**2,
    lambda s: 1 + s.exp(),
    lambda s: (-s).exp(),
    torch.expm1,
)


def _with(
    loc: float, log_scale: float, x: torch.Tensor, of: Callable[[torch.Tensor], torch.Tensor]
) -> list[float]:
    """Return the slopes where another function of log_scale is the scale."""
    return by_autograd(
        lambda m, s: (of(s).log() + 0.5 * ((x - m) / of(s)) ** 2).mean(), loc, log_scale
    )


def _as_if_exp(
    loc: float, log_scale: float, x: torch.Tensor, of: Callable[[torch.Tensor], torch.Tensor]
) -> Pair:
    """Return the slopes by the formulas for exp, where another function is the scale."""
    scale = float(of(torch.tensor(log_scale, dtype=torch.float64)))
    return reference(loc, math.log(scale), x) if scale > 0 else (math.nan, math.nan)


def _clamped(loc: float, log_scale: float, x: torch.Tensor) -> AnyOf:
    """Return what comes of a log_scale that is cut at a lowest value: no slope is left below it."""
    found: list[Pair] = []
    for low in (0.0, 1e-6, 1e-3, 1e-2, 0.1, -1.0, -2.0, -3.0, -5.0):
        first, second = reference(loc, max(low, log_scale), x)
        found += [(first, second), (first, second if log_scale > low else 0.0)]
    return AnyOf(*found)


def _n_less_one(loc: float, log_scale: float, x: torch.Tensor) -> AnyOf:
    first, second = reference(loc, log_scale, x)
    more = len(x) / (len(x) - 1)
    squares = 1 - (1 - second) * more  # the 1 is not divided
    return AnyOf((first * more, second * more), (first, squares), (first * more, squares))


# Difference quotients in single precision whose step is too small: then they are a small whole
# number of its gaps, over the step.
STEPS = (1e-5, 1e-6, 1e-7, 1e-8)
FINEST = 2.0**-26
MOST_GAPS = 2.0**14


def _few_gaps(got: Any, right: Any) -> bool:
    value = as_tensor(got)
    if value is None or not value.numel() or not bool(value.isfinite().all()):
        return False
    for step in STEPS:
        gaps = value.double() * step / FINEST
        off = (gaps - gaps.round()).abs()
        if bool((off <= 1e-6 * gaps.abs()).all()) and bool((gaps.abs() < MOST_GAPS).all()):
            return True
    return False


Loss = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def _powered(factor: float, power: int, of_scale: int) -> Loss:
    """Return log σ and a factor times a power of the distance, over a power of the scale."""
    return lambda x, m, s: (s + factor * (x - m) ** power * (-of_scale * s).exp()).mean()


LOSSES: tuple[Loss, ...] = (
    *[_powered(0.5, power, power) for power in (1, 3, 4, -2)],
    *[_powered(factor, 2, 2) for factor in (-0.5, 0.25, 1.5)],
    *[_powered(0.5, 2, power) for power in (1, 0, 3, 4, -2)],
    _powered(1.0, 1, 1),
    lambda x, m, s: (s + 0.5 * (x / s.exp()) ** 2 + 0 * m).mean(),
    lambda x, m, s: (s + 0.5 * ((x + m) / s.exp()) ** 2).mean(),
    lambda x, m, s: (s + (x - m).abs() / s.exp()).mean(),
    lambda x, m, s: (s + (x - m).abs()).mean(),
    lambda x, m, s: (s.exp() + 0.5 * ((x - m) / s.exp()) ** 2).mean(),
    lambda x, m, s: (s + 0.5 * ((x - m) / s.exp()) ** 2).median(),
    lambda x, m, s: (s + 0.5 * ((x - m) / s.exp()) ** 2).max(),
    lambda x, m, s: s + 0.5 * ((x - m) / s.exp()).mean() ** 2,
)

TURNS = (
    Turn("sign", "you went back from the mean log-likelihood; the loss is minus that.",
         lambda loc, s, x: _scaled(loc, s, x, -1, -1)),
    Turn("sum for mean", "the loss is a mean: its slopes do not grow with the number of "
         "observations.", lambda loc, s, x: _scaled(loc, s, x, len(x), len(x))),
    Turn("slope in the scale",
         "the second number is the slope in σ; asked is the one in log σ, which is σ times as "
         "large: track log_scale, and take its exp inside the loss.",
         lambda loc, s, x: _scaled(loc, s, x, 1, math.exp(-s))),
    Turn("log_scale taken as scale",
         "log_scale is log σ and may be negative: the scale is its exp.", _as_scale,
         raises=lambda error: "Expected parameter scale" in str(error)),
    Turn("log_scale taken as log-variance", "exp(log_scale) is σ, not σ².", _as_log_variance),
    Turn("squared once too often", "Normal takes the standard deviation: hand over exp(log_scale), "
         "not its square.",
         lambda loc, s, x: AnyOf((reference(loc, 2 * s, x)[0], 2 * reference(loc, 2 * s, x)[1]),
                                 reference(loc, 2 * s, x))),
    Turn("log σ missing", "the loss holds log σ, whose slope in log σ is 1.",
         lambda loc, s, x: (reference(loc, s, x)[0], reference(loc, s, x)[1] - 1)),
    Turn("½ forgotten", "the square has a factor ½ in the loss.",
         lambda loc, s, x: AnyOf((2 * reference(loc, s, x)[0], 2 * reference(loc, s, x)[1] - 1),
                                 (reference(loc, s, x)[0], 2 * reference(loc, s, x)[1] - 1))),
    Turn("gradients accumulated", "each of these is twice the slope: backward() ran twice.",
         lambda loc, s, x: _scaled(loc, s, x, 2, 2)),
    Turn("spread about the mean", "the squares are those of data less loc, not less their mean.",
         _about_the_mean),
    Turn("value returned", "this is the loss; its slopes are in .grad after backward().", _loss),
    Turn("gradient for the data", "you differentiated by the data; track loc and log_scale.",
         lambda loc, s, x: (x - loc) / math.exp(2 * s) / len(x)),
    Turn("log forgotten", "differentiate log p, not p: log_prob, without exp().", _of_density),
    Turn("unit scale", "the scale is exp(log_scale), not 1.",
         lambda loc, s, x: AnyOf((reference(loc, 0, x)[0], 0.0),
                                 (reference(loc, 0, x)[0], reference(loc, s, x)[1]))),
    Turn("n − 1 for n", "the mean divides by n.",
         _n_less_one),
    Turn("another way to be positive", "the scale is exp(log_scale), to the base e: not softplus, "
         "a square or another base.",
         lambda loc, s, x: AnyOf(*[found(loc, s, x, scale) for scale in SCALES
                                   for found in (_with, _as_if_exp)])),
    Turn("log_scale clamped", "log_scale may be negative, and so small as it likes: its exp is "
         "positive without a clamp.", _clamped),
    Turn("chain rule twice", "backward() has gone through exp() already: the slope in log_scale is "
         "multiplied by σ once, not once more.",
         lambda loc, s, x: _scaled(loc, s, x, 1, math.exp(s))),
    Turn("log of the mean", "take the log of each density first, and average afterwards.",
         lambda loc, s, x: by_autograd(
             lambda m, t: -torch.logsumexp(-t - 0.5 * ((x.double() - m) / t.exp()) ** 2, 0),
             loc, s)),
    Turn("another loss", "each term is log σ + (x − μ)²/(2σ²), and their mean is the loss.",
         lambda loc, s, x: AnyOf(*[by_autograd(partial(of, x.double()), loc, s)
                                   for of in LOSSES])),
    DETACHED,
    NEVER_FILLED,
    GRAPH_USED_TWICE,
    SCALAR_ONLY,
    Turn("step lost to rounding", "in single precision so small a step changes the last digits "
         "only: ask autograd, which takes no step.", reference, alike=_few_gaps),
)  # fmt: skip


def _far_off(u: Draws, given: Given, n: int = 30) -> torch.Tensor:
    return u.normal(n, 3000.0, 170.0)


EXERCISE = Exercise(
    name="nll_gradient",
    arguments=(
        real("loc", -5, 5),
        real("log_scale", -0.8, 1.2, edges={
            "a scale much too wide": 3.5, "an enormous scale": 11.0, "log_scale zero": 0.0,
            "a negative log_scale": lambda u, given: u.real(-0.8, -0.3), "a tiny scale": -12.0}),
        sample("data", _data, many=(7, 40, 23), sizes=(1,), ties=True, dtypes=(torch.float32,),
               edges={"hundreds of units away": _far_off},
               used_instead=lambda: torch.tensor([0.5, 1.5, 2.0, 4.0])),
    ),
    reference=reference,
    agree=Close(single=True),  # torch.tensor(loc) of a float is in single precision
    turns=TURNS,
    parts=("slope in loc", "slope in log_scale"),
    passed="nll_gradient: both slopes, on samples of 1 to 40.",
)  # fmt: skip
nll_gradient = EXERCISE.check
