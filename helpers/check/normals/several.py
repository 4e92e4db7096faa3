"""Checks of sheet 04, second part: learned normal distributions of several dimensions."""

import math
import re
from collections.abc import Callable
from typing import Any

import torch

from helpers import data
from helpers.check.kit.agree import as_tensor, same, standard_errors
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed
from helpers.check.normals import analytic
from helpers.check.normals.loc_scale import (
    LEARNED,
    STOPS_EARLY,
    arrived,
    by_deviance,
    near,
    near_any,
    untrained,
)
from helpers.check.normals.pairs import pair_alike, parts_of, sample, split

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


def is_factor(matrix: torch.Tensor) -> bool:
    """Return whether a matrix is lower-triangular, exactly, with a positive diagonal."""
    return bool((matrix.triu(1) == 0).all() and (matrix.diagonal() > 0).all())


def fit_mean_and_factor(answer: Any) -> bool:
    """Check ``fit_mean_and_factor(data)``: mean and Cholesky factor, judged by deviance.

    A factor that is not lower-triangular with a positive diagonal fails whatever its likelihood.
    """
    cases = []
    for n, d in [(60, 2), (120, 3)]:
        x = sample("factor", n, d)
        loc, covariance = analytic.mvn_mle(x)
        expected = (loc, torch.linalg.cholesky(covariance))
        described = f"fit_mean_and_factor(data) on {n} observations of {d} numbers"
        cases.append(Case(described, (x,), expected, judge=_factor_judge(x)))
    function_agrees(answer, cases, FACTOR_TURNS)
    return passed("fit_mean_and_factor: a tenth of a standard error from the optimum, twice.")


def _factor_judge(x: torch.Tensor) -> Callable[[str, Any, Any], None]:
    d = x.shape[1]

    def nll(both: torch.Tensor) -> torch.Tensor:
        return analytic.mvn_mean_nll(both[:d], both[d:].reshape(d, d), x)

    def judge(tested: str, value: Any, expected: Any) -> None:
        loc, factor = split(tested, value, expected)
        optimum = torch.cat([part.flatten() for part in expected])
        given = torch.cat([loc, factor.flatten()])
        left = standard_errors(nll, given, optimum, len(x)) if is_factor(factor) else math.inf
        arrived(tested, left, expected, value)

    return judge


def _of(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the optimum: mean, covariance and its factor."""
    loc, covariance = analytic.mvn_mle(x)
    return loc, covariance, torch.linalg.cholesky(covariance)


def _with(make: Callable[[torch.Tensor, torch.Tensor], list[torch.Tensor]]) -> Any:
    """Return a turn's (data, pairs): the mean, and what ``make`` does with (covariance, factor)."""

    def gives(x: torch.Tensor) -> tuple[torch.Tensor, list[Any]]:
        loc, covariance, factor = _of(x)
        return x, [(loc, matrix) for matrix in make(covariance, factor)]

    return gives


def _raws(factor: torch.Tensor) -> list[torch.Tensor]:
    """Return the factor with the raw numbers of its diagonal, for softplus and for exp."""
    diagonal = factor.diagonal()
    return [factor.tril(-1) + raw.diag()
            for raw in (analytic.softplus_inverse(diagonal), diagonal.log())]  # fmt: skip


def _is_raw(got: Any, turn: tuple[torch.Tensor, list[Any]]) -> bool:
    """Compare with the raw factors; what was never trained above the diagonal does not count."""
    parts = parts_of(got, turn[0])
    return parts is not None and pair_alike(LEARNED)((parts[0], parts[1].tril()), turn)


def _is_full(got: Any, x: torch.Tensor) -> bool:
    parts = parts_of(got, x)
    return (
        parts is not None
        and not bool(parts[1].isnan().any())
        and not bool((parts[1].triu(1) == 0).all())
    )


def _has_wrong_sign(got: Any, x: torch.Tensor) -> bool:
    parts = parts_of(got, x)
    if parts is None or _is_full(got, x):
        return False
    return bool((parts[1].diagonal() < 0).any()) and near(parts[1] @ parts[1].T, _of(x)[1])


def _completed(triangle: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
    """Return the full matrix F with the given lower triangle that fits a covariance best.

    Row i of F is known up to the diagonal. Its other entries follow from Fᵢ · Fⱼ = Σᵢⱼ for the rows
    j below it, as many equations as unknowns, when the rows are taken from the last one up. The
    diagonal of F Fᵀ is left to tell whether there is such a matrix.

    Args:
        triangle: lower-triangular, shape (d, d).
        covariance: shape (d, d).
    """
    full = triangle.clone()
    for i in reversed(range(len(full) - 1)):
        known, unknown = full[i + 1 :, : i + 1], full[i + 1 :, i + 1 :]
        left = covariance[i, i + 1 :] - known @ full[i, : i + 1]
        full[i, i + 1 :] = torch.linalg.pinv(unknown) @ left
    return full


def _cut_after_training(got: Any, x: torch.Tensor) -> bool:
    """Whether a matrix is the lower triangle of a full one that fits, and does not fit itself.

    Only the d variances tell it from a run that stops early: they have to agree to three digits.
    """
    parts = parts_of(got, x)
    if (
        parts is None
        or _is_full(got, x)
        or not torch.cat([p.flatten() for p in parts]).isfinite().all()
    ):
        return False
    loc, covariance, _ = _of(x)
    full = _completed(parts[1], covariance)
    fits = same(full @ full.T, covariance, 1e-3) and near(parts[0], loc)
    return fits and not near(parts[1] @ parts[1].T, covariance)


def _makes_up(got: Any, x: torch.Tensor) -> bool:
    """Whether a factor is the best one for a mean of round numbers, off the mean of the data.

    For a fixed mean μ the likelihood is highest at the covariance Σ̂ + (x̄ − μ)(x̄ − μ)ᵀ.
    """
    parts = parts_of(got, x)
    if parts is None or _is_full(got, x):
        return False
    loc, factor = parts
    off = x - loc
    return same(loc, loc.round(), 1e-9) and near(factor @ factor.T, off.T @ off / len(x))


def _starts(x: torch.Tensor) -> tuple[torch.Tensor, list[Any]]:
    """Return the mean with the factors that a start at raw 0, 1 or 2 on the diagonal gives."""
    loc, eye = _of(x)[0], torch.eye(x.shape[1], dtype=torch.float64)
    return x, [(loc, scale * eye) for scale in untrained()]


def _refused(error: Exception) -> bool:
    return "Expected parameter scale_tril" in str(error)


def _refused_above(error: Exception) -> bool:
    """Whether torch refused a factor, and shows a number other than 0 above its diagonal."""
    shown = str(error).partition("invalid values:")[2].partition("]]")[0]
    rows = [re.findall(r"-?\d+\.?\d*(?:e[+-]?\d+)?", row) for row in shown.split("],")]
    return _refused(error) and any(float(v) for i, row in enumerate(rows) for v in row[i + 1 :])


def _still_rises(got: Any, x: torch.Tensor) -> bool:
    parts = parts_of(got, x)
    return parts is not None and is_factor(parts[1]) and bool(parts[0].isfinite().all())


FACTOR_TURNS = [
    Turn("covariance without factor", "torch took your matrix for a covariance, and it is none: "
         "train a factor with a positive diagonal, and hand it over as scale_tril=.",
         raises=lambda error: "Expected parameter covariance_matrix" in str(error)),
    Turn("factor not triangular", "scale_tril takes a matrix with zeros above the diagonal: take "
         "torch.tril of the raw one in every step.", raises=_refused_above),
    Turn("diagonal not positive", "the factor's diagonal took the steps itself, and they led below "
         "zero; transform it.", raises=_refused),
    Turn("raw parameter reported", "the diagonal of your factor is the raw one; return the factor "
         "that the likelihood was computed with.",
         _with(lambda covariance, factor: _raws(factor)), alike=_is_raw),
    Turn("transformed twice", "the diagonal went through softplus once more after training.",
         _with(lambda covariance, factor: [factor.tril(-1) + twice.diag() for twice in
               (analytic.softplus(factor.diagonal()), factor.diagonal().exp())]),
         alike=pair_alike(LEARNED)),
    Turn("factor transposed", "this is the factor's transpose: zeros belong above the diagonal.",
         _with(lambda covariance, factor: [factor.T]), alike=pair_alike(LEARNED)),
    Turn("covariance for factor", "this is the covariance; the factor L in L Lᵀ is asked for.",
         _with(lambda covariance, factor: [covariance]), alike=pair_alike(LEARNED)),
    Turn("LᵀL for LLᵀ", "your covariance is Lᵀ L; with the transpose first, L is another matrix.",
         _with(lambda covariance, factor: [analytic.upper_lower_factor(covariance)]),
         alike=pair_alike(LEARNED)),
    Turn("precision for covariance", "this is the factor of the inverse covariance.",
         _with(lambda covariance, factor: [torch.linalg.cholesky(torch.linalg.inv(covariance))]),
         alike=pair_alike(LEARNED)),
    Turn("correlation left out", "your factor is diagonal: train the entries below it as well.",
         _with(lambda covariance, factor: [covariance.diagonal().sqrt().diag()]),
         alike=pair_alike(LEARNED)),
    Turn("variance for standard deviation", "the diagonal holds variances, and nothing lies below.",
         _with(lambda covariance, factor: [covariance.diagonal().diag()]),
         alike=pair_alike(LEARNED)),
    Turn("factor not triangular", "an entry above the diagonal is not zero: it was trained too; "
         "take torch.tril of the raw matrix in every step.", lambda x: x, alike=_is_full),
    Turn("diagonal not positive", "the covariance is right, but a diagonal entry is negative: "
         "transform the diagonal.", lambda x: x, alike=_has_wrong_sign),
    Turn("triangular only at the end", "a full matrix was trained, and what you cut off belonged "
         "to its covariance; take torch.tril in every step.",
         lambda x: x, alike=_cut_after_training),
    Turn("factor never trained", "your factor is that of a start: is the raw matrix among the "
         "parameters that the optimizer was given?", _starts, alike=pair_alike(LEARNED)),
    Turn("mean never trained", "your factor makes up for a mean that did not move: is it among the "
         "parameters that the optimizer was given?", lambda x: x, alike=_makes_up),
    Turn("stops early", STOPS_EARLY, lambda x: x, alike=_still_rises),
]  # fmt: skip
