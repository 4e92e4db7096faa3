"""log_prob_unconstrained(distribution, transform, y): log p(h(y)) + log|h'(y)|."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.distributions import (
    AffineTransform,
    Beta,
    Distribution,
    Gamma,
    Transform,
    Uniform,
)

from helpers.check.constraints import analytic, families
from helpers.check.constraints.line import itself, line, shapes
from helpers.check.constraints.logit_beta_density import outside_support
from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Argument, Draws, Given
from helpers.check.kit.compare import SINGLE_PRECISION, AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

FAMILIES = (families.gamma, families.beta, families.uniform, families.normal)


def _distribution(u: Draws, given: Given, kind: int) -> Distribution:
    return FAMILIES[kind](u)


def _transform(u: Draws, given: Given) -> Transform:
    """Return a map from the line to the distribution's support; for two of four kinds it falls."""
    distribution = given["distribution"]
    moved = "transform" in given
    if isinstance(distribution, Gamma):
        return families.positive(softplus=moved)
    if isinstance(distribution, Beta):
        return families.between(0.0, 1.0)
    if isinstance(distribution, Uniform):
        return families.between(float(distribution.low), float(distribution.high), falls=True)
    return AffineTransform(families.double(u.real(0.3, 1)), families.double(-u.real(0.3, 0.7)))


def _y(u: Draws, given: Given) -> torch.Tensor:
    return line(u, u.choice((5, 7)))


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


def _slopes_of_density(d: Distribution, h: Transform, y: torch.Tensor) -> list[torch.Tensor]:
    """Return the slopes of log p(h(y)) and of p(h(y))."""
    at = y.clone().requires_grad_(True)
    log_p = d.log_prob(h(at))
    return [torch.autograd.grad(of.sum(), at, retain_graph=True)[0] for of in (log_p, log_p.exp())]


TURNS = (
    Turn("no Jacobian", "this is log p(h(y)), whose area on the line is not 1; add the stretch.",
         _from(lambda p, j, slope: p)),
    Turn("Jacobian of the inverse",
         "you add the log-slope of the map from x to y; the strip at y is stretched by h'(y).",
         _from(lambda p, j, slope: p - j)),
    Turn("derivative at wrong point", "h' belongs at y, on the line; you take it at x = h(y).",
         _slope_at_x),
    Turn("Jacobian not logged", "log-densities add up with log|h'(y)|, not with h'(y).",
         _from(lambda p, j, slope: AnyOf(p + slope, p + slope.abs()))),
    Turn("absolute value forgotten",
         "where the map falls h' is negative and has no log; a width is positive.",
         _from(lambda p, j, slope: AnyOf(p + slope.log(), p + slope.log().nan_to_num(0.0),
                                         *[p + slope.clamp(min=e).log()
                                           for e in (1e-12, 1e-9, 1e-8, 1e-6)]))),
    Turn("sign of the log lost", "log|h'(y)| is negative where the map is flat, and stays so: the "
         "absolute value stands inside the log.", _from(lambda p, j, slope: p + j.abs())),
    Turn("falling map subtracted", "a strip has a width, whether the map rises or falls: add "
         "log|h'(y)| for both.", _from(lambda p, j, slope: p + slope.sign() * j)),
    Turn("sign", "this is the negative log-density; leave the minus out.",
         _from(lambda p, j, slope: -(p + j))),
    Turn("product for sum", "densities multiply; their logarithms add up.",
         _from(lambda p, j, slope: AnyOf(p * j, p * slope, p * slope.abs()))),
    Turn("log forgotten", "this is the density; its logarithm is asked for.",
         _from(lambda p, j, slope: AnyOf((p + j).exp(), p.exp() + j, p.exp()))),
    Turn("Jacobian twice", "log|h'(y)| is in your sum twice.",
         _from(lambda p, j, slope: p + 2 * j)),
    Turn("Jacobian halved", "log h'² is twice log|h'|, and log √|h'| half of it.",
         _from(lambda p, j, slope: p + j / 2)),
    Turn("sum over y", "each y has a log-density of its own: return them all.",
         _from(lambda p, j, slope: AnyOf((p + j).sum(), p.sum() + j))),
    Turn("gradient of the mean", "backward() from the mean divides each slope by their number.",
         _from(lambda p, j, slope: p + j - math.log(max(1, p.numel())))),
    Turn("map for slope", "log|h'(y)| is the log of a slope, not of x = h(y).",
         lambda d, h, y: AnyOf(d.log_prob(h(y)) + h(y).abs().log(), d.log_prob(h(y)) + h(y))),
    Turn("Jacobian of one map", "the log-Jacobian is y for the exponential only, and log σ + "
         "log(1 − σ) for the sigmoid; other maps have another.",
         lambda d, h, y: AnyOf(d.log_prob(h(y)) + y, d.log_prob(h(y)) + y.sigmoid().log()
                               + (-y).sigmoid().log())),
    Turn("another logarithm", "log p is a natural logarithm; take that of the slope as well.",
         _from(lambda p, j, slope: AnyOf(p + j / math.log(10), p + j / math.log(2)))),
    Turn("one slope for all", "each y has a slope of its own.",
         _from(lambda p, j, slope: AnyOf(p + j.mean(), p + j.sum(), p + slope.mean().abs().log(),
                                         p + j.flatten()[0], p + j.flatten()[-1]))),
    Turn("slope of the density", "h' is the slope of the map, not that of the density.",
         lambda d, h, y: AnyOf(*[d.log_prob(h(y)) + slope.abs().log()
                                 for slope in _slopes_of_density(d, h, y)])),
    Turn("density at y", "p lives on x = h(y), and y may be no place in its support.",
         lambda d, h, y: AnyOf(_unvalidated(d, y) + h.log_abs_det_jacobian(y, h(y)),
                               _unvalidated(d, y)),
         raises=outside_support),
    Turn("inverse for map", "transform(y) leads from the line to x; you go the other way.",
         lambda d, h, y: _unvalidated(d, h.inv(y)) + h.inv.log_abs_det_jacobian(y, h.inv(y)),
         raises=outside_support),
)  # fmt: skip

EXERCISE = Exercise(
    name="log_prob_unconstrained",
    arguments=(
        Argument("distribution", _distribution, many=(0, 1, 2, 3), shown=families.shown),
        Argument("transform", _transform, shown=families.map_shown),
        Argument("y", _y, edges=shapes("y", (), (1,), (2, 3), of=itself)),
    ),
    reference=analytic.log_prob,
    agree=Close(rtol=SINGLE_PRECISION),
    typical=4,
    turns=TURNS,
    passed="log_prob_unconstrained: four families, maps that rise and maps that fall.",
)
log_prob_unconstrained = EXERCISE.check
