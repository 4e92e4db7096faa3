"""Checks of sheet 08, first part: the joint density and its integral."""

import math
from typing import Any

import torch
from torch.nn.functional import logsigmoid

from helpers import data
from helpers.check.analytic import elbo as analytic
from helpers.check.likelihood import any_of
from helpers.check.measure import same
from helpers.check.turns import Case, Turn, function_agrees
from helpers.check.verdict import passed


def shuffled(name: str, heads: int, tails: int) -> torch.Tensor:
    """Return so many heads and tails in random order, float64, shape (heads + tails,)."""
    flips = torch.cat([torch.ones(heads), torch.zeros(tails)]).to(torch.float64)
    return flips[torch.randperm(len(flips), generator=data.generator(name))]


def log_joint(answer: Any, points: str = "practice") -> bool:
    """Check ``log_joint(y, flips)``: log σ(y)^(1 + heads) (1 − σ(y))^(1 + tails) at each y.

    Args:
        answer: the student's function.
        points: "practice" for y between −3 and 3, "fresh" for more shapes, and for y so far out
            that 1 − σ(y) rounds to zero.
    """
    settings: list[tuple[tuple[int, ...], int, int, float]] = [((7,), 2, 3, 1), ((6,), 4, 2, 1)]
    if points == "fresh":
        settings += [((), 1, 2, 1), ((2, 3), 3, 8, 1), ((4,), 2, 1, 20)]
    cases = []
    for shape, heads, tails, stretch in settings:
        count = int(torch.Size(shape).numel())
        flips = shuffled(f"elbo: joint flips {shape}", heads, tails)
        y = data.uniform(f"elbo: joint {shape}", count, 2.0, 3.0) * stretch
        y = (y * (-1.0) ** torch.arange(count)).reshape(shape)
        described = f"log_joint(y, flips) at y of shape {shape} for {heads} heads and {tails} tails"
        if stretch > 1:
            described += f", |y| up to {float(y.abs().max()):.0f}"
        cases.append(Case(described, (y, flips), _joint(y, flips)))
    function_agrees(answer, cases, JOINT_TURNS)
    return passed("log_joint: likelihood times Jacobian, on the log scale, at every y.")


def _joint(y: torch.Tensor, flips: torch.Tensor, more: float = 0.0) -> torch.Tensor:
    """Return the log joint density, both exponents enlarged by ``more``."""
    a, b = analytic.exponents(flips)
    return analytic.log_joint(y, a + more, b + more)


def _rounded(y: torch.Tensor, flips: torch.Tensor) -> list[torch.Tensor]:
    """Return what logs of a rounded σ(y) give: by hand, and as torch clamps a probability."""
    p, heads = torch.sigmoid(y), flips.sum()
    tails = len(flips) - heads
    by_hand = (heads + 1) * p.log() + (tails + 1) * (1 - p).log()
    tiny = torch.finfo(y.dtype).eps
    q = p.clamp(tiny, 1 - tiny)
    clamped = heads * q.log() + tails * torch.log1p(-q) + logsigmoid(y) + logsigmoid(-y)
    return [by_hand, clamped]


def _flip_by_flip(y: torch.Tensor, flips: torch.Tensor) -> torch.Tensor:
    if y.shape != flips.shape:
        return _joint(y, flips).new_full((), torch.inf)  # it raises an error instead
    jacobian = logsigmoid(y) + logsigmoid(-y)
    return flips * logsigmoid(y) + (1 - flips) * logsigmoid(-y) + jacobian


JOINT_TURNS = [
    Turn("Jacobian forgotten",
         "this is the likelihood alone; on the scale of y the uniform prior has the density "
         "σ(y)(1 − σ(y)).",
         lambda y, flips: _joint(y, flips, -1)),
    Turn("Jacobian subtracted",
         "the density of y is that of θ times dθ/dy: add the log of the Jacobian.",
         lambda y, flips: _joint(y, flips, -2)),
    Turn("Jacobian for each flip",
         "the prior, with its Jacobian, belongs in the joint density once, whatever the flips.",
         lambda y, flips: _joint(y, flips, len(flips) - 1)),
    Turn("sign", "this is the negative log joint density; leave the minus out.",
         lambda y, flips: -_joint(y, flips)),
    Turn("log forgotten", "this is the joint density itself; its log is asked for.",
         lambda y, flips: _joint(y, flips).exp()),
    Turn("heads and tails swapped", "σ(y) is the probability of heads, and heads are the ones.",
         lambda y, flips: _joint(y, 1 - flips)),
    Turn("mean for sum", "the flips are independent: add their log probabilities up.",
         lambda y, flips: (_joint(y, flips, -1) / len(flips)) + _joint(y, flips[:0])),
    Turn("summed over y", "add over the flips only: one number for each y is asked for.",
         lambda y, flips: _joint(y, flips).sum(),
         alike=lambda got, total: same(got, total, 1e-6)),
    Turn("y paired with flips",
         "every y meets all flips; count heads and tails, or give y a further dimension.",
         _flip_by_flip, raises=lambda error: any(
             text in str(error) for text in ("must match", "not broadcastable", "broadcast"))),
    Turn("log of zero",
         "far out σ(y) rounds to 0 or 1, and its log goes wrong; logsigmoid(y) and logsigmoid(−y) "
         "do not.", _rounded, alike=any_of),
]  # fmt: skip


def log_evidence(answer: Any, sizes: str = "practice") -> bool:
    """Check ``log_evidence(flips)``: log B(1 + heads, 1 + tails).

    Args:
        answer: the student's function.
        sizes: "practice" for 5 to 40 flips, "large" for 1300, whose likelihood underflows.
    """
    settings = [(5, 2), (12, 3), (40, 10)] if sizes == "practice" else [(1300, 600)]
    cases = []
    for n, least in settings:
        more = int(data.uniform(f"elbo: evidence {n}", 1, 0, n // 6 + 1))
        flips = shuffled(f"elbo: evidence flips {n}", least + more, n - least - more)
        described = f"log_evidence(flips) on {n} flips with {least + more} heads"
        cases.append(Case(described, (flips,), analytic.log_evidence(*analytic.exponents(flips))))
    function_agrees(answer, cases, EVIDENCE_TURNS)
    return passed("log_evidence: log B(1 + heads, 1 + tails).")


def _evidence(flips: torch.Tensor, more: float = 0.0) -> float:
    a, b = analytic.exponents(flips)
    return analytic.log_evidence(a + more, b + more)


def _at_best(flips: torch.Tensor) -> float:
    """Return the log-likelihood at its maximum, the share of heads."""
    share = flips.mean()
    return float(flips.sum() * share.log() + (1 - flips).sum() * torch.log1p(-share))


def _underflows(flips: torch.Tensor) -> float:
    value = _evidence(flips)
    return value if value > -700 else -math.inf


EVIDENCE_TURNS = [
    Turn("Jacobian forgotten",
         "the integral over y needs the Jacobian; over θ it is that of θ^heads (1 − θ)^tails.",
         lambda flips: _evidence(flips, -1)),
    Turn("sign", "this is minus the log evidence; a probability below 1 has a negative log.",
         lambda flips: -_evidence(flips)),
    Turn("log forgotten", "this is the evidence itself; its log is asked for.",
         lambda flips: math.exp(_evidence(flips))),
    Turn("orders counted",
         "the flips came in one order; a binomial coefficient would count all orders.",
         lambda flips: -math.log(len(flips) + 1)),
    Turn("maximum for average",
         "this is the log-likelihood of the best θ; the evidence averages over all θ.", _at_best),
    Turn("best ELBO returned", "this is the highest ELBO; the evidence lies above it.",
         lambda flips: _best_elbo(flips), alike=lambda got, want: same(got, want, 1e-4)),
    Turn("log inside the integral",
         "average the likelihood over θ first, then take the log.",
         lambda flips: -float(len(flips))),
    Turn("log base 2", "log means the natural logarithm.",
         lambda flips: _evidence(flips) / math.log(2)),
    Turn("likelihood underflows",
         "the product of so many probabilities is zero in floating point; stay on the log scale.",
         _underflows, alike=lambda got, want: same(got, want, 1e-4)),
]  # fmt: skip


def _best_elbo(flips: torch.Tensor) -> float:
    a, b = analytic.exponents(flips)
    return analytic.elbo(*analytic.optimum(a, b), a, b)
