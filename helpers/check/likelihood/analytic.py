"""Closed forms of sheet 02: maximum likelihood by hand."""

import math

import torch


def bernoulli_mle(flips: torch.Tensor) -> float:
    """Return the share of ones: the score k/p − (n − k)/(1 − p) vanishes at p = k/n."""
    return float(flips.to(torch.float64).mean())


def exponential_mle(waits: torch.Tensor) -> float:
    """Return the rate 1/mean: the score n/rate − Σ xᵢ vanishes at rate = n/Σ xᵢ."""
    return float(1 / waits.to(torch.float64).mean())


def poisson_mle(counts: torch.Tensor) -> float:
    """Return the mean: the score Σ xᵢ/rate − n vanishes at rate = Σ xᵢ/n."""
    return float(counts.to(torch.float64).mean())


def censored_mle(waits: torch.Tensor, ended: torch.Tensor) -> tuple[float, float]:
    """Return the rate of exponential waits, and its standard error, where some were cut short.

    A wait that ended has the density λ exp(−λt), one that was cut short the probability exp(−λt)
    of lasting longer. With d events the log-likelihood is d log λ − λ Σ t; the score d/λ − Σ t
    vanishes at λ = d/Σ t, where the curvature is d/λ² (Cox and Oakes 1984, section 3.2).
    """
    events = float(ended.to(torch.float64).sum())
    rate = events / float(waits.to(torch.float64).sum())
    return rate, rate / math.sqrt(events)


def least_squares(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the maximum-likelihood line of y about x, and the standard deviation about it.

    Args:
        x: shape (n,).
        y: shape (n,).

    Returns:
        Intercept and slope, shape (2,), and the root of the mean squared residual.
    """
    columns = torch.stack([torch.ones_like(x), x], dim=1)
    best = torch.linalg.solve(columns.T @ columns, columns.T @ y)
    return best, ((y - columns @ best) ** 2).mean().sqrt()
