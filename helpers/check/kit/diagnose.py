"""What went wrong, most specific first: wrong turns, altered arguments, relations, places.

An answer has been asked all cases. Here the pattern of what came is read: nothing is called again.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from helpers import watching
from helpers.check.kit import misread, relations
from helpers.check.kit.agree import Outcome
from helpers.check.kit.asks import ALONE, DTYPE, EDGE, SIZE, TYPICAL, Argument
from helpers.check.kit.calling import given_to
from helpers.check.kit.compare import as_tensor, parts_of, same, several
from helpers.check.kit.message import show


@dataclass(frozen=True)
class Turn:
    """A wrong turn: a misconception, computed.

    Args:
        name: what a teacher would call it, at most four words.
        hint: one sentence for the student, on where to look.
        gives: takes what the answer takes and returns what an answer with this misconception
            would return; None where the misconception shows by an error instead.
        raises: tells whether an exception that the answer raised is this misconception's; such
            a turn is named when every exception is, whatever the other cases returned.
        alike: compares the answer's value with what ``gives`` returned, in place of the
            exercise's own comparison.
        tolerance: relative difference at which the two are alike, in place of the exercise's.
    """

    name: str
    hint: str
    gives: Callable[..., Any] | None = None
    raises: Callable[[Exception], bool] | None = None
    alike: Callable[[Any, Any], bool] | None = None
    tolerance: float | None = None


Name = tuple[str, str]  # of a wrong turn, and its hint
SAME_FOR_ANY = "same for any arguments"


def by_turns(
    turns: Sequence[Turn],
    outcomes: Sequence[Outcome],
    alike: Callable[[Any, Any], bool] = same,
) -> Name | None:
    """Return the turn that explains every case; else one that explains all typical ones."""
    for kinds in (None, (TYPICAL, ALONE)):
        asked = [o for o in outcomes if kinds is None or o.case.kind in kinds]
        if not any(o.failure for o in asked):
            continue
        for turn in turns:
            if _explains(turn, asked, alike):
                return turn.name, turn.hint
    return None


def _explains(turn: Turn, outcomes: Sequence[Outcome], alike: Callable[[Any, Any], bool]) -> bool:
    if turn.gives is None and not any(o.raised for o in outcomes):
        return False
    for outcome in outcomes:
        if outcome.raised:
            if turn.raises is None or not turn.raises(outcome.value):
                return False
        elif turn.gives is not None:
            try:
                wrong = given_to(outcome.case, turn.gives)
            except Exception:  # the misconception has no value here
                if outcome.failure is not None:
                    return False
                continue
            if not _near(turn, outcome, wrong, alike):
                return False
    return True


def _near(turn: Turn, outcome: Outcome, wrong: Any, alike: Callable[[Any, Any], bool]) -> bool:
    """Return whether a value is what a turn gives, or one of several things that it gives."""
    if turn.alike is not None:
        return turn.alike(outcome.value, wrong)
    right = outcome.expected
    for one in several(wrong):
        if turn.tolerance is not None:
            near = same(outcome.value, one, turn.tolerance)
        else:
            near = alike(outcome.value, one)
        # What gives the expected value explains no miss, however small the miss is.
        if near and not (outcome.failure and same(one, right, 1e-10) and alike(one, right)):
            return True
    return False


def by_alterations(
    arguments: Sequence[Argument],
    reference: Callable[..., Any],
    outcomes: Sequence[Outcome],
    alike: Callable[[Any, Any], bool] = same,
    ways: Callable[..., Iterable[tuple[str, str, Callable[..., Any]]]] = misread.alterations,
) -> Name | None:
    """Return how an argument was altered, where the answer is right but for that."""
    first = smallest(outcomes)
    case = first.case
    # Kept, so that what they give is kept too.
    known = case.once(ways, lambda: list(ways(arguments, reference, case.args)))
    for name, hint, gives in known:
        turn = Turn(name, hint, gives)
        # The failing case first: most alterations end there. One that leaves the expected value
        # as it is explains nothing, however near the answer comes.
        if (
            _explains(turn, [first], alike)
            and not _explains(turn, [replace(first, value=first.expected)], alike)
            and by_turns([turn], outcomes, alike)
        ):
            return name, hint
    return None


def by_relations(outcomes: Sequence[Outcome]) -> Name | None:
    """Return the relation between what came and what was expected, of all numbers together."""
    for one in _by_choice(outcomes):
        known = _pairs(one)
        if known and (found := relations.found(known)):
            return found
    return None


def _by_choice(outcomes: Sequence[Outcome]) -> list[list[Outcome]]:
    """Return the outcomes as they are, then against each value that the reference leaves open."""
    failing = [o for o in outcomes if o.failure is not None]
    count = min((len(o.choice) for o in failing), default=0)
    against = [[replace(o, expected=o.choice[k]) for o in failing] for k in range(count)]
    return [failing, *(against if count > 1 else [])]


def by_parts(outcomes: Sequence[Outcome], parts: Sequence[str] = ()) -> Name | None:
    """Return what says least: a constant between the two, one part that is off, or nearness.

    Args:
        outcomes: of all cases.
        parts: names of the numbers that the answer returns, where it returns several.
    """
    for one in _by_choice(outcomes):
        known = _pairs(one)
        if known and (found := relations.constant(known) or relations.line(known)):
            return found
    failing = [o for o in outcomes if o.failure is not None]
    if any(o.raised for o in failing):
        return None
    split = [p for p in (_pieces(o, len(parts)) for o in failing) if p is not None]
    apart = len(split) == len(failing)
    # At an edge even a fine step may be far off: nearness on typical cases is enough.
    typical = [o for o in failing if o.case.kind in (TYPICAL, ALONE)]
    pieces = [p for one in split for p in one] if apart else []
    comes_near = any(
        len(some) > 1 and together and all(relations.near(p) for p in together)
        for some, together in ((failing, _pairs(failing) or pieces), (typical, _pairs(typical)))
    )
    approximate = relations.APPROXIMATE if comes_near else None
    if not apart:
        return approximate
    off = [i for i in range(len(parts))
           if not all(relations.alike(p[i].got, p[i].expected) for p in split)]  # fmt: skip
    named = {}
    for i in off:
        single = [p[i] for p in split if not relations.alike(p[i].got, p[i].expected)]
        named[i] = relations.found(single) or relations.constant(single)
    first = named[off[0]] if off else None
    if first and all(name is not None and name[0] == first[0] for name in named.values()):
        which = " and ".join(parts[i] for i in off)
        return f"{which} {first[0]}" if len(off) == 1 else first[0], f"{which}: {first[1]}"
    if not 0 < len(off) < len(parts):
        return approximate
    right = [part for i, part in enumerate(parts) if i not in off]
    which = " and ".join(parts[i] for i in off)
    return f"{which} {'is' if len(off) == 1 else 'are'} off", (
        f"{' and '.join(right)} agree{'s' if len(right) == 1 else ''}; look at {which} alone."
    )


def _pairs(outcomes: Sequence[Outcome]) -> list[relations.Pair]:
    """Return what was expected and what came, of all failing cases; nothing if one has no pair."""
    failing = [o for o in outcomes if o.failure is not None]
    if any(o.raised for o in failing):
        return []
    pairs = [_pair(o, o.expected, o.value) for o in failing]
    known = [p for p in pairs if p is not None]
    return known if len(known) == len(pairs) else []


def _pair(outcome: Outcome, wanted: Any, value: Any) -> relations.Pair | None:
    """Return a wanted and a given value as a pair, None where they cannot be related."""
    expected, got = as_tensor(wanted), as_tensor(value)
    if expected is None or got is None or expected.shape != got.shape:
        return None
    finite = expected.isfinite()
    if not torch.equal(got.isfinite(), finite) or not bool(finite.any()):
        return None
    if not bool(finite.all()):  # where infinity is expected it came too: the others tell
        expected, got = expected[finite], got[finite]
    lengths = {len(a) for a in outcome.case.args if isinstance(a, torch.Tensor) and a.ndim}
    whole = {a for a in outcome.case.args if isinstance(a, int) and not isinstance(a, bool)}
    sizes = tuple(sorted(lengths | {n for n in whole if 1 < n < 10**7}))
    return relations.Pair(expected.to(torch.float64), got.to(torch.float64), sizes)


def _pieces(outcome: Outcome, count: int) -> list[relations.Pair] | None:
    """Return a pair for each of several parts: of a tuple, or along the first axis of a tensor."""
    expected, got = parts_of(outcome.expected), outcome.value
    if expected is None:
        whole = _pair(outcome, outcome.expected, outcome.value)
        if whole is None or whole.expected.shape[:1] != (count,):
            return None
        expected, got = list(whole.expected), list(whole.got)
    if len(expected) != count or not isinstance(got, list | tuple) or len(got) != count:
        return None
    pairs = [_pair(outcome, e, g) for e, g in zip(expected, got, strict=True)]
    known = [p for p in pairs if p is not None]
    return known if len(known) == count else None


def by_arguments(arguments: Sequence[Argument], outcomes: Sequence[Outcome]) -> Name | None:
    """Return which argument was not looked at: what came does not move when it alone does."""
    base = outcomes[0]
    if base.raised:
        return None
    alike = [o for o in outcomes if o.case.kind in (TYPICAL, SIZE)]
    if (
        len(alike) > 1
        and all(same(o.value, base.value, 1e-9) for o in alike)
        and not all(same(o.expected, base.expected) for o in alike)
    ):
        return SAME_FOR_ANY, (
            f"the result is {show(base.value)} whatever is handed over: use the arguments."
        )
    ignored = []
    for outcome in outcomes:
        if outcome.case.kind == ALONE and not outcome.raised:
            moves = not same(outcome.expected, base.expected)
            if moves and same(outcome.value, base.value, 1e-9):
                ignored.append(outcome.case.moved)
    if not ignored:
        return None
    first = next(a for a in arguments if a.name in ignored)
    if len(ignored) == 1:
        return f"{first.name} ignored", (
            f"the result does not move when {first.name} does: is a name of the notebook, or a "
            f"number, in the place of {first.name}?"
        )
    names = " and ".join(ignored)
    return f"{names} ignored", f"the result moves with neither {names}: use the arguments."


def by_sheets_values(
    arguments: Sequence[Argument],
    reference: Callable[..., Any],
    outcomes: Sequence[Outcome],
    alike: Callable[[Any, Any], bool] = same,
) -> Name | None:
    """Return the argument in whose place the answer uses a value of the sheet's own."""
    for place, argument in enumerate(arguments):
        if argument.used_instead is None:
            continue
        gives = outcomes[0].case.once(
            (by_sheets_values, place), partial(_with_own, argument, place, reference)
        )
        if _explains(Turn("", "", gives), outcomes, alike):
            return f"the sheet's {argument.name}", (
                f"this is the result for the sheet's own {argument.name}; use the argument that "
                "the function is given."
            )
    return None


def _with_own(argument: Argument, place: int, reference: Callable[..., Any]) -> Callable[..., Any]:
    """Return the reference with the sheet's own value in the place of an argument."""
    assert argument.used_instead is not None
    own = argument.used_instead()

    def gives(*args: Any) -> Any:
        return reference(*args[:place], own, *args[place + 1 :])

    return gives


PLACES = {
    SIZE: ("{where}", "the answer is right for other sizes; try it with this one."),
    DTYPE: ("{where}", "the answer is right in double precision, and not {where}: where does the "
            "precision come in?"),
    EDGE: ("{where}", "the answer is right elsewhere, and not here: {where}."),
}  # fmt: skip


def by_place(outcomes: Sequence[Outcome]) -> Name | None:
    """Return where an answer is wrong that is right on all typical cases."""
    failing = [o for o in outcomes if o.failure is not None]
    if not failing or any(o.case.kind in (TYPICAL, ALONE) for o in failing):
        return None
    case = failing[0].case
    name, hint = PLACES[case.kind]
    return name.format(where=case.where), hint.format(where=case.where)


def smallest(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the failing case that is easiest to look at: typical ones first, small ones first."""
    failing = [o for o in outcomes if o.failure is not None]

    def weight(outcome: Outcome) -> tuple[int, float]:
        order = [TYPICAL, ALONE, EDGE, SIZE, DTYPE].index(outcome.case.kind)
        size = sum(a.numel() for a in outcome.case.args if isinstance(a, torch.Tensor))
        return order, size if math.isfinite(size) else 0

    return min(failing, key=weight)


def effects_named(
    arguments: Sequence[Argument], effects: Mapping[int, str], process: Sequence[str]
) -> Name | None:
    """Return what a call did to the caller's things, named."""
    for place, words in effects.items():
        name = arguments[place].name if place < len(arguments) else f"argument {place + 1}"
        if words == watching.REPLACED:
            return f"{name} changed in place", (
                f"the caller's {name} has other numbers after the call: work on a copy, or write "
                f"out of place."
            )
        if words == watching.TRACKED:
            return f"{name} left tracked", (
                f"the caller's {name} requires gradients after the call: detach() and clone() it "
                "before requires_grad_(True)."
            )
        if words == watching.FROZEN:
            return f"{name} frozen", (
                f"requires_grad is another one for the caller's {name} after the call: leave it."
            )
        return f"{name}.grad filled", (
            f"the caller's {name} has a gradient after the call: ask torch.autograd.grad, or work "
            "on a copy."
        )
    for words in process:
        if words == watching.GRADIENTS_OFF:
            return "gradients left off", "use torch.no_grad() as a with block, which ends."
        return "default dtype changed", "hand dtype= to what you make; other cells use the default."
    return None
