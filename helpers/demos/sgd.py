"""The demo of sheet 03."""

import torch

from helpers import plots
from helpers.demos.demo import Demo, Drawn, slider


def _moves(rate: float) -> str:
    """Say what gradient descent does at a learning rate of ``rate``/n, step by step."""
    if rate == 0:
        return "it never moves"
    if rate > 2:
        return "it diverges: every step lands further away, on the other side"
    if rate == 2:
        return "it swings for ever, as far on one side as on the other"
    if rate > 1:
        return "it oscillates: every step overshoots, and less each time"
    if rate == 1:
        return "it arrives in a single step"
    return "it crawls" if rate <= 0.05 else "it converges from one side"


FURTHEST = 1.8  # offsets that are drawn on the loss, of a start at 1


def draw_learning_rate(rate: float) -> Drawn:
    """Draw 20 steps of gradient descent on the summed loss of a normal distribution.

    The offset from the mean, θ − x̄, starts at 1 and is multiplied by 1 − rate in each step; the
    loss above its least is n/2 times the square of the offset. Left the steps hop along the loss,
    right the offset is drawn step by step.

    Args:
        rate: the learning rate in units of 1/n, at least 0.
    """
    rate = round(rate, 2)  # a slider's 1.0 may be 0.9999999999999999
    steps = torch.arange(21, dtype=torch.float64)
    offset = (1 - rate) ** steps
    along = torch.linspace(-FURTHEST, FURTHEST, 120, dtype=torch.float64)
    left, right = plots.panels(2)
    plots.curves(along, {"": along**2 / 2}, "offset θ − x̄",
                 "loss above its least / n", "hops on the loss", ax=left)  # fmt: skip
    seen = offset[offset.abs() <= FURTHEST]
    for i in range(min(len(seen), len(offset) - 1)):  # a hop that leaves the picture is cut there
        hop = torch.stack([offset[i], offset[i + 1]])
        left.plot(hop, hop**2 / 2, "-", color=plots.RED, linewidth=1.2)
    left.plot(seen, seen**2 / 2, "o", color=plots.RED, markersize=5)
    left.set(xlim=(-FURTHEST, FURTHEST), ylim=(-0.15, FURTHEST**2 / 2))
    plots.curves(steps, {"": offset}, "number of steps", "offset θ − x̄",
                 "step by step", ax=right)  # fmt: skip
    right.plot(steps, offset, "o", color=plots.BLUE, markersize=5)
    right.axhline(0, color=plots.INK, linewidth=1, linestyle="-", zorder=1)
    right.set(ylim=(-2.6, 2.6), xlim=(-0.5, 20.5), xticks=range(0, 21, 5))
    factor = f"{1 - rate:.2f}".replace("-", "−")
    return left, (
        f"Learning rate {rate:.2f}/n: a step multiplies the offset by {factor}; {_moves(rate)}."
    )


def learning_rate() -> Demo:
    """Return a run of gradient descent that a slider takes from crawling to diverging."""
    control = slider("learning rate · n", 0.0, 2.2, 0.05, 0.05)
    return Demo("learning rate", draw_learning_rate, {"rate": control})


STEEP = 25.0  # how many times as steep the valley is across as along


def _descent(rate: float, momentum: float, n_steps: int) -> torch.Tensor:
    """Return the offsets of a run in the valley, from (−2, 0.5), shape (n_steps + 1, 2)."""
    curvatures = torch.tensor([1.0, STEEP], dtype=torch.float64)
    path, velocity = [torch.tensor([-2.0, 0.5], dtype=torch.float64)], torch.zeros(2).double()
    for _ in range(n_steps):
        velocity = momentum * velocity + curvatures * path[-1]
        path.append(path[-1] - rate / STEEP * velocity)
    return torch.stack(path)


def draw_valley(rate: float, momentum: float) -> Drawn:
    """Draw 30 steps of gradient descent in a valley that is 25 times as steep across as along.

    Args:
        rate: the learning rate in units of 1/λ, with the curvature λ across.
        momentum: share of the velocity that is kept at each step.
    """
    path = _descent(rate, momentum, 30)
    inside = (path.abs() < torch.tensor([2.6, 0.9])).all(dim=1)
    shown = path[: int((~inside).float().argmax()) if not inside.all() else len(path)]
    along, across = torch.linspace(-2.6, 2.6, 90).double(), torch.linspace(-0.9, 0.9, 90).double()
    loss = along[None, :] ** 2 / 2 + STEEP * across[:, None] ** 2 / 2
    (ax,) = plots.panels()
    ax.contour(along, across, loss, levels=[0.05, 0.4, 1.2, 2.5, 4.5, 7.5], colors=plots.INK,
               linewidths=0.8)  # fmt: skip
    ax.plot(shown[:, 0], shown[:, 1], "-o", color=plots.RED, linewidth=1.2, markersize=4)
    ax.plot([0.0], [0.0], "+", color=plots.BLUE, markersize=12, markeredgewidth=2)
    ax.set(xlabel="offset along the valley, θ₁ − x̄₁", ylabel="offset across, θ₂ − x̄₂",
           xlim=(-2.6, 2.6), ylim=(-0.9, 0.9))  # fmt: skip
    ax.grid(False)
    along_left, across_left = (path[-1] / path[0]).abs().tolist()
    ends = (
        "it diverges"
        if rate > 2 * (1 + momentum)
        else f"after 30 steps {along_left:.3f} of the offset along the valley is left, and "
        f"{across_left:.3f} of that across"
    )
    return ax, f"Learning rate {rate:.2f}/λ, momentum {momentum:.1f}: {ends}."


def valley() -> Demo:
    """Return a run in a valley whose learning rate and momentum sliders move."""
    rate = slider("learning rate · λ", 0.1, 3.2, 1.0, 0.1)
    momentum = slider("momentum β", 0.0, 0.9, 0.0, 0.1)
    return Demo("valley", draw_valley, {"rate": rate, "momentum": momentum})
