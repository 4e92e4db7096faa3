"""How two values are compared: taken as plain numbers, and measured in units of a bound.

What is measured can be collected, which is how ``make margins`` learns how far every bound is from
the worst right answer and from the nearest wrong one.
"""

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from helpers.check.kit import message
from helpers.check.kit.message import CheckFailed, show, shown_with_shape

# Answers in closed form agree to this relative difference; single precision carries seven digits.
CLOSED_FORM = 1e-6
SINGLE_PRECISION = 1e-5
WELL_WITHIN = 0.1  # of a bound
# A learned parameter lies within a tenth of a standard error of the optimum.
STANDARD_ERRORS = 0.1
# Two-sided normal quantile of a false-failure rate of 8e-11, below the 1e-9 a check may spend;
# the rest pays for the central limit theorem's error at the sample sizes used.
SAMPLED_Z = 6.5


@dataclass(frozen=True)
class Measurement:
    """How far one comparison was from its reference, in units of its bound (1 is the bound)."""

    kind: str
    ratio: float


_measured: ContextVar[list[Measurement] | None] = ContextVar("measured", default=None)


@contextlib.contextmanager
def measuring() -> Iterator[list[Measurement]]:
    """Collect the measurements of all checks that run inside."""
    taken: list[Measurement] = []
    token = _measured.set(taken)
    try:
        yield taken
    finally:
        _measured.reset(token)


def within(kind: str, ratio: float) -> bool:
    """Return whether a measurement lies within its bound, NaN does not; and note it.

    Args:
        kind: what was measured, such as ``"relative difference"``.
        ratio: the measurement in units of its bound.
    """
    note(kind, ratio)
    return ratio <= 1.0


def note(kind: str, ratio: float) -> None:
    """Note a measurement for whoever is :func:`measuring`."""
    taken = _measured.get()
    if taken is not None:
        taken.append(Measurement(kind, ratio))


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
        if parts_of(expected) is None:
            raise TypeError(f"the reference of «{tested}» is not made of numbers: {expected!r}")
        return _row_of_parts(tested, value, expected)
    got = as_tensor(value)
    if got is None and (parts := parts_of(value)) is not None:
        raise CheckFailed(
            tested,
            shown_with_shape(expected, wanted.shape),
            f"parts of shapes {', '.join(str(tuple(p.shape)) for p in parts)}",
            message.WRONG_SHAPE,
            "the parts are not of one shape, as the docstring asks.",
        )
    if got is None:
        raise CheckFailed(
            tested,
            show(expected),
            "None" if value is None else f"{show(value)}, of type {type(value).__name__}",
            *_of_no_numbers(value),
        )
    if got.shape != wanted.shape:
        raise CheckFailed(
            tested,
            shown_with_shape(expected, wanted.shape),
            shown_with_shape(value, got.shape),
            *_of_another_shape(tuple(got.shape), tuple(wanted.shape)),
        )
    if got.isnan().any():
        raise CheckFailed(
            tested,
            show(expected),
            show(value),
            message.NOT_A_NUMBER,
            "NaN comes from 0/0, 0 · ∞ or the log of a negative number; look where one can arise.",
        )
    return got


def _of_no_numbers(value: Any) -> tuple[str, str]:
    """Return name and hint of a value that is not made of real numbers."""
    if value is None:
        return (
            message.NOTHING,
            "there is no value: end a function with return, or give the name one.",
        )
    inner = value
    while isinstance(inner, list | tuple) and len(inner):
        inner = inner[0]
    kind = str(getattr(inner, "dtype", type(inner).__name__))
    if "complex" in kind:
        return message.COMPLEX, (
            "the root of a negative number is complex: what under it can become negative?"
        )
    if "bool" in kind:
        return message.TRUTH, "this says whether, not how much: return numbers."
    if isinstance(inner, str):
        return message.TEXT, "return numbers, not their digits as text."
    return message.WRONG_TYPE, "return numbers: a float, a tensor, or what the docstring names."


def _of_another_shape(got: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[str, str]:
    """Return name and hint of numbers in another arrangement."""
    count, asked = math.prod(got), math.prod(wanted)
    if not wanted and count > 1:
        return message.NOT_SUMMED, (
            f"one number is asked for and {count} came: is a sum or a mean over them missing?"
        )
    if not got and asked > 1:
        return message.SUMMED, (
            f"{asked} numbers are asked for and one came: is a sum or a mean taken too early?"
        )
    if len(got) == len(wanted) > 1 and got == wanted[::-1]:
        return message.EXCHANGED, "the shape is that of the transposed: which axis is which?"
    if count == asked:
        return message.AXES, (
            "as many numbers as asked for, in another arrangement: look at keepdim, squeeze, "
            "unsqueeze and flatten."
        )
    if len(got) == len(wanted) and sum(g != w for g, w in zip(got, wanted, strict=True)) == 1:
        (place,) = [i for i, (g, w) in enumerate(zip(got, wanted, strict=True)) if g != w]
        return message.LENGTH, (
            f"{got[place]} in place of {wanted[place]}"
            + (f" along axis {place}" if len(wanted) > 1 else "")
            + ": are all of them there, and none twice?"
        )
    if abs(len(got) - len(wanted)) == 1:
        return message.AXES, (
            "an axis is summed over that should stay, or stays that should be summed over."
        )
    return (
        message.WRONG_SHAPE,
        "the numbers come in another arrangement than the docstring asks for.",
    )


def _row_of_parts(tested: str, value: Any, expected: Sequence[Any]) -> torch.Tensor:
    """Return what :func:`numbers` does of each of several parts, one after the other."""
    count = len(expected)
    if not isinstance(value, tuple | list):
        raise CheckFailed(
            tested,
            f"a tuple of {count}",
            "None" if value is None else f"{show(value)}, of type {type(value).__name__}",
            *(
                _of_no_numbers(value)
                if as_tensor(value) is None
                else (
                    message.ONE_FOR_SEVERAL,
                    "return the parts that the docstring names, with a comma between.",
                )
            ),
        )
    if len(value) != count:
        raise CheckFailed(
            tested, f"a tuple of {count}", f"{len(value)} values", message.VALUES,
            "return the parts that the docstring names, in its order.",
        )  # fmt: skip
    asked = [(f"{tested}, value {i} of {count}", value[i], expected[i]) for i in range(count)]
    return torch.cat([numbers(*one).flatten() for one in asked])


def parts_of(value: Any) -> list[torch.Tensor] | None:
    """Return the parts of a tuple or list whose shapes are unlike, as tensors; else None."""
    if not isinstance(value, list | tuple) or as_tensor(value) is not None:
        return None
    parts = [as_tensor(v) for v in value]
    known = [p for p in parts if p is not None]
    return known if known and len(known) == len(parts) else None


def as_row(value: Any) -> torch.Tensor | None:
    """Return value as a tensor, parts of unlike shapes one after the other; None where neither."""
    parts = parts_of(value)
    return as_tensor(value) if parts is None else torch.cat([p.flatten() for p in parts])


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
    if (parts := parts_of(expected)) is not None:
        alike = isinstance(got, list | tuple) and len(got) == len(parts)
        return alike and all(same(g, e, tolerance) for g, e in zip(got, parts, strict=True))
    a, b = as_tensor(got), as_tensor(expected)
    if a is None or b is None:
        return a is None and b is None and type(got) is type(expected) and _equal(got, expected)
    if a.shape != b.shape or not torch.equal(a.isnan(), b.isnan()):
        return False
    keep = ~a.isnan()
    return not keep.any() or distance(a[keep], b[keep]) <= tolerance


def _equal(got: Any, expected: Any) -> bool:
    """Return whether two values are equal; tensors inside them may refuse to say."""
    try:
        return bool(got == expected)
    except (ValueError, RuntimeError, TypeError):
        return False


def any_of(got: Any, wanted: Iterable[Any]) -> bool:
    """Return whether a value agrees with one of several, for turns that are written in two ways."""
    return any(same(got, w) for w in wanted)


def compare(
    tested: str, value: Any, expected: Any, bound: float = CLOSED_FORM, single: bool = False,
    rounding: Callable[[], float] = lambda: SINGLE_PRECISION,
) -> None:  # fmt: skip
    """Compare one value with its reference.

    Args:
        tested: what was tested, for the message.
        value: the answer's value.
        expected: the reference's.
        bound: relative difference that is allowed.
        single: whether the value may be one of single precision though its type is another.
        rounding: gives the bound of single precision; asked only where the value is not well
            within the usual one, since it takes the reference some calls.

    Raises:
        CheckFailed: wrong type, wrong shape, NaN, or further away than the bound.
    """
    got = numbers(tested, value, expected)
    if parts_of(expected) is not None:
        for place, (part, wanted) in enumerate(zip(value, expected, strict=True), 1):
            each = f"{tested}, value {place} of {len(expected)}"
            compare(each, part, wanted, bound, single, rounding)
        return
    reference = as_tensor(expected)
    assert reference is not None
    away = distance(got, reference)
    if single or got.dtype == torch.float32:
        bound = max(bound, SINGLE_PRECISION)
        if away > WELL_WITHIN * bound:
            bound = max(bound, rounding())
    if not within("relative difference", away / bound):
        raise CheckFailed(tested, *apart(expected, value))


def compare_sampled(
    tested: str, value: Any, expected: Any, standard_error: float | torch.Tensor
) -> None:
    """Compare an estimate from random data with its expectation.

    Args:
        tested: what was tested, for the message.
        value: the answer's value.
        expected: its expectation.
        standard_error: one for all of its numbers, or one for each.

    Raises:
        CheckFailed: wrong type, wrong shape, NaN, or more than SAMPLED_Z standard errors away.
    """
    got = numbers(tested, value, expected)
    away = float(((got.to(torch.float64) - expected).abs() / standard_error).max())
    if not within("sampled z", away / SAMPLED_Z):
        likely = f"{show(expected)}, give or take {show(SAMPLED_Z * standard_error, 2)}"
        raise CheckFailed(tested, likely, show(value))


def apart(expected: Any, value: Any) -> tuple[str, str]:
    """Show two values with as many digits as it takes to see them differ.

    Where they differ only in what is cut from the middle of many numbers, the place is said.
    """
    for digits in (6, 9, 12, 16):
        pair = show(expected, digits), show(value, digits)
        if pair[0] != pair[1]:
            return pair
    wanted, got = as_tensor(expected), as_tensor(value)
    if wanted is None or got is None or wanted.shape != got.shape or wanted.ndim == 0:
        return pair
    wanted, got = wanted.flatten().to(torch.float64), got.flatten().to(torch.float64)
    worst = int((wanted - got).abs().nan_to_num(math.inf).argmax())
    there = apart(wanted[worst].item(), got[worst].item())
    return f"{show(expected)}, at place {worst} {there[0]}", f"at place {worst} {there[1]}"


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


class AnyOf:
    """Several values, each of which a wrong turn may give."""

    def __init__(self, *values: Any) -> None:
        self.values = values


def nearest(value: Any, expected: Any) -> Any:
    """Return the one of several expected values that a value is nearest to, or the only one."""
    return min(several(expected), key=lambda one: _away(value, one))


def _away(value: Any, expected: Any) -> float:
    got, wanted = as_tensor(value), as_tensor(expected)
    if got is None or wanted is None or got.shape != wanted.shape or bool(got.isnan().any()):
        return math.inf
    return distance(got, wanted)


def several(wrong: Any) -> tuple[Any, ...]:
    """Return the values that a wrong turn may give, where it gives several, else the one."""
    return tuple(wrong.values) if isinstance(wrong, AnyOf) else (wrong,)
