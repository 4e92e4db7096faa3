"""factorised_scales(covariance), factorised_kl(covariance): the best independent normals.

p is a normal with covariance Σ and precision Λ = Σ⁻¹, q a product of normals with the means of p
and scales s. KL(q‖p) = ½ Σᵢ (Λᵢᵢ sᵢ² − log sᵢ²) + const is least at sᵢ² = 1/Λᵢᵢ, and KL(p‖q) =
½ Σᵢ (Σᵢᵢ/sᵢ² + log sᵢ²) + const at sᵢ² = Σᵢᵢ. What is left is ½ (Σᵢ log Λᵢᵢ + log det Σ), and
½ (Σᵢ log Σᵢᵢ − log det Σ).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch.distributions import MultivariateNormal, kl_divergence

from helpers.check.kit.asks import Argument, Draws, Given
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise, Together
from helpers.check.kit.message import show

Two = tuple[torch.Tensor, torch.Tensor]  # of the seeking q, of the covering q


def scales(covariance: torch.Tensor) -> Two:
    """Return the scales of the best independent normals, for KL(q‖p) and for KL(p‖q)."""
    return covariance.inverse().diagonal() ** -0.5, covariance.diagonal().sqrt()


def remaining(covariance: torch.Tensor) -> Two:
    """Return what is left of KL(q‖p) and of KL(p‖q) at their minima."""
    log_det = covariance.logdet()
    first = 0.5 * (covariance.inverse().diagonal().log().sum() + log_det)
    second = 0.5 * (covariance.diagonal().log().sum() - log_det)
    # Without correlation nothing is left: exactly 0, so that rounding is compared with 1.
    return (first, second) if max(first, second) > 1e-12 else (0 * first, 0 * second)


def by_derivatives(covariance: torch.Tensor) -> object:
    """The scales as the sheet leads to them."""
    precision = torch.linalg.inv(covariance)
    return 1 / precision.diagonal().sqrt(), covariance.diagonal().sqrt()


def by_scales(covariance: torch.Tensor) -> object:
    """What is left, from the scales."""
    precision = torch.linalg.inv(covariance)
    seeking, covering = 1 / precision.diagonal().sqrt(), covariance.diagonal().sqrt()
    half = torch.logdet(covariance) / 2
    return half - seeking.log().sum(), covering.log().sum() - half


def by_variances(covariance: torch.Tensor) -> object:
    """What is left, from the diagonals."""
    precision, log_det = torch.linalg.inv(covariance), torch.logdet(covariance)
    first = (precision.diagonal().log().sum() + log_det) / 2
    return first, (covariance.diagonal().log().sum() - log_det) / 2


def left_by(covariance: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> Two:
    """Return KL(q‖p) of the q with the first scales, and KL(p‖q) of the one with the second."""
    zero = torch.zeros(len(covariance), dtype=covariance.dtype)
    p = MultivariateNormal(zero, covariance)
    q1, q2 = (MultivariateNormal(zero, torch.diag(s**2)) for s in (first, second))
    return kl_divergence(q1, p), kl_divergence(p, q2)


def _eigenvalues(covariance: torch.Tensor) -> AnyOf:
    """Return the spreads along the axes of the ellipsoid, in either order, for either q."""
    found = [torch.linalg.eigvalsh(covariance).sqrt(), *scales(covariance)]
    axes = found[0], found[0].flip(0)
    return AnyOf(*[pair for e in axes for pair in ((e, found[2]), (found[1], e), (e, e))])


def _cholesky(covariance: torch.Tensor) -> AnyOf:
    factor = torch.linalg.cholesky(covariance).diagonal()
    seeking, covering = scales(covariance)
    return AnyOf((factor, covering), (seeking, factor), (factor, factor))


def _neighbour(covariance: torch.Tensor) -> AnyOf:
    """Return the scales given one other number only, as a formula for pairs gives."""
    if len(covariance) < 3:
        raise ValueError("of two numbers, each has one neighbour")
    found = []
    for i in range(len(covariance)):
        j = (i + 1) % len(covariance)
        rest = covariance[i, i] - covariance[i, j] ** 2 / covariance[j, j]
        found.append(rest.sqrt())
    covering = scales(covariance)[1]
    return AnyOf((torch.stack(found), covering), (_first_pair(covariance), covering))


def _first_pair(c: torch.Tensor) -> torch.Tensor:
    """Return scales by the correlation of the first two numbers, for all of them."""
    rho = c[0, 1] ** 2 / (c[0, 0] * c[1, 1])
    return (c.diagonal() * (1 - rho)).sqrt()


def _alike_all(c: torch.Tensor) -> AnyOf:
    """Return one scale for all numbers, in the place of the one or of the other scales."""
    seeking, covering = scales(c)
    ones = torch.ones_like(seeking)
    means = c.det() ** (0.5 / len(c)), c.diagonal().mean().sqrt(), covering.mean(), seeking.mean()
    return AnyOf(*[(m * ones, covering) for m in means], *[(seeking, m * ones) for m in means],
                 *[(m * ones, m * ones) for m in means])  # fmt: skip


def _pairs_only(c: torch.Tensor) -> AnyOf:
    """Return −½ Σ log(1 − ρ²) over the first pair, neighbours, or all pairs, for both."""
    d = len(c)
    if d < 3:
        raise ValueError("of two numbers the formula is right")
    left = -0.5 * (1 - c**2 / torch.outer(c.diagonal(), c.diagonal())).clamp(min=1e-9).log()
    found = [left[0, 1], left.diagonal(1).sum(), left.triu(1).sum()]
    return AnyOf(*[(v, v) for v in found])


def _with_half_d(c: torch.Tensor) -> AnyOf:
    """Return the remaining divergences with d/2 left in one of them, or in both."""
    (one, two), half = remaining(c), len(c) / 2
    return AnyOf(*[(one + a * half, two + b * half)
                   for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b])  # fmt: skip


def _means(c: torch.Tensor) -> Two:
    """Return the remaining divergences with the mean of log scales in the place of their sum."""
    half, (seeking, covering) = 0.5 * c.logdet(), scales(c)
    return half - seeking.log().mean(), covering.log().mean() - half


def _log_of_sums(c: torch.Tensor) -> AnyOf:
    """Return the remaining divergences with the log of a sum in the place of a sum of logs."""
    half, (seeking, covering) = 0.5 * c.logdet(), scales(c)
    of_precision, of_variances = c.inverse().diagonal().sum().log(), c.diagonal().sum().log()
    return AnyOf((0.5 * of_precision + half, 0.5 * of_variances - half),
                 (half - seeking.sum().log(), covering.sum().log() - half))  # fmt: skip


def _half_logs(c: torch.Tensor) -> AnyOf:
    """Return the remaining divergences with log s in the place of log s² in one, or in both."""
    (one, two), (seeking, covering) = remaining(c), scales(c)
    less, more = one + 0.5 * seeking.log().sum(), two - 0.5 * covering.log().sum()
    return AnyOf((less, more), (less, two), (one, more))


def _unsquared(c: torch.Tensor) -> AnyOf:
    """Return what MultivariateNormal makes of scales, or of their fourth powers, as variances."""
    (one, two), (seeking, covering) = remaining(c), scales(c)
    found = []
    for power in (0.5, 2.0):
        first, second = left_by(c, seeking**power, covering**power)
        found += [(first, second), (first, two), (one, second)]
    return AnyOf(*found)


def _right_in(part: int) -> Callable[[Any, Two], bool]:
    """Return whether one of two vectors of scales is right."""

    def alike(got: Any, right: Two) -> bool:
        try:
            pair = [as_tensor(g) for g in got]
            if any(g is None or bool(g.isnan().any()) for g in pair):
                return False
            return same(pair[part], right[part])
        except (TypeError, IndexError, KeyError):
            return False

    return alike


SCALES = (
    Turn("variances for scales", "these are variances; a scale is the root of one.",
         lambda c: tuple(s**2 for s in scales(c))),
    Turn("directions swapped", "first the q with the least KL(q‖p), then the one with the least "
         "KL(p‖q).", lambda c: scales(c)[::-1]),
    Turn("correlation ignored", "the least KL(q‖p) is not at the scales of p: its derivative holds "
         "the diagonal of the precision.", lambda c: (scales(c)[1], scales(c)[1])),
    Turn("seeking twice", "the least KL(p‖q) keeps the variances of p, whatever the correlation.",
         lambda c: (scales(c)[0], scales(c)[0])),
    Turn("precision not inverted", "the precision is one over a variance: take one over its root.",
         lambda c: AnyOf((1 / scales(c)[0], scales(c)[1]), (1 / scales(c)[0], 1 / scales(c)[1]),
                         (scales(c)[0] ** -2, scales(c)[1]))),
    Turn("spreads along the axes", "eigenvalues belong to the slanted axes; q has none but the "
         "coordinates' own.", _eigenvalues),
    Turn("Cholesky's diagonal", "the factor's diagonal has the scale of each number given those "
         "before it, not given all others.", _cholesky),
    Turn("formula for pairs", "with three numbers or more each depends on all of the others: take "
         "the precision's diagonal.", _neighbour),
    Turn("one scale for all", "each number has a scale of its own: look at its own term.",
         _alike_all),
    Turn("1 − ρ² only", "the scales of p are in it as well: this is right where they are 1.",
         lambda c: (scales(c)[0] / scales(c)[1], torch.ones(len(c)))),
    Turn("seeking scales off", "the scales with the least KL(p‖q) are right; set the derivative of "
         "the other sum to zero as well.", scales, alike=_right_in(1)),
    Turn("covering scales off", "the scales with the least KL(q‖p) are right; set the derivative "
         "of the other sum to zero as well.", scales, alike=_right_in(0)),
)  # fmt: skip

KLS = (
    Turn("directions swapped", "first what is left of KL(q‖p), then what is left of KL(p‖q).",
         lambda c: remaining(c)[::-1]),
    Turn("½ forgotten", "each log-density of a normal holds ½ log of a variance.",
         lambda c: tuple(2 * v for v in remaining(c))),
    Turn("one q for both", "each direction has a best q of its own: use its scales.",
         lambda c: AnyOf(left_by(c, *(2 * [scales(c)[0]])), left_by(c, *(2 * [scales(c)[1]])))),
    Turn("scales of the other q", "measure each direction at its own best q.",
         lambda c: left_by(c, *scales(c)[::-1])),
    Turn("directions mixed up", "KL(q‖p) has q in front: measure each q in its own direction.",
         lambda c: _crossed(c)),
    Turn("the same for both", "in two dimensions the two are alike; in three they are not.",
         lambda c: AnyOf(*[(v, v) for v in remaining(c)])),
    Turn("log det forgotten", "the entropy of p counts as well: log det of its covariance.",
         lambda c: AnyOf((0.5 * c.inverse().diagonal().log().sum(), 0.5 * c.diagonal().log().sum()),
                         (0.5 * c.logdet(), -0.5 * c.logdet()))),
    Turn("formula for pairs", "with three numbers or more the whole matrix counts: take its log "
         "det.", _pairs_only),
    Turn("both added", "each direction has a number of its own: return them apart.",
         lambda c: (sum(remaining(c)), sum(remaining(c)))),
    Turn("mean for sum", "the logs of the scales are added up.", _means),
    Turn("log det not halved", "a normal's log-density holds ½ log det: mind the ½ in front.",
         lambda c: (remaining(c)[0] + 0.5 * c.logdet(), remaining(c)[1] - 0.5 * c.logdet())),
    Turn("d left in", "at the best scales the sum of Λᵢᵢ sᵢ², or of Σᵢᵢ/sᵢ², is d, and cancels −d.",
         _with_half_d),
    Turn("log of the sum", "each number brings a log of its own: take the logs, then add.",
         _log_of_sums),
    Turn("log s for log s²", "the formula has log s², which is twice log s.", _half_logs),
    Turn("scales for variances", "a covariance matrix has variances on its diagonal: square the "
         "scales, once.", _unsquared),
    Turn("negated", "a divergence is never negative.", lambda c: tuple(-v for v in remaining(c))),
)  # fmt: skip


def _crossed(c: torch.Tensor) -> Two:
    """Return KL(p‖q) of the q with the least KL(q‖p), and the reverse."""
    other, one = left_by(c, *scales(c)[::-1])
    return one, other


# --- cases -------------------------------------------------------------------------------------


def _covariance(u: Draws, given: Given, d: int) -> torch.Tensor:
    """Return a covariance with unlike variances and correlations of both signs."""
    deviations = torch.stack([torch.tensor(u.log_real(0.4, 0.7) * 1.9**i) for i in range(d)])
    factor = torch.eye(d, dtype=torch.float64)
    for i in range(1, d):
        for j in range(i):
            factor[i, j] = u.choice((-1, 1)) * u.real(0.5, 1.0)
    rows = factor / factor.norm(dim=1, keepdim=True) * deviations[:, None].double()
    return rows @ rows.T


def _pair(correlation: float, first: float, second: float) -> torch.Tensor:
    both = correlation * first * second
    return torch.tensor([[first**2, both], [both, second**2]], dtype=torch.float64)


def _independent(u: Draws, given: Given) -> torch.Tensor:
    return torch.diag(u.uniform(3, 0.3, 4.0))


def _in_front(u: Draws, given: Given) -> torch.Tensor:
    """Return a covariance whose first number alone is correlated with others."""
    c = torch.diag(torch.tensor([1.2, 2.0, 0.7, 0.5], dtype=torch.float64))
    c[0, 1:] = c[1:, 0] = torch.tensor([0.6, -0.3, 0.2], dtype=torch.float64)
    return c


def _argument() -> Argument:
    return Argument(
        "covariance", _covariance, many=(3, 2, 4), sizes=(1,), shown=lambda c: show(c.tolist()),
        edges={"with no correlation": _independent,
               "with standard deviations of 1": lambda u, given: _pair(u.real(0.5, 0.9), 1.0, 1.0),
               "with a correlation of −0.99": lambda u, given: _pair(-0.99, u.real(1.5, 2), 0.3),
               "with a first number that is correlated with all": _in_front},
    )  # fmt: skip


EXERCISE = Together(
    (
        Exercise(
            name="factorised_scales", arguments=(_argument(),), reference=scales, turns=SCALES,
            worked=(by_derivatives,),
            passed="factorised_scales.",
        ),
        Exercise(
            name="factorised_kl", arguments=(_argument(),), reference=remaining, turns=KLS,
            worked=(by_scales, by_variances),
            parts=("KL(q‖p)", "KL(p‖q)"), passed="factorised_kl.",
        ),
    ),
    "factorised_scales, factorised_kl: both directions, from one number to four.",
)  # fmt: skip
factorised = EXERCISE.check
