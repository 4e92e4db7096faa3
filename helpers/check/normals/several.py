"""Checks of sheet 04, second part: learned normal distributions of several dimensions."""

from typing import Any

import torch

from helpers import data
from helpers.check.kit.agree import as_tensor
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed
from helpers.check.normals import analytic
from helpers.check.normals.loc_scale import (
    STOPS_EARLY,
    by_deviance,
    near,
    near_any,
)

# Factors of the known covariances: unequal spreads, and correlations that no run is slowed by much.
WIDE_2 = [[0.8, 0.0], [0.7, 0.9]]
WIDE_3 = [[1.2, 0.0, 0.0], [-0.6, 0.9, 0.0], [0.4, -0.3, 1.0]]


def fit_mean_vector(answer: Any) -> bool:
    """Check ``fit_mean_vector(data, covariance, start)``: the mean of the rows, learned."""
    cases = []
    for n, rows in [(50, WIDE_2), (90, WIDE_3)]:
        d = len(rows)
        u = data.uniform(f"normals: mean {n}", d, 1.0, 1.2).tolist()
        locs = [a * b for a, b in zip([2.0, -1.5, 1.0], u, strict=False)]
        x = data.rows(f"normals: mean data {n}", n, locs, rows)
        factor = torch.tensor(rows, dtype=torch.float64)
        covariance = factor @ factor.T
        # No slope is near zero at the start: where one is, Adam's v stays tiny, and its steps later
        # grow until the run leaves the optimum for a while.
        start = torch.tensor([-1.0, 2.0, 4.0], dtype=torch.float64)[:d]

        def nll(
            loc: torch.Tensor, factor: torch.Tensor = factor, x: torch.Tensor = x
        ) -> torch.Tensor:
            return analytic.mvn_mean_nll(loc, factor, x)

        described = f"fit_mean_vector(data, covariance, start) on {n} observations of {d} numbers"
        judge = by_deviance(nll, n)
        cases.append(Case(described, (x, covariance, start), x.mean(0), judge=judge))
    function_agrees(answer, cases, MEAN_TURNS)
    return passed("fit_mean_vector: within a tenth of a standard error of the mean, twice.")


def _one_for_all(x: torch.Tensor, covariance: torch.Tensor) -> list[torch.Tensor]:
    """Return the best vector of equal components, and the mean of all numbers, repeated."""
    weights = torch.linalg.inv(covariance).sum(0)
    best = (weights @ x.mean(0)) / weights.sum()
    return [best.expand(x.shape[1]), x.mean().expand(x.shape[1])]


def _further(got: Any, given: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> bool:
    """Whether the likelihood is lower than at the start."""
    x, covariance, start = given
    value = as_tensor(got)
    if value is None or value.shape != start.shape:
        return False
    factor = torch.linalg.cholesky(covariance)
    return bool(analytic.mvn_mean_nll(value, factor, x)
                > analytic.mvn_mean_nll(start, factor, x) + 1e-6)  # fmt: skip


def _on_its_way(got: Any, shape: torch.Size) -> bool:
    value = as_tensor(got)
    return value is not None and value.shape == shape and bool(value.isfinite().all())


MEAN_TURNS = [
    Turn("start returned", "the mean is still where it began: does step() know this tensor?",
         lambda x, covariance, start: start),
    Turn("one number for all", "all components are the same number; train a vector.",
         lambda x, covariance, start: _one_for_all(x, covariance), alike=near_any),
    Turn("sum for mean", "these are sums over the data; divide by their number.",
         lambda x, covariance, start: x.sum(0), alike=near),
    Turn("order of components", "the components are in another order than the columns.",
         lambda x, covariance, start: [x.mean(0).flip(0), x.mean(0).roll(1)], alike=near_any),
    Turn("covariance in the way", "the gradient holds the inverse covariance, but the place where "
         "it vanishes does not.",
         lambda x, covariance, start: [covariance @ x.mean(0),
                                       torch.linalg.solve(covariance, x.mean(0))], alike=near_any),
    Turn("start added", "you return mean and start added up.",
         lambda x, covariance, start: [x.mean(0) + start, x.mean(0) - start], alike=near_any),
    Turn("walks uphill", "the likelihood is lower than at the start: look at the sign of the loss, "
         "and whether the slopes are zeroed in every step.",
         lambda x, covariance, start: (x, covariance, start), alike=_further),
    Turn("stops early", STOPS_EARLY,
         lambda x, covariance, start: start.shape, alike=_on_its_way),
]  # fmt: skip
