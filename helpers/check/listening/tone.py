"""tone(norm, rate, seconds): a sine whose pitch says how large a norm is."""

import math
from collections.abc import Callable

import torch

from helpers.check.kit.asks import Argument, Draws, Given, Jointly, real, whole
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.listening import analytic
from helpers.check.listening.analytic import BASE, LOUDNESS, SLOPE

DOUBLE = torch.float64
reference = analytic.wave_of


def _sine(
    frequency: float, rate: float, k: torch.Tensor, turn: float = 2 * math.pi
) -> torch.Tensor:
    return LOUDNESS * torch.sin(turn * frequency * k / rate)


def _pitch(norm: float) -> float:
    return BASE + SLOPE * norm


def _k(rate: float, seconds: float, first: int = 0, more: int = 0) -> torch.Tensor:
    count = analytic.frames(rate, seconds) + more
    return torch.arange(first, first + count, dtype=DOUBLE)


def _with(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., torch.Tensor]:
    return lambda norm, rate, seconds: change(reference(norm, rate, seconds))


def _of(*pitches: Callable[[float], float]) -> Callable[..., AnyOf]:
    return lambda norm, rate, seconds: AnyOf(*[_sine(p(norm), rate, _k(rate, seconds))
                                               for p in pitches])  # fmt: skip


def _another_number(norm: float, rate: float, seconds: float) -> AnyOf:
    """Return tones of one sample more or less; or of as many as the product, cut or rounded up."""
    count = analytic.frames(rate, seconds)
    cut = [(math.floor(rate * seconds), 0), (math.ceil(rate * seconds), 0)]
    others = [(count + more, first) for more in (-1, 1) for first in (0, 1)]
    return AnyOf(*[_sine(_pitch(norm), rate, torch.arange(first, first + n, dtype=DOUBLE))
                   for n, first in (*cut, *others)])  # fmt: skip


def _stretched(norm: float, rate: float, seconds: float) -> AnyOf:
    count = analytic.frames(rate, seconds)
    ends = [torch.linspace(0, seconds, n, dtype=DOUBLE) for n in (count, count + 1)]
    ends += [torch.linspace(0, 1, count, dtype=DOUBLE)]
    ends += [torch.arange(count, dtype=DOUBLE) * length / count for length in (seconds, 1.0)]
    right = reference(norm, rate, seconds)
    tones = [LOUDNESS * torch.sin(2 * math.pi * _pitch(norm) * t) for t in ends]
    return AnyOf(*[t for t in tones if not same(t, right, 1e-6)])


def _shaped(got: object, want: torch.Tensor) -> bool:
    """Whether a tone is made quieter in places, as by a window or by fading, and nowhere else."""
    value = as_tensor(got)
    if value is None or value.shape != want.shape or not bool(value.isfinite().all()):
        return False
    heard = want.abs() > 0.2 * LOUDNESS
    if not bool(heard.any()):
        return bool(value.abs().max() <= LOUDNESS)
    share = value.double()[heard] / want[heard]
    quieter = bool((share > -1e-3).all() and (share < 1 + 1e-3).all())
    return quieter and float(share.max() - share.min()) > 0.05


def _near(got: object, want: torch.Tensor) -> bool:
    """Whether numbers agree to a millionth: at half the rate all samples are as good as zero."""
    value = as_tensor(got)
    return value is not None and value.shape == want.shape and bool(
        ((value.double() - want).abs() < 1e-6).all())  # fmt: skip


def _single(norm: float, rate: float, seconds: float) -> torch.Tensor:
    return reference(norm, rate, seconds)


def _rounded_on_the_way(got: object, want: torch.Tensor) -> bool:
    """Whether numbers are near the wanted ones, and they or their sine hold 32 bits of digits."""
    value = as_tensor(got)
    if value is None or value.shape != want.shape or bool(value.isnan().any()):
        return False
    scaled = [value.double() * c for c in (1.0, 1 / LOUDNESS)]
    in_32_bits = any(same(x, x.float().double(), 1e-14) for x in scaled)
    return in_32_bits and same(value, want, 0.05)


TURNS = (
    Turn("2π lost", "the sine counts radians: one period is 2π of them.",
         lambda norm, rate, seconds: AnyOf(*[_sine(_pitch(norm), rate, _k(rate, seconds), t)
                                             for t in (1.0, math.pi, 360.0, 2.0)])),
    Turn("π rounded", "take math.pi with all its digits: the phase is hundreds of turns.",
         lambda norm, rate, seconds: AnyOf(*[_sine(_pitch(norm), rate, _k(rate, seconds), 2 * pi)
                                             for pi in (3.14, 3.1416, 3.14159, 22 / 7)])),
    Turn("cosine", "the first sample is the sine of 0, which is 0.",
         lambda norm, rate, seconds: LOUDNESS * torch.cos(
             2 * math.pi * _pitch(norm) * _k(rate, seconds) / rate)),
    Turn("k from 1", "the first sample belongs to the time 0: count from k = 0.",
         lambda norm, rate, seconds: _sine(_pitch(norm), rate, _k(rate, seconds, 1))),
    Turn("times the rate", "sample k belongs to the time k/rate: divide by the rate.",
         lambda norm, rate, seconds: AnyOf(*[_sine(_pitch(norm), 1 / r, _k(rate, seconds))
                                             for r in (rate, 1.0)]),
         tolerance=0.02),  # so long a phase has lost its digits
    Turn("loudness forgotten", "the loudness is 0.1, not 1: ears are precious.",
         _with(lambda x: 10 * x)),
    Turn("another loudness", "the samples are right but for their size: it is 0.1.",
         lambda *args: AnyOf(*[c * reference(*args) for c in
                               (32767, 3276.7, 2, 5, 0.1, 0.5, 32768)])),
    Turn("whole numbers", "samples between −0.1 and 0.1 are asked for; whole numbers come later.",
         lambda *args: AnyOf(*[to(c * reference(*args)) for c in (32767, 327670)
                               for to in (torch.round, torch.trunc)])),
    Turn("norm for loudness", "the norm sets the pitch, and nothing else.",
         lambda norm, rate, seconds: AnyOf(*[
             norm * c * _sine(p, rate, _k(rate, seconds)) for c in (1, 10)
             for p in (_pitch(norm), BASE)])),
    Turn("200 Hz forgotten", "a norm of 0 has a pitch too: add 200 Hz.",
         _of(lambda norm: SLOPE * norm)),
    Turn("100 Hz forgotten", "one unit of norm is 100 Hz.", _of(lambda norm: BASE + norm)),
    Turn("numbers exchanged", "a norm of 0 is 200 Hz, and a unit of norm 100 Hz more.",
         _of(lambda norm: SLOPE + BASE * norm)),
    Turn("another pitch", "the pitch is 200 + 100 · norm, in Hz.",
         _of(lambda norm: BASE * (1 + SLOPE * norm), lambda norm: (BASE + SLOPE) * norm,
             lambda norm: BASE - SLOPE * norm, lambda norm: BASE * 2**norm,
             lambda norm: BASE + SLOPE * norm**2, lambda norm: BASE, lambda norm: 440.0,
             lambda norm: BASE + SLOPE * math.log1p(norm), lambda norm: BASE + BASE * norm,
             lambda norm: BASE + SLOPE * round(norm), lambda norm: BASE + SLOPE * int(norm),
             lambda norm: BASE + SLOPE * math.sqrt(norm), lambda norm: round(_pitch(norm)),
             lambda norm: int(_pitch(norm)))),
    Turn("an octave off", "look at the factor before the frequency: it is 2π.",
         _of(lambda norm: 2 * _pitch(norm))),
    Turn("cut at half the rate", "ask for the pitch that the norm says, even where no ear can hear "
         "it.", lambda norm, rate, seconds: _sine(min(_pitch(norm), rate / 2), rate,
                                                  _k(rate, seconds)),
         alike=lambda got, want: _near(got, want)),
    Turn("another number of samples", "round(rate · seconds) samples are asked for: neither cut "
         "nor rounded up, and no sample at the end.", _another_number),
    Turn("time stretched", "sample k belongs to the time k/rate; the last one comes one sample "
         "before the end.", _stretched),
    Turn("loudness that changes", "all of the tone is as loud as its beginning: no window, and no "
         "fading.", reference, alike=_shaped),
    Turn("sign", "the first swing goes up: look at the sign.", _with(lambda x: -x)),
    Turn("phase in single precision", "torch.arange(n) / rate has 32 bits, and a phase of hundreds "
         "of radians loses its digits there: give arange a dtype of torch.float64.",
         _single, alike=_rounded_on_the_way),
)  # fmt: skip


def by_time(norm: float, rate: int, seconds: float) -> torch.Tensor:
    """Return the tone by its times."""
    times = _k(rate, seconds) / rate
    return 0.1 * torch.sin(2 * math.pi * (200 + 100 * norm) * times)


def by_step(norm: float, rate: int, seconds: float) -> torch.Tensor:
    """Return the tone by the angle from one sample to the next."""
    step = 2 * math.pi * (200 + 100 * norm) / rate
    return 0.1 * torch.sin(step * _k(rate, seconds))


def _seconds(u: Draws, given: Given) -> float:
    """Return a length whose number of samples is not whole, and no half either."""
    rate = given["rate"]
    # A coin alone would leave out one side on some data: moved alone, it is the other one.
    up = u.choice((True, False)) if "seconds" not in given else given["seconds"] * rate % 1 > 0.5
    return (u.whole(60, 140) + (1 if up else -1) * u.real(0.15, 0.4)) / rate


def _up(share: float) -> Callable[[Draws, Given], Jointly]:
    """Return an edge: a high tone, long enough for its phase to need all digits."""
    return lambda u, given: Jointly(rate=4000, seconds=0.1, norm=share + u.real(-0.3, 0.3))


EXERCISE = Exercise(
    name="tone",
    arguments=(
        real("norm", 0.6, 9.0, edges={
            "a norm of zero": 0.0,
            "a norm of about 60": _up(60.0),
            "a norm of about 300, which no player holds": _up(300.0),
        }),
        # Low rates: who takes the rate for a length by mistake must not fill the memory.
        whole("rate", 1500, 4000, used_instead=lambda: analytic.RATE),
        Argument("seconds", _seconds, used_instead=lambda: analytic.SECONDS),
    ),
    reference=reference,
    double=True,
    turns=TURNS,
    worked=(by_time, by_step),
    passed="tone: every sample of tones from 200 Hz to 30 kHz, at several rates and lengths.",
)  # fmt: skip
tone = EXERCISE.check
