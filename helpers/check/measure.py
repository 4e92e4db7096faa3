"""How an answer is measured: called quietly, taken as numbers, compared with its reference.

Nothing here knows an exercise. The checks of a sheet hand over a reference, cases and wrong turns;
what is measured can be recorded, which is how ``make margins`` learns how far every bound is from
the worst right answer and from the nearest wrong one.
"""

import contextlib
import copy
import io
import logging
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from helpers.check import verdict
from helpers.check.verdict import CheckFailed, show

# Answers in closed form agree to this relative difference; single precision carries seven digits.
CLOSED_FORM = 1e-6
SINGLE_PRECISION = 1e-5
# A learned parameter lies within a tenth of a standard error of the optimum.
STANDARD_ERRORS = 0.1
# Two-sided normal quantile of a false-failure rate of 8e-11, below the 1e-9 a check may spend;
# the rest pays for the central limit theorem's error at the sample sizes used.
SAMPLED_Z = 6.5


@dataclass(frozen=True)
class Turn:
    """A wrong turn: a misconception, computed.

    Args:
        name: what a teacher would call it, at most four words.
        hint: one sentence for the student, on where to look.
        gives: takes what the answer takes and returns what an answer with this misconception
            would return; None where the misconception shows by an error instead.
        raises: tells whether an exception that the answer raised is this misconception's; such
            a turn is named when every exception is, whatever the other cases returned.
        alike: compares the answer's value with what ``gives`` returned, in place of :func:`same`.
    """

    name: str
    hint: str
    gives: Callable[..., Any] | None = None
    raises: Callable[[Exception], bool] | None = None
    alike: Callable[[Any, Any], bool] | None = None


@dataclass(frozen=True)
class Case:
    """One call of an answer, with the words that describe it and the value it should return.

    A ``standard_error`` marks the expected value as one that a right answer meets only up to
    chance: it is compared by :func:`compare_sampled`.
    """

    described: str
    args: tuple[Any, ...]
    expected: Any
    standard_error: float | None = None


@dataclass(frozen=True)
class Measurement:
    """How far one comparison was from its reference, in units of its bound (1 is the bound)."""

    kind: str
    ratio: float


@dataclass
class _Recorder:
    active: bool = False
    taken: list[Measurement] = field(default_factory=list)


_recorder = _Recorder()


@contextlib.contextmanager
def recording() -> Iterator[list[Measurement]]:
    """Collect the measurements of all checks that run inside."""
    _recorder.active, _recorder.taken = True, []
    try:
        yield _recorder.taken
    finally:
        _recorder.active = False


def record(kind: str, ratio: float) -> bool:
    """Note a measurement and return whether it lies within its bound; NaN does not."""
    if _recorder.active:
        _recorder.taken.append(Measurement(kind, ratio))
    return ratio <= 1.0


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
    return argument if callable(argument) else copy.deepcopy(argument)


def call(tested: str, answer: Any, *args: Any) -> Any:
    """Call a student's function with copies of the arguments.

    Raises:
        CheckFailed: the answer is no function, is the unsolved stub, or raised an error.
    """
    if not callable(answer):
        raise CheckFailed(
            tested,
            "a function",
            show(answer),
            verdict.WRONG_TYPE,
            "the name stands for a value; define it with def.",
        )
    try:
        with quietly():
            return answer(*[own_copy(a) for a in args])
    except NotImplementedError as error:
        raise unsolved(tested) from error
    except Exception as error:
        raise CheckFailed(
            tested,
            "a value",
            f"{type(error).__name__}: {_first_line(error)}",
            verdict.RAISED,
            "your code stopped with an error; call it yourself in a new cell to see where.",
        ) from error


def unsolved(tested: str) -> CheckFailed:
    """Return the failure of a stub that nobody has filled in."""
    return CheckFailed(
        tested,
        wrong_turn=verdict.UNSOLVED,
        hint="replace raise NotImplementedError by your answer, run that cell, then this one.",
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:160] if lines else ""


def numbers(tested: str, value: Any, expected: Any) -> torch.Tensor:
    """Return a student's value as a tensor of plain numbers.

    Args:
        tested: what was tested, for the message.
        value: number, tensor, array, or a list or tuple of such.
        expected: the reference, which sets the shape.

    Returns:
        A detached tensor of real numbers, in float32 where the value was, else in float64.

    Raises:
        CheckFailed: the value is not made of real numbers, has another shape, or holds NaN.
    """
    wanted = as_tensor(expected)
    if wanted is None:
        raise TypeError(f"the reference of «{tested}» is not made of numbers: {expected!r}")
    got = as_tensor(value)
    if got is None:
        raise CheckFailed(
            tested,
            show(expected),
            "None" if value is None else f"{show(value)}, of type {type(value).__name__}",
            verdict.WRONG_TYPE,
            "the function returns nothing; end it with return."
            if value is None
            else "return numbers: a float, a tensor, or what the docstring names.",
        )
    if got.shape != wanted.shape:
        raise CheckFailed(
            tested,
            f"{show(expected)}, shape {tuple(wanted.shape)}",
            f"{show(value)}, shape {tuple(got.shape)}",
            verdict.WRONG_SHAPE,
            "the numbers come in another arrangement than the docstring asks for.",
        )
    if got.isnan().any():
        raise CheckFailed(
            tested,
            show(expected),
            show(value),
            verdict.NOT_A_NUMBER,
            "NaN comes from 0/0, 0 · ∞ or the log of a negative number; look where one can arise.",
        )
    return got


def as_tensor(value: Any) -> torch.Tensor | None:
    """Return value as a real-valued tensor, or None where it is not made of real numbers."""
    if isinstance(value, bool | np.bool_) or value is None or isinstance(value, str | bytes):
        return None
    if isinstance(value, torch.Tensor):
        if value.dtype == torch.bool or value.is_complex():
            return None
        plain = value.detach().cpu()
        return plain if plain.dtype == torch.float32 else plain.to(torch.float64)
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in "fiu":
            return None
        plain = torch.as_tensor(np.array(value))
        return plain if plain.dtype == torch.float32 else plain.to(torch.float64)
    if isinstance(value, int | float):
        return torch.tensor(float(value), dtype=torch.float64)
    if isinstance(value, list | tuple):
        parts = [as_tensor(v) for v in value]
        if not parts or any(p is None for p in parts):
            return None
        known = [p for p in parts if p is not None]
        if len({p.shape for p in known}) != 1:
            return None
        return torch.stack([p.to(torch.result_type(known[0], p)) for p in known])
    return None


def distance(got: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the largest difference, relative to the size of the expected numbers as a whole.

    An expected zero among larger numbers is compared on their scale; all zeros on an absolute one.
    """
    got, expected = got.to(torch.float64), expected.to(torch.float64)
    finite = expected.isfinite()
    if not torch.equal(got[~finite], expected[~finite]):
        return math.inf
    if not finite.any():
        return 0.0
    size = expected[finite].abs()
    scale = torch.maximum(size, size.mean())
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return float(((got[finite] - expected[finite]).abs() / scale).nan_to_num(math.inf).max())


def same(got: Any, expected: Any, tolerance: float = SINGLE_PRECISION) -> bool:
    """Return whether two values agree, NaN in the same places included."""
    a, b = as_tensor(got), as_tensor(expected)
    if a is None or b is None:
        return a is None and b is None and type(got) is type(expected) and got == expected
    if a.shape != b.shape or not torch.equal(a.isnan(), b.isnan()):
        return False
    keep = ~a.isnan()
    return not keep.any() or distance(a[keep], b[keep]) <= tolerance


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
            if case.standard_error is None:
                compare(case.described, value, case.expected, bound)
            else:
                compare_sampled(case.described, value, case.expected, case.standard_error)
        except CheckFailed as error:
            if error.wrong_turn in (verdict.UNSOLVED,) or not callable(answer):
                raise
            if error.wrong_turn == verdict.RAISED:
                outcomes.append(error.__cause__)
            if error.wrong_turn:
                record(error.wrong_turn, math.inf)
            failure = failure or error
    if failure is None:
        return
    raise _named(failure, cases, outcomes, turns) from None


def compare(tested: str, value: Any, expected: Any, bound: float = CLOSED_FORM) -> None:
    """Compare one value with its reference.

    Raises:
        CheckFailed: wrong type, wrong shape, NaN, or further away than the bound.
    """
    got = numbers(tested, value, expected)
    reference = as_tensor(expected)
    assert reference is not None
    if got.dtype == torch.float32:
        bound = max(bound, SINGLE_PRECISION)
    if not record("relative difference", distance(got, reference) / bound):
        raise CheckFailed(tested, *apart(expected, value))


def compare_sampled(tested: str, value: Any, expected: Any, standard_error: float) -> None:
    """Compare an estimate from random data with its expectation.

    Raises:
        CheckFailed: wrong type, wrong shape, NaN, or more than SAMPLED_Z standard errors away.
    """
    got = numbers(tested, value, expected)
    away = float((got.to(torch.float64) - expected).abs().max()) / standard_error
    if not record("sampled z", away / SAMPLED_Z):
        likely = f"{show(expected)}, give or take {show(SAMPLED_Z * standard_error, 2)}"
        raise CheckFailed(tested, likely, show(value))


def apart(expected: Any, value: Any) -> tuple[str, str]:
    """Show two values with as many digits as it takes to see them differ."""
    for digits in (6, 9, 12, 16):
        pair = show(expected, digits), show(value, digits)
        if pair[0] != pair[1]:
            break
    return pair


def _named(
    failure: CheckFailed, cases: Sequence[Case], outcomes: Sequence[Any], turns: Sequence[Turn]
) -> CheckFailed:
    for turn in turns:
        if _explains(turn, cases, outcomes):
            return CheckFailed(
                failure.tested, failure.expected, failure.got, turn.name, turn.hint
            )
    return failure


def _explains(turn: Turn, cases: Sequence[Case], outcomes: Sequence[Any]) -> bool:
    if turn.gives is None and not any(isinstance(o, Exception) for o in outcomes):
        return False
    for case, outcome in zip(cases, outcomes, strict=True):
        if isinstance(outcome, Exception):
            if turn.raises is None or not turn.raises(outcome):
                return False
        elif turn.gives is not None and not (turn.alike or same)(outcome, turn.gives(*[own_copy(a) for a in case.args])):
            return False
    return True


def standard_errors(
    mean_nll: Callable[[torch.Tensor], torch.Tensor],
    got: torch.Tensor,
    optimum: torch.Tensor,
    n: int,
) -> float:
    """Return how many standard errors a learned parameter is from the optimum.

    The deviance 2n·[f(θ) − f(θ*)] of the mean negative log-likelihood f is asymptotically the
    squared distance in standard errors (Wilks 1938), whatever the parametrisation.

    Args:
        mean_nll: maps parameters to the mean negative log-likelihood, in float64.
        got: the learned parameters.
        optimum: the analytic optimum on the same data, of the same shape.
        n: number of observations.

    Returns:
        The square root of the deviance; infinite where the likelihood is not finite.
    """
    excess = float(mean_nll(got.to(torch.float64)) - mean_nll(optimum.to(torch.float64)))
    if not math.isfinite(excess):
        return math.inf
    return math.sqrt(max(0.0, 2 * n * excess))
