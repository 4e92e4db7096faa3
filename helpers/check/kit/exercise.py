"""An exercise, declared; and the one runner that asks every answer the same questions.

An exercise names its arguments, its reference, how values are compared, and its own wrong turns.
Everything else is asked here, of each alike: every case; that the caller's things stay as they
were; that two calls give the same; that slopes pass where the docstring promises it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch

from helpers import data, watching
from helpers.check.kit import diagnose, message, misread
from helpers.check.kit.agree import Agreement, Close, in_double
from helpers.check.kit.asks import ALONE, EDGE, TYPICAL, Argument, Case, cases
from helpers.check.kit.calling import Called, adapted, given_to, slopes, watched
from helpers.check.kit.chance import NOT_HANDED_IN, Chance, MayDraw, Scripted
from helpers.check.kit.compare import AnyOf, nearest, note, same, several
from helpers.check.kit.diagnose import Outcome, Turn
from helpers.check.kit.elements import by_elements
from helpers.check.kit.message import CheckFailed, show
from helpers.check.kit.relations import APPROXIMATE, CONSTANT_ADDED, CONSTANT_FACTOR
from helpers.check.kit.slips import by_slips

NO_CORNER = 1e-3  # relative difference of two slopes at an edge
SLOPE = 1e-4  # difference of two slopes, as a share of the largest
FLAT = 1e-6  # a slope that may be rounding alone
SEEDS = 11, 12  # the random states in which a case is asked twice
# Names that leave the cause open: who is told one of them is asked a second time as well.
SAY_LITTLE = (
    "", *message.SHAPES, APPROXIMATE[0], CONSTANT_FACTOR[0], CONSTANT_ADDED[0],
    diagnose.SAME_FOR_ANY,
)  # fmt: skip


@dataclass(frozen=True)
class Exercise:
    """One function that a student writes.

    Args:
        name: of the function.
        arguments: what it takes.
        reference: the analytic solution; takes what the answer takes.
        passed: what the green line says.
        turns: the exercise's own wrong turns, most specific first.
        worked: right formulas as a student would write them, for :mod:`helpers.check.kit.slips`.
        agree: how a value is compared with the reference's.
        double: whether the docstring says that the result is in float64, or in the precision of
            the arguments.
        parts: names of the numbers that it returns, where it returns several.
        typical: how many typical cases there are.
        slopes: names of the arguments through which slopes must pass, in double precision.
        chance: what a random answer is tested for besides; None where nothing is random.
        hints: sentences of this exercise in the place of the kit's, by wrong turn.
        adapter: function of :mod:`helpers.watching` that makes a plain function of the answer,
            where it is a class.
    """

    name: str
    arguments: tuple[Argument, ...]
    reference: Callable[..., Any]
    passed: str
    turns: tuple[Turn, ...] = ()
    worked: tuple[Callable[..., Any], ...] = ()
    agree: Agreement = field(default_factory=Close)
    double: bool = False
    parts: tuple[str, ...] = ()
    typical: int = 3
    slopes: tuple[str, ...] = ()
    chance: Chance | MayDraw | None = None
    hints: Mapping[str, str] = field(default_factory=dict)
    adapter: str = ""
    _asked: dict[int, list[Case]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def exercises(self) -> tuple["Exercise", ...]:
        """This exercise, as :class:`Together` has several."""
        return (self,)

    def cases(self) -> list[Case]:
        """Return the cases on the data seed of the moment: the same ones until it is another."""
        seed = data.seed()
        if seed not in self._asked:
            self._asked.clear()
            made = cases(self.name, self.arguments, self.typical)
            self._asked[seed] = [replace(case, reference=self.reference) for case in made]
        return self._asked[seed]

    def check(self, answer: Any) -> bool:
        """Check an answer.

        Returns:
            True, and prints a green line.

        Raises:
            CheckFailed: naming what was tested, expected, found, and the wrong turn.
        """
        ask(self, answer)
        return message.passed(self.passed)


@dataclass(frozen=True)
class Together:
    """Several functions of one exercise, checked in order, with one green line.

    Args:
        exercises: one for each function.
        passed: what the green line says.
    """

    exercises: tuple[Exercise, ...]
    passed: str

    def check(self, *answers: Any) -> bool:
        """Check the answers, one for each exercise, in their order; as :meth:`Exercise.check`."""
        for exercise, answer in zip(self.exercises, answers, strict=True):
            ask(exercise, answer)
        return message.passed(self.passed)


def ask(exercise: Exercise, answer: Any) -> None:
    """Ask an answer every question of an exercise; see :meth:`Exercise.check`."""
    answer = adapted(answer, exercise.adapter)
    asked = exercise.cases()
    calls = [watched(case.described, answer, case.args, SEEDS[0]) for case in asked]
    outcomes = [_outcome(exercise, case, called) for case, called in zip(asked, calls, strict=True)]
    effects = _effects(exercise, calls)
    if any(o.failure for o in outcomes):
        failure = _said(exercise, outcomes, effects)
        if failure.wrong_turn in SAY_LITTLE and calls[0].failure is None:
            for seed in range(SEEDS[1], SEEDS[1] + 4):  # chance may give the same once
                _asked_again(exercise, answer, asked, calls, seed)
        raise failure from None
    if effects is not None:
        raise _plain(asked[0], "the caller's things as they were", effects[1], effects) from None
    _asked_again(exercise, answer, asked, calls)
    _slopes_pass(exercise, answer, asked)
    if exercise.chance is not None:
        try:
            exercise.chance.test(exercise.name, answer)
        except CheckFailed as failure:
            note(failure.wrong_turn, math.inf)
            raise


def _outcome(exercise: Exercise, case: Case, called: Called) -> Outcome:
    wanted = given_to(case, exercise.reference)
    outcome = Outcome(
        case, nearest(called.value, wanted), called.value, called.failure, several(wanted)
    )
    if called.failure is not None:
        note(message.RAISED, math.inf)
        return outcome
    try:
        exercise.agree.compare(case, called.value, wanted)
        if exercise.double:
            in_double(case, called.value)
    except CheckFailed as failure:
        if failure.wrong_turn:
            note(failure.wrong_turn, math.inf)
        return replace(outcome, failure=failure)
    return outcome


def _effects(exercise: Exercise, calls: Sequence[Called]) -> diagnose.Name | None:
    for called in calls:
        named = diagnose.effects_named(
            exercise.arguments, dict(called.effects.arguments), called.effects.process
        )
        if named:
            note(named[0], math.inf)
            return named
    return None


def _named(
    exercise: Exercise, outcomes: Sequence[Outcome], effects: diagnose.Name | None,
    failure: CheckFailed,
) -> diagnose.Name:  # fmt: skip
    """Return the most specific name of what went wrong, and its hint."""
    alike = exercise.agree.same
    arguments, reference = exercise.arguments, exercise.reference
    ordinary = [o for o in outcomes if o.case.kind in (TYPICAL, ALONE)]
    return (
        _in_single(outcomes, effects)
        or diagnose.by_turns(exercise.turns, outcomes, alike)
        or effects
        or diagnose.by_sheets_values(arguments, reference, outcomes, alike)
        or _kept(failure, outcomes)
        or diagnose.by_alterations(arguments, reference, outcomes, alike)
        or diagnose.by_arguments(arguments, outcomes)
        or diagnose.by_place(outcomes)
        or diagnose.by_relations(outcomes)
        or diagnose.by_alterations(arguments, reference, outcomes, alike, ways=misread.elementwise)
        or by_slips(exercise.worked, outcomes, alike)
        or by_elements(arguments, outcomes)
        # What goes wrong in one way may go wrong in another at an edge: there it is nan, or ends.
        or diagnose.by_relations(ordinary)
        or _more_than_near(least := diagnose.by_parts(outcomes, exercise.parts))
        or _more_than_near(diagnose.by_parts(ordinary, exercise.parts))
        or exercise.agree.named([o for o in outcomes if o.failure is not None])
        or least
        or (failure.wrong_turn, failure.hint)
    )


def _said(
    exercise: Exercise, outcomes: Sequence[Outcome], effects: diagnose.Name | None
) -> CheckFailed:
    """Return the failure of a wrong answer, named as specifically as it can be."""
    worst = diagnose.smallest(outcomes)
    failure = worst.failure
    assert failure is not None
    try:
        name, hint = _named(exercise, outcomes, effects, failure)
    except Exception as error:  # a verdict is a verdict, whatever its name
        name, hint = message.UNDIAGNOSED, f"what went wrong could not be told: {error}"
    again = f'{exercise.name}(*check.case("{exercise.name}", {worst.case.number}))'
    again = again if exercise.arguments else ""  # a value is there already
    return CheckFailed(
        failure.tested, failure.expected, failure.got, name, exercise.hints.get(name, hint), again
    )


def _in_single(outcomes: Sequence[Outcome], effects: diagnose.Name | None) -> diagnose.Name | None:
    """Return that the values' only fault is their precision, where it is, or what comes with it."""
    failures = [o.failure for o in outcomes if o.failure is not None]
    if all(failure.wrong_turn == message.SINGLE for failure in failures):
        return effects or (failures[0].wrong_turn, failures[0].hint)
    return None


def _more_than_near(named: diagnose.Name | None) -> diagnose.Name | None:
    """Return a name but that of nearness: it says less than the exercise's own measure."""
    return None if named == APPROXIMATE else named


def _kept(failure: CheckFailed, outcomes: Sequence[Outcome]) -> diagnose.Name | None:
    """Return the failure's own name where it says all: a type, a shape, an error everywhere."""
    everywhere = all(o.failure is not None for o in outcomes if o.case.kind == TYPICAL)
    return (failure.wrong_turn, failure.hint) if failure.wrong_turn and everywhere else None


def _plain(case: Case, expected: str, got: str, named: diagnose.Name) -> CheckFailed:
    note(named[0], math.inf)
    return CheckFailed(case.described, expected, got, *named)


def _asked_again(
    exercise: Exercise, answer: Any, asked: Sequence[Case], calls: Sequence[Called],
    seed: int = SEEDS[1],
) -> None:  # fmt: skip
    """Ask the first case once more, from another random state.

    Raises:
        CheckFailed: another value where nothing is random, the same where draws are asked, or a
            random state that two calls from unlike ones have in common.
    """
    case, first = asked[0], calls[0]
    second = watched(case.described, answer, case.args, seed)
    states = zip(first.effects.random_states, second.effects.random_states, strict=True)
    if any(one == other for one, other in states):
        raise _plain(
            case,
            "the random state left to the notebook",
            "a seed set inside",
            ("seed set inside", "take the seed out of the function: whoever calls it chooses."),
        )
    scripted = any(isinstance(a, Scripted) for a in case.args)
    if exercise.chance is not None and not scripted:
        return
    if not exercise.agree.same(second.value, first.value):
        if scripted:
            raise _plain(
                case, f"{show(first.value)} a second time", show(second.value), NOT_HANDED_IN
            )
        raise _plain(
            case,
            f"{show(first.value)} a second time",
            show(second.value),
            (
                "differs on the second call",
                "something outlives the call, as a global name or a list as default value; or "
                "it is left to chance.",
            ),
        )


def _slopes_pass(exercise: Exercise, answer: Any, asked: Sequence[Case]) -> None:
    """Check that slopes pass through the arguments that promise it, in the open and at edges.

    Raises:
        CheckFailed: no slope, or another one.
    """
    if not exercise.slopes:
        return
    first = asked[0]
    _slopes_at(exercise, answer, first, _alike, "part of the way is detached.")
    bent = "it is right elsewhere; does abs, max or clamp bend the way here?"
    for name in exercise.slopes:
        at_zero = first.once((_at_zero, name), partial(_at_zero, exercise, first, name))
        _slopes_at(exercise, answer, at_zero, _nearly, bent)
    for case in asked:
        if case.kind == EDGE:
            _slopes_at(exercise, answer, case, _nearly, bent)


def _at_zero(exercise: Exercise, case: Case, name: str) -> Case:
    """Return a case with zeros for an argument: abs, sqrt and where have their corners there.

    Where zero is outside of its domain the reference has no slope, and nothing is asked.
    """
    args = tuple(
        torch.zeros_like(torch.as_tensor(given)) if argument.name == name else given
        for argument, given in zip(exercise.arguments, case.args, strict=True)
    )
    return replace(case, args=args, described=f"{case.described}, but {name} = 0")


def _alike(got: Any, wanted: AnyOf) -> bool:
    """Return whether two slopes are alike, also where the value was single precision's."""
    return any(
        float((got - one).abs().max()) <= SLOPE * float(one.abs().max()) for one in wanted.values
    )


def _nearly(got: Any, wanted: AnyOf) -> bool:
    """Return whether two slopes are alike but for rounding, which is larger far out."""
    return any(same(got, one, NO_CORNER) or float((got - one).abs().max()) < FLAT
               for one in wanted.values)  # fmt: skip


def _wanted_slopes(exercise: Exercise, case: Case, places: Sequence[int]) -> list[Any]:
    """Return the reference's slopes: several right values may have slopes of their own."""
    ways = len(several(given_to(case, exercise.reference)))
    return [watching.slopes(lambda *args, way=way: several(exercise.reference(*args))[way],
                            case.args, places) for way in range(ways)]  # fmt: skip


def _slopes_at(
    exercise: Exercise, answer: Any, case: Case, alike: Callable[[Any, Any], bool], cause: str
) -> None:
    places = [i for i, a in enumerate(exercise.arguments) if a.name in exercise.slopes]
    wanted = case.once(_wanted_slopes, partial(_wanted_slopes, exercise, case, places))
    if not all(slope is not None and slope.isfinite().all() for way in wanted for slope in way):
        return
    came = slopes(case.described, answer, case.args, places)
    for number, (place, got) in enumerate(zip(places, came, strict=True)):
        name, expected = exercise.arguments[place].name, AnyOf(*[way[number] for way in wanted])
        if got is None:
            raise _plain(
                case,
                f"a slope through {name}",
                "none",
                (
                    "no slope",
                    f"the result does not depend on {name} as autograd sees it: is there an "
                    "item(), float(), detach() or sample() on the way?",
                ),
            )
        if not alike(got, expected):
            raise _plain(
                case,
                f"slope {show(expected.values[0])} through {name}",
                show(got),
                ("wrong slope", f"the value is right, its slope through {name} is not: {cause}"),
            )
