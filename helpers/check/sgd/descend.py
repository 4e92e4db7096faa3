"""descend(loss, start, learning_rate, momentum, n_steps): a run with momentum, on any loss."""

from collections.abc import Callable
from typing import Any

import torch

from helpers.check.kit.asks import Argument, Draws, Given, Jointly, real, whole
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.sgd import analytic
from helpers.check.sgd.double import Double, single_precision
from helpers.check.sgd.optimizers import others
from helpers.check.sgd.sgd_step import NO_GRADIENT, STEP_TRACKED, UNTRACKED

# What torch says of room that is too small or too large.
SIZES = "expanded size", "size of tensor a", "shape mismatch", "stack expects"

Loss = Callable[[torch.Tensor], torch.Tensor]


def bowl(centre: float, curvature: float, tilt: float) -> Loss:
    """Return a loss of any number of parameters, curved unlike in each, with no closed run.

    Args:
        centre: near its bottom.
        curvature: of the first parameter; each next one is flatter.
        tilt: how strongly neighbours depend on each other.
    """

    def loss(theta: torch.Tensor) -> torch.Tensor:
        place = torch.arange(1, theta.numel() + 1, dtype=theta.dtype)
        away = theta - centre / place
        apart = away - tilt * away.roll(1) if theta.numel() > 1 else away
        return curvature * ((0.1 + torch.nn.functional.softplus(2 * apart**2)) / place).sum()

    return loss


def _loss(u: Draws, given: Given) -> Loss:
    return bowl(u.choice((-1.0, 1.0)) * u.real(1, 2), u.real(0.6, 1.2), u.real(0.2, 0.5))


def _start(u: Draws, given: Given, d: int) -> torch.Tensor:
    return u.uniform(d, 2.2, 3.4) * torch.tensor([u.choice((-1.0, 1.0)) for _ in range(d)]).double()


def slope_of(loss: Loss) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the gradient of a loss."""

    def slope(theta: torch.Tensor) -> torch.Tensor:
        theta = theta.detach().clone().requires_grad_(True)
        return torch.autograd.grad(loss(theta), theta)[0]

    return slope


def reference(loss: Loss, start: torch.Tensor, rate: float, momentum: float, n: int) -> Any:
    """Return all locations of the run."""
    return analytic.momentum_path(slope_of(loss), start, rate, momentum, n)


def _run(
    loss: Loss, start: torch.Tensor, rate: float, momentum: float, n: int,
    step: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], gain: float = 1.0,
    first: float = 1.0,
) -> torch.Tensor:  # fmt: skip
    """Return a run whose step is another: it takes gradient and velocity."""
    slope, path, velocity = slope_of(loss), [start], torch.zeros_like(start)
    for _ in range(n):
        gradient = slope(path[-1])
        old, velocity = (
            velocity,
            momentum * velocity + (gain if len(path) > 1 else first) * gradient,
        )
        path.append(path[-1] - rate * step(gradient, torch.stack([old, velocity])))
    return torch.stack(path)


def _damped(loss: Loss, start: torch.Tensor, rate: float, m: float, n: int) -> AnyOf:
    """Return runs whose gradient enters with 1 − β, or with β; in torch after the first step."""
    return AnyOf(*[_run(loss, start, rate, m, n, lambda g, v: v[1], gain, first)
                   for gain in (1 - m, m) for first in (gain, 1.0)])  # fmt: skip


def _velocities(loss: Loss, start: torch.Tensor, rate: float, m: float, n: int) -> AnyOf:
    path = reference(loss, start, rate, m, n)
    moves = path.diff(dim=0)
    none = torch.zeros_like(path[:1])
    return AnyOf(moves, -moves, -moves / rate, torch.cat([none, moves]),
                 torch.cat([none, -moves / rate]))  # fmt: skip


def _never_zeroed(loss: Loss, start: torch.Tensor, rate: float, m: float, n: int) -> torch.Tensor:
    slope, path, velocity = slope_of(loss), [start], torch.zeros_like(start)
    total = torch.zeros_like(start)
    for _ in range(n):
        total = total + slope(path[-1])
        velocity = m * velocity + total
        path.append(path[-1] - rate * velocity)
    return torch.stack(path)


def _losses(loss: Loss, *run: Any) -> AnyOf:
    values = torch.stack([loss(theta) for theta in reference(loss, *run)])
    return AnyOf(values, values[1:], values[:-1])


def _ahead(loss: Loss, start: torch.Tensor, rate: float, m: float, n: int) -> torch.Tensor:
    slope, path, velocity = slope_of(loss), [start], torch.zeros_like(start)
    for _ in range(n):
        velocity = m * velocity + slope(path[-1] - rate * m * velocity)
        path.append(path[-1] - rate * velocity)
    return torch.stack(path)


def _decaying(power: float, loss: Loss, start: torch.Tensor, *run: Any) -> torch.Tensor:
    (rate, m, n), slope, path, velocity = run, slope_of(loss), [start], torch.zeros_like(start)
    for t in range(1, n + 1):
        velocity = m * velocity + slope(path[-1])
        path.append(path[-1] - rate / t**power * velocity)
    return torch.stack(path)


def _cut(change: Any, loss: Loss, start: torch.Tensor, *run: Any) -> torch.Tensor:
    slope = slope_of(loss)
    return analytic.momentum_path(lambda theta: change(slope(theta)), start, *run)


def _begins_moving(loss: Loss, start: torch.Tensor, rate: float, m: float, n: int) -> AnyOf:
    """Return runs whose velocity begins with the slope at the start, or with ones."""
    slope, paths = slope_of(loss), []
    for velocity in (slope(start), torch.ones_like(start)):
        path = [start]
        for _ in range(n):
            velocity = m * velocity + slope(path[-1])
            path.append(path[-1] - rate * velocity)
        paths.append(torch.stack(path))
    return AnyOf(*paths)


def _one_after_another(
    loss: Loss, start: torch.Tensor, rate: float, m: float, n: int
) -> torch.Tensor:
    """Return a run that moves one parameter after the other, each slope at the new place."""
    slope, path, velocity, theta = slope_of(loss), [start], torch.zeros_like(start), start.clone()
    for _ in range(n):
        for j in range(len(start)):
            velocity[j] = m * velocity[j] + slope(theta)[j]
            theta[j] = theta[j] - rate * velocity[j]
        path.append(theta.clone())
    return torch.stack(path)


def _ends_early(got: Any, right: torch.Tensor) -> bool:
    """Whether every row is right, and the last ones are missing in a run that has arrived."""
    value = as_tensor(got)
    return (
        value is not None and value.ndim == 2 and value.shape[1:] == right.shape[1:]
        and 0 < len(value) <= len(right) and same(value, right[: len(value)])
        and same(value[-1].expand_as(right[len(value) - 1 :]), right[len(value) - 1 :], 0.25)
    )  # fmt: skip


def _twice(loss: Loss, start: torch.Tensor, rate: float, m: float, n: int) -> torch.Tensor:
    """Return a run whose velocity fades, and whose last move is added once more."""
    slope, path, velocity = slope_of(loss), [start], torch.zeros_like(start)
    for _ in range(n):
        velocity = m * velocity + slope(path[-1])
        before = path[-2] if len(path) > 1 else path[-1]
        path.append(path[-1] - rate * velocity + m * (path[-1] - before))
    return torch.stack(path)


def _repeated(got: Any, right: torch.Tensor) -> bool:
    """Whether every row, the first perhaps aside, is the last one."""
    value = as_tensor(got)
    if value is None or value.ndim != 2 or value.shape != right.shape or len(value) < 2:
        return False
    return same(value[1:], right[-1].expand_as(value[1:])) or same(
        value[1:], value[-1].expand_as(value[1:])
    )


TURNS = (
    STEP_TRACKED,
    UNTRACKED,
    Turn("start missing", "the first row is the start itself; store it before the loop.",
         lambda loss, start, rate, m, n: AnyOf(reference(loss, start, rate, m, n + 1)[1:],
                                               reference(loss, start, rate, m, n)[1:])),
    Turn("last step missing", "count the rows: the one that the last step leads to is missing.",
         lambda *run: reference(*run)[:-1]),
    Turn("one step too many", "count the rows: n_steps steps and the start make n_steps + 1.",
         lambda loss, start, rate, m, n: reference(loss, start, rate, m, n + 1)),
    Turn("only the last location", "you return where the run ends; return every location.",
         lambda *run: AnyOf(reference(*run)[-1], reference(*run)[-1:])),
    Turn("momentum forgotten", "this run has no velocity: keep β times the last one.",
         lambda loss, start, rate, m, n: reference(loss, start, rate, 0.0, n)),
    Turn("Nesterov's momentum", "this looks ahead along the velocity; asked are the gradient where "
         "the run is, and a step of the velocity alone.",
         lambda loss, start, rate, m, n: AnyOf(
             _run(loss, start, rate, m, n, lambda g, v: g + m * v[1]),
             _ahead(loss, start, rate, m, n))),
    Turn("gradient damped", "the gradient enters the velocity whole; the last velocity alone is "
         "multiplied by the momentum.", _damped),
    Turn("old velocity used", "make the new velocity first, then step with it.",
         lambda loss, start, rate, m, n: _run(loss, start, rate, m, n, lambda g, v: v[0])),
    Turn("velocity at the start", "the run starts at rest: the first velocity is zero, and a step "
         "adds the slope to it once.", _begins_moving),
    Turn("one after another", "all parameters step at once: one gradient, taken where the run is.",
         _one_after_another),
    Turn("velocity never fades", "the last velocity is multiplied by the momentum, below 1.",
         lambda loss, start, rate, m, n: reference(loss, start, rate, 1.0, n)),
    Turn("gradient and velocity", "the velocity holds the gradient already; you step by both.",
         lambda loss, start, rate, m, n: AnyOf(
             _run(loss, start, rate, m, n, lambda g, v: g + v[1]),
             _run(loss, start, rate, m, n, lambda g, v: g + v[0]))),
    Turn("momentum's sign", "the last velocity is kept, not taken back: look at its sign.",
         lambda loss, start, rate, m, n: reference(loss, start, rate, -m, n)),
    Turn("learning rate twice", "the rate is in the velocity already, or in the step: once.",
         lambda loss, start, rate, m, n: reference(loss, start, rate**2, m, n)),
    Turn("learning rate forgotten", "the velocity is scaled by the learning rate before a step.",
         lambda loss, start, rate, m, n: reference(loss, start, 1.0, m, n)),
    Turn("gradient never zeroed", "each step adds all earlier gradients; clear them between steps.",
         lambda *run: AnyOf(_never_zeroed(*run))),
    Turn("ascent", "you walk up the slope; look at the sign of the step.",
         lambda loss, start, rate, m, n: reference(loss, start, -rate, m, n)),
    Turn("velocities returned", "these are moves; the locations that they lead to are asked for.",
         _velocities),
    Turn("losses returned", "these are the losses; the locations are asked for.", _losses),
    Turn("parameter rebound", "the locations stop moving, or the gradient is lost: «theta = ...» "
         "makes a new tensor that nothing trains; or one tensor is stored again and again: store "
         "a copy, such as theta.detach().clone().",
         reference, alike=_repeated,
         raises=lambda error: "does not require grad" in str(error) or "NoneType" in str(error)),
    NO_GRADIENT,
    Turn("rate decays", "the learning rate stays the same in every step.",
         lambda loss, start, rate, m, n: AnyOf(*[_decaying(power, loss, start, rate, m, n)
                                                 for power in (1.0, 0.5)])),
    Turn("gradient cut", "the gradient enters whole: all of it, as it is, no sign alone.",
         lambda *run: AnyOf(*[_cut(change, *run) for change in
                              (torch.sign, lambda g: g / g.norm(), lambda g: g.clamp(-1, 1),
                               lambda g: g * (torch.arange(len(g)) == 0))])),
    Turn("momentum in two places", "momentum enters once: a share of the last velocity.",
         lambda loss, start, rate, m, n: AnyOf(
             _twice(loss, start, rate, m, n), reference(loss, start, rate, rate * m, n))),
    Turn("a number of parameters", "start may have any number of them: make room for as many as it "
         "has, as torch.zeros_like(start) does.", reference,
         alike=lambda got, right: same(got, right, 1e-9),
         raises=lambda error: any(w in str(error) for w in SIZES)),
    Turn("another optimizer", "these are not the steps of gradient descent with momentum.",
         lambda loss, start, rate, m, n: others(loss, start, rate, n, m)),
    single_precision(reference),
    Turn("stops when it arrived", "n_steps steps are asked, also where they hardly move: break off "
         "nothing.", reference, alike=_ends_early),
)  # fmt: skip


def by_velocity(
    loss: Loss, start: torch.Tensor, learning_rate: float, momentum: float, n_steps: int
) -> torch.Tensor:
    """Return a run whose velocity is kept by hand."""
    theta, velocity = start, torch.zeros_like(start)
    path = [theta]
    for _ in range(n_steps):
        gradient = torch.func.grad(loss)(theta)
        velocity = momentum * velocity + gradient
        theta = theta - learning_rate * velocity
        path.append(theta)
    return torch.stack(path)


def by_moves(
    loss: Loss, start: torch.Tensor, learning_rate: float, momentum: float, n_steps: int
) -> torch.Tensor:
    """Return a run whose velocity holds the learning rate."""
    path, velocity = [start], torch.zeros_like(start)
    for _ in range(n_steps):
        gradient = torch.func.grad(loss)(path[-1])
        velocity = momentum * velocity - learning_rate * gradient
        path.append(path[-1] + velocity)
    return torch.stack(path)


def by_locations(
    loss: Loss, start: torch.Tensor, learning_rate: float, momentum: float, n_steps: int
) -> torch.Tensor:
    """Return a run made from its last two locations."""
    path = [start, start - learning_rate * torch.func.grad(loss)(start)]
    for _ in range(n_steps - 1):
        gradient = torch.func.grad(loss)(path[-1])
        path.append(path[-1] - learning_rate * gradient + momentum * (path[-1] - path[-2]))
    return torch.stack(path)


def _nearly_there(u: Draws, given: Given) -> torch.Tensor:
    """Return a start where the slope is small already: n_steps are walked all the same."""
    bottom = reference(given["loss"], given["start"], 0.05, 0.5, 400)[-1]
    return bottom + 0.01 * u.normal(len(bottom))


def _at_the_bottom(u: Draws, given: Given) -> Jointly:
    """Return a start where the slope is zero: n_steps are walked all the same."""
    centre, d = u.choice((-1.0, 1.0)) * u.real(1, 2), len(given["start"])
    bottom = centre / torch.arange(1, d + 1, dtype=torch.float64)
    return Jointly(loss=bowl(centre, u.real(0.6, 1.2), u.real(0.2, 0.5)), start=bottom)


def _arrives(u: Draws, given: Given) -> Jointly:
    return Jointly(learning_rate=0.15, n_steps=150)


EXERCISE = Exercise(
    name="descend",
    arguments=(
        Argument("loss", _loss, shown=lambda loss: "a loss"),
        Argument("start", _start, many=(2, 3), sizes=(1, 5),
                 edges={"from nearly the bottom": _nearly_there,
                        "from the very bottom": _at_the_bottom}),
        real("learning_rate", 0.02, 0.05),
        real("momentum", 0.4, 0.8, edges={"without momentum": 0.0}, used_instead=lambda: 0.5),
        whole("n_steps", 4, 7, edges={"of a single step": 1, "of sixty steps": 60,
                                    "of a run that arrives": _arrives}),
    ),
    reference=reference,
    agree=Double(),
    double=True,
    turns=TURNS,
    worked=(by_velocity, by_moves, by_locations),
    typical=2,
    passed="descend: every location of every run, on losses of 1 to 5 parameters.",
)  # fmt: skip
descend = EXERCISE.check
