"""Counts of first digits, for the checks that take them; and those of the sheet."""

import torch

from helpers import data
from helpers.check.benford import analytic
from helpers.check.benford.first_digit import reference as first_digit
from helpers.check.kit.asks import Draws, Given

DOUBLE = torch.float64


def counted(u: Draws, given: Given, k: int, low: int = 60, high: int = 400) -> torch.Tensor:
    """Return counts of k digits, none of them zero, drawn near Benford's law of base k + 1.

    Args:
        u: draws them.
        given: not asked.
        k: number of digits.
        low: smallest number of draws, one more for each digit not counted.
        high: the largest.
    """
    law = analytic.benford(k + 1, 1) * torch.exp(0.35 * u.normal(k))
    places = torch.searchsorted((law / law.sum()).cumsum(0), u.uniform(u.whole(low, high)))
    return 1 + torch.bincount(places.clamp(max=k - 1), minlength=k).to(DOUBLE)


def of_the_sheet() -> torch.Tensor:
    """Return how often each first digit occurs among the populations of sheet 12's table."""
    towns = data.magnitudes("benford: towns", 600, 3.5, 0.9).tolist()
    found = [first_digit(str(int(x))) for x in towns]
    return torch.tensor([found.count(d) for d in range(1, 10)], dtype=DOUBLE)
