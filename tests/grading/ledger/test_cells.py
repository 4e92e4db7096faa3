"""Does the gradebook follow a sheet that changes, and keep what a person gave?"""

import copy
import sqlite3
from contextlib import closing

import nbformat
import pytest
from nbgrader.api import Assignment, MissingEntry, Notebook
from support.classes import NAME
from support.ledgers import a_course, again, book, files, grade, rewrite, standings
from support.project import PROJECT, SHEETS

from course import stock_nbgrader
from course.errors import CourseError
from course.grading.ledger import cells, gradebook

WRITTEN = next(
    c.metadata.nbgrader.grade_id
    for c in nbformat.read(PROJECT / "source" / NAME / f"{NAME}.ipynb", as_version=4).cells
    if c.metadata.get("nbgrader", {}).get("solution") and c.metadata.nbgrader.grade
)

# nbgrader adds submissions in an order that SQLAlchemy remarks upon, with no effect.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")


@pytest.fixture
def root(tmp_path):
    """Two students; ada's answers were read: points, extra credit and words of a person."""
    root = a_course(tmp_path, "ada", "karl")
    with book(root) as opened:
        written = opened.find_grade(WRITTEN, NAME, NAME, "ada")
        written.manual_score, written.extra_credit = 1.5, 0.25
        written.needs_manual_grade = False
        opened.find_comment(WRITTEN, NAME, NAME, "ada").manual_comment = "Nearly there."
        opened.find_grade("test_derivative", NAME, NAME, "ada").manual_score = 1
        opened.find_comment("derivative", NAME, NAME, "ada").manual_comment = "See page 3."
    return root


def entered(root):
    with book(root) as opened:
        return cells.entered(opened, opened.find_notebook(NAME, NAME))


def as_stock_says(root, tmp_path):
    """Return what nbgrader's generator enters for a course's sheet into an empty gradebook."""
    other = tmp_path / "stock"
    for part in ("source/" + NAME,):
        (other / part).mkdir(parents=True)
        path = root / part / f"{NAME}.ipynb"
        (other / part / path.name).write_bytes(path.read_bytes())
    (other / "nbgrader_config.py").write_bytes((root / "nbgrader_config.py").read_bytes())
    stock_nbgrader.generate(other, NAME, "release")
    return entered(other)


def test_does_the_gradebook_hold_what_nbgraders_generator_enters(root, tmp_path):
    assert entered(root) == as_stock_says(root, tmp_path)
    assert entered(root).graded[WRITTEN] == (2, "markdown")


@pytest.mark.parametrize("name", SHEETS)
def test_can_every_sheet_be_entered(name, tmp_path):
    source = nbformat.read(PROJECT / "source" / name / f"{name}.ipynb", as_version=4)
    config = stock_nbgrader.settings(tmp_path)
    made = cells.of_source(config, name, source)
    points = sum(c.metadata.get("nbgrader", {}).get("points", 0) for c in source.cells)
    assert sum(most for most, _ in made.graded.values()) == points > 0
    text = str(made.sources)
    assert "### BEGIN SOLUTION" not in text
    assert "### BEGIN HIDDEN TESTS" in text or "check." in text


def test_do_changed_points_reach_the_gradebook(root, tmp_path):
    grade(root, "karl", test_derivative="failed")

    def change(by_name, _):
        by_name["test_derivative"].metadata.nbgrader.points = 6
        by_name[WRITTEN].metadata.nbgrader.points = 4

    rewrite(root, change)
    again(root)  # the results are the old ones: only the gradebook is brought into line
    ada, karl = standings(root)["ada"], standings(root)["karl"]
    assert ada.max_score == karl.max_score == 14 + 4 + 2
    assert ada.marks["test_derivative"].manual == 1, "what a person gave stays"
    assert (ada.marks[WRITTEN].manual, ada.marks[WRITTEN].extra) == (1.5, 0.25)
    assert ada.words == {WRITTEN: "Nearly there.", "derivative": "See page 3."}
    assert karl.marks["test_derivative"].auto == 0
    grade(root, "ada", "karl")
    assert standings(root)["karl"].marks["test_derivative"].auto == 6
    assert entered(root) == as_stock_says(root, tmp_path)


def test_does_a_test_keep_its_share_before_it_is_graded_again(root):
    rewrite(root, lambda by_name, _: by_name["test_derivative"].metadata.nbgrader.update(points=6))
    with book(root) as opened:
        config = stock_nbgrader.settings(root)
        cells.bring_into_line(opened, root, config, NAME, print)
    assert standings(root)["karl"].marks["test_derivative"].auto == 6


def test_does_an_added_question_get_a_row_in_every_submission(root, tmp_path):
    def change(by_name, notebook):
        for name, new in ((WRITTEN, "another"), ("test_derivative", "test_more")):
            cell = copy.deepcopy(by_name[name])
            cell.metadata.nbgrader.grade_id, cell.id = new, new
            notebook.cells.append(cell)

    rewrite(root, change)
    grade(root, "karl")
    found = standings(root)
    assert found["ada"].marks["another"].waits
    assert found["ada"].marks["test_more"].auto is None, "she was not graded again yet"
    assert found["ada"].automatic.keys() >= {"another"}
    assert found["karl"].marks["test_more"].auto == 2
    assert found["ada"].words == {WRITTEN: "Nearly there.", "derivative": "See page 3."}
    assert entered(root) == as_stock_says(root, tmp_path)
    with book(root) as opened:
        assert opened.find_notebook(NAME, NAME).needs_manual_grade, "the formgrader shows it"


def test_is_a_removed_question_taken_out_and_what_was_given_kept_in_a_copy(root, tmp_path):
    def change(by_name, notebook):
        notebook.cells = [c for c in notebook.cells if c != by_name[WRITTEN]]

    rewrite(root, change)
    said = []
    grade(root, "ada", "karl", say=said.append)
    found = standings(root)
    assert WRITTEN not in found["ada"].marks
    assert found["ada"].max_score == 12
    assert found["ada"].words == {"derivative": "See page 3."}
    assert entered(root) == as_stock_says(root, tmp_path)
    assert any("1 grades and 1 comments of a person" in line for line in said), said
    (copied,) = (root / ".course").glob("gradebook-*.db")
    with closing(sqlite3.connect(copied)) as before:
        words = before.execute("select manual_comment from comment").fetchall()
        assert ("Nearly there.",) in words
        assert (1.5,) in before.execute("select manual_score from grade").fetchall()


def test_does_a_question_that_changes_its_kind_keep_what_was_given(root, tmp_path):
    def change(by_name, _):
        cell = by_name[WRITTEN]
        cell.metadata.nbgrader.update(grade=False, solution=False, task=True, locked=True)

    rewrite(root, change)
    grade(root, "karl")
    ada = standings(root)["ada"]
    assert (ada.marks[WRITTEN].manual, ada.marks[WRITTEN].extra) == (1.5, 0.25)
    assert ada.words[WRITTEN] == "Nearly there."
    assert entered(root) == as_stock_says(root, tmp_path)
    assert WRITTEN in entered(root).tasks

    def back(by_name, _):
        cell = by_name[WRITTEN]
        cell.metadata.nbgrader.update(grade=True, solution=True, task=False, locked=False)

    rewrite(root, back)
    grade(root, "karl")
    ada = standings(root)["ada"]
    assert (ada.marks[WRITTEN].manual, ada.words[WRITTEN]) == (1.5, "Nearly there.")
    assert entered(root) == as_stock_says(root, tmp_path / "again")


def test_does_a_test_that_a_person_grades_from_now_on_wait(root, tmp_path):
    def change(by_name, _):
        by_name["test_derivative"].metadata.nbgrader.solution = True
        by_name["test_derivative"].metadata.nbgrader.locked = False

    rewrite(root, change)
    grade(root, "karl")
    karl, ada = standings(root)["karl"], standings(root)["ada"]
    assert karl.marks["test_derivative"].auto is None
    assert karl.marks["test_derivative"].waits
    assert ada.marks["test_derivative"].manual == 1
    assert entered(root) == as_stock_says(root, tmp_path)


def test_does_stock_nbgrader_generate_the_sheet_after_it_was_changed(root):
    """It refuses ("Cannot add or remove cells") where the gradebook holds other cells."""

    def change(by_name, notebook):
        cell = copy.deepcopy(by_name[WRITTEN])
        cell.metadata.nbgrader.grade_id, cell.id = "another", "another"
        notebook.cells.append(cell)

    rewrite(root, change)
    with pytest.raises(CourseError, match="Cannot add or remove cells"):
        stock_nbgrader.generate(root, NAME, "release")
    grade(root, "karl")
    stock_nbgrader.generate(root, NAME, "release")


def test_is_the_instructor_told_of_points_above_what_a_question_is_worth_now(root):
    rewrite(root, lambda by_name, _: by_name[WRITTEN].metadata.nbgrader.update(points=1))
    said = []
    again(root, said.append)
    assert any(f"above what {WRITTEN} is worth" in line for line in said), said


def test_is_a_changed_text_entered_and_nothing_else_touched(root):
    rewrite(root, lambda by_name, _: by_name["test_derivative"].update(source="assert derivative"))
    before = standings(root)
    again(root)
    assert entered(root).sources["test_derivative"][2] == "assert derivative"
    assert standings(root) == before


def test_does_a_second_run_write_or_copy_anything(root):
    rewrite(root, lambda by_name, _: by_name["test_derivative"].metadata.nbgrader.update(points=6))
    grade(root, "ada", "karl")
    before = files(root)
    assert sum("gradebook-" in name for name in before) == 1
    again(root)
    assert files(root) == before


def test_is_a_sheet_that_nbgrader_refuses_one_sentence(root):
    def change(by_name, _):
        by_name["test_derivative"].metadata.nbgrader.grade_id = "derivative"

    rewrite(root, change)
    with pytest.raises(CourseError, match=r"01-autodiff.ipynb: nbgrader cannot enter the sheet"):
        again(root)


def test_is_a_sheet_without_submissions_changed_without_a_copy(tmp_path):
    root = a_course(tmp_path)
    rewrite(root, lambda by_name, _: by_name["test_derivative"].metadata.nbgrader.update(points=6))
    with gradebook.opened(root, [NAME], stock_nbgrader.settings(root), print):
        pass
    assert entered(root).grades["test_derivative"] == (6, "code")
    assert not list(root.glob(".course/*.db"))


def test_is_another_notebook_of_the_course_left_alone(root):
    with book(root) as opened:
        opened.add_assignment("essay")
        opened.add_notebook("essay", "essay")
        opened.add_grade_cell("q", "essay", "essay", max_score=1, cell_type="markdown")
    rewrite(root, lambda by_name, _: by_name["test_derivative"].metadata.nbgrader.update(points=6))
    again(root)
    with book(root) as opened:
        assert opened.find_grade_cell("q", "essay", "essay").max_score == 1
        with pytest.raises(MissingEntry):
            opened.find_grade_cell("q", NAME, NAME)
        assert opened.db.query(Assignment).count() == opened.db.query(Notebook).count() == 2
