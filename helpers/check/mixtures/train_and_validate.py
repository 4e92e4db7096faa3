"""train_and_validate(raw, train, validation, learning_rate, epochs): both logs of a training."""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch.optim import SGD, Adam, AdamW, Optimizer

from helpers import data
from helpers.check.kit.agree import Located
from helpers.check.kit.asks import Argument, Draws, Given, Jointly, real, whole
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.mixtures.analytic import mean_loss
from helpers.check.mixtures.mixture_log_prob import raw_rows

# Some steps in single precision add up rounding of 1e-6; wrong turns differ by more than 1e-3.
AFTER_STEPS = 1e-4

LONGEST = 20  # epochs

Losses: TypeAlias = tuple[float, float]  # training, validation
Epoch: TypeAlias = Callable[[Optimizer, torch.Tensor, torch.Tensor, torch.Tensor], Losses]


def logs(
    epoch: Epoch,
    raw: torch.Tensor,
    train: torch.Tensor,
    validation: torch.Tensor,
    learning_rate: float,
    epochs: int,
    kind: Callable[..., Optimizer] = Adam,
    anew: str = "",
) -> torch.Tensor:
    """Run an optimizer for some epochs and return both logs, training first, shape (2, epochs).

    Args:
        epoch: makes one epoch.
        raw: where training starts, shape (k, 3).
        train: training data, shape (n,).
        validation: validation data, shape (m,).
        learning_rate: of the optimizer.
        epochs: how many.
        kind: makes the optimizer.
        anew: what begins anew in each epoch: "optimizer", "model" or nothing.
    """
    tracked = raw.detach().to(torch.float64).clone().requires_grad_(True)
    optimizer, pairs = kind([tracked], lr=learning_rate), []
    for _ in range(epochs):
        if anew == "model":
            tracked = raw.detach().to(torch.float64).clone().requires_grad_(True)
        if anew:
            optimizer = kind([tracked], lr=learning_rate)
        pairs.append(epoch(optimizer, tracked, train, validation))
    return torch.tensor(pairs, dtype=torch.float64).T


def _step(optimizer: Optimizer, raw: torch.Tensor, x: torch.Tensor, sign: float = 1.0) -> float:
    """Make one step on x and return the loss before it."""
    optimizer.zero_grad()
    loss = mean_loss(raw, x)
    (sign * loss).backward()
    optimizer.step()
    return loss.item()


def _right(o: Optimizer, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Losses:
    return _step(o, raw, x), mean_loss(raw, y).item()


def _both_trained(o: Optimizer, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Losses:
    return _step(o, raw, x), _step(o, raw, y)


def _joined(o: Optimizer, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Losses:
    before = mean_loss(raw, x).item()
    _step(o, raw, torch.cat([x, y]))
    return before, mean_loss(raw, y).item()


def _validated_first(o: Optimizer, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Losses:
    before = mean_loss(raw, y).item()
    return _step(o, raw, x), before


def _logged_last(o: Optimizer, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Losses:
    _step(o, raw, x)
    return mean_loss(raw, x).item(), mean_loss(raw, y).item()


def _never_zeroed(o: Optimizer, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Losses:
    loss = mean_loss(raw, x)
    loss.backward()
    o.step()
    return loss.item(), mean_loss(raw, y).item()


def _leaking(o: Optimizer, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Losses:
    """Step on the training data with the validation gradient left over from the last epoch."""
    before = _never_zeroed(o, raw, x, y)[0]
    o.zero_grad()
    loss = mean_loss(raw, y)
    loss.backward()
    return before, loss.item()


def _ascending(o: Optimizer, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Losses:
    return _step(o, raw, x, sign=-1.0), mean_loss(raw, y).item()


def _never_steps(o: Optimizer, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Losses:
    return mean_loss(raw, x).item(), mean_loss(raw, y).item()


def _measured_on_train(o: Optimizer, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Losses:
    return _step(o, raw, x), mean_loss(raw, x).item()


def _in_batches(size: int) -> Epoch:
    def epoch(o: Optimizer, raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> Losses:
        losses = [_step(o, raw, batch) for batch in x.split(size)]
        return sum(losses) / len(losses), mean_loss(raw, y).item()

    return epoch


def _by(*epochs: Epoch, **how: Any) -> Callable[..., AnyOf]:
    """Return the logs that several ways to make an epoch lead to."""
    return lambda *given: AnyOf(*[logs(epoch, *given, **how) for epoch in epochs])


def reference(
    raw: torch.Tensor, train: torch.Tensor, validation: torch.Tensor, rate: float, epochs: int
) -> torch.Tensor:
    """Return both logs of Adam in float64, on the explicit formula of the density.

    Raises:
        ValueError: more epochs than any case has, as in a search for a number typed in.
    """
    if epochs > LONGEST:
        raise ValueError(f"no case has {epochs} epochs")
    return logs(_right, raw, train, validation, rate, epochs)


def _one_after_another(*given: Any) -> list[torch.Tensor]:
    """Return each pair of logs as one: epoch by epoch, training loss first."""
    return [logs(e, *given).T.flatten() for e in (_both_trained, _right, _validated_first)]


def _in_one_log(got: Any, wanted: list[torch.Tensor]) -> bool:
    """Whether the training log, or all that was returned, holds both losses in turn."""
    value = got[0] if isinstance(got, tuple | list) and len(got) == 2 else got
    taken = as_tensor(value)
    return taken is not None and any(same(taken, w, 1e-4) for w in wanted)


def _second_alike(got: Any, wanted: AnyOf) -> bool:
    """Whether the validation logs agree: training losses of batches are logged in many ways."""
    return (isinstance(got, tuple | list | torch.Tensor) and len(got) == 2
            and any(same(got[1], w[1], 1e-4) for w in wanted.values))  # fmt: skip


def _times_n(raw: torch.Tensor, x: torch.Tensor, y: torch.Tensor, *how: Any) -> torch.Tensor:
    """Return the logs of sums: Adam's steps hardly notice the scale of the loss."""
    return logs(_right, raw, x, y, *how) * torch.tensor([[len(x)], [len(y)]])


def _at_the_end(*given: Any) -> torch.Tensor:
    """Return the training log, and the last validation loss in the place of each."""
    both = logs(_right, *given)
    both[1] = both[1, -1]
    return both


TURNS = (
    Turn("one log for both",
         "validation losses stand in the training log; give them a list of their own.",
         _one_after_another, alike=_in_one_log),
    Turn("trains on validation data",
         "the validation data change the parameters; only measure on them, no backward, no step.",
         _by(_both_trained, _leaking, _joined)),
    Turn("validated before training",
         "the validation loss is asked for after the epoch's step, with the new parameters.",
         _by(_validated_first)),
    Turn("logged after the step", "the training loss belongs to the parameters before the step.",
         _by(_logged_last)),
    Turn("logs swapped", "training losses come first, validation losses second.",
         lambda *given: reference(*given).flip(0)),
    Turn("same log twice", "both lists hold the same losses; measure the second on validation.",
         lambda *given: AnyOf(*[reference(*given)[i].expand(2, -1) for i in (0, 1)])),
    Turn("measured on training data", "the second log measures the training data once more; "
         "measure the validation data.", _by(_measured_on_train)),
    Turn("gradient never zeroed", "each step adds all earlier gradients; clear them between steps.",
         _by(_never_zeroed)),
    Turn("Adam begins anew", "the optimizer is made in every epoch, so Adam forgets what it has "
         "seen: make it once, before the loop.", _by(_right, anew="optimizer")),
    Turn("training begins anew", "every epoch starts from raw again: make the model once, before "
         "the loop.", _by(_right, anew="model")),
    Turn("several steps an epoch", "each epoch makes one step, on all training data at once.",
         _by(*[_in_batches(k) for k in (20, 32, 50, 100)]), alike=_second_alike),
    Turn("validated at the end only", "the validation loss is asked for after every epoch, with "
         "the parameters of that moment.", _at_the_end),
    Turn("SGD for Adam", "these steps are those of plain gradient descent; take Adam.",
         _by(_right, kind=SGD)),
    Turn("weight decay", "AdamW pulls the parameters towards 0 as well; take Adam.",
         _by(_right, kind=AdamW)),
    Turn("ascent", "the loss grows from epoch to epoch: you walk up; look at the sign of the loss.",
         lambda *given: AnyOf(*[s * logs(_ascending, *given) for s in (1.0, -1.0)])),
    Turn("sign", "these are log-likelihoods; the loss is their negative.",
         lambda *given: -reference(*given)),
    Turn("never steps", "the losses do not change: no step is made, or on other tensors, or the "
         "gradient is cleared before it.", _by(_never_steps)),
    Turn("sum for mean", "these are sums over the data; data sets of two sizes compare by means.",
         _times_n, tolerance=1e-4),
    Turn("pairs for lists", "you return a pair for each epoch; return two lists.",
         lambda *given: reference(*given).T),
)  # fmt: skip


PLACES = (
    ("validation log is off", "the training losses agree, so the steps are right: look at what the "
     "second log measures, and when.", lambda got, wanted: same(got[0], wanted[0], AFTER_STEPS)),
    ("training log is off", "the validation losses agree, so the steps are right: look at what the "
     "first log measures, and when.", lambda got, wanted: same(got[1], wanted[1], AFTER_STEPS)),
    ("another step", "the first training loss agrees, later ones do not: one step of Adam with its "
     "own defaults is asked in each epoch, on the mean loss of the training data.",
     lambda got, wanted: same(got[0, 0], wanted[0, 0], AFTER_STEPS)),
    ("another loss", "the very first training loss does not agree: it is the mean of −log p over "
     "the training data, at the start.",
     lambda got, wanted: not same(got[0, 0], wanted[0, 0], AFTER_STEPS)),
)  # fmt: skip


def _raw(u: Draws, given: Given) -> torch.Tensor:
    return raw_rows(u, 2, 0.6, 2.2)


EXERCISE = Exercise(
    name="train_and_validate",
    arguments=(
        Argument("raw", _raw, shown=lambda raw: f"{len(raw)} × 3 numbers",
                 edges={"three components": lambda u, given: raw_rows(u, 3, 0.6, 2.2)}),
        Argument("train", lambda u, given: u.beta(u.choice((110, 130)), 4.0, 1.6),
                 used_instead=data.two_peaks),
        Argument("validation", lambda u, given: u.beta(25, 1.8, 3.5), edges={
            "more validation data than training data":
                lambda u, given: Jointly(train=u.beta(15, 4.0, 1.6), validation=u.beta(40, 2, 3.5)),
        }, used_instead=data.two_peaks),
        real("learning_rate", 0.12, 0.4),
        whole("epochs", 2, 4, edges={"a single epoch": 1}),
    ),
    reference=reference,
    agree=Located(rtol=AFTER_STEPS, places=PLACES),
    turns=TURNS,
    typical=2,
    parts=("training log", "validation log"),
    passed="train_and_validate: two logs, and only the training data were trained on.",
)  # fmt: skip
train_and_validate = EXERCISE.check
