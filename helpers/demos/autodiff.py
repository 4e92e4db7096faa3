"""The demo of sheet 01."""

import torch

from helpers import plots
from helpers.demos.demo import Demo, Drawn, slider


def draw_tangent(x: float) -> Drawn:
    """Draw x² + log x and its tangent, whose slope autograd gives.

    Args:
        x: where the tangent touches, positive.
    """
    at = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    height = at**2 + torch.log(at)
    (slope,) = torch.autograd.grad(height, at)
    grid = torch.linspace(0.2, 3.2, 200, dtype=torch.float64)
    ax = plots.curves(
        grid,
        {"f(x) = x² + log x": grid**2 + torch.log(grid), "tangent": height + slope * (grid - at)},
        "x", "f(x)",
    )  # fmt: skip
    ax.set_ylim(-4, 12)
    plots.points(ax, at, height)
    return ax, f"At x = {x:.2f} the tangent of x² + log x has slope {slope:.3f}."


def tangent() -> Demo:
    """Return the tangent that follows a slider along x² + log x."""
    return Demo("tangent", draw_tangent, {"x": slider("x", 0.3, 3.0, 2.0, 0.05)})
