"""mass_between(distribution, transform, low, high): P(low < X < high), by area on the line.

The reference integrates in x, where no Jacobian enters.
"""

import itertools
import math
from collections.abc import Callable
from typing import Any

import torch
from torch.distributions import (
    AffineTransform,
    Beta,
    Distribution,
    Gamma,
    Normal,
    Transform,
    TransformedDistribution,
    Uniform,
)

from helpers.check.constraints import analytic, families
from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Argument, Draws, Given, Jointly
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

# An area by trapezoids on a thousand strips is right to about 1e-6.
BY_TRAPEZOIDS = 1e-4
FAMILIES = (families.gamma, families.beta, families.uniform, families.normal)


def reference(d: Distribution, h: Transform, low: torch.Tensor, high: torch.Tensor) -> float:
    """Return P(low < X < high); the map does not matter."""
    return _mass(d, low, high)


def _distribution(u: Draws, given: Given, kind: int) -> Distribution:
    if "distribution" not in given:
        return FAMILIES[kind](u)
    # Alone it moves so far that no rounding hides it.
    return Gamma(families.double(u.real(3, 4)), families.double(u.real(1.0, 1.3)))


def _transform(u: Draws, given: Given) -> Transform:
    """Return a rising map from the line to the distribution's support."""
    distribution, moved = given["distribution"], "transform" in given
    if isinstance(distribution, Gamma):
        return families.positive(softplus=moved)
    if isinstance(distribution, Beta):
        return families.between(0.0, 1.0)
    if isinstance(distribution, Uniform):
        return families.between(float(distribution.low), float(distribution.high), by_normal=True)
    return AffineTransform(families.double(u.real(-1.5, -0.5)), families.double(u.real(1.5, 2.5)))


# Where the limits lie, low and high; those of the uniform, as shares of its width. X is negative
# for the last two, at low at least.
LIMITS = {Gamma: ((0.3, 0.6), (1.2, 2.0)), Beta: ((0.2, 0.35), (0.6, 0.8)),
          Uniform: ((0.1, 0.3), (0.6, 0.9)), Normal: ((-2.5, -1.0), (0.5, 1.5))}  # fmt: skip


def _limit(place: int) -> Callable[[Draws, Given], torch.Tensor]:
    def draw(u: Draws, given: Given) -> torch.Tensor:
        distribution = given["distribution"]
        value = u.real(*LIMITS[type(distribution)][place])
        if isinstance(distribution, Uniform):
            value = float(distribution.low + value * (distribution.high - distribution.low))
        return families.double(value)

    return draw


Area = Callable[[Distribution, Transform, torch.Tensor, torch.Tensor], Any]


def _area(of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Area:
    """Return the area between the mapped limits under a function of p(h(y)) and |h'(y)|."""

    def area(d: Distribution, h: Transform, low: torch.Tensor, high: torch.Tensor) -> float:
        def integrand(y: torch.Tensor) -> torch.Tensor:
            x = h(y)
            return of(d.log_prob(x).exp(), h.log_abs_det_jacobian(y, x).expand(y.shape).exp())

        return analytic.integral(integrand, float(h.inv(low)), float(h.inv(high)))

    return area


def _between(d: Distribution, h: Transform, low: torch.Tensor, high: torch.Tensor) -> float:
    """Return the area under the density of Y from low to high themselves."""
    return analytic.integral(lambda y: analytic.log_prob(d, h, y).exp(), float(low), float(high))


def _width(h: Transform, low: torch.Tensor, high: torch.Tensor) -> float:
    return float(h.inv(high) - h.inv(low))


def _wrong_way(d: Distribution, h: Transform, low: torch.Tensor, high: torch.Tensor) -> float:
    """Return the area under the density of h(X) between mapped limits, infinite if it has none."""
    there = TransformedDistribution(d, h, validate_args=False)
    ends = float(h.inv(low)), float(h.inv(high))
    try:
        area = analytic.integral(lambda y: there.log_prob(y).exp(), *ends)
    except ValueError:
        return math.inf
    return area if math.isfinite(area) else math.inf


def _rise(d: Distribution, h: Transform, low: torch.Tensor, high: torch.Tensor) -> float:
    ends = [analytic.log_prob(d, h, h.inv(v)).exp() for v in (low, high)]
    return float(ends[1] - ends[0])


def _mass(d: Distribution, low: torch.Tensor, high: torch.Tensor) -> float:
    """Return the area under the density in x; in pieces towards zero where it has no bound there.

    Each piece ends at ten times its beginning, so that the density bends little within.
    """
    first, last = float(low), float(high)
    ends = [first]
    if isinstance(d, Gamma) and float(d.concentration) < 1:
        while ends[-1] * 10 < last:
            ends.append(ends[-1] * 10)
    return sum(analytic.mass(d, *piece) for piece in itertools.pairwise([*ends, last]))


def _kept_above(d: Distribution, h: Transform, low: torch.Tensor, high: torch.Tensor) -> float:
    """Return the mass between limits that are moved to zero where they are negative.

    Raises:
        ValueError: no limit is negative, or both are.
    """
    if float(high) <= 0:
        raise ValueError("nothing is left")
    return _mass(d, low.clamp(min=0), high)


def _tails(d: Distribution, h: Transform, low: torch.Tensor, high: torch.Tensor) -> AnyOf:
    """Return the mass below each of the limits, and above the first."""
    edge = -30.0 if isinstance(d, Normal) else 0.0
    if isinstance(d, Uniform):
        edge = float(d.low)
    below = [analytic.integral(lambda x: d.log_prob(x).exp(), edge, float(v), 400)
             for v in (low, high)]  # fmt: skip
    return AnyOf(*below, 1 - below[0], 1 - below[1])


def _strips(d: Distribution, h: Transform, low: torch.Tensor, high: torch.Tensor) -> list[float]:
    """Return areas by few strips: trapezoids, and rectangles by their left, right or middle."""
    areas = []
    for count in (1, 2, 3, 4, 5, 9, 10, 19, 20, 49, 50, 99, 100):
        y = torch.linspace(float(h.inv(low)), float(h.inv(high)), count + 1).double()
        middle = analytic.log_prob(d, h, (y[1:] + y[:-1]) / 2).exp()
        q = analytic.log_prob(d, h, y).exp()
        width = (y[-1] - y[0]) / count
        areas += [float(torch.trapezoid(q, y)), float(q[:-1].sum() * width),
                  float(q[1:].sum() * width), float(middle.mean() * (y[-1] - y[0]))]  # fmt: skip
    return areas


def by_density(
    distribution: Distribution, transform: Transform, low: torch.Tensor, high: torch.Tensor
) -> torch.Tensor:
    """Return the area as a student adds it up."""
    first, last = transform.inv(low).item(), transform.inv(high).item()
    y = torch.linspace(first, last, 1001, dtype=torch.float64)
    density = TransformedDistribution(distribution, transform.inv).log_prob(y).exp()
    return torch.trapezoid(density, y)


def by_slope(
    distribution: Distribution, transform: Transform, low: torch.Tensor, high: torch.Tensor
) -> torch.Tensor:
    """Return the area below density times slope."""
    first, last = transform.inv(low).item(), transform.inv(high).item()
    y = torch.linspace(first, last, 1001, dtype=torch.float64)
    x = transform(y)
    slope = transform.log_abs_det_jacobian(y, x).exp()
    return torch.trapezoid(distribution.log_prob(x).exp() * slope, y)


def by_middles(
    distribution: Distribution, transform: Transform, low: torch.Tensor, high: torch.Tensor
) -> torch.Tensor:
    """Return the area of rectangles, each as high as the density at its middle."""
    first, last = transform.inv(low), transform.inv(high)
    width = (last - first) / 1000
    y = first + width * (torch.arange(1000) + 0.5)
    return (TransformedDistribution(distribution, transform.inv).log_prob(y).exp() * width).sum()


NEAR = 1e-3  # trapezoids of the answer against quadrature of the turn
TURNS = (
    Turn("limits not mapped", "low and high are places in x; find their places on the line first.",
         _between, tolerance=NEAR),
    Turn("log for every map", "log leads back from exp alone: transform.inv leads back from the "
         "map that you are given.",
         lambda d, h, low, high: _between(d, h, low.log(), high.log()), tolerance=NEAR,
         raises=lambda error: "nan" in str(error)),
    Turn("limits kept above zero", "X may be negative, and so may its limits: take them as they "
         "are.", _kept_above, tolerance=NEAR, raises=lambda error: "support" in str(error)),
    Turn("cdf that torch lacks", "torch has no cdf for each distribution, Beta among them: add up "
         "strips.", raises=lambda error: isinstance(error, NotImplementedError)),
    Turn("no Jacobian", "you add up p(h(y)) over strips of y; each strip of x has another width.",
         _area(lambda p, slope: p), tolerance=NEAR),
    Turn("Jacobian of the inverse", "the density of Y is p(h(y)) times |h'(y)|, not divided by it.",
         _area(lambda p, slope: p / slope), tolerance=NEAR),
    Turn("Jacobian twice", "TransformedDistribution has |h'(y)| in it already.",
         _area(lambda p, slope: p * slope**2), tolerance=NEAR),
    Turn("limits mapped forwards", "transform leads from y to x; limits need its inverse.",
         lambda d, h, low, high: _between(d, h, h(low), h(high)), tolerance=NEAR),
    Turn("transform for its inverse",
         "TransformedDistribution takes the map from x to the new variable: transform.inv.",
         _wrong_way, tolerance=NEAR,
         # Gamma itself refuses a y of the line only where no map stands before it.
         raises=lambda error: "support" in str(error) and "Gamma(" not in str(error)),
    Turn("log-density integrated", "this is the area under log q; take exp first.",
         _area(lambda p, slope: (p * slope).log()), tolerance=NEAR),
    Turn("width forgotten", "an average height is not an area; multiply by the width on the line.",
         lambda d, h, low, high: _mass(d, low, high) / _width(h, low, high), tolerance=2 * NEAR),
    Turn("width of wrong axis", "the strips lie on the line; the width is that of y, not of x.",
         lambda d, h, low, high: _mass(d, low, high) / _width(h, low, high) * float(high - low),
         tolerance=2 * NEAR),
    Turn("heights added", "a sum of heights is no area: each strip has a width.",
         lambda d, h, low, high: AnyOf(*[_mass(d, low, high) / _width(h, low, high) * n
                                         for n in (999, 1000, 1001)]), tolerance=2e-3),
    Turn("all of the mass", "this is the area from end to end; take the part from low to high.",
         lambda d, h, low, high: 1.0, tolerance=NEAR),
    Turn("outside for inside", "this is the mass below low and above high together.",
         lambda d, h, low, high: 1 - _mass(d, low, high), tolerance=NEAR),
    Turn("one limit only", "there are two limits: the mass between them is asked for.",
         _tails, tolerance=NEAR),
    Turn("sign", "a probability is positive; which limit comes first?",
         lambda d, h, low, high: -_mass(d, low, high), tolerance=NEAR),
    Turn("height for area", "this is a difference of two heights; add up strips in between.",
         lambda d, h, low, high: AnyOf(_rise(d, h, low, high), -_rise(d, h, low, high)),
         tolerance=NEAR),
    Turn("too few strips", "the strips are too wide: lay a thousand of them between the limits.",
         lambda d, h, low, high: AnyOf(*_strips(d, h, low, high)), tolerance=1e-6),
    Turn("rounded", "this is the probability, rounded: return it in full.",
         lambda d, h, low, high: AnyOf(*[round(_mass(d, low, high), k) for k in range(1, 4)]),
         tolerance=1e-9),
    Turn("log returned", "this is the log of the probability; return the probability.",
         lambda d, h, low, high: math.log(_mass(d, low, high)), tolerance=NEAR),
)  # fmt: skip


def _few_strips(u: Draws, given: Given) -> torch.Tensor:
    """Return an upper limit far out, where most of the strips hold nothing."""
    return families.double(u.real(9.0, 11.0))


def _near_zero(u: Draws, given: Given) -> torch.Tensor:
    return families.double(1e-3)


def _steep(u: Draws, given: Given) -> Jointly:
    """Return a Gamma whose density has no bound, from close to its edge on."""
    steep = Gamma(families.double(u.real(0.15, 0.25)), families.double(1.0))
    return Jointly(distribution=steep, transform=families.positive(), low=families.double(1e-7),
                   high=families.double(u.real(0.5, 1.5)))  # fmt: skip


EXERCISE = Exercise(
    name="mass_between",
    arguments=(
        Argument(
            "distribution",
            _distribution,
            many=(0, 1, 2, 3),
            shown=families.shown,
            edges={"a density that shoots up at zero": _steep},
        ),
        Argument("transform", _transform, ignorable=True, shown=families.map_shown),
        Argument("low", _limit(0), edges={"low near the edge of the support": _near_zero}),
        Argument(
            "high",
            _limit(1),
            edges={
                "high far out": _few_strips,
                "limits close together": lambda u, given: given["low"] * (1 + 1e-6),
            },
        ),
    ),
    reference=reference,
    worked=(by_density, by_slope, by_middles),
    agree=Close(rtol=BY_TRAPEZOIDS),
    typical=4,
    turns=TURNS,
    hints={
        "limits close together": "right elsewhere, and not for limits that are close together: "
        "the edges of the strips need all their digits, dtype=torch.float64.",
        "a density that shoots up at zero": "right elsewhere, and not where the density has no "
        "bound: strips of equal width on the line are narrow there in x.",
    },
    passed="mass_between: the areas on the line are those in x, for four families.",
)
mass_between = EXERCISE.check
