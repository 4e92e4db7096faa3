"""Moodle's grading worksheet; and when students handed in, which it tells and archives do not.

«Download grading worksheet» (feedback type «Offline grading worksheet») has a row for each
participant, with the number that the archive's folders end in, and «Last modified (submission)» in
words, by the clock of whoever downloads it: «Sunday, 1 November 2026, 6:00 PM».
"""

import re
from datetime import UTC, datetime
from pathlib import Path

from dateutil import parser

from course.errors import CourseError
from course.term import tables

IDENTIFIER, SUBMITTED = "Identifier", "Last modified (submission)"
# With the month in words: nobody need guess which number is the day.
DATE = re.compile(r"[^\W\d_]{3,}.*\b\d{4}\b")


def exported_table(path: Path, *columns: str) -> tables.Table:
    """Return a worksheet as Moodle gave it.

    Args:
        path: the worksheet.
        columns: what it needs besides the participants.

    Raises:
        CourseError: it is no worksheet, or lacks a column.
    """
    given = tables.read(path)
    lacking = [name for name in (IDENTIFIER, *columns) if name not in given.head]
    if lacking:
        raise CourseError(
            f"{path} has no column {', '.join(lacking)}; take the file of «Download grading "
            "worksheet» from Moodle in English (feedback type «Offline grading worksheet»)."
        )
    return given


def participant(identifier: str) -> str:
    """Return Moodle's number of a participant in an assignment; empty where there is none."""
    digits = re.search(r"\d+\s*$", identifier)
    return digits[0].strip() if digits else ""


def times(path: Path) -> dict[str, datetime]:
    """Return when each participant handed in last, in UTC, by Moodle's number.

    Times are taken as this machine's: the worksheet names no zone.

    Args:
        path: the worksheet, as Moodle gave it.

    Raises:
        CourseError: it is no worksheet, or a time in it is no English one.
    """
    given = exported_table(path, SUBMITTED)
    found: dict[str, datetime] = {}
    for line, row in enumerate(given.rows[1:], 2):
        cells = dict(zip(given.head, row, strict=True))
        number, text = participant(cells[IDENTIFIER]), cells[SUBMITTED].strip()
        if not number or text in ("", "-"):
            continue
        try:
            if not DATE.search(text):
                raise ValueError(text)
            found[number] = parser.parse(text).astimezone(UTC)
        except (ValueError, OverflowError):
            raise CourseError(
                f"{path}, line {line}: {text!r} is no time as Moodle writes it in English, such "
                "as «Sunday, 1 November 2026, 6:00 PM»; set Moodle to English and download the "
                "worksheet again."
            ) from None
    return found
