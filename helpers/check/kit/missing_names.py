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


def _on_name_error(
    shell: Any, kind: type[NameError], error: NameError, trace: TracebackType, tb_offset: Any = None
) -> None:
    """Show a sentence for a test cell, the usual traceback for every other cell."""
    cell = shell.user_ns["In"][-1] if shell.user_ns.get("In") else ""
    if "from helpers import check" in cell and error.name:
        failure = missing_name(error.name)
        shell._showtraceback(CheckFailed, failure, failure._render_traceback_())
        return
    lines = shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset=1)
    shell._showtraceback(kind, error, lines)


def _on_open_exercise(
    shell: Any, kind: type[Exception], error: Exception, trace: TracebackType, tb_offset: Any = None
) -> None:
    """Show a sentence where a cell calls an answer that is a stub, elsewhere the traceback."""
    last = trace
    while last.tb_next is not None:
        last = last.tb_next
    name = last.tb_frame.f_code.co_name
    if name in shell.user_ns:
        failure = CheckFailed(
            f"`{name}` is not solved yet",
            wrong_turn=message.UNSOLVED,
            hint="solve its cell above, run it, then run this cell again.",
        )
        shell._showtraceback(CheckFailed, failure, failure._render_traceback_())
        return
    lines = shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset=1)
    shell._showtraceback(kind, error, lines)


def _on_either(
    shell: Any, kind: type[Any], error: Any, trace: TracebackType, tb_offset: Any = None
) -> None:
    show = _on_name_error if issubclass(kind, NameError) else _on_open_exercise
    show(shell, kind, error, trace, tb_offset)


def explain_missing_names() -> None:
    """Install the sentence where the code runs in a notebook; elsewhere do nothing."""
    if "IPython" not in sys.modules:
        return
    shell = sys.modules["IPython"].get_ipython()
    if shell is not None and hasattr(shell, "set_custom_exc"):
        shell.set_custom_exc((NameError, NotImplementedError), _on_either)
