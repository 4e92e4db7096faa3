"""The check of sheet 03's settings: a learning rate and a number of steps for three harder runs."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from helpers import data
from helpers.check.kit import message
from helpers.check.kit.agree import STANDARD_ERRORS, as_tensor, note, standard_errors, within
from helpers.check.kit.message import CheckFailed, passed, show
from helpers.check.sgd import analytic

MOST_STEPS = 100_000
TUTORIAL = (1e-7, 10_000)  # learning rate and number of steps of the sheet's own run, n = 10000


@dataclass(frozen=True)
class Run:
    """One run of gradient descent: where it starts, on which data, and with which settings."""

    start: float
    sample: torch.Tensor
    learning_rate: float
    n_steps: int

    @property
    def mean(self) -> float:
        """The optimum, the mean of the data."""
        return float(self.sample.mean())

    @property
    def moved(self) -> float:
        """Learning rate times n: the share of the distance that one step covers."""
        return self.learning_rate * len(self.sample)

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
        n, mean = len(self.sample), self.mean
        shrunk = (1 - self.moved) ** self.n_steps if abs(1 - self.moved) <= 1 else math.inf
        closed = mean + shrunk * (self.start - mean)
        optimum = torch.tensor(mean, dtype=torch.float64)
        return max(
            standard_errors(self._mean_nll, torch.tensor(end, dtype=torch.float64), optimum, n)
            for end in (self.end(), closed)
        )

    def _mean_nll(self, location: torch.Tensor) -> torch.Tensor:
        return 0.5 * ((self.sample - location) ** 2).mean()


@dataclass(frozen=True)
class RunTurn:
    """A wrong turn of a run: its name, its hint, and whether a run that did not arrive took it."""

    name: str
    hint: str
    taken: Callable[[Run], bool]


def _tutorials(run: Run) -> bool:
    return (run.learning_rate, run.n_steps) == TUTORIAL


def _of_larger_data(run: Run) -> bool:
    return len(run.sample) < 10_000 and run.learning_rate <= analytic.largest_stable_rate(10_000)


# In this order: what cannot arrive at all, then what would arrive too late.
TURNS = [
    RunTurn(
        "pair in wrong order",
        "the learning rate comes first, the number of steps second.",
        lambda run: run.learning_rate >= 1 and run.n_steps <= 1,
    ),
    RunTurn(
        "too many steps",
        f"{MOST_STEPS} steps are the most that are run; cover more of the way with each.",
        lambda run: run.n_steps > MOST_STEPS,
    ),
    RunTurn(
        "ascent",
        "a negative learning rate walks up the slope, away from the mean.",
        lambda run: run.learning_rate < 0,
    ),
    RunTurn(
        "never moves",
        "a learning rate of zero leaves the parameter where it starts.",
        lambda run: run.learning_rate == 0,
    ),
    RunTurn(
        "swings for ever",
        "at this rate each step lands as far beyond the mean as it began before it.",
        lambda run: abs(run.moved - 2) < 1e-9,
    ),
    RunTurn(
        "diverges",
        "each step lands further away than it began: this learning rate is not stable for this n.",
        lambda run: run.moved > 2,
    ),
    RunTurn(
        "rate not rescaled",
        "this rate suits a loss over 10000 observations; over fewer it is flatter, and you crawl.",
        _of_larger_data,
    ),
    RunTurn(
        "settings unchanged",
        "these were enough from 1.0; from further away the same share of the way leaves more over.",
        _tutorials,
    ),
    RunTurn(
        "stops early",
        "on its way, but not there yet; make more steps, or cover more of the way with each.",
        lambda run: True,
    ),
]


def cases() -> dict[str, tuple[str, float, torch.Tensor]]:
    """Return what each key of the settings stands for: words, the start, and the data."""
    return {
        "far start": ("start −5000", -5000.0, data.sgd_sample()),
        "far truth": ("true location 5000", 1.0, data.sgd_sample(location=5000.0)),
        "few data": ("100 observations", 1.0, data.sgd_sample(n=100)),
    }


def settings(answer: Any) -> bool:
    """Check the dict of settings: each run ends within 0.1 standard errors of the mean.

    Args:
        answer: maps "far start", "far truth" and "few data" to (learning rate, number of steps).
    """
    wanted = cases()
    if not isinstance(answer, dict):
        raise CheckFailed(
            "settings", f"a dict with the keys {', '.join(map(repr, wanted))}", show(answer),
            message.WRONG_TYPE, "write {\"far start\": (learning_rate, n_steps), ...}.",
        )  # fmt: skip
    failure: CheckFailed | None = None
    for key, (words, start, sample) in wanted.items():
        try:
            _judge(key, words, start, sample, answer)
        except CheckFailed as failed:
            failure = failure or failed
    if failure:
        raise failure
    return passed("settings: all three runs end within 0.1 standard errors of their mean.")


def _judge(key: str, words: str, start: float, sample: torch.Tensor, answer: dict) -> None:
    if key not in answer:
        note(message.WRONG_SHAPE, math.inf)
        raise CheckFailed(
            f'settings["{key}"]: {words}', "a pair (learning_rate, n_steps)",
            f"only the keys {', '.join(map(repr, answer))}", message.WRONG_SHAPE,
            "the dict needs the three keys of the stub.",
        )  # fmt: skip
    value = answer[key]
    tested = f'settings["{key}"] = {show(value)}: {words}'
    run = Run(start, sample, *_pair(tested, value))
    left = run.left() if 0 <= run.n_steps <= MOST_STEPS else math.inf
    if within("standard errors", left / STANDARD_ERRORS):
        return
    end = run.end() if math.isfinite(left) else math.inf
    got = f"{end:.6g}, {left:.3g} standard errors away" if math.isfinite(end) else "nowhere near it"
    turn = next(turn for turn in TURNS if turn.taken(run))
    raise CheckFailed(
        tested, f"a last value within 0.1 standard errors of the mean, {run.mean:.6g}", got,
        turn.name, turn.hint,
    )  # fmt: skip


def _pair(tested: str, value: Any) -> tuple[float, int]:
    """Return a learning rate and a number of steps, or say what else was given."""
    pair = as_tensor(value)
    expected = "a pair (learning_rate, n_steps)"
    if pair is None:
        name, hint = message.WRONG_TYPE, "give two numbers, in parentheses, with a comma between."
    elif pair.shape != (2,):
        name, hint = (
            message.WRONG_SHAPE,
            "give two numbers: the learning rate, the number of steps.",
        )
    elif not pair.isfinite().all():
        name, hint = message.NOT_A_NUMBER, "neither of the two may be NaN or infinite."
    else:
        rate, steps = pair.tolist()
        if 0 < rate < 1 and (steps != int(steps) or steps < 1):
            name, hint = message.WRONG_TYPE, "the number of steps is a whole number, at least 1."
        else:
            return rate, int(steps)
    note(name, math.inf)
    raise CheckFailed(tested, expected, show(value), name, hint)
