"""Check of sheet 06: a training loop that logs training and validation losses apart."""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch.optim import Adam

from helpers import data
from helpers.check.kit.agree import any_of, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed
from helpers.check.mixtures.analytic import Step, logs, mean_loss
from helpers.check.mixtures.analytic import train_and_validate as right_epoch
from helpers.check.mixtures.density import raw_rows

# Some steps in single precision add up rounding of 1e-6; wrong turns differ by more than 1e-3.
AFTER_STEPS = 1e-4

Losses: TypeAlias = tuple[float, float]  # training, validation


def train_and_validate(answer: Any) -> bool:
    """Check ``train_and_validate(raw, train, validation, learning_rate, epochs)``, both logs.

    The reference runs the same optimizer in float64 on the explicit formula of the density.
    """
    cases = []
    for n, m, rate, epochs in [(40, 25, 0.3, 4), (90, 30, 0.15, 6)]:
        raw = raw_rows(f"start {n}", 2, 0.6, 2.2)
        x = data.beta_draws(f"mixtures: train {n}", n, 4.0, 1.6)
        y = data.beta_draws(f"mixtures: validation {n}", m, 1.8, 3.5)
        given = (raw, x, y, rate, epochs)
        described = (
            f"train_and_validate(raw, train, validation, {rate}, {epochs}) "
            f"on {n} and {m} observations"
        )
        cases.append(Case(described, given, logs(right_epoch, *given)))
    function_agrees(answer, cases, TRAINING_TURNS, bound=AFTER_STEPS)
    return passed("train_and_validate: two logs, and only the training data were trained on.")


def _step(optimizer: Adam, raw: torch.Tensor, x: torch.Tensor, sign: float = 1.0) -> float:
    """Make one step on x and return the loss before it."""
    optimizer.zero_grad()
    loss = mean_loss(raw, x)
    (sign * loss).backward()
    optimizer.step()
    return loss.item()


def _both_trained(optimizer: Adam, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Losses:
    return _step(optimizer, raw, x), _step(optimizer, raw, y)


def _validated_first(
    optimizer: Adam, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor
) -> Losses:
    before = mean_loss(raw, y).item()
    return _step(optimizer, raw, x), before


def _logged_last(optimizer: Adam, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Losses:
    _step(optimizer, raw, x)
    return mean_loss(raw, x).item(), mean_loss(raw, y).item()


def _never_zeroed(optimizer: Adam, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Losses:
    loss = mean_loss(raw, x)
    loss.backward()
    optimizer.step()
    return loss.item(), mean_loss(raw, y).item()


def _leaking(optimizer: Adam, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Losses:
    """Step on the training data with the validation gradient left over from the last epoch."""
    before = _never_zeroed(optimizer, raw, x, y)[0]
    optimizer.zero_grad()
    loss = mean_loss(raw, y)
    loss.backward()
    return before, loss.item()


def _ascending(optimizer: Adam, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Losses:
    return _step(optimizer, raw, x, sign=-1.0), mean_loss(raw, y).item()


def _never_steps(optimizer: Adam, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Losses:
    return mean_loss(raw, x).item(), mean_loss(raw, y).item()


def _by(*epochs: Step) -> Callable[..., list[torch.Tensor]]:
    """Return the logs that several ways to make an epoch lead to."""
    return lambda *given: [logs(epoch, *given) for epoch in epochs]


def _one_after_another(*given: Any) -> list[torch.Tensor]:
    """Return each pair of logs as one: epoch by epoch, training loss first."""
    return [both.T.flatten() for both in _by(_both_trained, right_epoch, _validated_first)(*given)]


def _in_one_log(got: Any, wanted: list[torch.Tensor]) -> bool:
    """Whether the training log, or all that was returned, holds both losses in turn."""
    value = got[0] if isinstance(got, tuple | list) and len(got) == 2 else got
    taken = as_tensor(value)
    return taken is not None and any(same(taken, w, 1e-4) for w in wanted)


def _times_n(
    raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor, rate: float, epochs: int
) -> torch.Tensor:
    """Return the logs of sums: Adam's steps hardly notice the scale of the loss."""
    both = logs(right_epoch, raw, x, y, rate, epochs)
    return both * torch.tensor([[len(x)], [len(y)]])


TRAINING_TURNS = [
    Turn("one log for both",
         "validation losses stand in the training log; give them a list of their own.",
         _one_after_another, alike=_in_one_log),
    Turn("trains on validation data",
         "the validation data change the parameters; only measure on them, no backward, no step.",
         _by(_both_trained, _leaking), alike=any_of),
    Turn("validated before training",
         "the validation loss is asked for after the epoch's step, with the new parameters.",
         _by(_validated_first), alike=any_of),
    Turn("logged after the step", "the training loss belongs to the parameters before the step.",
         _by(_logged_last), alike=any_of),
    Turn("logs swapped", "training losses come first, validation losses second.",
         lambda *given: logs(right_epoch, *given).flip(0)),
    Turn("same log twice", "both lists hold the same losses; measure the second on validation.",
         lambda *given: [logs(right_epoch, *given)[i].expand(2, -1) for i in (0, 1)],
         alike=any_of),
    Turn("gradient never zeroed", "each step adds all earlier gradients; clear them between steps.",
         _by(_never_zeroed), alike=any_of),
    Turn("ascent", "the loss grows from epoch to epoch: you walk up; look at the sign of the loss.",
         lambda *given: [s * logs(_ascending, *given) for s in (1.0, -1.0)], alike=any_of),
    Turn("sign", "these are log-likelihoods; the loss is their negative.",
         lambda *given: -logs(right_epoch, *given)),
    Turn("never steps", "the losses do not change: no step is made, or on other tensors.",
         _by(_never_steps), alike=any_of),
    Turn("sum for mean", "these are sums over the data; data sets of two sizes compare by means.",
         _times_n, alike=lambda got, want: same(got, want, 1e-4)),
    Turn("pairs for lists", "you return a pair for each epoch; return two lists.",
         lambda *given: logs(right_epoch, *given).T),
]  # fmt: skip
