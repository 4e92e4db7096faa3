"""How an exercise says that its values are to be compared with the reference's."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch

from helpers.check.kit import message
from helpers.check.kit.asks import ALONE, TYPICAL, Case
from helpers.check.kit.compare import (
    CLOSED_FORM,
    SINGLE_PRECISION,
    AnyOf,
    apart,
    as_tensor,
    compare,
    nearest,
    numbers,
    parts_of,
    same,
    several,
    within,
)
from helpers.check.kit.message import CheckFailed, show
from helpers.check.kit.rounding import single_precision


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
            the bound is at least 1e-5, and wider where rounding alone takes digits away.
        single: whether the value may come in single precision whatever the arguments are, as where
            a Python float becomes a tensor.
    """

    rtol: float = CLOSED_FORM
    single: bool = False

    def compare(self, case: Case, value: Any, expected: Any) -> None:
        """Compare one value; raise CheckFailed where it does not agree."""
        floats = any(isinstance(a, torch.Tensor) and a.dtype == torch.float32 for a in case.args)
        compare(
            case.described, value, nearest(value, expected), self.rtol,
            single=floats or self.single, rounding=partial(single_precision, case),
        )  # fmt: skip

    def same(self, got: Any, wrong: Any) -> bool:
        """Return whether a value is what a wrong turn gives, one of several or the only one."""
        tolerance = max(self.rtol, SINGLE_PRECISION)
        return any(same(got, one, tolerance) for one in several(wrong))

    def named(self, failing: Sequence[Outcome]) -> tuple[str, str] | None:
        """Return None: of plain numbers nothing more is known."""
        return None


def in_double(case: Case, value: Any) -> None:
    """Refuse a value in single precision that comes of arguments in double precision.

    Raises:
        CheckFailed: a part of the value is in float32, and no argument is.
    """
    if any(isinstance(a, torch.Tensor) and a.dtype == torch.float32 for a in case.args):
        return
    whole = as_tensor(value)
    parts = (parts_of(value) or []) if whole is None else [whole]
    if any(part.dtype == torch.float32 for part in parts):
        raise CheckFailed(
            case.described, "numbers in float64", f"{show(value)}, in float32",
            message.SINGLE, "the docstring asks for float64: hand dtype=torch.float64 to what you "
            "make, and turn nothing into 32 bits on the way.",
        )  # fmt: skip


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
