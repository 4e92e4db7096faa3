"""Does every right answer pass, and is every wrong one told its wrong turn?"""

import dataclasses

import pytest
from support.project import PROJECT, SHEETS
from support.sample import every

from course.authoring import sheet
from course.errors import CourseError
from course.proving import bank, margins


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
            done[name] = [(s, trial) for s in seeds for trial in bank.trials(notebook, asked, s)]
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
    for _, trial in tried(name):
        lines = trial.verdict.message.splitlines()
        if trial.answer.kind == "wrong":
            heads = [line.split()[0] for line in lines if not line.startswith("  again ")]
            assert heads == ["✗", "expected", "got", "→"], trial.verdict.message
        elif trial.answer.kind == "missing":
            assert lines[0].startswith("✗")
            assert lines[-1].startswith("→")
        else:
            assert all(line.startswith("✓") for line in lines)
            assert lines


@pytest.mark.parametrize("name", SHEETS)
def test_has_every_exercise_enough_answers(name):
    notebook = sheet.load(PROJECT / "course" / "sheets" / f"{name}.md")
    bank_of_it = answers(name)
    for exercise in sheet.exercises(notebook):
        own = [a for a in bank_of_it if a.exercise == exercise.name]
        turns = {a.wrong_turn for a in own if a.kind == "wrong"}
        generic = {"wrong type", "wrong shape", "not a number", "raised an error"}
        given = notebook.cells[exercise.answer_index].source
        if not all(f"def {name}(" in given for name in exercise.wants):
            generic.remove("raised an error")  # a value that raises was never made
        assert sum(a.kind == "right" for a in own) >= 4, exercise.name
        assert any("noisy" in a.title for a in own), exercise.name
        # One of them may go by another name: of an exercise with a turn that gives NaN, say.
        assert len(generic - turns) <= 1, exercise.name
        assert len(turns - generic) >= 5, exercise.name
        assert sum(a.kind == "wrong" for a in own) >= 10, exercise.name
        assert {a.title for a in own if a.kind == "missing"} == {"unsolved", "missing name"}
        assert len({a.title for a in own}) == len(own), (
            f"{exercise.name}: two answers share a title"
        )


@pytest.mark.slow
def test_is_a_wrong_answer_marked_as_right_noticed():
    name = SHEETS[0]
    notebook = sheet.load(PROJECT / "course" / "sheets" / f"{name}.md")
    wrong = next(a for a in answers(name) if a.kind == "wrong")
    marked = dataclasses.replace(wrong, kind="right", wrong_turn="")
    (trial,) = bank.trials(notebook, [marked], 1)
    assert not trial.as_expected
    assert margins.complaints([(1, trial)])


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
