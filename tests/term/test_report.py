"""Does the report say what the gradebook holds?"""

import contextlib
import io

import pytest
from support.classes import NAME
from support.ledgers import a_course, book, grade, standings

from course.term import report

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")
LATE = 'c.LateSubmissionPlugin.penalty_method = "zero"\n'


def whole(root):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        report.show(root, report.graded(root, []))
    return " ".join(text.getvalue().split())


def read(root, student, points):
    written = next(n for n, m in standings(root)[student].marks.items() if m.auto is None)
    with book(root) as opened:
        one = opened.find_grade(written, NAME, NAME, student)
        one.manual_score, one.extra_credit, one.needs_manual_grade = points, 0.5, False


def test_does_the_report_say_that_answers_wait_and_when_they_were_read(tmp_path):
    root = a_course(tmp_path, "ada", "karl", due=None)
    assert "12 +2 / 14" in whole(root)
    assert "2 wait for a person" in whole(root)
    read(root, "ada", 1)
    read(root, "karl", 2)
    after = whole(root)
    assert "wait for a person" not in after.replace("«+n» waits for a person", "")
    assert "2 read, 2 points on average" in after
    assert "13.5 / 14" in after
    assert "14.5 / 14" in after
    assert "+2" not in after


def test_are_those_named_whose_answers_wait_or_have_too_many_points(tmp_path):
    root = a_course(tmp_path, "ada", "ben", "dan", "karl", "zoe", due=None)
    assert "5 to read, of ada, ben, dan and 2 more, without a final score" in whole(root)
    for student in ("ada", "ben", "dan", "karl", "zoe"):
        read(root, student, 20 if student == "zoe" else 1)
    assert "answers wait" not in whole(root)
    seen = []
    with contextlib.redirect_stdout(io.StringIO()):
        report.show(root, report.graded(root, []), must_see=seen.append)
    assert len(seen) == 1
    assert f"zoe, {NAME}: " in seen[0]
    assert seen[0].endswith("has 20 of 2")
    grade(root, "karl")
    assert "1 to read again, of karl, with points that were given before" in whole(root)


def test_does_the_report_take_late_points_off_and_give_them_back(tmp_path):
    root = a_course(tmp_path, "ada", config=LATE)
    assert "0 +2 / 14 late −12" in whole(root)
    with book(root) as opened:
        opened.grant_extension(NAME, "ada", days=5)
    assert "12 +2 / 14" in whole(root)
    assert "late −12" not in whole(root)


def test_is_a_result_that_the_gradebook_does_not_know_told(tmp_path):
    root = a_course(tmp_path, "ada", due=None)
    with book(root) as opened:
        opened.remove_submission(NAME, "ada")
    assert "(not in the gradebook)" in whole(root)
