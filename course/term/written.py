"""Written answers as a table: to read them in a spreadsheet, and to enter what was given there.

It is what the Formgrader does, for those who read two hundred answers: one row an answer, with its
text, the points there are, and cells for points, extra credit and a comment.
"""

import csv
import io
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook

from course import stock_nbgrader
from course.errors import CourseError
from course.files import listed
from course.grading import submitted
from course.grading.ledger import gradebook, lock, standing, trouble
from course.grading.ledger.records import Place
from course.grading.ledger.standing import Mark, Standing
from course.term import answers, tables
from course.term.grades import FORMULA, number

COLUMNS = ("id", "question", "answer", "of", "before", "points", "extra", "comment")
MOST_SLIPS = 5
LONGEST = 30_000  # characters of an answer; a spreadsheet's cell holds some 32,000


@dataclass(frozen=True)
class Given:
    """What a row of a table gives to an answer; None where its cell is empty."""

    line: int
    student: str
    question: str
    points: float | None
    extra: float | None
    comment: str | None


def table(root: Path, sheet: str) -> str:
    """Return the written answers of a sheet as the text of a CSV file.

    «points» is empty where a person has to look, also for another time: «before» then tells what
    was given before the answer was graded again.

    Args:
        root: an nbgrader course folder, graded.
        sheet: name of the sheet.

    Raises:
        CourseError: there is no such sheet, no gradebook, or nothing in it to be read.
    """
    submitted.sheets(root, [sheet])
    with gradebook.reading(root) as book:
        standings = standing.read(book, [sheet])
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    count = 0
    for (student, _), one in sorted(standings.items()):
        words = answers.of(root, Place(student, sheet)).words
        for question, mark in sorted(_asked(one).items()):
            before = "" if mark.manual is None else number(mark.manual)
            points, before = ("", before) if mark.waits else (before, "")
            extra = "" if mark.extra is None else number(mark.extra)
            rows.writerow([
                _cell(student), question, _cell(words.get(question, "")), number(mark.most), before,
                points, extra, _cell(one.words.get(question, "")),
            ])  # fmt: skip
            count += 1
    if not count:
        raise CourseError(f"Nobody's written answer to {sheet} is in the gradebook yet.")
    return text.getvalue()


def enter(root: Path, sheet: str, path: Path, say: Callable[[str], None]) -> None:
    """Enter points, extra credit and comments of a table; all of it or nothing.

    An empty cell leaves what is there.

    Args:
        root: an nbgrader course folder, graded.
        sheet: name of the sheet.
        path: the table, as ``table`` made it; other columns, and another order, do no harm.
        say: takes a line on what was entered.

    Raises:
        CourseError: the table is none, or a row of it cannot be meant.
    """
    submitted.sheets(root, [sheet])
    rows = _rows(path)
    with lock.held(root, "course written"), trouble.of_the_disk(root):
        config = stock_nbgrader.settings(root)
        with gradebook.opened(root, [sheet], config, say) as book:
            standings = standing.read(book, [sheet])
            slips = [slip for row in rows if (slip := _slip(row, sheet, standings))]
            if slips:
                raise CourseError(
                    f"{path}: {listed(slips, MOST_SLIPS)}. Nothing was entered; correct the table "
                    "and enter it again."
                )
            changed = [r for r in rows if _is_new(r, standings[r.student, sheet])]
            for row in changed:
                _enter(book, sheet, row)
            book.db.commit()
    as_they_were = f", {len(rows) - len(changed)} as they were" if len(rows) > len(changed) else ""
    say(f"{sheet}: {len(changed)} answers entered{as_they_were}; course feedback makes the pages")


def _asked(one: Standing) -> dict[str, Mark]:
    """Return the marks of the cells that a person grades."""
    return {name: mark for name, mark in one.marks.items() if mark.auto is None}


def _cell(text: str) -> str:
    """Return text that a spreadsheet takes for text, and can hold."""
    text = "".join(c for c in text if c in "\n\t" or c.isprintable())[:LONGEST]
    return f"'{text}" if text.lstrip().startswith(FORMULA) else text


def _plain(cell: str) -> str:
    """Return what stands in a cell, without the sign that made text of it."""
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip().startswith(FORMULA) else cell


def _rows(path: Path) -> list[Given]:
    given = tables.read(path)
    lacking = [name for name in ("id", "question", "points") if name not in given.head]
    if lacking:
        raise CourseError(
            f"{path} has no column {', '.join(lacking)}; «course written SHEET» makes such a table."
        )
    found = []
    for line, row in enumerate(given.rows[1:], 2):
        cells = {name: _plain(cell) for name, cell in zip(given.head, row, strict=True)}
        where = f"{path}, line {line}"
        points = _number(cells["points"], where)
        extra = _number(cells.get("extra", ""), where)
        comment = cells.get("comment", "")
        if points is not None or extra is not None or comment:
            found.append(
                Given(line, cells["id"], cells["question"], points, extra, comment or None)
            )
    return found


def _number(text: str, where: str) -> float | None:
    """Return a number of points, with a point or a comma; None of an empty cell."""
    if not text:
        return None
    if not re.fullmatch(r"\d+([.,]\d+)?", text) or not math.isfinite(float(text.replace(",", "."))):
        raise CourseError(f"{where}: {text!r} is no number of points, such as 1.5. Nothing was "
                          "entered.")  # fmt: skip
    return float(text.replace(",", "."))


def _slip(row: Given, sheet: str, standings: dict[tuple[str, str], Standing]) -> str:
    """Return what is wrong with a row; nothing where it can be entered."""
    one = standings.get((row.student, sheet))
    if one is None:
        return f"line {row.line}: {row.student!r} has handed in no {sheet}"
    mark = _asked(one).get(row.question)
    if mark is None:
        asked = ", ".join(sorted(_asked(one))) or "none"
        return f"line {row.line}: {row.question!r} is no written answer; there is {asked}"
    if row.points is not None and row.points > mark.most:
        return (
            f"line {row.line}: {number(row.points)} points of {number(mark.most)}; what is above "
            "goes into the column extra"
        )
    return ""


def _is_new(row: Given, one: Standing) -> bool:
    mark = one.marks[row.question]
    return (
        (row.points is not None and (row.points != mark.manual or mark.waits))
        or (row.extra is not None and row.extra != (mark.extra or 0.0))
        or (row.comment is not None and row.comment != one.words.get(row.question))
    )


def _enter(book: Gradebook, sheet: str, row: Given) -> None:
    where = row.question, sheet, sheet, row.student
    grade = book.find_grade(*where)
    if row.points is not None:
        grade.manual_score, grade.needs_manual_grade = row.points, False
    if row.extra is not None:
        grade.extra_credit = row.extra
    if row.comment is not None:
        book.find_comment(*where).manual_comment = row.comment
