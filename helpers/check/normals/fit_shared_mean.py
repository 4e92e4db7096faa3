"""fit_shared_mean(data, covariance): one mean that all columns share, learned."""

from collections.abc import Callable

import torch

from helpers.check.kit import runs
from helpers.check.kit.asks import Argument, Draws, Given, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.learned import Learned
from helpers.check.normals import analytic
from helpers.check.normals.mvn_mle import described

# Factors of the known covariances: unequal spreads and strong correlations, so that a weight of the
# best mean is negative.
FACTORS: dict[int, list[list[float]]] = {
    1: [[1.4]],
    2: [[0.7, 0.0], [1.0, 0.6]],
    3: [[1.3, 0.0, 0.0], [0.5, 0.6, 0.0], [-0.6, 0.7, 1.1]],
}
OFFSETS = [0.8, -0.9, 0.5]


def _data(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return rows about a mean of 1.5 to 3 away from zero, each column off it in its own way."""
    d = {40: 2, 25: 3, 12: 1}[n]
    middle = u.choice((-1.0, 1.0)) * u.real(1.5, 3)
    off = torch.tensor(OFFSETS[:d], dtype=torch.float64) * u.uniform(d, 0.8, 1.2)
    return middle + off + u.normal(n * d).reshape(n, d)


def _covariance(u: Draws, given: Given) -> torch.Tensor:
    d = given["data"].shape[1]
    factor = torch.tensor(FACTORS[d], dtype=torch.float64)
    factor = factor * u.uniform(d, 0.8, 1.25)[:, None]
    return factor @ factor.T


def mean_nll(mean: torch.Tensor, x: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
    """Return the mean negative log-likelihood of one mean for all columns."""
    factor = torch.linalg.cholesky(covariance)
    return analytic.mvn_mean_nll(mean.expand(x.shape[1]), factor, x)


def _weighted(
    *ways: Callable[[torch.Tensor], torch.Tensor],
) -> Callable[[torch.Tensor, torch.Tensor], AnyOf]:
    """Return the mean of the columns with weights made of the covariance, in one way or more."""

    def gives(x: torch.Tensor, covariance: torch.Tensor) -> AnyOf:
        weights = [way(covariance) for way in ways]
        return AnyOf(*[w @ x.mean(0) / w.sum() for w in weights])

    return gives


def _losses(mean: torch.Tensor, x: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
    off = x.mean(0) - mean
    return 0.5 * (off @ torch.linalg.inv(covariance) * off).sum(-1)


WAYS = [runs.Way(start, _losses, lambda raw: raw)
        for start in (lambda x, c: x.mean()[None], lambda x, c: [0.0])]  # fmt: skip


def _by_pairs(x: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    """Return the mean that the formula for two columns gives."""
    first, second = c[1, 1] - c[0, 1], c[0, 0] - c[0, 1]
    return (first * x[:, 0].mean() + second * x[:, 1].mean()) / (first + second)


TURNS = (
    Turn("start returned", "the mean is still where it began: does step() know this tensor?",
         lambda x, c: AnyOf(*[float(v) for v in (0, 1, -1, 5, -5, -10)]), tolerance=1e-9),
    Turn("columns weighted alike", "this is the mean of all numbers; a column that scatters more, "
         "or repeats what another says, counts less.",
         lambda x, c: x.mean()),
    Turn("correlations left out", "you weigh with the variances alone; the columns are correlated.",
         _weighted(lambda c: 1 / c.diagonal(), lambda c: torch.linalg.inv(c).diagonal())),
    Turn("standard deviations for weights", "the weights come from the inverse covariance, not "
         "from one over the standard deviations.", _weighted(lambda c: 1 / c.diagonal().sqrt())),
    Turn("covariance for precision", "the covariance stands where its inverse should.",
         _weighted(lambda c: c.sum(0))),
    Turn("covariance for factor", "scale_tril= takes a factor; the covariance is handed over as "
         "covariance_matrix=.",
         _weighted(lambda c: torch.linalg.inv(c.tril() @ c.tril().T).sum(0))),
    Turn("negative weights refused", "a weight may be negative: where one column repeats the error "
         "of another, it is subtracted.",
         _weighted(lambda c: torch.linalg.inv(c).sum(0).abs(),
                   lambda c: torch.linalg.inv(c).sum(0).clamp(min=0),
                   lambda c: torch.linalg.inv(c).sum(0).softmax(0))),
    Turn("correlation for covariance", "these are the weights of columns that scatter alike: take "
         "the covariance as it is, not the correlations.",
         _weighted(lambda c: torch.linalg.inv(
             c / torch.outer(c.diagonal(), c.diagonal()).sqrt()).sum(0))),
    Turn("factor for precision", "the weights come from the inverse covariance, not from a factor.",
         _weighted(lambda c: torch.linalg.cholesky(c).sum(0),
                   lambda c: torch.linalg.cholesky(c).sum(1),
                   lambda c: torch.linalg.inv(torch.linalg.cholesky(c)).sum(0),
                   lambda c: torch.linalg.inv(torch.linalg.cholesky(c)).sum(1))),
    Turn("weights do not add up", "divide by the sum of the weights, which is not 1 by itself.",
         lambda x, c: AnyOf(torch.linalg.inv(c).sum(0) @ x.mean(0), c.sum(0) @ x.mean(0),
                            torch.linalg.inv(c).sum(0) @ x.mean(0) / x.shape[1],
                            torch.linalg.inv(c).sum(0) @ x.mean(0) / torch.linalg.inv(c).trace())),
    Turn("one column only", "this is the mean of one column: all of them tell about the mean.",
         lambda x, c: AnyOf(*x.mean(0))),
    Turn("covariance of the data", "the covariance is known: take the one that is handed over, not "
         "that of the data.",
         lambda x, c: AnyOf(*[analytic.shared_mean(x, analytic.mvn_mle(x)[1])])),
    Turn("two columns only", "this is right for two columns: there may be one, or more.",
         _by_pairs),
    *runs.turns(runs.trails(WAYS, 600))[:2],
)  # fmt: skip

EXERCISE = Exercise(
    name="fit_shared_mean",
    arguments=(
        sample("data", _data, many=(40, 25), sizes=(12,), alone=False, shown=described),
        Argument("covariance", _covariance),
    ),
    reference=analytic.shared_mean,
    agree=Learned(mean_nll=mean_nll, near=0.005, start=lambda x, c: AnyOf(0.0, -5.0, 5.0, -10.0)),
    turns=TURNS,
    typical=2,
    passed="fit_shared_mean: within a tenth of a standard error of the optimum, of 1 to 3 columns.",
)  # fmt: skip
fit_shared_mean = EXERCISE.check
