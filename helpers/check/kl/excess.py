"""How a fitted normal q is judged: by the nats that it has above the best one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from helpers.check.kit.agree import Outcome
from helpers.check.kit.asks import Case
from helpers.check.kit.compare import as_tensor, numbers, within
from helpers.check.kit.learned import Learned
from helpers.check.kit.message import CheckFailed, show

# A fitted q may have this much more KL than the local optimum, in nats: two models that differ by
# it are a tenth of a standard error apart on 2500 observations, √(2 · 2500 · 2e-6) = 0.1. It is
# some thirty times what single precision resolves. Cutting q off beyond 4 standard deviations costs
# 6e-8, beyond 3 at least 2.5e-5. The tutorial's (3.99999, 0.50044) is 1.6e-7 above its optimum.
EXCESS = 2e-6
# Whoever has no more to go than this, a twentieth of a standard deviation, has found the bottom and
# does not come to rest there.
NEARLY = 1e-3


@dataclass(frozen=True)
class Excess(Learned):
    """A pair (loc, scale) whose divergence, which ``mean_nll`` gives, is the least one's or nearly.

    The excess counts with either sign: a q that is better by far lies in another valley.
    """

    def compare(self, case: Case, value: Any, expected: Any) -> None:
        """Compare one value; raise CheckFailed where it does not agree."""
        got = numbers(case.described, value, expected).to(torch.float64)
        above = self.left(case, got, expected)
        if within("excess KL", (math.inf if math.isnan(above) else abs(above)) / EXCESS):
            return
        side = "above" if above > 0 else "below"
        away = (
            f"{abs(above):.2g} nats {side} the KL of the expected one"
            if math.isfinite(above)
            else "no normal at all"
        )
        raise CheckFailed(case.described, show(expected), f"{show(value)}, {away}")

    def left(self, case: Case, got: torch.Tensor, expected: Any) -> float:
        """Return the excess in nats."""
        optimum = as_tensor(expected)
        assert optimum is not None
        if not (bool(got.isfinite().all()) and float(got[1]) > 0):
            return math.inf
        return float(self.mean_nll(got, *case.args) - self.mean_nll(optimum, *case.args))

    def named(self, failing: Sequence[Outcome]) -> tuple[str, str] | None:
        """Return «stops early» where every failing run is on its way down to the optimum."""
        lefts = [self._early(outcome) for outcome in failing]
        return _early(max(lefts)) if all(lefts) else None

    def _early(self, outcome: Outcome) -> float:
        """Return the nats that are left where a run is on its way to the optimum, else 0."""
        got = as_tensor(outcome.value)
        if got is None or got.shape != (2,) or not float(got[1]) > 0:
            return 0.0
        if not self._on_its_way(outcome):
            return 0.0
        return max(0.0, self.left(outcome.case, got.to(torch.float64), outcome.expected))


@dataclass(frozen=True)
class Walked(Excess):
    """As :class:`Excess`, of what has no formula: first of all a run that stops early is named."""

    def compare(self, case: Case, value: Any, expected: Any) -> None:
        """Compare one value; raise CheckFailed where it does not agree."""
        try:
            super().compare(case, value, expected)
        except CheckFailed as failure:
            if not failure.wrong_turn and (left := self._early(Outcome(case, expected, value))):
                failure.wrong_turn, failure.hint = _early(left)
            raise

    def named(self, failing: Sequence[Outcome]) -> tuple[str, str] | None:
        """Return «stops early», or «uphill» where every failing run ends above its start."""
        return super().named(failing) or (
            ("uphill", "this is worse than the start: walk down, and watch the loss as you go.")
            if all(self._risen(outcome) for outcome in failing) or self._far_up(failing)
            else None
        )

    def _far_up(self, failing: Sequence[Outcome]) -> bool:
        """Return whether all ordinary runs end above their starts, by half a nat and more."""
        plain = [o for o in failing if not o.case.where]
        return bool(plain) and all(self._risen(o, 0.5) for o in plain)

    def _risen(self, outcome: Outcome, by: float = 0.0) -> bool:
        got = as_tensor(outcome.value)
        if got is None or got.shape != (2,) or self.start is None:
            return False
        begun = torch.tensor(self.start(*outcome.case.args), dtype=torch.float64)
        return not self.left(outcome.case, got.to(torch.float64), begun) <= by


def _early(left: float) -> tuple[str, str]:
    if left < NEARLY:
        return "not settled", (
            f"near the bottom, and {left:.2g} nats above it: let the rate fall to zero over more "
            "steps, not too soon, and no chance into the last of them."
        )
    return "stops early", (
        f"the divergence still falls from here, {left:.2g} nats are left: make more steps, or "
        "larger ones far away and smaller ones near the end."
    )
