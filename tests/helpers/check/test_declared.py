"""Is every declared exercise sound: does its reference pass, does each argument and turn show?"""

import functools
import itertools

import pytest
import torch

import helpers.check
from helpers import data
from helpers.check.kit.asks import ALONE
from helpers.check.kit.calling import own_copy, quietly
from helpers.check.kit.compare import AnyOf, same, several
from helpers.check.kit.exercise import Exercise, Together
from helpers.check.kit.slips import slips

DECLARED = {
    exercise.name: exercise
    for name in helpers.check.__all__
    if isinstance(found := getattr(getattr(helpers.check, name), "__self__", None),
                  Exercise | Together)
    for exercise in found.exercises
}  # fmt: skip
EVERY = pytest.mark.parametrize("exercise", DECLARED.values(), ids=list(DECLARED))


def pytest_generate_tests(metafunc):
    """Ask on one data seed by day, on three by night."""
    if "seed" in metafunc.fixturenames:
        many = metafunc.config.getoption("--all-sheets")
        metafunc.parametrize("seed", (1, 2, 3) if many else (1,))


def of(function, case):
    with quietly():
        return function(*[own_copy(a) for a in case.args])


@EVERY
def test_does_the_reference_agree_with_itself(exercise, seed):
    with data.seeded(seed):
        for case in exercise.cases():
            for value in several(of(exercise.reference, case)):
                exercise.agree.compare(case, value, of(exercise.reference, case))


@pytest.mark.part(2)
@EVERY
def test_does_each_worked_formula_pass(exercise, seed):
    with data.seeded(seed):
        for formula in exercise.worked:
            for case in exercise.cases():
                exercise.agree.compare(case, of(formula, case), of(exercise.reference, case))
            assert len(slips(formula)) > 3, "nothing in it can slip"


@EVERY
def test_does_each_argument_move_the_reference(exercise):
    ignorable = {a.name for a in exercise.arguments if a.ignorable}
    first, *rest = exercise.cases()
    base = of(exercise.reference, first)
    for case in rest:
        if case.kind == ALONE and case.moved not in ignorable:
            assert not same(of(exercise.reference, case), base), case.moved


@functools.cache
def computed(name, seed):
    """Return an exercise's right values, and what each turn gives, case by case, once.

    Of turns those that compute a value and are compared as the exercise compares. A turn may give
    several values in a case, and none where the misconception has none.
    """
    with data.seeded(seed):
        exercise = DECLARED[name]
        cases = exercise.cases()
        turns = [t for t in exercise.turns if t.gives is not None and t.alike is None]
        return (
            [of(exercise.reference, case) for case in cases],
            [(turn, [given_by(turn, case) for case in cases]) for turn in turns],
        )


def given_by(turn, case):
    try:
        return several(of(turn.gives, case))
    except Exception:
        return ()


def taken_for(exercise, value, right):
    """Whether a value is a right one, by the general comparison and by the exercise's own."""
    return same(value, right) and exercise.agree.same(value, right)


@pytest.mark.part(2)
@EVERY
def test_is_each_turn_told_from_a_right_answer(exercise, seed):
    right, turns = computed(exercise.name, seed)
    for turn, values in turns:
        for one in range(max(len(v) for v in values)):
            fails = [
                value for value, r in zip(values, right, strict=True)
                if value
                and not any(taken_for(exercise, value[min(one, len(value) - 1)], s)
                            for s in several(r))
            ]  # fmt: skip
            assert fails, f"{turn.name}, value {one}"


@pytest.mark.part(2)
@EVERY
def test_is_each_pair_of_turns_told_apart(exercise, seed):
    _, turns = computed(exercise.name, seed)
    for (one, values), (other, others) in itertools.combinations(turns, 2):
        if one.name == other.name:
            continue
        apart = any(
            a and b and not any(alike(exercise, (one, other), x, AnyOf(*b)) for x in a)
            for a, b in zip(values, others, strict=True)
        )  # fmt: skip
        assert apart, f"no case tells «{one.name}» from «{other.name}»"


def alike(exercise, turns, value, others):
    """Whether an answer that gives a value would be taken for one that gives the others."""
    tightest = [turn.tolerance for turn in turns if turn.tolerance is not None]
    if tightest:
        return any(same(value, other, min(tightest)) for other in others.values)
    return exercise.agree.same(value, others)


@EVERY
def test_can_a_student_have_each_case_again(exercise):
    for case in exercise.cases():
        again = helpers.check.case(exercise.name, case.number)
        assert len(again) == len(case.args) == len(exercise.arguments)
        for theirs, kept in zip(again, case.args, strict=True):
            assert theirs is not kept or not isinstance(kept, torch.Tensor | torch.nn.Module | list)
    with pytest.raises(KeyError):
        helpers.check.case("no such function", 0)
