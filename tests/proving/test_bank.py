"""Does every right answer pass, and is every wrong one told its wrong turn?"""

import dataclasses

import pytest
from support.project import PROJECT, SHEETS
from support.sample import every

from course.authoring import sheet
from course.errors import CourseError
from course.proving import bank, margins
from course.verdict import Verdict


@pytest.fixture(scope="module")
def tried(pytestconfig):
    """Return a function that tries a sheet's bank, once.

    By day on one data seed all that is right and, in each run, another fifth of what is wrong; at
    night everything on five; `make margins` on two hundred.
    """
    seeds = range(1, 6) if pytestconfig.getoption("--all-sheets") else [1]
    done = {}

    def make(name):
        if name not in done:
            notebook = sheet.load(PROJECT / "course" / "sheets" / f"{name}.md")
            wrong = [a for a in answers(name) if a.kind == "wrong"]
            rest = [a for a in answers(name) if a.kind != "wrong"]
            asked = [*rest, *every(wrong, 5, pytestconfig)]
            done[name] = list(bank.trials(notebook, asked, seeds))
        return done[name]

    return make


def answers(name):
    notebook = sheet.load(PROJECT / "course" / "sheets" / f"{name}.md")
    return bank.load(PROJECT / "course" / "answers" / f"{name}.md", notebook)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHEETS)
def test_does_each_answer_get_what_it_deserves(tried, name):
    assert margins.complaints(tried(name)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", SHEETS)
def test_is_there_room_on_both_sides_of_every_bound(tried, name):
    tight = [m for m in margins.margins(t for _, t in tried(name)) if not m.wide]
    assert tight == []


@pytest.mark.slow
@pytest.mark.parametrize("name", SHEETS)
def test_does_every_message_say_what_was_tested_expected_and_found(tried, name):
    assert [t.verdict.message for _, t in tried(name) if bank.mute(t)] == []


@pytest.mark.parametrize("name", SHEETS)
def test_has_every_exercise_enough_answers(name):
    notebook = sheet.load(PROJECT / "course" / "sheets" / f"{name}.md")
    assert bank.lacking(notebook, answers(name)) == []


def test_is_it_said_what_a_bank_lacks():
    name = SHEETS[0]
    notebook = sheet.load(PROJECT / "course" / "sheets" / f"{name}.md")
    own = [a for a in answers(name) if a.exercise == "derivative"]
    right = [a for a in own if a.kind == "right" and "noisy" not in a.title][:1]
    said = bank.lacking(notebook, [a for a in answers(name) if a.exercise != "derivative"] + right)
    assert said == [f"«derivative»: {what}" for what in (
        "4 right answers are needed, there is 1",
        "10 wrong answers are needed, there are none",
        "5 wrong turns of its own are needed, there are none",
        "a right answer is needed that prints and warns, «noisy» in its title",
        "wrong answers are needed that are told not a number, raised an error, wrong shape, "
        "wrong type",
    )]  # fmt: skip
    (said,) = bank.lacking(notebook, [*answers(name), *right])
    assert said == f"«derivative»: two answers share the title {right[0].title!r}"


@pytest.mark.slow
def test_is_a_wrong_answer_marked_as_right_noticed():
    name = SHEETS[0]
    notebook = sheet.load(PROJECT / "course" / "sheets" / f"{name}.md")
    wrong = next(a for a in answers(name) if a.kind == "wrong")
    marked = dataclasses.replace(wrong, kind="right", wrong_turn="")
    ((_, trial),) = bank.trials(notebook, [marked], [1])
    assert not trial.as_expected
    assert margins.complaints([(1, trial)])


def test_is_a_name_that_varies_listed_beside_those_of_other_sheets():
    answer = bank.Answer("derivative", "wrong", "a slip", "", "sign")
    trials = [(1, bank.Trial(answer, Verdict("failed", "✗", "sign"), ())),
              (2, bank.Trial(answer, Verdict("failed", "✗"), ())),
              (3, bank.Trial(answer, Verdict("passed"), ()))]  # fmt: skip
    (line,) = margins.other_names("01-autodiff", trials, 3)
    assert line == (
        "- 01-autodiff derivative: «a slip», on 2 of 3 «failed, no name» or «passed, no name» in "
        "the place of «sign»"
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("## nobody\n", "no answer cell 'nobody'"),
        ("## derivative\n\n### right without a colon\n", "write «### right"),
        ("## derivative\n\n### wrong: no turn\n\n```python\n```\n", "write «### right"),
        ("### right: homeless\n\n```python\n```\n", "write «### right"),
        ("## derivative\n\n### right: no code\n\n## derivative\n", "must follow the heading"),
    ],
)
def test_is_a_malformed_bank_one_sentence(tmp_path, text, says):
    notebook = sheet.load(PROJECT / "course" / "sheets" / "01-autodiff.md")
    path = tmp_path / "bank.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CourseError) as caught:
        bank.load(path, notebook)
    assert says in str(caught.value)
    assert f"{path}, line " in str(caught.value)
