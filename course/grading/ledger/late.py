"""Late penalties, as nbgrader's AssignLatePenalties gives them, for every result every time.

nbgrader's step takes a penalty away before it gives one, so that an extension lifts it; but it runs
only while something is graded. What it would give now is compared here with what the gradebook
holds: a due date, an extension, a time, a policy or a score that has changed is noticed by that.
"""

import logging
from pathlib import Path
from types import SimpleNamespace

from nbgrader.api import Gradebook, Notebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import select
from traitlets.config import Config

from course import stock_nbgrader
from course.errors import CourseError
from course.files import shown
from course.grading.ledger.standing import Standing


class Policy:
    """The late policy that a course is configured with."""

    def __init__(self, root: Path, config: Config) -> None:
        log = logging.getLogger(f"{__name__}.policy")
        log.setLevel(logging.CRITICAL)  # nbgrader's step warns of each late submission
        with stock_nbgrader.importing_from(root):
            try:
                self.step = AssignLatePenalties(config=config, log=log)
                self.step.init_plugin()
            except Exception as error:
                raise CourseError(
                    "nbgrader_config.py: the late policy, AssignLatePenalties.plugin_class, cannot "
                    f"be used ({type(error).__name__}: {error})."
                ) from error

    def penalty(self, standing: Standing) -> float | None:
        """Return the points that a submission loses for being late; None where it loses none.

        Raises:
            CourseError: the policy stopped with an error, or gave no number.
        """
        late = standing.seconds_late
        if not late:
            return None
        try:
            self.step.init_plugin()
            given = self.step.plugin_inst.late_submission_penalty(
                standing.student, standing.raw, late
            )
            if given is None:
                return None
            return float(self.step._check_late_penalty(SimpleNamespace(score=standing.raw), given))
        except Exception as error:
            raise CourseError(
                f"The late policy {type(self.step.plugin_inst).__name__} stopped at "
                f"{standing.sheet} of {standing.student!r} ({type(error).__name__}: {error}); "
                "mend it, then run the command again."
            ) from error


def changed(standing: Standing, before: float | None, after: float | None) -> str:
    """Return a line on the late penalty of a submission: what it was, and is or would be."""
    who = f"{shown(standing.student)}, {standing.sheet}"
    return f"{who}: late penalty {before or 0:g} → {after or 0:g}"


def write(book: Gradebook, standing: Standing, penalty: float | None) -> None:
    """Write a penalty into the gradebook."""
    rows = (
        select(SubmittedNotebook)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
        .where(
            SubmittedAssignment.student_id == standing.student, Notebook.name == standing.sheet,
            SubmittedAssignment.assignment.has(name=standing.sheet),
        )
    )  # fmt: skip
    for notebook in book.db.scalars(rows):
        notebook.late_submission_penalty = penalty
    book.db.commit()
