"""Does every way an answer can end lead to a verdict?"""

import nbformat
import pytest

from course.grading.judge import STATES, judge, of_outputs

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
    said = judge(TEST, answers)
    assert (said.state, said.wrong_turn) == (state, turn)
    assert said.state in STATES
    assert said.message


def test_does_a_check_without_a_verdict_pass():
    assert judge("assert print('nothing')", {}).state == "failed"


def error(name, text=""):
    return nbformat.v4.new_output("error", ename=name, evalue=text, traceback=[])


def cell(*outputs, count=1):
    made = nbformat.v4.new_code_cell(
        "assert True", outputs=list(outputs), execution_count=count,
        metadata={"nbgrader": {"grade": True, "solution": False, "points": 3, "grade_id": "t"}},
    )  # fmt: skip
    return made


FAILED = "✗ f\n  expected  1\n  got       2\n→ sign: look at it."


@pytest.mark.parametrize(
    ("test", "answer", "ran", "state", "turn"),
    [
        (cell(), cell(), "", "passed", ""),
        (cell(error("CheckFailed", FAILED)), cell(), "", "failed", "sign"),
        (cell(error("CheckFailed", "✗ f\n→ unsolved: do.")), cell(), "", "missing", "unsolved"),
        (cell(error("CellTimeoutError")), cell(), "", "timeout", ""),
        (cell(error("KernelDied")), cell(), "", "crashed", ""),
        (cell(error("NameError", "x")), cell(error("CellTimeoutError")), "", "timeout", ""),
        (cell(error("NameError", "x")), cell(error("KernelDied")), "", "crashed", ""),
        (cell(error("ValueError", "x")), cell(), "", "failed", ""),
        (cell(count=None), cell(), "timeout", "timeout", ""),
        (cell(count=None), cell(), "crashed", "crashed", ""),
    ],
)
def test_what_is_the_verdict_on_outputs(test, answer, ran, state, turn):
    said = of_outputs(test, answer, ran)
    assert (said.state, said.wrong_turn) == (state, turn)


def test_is_an_answer_cell_with_a_syntax_error_named():
    missing = cell(error("CheckFailed", "✗ `f` does not exist yet\n→ missing name: solve."))
    said = of_outputs(missing, cell(error("SyntaxError", "invalid syntax")), "")
    assert said.state == "missing"
    assert "SyntaxError: invalid syntax" in said.message
