"""Decides: runs a test cell on answers, and turns what happened into a verdict."""

import contextlib
import io
import linecache
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import determine_grade

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


def judge(test_source: str, answers: Mapping[str, Any]) -> Verdict:
    """Run a test cell in this process, with nothing but the answers in sight.

    Args:
        test_source: the test cell, hidden tests included.
        answers: the answer's names and values.

    Returns:
        The verdict; whatever the test cell raises ends in one.
    """
    linecache.checkcache()
    scope = dict(answers)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(test_source, "<test cell>", "exec"), scope)
    except CheckFailed as failure:
        return of_failure(failure)
    except NameError as error:
        if error.name and error.name not in answers:
            return of_failure(missing_name(error.name))
        return Verdict("failed", f"✗ the test cell stopped: {error}")
    except BaseException as error:
        return Verdict("failed", f"✗ the test cell stopped: {type(error).__name__}: {error}")
    return Verdict("passed", plain(printed.getvalue()).strip())


def of_failure(failure: CheckFailed) -> Verdict:
    """Return the verdict that a failed check stands for."""
    state = "missing" if failure.wrong_turn in verdict.MISSING else "failed"
    return Verdict(state, str(failure), failure.wrong_turn)


def plain(text: str) -> str:
    """Return text without terminal colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def of_outputs(test: NotebookNode, answer: NotebookNode, ran: str) -> Verdict:
    """Read the verdict on a test cell that ran in the student's kernel.

    Args:
        test: the executed test cell.
        answer: the executed answer cell above it.
        ran: "" if the notebook ran to its end, else "timeout" or "crashed".

    Returns:
        The verdict; a test cell that never ran has none of its own and gets what stopped it.
    """
    stopped, error = _first_error(answer), _first_error(test)
    if _has(answer, "CellTimeoutError"):
        return Verdict("timeout", "✗ the answer cell ran out of time.")
    if _has(answer, "KernelDied"):
        return Verdict("crashed", "✗ the kernel died in the answer cell.")
    if _has(test, "CellTimeoutError"):
        return Verdict("timeout", "✗ the test ran out of time: your function does not return.")
    if _has(test, "KernelDied"):
        return Verdict("crashed", "✗ the kernel died while your function was tested.")
    if error is None:
        if not test.get("execution_count"):
            if ran == "timeout":
                return Verdict("timeout", "✗ the submission ran out of time before this test.")
            return Verdict("crashed", "✗ the kernel died before this test.")
        score, most = determine_grade(test)
        printed = "".join(o.get("text", "") for o in test.outputs if o.output_type == "stream")
        message = plain(printed).strip()
        return Verdict("passed" if score == most else "failed", message)
    if error.ename == CheckFailed.__name__:
        found = re.search(r"^→ ([^:]+): ", error.evalue, flags=re.MULTILINE)
        turn = found[1] if found else ""
        state = "missing" if turn in verdict.MISSING else "failed"
        message = error.evalue
        if turn == verdict.MISSING_NAME and stopped and stopped.ename != "NotImplementedError":
            message = f"✗ the answer cell stopped with {stopped.ename}: {stopped.evalue}"
        return Verdict(state, message, turn)
    return Verdict("failed", f"✗ the test cell stopped: {error.ename}: {error.evalue}")


def _has(cell: NotebookNode, error: str) -> bool:
    return any(o.get("ename") == error for o in cell.get("outputs", []))


def _first_error(cell: NotebookNode) -> Any:
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            return output
    return None
