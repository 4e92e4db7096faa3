"""What a normal model of weights is asked: y ~ Normal(Hw, σ²), w ~ Normal(0, prior²) each."""

import functools

import torch

from helpers.check.hierarchy import classes
from helpers.check.hierarchy.analytic import joint_precision, members
from helpers.check.kit.asks import Draws, Given

Tensor = torch.Tensor


def draw_m(u: Draws, given: Given, d: int) -> Tensor:
    """Return d means."""
    return u.normal(d, 0.3, 1.2)


def draw_L(u: Draws, given: Given) -> Tensor:
    """Return a lower triangle with a positive diagonal, far from symmetric."""
    d = len(given["m"])
    below = u.normal(d * d, 0.0, 0.6).reshape(d, d).tril(-1)
    return below + torch.diag(u.uniform(d, 0.4, 1.6))


def draw_H(u: Draws, given: Given) -> Tensor:
    """Return rows of ones and other numbers, as many columns as there are weights."""
    d = len(given["m"] if "m" in given else given["prior"])
    n = len(given["y"]) if "y" in given else u.whole(6, 14)
    return torch.cat([torch.ones(n, 1, dtype=torch.float64),
                      u.normal(n * (d - 1), 0.4).reshape(n, d - 1)], dim=1)  # fmt: skip


def draw_y(u: Draws, given: Given) -> Tensor:
    """Return a score for each row."""
    n = len(given["H"])
    return 1.5 * given["H"][:, 0] + given["H"].sum(1) + u.normal(n, 0.0, 1.5)


def draw_prior(u: Draws, given: Given) -> Tensor:
    """Return a deviation for each weight, unlike ones, none near 1, which is its own square."""
    d = given["H"].shape[1]
    typical = torch.tensor([3.0, *[(0.6, 2.5)[i % 2] for i in range(d - 1)]], dtype=torch.float64)
    return typical * u.uniform(d, 0.8, 1.2)


def draw_sigma(u: Draws, given: Given) -> float:
    """Return a deviation of the noise, not near 1."""
    few, many = u.log_real(0.4, 0.65), u.log_real(1.6, 2.4)
    return float(u.choice((few, many)))


def of_schools(u: Draws, given: Given, n: int) -> Tensor:
    """Return H = [X Z]: ones, a factor mostly below zero, and a column for each school.

    So the posterior has a positive correlation too, between the weights of ones and factor.
    """
    count = given["H"].shape[1] - 2 if "H" in given else u.whole(4, 5)
    rest = (count * u.uniform(n - count) ** 2).long()
    school = torch.cat([torch.arange(count), rest])
    school = school[torch.randperm(n, generator=u.generator())]
    Z = torch.nn.functional.one_hot(school, count).double()
    return torch.cat([torch.ones(n, 1, dtype=torch.float64), u.normal(n, -0.8)[:, None], Z], dim=1)


TAU, SIGMA = 30.0, 70.0  # the sheet's own
OF_SHEET = "this is the result for the sheet's own schools; use what the function is given."


@functools.cache
def of_sheet(seed: int) -> tuple[Tensor, Tensor, float, Tensor]:
    """Return the sheet's own H, scores, sigma and prior, for a data seed."""
    X, y, school = classes.of_sheet()
    prior = torch.tensor([500.0] * 3 + [TAU] * 40, dtype=torch.float64)
    return torch.cat([X, members(school)], dim=1), y, SIGMA, prior


def precision_of_sheet(seed: int) -> tuple[Tensor, Tensor]:
    """Return the sheet's own P and h, for a data seed."""
    H, y, sigma, prior = of_sheet(seed)
    return joint_precision(H, sigma, prior), H.T @ y / sigma**2
