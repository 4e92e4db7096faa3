"""Moodle's offline grading worksheet, filled in, and the zip of «Upload multiple feedback files».

Moodle's importer finds a participant by the digits of Identifier, takes Grade, and skips a row that
was graded later than Last modified (grade) says, an empty Grade, and one above the maximum;
feedback columns replace what is there. Of a zip it takes files named
FULLNAME_NUMBER_PLUGIN_SUBPLUGIN_FILE, by the number, which is the one in Identifier and in the
names of «Download all submissions».

Source: Moodle's documentation, "Assignment settings" (Feedback types) and "Using Assignment", and
what its importers read (`mod/assign/feedback/offline`, `mod/assign/feedback/file`).
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from course.errors import CourseError
from course.files import listed
from course.term import tables
from course.term.collecting import roster
from course.term.collecting.worksheet import IDENTIFIER, exported_table, participant
from course.term.grades import Grades, number, safe

GRADE, MODIFIED = "Grade", "Last modified (grade)"
MOST, MAY_CHANGE = ("Maximum grade", "Maximum Grade"), "Grade can be changed"
# What Moodle's importer does not read: who a participant is.
WHO = ("Full name", "First name", "Last name", "ID number", "Email address", "Username")
COLUMNS = (IDENTIFIER, "Full name", "Email address", GRADE, "Maximum grade", MODIFIED)


def worksheet(
    found: Grades, sheet: str, numbers: Mapping[str, str], must_see: Callable[[str], None]
) -> list[list[str]]:  # fmt: skip
    """Return a worksheet with the columns that Moodle's importer needs.

    Args:
        found: the grades.
        sheet: the sheet.
        numbers: Moodle's numbers of students in this assignment, by student.
        must_see: is told of grades that Moodle will not take.
    """
    most = found.most(sheet)
    rows, refused = [list(COLUMNS)], list[str]()
    for one in found.students:
        if one.id in numbers:
            name, mark = safe(full_name(one)), found.cell(one.id, sheet)
            who = [f"Participant {numbers[one.id]}", name, safe(one.email)]
            rows.append([*who, mark, number(most), "-"])
            refused += _above(one.id, mark, most)
    _left_out(refused, must_see)
    return rows


def _above(student: str, mark: str, most: float) -> list[str]:
    return [f"{student} ({mark}, above the maximum)"] if mark and float(mark) > most else []


def _left_out(refused: list[str], must_see: Callable[[str], None]) -> None:
    if refused:
        must_see(
            f"Moodle will leave these grades out: {listed(refused)}; enter them there by hand, or "
            "let a grade item of its own hold what is above"
        )


def filled(
    found: Grades, sheet: str, exported: Path, numbers: Mapping[str, str],
    must_see: Callable[[str], None],
) -> tuple[tables.Table, dict[str, str]]:  # fmt: skip
    """Return Moodle's worksheet with the grades in it, and the numbers of the students.

    What is not known here keeps what Moodle had.

    Args:
        found: the grades.
        sheet: the sheet.
        exported: the worksheet as Moodle gave it.
        numbers: Moodle's numbers, by student, as far as archives of submissions told them.
        must_see: is told of students without a row, and of grades that Moodle will not take.

    Raises:
        CourseError: it is no worksheet, or another maximum grade is set in Moodle.
    """
    given = exported_table(exported, GRADE, MODIFIED)
    most = next((given.head.index(name) for name in MOST if name in given.head), None)
    at = given.head.index(GRADE)
    worth = found.most(sheet)
    names, by_number = roster.Names(found.students), {n: s for s, n in numbers.items()}
    students = {s.id: s for s in found.students}
    rows, found_numbers, refused = [given.head], dict[str, str](), list[str]()
    for row in given.rows[1:]:
        cells = dict(zip(given.head, row, strict=True))
        unique = participant(cells[IDENTIFIER])
        one = students.get(by_number.get(unique, "")) or _student(cells, names)
        row = [safe(c) if h in WHO else c for h, c in zip(given.head, row, strict=True)]
        if one is not None:
            found_numbers[one.id] = unique
            if mark := found.cell(one.id, sheet):
                row[at] = mark
                if most is not None:
                    _same_points(row[most], worth, sheet, exported)
                    refused += _above(one.id, mark, worth)
                if cells.get(MAY_CHANGE, "").casefold() == "no":
                    refused.append(f"{one.id} (locked in Moodle)")
        rows.append(row)
    left = sorted({s for s, name in found.standings if name == sheet} - found_numbers.keys())
    if left:
        must_see(f"{listed(left)}: not in {exported.name}; nothing is given back to them")
    _left_out(refused, must_see)
    return tables.Table(given.path, rows, given.separator), found_numbers


def _same_points(there: str, most: float, sheet: str, exported: Path) -> None:
    points = re.sub(r"[^\d.]", "", there.replace(",", "."))
    if points and float(points) != most:
        raise CourseError(
            f"{exported}: Moodle counts {points} points, {sheet} is worth {number(most)}; set "
            "«Maximum grade» of the assignment to that, then download the worksheet again."
        )


def _student(cells: Mapping[str, str], names: roster.Names) -> roster.Student | None:
    """Return the student whom a row of a worksheet means; None where nobody or several may be."""
    address = cells.get("Email address", "").strip().casefold()
    by_address = [s for s in names.known if address and s.email.casefold() == address]
    if len(by_address) == 1:
        return by_address[0]
    full = cells.get("Full name") or f"{cells.get('First name', '')} {cells.get('Last name', '')}"
    for known_as in (cells.get("ID number", ""), cells.get("Username", ""), full):
        meant = names.of(known_as, "") if known_as.strip() else []
        if len(meant) == 1:
            return meant[0]
    return None


def full_name(student: roster.Student) -> str:
    """Return a student's name as Moodle writes it, the id where none is known."""
    return " ".join(n for n in (student.first_name, student.last_name) if n) or student.id


def feedback_name(student: roster.Student, unique: str, file: str) -> str:
    """Return the name by which Moodle finds the participant of a feedback file.

    Args:
        student: whose it is; the name is for people, so that nothing in it is taken for a number.
        unique: Moodle's number of the participant.
        file: the name that the student sees.
    """
    name = re.sub(r"[_/\\\x00-\x1f]+", " ", full_name(student)).strip(" .~") or "student"
    return f"{name}_{unique}_assignsubmission_file_{file}"
