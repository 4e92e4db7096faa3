"""heard(frequency, rate): which frequency a sampled sine is heard at."""

import math
from collections.abc import Callable

from helpers.check.kit.asks import Argument, Draws, Given, Jointly
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.listening import analytic

reference = analytic.heard


def _signed(f: float, r: float) -> float:
    return (f + r / 2) % r - r / 2


def _halved(f: float, r: float) -> AnyOf:
    """Return what is left of a frequency that is halved until it fits, or once."""
    once = f / 2 if f > r / 2 else f
    fits = f
    while fits > r / 2:
        fits /= 2
    return AnyOf(fits, once)


TURNS = (
    Turn("not folded", "this is the frequency that was asked for; above half the rate another one "
         "has the same samples.", lambda f, r: f),
    Turn("cut at half the rate", "a tone above half the rate does not stay there: it comes down "
         "again.", lambda f, r: min(f, r / 2)),
    Turn("not mirrored", "samples repeat with the rate, and a frequency above half of it has a "
         "mirror image below.", lambda f, r: f % r),
    Turn("half the rate for the rate", "the samples are the same again after a whole rate, not "
         "after half of it.",
         lambda f, r: AnyOf(f % (r / 2), abs((f + r / 4) % (r / 2) - r / 4))),
    Turn("sign left", "a frequency is heard without its sign: take the absolute value.",
         lambda f, r: AnyOf(_signed(f, r), -_signed(f, r))),
    Turn("folded once only", "twice the rate and more comes round again: take the rest first.",
         lambda f, r: AnyOf(abs(f - r) if f > r / 2 else f, r - f if f > r / 2 else f,
                            abs(r - f), abs(f - r / 2) if f > r / 2 else f)),
    Turn("mirrored once only", "this holds up to the rate: above it the samples come round again.",
         lambda f, r: f if f <= r / 2 else (r - f if f <= r else f % r)),
    Turn("mirrored above the rate only", "between half the rate and the rate a frequency has its "
         "mirror image too.", lambda f, r: f if f < r else reference(f, r)),
    Turn("halved", "the samples of a sine say nothing of half its frequency: they repeat with the "
         "rate.", _halved),
    Turn("the rate subtracted once", "a frequency may lie many rates up: take the rest, not one "
         "difference.",
         lambda f, r: AnyOf(*[min(d, r - d) for d in [f - r if f > r else f]],
                            *[abs(min(d, r - d)) for d in [f - r if f > r else f]])),
    Turn("mirrored always", "a frequency in the lower half stays as it is.",
         lambda f, r: AnyOf(r - f % r, r / 2 - f % (r / 2), r / 2 - reference(f, r),
                            max(f % r, r - f % r), r - reference(f, r))),
    Turn("share of the rate", "the frequency is asked for, in Hz, not a share of the rate.",
         lambda f, r: AnyOf(*[reference(f, r) / d for d in (r, r / 2)])),
    Turn("another unit", "the frequency is asked for in Hz, and no norm.",
         lambda f, r: AnyOf(reference(f, r) / 1000, (reference(f, r) - 200) / 100,
                            2 * math.pi * reference(f, r))),
    Turn("silent above", "half the rate is no end: a tone above it is heard, at another pitch.",
         lambda f, r: f if f <= r / 2 else 0.0),
)  # fmt: skip


def by_rest(frequency: float, rate: float) -> float:
    """Return the nearer of a frequency's rest and its mirror image."""
    rest = frequency % rate
    return min(rest, rate - rest)


def by_shift(frequency: float, rate: float) -> float:
    """Return the distance from the nearest multiple of the rate."""
    return abs((frequency + rate / 2) % rate - rate / 2)


def by_round(frequency: float, rate: float) -> float:
    """Return the distance from the nearest multiple of the rate, by rounding."""
    return abs(frequency - rate * round(frequency / rate))


def _at(low: float, high: float) -> Callable[[Draws, Given], Jointly]:
    def edge(u: Draws, given: Given) -> Jointly:
        rate = u.real(6000, 50000)
        return Jointly(rate=rate, frequency=rate * u.real(low, high))

    return edge


def _share(share: float) -> Callable[[Draws, Given], float]:
    return lambda u, given: share * given["rate"]


EXERCISE = Exercise(
    name="heard",
    arguments=(
        Argument("frequency", lambda u, given: u.real(9000, 52000), edges={
            "a frequency of zero": 0.0, "half the rate": _share(0.5), "the rate itself":
            _share(1.0), "twice the rate": _share(2.0),
            "below half the rate": _at(0.05, 0.2), "nearly half the rate": _at(0.35, 0.47),
            "above half the rate": _at(0.53, 0.65), "below the rate": _at(0.8, 0.97),
            "above the rate": _at(1.05, 1.4), "below twice the rate": _at(1.6, 1.9),
            "many times the rate": _at(7.1, 7.9),
            "just below half an odd rate": Jointly(frequency=5512.2, rate=11025.0),
        }),
        Argument("rate", lambda u, given: u.real(7000, 15000), used_instead=lambda: 44100.0),
    ),
    reference=reference,
    turns=TURNS,
    worked=(by_rest, by_shift, by_round),
    passed="heard: below and above half the rate, the rate, and many times the rate.",
)  # fmt: skip
heard = EXERCISE.check
