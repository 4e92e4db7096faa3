"""Closed forms of sheet 03: stochastic gradient descent, step by step."""

from collections.abc import Callable

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


def largest_stable_rate(curvature: float, momentum: float = 0.0) -> float:
    """Return the learning rate above which gradient descent with momentum diverges.

    On a quadratic with curvature λ the distance to the bottom follows
    x_{t+1} = (1 + β − ηλ) x_t − β x_{t−1}. With 0 ≤ β < 1 both roots of r² − (1 + β − ηλ) r + β lie
    in the unit circle exactly for 0 < ηλ < 2 (1 + β) (B. Polyak, 1964); at the edge one of them
    is −1. Of several directions the steepest has the least edge.

    Args:
        curvature: λ, the largest of all directions; n/σ² for a sum over n observations.
        momentum: β.
    """
    return 2 * (1 + momentum) / curvature


def resting_spread(data: torch.Tensor, batch_size: int, learning_rate: float) -> float:
    """Return the standard deviation of the location, long after the start of a run with batches.

    The slope n (θ − x̄_B) of a batch leads to θ' − x̄ = (1 − a)(θ − x̄) + a (x̄_B − x̄), a = ηn. The
    mean of a batch drawn without replacement has the variance w = s²/m · (n − m)/(n − 1) (Cochran,
    Sampling Techniques, 1977, theorem 2.2), so the variance v at rest solves
    v = (1 − a)² v + a² w.

    Args:
        data: observations, shape (n,), n at least 2.
        batch_size: m, how many of them make a batch.
        learning_rate: η, below 2/n.
    """
    n, a = len(data), learning_rate * len(data)
    of_mean = float(data.var(correction=0)) / batch_size * (n - batch_size) / (n - 1)
    return (a**2 * of_mean / (1 - (1 - a) ** 2)) ** 0.5


def momentum_path(
    slope: Callable[[torch.Tensor], torch.Tensor], start: torch.Tensor, learning_rate: float,
    momentum: float, n_steps: int,
) -> torch.Tensor:  # fmt: skip
    """Return the locations of gradient descent with momentum, the start first.

    v ← β v + slope(θ), θ ← θ − η v, with v = 0 at the start (B. Polyak, 1964).

    Args:
        slope: gradient of the loss at a location of shape (d,).
        start: shape (d,).
        learning_rate: η.
        momentum: β.
        n_steps: number of steps.

    Returns:
        float64 tensor of shape (n_steps + 1, d).
    """
    path, velocity = [start], torch.zeros_like(start)
    for _ in range(n_steps):
        velocity = momentum * velocity + slope(path[-1])
        path.append(path[-1] - learning_rate * velocity)
    return torch.stack(path)


def float_gap(location: float, towards: float, dtype: torch.dtype) -> float:
    """Return the distance from a number to the next one that the dtype can hold.

    A binary float with f bits of fraction has neighbours 2^(k−f) apart on [2^k, 2^(k+1)) (IEEE
    754); at a power of two the neighbour nearer to zero is half as far as the other.

    Args:
        location: the number, rounded to the dtype first.
        towards: on which side the next one lies.
        dtype: torch.float32 or torch.float64.
    """
    here = torch.tensor(location, dtype=dtype)
    following = torch.nextafter(here, torch.tensor(towards, dtype=dtype))
    return abs(float(following) - float(here))


def stall_distance(
    location: float, mean: float, n: int, learning_rate: float, dtype: torch.dtype
) -> float:
    """Return how far from the optimum gradient descent stops moving in a floating-point type.

    An update ηn·d smaller than half the gap at the location, on the side of the mean, rounds away
    (round to nearest), so the iterates stop at the distance d = gap / (2ηn).
    """
    return float_gap(location, mean, dtype) / 2 / (learning_rate * n)
