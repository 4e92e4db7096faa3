"""The demos of sheet 01."""

import torch

from helpers import data, plots
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


def draw_paths(x: float) -> Drawn:
    """Draw how x² + log x is computed, each arrow with its local slope.

    Args:
        x: where the slopes are taken, positive.
    """
    ax = plots.panels(1, (6.4, 2.8))[0]
    ax.set(xlim=(0, 6.4), ylim=(0, 2.8))
    ax.axis("off")
    square, log, total = x**2, float(torch.tensor(x).log()), x**2 + float(torch.tensor(x).log())
    places = {"x": (0.6, 1.4), "square": (2.7, 2.25), "log": (2.7, 0.55), "sum": (5.1, 1.4)}
    words = {"x": f"x\n{x:g}", "square": f"x²\n{square:g}", "log": f"log x\n{log:.3f}",
             "sum": f"x² + log x\n{total:.3f}"}  # fmt: skip
    for name, (across, up) in places.items():
        ax.text(across, up, words[name], ha="center", va="center", fontsize=12)
    arrows = [
        ("x", "square", f"2x = {2 * x:g}", plots.BLUE),
        ("square", "sum", "1", plots.BLUE),
        ("x", "log", f"1/x = {1 / x:g}", plots.RED),
        ("log", "sum", "1", plots.RED),
    ]
    for start, end, slope, colour in arrows:
        ax.annotate(
            "", places[end], places[start],
            arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 2, "shrinkA": 26,
                        "shrinkB": 34 if end == "sum" else 24},
        )  # fmt: skip
        (left, low), (right, high) = places[start], places[end]
        above = 0.3 if (low + high) / 2 > 1.4 else -0.3
        ax.text((left + right) / 2, (low + high) / 2 + above, slope, color=colour, ha="center",
                va="center", fontsize=12)  # fmt: skip
    return ax, (
        f"From x = {x:g} two paths lead to the sum. The upper one has the local slopes {2 * x:g} "
        f"and 1, the lower one {1 / x:g} and 1: multiplied along each and added, they make "
        f"{2 * x + 1 / x:g}."
    )


def draw_forecasts(weight: float) -> Drawn:
    """Draw the river's readings, and each day's forecast by exponential smoothing.

    Args:
        weight: the share of its error by which a forecast moves.
    """
    readings = data.river()
    forecasts = [float(readings[0])]
    for reading in readings[1:].tolist():
        forecasts.append(forecasts[-1] + weight * (reading - forecasts[-1]))
    ahead = torch.tensor(forecasts[:-1], dtype=torch.float64)
    days = torch.arange(2, len(readings) + 1)
    ax = plots.curves(days, {"forecast": ahead}, "day", "level in cm")
    plots.points(ax, days, readings[1:], "reading", marker=".")
    loss = float((0.5 * (readings[1:] - ahead) ** 2).mean())
    return ax, f"With weight {weight:.2f} the forecasts have loss {loss:.3f}."


def forecasts() -> Demo:
    """Return forecasts of a river's level whose weight a slider sets."""
    return Demo("forecasts", draw_forecasts, {"weight": slider("weight", 0.0, 1.0, 0.1, 0.05)})
