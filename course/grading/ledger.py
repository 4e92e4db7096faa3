"""Results → autograded/, gradebook, feedback/. One writer; files first, then the gradebook."""

import contextlib
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import AssignLatePenalties, SaveAutoGrades
from nbgrader.utils import parse_utc

from course import stock
from course.errors import CourseError
from course.grading import result as results
from course.grading.result import Result, write_whole

KEY = ".graded-from"  # beside the result: a hash of everything it depends on


def folder(root: Path, student: str, sheet: str) -> Path:
    """Return where a submission's result is kept."""
    return root / "autograded" / student / sheet


def holds(root: Path, student: str, sheet: str, key: str) -> bool:
    """Return whether the result of exactly this job is there."""
    path = folder(root, student, sheet)
    try:
        return (path / KEY).read_text() == key and (path / "result.json").exists()
    except OSError:
        return False


def result(root: Path, student: str, sheet: str) -> Result:
    """Return a submission's recorded result."""
    return results.load(folder(root, student, sheet) / "result.json")


class Ledger:
    """The open books of a course: its folders and its gradebook."""

    def __init__(self, root: Path, gradebook: Gradebook) -> None:
        self.root = root
        self.gradebook = gradebook

    def record(self, result: Result, notebook: str, key: str) -> None:
        """Write a result: notebook and result.json first, then the gradebook, then feedback."""
        place = folder(self.root, result.student, result.sheet)
        write_whole(place / f"{result.sheet}.ipynb", notebook)
        stamp = self.root / "submitted" / result.student / result.sheet / "timestamp.txt"
        if stamp.is_file():
            shutil.copy(stamp, place)
        write_whole(place / "result.json", result.text())
        self._enter(result)
        self._feedback(result)
        # Last, so that a result interrupted on its way is taken up again by the next run.
        write_whole(place / KEY, key)

    def bring_into_line(self, recorded: list[Result]) -> None:
        """Enter every result that the gradebook does not hold: it may be new, or was replaced."""
        for result in recorded:
            if not self._entered(result):
                self._enter(result)
            if not self._feedback_path(result).exists():
                self._feedback(result)

    def _entered(self, result: Result) -> bool:
        try:
            found = self.gradebook.find_submission_notebook(
                result.sheet, result.sheet, result.student
            )
        except MissingEntry:
            return False
        scores = {g.name: g.auto_score for g in found.grades}
        return all(
            name in scores and (t.state == "manual" or scores[name] == t.points)
            for name, t in result.tests.items()
        )

    def _enter(self, result: Result) -> None:
        """Write a result into the gradebook with nbgrader's own preprocessors."""
        place = folder(self.root, result.student, result.sheet)
        stamp = place / "timestamp.txt"
        self.gradebook.update_or_create_student(result.student)
        timed = {}
        if stamp.is_file():
            with contextlib.suppress(ValueError, OverflowError):
                timed["timestamp"] = parse_utc(stamp.read_text(errors="replace").strip())
        notebook = nbformat.read(place / f"{result.sheet}.ipynb", as_version=4)
        resources = {
            "nbgrader": {
                "notebook": result.sheet,
                "assignment": result.sheet,
                "student": result.student,
                "db_url": self.gradebook.db.bind.url.render_as_string(hide_password=False),
            }
        }
        config = stock.settings(self.root)
        with warnings.catch_warnings():
            # nbgrader adds submissions in an order that SQLAlchemy remarks upon, with no effect.
            warnings.filterwarnings("ignore", message="Object of type <Submitted")
            self.gradebook.update_or_create_submission(result.sheet, result.student, **timed)
            for step in (SaveAutoGrades, AssignLatePenalties):
                step(config=config).preprocess(notebook, resources)

    def _feedback_path(self, result: Result) -> Path:
        return self.root / "feedback" / result.student / result.sheet / f"{result.sheet}.html"

    def _feedback(self, result: Result) -> None:
        stock.feedback(self.root, result.sheet, result.student)


@contextlib.contextmanager
def opened(root: Path, sheets: list[str]) -> Iterator[Ledger]:
    """Open the books of a course, making the gradebook and its assignments where they are missing.

    Raises:
        CourseError: the gradebook cannot be opened or a sheet cannot be entered.
    """
    url = f"sqlite:///{root / 'gradebook.db'}"
    try:
        with Gradebook(url, str(stock.settings(root).CourseDirectory.course_id)) as gradebook:
            missing = [s for s in sheets if not _registered(gradebook, root, s)]
    except Exception as error:
        raise CourseError(
            f"{root / 'gradebook.db'} cannot be opened ({str(error).splitlines()[0]}); "
            "move it away, and grading makes a new one from the results."
        ) from error
    for name in missing:
        stock.register(root, name)
    with Gradebook(url) as gradebook:
        yield Ledger(root, gradebook)


def _registered(gradebook: Gradebook, root: Path, sheet: str) -> bool:
    """Return whether the gradebook knows the sheet with the test cells that its source has now."""
    try:
        known = gradebook.find_notebook(sheet, sheet)
    except MissingEntry:
        return False
    source = nbformat.read(root / "source" / sheet / f"{sheet}.ipynb", as_version=4)
    cells = {
        c.metadata.nbgrader.grade_id: c.source
        for c in source.cells
        if c.metadata.get("nbgrader", {}).get("grade") and not c.metadata.nbgrader.solution
    }
    entered = {c.name: c.source for c in known.source_cells}
    return all(entered.get(name) == text for name, text in cells.items())
