"""Runs of a training loop, made again: where it leads when one thing of it is off.

A value that was learned may be no optimum at all. Whoever writes the loop of the sheet and slips
ends at a place that can be computed: on the way, where gradients pile up, where an optimizer that
is made anew never slows down. All of these are run at once, one row each, and compared to many
digits.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from helpers.check.kit.compare import as_row
from helpers.check.kit.diagnose import Turn

DOUBLE = torch.float64
RATES = (0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0)
ROUND = (5, 10, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 250, 300, 400, 500, 600, 800, 1000)
ALIKE = 1e-4  # relative difference: more than rounding and Adam's ε make of the same run
ALONE = 1e-6  # the same for a single number, which many a run comes by
SHRUNK = 2e-2  # how much of the slope a pull towards zero may leave unexplained


@dataclass(frozen=True)
class Way:
    """How a loop sees a problem: the raw parameters that take the steps.

    Args:
        start: takes the exercise's arguments; raw parameters at the start, shape (k,).
        loss: takes raw parameters, shape (rows, k), then the arguments; the mean loss of each row.
        result: takes raw parameters, shape (..., k); what is returned, in one row, shape (..., p).
        raw: takes what is returned in one row, shape (p,), back to raw parameters, shape (k,);
            None where that is not asked.
    """

    start: Callable[..., Any]
    loss: Callable[..., torch.Tensor]
    result: Callable[[torch.Tensor], torch.Tensor]
    raw: Callable[[torch.Tensor], torch.Tensor] | None = None


@dataclass(frozen=True)
class Kind:
    """A kind of run.

    Args:
        adam: whether Adam makes the steps; else they are plain ones.
        piled: whether gradients pile up, since nothing clears them.
        anew: whether an optimizer is made for every step.
        summed: whether the loss is a sum over the observations.
    """

    adam: bool = True
    piled: bool = False
    anew: bool = False
    summed: bool = False


KINDS = {
    "on the way": [Kind(), Kind(adam=False), Kind(adam=False, summed=True)],
    "piled": [Kind(piled=True), Kind(adam=False, piled=True)],
    "anew": [Kind(anew=True)],
}


@dataclass(frozen=True)
class Trails:
    """Where runs of each kind come by: of each kind the results, shape (steps + 1, rates, p)."""

    of: dict[str, list[torch.Tensor]]
    slopes: Callable[[torch.Tensor], list[tuple[torch.Tensor, torch.Tensor]]]


def trails(
    ways: Sequence[Way], steps: int, rates: Sequence[float] = RATES,
    size: Callable[..., int] = lambda *args: len(args[0]),
    kinds: Mapping[str, Sequence[Kind]] = KINDS,
) -> Callable[..., Trails]:  # fmt: skip
    """Return a function that makes all runs for an exercise's arguments.

    Args:
        ways: in which the problem is seen.
        steps: of each run.
        rates: learning rates; a row each.
        size: takes the arguments; number of observations, which a sum is larger by than a mean.
        kinds: of runs, by the name that their turn has here.
    """
    several = [(name, kind) for name, some in kinds.items() for kind in some]

    def made(*args: Any) -> Trails:
        found: dict[str, list[torch.Tensor]] = {name: [] for name in kinds}
        for way in ways:
            passed = way.result(_run(way, args, [k for _, k in several], steps, rates, size(*args)))
            for place, (name, _) in enumerate(several):
                found[name].append(passed[:, place])
        return Trails(found, lambda row: _slopes(ways, args, row))

    return made


def _run(
    way: Way, args: Sequence[Any], kinds: Sequence[Kind], steps: int, rates: Sequence[float], n: int
) -> torch.Tensor:
    """Return all raw parameters of runs, shape (steps + 1, kinds, rates, k)."""

    def rows(of: Callable[[Kind], float]) -> torch.Tensor:
        column = torch.tensor([float(of(kind)) for kind in kinds], dtype=DOUBLE)
        return column.repeat_interleave(len(rates))[:, None]

    adam, piled, anew = (rows(of).bool() for of in (
        lambda k: k.adam, lambda k: k.piled, lambda k: k.anew))  # fmt: skip
    factor = rows(lambda k: n if k.summed else 1)
    rate = torch.tensor(list(rates), dtype=DOUBLE).repeat(len(kinds))[:, None]
    theta = torch.as_tensor(way.start(*args), dtype=DOUBLE).expand(len(rate), -1)
    total = m = v = torch.zeros_like(theta)
    passed = [theta]
    for t in range(1, steps + 1):
        with torch.enable_grad():
            at = theta.detach().requires_grad_(True)
            (slope,) = torch.autograd.grad(way.loss(at, *args).sum(), at)
        total = torch.where(piled, total + slope, slope)
        m, v = 0.9 * m + 0.1 * total, 0.999 * v + 0.001 * total**2
        by_adam = m / (1 - 0.9**t) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
        move = torch.where(adam, by_adam, factor * total)
        theta = theta - rate * torch.where(anew, total / (total.abs() + 1e-8), move)
        passed.append(theta)
    return torch.stack(passed).reshape(steps + 1, len(kinds), len(rates), -1)


def _slopes(
    ways: Sequence[Way], args: Sequence[Any], row: torch.Tensor
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return raw parameters and slopes of the mean loss at a result, in each way."""
    found = []
    for way in ways:
        if way.raw is not None:
            with torch.enable_grad():
                raw = way.raw(row).detach().requires_grad_(True)
                (slope,) = torch.autograd.grad(way.loss(raw[None], *args).sum(), raw)
            found.append((raw.detach(), slope))
    return found


def _row(got: Any) -> torch.Tensor | None:
    row = as_row(got)
    if row is None or not bool(row.isfinite().all()):
        return None
    return row.flatten().to(DOUBLE)


def comes_by(got: Any, passed: torch.Tensor) -> bool:
    """Return whether a value is one that runs come by, their starts aside.

    One number is on every way: only after a round number of steps it tells something.

    Args:
        got: what was returned.
        passed: what would be returned after 0, 1, 2 and so on steps, shape (steps + 1, ..., p).
    """
    row = _row(got)
    if row is None or passed.shape[-1] != len(row):
        return False
    alone = len(row) == 1
    after = ROUND if alone else range(1, len(passed))
    later = passed[[s for s in after if s < len(passed)]]
    scale = torch.maximum(row.abs(), row.abs().mean())
    return bool((((later - row).abs() / scale).amax(-1) < (ALONE if alone else ALIKE)).any())


def _comes_by(name: str, diverged: bool = False) -> Callable[[Any, Trails], bool]:
    """Return whether a value is one that runs of a kind come by.

    Where `diverged`, no number at all is taken for the end of a run that ends so.
    """

    def alike(got: Any, known: Trails) -> bool:
        row = _row(got)
        if row is None and as_row(got) is not None and diverged:
            return any(bool(passed[-1].isnan().any()) for passed in known.of[name])
        return any(comes_by(got, passed) for passed in known.of[name])

    return alike


def _shrunk(got: Any, known: Trails) -> bool:
    """Whether what is left of the slope points away from zero, in proportion to the raw numbers."""
    row = _row(got)
    width = next(iter(known.of.values()))[0].shape[-1]
    if row is None or len(row) != width or width < 2:
        return False
    for raw, slope in known.slopes(row):
        weight = -float(slope @ raw / (raw @ raw))
        left = (slope + weight * raw).norm()
        if 1e-5 < weight < 3 and bool(left <= SHRUNK * slope.norm()):
            return True
    return False


def turns(made: Callable[..., Trails], diverged: bool = False) -> list[Turn]:
    """Return the turns of a loop that is off; for the end of an exercise's list.

    Args:
        made: by :func:`trails`, with runs of all kinds.
        diverged: whether some cases may have no number, behind a turn that takes those where none
            has.
    """
    return [
        Turn("too few steps", "a run with these steps comes by here and goes on: make more steps, "
             "or longer ones.", made, alike=_comes_by("on the way")),
        Turn("gradients not cleared", "here a run ends whose gradients pile up from step to step: "
             "clear them before each backward().", made, alike=_comes_by("piled", diverged)),
        Turn("optimizer made anew", "here a run ends whose steps never get shorter: make the "
             "optimizer once, before the loop, so that it remembers.", made,
             alike=_comes_by("anew")),
        Turn("pulled towards zero", "the slope that is left is in proportion to the parameters, as "
             "weight_decay or a prior leave it: the loss is the negative log-likelihood alone.",
             made, alike=_shrunk),
    ]  # fmt: skip


def on_grid(got: Any, wanted: Any) -> bool:
    """Whether all numbers stand on a decimal grid, where those that are wanted do not."""
    rows = _row(got), _row(wanted)
    if rows[0] is None or rows[1] is None or rows[0].shape != rows[1].shape:
        return False
    return any(_even(rows[0] * k) and not _even(rows[1] * k) for k in (10, 20, 50, 100, 200, 1000))


def _even(row: torch.Tensor) -> bool:
    return bool(((row - row.round()).abs() < 1e-6 * (1 + row.abs())).all())
