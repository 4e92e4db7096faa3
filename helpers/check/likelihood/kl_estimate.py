"""kl_estimate(data, p, q): KL divergence from a mean negative log-likelihood."""

import math
from collections.abc import Callable

import torch
from torch.distributions import Normal, kl_divergence

from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Argument, Draws, Given, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

Gives = Callable[[torch.Tensor, Normal, Normal], object]


def reference(x: torch.Tensor, p: Normal, q: Normal) -> AnyOf:
    """Return the cross-entropy's estimate less the entropy, known or estimated from the data."""
    cross = -q.log_prob(x).mean()
    return AnyOf(cross - p.entropy(), cross + p.log_prob(x).mean())


def _p(u: Draws, given: Given) -> Normal:
    return Normal(*torch.tensor([u.real(-3, 3), u.real(0.8, 1.2)]).double())


def _q(u: Draws, given: Given) -> Normal:
    p = given["p"]
    scale = p.scale * u.real(2.5, 3.5)
    return Normal(p.loc + u.choice((-1, 1)) * scale * u.real(0.6, 1.6), scale)


def _data(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return draws from about where p is: the data are drawn first, p is chosen to fit them."""
    return u.normal(n, 0.3, 0.6)


def _shown(normal: Normal) -> str:
    return f"Normal({float(normal.loc):.2f}, {float(normal.scale):.2f})"


def _with(combine: Callable[[torch.Tensor, torch.Tensor], object]) -> Gives:
    """Return a turn's values from cross-entropy and entropy, the entropy known and estimated."""
    return lambda x, p, q: AnyOf(
        *[combine(-q.log_prob(x).mean(), entropy)
          for entropy in (p.entropy(), -p.log_prob(x).mean())]
    )  # fmt: skip


def _trapezoid(x: torch.Tensor, p: Normal, q: Normal) -> torch.Tensor:
    return torch.trapezoid(p.log_prob(x).exp() * (p.log_prob(x) - q.log_prob(x)), x)


def _corrected(x: torch.Tensor, p: Normal, q: Normal) -> torch.Tensor:
    """Return the mean of t − 1 − log t with t = q/p, which has the same mean and no minus."""
    log_t = q.log_prob(x) - p.log_prob(x)
    return (log_t.exp() - 1 - log_t).mean()


def _raised(x: torch.Tensor, p: Normal, q: Normal) -> AnyOf:
    """Return what comes of densities that are kept from zero before their logs are taken."""
    dp, dq, known = p.log_prob(x).exp(), q.log_prob(x).exp(), p.entropy()
    found = []
    for e in [10.0**-k for k in range(3, 46)]:
        for a, b in ((dp + e, dq + e), (dp.clamp(min=e), dq.clamp(min=e))):
            found += [(a / b).log().mean(), -b.log().mean() - known]
            found.append((a.log() - q.log_prob(x)).mean())
    return AnyOf(*found)


def _entropies(x: torch.Tensor, p: Normal, q: Normal) -> AnyOf:
    """Return what comes of the entropy by hand, with a slip in ½ log(2πe σ²)."""
    whole = 2 * math.pi * math.e
    inside = (whole * p.scale, 2 * math.pi * p.scale**2, math.pi * math.e * p.scale**2,
              whole * p.scale**4, p.scale**2)  # fmt: skip
    slips = [0.5 * v.log() for v in inside]
    slips += [(whole * p.scale**k).log() for k in (1, 2)]
    return AnyOf(*[-q.log_prob(x).mean() - slip for slip in slips])


TURNS = (
    Turn("direction reversed",
         "this measures from q to p; the data come from p: average −log q, subtract p's entropy.",
         lambda x, p, q: AnyOf(-p.log_prob(x).mean() - q.entropy(), kl_divergence(q, p))),
    Turn("closed form", "this is the formula for two normals; estimate it from the data.",
         lambda x, p, q: kl_divergence(p, q)),
    Turn("entropy forgotten", "this is the cross-entropy; the entropy of p is still in it.",
         lambda x, p, q: -q.log_prob(x).mean()),
    Turn("entropy added", "cross-entropy is entropy plus divergence: subtract the entropy.",
         _with(lambda cross, entropy: cross + entropy)),
    Turn("sign", "cross-entropy comes first, with its minus: average log p − log q.",
         _with(lambda cross, entropy: entropy - cross)),
    Turn("log base 2", "your unit is the bit; take natural logarithms.",
         _with(lambda cross, entropy: (cross - entropy) / math.log(2))),
    Turn("log base 10", "you took decimal logarithms; take natural ones.",
         _with(lambda cross, entropy: (cross - entropy) / math.log(10))),
    Turn("sum for mean", "you add up over the data; divide by their number.",
         lambda x, p, q: AnyOf(-q.log_prob(x).sum() - p.entropy(),
                               (p.log_prob(x) - q.log_prob(x)).sum(),
                               len(x) * (-q.log_prob(x).mean() - p.entropy()))),
    Turn("minus forgotten",
         "the negative log-likelihood has a minus: cross-entropy is minus the mean of log q.",
         lambda x, p, q: q.log_prob(x).mean() - p.entropy()),
    Turn("entropy of q", "the entropy to subtract is that of p, which the data come from.",
         lambda x, p, q: -q.log_prob(x).mean() - q.entropy()),
    Turn("not averaged", "this is one log-ratio for each observation; take the mean.",
         lambda x, p, q: AnyOf(p.log_prob(x) - q.log_prob(x), -q.log_prob(x) - p.entropy())),
    Turn("log of the mean", "take the logarithm of each density first, and average afterwards.",
         lambda x, p, q: AnyOf((p.log_prob(x) - q.log_prob(x)).exp().mean().log(),
                               -q.log_prob(x).exp().mean().log() - p.entropy(),
                               -(q.log_prob(x) - p.log_prob(x)).exp().mean().log(),
                               -q.log_prob(x.mean()) - p.entropy())),
    Turn("log of a zero", "far out a density is zero before its log is taken: average the "
         "difference of two log_prob, which stay finite.",
         lambda x, p, q: AnyOf((p.log_prob(x).exp() / q.log_prob(x).exp()).log().mean(),
                               (p.log_prob(x).exp().log() - q.log_prob(x)).mean(),
                               -q.log_prob(x).exp().log().mean() - p.entropy())),
    Turn("small densities raised", "a density far out counts as it is, however small: no clamp and "
         "no epsilon; log_prob needs neither.", _raised),
    Turn("entropy's formula", "the entropy of a normal is ½ log(2πe σ²); p.entropy() knows it.",
         _entropies),
    Turn("quotient for difference", "cross-entropy is entropy plus divergence: subtract, do not "
         "divide.", _with(lambda cross, entropy: cross / entropy)),
    Turn("n − 1 for n", "a mean divides by n; nothing is estimated here beforehand.",
         lambda x, p, q: AnyOf(*[s / (len(x) - 1) - e for s, e in
                                 ((-q.log_prob(x).sum(), p.entropy()),
                                  ((p.log_prob(x) - q.log_prob(x)).sum(), 0.0))])),
    Turn("another estimator", "this estimates the divergence as well; asked is the mean negative "
         "log-likelihood less the entropy of p.", _corrected),
    Turn("entropy in bits", "both are measured in nats: divide neither by log 2.",
         lambda x, p, q: AnyOf(-q.log_prob(x).mean() - p.entropy() / math.log(2),
                               -q.log_prob(x).mean() / math.log(2) - p.entropy())),
    Turn("spread for mean", "the divergence is the mean of the log-ratio, not its spread.",
         lambda x, p, q: AnyOf(*[f(p.log_prob(x) - q.log_prob(x))
                                 for f in (torch.var, torch.std)])),
    Turn("largest for mean", "the divergence is the mean of the log-ratio, not its largest value.",
         lambda x, p, q: AnyOf((p.log_prob(x) - q.log_prob(x)).max(),
                               (-q.log_prob(x)).max() - p.entropy())),
    Turn("squared", "the divergence is the mean of the log-ratio itself, not of its square.",
         lambda x, p, q: AnyOf(*[f * ((p.log_prob(x) - q.log_prob(x)) ** 2).mean()
                                 for f in (0.5, 1.0)])),
    Turn("median for mean", "the cross-entropy is a mean of −log q, not its median.",
         lambda x, p, q: AnyOf((-q.log_prob(x)).median() - p.entropy(),
                               (p.log_prob(x) - q.log_prob(x)).median())),
    Turn("weighted twice", "draws from p carry its weights already: do not multiply with p again.",
         lambda x, p, q: AnyOf((p.log_prob(x).exp() * (p.log_prob(x) - q.log_prob(x))).mean(),
                               (p.log_prob(x).exp() * (p.log_prob(x) - q.log_prob(x))).sum(),
                               (-p.log_prob(x).exp() * q.log_prob(x)).mean() - p.entropy())),
    Turn("an integral over the data", "draws from p are no grid: their mean is all that is needed.",
         lambda x, p, q: _trapezoid(x.sort().values, p, q)),
    Turn("perplexity", "the cross-entropy is the mean of −log q; no exp belongs there.",
         lambda x, p, q: AnyOf((-q.log_prob(x).mean()).exp() - p.entropy(),
                               (-q.log_prob(x).mean()).exp())),
    Turn("entropy divided by n", "the entropy is no sum over the data: do not divide it by n.",
         lambda x, p, q: -q.log_prob(x).mean() - p.entropy() / len(x)),
    Turn("log forgotten", "average logarithms, not densities or their ratios.",
         lambda x, p, q: AnyOf((p.log_prob(x) - q.log_prob(x)).exp().mean(),
                               -q.log_prob(x).exp().mean() - p.entropy())),
    Turn("absolute value", "an estimate may come out below zero: leave it as it is.",
         lambda x, p, q: AnyOf((p.log_prob(x) - q.log_prob(x)).abs().mean(),
                               *[v.abs() for v in reference(x, p, q).values])),
    Turn("cut at zero", "an estimate may come out below zero: leave it as it is.",
         lambda x, p, q: AnyOf(*[f(v) for v in reference(x, p, q).values for f in (
             torch.relu, torch.nn.functional.softplus)])),
)  # fmt: skip


def _far_out(u: Draws, given: Given) -> torch.Tensor:
    """Return observations of which one is so far out that neither density is above zero."""
    x, q = given["data"].clone(), given["q"]
    x[u.whole(0, len(x) - 1)] = q.loc + u.choice((-1.0, 1.0)) * u.real(50, 60) * q.scale
    return x


def _fitted(u: Draws, given: Given) -> Normal:
    """Return the normal that fits the data best: nearer to them than p, the estimate negative."""
    return Normal(given["data"].mean(), given["data"].std(correction=0))


def by_ratios(data: torch.Tensor, p: Normal, q: Normal) -> torch.Tensor:
    """Return the mean of the log-ratios."""
    return (p.log_prob(data) - q.log_prob(data)).mean()


def by_formulas(data: torch.Tensor, p: Normal, q: Normal) -> torch.Tensor:
    """Return cross-entropy less entropy, without torch.distributions."""
    z = (data - q.loc) / q.scale
    cross_entropy = 0.5 * (z**2).mean() + torch.log(q.scale) + 0.5 * math.log(2 * math.pi)
    return cross_entropy - torch.log(p.scale) - 0.5 * math.log(2 * math.pi * math.e)


def by_entropy(data: torch.Tensor, p: Normal, q: Normal) -> torch.Tensor:
    """Return the cross-entropy's estimate less the entropy."""
    cross_entropy = -q.log_prob(data).mean()
    return cross_entropy - p.entropy()


EXERCISE = Exercise(
    name="kl_estimate",
    arguments=(
        sample("data", _data, many=(6, 31, 120), sizes=(1, 2500), ties=True,
               edges={"an observation far out": _far_out}),
        Argument("p", _p, shown=_shown),
        Argument("q", _q, shown=_shown, edges={"an estimate below zero": _fitted}),
    ),
    reference=reference,
    agree=Close(single=True),
    turns=TURNS,
    worked=(by_ratios, by_formulas, by_entropy),
    passed="kl_estimate: cross-entropy less entropy, on samples of 1 to 120.",
)  # fmt: skip
kl_estimate = EXERCISE.check
