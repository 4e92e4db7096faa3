"""kl_difference(data, q1, q2): which of two models is nearer to the truth, from data alone."""

import math
from collections.abc import Callable

import torch
from torch.distributions import Distribution, Exponential, Normal, kl_divergence

from helpers import data
from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Argument, Draws, Given, Jointly, sample
from helpers.check.kit.compare import SINGLE_PRECISION, AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kl.distributions import make, shown


def reference(x: torch.Tensor, q1: Distribution, q2: Distribution) -> float:
    """Return the mean of log q2 − log q1: the entropy of p is in both divergences, and cancels."""
    return float((q2.log_prob(x) - q1.log_prob(x)).mean())


def by_mean(data: torch.Tensor, q1: Distribution, q2: Distribution) -> object:
    """The difference as the sheet leads to it."""
    return (q2.log_prob(data) - q1.log_prob(data)).mean()


def by_losses(data: torch.Tensor, q1: Distribution, q2: Distribution) -> object:
    """The difference as one of two mean negative log-likelihoods."""
    first = -q1.log_prob(data).sum() / len(data)
    second = -q2.log_prob(data).sum() / len(data)
    return first - second


def _both(combine: Callable[[torch.Tensor, torch.Tensor], object]) -> Callable[..., object]:
    """Return a turn's value from the log-densities of q1 and q2."""
    return lambda x, q1, q2: combine(q1.log_prob(x), q2.log_prob(x))


def _with_fitted(x: torch.Tensor, q1: Distribution, q2: Distribution) -> AnyOf:
    """Return the difference with a normal in place of p, fitted with either variance."""
    if len(x) < 2:
        raise ValueError("one observation has no spread")
    fits = [Normal(x.mean(), x.std(correction=c)) for c in (0, 1)]
    return AnyOf(*[kl_divergence(p, q1) - kl_divergence(p, q2) for p in fits])


def _medians(one: torch.Tensor, two: torch.Tensor) -> AnyOf:
    return AnyOf((two - one).median(), (two - one).quantile(0.5), two.median() - one.median(),
                 two.quantile(0.5) - one.quantile(0.5))  # fmt: skip


TURNS = (
    Turn("models swapped", "KL(p‖q1) comes first: the better q1 fits, the smaller it is.",
         _both(lambda one, two: (one - two).mean())),
    Turn("sum for mean", "divide by the number of observations.",
         _both(lambda one, two: (two - one).sum())),
    Turn("n − 1 for n", "divide by the number of observations, all of them.",
         _both(lambda one, two: (two - one).sum() / (len(one) - 1))),
    Turn("log base 2", "your unit is the bit; take natural logarithms.",
         _both(lambda one, two: (two - one).mean() / math.log(2))),
    Turn("log forgotten", "these are densities or their ratios; average the logarithms.",
         _both(lambda one, two: AnyOf((two.exp() - one.exp()).mean(), (two - one).exp().mean(),
                                      (one - two).exp().mean()))),
    Turn("log of the mean", "take the logarithm of each density first, and average afterwards.",
         _both(lambda one, two: AnyOf(two.exp().mean().log() - one.exp().mean().log(),
                                      (two - one).exp().mean().log(),
                                      -(one - two).exp().mean().log()))),
    Turn("weighted twice", "the data carry the weights of p already: an average needs no density "
         "in front.",
         _both(lambda one, two: AnyOf((one.exp() * (two - one)).mean(),
                                      (two.exp() * (two - one)).mean(),
                                      (two.exp() * two - one.exp() * one).mean(),
                                      (one.softmax(0) * (two - one)).sum(),
                                      (two.softmax(0) * (two - one)).sum()))),
    Turn("squared", "the log-ratios are averaged as they are, not their squares.",
         _both(lambda one, two: AnyOf(((two - one) ** 2).mean(), (two - one).mean() ** 2))),
    Turn("ratio for difference", "the divergences are subtracted, not divided.",
         _both(lambda one, two: AnyOf(one.mean() / two.mean(), two.mean() / one.mean()))),
    Turn("absolute value", "the difference is negative where q1 is nearer: leave its sign.",
         _both(lambda one, two: AnyOf((two - one).mean().abs(), (two - one).abs().mean()))),
    Turn("cut at zero", "the difference is negative where q1 is nearer: leave it as it is.",
         _both(lambda one, two: (two - one).mean().clamp(min=0))),
    Turn("median for mean", "the difference of two divergences is a mean; a median forgets tails.",
         _both(_medians)),
    Turn("normal fitted as p",
         "the data need not be normal: the mean of the log-ratios asks for no model of p.",
         _with_fitted),
    Turn("extreme for mean", "take the mean of the log-ratios, not the largest or the smallest.",
         _both(lambda one, two: AnyOf((two - one).max(), (two - one).min()))),
    Turn("log-densities clipped", "a log-density may be far below zero: leave it as it is.",
         _both(lambda one, two: AnyOf(*[(two.clamp(min=c) - one.clamp(min=c)).mean()
                                        for c in (-5, -10, -20)]))),
    Turn("at the mean only", "each observation has a log-density of its own: average those.",
         lambda x, q1, q2: q2.log_prob(x.mean()) - q1.log_prob(x.mean())),
    Turn("one model only", "both models count: this has the log-densities of one of them.",
         _both(lambda one, two: AnyOf(*[s * v.mean() for s in (1, -1) for v in (one, two)]))),
    Turn("added for subtracted", "one divergence less the other: what do the signs make of it?",
         _both(lambda one, two: AnyOf((one + two).mean(), -(one + two).mean()))),
    Turn("KL between the models", "the data decide which is nearer: neither model is the truth.",
         lambda x, q1, q2: AnyOf(*[s * kl_divergence(*pair) for s in (1, -1)
                                   for pair in ((q1, q2), (q2, q1))])),
    Turn("entropies subtracted", "the entropy in both divergences is that of p, and it cancels.",
         lambda x, q1, q2: AnyOf(*[reference(x, q1, q2) + s * (q2.entropy() - q1.entropy())
                                   for s in (1, -1)])),
    Turn("not averaged", "this is one log-ratio for each observation; take the mean.",
         _both(lambda one, two: two - one)),
)  # fmt: skip


def _data(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return skewed data, so that no normal fitted to them stands for them."""
    z = u.normal(n)
    return u.real(1.5, 3) + 1.5 * (z + 0.3 * (z**2 - 1))


def _near(u: Draws, given: Given) -> Normal:
    return make(Normal, u.real(3.2, 4.2), u.real(1.6, 2.2))


def _far(u: Draws, given: Given) -> Normal:
    return make(Normal, u.real(-4, -2), u.real(1.8, 3))


def _fitted(u: Draws, given: Given) -> Normal:
    return Normal(given["data"].mean(), given["data"].std(correction=0))


def _waits(u: Draws, given: Given) -> Jointly:
    x = -torch.log1p(-u.uniform(40)) / 0.5
    return Jointly(data=x, q1=make(Exponential, u.real(2.5, 3.5)), q2=make(Exponential, 0.6))


def _many(u: Draws, given: Given) -> torch.Tensor:
    """Return thousands of data, the smallest first: a part of them says something else."""
    return _data(u, given, 12_000).sort().values


def _outlier(u: Draws, given: Given) -> torch.Tensor:
    """Return data one of which lies so far out that its density is zero in double precision."""
    return torch.cat([_data(u, given, 8), torch.tensor([u.real(150, 200)], dtype=torch.float64)])


EXERCISE = Exercise(
    name="kl_difference",
    arguments=(
        sample("data", _data, many=(12, 31, 60), sizes=(1, 2),
               used_instead=data.kl_sample, ties=True,
               edges={"for two models of waits": _waits, "with one far out": _outlier,
                      "of 12 000 observations": _many}),
        Argument("q1", _near, shown=shown, edges={
            "the best q1": _fitted,
            "for two models alike": lambda u, given: given["q2"]}),
        Argument("q2", _far, shown=shown, edges={"where q2 is nearer": _fitted}),
    ),
    reference=reference,
    # In single precision a difference of two means loses a digit.
    agree=Close(rtol=3 * SINGLE_PRECISION, single=True),
    turns=TURNS,
    worked=(by_mean, by_losses),
    passed="kl_difference: the mean log-density of q2 minus that of q1, without p.",
)  # fmt: skip
kl_difference = EXERCISE.check
