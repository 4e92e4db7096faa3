"""A kinder sentence at the desk, when a cell asks for an answer that is not there yet."""

import sys
from types import TracebackType
from typing import Any

from helpers.check.kit import message
from helpers.check.kit.message import CheckFailed


def missing_name(name: str) -> CheckFailed:
    """Return the failure of a test cell whose answer was never made."""
    return CheckFailed(
        f"`{name}` does not exist yet",
        wrong_turn=message.MISSING_NAME,
        hint=f"solve the cell above, which makes {name}, run it, then run this cell again.",
    )


def _open_exercise(name: str) -> CheckFailed:
    """Return the failure of a given cell that calls an answer which is still a stub."""
    return CheckFailed(
        f"`{name}` is not solved yet",
        wrong_turn=message.UNSOLVED,
        hint="solve its cell above, run it, then run this cell again.",
    )


def _explained(shell: Any, error: Exception, trace: TracebackType) -> CheckFailed | None:
    """Return the sentence for a test cell without its answer, or a call of a stub; else None."""
    if isinstance(error, NameError):
        cell = shell.user_ns["In"][-1] if shell.user_ns.get("In") else ""
        asks = "from helpers import check" in cell
        return missing_name(error.name) if asks and error.name else None
    last = trace
    while last.tb_next is not None:
        last = last.tb_next
    name = last.tb_frame.f_code.co_name
    return _open_exercise(name) if name in shell.user_ns else None


def _on_error(
    shell: Any, kind: type[Exception], error: Exception, trace: TracebackType, tb_offset: Any = None
) -> None:
    """Show the sentence where there is one, the usual traceback everywhere else."""
    failure = _explained(shell, error, trace)
    if failure is not None:
        shell._showtraceback(CheckFailed, failure, failure._render_traceback_())
        return
    lines = shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset=1)
    shell._showtraceback(kind, error, lines)


def explain_missing_names() -> None:
    """Install the sentence where the code runs in a notebook; elsewhere do nothing."""
    if "IPython" not in sys.modules:
        return
    shell = sys.modules["IPython"].get_ipython()
    if shell is not None and hasattr(shell, "set_custom_exc"):
        shell.set_custom_exc((NameError, NotImplementedError), _on_error)
