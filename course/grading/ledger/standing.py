"""How a submission stands in the gradebook: marks, a person's words, due date, penalty, score."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from sqlalchemy import ColumnElement, Select, and_, func, select


@dataclass(frozen=True)
class Mark:
    """What one graded cell got.

    Args:
        auto: points of the test; None where a person has to give them.
        manual: points that a person gave, which count instead; None where nobody did.
        extra: extra credit.
        waits: whether a person should look at it.
        most: what the cell is worth.
    """

    auto: float | None
    manual: float | None
    extra: float | None
    waits: bool
    most: float

    @property
    def points(self) -> float:
        """Return what counts; nbgrader adds extra credit only where there are points."""
        given = self.auto if self.manual is None else self.manual
        return 0.0 if given is None else given + (self.extra or 0.0)

    @property
    def open(self) -> bool:
        """Return whether points are still to be given by a person."""
        return self.auto is None and self.manual is None


@dataclass(frozen=True)
class Standing:
    """A submission in the gradebook.

    Args:
        due: the sheet's due date in UTC, None where there is none.
        timestamp: when it was handed in, in UTC; None where that is not known.
        extension: what the student got beyond the due date.
        penalty: points taken off for being late, as nbgrader keeps it.
        marks: by grade_id of the graded cell.
        words: comments of a person, by grade_id of the cell that the student wrote in.
        automatic: nbgrader's own comments ("No response."), by the same.
    """

    student: str
    sheet: str
    due: datetime | None
    timestamp: datetime | None
    extension: timedelta | None
    penalty: float | None
    marks: dict[str, Mark] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    automatic: dict[str, str | None] = field(default_factory=dict)

    @property
    def raw(self) -> float:
        """Return the points before a penalty."""
        return sum(mark.points for mark in self.marks.values())

    @property
    def score(self) -> float:
        """Return the final score."""
        return max(0.0, self.raw - (self.penalty or 0.0))

    @property
    def max_score(self) -> float:
        """Return what the sheet is worth."""
        return sum(mark.most for mark in self.marks.values())

    @property
    def final(self) -> float | None:
        """Return the final score; None while a written answer waits: it is not known, no zero."""
        return None if any(mark.open for mark in self.marks.values()) else self.score

    @property
    def seconds_late(self) -> float:
        """Return the seconds past the due date, extension included; 0 where in time."""
        if self.timestamp is None or self.due is None:
            return 0.0
        due = self.due + (self.extension or timedelta())
        return max(0.0, (self.timestamp - due).total_seconds())


def read(
    book: Gradebook, sheets: Iterable[str] | None = None, student: str | None = None
) -> dict[tuple[str, str], Standing]:
    """Return how submissions stand, by student and sheet, however many in three queries.

    Args:
        book: the open gradebook.
        sheets: only these; all where None.
        student: only this one; all where None.
    """
    chosen: list[ColumnElement[bool]] = [Notebook.name == Assignment.name]
    if sheets is not None:
        chosen.append(Assignment.name.in_(list(sheets)))
    if student is not None:
        chosen.append(SubmittedAssignment.student_id == student)

    def of_notebooks(query: Select) -> Select:
        return (
            query.join(SubmittedAssignment, SubmittedNotebook.assignment)
            .join(Assignment, SubmittedAssignment.assignment)
            .join(Notebook, SubmittedNotebook.notebook)
            .where(and_(*chosen))
        )  # fmt: skip

    found: dict[str, Standing] = {}
    whose = select(
        SubmittedNotebook.id, SubmittedAssignment.student_id, Assignment.name, Assignment.duedate,
        SubmittedAssignment.timestamp, SubmittedAssignment.extension,
        SubmittedNotebook.late_submission_penalty,
    ).select_from(SubmittedNotebook)  # fmt: skip
    for place, *rest in book.db.execute(of_notebooks(whose)):
        found[place] = Standing(*rest)
    cell, grade_cell, task_cell = BaseCell.__table__, GradeCell.__table__, TaskCell.__table__
    most = func.coalesce(grade_cell.c.max_score, task_cell.c.max_score, 0.0)
    marks = (
        select(Grade.notebook_id, cell.c.name, Grade.auto_score, Grade.manual_score,
               Grade.extra_credit, Grade.needs_manual_grade, most)
        .select_from(Grade)
        .join(cell, Grade.cell_id == cell.c.id)
        .outerjoin(grade_cell, grade_cell.c.id == cell.c.id)
        .outerjoin(task_cell, task_cell.c.id == cell.c.id)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .order_by(cell.c.name)
    )  # fmt: skip
    for place, name, *rest in book.db.execute(of_notebooks(marks)):
        found[place].marks[name] = Mark(*rest)
    comments = (
        select(Comment.notebook_id, cell.c.name, Comment.auto_comment, Comment.manual_comment)
        .select_from(Comment)
        .join(cell, Comment.cell_id == cell.c.id)
        .join(SubmittedNotebook, Comment.notebook_id == SubmittedNotebook.id)
        .order_by(cell.c.name)
    )
    for place, name, automatic, words in book.db.execute(of_notebooks(comments)):
        found[place].automatic[name] = automatic
        if words:
            found[place].words[name] = words
    return {(one.student, one.sheet): one for one in found.values()}
