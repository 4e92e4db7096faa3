"""Grades for a learning platform, from the gradebook: manual grades and late penalties count."""

import csv
import io
import unicodedata
from collections.abc import Callable
from pathlib import Path

from nbgrader.api import Student, SubmittedAssignment

from course.errors import CourseError
from course.grading.ledger import gradebook, ledger

Found = dict[tuple[str, str], SubmittedAssignment]  # by student and sheet

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # what a formula begins with, wide ones too
COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
)  # fmt: skip


def export(root: Path, form: str, say: Callable[[str], None]) -> str:
    """Return the grades of a course as the text of a CSV file.

    Args:
        root: an nbgrader course folder.
        form: a name in ``FORMS``.
        say: is told what an instructor should know before these grades are published.

    Raises:
        CourseError: there is no such form, or no gradebook with grades.
    """
    if form not in FORMS:
        raise CourseError(f"There is no format {form!r}; choose one of {', '.join(FORMS)}.")
    with gradebook.reading(root) as book:
        ledger.settle(root, book)
        found = {
            (s.student_id, a.name): s
            for a in book.assignments for s in book.assignment_submissions(a.name)
        }  # fmt: skip
        students = sorted(book.students, key=lambda s: str(s.id))
        waiting = sum(bool(s.needs_manual_grade) for s in found.values())
        sheets = sorted({sheet for _, sheet in found})
        rows = FORMS[form](students, sheets, found)
    if not found:
        raise CourseError("The gradebook holds no grades; run «course grade» first.")
    if waiting:
        say(
            f"{waiting} of {len(found)} submissions hold answers that wait for a person "
            "(nbgrader formgrader); until then these count 0."
        )
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def safe(text: str) -> str:
    """Return one line that a spreadsheet takes for text: a name may begin like a formula."""
    line = "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)
    return f"'{line}" if line.lstrip().startswith(FORMULA) else line


def plain(students: list[Student], sheets: list[str], found: Found) -> list[list]:
    """Return a row for each student and sheet, with the columns of ``nbgrader export``."""
    rows: list[list] = [list(COLUMNS)]
    for sheet in sheets:
        for student in students:
            if (one := found.get((student.id, sheet))) is None:
                continue
            rows.append([
                sheet, one.duedate or "", one.timestamp or "", *_who(student),
                _number(one.score), _number(one.late_submission_penalty or 0.0),
                _number(_final(one)), _number(one.max_score),
            ])  # fmt: skip
    return rows


def canvas(students: list[Student], sheets: list[str], found: Found) -> list[list]:
    """Return Canvas's gradebook: a row for each student, a column for each sheet.

    Canvas finds a student by the login and makes a column that it does not know into an assignment;
    the second row tells it the points. A student who handed in nothing keeps an empty cell.
    Source: the Canvas instructor guide, "How do I import grades in the Gradebook?".
    """
    most = {sheet: one.max_score for (_, sheet), one in found.items()}
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    points = ["    Points Possible", "", "", "", "", *(_number(most[s]) for s in sheets)]
    rows: list[list] = [[*head, *sheets], points]
    for student in students:
        names = [n for n in (student.last_name, student.first_name) if n]
        who = [safe(", ".join(names) or student.id), "", "", safe(student.id), ""]
        rows.append([*who, *_row(student, sheets, found)])
    return rows


def moodle(students: list[Student], sheets: list[str], found: Found) -> list[list]:
    """Return a file for Moodle's CSV import: map Username to Username, and each sheet to its item.

    Source: Moodle's documentation, "Grade import".
    """
    rows: list[list] = [["Username", "First name", "Last name", "Email address", *sheets]]
    for student in students:
        login, last, first, email = _who(student)
        rows.append([login, first, last, email, *_row(student, sheets, found)])
    return rows


def _who(student: Student) -> list[str]:
    """Return login, last name, first name and address of a student, as text and nothing else."""
    names = (student.id, student.last_name, student.first_name, student.email)
    return [safe(name or "") for name in names]


def _row(student: Student, sheets: list[str], found: Found) -> list[str]:
    all_of_it = [found.get((student.id, sheet)) for sheet in sheets]
    return ["" if one is None else _number(_final(one)) for one in all_of_it]


def _final(one: SubmittedAssignment) -> float:
    return max(0.0, one.score - (one.late_submission_penalty or 0.0))


def _number(value: float) -> str:
    return f"{value:g}"


FORMS: dict[str, Callable[[list[Student], list[str], Found], list[list]]] = {
    "csv": plain, "canvas": canvas, "moodle": moodle,
}  # fmt: skip
