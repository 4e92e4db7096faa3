"""Are strangers' answers read, tried and counted as they are?"""

import ast

import pytest
from support.project import PROJECT, SHEETS

from course.authoring import sheet
from course.errors import CourseError
from course.proving import bank, strangers
from course.verdict import Verdict

PASSED, NAMED = Verdict("passed"), Verdict("failed", "✗", "sign")
NAMELESS = Verdict("failed", "✗")


def opened(name):
    return sheet.load(PROJECT / "course" / "sheets" / f"{name}.md")


@pytest.mark.parametrize("name", SHEETS)
def test_has_every_exercise_answers_of_strangers(name):
    notebook = opened(name)
    found = strangers.load(name, notebook)
    for exercise in sheet.exercises(notebook):
        own = [a for a in found if a.exercise == exercise.name]
        assert sum(a.kind == "wrong" for a in own) >= 12, exercise.name
        assert sum(a.kind == "right" for a in own) >= 4, exercise.name
        for answer in own:
            ast.parse(answer.code)
            assert any(name in answer.code for name in exercise.wants), answer.title


def test_is_an_exercise_that_the_sheet_does_not_have_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(strangers, "COURSE", tmp_path)
    path = tmp_path / "strangers" / f"{SHEETS[0]}.md"
    path.parent.mkdir()
    path.write_text("## derivativ\n\n### wrong: sign\n\n```python\nx = 1\n```\n")
    with pytest.raises(CourseError, match="no answer cell 'derivativ'"):
        strangers.load(SHEETS[0], opened(SHEETS[0]))


def test_are_accepted_and_refused_ones_counted_and_listed():
    def trial(kind, title, verdict):
        return bank.Trial(bank.Answer("derivative", kind, title, ""), verdict, ())

    found = [
        trial("wrong", "a sign", NAMED), trial("wrong", "odd", NAMELESS),
        trial("wrong", "slips by", PASSED), trial("right", "plain", PASSED),
        trial("right", "unlucky", NAMED),
    ]  # fmt: skip
    assert strangers.rows("01", found) == ["| 01 | derivative | 3 | 1 | 1 (50%) | 2 | 1 |"]
    assert strangers.to_look_at("01", found) == [
        "- 01, derivative: slips by, **accepted**",
        "- 01, derivative: unlucky, right, refused: sign",
    ]
