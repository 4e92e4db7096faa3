"""What rounding alone may do to a right answer in single precision.

A mean near zero of large numbers has few right digits, however it is computed. How many, the
reference tells: it is asked again, with its arguments moved by as much as single precision rounds
them.
"""

import math
from typing import Any

import torch

from helpers.check.kit.asks import Case
from helpers.check.kit.calling import own_copy, quietly
from helpers.check.kit.compare import SINGLE_PRECISION, as_row, distance, several

ROUNDED = 2.0**-24  # relative difference between a number and the nearest in single precision
STEPS = 100  # an answer rounds more often than its arguments: on the way, and at each step
WAYS = 5  # of moving the arguments, each number up or down by the toss of a coin
WIDEST = 1e-3  # whoever is further away does not compute the same


def single_precision(case: Case) -> float:
    """Return the relative difference that is allowed to a value in single precision."""
    return float(case.once(single_precision, lambda: _bound(case)))


def _bound(case: Case) -> float:
    if case.reference is None:
        return SINGLE_PRECISION
    moved = 0.0
    try:
        with quietly():
            here = several(case.reference(*map(_double, case.args)))
            for way in range(WAYS):
                signs = torch.Generator().manual_seed(way)
                there = case.reference(*[_nudged(_double(a), signs) for a in case.args])
                for one, other in zip(here, several(there), strict=True):
                    a, b = as_row(one), as_row(other)
                    if a is not None and b is not None and a.shape == b.shape:
                        moved = max(moved, distance(b, a))
    except Exception:  # moved out of its domain: there the rounding is no question
        return SINGLE_PRECISION
    if not math.isfinite(moved):
        return SINGLE_PRECISION
    return max(SINGLE_PRECISION, min(WIDEST, STEPS * moved))


def _double(argument: Any) -> Any:
    if isinstance(argument, torch.Tensor) and argument.dtype == torch.float32:
        return argument.detach().double()
    return own_copy(argument)


def _nudged(argument: Any, signs: torch.Generator) -> Any:
    """Return an argument with each of its numbers moved by half a unit in the last place."""

    def toss(shape: torch.Size) -> torch.Tensor:
        return 2.0 * torch.randint(2, shape, generator=signs) - 1

    if isinstance(argument, float):
        return argument * (1 + ROUNDED * float(toss(torch.Size())))
    if isinstance(argument, torch.Tensor) and argument.is_floating_point():
        return argument.detach() * (1 + ROUNDED * toss(argument.shape))
    return argument
