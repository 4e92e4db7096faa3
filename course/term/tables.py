"""A table that a platform exported, to be filled in."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from course.errors import CourseError

LARGEST = 50_000_000  # bytes of a table


@dataclass(frozen=True)
class Table:
    """The rows of a CSV file, the headings first, all of one length; and what parts its cells."""

    path: Path
    rows: list[list[str]]
    separator: str

    @property
    def head(self) -> list[str]:
        """Return the headings."""
        return self.rows[0]

    def text(self) -> str:
        """Return the table as the text of a file."""
        text = io.StringIO()
        csv.writer(text, delimiter=self.separator, lineterminator="\n").writerows(self.rows)
        return text.getvalue()


def read(path: Path) -> Table:
    """Return a table that a platform exported.

    Raises:
        CourseError: there is no file, or it is no table.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise CourseError(f"{path} is larger than any table of grades; name the CSV file.")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror}); name the CSV file.") from None
    except UnicodeDecodeError:
        raise CourseError(
            f"{path} is not text in UTF-8; take the CSV file as the platform exported it."
        ) from None
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if row]
    except csv.Error as error:
        raise CourseError(f"{path} is no CSV file ({error}); export it once more.") from None
    if len(rows) < 2 or len(rows[0]) < 2:
        raise CourseError(f"{path} holds no table with headings and rows; export it once more.")
    width = len(rows[0])
    return Table(path, [[*row, *[""] * width][:width] for row in rows], separator)
