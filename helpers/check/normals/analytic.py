"""Closed forms of sheet 04: fitting normal distributions."""

import math

import numpy as np
import torch

from helpers.check.normal_facts import normal_mle


def softplus(raw: torch.Tensor) -> torch.Tensor:
    """Return log(1 + exp(raw)) for any raw, without overflow, of the shape of raw.

    It is the log of a sum of two exponentials, exp(0) + exp(raw), which ``logaddexp`` computes from
    the larger of the two.
    """
    raw = raw.to(torch.float64)
    return torch.logaddexp(torch.zeros_like(raw), raw)


def softplus_inverse(scale: torch.Tensor) -> torch.Tensor:
    """Return log(exp(scale) − 1) for any positive scale, of the shape of scale.

    exp(s) − 1 = exp(s) (1 − exp(−s)), so the log is s + log(1 − exp(−s)): nothing overflows, and
    ``expm1`` keeps the digits of small scales.
    """
    scale = scale.to(torch.float64)
    return scale + torch.log(-torch.expm1(-scale))


def mean_nll(parameters: torch.Tensor, data: torch.Tensor) -> torch.Tensor:
    """Return the mean negative log-likelihood of Normal(loc, scale).

    Args:
        parameters: loc and scale, shape (2,).
        data: observations, shape (n,).

    Returns:
        A single number; NaN where the scale is negative.
    """
    loc, scale = parameters.to(torch.float64)
    z = (data.to(torch.float64) - loc) / scale
    return 0.5 * (z**2).mean() + scale.log() + 0.5 * math.log(2 * math.pi)


def standard_errors_left(loc: float, scale: float, data: torch.Tensor) -> float:
    """Return the root of the deviance of Normal(loc, scale) from the best normal for the data.

    With the estimates m and s of :func:`normal_mle`, 2n·f(loc, scale) = n log 2π + 2n log scale +
    n (s² + (loc − m)²)/scale², and n log 2π + 2n log s + n at the top; their difference is
    n [r − 1 − log(s²/scale²)] with r = (s² + (loc − m)²)/scale².

    Args:
        loc: location.
        scale: standard deviation, positive.
        data: observations, shape (n,), n > 1.
    """
    m, s = normal_mle(data)
    r = (s**2 + (loc - m) ** 2) / scale**2
    return math.sqrt(max(0.0, len(data) * (r - 1 - 2 * math.log(s / scale))))


def mvn_mle(data: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the multivariate normal's maximum-likelihood estimates: mean and 1/n covariance.

    The gradient in the mean, n Σ⁻¹ (x̄ − μ), vanishes at x̄; the one in Σ⁻¹, n/2 (Σ − S) with
    S = (1/n) Σᵢ (xᵢ − x̄)(xᵢ − x̄)ᵀ, vanishes at S (T. W. Anderson, An Introduction to Multivariate
    Statistical Analysis, chapter 3).

    Args:
        data: observations, shape (n, d).

    Returns:
        Mean of shape (d,) and covariance of shape (d, d).
    """
    x = data.to(torch.float64)
    loc = x.mean(dim=0)
    centred = x - loc
    return loc, centred.T @ centred / len(x)


def mvn_mean_nll(loc: torch.Tensor, factor: torch.Tensor, data: torch.Tensor) -> torch.Tensor:
    """Return the mean negative log-likelihood of a normal with covariance factor · factorᵀ.

    −log p(x) = d/2 log 2π + Σ log Lᵢᵢ + ½ |L⁻¹ (x − μ)|² for a lower-triangular L with a positive
    diagonal, since det L Lᵀ is the squared product of the diagonal.

    Args:
        loc: mean, shape (d,).
        factor: lower-triangular with positive diagonal, shape (d, d).
        data: observations, shape (n, d).

    Returns:
        A single number; NaN or infinite where the diagonal is not positive.
    """
    loc, factor, x = (t.to(torch.float64) for t in (loc, factor, data))
    z = torch.linalg.solve_triangular(factor, (x - loc).T, upper=False)
    constant = 0.5 * x.shape[1] * math.log(2 * math.pi)
    return constant + factor.diagonal().log().sum() + 0.5 * (z**2).sum(0).mean()


def upper_lower_factor(covariance: torch.Tensor) -> torch.Tensor:
    """Return the lower-triangular L with positive diagonal and Lᵀ L = covariance.

    Turned by half a circle, rows and columns in reverse order, the covariance has a Cholesky factor
    C; turned back and transposed, C is the L that is looked for.
    """
    return torch.linalg.cholesky(covariance.flip(0, 1)).flip(0, 1).T


def shared_mean(data: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
    """Return the best mean that all columns share, where their covariance is known.

    The summed loss n/2 (x̄ − μ1)ᵀ Σ⁻¹ (x̄ − μ1) has the slope −n 1ᵀ Σ⁻¹ (x̄ − μ1) in μ, which is zero
    at μ = 1ᵀ Σ⁻¹ x̄ / 1ᵀ Σ⁻¹ 1: a weighted mean, the weights possibly negative (A. C. Aitken, On
    least squares and linear combination of observations, 1935).

    Args:
        data: observations, shape (n, d).
        covariance: of a row, shape (d, d).
    """
    weights = torch.linalg.inv(covariance.to(torch.float64)).sum(0)
    return weights @ data.to(torch.float64).mean(0) / weights.sum()


def student_t_mean_nll(parameters: torch.Tensor, data: torch.Tensor, df: float) -> torch.Tensor:
    """Return the mean negative log-likelihood of a Student-t distribution.

    Args:
        parameters: loc and scale, shape (2,).
        data: observations, shape (n,).
        df: degrees of freedom.

    Returns:
        A single number; NaN where the scale is negative.
    """
    loc, scale = parameters.to(torch.float64)
    z = (data.to(torch.float64) - loc) / scale
    constant = math.lgamma(df / 2) - math.lgamma((df + 1) / 2) + 0.5 * math.log(math.pi * df)
    return 0.5 * (df + 1) * torch.log1p(z**2 / df).mean() + scale.log() + constant


def student_t_mle(
    data: torch.Tensor, df: float, loc: float | None = None, steps: int = 400
) -> tuple[float, float]:
    """Return the best location and scale of a Student-t distribution.

    With z = (x − loc)/scale and the weights w = (df + 1)/(df + z²) the scores vanish where
    Σ w z = 0 and Σ w z² = n. The round of Kent, Tyler and Vardi (1994) never lowers the likelihood,
    and for df ≥ 1 there is one top: loc = Σ w x / Σ w, then scale² = Σ w (x − loc)² / Σ w.

    Args:
        data: observations, shape (n,).
        df: degrees of freedom, at least 1.
        loc: a location that is held, or None.
        steps: rounds; each leaves at most about half of the distance.
    """
    x = data.to(torch.float64).numpy()
    middle = float(np.median(x)) if loc is None else loc
    square = float(np.median((x - middle) ** 2))
    for _ in range(steps):
        before = middle, square
        w = (df + 1) / (df + (x - middle) ** 2 / square)
        if loc is None:
            middle = float(w @ x / w.sum())
            square = float(w @ (x - middle) ** 2 / w.sum())
        else:
            square = float(w @ (x - middle) ** 2 / len(x))
        if max(abs(middle - before[0]), abs(square - before[1])) < 1e-14 * abs(square):
            break
    return middle, math.sqrt(square)
