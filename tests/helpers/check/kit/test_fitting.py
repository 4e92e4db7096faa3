"""Is it said what of an answer fits, where nothing more specific is known?"""

import pytest

from helpers.check.kit.agree import Fitting
from helpers.check.kit.asks import sample
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.message import CheckFailed

EXERCISE = Exercise(
    name="centred",
    arguments=(sample("y", lambda u, given, n: u.normal(n, 3.0), many=(6, 9), sizes=(1,)),),
    reference=lambda y: y - y.mean(),
    agree=Fitting(fits=(("sum fits", "the numbers add up to 0, as they should.",
                         lambda got, args: abs(float(got.sum())) < 1e-9),)),
    passed="centred.",
)  # fmt: skip


def cubed(y):
    return (y - y.mean()) ** 3 - ((y - y.mean()) ** 3).mean()


def test_is_what_fits_said_where_nothing_else_is_known():
    with pytest.raises(CheckFailed) as told:
        EXERCISE.check(cubed)
    assert told.value.wrong_turn == "sum fits"


def test_does_a_name_that_says_more_go_first():
    with pytest.raises(CheckFailed) as told:
        EXERCISE.check(lambda y: y.mean() - y)
    assert told.value.wrong_turn == "negated"


def test_is_nothing_said_of_what_does_not_fit():
    with pytest.raises(CheckFailed) as told:
        EXERCISE.check(lambda y: cubed(y) + y.sin())
    assert told.value.wrong_turn != "sum fits"


def test_is_a_right_answer_right():
    assert EXERCISE.check(lambda y: y - y.mean())
