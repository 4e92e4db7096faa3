"""The students of a course: from students.csv, else from the gradebook."""

import contextlib
import csv
import io
import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook

from course.errors import CourseError
from course.files import listed
from course.grading.ledger import gradebook

FILE = "students.csv"
COLUMNS = ("id", "first_name", "last_name", "email", "lms_user_id", "github")
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"})


@dataclass(frozen=True)
class Student:
    """A student, with the names by which platforms call them."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""
    github: str = ""


def students(root: Path) -> list[Student]:
    """Return the students of a course; none where neither file nor gradebook knows any.

    Raises:
        CourseError: students.csv has no column id, or an id twice, or one that is no folder's name.
    """
    path = root / FILE
    if path.is_file():
        return _of_file(path)
    try:
        with gradebook.reading(root) as book:
            return _of_book(book)
    except CourseError:
        return []


def unlisted(root: Path, sheets: Sequence[str]) -> str:
    """Return a line on the folders in submitted/ of whom no list knows: a name may be misspelt.

    A list is students.csv, or students whom a person entered into the gradebook: one of whom it
    holds no more than an id may be there only since grading. Without a list there is no such line.

    Args:
        root: course folder.
        sheets: only who handed in one of these; all where empty.
    """
    try:
        known = {s.id for s in _of_file(root / FILE)} if (root / FILE).is_file() else set()
    except CourseError as error:
        return str(error)
    folders = {
        path.parent.name for path in (root / "submitted").glob("*/*")
        if path.is_dir() and not path.parent.name.startswith(".")
        and (path.name in sheets or not sheets)
    }  # fmt: skip
    if folders <= known:
        return ""
    with contextlib.suppress(CourseError), gradebook.reading(root) as book:
        known |= {s.id for s in _of_book(book) if s != Student(s.id)}
    strangers = sorted(folders - known)
    if not known or not strangers:
        return ""
    return f"in no list of students, so perhaps misspelt: {listed(strangers)} in submitted/"


def _of_book(book: Gradebook) -> list[Student]:
    return [
        Student(str(s.id), *(str(getattr(s, c) or "") for c in COLUMNS[1:5]))
        for s in book.students
    ]  # fmt: skip


def _of_file(path: Path) -> list[Student]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError):
        raise CourseError(
            f"{path} cannot be read as text in UTF-8; save it as CSV again."
        ) from None
    separator = ";" if text.split("\n")[0].count(";") > text.split("\n")[0].count(",") else ","
    rows = list(csv.DictReader(io.StringIO(text), delimiter=separator))
    if not rows or "id" not in rows[0]:
        raise CourseError(
            f"{path} needs a first line with the columns {', '.join(COLUMNS)} (id at least) and a "
            "line for each student."
        )
    found: dict[str, Student] = {}
    for line, row in enumerate(rows, 2):
        one = Student(*((row.get(column) or "").strip() for column in COLUMNS))
        if not is_folder_name(one.id):
            raise CourseError(f"{path}, line {line}: the id {one.id!r} cannot name a folder.")
        if one.id in found:
            raise CourseError(f"{path}, line {line}: the id {one.id!r} stands there twice.")
        found[one.id] = one
    return list(found.values())


def is_folder_name(name: str) -> bool:
    """Return whether a name can be that of a student's folder."""
    return bool(name) and not name.startswith(".") and not re.search(r"[/\\\0\n]", name)


def letters(name: str) -> str:
    """Return a name's letters and digits, without accents, in small letters."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in plain if c.isalnum())


def _spellings(*parts: str) -> Iterator[str]:
    """Yield the ways to write a name: each part without its accents, or as «ue» for «ü»."""
    ways = [
        {letters(part), letters(unicodedata.normalize("NFC", part.casefold()).translate(UMLAUTS))}
        for part in parts
    ]
    yield from filter(None, map("".join, itertools.product(*ways)))


class Names:
    """Finds the student that a platform means."""

    def __init__(self, known: Sequence[Student]) -> None:
        self.known = known
        self.by_number = {s.lms_user_id: s for s in known if s.lms_user_id}
        self.by_name: dict[str, set[Student]] = {}
        for one in known:
            for name in {
                *_spellings(one.first_name, one.last_name),
                *_spellings(one.last_name, one.first_name),
                *_spellings(one.github), *_spellings(one.id), *_spellings(one.email.split("@")[0]),
            }:  # fmt: skip
                self.by_name.setdefault(name, set()).add(one)

    def of(self, who: str, number: str) -> list[Student]:
        """Return the students that a name and number can mean: one, none, or several."""
        if number in self.by_number:
            return [self.by_number[number]]
        # A group, or an assignment, may stand before the name.
        for start in [0, *(m.end() for m in re.finditer("-", who))]:
            if found := self.by_name.get(letters(who[start:])):
                return sorted(found, key=lambda s: s.id)
        return []


def made_up(who: str) -> str:
    """Return an id for a student whom no list knows."""
    plain = unicodedata.normalize("NFKD", who.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return re.sub(r"[^\w]+", "-", plain).strip("-_") or "student"
