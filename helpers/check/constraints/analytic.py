"""Closed forms of sheet 05: from constrained to unconstrained.

Throughout, y lies on the real line, x = h(y) in the constrained set, and σ(y) = 1/(1 + e^−y).
"""

import functools
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
    """Return y₁, then y₁ plus the sums of e^y₂, e^y₃ and so on: a rising list, shape (..., K)."""
    return torch.cat([y[..., :1], y[..., 1:].exp()], dim=-1).cumsum(-1)


def from_increasing(x: torch.Tensor) -> torch.Tensor:
    """Return x₁ and the logs of the gaps, the inverse of :func:`to_increasing`, shape (..., K)."""
    return torch.cat([x[..., :1], x.diff(dim=-1).log()], dim=-1)


def increasing_log_jacobian(y: torch.Tensor) -> torch.Tensor:
    """Return Σ_{k ≥ 2} y_k, the log of the stretch of :func:`to_increasing`; (..., K) → (...).

    Its matrix ∂x_i/∂y_j is e^y_j for 2 ≤ j ≤ i, 1 for j = 1, and zero above the diagonal: the
    determinant of a triangle is the product of its diagonal, 1 · e^y₂ · … · e^y_K.
    """
    return y[..., 1:].sum(-1)


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


def simplex_log_jacobian(y: torch.Tensor) -> torch.Tensor:
    """Return Σ_{k ≤ K} log x_k for x = to_simplex(y), all K shares; shape (..., K − 1) → (...).

    The first K − 1 shares are what is free: ∂x_i/∂y_j = x_i (δ_ij − x_j). The matrix
    diag(x) − x xᵀ has the determinant Π_{k<K} x_k · (1 − Σ_{k<K} x_k) = Π_{k≤K} x_k, by the rule
    det(D − u vᵀ) = det D · (1 − vᵀ D⁻¹ u).
    """
    return torch.cat([y, torch.zeros_like(y[..., :1])], dim=-1).log_softmax(-1).sum(-1)


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


@functools.cache
def _nodes(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return places in (−1, 1) and weights of Gauss and Legendre's rule."""
    place, weight = np.polynomial.legendre.leggauss(count)
    return torch.from_numpy(place), torch.from_numpy(weight)


def integral(f: Function, low: float, high: float, nodes: int = 80) -> float:
    """Return ∫ f from low to high by Gauss and Legendre's rule, for a smooth f.

    With n nodes it is exact for polynomials up to degree 2n − 1 (C. F. Gauss, 1814).
    """
    place, weight = _nodes(nodes)
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


def threshold_shares(theta: torch.Tensor) -> torch.Tensor:
    """Return the shares of one, two and three stars before and after, shape (2, 3).

    Args:
        theta: (c₁, c₂, shift), shape (3,); P(at most k stars) is σ(c_k − shift · after).
    """
    moved = torch.stack([torch.zeros_like(theta[2]), theta[2]])
    first, second = (theta[0] - moved).sigmoid(), (theta[1] - moved).sigmoid()
    return torch.stack([first, second - first, 1 - second], dim=-1)


def thresholds_nll(theta: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Return the mean negative log-likelihood of (c₁, c₂, shift), given counts of shape (2, 3).

    It is infinite where the thresholds are not in order.
    """
    shares = threshold_shares(theta).clamp(min=0)
    return -(counts * shares.log()).sum() / counts.sum()


def fit_thresholds(counts: torch.Tensor, weight: float = 0.0) -> torch.Tensor:
    """Return the best (c₁, c₂, shift) for counts of shape (2, 3), all positive.

    The mean loss is convex in (c₁, c₂, shift), since a logistic density is log-concave (J. W.
    Pratt, *Concavity of the log likelihood*, Journal of the American Statistical Association,
    1981): it has one lowest point. Fisher's scoring finds it, Newton's method with the expected
    curvature Σ ∂p ∂pᵀ/p, its steps halved while the loss rises.

    Args:
        counts: float64, shape (2, 3).
        weight: of log(c₂ − c₁), the log-Jacobian of the free coordinates, where a wrong turn
            subtracts it from the loss.
    """
    n, after = counts.numpy(), np.array([0.0, 1.0])
    total = n.sum()

    def shares(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the probabilities, shape (2, 3), and their slopes, shape (2, 3, 3)."""
        below = 1 / (1 + np.exp(-(theta[:2] - theta[2] * after[:, None])))
        rise = below * (1 - below)
        slopes = np.zeros((2, 2, 3))
        slopes[:, 0, 0], slopes[:, 1, 1] = rise[:, 0], rise[:, 1]
        slopes[:, :, 2] = -rise * after[:, None]
        ends = np.zeros((2, 1, 3))
        return (np.diff(below, axis=1, prepend=0.0, append=1.0),
                np.diff(np.concatenate([ends, slopes, ends], axis=1), axis=1))  # fmt: skip

    def loss(theta: np.ndarray) -> float:
        if theta[1] <= theta[0]:
            return math.inf
        p, _ = shares(theta)
        gap = theta[1] - theta[0]
        return float(-(n * np.log(p)).sum() / total - weight * np.log(gap))

    below = n.sum(0).cumsum()[:2] / total
    theta = np.append(np.log(below / (1 - below)), 0.0)
    for _ in range(200):
        p, slopes = shares(theta)
        gap = theta[1] - theta[0]
        away = np.array([1.0, -1.0, 0.0]) / gap
        slope = -(n[..., None] / p[..., None] * slopes).sum((0, 1)) / total + weight * away
        curve = np.einsum("gk,gki,gkj->ij", n.sum(1, keepdims=True) / p, slopes, slopes) / total
        step = np.linalg.solve(curve + weight * np.outer(away, away), slope)
        rate, here = 1.0, loss(theta)
        while rate > 1e-6 and not loss(theta - rate * step) <= here:
            rate /= 2
        theta = theta - rate * step
        if np.abs(step).max() < 1e-11:
            break
    return torch.from_numpy(theta)
