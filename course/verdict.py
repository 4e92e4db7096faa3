"""What a test cell says of answers, run on them in this process: a verdict.

The build asks it of stubs, the answers bank of every answer, and the judge of what comes out of a
cage. Nothing here knows of kernels.
"""

import contextlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from helpers.check.kit import message
from helpers.check.kit.message import CheckFailed
from helpers.check.kit.missing_names import missing_name

STATES = ("passed", "failed", "missing", "timeout", "crashed", "refused", "manual")


@dataclass(frozen=True)
class Verdict:
    """What became of one test cell: its state, a message, and the wrong turn if one was named."""

    state: str
    message: str = ""
    wrong_turn: str = ""


class Stopped(BaseException):
    """The cage stopped while an answer was asked for: "timeout", "crashed" or "refused".

    Not an Exception, so that no check takes it for an error of the answer's own.
    """

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state = state


class NewQuestion(BaseException):
    """An earlier run's replies do not hold what is asked now: the answers' code has to run."""


def of_test_cell(test_source: str, answers: Mapping[str, Any]) -> Verdict:
    """Run a test cell in this process, with nothing but the answers in sight.

    Args:
        test_source: the test cell, hidden tests included.
        answers: the answer's names and values.

    Returns:
        The verdict; whatever the test cell raises ends in one.

    Raises:
        NewQuestion: the answers are an earlier run's, and the test cell asks for more.
    """
    scope = dict(answers)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(test_source, "<test cell>", "exec"), scope)
    except CheckFailed as failure:
        return of_failure(failure)
    except Stopped as stopped:
        return Verdict(stopped.state, f"✗ {stopped}")
    except NewQuestion:
        raise
    except NameError as error:
        if error.name and error.name not in answers:
            return of_failure(missing_name(error.name))
        return Verdict("failed", f"{STOPPED}{error}")
    except BaseException as error:
        return Verdict("failed", f"{STOPPED}{type(error).__name__}: {error}")
    return Verdict("passed", plain(printed.getvalue()).strip())


STOPPED = "✗ the test cell stopped: "


def own_error(verdict: Verdict) -> str:
    """Return the error of a test cell that stopped by itself, no answer being wrong; else nothing.

    Such as a check that is not there: the cell's own author is to be told, no student.
    """
    if verdict.state == "failed" and verdict.message.startswith(STOPPED):
        return verdict.message.removeprefix(STOPPED)
    return ""


def of_failure(failure: CheckFailed) -> Verdict:
    """Return the verdict that a failed check stands for."""
    state = "missing" if failure.wrong_turn in message.MISSING else "failed"
    return Verdict(state, str(failure), failure.wrong_turn)


def plain(text: str) -> str:
    """Return text without terminal colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
