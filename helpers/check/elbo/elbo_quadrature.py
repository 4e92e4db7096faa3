"""elbo_quadrature(mu, sigma, flips): the ELBO of a normal on the logit scale, by quadrature."""

import math

import torch
from torch.distributions import Normal
from torch.nn.functional import logsigmoid

from helpers.check.elbo import analytic, coins
from helpers.check.elbo.coins import Average
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.quadrature import trapezoid

Tensor = torch.Tensor


def reference(mu: Tensor, sigma: Tensor, flips: Tensor) -> Tensor:
    """Return the ELBO."""
    return analytic.elbo(mu, sigma, *analytic.exponents(flips))


def averaged(mu: Tensor, sigma: Tensor, flips: Tensor) -> Average:
    """Return the average under q, by quadrature."""
    y = mu + sigma * analytic.NODES
    a, b = analytic.exponents(flips)
    return Average(mu, sigma, a, b, y, analytic.WEIGHTS, (analytic.entropy(sigma),))


def integral(
    mu: Tensor, sigma: Tensor, flips: Tensor, low: Tensor | float, high: Tensor | float,
    weight: str = "q",
) -> Tensor:  # fmt: skip
    """Return ∫ weight · (log p(x, y) − log q(y)) dy; q, log q, p or 1 is the weight."""
    a, b = analytic.exponents(flips)

    def integrand(y: Tensor) -> Tensor:
        log_q, log_p = analytic.log_normal(y, mu, sigma), analytic.log_joint(y, a, b)
        weights = {"q": log_q.exp(), "log q": log_q, "p": log_p.exp(), "1": torch.ones_like(y)}
        return weights[weight] * (log_p - log_q)

    return trapezoid(integrand, low, high, 4001)


def _over(reach: float, weight: str, *given: Tensor) -> Tensor:
    mu, sigma, flips = given
    return integral(mu, sigma, flips, mu - reach * sigma, mu + reach * sigma, weight)


def _cut(mu: Tensor, sigma: Tensor, flips: Tensor) -> AnyOf:
    ends = [(-k, k) for k in (3.0, 4.0, 5.0, 6.0, 8.0, 10.0)] + [(0.0, 1.0)]
    ends += [_sheets_range()]
    return AnyOf(*[_over(k, "q", mu, sigma, flips) for k in (1, 2, 3, 4)],
                 *[integral(mu, sigma, flips, *pair) for pair in ends])  # fmt: skip


def _by_nodes(count: int, mu: Tensor, sigma: Tensor, flips: Tensor) -> Tensor:
    """Return the integral over the range of q with few nodes."""
    y = mu + sigma * torch.linspace(-8, 8, count, dtype=torch.float64)
    log_q = analytic.log_normal(y, mu, sigma)
    return torch.trapezoid(
        log_q.exp() * (analytic.log_joint(y, *analytic.exponents(flips)) - log_q), y
    )


def _reversed(mu: Tensor, sigma: Tensor, flips: Tensor) -> AnyOf:
    """Return what comes of the joint density as weight, over all y and over the range of q."""
    a, b = analytic.exponents(flips)
    log_evidence = analytic.log_evidence(a, b)
    back = analytic.reverse_kl(mu, sigma, a, b)
    crossed = torch.tensor(log_evidence).exp() * (back + log_evidence)
    return AnyOf(crossed, -crossed, back + log_evidence, log_evidence - back,
                 _over(8, "p", mu, sigma, flips), _over(4, "p", mu, sigma, flips))  # fmt: skip


def _evidence(mu: Tensor, sigma: Tensor, flips: Tensor) -> AnyOf:
    """Return the log of the integral of the joint density over the range of q."""
    a, b = analytic.exponents(flips)
    found = []
    for reach in (4, 5, 6, 8, 10, 12):
        y = mu + reach * sigma * torch.linspace(-1, 1, 4001, dtype=torch.float64)
        logs = analytic.log_joint(y, a, b)
        found.append(logs.max() + torch.trapezoid((logs - logs.max()).exp(), y).log())
    return AnyOf(*found)


def _sheets_range() -> tuple[float, float]:
    """Return the low and the high of the cell that has the entropy by quadrature."""
    return -1.0 - 8 * 0.6, -1.0 + 8 * 0.6


TURNS = (
    Turn("log outside the mean", "this goes to the log evidence: take the log first, then the "
         "mean.", _evidence),
    *coins.turns(averaged),
    Turn("KL direction", "the average is taken under q; here the joint density is the weight.",
         _reversed, tolerance=1e-3),
    Turn("variance for standard deviation", "sigma is a standard deviation: no square, no root.",
         lambda mu, sigma, flips: AnyOf(reference(mu, sigma**2, flips),
                                        reference(mu, sigma**0.5, flips))),
    Turn("weights forgotten", "an average under q has q(y) as its weight.",
         lambda *given: AnyOf(_over(8, "1", *given), _over(8, "1", *given) / (16 * given[1]))),
    Turn("log q as weight", "the weight is q(y) itself, the exp of its log_prob.",
         lambda *given: AnyOf(_over(8, "log q", *given), _over(4, "log q", *given)),
         tolerance=0.01),
    Turn("width forgotten",
         "the mean or the sum over the nodes is not the integral; torch.trapezoid takes y as well.",
         lambda mu, sigma, flips: AnyOf(*[reference(mu, sigma, flips) / (factor * sigma)
                                          for factor in (16, 0.016, 0.02, 0.04)]), tolerance=0.01),
    Turn("too few nodes", "the integrand bends between your nodes: take some hundred.",
         lambda *given: AnyOf(*[_by_nodes(k, *given) for k in (5, 8, 9, 10, 11, 16, 17, 20, 21)])),
    Turn("range too short", "part of q lies outside your nodes: go 8 sigma to either side.", _cut),
)  # fmt: skip


def by_integral(mu: Tensor, sigma: Tensor, flips: Tensor) -> Tensor:
    """Return the integral of q times the difference of the logs."""
    y = mu + sigma * torch.linspace(-8, 8, 801, dtype=torch.float64)
    log_q = Normal(mu, sigma).log_prob(y)
    heads, tails = flips.sum(), (1 - flips).sum()
    log_p = (heads + 1) * logsigmoid(y) + (tails + 1) * logsigmoid(-y)
    return torch.trapezoid(log_q.exp() * (log_p - log_q), y)


def by_entropy(mu: Tensor, sigma: Tensor, flips: Tensor) -> Tensor:
    """Return the average of the log joint density and the entropy by hand."""
    z = torch.linspace(-8, 8, 801, dtype=torch.float64)
    y, weights = mu + sigma * z, torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    heads, tails = flips.sum(), (1 - flips).sum()
    log_p = (heads + 1) * logsigmoid(y) + (tails + 1) * logsigmoid(-y)
    return torch.trapezoid(weights * log_p, z) + sigma.log() + 0.5 * math.log(2 * math.pi) + 0.5


EXERCISE = Exercise(
    name="elbo_quadrature",
    arguments=(coins.MU, coins.SIGMA, coins.flips_argument()),
    reference=reference,
    slopes=("mu", "sigma"),
    turns=TURNS,
    worked=(by_integral, by_entropy),
    hints={"a narrow q": "right elsewhere, and not for a narrow q: the nodes belong to mu ± 8 "
           "sigma.",
           "a location far out": "right elsewhere, and not far out: the nodes belong to mu ± 8 "
           "sigma."},
    passed="elbo_quadrature: the exact ELBO, narrow, wide and far out, and its slopes.",
)  # fmt: skip
elbo_quadrature = EXERCISE.check
