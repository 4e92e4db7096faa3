"""bernoulli_mle(flips), exponential_mle(waits), poisson_mle(counts): three zeros of the score.

Every sample is drawn and then given one observation of each kind that a wrong turn lives on (a
zero, a one, a long wait), so that no data seed makes a wrong turn right.
"""

import math

import torch

from helpers.check.kit.asks import Draws, Given, sample
from helpers.check.kit.compare import AnyOf, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise, Together
from helpers.check.likelihood import analytic

DOUBLE = torch.float64


def share(flips: torch.Tensor) -> torch.Tensor:
    """Return the sum over the number."""
    n = len(flips)
    return flips.sum() / n


def rate_of_waits(waits: torch.Tensor) -> float:
    """Return the number over the sum, which is added up one by one."""
    total = 0.0
    for wait in waits.tolist():
        total += wait
    return len(waits) / total


def rate_of_counts(counts: torch.Tensor) -> torch.Tensor:
    """Return the mean from how often each count occurs."""
    values, times = counts.unique(return_counts=True)
    return (values * times).sum() / times.sum()


def _medians(x: torch.Tensor) -> AnyOf:
    """Return torch's lower median and the usual one."""
    return AnyOf(x.median(), x.quantile(0.5))


def _flips(u: Draws, given: Given, n: int) -> torch.Tensor:
    share = u.choice((0.3, 0.75))
    x = (u.uniform(n) < share).double()
    x[0], x[1] = 1.0, 0.0
    return x


BERNOULLI = Exercise(
    name="bernoulli_mle",
    arguments=(
        sample("flips", _flips, many=(9, 26, 61), sizes=(2,), dtypes=(torch.float32,),
               edges={"all ones": torch.ones(5, dtype=DOUBLE),
                      "all zeros": torch.zeros(6, dtype=DOUBLE),
                      "a single flip": torch.ones(1, dtype=DOUBLE)}),
    ),
    reference=analytic.bernoulli_mle,
    worked=(share,),
    turns=(
        Turn("count not share", "this is how many ones there are; divide by the number of flips.",
             lambda x: x.sum()),
        Turn("smoothing", "no flips may be invented: (k + 1)/(n + 2) is not where the score is "
             "zero.", lambda x: AnyOf(*[(x.sum() + a) / (len(x) + 2 * a) for a in (1, 0.5)])),
        Turn("n − 1 for n", "divide by all n flips.", lambda x: x.sum() / (len(x) - 1)),
        Turn("failures counted", "this is the share of zeros; the parameter belongs to the ones.",
             lambda x: 1 - x.mean()),
        Turn("odds for share", "this is ones against zeros; solve the score for the probability.",
             lambda x: AnyOf(x.sum() / (len(x) - x.sum()), torch.logit(x.mean()))),
        Turn("spread for share", "this is how the flips spread; the parameter is their mean.",
             lambda x: AnyOf(x.mean() * (1 - x.mean()), x.var(), x.std(), x.std(correction=0))),
        Turn("median for mean", "the score holds the sum of the flips, not their median.",
             _medians),
        Turn("read off a grid", "this is the best point of a grid that ends before 0 and 1: solve "
             "the score instead.", lambda x: x.mean().clamp(0.3, 0.98),
             alike=lambda got, wrong: same(got, wrong, 0.01)),
    ),
    passed="bernoulli_mle.",
)  # fmt: skip


def _waits(u: Draws, given: Given, n: int) -> torch.Tensor:
    rate = u.log_real(0.3, 3)
    x = -torch.log1p(-u.uniform(n)) / rate
    x[0] = 4 / rate
    return x


EXPONENTIAL = Exercise(
    name="exponential_mle",
    arguments=(
        sample("waits", _waits, many=(9, 26, 61), sizes=(1, 2), ties=True, dtypes=(torch.float32,),
               edges={"waits of thousands": lambda u, given: 4000 * _waits(u, given, 12),
                      "waits of milliseconds": lambda u, given: 1e-3 * _waits(u, given, 12)}),
    ),
    reference=analytic.exponential_mle,
    worked=(rate_of_waits,),
    turns=(
        Turn("scale for rate", "this is the mean wait, the scale; the rate is events per unit of "
             "time.", lambda x: x.mean()),
        Turn("mean of reciprocals", "average first, then take one over it.",
             lambda x: (1 / x).mean()),
        Turn("sum for mean", "one over the sum is short by a factor n; solve n/λ − Σ x = 0 again.",
             lambda x: 1 / x.sum()),
        Turn("n − 1 for n", "n/λ − Σ x is zero with all n observations, not n − 1.",
             lambda x: (len(x) - 1) / x.sum()),
        Turn("median for mean", "the score holds the sum of the waits, not their median.",
             lambda x: AnyOf(math.log(2) / x.mean(), *[f / m for f in (1.0, math.log(2))
                                                       for m in _medians(x).values])),
        Turn("one wait for all", "the score holds every wait, not a single one.",
             lambda x: AnyOf(1 / x.min(), 1 / x.max(), 1 / x[0], 1 / x[-1])),
        Turn("probability for rate", "this is a chance to wait longer; the rate is the parameter.",
             lambda x: AnyOf(torch.exp(-x.mean()), 1 - torch.exp(-x.mean()),
                             torch.exp(-1 / x.mean()))),
        Turn("geometric mean", "the log-likelihood holds the sum of the waits, not of their logs.",
             lambda x: AnyOf(x.log().mean().neg().exp(), x.log().mean().exp())),
        Turn("sign", "the score is n/λ − Σ x; look at its signs.", lambda x: -1 / x.mean()),
        Turn("spread for mean", "mean and standard deviation of an exponential are equal, but the "
             "score asks for the mean.",
             lambda x: AnyOf(1 / x.std(), 1 / x.std(correction=0))),
    ),
    passed="exponential_mle.",
)  # fmt: skip


def _counts(u: Draws, given: Given, n: int) -> torch.Tensor:
    rate = u.real(0.8, 5)
    x = torch.poisson(torch.full((n,), rate, dtype=DOUBLE), generator=u.generator())
    x[0], x[1] = 0.0, math.ceil(3 * rate) + 3.0
    return x


POISSON = Exercise(
    name="poisson_mle",
    arguments=(
        sample("counts", _counts, many=(9, 26, 61), sizes=(2,), dtypes=(torch.float32,),
               edges={"no event at all": torch.zeros(4, dtype=DOUBLE),
                      "a single count": torch.tensor([3.0], dtype=DOUBLE)}),
    ),
    reference=analytic.poisson_mle,
    worked=(rate_of_counts,),
    turns=(
        Turn("sum for mean", "this is the number of all events; divide by n.", lambda x: x.sum()),
        Turn("n − 1 for n", "divide by all n counts.", lambda x: x.sum() / (len(x) - 1)),
        Turn("variance for mean", "variance and mean of a Poisson distribution are equal, but the "
             "score asks for the mean of the data.",
             lambda x: AnyOf(*[f(correction=c) for f in (x.var, x.std) for c in (0, 1)])),
        Turn("geometric mean", "the score holds the sum of the counts, not of their logs.",
             lambda x: AnyOf(x.log1p().mean().expm1(), x.log().mean().exp(), x.log1p().mean(),
                             x.log1p().mean().exp())),
        Turn("root mean square", "the score holds the counts themselves, not their squares.",
             lambda x: AnyOf((x**2).mean().sqrt(), (x**2).mean())),
        Turn("rounded", "counts are whole numbers, and their mean need not be.",
             lambda x: AnyOf(x.mean().floor(), x.mean().ceil(), x.mean().round())),
        Turn("logarithm of it", "this is log λ; the rate itself is asked.",
             lambda x: x.mean().log()),
        Turn("something added", "no counts may be invented: divide their sum by their number.",
             lambda x: AnyOf(x.sum() / (len(x) + 1), (x.sum() + 1) / (len(x) + 1),
                             (x.sum() + 1) / len(x), (x.sum() + 0.5) / len(x))),
        Turn("the largest left out", "every count is an observation, the largest too.",
             lambda x: AnyOf(x[x < x.max()].mean(), x.sort().values[:-1].mean(),
                             x.sort().values[1:-1].mean())),
        Turn("median for mean", "the score holds the sum of the counts, not their median.",
             _medians),
        Turn("zeros left out", "a count of zero is an observation like any other.",
             lambda x: x[x > 0].mean()),
        Turn("scale for rate", "this is the mean time between events; the rate is one over it.",
             lambda x: 1 / x.mean()),
        Turn("zeros alone", "you use how many counts are zero; the score holds all of them.",
             lambda x: -torch.log((x == 0).double().mean())),
        Turn("mode for mean", "the most frequent count is not where the score is zero.",
             lambda x: x.mode().values),
    ),
    passed="poisson_mle.",
)  # fmt: skip

three_mles = Together(
    (BERNOULLI, EXPONENTIAL, POISSON),
    "bernoulli_mle, exponential_mle, poisson_mle: all three zeros of the score.",
).check
