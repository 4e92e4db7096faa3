"""evidence_parts(mu, sigma, flips): the three numbers that the log evidence is made of."""

import math

import torch
from torch.distributions import Normal
from torch.nn.functional import logsigmoid

from helpers.check.elbo import analytic, coins
from helpers.check.elbo.elbo_quadrature import reference as elbo
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

Tensor = torch.Tensor
Parts = tuple[Tensor, Tensor, Tensor]


def reference(mu: Tensor, sigma: Tensor, flips: Tensor) -> Parts:
    """Return E_q[log p(x | y)], KL(q‖prior) and KL(q‖posterior)."""
    return analytic.evidence_parts(mu, sigma, *analytic.exponents(flips))


def _evidence(flips: Tensor) -> float:
    return analytic.log_evidence(*analytic.exponents(flips))


def _without_jacobian(mu: Tensor, sigma: Tensor, flips: Tensor) -> AnyOf:
    """Return what prior and posterior as densities of θ give, one of them or both."""
    a, b = analytic.exponents(flips)
    fit, prior, gap = reference(mu, sigma, flips)
    bare = -analytic.entropy(sigma)
    gaps = [log_z - analytic.elbo(mu, sigma, a - 1, b - 1) for log_z in _normalisers(a, b)]
    return AnyOf((fit, bare, gap), *[(fit, p, g) for p in (prior, bare) for g in gaps])


def _normalisers(a: float, b: float) -> list[float]:
    found = [analytic.log_evidence(a, b)]
    return [*found, analytic.log_evidence(a - 1, b - 1)] if min(a, b) > 1 else found


def _reversed(mu: Tensor, sigma: Tensor, flips: Tensor) -> AnyOf:
    """Return the parts with one divergence or both measured the other way round."""
    a, b = analytic.exponents(flips)
    fit, prior, gap = reference(mu, sigma, flips)
    back, far = analytic.reverse_kl(mu, sigma, 1, 1), analytic.reverse_kl(mu, sigma, a, b)
    return AnyOf((fit, back, gap), (fit, prior, far), (fit, back, far))


def _joint_for_likelihood(mu: Tensor, sigma: Tensor, flips: Tensor) -> AnyOf:
    """Return the parts with E_q[log p(x, y)] in the place of the first, consistently or not."""
    fit, prior, gap = reference(mu, sigma, flips)
    joint = analytic.expected_log_joint(mu, sigma, *analytic.exponents(flips))
    return AnyOf((joint, prior, gap), (joint, prior, gap + fit - joint))


def _unweighted(mu: Tensor, sigma: Tensor, flips: Tensor) -> AnyOf:
    """Return sums and means over 8 sigma to each side, without q, the last part right or not."""
    y = mu + sigma * torch.linspace(-8, 8, 801, dtype=torch.float64)
    a, b = analytic.exponents(flips)
    likelihood, log_prior = analytic.log_joint(y, a - 1, b - 1), analytic.log_joint(y, 1, 1)
    to_prior = analytic.log_normal(y, mu, sigma) - log_prior
    gap = reference(mu, sigma, flips)[2]
    found = []
    for over in (lambda v: v.mean(), lambda v: torch.trapezoid(v, y)):
        fit, prior = over(likelihood), over(to_prior)
        found += [(fit, prior, gap), (fit, prior, _evidence(flips) - fit + prior)]
    return AnyOf(*found)


def _without_entropy(mu: Tensor, sigma: Tensor, flips: Tensor) -> AnyOf:
    """Return the parts with the mean of log q left out of one divergence or both."""
    fit, prior, gap = reference(mu, sigma, flips)
    h = analytic.entropy(sigma)
    return AnyOf((fit, prior + h, gap), (fit, prior, gap + h), (fit, prior + h, gap + h))


def _signed(mu: Tensor, sigma: Tensor, flips: Tensor) -> AnyOf:
    fit, prior, gap = reference(mu, sigma, flips)
    return AnyOf(*[(r * fit, s * prior, t * gap) for r in (1, -1) for s in (1, -1) for t in (1, -1)
                   if min(r, s, t) < 0])  # fmt: skip


TURNS = (
    Turn("Jacobian forgotten",
         "q is a density of y: prior and posterior must be such too, with the Jacobian.",
         _without_jacobian),
    Turn("joint for likelihood",
         "the first part averages the likelihood alone; the prior of y enters by the second.",
         _joint_for_likelihood),
    Turn("KL direction", "both divergences are means under q: log q minus log prior or posterior.",
         _reversed, tolerance=1e-3),
    Turn("ELBO returned", "the third part is what the ELBO lacks to the log evidence, not the "
         "ELBO.", lambda mu, sigma, flips: AnyOf(*[
             (*reference(mu, sigma, flips)[:2], s * elbo(mu, sigma, flips)) for s in (1, -1)])),
    Turn("evidence not logged", "the evidence enters the third part by its log.",
         lambda mu, sigma, flips: (*reference(mu, sigma, flips)[:2],
                                   math.exp(_evidence(flips)) - elbo(mu, sigma, flips))),
    Turn("likelihood counted twice", "the ELBO holds the likelihood already: the third part is the "
         "log evidence minus the ELBO.",
         lambda mu, sigma, flips: AnyOf(*[
             (fit, prior, rest) for fit, prior, gap in [reference(mu, sigma, flips)]
             for rest in (_evidence(flips) - fit, gap - prior, gap + prior, gap - fit)])),
    Turn("entropy forgotten", "the mean of log q is missing from a divergence.", _without_entropy),
    Turn("sign", "a divergence is never negative, and a log-likelihood of flips never positive.",
         _signed),
    Turn("order of the parts", "first the expected log-likelihood, then the prior, then the "
         "posterior.",
         lambda *given: AnyOf(*[tuple(reference(*given)[i] for i in order) for order in
                                ((0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))])),
    Turn("mean for sum", "the log-likelihood of the flips is a sum over them.",
         lambda mu, sigma, flips: AnyOf(*[
             (fit / len(flips), prior, rest) for fit, prior, gap in [reference(mu, sigma, flips)]
             for rest in (gap, gap + fit - fit / len(flips))])),
    Turn("weights forgotten", "an average under q has q(y) as its weight.", _unweighted,
         tolerance=0.01),
    Turn("likelihood not logged", "average the log of the likelihood.",
         lambda mu, sigma, flips: (_plain_likelihood(mu, sigma, flips),
                                   *reference(mu, sigma, flips)[1:])),
)  # fmt: skip


def _plain_likelihood(mu: Tensor, sigma: Tensor, flips: Tensor) -> Tensor:
    a, b = analytic.exponents(flips)
    return analytic.expectation(lambda y: analytic.log_joint(y, a - 1, b - 1).exp(), mu, sigma)


def by_integrals(mu: Tensor, sigma: Tensor, flips: Tensor) -> Parts:
    """Return each part by its integral."""
    y = mu + sigma * torch.linspace(-8, 8, 801, dtype=torch.float64)
    log_q = Normal(mu, sigma).log_prob(y)
    heads, tails = flips.sum(), (1 - flips).sum()
    log_prior = logsigmoid(y) + logsigmoid(-y)
    likelihood = heads * logsigmoid(y) + tails * logsigmoid(-y)
    z = torch.lgamma(heads + 1) + torch.lgamma(tails + 1) - torch.lgamma(heads + tails + 2)
    fit = torch.trapezoid(log_q.exp() * likelihood, y)
    to_prior = torch.trapezoid(log_q.exp() * (log_q - log_prior), y)
    gap = torch.trapezoid(log_q.exp() * (log_q - likelihood - log_prior), y) + z
    return fit, to_prior, gap


def by_sums(mu: Tensor, sigma: Tensor, flips: Tensor) -> Parts:
    """Return the last part from the first two."""
    y = mu + sigma * torch.linspace(-8, 8, 801, dtype=torch.float64)
    log_q = Normal(mu, sigma).log_prob(y)
    heads, tails = flips.sum(), (1 - flips).sum()
    log_prior = logsigmoid(y) + logsigmoid(-y)
    z = torch.lgamma(heads + 1) + torch.lgamma(tails + 1) - torch.lgamma(heads + tails + 2)
    fit = torch.trapezoid(log_q.exp() * (heads * logsigmoid(y) + tails * logsigmoid(-y)), y)
    to_prior = torch.trapezoid(log_q.exp() * (log_q - log_prior), y)
    return fit, to_prior, z - (fit - to_prior)


def by_entropy(mu: Tensor, sigma: Tensor, flips: Tensor) -> Parts:
    """Return averages at nodes of the noise, and the entropy by hand."""
    z = torch.linspace(-8, 8, 401, dtype=torch.float64)
    y, weights = mu + sigma * z, torch.softmax(-(z**2) / 2, 0)
    heads, tails = flips.sum(), (1 - flips).sum()
    fit = (weights * (heads * logsigmoid(y) + tails * logsigmoid(-y))).sum()
    prior = (weights * (logsigmoid(y) + logsigmoid(-y))).sum()
    to_prior = -prior - sigma.log() - 0.5 * math.log(2 * math.pi) - 0.5
    z = torch.lgamma(heads + 1) + torch.lgamma(tails + 1) - torch.lgamma(heads + tails + 2)
    return fit, to_prior, z - fit + to_prior


EXERCISE = Exercise(
    name="evidence_parts",
    arguments=(coins.MU, coins.SIGMA, coins.flips_argument()),
    reference=reference,
    parts=("the expected log-likelihood", "KL to the prior", "KL to the posterior"),
    turns=TURNS,
    worked=(by_integrals, by_sums, by_entropy),
    passed="evidence_parts: what q explains, what it costs, and what it leaves.",
)
evidence_parts = EXERCISE.check
