"""Points of the real line, as the cases of sheet 05 hand them to an answer."""

import math
from collections.abc import Callable
from typing import Any

import torch

from helpers.check.kit.asks import Draws, Given

# Points lie within 2 of zero: there the maps bend enough to tell a wrong turn from the right way,
# and single precision loses less than two digits on the way back.
REACH = 2.0
Edge = Callable[[Draws, Given], torch.Tensor]


def line(u: Draws, *shape: int) -> torch.Tensor:
    """Return points of the line at even distances with a jitter, in mixed order.

    A single point keeps away from zero, where a relative bound asks too much of rounding.

    Args:
        u: draws them.
        shape: of the result; none for a single number.
    """
    count = math.prod(shape)
    if not shape:
        return torch.tensor(u.choice((-1, 1)) * u.real(0.5, 1.5), dtype=torch.float64)
    even = (torch.arange(count, dtype=torch.float64) + u.uniform(count, 0.2, 0.8)) / count
    order = torch.randperm(count, generator=u.generator())
    return REACH * (2 * even - 1)[order].reshape(shape)


def shapes(
    name: str, *several: tuple[int, ...], of: Callable[[torch.Tensor, Given], torch.Tensor]
) -> dict[str, Any]:
    """Return edges of several shapes, by the words of a message.

    Args:
        name: of the argument.
        several: the shapes.
        of: makes the argument's value from points of the line, and the other arguments.
    """

    def edge(shape: tuple[int, ...]) -> Edge:
        return lambda u, given: of(line(u, *shape), given)

    return {f"{name} of shape {shape}": edge(shape) for shape in several}


def itself(y: torch.Tensor, given: Given) -> torch.Tensor:
    """Return the points as they are."""
    return y
