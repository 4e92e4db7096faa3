"""Facts on normal distributions that the references of several sheets stand on."""

import math

import torch


def normal_log_densities(loc: float, scale: float, data: torch.Tensor) -> torch.Tensor:
    """Return −½ ((xᵢ − loc)/scale)² − log scale − ½ log 2π, log-densities of shape (n,)."""
    z = (data.to(torch.float64) - loc) / scale
    return -0.5 * z**2 - math.log(scale) - 0.5 * math.log(2 * math.pi)


def normal_mle(data: torch.Tensor) -> tuple[float, float]:
    """Return the normal's maximum-likelihood estimates: mean, and standard deviation with 1/n.

    The score in loc, Σ (xᵢ − loc)/scale², vanishes at the mean; the score in scale,
    −n/scale + Σ (xᵢ − loc)²/scale³, vanishes where scale² = (1/n) Σ (xᵢ − loc)².
    """
    x = data.to(torch.float64)
    loc = x.mean()
    return float(loc), float(((x - loc) ** 2).mean().sqrt())


def normal_entropy(scale: float) -> float:
    """Return the entropy of a normal distribution in nats, log scale + ½ log 2πe."""
    return math.log(scale) + 0.5 * math.log(2 * math.pi * math.e)


def normal_kl(loc_p: float, scale_p: float, loc_q: float, scale_q: float) -> float:
    """Return KL(p‖q) of two normals in nats.

    E_p[−log q] = log scale_q + ½ log 2π + (scale_p² + (loc_p − loc_q)²)/(2 scale_q²), less the
    entropy of p.
    """
    spread = (scale_p**2 + (loc_p - loc_q) ** 2) / (2 * scale_q**2)
    return math.log(scale_q / scale_p) + spread - 0.5
