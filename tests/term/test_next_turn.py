"""Does a group of nameless answers become the next answer of the bank?"""

import pytest
from support.by_hand import NAME, ByHand, course, grade_by_hand, graded, hand_in, notebook

from course.errors import CourseError
from course.grading.ledger import records
from course.proving import bank
from course.term import answers, behaviour, next_turn

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")
BANK = (
    "# Answers\n\n## slope\n\n### right: two\n\n```python\nslope = 2\n## not a heading\n```\n\n"
    "## other\n"
)


def wrong(job):
    one = graded(job, "failed", "✗ slope\ngot 3")
    return type(one)(one.result, job.submission.decode(), {}, 1)


@pytest.fixture
def root(tmp_path):
    here = course(tmp_path / "course", ["ada", "ben"])
    for student in ("ada", "ben"):
        hand_in(here, student, notebook(slope=f"# {student}\nslope = 1 + 2", why="So."))
    grade_by_hand(here, ByHand(everyone=wrong))
    (tmp_path / "course" / "answers").mkdir(parents=True)
    (tmp_path / "course" / "answers" / f"{NAME}.md").write_text(BANK)
    return here


def begun(root, group, name="adds up"):
    said = []
    next_turn.begin(root.parent, root, NAME, group, name, said.append, lambda _: None)
    return said


def mark(root):
    results = records.graded(root, [])
    (group,) = behaviour.groups(root, results, lambda _: None)
    return next_turn.mark(group, answers.of(root, results[0]))


def test_does_the_bank_load_the_new_answer(root):
    path = root.parent / "course" / "answers" / f"{NAME}.md"
    (said,) = begun(root, mark(root))
    assert "«adds up»" in said
    found = bank.read(path, ["slope", "other"])
    assert [(a.exercise, a.kind, a.wrong_turn) for a in found] == [
        ("slope", "right", ""), ("slope", "wrong", "adds up"),
    ]  # fmt: skip
    assert found[1].code == "slope = 1 + 2"
    assert "as 2 of a class wrote it" in found[1].title
    assert path.read_text().endswith("\n## other\n")
    with pytest.raises(CourseError, match="holds group"):
        begun(root, mark(root))


def test_does_an_exercise_without_a_section_get_one():
    text = next_turn.with_answer("# Answers\n\n## other\n", "slope", "### wrong: a → b\n")
    assert text == "# Answers\n\n## other\n\n## slope\n\n### wrong: a → b\n"


@pytest.mark.parametrize(
    ("group", "name", "says"),
    [("gnone", "adds up", "has no group 'gnone'; there are g"),
     ("", "", "is no name of a wrong turn"), ("", "a → b", "is no name of a wrong turn")],
)  # fmt: skip
def test_is_what_cannot_be_begun_one_sentence(root, group, name, says):
    with pytest.raises(CourseError, match=says):
        begun(root, group, name)
    assert (root.parent / "course" / "answers" / f"{NAME}.md").read_text() == BANK
