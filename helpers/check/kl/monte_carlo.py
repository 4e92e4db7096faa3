"""Checks of sheet 07, averages over draws: KL divergence by sampling, and two models on data."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.distributions import Distribution, Exponential, Normal, kl_divergence

from helpers import data
from helpers.check.kit.agree import SINGLE_PRECISION, any_of, as_tensor
from helpers.check.kit.diagnose import Case, Turn, function_agrees
from helpers.check.kit.message import passed
from helpers.check.kl import analytic
from helpers.check.kl.quadrature import make, named
from helpers.check.normal_facts import normal_log_densities


def kl_monte_carlo(answer: Any) -> bool:
    """Check ``kl_monte_carlo(p, q, n)``: the estimate and its standard error, of two normals.

    The log-ratio of a draw from p is a(z² − 1) + bz + KL with mean, variance v and fourth cumulant
    c of :func:`analytic.log_ratio_cumulants`. So the estimate has the standard error √(v/n), and
    the standard deviation of n log-ratios the relative one ½ √((c/v² + 2)/n) (delta method).

    False failures: each of two cases tests two numbers at z = 6.5. A normal has 8.0e-11 beyond it,
    four of them 3.2e-10. The estimate's skewness is at most 0.005 (|a| ≤ 0.26, b ≥ 1.1, n = 80000),
    that of the mean of squared log-ratios at most 0.02; Cramér's correction multiplies the heavier
    tail by at most exp(6.5³ · 0.02/6) = 2.5 and thins the other: below 8e-10 by this bound, and
    4e-10 where both tails are computed.
    The test computes them by saddlepoint.
    """
    cases = []
    for i, n in enumerate([80_000, 120_000]):
        u = data.uniform(f"kl: monte carlo {i}", 4).tolist()
        pair = sampled_pair(u, (-1) ** i)
        kl, variance, fourth = analytic.log_ratio_cumulants(*pair)
        error = math.sqrt(variance / n)
        p, q = make(Normal, *pair[:2]), make(Normal, *pair[2:])
        relative = 0.5 * math.sqrt((fourth / variance**2 + 2) / n)
        expected = torch.tensor([kl, error], dtype=torch.float64)
        spread = torch.tensor([error, error * relative], dtype=torch.float64)
        described = f"kl_monte_carlo({named(p)}, {named(q)}, {n})"
        cases.append(Case(described, (p, q, n), expected, spread))
    function_agrees(answer, cases, SAMPLED_TURNS)
    return passed("kl_monte_carlo: estimate and standard error within 6.5 of their own errors.")


def sampled_pair(u: list[float], side: int) -> tuple[float, float, float, float]:
    """Return loc and scale of p and of q from four numbers in (0, 1) and a sign.

    scale_p lies in [4, 5], far from a log-ratio's spread (1.2 to 1.8) and variance (1.4 to 3.3),
    scale_p/scale_q in [0.7, 0.8] and |loc_p − loc_q|/scale_q in [1.6, 2.2].
    """
    loc_p, scale_p = -3 + 6 * u[0], 4 + u[1]
    scale_q = scale_p / (0.7 + 0.1 * u[2])
    return loc_p, scale_p, loc_p + side * (1.6 + 0.6 * u[3]) * scale_q, scale_q


def _pair(p: Normal, q: Normal) -> tuple[float, float]:
    """Return mean and standard deviation of log p/q under p."""
    kl, variance, _ = analytic.log_ratio_cumulants(
        float(p.loc), float(p.scale), float(q.loc), float(q.scale)
    )
    return kl, math.sqrt(variance)


def _moments(p: Normal, of: Callable[[torch.Tensor], torch.Tensor]) -> tuple[float, float]:
    """Return mean and standard deviation of a function of x under p, by trapezoids."""
    x = torch.linspace(float(p.loc - 12 * p.scale), float(p.loc + 12 * p.scale), 4001).double()
    weight, value = p.log_prob(x).exp(), of(x)
    mean = torch.trapezoid(weight * value, x)
    return float(mean), float(torch.trapezoid(weight * (value - mean) ** 2, x).sqrt())


def _near_pairs(got: Any, wanted: "Pairs") -> bool:
    """Whether a pair is within five per cent of one of several; None stands for any number."""
    taken = as_tensor(got)
    return taken is not None and taken.shape == (2,) and any(
        all(w is None or abs(g - w) <= 0.05 * abs(w)
            for g, w in zip(taken.tolist(), pair, strict=True))
        for pair in wanted
    )  # fmt: skip


Pairs = list[tuple[float, float | None]]


def _turned(change: Callable[[float, float, int], Pairs], p: Normal, q: Normal, n: int) -> Pairs:
    return change(*_pair(p, q), n)


def _pairs(change: Callable[[float, float, int], Pairs]) -> Callable[..., Pairs]:
    """Return a turn's values from the estimate's expectation, one term's spread, and n."""
    return partial(_turned, change)


SAMPLED_TURNS = [
    Turn("sampled from q", "the draws must come from p: the average stands for p's integral.",
         lambda p, q, n: [(-_pair(q, p)[0], None)], alike=_near_pairs),
    Turn("direction reversed", "this is KL(q‖p); draw from p, and put p on top of the ratio.",
         lambda p, q, n: [(_pair(q, p)[0], None)], alike=_near_pairs),
    Turn("sign", "the ratio is p over q: log p comes first.",
         _pairs(lambda kl, s, n: [(-kl, None)]), alike=_near_pairs),
    Turn("log base 2", "your unit is the bit; take natural logarithms.",
         _pairs(lambda kl, s, n: [(kl / math.log(2), None)]), alike=_near_pairs),
    Turn("weighted twice", "draws from p carry its weights already: do not multiply with p again.",
         lambda p, q, n: [(_moments(p, lambda x: p.log_prob(x).exp()
                                    * (p.log_prob(x) - q.log_prob(x)))[0], None)],
         alike=_near_pairs),
    Turn("log forgotten", "average the logarithms of the ratios, not the ratios.",
         lambda p, q, n: [(_moments(p, lambda x: (p.log_prob(x) - q.log_prob(x)).exp())[0], None)],
         alike=_near_pairs),
    Turn("entropy forgotten", "this is the cross-entropy: log p(x) is missing from the log-ratio.",
         lambda p, q, n: [(-_moments(p, q.log_prob)[0], None)], alike=_near_pairs),
    Turn("sum for mean", "divide the sum of the log-ratios by their number.",
         _pairs(lambda kl, s, n: [(n * kl, None)]), alike=_near_pairs),
    Turn("pair in wrong order", "the estimate comes first, its standard error second.",
         _pairs(lambda kl, s, n: [(s / math.sqrt(n), kl)]), alike=_near_pairs),
    Turn("spread of one term",
         "this is how far one log-ratio strays; a mean of n of them strays less.",
         _pairs(lambda kl, s, n: [(kl, s)]), alike=_near_pairs),
    Turn("n for its root", "the error of a mean shrinks with the root of n, not with n.",
         _pairs(lambda kl, s, n: [(kl, s / n)]), alike=_near_pairs),
    Turn("variance for standard error", "the standard error has the unit of the estimate: "
         "take the root of the variance.",
         _pairs(lambda kl, s, n: [(kl, s**2), (kl, s**2 / n), (kl, s**2 / math.sqrt(n))]),
         alike=_near_pairs),
    Turn("error of the draws", "you measured how far the draws stray; it is the log-ratios that "
         "are averaged.",
         lambda p, q, n: [(_pair(p, q)[0], float(p.scale) / math.sqrt(n))], alike=_near_pairs),
]  # fmt: skip


def kl_difference(answer: Any) -> bool:
    """Check ``kl_difference(data, q1, q2)``: the mean of log q2 − log q1, for p is in neither."""
    cases = []
    for n, better in [(12, 0), (60, 1), (250, 0)]:
        u = data.uniform(f"kl: models {n}", 3).tolist()
        x = data.normal(f"kl: data {n}", n, 2 + u[0], 1.5)
        models = [(2.5 + u[0], 1.8), (-1.0 - u[1], 3.0 + u[2])]
        first, second = models if better else models[::-1]
        expected = normal_log_densities(*second, x) - normal_log_densities(*first, x)
        q1, q2 = make(Normal, *first), make(Normal, *second)
        described = f"kl_difference(data, {named(q1)}, {named(q2)}) on {n} observations"
        cases.append(Case(described, (x, q1, q2), float(expected.mean())))
    x = data.waits("kl: waits", 90, 0.5)
    r1, r2 = 2.5 + float(data.uniform("kl: rate", 1)), 0.6
    expected = (math.log(r2) - r2 * x) - (math.log(r1) - r1 * x)
    q1, q2 = (make(Exponential, r) for r in (r1, r2))
    described = f"kl_difference(data, {named(q1)}, {named(q2)}) on 90 waits"
    cases.append(Case(described, (x, q1, q2), float(expected.mean())))
    # In single precision a difference of two means loses a digit.
    function_agrees(answer, cases, DIFFERENCE_TURNS, bound=3 * SINGLE_PRECISION)
    return passed("kl_difference: the mean log-density of q2 minus that of q1, without p.")


def _both(
    combine: Callable[[torch.Tensor, torch.Tensor], Any],
) -> Callable[[torch.Tensor, Distribution, Distribution], Any]:
    """Return a turn's value from the log-densities of q1 and q2."""
    return lambda x, q1, q2: combine(q1.log_prob(x), q2.log_prob(x))


def _with_fitted(x: torch.Tensor, q1: Distribution, q2: Distribution) -> list[torch.Tensor]:
    """Return the difference with a normal in place of p, fitted with either variance."""
    fits = [Normal(x.mean(), x.std(correction=c)) for c in (0, 1)]
    return [kl_divergence(p, q1) - kl_divergence(p, q2) for p in fits]


DIFFERENCE_TURNS = [
    Turn("models swapped", "KL(p‖q1) comes first: the better q1 fits, the smaller it is.",
         _both(lambda one, two: (one - two).mean())),
    Turn("sum for mean", "divide by the number of observations.",
         _both(lambda one, two: (two - one).sum())),
    Turn("log base 2", "your unit is the bit; take natural logarithms.",
         _both(lambda one, two: (two - one).mean() / math.log(2))),
    Turn("log forgotten", "these are densities or their ratios; average the logarithms.",
         _both(lambda one, two: [(two.exp() - one.exp()).mean(), (two - one).exp().mean(),
                                 (two.exp() / one.exp()).mean()]), alike=any_of),
    Turn("log of the mean", "take the logarithm of each density first, and average afterwards.",
         _both(lambda one, two: [two.exp().mean().log() - one.exp().mean().log(),
                                 (two - one).exp().mean().log()]), alike=any_of),
    Turn("median for mean", "the difference of two divergences is a mean; a median forgets tails.",
         _both(lambda one, two: [(two - one).median(), two.median() - one.median(),
                                 (two - one).quantile(0.5)]), alike=any_of),
    Turn("normal fitted as p",
         "the data need not be normal: the mean of the log-ratios asks for no model of p.",
         _with_fitted, alike=any_of),
    Turn("one model only", "both models count: this has the log-densities of one of them.",
         _both(lambda one, two: [s * v.mean() for s in (1, -1) for v in (one, two)]), alike=any_of),
    Turn("KL between the models", "the data decide which is nearer: neither model is the truth.",
         lambda x, q1, q2: [s * kl_divergence(*pair) for s in (1, -1)
                            for pair in ((q1, q2), (q2, q1))], alike=any_of),
    Turn("entropies subtracted", "the entropy in both divergences is that of p, and it cancels.",
         lambda x, q1, q2: (-q1.log_prob(x).mean() - q1.entropy())
         - (-q2.log_prob(x).mean() - q2.entropy())),
    Turn("not averaged", "this is one log-ratio for each observation; take the mean.",
         _both(lambda one, two: two - one)),
]  # fmt: skip
