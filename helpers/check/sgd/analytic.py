"""Closed forms of sheet 03: stochastic gradient descent, step by step."""

import torch


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

    A binary float with f bits of fraction has neighbours 2^(k−f) apart on [2^k, 2^(k+1)) (IEEE
    754).

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
