"""Decides: runs a test cell on answers, and turns what happened into a verdict."""

import contextlib
import io
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from course.grading.session import Missing, Session, Stopped
from helpers.check import verdict
from helpers.check.missing import missing_name
from helpers.check.verdict import CheckFailed

STATES = ("passed", "failed", "missing", "timeout", "crashed", "refused", "manual")


@dataclass(frozen=True)
class Verdict:
    """What became of one test cell: its state, a message, and the wrong turn if one was named."""

    state: str
    message: str = ""
    wrong_turn: str = ""


@contextlib.contextmanager
def data_seed(seed: int) -> Iterator[None]:
    """Set the data seed for the code that runs inside: the judge draws what the answer drew."""
    before = os.environ.get("COURSE_DATA_SEED")
    os.environ["COURSE_DATA_SEED"] = str(seed)
    try:
        yield
    finally:
        if before is None:
            del os.environ["COURSE_DATA_SEED"]
        else:
            os.environ["COURSE_DATA_SEED"] = before


def judge(test_source: str, answers: Mapping[str, Any]) -> Verdict:
    """Run a test cell in this process, with nothing but the answers in sight.

    Args:
        test_source: the test cell, hidden tests included.
        answers: the answer's names and values.

    Returns:
        The verdict; whatever the test cell raises ends in one.
    """
    scope = dict(answers)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(test_source, "<test cell>", "exec"), scope)
    except CheckFailed as failure:
        return of_failure(failure)
    except Stopped as stopped:
        return Verdict(stopped.state, f"✗ {stopped}")
    except Missing:
        raise
    except NameError as error:
        if error.name and error.name not in answers:
            return of_failure(missing_name(error.name))
        return Verdict("failed", f"✗ the test cell stopped: {error}")
    except BaseException as error:
        return Verdict("failed", f"✗ the test cell stopped: {type(error).__name__}: {error}")
    return Verdict("passed", plain(printed.getvalue()).strip())


def judge_in(session: Session, test_source: str, wants: tuple[str, ...]) -> Verdict:
    """Judge the answers that a session holds.

    Args:
        session: the kernel that ran the student's code, or the record of one.
        test_source: the test cell, hidden tests included.
        wants: the names that the test cell takes from the answer.
    """
    try:
        answers = session.values(wants)
    except Stopped as stopped:
        return Verdict(stopped.state, f"✗ {stopped}")
    return judge(test_source, answers)


def of_failure(failure: CheckFailed) -> Verdict:
    """Return the verdict that a failed check stands for."""
    state = "missing" if failure.wrong_turn in verdict.MISSING else "failed"
    return Verdict(state, str(failure), failure.wrong_turn)


def plain(text: str) -> str:
    """Return text without terminal colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
