"""What goes into grading one submission, and what comes out: plain data, which travels anywhere."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

import helpers
from course import sheet
from course.grading.cage import Limits
from course.grading.result import Result


@dataclass(frozen=True)
class Job:
    """Everything that grading one submission depends on.

    Args:
        submission: the student's file; None where there is none, and ``missing`` says why.
        source: the sheet's source notebook, hidden tests inside.
        release: the sheet's released notebook.
        data_seed: seed of the data that the answers are judged on.
        recorded: replies of an earlier run of the same code, to judge anew without running it.
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
    missing: str = ""
    recorded: "Recorded | None" = None

    def run_key(self) -> str:
        """Return a hash of what the student's run depends on: all but tests and answer key."""
        spine = [c.source for c in read(self.source).cells if not sheet.is_test(c)]
        parts = [self.student, self.sheet, spine, self.release, self.data_seed, self.caged,
                 str(self.limits), self.missing]  # fmt: skip
        digest = hashlib.sha256(json.dumps(parts).encode())
        digest.update(self.submission or b"")
        digest.update(_code(judging=False))
        return digest.hexdigest()

    def judge_key(self) -> str:
        """Return a hash of what the verdict depends on beyond the run: tests and answer key."""
        tests = [c.source for c in read(self.source).cells if sheet.is_test(c)]
        return hashlib.sha256(json.dumps(tests).encode() + _code(judging=True)).hexdigest()


@dataclass(frozen=True)
class Recorded:
    """What an earlier run of a submission left: its result, its notebook, and its replies."""

    result: Result
    notebook: str
    replies: dict[str, str]


@dataclass(frozen=True)
class Graded:
    """A job's result, the notebook that nbgrader's tools show, and the answers for another time."""

    result: Result
    notebook: str
    run_key: str
    judge_key: str
    replies: dict[str, str]


def read(text: str) -> NotebookNode:
    """Read a notebook's text."""
    return nbformat.reads(text, as_version=4)


def _code(judging: bool) -> bytes:
    """Return a hash of the answer key and the judge, or of everything else that grades."""
    digest = hashlib.sha256()
    for folder in (Path(helpers.__file__).parent, Path(__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            if ("check" in path.parts or path.name == "judge.py") == judging:
                digest.update(path.read_bytes())
    return digest.digest()
