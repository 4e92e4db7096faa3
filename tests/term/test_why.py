"""Does one command say all that is known of an answer?"""

import dataclasses

import pytest
from support.by_hand import NAME, ByHand, course, grade_by_hand, graded, hand_in, notebook
from support.ledgers import book

from course.errors import CourseError
from course.term.why import why

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")
WRONG = "✗ slope\nexpected 2\ngot 3\n→ doubled: …"


def doubled(job):
    one = graded(job, "failed", WRONG)
    test = dataclasses.replace(one.result.tests["test_slope"], wrong_turn="doubled")
    tests = one.result.tests | {"test_slope": test}
    return dataclasses.replace(one, result=dataclasses.replace(one.result, tests=tests))


@pytest.fixture
def root(tmp_path):
    here = course(tmp_path)
    hand_in(here, "ben", notebook(slope="slope = 3", why="Because."))
    grade_by_hand(here, ByHand(ben=doubled))
    return here


@pytest.mark.parametrize("asked", ["slope", "test_slope"])
def test_are_answer_verdict_and_points_said(root, asked):
    said = why(root, "ben", asked)
    assert said.startswith(f"ben, {NAME}, slope, handed in 2026-11-01 12:00 UTC")
    for part in ("slope = ", "failed, doubled", "expected 2", "points: 0 of 3", "COURSE_DATA_SEED"):
        assert part in said
    assert "points: 3 of 3" in why(root, "ada", asked)


def test_are_a_persons_points_and_words_said(root):
    said = why(root, "ben", "why")
    assert "points: none yet of 2; waits for a person" in said
    assert "COURSE_DATA_SEED" not in said, "nobody asks a written answer again"
    assert "\n\n\n" not in said, "where the judge has no words, no room is left for them"
    with book(root) as opened:
        written = opened.find_grade("why", NAME, NAME, "ben")
        written.manual_score, written.extra_credit, written.needs_manual_grade = 1, 0.5, False
        opened.find_comment("why", NAME, NAME, "ben").manual_comment = "Say of what."
        opened.find_grade("test_slope", NAME, NAME, "ben").manual_score = 2
    said = why(root, "ben", "why")
    assert "points: 1.5 of 2; 1 given by a person; 0.5 extra" in said
    assert "    Say of what." in said
    assert "2 of 3; 2 given by a person, in place of 0" in why(root, "ben", "slope")
    assert "to be read again" not in said
    hand_in(root, "ben", notebook(slope="slope = 3", why="Because of this."))
    grade_by_hand(root, ByHand(ben=doubled))
    assert "1 given by a person; before the answer was graded again" in why(root, "ben", "why")


@pytest.mark.parametrize(
    ("student", "exercise", "says"),
    [("eve", "slope", "Nothing of 'eve' was graded"), ("ada", "slop", "there are test_slope, why")],
)
def test_is_who_or_what_is_not_there_one_sentence(root, student, exercise, says):
    with pytest.raises(CourseError, match=says):
        why(root, student, exercise)
