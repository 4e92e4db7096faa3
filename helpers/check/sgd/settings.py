"""settings: for each of four harder runs a learning rate and a number of steps that arrive."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from helpers import data
from helpers.check.kit import message
from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Case
from helpers.check.kit.compare import STANDARD_ERRORS, as_tensor, note, standard_errors, within
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.entries import Entries
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.message import CheckFailed, show
from helpers.check.sgd import analytic

MOST_STEPS = 100_000
TUTORIAL = (1e-7, 10_000)  # learning rate and number of steps of the sheet's own run, n = 10000


@dataclass(frozen=True)
class Run:
    """One run of gradient descent: where it starts, on which data, and with which settings."""

    start: float
    sample: torch.Tensor
    scale: float
    learning_rate: float
    n_steps: int

    @property
    def mean(self) -> float:
        """The optimum, the mean of the data."""
        return float(self.sample.mean())

    @property
    def moved(self) -> float:
        """Learning rate times curvature: the share of the distance that one step covers."""
        return self.learning_rate * len(self.sample) / self.scale**2

    def end(self) -> float:
        """Return the location after the last step, by making the steps in float64."""
        location, mean = self.start, self.mean
        for _ in range(self.n_steps):
            new = location - self.moved * (location - mean)
            if new == location or not math.isfinite(new):
                return new
            location = new
        return location

    def left(self) -> float:
        """Return how many standard errors are left, by the steps or by the closed form.

        The larger of the two is returned, so that both must say that the run has arrived.
        """
        if not 0 <= self.n_steps <= MOST_STEPS:
            return math.inf
        n, mean = len(self.sample), self.mean
        shrunk = (1 - self.moved) ** self.n_steps if abs(1 - self.moved) <= 1 else math.inf
        closed = mean + shrunk * (self.start - mean)
        optimum = torch.tensor(mean, dtype=torch.float64)
        return max(
            standard_errors(self._mean_nll, torch.tensor(end, dtype=torch.float64), optimum, n)
            for end in (self.end(), closed)
        )

    def arrives(self) -> bool:
        """Return whether the run ends within a tenth of a standard error of the mean."""
        return self.left() <= STANDARD_ERRORS

    def _mean_nll(self, location: torch.Tensor) -> torch.Tensor:
        return 0.5 * (((self.sample - location) / self.scale) ** 2).mean()


Made = Callable[[float, int], Run]  # a run of certain data, with settings


@dataclass(frozen=True)
class Arrives(Close):
    """A learning rate and a number of steps: the run that they make arrives.

    Args:
        made: makes the run.
        words: what the run is.
    """

    made: Made = lambda rate, steps: Run(0.0, torch.zeros(1), 1.0, rate, steps)
    words: str = ""

    def compare(self, case: Case, value: Any, expected: Any) -> None:
        """Make the run; raise CheckFailed where it does not arrive."""
        tested = f"{case.described} = {show(value)}: {self.words}"
        run = self.made(*pair(tested, value))
        left = run.left()
        if within("standard errors", left / STANDARD_ERRORS):
            return
        end = run.end() if math.isfinite(left) else math.inf
        raise CheckFailed(
            tested, f"a last value within 0.1 standard errors of the mean, {run.mean:.6g}",
            f"{end:.6g}, {left:.3g} standard errors away" if math.isfinite(end)
            else "nowhere near it",
        )  # fmt: skip


def pair(tested: str, value: Any) -> tuple[float, int]:
    """Return a learning rate and a number of steps.

    Raises:
        CheckFailed: something else was given.
    """
    two = as_tensor(value)
    expected = "a pair (learning_rate, n_steps)"
    if two is None:
        name, hint = message.WRONG_TYPE, "give two numbers, in parentheses, with a comma between."
    elif two.shape != (2,):
        name, hint = (
            message.WRONG_SHAPE,
            "give two numbers: the learning rate, the number of steps.",
        )
    elif not two.isfinite().all():
        name, hint = message.NOT_A_NUMBER, "neither of the two may be NaN or infinite."
    else:
        rate, steps = two.tolist()
        if 0 < rate < 1 and steps < 1:
            name, hint = "no steps", "a run makes one step at least: give a positive whole number."
        elif 0 < rate < 1 and steps != int(steps):
            name, hint = message.WRONG_TYPE, "the number of steps is a whole number."
        else:
            return rate, int(steps)
    note(name, math.inf)
    raise CheckFailed(tested, expected, show(value), name, hint)


def _would_arrive(run: Run, **change: Any) -> bool:
    return Run(**{**run.__dict__, **change}).arrives()


# In this order: what cannot arrive at all, then what would arrive elsewhere, or too late.
WAYS: list[tuple[str, str, Callable[[Run], bool]]] = [
    ("pair in wrong order", "the learning rate comes first, the number of steps second.",
     lambda run: run.learning_rate >= 1 and run.n_steps <= 1),
    ("too many steps", f"{MOST_STEPS} steps are the most that are run; cover more of the way with "
     "each.", lambda run: run.n_steps > MOST_STEPS),
    ("ascent", "a negative learning rate walks up the slope, away from the mean.",
     lambda run: run.learning_rate < 0),
    ("never moves", "a learning rate of zero leaves the parameter where it starts.",
     lambda run: run.learning_rate == 0),
    ("swings for ever", "at this rate each step lands as far beyond the mean as it began before "
     "it.", lambda run: abs(run.moved - 2) < 1e-9),
    ("diverges", "each step lands further away than it began: this learning rate is not stable for "
     "this n and scale.", lambda run: run.moved > 2),
    ("settings unchanged", "these were enough from 1.0, with 10000 observations; here they leave "
     "more over.", lambda run: (run.learning_rate, run.n_steps) == TUTORIAL
     and len(run.sample) == 10_000),
    ("rate not rescaled", "this rate suits a loss over 10000 observations; over fewer it is "
     "flatter, and you crawl.", lambda run: len(run.sample) < 10_000
     and run.learning_rate <= analytic.largest_stable_rate(10_000)),
    ("scale forgotten", "this suits a scale of 1; the loss divides by scale², so it is flatter "
     "here.", lambda run: run.scale != 1 and _would_arrive(run, scale=1.0)),
    ("scale for variance", "the loss divides by the square of the scale: it is flatter still.",
     lambda run: run.scale != 1 and _would_arrive(run, scale=math.sqrt(run.scale))),
    ("still swinging", "stable, but each step lands nearly as far beyond the mean as it began: a "
     "smaller rate settles sooner.", lambda run: 1.5 < run.moved < 2),
    ("scale upside down", "a wide scale makes a flat loss, which allows larger rates: times "
     "scale², not divided by it.", lambda run: run.scale != 1 and run.moved * run.scale**4 <= 1.01
     and _would_arrive(run, learning_rate=run.learning_rate * run.scale**4)),
    ("a standard error left", "a tenth of a standard error is asked; this ends about a whole one "
     "away.", lambda run: run.left() <= 2),
    ("an absolute tenth", "a tenth of a standard error is asked, not a tenth: that is 0.1 times "
     "scale/√n.", lambda run: abs(run.end() - run.mean) <= 0.12),
    ("distance forgotten", "these settings arrive from nearby; from so far away there is more to "
     "cover.", lambda run: abs(run.start - run.mean) > 100
     and _would_arrive(run, start=run.mean + 1)),
    ("stops early", "on its way, but not there yet; make more steps, or cover more of the way with "
     "each.", lambda run: True),
]  # fmt: skip


def _entry(
    key: str, words: str, start: float, sample: Callable[[], torch.Tensor], scale: float = 1.0
) -> Exercise:
    def made(rate: float, steps: int) -> Run:
        return Run(start, sample(), scale, rate, steps)

    def taken(way: Callable[[Run], bool]) -> Callable[[Any, Any], bool]:
        def alike(got: Any, right: Any) -> bool:
            try:
                return way(made(*pair("", got)))
            except CheckFailed:  # no pair at all
                return False

        return alike

    def reference() -> tuple[float, int]:
        """Return a tenth of the way a step, and as many steps as that takes."""
        x = sample()
        far = abs(start - float(x.mean())) * math.sqrt(len(x)) / scale / 0.01
        return 0.1 * scale**2 / len(x), math.ceil(math.log(max(far, 2.0)) / -math.log(0.9))

    return Exercise(
        name=f'settings["{key}"]',
        arguments=(),
        reference=reference,
        agree=Arrives(made=made, words=words),
        turns=tuple(Turn(name, hint, reference, alike=taken(way)) for name, hint, way in WAYS),
        typical=1,
        passed=words,
    )


ENTRIES = {
    "far start": _entry("far start", "start −5000", -5000.0, data.sgd_sample),
    "far truth": _entry("far truth", "true location 5000", 1.0, lambda: data.sgd_sample(5000.0)),
    "few data": _entry("few data", "100 observations", 1.0, lambda: data.sgd_sample(n=100)),
    "wide data": _entry("wide data", "400 observations, scale 3", 1.0, data.sgd_wide, 3.0),
}
SETTINGS = Entries(
    exercises=tuple(ENTRIES.values()),
    passed="settings: all four runs end within 0.1 standard errors of their mean.",
    name="settings",
    keys=tuple(ENTRIES),
    form='{"far start": (learning_rate, n_steps), ...}',
)
settings = SETTINGS.check
