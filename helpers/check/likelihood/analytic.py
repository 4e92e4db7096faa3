"""Closed forms of sheet 02: maximum likelihood by hand."""

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
