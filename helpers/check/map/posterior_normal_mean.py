"""posterior_normal_mean(data, scale, m, tau): the normal posterior of a normal mean."""

import math
from collections.abc import Callable
from typing import Any

import torch

from helpers.check.kit.asks import positive, real, sample
from helpers.check.kit.compare import AnyOf, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.map import analytic
from helpers.check.map.log_posterior import data_about, seedlings

Tensor = torch.Tensor
Numbers = Callable[..., tuple[float, float]]
reference = analytic.posterior_mean


def _weighed(
    *ways: Callable[[int, float, float], tuple[float, float]], kept: bool = True
) -> Callable[..., AnyOf]:
    """Return what comes of other weights of data and prior, with the deviations that go with them.

    Args:
        ways: each takes n, scale and tau and returns the weight of the data's mean and that of m.
        kept: whether the right deviation may stand beside the wrong mean.
    """

    def gives(x: Tensor, scale: float, m: float, tau: float) -> AnyOf:
        right = reference(x, scale, m, tau)
        found = []
        for way in ways:
            a, b = way(len(x), scale, tau)
            mean = (a * float(x.mean()) + b * m) / (a + b)
            found += [(mean, (a + b) ** -0.5), (mean, 1 / (a + b))]
            found += [(mean, float(right[1]))] if kept else []
        return AnyOf(*found)

    return gives


def _deviation(
    *ways: Callable[[Tensor, float, float, float], float],
) -> Callable[..., AnyOf]:
    """Return the right mean with other deviations, from data, scale, tau and the right one."""

    def gives(x: Tensor, scale: float, m: float, tau: float) -> AnyOf:
        mean, sd = reference(x, scale, m, tau)
        return AnyOf(*[(mean, way(x, scale, tau, float(sd))) for way in ways])

    return gives


def _halfway(x: Tensor, scale: float, m: float, tau: float) -> AnyOf:
    sd = float(reference(x, scale, m, tau)[1])
    middle = (float(x.mean()) + m) / 2
    return AnyOf(*[(middle, s) for s in (sd, scale / math.sqrt(len(x)), tau)])


def _undivided(x: Tensor, scale: float, m: float, tau: float) -> AnyOf:
    """Return the mean without its last division, or with a sum for the data's mean."""
    mean, sd = (float(v) for v in reference(x, scale, m, tau))
    a, b, total = len(x) / scale**2, 1 / tau**2, float(x.sum())
    return AnyOf((mean / sd**2, sd), ((a * total + b * m) / (a + b), sd),
                 ((total + m) / (len(x) + 1), sd))  # fmt: skip


def _shares(x: Tensor, scale: float, m: float, tau: float) -> AnyOf:
    """Return both shares in each other's place."""
    mean, sd = (float(v) for v in reference(x, scale, m, tau))
    other = float(x.mean()) + m - mean
    return AnyOf((other, sd), (other, math.sqrt(scale**2 / len(x) + tau**2)))


def _on_the_grid(x: Tensor, scale: float, m: float, tau: float) -> AnyOf:
    """Return mean and deviation of the posterior on the sheet's grid, and where it is highest."""
    means = torch.linspace(7, 16, 901, dtype=torch.float64)
    logs = analytic.log_joint(means, x, scale, m, tau)
    weights = logs.softmax(0)
    mean = (weights * means).sum()
    sd = (weights * (means - mean) ** 2).sum().sqrt()
    return AnyOf((mean, sd), (means[logs.argmax()], sd), (means[logs.argmax()],
                 reference(x, scale, m, tau)[1]))  # fmt: skip


def _each_alone(x: Tensor, scale: float, m: float, tau: float) -> tuple[Tensor, float]:
    """Return a mean for each observation, and the deviation that goes with one."""
    precision = scale**-2 + tau**-2
    return (x.double() / scale**2 + m / tau**2) / precision, precision**-0.5


def _several_means(got: Any, wrong: tuple[Tensor, float]) -> bool:
    try:
        mean, sd = got
    except (TypeError, ValueError):
        return False
    return same(mean, wrong[0], 1e-5) and same(torch.as_tensor(sd).flatten()[0], wrong[1], 1e-5)


def _never_narrower(x: Tensor, scale: float, m: float, tau: float) -> AnyOf:
    """Return what one observation after the other gives where only m is handed on."""
    share, single = tau**2 / (tau**2 + scale**2), (scale**-2 + tau**-2) ** -0.5
    right = reference(x, scale, m, tau)[1]
    for value in x.tolist():
        m = m + share * (value - m)
    return AnyOf((m, single), (m, tau), (m, right))


TURNS = (
    Turn("likelihood alone", "these are mean and standard error of the data: the prior counts too.",
         lambda x, scale, m, tau: AnyOf(*[(x.mean(), s / math.sqrt(len(x)) ** p)
                                          for s in (scale, float(x.std(correction=0)))
                                          for p in (1, 0)])),
    Turn("prior returned", "this is the prior: the data move it.",
         lambda x, scale, m, tau: (m, tau)),
    Turn("weights swapped", "each mean is weighted by its own precision: the data's by n/scale², "
         "the prior's by 1/tau².", _shares),
    Turn("halfway", "the posterior's mean lies between the data's and m, nearer to the surer one.",
         _halfway),
    Turn("n forgotten", "n observations say n times as much as one: the precision of the data is "
         "n/scale².", _weighed(lambda n, s, t: (1 / s**2, 1 / t**2))),
    Turn("another number for n", "there are n observations, each with its precision 1/scale²: "
         "n/scale² in all.",
         _weighed(lambda n, s, t: ((n + 1) / s**2, 1 / t**2),
                  lambda n, s, t: ((n - 1) / s**2, 1 / t**2),
                  lambda n, s, t: (math.sqrt(n) / s**2, 1 / t**2),
                  lambda n, s, t: (n**2 / s**2, 1 / t**2), kept=False)),
    Turn("prior counted n times", "there is one prior for one mean: its precision, 1/tau², comes "
         "once.", _weighed(lambda n, s, t: (n / s**2, n / t**2), kept=False)),
    Turn("standard deviations for variances", "precision is one over a variance, and scale and tau "
         "are standard deviations: square them.",
         _weighed(lambda n, s, t: (n / s, 1 / t), lambda n, s, t: (n / s**2, 1 / t),
                  lambda n, s, t: (n / s, 1 / t**2), lambda n, s, t: (math.sqrt(n) / s, 1 / t))),
    Turn("variances for weights", "the surer counts more: weigh by one over the variance.",
         _weighed(lambda n, s, t: (s**2, t**2),
                  lambda n, s, t: (n * s**2, t**2))),
    Turn("variance for standard deviation", "the second number is a variance; return its root.",
         _deviation(lambda x, s, t, sd: sd**2)),
    Turn("precision for standard deviation", "the second number is the precision, or its root: the "
         "standard deviation is one over the root.",
         _deviation(lambda x, s, t, sd: sd**-2, lambda x, s, t, sd: 1 / sd)),
    Turn("variances added", "precisions add up, not variances: the posterior is narrower than "
         "either.",
         _deviation(lambda x, s, t, sd: math.sqrt(s**2 / len(x) + t**2),
                    lambda x, s, t, sd: math.sqrt(s**2 + t**2),
                    lambda x, s, t, sd: s / math.sqrt(len(x)) + t)),
    Turn("deviations averaged", "add the precisions, then take one over the root.",
         _deviation(lambda x, s, t, sd: 1 / (math.sqrt(len(x)) / s + 1 / t),
                    lambda x, s, t, sd: (s / math.sqrt(len(x)) + t) / 2)),
    Turn("prior left out of the sd", "the prior narrows the posterior too: its precision is added "
         "to that of the data.",
         _deviation(lambda x, s, t, sd: s / math.sqrt(len(x)), lambda x, s, t, sd: s,
                    lambda x, s, t, sd: s / len(x),
                    lambda x, s, t, sd: t)),
    Turn("n left out of the sd", "n observations say n times as much as one: n/scale² belongs into "
         "the deviation as well.",
         _deviation(lambda x, s, t, sd: (1 / s**2 + 1 / t**2) ** -0.5)),
    Turn("sd of a new observation", "this is how far the next observation may lie; the deviation "
         "of the mean is asked.",
         _deviation(lambda x, s, t, sd: math.sqrt(sd**2 + s**2))),
    Turn("sd of the data", "the spread of the data is known, scale; it is not to be estimated.",
         lambda x, scale, m, tau: AnyOf(*[v for c in (0, 1) for s in [float(x.std(correction=c))]
                                          if s > 0 for v in (
             reference(x, s, m, tau), (reference(x, scale, m, tau)[0], s),
             (reference(x, scale, m, tau)[0], s / math.sqrt(len(x))),
             (reference(x, scale, m, tau)[0], reference(x, s, m, tau)[1]))])),
    Turn("one division forgotten", "the weighted sum is divided by the sum of the weights, and the "
         "data's mean stands in it, not their sum.", _undivided),
    Turn("median for mean", "the likelihood of a normal mean knows the data by their mean.",
         lambda x, scale, m, tau: AnyOf(*[
             reference(middle.expand(len(x)), scale, m, tau)
             for middle in (x.median(), x.quantile(0.5))])),
    Turn("the sheet's grid", "the posterior may lie outside of the notebook's grid, from 7 to 16: "
         "its two formulas need none.", _on_the_grid, tolerance=1e-4),
    Turn("a posterior for each", "there is one mean, and one posterior that has seen all of the "
         "data.", _each_alone, alike=_several_means),
    Turn("prior never narrowed", "what one observation leaves is the prior of the next: its "
         "deviation is handed on as well as its mean.", _never_narrower),
    Turn("deviation forgotten", "the mean and the standard deviation are asked, as a tuple.",
         lambda *given: AnyOf(*reference(*given))),
    Turn("order", "first the mean, then the standard deviation.",
         lambda x, scale, m, tau: reference(x, scale, m, tau)[::-1]),
)  # fmt: skip


def by_precisions(data, scale, m, tau):  # type: ignore[no-untyped-def]
    """Return the average weighted by precisions."""
    of_data, of_prior = len(data) / scale**2, 1 / tau**2
    precision = of_data + of_prior
    mean = (of_data * data.mean() + of_prior * m) / precision
    return mean, precision**-0.5


def by_shrinking(data, scale, m, tau):  # type: ignore[no-untyped-def]
    """Return a step from m towards the data's mean."""
    variance = scale**2 / len(data)
    share = tau**2 / (tau**2 + variance)
    return m + share * (data.mean() - m), (share * variance) ** 0.5


def by_sums(data, scale, m, tau):  # type: ignore[no-untyped-def]
    """Return the weighted sum over the precision."""
    precision = len(data) / scale**2 + 1 / tau**2
    mean = (data.sum() / scale**2 + m / tau**2) / precision
    return mean, precision**-0.5


EXERCISE = Exercise(
    name="posterior_normal_mean",
    arguments=(
        sample("data", data_about, many=(5, 12, 40), sizes=(1, 2), ties=True, edges={
            "far from the prior": lambda u, given: data_about(u, given, 6) + 60.0,
            "nine hundred observations": lambda u, given: data_about(u, given, 900)},
            used_instead=seedlings),
        positive("scale", 0.6, 4.0, used_instead=lambda: 2.0),
        real("m", -4, 4, used_instead=lambda: 10.0),
        positive("tau", 0.4, 3.0, edges={"a narrow prior": 0.01, "a flat prior": 1e4},
                 used_instead=lambda: 1.0),
    ),
    reference=reference,
    turns=TURNS,
    worked=(by_precisions, by_sums, by_shrinking),
    parts=("the mean", "the standard deviation"),
    passed="posterior_normal_mean: from 1 to 900 observations, with narrow and with flat priors.",
)  # fmt: skip
posterior_normal_mean = EXERCISE.check
