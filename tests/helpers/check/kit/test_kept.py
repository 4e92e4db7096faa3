"""What does not depend on the answer is worked out for the first, and is right for the next."""

import dataclasses

import pytest
import torch

from helpers import data
from helpers.check.kit.asks import real, sample
from helpers.check.kit.calling import given_to
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.message import CheckFailed


@pytest.fixture
def counted():
    """An exercise, and how often its reference and its turn were asked."""
    asked = {"reference": 0, "turn": 0}

    def reference(x, loc):
        asked["reference"] += 1
        return (x - loc).mean()

    def total(x, loc):
        asked["turn"] += 1
        return (x - loc).sum()

    exercise = Exercise(
        name="mean_distance",
        arguments=(sample("x", lambda u, given, n: u.normal(n)), real("loc", -2, 2)),
        reference=reference,
        turns=(Turn("a sum", "a mean is asked.", total),),
        passed="mean.",
    )
    return exercise, asked


def refused(exercise, answer):
    with pytest.raises(CheckFailed) as caught:
        exercise.check(answer)
    return caught.value.wrong_turn


def test_are_reference_and_turns_asked_once(counted):
    exercise, asked = counted
    assert refused(exercise, lambda x, loc: (x - loc).sum()) == "a sum"
    after_one = dict(asked)
    assert after_one["reference"] >= len(exercise.cases())
    for _ in range(3):
        assert refused(exercise, lambda x, loc: (x - loc).sum()) == "a sum"
    assert asked == after_one


def test_is_another_data_seed_asked_anew(counted):
    exercise, asked = counted
    exercise.check(lambda x, loc: (x - loc).mean())
    before, here = asked["reference"], exercise.cases()
    with data.seeded(5):
        exercise.check(lambda x, loc: (x - loc).mean())
        assert not torch.equal(exercise.cases()[0].args[0], here[0].args[0])
    assert asked["reference"] == before + len(here)


def test_does_an_answer_that_changes_its_arguments_leave_the_next_one_alone(counted):
    exercise, _ = counted

    def changes(x, loc):
        x -= loc
        return x.mean()

    assert refused(exercise, changes) == "x changed in place"
    exercise.check(lambda x, loc: (x - loc).mean())


def test_is_an_error_kept_as_an_error(counted):
    case, calls = counted[0].cases()[0], []

    def fails(*_):
        calls.append(1)
        raise ValueError("no value here")

    for _ in range(2):
        with pytest.raises(ValueError, match="no value here"):
            given_to(case, fails)
    assert calls == [1]


def test_does_a_case_with_other_arguments_keep_nothing(counted):
    case = counted[0].cases()[0]
    assert given_to(case, lambda x, loc: float(x.sum())) != 0
    other = dataclasses.replace(case, args=(torch.zeros(3), 0.0))
    assert other._known == {}
    assert given_to(other, counted[0].reference) == 0
