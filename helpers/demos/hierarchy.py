"""The demo of sheet 13."""

import torch

from helpers import data, plots
from helpers.demos.demo import Demo, Drawn, slider

SIGMA = 75.0  # standard deviation of the scores within a school, in points


def shrunk(tau: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, float]:
    """Return sizes, own and partially pooled means of the sheet's schools, and the mean of all.

    Args:
        tau: standard deviation of the schools' means, zero or positive.
    """
    _, y, school, _ = data.schools("hierarchy")
    n = torch.bincount(school).double()
    own = torch.bincount(school, weights=y) / n
    w = n / (n * tau**2 + SIGMA**2)
    mu = (w * own).sum() / w.sum()
    return n, own, mu + w * tau**2 * (own - mu), float(mu)


def draw_shrinkage(tau: float) -> Drawn:
    """Draw each school's mean with a line to the pooled one, and the share that a school keeps.

    Args:
        tau: standard deviation of the schools' means, zero or positive.
    """
    n, own, pooled, mu = shrunk(tau)
    left, right = plots.panels(2)
    left.vlines(n, own, pooled, color=plots.SKY, linewidth=1.5)
    left.plot(n, own, "o", color=plots.SKY, markersize=4, linestyle="none", label="own mean")
    left.plot(n, pooled, "o", color=plots.RED, markersize=4, linestyle="none", label="drawn")
    left.axhline(mu, color=plots.INK, linewidth=1, linestyle="--")
    left.set(xlabel="pupils in the school", ylabel="mean score, in points", ylim=(415, 660))
    left.legend(frameon=False, fontsize=10, ncols=2, loc="upper right")

    line = torch.logspace(0, 2.2, 100)
    share = line * tau**2 / (line * tau**2 + SIGMA**2)
    plots.curves(line, {"B": share}, "pupils in the school", "share kept, B", ax=right)
    right.set_ylim(-0.03, 1.03)
    for ax in (left, right):
        ax.set_xscale("log")
        ax.minorticks_off()
        ax.set_xticks([1, 5, 20, 100], labels=["1", "5", "20", "100"])
    before, after = float(own.std(correction=0)), float(pooled.std(correction=0))
    five = 5 * tau**2 / (5 * tau**2 + SIGMA**2)
    return left, (
        f"With τ = {tau:.0f} points, schools are drawn towards {mu:.0f}; one of five pupils keeps "
        f"{five:.2f} of its deviation, and the schools' means spread by {after:.0f} points in "
        f"place of {before:.0f}."
    )


def shrinkage() -> Demo:
    """Return the shrinkage plot with a slider from complete pooling towards none."""
    return Demo("shrinkage", draw_shrinkage, {"tau": slider("τ, in points", 0.0, 200.0, 40.0, 2.0)})
