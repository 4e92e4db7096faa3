"""The cells of a sheet that nbgrader keeps, and a gradebook brought into line with them.

nbgrader's generator enters a sheet once and refuses ("Cannot add or remove cells") as soon as there
are submissions. Here what differs is changed row by row: grades of cells that stay keep their rows,
and with them what a person gave.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    SolutionCell,
    SourceCell,
    SubmittedNotebook,
    TaskCell,
)
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import SaveCells
from sqlalchemy import delete, func, select, update
from traitlets import import_item
from traitlets.config import Config

from course.errors import CourseError
from course.grading.ledger import records


@dataclass(frozen=True)
class Cells:
    """What a gradebook keeps of a sheet's source.

    Args:
        grades: points and type ("code" or "markdown") of each graded cell by its grade_id.
        tasks: the same of nbgrader's task cells.
        solutions: grade_ids of the cells that a student writes in.
        sources: type, locked, text and checksum of each of these cells and of the locked ones.
        kernelspec: of the notebook, as JSON.
    """

    grades: dict[str, tuple[float, str]]
    tasks: dict[str, tuple[float, str]]
    solutions: frozenset[str]
    sources: dict[str, tuple[str, bool, str, str | None]]
    kernelspec: str

    @property
    def graded(self) -> dict[str, tuple[float, str]]:
        """Return points and type of all cells that have a grade."""
        return self.grades | self.tasks


def of_source(config: Config, sheet: str, notebook: NotebookNode) -> Cells:
    """Return what nbgrader's generator would enter for a sheet.

    Args:
        config: nbgrader's settings.
        sheet: the sheet's name.
        notebook: its source.

    Raises:
        CourseError: one of the generator's steps refuses the sheet.
    """
    resources: dict[str, Any] = {
        "nbgrader": {"notebook": sheet, "assignment": sheet, "student": ".", "db_url": ""},
        "metadata": {"path": str(Path(config.CourseDirectory.root) / "source" / sheet)},
    }
    for step in GenerateAssignment(config=config).preprocessors:
        step = import_item(step) if isinstance(step, str) else step
        if issubclass(step, SaveCells):
            break
        try:
            notebook, resources = step(config=config)(notebook, resources)
        except Exception as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise CourseError(
                f"source/{sheet}/{sheet}.ipynb: nbgrader cannot enter the sheet: {first}"
            ) from error
    grades, tasks, solutions, sources = {}, {}, set(), {}
    for cell in notebook.cells:
        grade, solution, task = utils.is_grade(cell), utils.is_solution(cell), utils.is_task(cell)
        if not (grade or solution or task or utils.is_locked(cell)):
            continue
        flags = cell.metadata.nbgrader
        name = str(flags["grade_id"])
        if grade:
            grades[name] = float(flags["points"]), str(cell.cell_type)
        if task:
            tasks[name] = float(flags["points"]), str(cell.cell_type)
        if solution:
            solutions.add(name)
        locked = bool(utils.is_locked(cell))
        sources[name] = str(cell.cell_type), locked, cell.source, flags.get("checksum")
    kernelspec = json.dumps(notebook.metadata.get("kernelspec", {}))
    return Cells(grades, tasks, frozenset(solutions), sources, kernelspec)


def is_in_line(book: Gradebook, root: Path, config: Config, sheet: str) -> bool:
    """Return whether a gradebook holds the cells that a sheet's source has now; change nothing."""
    notebook = _notebook(book, sheet)
    return notebook is not None and entered(book, notebook) == _wanted(root, config, sheet)


def _notebook(book: Gradebook, sheet: str) -> Notebook | None:
    found: Notebook | None = book.db.scalars(
        select(Notebook).join(Assignment).where(Notebook.name == sheet, Assignment.name == sheet)
    ).one_or_none()
    return found


def _wanted(root: Path, config: Config, sheet: str) -> Cells:
    path = root / "source" / sheet / f"{sheet}.ipynb"
    return of_source(config, sheet, nbformat.read(path, as_version=4))


def bring_into_line(
    book: Gradebook, root: Path, config: Config, sheet: str, say: Callable[[str], None]
) -> bool:
    """Make the gradebook hold the cells that a sheet's source has now, in one commit.

    A cell that stays keeps its grades: manual points, extra credit and comments as they are, points
    of tests in proportion to what the test is worth now. A new cell gets a row in every submission.
    What a person gave to a cell that has gone is told, and is in the copy that is made first.

    Args:
        book: the open gradebook.
        root: course folder.
        config: nbgrader's settings.
        sheet: the sheet's name.
        say: takes lines that a person should read.

    Returns:
        Whether anything was changed.
    """
    wanted = _wanted(root, config, sheet)
    db = book.db
    notebook = _notebook(book, sheet)
    if notebook is not None and entered(book, notebook) == wanted:
        return False
    if notebook is None:
        if db.scalars(select(Assignment).where(Assignment.name == sheet)).one_or_none() is None:
            book.add_assignment(sheet)
        notebook = Notebook(name=sheet, assignment=book.find_assignment(sheet))
        db.add(notebook)
        db.flush()
    elif notebook.submissions:
        records.copy_gradebook(root, str(config.CourseDirectory.db_url))
        say(f"{sheet}: the sheet's cells were changed; the gradebook follows")
    _rows(book, notebook, wanted, say)
    db.commit()
    return True


def entered(book: Gradebook, notebook: Notebook) -> Cells:
    """Return what a gradebook holds of a sheet's source."""

    def graded(kind: type[GradeCell] | type[TaskCell]) -> dict[str, tuple[float, str]]:
        rows = select(kind.name, kind.max_score, kind.cell_type)
        return {name: (most, type_) for name, most, type_ in
                book.db.execute(rows.where(kind.notebook_id == notebook.id))}  # fmt: skip

    solutions = select(SolutionCell.name).where(SolutionCell.notebook_id == notebook.id)
    sources = select(
        SourceCell.name, SourceCell.cell_type, SourceCell.locked, SourceCell.source,
        SourceCell.checksum,
    ).where(SourceCell.notebook_id == notebook.id)  # fmt: skip
    return Cells(
        graded(GradeCell),
        graded(TaskCell),
        frozenset(book.db.scalars(solutions)),
        {name: tuple(rest) for name, *rest in book.db.execute(sources)},
        str(notebook.kernelspec),
    )


def _rows(book: Gradebook, notebook: Notebook, wanted: Cells, say: Callable[[str], None]) -> None:
    """Change the rows of a sheet's cells, and of their grades and comments, to what is wanted."""
    db = book.db
    notebook.kernelspec = wanted.kernelspec
    old: dict[tuple[type, str], Any] = {
        (kind, cell.name): cell
        for kind in (GradeCell, SolutionCell, TaskCell)
        for cell in db.scalars(select(kind).where(kind.notebook_id == notebook.id))
    }
    new: dict[tuple[type, str], Any] = {}
    for kind, cells in ((GradeCell, wanted.grades), (TaskCell, wanted.tasks)):
        for name, (points, type_) in cells.items():
            cell = old.get((kind, name)) or kind(name=name, notebook=notebook, max_score=points)
            _worth(book, old.get((GradeCell, name)) or old.get((TaskCell, name)), points)
            cell.max_score, cell.cell_type = points, type_
            new[kind, name] = cell
    for name in wanted.solutions:
        new[SolutionCell, name] = old.get((SolutionCell, name)) or SolutionCell(
            name=name, notebook=notebook
        )
    db.add_all(new.values())
    db.flush()
    gone = {key: cell for key, cell in old.items() if key not in new}
    # A cell that changed its kind hands over its grades, or its comments, to the one in its place.
    for (kind, name), cell in gone.items():
        for others, rows in ((_GRADED, Grade), (_COMMENTED, Comment)):
            heir = next((new[o, name] for o in others if (o, name) in new), None)
            if kind in others and heir is not None:
                db.execute(
                    update(rows).where(rows.cell_id == cell.id).values(cell_id=heir.id)
                )  # fmt: skip
    lost = _given(book, [cell.id for cell in gone.values()])
    for cell in gone.values():
        for rows in (Grade, Comment):
            db.execute(delete(rows).where(rows.cell_id == cell.id))
        db.expire(cell)
        db.delete(cell)
    db.flush()
    for rows, kinds in ((Grade, _GRADED), (Comment, _COMMENTED)):
        for (kind, _), cell in new.items():
            if kind in kinds:
                has = select(rows.notebook_id).where(rows.cell_id == cell.id)
                lacking = select(SubmittedNotebook.id).where(
                    SubmittedNotebook.notebook_id == notebook.id, SubmittedNotebook.id.not_in(has)
                )
                db.add_all(rows(cell_id=cell.id, notebook_id=one) for one in db.scalars(lacking))
    sources = {cell.name: cell for cell in notebook.source_cells}
    for name, (type_, locked, text, checksum) in wanted.sources.items():
        cell = sources.pop(name, None)
        if cell is None:
            cell = SourceCell(name=name, notebook_id=notebook.id)
            db.add(cell)
        cell.cell_type, cell.locked, cell.source, cell.checksum = type_, locked, text, checksum
    for cell in sources.values():
        db.delete(cell)
    db.flush()
    if lost:
        say(f"{notebook.name}: {lost}; the copy of the gradebook that was made first holds them")
    above = _above(book, notebook)
    if above:
        say(
            f"{notebook.name}: points that a person gave are above what {', '.join(above)} "
            "is worth now; look at them in the formgrader"
        )


_GRADED, _COMMENTED = (GradeCell, TaskCell), (SolutionCell, TaskCell)


def _worth(book: Gradebook, cell: Any, points: float) -> None:
    """Let the points of a test grow or shrink with what it is worth; a person's are left alone."""
    if cell is None or not cell.max_score or cell.max_score == points:
        return
    rows = update(Grade).where(Grade.cell_id == cell.id, Grade.auto_score.is_not(None))
    book.db.execute(rows.values(auto_score=Grade.auto_score * (points / cell.max_score)))


def _given(book: Gradebook, cells: list[str]) -> str:
    """Return in words what a person gave to cells, empty where that is nothing."""
    grades = select(func.count()).where(
        Grade.cell_id.in_(cells), Grade.manual_score.is_not(None) | Grade.extra_credit.is_not(None)
    )
    comments = select(func.count()).where(
        Comment.cell_id.in_(cells), Comment.manual_comment.is_not(None)
    )
    counted = book.db.scalar(grades), book.db.scalar(comments)
    if not any(counted):
        return ""
    return f"cells were removed that held {counted[0]} grades and {counted[1]} comments of a person"


def _above(book: Gradebook, notebook: Notebook) -> list[str]:
    """Return the graded cells in which a person gave more points than there are now."""
    found: set[str] = set()
    for kind in _GRADED:
        rows = select(kind.name).join(Grade, Grade.cell_id == kind.id)
        found |= set(book.db.scalars(
            rows.where(kind.notebook_id == notebook.id, Grade.manual_score > kind.max_score)
        ))  # fmt: skip
    return sorted(found)
