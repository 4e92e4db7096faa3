"""Does every way an answer can end lead to a verdict?"""

import pytest

from course.verdict import STATES, Stopped, of_test_cell

TEST = "from helpers import check\n\nassert check.derivative(derivative)"


def by_hand(f, x):
    x = x.detach().clone().requires_grad_(True)
    f(x).sum().backward()
    return x.grad


def unsolved(f, x):
    raise NotImplementedError


def summed(f, x):
    return by_hand(f, x).sum()


@pytest.mark.parametrize(
    ("answers", "state", "turn"),
    [
        ({"derivative": by_hand}, "passed", ""),
        ({"derivative": unsolved}, "missing", "unsolved"),
        ({}, "missing", "missing name"),
        ({"derivative": summed}, "failed", "gradient summed"),
        ({"derivative": None}, "failed", "wrong type"),
        ({"derivative": exit}, "failed", "raised an error"),
    ],
)
def test_what_is_the_verdict_on(answers, state, turn):
    said = of_test_cell(TEST, answers)
    assert (said.state, said.wrong_turn) == (state, turn)
    assert said.state in STATES
    assert said.message


def test_does_a_check_without_a_verdict_pass():
    assert of_test_cell("assert print('nothing')", {}).state == "failed"


def stopping(f, x):
    raise Stopped("timeout", "the answer took too long")


def test_does_a_check_take_a_stopped_cage_for_an_error_of_the_answer():
    assert of_test_cell(TEST, {"derivative": stopping}).state == "timeout"
