"""Can Canvas take in what is given back, by the rules of its own importer?"""

import csv
import dataclasses

import pytest
from support.by_hand import NAME, graded_course
from support.ledgers import book

from course.errors import CourseError
from course.term import grades
from course.term.returning import canvas
from course.term.returning.give_back import give_back

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")
HEAD = "Student,ID,SIS User ID,SIS Login ID,Integration ID,Section,{},Quiz (90),Final Score\n"
BOOK = (
    HEAD + "    Points Possible,,,,,,5.00,10.00,(read only)\n"
    ',,,,,,Manual Posting,,\n"Lovelace, Ada",4711,s-1,ada@x.org,,One,,7,50\n'
    '"Ben",4712,s-2,ben,,One,2.50,8,60\n"Stranger, A",4713,s-3,zoe,,One,,1,1\n'
)


@pytest.fixture
def root(tmp_path):
    here = graded_course(tmp_path / "course")
    with book(here) as opened:
        opened.find_student("ada").lms_user_id = "4711"
        opened.find_grade("why", NAME, NAME, "ada").manual_score = 1.5
    return here


def exported(root, heading=f"{NAME} (1234)", text=BOOK):
    path = root.parent / "gradebook.csv"
    path.write_text(text.format(heading), encoding="utf-8")
    return path


def given(root, **options):
    seen = []
    out = root.parent / "out"
    give_back(
        root, NAME, "canvas", out, say=lambda _: None, must_see=seen.append, **options
    )  # fmt: skip
    with (out / f"{NAME}-canvas.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file)), seen


def test_is_the_number_that_of_canvas_and_an_open_answer_no_zero(root):
    rows, seen = given(root)
    assert rows == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", NAME],
        ["    Points Possible", "", "", "", "", "5"],
        ["ada", "4711", "", "ada", "", "4.5"],
        ["ben", "", "", "ben", "", ""],
    ]
    assert any("ben: without Canvas's number" in line for line in seen)
    assert any("answers wait for a person" in line for line in seen)


@pytest.mark.parametrize(
    "heading", [f"{NAME} (1234)", "Sheet 01 tiny (1234)", "Tiny (7)", "01 Tiny, due Monday (7)"]
)
def test_are_headings_and_students_those_of_canvas(root, heading):
    rows, _ = given(root, exported=exported(root, f'"{heading}"'))
    assert rows[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Integration ID", "Section",
                       heading]  # fmt: skip
    assert rows[1][0].strip() == "Points Possible"
    assert rows[1][6] == "5.00"
    # Canvas removes a score where the cell is empty: what is not known here keeps what it had.
    assert [(r[1], r[6]) for r in rows[2:]] == [("4711", "4.5"), ("4712", "2.50")]


def test_is_a_column_named_where_the_name_tells_nothing(root):
    path = exported(root, "Homework A (1234)")
    with pytest.raises(CourseError, match=r"there is 'Homework A \(1234\)', 'Quiz \(90\)'; name"):
        given(root, exported=path)
    rows, _ = given(root, exported=path, column="Homework A")
    assert rows[0][6] == "Homework A (1234)"


def test_are_semicolons_and_commas_in_numbers_read(root):
    text = ("Student;ID;SIS Login ID;Section;{}\n    Points Possible;;;;5,00\n"
            "Ada;4711;a;One;\n")  # fmt: skip
    rows, seen = given(root, exported=exported(root, text=text))
    assert rows[2] == ["Ada", "4711", "a", "One", "4.5"]
    assert any("ben: not in gradebook.csv" in line for line in seen)
    assert not any("Canvas counts" in line for line in seen)


def test_are_other_points_in_canvas_told(root):
    _, seen = given(root, exported=exported(root, text=BOOK.replace("5.00", "100")))
    assert any("Canvas counts 100 points, 01-tiny is worth 5" in line for line in seen)


def test_is_a_sheet_without_a_column_left_out_of_all_sheets_and_named(root):
    """Before a sheet is on Canvas the others still go there."""
    seen = []
    found = grades.read(root, seen.append)
    later = {(student, "02-later"): one for (student, _), one in found.standings.items()}
    both = dataclasses.replace(found, standings=found.standings | later)
    rows = canvas.filled(both, exported(root), seen.append)
    assert rows[0][-1] == f"{NAME} (1234)"
    (line,) = [line for line in seen if "no column" in line]
    assert line.startswith("gradebook.csv has no column of 02-later: not in the table")
    assert "course return --to canvas --column" in line
    alone = dataclasses.replace(found, standings=later)
    with pytest.raises(CourseError, match="no single column for '02-later'"):
        canvas.filled(alone, exported(root), seen.append)
