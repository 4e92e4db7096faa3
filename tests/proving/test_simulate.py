"""Does a simulated class get the grades that the bank says it deserves?"""

import json

import pytest
from support.pages import pages
from support.project import PROJECT, SHEETS

from course.errors import CourseError
from course.grading import grade
from course.proving import simulate

pytestmark = pytest.mark.slow
STUDENTS = 8
CLASS = ["01-autodiff", "03-sgd"]  # all of them with --all-sheets


@pytest.fixture(scope="module")
def sheets(pytestconfig):
    return SHEETS if pytestconfig.getoption("--all-sheets") else CLASS


@pytest.fixture(scope="module")
def graded(tmp_path_factory, caged, sheets):
    root = tmp_path_factory.mktemp("class") / "demo"
    simulate.simulate(PROJECT, root, STUDENTS, 1, sheets, lambda _: None)
    results = grade.grade_class(root, [], [], no_cage=not caged, workers=1, say=lambda _: None)
    return root, results


def test_does_every_answer_get_the_state_and_the_wrong_turn_it_deserves(graded, sheets):
    root, results = graded
    record = json.loads((root / simulate.DESERVED).read_text())["students"]
    assert len(results) == STUDENTS * len(sheets)
    for result in results:
        for test, deserved in record[result.student][result.sheet].items():
            got = result.tests[test]
            assert {"state": got.state, "wrong_turn": got.wrong_turn} == deserved, (
                result.student, result.sheet, test, got.message,
            )  # fmt: skip


def test_does_every_score_equal_what_the_bank_says(graded):
    root, results = graded
    for result in results:
        expected = simulate.expected_score(root, result.student, result.sheet)
        assert result.score == expected, (result.student, result.sheet)


def test_is_the_class_a_mixed_one(graded):
    _, results = graded
    states = {t.state for r in results for t in r.tests.values()}
    assert states >= {"passed", "failed", "missing", "crashed", "refused", "manual"}
    assert len({t.wrong_turn for r in results for t in r.tests.values()}) > 5


def test_is_the_same_class_left_alone_and_another_folder_refused(graded, sheets, tmp_path):
    root, _ = graded
    said = []
    simulate.simulate(PROJECT, root, STUDENTS, 1, sheets, said.append)
    assert "nothing changed" in said[0]
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(CourseError, match="not empty"):
        simulate.simulate(PROJECT, tmp_path, 2, 0, [], print)
    with pytest.raises(CourseError, match="no sheet 'x'"):
        simulate.simulate(PROJECT, tmp_path / "new", 2, 0, ["x"], print)


def test_is_the_picture_of_a_class_what_grading_it_prints(graded):
    root, _ = graded
    assert pages.CLASS.read_text(encoding="utf-8") == pages.class_picture(root), "make pages"
