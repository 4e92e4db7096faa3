"""Canvas's gradebook as a CSV file.

Canvas finds a student by its own number in ID, else by SIS User ID, SIS Login ID or the name, and
an assignment by the number that its heading ends in, «Name (1234)», else by the name alone; a
heading that it does not know becomes a new assignment. The second row tells the points. An empty
cell takes a score away that is there, so what is not known here keeps what Canvas had.

Source: the Canvas instructor guide, "How do I import grades in the Gradebook?", and what Canvas's
own importer reads (`lib/gradebook_importer.rb`).
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from course.errors import CourseError
from course.files import listed
from course.term import tables
from course.term.collecting import roster
from course.term.grades import Grades, number, safe

COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
# The last two stand there only where a school has them.
OF_STUDENTS = ("Student", "LastName", "FirstName", "ID", "SIS User ID", "SIS Login ID", "Section",
               "Integration ID", "Root Account")  # fmt: skip
POINTS = "Points Possible"
NUMBERED = re.compile(r"(?P<title>.*) \((?P<id>\d+)\)")


def table(found: Grades) -> list[list[str]]:
    """Return a row for each student, a column for each sheet.

    A student who handed in nothing, and one whose written answers wait, keeps an empty cell.
    """
    points = [f"    {POINTS}", "", "", "", "", *(number(found.most(s)) for s in found.sheets)]
    rows = [[*COLUMNS, *found.sheets], points]
    for student in found.students:
        names = [n for n in (student.last_name, student.first_name) if n]
        name, login = safe(", ".join(names) or student.id), safe(student.id)
        own = student.lms_user_id if student.lms_user_id.isdecimal() else ""
        cells = (found.cell(student.id, sheet) for sheet in found.sheets)
        rows.append([name, own, "", login, "", *cells])
    return rows


def filled(
    found: Grades, exported: Path, must_see: Callable[[str], None], column: str = ""
) -> list[list[str]]:
    """Return an exported gradebook with the scores of some sheets: Canvas's headings and numbers.

    Args:
        found: the grades.
        exported: the file that Canvas exported.
        must_see: is told who is not in it, and where the points differ.
        column: the heading of the assignment, where there is one sheet and its name tells nothing.

    Raises:
        CourseError: the file is no gradebook of Canvas, or has a column of no sheet.
    """
    book = tables.read(exported)
    if not ({"Student", "LastName"} & set(book.head)) or "ID" not in book.head:
        raise CourseError(
            f"{exported} has no columns Student and ID; take the file of «Export» in Canvas's "
            "Gradebook."
        )
    own = [place for place, heading in enumerate(book.head) if heading in OF_STUDENTS]
    places = _places(book, found.sheets, column, must_see)
    wanted = [*own, *places.values()]
    rows = [[book.head[p] for p in wanted]]
    left = {student for student, _ in found.standings}
    names = roster.Names(found.students)
    for row in book.rows[1:]:
        if POINTS in row[0]:
            rows.append([row[p] for p in wanted])
            for sheet, place in places.items():
                if _value(row[place]) != found.most(sheet):
                    must_see(
                        f"{book.head[place]}: Canvas counts {row[place].strip() or 'no'} points, "
                        f"{sheet} is worth {number(found.most(sheet))}; set the points there"
                    )
            continue
        student = _student(dict(zip(book.head, row, strict=True)), names)
        if student is None:
            continue
        left.discard(student.id)
        cells = [found.cell(student.id, sheet) or row[place] for sheet, place in places.items()]
        rows.append([*(safe(row[p]) for p in own), *cells])
    if left:
        must_see(
            f"{listed(sorted(left))}: not in {exported.name}; their scores are not in the table"
        )
    return rows


def _student(row: dict[str, str], names: roster.Names) -> roster.Student | None:
    """Return the student whom a row means; None where nobody or several may be meant."""
    if row["ID"] in names.by_number:
        return names.by_number[row["ID"]]
    name = row.get("Student") or f"{row.get('LastName', '')} {row.get('FirstName', '')}"
    for known_as in (row.get("SIS Login ID", ""), row.get("SIS User ID", ""), name):
        exact = [s for s in names.of(known_as, "") if known_as]
        if len(exact) == 1:
            return exact[0]
    return None


def _places(
    book: tables.Table, sheets: Sequence[str], column: str, must_see: Callable[[str], None]
) -> dict[str, int]:
    """Return the columns of sheets; one that Canvas does not have yet is left out, and named.

    Raises:
        CourseError: there is a column of none of them.
    """
    places, lacking = dict[str, int](), dict[str, CourseError]()
    for sheet in sheets:
        try:
            places[sheet] = _place(book, sheet, column)
        except CourseError as error:
            lacking[sheet] = error
    if not places:
        raise next(iter(lacking.values()))
    if lacking:
        must_see(
            f"{book.path.name} has no column of {listed(sorted(lacking))}: not in the table; give "
            "the sheet alone with course return --to canvas --column, where it has another name "
            "there"
        )
    return places


def _place(book: tables.Table, sheet: str, column: str) -> int:
    """Return the column of a sheet: by its heading, or by its name, whole or the last part.

    Raises:
        CourseError: there is none, or several may be meant.
    """
    headings = [
        (place, heading, (m["title"] if (m := NUMBERED.fullmatch(heading)) else heading))
        for place, heading in enumerate(book.head) if heading not in OF_STUDENTS
    ]  # fmt: skip
    if column:
        ways = [[p for p, heading, title in headings if column in (heading, title)]]
    else:
        plain, short = roster.letters(sheet), roster.letters(sheet.partition("-")[2])
        numbered = [h for h in headings if NUMBERED.fullmatch(h[1])]
        ways = [
            [p for p, _, title in numbered if roster.letters(title) == plain],
            [p for p, _, title in headings if roster.letters(title) == plain],
            [p for p, _, title in numbered if plain in roster.letters(title)],
            [p for p, _, title in numbered if short and short in roster.letters(title)],
        ]
    for found in ways:
        if len(found) == 1:
            return found[0]
    there = ", ".join(repr(h) for _, h, _ in headings if NUMBERED.fullmatch(h)) or "no assignment"
    raise CourseError(
        f"{book.path} has no single column for {column or sheet!r}: there is {there}; name it with "
        f"course return {sheet} --to canvas --column."
    )


def _value(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None
