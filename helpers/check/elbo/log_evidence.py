"""log_evidence(flips): the log probability of flips, θ averaged out."""

import math

import torch
from torch.distributions import Beta
from torch.nn.functional import logsigmoid

from helpers.check.elbo import analytic
from helpers.check.elbo.coins import EDGES, flips, flips_argument
from helpers.check.kit.asks import Draws, Given
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

MANY, MANY_TAILS = "of 3000 flips", "of 3000 flips, all of them tails"
# Nodes for quadrature in logs, beyond the posterior of y after thousands of flips of one side.
NODES = torch.linspace(-40, 40, 8001, dtype=torch.float64)


def reference(x: torch.Tensor, more: float = 0.0) -> float:
    """Return log B(1 + heads, 1 + tails), both enlarged by ``more``."""
    a, b = analytic.exponents(x)
    return analytic.log_evidence(a + more, b + more)


def _thousands(u: Draws, given: Given) -> torch.Tensor:
    return flips(u, given, 3000)


def _at_best(x: torch.Tensor) -> float:
    """Return the log-likelihood at its maximum, the share of heads."""
    share = x.mean()
    return float(torch.xlogy(x.sum(), share) + torch.xlogy((1 - x).sum(), 1 - share))


def _cut(x: torch.Tensor) -> AnyOf:
    """Return the log evidence over −k ≤ y ≤ k; beyond 5 a millionth or less is missing."""
    a, b = analytic.exponents(x)
    values = []
    for k in (1.0, 2.0, 3.0, 4.0):
        y = torch.linspace(-k, k, 8001, dtype=torch.float64)
        logs = analytic.log_joint(y, a, b)
        values.append(float(logs.max() + torch.trapezoid((logs - logs.max()).exp(), y).log()))
    return AnyOf(*values)


def _factorials(x: torch.Tensor) -> AnyOf:
    """Return log h! + log t! − log (n + 1)! with a + 1 forgotten here or there."""
    h, t, n = float(x.sum()), float((1 - x).sum()), len(x)
    both, low = math.lgamma(h + 1) + math.lgamma(t + 1), math.lgamma(h) + math.lgamma(t)
    return AnyOf(both - math.lgamma(n + 1), low - math.lgamma(n + 1), low - math.lgamma(n + 2),
                 both - math.lgamma(n + 1) - math.log(n))  # fmt: skip


def _highest(x: torch.Tensor) -> float:
    """Return the log joint density at its peak."""
    a, b = analytic.exponents(x)
    return a * math.log(a / (a + b)) + b * math.log(b / (a + b))


def _at_one(x: torch.Tensor) -> AnyOf:
    """Return the log-likelihood at the mean of θ, and at the θ of other modes."""
    h, n = float(x.sum()), len(x)
    modes = [(h + 1) / (n + 2)] + ([(h + 0.5) / (n + 1)] if n else [])
    return AnyOf(*[h * math.log(t) + (n - h) * math.log(1 - t) for t in modes])


def _for_many(x: torch.Tensor) -> AnyOf:
    """Return the criterion of Schwarz, Laplace's integrals, and Stirling's factorials."""
    h, n = float(x.sum()), len(x)
    a, b = analytic.exponents(x)
    bend = a * b / (a + b)  # of the log joint density of y at its peak
    found = [_at_best(x) - 0.5 * math.log(n), _highest(x) + 0.5 * math.log(2 * math.pi / bend)]
    if 0 < h < n:  # the peak of the likelihood, on the scale of θ
        found.append(_at_best(x) + 0.5 * math.log(2 * math.pi * h * (n - h) / n**3))

    def rough(k: float) -> float:
        return k * math.log(k) - k if k else 0.0

    def fine(k: float) -> float:
        return rough(k) + 0.5 * math.log(2 * math.pi * k) if k else 0.0

    found += [log(h) + log(n - h) - log(n + 1) for log in (rough, fine)]
    found += [log(h) + log(n - h) - log(n) - math.log(n + 1) for log in (rough, fine)]
    return AnyOf(*found)


def _one_for_both(x: torch.Tensor) -> AnyOf:
    """Return log h! or log t! in the place of the other."""
    h, t, n = float(x.sum()), float((1 - x).sum()), len(x)
    return AnyOf(*[2 * math.lgamma(k + 1) - math.lgamma(n + 2) for k in (h, t)])


def _of_posterior(x: torch.Tensor) -> AnyOf:
    """Return numbers of the posterior of θ: its log-density at mean and mode, its entropy."""
    a, b = torch.tensor(analytic.exponents(x), dtype=torch.float64)
    posterior = Beta(a, b)
    share = x.mean()
    mode = posterior.log_prob(share) if 0 < share < 1 else posterior.mean
    return AnyOf(posterior.log_prob(posterior.mean), mode, posterior.entropy())


def _by_jeffreys(x: torch.Tensor) -> AnyOf:
    """Return the evidence under Jeffreys' prior, normalised or not."""
    h, t, n = float(x.sum()), float((1 - x).sum()), len(x)
    log_beta = math.lgamma(h + 0.5) + math.lgamma(t + 0.5) - math.lgamma(n + 1)
    return AnyOf(log_beta, log_beta - math.log(math.pi))


def _best_elbo(x: torch.Tensor) -> float:
    a, b = analytic.exponents(x)
    return float(analytic.elbo(*analytic.optimum(a, b), a, b))


TURNS = (
    Turn("Jacobian forgotten",
         "the integral over y needs the Jacobian; over θ it is that of θ^heads (1 − θ)^tails.",
         lambda x: reference(x, -1)),
    Turn("sign", "this is minus the log evidence; a probability below 1 has a negative log.",
         lambda x: -reference(x)),
    Turn("log forgotten", "this is the evidence itself; its log is asked for.",
         lambda x: math.exp(reference(x))),
    Turn("orders counted",
         "the flips came in one order; a binomial coefficient would count all orders.",
         lambda x: AnyOf(-math.log(len(x) + 1), -2 * math.log(len(x) + 1) - reference(x))),
    Turn("maximum for average",
         "this is the highest point; the evidence averages over all θ.",
         lambda x: AnyOf(_at_best(x), _highest(x))),
    Turn("a single θ", "this is the probability for one θ, a mean or a mode; the evidence averages "
         "over all θ.", _at_one),
    Turn("for many flips only", "this comes near for many flips (BIC, Laplace, Stirling): the "
         "exact average is asked.", _for_many),
    Turn("best ELBO returned", "this is the highest ELBO; the evidence lies above it.", _best_elbo,
         tolerance=1e-4),
    Turn("log inside the integral",
         "average the likelihood over θ first, then take the log.", lambda x: -float(len(x)),
         tolerance=0.01),
    Turn("a fair coin", "this is the probability for θ = ½; the evidence averages over all θ.",
         lambda x: -len(x) * math.log(2)),
    Turn("missing + 1",
         "log k! is lgamma(k + 1), and below stands (n + 1)!: look for a forgotten + 1.",
         _factorials),
    Turn("range too short", "part of the joint density lies outside your range of y.", _cut),
    Turn("heads for tails", "heads and tails each have a factorial of their own.", _one_for_both),
    Turn("posterior returned", "this belongs to the posterior of θ; the evidence is what divides "
         "it.", _of_posterior),
    Turn("another prior", "θ is uniform before the flips.", _by_jeffreys),
    Turn("mean for sum", "this is the log evidence of one flip on average: leave the n out.",
         lambda x: reference(x) / len(x)),
)  # fmt: skip


def by_factorials(flips: torch.Tensor) -> torch.Tensor:
    """Return log h! + log t! − log (h + t + 1)!."""
    heads = flips.sum()
    tails = len(flips) - heads
    return torch.lgamma(heads + 1) + torch.lgamma(tails + 1) - torch.lgamma(heads + tails + 2)


def by_nodes(flips: torch.Tensor) -> torch.Tensor:
    """Return quadrature in logs."""
    heads, tails = flips.sum(), (1 - flips).sum()
    log_p = (heads + 1) * logsigmoid(NODES) + (tails + 1) * logsigmoid(-NODES)
    return torch.logsumexp(log_p, 0) + math.log(0.01)


EXERCISE = Exercise(
    name="log_evidence",
    arguments=(flips_argument(many=(8, 15, 41), edges={
        **EDGES, MANY: _thousands, MANY_TAILS: torch.zeros(3000, dtype=torch.float64)}),),
    reference=reference,
    turns=TURNS,
    worked=(by_factorials, by_nodes),
    hints={MANY: "the product of so many probabilities is zero in floating point, or the peak is "
           "narrower than your steps: stay on the log scale.",
           MANY_TAILS: "large numbers cancel here, to eight: stay in double precision, in which "
           "the flips are; or the joint density reaches beyond your range of y."},
    passed="log_evidence: log B(1 + heads, 1 + tails), of 1 to 3000 flips.",
)  # fmt: skip
log_evidence = EXERCISE.check
