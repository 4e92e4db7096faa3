"""The one writer of a course: files first, then the gradebook, then feedback."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

from course.files import write_whole
from course.grading.job import Graded
from course.grading.ledger import feedback, gradebook, records
from course.grading.ledger.keys import Keys
from course.grading.result import Result


class Ledger:
    """The open books of a course: its folders and its gradebook."""

    def __init__(self, root: Path, book: Gradebook) -> None:
        self.root = root
        self.book = book

    def write(self, graded: Graded, key: Keys) -> None:
        """Write a result; its keys come last, so that one which is interrupted is done again."""
        records.begin(self.root, graded)
        gradebook.enter(self.root, self.book, graded.result)
        self._feedback(graded.result)
        records.finish(self.root, graded.result, key)

    def bring_into_line(self, results: list[Result]) -> None:
        """Enter every result that the gradebook does not hold: it may be new, or was replaced."""
        for result in results:
            if not gradebook.holds(self.book, result):
                gradebook.enter(self.root, self.book, result)
            if not self._feedback_path(result).exists():
                self._feedback(result)

    def _feedback_path(self, result: Result) -> Path:
        return self.root / "feedback" / result.student / result.sheet / f"{result.sheet}.html"

    def _feedback(self, result: Result) -> None:
        place = records.folder(self.root, result)
        notebook = nbformat.read(place / f"{result.sheet}.ipynb", as_version=4)
        write_whole(self._feedback_path(result), feedback.page(result, notebook))


@contextlib.contextmanager
def opened(root: Path, sheets: list[str]) -> Iterator[Ledger]:
    """Open the books of a course.

    Raises:
        CourseError: the gradebook cannot be opened or a sheet cannot be entered.
    """
    with gradebook.opened(root, sheets) as book:
        yield Ledger(root, book)
