"""Results → autograded/, gradebook, feedback/. One writer; files first, then the gradebook."""

import contextlib
import gzip
import json
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import parse_utc

from course import stock
from course.errors import CourseError
from course.grading import feedback
from course.grading import result as results
from course.grading.job import Graded, Job, Recorded
from course.grading.result import Result, write_whole

KEY = ".graded-from"  # beside the result: hashes of everything it depends on
LONGEST_STAMP = 1000  # bytes of a timestamp.txt
REPLIES = ".answers.gz"  # beside it too: what the answers replied, to judge them anew


def folder(root: Path, student: str, sheet: str) -> Path:
    """Return where a submission's result is kept."""
    return root / "autograded" / student / sheet


def holds(root: Path, job: Job) -> bool:
    """Return whether the result of exactly this job is there."""
    return _keys(root, job) == [job.run_key(), job.judge_key()]


def _keys(root: Path, job: Job) -> list[str]:
    path = folder(root, job.student, job.sheet)
    try:
        (path / "result.json").stat()
        return (path / KEY).read_text().split()
    except OSError:
        return []


def recorded(root: Path, job: Job) -> Recorded | None:
    """Return what an earlier run of the same code left, if only the judging has changed."""
    path = folder(root, job.student, job.sheet)
    if _keys(root, job)[:1] != [job.run_key()]:
        return None
    try:
        replies = json.loads(gzip.decompress((path / REPLIES).read_bytes()))
        notebook = (path / f"{job.sheet}.ipynb").read_text(encoding="utf-8")
        return Recorded(result(root, job.student, job.sheet), notebook, replies)
    except (OSError, ValueError, EOFError):
        return None


def result(root: Path, student: str, sheet: str) -> Result:
    """Return a submission's recorded result."""
    return results.load(folder(root, student, sheet) / "result.json")


class Ledger:
    """The open books of a course: its folders and its gradebook."""

    def __init__(self, root: Path, gradebook: Gradebook) -> None:
        self.root = root
        self.gradebook = gradebook

    def record(self, graded: Graded) -> None:
        """Write a result: files first, then the gradebook, then feedback."""
        result = graded.result
        place = folder(self.root, result.student, result.sheet)
        # Without its key a result counts as missing: one that is interrupted here is done again.
        (place / KEY).unlink(missing_ok=True)
        write_whole(place / f"{result.sheet}.ipynb", graded.notebook)
        stamp = self.root / "submitted" / result.student / result.sheet / "timestamp.txt"
        if stamp.is_file() and not stamp.is_symlink() and stamp.stat().st_size < LONGEST_STAMP:
            shutil.copy(stamp, place)
        replies = json.dumps(graded.replies).encode()
        (place / REPLIES).write_bytes(gzip.compress(replies, 1, mtime=0))
        write_whole(place / "result.json", result.text())
        self._enter(result)
        self._feedback(result)
        write_whole(place / KEY, f"{graded.run_key}\n{graded.judge_key}\n")

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
        """Write a result into the gradebook, as nbgrader's SaveAutoGrades does, in one commit.

        A score or comment that a person gave is left alone and marked for another look.
        """
        stamp = folder(self.root, result.student, result.sheet) / "timestamp.txt"
        timed = {}
        if stamp.is_file():
            with contextlib.suppress(Exception):  # a text that is no time raises many kinds
                timed["timestamp"] = parse_utc(stamp.read_text(errors="replace").strip())
        book = self.gradebook
        with warnings.catch_warnings():
            # nbgrader adds submissions in an order that SQLAlchemy remarks upon, with no effect.
            warnings.filterwarnings("ignore", message="Object of type <Submitted")
            book.update_or_create_student(result.student)
            submission = book.update_or_create_submission(result.sheet, result.student, **timed)
        notebook = book.find_submission_notebook(result.sheet, result.sheet, result.student)
        for grade in notebook.grades:
            test = result.tests[grade.name]
            grade.auto_score = None if test.state == "manual" else test.points
            grade.needs_manual_grade = grade.auto_score is None or grade.manual_score is not None
        for comment in notebook.comments:
            answered = result.tests.get(comment.name)
            unanswered = answered is not None and answered.state == "missing"
            comment.auto_comment = "No response." if unanswered else None
        book.db.commit()
        if submission.total_seconds_late > 0:
            resources = {"nbgrader": {
                "notebook": result.sheet, "assignment": result.sheet, "student": result.student,
                "db_url": book.db.bind.url.render_as_string(hide_password=False),
            }}  # fmt: skip
            AssignLatePenalties(config=stock.settings(self.root)).preprocess(
                nbformat.v4.new_notebook(), resources
            )

    def _feedback_path(self, result: Result) -> Path:
        return self.root / "feedback" / result.student / result.sheet / f"{result.sheet}.html"

    def _feedback(self, result: Result) -> None:
        place = folder(self.root, result.student, result.sheet)
        notebook = nbformat.read(place / f"{result.sheet}.ipynb", as_version=4)
        write_whole(self._feedback_path(result), feedback.page(result, notebook))


@contextlib.contextmanager
def opened(root: Path, sheets: list[str]) -> Iterator[Ledger]:
    """Open the books of a course, making the gradebook and its assignments where they are missing.

    Raises:
        CourseError: the gradebook cannot be opened or a sheet cannot be entered.
    """
    url = f"sqlite:///{root / 'gradebook.db'}"
    try:
        if not (root / "gradebook.db").exists():
            # Made beside its place and then moved: a kill half-way leaves no half gradebook.
            new = root / ".gradebook.db.new"
            new.unlink(missing_ok=True)
            Gradebook(f"sqlite:///{new}").close()
            new.replace(root / "gradebook.db")
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
