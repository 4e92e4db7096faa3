"""fit_location(data, start, learning_rate, n_steps): every value of a run of gradient descent."""

from typing import Any

import torch

from helpers import data
from helpers.check.kit.asks import Argument, Draws, Given, sample, whole
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.sgd import analytic
from helpers.check.sgd.double import Double, single_precision
from helpers.check.sgd.optimizers import others
from helpers.check.sgd.sgd_step import (
    NO_GRADIENT,
    SHEETS_N,
    STEP_TRACKED,
    UNTRACKED,
    rate,
    skewed,
    slope,
)


def reference(x: torch.Tensor, start: float, rate: float, n_steps: int) -> torch.Tensor:
    """Return the n_steps + 1 values, from the closed form."""
    return analytic.sgd_trajectory(float(x.mean()), len(x), start, rate, n_steps)


def away(u: Draws, given: Given) -> float:
    """Return a number on either side of the data, some way from their mean."""
    return float(given["data"].mean()) + u.choice((-1.0, 1.0)) * u.real(4, 9)


def never_zeroed(x: torch.Tensor, start: float, rate: float, n_steps: int) -> torch.Tensor:
    """Return the trajectory of a run in which every step uses the sum of all gradients so far."""
    values, total = [start], 0.0
    for _ in range(n_steps):
        total += slope(values[-1], x)
        values.append(values[-1] - rate * total)
    return torch.tensor(values, dtype=torch.float64)


def _losses(x: torch.Tensor, start: float, rate: float, n_steps: int) -> AnyOf:
    path = reference(x, start, rate, n_steps)
    losses = torch.stack([-torch.distributions.Normal(at, 1.0).log_prob(x).sum() for at in path])
    return AnyOf(losses, losses[:-1], losses[1:], losses / len(x), losses[:-1] / len(x))


def _gradients(x: torch.Tensor, start: float, rate: float, n_steps: int) -> AnyOf:
    slopes = len(x) * (reference(x, start, rate, n_steps) - x.mean())
    return AnyOf(slopes, slopes[:-1], slopes[1:])


def _one_by_one(x: torch.Tensor, start: float, rate: float, n_steps: int) -> AnyOf:
    """Return what comes of a step for every observation: in every round, or n_steps of them."""
    location, values, each = start, [start], [start]
    for _ in range(n_steps):
        for value in x.tolist():
            location -= rate * (location - value)
        values.append(location)
    for step in range(n_steps):
        each.append(each[-1] - rate * len(x) * (each[-1] - float(x[step % len(x)])))
    return AnyOf(values, each)


def _never_or_once_moved(got: Any, right: torch.Tensor) -> bool:
    """Whether a trajectory stays at its start, or at what the first step made of it."""
    value = as_tensor(got)
    if value is None or value.ndim != 1 or not len(value) or abs(len(value) - len(right)) > 1:
        return False
    return any(same(value, right[k].expand(len(value))) for k in (0, 1)) or same(
        value, torch.cat([right[:1], right[1].expand(len(value) - 1)])
    )


def _last_repeated(got: Any, right: torch.Tensor) -> bool:
    """Whether every entry, the first perhaps aside, is the last iterate."""
    value = as_tensor(got)
    if value is None or value.ndim != 1 or len(value) < 2 or abs(len(value) - len(right)) > 1:
        return False
    last = right[-1].expand(len(value) - 1)
    return same(value[1:], last) and (same(value[0], right[-1]) or same(value[0], right[0]))


def _ends_early(got: Any, right: torch.Tensor) -> bool:
    """Whether every value is right, and the last ones are missing in a run that has arrived."""
    value = as_tensor(got)
    if value is None or value.ndim != 1 or not 0 < len(value) <= len(right):
        return False
    rest = right[len(value) - 1 :]
    return same(value, right[: len(value)]) and same(value[-1].expand_as(rest), rest, 0.01)


def _decaying(power: float, x: torch.Tensor, start: float, rate: float, steps: int) -> Any:
    values = [start]
    for t in range(1, steps + 1):
        values.append(values[-1] - rate / t**power * slope(values[-1], x))
    return values


TURNS = (
    STEP_TRACKED,
    UNTRACKED,
    Turn("start missing", "your first value is the one after a step; store the start before it.",
         lambda x, start, rate, steps: AnyOf(reference(x, start, rate, steps + 1)[1:],
                                             reference(x, start, rate, steps)[1:])),
    Turn("last step missing", "count the values: the one that the last step leads to is missing.",
         lambda *run: reference(*run)[:-1]),
    Turn("one step too many", "count the values: n_steps steps and the start make n_steps + 1.",
         lambda x, start, rate, steps: reference(x, start, rate, steps + 1)),
    Turn("start stored twice", "the start comes once, then the value after each step.",
         lambda x, start, rate, steps: AnyOf(
             torch.cat([reference(x, start, rate, 0), reference(x, start, rate, steps)]),
             torch.cat([reference(x, start, rate, 0), reference(x, start, rate, steps)])[:-1])),
    Turn("only the last value", "you return where the run ends; return every value on the way.",
         lambda *run: AnyOf(reference(*run)[-1], reference(*run)[-1:])),
    Turn("start and end", "every value on the way belongs to the answer, not its two ends alone.",
         lambda *run: reference(*run)[[0, -1]]),
    Turn("gradient never zeroed", "each step adds all earlier gradients; clear them between steps.",
         never_zeroed),
    Turn("ascent", "you walk up the slope, away from the mean; look at the sign of the step.",
         lambda x, start, rate, steps: reference(x, start, -rate, steps)),
    Turn("mean's gradient", "your steps are n times too small: the loss is the sum over the data.",
         lambda x, start, rate, steps: reference(x, start, rate / len(x), steps)),
    Turn("gradient doubled", "the gradient is in each step twice: is backward() called twice, or a "
         "½ missing from the loss?",
         lambda x, start, rate, steps: reference(x, start, 2 * rate, steps)),
    Turn("losses returned", "these are the losses; the values of the parameter are asked for.",
         _losses),
    Turn("gradients returned", "these are the slopes; the values of the parameter are asked for.",
         _gradients),
    Turn("distances returned", "these are distances to the mean; the values themselves are asked.",
         lambda x, *run: AnyOf(reference(x, *run) - x.mean(),
                               (reference(x, *run) - x.mean()).abs())),
    Turn("a step for each", "you step from one observation; add all their slopes, then step once.",
         _one_by_one),
    # Before the next turn: a run of one step tells the two apart.
    Turn("parameter rebound", "the values stop moving, or the gradient is lost: «location = ...» "
         "makes a new tensor that nothing trains; change the old one in place.",
         reference,
         alike=_never_or_once_moved,
         raises=lambda error: "does not require grad" in str(error) or "NoneType" in str(error)),
    NO_GRADIENT,
    Turn("same tensor stored", "all entries are one tensor, which moved on; store its number.",
         reference, alike=_last_repeated),
    Turn("the sheet's n", "n is how many observations the function is given, not the sheet's.",
         lambda x, start, rate, steps: reference(x, start, rate * SHEETS_N / len(x), steps)),
    Turn("the sheet's mean", "this run goes to the mean of the sheet's data, not of the argument.",
         lambda x, start, rate, steps: analytic.sgd_trajectory(
             float(data.sgd_sample().mean()), len(x), start, rate, steps)),
    Turn("even steps", "the way is not cut into even steps: each is a share of what is left.",
         lambda x, start, rate, steps: start - rate * slope(start, x)
         * torch.arange(steps + 1, dtype=torch.float64)),
    Turn("rate decays", "the learning rate stays the same in every step.",
         lambda *run: AnyOf(*[_decaying(power, *run) for power in (1.0, 0.5)])),
    Turn("exponential for power", "a step leaves 1 − ηn of the distance: the power of it, not exp.",
         lambda x, start, rate, steps: x.mean() + (start - x.mean()) * torch.exp(
             -rate * len(x) * torch.arange(steps + 1, dtype=torch.float64))),
    Turn("median for mean", "each observation pulls with its distance; the slope holds their sum.",
         lambda x, *run: AnyOf(*[analytic.sgd_trajectory(float(m), len(x), *run)
                                 for m in (x.median(), x.quantile(0.5))])),
    Turn("divided by the variance", "the model's scale is 1, whatever the spread of the data.",
         lambda x, start, rate, steps: AnyOf(*[reference(x, start, rate / float(v), steps)
                                               for v in (x.var(), x.var(correction=0), x.std())])),
    Turn("another optimizer", "these are not the steps of plain gradient descent.",
         lambda x, start, rate, steps: others(
             lambda at: 0.5 * ((x - at) ** 2).sum(), torch.tensor(start).double(), rate, steps)),
    single_precision(reference),
    Turn("stops when it arrived", "n_steps steps are asked, also where they hardly move: break off "
         "nothing.", reference, alike=_ends_early),
)  # fmt: skip


def by_steps(data: torch.Tensor, start: float, learning_rate: float, n_steps: int) -> list[Any]:
    """Return the values of a loop."""
    values: list[Any] = [start]
    for _ in range(n_steps):
        gradient = (values[-1] - data).sum()
        values.append(values[-1] - learning_rate * gradient)
    return values


def by_powers(data: torch.Tensor, start: float, learning_rate: float, n_steps: int) -> list[Any]:
    """Return the values of the closed form."""
    mean, factor = data.mean(), 1 - learning_rate * len(data)
    return [mean + factor**t * (start - mean) for t in range(n_steps + 1)]


EXERCISE = Exercise(
    name="fit_location",
    arguments=(
        sample("data", skewed, many=(12, 60, 5), sizes=(1, 2), ties=True,
               used_instead=data.sgd_sample),
        Argument("start", away, edges={
            "a start far away": 5000.3,
            "a start at the mean": lambda u, given: float(given["data"].mean()),
        }, used_instead=lambda: 1.0),
        rate(0.15, 0.45),
        whole("n_steps", 4, 9, edges={"of a single step": 1, "of thirty steps": 30}),
    ),
    reference=reference,
    agree=Double(),
    double=True,
    turns=TURNS,
    worked=(by_steps, by_powers),
    passed="fit_location: every value of every run agrees with the closed form.",
)  # fmt: skip
fit_location = EXERCISE.check
