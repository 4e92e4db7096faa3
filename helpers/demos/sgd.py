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


def draw_learning_rate(rate: float) -> Drawn:
    """Draw 20 steps of gradient descent on the summed loss of a normal distribution.

    The offset from the mean, θ − x̄, starts at 1 and is multiplied by 1 − rate in each step.

    Args:
        rate: the learning rate in units of 1/n, at least 0.
    """
    rate = round(rate, 2)  # a slider's 1.0 may be 0.9999999999999999
    steps = torch.arange(21, dtype=torch.float64)
    offset = (1 - rate) ** steps
    ax = plots.curves(steps, {"": offset}, "number of steps", "offset from the mean, θ − x̄")
    ax.plot(steps, offset, "o", color=plots.BLUE, markersize=5)
    ax.axhline(0, color="black", linewidth=1, linestyle="-", zorder=1)
    ax.set(ylim=(-2.6, 2.6), xlim=(-0.5, 20.5), xticks=range(0, 21, 5))
    factor = f"{1 - rate:.2f}".replace("-", "−")
    return ax, (
        f"Learning rate {rate:.2f}/n: a step multiplies the offset by {factor}; {_moves(rate)}."
    )


def learning_rate() -> Demo:
    """Return a run of gradient descent that a slider takes from crawling to diverging."""
    control = slider("learning rate · n", 0.0, 2.2, 0.05, 0.05)
    return Demo("learning rate", draw_learning_rate, {"rate": control})
