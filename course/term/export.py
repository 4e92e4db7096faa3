"""Grades for a learning platform, from the gradebook: manual grades and late penalties count.

What is not known yet is an empty cell and no zero: nothing handed in, or a written answer that
waits.
"""

from collections.abc import Callable
from pathlib import Path

from course.errors import CourseError
from course.term import grades
from course.term.grades import Grades, as_text, number, safe
from course.term.returning import canvas as canvas_table

COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
)  # fmt: skip


def export(root: Path, form: str, say: Callable[[str], None], exported: Path | None = None) -> str:
    """Return the grades of a course as the text of a CSV file.

    Args:
        root: an nbgrader course folder.
        form: a name in ``FORMS``.
        say: is told what an instructor should know before these grades are published.
        exported: a gradebook as Canvas exports it, whose headings and numbers are taken.

    Raises:
        CourseError: there is no such form, or no gradebook with grades.
    """
    if form not in FORMS:
        raise CourseError(f"There is no format {form!r}; choose one of {', '.join(FORMS)}.")
    if exported is not None and form != "canvas":
        raise CourseError(f"--exported takes a gradebook of Canvas; the format is {form}.")
    found = grades.read(root, say)
    rows = canvas_table.filled(found, exported, say) if exported else FORMS[form](found)
    return as_text(rows)


def plain(found: Grades) -> list[list[str]]:
    """Return a row for each student and sheet, with the columns of ``nbgrader export``."""
    rows: list[list[str]] = [list(COLUMNS)]
    for sheet in found.sheets:
        for student in found.students:
            if (one := found.standings.get((student.id, sheet))) is None:
                continue
            who = (student.id, student.last_name, student.first_name, student.email)
            rows.append([
                sheet, str(one.due or ""), str(one.timestamp or ""), *map(safe, who),
                number(one.raw), number(one.penalty or 0.0), found.cell(student.id, sheet),
                number(one.max_score),
            ])  # fmt: skip
    return rows


def moodle(found: Grades) -> list[list[str]]:
    """Return a file for Moodle's CSV import: map Username to Username, and each sheet to its item.

    Source: Moodle's documentation, "Grade import".
    """
    rows = [["Username", "First name", "Last name", "Email address", *found.sheets]]
    for student in found.students:
        who = (student.id, student.first_name, student.last_name, student.email)
        rows.append([*map(safe, who), *(found.cell(student.id, s) for s in found.sheets)])
    return rows


FORMS: dict[str, Callable[[Grades], list[list[str]]]] = {
    "csv": plain, "canvas": canvas_table.table, "moodle": moodle,
}  # fmt: skip
