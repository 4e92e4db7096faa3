"""mvn_mle(data): mean and 1/n covariance of data with any number of columns."""

from collections.abc import Callable, Sequence

import torch

from helpers import data
from helpers.check.kit.asks import Draws, Given, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.normals import analytic

# Lower-triangular factors that samples are drawn with: strong correlations, unequal spreads.
FACTORS: dict[int, list[list[float]]] = {
    1: [[1.7]],
    2: [[0.6, 0.0], [1.1, 0.5]],
    3: [[1.4, 0.0, 0.0], [-0.9, 0.6, 0.0], [0.5, -0.4, 0.8]],
    5: [[0.7, 0, 0, 0, 0], [1, 2, 0, 0, 0], [0.5, -1, 0.6, 0, 0], [-1, 0.4, 0.3, 1.5, 0],
        [2, 0.2, -0.8, 0.5, 0.9]],
}  # fmt: skip
LOCS = [2.0, -1.5, 1.0, 3.0, -2.5]
Matrices = Sequence[torch.Tensor]


def rows(u: Draws, n: int, d: int) -> torch.Tensor:
    """Draw n rows of d numbers, lopsided, with means of both signs, up to 3 away from zero."""
    factor = torch.tensor(FACTORS[d], dtype=torch.float64) * u.real(1.0, 1.2)
    loc = torch.tensor(LOCS[:d], dtype=torch.float64) * u.uniform(d, 1.0, 1.2).clamp(max=3)
    z = u.normal(n * d).reshape(n, d)
    return loc.clamp(-3, 3) + (z + 0.25 * (z**2 - 1)) @ factor.T


def described(x: torch.Tensor) -> str:
    """Return how a message shows a table of observations."""
    return f"{len(x)} observations of {x.shape[1]} number{'s' if x.shape[1] > 1 else ''}"


def _data(u: Draws, given: Given, n: int) -> torch.Tensor:
    return rows(u, n, {6: 2, 40: 3, 25: 5}.get(n, 2))


def _far(u: Draws, given: Given) -> torch.Tensor:
    return rows(u, 30, 2) + torch.tensor([20.0, -45.0], dtype=torch.float64)


def _with_mean(make: Callable[[torch.Tensor, torch.Tensor], Matrices]) -> Callable[..., AnyOf]:
    """Return the mean with what ``make`` does with (covariance, data)."""

    def gives(x: torch.Tensor) -> AnyOf:
        loc, covariance = analytic.mvn_mle(x)
        return AnyOf(*[(loc, matrix) for matrix in make(covariance, x)])

    return gives


def _around(x: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
    off = x - centre
    return off.T @ off / len(x)


def _around_one(x: torch.Tensor) -> AnyOf:
    """Return the covariance around the mean of all numbers, with either mean vector."""
    matrix = _around(x, x.mean())
    return AnyOf((x.mean(0), matrix), (x.mean().expand(x.shape[1]), matrix))


def _medians(x: torch.Tensor) -> AnyOf:
    middles = [x.median(0).values, x.quantile(0.5, dim=0)]
    return AnyOf(*[(m, c) for m in middles for c in (analytic.mvn_mle(x)[1], _around(x, m))])


def _of_rows(x: torch.Tensor) -> AnyOf:
    """Return matrices with a row and a column for each observation."""
    off = x - x.mean(0)
    matrices = [torch.cov(x, correction=c) for c in (0, 1)]
    matrices += [off @ off.T / k for k in (len(x), len(x) - 1, x.shape[1], 1)]
    return AnyOf(*[(loc, m) for loc in (x.mean(0), x.mean(1)) for m in matrices])


def worked(data):  # type: ignore[no-untyped-def]
    """Return both estimates as a student would write them."""
    loc = data.mean(dim=0)
    off = data - loc
    return loc, off.T @ off / len(data)


TURNS = (
    Turn("n − 1 for n", "you divide by n − 1, as torch.cov does unless you say correction=0.",
         _with_mean(lambda c, x: [c * len(x) / (len(x) - 1)])),
    Turn("sum for mean", "you add up the products; divide by n.",
         lambda x: AnyOf(*[(m, analytic.mvn_mle(x)[1] * len(x)) for m in (x.mean(0), x.sum(0))])),
    Turn("standard deviation for variance", "you took a root: a covariance has variances on its "
         "diagonal.",
         _with_mean(lambda c, x: [c.diagonal().sqrt().diag(), c.abs().sqrt(), c.sqrt(),
                                  c - c.diagonal().diag() + c.diagonal().sqrt().diag(),
                                  torch.outer(c.diagonal().sqrt(), c.diagonal().sqrt())])),
    Turn("correlation left out", "only the variances are there; the products of different columns "
         "belong beside them.",
         _with_mean(lambda c, x: [c.diagonal().diag(), (c * len(x) / (len(x) - 1)).diagonal()
                                  .diag()])),
    Turn("correlation for covariance", "these are correlations, without units; do not divide by "
         "the standard deviations.",
         _with_mean(lambda c, x: [c / torch.outer(c.diagonal(), c.diagonal()).sqrt()])),
    Turn("not centred", "subtract the mean of each column before you multiply.",
         _with_mean(lambda c, x: [x.T @ x / len(x)])),
    Turn("one mean for all", "each column has a mean of its own: data.mean(0).", _around_one),
    Turn("rows for columns", "there is a row and a column for each number of an observation: the "
         "sum runs over the observations.", _of_rows),
    Turn("divided by columns", "divide by the number of observations, len(data), and by no other.",
         _with_mean(lambda c, x: [c * len(x) / d for d in (x.shape[1], x.numel())])),
    Turn("factor for covariance", "this is the factor L; the covariance is L Lᵀ.",
         _with_mean(lambda c, x: [torch.linalg.cholesky(c), torch.linalg.cholesky(c).T])),
    Turn("precision for covariance", "this is the inverse of the covariance.",
         _with_mean(lambda c, x: [torch.linalg.inv(c), torch.linalg.pinv(c)])),
    Turn("covariance of the mean", "this is the covariance of the mean, n times smaller.",
         _with_mean(lambda c, x: [c / len(x), c / (len(x) - 1)])),
    Turn("median for mean", "the mean vector maximises the likelihood, not the median.", _medians),
)  # fmt: skip

EXERCISE = Exercise(
    name="mvn_mle",
    arguments=(
        sample("data", _data, many=(6, 40, 25), sizes=(2,), shown=described,
               edges={"one column": lambda u, given: rows(u, 9, 1),
                      "far from zero": _far},
               used_instead=data.normals_pairs),
    ),
    reference=analytic.mvn_mle,
    turns=TURNS,
    worked=(worked,),
    parts=("mean", "covariance"),
    passed="mvn_mle: mean and 1/n covariance, of 1 to 5 columns.",
)  # fmt: skip
mvn_mle = EXERCISE.check
