"""The demo of sheet 02."""

import math

import torch

from helpers import data, plots
from helpers.demos.demo import Demo, Drawn, slider


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
