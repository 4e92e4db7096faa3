"""nbgrader's own gradebook: opened, its sheets entered, results entered as nbgrader would."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import parse_utc

from course import stock_nbgrader
from course.errors import CourseError
from course.grading.ledger import records
from course.grading.result import Result


@contextlib.contextmanager
def opened(root: Path, sheets: list[str]) -> Iterator[Gradebook]:
    """Open the gradebook of a course; it and its assignments are made where there are none.

    Raises:
        CourseError: the gradebook cannot be opened or a sheet cannot be entered.
    """
    url = f"sqlite:///{root / 'gradebook.db'}"
    try:
        if not (root / "gradebook.db").exists():
            # Made beside its place and then moved: a kill half-way leaves no half gradebook.
            new = root / ".gradebook.db.new"
            new.unlink(missing_ok=True)
            with stock_nbgrader.alembic_found():
                Gradebook(f"sqlite:///{new}").close()
            new.replace(root / "gradebook.db")
        with Gradebook(
            url, str(stock_nbgrader.settings(root).CourseDirectory.course_id)
        ) as gradebook:
            missing = [s for s in sheets if not _registered(gradebook, root, s)]
    except Exception as error:
        raise CourseError(
            f"{root / 'gradebook.db'} cannot be opened ({str(error).splitlines()[0]}); "
            "move it away, and grading makes a new one from the results."
        ) from error
    for name in missing:
        stock_nbgrader.register(root, name)
    with Gradebook(url) as gradebook:
        yield gradebook


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


def holds(book: Gradebook, result: Result) -> bool:
    """Return whether the gradebook holds this result."""
    try:
        found = book.find_submission_notebook(result.sheet, result.sheet, result.student)
    except MissingEntry:
        return False
    scores = {g.name: g.auto_score for g in found.grades}
    return all(
        name in scores and (t.state == "manual" or scores[name] == t.points)
        for name, t in result.tests.items()
    )


def enter(root: Path, book: Gradebook, result: Result) -> None:
    """Write a result into the gradebook, as nbgrader's SaveAutoGrades does, in one commit.

    A score or comment that a person gave is left alone and marked for another look.
    """
    stamp = records.folder(root, result) / "timestamp.txt"
    timed = {}
    if stamp.is_file():
        with contextlib.suppress(Exception):  # a text that is no time raises many kinds
            timed["timestamp"] = parse_utc(stamp.read_text(errors="replace").strip())
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
        AssignLatePenalties(config=stock_nbgrader.settings(root)).preprocess(
            nbformat.v4.new_notebook(), resources
        )
