"""Checks of sheet 02, last part: KL divergence from a mean negative log-likelihood."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.distributions import Normal

from helpers import data
from helpers.check import normal_facts
from helpers.check.kit.agree import any_of
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed

KL_DRAWS = 100_000


def kl_estimate(answer: Any) -> bool:
    """Check ``kl_estimate(data, p, q)`` against the closed form, with data drawn from p.

    Both right estimators are means of n = 100000 independent terms a·(z² − 1) + b·z + KL of a
    standard normal z; b = √ρ·δ, and a = ρ/2 with p.entropy() or (ρ − 1)/2 with −mean log p(data),
    for ρ = (scale_p/scale_q)², δ = (loc_p − loc_q)/scale_q. The standard error is the larger one.

    False failures: beyond z = 6.5 a normal has 8.0e-11, both tails together. Skewness is at most
    √8 a term (that of z²), √(8/n) = 0.009 for the mean, and multiplies the heavier tail by at most
    exp(6.5³·0.009/6) = 1.5 (Cramér's correction). So 1.0e-10 a case, 2.0e-10 for two: below 1e-9.
    The test of this bound integrates the tail of the quadratic form by saddlepoint.
    """
    cases = []
    for i in range(2):
        u = data.uniform(f"likelihood: kl {i}", 4).tolist()
        loc_p, scale_p = -3 + 6 * u[0], 0.8 + 0.4 * u[1]
        scale_q = scale_p * (2.5 + u[2])
        loc_q = loc_p + (-1) ** i * scale_q * (1.2 + 0.6 * u[3])
        x = data.normal(f"likelihood: kl data {i}", KL_DRAWS, loc_p, scale_p)
        p, q = (Normal(*torch.tensor(v, dtype=torch.float64)) for v in
                [(loc_p, scale_p), (loc_q, scale_q)])  # fmt: skip
        expected = normal_facts.normal_kl(loc_p, scale_p, loc_q, scale_q)
        described = (
            f"kl_estimate(data, Normal({loc_p:.2f}, {scale_p:.2f}), "
            f"Normal({loc_q:.2f}, {scale_q:.2f})) on {KL_DRAWS} draws"
        )
        error = kl_standard_error(scale_p / scale_q, (loc_p - loc_q) / scale_q, KL_DRAWS)
        cases.append(Case(described, (x, p, q), expected, error))
    function_agrees(answer, cases, KL_TURNS)
    return passed("kl_estimate: the closed form, give or take what the draws allow.")


def kl_standard_error(ratio: float, shift: float, n: int) -> float:
    """Return the larger standard error of the two estimators of KL(p‖q) from n draws of p.

    Var[a·(z² − 1) + b·z] = 2a² + b², with a and b as in :func:`kl_estimate`.

    Args:
        ratio: scale_p / scale_q.
        shift: (loc_p − loc_q) / scale_q.
        n: number of draws.
    """
    a = max(ratio**2, abs(ratio**2 - 1)) / 2
    return math.sqrt((2 * a**2 + (ratio * shift) ** 2) / n)


KlTurn = Callable[[torch.Tensor, Normal, Normal], list[Any]]


def _with(combine: Callable[[torch.Tensor, torch.Tensor], Any]) -> KlTurn:
    """Return a turn's values from cross-entropy and entropy, the entropy exact and estimated."""
    return lambda x, p, q: [
        combine(-q.log_prob(x).mean(), entropy) for entropy in (p.entropy(), -p.log_prob(x).mean())
    ]


KL_TURNS = [
    Turn("direction reversed",
         "this measures from q to p; the data come from p: average −log q, subtract p's entropy.",
         lambda x, p, q: [-p.log_prob(x).mean() - q.entropy(),
                          torch.distributions.kl_divergence(q, p)], alike=any_of),
    Turn("entropy forgotten", "this is the cross-entropy; the entropy of p is still in it.",
         _with(lambda cross, entropy: cross), alike=any_of),
    Turn("entropy added", "cross-entropy is entropy plus divergence: subtract the entropy.",
         _with(lambda cross, entropy: cross + entropy), alike=any_of),
    Turn("sign", "a divergence is never negative: cross-entropy comes first, with its minus.",
         _with(lambda cross, entropy: entropy - cross), alike=any_of),
    Turn("log base 2", "your unit is the bit; take natural logarithms.",
         _with(lambda cross, entropy: (cross - entropy) / math.log(2)), alike=any_of),
    Turn("log base 10", "you took decimal logarithms; take natural ones.",
         _with(lambda cross, entropy: (cross - entropy) / math.log(10)), alike=any_of),
    Turn("sum for mean", "you add up over the data; divide by their number.",
         lambda x, p, q: [-q.log_prob(x).sum() - p.entropy(),
                          (p.log_prob(x) - q.log_prob(x)).sum(),
                          len(x) * (-q.log_prob(x).mean() - p.entropy())], alike=any_of),
    Turn("minus forgotten",
         "the negative log-likelihood has a minus: cross-entropy is minus the mean of log q.",
         _with(lambda cross, entropy: -cross - entropy), alike=any_of),
    Turn("entropy of q", "the entropy to subtract is that of p, which the data come from.",
         lambda x, p, q: [-q.log_prob(x).mean() - q.entropy()], alike=any_of),
    Turn("not averaged", "this is one log-ratio for each observation; take the mean.",
         lambda x, p, q: [p.log_prob(x) - q.log_prob(x), -q.log_prob(x) - p.entropy()],
         alike=any_of),
]  # fmt: skip
