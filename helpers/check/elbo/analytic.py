"""Closed forms and references of sheet 08: variational inference and the ELBO.

A coin lands heads with probability θ = σ(y), and θ is uniform before the flips. On the scale of y
the joint density of y and the flips is σ(y)^a (1 − σ(y))^b, where a = 1 + heads and b = 1 + tails:
the likelihood σ(y)^heads (1 − σ(y))^tails times the Jacobian σ(y)(1 − σ(y)). The functions below
take a and b, so that a wrong exponent (a forgotten Jacobian, say) is a wrong turn computed.
Gradients flow through mu and sigma.
"""

import math
from collections.abc import Callable

import torch
from torch.nn.functional import logsigmoid

from helpers.quadrature import trapezoid

Function = Callable[[torch.Tensor], torch.Tensor]
Number = float | torch.Tensor

# Nodes of every expectation under a normal, in standard deviations. The trapezoid rule on a
# smooth function that vanishes at both ends errs by less than exp(−2π·π/(0.02σ)) from its step
# (Trefethen and Weideman 2014; the nearest poles of log σ(y) are at ±πi), and by the normal's mass
# beyond 12 standard deviations, 4e-33: both are rounding's business, which leaves some 1e-15.
NODES = torch.linspace(-12, 12, 1201, dtype=torch.float64)
WEIGHTS = torch.exp(-(NODES**2) / 2) * (NODES[1] - NODES[0]) / math.sqrt(2 * math.pi)


def exponents(flips: torch.Tensor) -> tuple[float, float]:
    """Return a = 1 + heads and b = 1 + tails of flips, shape (n,), 1 for heads."""
    heads = float(flips.sum())
    return 1 + heads, 1 + len(flips) - heads


def log_joint(y: torch.Tensor, a: float, b: float) -> torch.Tensor:
    """Return log σ(y)^a (1 − σ(y))^b, of the shape of y; 1 − σ(y) = σ(−y) keeps it finite."""
    y = y.to(torch.float64)
    return a * logsigmoid(y) + b * logsigmoid(-y)


def slope(y: torch.Tensor, a: float, b: float) -> torch.Tensor:
    """Return the derivative of :func:`log_joint`, a − (a + b)·σ(y), for σ' = σ(1 − σ)."""
    return a - (a + b) * torch.sigmoid(y)


def log_evidence(a: float, b: float) -> float:
    """Return log ∫ σ(y)^a (1 − σ(y))^b dy = log ∫ θ^(a−1) (1 − θ)^(b−1) dθ = log B(a, b)."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def expectation(f: Function, mu: Number, sigma: Number) -> torch.Tensor:
    """Return E[f(y)] under Normal(mu, sigma) by the trapezoid rule on :data:`NODES`."""
    return (WEIGHTS * f(mu + sigma * NODES)).sum()


def expected_log_joint(mu: Number, sigma: Number, a: float, b: float) -> torch.Tensor:
    """Return the mean of :func:`log_joint` under Normal(mu, sigma)."""
    return expectation(lambda y: log_joint(y, a, b), mu, sigma)


def entropy(sigma: Number) -> torch.Tensor:
    """Return the entropy of Normal(mu, sigma), −E[log q] = log σ + ½ log 2π + ½."""
    sigma = torch.as_tensor(sigma, dtype=torch.float64)
    return sigma.log() + 0.5 * math.log(2 * math.pi) + 0.5


def elbo(mu: Number, sigma: Number, a: float, b: float) -> torch.Tensor:
    """Return E[log p(x, y)] − E[log q(y)] for q = Normal(mu, sigma)."""
    return expected_log_joint(mu, sigma, a, b) + entropy(sigma)


def kl(mu: Number, sigma: Number, a: float, b: float) -> torch.Tensor:
    """Return KL(q‖posterior) for q = Normal(mu, sigma), as the evidence minus the ELBO.

    The posterior is the joint density over the evidence, so E_q[log q − log posterior] =
    log p(x) − ELBO. With a = b = 1, no flips, the posterior is the prior and log p(x) is 0.
    """
    return log_evidence(a, b) - elbo(mu, sigma, a, b)


def evidence_parts(
    mu: Number, sigma: Number, a: float, b: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return E_q[log p(x | y)], KL(q‖prior) and KL(q‖posterior): first − second + third = log p(x).

    Without its Jacobian, a − 1 and b − 1 in the exponents, the joint density is the likelihood.
    """
    return expected_log_joint(mu, sigma, a - 1, b - 1), kl(mu, sigma, 1, 1), kl(mu, sigma, a, b)


def log_normal(y: torch.Tensor, mu: Number, sigma: Number) -> torch.Tensor:
    """Return the log-density of Normal(mu, sigma) at y."""
    return 0.5 - entropy(sigma) - 0.5 * ((y - mu) / sigma) ** 2


def reverse_kl(mu: Number, sigma: Number, a: float, b: float) -> torch.Tensor:
    """Return KL(posterior‖q) for q = Normal(mu, sigma), by the trapezoid rule, for a, b ≥ 1.

    The posterior's tails fall like exp(−|y|) or faster, to 1e-26 at ±60, where the nodes end.
    """

    def integrand(y: torch.Tensor) -> torch.Tensor:
        log_p = log_joint(y, a, b) - log_evidence(a, b)
        return log_p.exp() * (log_p - log_normal(y, mu, sigma))

    return trapezoid(integrand, -60.0, 60.0, 12001)


def gradient(mu: Number, sigma: Number, a: float, b: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the derivatives of the ELBO with respect to mu and sigma.

    With y = μ + σz, z standard normal: ∂/∂μ = E[s(y)] and ∂/∂σ = E[z·s(y)] + 1/σ, where s is
    :func:`slope` (the reparameterisation of Kingma and Welling 2014).
    """
    by_mu = expectation(lambda y: slope(y, a, b), mu, sigma)
    by_sigma = expectation(lambda y: (y - mu) / sigma * slope(y, a, b), mu, sigma)
    return by_mu, by_sigma + 1 / sigma


def optimum(a: float, b: float, weight: float = 1.0) -> tuple[float, float]:
    """Return the (mu, sigma) that maximise E[log p(x, y)] + weight·entropy, by Newton's method.

    The derivatives by μ and by log σ are E[s] and E[σz·s] + weight. In μ and σ the function is
    concave, since log p(x, y) is concave in y; Newton's method starts from the joint density's
    mode log(a/b) and curvature ab/(a + b).

    Args:
        a: exponent of σ(y), positive.
        b: exponent of 1 − σ(y), positive.
        weight: of the entropy; 1 for the ELBO.

    Returns:
        Tuple (mu, sigma), good to 1e-12.
    """
    mu, log_sigma = math.log(a / b), 0.5 * math.log(weight * (a + b) / (a * b))
    for _ in range(50):
        sigma = math.exp(log_sigma)
        y, off = mu + sigma * NODES, sigma * NODES
        s = slope(y, a, b)
        bend = -(a + b) * torch.sigmoid(y) * torch.sigmoid(-y)
        first = torch.stack([(WEIGHTS * s).sum(), (WEIGHTS * off * s).sum() + weight])
        mixed = (WEIGHTS * off * bend).sum()
        last = (WEIGHTS * (off * s + off**2 * bend)).sum()
        second = torch.stack([(WEIGHTS * bend).sum(), mixed, mixed, last]).reshape(2, 2)
        step = torch.linalg.solve(second, -first)
        mu, log_sigma = mu + float(step[0]), log_sigma + float(step[1])
        if step.abs().max() < 1e-13:
            break
    return mu, math.exp(log_sigma)


def moments(a: float, b: float) -> tuple[float, float]:
    """Return mean and standard deviation of the posterior of y, the logit of a Beta(a, b).

    log θ and log(1 − θ) have the joint cumulant function log B(a + s, b + t) − log B(a, b), so
    y = log θ − log(1 − θ) has mean ψ(a) − ψ(b) and variance ψ'(a) + ψ'(b).
    """
    at = torch.tensor([a, b], dtype=torch.float64)
    first, second = torch.special.digamma(at), torch.special.polygamma(1, at)
    return float(first[0] - first[1]), math.sqrt(float(second.sum()))


def laplace(a: float, b: float) -> tuple[float, float]:
    """Return mode and inverse root curvature of the joint density on the scale of y."""
    return math.log(a / b), math.sqrt((a + b) / (a * b))
