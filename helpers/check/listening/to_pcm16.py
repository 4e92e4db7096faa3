"""to_pcm16(samples): sound as whole numbers of 16 bits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Argument, Case, Draws, Given
from helpers.check.kit.compare import AnyOf, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.message import CheckFailed, show
from helpers.check.listening import analytic
from helpers.check.listening.analytic import FULL

DOUBLE = torch.float64
whole = analytic.whole


@dataclass(frozen=True)
class Int16(Close):
    """Whole numbers that are stored in 16 bits."""

    def compare(self, case: Case, value: Any, expected: Any) -> None:
        """Compare one value; raise CheckFailed where it does not agree."""
        super().compare(case, value, expected)
        kind = value.dtype if isinstance(value, torch.Tensor | np.ndarray) else type(value).__name__
        if kind not in (torch.int16, np.dtype(np.int16)):
            raise CheckFailed(
                case.described, "numbers of type int16", f"{show(value)}, of type {kind}",
                "not int16", "two bytes a number are written: convert with "
                ".to(torch.int16) at the end.",
            )  # fmt: skip


def reference(samples: torch.Tensor) -> torch.Tensor:
    """Return 32767·x to the nearest whole number, cut at ±32767, and 0 for nan."""
    return whole(samples).to(torch.int16)


def _wraps(scaled: torch.Tensor) -> torch.Tensor:
    """Return what the last 16 bits of whole numbers say, nan for 0."""
    kept = torch.nan_to_num(scaled, nan=0.0, posinf=0.0, neginf=0.0).to(torch.int64)
    return ((kept + 32768) % 65536 - 32768).double()


def _clipped(
    scale: float, low: float = -1.0, to: Callable[[torch.Tensor], torch.Tensor] = torch.round
) -> Callable[[torch.Tensor], torch.Tensor]:
    def gives(x: torch.Tensor) -> torch.Tensor:
        inside = torch.nan_to_num(x, nan=0.0, posinf=9e9, neginf=-9e9) * scale
        return to(inside.clamp(low * scale, scale))

    return gives


def _cut(samples: torch.Tensor) -> torch.Tensor:
    return torch.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0).clamp(-1, 1)


def _uncut(*ways: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], AnyOf]:
    return lambda x: AnyOf(*[_wraps(way(FULL * x)) for way in ways])


TURNS = (
    Turn("float bytes", "these are the bits of 32-bit floats, read as whole numbers: scale and "
         "round instead.",
         lambda x: AnyOf(x.float().view(torch.int32).double(), x.view(torch.int64).double(),
                         x.float().view(torch.int16).double(),
                         x.half().view(torch.int16).double())),
    Turn("cast before scaling", "a sample between −1 and 1 is cut to 0 by the conversion: scale "
         "first, convert last.",
         lambda x: AnyOf(*[torch.nan_to_num(x, 0.0, 0.0, 0.0).trunc().clamp(-s, s) * c
                           for s in (1, 9e9) for c in (1, FULL)],
                         *[torch.nan_to_num(x, 0.0, 1.0, -1.0).round().clamp(-1, 1) * c
                           for c in (1, FULL)])),
    Turn("cut, not rounded", "the nearest whole number is asked for: round before you convert.",
         lambda x: AnyOf(*[_clipped(FULL, to=way)(x) for way in (torch.trunc, torch.floor,
                                                                   torch.ceil)])),
    Turn("wraps around", "what is louder than 1 has no place in 16 bits and comes out at the other "
         "end: cut it first.", _uncut(torch.round)),
    Turn("32768 for 32767", "the largest number of 16 bits is 32767: 32768 times 1 is too much.",
         lambda x: AnyOf(_clipped(32768)(x).clamp(max=32767), _wraps(_clipped(32768)(x)),
                         _clipped(32768, to=torch.trunc)(x).clamp(max=32767),
                         _wraps(_clipped(32768, to=torch.trunc)(x)),
                         _wraps(torch.round(32768 * x)), _clipped(32768)(x))),
    Turn("32768 below zero", "both halves are multiplied by 32767 alike: another number below zero "
         "bends the wave there.",
         lambda x: AnyOf(*[torch.where(x < 0, low(x), high(x)) for low, high in (
             (_clipped(32768), whole), (whole, lambda x: _clipped(32768)(x).clamp(max=32767)))])),
    Turn("down to −32768", "both sides are cut at 1: the least number is −32767.",
         lambda x: AnyOf(*[to(torch.nan_to_num(x, 0.0, 9e9, -9e9) * FULL).clamp(-32768, 32767)
                           for to in (torch.round, torch.trunc)])),
    Turn("other bits", "16 bits hold 32767, not 127 and not 2147483647.",
         lambda x: AnyOf(*[_clipped(2.0**b - 1)(x) for b in (7, 8, 16, 23, 31)],
                         _clipped(10000)(x), _clipped(1000)(x))),
    Turn("too quiet", "a sample keeps its loudness: it is multiplied by 32767 alone.",
         lambda x: AnyOf(*[torch.round(c * FULL * _cut(x)) for c in (0.1, 0.5, 0.9)],
                         (0.1 * FULL * _cut(x)).trunc())),
    Turn("shifted upwards", "16 bits of sound have a sign: silence is 0.",
         lambda x: AnyOf(*[way for up in (whole(x) + 32768, whole(x) + 32767,
                                          torch.round((_cut(x) + 1) / 2 * 65535),
                                          ((_cut(x) + 1) / 2 * 65535).trunc(), whole(x) % 65536)
                           for way in (up, _wraps(up)) if not same(way, whole(x))])),
    Turn("made as loud as can be", "the samples keep their loudness: do not divide by the largest.",
         lambda x: AnyOf(*[torch.round(FULL * x / x.abs().max()),
                           (FULL * x / x.abs().max()).trunc()])),
    Turn("loud ones muted", "what is louder than 1 is cut to 1, not silenced.",
         lambda x: torch.where(x.abs() > 1, 0.0, whole(x))),
    Turn("nan not silenced", "where there is no number there is silence: 0.",
         lambda x: AnyOf(*[torch.where(x.isnan(), float(v), whole(x))
                           for v in (FULL, -FULL, -32768, 1, -1)])),
    Turn("nan left out", "one number for each sample: silence for nan, so that the rest keeps its "
         "time.", lambda x: whole(x[~x.isnan()])),
    Turn("infinite ones muted", "infinitely loud is cut to 1 like everything louder than that.",
         lambda x: torch.where(x.isinf(), 0.0, whole(x))),
    Turn("negative half lost", "a sound swings below zero too: cut at −1, not at 0.",
         lambda x: AnyOf(whole(x).clamp(min=0), whole(x).abs())),
)  # fmt: skip


def by_torch(samples: torch.Tensor) -> torch.Tensor:
    """Return the numbers as torch makes them."""
    clipped = samples.nan_to_num(0.0).clamp(-1, 1)
    return torch.round(32767 * clipped).to(torch.int16)


def _samples(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return samples that lie off the middle between two whole numbers."""
    near = torch.round(u.uniform(n, -0.9, 0.7) * FULL) + u.uniform(n, -0.45, 0.45)
    near[0] = 0.6 * FULL + 0.4  # neither end of the scale is reached
    return near / FULL


def _beside(*others: float) -> Callable[[Draws, Given], torch.Tensor]:
    return lambda u, given: torch.cat([torch.tensor(others, dtype=DOUBLE), _samples(u, given, 9)])


EXERCISE = Exercise(
    name="to_pcm16",
    arguments=(
        Argument("samples", _samples, many=(12, 40, 90), sizes=(1, 2), edges={
            "exactly 1 and −1": _beside(1.0, -1.0),
            "samples louder than 1": _beside(1.2, -1.3, 1.0001, -1.7, 40.0),
            "nan among the samples": _beside(float("nan"), 0.3, float("nan")),
            "infinite samples": _beside(float("inf"), -0.2, -float("inf")),
        }),
    ),
    reference=reference,
    agree=Int16(),
    turns=TURNS,
    worked=(by_torch,),
    passed="to_pcm16: 1 to 90 samples, and what is too loud, infinite, or no number.",
)  # fmt: skip
to_pcm16 = EXERCISE.check
