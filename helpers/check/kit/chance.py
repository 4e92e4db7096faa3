"""A random answer, asked freely and often: fresh, unbiased, and scattered as it should be.

Its arithmetic is checked elsewhere, on draws that are handed in. Here the rate of false failures is
stated: a mean of many calls lies beyond 7 of its own standard errors 3 times in 10¹² where it is
normal; where it is skewed, an exercise's test computes the rate.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.distributions import Normal

from helpers.check.kit.asks import Draws
from helpers.check.kit.calling import many
from helpers.check.kit.compare import as_tensor, within
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.message import CheckFailed, show

FURTHEST = 7.0  # standard errors that a mean of many calls may be away


@dataclass(frozen=True)
class Chance:
    """What many calls of a random answer must show.

    Args:
        draw: draws the arguments for a number n of draws.
        moments: takes the arguments; mean and standard deviation of what one call returns, of its
            first number where it returns several.
        sizes: the numbers n that are asked; few draws show a bias that many hide.
        times: how often each is asked.
        widest: the ratio of scatters that is still taken for chance; its rate is the exercise's
            to state.
    """

    draw: Callable[[Draws, int], tuple[Any, ...]]
    moments: Callable[..., tuple[float, float]]
    sizes: tuple[int, ...] = (2, 50)
    times: int = 400
    widest: float = 1.6

    def test(self, name: str, answer: Any) -> None:
        """Call an answer many times at each n.

        Raises:
            CheckFailed: the same each time, biased, or scattered too little or too much.
        """
        for n in self.sizes:
            args = self.draw(Draws(f"{name}: chance {n}"), n)
            mean, spread = self.moments(*args)
            tested = f"{name} with n={n}, {self.times} times"
            values = torch.tensor([_first(v) for v in many(tested, answer, args, self.times)])
            values = values.to(torch.float64)
            self._fresh(tested, values, spread)
            away = float((values.mean() - mean).abs()) / (spread / math.sqrt(self.times))
            if not within("sampled z", away / FURTHEST):
                raise CheckFailed(
                    tested, f"{show(mean)} on average", show(values.mean()), f"biased at n = {n}",
                    "right for many draws and wrong for few: look for an n that should be another.",
                )  # fmt: skip
            ratio = float(values.std() / spread)
            if not within("sampled scatter", max(ratio, 1 / ratio) / self.widest):
                more = "more" if ratio > 1 else "less"
                raise CheckFailed(
                    tested, f"a scatter of {show(spread, 2)}", show(values.std(), 2),
                    "draws too few" if ratio > 1 else "draws too many",
                    f"the estimates scatter {more} than those of {n} draws do: is n what is drawn?",
                )  # fmt: skip

    def _fresh(self, tested: str, values: torch.Tensor, spread: float) -> None:
        if float(values.max() - values.min()) < 1e-3 * spread:
            raise CheckFailed(
                tested, "estimates that differ", f"{show(values[0])} each time", "no fresh draws",
                "an estimate is asked, from draws that are new in every call.",
            )  # fmt: skip


@dataclass(frozen=True)
class MayDraw:
    """An answer that may draw on its way to a value that is the same for all, up to a bound.

    Two calls need not agree. Every value is judged by the exercise's bound, which states how rarely
    chance alone leaves it.
    """

    def test(self, name: str, answer: Any) -> None:
        """Ask nothing more."""


def _first(value: Any) -> float:
    numbers = as_tensor(value)
    return math.nan if numbers is None else float(numbers.flatten()[0])


MORE_THAN_ASKED = "more draws than n were asked of "


class Scripted(Normal):
    """A normal distribution that hands out draws of the check's own, one after the other.

    So an estimate is known to the last digit: which draws it took, and how many. A copy begins
    anew. Gradients pass through ``rsample``, not through ``sample``.

    Args:
        name: of the argument, for the message where more is asked than there is.
        loc: location.
        scale: standard deviation.
        noise: standard normal draws, shape (n,): what a right answer takes, and no more.
    """

    def __init__(self, name: str, loc: float, scale: float, noise: torch.Tensor) -> None:
        super().__init__(torch.tensor(loc).double(), torch.tensor(scale).double(), False)
        self.name, self.noise, self.taken = name, noise, 0

    def rsample(self, sample_shape: Any = ()) -> torch.Tensor:
        """Return the next draws, of any shape."""
        shape = torch.Size(sample_shape)
        first, self.taken = self.taken, self.taken + shape.numel()
        if self.taken > len(self.noise):
            raise RuntimeError(MORE_THAN_ASKED + self.name)
        return self.loc + self.scale * self.noise[first : self.taken].reshape(shape)

    def sample(self, sample_shape: Any = ()) -> torch.Tensor:
        """Return the next draws, of any shape, untracked."""
        with torch.no_grad():
            return self.rsample(sample_shape)

    def draws(self, n: int) -> torch.Tensor:
        """Return the first n draws, for a reference."""
        return self.loc + self.scale * self.noise[:n]


NOT_HANDED_IN = (
    "draws of its own",
    "another call gives another number although the draws are the same: draw from the distribution "
    "that is handed over.",
)

TOO_MANY = Turn(
    "more draws than n",
    "n draws are asked, and no more: where does the other number come from?",
    raises=lambda error: MORE_THAN_ASKED in str(error),
)
