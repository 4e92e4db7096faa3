"""Closed forms: what the checks compare answers with. Each says where it comes from.

Shapes follow the data: a sample is a tensor of shape (n,). Everything is computed in float64.
"""

import math

import torch

# --- 01 autodiff -------------------------------------------------------------------------------


def beta22_slope(x: torch.Tensor) -> torch.Tensor:
    """Return the slope of the Beta(2, 2) density.

    p(x) = x (1 − x) / B(2, 2) with B(2, 2) = 1/6, so p(x) = 6x − 6x² and p'(x) = 6 − 12x on (0, 1).

    Args:
        x: points, any shape.

    Returns:
        p'(x) inside (0, 1), zero elsewhere, of the shape of x.
    """
    inside = (x > 0) & (x < 1)
    return torch.where(inside, 6 - 12 * x, torch.zeros_like(x))


def normal_nll_slope(loc: float, data: torch.Tensor) -> float:
    """Return d/dloc of the mean negative log-likelihood of Normal(loc, 1).

    (1/n) Σ ½ (xᵢ − loc)² + const has the derivative (1/n) Σ (loc − xᵢ) = loc − mean(data).
    """
    return float(loc - data.to(torch.float64).mean())


# --- 03 sgd ------------------------------------------------------------------------------------


def sgd_trajectory(
    mean: float, n: int, start: float, learning_rate: float, n_steps: int
) -> torch.Tensor:
    """Return the iterates of gradient descent on the summed loss of Normal(location, 1).

    The loss Σ ½ (xᵢ − θ)² + const has the gradient n (θ − mean), so a step of learning rate η gives
    θ' − mean = (1 − ηn)(θ − mean), and t of them give mean + (1 − ηn)^t (start − mean).

    Args:
        mean: mean of the observations.
        n: number of observations.
        start: where the parameter starts.
        learning_rate: η, at least 0.
        n_steps: number of steps.

    Returns:
        float64 tensor of shape (n_steps + 1,), the start first.
    """
    t = torch.arange(n_steps + 1, dtype=torch.float64)
    return mean + (1 - learning_rate * n) ** t * (start - mean)


def largest_stable_rate(n: int) -> float:
    """Return the learning rate above which :func:`sgd_trajectory` diverges: |1 − ηn| = 1 at 2/n."""
    return 2 / n


def float_gap(location: float, dtype: torch.dtype) -> float:
    """Return the distance from a number to the next larger one that the dtype can hold.

    A binary float with f bits of fraction has neighbours 2^(k−f) apart on [2^k, 2^(k+1)) (IEEE 754).

    Args:
        location: the number, rounded to the dtype first.
        dtype: torch.float32 or torch.float64.
    """
    here = torch.tensor(location, dtype=dtype)
    above = torch.nextafter(here, torch.full_like(here, torch.inf))
    return float(above) - float(here)


def stall_distance(location: float, n: int, learning_rate: float, dtype: torch.dtype) -> float:
    """Return how far from the optimum gradient descent stops moving in a floating-point type.

    An update ηn·d smaller than half the gap at the location rounds away (round to nearest), so the
    iterates stop at the distance d = gap / (2ηn).
    """
    return float_gap(location, dtype) / 2 / (learning_rate * n)


# --- 02 likelihood -----------------------------------------------------------------------------


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


def bernoulli_mle(flips: torch.Tensor) -> float:
    """Return the share of ones: the score k/p − (n − k)/(1 − p) vanishes at p = k/n."""
    return float(flips.to(torch.float64).mean())


def exponential_mle(waits: torch.Tensor) -> float:
    """Return the rate 1/mean: the score n/rate − Σ xᵢ vanishes at rate = n/Σ xᵢ."""
    return float(1 / waits.to(torch.float64).mean())


def poisson_mle(counts: torch.Tensor) -> float:
    """Return the mean: the score Σ xᵢ/rate − n vanishes at rate = Σ xᵢ/n."""
    return float(counts.to(torch.float64).mean())


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
