"""fit_mean_and_factor(data): mean and Cholesky factor of a normal distribution, learned."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn.functional import softplus

from helpers import data
from helpers.check.kit import runs
from helpers.check.kit.asks import Draws, Given, sample
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.learned import Learned
from helpers.check.normals import analytic
from helpers.check.normals.fit_loc_scale import untrained
from helpers.check.normals.mvn_mle import described, rows

NEAR = 0.02  # a learned value is taken for a wrong turn's where the two agree to two per cent


def _data(u: Draws, given: Given, n: int) -> torch.Tensor:
    return rows(u, n, {90: 3, 40: 1}[n])


def reference(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mean and the Cholesky factor of the 1/n covariance."""
    loc, covariance = analytic.mvn_mle(x)
    return loc, torch.linalg.cholesky(covariance)


def is_factor(matrix: torch.Tensor) -> bool:
    """Return whether a matrix is lower-triangular, exactly, with a positive diagonal."""
    return bool((matrix.triu(1) == 0).all() and (matrix.diagonal() > 0).all())


def mean_nll(both: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return the mean negative log-likelihood, infinite where the matrix is no factor.

    Args:
        both: the mean and the rows of the factor, one after the other, shape (d + d²,).
        x: observations, shape (n, d).
    """
    d = x.shape[1]
    factor = both[d:].reshape(d, d)
    if not is_factor(factor.detach()):
        return both.sum() * math.inf
    return analytic.mvn_mean_nll(both[:d], factor, x)


def _parts(got: Any, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Return mean and matrix of an answer in float64, or None where it is no such pair."""
    if not isinstance(got, tuple | list) or len(got) != 2:
        return None
    loc, matrix = (as_tensor(part) for part in got)
    d = x.shape[1]
    if loc is None or matrix is None or loc.shape != (d,) or matrix.shape != (d, d):
        return None
    finite = loc.isfinite().all() and matrix.isfinite().all()
    return (loc.double(), matrix.double()) if finite else None


def _with_mean(
    make: Callable[[torch.Tensor, torch.Tensor], Sequence[torch.Tensor]],
) -> Callable[..., AnyOf]:
    """Return the mean with what ``make`` does with (covariance, factor)."""

    def gives(x: torch.Tensor) -> AnyOf:
        loc, factor = reference(x)
        return AnyOf(*[(loc, matrix) for matrix in make(factor @ factor.T, factor)])

    return gives


def _is_raw(got: Any, x: torch.Tensor) -> bool:
    """Whether a matrix is the factor with the raw numbers of its diagonal, for softplus or exp.

    What was never trained above the diagonal does not count.
    """
    parts = _parts(got, x)
    if parts is None:
        return False
    loc, factor = reference(x)
    below, diagonal = factor.tril(-1), factor.diagonal()
    raws = (analytic.softplus_inverse(diagonal), diagonal.log())
    return any(same((parts[0], parts[1].tril()), (loc, below + raw.diag()), NEAR) for raw in raws)


def _is_full(got: Any, x: torch.Tensor) -> bool:
    parts = _parts(got, x)
    return parts is not None and not bool((parts[1].triu(1) == 0).all())


def _has_wrong_sign(got: Any, x: torch.Tensor) -> bool:
    parts = _parts(got, x)
    if parts is None or _is_full(got, x):
        return False
    covariance = analytic.mvn_mle(x)[1]
    return bool((parts[1].diagonal() < 0).any()) and same(parts[1] @ parts[1].T, covariance, NEAR)


def completed(triangle: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
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
    A single column has nothing to cut off.
    """
    parts = _parts(got, x)
    if parts is None or _is_full(got, x):
        return False
    loc, covariance = analytic.mvn_mle(x)
    full = completed(parts[1], covariance)
    fits = same(full @ full.T, covariance, 1e-3) and same(parts[0], loc, NEAR)
    return fits and (len(loc) == 1 or not same(parts[1] @ parts[1].T, covariance, NEAR))


def _makes_up(got: Any, x: torch.Tensor) -> bool:
    """Whether a factor is about the best one for a mean of round numbers, off that of the data.

    For a fixed mean μ the likelihood is highest at the covariance Σ̂ + (x̄ − μ)(x̄ − μ)ᵀ.
    """
    parts = _parts(got, x)
    if parts is None or _is_full(got, x):
        return False
    loc, factor = parts
    off = x - loc
    return same(loc, loc.round(), 1e-9) and same(factor @ factor.T, off.T @ off / len(x), 0.2)


def _all_positive(got: Any, x: torch.Tensor) -> bool:
    """Whether no entry below the diagonal is negative, though the best factor has such ones.

    The mean has arrived, and no entry is a zero that never moved.
    """
    parts, (loc, factor) = _parts(got, x), reference(x)
    if parts is None or len(loc) == 1:
        return parts is not None
    below = torch.tril_indices(len(loc), len(loc), -1)
    negative = bool((factor[below[0], below[1]] < 0).any())
    entries = parts[1][below[0], below[1]]
    arrived = same(parts[0], loc, NEAR) and is_factor(parts[1])
    return negative and arrived and bool((entries >= 0).all() and (entries > 0).any())


def _starts(x: torch.Tensor) -> AnyOf:
    """Return zeros with the factors that a start at raw 0, 1 or 2 on the diagonal gives."""
    d = x.shape[1]
    eye = torch.eye(d, dtype=torch.float64)
    return AnyOf(*[(torch.zeros(d, dtype=torch.float64), scale * eye) for scale in untrained()])


def _untrained(x: torch.Tensor) -> AnyOf:
    return AnyOf(*[(x.mean(0), factor) for _, factor in _starts(x).values])


def _refused(error: Exception) -> bool:
    return "Expected parameter scale_tril" in str(error)


def _refused_above(error: Exception) -> bool:
    """Whether torch refused a factor, and shows a number other than 0 above its diagonal."""
    shown = str(error).partition("invalid values:")[2].partition("]]")[0]
    found = [re.findall(r"-?\d+\.?\d*(?:e[+-]?\d+)?", row) for row in shown.split("],")]
    return _refused(error) and any(float(v) for i, row in enumerate(found) for v in row[i + 1 :])


def _split(raw: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the means, shape (..., d), and factors, shape (..., d, d), of raw parameters."""
    d = round(math.sqrt(raw.shape[-1] + 0.25) - 0.5)
    matrix = raw[..., d:].unflatten(-1, (d, d))
    diagonal = softplus(matrix.diagonal(dim1=-2, dim2=-1))
    return raw[..., :d], matrix.tril(-1) + torch.diag_embed(diagonal)


def _losses(raw: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return the mean loss of rows of raw parameters: log det L + ½ |L⁻¹ C|² for C Cᵀ = Σ + m mᵀ.

    Where Σ is the 1/n covariance of the data, and m the way from the mean to theirs.
    """
    means, factors = _split(raw)
    best, factor = reference(x)
    off = (best - means).unsqueeze(-1)
    both = torch.cat([factor.expand(*off.shape[:-2], -1, -1), off], dim=-1)
    z = torch.linalg.solve_triangular(factors, both, upper=False)
    return factors.diagonal(dim1=-2, dim2=-1).log().sum(-1) + 0.5 * (z**2).sum((-2, -1))


WAY = runs.Way(
    start=lambda x: torch.zeros(x.shape[1] * (x.shape[1] + 1), dtype=torch.float64),
    loss=_losses,
    result=lambda raw: torch.cat([_split(raw)[0], _split(raw)[1].flatten(-2)], dim=-1),
)

TURNS = (
    Turn("covariance without factor", "torch took your matrix for a covariance, and it is none: "
         "train a factor with a positive diagonal, and hand it over as scale_tril=.",
         raises=lambda error: "Expected parameter covariance_matrix" in str(error)),
    Turn("factor not triangular", "scale_tril takes a matrix with zeros above the diagonal: take "
         "torch.tril of the raw one in every step.", raises=_refused_above),
    Turn("diagonal not positive", "the factor's diagonal took the steps itself, and they led below "
         "zero; transform it.", raises=_refused),
    Turn("n − 1 for n", "the covariance with n − 1 is not at the top of the likelihood.",
         lambda x: (x.mean(0), reference(x)[1] * math.sqrt(len(x) / (len(x) - 1))),
         tolerance=1e-4),
    Turn("raw parameter reported", "the diagonal of your factor is the raw one; return the factor "
         "that the likelihood was computed with.", lambda x: x, alike=_is_raw),
    Turn("transformed twice", "the diagonal went through softplus once more after training.",
         _with_mean(lambda covariance, factor: [factor.tril(-1) + twice.diag() for twice in
                    (analytic.softplus(factor.diagonal()), factor.diagonal().exp())])),
    Turn("covariance for factor", "this is the covariance; the factor L in L Lᵀ is asked for.",
         _with_mean(lambda covariance, factor: [covariance])),
    Turn("factor transposed", "this is the factor's transpose: zeros belong above the diagonal.",
         _with_mean(lambda covariance, factor: [factor.T])),
    Turn("LᵀL for LLᵀ", "your covariance is Lᵀ L; with the transpose first, L is another matrix.",
         _with_mean(lambda covariance, factor: [analytic.upper_lower_factor(covariance)])),
    Turn("precision for covariance", "this is the factor of the inverse covariance.",
         _with_mean(lambda covariance, factor: [torch.linalg.cholesky(p) for p in
                                                [torch.linalg.inv(covariance)]])),
    Turn("correlation left out", "your factor is diagonal: train the entries below it as well.",
         _with_mean(lambda covariance, factor: [covariance.diagonal().sqrt().diag()])),
    Turn("variance for standard deviation", "the diagonal holds variances, and nothing lies below.",
         _with_mean(lambda covariance, factor: [covariance.diagonal().diag()])),
    Turn("factor not triangular", "an entry above the diagonal is not zero: it was trained too; "
         "take torch.tril of the raw matrix in every step.", lambda x: x,
         alike=lambda got, x: _is_full(got, x) or x.shape[1] == 1),
    Turn("diagonal not positive", "the covariance is right, but a diagonal entry is negative: "
         "transform the diagonal.", lambda x: x, alike=_has_wrong_sign),
    Turn("triangular only at the end", "a full matrix was trained, and what you cut off belonged "
         "to its covariance; take torch.tril in every step.",
         lambda x: x, alike=_cut_after_training),
    Turn("factor never trained", "your factor is that of a start: is the raw matrix among the "
         "parameters that the optimizer was given?", _untrained),
    Turn("mean never trained", "your factor makes up for a mean that did not move: is it among the "
         "parameters that the optimizer was given?", lambda x: x, alike=_makes_up),
    Turn("all entries positive", "only the diagonal goes through softplus: what lies below it may "
         "be negative.", lambda x: x, alike=_all_positive),
    *runs.turns(runs.trails([WAY], 400))[:3],
)  # fmt: skip

EXERCISE = Exercise(
    name="fit_mean_and_factor",
    arguments=(
        sample("data", _data, many=(90,), sizes=(40,), shown=described,
               used_instead=data.normals_pairs),
    ),
    reference=reference,
    agree=Learned(mean_nll=mean_nll, start=_starts, near=NEAR),
    turns=TURNS,
    parts=("mean", "factor"),
    typical=1,
    passed="fit_mean_and_factor: within a tenth of a standard error of the optimum, twice.",
)  # fmt: skip
fit_mean_and_factor = EXERCISE.check
