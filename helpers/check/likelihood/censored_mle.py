"""censored_mle(waits, ended): rate of exponential waits of which some were not seen to end."""

import math
from collections.abc import Callable, Iterable

import torch

from helpers.check.kit.agree import Fitting
from helpers.check.kit.asks import Argument, Draws, Given, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.likelihood import analytic

DOUBLE = torch.float64
Gives = Callable[[torch.Tensor, torch.Tensor], AnyOf]


def _waits(u: Draws, given: Given, n: int) -> torch.Tensor:
    return (1e-3 - torch.log1p(-u.uniform(n))) / u.log_real(0.05, 5)


def _ended(u: Draws, given: Given) -> torch.Tensor:
    """Return flags of which at least one is 1, and of several at least one is 0."""
    n = len(given["waits"])
    flags = (u.uniform(n) < u.real(0.3, 0.7)).double()
    flags[-1] = 0.0
    flags[0] = 1.0
    return flags


def _a_single_one(u: Draws, given: Given) -> torch.Tensor:
    flags = torch.zeros(len(given["waits"]), dtype=DOUBLE)
    flags[u.whole(0, len(flags) - 1)] = 1.0
    return flags


def _not_watched_longer(u: Draws, given: Given) -> torch.Tensor:
    return (given["waits"] <= given["waits"].median()).double()


def _facts(t: torch.Tensor, e: torch.Tensor) -> tuple[float, float, float, int]:
    """Return the number of events, the time of all waits, that of those that ended, and n."""
    t, e = t.to(DOUBLE), e.to(DOUBLE)
    return float(e.sum()), float(t.sum()), float((t * e).sum()), len(t)


def _rate(wrong: Callable[[float, float, float, int], tuple[float, float]]) -> Gives:
    """Return a turn's values: a wrong rate, from events and time, with the errors it comes with.

    Args:
        wrong: takes events, time of all, time of those that ended, and n; returns the number of
            events and the time that are taken instead.
    """

    def gives(t: torch.Tensor, e: torch.Tensor) -> AnyOf:
        facts = _facts(t, e)
        events, time = wrong(*facts)
        rate = events / time
        return AnyOf(*[(rate, rate / math.sqrt(k)) for k in (events, facts[0], facts[3]) if k > 0])

    return gives


def _error(wrong: Callable[[float, float, int], Iterable[float]]) -> Gives:
    """Return a turn's values: the right rate with wrong errors, from the rate, events and n."""

    def gives(t: torch.Tensor, e: torch.Tensor) -> AnyOf:
        events, time, _, n = _facts(t, e)
        return AnyOf(*[(events / time, error) for error in wrong(events / time, events, n)])

    return gives


def _spread(t: torch.Tensor, e: torch.Tensor) -> AnyOf:
    rate, _ = analytic.censored_mle(t, e)
    return AnyOf(*[(rate, x.std(correction=c) / math.sqrt(len(x)))
                   for x in (t, t[e == 1]) for c in (0, 1)])  # fmt: skip


def _scale(t: torch.Tensor, e: torch.Tensor) -> AnyOf:
    rate, error = analytic.censored_mle(t, e)
    events = float(e.sum())
    return AnyOf((1 / rate, error), (1 / rate, 1 / rate / math.sqrt(events)), (1 / rate, 1 / error))


def _medians(t: torch.Tensor, e: torch.Tensor) -> AnyOf:
    rates = [f / float(m) for f in (1.0, math.log(2)) for x in (t, t[e == 1])
             for m in (x.median(), x.quantile(0.5))]  # fmt: skip
    return AnyOf(*[(r, r / math.sqrt(k)) for r in rates for k in (float(e.sum()), len(t))])


def _filled_in(t: torch.Tensor, e: torch.Tensor) -> AnyOf:
    """Return what comes of times for the rest of the censored waits, or in place of them."""
    events, total, seen, n = _facts(t, e)
    mean = seen / events
    extra = (mean, total / n)  # added to each censored wait
    totals = [total + (n - events) * m for m in extra] + [2 * total - seen]
    ended = [seen + (n - events) * m for m in (3.0, float(t.max()), float(t[e == 1].max()))]
    return AnyOf(*[(k / time, k / time / math.sqrt(j)) for times, ks in (
                   (totals, (n, events)), (ended, (n, events)))
                   for time in times for k in ks for j in (n, events)])  # fmt: skip


def _log(t: torch.Tensor, e: torch.Tensor) -> AnyOf:
    rate, error = analytic.censored_mle(t, e)
    return AnyOf(*[(math.log(rate), s) for s in (error, error / rate)])


def _parts(t: torch.Tensor, e: torch.Tensor) -> AnyOf:
    n = len(t)
    kept = (t < t.max(), slice(n - 1), slice(1, n), slice(n // 2), slice(n // 2 + 1),
            slice(0, n, 2))  # fmt: skip
    return AnyOf(*[analytic.censored_mle(t[k], e[k]) for k in kept if e[k].sum() > 0])


def _reciprocals(t: torch.Tensor, e: torch.Tensor) -> AnyOf:
    events, n = float(e.sum()), len(t)
    rates = [(e / t).sum() / events, (e / t).mean(), (1 / t).mean()]
    return AnyOf(*[(rate, rate / math.sqrt(k)) for rate in rates for k in (events, n)])


def by_sums(waits: torch.Tensor, ended: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return events over total time, and the rate over the root of the events."""
    events = ended.sum()
    rate = events / waits.sum()
    return rate, rate / events.sqrt()


def by_curvature(waits: torch.Tensor, ended: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the zero of the score, and the error from the second derivative there."""
    rate = ended.mean() / waits.mean()
    curvature = ended.sum() / rate**2
    return rate, (1 / curvature).sqrt()


def by_pairs(waits: torch.Tensor, ended: torch.Tensor) -> tuple[float, float]:
    """Return both from events and time that are counted pair by pair."""
    events, total = 0, 0.0
    for wait, end in zip(waits.tolist(), ended.tolist(), strict=True):
        total += wait
        if end == 1:
            events += 1
    return events / total, math.sqrt(events) / total


def _shorter(t: torch.Tensor, e: torch.Tensor) -> AnyOf:
    """Return what comes of the probability of a shorter wait for those that were cut short.

    The score d/λ − Σ t over the ended + Σ t/(exp(λt) − 1) over the others falls in λ.
    """
    t, e = t.to(DOUBLE), e.to(DOUBLE)
    low, high = -30.0, 30.0  # of log λ
    for _ in range(60):
        rate = math.exp((low + high) / 2)
        score = e.sum() / rate - (t * e).sum() + ((1 - e) * t / torch.expm1(rate * t)).sum()
        low, high = ((low + high) / 2, high) if score > 0 else (low, (low + high) / 2)
    rate = math.exp(low)
    return AnyOf(*[(r, r / math.sqrt(float(e.sum()))) for r in (rate, min(rate, 5.0))])


def _on_the_way(got: object, args: tuple[torch.Tensor, ...]) -> bool:
    """Whether a rate is on the way from 1 per minute to the optimum, or hardly beyond it."""
    rate, _ = analytic.censored_mle(*args)
    if not isinstance(got, list | tuple) or len(got) != 2:
        return False
    return -0.05 < (float(torch.as_tensor(got[0])) - rate) / (1 - rate) < 1


TURNS = (
    Turn("censored waits dropped", "a wait without an end tells that nothing came for so long: its "
         "time belongs into the total.", _rate(lambda d, total, seen, n: (d, seen))),
    Turn("censored taken as events", "a wait that was cut short ended in no event: its factor is "
         "the chance to wait longer, not the density.",
         _rate(lambda d, total, seen, n: (n, total))),
    Turn("censored counted, not timed", "you count all waits and add up only those that ended; it "
         "is the other way round.", _rate(lambda d, total, seen, n: (n, seen))),
    Turn("flags upside down", "1 means that the wait was seen to end; count those.",
         _rate(lambda d, total, seen, n: (n - d, total))),
    Turn("only the censored ones", "every wait counts: the ended ones with their density as well.",
         _rate(lambda d, total, seen, n: (n - d, total - seen))),
    Turn("censored counted half", "a wait that was cut short is no half event; write its factor "
         "down.", _rate(lambda d, total, seen, n: ((d + n) / 2, total))),
    Turn("one event too few", "the score is d/λ − Σ t, with all d events.",
         _rate(lambda d, total, seen, n: (d - 1, total))),
    Turn("sum and mean mixed", "divide a sum by a sum, or a mean by a mean.",
         _rate(lambda d, total, seen, n: (d / n, total))),
    Turn("sum and mean mixed", "divide a sum by a sum, or a mean by a mean.",
         _rate(lambda d, total, seen, n: (d, total / n))),
    Turn("censored time subtracted", "a wait that was cut short was time without an event: add "
         "it.",
         _rate(lambda d, total, seen, n: (d, abs(2 * seen - total)))),
    Turn("share times a rate", "no share belongs here: the zero of the score is events over time.",
         _rate(lambda d, total, seen, n: (d * d / n, seen))),
    Turn("something added", "nothing is to be invented: d/λ − Σ t is all of the score.",
         _rate(lambda d, total, seen, n: (d + 1, total))),
    Turn("something added", "nothing is to be invented: d/λ − Σ t is all of the score.",
         _rate(lambda d, total, seen, n: (d + 1, total + 1))),
    Turn("logarithm of it", "this is log λ; the rate itself is asked.", _log),
    Turn("part of the waits", "every wait counts, the longest too.", _parts),
    Turn("scale for rate", "this is the mean time between events; the rate is one over it.",
         _scale),
    Turn("mean of reciprocals", "add the times up first, then divide.", _reciprocals),
    Turn("median for mean", "the score holds the sum of all times, not their median.", _medians,
         tolerance=2e-4),
    Turn("censored waits filled in", "no wait is to be invented: a censored one lasted longer, and "
         "its factor is the probability of that.", _filled_in),
    Turn("shorter for longer", "a wait that was cut short lasted longer than that: its factor is "
         "exp(−λt), not 1 − exp(−λt).", _shorter, tolerance=3e-3),
    Turn("n for events", "a censored wait sharpens nothing: the curvature is d/λ², with the number "
         "of events.", _error(lambda rate, d, n: [rate / math.sqrt(n)])),
    Turn("root forgotten", "this is a variance; the standard error is its root.",
         _error(lambda rate, d, n: [rate**2 / d, rate**2 / n, rate / d])),
    Turn("not inverted", "this is the curvature, or its root; the variance is its inverse.",
         _error(lambda rate, d, n: [d / rate**2, math.sqrt(d) / rate, n / rate**2,
                                    math.sqrt(n) / rate])),
    Turn("error of the mean wait", "this is the standard error of 1/λ; take the curvature in λ.",
         _error(lambda rate, d, n: [1 / rate / math.sqrt(d), 1 / rate / math.sqrt(n)])),
    Turn("relative error", "this is the error of log λ; the rate's own has the unit of the rate.",
         _error(lambda rate, d, n: [1 / math.sqrt(d), 1 / math.sqrt(n)])),
    Turn("an interval for an error", "this is about twice the standard error, as for an interval: "
         "return the error itself.",
         _error(lambda rate, d, n: [z * rate / math.sqrt(d) for z in (1.96, 1.959964, 2, 1.645)])),
    Turn("d − 1 for d", "the curvature is d/λ², with all d events.",
         _error(lambda rate, d, n: [rate / math.sqrt(d - 1) if d > 1 else math.inf])),
    Turn("not divided", "a standard error shrinks with the number of events.",
         _error(lambda rate, d, n: [rate, rate * math.sqrt(d)])),
    Turn("spread of the waits", "the error comes from the curvature at the top, not from how "
         "the times spread.", _spread),
    Turn("swapped", "first the rate, then its standard error.",
         lambda t, e: analytic.censored_mle(t, e)[::-1]),
)  # fmt: skip

EXERCISE = Exercise(
    name="censored_mle",
    arguments=(
        sample("waits", _waits, many=(12, 41, 90), sizes=(1, 2), dtypes=(torch.float32,),
               edges={"waits of milliseconds": lambda u, given: 1e-3 * given["waits"]}),
        Argument("ended", _ended, dtypes=(torch.float32,), edges={
            "all of them ended": lambda u, given: torch.ones(len(given["waits"]), dtype=DOUBLE),
            "a single one ended": _a_single_one,
            "none watched longer than the shorter half": _not_watched_longer,
        }),
    ),
    reference=analytic.censored_mle,
    agree=Fitting(fits=(("between 1 and it", "the rate lies between 1 and the top: are steps from "
                         "1 still on their way? The zero of the score needs none.", _on_the_way),)),
    turns=TURNS,
    worked=(by_sums, by_curvature, by_pairs),
    parts=("rate", "standard error"),
    passed="censored_mle: events over total time, and its error from the curvature.",
)  # fmt: skip
censored_mle = EXERCISE.check
