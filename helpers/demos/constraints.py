"""The demo of sheet 05."""

from dataclasses import dataclass
from typing import Any

import ipywidgets
import torch
from matplotlib.axes import Axes
from torch.distributions import (
    AffineTransform,
    Beta,
    ComposeTransform,
    CumulativeDistributionTransform,
    Distribution,
    ExpTransform,
    Gamma,
    Normal,
    SigmoidTransform,
    SoftplusTransform,
    Transform,
    Uniform,
)

from helpers import plots
from helpers.demos.demo import Demo, Drawn, slider

STRIP = 0.2  # width of the shaded strip, as a share of the pictured range of x


@dataclass(frozen=True)
class Density:
    """A density to choose, the range of x that its picture shows, and two maps from the line."""

    of: Distribution
    low: float
    high: float
    maps: tuple[Transform, Transform]
    where: tuple[tuple[float, float], tuple[float, float]]  # what the line shows under each map


def _double(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


def _normal() -> Transform:
    # Its inverse, from x to the line, is the quantile function.
    return CumulativeDistributionTransform(Normal(_double(0.0), _double(1.0)))


DENSITIES = {
    "Gamma(1, 1)": Density(Gamma(_double(1.0), _double(1.0)), 0.0, 5.0,
                           (ExpTransform(), SoftplusTransform()), ((-6, 3), (-6, 6))),
    "Gamma(3, 2)": Density(Gamma(_double(3.0), _double(2.0)), 0.0, 5.0,
                           (ExpTransform(), SoftplusTransform()), ((-3, 3), (-6, 6))),
    "Beta(2, 3)": Density(Beta(_double(2.0), _double(3.0)), 0.0, 1.0,
                          (SigmoidTransform(), _normal()), ((-6, 4), (-3, 3))),
    "Uniform(1, 4)": Density(
        Uniform(_double(1.0), _double(4.0)), 1.0, 4.0,
        (ComposeTransform([SigmoidTransform(), AffineTransform(1.0, 3.0)]),
         ComposeTransform([_normal(), AffineTransform(1.0, 3.0)])), ((-6, 6), (-3, 3))),
}  # fmt: skip
MAPS = ["exp or sigmoid", "softplus or normal CDF"]


def _shaded(x: torch.Tensor, density: torch.Tensor, strip: torch.Tensor, ax: Axes) -> float:
    """Draw a density with a strip below it shaded, and return the strip's area by trapezoids.

    Args:
        x: places, shape (m,).
        density: heights there, shape (m,).
        strip: places inside the strip, shape (k,), among x.
        ax: axes to draw on.
    """
    inside = (x >= strip[0]) & (x <= strip[-1])
    ax.fill_between(plots.numpy(x[inside]), plots.numpy(density[inside]), color=plots.SKY,
                    alpha=0.7, linewidth=0)  # fmt: skip
    ax.set_ylim(0, 1.1 * float(density.max()))
    return float(torch.trapezoid(density[inside], x[inside]))


def draw_two_coordinates(density: str, transform: str, start: float) -> Drawn:
    """Draw a density in its own coordinate and on the line, the same strip shaded in both.

    Args:
        density: which density, a key of DENSITIES.
        transform: which of its two maps from the line, one of MAPS.
        start: where the strip begins, as a share of the pictured range of x, from 0 to 0.8.
    """
    chosen = DENSITIES[density]
    which = MAPS.index(transform)
    h, (left_end, right_end) = chosen.maps[which], chosen.where[which]
    width = chosen.high - chosen.low
    low = chosen.low + width * max(start, 0.002)
    high = chosen.low + width * min(start + STRIP, 0.998)

    strip = torch.linspace(low, high, 801, dtype=torch.float64)
    ends = torch.linspace(chosen.low + 1e-4 * width, chosen.high - 1e-4 * width, 801)
    x = torch.cat([strip, ends.double()]).unique()
    strip_y = torch.linspace(float(h.inv(strip[0])), float(h.inv(strip[-1])), 801).double()
    y = torch.cat([strip_y, torch.linspace(left_end, right_end, 801).double()]).unique()

    left, right = plots.panels(2)
    p = chosen.of.log_prob(x).exp()
    q = (chosen.of.log_prob(h(y)) + h.log_abs_det_jacobian(y, h(y))).exp()
    plots.curves(x, {"p": p}, "x", "density p(x)", f"X ~ {density}", ax=left)
    plots.curves(y, {"q": q}, "y", "density q(y)", f"Y, where X = {_name(h)}", ax=right)
    areas = _shaded(x, p, strip, left), _shaded(y, q, strip_y, right)
    ends_x, ends_y = (f"{low:.2f} to {high:.2f}", f"{float(strip_y[0]):.2f} to {strip_y[-1]:.2f}")
    return left, (
        f"Shaded on the left, x from {ends_x}: area {areas[0]:.3f}. The same strip on the right, "
        f"y from {ends_y}: area {areas[1]:.3f}."
    ).replace("-", "−")


def _name(h: Transform) -> str:
    """Return the map as a title says it."""
    if isinstance(h, ComposeTransform):
        return f"1 + 3·{_name(h.parts[0]).replace('(Y)', '')}(Y)"
    return {ExpTransform: "exp(Y)", SoftplusTransform: "softplus(Y)", SigmoidTransform: "σ(Y)",
            CumulativeDistributionTransform: "Φ(Y)"}[type(h)]  # fmt: skip


def _choice(label: str, options: list[str]) -> Any:
    return ipywidgets.Dropdown(
        options=options, value=options[0], description=label,
        style={"description_width": "11em"}, layout=ipywidgets.Layout(width="32em"),
    )  # fmt: skip


def two_coordinates() -> Demo:
    """Return a density in two coordinates, with a strip of equal area that a slider moves."""
    return Demo(
        "two coordinates",
        draw_two_coordinates,
        {
            "density": _choice("density", list(DENSITIES)),
            "transform": _choice("map from the line", MAPS),
            "start": slider("strip from", 0.0, 0.8, 0.1, 0.05),
        },
    )
