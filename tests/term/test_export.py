"""Does a learning platform get the grades that the gradebook holds?"""

import csv
import io

import pytest
from nbgrader.plugins.export import CsvExportPlugin
from support import gradebooks
from typer.testing import CliRunner

from course import cli
from course.errors import CourseError
from course.term import export

# nbgrader adds submissions in an order that SQLAlchemy remarks upon, with no effect.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")


@pytest.fixture
def root(tmp_path):
    """Two sheets, a manual answer in the first, which one student handed in late."""
    with gradebooks.opened(tmp_path) as book:
        for sheet in ("01-one", "02-two"):
            book.add_assignment(sheet)
            book.add_notebook(sheet, sheet)
            book.add_grade_cell("test_it", sheet, sheet, max_score=3, cell_type="code")
        book.add_grade_cell("written", "01-one", "01-one", max_score=2, cell_type="markdown")
        book.add_student("ada", first_name="Ada", last_name="Lovelace, née Byron")
        book.add_student("karl", email="karl@example.org")
        book.add_student("nobody")
        for student, sheet in (("ada", "01-one"), ("ada", "02-two"), ("karl", "01-one")):
            submission = book.add_submission(sheet, student)
            for grade in submission.notebooks[0].grades:
                grade.auto_score = 3 if grade.name == "test_it" else None
                grade.needs_manual_grade = student == "karl" and grade.name == "written"
                grade.manual_score = 1.5 if (student, grade.name) == ("ada", "written") else None
            submission.notebooks[0].late_submission_penalty = 1 if student == "karl" else None
        book.db.commit()
    return tmp_path


def table(text):
    return list(csv.reader(io.StringIO(text)))


def test_does_canvas_get_points_names_and_empty_cells(root):
    assert table(export.export(root, "canvas", print)) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "01-one", "02-two"],
        ["    Points Possible", "", "", "", "", "5", "3"],
        ["Lovelace, née Byron, Ada", "", "", "ada", "", "4.5", "3"],
        ["karl", "", "", "karl", "", "", ""],  # a written answer waits
        ["nobody", "", "", "nobody", "", "", ""],
    ]


def test_does_moodle_get_a_row_a_student(root):
    assert table(export.export(root, "moodle", print)) == [
        ["Username", "First name", "Last name", "Email address", "01-one", "02-two"],
        ["ada", "Ada", "Lovelace, née Byron", "", "4.5", "3"],
        ["karl", "", "", "karl@example.org", "", ""],
        ["nobody", "", "", "", "", ""],
    ]


def test_is_the_plain_table_what_nbgrader_exports(root, tmp_path):
    ours = table(export.export(root, "csv", print))
    with gradebooks.opened(root) as book:
        student = book.find_student("ada")
        student.last_name = "Lovelace"  # nbgrader's exporter does not quote
        book.db.commit()
        CsvExportPlugin(to=str(tmp_path / "theirs.csv")).export(book)
    theirs = table((tmp_path / "theirs.csv").read_text())
    assert ours[0] == theirs[0]
    by_key = {(row[0], row[3]): row for row in theirs[1:]}
    assert len(ours) == 4
    for row in ours[1:]:
        other = by_key[row[0], row[3]]
        numbers = [float(x) if x else None for x in row[7:]]
        expected = [float(x or 0) for x in other[7:]]
        if (row[0], row[3]) == ("01-one", "karl"):
            expected[2] = None  # nbgrader counts what waits for a person as 0
        assert numbers == expected
        assert row[6] == other[6].replace("None", "")


def test_does_canvas_get_its_own_numbers_and_headings(root, tmp_path):
    with gradebooks.opened(root) as book:
        book.find_student("ada").lms_user_id = "4711"
        book.db.commit()
    assert table(export.export(root, "canvas", print))[2][1] == "4711"
    (tmp_path / "book.csv").write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,One (12),Two (13)\n"
        "    Points Possible,,,,,5,3\nAda L,4711,s1,ada,A,,\nKarl,99,s2,karl,A,3,\n"
    )
    assert table(export.export(root, "canvas", print, tmp_path / "book.csv")) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "One (12)", "Two (13)"],
        ["    Points Possible", "", "", "", "", "5", "3"],
        ["Ada L", "4711", "s1", "ada", "A", "4.5", "3"],
        ["Karl", "99", "s2", "karl", "A", "3", ""],
    ]


def test_is_the_instructor_told_what_waits_for_a_person(root):
    said = []
    export.export(root, "csv", said.append)
    assert len(said) == 1
    assert "wait for a person" in said[0]
    assert "1 to read, of karl, without a final score till then" in said[0]
    with gradebooks.opened(root) as book:
        book.find_grade("written", "01-one", "01-one", "ada").needs_manual_grade = True
        book.find_grade("written", "01-one", "01-one", "karl").manual_score = 20
        book.db.commit()
    said.clear()
    export.export(root, "csv", said.append)
    assert len(said) == 2
    assert "2 to read again, of ada, karl, with points that were given before" in said[0]
    assert "to read," not in said[0]
    assert said[1].endswith("by a person: karl, 01-one: written has 20 of 2")


@pytest.mark.parametrize("form", ["excel", ""])
def test_is_an_unknown_format_named(root, form):
    with pytest.raises(CourseError, match="csv, canvas, moodle"):
        export.export(root, form, print)


def test_does_a_course_without_grades_get_one_sentence(tmp_path):
    with pytest.raises(CourseError, match="does not exist; run «course grade»"):
        export.export(tmp_path, "csv", print)
    (tmp_path / "gradebook.db").write_text("not a database, but long enough to be looked at")
    with pytest.raises(CourseError, match="cannot be read"):
        export.export(tmp_path, "csv", print)
    (tmp_path / "gradebook.db").unlink()
    gradebooks.opened(tmp_path).close()
    with pytest.raises(CourseError, match="holds no grades"):
        export.export(tmp_path, "csv", print)


def test_does_the_command_print_nothing_but_the_table(root):
    ran = CliRunner().invoke(cli.app, ["export", "--format", "moodle", "--root", str(root)])
    assert ran.exit_code == 0
    assert table(ran.stdout)[1][0] == "ada"
    assert "wait for a person" in ran.stderr
