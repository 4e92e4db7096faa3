"""What is given back: of each student and sheet a final score, or nothing while answers wait."""

import csv
import io
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from course.errors import CourseError
from course.grading.ledger import gradebook, ledger, standing
from course.grading.ledger.ledger import Standings
from course.term import remarks
from course.term.collecting import collect, roster
from course.term.collecting.roster import Student

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # what a formula begins with, wide ones too


@dataclass(frozen=True)
class Grades:
    """The grades of a course.

    Args:
        students: all that the gradebook or students.csv knows, by id.
        standings: how submissions stand, by student and sheet.
    """

    students: list[Student]
    standings: Standings

    @property
    def sheets(self) -> list[str]:
        """Return the sheets that somebody handed in."""
        return sorted({sheet for _, sheet in self.standings})

    def cell(self, student: str, sheet: str) -> str:
        """Return a final score as text; empty where nothing was handed in or answers wait."""
        one = self.standings.get((student, sheet))
        return "" if one is None or one.final is None else number(one.final)

    def most(self, sheet: str) -> float:
        """Return what a sheet is worth."""
        return max((s.max_score for (_, name), s in self.standings.items() if name == sheet))


def read(root: Path, say: Callable[[str], None], sheet: str = "") -> Grades:
    """Return the grades of a course, late penalties as they are due now.

    Args:
        root: an nbgrader course folder.
        say: is told what an instructor should know before these grades are published.
        sheet: only this one; all where empty.

    Raises:
        CourseError: no gradebook with grades, or none of this sheet.
    """
    with gradebook.reading(root) as book:
        ledger.settle(root, book, say)
        found = standing.read(book, [sheet] if sheet else None)
        students = {
            str(s.id): Student(
                str(s.id), *(str(getattr(s, c) or "") for c in roster.COLUMNS[1:5])
            )
            for s in book.students
        }  # fmt: skip
        known = sorted(a.name for a in book.assignments)
    if sheet and sheet not in known:
        raise CourseError(f"The gradebook knows no sheet {sheet!r}; it has {', '.join(known)}.")
    if not found:
        raise CourseError("The gradebook holds no grades; run «course grade» first.")
    for line in filter(None, (remarks.waiting(found), remarks.above(found))):
        say(line)
    for own in roster.students(root) if (root / roster.FILE).is_file() else []:
        there = students.get(own.id, own)
        lacking = {f.name: getattr(own, f.name) for f in fields(own) if not getattr(there, f.name)}
        students[own.id] = replace(there, **lacking)
    for student, own_number in collect.numbers(root, "canvas").items():
        if student in students and not students[student].lms_user_id:
            students[student] = replace(students[student], lms_user_id=own_number)
    return Grades([students[i] for i in sorted(students)], found)


def number(value: float) -> str:
    """Return points as they are written into a table."""
    return f"{value:.10g}"


def as_text(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as the text of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def safe(text: str) -> str:
    """Return one line that a spreadsheet takes for text: a name may begin like a formula."""
    line = "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)
    return f"'{line}" if line.lstrip().startswith(FORMULA) else line
