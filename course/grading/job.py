"""What goes into grading one submission, and what comes out: plain data, which travels anywhere."""

from dataclasses import dataclass, field

from course.grading.cage.limits import Limits
from course.grading.result import Result


@dataclass(frozen=True)
class Job:
    """Everything that grading one submission depends on.

    Args:
        submission: the student's file; None where there is none, and ``why_none`` says why.
        source: the sheet's source notebook, hidden tests inside.
        release: the sheet's released notebook.
        data_seed: seed of the data that the answers are judged on.
        unreadable: something is there that this machine does not let us read.
        earlier: a run of the same code, whose answers are judged anew without running it.
    """

    student: str
    sheet: str
    submission: bytes | None
    source: str
    release: str
    data_seed: int
    caged: bool = True
    warm: bool = True
    limits: Limits = field(default_factory=Limits)
    why_none: str = ""
    unreadable: bool = False
    earlier: "EarlierRun | None" = None


@dataclass(frozen=True)
class EarlierRun:
    """What an earlier run of a submission left: its result, its notebook, and its replies."""

    result: Result
    notebook: str
    replies: dict[str, str]


@dataclass(frozen=True)
class Graded:
    """A job's result, the notebook that nbgrader's tools show, and what stays with the staff.

    Args:
        replies: what the answers replied, to judge them anew.
        data_seed: seed of the data that they were judged on.
        trouble: what a person should look at: the grading itself came to an end.
    """

    result: Result
    notebook: str
    replies: dict[str, str]
    data_seed: int = 0
    trouble: str = ""

    @property
    def student(self) -> str:
        """Whose submission it is."""
        return self.result.student

    @property
    def sheet(self) -> str:
        """The sheet that was handed in."""
        return self.result.sheet


@dataclass(frozen=True)
class Ungraded:
    """A submission that could not be graded for a reason that is not its own: it keeps its place.

    Args:
        why: the cause, on the staff's side.
    """

    student: str
    sheet: str
    why: str
