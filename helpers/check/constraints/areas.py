"""Checks of sheet 05, last part: areas and modes in both coordinates."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.distributions import (
    Beta,
    Distribution,
    ExpTransform,
    Gamma,
    SigmoidTransform,
    Transform,
    TransformedDistribution,
    Uniform,
)

from helpers import data
from helpers.check.constraints import analytic
from helpers.check.constraints.density import double, into
from helpers.check.constraints.maps import eighths
from helpers.check.kit.agree import SINGLE_PRECISION, any_of, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed

# An area by trapezoids on a thousand strips is right to about 1e-6.
BY_TRAPEZOIDS = 1e-4


def mass_between(answer: Any) -> bool:
    """Check ``mass_between(distribution, transform, low, high)``: P(low < X < high), on the line.

    The reference integrates in x, where no Jacobian enters.
    """
    u = [float(v) for v in data.uniform("constraints: masses", 8)]
    start = eighths("mass", 1, 2, 4)[0]
    settings: list[tuple[str, Distribution, Transform, float, float]] = [
        ("Gamma, exp", Gamma(double(1.5 + u[0]), double(1.0 + u[1])), ExpTransform(),
         0.3 + 0.3 * u[2], 1.5 + 0.5 * u[3]),
        ("Beta, sigmoid", Beta(double(1.5 + u[4]), double(2.5 + u[5])), SigmoidTransform(),
         0.15 + 0.1 * u[6], 0.55 + 0.1 * u[7]),
        ("Uniform, into (a, b)", Uniform(double(start), double(start + 4)),
         into(start, start + 4), start + 0.5 + u[6], start + 2 + u[7]),
    ]  # fmt: skip
    cases = []
    for name, distribution, transform, low, high in settings:
        described = f"mass_between({name}, low={low:.3f}, high={high:.3f})"
        args = (distribution, transform, double(low), double(high))
        cases.append(Case(described, args, analytic.mass(distribution, low, high)))
    function_agrees(answer, cases, MASS_TURNS, bound=BY_TRAPEZOIDS)
    return passed("mass_between: the areas on the line are those in x, for three densities.")


Area = Callable[[Distribution, Transform, torch.Tensor, torch.Tensor], Any]


def _area(of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Area:
    """Return the area between the mapped limits under a function of p(h(y)) and h'(y)."""

    def area(
        distribution: Distribution, transform: Transform, low: torch.Tensor, high: torch.Tensor
    ) -> float:
        def integrand(y: torch.Tensor) -> torch.Tensor:
            x = transform(y)
            return of(distribution.log_prob(x).exp(), transform.log_abs_det_jacobian(y, x).exp())

        return analytic.integral(integrand, float(transform.inv(low)), float(transform.inv(high)))

    return area


def _between(d: Distribution, h: Transform, low: torch.Tensor, high: torch.Tensor) -> float:
    """Return the area under the density of Y from low to high themselves."""
    return analytic.integral(lambda y: analytic.log_prob(d, h, y).exp(), float(low), float(high))


def _width(h: Transform, low: torch.Tensor, high: torch.Tensor) -> float:
    return float(h.inv(high) - h.inv(low))


def _nearly(got: Any, wanted: Any) -> bool:
    """Agree to a part in a thousand: trapezoids of the answer against quadrature of the turn."""
    each: Iterable[Any] = wanted if isinstance(wanted, list) else [wanted]
    return any(same(got, w, 1e-3) for w in each)


def _wrong_way(d: Distribution, h: Transform, low: torch.Tensor, high: torch.Tensor) -> float:
    """Return the area under the density of h(X) between mapped limits, infinite if it has none."""
    there = TransformedDistribution(d, h, validate_args=False)
    ends = float(h.inv(low)), float(h.inv(high))
    try:
        area = analytic.integral(lambda y: there.log_prob(y).exp(), *ends)
    except ValueError:
        return math.inf
    return area if math.isfinite(area) else math.inf


MASS_TURNS = [
    Turn("limits not mapped", "low and high are places in x; find their places on the line first.",
         _between, alike=_nearly),
    Turn("no Jacobian", "you add up p(h(y)) over strips of y; each strip of x has another width.",
         _area(lambda p, slope: p), alike=_nearly),
    Turn("Jacobian of the inverse", "the density of Y is p(h(y)) times |h'(y)|, not divided by it.",
         _area(lambda p, slope: p / slope), alike=_nearly),
    Turn("limits mapped forwards", "transform leads from y to x; limits need its inverse.",
         lambda d, h, low, high: _between(d, h, h(low), h(high)), alike=_nearly),
    Turn("transform for its inverse",
         "TransformedDistribution takes the map from x to the new variable: transform.inv.",
         _wrong_way, alike=_nearly,
         # Gamma itself refuses a y of the line only where no map stands before it.
         raises=lambda error: "support" in str(error) and "Gamma(" not in str(error)),
    Turn("log-density integrated", "this is the area under log q; take exp first.",
         _area(lambda p, slope: (p * slope).log()), alike=_nearly),
    Turn("width forgotten", "an average height is not an area; multiply by the width on the line.",
         lambda d, h, low, high: analytic.mass(d, float(low), float(high)) / _width(h, low, high),
         alike=_nearly),
    Turn("width of wrong axis", "the strips lie on the line; the width is that of y, not of x.",
         lambda d, h, low, high: analytic.mass(d, float(low), float(high))
         / _width(h, low, high) * float(high - low), alike=_nearly),
    Turn("all of the mass", "this is the area from end to end; take the part from low to high.",
         lambda d, h, low, high: 1.0, alike=_nearly),
    Turn("outside for inside", "this is the mass below low and above high together.",
         lambda d, h, low, high: 1 - analytic.mass(d, float(low), float(high)), alike=_nearly),
    Turn("sign", "a probability is positive; which limit comes first?",
         lambda d, h, low, high: -analytic.mass(d, float(low), float(high)), alike=_nearly),
    Turn("height for area", "this is a difference of two heights; add up strips in between.",
         lambda d, h, low, high: [_rise(d, h, low, high), -_rise(d, h, low, high)], alike=_nearly),
]  # fmt: skip


def _rise(d: Distribution, h: Transform, low: torch.Tensor, high: torch.Tensor) -> float:
    ends = [analytic.log_prob(d, h, h.inv(v)).exp() for v in (low, high)]
    return float(ends[1] - ends[0])


def gamma_modes(answer: Any) -> bool:
    """Check ``gamma_modes(a, b)``: ((a − 1)/b, log(a/b)).

    a and b are tensors, so that torch.log and math.log both take them. a stays above 2 and away
    from b and from b + 1, so that every wrong turn is a number and no logarithm is near zero.
    """
    cases = []
    u = data.uniform("constraints: gamma modes", 6, 0.0, 1.0).tolist()
    for a, b in [(2.5 + u[0], 0.4 + 0.3 * u[1]), (4 + u[2], 1.3 + 0.4 * u[3]),
                 (2.4 + 0.5 * u[4], 6 + u[5])]:  # fmt: skip
        described = f"gamma_modes(a={a:.4f}, b={b:.4f})"
        cases.append(Case(described, (double(a), double(b)), analytic.gamma_modes(a, b)))
    function_agrees(answer, cases, GAMMA_TURNS, bound=SINGLE_PRECISION)
    return passed("gamma_modes: both peaks, for three Gamma distributions.")


def _to_two_digits(got: Any, wanted: tuple[float, float]) -> bool:
    taken = as_tensor(got)
    if taken is None or taken.shape != (2,):
        return False
    off = (taken.to(torch.float64) - torch.tensor(wanted, dtype=torch.float64)).abs()
    return bool((off < 0.0051).all() and same(taken, taken.round(decimals=2), 1e-6))


GAMMA_TURNS = [
    Turn("mode carried over", "the peak does not move along with x: maximise log q itself.",
         lambda a, b: ((a - 1) / b, math.log((a - 1) / b))),
    Turn("taken back to x", "the second number is a place on the line, a value of y.",
         lambda a, b: ((a - 1) / b, a / b)),
    Turn("Jacobian subtracted", "log|h'(y)| = y is added to log p, not subtracted.",
         lambda a, b: ((a - 1) / b, math.log((a - 2) / b))),
    Turn("Jacobian for both", "the first peak is that of p(x) itself, without a Jacobian.",
         lambda a, b: [(a / b, math.log(a / b)), (a / b, a / b)], alike=any_of),
    Turn("swapped", "first the peak in x, then the one on the line.",
         lambda a, b: (math.log(a / b), (a - 1) / b)),
    Turn("scale for rate", "b is the rate: e^(−bx) falls faster when b is larger.",
         lambda a, b: ((a - 1) * b, math.log(a * b))),
    Turn("ratio upside down", "solve a − b e^y = 0 for e^y again.",
         lambda a, b: [((a - 1) / b, math.log(b / a)), (b / (a - 1), math.log(b / a))],
         alike=any_of),
    Turn("means for modes", "these are averages; the mode is where the density is highest.",
         lambda a, b: (a / b, a.digamma() - math.log(b))),
    Turn("heights returned", "these are how high the peaks are; the question is where they stand.",
         lambda a, b: _heights(a, b)),
    Turn("one Gamma only", "these are the peaks of Gamma(3, 2); use the a and b you are given.",
         lambda a, b: (1.0, math.log(1.5)), alike=lambda got, want: same(got, want, 0.02)),
    Turn("another logarithm", "e^y is undone by the natural logarithm.",
         lambda a, b: [((a - 1) / b, f(a / b)) for f in (math.log2, math.log10, math.log1p)],
         alike=any_of),
    Turn("rounded", "right to two digits: return the number itself, and round when you print.",
         analytic.gamma_modes, alike=_to_two_digits),
]  # fmt: skip


def _heights(a: torch.Tensor, b: torch.Tensor) -> tuple[float, float]:
    gamma = Gamma(a, b)
    x, y = (double(v) for v in analytic.gamma_modes(float(a), float(b)))
    on_line = analytic.log_prob(gamma, ExpTransform(), y)
    return float(gamma.log_prob(x).exp()), float(on_line.exp())
