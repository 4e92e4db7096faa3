"""mean_field(P, h): the best independent normals, and what they leave."""

from collections.abc import Callable
from typing import Any

import torch

from helpers import data
from helpers.check.hierarchy import analytic, weights
from helpers.check.kit.asks import Argument, Draws, Given, Jointly
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

Tensor = torch.Tensor
Gives = Callable[..., Any]
Three = tuple[Tensor, Tensor, Tensor]


def reference(P: Tensor, h: Tensor) -> Three:
    """Return means, variances and gap; a gap of nothing but rounding is zero."""
    m, variances, gap = analytic.mean_field(P, h)
    return m, variances, gap if gap > 1e-12 else 0 * gap


def by_diagonal(P: Tensor, h: Tensor) -> object:
    """The formulas of the sheet."""
    diagonal = torch.diagonal(P)
    gap = 0.5 * (torch.log(diagonal).sum() - torch.logdet(P))
    return torch.linalg.solve(P, h), 1 / diagonal, gap


def _others(P: Tensor, h: Tensor) -> dict[str, AnyOf]:
    m, variances, gap = reference(P, h)
    S = torch.linalg.inv(P)
    log_det = torch.logdet(P)
    covering = 0.5 * (S.diagonal().log().sum() + log_det)
    return {
        "marginals": AnyOf(*[(m, v, g) for v in (S.diagonal(), S.diagonal().sqrt())
                             for g in (gap, covering, -covering)]),
        "roots": AnyOf((m, variances.sqrt(), gap)),
        "precisions": AnyOf((m, P.diagonal(), gap), (m, P.diagonal(), -gap)),
        "mean": AnyOf(*[(wrong, variances, gap) for wrong in
                        (h, h / P.diagonal(), P @ h, 0 * h, S.diagonal() * h)]),
        "half": AnyOf((m, variances, 2 * gap)),
        "sign": AnyOf((m, variances, -gap)),
        "det": AnyOf((m, variances, gap + 0.5 * log_det), (m, variances, -0.5 * log_det),
                     (m, variances, 0.5 * log_det)),
        "det not halved": AnyOf((m, variances, gap - 0.5 * log_det),
                                (m, variances, gap + 0.25 * log_det)),
        "product": AnyOf((m, variances, gap.exp()), (m, variances, (2 * gap).exp()),
                         (m, variances, 0.5 * (P.diagonal().prod() - P.det())),
                         (m, variances, P.diagonal().prod() - P.det())),
        "d left in": AnyOf((m, variances, gap - len(h) / 2), (m, variances, gap + len(h) / 2)),
        "δ left in": AnyOf((m, variances, gap + 0.5 * h @ m), (m, variances, gap + 0.5 * m @ m),
                           (m, variances, gap - 0.5 * h @ m)),
        "matrix": AnyOf((m, variances.diag(), gap), (m, S, gap)),
        "one sweep": AnyOf((_sweep(P, h), variances, gap)),
        "covering": AnyOf((m, variances, covering), (m, variances, -covering)),
        "eigenvalues": AnyOf(*[(m, 1 / e, g) for e in (torch.linalg.eigvalsh(P),
                               torch.linalg.eigvalsh(P).flip(0)) for g in (gap, 0 * gap)]),
        "mean of logs": AnyOf((m, variances, gap / len(h)),
                              (m, variances, 0.5 * (P.diagonal().log().mean() - log_det))),
        "zero": AnyOf((m, variances, 0 * gap)),
    }  # fmt: skip


def _of_pairs(P: Tensor, m: Tensor, variances: Tensor) -> AnyOf:
    """Return the gap by −½ log(1 − ρ²), of one pair or of all of them."""
    if len(P) < 3:
        raise ValueError("of two weights the formula is right")
    left = -0.5 * (1 - P**2 / P.diagonal().outer(P.diagonal())).clamp(min=1e-9).log()
    return AnyOf(*[(m, variances, g) for g in (left[0, 1], left[0, -1], left.triu(1).sum(),
                                              left.diagonal(1).sum())])  # fmt: skip


def _sweep(P: Tensor, h: Tensor) -> Tensor:
    """Return the means after one round of solving each weight's own equation, from zero."""
    m = torch.zeros_like(h)
    for k in range(len(h)):
        m[k] = (h[k] - P[k] @ m) / P[k, k]
    return m


def _of(key: str) -> Gives:
    return lambda P, h: _others(P, h)[key]


TURNS = (
    Turn("the sheet's P and h", weights.OF_SHEET,
         lambda P, h: reference(*weights.precision_of_sheet(data.seed()))),
    Turn("the true variances", "these are the diagonal of P⁻¹, the posterior's own variances: mean "
         "field is narrower.", _of("marginals")),
    Turn("deviations for variances", "the second part is variances, 1/P_ii.", _of("roots")),
    Turn("precisions for variances", "P_ii is a precision: the variance is one over it.",
         _of("precisions")),
    Turn("means not solved for", "the means are those of the posterior: P m = h.", _of("mean")),
    Turn("gap not halved", "the gap is ½ (Σ log P_ii − log det P).", _of("half")),
    Turn("gap negative", "the gap is a divergence, never negative.", _of("sign")),
    Turn("half of the gap missing", "both entropies count: Σ log P_ii, and log det P.", _of("det")),
    Turn("log det halved or doubled", "½ stands before both, Σ log P_ii and log det P.",
         _of("det not halved")),
    Turn("gap without log", "the gap is in nats: a difference of logs.", _of("product")),
    Turn("gap of the true variances", "the gap is that of the q that you return, with 1/P_ii.",
         _of("covering")),
    Turn("spreads along the axes", "eigenvalues belong to slanted axes; q has none but the "
         "coordinates' own.", _of("eigenvalues")),
    Turn("mean for sum", "the logs of all P_ii are added up.", _of("mean of logs")),
    Turn("d left in", "at the best variances Σ P_ii s_i² is d, and cancels −d.", _of("d left in")),
    Turn("distance of the means left in", "at the best means δ is 0.", _of("δ left in")),
    Turn("formula for pairs", "with three weights or more the whole matrix counts: take its log "
         "det.", lambda P, h: _of_pairs(P, *reference(P, h)[:2])),
    Turn("a matrix of variances", "the second part is one variance for each weight.",
         _of("matrix")),
    Turn("one sweep only", "each weight's equation holds the others' means: go round until nothing "
         "changes, or solve P m = h.", _of("one sweep")),
    Turn("gap taken as zero", "where weights are correlated, independent normals leave a gap.",
         _of("zero")),
)  # fmt: skip


def _P(u: Draws, given: Given, d: int) -> Tensor:
    """Return a precision with unlike diagonal entries and correlations of both signs."""
    rows = u.normal(d * d).reshape(d, d) + 1.2 * torch.eye(d, dtype=torch.float64)
    scale = torch.tensor([0.6 * 1.7**i for i in range(d)], dtype=torch.float64)
    P = (rows @ rows.T + 0.4 * torch.eye(d)) * scale.outer(scale)
    return (P + P.T) / 2


def _independent(u: Draws, given: Given) -> Tensor:
    return torch.diag(u.uniform(len(given["P"]), 0.4, 5.0))


def _many(u: Draws, given: Given) -> Jointly:
    """Return 200 weights whose precisions multiply to zero in float64."""
    d = 200
    rows = 0.05 * u.normal(d * 3).reshape(d, 3)
    return Jointly(P=0.01 * (torch.eye(d, dtype=torch.float64) + rows @ rows.T), h=u.normal(d))


EXERCISE = Exercise(
    name="mean_field",
    arguments=(
        Argument("P", _P, many=(3, 5, 2), sizes=(1,), shown=lambda P: f"{len(P)} × {len(P)}",
                 edges={"with no correlation": _independent, "with many weights": _many}),
        Argument("h", lambda u, given: u.normal(len(given["P"]), 1.0, 3.0)),
    ),
    reference=reference,
    turns=TURNS,
    worked=(by_diagonal,),
    parts=("the mean", "the variance", "the gap"),
    passed="mean_field: means, variances and gap, from one weight to five.",
)  # fmt: skip
mean_field = EXERCISE.check
