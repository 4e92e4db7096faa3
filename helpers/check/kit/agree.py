"""How an answer's value is measured: taken as plain numbers, and compared with its reference.

What is measured can be collected, which is how ``make margins`` learns how far every bound is from
the worst right answer and from the nearest wrong one.
"""

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch

from helpers.check.kit import message
from helpers.check.kit.asks import ALONE, TYPICAL, Case
from helpers.check.kit.message import CheckFailed, show, shown_with_shape

# Answers in closed form agree to this relative difference; single precision carries seven digits.
CLOSED_FORM = 1e-6
SINGLE_PRECISION = 1e-5
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
            message.WRONG_TYPE,
            "there is no value: end a function with return, or give the name a number."
            if value is None
            else "return numbers: a float, a tensor, or what the docstring names.",
        )
    if got.shape != wanted.shape:
        raise CheckFailed(
            tested,
            shown_with_shape(expected, wanted.shape),
            shown_with_shape(value, got.shape),
            message.WRONG_SHAPE,
            "the numbers come in another arrangement than the docstring asks for.",
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


def _row_of_parts(tested: str, value: Any, expected: Sequence[Any]) -> torch.Tensor:
    """Return what :func:`numbers` does of each of several parts, one after the other."""
    count = len(expected)
    if not isinstance(value, tuple | list):
        raise CheckFailed(
            tested,
            f"a tuple of {count}",
            "None" if value is None else f"{show(value)}, of type {type(value).__name__}",
            message.WRONG_TYPE,
            "there is no value: end a function with return."
            if value is None
            else "return the parts that the docstring names, with a comma between.",
        )
    if len(value) != count:
        raise CheckFailed(
            tested, f"a tuple of {count}", f"{len(value)} values", message.WRONG_SHAPE,
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


def compare(tested: str, value: Any, expected: Any, bound: float = CLOSED_FORM) -> None:
    """Compare one value with its reference.

    Raises:
        CheckFailed: wrong type, wrong shape, NaN, or further away than the bound.
    """
    got = numbers(tested, value, expected)
    if parts_of(expected) is not None:
        for place, (part, wanted) in enumerate(zip(value, expected, strict=True), 1):
            compare(f"{tested}, value {place} of {len(expected)}", part, wanted, bound)
        return
    reference = as_tensor(expected)
    assert reference is not None
    if got.dtype == torch.float32:
        bound = max(bound, SINGLE_PRECISION)
    if not within("relative difference", distance(got, reference) / bound):
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


# --- how an exercise's values are compared -----------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What came of one case.

    Args:
        case: what was asked.
        expected: the reference's value.
        value: the answer's value, or the exception that it raised.
        failure: why it does not agree, or None where it does.
        choice: all values that the reference leaves a choice of; none where it leaves none.
    """

    case: Case
    expected: Any
    value: Any
    failure: CheckFailed | None = None
    choice: tuple[Any, ...] = ()

    @property
    def raised(self) -> bool:
        """Whether the answer raised an exception."""
        return isinstance(self.value, Exception)


class Agreement(Protocol):
    """How the values of an exercise are compared with the reference's."""

    def compare(self, case: Case, value: Any, expected: Any) -> None:
        """Compare one value; raise CheckFailed where it does not agree."""

    def same(self, got: Any, wrong: Any) -> bool:
        """Return whether a value is what a wrong turn gives."""

    def named(self, failing: Sequence[Outcome]) -> tuple[str, str] | None:
        """Return name and hint of what is known of this kind of value, or None."""


@dataclass(frozen=True)
class Close:
    """Numbers in closed form, to a relative difference.

    Args:
        rtol: the bound in double precision; where an argument or the value is in single precision
            the bound is at least 1e-5.
        single: whether the value may come in single precision whatever the arguments are, as where
            a Python float becomes a tensor.
    """

    rtol: float = CLOSED_FORM
    single: bool = False

    def compare(self, case: Case, value: Any, expected: Any) -> None:
        """Compare one value; raise CheckFailed where it does not agree."""
        floats = any(isinstance(a, torch.Tensor) and a.dtype == torch.float32 for a in case.args)
        bound = max(self.rtol, SINGLE_PRECISION) if floats or self.single else self.rtol
        compare(case.described, value, nearest(value, expected), bound)

    def same(self, got: Any, wrong: Any) -> bool:
        """Return whether a value is what a wrong turn gives, one of several or the only one."""
        tolerance = max(self.rtol, SINGLE_PRECISION)
        return any(same(got, one, tolerance) for one in several(wrong))

    def named(self, failing: Sequence[Outcome]) -> tuple[str, str] | None:
        """Return None: of plain numbers nothing more is known."""
        return None


@dataclass(frozen=True)
class UpToConstant(Close):
    """Numbers of which only the differences are asked: one added to all of them alike is free."""

    def compare(self, case: Case, value: Any, expected: Any) -> None:
        """Compare the differences from the first number; raise CheckFailed where they disagree."""
        got, wanted = numbers(case.described, value, expected), as_tensor(expected)
        assert wanted is not None
        described = f"{case.described}, differences from the first value"
        bound = max(self.rtol, SINGLE_PRECISION) if self.single else self.rtol
        compare(described, from_the_first(got), from_the_first(wanted), bound)

    def same(self, got: Any, wrong: Any) -> bool:
        """Return whether a value differs by a constant only from what a wrong turn gives."""
        row = as_tensor(got)
        if row is None or row.ndim == 0:
            return super().same(got, wrong)
        rows = [as_tensor(one) for one in several(wrong)]
        shaped = [from_the_first(r) for r in rows if r is not None and r.shape == row.shape]
        return super().same(from_the_first(row), AnyOf(*shaped))


def from_the_first(row: torch.Tensor) -> torch.Tensor:
    """Return numbers minus the first of them, in double precision."""
    row = row.to(torch.float64)
    return row - row.flatten()[0]


@dataclass(frozen=True)
class EachClose(Close):
    """Numbers in closed form that span many orders: each is compared on a scale of its own.

    Args:
        atol: difference that counts as none, where a right number may be zero.
    """

    atol: float = 0.0

    def compare(self, case: Case, value: Any, expected: Any) -> None:
        """Compare one value; raise CheckFailed where it does not agree."""
        one = nearest(value, expected)
        got, wanted = numbers(case.described, value, one), as_tensor(one)
        assert wanted is not None
        single = got.dtype == torch.float32 or wanted.dtype == torch.float32
        bound = max(self.rtol, SINGLE_PRECISION) if single else self.rtol
        if not within("relative difference", self._apart(got, wanted) / bound):
            raise CheckFailed(case.described, *apart(one, value))

    def same(self, got: Any, wrong: Any) -> bool:
        """Return whether each number is what a wrong turn gives, measured by either of the two."""
        for one in several(wrong):
            a, b = as_tensor(got), as_tensor(one)
            if (
                a is None
                or b is None
                or a.shape != b.shape
                or not torch.equal(a.isnan(), b.isnan())
            ):
                if same(got, one):
                    return True
                continue
            keep = ~a.isnan()
            if (
                max(self._apart(a[keep], b[keep]), self._apart(b[keep], a[keep]))
                <= SINGLE_PRECISION
            ):
                return True
        return False

    def _apart(self, got: torch.Tensor, expected: torch.Tensor) -> float:
        """Return the largest relative difference; infinite where only one of two is finite."""
        got, expected = got.to(torch.float64).flatten(), expected.to(torch.float64).flatten()
        differ = got != expected  # infinities of one sign do not
        off = (got[differ] - expected[differ]).abs()
        relative = (off - self.atol).clamp(min=0) / expected[differ].abs()
        relative = torch.where(off <= self.atol, torch.zeros_like(off), relative)
        return float(relative.nan_to_num(math.inf).max()) if differ.any() else 0.0


@dataclass(frozen=True)
class Located(Close):
    """Numbers in closed form, of which it can be said which part of them is off.

    Args:
        places: name, hint, and whether a value is off there and nowhere else, told from what came
            and what was expected, float64 of one shape. The first that holds in every failing case
            is named where nothing more specific is known.
    """

    places: tuple[tuple[str, str, Callable[[torch.Tensor, torch.Tensor], bool]], ...] = ()

    def named(self, failing: Sequence[Outcome]) -> tuple[str, str] | None:
        """Return the place that explains every failing case, or None."""
        pairs = [(as_tensor(o.value), as_tensor(nearest(o.value, o.expected))) for o in failing]
        for name, hint, off in self.places:
            if all(
                got is not None and wanted is not None and got.shape == wanted.shape
                and off(got.double(), wanted.double())
                for got, wanted in pairs
            ):  # fmt: skip
                return name, hint
        return None


@dataclass(frozen=True)
class Fitting(Close):
    """Numbers in closed form, of which it can be said what fits, though they are not right.

    Args:
        fits: name, hint, and whether a value fits in that way, told from what came and the case's
            arguments. The first that holds in every failing case of ordinary arguments is named
            where nothing more specific is known.
    """

    fits: tuple[tuple[str, str, Callable[[Any, tuple[Any, ...]], bool]], ...] = ()

    def named(self, failing: Sequence[Outcome]) -> tuple[str, str] | None:
        """Return how every failing value fits, those at edges and odd sizes aside, or None."""
        plain = [o for o in failing if o.case.kind in (TYPICAL, ALONE)] or failing
        for name, hint, fits in self.fits:
            if all(not o.raised and fits(o.value, o.case.args) for o in plain):
                return name, hint
        return None


@dataclass(frozen=True)
class Exactly(Close):
    """A whole number, None, or a word: equal or not, and of the type that is asked."""

    def compare(self, case: Case, value: Any, expected: Any) -> None:
        """Compare one value; raise CheckFailed where it does not agree."""
        if isinstance(expected, int) and value is not None:
            numbers(case.described, value, expected)
        plain = value.item() if isinstance(value, np.generic) else value
        alike = type(plain) is type(expected) and plain == expected
        if not within("equal or not", 0.0 if alike else math.inf):
            kind = type(expected).__name__
            wrong = (
                ""
                if type(plain) is type(expected) or expected is None or plain is None
                else (f"this is of type {type(plain).__name__}; return {kind}.")
            )
            raise CheckFailed(
                case.described,
                show(expected),
                show(value),
                message.WRONG_TYPE if wrong else "",
                wrong,
            )

    def same(self, got: Any, wrong: Any) -> bool:
        """Return whether a value is what a wrong turn gives, and of its type."""
        plain, *wanted = (v.item() if isinstance(v, np.generic) else v
                          for v in (got, *several(wrong)))  # fmt: skip
        return any(type(plain) is type(one) and same(plain, one) for one in wanted)


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


@dataclass(frozen=True)
class Learned(Close):
    """Parameters that were learned: within a tenth of a standard error of the optimum.

    Of a posterior's approximation the same is said in posterior standard deviations: the mean
    negative log-likelihood is then minus the bound that is climbed, and the size 1.

    Args:
        mean_nll: takes the parameters as one float64 tensor, then the exercise's arguments; parts
            of unlike shapes, such as a vector and a matrix, come one after the other in one row.
        size: takes the arguments; the number of observations.
        start: takes the arguments; where a run begins, or AnyOf several places, to tell a run that
            stops early from one that goes elsewhere. None where that is not known.
        near: relative difference at which a learned value is taken for a wrong turn's.
        most: standard errors that a value may be away.
        unit: what they are called.
        sampled: whether right answers may draw, and meet the optimum up to chance only.
    """

    mean_nll: Callable[..., torch.Tensor] = field(default=lambda *_: torch.zeros(()))
    size: Callable[..., int] = field(default=lambda *args: len(args[0]))
    start: Callable[..., Any] | None = None
    near: float = 0.02
    most: float = STANDARD_ERRORS
    unit: str = "standard errors"
    sampled: bool = False

    def compare(self, case: Case, value: Any, expected: Any) -> None:
        """Compare one value; raise CheckFailed where it does not agree."""
        got = numbers(case.described, value, expected).to(torch.float64)
        left = self.left(case, got, expected)
        kind = f"sampled {self.unit}" if self.sampled else self.unit
        if not within(kind, left / self.most):
            away = f"{left:.3g} {self.unit} away" if math.isfinite(left) else "no likelihood there"
            wanted = f"{show(expected)}, to {self.most:g} {self.unit}"
            raise CheckFailed(case.described, wanted, f"{show(value)}: {away}")

    def left(self, case: Case, got: torch.Tensor, expected: Any) -> float:
        """Return how many standard errors a value is from the optimum."""
        optimum = as_row(expected)
        assert optimum is not None
        return standard_errors(
            lambda theta: self.mean_nll(theta, *case.args), got, optimum, self.size(*case.args)
        )

    def same(self, got: Any, wrong: Any) -> bool:
        """Return whether a learned value is, to two per cent, what a wrong turn gives."""
        return any(same(got, one, self.near) for one in several(wrong))

    def named(self, failing: Sequence[Outcome]) -> tuple[str, str] | None:
        """Return «stops early» where every failing run is on its way down to the optimum.

        And «uphill» where every one ends higher than the highest of its starts.
        """
        if self.start is None:
            return None
        if all(self._uphill(outcome) for outcome in failing):
            return "uphill", (
                "the loss is higher here than at the start: is its sign right, and are the steps "
                "short enough?"
            )
        lefts = []
        for outcome in failing:
            if not self._on_its_way(outcome):
                return None
            got = as_row(outcome.value)
            assert got is not None
            lefts.append(self.left(outcome.case, got.to(torch.float64), outcome.expected))
        return "stops early", (
            f"the loss still falls from here, {max(lefts):.2g} {self.unit} are left: make more "
            "steps, or larger ones far away and smaller ones near the end. If more steps change "
            "nothing, another loss is minimised."
        )

    def _uphill(self, outcome: Outcome) -> bool:
        pair = _rows(outcome)
        if pair is None:
            return False
        loss = float(self.mean_nll(pair[0].to(torch.float64), *outcome.case.args))
        return not loss <= max(self._begun(outcome))

    def _begun(self, outcome: Outcome) -> list[float]:
        """Return the loss at each of the starts."""
        assert self.start is not None
        starts = [as_row(s) for s in several(self.start(*outcome.case.args))]
        return [float(self.mean_nll(s.to(torch.float64), *outcome.case.args))
                for s in starts if s is not None]  # fmt: skip

    def _on_its_way(self, outcome: Outcome) -> bool:
        """Return whether the loss is below the start's, and its slope leads to the optimum."""
        pair = _rows(outcome)
        if pair is None or self.start is None:
            return False
        got, optimum = pair
        theta = got.to(torch.float64).clone().requires_grad_(True)
        loss = self.mean_nll(theta, *outcome.case.args)
        if not bool(loss.isfinite()) or float(loss.detach()) >= max(self._begun(outcome)):
            return False
        (slope,) = torch.autograd.grad(loss, theta)
        return float((slope * (optimum.to(torch.float64) - theta.detach())).sum()) < 0


def _rows(outcome: Outcome) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Return what came and what was expected as :func:`as_row` has them.

    None where one is not made of numbers, or has parts of other shapes than the other.
    """
    shapes = [None if (parts := parts_of(v)) is None else [p.shape for p in parts]
              for v in (outcome.value, outcome.expected)]  # fmt: skip
    got, wanted = as_row(outcome.value), as_row(outcome.expected)
    if got is None or wanted is None or got.shape != wanted.shape or shapes[0] != shapes[1]:
        return None
    return got, wanted
