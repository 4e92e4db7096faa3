"""Does `course check` say what has to be mended, and nothing else?"""

import pytest
from support.project import PROJECT, SHEETS

from course.authoring import build
from course.errors import CourseError
from course.proving import bank, checking
from course.verdict import Verdict
from helpers.check.kit import compare

NAME = SHEETS[0]


def deserved(answer):
    """Return the trial that an answer deserves, as if a check had said so."""
    said = {
        "right": "✓ passed",
        "wrong": "✗ f(x)\n  expected  1\n  got       2\n→ turn: a hint",
        "missing": "✗ f(x)\n→ unsolved: a hint",
    }[answer.kind]
    ratio = {"right": 0.01, "wrong": 100.0, "missing": 0.0}[answer.kind]
    measured = compare.Measurement("closed form", ratio)
    return bank.Trial(answer, Verdict(answer.state, said, answer.wrong_turn), (measured,))


def checked(monkeypatch, **verdicts):
    """Check sheet 01, its trials made by hand; verdicts are of the first answer of each kind."""

    def trials(notebook, answers, seeds):
        found = [deserved(answer) for answer in answers]
        for kind, verdict in verdicts.items():
            place = next(i for i, t in enumerate(found) if t.answer.kind == kind)
            found[place] = bank.Trial(found[place].answer, verdict, found[place].measured)
        return [(seeds[0], trial) for trial in found]

    monkeypatch.setattr(bank, "trials", trials)
    said, seen = [], []
    checking.check(PROJECT, NAME, [1], said.append, seen.append)
    return said, seen


def test_is_anything_to_be_seen_of_a_sheet_that_is_sound(monkeypatch):
    said, seen = checked(monkeypatch)
    assert seen == []
    assert said[0].startswith(f"{NAME}: trying ")
    line = next(line for line in said if line.startswith("derivative: "))
    assert "wrong named" in line
    assert "15 cases" in line
    assert "right at most 0.01 of the bound, wrong at least 1e+02" in line


def test_is_the_true_cause_said_where_a_check_stops(monkeypatch):
    stopped = Verdict("failed", "✗ the test cell stopped: AttributeError: no such thing")
    _, seen = checked(monkeypatch, right=stopped)
    assert any("deserves passed '', got failed" in line for line in seen)
    assert "a check itself stops, whatever the answer: AttributeError: no such thing" in seen


def test_is_a_message_that_says_too_little_told(monkeypatch):
    first = next(a for a in bank.read(PROJECT / "course" / "answers" / f"{NAME}.md",
                 [e for e in ("derivative", "beta_slope", "grad_after", "curvature",
                  "nll_gradient", "forecast_slope")]) if a.kind == "wrong")  # fmt: skip
    _, seen = checked(monkeypatch, wrong=Verdict("failed", "✗ no", first.wrong_turn))
    assert len(seen) == 1
    assert "the message lacks what was tested, expected or found" in seen[0]


def test_is_a_sheet_that_is_none_one_sentence():
    with pytest.raises(CourseError, match="There is no sheet 'nothing'"):
        checking.check(PROJECT, "nothing", [1], print, print)


def test_is_a_sheet_without_a_bank_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(build, "names", lambda root: [NAME])
    monkeypatch.setattr(build, "prepared", lambda root, name: None)
    with pytest.raises(CourseError, match="write right and wrong answers there"):
        checking.check(tmp_path, NAME, [1], print, print)
