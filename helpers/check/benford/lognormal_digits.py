"""lognormal_digits(m, s): first digits of numbers whose decimal logarithm is normal."""

import math
from collections.abc import Callable

import torch
from torch.distributions import Normal

from helpers.check.benford import analytic
from helpers.check.kit.agree import Fitting
from helpers.check.kit.asks import Jointly, positive, real
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.relations import APPROXIMATE

DOUBLE = torch.float64
EDGES = torch.arange(1, 11, dtype=DOUBLE)
LOG_EDGES = EDGES.log10()
reference = analytic.lognormal_digits


def _over(decades: torch.Tensor, m: float, s: float) -> torch.Tensor:
    """Return the sum over given decades only."""
    return torch.special.ndtr((decades[:, None] + LOG_EDGES - m) / s).diff(dim=1).sum(0)


def _cut(*ranges: tuple[int, int]) -> Callable[[float, float], AnyOf]:
    return lambda m, s: AnyOf(*[_over(torch.arange(*r, dtype=DOUBLE), m, s) for r in ranges])


def _other_digits(got: object, right: torch.Tensor) -> bool:
    """Whether the right numbers stand one place off, as those of the digits 0 to 8 or 2 to 10."""
    value = as_tensor(got)
    if value is None or value.shape != right.shape:
        return False
    return same(value[1:], right[:-1]) or same(value[:-1], right[1:])


def _comes_near(got: object, args: tuple[float, ...]) -> bool:
    """Whether numbers are probabilities within a fifth of the right ones."""
    value = as_tensor(got)
    if value is None or value.shape != (9,):
        return False
    return same(value, reference(*args), 0.2) and abs(float(value.double().sum()) - 1) < 0.05


def _natural(m: float, s: float) -> AnyOf:
    """Return what natural logarithms give, of the edges, of the decades or of both."""
    k = torch.arange(-700, 700, dtype=DOUBLE)[:, None]
    ten = math.log(10)
    return AnyOf(*[
        torch.special.ndtr((a * k + b * LOG_EDGES - m) / s).diff(dim=1).sum(0)
        for a, b in ((ten, ten), (1.0, ten), (ten, 1.0), (1.0, ten / math.log(2)))
    ])  # fmt: skip


def _by_middles(m: float, s: float) -> AnyOf:
    """Return what densities times widths give, at the digits, their middles, or beside them."""
    k = torch.arange(math.floor(m - 9 * s), math.ceil(m + 9 * s) + 1, dtype=DOUBLE)[:, None]
    low, high = LOG_EDGES[:-1], LOG_EDGES[1:]
    found = []
    for at in (low, (low + high) / 2, (EDGES[:-1] + 0.5).log10(), high):
        density = torch.exp(-0.5 * ((k + at - m) / s) ** 2) / (s * math.sqrt(2 * math.pi))
        found += [(density * (high - low)).sum(0), density.sum(0),
                  density.sum(0) / density.sum()]  # fmt: skip
    return AnyOf(*found)


def _normal_numbers(m: float, s: float) -> torch.Tensor:
    """Return the first digits where x itself, not its logarithm, is Normal(m, s)."""
    k = 10.0 ** torch.arange(-12, 5, dtype=DOUBLE)[:, None]
    return torch.special.ndtr((k * EDGES - m) / s).diff(dim=1).sum(0)


def _by_erf(m: float, s: float) -> AnyOf:
    """Return what the error function gives without its ½, its √2 or both."""
    k = torch.arange(math.floor(m - 9 * s) - 1, math.ceil(m + 9 * s) + 1, dtype=DOUBLE)[:, None]
    z = (k + LOG_EDGES - m) / s
    sums = [torch.erf(y).diff(dim=1).sum(0) for y in (z, z / math.sqrt(2))]
    return AnyOf(*sums, sums[0] / 2)


def _waves(m: float, s: float, count: int) -> torch.Tensor:
    """Return Benford's law with the first waves."""
    k = torch.arange(1, count + 1, dtype=DOUBLE)[:, None]
    height = torch.exp(-2 * (math.pi * k * s) ** 2) / (math.pi * k)
    return (LOG_EDGES + (height * torch.sin(2 * math.pi * k * (LOG_EDGES - m))).sum(0)).diff()


def by_decades(m: float, s: float) -> torch.Tensor:
    """Return the sum over decades, from far below to far above."""
    decades = torch.arange(math.floor(m - 8 * s) - 1, math.ceil(m + 8 * s) + 1)[:, None]
    edges = torch.log10(torch.arange(1, 11, dtype=torch.float64))
    below = torch.special.ndtr((decades + edges - m) / s)
    return (below[:, 1:] - below[:, :-1]).sum(0)


def by_library(m: float, s: float) -> torch.Tensor:
    """Return the sum with the distribution function of torch.distributions."""
    total = torch.zeros(9, dtype=torch.float64)
    d = torch.arange(1, 10, dtype=torch.float64)
    for decade in range(int(m - 8 * s) - 2, int(m + 8 * s) + 2):
        upper = Normal(m, s).cdf(decade + torch.log10(d + 1))
        total = total + upper - Normal(m, s).cdf(decade + torch.log10(d))
    return total


def by_error_function(m: float, s: float) -> torch.Tensor:
    """Return the sum in loops, with the standard library's error function."""

    def below(x: float) -> float:
        return 0.5 * (1 + math.erf((x - m) / (s * math.sqrt(2))))

    decades = range(math.floor(m - 9 * s), math.ceil(m + 9 * s) + 1)
    shares = [
        sum(below(k + math.log10(d + 1)) - below(k + math.log10(d)) for k in decades)
        for d in range(1, 10)
    ]
    return torch.tensor(shares, dtype=torch.float64)


def by_many_decades(m: float, s: float) -> torch.Tensor:
    """Return the sum over more decades than anyone needs."""
    k = round(m) + torch.arange(-150, 151, dtype=torch.float64)
    d = torch.arange(1, 10, dtype=torch.float64)[:, None]
    upper = torch.special.ndtr((k + torch.log10(d + 1) - m) / s)
    return (upper - torch.special.ndtr((k + torch.log10(d) - m) / s)).sum(1)


def by_waves(m: float, s: float) -> torch.Tensor:
    """Return the sum for narrow numbers, Benford's law plus waves for wide ones."""
    edges = torch.arange(1, 11, dtype=torch.float64).log10()
    if s < 0.2:
        k = torch.arange(round(m) - 4, round(m) + 5)[:, None]
        return torch.special.ndtr((k + edges - m) / s).diff(dim=1).sum(0)
    k = torch.arange(1, 60, dtype=torch.float64)[:, None]
    height = torch.exp(-2 * (math.pi * k * s) ** 2) / (math.pi * k)
    return (edges + (height * torch.sin(2 * math.pi * k * (edges - m))).sum(0)).diff()


def _another_number(got: object, right: torch.Tensor) -> bool:
    """Whether there are more or fewer than nine numbers."""
    value = as_tensor(got)
    return value is not None and value.shape != right.shape


TURNS = (
    Turn("not nine numbers", "nine digits, nine probabilities, in a single row: add up the "
         "decades, and take ten edges.", reference, alike=_another_number),
    Turn("natural logarithm", "m and s belong to the decimal logarithm: use log10, for digits and "
         "decades.", _natural),
    Turn("natural logarithm", "m and s belong to the decimal logarithm: use log10 throughout.",
         lambda m, s: reference(m / math.log(10), s / math.log(10))),
    Turn("decade 0 only", "a number between 20 and 30 begins with 2 as well: add up all decades.",
         _cut((0, 1))),
    Turn("one decade only", "the decade around 10^m is one of several: add them all up.",
         lambda m, s: AnyOf(*[_over(torch.tensor([float(f(m))], dtype=DOUBLE), m, s)
                              for f in (math.floor, math.ceil, round)])),
    Turn("no decade below one", "numbers below 1 have first digits too: the decades go on below "
         "zero.", _cut((0, 10), (0, 20), (0, 30), (0, 50), (0, 100), (0, 400))),
    Turn("too few decades", "some of the numbers lie beyond your decades: let them reach several s "
         "to each side of m.",
         _cut(*[(-k, k + c) for k in (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25) for c in (0, 1)],
              *[(1, k) for k in (5, 10, 20, 50, 100)])),
    Turn("too few decades", "some of the numbers lie beyond your decades: let them reach several s "
         "to each side of m.",
         lambda m, s: AnyOf(*[
             _over(torch.arange(low, high + c, dtype=DOUBLE), m, s) for c in (0, 1)
             for a, b in (*[(m - k * s, m + k * s) for k in range(1, 4)],
                          *[(math.floor(m) - k, math.floor(m) + k) for k in range(1, 11)])
             for low, high in [(math.floor(a), math.ceil(b))]])),
    Turn("variance for standard deviation", "s is the standard deviation, not its square.",
         lambda m, s: AnyOf(reference(m, math.sqrt(s)), reference(m, s * s))),
    Turn("s on the wrong side", "the distance from m is divided by s.",
         lambda m, s: reference(m, 1 / s)),
    Turn("erf for Φ", "Φ(z) is ½(1 + erf(z/√2)); torch.special.ndtr is Φ itself.", _by_erf),
    Turn("few waves", "the waves of higher frequency count where s is small: more of them, or the "
         "sum over decades.", lambda m, s: AnyOf(*[_waves(m, s, count) for count in (1, 2, 3)])),
    Turn("Benford's law", "this is the limit for large s; it moves with neither m nor s.",
         lambda m, s: analytic.benford(10, 1)),
    Turn("density for probability", "the probability of an interval is a difference of the "
         "distribution function, not a density.", _by_middles),
    Turn("x normal", "it is the logarithm of x that is normal, not x itself.", _normal_numbers),
    Turn("cumulative", "this is the probability of a digit up to d; asked is that of d itself.",
         lambda m, s: reference(m, s).cumsum(0)),
    Turn("m ignored", "the result depends on where in its decade 10^m lies.",
         lambda m, s: reference(0.0, s)),
    Turn("other digits", "the nine stretches begin at log₁₀ 1 and end at log₁₀ 10.",
         reference, alike=_other_digits),
    Turn("upper ends only", "of each interval subtract the distribution function at its lower end.",
         lambda m, s: AnyOf(*[
             torch.special.ndtr((k[:, None] + LOG_EDGES[1:] - m) / s).sum(0)
             for k in [torch.arange(math.floor(m - 9 * s) - 1, math.ceil(m + 9 * s) + 1)]])),
)  # fmt: skip

EXERCISE = Exercise(
    name="lognormal_digits",
    arguments=(
        real("m", -3.9, 4.4, edges={
            "numbers near a ten-millionth": Jointly(m=-7.3, s=0.35),
            "just above a decade below one": Jointly(m=-4.94, s=0.1),
            "numbers near a billion": Jointly(m=8.8, s=0.3),
            # Halves and quarters: torch holds m and s in single precision where it is not told.
            "numbers larger than a float": Jointly(m=4100.375, s=0.25),
            "numbers smaller than a float": Jointly(m=-3900.625, s=0.25),
        }),
        positive("s", 0.15, 0.42, edges={
            "all numbers alike": Jointly(m=0.6, s=0.03),
            "two digits at the edge of a decade": Jointly(m=2.95, s=0.1),
            "as narrow as can be, between two digits": Jointly(m=0.3, s=0.01),
            "somewhat more than half a decade": Jointly(m=2.05, s=0.61),
            "fifty decades": Jointly(m=1.3, s=10.0),
        }),
    ),
    reference=reference,
    # m and s are floats, which torch takes in single precision unless it is told otherwise.
    agree=Fitting(rtol=5e-5, fits=((
        APPROXIMATE[0], "these come near: a grid or counted draws in the place of Φ, or a "
        "piece of the sum left out?", _comes_near),)),
    double=True,
    turns=TURNS,
    worked=(by_decades, by_library, by_many_decades, by_error_function, by_waves),
    passed="lognormal_digits: all decades added up, for narrow and for wide numbers.",
)  # fmt: skip
lognormal_digits = EXERCISE.check
