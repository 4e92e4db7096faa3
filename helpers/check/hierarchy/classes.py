"""What several exercises of sheet 13 are asked: pupils in schools of unlike sizes, in any order.

Counts of pupils are whole numbers, and torch takes such a tensor times a float to single precision:
so right answers may come in it.
"""

from typing import Any

import torch

from helpers import data
from helpers.check.kit.asks import Argument, Draws, Given, sample

Tensor = torch.Tensor


def draw_scores(u: Draws, given: Given, n: int) -> Tensor:
    """Return n scores, some of them negative."""
    return u.normal(n, u.real(10, 40), 30.0)


def draw_school(u: Draws, given: Given) -> Tensor:
    """Return a school for each pupil: each occurs, some often, and in no order."""
    n = len(given["y"])
    count = int(given["school"].max()) + 1 if "school" in given else u.whole(3, max(3, n // 4))
    count = min(count, n)
    rest = (count * u.uniform(n - count) ** 2).long()
    school = torch.cat([torch.arange(count), rest])
    return school[torch.randperm(n, generator=u.generator())]


def each_its_own(u: Draws, given: Given) -> Tensor:
    """Return a school of one pupil for each, in no order."""
    return torch.randperm(len(given["y"]), generator=u.generator())


def one_missing(u: Draws, given: Given) -> Tensor:
    """Return schools among which one number does not occur."""
    school = given["school"]
    gap = u.whole(1, int(school.max()))
    return torch.where(school >= gap, school + 1, school)


def y(**more: Any) -> Argument:
    """Return the argument of scores."""
    return sample("y", draw_scores, many=(12, 30, 21), **more)


def school(**more: Any) -> Argument:
    """Return the argument that says each pupil's school."""
    return Argument("school", draw_school, shown=lambda s: f"{int(s.max()) + 1} schools", **more)


def of_sheet() -> tuple[Tensor, Tensor, Tensor]:
    """Return the sheet's own factors, scores and schools."""
    X, y, school, _ = data.schools("hierarchy")
    return X, y, school
