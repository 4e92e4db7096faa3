"""The check of sheet 04's closed form in any dimension, and what answers that are pairs need."""

from collections.abc import Callable
from typing import Any

import torch

from helpers import data
from helpers.check.kit import message
from helpers.check.kit.agree import as_tensor, compare, numbers, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import CheckFailed, passed, show
from helpers.check.normals import analytic

# Lower-triangular factors that the samples are drawn with: strong correlations, unequal spreads.
FACTORS: dict[int, list[list[float]]] = {
    1: [[1.7]],
    2: [[0.6, 0.0], [1.1, 0.5]],
    3: [[1.4, 0.0, 0.0], [-0.9, 0.6, 0.0], [0.5, -0.4, 0.8]],
    5: [[0.7, 0, 0, 0, 0], [1, 2, 0, 0, 0], [0.5, -1, 0.6, 0, 0], [-1, 0.4, 0.3, 1.5, 0],
        [2, 0.2, -0.8, 0.5, 0.9]],
}  # fmt: skip
LOCS = [2.0, -1.5, 1.0, 3.0, -2.5]


def sample(what: str, n: int, d: int) -> torch.Tensor:
    """Draw n rows of d numbers whose mean and covariance vary with the data seed."""
    u = data.uniform(f"normals: {what} {n}", d + 1, 1.0, 1.2).tolist()
    factor = [[u[d] * entry for entry in row] for row in FACTORS[d]]
    loc = [a * b for a, b in zip(LOCS, u[:d], strict=False)]
    return data.rows(f"normals: {what} data {n}", n, loc, factor)


def split(tested: str, value: Any, expected: Any) -> list[torch.Tensor]:
    """Return the mean and the matrix that an answer gave, as tensors.

    Raises:
        CheckFailed: no pair, or a part that has another shape, no real numbers, or NaN.
    """
    loc, matrix = expected
    wanted = f"a pair: shapes {tuple(loc.shape)} and {tuple(matrix.shape)}"
    if not isinstance(value, tuple | list):
        got = "None" if value is None else f"{show(value)}, of type {type(value).__name__}"
        raise CheckFailed(tested, wanted, got, message.WRONG_TYPE,
                          "return the two of the docstring, with a comma between.")  # fmt: skip
    if len(value) != 2:
        raise CheckFailed(tested, wanted, f"{len(value)} values", message.WRONG_SHAPE,
                          "return the two of the docstring, in this order.")  # fmt: skip
    return [numbers(f"{tested}, {part}", got, want).to(torch.float64)
            for part, got, want in zip(("the first", "the second"), value, expected, strict=True)
            ]  # fmt: skip


def parts_of(got: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Return mean and matrix of an answer in float64, or None where it is no such pair."""
    if not isinstance(got, tuple | list) or len(got) != 2:
        return None
    loc, matrix = (as_tensor(part) for part in got)
    d = x.shape[1]
    if loc is None or matrix is None or loc.shape != (d,) or matrix.shape != (d, d):
        return None
    return loc.to(torch.float64), matrix.to(torch.float64)


def pair_alike(tolerance: float) -> Callable[[Any, Any], bool]:
    """Return a comparison of an answer's pair with several, in the turn's (data, pairs)."""

    def alike(got: Any, turn: tuple[torch.Tensor, list[Any]]) -> bool:
        x, several = turn
        parts = parts_of(got, x)
        return parts is not None and any(
            same(parts[0], loc, tolerance) and same(parts[1], matrix, tolerance)
            for loc, matrix in several
        )

    return alike


def mvn_mle(answer: Any, sizes: str = "practice") -> bool:
    """Check ``mvn_mle(data)``: mean and 1/n covariance.

    Args:
        answer: the student's function.
        sizes: "practice" for two and three dimensions, "fresh" for one and five as well.
    """
    shapes = [(6, 2), (40, 3)] + ([(9, 1), (25, 5)] if sizes == "fresh" else [])
    cases = []
    for n, d in shapes:
        x = sample("closed", n, d)
        described = f"mvn_mle(data) on {n} observations of {d} number{'s' if d > 1 else ''}"
        cases.append(Case(described, (x,), analytic.mvn_mle(x), judge=_compare_parts))
    function_agrees(answer, cases, MLE_TURNS)
    return passed(f"mvn_mle: mean and 1/n covariance, on {len(cases)} samples.")


def _compare_parts(tested: str, value: Any, expected: Any) -> None:
    split(tested, value, expected)
    for part, got, want in zip(("mean", "covariance"), value, expected, strict=True):
        compare(f"{tested}, {part}", got, want)


def _closed(make: Callable[[torch.Tensor, torch.Tensor], list[torch.Tensor]]) -> Any:
    """Return a turn's (data, pairs): the mean, and what ``make`` does with (covariance, data)."""

    def gives(x: torch.Tensor) -> tuple[torch.Tensor, list[Any]]:
        loc, covariance = analytic.mvn_mle(x)
        return x, [(loc, matrix) for matrix in make(covariance, x)]

    return gives


EXACT = pair_alike(1e-5)
MLE_TURNS = [
    Turn("n − 1 for n", "you divide by n − 1, as torch.cov does unless you say correction=0.",
         _closed(lambda c, x: [c * len(x) / (len(x) - 1)]), alike=EXACT),
    Turn("sum for mean", "you add up the products; divide by n.",
         _closed(lambda c, x: [c * len(x)]), alike=EXACT),
    Turn("standard deviation for variance", "you took a root: a covariance has variances on its "
         "diagonal.",
         _closed(lambda c, x: [c.diagonal().sqrt().diag(), c.abs().sqrt(), c.sqrt(),
                               c - c.diagonal().diag() + c.diagonal().sqrt().diag()]),
         alike=EXACT),
    Turn("correlation left out", "only the variances are there; the products of different columns "
         "belong beside them.", _closed(lambda c, x: [c.diagonal().diag()]), alike=EXACT),
    Turn("correlation for covariance", "these are correlations, without units; do not divide by "
         "the standard deviations.",
         _closed(lambda c, x: [c / torch.outer(c.diagonal(), c.diagonal()).sqrt()]), alike=EXACT),
    Turn("not centred", "subtract the mean of each column before you multiply.",
         _closed(lambda c, x: [x.T @ x / len(x)]), alike=EXACT),
    Turn("one mean for all", "each column has a mean of its own: data.mean(0).",
         lambda x: (x, _around_one(x)), alike=EXACT),
    Turn("divided by columns", "divide by the number of observations, len(data), and by no other.",
         _closed(lambda c, x: [c * len(x) / d for d in (x.shape[1], x.numel())]), alike=EXACT),
    Turn("factor for covariance", "this is the factor L; the covariance is L Lᵀ.",
         _closed(lambda c, x: [torch.linalg.cholesky(c)]), alike=EXACT),
    Turn("precision for covariance", "this is the inverse of the covariance.",
         _closed(lambda c, x: [torch.linalg.inv(c)]), alike=EXACT),
    Turn("covariance of the mean", "this is the covariance of the mean, n times smaller.",
         _closed(lambda c, x: [c / len(x)]), alike=EXACT),
    Turn("median for mean", "the mean vector maximises the likelihood, not the median.",
         lambda x: (x, [(x.median(0).values, m) for m in _around(x, x.median(0).values)]),
         alike=EXACT),
]  # fmt: skip


def _around_one(x: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return the covariance around the mean of all numbers, with either mean vector."""
    off = x - x.mean()
    return [(loc, off.T @ off / len(x)) for loc in (x.mean(0), x.mean().expand(x.shape[1]))]


def _around(x: torch.Tensor, loc: torch.Tensor) -> list[torch.Tensor]:
    """Return the 1/n covariance around the mean and around another location."""
    off = x - loc
    return [analytic.mvn_mle(x)[1], off.T @ off / len(x)]
