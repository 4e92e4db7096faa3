"""benford_test(counts, kind): how far counts are from Benford's law, and how often chance is."""

import math
from collections.abc import Callable

import torch

from helpers.check.benford import analytic, digits
from helpers.check.kit.agree import EachClose
from helpers.check.kit.asks import Argument, Draws, Given, Jointly, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

Tensor = torch.Tensor
Pair = tuple[Tensor, Tensor]
DOUBLE = torch.float64


def _law(counts: Tensor) -> Tensor:
    return analytic.benford(len(counts) + 1, 1)


def _statistic(counts: Tensor, kind: str, law: Tensor | None = None) -> Tensor:
    counts = counts.to(DOUBLE)
    expected = counts.sum() * (_law(counts) if law is None else law)
    of = analytic.chi2 if kind == "chi2" else analytic.g_statistic
    return of(counts, expected)


def _with_tail(statistic: Tensor, counts: Tensor) -> Pair:
    return statistic, analytic.upper_tail(statistic, len(counts) - 1)


def reference(counts: Tensor, kind: str) -> Pair:
    """Return the statistic, and the probability that χ² with k − 1 degrees exceeds it."""
    return _with_tail(_statistic(counts, kind), counts)


def _other_statistic(of: Callable[[Tensor, str], AnyOf | Tensor]) -> Callable[[Tensor, str], AnyOf]:
    """Return pairs of other statistics, each with its own tail."""

    def gives(counts: Tensor, kind: str) -> AnyOf:
        found = of(counts, kind)
        values = found.values if isinstance(found, AnyOf) else (found,)
        return AnyOf(*[_with_tail(v, counts) for v in values])

    return gives


def _only(kind: str, of: Callable[[Tensor, str], AnyOf | Tensor]) -> Callable[[Tensor, str], AnyOf]:
    """Return other statistics of one kind, and the right one of the other."""
    other = _other_statistic(of)
    return lambda counts, asked: (
        other(counts, asked) if asked == kind else AnyOf(reference(counts, asked))
    )


def _other_tail(of: Callable[[Tensor, Tensor], list[Tensor]]) -> Callable[[Tensor, str], AnyOf]:
    """Return the right statistic with other tails, made of it and the degrees of freedom."""

    def gives(counts: Tensor, kind: str) -> AnyOf:
        x = _statistic(counts, kind)
        return AnyOf(*[(x, p) for p in of(x, torch.tensor(len(counts) - 1.0, dtype=DOUBLE))])

    return gives


def _expected(counts: Tensor) -> Tensor:
    return counts.sum() * _law(counts)


def _by_observed(counts: Tensor, kind: str) -> Tensor:
    e = _expected(counts)
    return (
        ((counts - e) ** 2 / counts).sum() if kind == "chi2" else 2 * (e * (e / counts).log()).sum()
    )


def _other_laws(counts: Tensor, kind: str) -> AnyOf:
    """Return what other laws than Benford's give."""
    d = torch.arange(1, len(counts) + 1, dtype=DOUBLE)
    even = torch.full_like(counts, 1 / len(counts))
    return AnyOf(*[_statistic(counts, kind, law) for law in
                   (even, (1 / d) / (1 / d).sum(), _law(counts).flip(0))])  # fmt: skip


def _other_logs(counts: Tensor, kind: str) -> AnyOf:
    """Return what a law by the natural or the decimal logarithm gives, whatever the base is."""
    d = torch.arange(1, len(counts) + 1, dtype=DOUBLE)
    found = [_statistic(counts, kind, torch.log1p(1 / d) / c)
             for c in (1.0, math.log(10), math.log(2), math.log(len(d)),
                       math.log(len(d) + 2))]  # fmt: skip
    return AnyOf(*found, *[x.abs() for x in found])


def _by_pieces(counts: Tensor, kind: str) -> AnyOf:
    """Return statistics that lack a piece: the square, the divisor, the 2."""
    e = _expected(counts)
    off = counts - e
    if kind == "chi2":
        return AnyOf((off**2).sum(), (off.abs() / e).sum(), ((off / e) ** 2).sum(),
                     (off.abs() / e.sqrt()).sum(), (off**2).sum() / counts.sum(), off.abs().max(),
                     (off**2 / e).mean(), ((off.abs() - 0.5) ** 2 / e).sum(),
                     (off**2 / e).sum().sqrt())  # fmt: skip
    x = _statistic(counts, kind)
    return AnyOf(x / 2, x / counts.sum(), x / (2 * counts.sum()), x.abs().sqrt(), -x, x / 4)


def _zeros_left_out(counts: Tensor, kind: str) -> Pair:
    """Return what comes without the digits that never came."""
    kept = counts > 0
    e = _expected(counts)[kept]
    of = analytic.chi2 if kind == "chi2" else analytic.g_statistic
    return _with_tail(of(counts[kept], e), counts[kept])


def _below_zero(got: object, right: Pair) -> bool:
    """Whether a statistic is negative, so that its tail is not a number, or both are right."""
    try:
        statistic, tail = (float(v) for v in got)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return False
    return statistic < 0 or EachClose(rtol=2e-5).same((statistic, tail), right)


TURNS = (
    Turn("a number for k", "there need not be nine digits: base and degrees follow from how many "
         "counts there are.", raises=lambda error: "must match the size" in str(error)),
    Turn("n lost", "these are the statistics of shares; a test needs the counts, for a thousand "
         "numbers say more than ten.",
         _other_statistic(lambda counts, kind: _statistic(counts, kind) / counts.sum())),
    Turn("degrees of freedom", "counts with a known sum have one degree of freedom less than there "
         "are digits, and the law has no free parameter.",
         _other_tail(lambda x, k: [analytic.upper_tail(x, float(k) + c) for c in (1, -1)
                                   if float(k) + c > 0] + [analytic.upper_tail(x, c)
                                                           for c in (8.0, 9.0)])),
    Turn("wrong tail", "this is the probability of a smaller statistic; asked is that of one at "
         "least as large.", _other_tail(lambda x, k: [torch.special.gammainc(k / 2, x / 2)])),
    Turn("one minus a number near 1", "far out the lower tail rounds to 1, and the difference has "
         "no digits left: gammaincc gives the upper tail itself.",
         _other_tail(lambda x, k: [1 - torch.special.gammainc(k / 2, x / 2)])),
    Turn("single precision", "the tail was computed in float32, which halves its digits: make both "
         "arguments of gammaincc double.",
         _other_tail(lambda x, k: [torch.special.gammaincc((k / 2).float(), (x / 2).float())])),
    Turn("halves forgotten", "the tail is gammaincc(degrees / 2, statistic / 2), both halved.",
         _other_tail(lambda x, k: [torch.special.gammaincc(a * k, b * x) for a in (1, 0.5)
                                   for b in (1, 0.5) if (a, b) != (0.5, 0.5)])),
    Turn("arguments of gammaincc", "the degrees come first in gammaincc, the statistic second.",
         _other_tail(lambda x, k: [torch.special.gammaincc(x / 2, k / 2),
                                   torch.special.gammainc(x / 2, k / 2)])),
    Turn("another p-value", "the upper tail itself is asked for: not half of it, not twice, not "
         "its logarithm.",
         _other_tail(lambda x, k: [f(analytic.upper_tail(x, float(k))) for f in (
             lambda p: p / 2, lambda p: 2 * p, lambda p: (2 * p).clamp(max=1), torch.log)])),
    Turn("divided by observed", "what is expected stands below the fraction line, for χ² as for G.",
         _other_statistic(_by_observed)),
    Turn("divided by observed", "what is expected stands below the fraction line, for χ² as for G.",
         _only("chi2", _by_observed)),
    Turn("divided by observed", "what is expected stands below the fraction line, for χ² as for G.",
         _only("G", _by_observed)),
    Turn("kinds exchanged", "kind says which of the two statistics is asked for.",
         lambda counts, kind: reference(counts, "G" if kind == "chi2" else "chi2")),
    Turn("another law", "the expected counts are n times Benford's probabilities, which fall with "
         "the digit as a logarithm does.", _other_statistic(_other_laws)),
    Turn("base not from the counts", "k digits belong to base k + 1: log(1 + 1/d) is divided by "
         "log(k + 1).", _other_statistic(_other_logs)),
    Turn("χ² lacks a piece", "χ² adds up the squared deviations of the counts, each divided by its "
         "expected count.", _only("chi2", _by_pieces)),
    Turn("G lacks a piece", "G is twice the sum of observed · log(observed / expected).",
         _only("G", _by_pieces)),
    Turn("log base 2", "the logarithm of G is the natural one.",
         _only("G", lambda counts, kind: _statistic(counts, kind) / math.log(2))),
    Turn("log base 10", "the logarithm of G is the natural one.",
         _only("G", lambda counts, kind: _statistic(counts, kind) / math.log(10))),
    Turn("digits that never came", "where nothing was observed χ² still has its expected count; to "
         "G the digit adds nothing, and takes no degree of freedom away.", _zeros_left_out),
    Turn("a statistic below zero", "χ² and G are never negative, and gammaincc of a negative "
         "number is none: look at signs, squares and at the law.", reference, alike=_below_zero),
    Turn("swapped", "the statistic comes first, its p-value second.",
         lambda counts, kind: reference(counts, kind)[::-1]),
)  # fmt: skip


def by_hand(counts: Tensor, kind: str) -> Pair:
    """Both statistics as the sheet leads to them."""
    k = len(counts)
    d = torch.arange(1, k + 1, dtype=torch.float64)
    expected = counts.sum() * torch.log(1 + 1 / d) / math.log(k + 1)
    if kind == "chi2":
        statistic = ((counts - expected) ** 2 / expected).sum()
    else:
        statistic = 2 * torch.special.xlogy(counts, counts / expected).sum()
    half = torch.tensor((k - 1) / 2, dtype=torch.float64)
    return statistic, torch.special.gammaincc(half, statistic / 2)


def by_loop(counts: Tensor, kind: str) -> tuple[float, Tensor]:
    """Digit by digit."""
    k, n = len(counts), float(counts.sum())
    total = 0.0
    for d, count in enumerate(counts.tolist(), start=1):
        expected = n * math.log(1 + 1 / d) / math.log(k + 1)
        if kind == "chi2":
            total += (count - expected) ** 2 / expected
        elif count > 0:
            total += 2 * count * math.log(count / expected)
    x = torch.tensor(total, dtype=torch.float64)
    return total, torch.special.gammaincc(torch.tensor((k - 1) / 2).double(), x / 2)


def by_shares(counts: Tensor, kind: str) -> Pair:
    """Shares, and n at the end."""
    n = counts.sum()
    d = torch.arange(1, len(counts) + 1, dtype=torch.float64)
    law = torch.log1p(1 / d) / math.log(len(counts) + 1)
    shares = counts / n
    if kind == "chi2":
        statistic = n * (((shares - law) ** 2) / law).sum()
    else:
        terms = torch.where(shares > 0, shares * (shares / law).clamp(min=1e-300).log(), 0.0)
        statistic = 2 * n * terms.sum()
    degrees = torch.tensor(len(counts) - 1.0, dtype=torch.float64)
    return statistic, torch.special.gammaincc(degrees / 2, statistic / 2)


def by_squares(counts: Tensor, kind: str) -> Pair:
    """Squares of the counts less n; for G only digits that came."""
    d = torch.arange(1, len(counts) + 1, dtype=torch.float64)
    n, expected = counts.sum(), counts.sum() * torch.log1p(1 / d) / math.log(len(counts) + 1)
    chi2 = (counts**2 / expected).sum() - n
    seen = counts > 0
    g = 2 * (counts[seen] * torch.log(counts[seen] / expected[seen])).sum()
    statistic = {"chi2": chi2, "G": g}[kind]
    half = torch.tensor((len(counts) - 1) / 2, dtype=torch.float64)
    return statistic, torch.special.gammaincc(half, statistic / 2)


def _counts(u: Draws, given: Given, k: int) -> Tensor:
    return digits.counted(u, given, k)


def _kind(u: Draws, given: Given) -> str:
    """Return one of both kinds; the other one where one is given."""
    return {"chi2": "G", "G": "chi2"}.get(given.get("kind", ""), u.choice(("chi2", "G")))


def _never(u: Draws, given: Given) -> Tensor:
    counts = digits.counted(u, given, 9)
    counts[u.whole(5, 8)] = 0.0
    return counts


def _far(u: Draws, n: float) -> Tensor:
    """Return about n counts off the law: p is 10⁻¹⁴ for 12,000, 10⁻²⁰⁰ for 130,000.

    The first is too small for one minus a number, the second for single precision.
    """
    law = analytic.benford(10, 1)
    bent = law * torch.where(torch.arange(9) % 2 == 0, 1.085, 1 / 1.085)
    return (bent * n * u.real(0.96, 1.06)).round()


EXERCISE = Exercise(
    name="benford_test",
    arguments=(
        sample("counts", _counts, many=(9, 7, 15), sizes=(2,), edges={
            "a digit that never came, by chi2": lambda u, given: Jointly(
                counts=_never(u, given), kind="chi2"),
            "a digit that never came, by G": lambda u, given: Jointly(
                counts=_never(u, given), kind="G"),
            "some way out": lambda u, given: Jointly(counts=_far(u, 12e3), kind="chi2"),
            "far out, by chi2": lambda u, given: Jointly(counts=_far(u, 13e4), kind="chi2"),
            "far out, by G": lambda u, given: Jointly(counts=_far(u, 13e4), kind="G"),
            "five numbers": torch.tensor([2.0, 0, 1, 0, 0, 1, 0, 0, 1], dtype=DOUBLE),
        }, used_instead=digits.of_the_sheet),
        Argument("kind", _kind),
    ),
    reference=reference,
    # What single precision leaves of a tail passes where it is large, and never far out.
    agree=EachClose(rtol=2e-5),
    typical=6,
    parts=("the statistic", "the p-value"),
    double=True,
    turns=TURNS,
    worked=(by_hand, by_loop, by_shares, by_squares),
    passed="benford_test: both statistics and their tails, in several bases.",
)  # fmt: skip
benford_test = EXERCISE.check
