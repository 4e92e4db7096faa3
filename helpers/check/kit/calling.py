"""How a student's function is called: quietly, with copies, its errors turned into verdicts."""

import contextlib
import copy
import functools
import io
import logging
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from helpers import watching
from helpers.check.kit import message
from helpers.check.kit.asks import Case
from helpers.check.kit.message import CheckFailed, show


class Remote:
    """A function across the wall; it is asked there what `helpers.watching` asks here."""


@dataclass(frozen=True)
class Called:
    """What came of a call: a value, or the exception that it raised; and what else it did."""

    value: Any
    effects: watching.Effects
    failure: CheckFailed | None = None


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Keep what an answer prints, warns or logs out of the test cell: noise costs no points."""
    before = logging.root.manager.disable
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(before)


def own_copy(argument: Any) -> Any:
    """Return a copy that an answer may change without changing the next case."""
    if isinstance(argument, torch.Tensor):
        return argument.detach().clone().requires_grad_(argument.requires_grad)
    if isinstance(argument, torch.nn.Module):
        copied = copy.deepcopy(argument)  # without gradients
        for own, given in zip(copied.parameters(), argument.parameters(), strict=True):
            own.grad = None if given.grad is None else given.grad.detach().clone()
        return copied
    return argument if callable(argument) else copy.deepcopy(argument)


def given_to(case: Case, function: Callable[..., Any]) -> Any:
    """Return what a function of the check's own gives for a case, worked out once.

    Raises:
        Exception: whatever the function raises.
    """

    def work() -> Any:
        with quietly():
            return function(*[own_copy(a) for a in case.args])

    return case.once(function, work)


def call(tested: str, answer: Any, *args: Any, **how: Any) -> Any:
    """Call a student's function with copies of the arguments.

    Raises:
        CheckFailed: the answer is no function, is the unsolved stub, or raised an error.
    """
    if not callable(answer):
        raise CheckFailed(
            tested,
            "a function",
            show(answer),
            message.WRONG_TYPE,
            "the name stands for a value; define it with def.",
        )
    try:
        with quietly():
            return answer(*[own_copy(a) for a in args], **how)
    except Exception as error:
        if isinstance(error, NotImplementedError) and not from_library(error):
            raise unsolved(tested) from error
        raise CheckFailed(
            tested,
            "a value",
            f"{type(error).__name__}: {_first_line(error)}",
            message.RAISED,
            _hint(error),
        ) from error


# What torch's own words leave open.
KNOWN_ERRORS = {
    "backward through the graph a second time": "something made from a tracked number before the "
    "loop is used in every step: make it anew in each, inside the loop.",
    "does not require grad": "no tracked number reaches the result: is requires_grad=True there, "
    "and no item(), float() or detach() on the way?",
    "a leaf Variable that requires grad": "a tracked number is changed in place: do that inside "
    "torch.no_grad(), or leave it to an optimizer.",
}


def _hint(error: Exception) -> str:
    for words, hint in KNOWN_ERRORS.items():
        if words in str(error):
            return hint
    return "your code stopped with an error; call it yourself in a new cell to see where."


def from_library(error: BaseException) -> bool:
    """Return whether an error was raised inside an installed package, not by the stub itself."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and "site-packages" in trace.tb_frame.f_code.co_filename


def unsolved(tested: str) -> CheckFailed:
    """Return the failure of a stub that nobody has filled in."""
    name = tested.split("(")[0].strip()
    return CheckFailed(
        f"{name} is not solved yet",
        wrong_turn=message.UNSOLVED,
        hint="replace raise NotImplementedError by your answer, run that cell, then this one.",
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return textwrap.shorten(lines[0], 160, placeholder=" ...") if lines else ""


def watched(tested: str, answer: Any, args: Sequence[Any], seed: int | None = None) -> Called:
    """Call a student's function with copies of the arguments, and see what it does to them.

    An answer across the wall of a cage is watched there; this asks it alike.

    Args:
        tested: the call as a message shows it.
        answer: the student's function.
        args: its arguments; they are copied.
        seed: the random state in which the call begins; None leaves it alone.

    Raises:
        CheckFailed: the answer is no function, or the unsolved stub.
    """
    try:
        value, effects = call(tested, _asking(answer, "watched"), *args, extra=(seed,))
    except CheckFailed as failure:
        if failure.wrong_turn != message.RAISED:
            raise
        return Called(failure.__cause__, watching.Effects(), failure)
    return Called(value, effects)


def many(tested: str, answer: Any, args: Sequence[Any], times: int) -> list[Any]:
    """Call a student's function many times, as one question.

    Raises:
        CheckFailed: as :func:`call` does.
    """
    return list(call(tested, _asking(answer, "repeated"), *args, extra=(times,)))


def slopes(
    tested: str, answer: Any, args: Sequence[Any], places: Sequence[int]
) -> list[torch.Tensor | None]:
    """Return the slopes of a student's function, see :func:`helpers.watching.slopes`.

    Raises:
        CheckFailed: as :func:`call` does.
    """
    return list(call(tested, _asking(answer, "slopes"), *args, extra=(list(places),)))


def _asking(answer: Any, question: str) -> Any:
    """Return a function that asks an answer, here or across the wall, a question of `watching`.

    An answer that comes from a cage has the questions as methods of its own.
    """
    if not callable(answer):
        return answer
    asked = getattr(answer, question, None) if isinstance(answer, Remote) else None
    ask = asked or functools.partial(getattr(watching, question), answer)

    def with_arguments(*args: Any, extra: tuple[Any, ...]) -> Any:
        return ask(args, *extra)

    return with_arguments


def adapted(answer: Any, adapter: str) -> Any:
    """Return a plain function of an answer that is none, such as a module's class.

    Args:
        answer: what the student wrote; what cannot be called stays as it is.
        adapter: a function of :mod:`helpers.watching`, which makes it where the answer lives; empty
            where the answer is a plain function already.
    """
    if not adapter or not callable(answer):
        return answer
    if isinstance(answer, Remote):
        return answer.adapted(adapter)  # type: ignore[attr-defined]
    return getattr(watching, adapter)(answer)
