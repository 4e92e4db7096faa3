"""Integrals by trapezoids, for a whole grid of parameters in one call, with a known error.

Sheet 07 writes the rule by hand; sheet 08, the demos and the checks import it from here.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

Bound = float | torch.Tensor


@dataclass(frozen=True)
class Integral:
    """An integral and how far it may be off.

    Args:
        value: the integral by all nodes, float64.
        error: the difference between all nodes and every second one, of the shape of ``value``.
            It bounds the error of ``value`` wherever halving the step at least halves the error.
            A smooth integrand does better: its true error is a third of this, and where it
            vanishes smoothly at both ends about the square of it (Trefethen and Weideman, The
            exponentially convergent trapezoidal rule, SIAM Review, 2014).
    """

    value: torch.Tensor
    error: torch.Tensor


def nodes(low: Bound, high: Bound, n: int) -> torch.Tensor:
    """Return n equally spaced points from low to high, along a new first axis.

    Args:
        low: where each integral begins; a number, or a tensor of any shape S.
        high: where each integral ends; a number or a tensor, broadcast against ``low``.
        n: number of nodes, at least 2.

    Returns:
        float64 tensor of shape (n, *S); gradients reach low and high.

    Raises:
        ValueError: fewer than two nodes.
    """
    if n < 2:
        raise ValueError(f"an integral needs at least 2 nodes, not {n}; pass a larger n.")
    begin, end = torch.broadcast_tensors(
        torch.as_tensor(low, dtype=torch.float64), torch.as_tensor(high, dtype=torch.float64)
    )
    share = torch.linspace(0, 1, n, dtype=torch.float64).reshape(-1, *[1] * begin.ndim)
    return begin + share * (end - begin)


def trapezoid(
    f: Callable[[torch.Tensor], torch.Tensor], low: Bound, high: Bound, n: int = 1001
) -> torch.Tensor:
    """Return ∫ f(x) dx from low to high for a whole grid of parameters.

    The rule: f is replaced by straight lines between n equally spaced nodes, so that the integral
    is h · (½ f(x₁) + f(x₂) + … + f(xₙ₋₁) + ½ f(xₙ)) with h = (high − low)/(n − 1).

    Args:
        f: takes nodes of shape (k, *S), where S is the shape of low and high (none for numbers),
            and returns values whose first axis runs over the nodes. It is called on one block of
            nodes after the other, which keeps a large grid in the processor's cache. To integrate
            between two numbers for parameters of shape S, give the nodes axes of their own, as in
            ``f(x) = density(x.reshape(-1, 1, 1), locs[:, None], scales)``.
        low: where each integral begins.
        high: where each integral ends.
        n: number of nodes, at least 2.

    Returns:
        The integrals, of the shape of f's values without their first axis; gradients flow.
    """
    x = nodes(low, high, n)
    fine, _ = _sums(f, x)
    return fine * (x[-1] - x[0]) / (n - 1)


def trapezoid_with_error(
    f: Callable[[torch.Tensor], torch.Tensor], low: Bound, high: Bound, n: int = 1001
) -> Integral:
    """Return :func:`trapezoid` and how far it may be off, from the same values of f.

    Args:
        f: as for :func:`trapezoid`.
        low: where each integral begins.
        high: where each integral ends.
        n: number of nodes, odd and at least 3, so that every second node reaches both ends.

    Raises:
        ValueError: an even number of nodes, or fewer than three.
    """
    if n < 3 or n % 2 == 0:
        raise ValueError(f"the error needs an odd number of nodes, at least 3, not {n}.")
    x = nodes(low, high, n)
    fine, coarse = _sums(f, x)
    step = (x[-1] - x[0]) / (n - 1)
    return Integral(fine * step, (fine - 2 * coarse).abs() * step)


# Values of one block: 131072 numbers are 1 MB in float64, which a processor's cache holds.
BLOCK = 2**17


def _sums(
    f: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the sums of f over all nodes and over every second one, the two ends halved."""
    n = len(x)
    ends = 0.5 * f(x[[0, -1]])  # found first: their shape says how many nodes make a block
    fine = coarse = -ends.sum(0)
    size = 2 * max(1, BLOCK // 2 // max(1, ends[0].numel()))  # even: blocks begin at even nodes
    for start in range(0, n, size):
        values = f(x[start : start + size])
        fine, coarse = fine + values.sum(0), coarse + values[::2].sum(0)
    return fine, coarse
