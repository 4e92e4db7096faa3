"""References for logistic regression with an intercept and one slope, both with a normal prior.

A hit at x has the probability σ(w0 + w1·x). Under a normal q of the weights with mean m and
covariance S, the logit at x is normal with mean (1, x)·m and variance (1, x) S (1, x)ᵀ: so every
expectation is an integral over one number, however many weights there are, and the ELBO is known to
rounding.
"""

import functools
import math

import torch
from torch.nn.functional import logsigmoid

from helpers.check.elbo.analytic import NODES, WEIGHTS

Tensor = torch.Tensor
PRIOR = 3.0  # standard deviation of each weight before the data
EVERY = 8  # nodes left out: a step of 0.16 standard deviations still errs by less than 1e-9
Z = NODES[::EVERY]
W = WEIGHTS[::EVERY] * EVERY


def design(x: Tensor) -> Tensor:
    """Return rows (1, x), shape (n, 2)."""
    return torch.stack([torch.ones_like(x), x], dim=1)


def _logits(mean: Tensor, covariance: Tensor, x: Tensor) -> Tensor:
    """Return the logits at the nodes, shape (n, nodes)."""
    rows = design(x)
    spread = ((rows @ covariance) * rows).sum(1).sqrt()
    return (rows @ mean)[:, None] + spread[:, None] * Z


def expected_log_likelihood(mean: Tensor, covariance: Tensor, x: Tensor, hits: Tensor) -> Tensor:
    """Return the mean under q of the log-likelihood of hits at x."""
    signs = (2 * hits - 1)[:, None]
    return (W * logsigmoid(signs * _logits(mean, covariance, x))).sum()


def kl_to_prior(mean: Tensor, covariance: Tensor) -> Tensor:
    """Return KL from Normal(mean, covariance) to the prior of the weights."""
    scaled = (covariance.trace() + mean @ mean) / PRIOR**2
    return 0.5 * (scaled - len(mean) + 2 * len(mean) * math.log(PRIOR) - torch.logdet(covariance))


def elbo(mean: Tensor, covariance: Tensor, x: Tensor, hits: Tensor) -> Tensor:
    """Return expected log-likelihood less divergence to the prior."""
    return expected_log_likelihood(mean, covariance, x, hits) - kl_to_prior(mean, covariance)


def top(
    x: Tensor, hits: Tensor, full: bool, prior: float = PRIOR, entropy: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Return mean and covariance of the normal with the highest ELBO.

    At the top the mean slope of the log joint density under q is zero, and the inverse covariance
    is entropy times minus its mean curvature (Opper and Archambeau 2009), of which a factorised q
    takes the diagonal. The two conditions are met by turns, halfway each time; good to 1e-10.

    Args:
        x: where, shape (n,).
        hits: 1 or 0, shape (n,).
        full: whether the weights may be correlated under q.
        prior: standard deviation of each weight before the data.
        entropy: how often the entropy counts.
    """
    mean, covariance = _top(tuple(x.tolist()), tuple(hits.tolist()), full, prior, entropy)
    return mean.clone(), covariance.clone()


@functools.lru_cache(maxsize=256)
def _top(
    at: tuple[float, ...], hit: tuple[float, ...], full: bool, prior: float, entropy: float
) -> tuple[Tensor, Tensor]:
    x, hits = torch.tensor(at, dtype=torch.float64), torch.tensor(hit, dtype=torch.float64)
    rows, none = design(x), torch.eye(2, dtype=torch.float64)
    mean, covariance = torch.zeros(2, dtype=torch.float64), none.clone()
    for _ in range(400):
        p = torch.sigmoid(_logits(mean, covariance, x))
        slope = rows.T @ (hits - (W * p).sum(1)) - mean / prior**2
        bends = rows.T @ ((W * p * (1 - p)).sum(1)[:, None] * rows) + none / prior**2
        step = torch.linalg.solve(bends, slope)
        wanted = (bends if full else torch.diag(bends.diagonal())) / entropy
        narrower = 0.5 * (torch.linalg.inv(covariance) + wanted)
        mean, before = mean + 0.7 * step, covariance
        covariance = torch.linalg.inv(narrower)
        if max(float(step.abs().max()), float((covariance - before).abs().max())) < 1e-11:
            break
    return mean, covariance


def laplace(x: Tensor, hits: Tensor) -> tuple[Tensor, Tensor]:
    """Return mode and inverse curvature of the log joint density of weights and hits."""
    rows, mean = design(x), torch.zeros(2, dtype=torch.float64)
    for _ in range(60):
        p = torch.sigmoid(rows @ mean)
        bends = rows.T @ ((p * (1 - p))[:, None] * rows)
        bends = bends + torch.eye(2, dtype=torch.float64) / PRIOR**2
        mean = mean + torch.linalg.solve(bends, rows.T @ (hits - p) - mean / PRIOR**2)
    return mean, torch.linalg.inv(bends)


def posterior(x: Tensor, hits: Tensor, n: int = 121) -> tuple[Tensor, Tensor]:
    """Return the posterior's own mean and covariance, by a grid over both weights."""
    mean, covariance = laplace(x, hits)
    z = torch.linspace(-9, 9, n, dtype=torch.float64)
    grid = torch.cartesian_prod(z, z) @ torch.linalg.cholesky(covariance).T + mean
    signs = 2 * hits - 1
    logs = logsigmoid(signs * (grid @ design(x).T)).sum(1) - (grid**2).sum(1) / (2 * PRIOR**2)
    weights = torch.softmax(logs, 0)
    centre = weights @ grid
    away = grid - centre
    return centre, (weights[:, None] * away).T @ away


def as_five(mean: Tensor, covariance: Tensor) -> Tensor:
    """Return both means, both standard deviations and the correlation."""
    deviations = covariance.diagonal().sqrt()
    correlation = covariance[0, 1] / deviations.prod()
    return torch.cat([mean, deviations, correlation[None]])


def of_five(five: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and covariance from both means, both standard deviations and the correlation."""
    deviations, correlation = five[2:4], five[4]
    off = (correlation * deviations.prod())[None]
    covariance = torch.stack([torch.cat([deviations[:1] ** 2, off]),
                              torch.cat([off, deviations[1:] ** 2])])  # fmt: skip
    return five[:2], covariance
