"""What must be computed in double precision, as the sheet's text asks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Case
from helpers.check.kit.compare import apart, as_tensor, distance, nearest, numbers, same, within
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.message import CheckFailed

# Sums of some hundred numbers in double precision, in any order, differ by less than this.
DOUBLE = 1e-9


@dataclass(frozen=True)
class Double(Close):
    """Numbers computed in double precision, in whatever type they are stored in the end.

    A 32-bit tensor passes where it holds the right numbers, rounded once: a parameter of 32 bits
    would have rounded at every step.
    """

    rtol: float = DOUBLE

    def compare(self, case: Case, value: Any, expected: Any) -> None:
        """Compare one value; raise CheckFailed where it does not agree."""
        wanted = nearest(value, expected)
        got, reference = numbers(case.described, value, wanted), as_tensor(wanted)
        assert reference is not None
        reference = reference.to(torch.float64)
        if got.dtype == torch.float32:
            once = distance(got, reference.to(torch.float32))
            ratio = min(once, _in_gaps(got, reference)) / self.rtol
        else:
            ratio = distance(got, reference) / self.rtol
        if not within("relative difference", ratio):
            raise CheckFailed(case.described, *apart(wanted, value))


def _in_gaps(got: torch.Tensor, reference: torch.Tensor) -> float:
    """Return 0 where all numbers are the nearest that 32 bits hold, a rounding's doubt aside."""
    near = [(reference * (1 + sign * DOUBLE)).to(torch.float32) for sign in (-1, 1)]
    return 0.0 if bool(((got == near[0]) | (got == near[1])).all()) else float("inf")


def single_precision(reference: Callable[..., Any]) -> Turn:
    """Return the turn of an answer that is right but for its precision; the last of a list.

    Args:
        reference: the exercise's.
    """
    return Turn(
        "single precision",
        "this is right to seven digits only: torch.tensor(x) of a float is 32-bit, give it "
        "dtype=torch.float64.",
        reference,
        alike=lambda got, want: same(got, want, 2e-6),
    )
