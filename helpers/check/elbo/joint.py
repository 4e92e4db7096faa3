"""Checks of sheet 08, first part: the joint density and its integral."""

import math
from typing import Any

import torch
from torch.nn.functional import logsigmoid

from helpers import data
from helpers.check.elbo import analytic
from helpers.check.kit.agree import any_of, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed


def shuffled(name: str, heads: int, tails: int) -> torch.Tensor:
    """Return so many heads and tails in random order, float64, shape (heads + tails,)."""
    flips = torch.cat([torch.ones(heads), torch.zeros(tails)]).to(torch.float64)
    return flips[torch.randperm(len(flips), generator=data.generator(name))]


# At 40 σ(y) rounds to 1; at −800 it rounds to 0, and so does 1 − σ(y) = σ(−y) at 800.
FAR_OUT = torch.tensor([-800.0, -40.0, 40.0, 800.0], dtype=torch.float64)


def log_joint(answer: Any, points: str = "practice") -> bool:
    """Check ``log_joint(y, flips)``: log σ(y)^(1 + heads) (1 − σ(y))^(1 + tails) at each y.

    Args:
        answer: the student's function.
        points: "practice" for y between −3 and 3 and for ±40 and ±800, where σ(y) or 1 − σ(y)
            rounds to zero; "fresh" for more shapes, and for other y far out.
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
    flips = shuffled("elbo: joint flips far out", 2, 1)
    described = "log_joint(y, flips) at y = −800, −40, 40, 800 for 2 heads and 1 tail"
    cases.append(Case(described, (FAR_OUT, flips), _joint(FAR_OUT, flips)))
    function_agrees(answer, cases, JOINT_TURNS)
    return passed("log_joint: likelihood times Jacobian, on the log scale, at every y.")


def _joint(y: torch.Tensor, flips: torch.Tensor, more: float = 0.0) -> torch.Tensor:
    """Return the log joint density, both exponents enlarged by ``more``."""
    a, b = analytic.exponents(flips)
    return analytic.log_joint(y, a + more, b + more)


def _rounded(y: torch.Tensor, flips: torch.Tensor) -> list[torch.Tensor]:
    """Return what logs of a rounded σ(y) give: by hand, with clamps, with something added.

    First by hand with log(1 − σ(y)), then as torch clamps a probability; by hand the two logs are
    tried in every mixture with logsigmoid, and in both precisions.
    """
    heads = flips.sum()
    tails = len(flips) - heads
    values = []
    for dtype in (torch.float64, torch.float32):
        p, more = torch.sigmoid(y.to(dtype)), torch.sigmoid(-y.to(dtype))
        tiny = torch.finfo(dtype).eps
        q = p.clamp(tiny, 1 - tiny)
        jacobian = logsigmoid(y) + logsigmoid(-y)
        first, second = (p.log(), logsigmoid(y)), ((1 - p).log(), more.log(), logsigmoid(-y))
        hands = [(heads + 1) * u + (tails + 1) * v for u in first for v in second][:-1]
        likelihoods = [heads * u + tails * v + jacobian for u in first for v in second][:-1]
        values += [hands[0], heads * q.log() + tails * torch.log1p(-q) + jacobian]
        values += hands[1:] + likelihoods
        for e in EPSILONS:
            added = (heads + 1) * (p + e).log() + (tails + 1) * (1 - p + e).log()
            q = p.clamp(e, 1 - e)
            values += [added, (heads + 1) * q.log() + (tails + 1) * (1 - q).log()]
    return values


# What is added to σ(y), or bounds it, so that its logarithm exists.
EPSILONS = [10.0**-k for k in (6, 7, 8, 9, 10, 12, 15, 16, 20, 30, 300)]


def _log_orders(flips: torch.Tensor) -> float:
    """Return the log of the number of orders in which so many heads and tails can come."""
    a, b = analytic.exponents(flips)
    return math.lgamma(a + b - 1) - math.lgamma(a) - math.lgamma(b)


def _half_logged(y: torch.Tensor, flips: torch.Tensor) -> list[torch.Tensor]:
    """Return the joint density with no log, or with the log of one of its two factors only."""
    likelihood, jacobian = _joint(y, flips, -1), _joint(y, flips[:0])
    return [(likelihood + jacobian).exp(), likelihood.exp() + jacobian, likelihood.exp() * jacobian,
            likelihood + jacobian.exp(), likelihood * jacobian.exp()]  # fmt: skip


def _near_any(got: Any, wanted: list[torch.Tensor]) -> bool:
    """Whether densities agree with one of several; far out all of them are next to nothing."""
    taken = as_tensor(got)
    return any(
        same(got, w)
        or (
            taken is not None and taken.shape == w.shape and bool(((taken - w).abs() < 1e-12).all())
        )
        for w in wanted
    )


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
    Turn("log forgotten",
         "a product was not logged: likelihood and Jacobian both enter by their logs.",
         _half_logged, alike=_near_any),
    Turn("posterior for joint",
         "this is the log posterior: the joint density is not divided by the evidence.",
         lambda y, flips: _joint(y, flips) - _evidence(flips)),
    Turn("orders counted",
         "the flips came in one order; a binomial coefficient would count all orders.",
         lambda y, flips: _joint(y, flips) + _log_orders(flips)),
    Turn("missing + 1", "the Jacobian has two factors: it adds 1 to the exponent of each.",
         lambda y, flips: [analytic.log_joint(y, a - i, b - 1 + i)
                           for a, b in [analytic.exponents(flips)] for i in (0, 1)],
         alike=any_of),
    Turn("five flips only", "3 and 4 belong to the sheet's five flips; count those you are given.",
         lambda y, flips: analytic.log_joint(y, 3, 4)),
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
         "far out σ(y) rounds to 0 or 1, or exp overflows, and the log goes wrong; logsigmoid(y) "
         "and logsigmoid(−y) do not.", _rounded, alike=any_of),
]  # fmt: skip


def log_evidence(answer: Any, sizes: str = "practice") -> bool:
    """Check ``log_evidence(flips)``: log B(1 + heads, 1 + tails).

    Args:
        answer: the student's function.
        sizes: "practice" for 5 to 40 flips and for 3000, whose likelihood underflows, "large" for
            1300.
    """
    settings = [(5, 2), (12, 3), (40, 10), (3000, 1300)] if sizes == "practice" else [(1300, 600)]
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
    return _or_nothing(_evidence(flips))


def _or_nothing(log: float) -> float:
    """Return a log where its exponential is a number above zero, else the log of zero."""
    return log if log > -700 else -math.inf


def _cut(flips: torch.Tensor) -> list[float]:
    """Return the log evidence over −k ≤ y ≤ k, in logs and as the log of an integral."""
    values = []
    for k in (2.0, 3.0, 4.0):  # beyond 5 less than a millionth of the result is missing
        y = torch.linspace(-k, k, 8001, dtype=torch.float64)
        logs = _joint(y, flips)
        most = float(logs.max())
        value = most + float(torch.trapezoid((logs - most).exp(), y).log())
        values += [value, _or_nothing(value)]
    return values


def _factorials(flips: torch.Tensor) -> list[float]:
    """Return log h! + log t! − log (n + 1)! with a + 1 forgotten here or there."""
    h, t, n = float(flips.sum()), float((1 - flips).sum()), len(flips)
    both, low = math.lgamma(h + 1) + math.lgamma(t + 1), math.lgamma(h) + math.lgamma(t)
    return [both - math.lgamma(n + 1), low - math.lgamma(n + 1), low - math.lgamma(n + 2)]


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
    Turn("missing + 1",
         "log k! is lgamma(k + 1), and below stands (n + 1)!: look for a forgotten + 1.",
         _factorials, alike=any_of),
    Turn("five flips only",
         "this is the sheet's log 1/60, whatever the flips; count those you are given.",
         lambda flips: -math.log(60)),
    Turn("range too short", "part of the joint density lies outside your range of y.",
         _cut, alike=any_of),
    Turn("likelihood underflows",
         "the product of so many probabilities is zero in floating point; stay on the log scale.",
         _underflows, alike=lambda got, want: same(got, want, 1e-4)),
]  # fmt: skip


def _best_elbo(flips: torch.Tensor) -> float:
    a, b = analytic.exponents(flips)
    return analytic.elbo(*analytic.optimum(a, b), a, b)
