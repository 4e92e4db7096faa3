"""The interactive parts of the sheets: sliders whose callbacks are named functions.

A demo is a callback that draws, and the controls that move it. The callback takes numbers and
returns the axes and a sentence, so it can be tested, and drawn once as a static figure for those
who cannot run widgets.
"""

import base64
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any

import ipywidgets
import torch
from IPython.display import display
from matplotlib.axes import Axes

from helpers import data, plots

Drawn = tuple[Axes, str]


@dataclass
class Demo:
    """A picture with sliders.

    Args:
        name: what the demo is called.
        draw: takes the sliders' values by name and returns the axes and a sentence.
        sliders: one control for each argument of ``draw``.
    """

    name: str
    draw: Callable[..., Drawn]
    sliders: dict[str, Any]
    image: ipywidgets.HTML = field(default_factory=ipywidgets.HTML)

    def values(self) -> dict[str, Any]:
        """Return the sliders' present values by name."""
        return {name: slider.value for name, slider in self.sliders.items()}

    def redraw(self, change: Any = None) -> None:
        """Draw the picture for the sliders' present values."""
        ax, sentence = self.draw(**self.values())
        image = base64.b64encode(plots.picture(ax)).decode()
        self.image.value = (
            f'<img alt="{escape(sentence)}" style="max-width:100%" '
            f'src="data:image/png;base64,{image}"><p><i>{escape(sentence)}</i></p>'
        )

    def show(self) -> None:
        """Show the sliders and the picture; it is drawn anew when a slider is let go."""
        for slider in self.sliders.values():
            slider.observe(self.redraw, names="value")
        self.redraw()
        box = ipywidgets.VBox([*self.sliders.values(), self.image])
        box.add_class("course-demo")
        bundle = box._repr_mimebundle_()
        # What a reader without widgets sees, and what is stored in the notebook.
        bundle["text/plain"] = f"[interactive: {self.name}, moved by {', '.join(self.sliders)}]"
        display(bundle, raw=True)


def slider(label: str, low: float, high: float, start: float, step: float) -> Any:
    """Return a slider over [low, high] that reports its value when it is let go."""
    return ipywidgets.FloatSlider(
        value=start, min=low, max=high, step=step, description=label, continuous_update=False,
        readout_format=".3g", style={"description_width": "9em"},
        layout=ipywidgets.Layout(width="32em"),
    )  # fmt: skip


# --- 01 autodiff -------------------------------------------------------------------------------


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


# --- 03 sgd ------------------------------------------------------------------------------------


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

    The distance to the mean, θ − x̄, starts at 1 and is multiplied by 1 − rate in each step.

    Args:
        rate: the learning rate in units of 1/n, at least 0.
    """
    rate = round(rate, 2)  # a slider's 1.0 may be 0.9999999999999999
    steps = torch.arange(21, dtype=torch.float64)
    distance = (1 - rate) ** steps
    ax = plots.curves(steps, {"": distance}, "number of steps", "distance to the mean, θ − x̄")
    ax.plot(steps, distance, "o", color=plots.BLUE, markersize=5)
    ax.axhline(0, color="black", linewidth=1, linestyle="-", zorder=1)
    ax.set(ylim=(-2.6, 2.6), xlim=(-0.5, 20.5), xticks=range(0, 21, 5))
    factor = f"{1 - rate:.2f}".replace("-", "−")
    return ax, (
        f"Learning rate {rate:.2f}/n: a step multiplies the distance by {factor}; {_moves(rate)}."
    )


def learning_rate() -> Demo:
    """Return a run of gradient descent that a slider takes from crawling to diverging."""
    control = slider("learning rate · n", 0.0, 2.2, 0.05, 0.05)
    return Demo("learning rate", draw_learning_rate, {"rate": control})


# --- 02 likelihood -----------------------------------------------------------------------------


def draw_likelihood(loc: float, scale: float) -> Drawn:
    """Draw a normal density over 40 heights, and where it stands on its log-likelihood surface.

    Args:
        loc: location of the density in cm.
        scale: standard deviation of the density in cm, positive.
    """
    heights = data.normal("likelihood: seedlings", 40, loc=12.0, scale=2.0)
    normal = torch.distributions.Normal
    locs, scales = torch.linspace(8, 16, 81), torch.linspace(0.8, 5, 85)
    cells = normal(locs[:, None], scales[:, None, None])
    surface = cells.log_prob(heights).sum(-1)  # shape (scales, locs)
    reached = float(normal(loc, scale).log_prob(heights).sum())
    highest = float(surface.max())
    top = math.ceil(highest)

    left, right = plots.panels(2)
    x = torch.linspace(4, 20, 321)
    density = {"Normal(μ, σ)": (x, normal(loc, scale).log_prob(x).exp())}
    plots.histogram(heights, "height x in cm", density, bins=range(5, 21), ax=left)
    left.set_ylim(0, 0.5)
    plots.surface(locs, scales, surface, "location μ in cm", "scale σ in cm", "log-likelihood",
                  levels=range(top - 40, top + 1, 4), ax=right)  # fmt: skip
    plots.points(right, loc, scale)
    return left, (
        f"Left, Normal({loc:.1f}, {scale:.1f}) over the heights of 40 seedlings; right, its place "
        f"on the surface: log-likelihood {reached:.1f}, where the top is {highest:.1f}."
    )


def likelihood() -> Demo:
    """Return the normal density that two sliders move over the data and over the surface."""
    return Demo(
        "likelihood",
        draw_likelihood,
        {
            "loc": slider("location μ in cm", 8.0, 16.0, 10.0, 0.1),
            "scale": slider("scale σ in cm", 0.8, 5.0, 4.0, 0.1),
        },
    )


# Every demo of the course: tested at both ends of each slider.
ALL: list[Callable[[], Demo]] = [tangent, likelihood, learning_rate]
