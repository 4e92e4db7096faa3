"""Parameters that an answer learned: how near to the optimum they are, and what kept them away."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from helpers.check.kit.agree import Close, Outcome
from helpers.check.kit.asks import Case
from helpers.check.kit.compare import (
    STANDARD_ERRORS,
    as_row,
    numbers,
    parts_of,
    same,
    several,
    standard_errors,
    within,
)
from helpers.check.kit.message import CheckFailed, show


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
