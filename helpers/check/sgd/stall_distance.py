"""stall_distance(location, mean, n, learning_rate, dtype): where rounding stops a run."""

import math

import torch

from helpers.check.kit.asks import Argument, Draws, Given, whole
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.sgd.analytic import float_gap
from helpers.check.sgd.analytic import stall_distance as reference
from helpers.check.sgd.sgd_step import SHEETS_N

TYPES = (torch.float32, torch.float64)


def _location(u: Draws, given: Given) -> float:
    """Return a number away from powers of two, of any size."""
    return u.real(1.25, 1.7) * 2.0 ** u.whole(-4, 12)


def _beside(u: Draws, given: Given) -> float:
    """Return a mean on either side of the location."""
    return float(given["location"]) + u.choice((-1.0, 1.0)) * u.real(0.5, 3)


def _power_beside(mean: float, steps: int) -> float:
    """Return a power of two on the mean's side of zero: steps 0 for the one next below it."""
    return math.copysign(2.0 ** (math.floor(math.log2(abs(mean))) + steps), mean)


def _other(dtype: torch.dtype) -> torch.dtype:
    return torch.float64 if dtype == torch.float32 else torch.float32


def _eps(dtype: torch.dtype, times: float, n: int, rate: float) -> AnyOf:
    gap = torch.finfo(dtype).eps * times
    return AnyOf(*[s * g for g in (gap / rate / n, gap / rate / n / 2, gap) for s in (1, -1)])


def _decimal(at: float, mean: float, n: int, rate: float, dtype: torch.dtype) -> AnyOf:
    """Return what comes of a gap that is one in the last of some decimal digits."""
    gaps = [10.0 ** (math.floor(math.log10(abs(at))) - places + 1)
            for places in ((6, 7, 8) if dtype == torch.float32 else (15, 16, 17))]  # fmt: skip
    return AnyOf(*[gap / rate / n / halves for gap in gaps for halves in (1, 2)])


TURNS = (
    Turn("whole gap", "a number rounds to its nearest neighbour; how far off may the update be?",
         lambda at, mean, n, rate, dtype: 2 * reference(at, mean, n, rate, dtype)),
    Turn("half of half", "half a gap is lost, no less: you halve twice.",
         lambda at, mean, n, rate, dtype: reference(at, mean, n, rate, dtype) / 2),
    Turn("epsilon unscaled", "eps is the gap at 1; at your location the gap is another.",
         lambda at, mean, n, rate, dtype: _eps(dtype, 1.0, n, rate)),
    Turn("epsilon times location", "eps · location only bounds the gap; ask torch.nextafter.",
         lambda at, mean, n, rate, dtype: AnyOf(
             *_eps(dtype, at, n, rate).values,
             *_eps(dtype, at * torch.finfo(dtype).resolution / torch.finfo(dtype).eps, n,
                   rate).values)),
    Turn("epsilon times mean", "the gap is that of the location's neighbours; ask torch.nextafter.",
         lambda at, mean, n, rate, dtype: _eps(dtype, mean, n, rate)),
    Turn("decimal digits", "numbers are stored in base 2, with gaps of their own: ask "
         "torch.nextafter.", _decimal),
    Turn("learning rate forgotten", "the update is the gradient times the rate; use the rate too.",
         lambda at, mean, n, rate, dtype: reference(at, mean, n, 1.0, dtype)),
    Turn("n forgotten", "the gradient of the sum is n times the distance; use n too.",
         lambda at, mean, n, rate, dtype: reference(at, mean, 1, rate, dtype)),
    Turn("update for distance", "this is the smallest update that counts; what distance makes it?",
         lambda at, mean, n, rate, dtype: AnyOf(*[c * reference(at, mean, 1, 1.0, dtype)
                                                  for c in (1, 2)])),
    Turn("multiplied, not divided", "this is the update at a distance of half a gap; invert it.",
         lambda at, mean, n, rate, dtype: reference(at, mean, 1, 1.0, dtype) * rate * n),
    Turn("upside down", "this shrinks where the gap grows; solve for the distance once more.",
         lambda at, mean, n, rate, dtype: 1 / reference(at, mean, n, rate, dtype)),
    Turn("sign of the distance", "a distance is positive on either side of the mean.",
         lambda at, mean, n, rate, dtype: (1 if mean > at else -1)
         * reference(at, mean, n, rate, dtype)),
    Turn("place for distance", "this is where the run stops; how far is that from the mean?",
         lambda at, mean, n, rate, dtype: AnyOf(
             *[mean + s * reference(at, mean, n, rate, dtype) for s in (1, -1)])),
    Turn("distance of the two", "this is how far the two are apart; rounding has no part in it.",
         lambda at, mean, n, rate, dtype: AnyOf(abs(at - mean), at - mean, mean - at)),
    Turn("other type's gap", "this gap is the other type's; make the tensor with dtype=dtype.",
         lambda at, mean, n, rate, dtype: reference(at, mean, n, rate, _other(dtype))),
    Turn("dtype ignored", "your gap is the same type's every time; make the tensor with "
         "dtype=dtype.",
         lambda at, mean, n, rate, dtype: reference(at, mean, n, rate, torch.float32)),
    Turn("dtype ignored", "your gap is the same type's every time; make the tensor with "
         "dtype=dtype.",
         lambda at, mean, n, rate, dtype: reference(at, mean, n, rate, torch.float64)),
    Turn("always the gap above", "a run that comes down moves to the next number below: at a power "
         "of two that one is nearer.",
         lambda at, mean, n, rate, dtype: float_gap(at, math.inf, dtype) / 2 / rate / n),
    Turn("always the gap below", "a run that comes up moves to the next number above: at a power "
         "of two that one is further.",
         lambda at, mean, n, rate, dtype: float_gap(at, -math.inf, dtype) / 2 / rate / n),
    Turn("learning rate upside down", "the update is learning_rate · n · distance: divide by both.",
         lambda at, mean, n, rate, dtype: AnyOf(*[reference(at, mean, 1, 1.0, dtype) * f
                                                  for f in (n / rate, rate / n)])),
    Turn("towards zero", "at a power of two the gap towards zero is half of the other; the mean "
         "decides which counts.",
         lambda at, mean, n, rate, dtype: reference(at, 0.0, n, rate, dtype)),
    Turn("powers of two alone", "2^k·eps is the gap away from zero; at a power of two the other "
         "one is half of it.",
         lambda at, mean, n, rate, dtype: reference(at, math.copysign(math.inf, at), n, rate,
                                                    dtype)),
    Turn("away from the mean", "the run moves towards the mean; this is the gap on the other side.",
         lambda at, mean, n, rate, dtype: reference(at, 2 * at - mean, n, rate, dtype)),
    Turn("gap at the mean", "an update is added to the location: the gap beside it counts.",
         lambda at, mean, n, rate, dtype: AnyOf(
             *[float_gap(mean, to, dtype) / 2 / rate / n
               for to in (at, 2 * mean - at, math.inf, -math.inf)])),
    Turn("the sheet's n", "n is the argument, not the sheet's number of observations.",
         lambda at, mean, n, rate, dtype: reference(at, mean, SHEETS_N, rate, dtype)),
)  # fmt: skip


def by_gap(
    location: float, mean: float, n: int, learning_rate: float, dtype: torch.dtype
) -> torch.Tensor:
    """Return half a gap, as a distance."""
    here = torch.tensor(location, dtype=dtype)
    following = torch.nextafter(here, torch.tensor(mean, dtype=dtype))
    gap = (following - here).abs()
    return gap / 2 / (learning_rate * n)


EXERCISE = Exercise(
    name="stall_distance",
    arguments=(
        Argument("location", _location, alone=False,
                 # The gaps on the two sides of a power of two are unlike.
                 edges={"at a negative location": lambda u, given: -u.real(1.25, 1.7) * 64,
                        "at a power of two, towards zero": lambda u, given:
                        _power_beside(given["mean"], u.whole(1, 2)),
                        "at a power of two, away from zero": lambda u, given:
                        _power_beside(given["mean"], 0),
                        "at a tiny power of two": lambda u, given:
                        math.copysign(2.0**-14, given["mean"]),
                        "at a power of two, across zero": lambda u, given:
                        -_power_beside(given["mean"], u.whole(0, 2))}),
        Argument("mean", _beside, ignorable=True),
        whole("n", 30, 9000, used_instead=lambda: SHEETS_N),
        Argument("learning_rate", lambda u, given: u.log_real(0.002, 0.3) / given["n"],
                 edges={"so slow that it never leaves": lambda u, given: 1e-17 / given["n"]},
                 used_instead=lambda: 1e-7),
        Argument("dtype", lambda u, given: TYPES[(TYPES.index(given["dtype"]) + 1) % 2]
                 if "dtype" in given else u.choice(TYPES)),
    ),
    reference=reference,
    turns=TURNS,
    worked=(by_gap,),
    typical=5,
    passed="stall_distance: half a gap over learning rate · n, in both types, from both sides.",
)  # fmt: skip
stall_distance = EXERCISE.check
