"""Closed forms of sheet 13: schools that share what they know, and the posterior of all weights.

A score is y = Xβ + a[school] + noise, a ~ Normal(0, τ²) for each school, noise ~ Normal(0, σ²).
In one row, y = Hw + noise with H = [X Z], where Z holds a 1 for each pupil's school, and the
weights w = (β, a) have independent normal priors. Everything is normal then: the posterior has the
precision P = HᵀH/σ² + diag(1/prior²) and the mean P⁻¹Hᵀy/σ², and y the covariance
σ²I + H diag(prior²) Hᵀ.
"""

import math

import torch
from torch.distributions import MultivariateNormal
from torch.nn.functional import one_hot

Tensor = torch.Tensor
LOG_2_PI = math.log(2 * math.pi)


def members(school: Tensor) -> Tensor:
    """Return Z, float64 of shape (n, schools): 1 where a pupil is of a school."""
    return one_hot(school, int(school.max()) + 1).double()


def sizes(school: Tensor) -> Tensor:
    """Return the number of pupils of each school, float64; 0 where a number does not occur."""
    return members(school).sum(0)


def means(y: Tensor, school: Tensor) -> Tensor:
    """Return the mean of each school, 0 for one without pupils."""
    return members(school).T @ y.double() / sizes(school).clamp(min=1)


def shares(n: Tensor, tau: float, sigma: float) -> Tensor:
    """Return B = τ²/(τ² + σ²/n), written so that n = 0 and τ = 0 have a value too."""
    return n * tau**2 / (n * tau**2 + sigma**2)


def blup(y: Tensor, school: Tensor, tau: float, sigma: float) -> Tensor:
    """Return the partially pooled means, μ̂ + B(ȳ − μ̂).

    Given the schools' means m = μ + a, the mean of school j has the variance σ²/n. Without m,
    ȳ ~ Normal(μ, τ² + σ²/n); so μ̂ weighs it by w = 1/(τ² + σ²/n). Given μ, the posterior mean of
    m is Bȳ + (1 − B)μ, and under a flat prior of μ its mean is that at μ̂ (Robinson 1991).
    """
    n, found = sizes(school), means(y, school)
    w = n / (n * tau**2 + sigma**2)
    mu = (w * found).sum() / w.sum()
    return mu + shares(n, tau, sigma) * (found - mu)


def gls(X: Tensor, y: Tensor, school: Tensor, tau: float, sigma: float) -> tuple[Tensor, Tensor]:
    """Return β̂ = (XᵀV⁻¹X)⁻¹XᵀV⁻¹y and û = τ²ZᵀV⁻¹(y − Xβ̂), V = σ²I + τ²ZZᵀ."""
    Z, X, y = members(school), X.double(), y.double()
    V = sigma**2 * torch.eye(len(y), dtype=torch.float64) + tau**2 * Z @ Z.T
    weighted = torch.linalg.solve(V, X)
    beta = torch.linalg.solve(X.T @ weighted, weighted.T @ y)
    return beta, tau**2 * Z.T @ torch.linalg.solve(V, y - X @ beta)


def joint_precision(H: Tensor, sigma: float, prior: Tensor) -> Tensor:
    """Return P = HᵀH/σ² + diag(1/prior²)."""
    return H.T @ H / sigma**2 + torch.diag(prior**-2)


def posterior(H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and covariance of the weights after the data."""
    covariance = torch.linalg.inv(joint_precision(H, sigma, prior))
    covariance = (covariance + covariance.T) / 2
    return covariance @ (H.T @ y) / sigma**2, covariance


def log_evidence(H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> Tensor:
    """Return log Normal(y; 0, σ²I + H diag(prior²) Hᵀ)."""
    V = sigma**2 * torch.eye(len(y), dtype=torch.float64) + (H * prior**2) @ H.T
    return MultivariateNormal(torch.zeros_like(y), V).log_prob(y)


def parts(
    m: Tensor, S: Tensor, H: Tensor, y: Tensor, sigma: float, prior: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return what an ELBO is made of, but for the entropy's log det.

    They are the log-likelihood at the mean, what the spread costs there, the log prior at the mean,
    and what the spread costs there: E‖y − Hw‖² = ‖y − Hm‖² + tr(HSHᵀ) and E w² = m² + diag(S).
    """
    left = y - H @ m
    at_mean = -len(y) * (0.5 * LOG_2_PI + math.log(sigma)) - left @ left / (2 * sigma**2)
    spread = -((H @ S) * H).sum() / (2 * sigma**2)
    prior_at_mean = -(0.5 * LOG_2_PI + prior.log() + m**2 / (2 * prior**2)).sum()
    return at_mean, spread, prior_at_mean, -(S.diagonal() / (2 * prior**2)).sum()


def entropy(log_det: Tensor, d: int) -> Tensor:
    """Return ½ log det(2πe S) from the log det of S."""
    return 0.5 * (d * (LOG_2_PI + 1) + log_det)


def elbo(m: Tensor, S: Tensor, H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> Tensor:
    """Return the ELBO of Normal(m, S); with the posterior's m and S it is the log evidence."""
    return torch.stack(parts(m, S, H, y, sigma, prior)).sum() + entropy(torch.logdet(S), len(m))


def mean_field(P: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return means, variances and gap of the best independent normals.

    For the posterior Normal(P⁻¹h, P⁻¹), KL(q‖p) = ½ Σ (P_ii s_i² − log s_i²) + ½ δᵀPδ + const, δ
    the distance of the means. So δ = 0 and s_i² = 1/P_ii, and ½ (Σ log P_ii − log det P) is left
    (Bishop 2006, 10.1.2).
    """
    diagonal = P.diagonal()
    gap = 0.5 * (diagonal.log().sum() - torch.logdet(P))
    return torch.linalg.solve(P, h), 1 / diagonal, gap
