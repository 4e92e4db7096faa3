"""logit_beta_density(y, a, b): the density of the logit of a Beta-distributed number."""

import math
from typing import Any

import torch
from torch.distributions import Beta, Normal

from helpers.check.constraints import analytic
from helpers.check.constraints.line import itself, line, shapes
from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Argument, Draws, Given, Jointly, sample
from helpers.check.kit.compare import SINGLE_PRECISION, AnyOf, as_tensor
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise


def reference(y: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return σ(y)^a (1 − σ(y))^b / B(a, b)."""
    return analytic.logit_beta_density(y, float(a), float(b))


def _slope(y: torch.Tensor) -> torch.Tensor:
    return y.sigmoid() * (1 - y.sigmoid())


def _beta(y: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the Beta(a, b) density at σ(y), without the Jacobian."""
    return reference(y, a, b) / _slope(y)


def _log_densities(y: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> AnyOf:
    """Return log q, and what becomes of q where log p is taken for p."""
    p = _beta(y, a, b)
    log = (p * _slope(y)).log()
    return AnyOf(log, -log, p.log(), -p.log(), p.log() * _slope(y), p.log() + _slope(y))


def _in_proportion(got: Any, wanted: torch.Tensor) -> bool:
    """Whether all values are the same multiple of the wanted ones."""
    taken = as_tensor(got)
    if taken is None or taken.shape != wanted.shape:
        return False
    ratio = taken.to(torch.float64) / wanted
    return bool(ratio.min() > 0 and ratio.max() < 1.0001 * ratio.min())


def outside_support(error: Exception) -> bool:
    """Whether a distribution of torch refused a number outside its support."""
    return isinstance(error, ValueError) and "support" in str(error)


def _normal(y: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the normal density with mean and variance of logit X."""
    variance = torch.polygamma(1, a) + torch.polygamma(1, b)
    return Normal(a.digamma() - b.digamma(), variance.sqrt()).log_prob(y).exp()


def _over_the_points(y: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> AnyOf:
    """Return the density, divided by its sum or its area over the points that were asked."""
    q = reference(y, a, b)
    return AnyOf(q / q.sum(), *([q / torch.trapezoid(q, y)] if y.ndim == 1 else []))


TURNS = (
    Turn("no Jacobian", "this is p(σ(y)), whose area on the line is not 1; the stretch is missing.",
         _beta),
    Turn("Jacobian of the inverse", "you divide by σ'(y), the slope of the map from y to x.",
         lambda y, a, b: AnyOf(_beta(y, a, b) / _slope(y), _beta(y, a, b) / _slope(y)**2)),
    Turn("derivative at wrong point", "σ' belongs at y, on the line; you take it at x = σ(y).",
         lambda y, a, b: AnyOf(_beta(y, a, b) * _slope(y.sigmoid()), _beta(y, a, b) / 4)),
    Turn("y for its sigmoid", "the slope of σ is σ(y)(1 − σ(y)), not y(1 − y).",
         lambda y, a, b: AnyOf(*[_beta(y, a, b) * slope
                                 for slope in (y * (1 - y), (y * (1 - y)).abs())])),
    Turn("constant forgotten", "the shape is right, but the area is B(a, b), not 1.",
         lambda y, a, b: AnyOf(y.sigmoid()**a * (1 - y.sigmoid())**b,
                               y.sigmoid()**(a - 1) * (1 - y.sigmoid())**(b - 1))),
    Turn("constant upside down", "divide by B(a, b).",
         lambda y, a, b: reference(y, a, b) * math.exp(2 * analytic.log_beta(float(a), float(b)))),
    Turn("log of the constant", "lgamma gives log Γ: take exp before you divide by it.",
         lambda y, a, b: AnyOf(*[y.sigmoid()**a * (1 - y.sigmoid())**b * (sign * log) ** power
                                 for log in [analytic.log_beta(float(a), float(b)),
                                             a.lgamma() * b.lgamma() / (a + b).lgamma()]
                                 for sign in (1, -1) for power in (1, -1)])),
    Turn("log returned", "there is a log-density in this, as log_prob gives it; take its exp.",
         _log_densities, tolerance=1e-4),
    Turn("Jacobian logged", "log σ' is added to log-densities; a density is multiplied by σ'.",
         lambda y, a, b: AnyOf(_beta(y, a, b) * _slope(y).log(), _beta(y, a, b) + _slope(y).log(),
                               _beta(y, a, b) * _slope(y).exp())),
    Turn("Jacobian added", "a density is multiplied by the stretch.",
         lambda y, a, b: _beta(y, a, b) + _slope(y)),
    Turn("half a slope", "the slope of σ is σ(1 − σ); one of its factors is missing.",
         lambda y, a, b: AnyOf(_beta(y, a, b) * y.sigmoid(), _beta(y, a, b) * (1 - y.sigmoid()))),
    Turn("Jacobian twice", "σ'(y) is in your density twice.",
         lambda y, a, b: _beta(y, a, b) * _slope(y)**2),
    Turn("slope of exp", "the map is σ, not exp: its slope is σ(y)(1 − σ(y)).",
         lambda y, a, b: AnyOf(_beta(y, a, b) * y.exp(), _beta(y, a, b) * (-y).exp())),
    Turn("slope of tanh", "1 − u² is the slope of tanh; that of the sigmoid is σ(1 − σ).",
         lambda y, a, b: AnyOf(_beta(y, a, b) * (1 - y.sigmoid()**2),
                               _beta(y, a, b) * (1 - y.tanh()**2))),
    Turn("normal for its logit", "a normal of the same mean and variance is another density: "
         "multiply p(σ(y)) by σ'(y).", _normal),
    Turn("swapped", "a is the exponent of x, b that of 1 − x.",
         lambda y, a, b: AnyOf(reference(y, b, a), reference(-y, a, b))),
    Turn("complement forgotten", "b is the exponent of 1 − x, not of x.",
         lambda y, a, b: reference(y, a, b) * (y.sigmoid() / (-y).sigmoid())**b),
    Turn("exponents added", "x and 1 − x have exponents of their own, a and b.",
         lambda y, a, b: AnyOf(*[_slope(y)**power / math.exp(analytic.log_beta(float(a), float(b)))
                                 for power in (a + b, a + b - 1, a + b - 2, a * b)])),
    Turn("density at y", "the Beta density wants x between 0 and 1: put x = σ(y) into it.",
         lambda y, a, b: Beta(a, b, validate_args=False).log_prob(y).exp() * _slope(y),
         raises=outside_support),
    Turn("divided by its sum", "an area is a height times a width: divide by B(a, b), not by a sum "
         "over the points that were asked.",
         _over_the_points),
    Turn("another constant",
         "the shape is right, the constant is not: try yours for B(a, b) at a = 2 and b = 3, where "
         "it is 1/12.", reference, alike=_in_proportion),
)  # fmt: skip


def _points(u: Draws, given: Given, n: int) -> torch.Tensor:
    return line(u, n)


def _parameter(low: float, high: float) -> Any:
    return lambda u, given: torch.tensor(u.log_real(low, high), dtype=torch.float64)


def by_formula(y: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the density as a student writes it."""
    x = torch.sigmoid(y)
    log_constant = torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b)
    return x**a * (1 - x) ** b * torch.exp(-log_constant)


def by_parts(y: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the Beta density, its constant and the slope, one after the other."""
    x = torch.sigmoid(y)
    constant = torch.exp(torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b))
    p = x ** (a - 1) * (1 - x) ** (b - 1) / constant
    return p * x * (1 - x)


def by_logs(y: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return exp of the log-density, added up."""
    x = torch.sigmoid(y)
    log_constant = torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b)
    return torch.exp(a * x.log() + b * (1 - x).log() - log_constant)


def by_library(y: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return torch's Beta density times the slope."""
    x = torch.sigmoid(y)
    return Beta(a, b).log_prob(x).exp() * x * (1 - x)


ONE = torch.ones((), dtype=torch.float64)

EXERCISE = Exercise(
    name="logit_beta_density",
    arguments=(
        sample("y", _points, many=(5, 8, 6), sizes=(1,), dtypes=(torch.float32,),
               edges=shapes("y", (), (2, 3), of=itself)),
        Argument("a", _parameter(1.3, 2.6), edges={"a = 1": ONE, "a below 1": 0.35 * ONE}),
        Argument("b", _parameter(3.0, 5.0), edges={
            "b = 1": ONE, "a large b": 40 * ONE,
            "a and b large": lambda u, given: Jointly(
                y=torch.linspace(0, 0.5, 4, dtype=torch.float64), a=200 * ONE, b=150 * ONE)}),
    ),
    reference=reference,
    worked=(by_formula, by_parts, by_logs, by_library),
    # Three log Γ in single precision, where a student's formula turns a and b into it.
    agree=Close(rtol=3 * SINGLE_PRECISION),
    turns=TURNS,
    passed="logit_beta_density: the density of logit X, for Beta distributions of many shapes.",
)  # fmt: skip
logit_beta_density = EXERCISE.check
