"""Checks of sheet 07: two models compared on data, without the truth."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.distributions import Distribution, Exponential, Normal, kl_divergence

from helpers import data
from helpers.check.kit.agree import SINGLE_PRECISION, any_of
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed
from helpers.check.kl.distributions import make
from helpers.check.kl.distributions import shown as named
from helpers.check.normal_facts import normal_log_densities


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
