"""Closed forms of sheet 05: from constrained to unconstrained.

Throughout, y lies on the real line, x = h(y) in the constrained set, and σ(y) = 1/(1 + e^−y).
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch.distributions import Distribution, Transform

Function = Callable[[torch.Tensor], torch.Tensor]


def to_above(y: torch.Tensor, low: float) -> torch.Tensor:
    """Return low + e^y, which rises from low to infinity; any shape."""
    return low + y.exp()


def from_above(x: torch.Tensor, low: float) -> torch.Tensor:
    """Return log(x − low), which solves x = low + e^y for y; any shape."""
    return (x - low).log()


def to_interval(y: torch.Tensor, a: float, b: float) -> torch.Tensor:
    """Return a + (b − a) σ(y), which rises from a to b; any shape."""
    return a + (b - a) * y.sigmoid()


def from_interval(x: torch.Tensor, a: float, b: float) -> torch.Tensor:
    """Return log((x − a)/(b − x)), the logit of u = (x − a)/(b − a); any shape.

    u = 1/(1 + e^−y) gives e^−y = (1 − u)/u = (b − x)/(x − a).
    """
    return (x - a).log() - (b - x).log()


def to_increasing(y: torch.Tensor) -> torch.Tensor:
    """Return (y₁, y₁ + e^y₂), a pair whose second number is larger, shape (..., 2)."""
    return torch.stack([y[..., 0], y[..., 0] + y[..., 1].exp()], dim=-1)


def from_increasing(x: torch.Tensor) -> torch.Tensor:
    """Return (x₁, log(x₂ − x₁)), which solves x₂ = x₁ + e^y₂ for y₂, shape (..., 2)."""
    return torch.stack([x[..., 0], (x[..., 1] - x[..., 0]).log()], dim=-1)


def to_simplex(y: torch.Tensor) -> torch.Tensor:
    """Return K positive shares with sum 1 from K − 1 numbers: softmax of (y, 0).

    With x_k/x_K = e^y_k and y_K = 0, the sum condition gives x_K = 1/Σ_j e^y_j, so that
    x_k = e^y_k / Σ_j e^y_j. This is the additive log-ratio transform (J. Aitchison, *The
    Statistical Analysis of Compositional Data*, 1986).

    Args:
        y: numbers of shape (..., K − 1).

    Returns:
        Shares of shape (..., K).
    """
    return torch.cat([y, torch.zeros_like(y[..., :1])], dim=-1).softmax(-1)


def from_simplex(x: torch.Tensor) -> torch.Tensor:
    """Return log(x_k/x_K) for k < K, the inverse of :func:`to_simplex`; (..., K) → (..., K − 1)."""
    return (x[..., :-1] / x[..., -1:]).log()


def log_beta(a: float, b: float) -> float:
    """Return log B(a, b) = log Γ(a) + log Γ(b) − log Γ(a + b)."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def logit_beta_density(y: torch.Tensor, a: float, b: float) -> torch.Tensor:
    """Return the density of Y = logit X for X ~ Beta(a, b), at any y.

    x^(a−1) (1 − x)^(b−1) / B(a, b) at x = σ(y), times σ'(y) = σ(y)(1 − σ(y)), is
    σ(y)^a (1 − σ(y))^b / B(a, b).
    """
    x = y.sigmoid()
    return x**a * (1 - x) ** b / math.exp(log_beta(a, b))


def log_prob(distribution: Distribution, transform: Transform, y: torch.Tensor) -> torch.Tensor:
    """Return log p(h(y)) + log|h'(y)|, the log-density of Y = h⁻¹(X); any shape of y.

    A strip of width dy at y becomes one of width |h'(y)| dy at x = h(y) and holds the same
    probability, so that q(y) dy = p(x) |h'(y)| dy.
    """
    x = transform(y)
    return distribution.log_prob(x) + transform.log_abs_det_jacobian(y, x)


def integral(f: Function, low: float, high: float, nodes: int = 80) -> float:
    """Return ∫ f from low to high by Gauss and Legendre's rule, for a smooth f.

    With n nodes it is exact for polynomials up to degree 2n − 1 (C. F. Gauss, 1814).
    """
    place, weight = (torch.from_numpy(v) for v in np.polynomial.legendre.leggauss(nodes))
    half = (high - low) / 2
    return float((f(low + half * (place + 1)) * weight).sum() * half)


def mass(distribution: Distribution, low: float, high: float) -> float:
    """Return P(low < X < high), the area under the density of X in its own coordinate."""
    return integral(lambda x: distribution.log_prob(x).exp(), low, high)


def gamma_modes(a: float, b: float) -> tuple[float, float]:
    """Return the mode of X ~ Gamma(a, b), a ≥ 1, and the mode of Y = log X.

    log p(x) = (a − 1) log x − b x + const has slope (a − 1)/x − b, zero at (a − 1)/b.
    log q(y) = a y − b e^y + const has slope a − b e^y, zero at log(a/b).
    """
    return (a - 1) / b, math.log(a / b)
