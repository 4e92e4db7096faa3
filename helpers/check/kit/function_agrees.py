"""The first edition of a check: cases listed by hand. A declared exercise replaces it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from helpers.check.kit import message
from helpers.check.kit.agree import CLOSED_FORM, compare, compare_sampled, note, same
from helpers.check.kit.calling import call, own_copy
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.message import CheckFailed


@dataclass(frozen=True)
class Case:
    """One call of an answer, with the words that describe it and the value it should return.

    A ``standard_error`` marks the expected value as one that a right answer meets only up to
    chance: it is compared by :func:`compare_sampled`. A ``judge`` takes the words, the answer's
    value and the expected one, and compares them in its own way: it records, and raises
    CheckFailed.
    """

    described: str
    args: tuple[Any, ...]
    expected: Any
    standard_error: float | torch.Tensor | None = None
    judge: Callable[[str, Any, Any], None] | None = None


def function_agrees(
    answer: Any,
    cases: Sequence[Case],
    turns: Sequence[Turn],
    bound: float = CLOSED_FORM,
) -> None:
    """Compare a student's function with its reference on every case.

    Args:
        answer: the student's function.
        cases: calls with their expected values.
        turns: misconceptions, tried in this order when a case fails; one is named when it
            explains what the answer returned on every case.
        bound: relative difference allowed, widened to 1e-5 where the answer is in float32.

    Raises:
        CheckFailed: on the first case that fails.
    """
    failure: CheckFailed | None = None
    outcomes: list[Any] = []
    for case in cases:
        try:
            value = call(case.described, answer, *case.args)
            outcomes.append(value)
            if case.judge is not None:
                case.judge(case.described, value, case.expected)
            elif case.standard_error is None:
                compare(case.described, value, case.expected, bound)
            else:
                compare_sampled(case.described, value, case.expected, case.standard_error)
        except CheckFailed as error:
            if error.wrong_turn in (message.UNSOLVED,) or not callable(answer):
                raise
            if error.wrong_turn == message.RAISED:
                outcomes.append(error.__cause__)
            if error.wrong_turn:
                note(error.wrong_turn, math.inf)
            failure = failure or error
    if failure is None:
        return
    raise _named(failure, cases, outcomes, turns) from None


def _named(
    failure: CheckFailed, cases: Sequence[Case], outcomes: Sequence[Any], turns: Sequence[Turn]
) -> CheckFailed:
    for turn in turns:
        if _explains(turn, cases, outcomes):
            return CheckFailed(failure.tested, failure.expected, failure.got, turn.name, turn.hint)
    return failure


def _explains(turn: Turn, cases: Sequence[Case], outcomes: Sequence[Any]) -> bool:
    if turn.gives is None and not any(isinstance(o, Exception) for o in outcomes):
        return False
    for case, outcome in zip(cases, outcomes, strict=True):
        if isinstance(outcome, Exception):
            if turn.raises is None or not turn.raises(outcome):
                return False
        elif turn.gives is not None and not (turn.alike or same)(
            outcome, turn.gives(*[own_copy(a) for a in case.args])
        ):
            return False
    return True
