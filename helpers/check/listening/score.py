"""score(norms): the tones of a run, as the bytes of a sound file."""

import io
import math
import struct
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from helpers.check.kit import message
from helpers.check.kit.agree import Close, Outcome
from helpers.check.kit.asks import Argument, Case, Draws, Given
from helpers.check.kit.compare import AnyOf, several, within
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.message import CheckFailed, show
from helpers.check.listening import analytic
from helpers.check.listening.analytic import FULL, RATE, SECONDS

DOUBLE = torch.float64
TONE = analytic.frames(RATE, SECONDS)  # samples of a tone
TICK = 1.0  # whole numbers by which a sample may be off: rounded, or cut


@dataclass(frozen=True)
class Sound:
    """What a file says of itself, and its samples."""

    channels: int
    width: int
    rate: int
    samples: torch.Tensor
    raw: bytes = b""

    @property
    def head(self) -> str:
        """What stands before the samples, in words."""
        return f"{self.channels} channel, {self.width} bytes a sample, {self.rate} Hz"


def read(value: Any) -> Sound | None:
    """Return the sound in the bytes of a WAV file, None where there is none."""
    if not isinstance(value, bytes | bytearray):
        return None
    try:
        with wave.open(io.BytesIO(bytes(value))) as file:
            raw = file.readframes(file.getnframes())
            head = file.getnchannels(), file.getsampwidth(), file.getframerate()
    except (wave.Error, EOFError, RuntimeError, ValueError, struct.error):
        return None
    if value[12:16] == b"fmt ":  # what wave passes over, and other players do not
        size, rate, step = struct.unpack("<4xI20xIH", value[:34])
        if (size, rate, step) != (len(value) - 8, head[0] * head[1] * head[2], head[0] * head[1]):
            return None
    kinds = {1: torch.uint8, 2: torch.int16, 4: torch.int32}
    size = head[1]
    whole = raw[: len(raw) // size * size]
    if size not in kinds or not whole:
        return Sound(*head, torch.zeros(0, dtype=DOUBLE), raw)
    return Sound(*head, torch.frombuffer(bytearray(whole), dtype=kinds[size]).double(), raw)


def written(samples: torch.Tensor, channels: int = 1, width: int = 2, rate: int = RATE) -> bytes:
    """Return samples, or numbers of another kind, as the bytes of a WAV file."""
    raw = samples.to(torch.int16) if samples.is_floating_point() and width == 2 else samples
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(raw.numpy().tobytes())
    return buffer.getvalue()


@dataclass(frozen=True)
class SameSound(Close):
    """The bytes of a sound file, compared by what a player makes of them."""

    def compare(self, case: Case, value: Any, expected: Any) -> None:
        """Compare one value; raise CheckFailed where it does not agree."""
        wanted = read(expected)
        assert wanted is not None
        got = read(value)
        if got is None:
            kind = type(value).__name__
            raw = isinstance(value, bytes | bytearray)
            raise CheckFailed(
                case.described, "bytes of a WAV file",
                f"{len(value)} bytes that no player reads" if raw else f"a value of type {kind}",
                "no header" if raw else message.WRONG_TYPE,
                "the samples alone are no file: let wave write its head before them, and close it."
                if raw else "return what stands in the buffer: buffer.getvalue().",
            )  # fmt: skip
        if (got.head, len(got.samples)) != (wanted.head, len(wanted.samples)):
            within("equal or not", math.inf)
            raise CheckFailed(
                case.described, f"{wanted.head}, {len(wanted.samples)} samples",
                f"{got.head}, {len(got.samples)} samples",
            )  # fmt: skip
        off = (got.samples - wanted.samples).abs()
        off = torch.where((wanted.samples == 0) & (off > 0), 100 * TICK, off)  # silence is silent
        if not within("whole numbers", float(off.max()) / TICK):
            first = int((off > TICK).float().argmax())
            raise CheckFailed(
                f"{case.described}, sample {first}", show(int(wanted.samples[first])),
                show(int(got.samples[first])),
            )  # fmt: skip

    def same(self, got: Any, wrong: Any) -> bool:
        """Return whether a file sounds as a wrong turn's does."""
        one = read(got)
        return any(alike(got, one, other) for other in several(wrong))

    def named(self, failing: Sequence[Outcome]) -> tuple[str, str] | None:
        """Return what is known where no turn explains it: the head, the length, or the pieces."""
        pairs = [(read(o.value), read(o.expected)) for o in failing]
        known = [(g, w) for g, w in pairs if g is not None and w is not None]
        if len(known) < len(pairs):
            return None
        if all(g.head != w.head for g, w in known):
            return "another head", "1 channel, 2 bytes a sample and 44100 Hz are asked for."
        if all(len(g.samples) != len(w.samples) for g, w in known):
            return message.WRONG_SHAPE, (
                "each step has a tone of 441 samples for each layer, and 882 samples of silence."
            )
        return "samples are off", "the file is well formed; compare its first tone with yours."


def alike(got: Any, one: Sound | None, wrong: Any) -> bool:
    """Return whether bytes, and the sound in them, are those of a wrong turn."""
    other = read(wrong)
    if one is None or other is None:
        return type(got) is type(wrong) and got == wrong
    if (one.head, len(one.samples)) != (other.head, len(other.samples)):
        return False
    return bool(((one.samples - other.samples).abs() <= TICK).all())


def reference(norms: torch.Tensor) -> bytes:
    """Return the file that the docstring asks for."""
    return written(analytic.sound(norms))


def pieces(
    norms: torch.Tensor,
    silence: float = 2.0,
    where: str = "after each step",
    tone: Callable[[float], torch.Tensor] | None = None,
) -> torch.Tensor:
    """Return a run's samples, between −1 and 1, with silence of another length or place.

    Args:
        norms: shape (steps, layers).
        silence: its length in tones.
        where: after each step, before each step, after each tone, or at the end.
        tone: makes a tone of a norm; the sheet's by default.
    """
    quiet = torch.zeros(round(silence * TONE), dtype=DOUBLE)
    of = tone or (lambda norm: analytic.wave_of(norm, RATE, SECONDS))
    found: list[torch.Tensor] = []
    for row in norms.tolist():
        found += [quiet] if where == "before each step" else []
        for norm in row:
            found += [of(norm), quiet] if where == "after each tone" else [of(norm)]
        found += [quiet] if where == "after each step" else []
    return torch.cat(found + ([quiet] if where == "at the end" else []))


def _file(*ways: Callable[[torch.Tensor], torch.Tensor], **head: int) -> Callable[..., AnyOf]:
    return lambda norms: AnyOf(*[written(analytic.whole(way(norms)), **head) for way in ways])


def _as_floats(norms: torch.Tensor) -> list[torch.Tensor]:
    """Return samples whose floats may stand in a file, whole numbers as floats among them."""
    plain = [pieces(x, silence) for x in (norms, norms.T) for silence in (2.0, 1.0)]
    return [*plain, analytic.sound(norms)]


def _holds_floats(got: Any, wanted: list[torch.Tensor]) -> bool:
    """Whether a file's bytes are those of floats, of 32 bits or of 64, nan where it is expected."""
    one = read(got)
    if one is None:
        return False
    for kind in (torch.float32, torch.float64):
        size = torch.finfo(kind).bits // 8
        if one.raw and len(one.raw) % size == 0:
            floats = torch.frombuffer(bytearray(one.raw), dtype=kind).double()
            if any(len(floats) == len(w) and torch.allclose(floats, w, atol=1e-4, equal_nan=True)
                   for w in wanted):  # fmt: skip
                return True
    return False


def _whole(norms: torch.Tensor) -> torch.Tensor:
    return analytic.sound(norms).to(torch.int16)


def _bounded(norms: torch.Tensor) -> torch.Tensor:
    """Return norms with the largest that a player holds in the place of larger ones."""
    return norms.clamp(max=(RATE / 2 - 200) / 100)


def _order(of: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda norms: pieces(of(norms))


TURNS = (
    Turn("float bytes", "the file says whole numbers, and its bytes are those of floats: hand your "
         "to_pcm16 of the samples to writeframes.", _as_floats, alike=_holds_floats),
    Turn("four bytes announced", "your numbers have two bytes each, and setsampwidth announces "
         "another number.",
         lambda norms: AnyOf(written(_whole(norms), width=4), written(_whole(norms), width=1),
                             written(_whole(norms).to(torch.int32), width=4),
                             written(_whole(norms).to(torch.int32) * 65536, width=4))),
    Turn("wider numbers", "two bytes are announced, and each number has more: convert to int16.",
         lambda norms: AnyOf(*[written(_whole(norms).to(kind).view(torch.int16))
                               for kind in (torch.int32, torch.int64)])),
    Turn("two channels", "one channel is asked for: with two, every other sample goes to the other "
         "ear, and all is twice as fast.",
         lambda norms: AnyOf(written(_whole(norms), channels=2),
                             written(_whole(norms).repeat_interleave(2), channels=2))),
    Turn("another rate", "44100 samples a second are asked for, in the tones and in the head.",
         lambda norms: AnyOf(*[written(_whole(norms), rate=r)
                               for r in (8000, 11025, 16000, 22050, 48000, 88200)])),
    Turn("layers for steps", "a row of norms is a step: its layers sound one after the other.",
         lambda norms: AnyOf(*[written(analytic.whole(pieces(norms.T, s))) for s in (2.0, 1.0)])),
    Turn("layers reversed", "the layers sound in their order, the first one first.",
         _file(_order(lambda norms: norms.flip(1)))),
    Turn("steps reversed", "the steps sound in their order, the first one first.",
         _file(_order(lambda norms: norms.flip(0)), _order(lambda norms: norms.flip(0).flip(1)))),
    Turn("layers sorted", "the layers sound in their order, whatever their norms are.",
         _file(_order(lambda norms: norms.sort(1).values),
               _order(lambda norms: norms.sort(1, descending=True).values))),
    Turn("silence missing", "two tones of silence follow each step.",
         _file(lambda norms: pieces(norms, 0.0))),
    Turn("silence too short", "the silence is as long as two tones, not one.",
         _file(lambda norms: pieces(norms, 1.0))),
    Turn("silence after every tone", "silence follows a step, not each of its tones.",
         _file(*[lambda norms, s=s: pieces(norms, s, "after each tone") for s in (1.0, 2.0)])),
    Turn("silence first", "the silence follows the tones of a step.",
         _file(*[lambda norms, s=s: pieces(norms, s, "before each step") for s in (1.0, 2.0)])),
    Turn("silence at the end only", "silence follows each step, also between two steps.",
         _file(*[lambda norms, s=s: pieces(norms, s, "at the end") for s in (1.0, 2.0)])),
    Turn("last silence missing", "the last step has its silence too.",
         _file(lambda norms: pieces(norms)[: -2 * TONE])),
    Turn("silence of another length", "the silence is as long as two tones: 882 samples.",
         _file(*[lambda norms, s=s: pieces(norms, s)
                 for s in (1 / TONE, 2 / TONE, 3.0, 4.0, 0.5, 10.0)],
               lambda norms: pieces(norms, float(norms.shape[1])))),
    Turn("one tone a step", "each layer has a tone of its own.",
         _file(_order(lambda n: n.mean(1, keepdim=True)), _order(lambda n: n.sum(1, keepdim=True)),
               _order(lambda n: n.norm(dim=1, keepdim=True)), _order(lambda n: n[:, :1]),
               _order(lambda n: n[:, -1:]), _order(lambda n: n.amax(1, keepdim=True)))),
    Turn("layers at once", "the tones of a step sound one after the other, not together.",
         _file(*[lambda norms, c=c, s=s: _chords(norms, c, s) for c in (False, True)
                 for s in (1.0, 2.0)])),
    Turn("the first step only", "each step sounds with norms of its own.",
         _file(_order(lambda norms: norms[:1].expand_as(norms)),
               _order(lambda norms: norms[-1:].expand_as(norms)))),
    Turn("a step left out", "every row of norms is heard, the first and the last as well.",
         _file(_order(lambda norms: norms[1:] if len(norms) > 1 else norms.new_zeros(0)),
               _order(lambda norms: norms[:-1] if len(norms) > 1 else norms.new_zeros(0)))),
    Turn("tones of another length", "a tone lasts a hundredth of a second: 441 samples.",
         _file(*[lambda norms, d=d: _lengthened(norms, d) for d in (0.1, 0.02, 0.005, 0.001)])),
    Turn("too loud", "the samples of your tone lie between −0.1 and 0.1 already, and to_pcm16 "
         "scales them: nothing else does.",
         _file(lambda norms: 10 * pieces(norms), lambda norms: FULL * pieces(norms))),
    Turn("too quiet", "to_pcm16 scales the samples of your tone: nothing else does.",
         lambda norms: AnyOf(written(analytic.whole(0.1 * pieces(norms))),
                             written(pieces(norms).to(torch.int16)),
                             written(torch.round(pieces(norms))))),
    Turn("bytes in another order", "the last byte of a number comes first in a WAV file, as on "
         "most machines.",
         lambda norms: written(_swapped(_whole(norms)))),
    Turn("norms bounded", "each norm has the tone that it asks for, however high.",
         _file(_order(_bounded))),
    Turn("not finite, left out", "where a norm is no number there is silence as long as its tone.",
         _file(lambda norms: torch.cat([pieces(row[row.isfinite()][None]) for row in norms]))),
    Turn("not finite, taken as zero", "a norm that is no number is silent; 200 Hz is the tone of "
         "a norm of 0.", _file(_order(lambda norms: norms.nan_to_num(0.0, 0.0, 0.0)))),
)  # fmt: skip


def _chords(norms: torch.Tensor, averaged: bool, silence: float) -> torch.Tensor:
    quiet = torch.zeros(round(silence * TONE), dtype=DOUBLE)
    found = []
    for row in norms.tolist():
        together = torch.stack([analytic.wave_of(norm, RATE, SECONDS) for norm in row])
        found += [together.mean(0) if averaged else together.sum(0), quiet]
    return torch.cat(found)


def _lengthened(norms: torch.Tensor, seconds: float) -> torch.Tensor:
    quiet = torch.zeros(2 * analytic.frames(RATE, seconds), dtype=DOUBLE)
    found: list[torch.Tensor] = []
    for row in norms.tolist():
        found += [*[analytic.wave_of(norm, RATE, seconds) for norm in row], quiet]
    return torch.cat(found)


def _swapped(numbers: torch.Tensor) -> torch.Tensor:
    return numbers.view(torch.uint8).reshape(-1, 2).flip(1).contiguous().view(torch.int16).flatten()


def _norms(u: Draws, given: Given, steps: int) -> torch.Tensor:
    layers = u.whole(3, 4)
    return torch.exp(u.uniform(steps * layers, math.log(0.3), math.log(20))).reshape(steps, layers)


def _beside(*numbers: float) -> Callable[[Draws, Given], torch.Tensor]:
    """Return an edge: two steps of three layers, some numbers among them."""

    def edge(u: Draws, given: Given) -> torch.Tensor:
        drawn = torch.exp(u.uniform(6, 0.0, 2.0))
        drawn[1 : 1 + len(numbers)] = torch.tensor(numbers, dtype=DOUBLE)
        return drawn.reshape(2, 3)

    return edge


EXERCISE = Exercise(
    name="score",
    arguments=(
        Argument("norms", _norms, many=(2, 3), sizes=(1, 4), shown=lambda x: "{} × {}".format(
            *x.shape), edges={
            "a single layer": lambda u, given: torch.exp(u.uniform(3, 0.0, 2.0))[:, None],
            "a norm of 300": _beside(300.0),
            "a norm that is nan": _beside(float("nan")),
            "an infinite norm": _beside(float("inf"), 2.0, float("inf")),
        }),
    ),
    reference=reference,
    agree=SameSound(),
    turns=TURNS,
    typical=2,
    passed="score: files of 1 to 4 steps, read back by wave, sample by sample.",
)  # fmt: skip
score = EXERCISE.check
