"""Checks of sheet 05, third part: a density in both coordinates."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.distributions import (
    AffineTransform,
    Beta,
    ComposeTransform,
    Distribution,
    ExpTransform,
    Gamma,
    Normal,
    SigmoidTransform,
    Transform,
    Uniform,
)

from helpers import data
from helpers.check.constraints import analytic
from helpers.check.constraints.maps import eighths, line
from helpers.check.kit.agree import SINGLE_PRECISION, any_of, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed, show


def logit_beta_density(answer: Any) -> bool:
    """Check ``logit_beta_density(y, a, b)``: σ(y)^a (1 − σ(y))^b / B(a, b).

    a and b are tensors, as torch.lgamma wants them; a right answer may turn them into single
    precision, and add up three log Γ(·).
    """
    firsts, seconds = eighths("logit beta a", 3, 1.5, 2.5), eighths("logit beta b", 3, 3, 4.5)
    cases = []
    for i, (a, b) in enumerate(zip(firsts, seconds, strict=True)):
        y = line(f"logit beta {i}", [(5,), (8,), (2, 3)][i])
        a, b = (b, a) if i == 1 else (a, b)
        described = f"logit_beta_density(y, a={a:g}, b={b:g}) at y = {show(y)}"
        expected = analytic.logit_beta_density(y, a, b)
        cases.append(Case(described, (y, double(a), double(b)), expected))
    function_agrees(answer, cases, LOGIT_BETA_TURNS, bound=3 * SINGLE_PRECISION)
    return passed("logit_beta_density: the density of logit X, for three Beta distributions.")


def _beta(y: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the Beta(a, b) density at σ(y), without the Jacobian."""
    return analytic.logit_beta_density(y, float(a), float(b)) / _slope(y)


def _log_densities(y: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> list[torch.Tensor]:
    """Return log q, and what becomes of q where log p is taken for p."""
    p = _beta(y, a, b)
    return [(p * _slope(y)).log(), p.log(), p.log() * _slope(y), p.log() + _slope(y)]


def _some_log(got: Any, several: list[torch.Tensor]) -> bool:
    """Compare to four digits: a logarithm near zero has few of its own in single precision."""
    return any(same(got, one, 1e-4) for one in several)


def _in_proportion(got: Any, wanted: torch.Tensor) -> bool:
    """Whether all values are the same multiple of the wanted ones."""
    taken = as_tensor(got)
    if taken is None or taken.shape != wanted.shape:
        return False
    ratio = taken.to(torch.float64) / wanted
    return bool(ratio.min() > 0 and ratio.max() < 1.0001 * ratio.min())


def _slope(y: torch.Tensor) -> torch.Tensor:
    return y.sigmoid() * (1 - y.sigmoid())


LOGIT_BETA_TURNS = [
    Turn("no Jacobian", "this is p(σ(y)), whose area on the line is not 1; the stretch is missing.",
         _beta),
    Turn("Jacobian of the inverse", "you divide by σ'(y), the slope of the map from y to x.",
         lambda y, a, b: _beta(y, a, b) / _slope(y)),
    Turn("derivative at wrong point", "σ' belongs at y, on the line; you take it at x = σ(y).",
         lambda y, a, b: _beta(y, a, b) * _slope(y.sigmoid())),
    Turn("constant forgotten", "the shape is right, but the area is B(a, b), not 1.",
         lambda y, a, b: y.sigmoid()**a * (1 - y.sigmoid())**b),
    Turn("constant upside down", "divide by B(a, b).",
         lambda y, a, b: analytic.logit_beta_density(y, a, b)
         * math.exp(2 * analytic.log_beta(a, b))),
    Turn("another constant",
         "the shape is right, the constant is not: try yours for B(a, b) at a = 2 and b = 3, where "
         "it is 1/12.",
         lambda y, a, b: analytic.logit_beta_density(y, a, b), alike=_in_proportion),
    Turn("log returned", "there is a log-density in this, as log_prob gives it; take its exp.",
         _log_densities, alike=_some_log),
    Turn("Jacobian logged", "log σ' is added to log-densities; a density is multiplied by σ'.",
         lambda y, a, b: [_beta(y, a, b) * _slope(y).log(), _beta(y, a, b) + _slope(y).log()],
         alike=any_of),
    Turn("Jacobian added", "a density is multiplied by the stretch.",
         lambda y, a, b: _beta(y, a, b) + _slope(y)),
    Turn("half a slope", "the slope of σ is σ(1 − σ); one of its factors is missing.",
         lambda y, a, b: [_beta(y, a, b) * y.sigmoid(), _beta(y, a, b) * (1 - y.sigmoid())],
         alike=any_of),
    Turn("Jacobian twice", "σ'(y) is in your density twice.",
         lambda y, a, b: _beta(y, a, b) * _slope(y)**2),
    Turn("swapped", "a is the exponent of x, b that of 1 − x.",
         lambda y, a, b: analytic.logit_beta_density(y, b, a)),
    Turn("density at y", "the Beta density wants x between 0 and 1: put x = σ(y) into it.",
         lambda y, a, b: Beta(a, b, validate_args=False).log_prob(y).exp() * _slope(y),
         raises=lambda error: _outside(error)),
]  # fmt: skip


def _outside(error: Exception) -> bool:
    return isinstance(error, ValueError) and "support" in str(error)


def double(value: float) -> torch.Tensor:
    """Return a number as a float64 tensor without dimensions."""
    return torch.tensor(value, dtype=torch.float64)


def into(a: float, b: float) -> Transform:
    """Return the map from the line into (a, b): a sigmoid, stretched and shifted."""
    return ComposeTransform([SigmoidTransform(), AffineTransform(a, b - a)])


def log_prob_unconstrained(answer: Any, shapes: str = "practice") -> bool:
    """Check ``log_prob_unconstrained(distribution, transform, y)``: log p(h(y)) + log|h'(y)|.

    Args:
        answer: the student's function.
        shapes: "practice" for vectors, "fresh" for other shapes too.
    """
    u = [float(v) for v in data.uniform("constraints: families", 6)]
    low = eighths("uniform", 1, 1.5, 3.5)[0]
    families: list[tuple[str, Distribution, Transform]] = [
        ("Gamma, exp", Gamma(double(1.5 + u[0]), double(1.5 + u[1])), ExpTransform()),
        ("Beta, sigmoid", Beta(double(2.2 + u[2]), double(1.2 + u[3])), SigmoidTransform()),
        ("Uniform, into (a, b)", Uniform(double(low), double(low + 2.5)), into(low, low + 2.5)),
        ("Normal, a map that falls", Normal(double(u[4]), double(1.5 + u[5])),
         AffineTransform(0.5, -eighths("falls", 1, 0.25, 0.625)[0])),
    ]  # fmt: skip
    sizes: list[tuple[int, ...]] = [(6,)] if shapes == "practice" else [(), (9,), (2, 3)]
    cases = []
    for name, distribution, transform in families:
        for size in sizes:
            y = line(f"density {name}", size)
            described = f"log_prob_unconstrained({name}, y) at y = {show(y)}"
            expected = analytic.log_prob(distribution, transform, y)
            cases.append(Case(described, (distribution, transform, y), expected))
    function_agrees(answer, cases, LOG_PROB_TURNS, bound=SINGLE_PRECISION)
    return passed(f"log_prob_unconstrained: {len(cases)} cases, one of them with a map that falls.")


Parts = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], Any]


def _from(combine: Parts) -> Callable[[Distribution, Transform, torch.Tensor], Any]:
    """Return a turn's values from log p(h(y)), log|h'(y)| and h'(y)."""

    def given(distribution: Distribution, transform: Transform, y: torch.Tensor) -> Any:
        x = transform(y)
        jacobian = transform.log_abs_det_jacobian(y, x).expand(y.shape)
        return combine(distribution.log_prob(x), jacobian, transform.sign * jacobian.exp())

    return given


def _unvalidated(distribution: Distribution, x: torch.Tensor) -> torch.Tensor:
    distribution._validate_args = False
    return distribution.log_prob(x)


def _slope_at_x(distribution: Distribution, transform: Transform, y: torch.Tensor) -> torch.Tensor:
    x = transform(y)
    return distribution.log_prob(x) + transform.log_abs_det_jacobian(x, transform(x))


LOG_PROB_TURNS = [
    Turn("no Jacobian", "this is log p(h(y)), whose area on the line is not 1; add the stretch.",
         _from(lambda p, j, slope: p)),
    Turn("Jacobian of the inverse",
         "you add the log-slope of the map from x to y; the strip at y is stretched by h'(y).",
         _from(lambda p, j, slope: p - j)),
    Turn("derivative at wrong point", "h' belongs at y, on the line; you take it at x = h(y).",
         _slope_at_x),
    Turn("Jacobian not logged", "log-densities add up with log|h'(y)|, not with h'(y).",
         _from(lambda p, j, slope: [p + slope, p + slope.abs()]), alike=any_of),
    Turn("absolute value forgotten",
         "where the map falls h' is negative and has no log; a width is positive.",
         _from(lambda p, j, slope: p + slope.log())),
    Turn("sign", "this is the negative log-density; leave the minus out.",
         _from(lambda p, j, slope: -(p + j))),
    Turn("product for sum", "densities multiply; their logarithms add up.",
         _from(lambda p, j, slope: [p * j, p * slope, p * slope.abs()]), alike=any_of),
    Turn("log forgotten", "this is the density; its logarithm is asked for.",
         _from(lambda p, j, slope: [(p + j).exp(), p.exp() + j, p.exp()]), alike=any_of),
    Turn("Jacobian twice", "log|h'(y)| is in your sum twice.",
         _from(lambda p, j, slope: p + 2 * j)),
    Turn("sum over y", "each y has a log-density of its own: return them all.",
         _from(lambda p, j, slope: [(p + j).sum(), p + j.sum(), p.sum() + j]), alike=any_of),
    Turn("gradient of the mean", "backward() from the mean divides each slope by their number.",
         _from(lambda p, j, slope: p + j - math.log(max(1, p.numel())))),
    Turn("density at y", "p lives on x = h(y), and y may be no place in its support.",
         lambda d, h, y: _unvalidated(d, y) + h.log_abs_det_jacobian(y, h(y)), raises=_outside),
    Turn("inverse for map", "transform(y) leads from the line to x; you go the other way.",
         lambda d, h, y: _unvalidated(d, h.inv(y)) + h.inv.log_abs_det_jacobian(y, h.inv(y)),
         raises=_outside),
]  # fmt: skip
