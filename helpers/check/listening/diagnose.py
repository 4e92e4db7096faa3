"""diagnose(norms, patience): how a run ended, told from its norms alone."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from helpers.check.kit import message
from helpers.check.kit.agree import Close, Outcome
from helpers.check.kit.asks import Argument, Case, Draws, Given, Jointly, whole
from helpers.check.kit.compare import AnyOf, same, several, within
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.message import CheckFailed, show
from helpers.check.listening import analytic

DOUBLE = torch.float64
HEALTHY, EXPLODED, DEAD = 0, 1, 2
Verdict = tuple[Any, Any]
reference = analytic.verdict


@dataclass(frozen=True)
class WordAndStep(Close):
    """A word, and a step or None."""

    def compare(self, case: Case, value: Any, expected: Any) -> None:
        """Compare one value; raise CheckFailed where it does not agree."""
        got = plain(value)
        if got is None:
            counted = isinstance(value, tuple | list) and len(value) != 2
            kind = message.WRONG_SHAPE if counted else message.WRONG_TYPE
            raise CheckFailed(
                case.described, show(expected), show(value), kind,
                'return a word and a step, such as "dead", 12; the step of a healthy run is None.',
            )  # fmt: skip
        if not within("equal or not", 0.0 if got == expected else math.inf):
            raise CheckFailed(case.described, show(expected), show(value))

    def same(self, got: Any, wrong: Any) -> bool:
        """Return whether a value is one of those that a wrong turn gives."""
        one = plain(got)
        if one is None:
            return any(same(got, w) for w in several(wrong))
        return any(one == plain(w) for w in several(wrong))

    def named(self, failing: Sequence[Outcome]) -> tuple[str, str] | None:
        """Return which kind of run is misjudged, or that only the step is."""
        pairs = [(plain(o.value), o.expected) for o in failing]
        if any(got is None for got, _ in pairs):
            return None
        if all(got is not None and got[0] == wanted[0] for got, wanted in pairs):
            return "step is off", "the words are right: look at the step that goes with them."
        kinds = {wanted[0] for _, wanted in pairs}
        if len(kinds) == 1:
            kind = kinds.pop()
            return f"{kind} runs misjudged", f"the runs that are not {kind} are judged well."
        return None


def plain(value: Any) -> Verdict | None:
    """Return a word and a step as plain values, None where it is no such pair."""
    if not isinstance(value, tuple | list) or len(value) != 2 or not isinstance(value[0], str):
        return None
    word, step = value
    if isinstance(step, torch.Tensor | np.ndarray | np.generic):
        if step.size != 1 if isinstance(step, np.ndarray) else getattr(step, "ndim", 0):
            return None
        step = step.item()
    if step is not None and (isinstance(step, bool) or not isinstance(step, int | float)):
        return None
    return word, step


def judged(
    norms: torch.Tensor,
    patience: int,
    lost: Callable[[torch.Tensor], torch.Tensor] = lambda x: ~x.isfinite(),
    silent: Callable[[torch.Tensor], torch.Tensor] = lambda x: x == 0,
    enough: Callable[[int, int], bool] = lambda length, patience: length >= patience,
    of_silences: Callable[[list[int]], int] = min,
    death_first: bool = False,
    shift: int = 0,
) -> Verdict:
    """Return the verdict of a student who differs in one thing from the definition.

    Args:
        norms: shape (steps, layers).
        patience: how many steps of silence make a layer dead.
        lost: tells which norms mean an explosion.
        silent: tells which norms mean silence.
        enough: tells whether a silence up to the end is long enough.
        of_silences: chooses among the first steps of several layers' silences.
        death_first: whether silence is looked for before explosion.
        shift: added to the step.
    """
    exploded: Verdict | None = None
    if len(rows := lost(norms).any(dim=1).nonzero()):
        exploded = "exploded", int(rows[0]) + shift
    silences = []
    for quiet in silent(norms).T.tolist():
        length = next((i for i, q in enumerate(reversed(quiet)) if not q), len(quiet))
        if length and enough(length, patience):
            silences.append(len(quiet) - length)
    dead = ("dead", of_silences(silences) + shift) if silences else None
    order = (dead, exploded) if death_first else (exploded, dead)
    return next((found for found in order if found), ("healthy", None))


def _but(**how: Any) -> Callable[..., Verdict]:
    return lambda norms, patience: judged(norms, patience, **how)


def _any_of(*hows: dict[str, Any]) -> Callable[..., AnyOf]:
    return lambda norms, patience: AnyOf(*[judged(norms, patience, **how) for how in hows])


def _anywhere(norms: torch.Tensor, patience: int) -> Verdict:
    """Return death where some layer is silent for long enough, revived or not."""
    right = reference(norms, patience)
    if right[0] == "exploded":
        return right
    starts = [start for quiet in (norms == 0).T.tolist()
              for start in range(len(quiet) - patience + 1)
              if all(quiet[start : start + patience])]  # fmt: skip
    return ("dead", min(starts)) if starts else ("healthy", None)


def _one_zero(norms: torch.Tensor, patience: int) -> Verdict:
    """Return death at the first zero of any layer, or of all at once."""
    right = reference(norms, patience)
    zeros = (norms == 0).any(dim=1).nonzero()
    return ("dead", int(zeros[0])) if right[0] != "exploded" and len(zeros) else right


def _all_at_once(norms: torch.Tensor, patience: int) -> Verdict:
    return judged(norms, patience, silent=lambda x: (x == 0).all(dim=1, keepdim=True))


def _all_each(norms: torch.Tensor, patience: int) -> Verdict:
    """Return death where every layer is silent at the end, since the last one or the first."""
    right = reference(norms, patience)
    if right[0] == "dead" and not all(reference(layer[:, None], patience)[0] == "dead"
                                      for layer in norms.T):  # fmt: skip
        return "healthy", None
    return right


def _last_ones(norms: torch.Tensor, patience: int) -> Verdict:
    """Return the right word, with the first of the last `patience` steps."""
    right = reference(norms, patience)
    return ("dead", len(norms) - patience) if right[0] == "dead" else right


def _flat(norms: torch.Tensor, patience: int) -> Verdict:
    """Return the place among all numbers in the place of the step."""
    right = reference(norms, patience)
    if right[0] != "exploded":
        return right
    return right[0], int((~norms.isfinite()).flatten().nonzero()[0])


def _other_step(norms: torch.Tensor, patience: int) -> AnyOf:
    """Return the right word with another step: each value is one habit, right in some cases."""
    word, step = reference(norms, patience)
    last = len(norms) - 1
    if step is None:
        found: list[int | None] = [None, -1, last + 1, last, 0, None, None, None, None]
    else:
        silent = word == "dead"
        late = [step + patience, step + patience - 1] if silent else [step, step]
        found = [None, step, step, step, step, last, last - step + 1 if silent else step, *late]
    return AnyOf(*[(word, one) for one in found])


def _says_another(got: Any, want: Any) -> bool:
    one = plain(got)
    return one is not None and (one == want or one[0] not in ("healthy", "exploded", "dead"))


def _layers_for_steps(norms: torch.Tensor, patience: int) -> Verdict:
    return reference(norms.T, patience)


TURNS = (
    Turn("another word", 'the words are "healthy", "exploded" and "dead", in small letters.',
         reference, alike=_says_another),
    Turn("nan not seen", "nan equals nothing, not even itself: ask isnan or isfinite.",
         _any_of({"lost": torch.isinf}, {"lost": lambda x: x == math.inf})),
    Turn("inf not seen", "an infinite norm has exploded as well: ask isfinite.",
         _but(lost=torch.isnan)),
    Turn("one zero taken for death", "a layer may rest for a step and go on: death is silence up "
         "to the end.", lambda norms, p: AnyOf(
             _one_zero(norms, p), judged(norms, p, enough=lambda n, p: n >= 1))),
    Turn("patience one too many", "a silence of exactly `patience` steps is long enough.",
         _but(enough=lambda n, p: n > p)),
    Turn("patience one too few", "a silence of one step less than `patience` is not long enough.",
         _but(enough=lambda n, p: n >= p - 1)),
    Turn("revived ones taken for dead", "a silence that ends is no death: it lasts to the end.",
         _anywhere),
    Turn("all layers asked to be silent", "one layer that stays silent is enough.",
         lambda norms, p: AnyOf(_all_at_once(norms, p), _all_each(norms, p))),
    Turn("layers silent in turns", "it is one and the same layer that has to be silent all the "
         "while.", _but(silent=lambda x: (x == 0).any(dim=1, keepdim=True))),
    Turn("latest silence", "of several silent layers the one that fell silent first gives the "
         "step.", _but(of_silences=max)),
    Turn("silence not followed back", "the silence may have begun before the last `patience` "
         "steps: go back to its first one.", _last_ones),
    Turn("death before explosion", "a run that has exploded is not dead, whatever its other layers "
         "do: look for that first.", _but(death_first=True)),
    Turn("a large norm taken for inf", "a norm is large or not a number; only what is not finite "
         "has exploded.",
         _any_of(*[{"lost": lambda x, c=c: ~(x < c)}
                   for c in (1e1, 20, 50, 1e2, 218.5, 1e3, 1e4, 1e5, 1e6)])),
    Turn("a small norm taken for zero", "a small norm still moves the weights: silence is exactly "
         "0.", _any_of(*[{"silent": lambda x, c=c: x.abs() < c}
                         for c in (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)],
                       {"silent": lambda x: torch.isclose(x, torch.zeros_like(x))})),
    Turn("steps counted from 1", "the first step has the number 0.", _but(shift=1)),
    Turn("one step too early", "the step is the first one with that sign, not the one before.",
         _but(shift=-1)),
    Turn("place among all numbers", "the step is the row: look along a row first.", _flat),
    Turn("layers for steps", "a row is a step, and a column a layer.", _layers_for_steps),
    Turn("always healthy", "not every run is: look at the norms.",
         lambda norms, p: ("healthy", None)),
    Turn("first layer only", "any layer can explode or fall silent: look at all of them.",
         lambda norms, p: reference(norms[:, :1], p)),
    Turn("last layer only", "any layer can explode or fall silent: look at all of them.",
         lambda norms, p: reference(norms[:, -1:], p)),
    Turn("never dead", "a layer whose norm stays at 0 learns nothing any more: that run is dead.",
         lambda norms, p: v if (v := reference(norms, p))[0] != "dead" else ("healthy", None)),
    Turn("never exploded", "a norm that is inf or nan is the end of a run: that is «exploded».",
         lambda norms, p: judged(norms, p, lost=lambda x: torch.zeros_like(x, dtype=torch.bool))),
    Turn("words exchanged", "nan and inf have exploded; zeros are dead.",
         lambda norms, p: ({"dead": "exploded", "exploded": "dead", "healthy": "healthy"}[
             reference(norms, p)[0]], reference(norms, p)[1])),
    Turn("another step", "the step is where the trouble begins; of a healthy run it is None.",
         _other_step),
)  # fmt: skip


def _running(u: Draws, steps: int) -> torch.Tensor:
    """Return norms of a healthy run, three or four layers, none of them near zero."""
    layers = u.whole(3, 4)
    return torch.exp(u.uniform(steps * layers, -2.0, 3.0)).reshape(steps, layers)


def _norms(u: Draws, given: Given, kind: int) -> torch.Tensor:
    norms = _running(u, u.whole(24, 30))
    layer, step = u.whole(1, norms.shape[1] - 1), u.whole(5, 12)
    if kind == EXPLODED:
        norms[step, layer] = math.inf
        norms[step + 1 :] = math.nan
    if kind == DEAD:
        norms[step:, layer] = 0.0
        norms[step + 3 :, 0] = 0.0
    return norms


Edge = Callable[[torch.Tensor, int, int], None]


def _edge(change: Edge, patience: int = 6, steps: int = 26) -> Callable[[Draws, Given], Jointly]:
    """Return an edge: a healthy run, changed; the change is told a layer, not the first one."""

    def edge(u: Draws, given: Given) -> Jointly:
        norms = _running(u, steps)
        change(norms, u.whole(1, norms.shape[1] - 1), patience)
        return Jointly(norms=norms, patience=patience)

    return edge


def _set(
    value: float,
    first: int,
    last: int | None = None,
    whole_row: bool = False,
    layer: int | None = None,
) -> Edge:
    """Return a change that puts a value in some steps of a layer, or of all."""

    def change(norms: torch.Tensor, drawn: int, patience: int) -> None:
        if whole_row:
            norms[first:last] = value
        else:
            norms[first:last, drawn if layer is None else layer] = value

    return change


def _both(*changes: Edge) -> Edge:
    def change(norms: torch.Tensor, layer: int, patience: int) -> None:
        for one in changes:
            one(norms, layer, patience)

    return change


EXERCISE = Exercise(
    name="diagnose",
    arguments=(
        Argument("norms", _norms, many=(DEAD, EXPLODED, HEALTHY),
                 shown=lambda x: "{} × {}".format(*x.shape), edges={
            "one step without a number": _edge(_set(math.nan, 9, 10)),
            "one infinite step": _edge(_set(math.inf, 9, 10)),
            "no number from the first step": _edge(_set(math.nan, 0)),
            "the last step infinite": _edge(_set(math.inf, 25)),
            "one zero on the way": _edge(_set(0.0, 11, 12)),
            "one step of zeros": _edge(_set(0.0, 8, 9, whole_row=True)),
            "zero at the end, not for long enough": _edge(_set(0.0, 21)),
            "silent for exactly `patience` steps": _edge(_set(0.0, 20)),
            "silent for long, then revived": _edge(_set(0.0, 7, 18)),
            "a layer silent, and another later": _edge(_both(_set(0.0, 9), _set(0.0, 15, layer=0))),
            "a layer silent for long, another not": _edge(_both(_set(0.0, 9),
                                                                _set(0.0, 23, layer=0))),
            "layers silent in turns": _edge(_both(_set(0.0, 17, 23, layer=0), _set(0.0, 22))),
            "a rest, and silent for good later": _edge(_both(_set(0.0, 6, 7), _set(0.0, 15))),
            "all layers silent": _edge(_set(0.0, 10, whole_row=True)),
            "silent from the first step": _edge(_set(0.0, 0)),
            "one layer silent, another without a number": _edge(_both(
                _set(0.0, 8), _set(math.nan, 12, layer=0))),
            "large norms": _edge(_both(_set(3e7, 5, 9), _set(250.0, 12), _set(40.0, 10, layer=0))),
            "tiny norms": _edge(_both(_set(1e-13, 9), _set(1e-3, 8, layer=0))),
            "zeros that are no run": _edge(_both(_set(0.0, 3, 8), _set(0.0, 24))),
            "fewer steps than patience": _edge(_set(0.0, 0), patience=6, steps=4),
            "a patience of one step": _edge(_set(0.0, 25), patience=1),
        }),
        whole("patience", 3, 7, ignorable=True),
    ),
    reference=reference,
    agree=WordAndStep(),
    turns=TURNS,
    passed="diagnose: healthy, exploded and dead runs, and what only looks like one of them.",
)  # fmt: skip
diagnose = EXERCISE.check
