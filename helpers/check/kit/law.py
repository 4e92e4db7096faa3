"""Random numbers, judged by the law that they should follow, at a stated rate of false failures.

A statistic's tail probability is computed, or bounded from above, for any number of draws, with no
appeal to large numbers. An answer fails where one is below RAREST. A check asks no more than two
hundred, so a right answer fails less than once in 1e9 times.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from helpers.check.kit.agree import Close, Outcome
from helpers.check.kit.asks import Case, Draws
from helpers.check.kit.calling import many
from helpers.check.kit.chance import MayDraw
from helpers.check.kit.compare import as_tensor, numbers, same, several, within
from helpers.check.kit.message import CheckFailed, show

RAREST = 2e-12

Surprise = float  # minus the logarithm of a tail probability, in units of RAREST's
Statistic = Callable[..., tuple[str, str, Surprise]]  # what is expected and what came, in words


def chi_squared(value: float, degrees: float) -> Surprise:
    """Return how rare a value of a chi-squared variable is, on the side where it lies."""
    half = torch.tensor([degrees / 2, value / 2], dtype=torch.float64)
    below, above = torch.special.gammainc(*half), torch.special.gammaincc(*half)
    return _surprise(min(float(below), float(above)))


def binomial(count: int, n: int, p: float) -> Surprise:
    """Return how rare a binomial count is: at most as rare as this (Chernoff's bound)."""
    share = count / n
    divergence = sum(
        a * math.log(a / b) if b > 0 else math.inf
        for a, b in ((share, p), (1 - share, 1 - p))
        if a > 0
    )
    return n * divergence / -math.log(RAREST)


def bounded(away: float, n: int, step: float) -> Surprise:
    """Return how rare it is that a function of n draws lies away from its mean (McDiarmid's bound).

    Args:
        away: its distance from the mean.
        n: number of independent draws.
        step: by how much a single draw can change it.
    """
    return 2 * away**2 / (n * step**2) / -math.log(RAREST)


def happened(log_probability: float) -> Surprise:
    """Return how rare an event is whose probability is known, from its log."""
    return log_probability / math.log(RAREST)


def _surprise(tail: float) -> Surprise:
    return math.log(tail) / math.log(RAREST) if tail > 0 else math.inf


@dataclass(frozen=True)
class Law(Close):
    """Random numbers that follow a law; two right answers need not agree in any of them.

    Args:
        statistics: take the numbers, a float64 tensor of the reference's shape, and the exercise's
            arguments; return what is expected, what came, and how rare that is. By name and hint.
    """

    statistics: Sequence[tuple[str, str, Statistic]] = ()

    def compare(self, case: Case, value: Any, expected: Any) -> None:
        """Compare one value; raise CheckFailed where it does not follow the law."""
        drawn = numbers(case.described, value, expected).to(torch.float64)
        said = [statistic(drawn, *case.args) for _, _, statistic in self.statistics]
        if not within("sampled tail", max(rare for _, _, rare in said)):
            wanted, got, _ = next(one for one in said if not one[2] <= 1)
            raise CheckFailed(case.described, wanted, got)

    def same(self, got: Any, wrong: Any) -> bool:
        """Return whether the numbers are the very ones."""
        return any(same(got, one) for one in several(wrong))

    def named(self, failing: Sequence[Outcome]) -> tuple[str, str] | None:
        """Return the first statistic that the first failing case fails; typical ones come first."""
        for outcome in failing:
            drawn, wanted = as_tensor(outcome.value), as_tensor(outcome.expected)
            if drawn is None or wanted is None or drawn.shape != wanted.shape:
                continue
            for name, hint, statistic in self.statistics:
                if statistic(drawn.double(), *outcome.case.args)[2] > 1:
                    return name, hint
        return None


@dataclass(frozen=True)
class Fresh(MayDraw):
    """An answer whose every call draws anew.

    Args:
        args: draws arguments for which two calls never agree.
    """

    args: Callable[[Draws], tuple[Any, ...]] = lambda u: ()

    def test(self, name: str, answer: Any) -> None:
        """Call an answer twice.

        Raises:
            CheckFailed: both calls give the same.
        """
        tested = f"{name}, two calls"
        one, other = many(tested, answer, self.args(Draws(f"{name}: fresh")), 2)
        if not within("sampled tail", math.inf if same(one, other, 1e-9) else 0.0):
            raise CheckFailed(
                tested, "draws that differ", f"{show(one)} both times", "no fresh draws",
                "every call draws anew: no seed, no generator and no list kept from the first.",
            )  # fmt: skip
