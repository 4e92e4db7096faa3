"""resting_spread(data, batch_size, learning_rate): how far batches make a run tremble."""

import math

import torch

from helpers import data
from helpers.check.kit.asks import Argument, Draws, Given, sample
from helpers.check.kit.compare import AnyOf, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.sgd import analytic
from helpers.check.sgd.sgd_step import SHEETS_N

ROUNDS = 10, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000


def _data(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return n observations away from zero, whose spread is not 1."""
    return u.normal(n, u.choice((-1.0, 1.0)) * u.real(3, 9), u.log_real(1.5, 4.0))


def _size(u: Draws, given: Given) -> int:
    n = len(given["data"])
    return u.whole(2, n // 3) if n > 5 else 1


def _rate(u: Draws, given: Given) -> float:
    return u.real(0.15, 0.8) / len(given["data"])


def _other(x: torch.Tensor, size: int, rate: float, **change: float) -> float:
    """Return the spread with another noise or memory than the right one."""
    n, share = len(x), rate * len(x)
    of_mean = change.get("variance", float(x.var(correction=0))) / size
    of_mean *= change.get("drawn", (n - size) / (n - 1))
    kept = change.get("kept", (1 - share) ** 2)
    return math.sqrt(change.get("factor", share**2) * of_mean / (1 - kept))


def _of_sheets_n(x: torch.Tensor, m: int, rate: float) -> AnyOf:
    """Return what comes of the sheet's n, for the share alone or for the batches as well."""
    share = rate * SHEETS_N
    if share >= 2:  # the root of a negative number, or of zero where a batch is all there is
        return AnyOf(0.0 if m == len(x) else math.nan, math.nan)
    return AnyOf(*[_other(x, m, rate, factor=share**2, kept=(1 - share) ** 2, drawn=drawn)
                   for n in (len(x), SHEETS_N) for drawn in [(n - m) / (n - 1)]])  # fmt: skip


def _no_number(got: object, wrong: object) -> bool:
    """Whether a value is NaN, or the complex root that Python gives of a negative number.

    Where a batch holds all observations the number is zero, and its root as well.
    """
    return isinstance(got, complex) or same(got, math.nan) or same(got, 0.0)


TURNS = (
    Turn("drawn with replacement", "no observation comes twice in a batch: the batch's mean varies "
         "less, by the factor (n − |B|)/(n − 1).",
         lambda x, m, rate: _other(x, m, rate, drawn=1.0)),
    Turn("n − 1 or n", "take the 1/n variance with the factor (n − |B|)/(n − 1).",
         lambda x, m, rate: AnyOf(
             _other(x, m, rate, drawn=1 - m / len(x)),
             _other(x, m, rate, variance=float(x.var())),
             _other(x, m, rate, variance=float(x.var()), drawn=1.0))),
    Turn("variance for spread", "this is the variance; the spread is its root.",
         lambda x, m, rate: analytic.resting_spread(x, m, rate) ** 2),
    Turn("noise of one step", "one step adds this; what earlier steps left over comes to it.",
         lambda x, m, rate: AnyOf(_other(x, m, rate, kept=0.0),
                                  _other(x, m, rate, kept=0.0, drawn=1.0))),
    Turn("spread of the mean", "this is how far a batch's mean strays; a step goes the share ηn of "
         "the way to it only.",
         lambda x, m, rate: AnyOf(*[_other(x, m, rate, kept=0.0, factor=1.0, drawn=d)
                                    for d in (1.0, (len(x) - m) / (len(x) - 1))])),
    Turn("square forgotten", "what is left of a distance is 1 − ηn, of a variance its square.",
         lambda x, m, rate: AnyOf(_other(x, m, rate, kept=1 - rate * len(x)),
                                  _other(x, m, rate, factor=rate * len(x)))),
    Turn("step's share forgotten", "the noise of the batch's mean enters with the share ηn, "
         "squared.", lambda x, m, rate: _other(x, m, rate, factor=1.0)),
    Turn("n forgotten", "a step goes the share ηn of the way: the learning rate times n.",
         lambda x, m, rate: AnyOf(_other(x, m, rate, factor=rate**2, kept=(1 - rate) ** 2),
                                  _other(x, m, rate, factor=rate**2))),
    Turn("the batch for n", "the share is ηn with the n of all data: the slope was scaled up.",
         lambda x, m, rate: _other(x, m, rate, factor=(rate * m) ** 2,
                                   kept=(1 - rate * m) ** 2)),
    Turn("data's spread taken as 1", "the observations that are handed over have their own spread.",
         lambda x, m, rate: _other(x, m, rate, variance=1.0)),
    Turn("data not centred", "a variance is the mean square of distances to the mean.",
         lambda x, m, rate: _other(x, m, rate, variance=float((x**2).mean()))),
    Turn("deviation for variance", "the noise's variance holds the variance of the data.",
         lambda x, m, rate: _other(x, m, rate, variance=float(x.std(correction=0)))),
    Turn("sign in the equation", "v = (1 − a)² v + a² w: bring both v to one side.",
         lambda x, m, rate: AnyOf(*[math.sqrt(_other(x, m, rate, kept=0.0) ** 2 / d)
                                    for a in [rate * len(x)]
                                    for d in (1 + (1 - a) ** 2, a * (2 + a), 1 - (1 + a) ** -2)])),
    Turn("not yet at rest", "this is the spread after some steps; at rest it no longer changes.",
         lambda x, m, rate: AnyOf(*[analytic.resting_spread(x, m, rate)
                                    * math.sqrt(1 - (1 - rate * len(x)) ** (2 * k))
                                    for k in (2, 3, 4, 5, *ROUNDS)])),
    Turn("upside down", "v = a w/(2 − a): a larger rate trembles more, not less.",
         lambda x, m, rate: AnyOf(*[_other(x, m, rate, kept=0.0, factor=v) for a in [rate * len(x)]
                                    for v in ((2 - a) / a, 1 / a, 2 / a)])),
    Turn("root of a negative", "2 − ηn, or 1 − (1 − ηn)², comes out below zero: is n that of the "
         "data, and is no sign lost?", lambda x, m, rate: math.nan, alike=_no_number,
         raises=lambda error: "math domain" in str(error) or "nonnegative" in str(error)),
    Turn("the sheet's n", "n is how many observations the function is given, not the sheet's.",
         _of_sheets_n),
    Turn("power of the fraction", "(n − |B|)/(n − 1) belongs to the variance, under the root.",
         lambda x, m, rate: AnyOf(*[_other(x, m, rate, drawn=((len(x) - m) / (len(x) - 1)) ** p)
                                    for p in (2.0, 0.5)])),
    Turn("part of the fraction", "of (n − |B|)/(n − 1) a part is missing, or it is upside down.",
         lambda x, m, rate: AnyOf(*[_other(x, m, rate, drawn=d) for n in [len(x)] for d in
                                    (n - m, 1 / (n - 1), m / n, m / (n - 1), 1 / (n - m),
                                     (n - 1) / (n - m), (n + m) / (n - 1))])),
    Turn("another spread", "s² is the mean square of the distances to the mean.",
         lambda x, m, rate: AnyOf(*[_other(x, m, rate, variance=float(v)) for v in
                                    ((x - x.mean()).abs().mean() ** 2,
                                     ((x - x.median()) ** 2).mean())])),
    Turn("small rates only", "this holds where ηn is small; solve v = (1 − ηn)² v + ... in full.",
         lambda x, m, rate: math.sqrt(rate * len(x) / 2)
         * _other(x, m, rate, kept=0.0, factor=1.0)),
)  # fmt: skip


def by_balance(data: torch.Tensor, batch_size: int, learning_rate: float) -> torch.Tensor:
    """Return the root of the variance that a step leaves as it is."""
    n = len(data)
    share = learning_rate * n
    of_batch = data.var(correction=0) / batch_size * (n - batch_size) / (n - 1)
    return (share**2 * of_batch / (1 - (1 - share) ** 2)) ** 0.5


def cancelled(data: torch.Tensor, batch_size: int, learning_rate: float) -> torch.Tensor:
    """Return the same, one share cancelled, the deviations squared by hand."""
    n = len(data)
    share = learning_rate * n
    of_batch = ((data - data.mean()) ** 2).sum() / n / batch_size * (n - batch_size) / (n - 1)
    return torch.sqrt(share * of_batch / (2 - share))


EXERCISE = Exercise(
    name="resting_spread",
    arguments=(
        sample("data", _data, many=(40, 150, 12), sizes=(2,), ties=True,
               used_instead=data.sgd_sample),
        Argument("batch_size", _size,
                 edges={"of a single observation": 1,
                        "of all observations": lambda u, given: len(given["data"])},
                 used_instead=lambda: 100),
        Argument("learning_rate", _rate, used_instead=lambda: 5e-6,
                 # The slower, the longer the way to rest: no number of rounds is enough for all.
                 edges={"a very small rate": lambda u, given: 1e-5 / len(given["data"]),
                        "just below 2/n": lambda u, given: 1.999 / len(given["data"]),
                        "at 1/n": lambda u, given: 1 / len(given["data"]),
                        "beyond 1/n": lambda u, given: 1.6 / len(given["data"])}),
    ),
    reference=analytic.resting_spread,
    turns=TURNS,
    worked=(by_balance, cancelled),
    passed="resting_spread: in closed form, for batches of one to all.",
)  # fmt: skip
resting_spread = EXERCISE.check
