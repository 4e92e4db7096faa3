"""Are small edits of right answers refused, and is one that is not noticed?"""

import ast
import dataclasses

import pytest
from support.project import PROJECT

import helpers.check
from course.authoring import sheet
from course.proving import bank, mutants
from helpers.check.kit.exercise import Exercise

NAME = "02-likelihood"


@pytest.fixture(scope="module")
def of_the_sheet():
    notebook = sheet.load(PROJECT / "course" / "sheets" / f"{NAME}.md")
    return notebook, bank.load(PROJECT / "course" / "answers" / f"{NAME}.md", notebook)


def edited(code):
    return {m.code for m in mutants.mutants(bank.Answer("f", "right", "", code))}


@pytest.mark.parametrize(
    ("code", "mutant"),
    [
        ("def f(x, y):\n    return x + y", "def f(x, y):\n    return x - y"),
        ("def f(x, y):\n    return x + y", "def f(x, y):\n    return y + y"),
        ("def f(x):\n    return x.sum()", "def f(x):\n    return x.mean()"),
        ("def f(x):\n    return x.std(correction=0)", "def f(x):\n    return x.std()"),
        ("def f(x):\n    return -x", "def f(x):\n    return +x"),
        ("def f(x):\n    return g(x, 2)", "def f(x):\n    return g(2, x)"),
        ("def f(x):\n    x = x - 1\n    return x", "def f(x):\n    x -= 1\n    return x"),
        ("def f(x):\n    y = x\n    return y", "def f(x):\n    pass\n    return y"),
        ("for i in range(n):\n    pass", "for i in range(n - 1):\n    pass"),
        ("def f(x):\n    return x < 0", "def f(x):\n    return x <= 0"),
    ],
)
def test_is_an_answer_edited_as_a_hand_would(code, mutant):
    assert ast.unparse(ast.parse(mutant)) in edited(code)


@pytest.mark.slow
def test_does_a_sample_of_mutants_pass_a_check(of_the_sheet, monkeypatch):
    monkeypatch.setattr(mutants, "LONGEST", 2)
    found = mutants.tried(*of_the_sheet, every=16, only=["normal_mle"])
    assert len(found) >= 6
    assert [t.mutant for t in found if t.survived] == []
    assert any(t.equivalent for t in found) or any(t.named for t in found)


@pytest.mark.slow
def test_is_a_check_that_lets_mutants_pass_noticed(of_the_sheet, monkeypatch):
    """A check that asks two equal observations cannot tell n from n − 1."""
    exercise = helpers.check.normal_mle.__self__
    careless = dataclasses.replace(exercise, agree=dataclasses.replace(exercise.agree, rtol=0.5))
    assert isinstance(careless, Exercise)
    monkeypatch.setattr(helpers.check, "normal_mle", careless.check)
    notebook, answers = of_the_sheet
    plain = [a for a in answers if a.title == "correction=0"]
    found = mutants.tried(notebook, plain, only=["normal_mle"])
    assert any(t.survived for t in found)


def test_does_a_mutant_that_never_ends_hold_up_the_rest():
    def never_ends():
        with mutants.in_time(1):
            while True:
                pass

    with pytest.raises(mutants.OutOfTime):
        never_ends()
