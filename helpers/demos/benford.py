"""The pictures of sheet 12, and its demo."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from matplotlib.axes import Axes

from helpers import plots
from helpers.demos.demo import Demo, Drawn, slider

MIDDLE = 3.3  # of log₁₀ x, in the demo
COLOURS = (plots.BLUE, plots.RED, plots.GREEN, plots.PINK)
HATCHES = ("", "//", "..", "xx")


def digit_bars(shares: Mapping[str, Any], law: Any, ax: Axes | None = None) -> Axes:
    """Draw shares of the first digits as bars, several side by side, and a law as dots.

    Args:
        shares: label → nine shares.
        law: nine probabilities.
        ax: axes to draw on, by default those of a new figure.
    """
    ax = ax or plots.panels(1, size=(7.6, 3.8))[0]
    width = 0.8 / len(shares)
    for number, (label, values) in enumerate(shares.items()):
        at = torch.arange(1, 10) - 0.4 + (number + 0.5) * width
        ax.bar(plots.numpy(at), plots.numpy(values), width, label=label, color=COLOURS[number],
               hatch=HATCHES[number], edgecolor="white", linewidth=0.5)  # fmt: skip
    ax.plot(range(1, 10), plots.numpy(law), "o", color="black", markersize=7,
            markeredgecolor="white", linestyle="none", label="Benford's law", zorder=5)  # fmt: skip
    ax.set_xticks(range(1, 10))
    ax.grid(False, axis="x")
    ax.set(xlabel="first digit", ylabel="share")
    plots.legend(ax)
    return ax


def mantissa_circles(samples: Mapping[str, Any], factor: float) -> Axes:
    """Draw the fractions of log₁₀ x around a circle, before and after a multiplication.

    Args:
        samples: label → positive numbers; a circle each.
        factor: what the numbers are multiplied with.
    """
    axes = plots.panels(len(samples), size=(4.5 * len(samples), 5.4))
    for ax, (label, sample) in zip(axes, samples.items(), strict=True):
        for radius, colour, marker, x, said in [
            (1.0, plots.BLUE, "o", sample, "as they are"),
            (0.68, plots.RED, "^", factor * sample, f"times {factor:g}"),
        ]:
            angle = 2 * math.pi * (torch.log10(x) % 1)
            # A little in and out, so that points side by side are seen.
            ring = radius + 0.09 * torch.linspace(-1, 1, len(angle))[torch.arange(len(angle)) * 7
                                                                    % len(angle)]  # fmt: skip
            ax.plot(plots.numpy(ring * angle.sin()), plots.numpy(ring * angle.cos()), marker,
                    color=colour, markersize=2.6, alpha=0.7, linestyle="none",
                    label=said)  # fmt: skip
        for digit in range(1, 10):
            spoke, middle = (2 * math.pi * math.log10(d) for d in (digit, digit + 0.5))
            ax.plot([0.5 * math.sin(spoke), 1.14 * math.sin(spoke)],
                    [0.5 * math.cos(spoke), 1.14 * math.cos(spoke)],
                    color=plots.INK, linewidth=0.9, linestyle="-")  # fmt: skip
            ax.text(1.24 * math.sin(middle), 1.24 * math.cos(middle), str(digit), ha="center",
                    va="center", color=plots.INK, fontsize=13)  # fmt: skip
        ax.set(aspect="equal", xticks=[], yticks=[], xlim=(-1.4, 1.4), ylim=(-1.4, 1.4))
        ax.set_xlabel("angle: fraction of log₁₀ x, in turns")
        ax.set_title(label)
        for spine in ax.spines.values():
            spine.set_visible(False)
        ax.legend(loc="center", frameon=False, fontsize=10, markerscale=2.5, handletextpad=0.2)
    return axes[0]


def _digits(m: float, s: float) -> torch.Tensor:
    """Return the probabilities of the first digits of 10^N(m, s), shape (9,)."""
    decades = torch.arange(-8, 16, dtype=torch.float64)[:, None]
    edges = torch.arange(1, 11, dtype=torch.float64).log10()
    return torch.special.ndtr((decades + edges - m) / s).diff(dim=1).sum(0)


def draw_magnitudes(s: float, factor: float) -> Drawn:
    """Draw the density of log₁₀ x, and the first digits that follow from it.

    Args:
        s: standard deviation of log₁₀ x, positive.
        factor: what x is multiplied with, from 1 to 10.
    """
    m = MIDDLE + math.log10(factor)
    left, right = plots.panels(2, size=(9.4, 3.7))
    x = torch.linspace(0, 8, 801, dtype=torch.float64)
    height = torch.exp(-0.5 * ((x - m) / s) ** 2) / (s * math.sqrt(2 * math.pi))
    ones = (x % 1) < math.log10(2)
    left.fill_between(plots.numpy(x), plots.numpy(height), where=plots.numpy(ones),
                      color=plots.SKY, linewidth=0, label="x begins with 1")  # fmt: skip
    plots.curves(x, {"": height}, "log₁₀ x", "density, per decade", ax=left)
    left.set_ylim(0, 1.25 * float(height.max()))
    plots.legend(left)
    law = torch.log10(1 + 1 / torch.arange(1, 10, dtype=torch.float64))
    share = _digits(m, s)
    digit_bars({f"s = {s:.2f}": share}, law, ax=right)
    right.set_ylim(0, max(0.4, 1.1 * float(share.max())))
    off = float((share - law).abs().max())
    return left, (
        f"Left, the density of log₁₀ x, with standard deviation {s:.2f}, for x times "
        f"{factor:.1f}; the stretches where x begins with 1 are filled. Right, its first digits: "
        f"the largest difference from Benford's law is {off:.4f}."
    )


def magnitudes() -> Demo:
    """Return a log-normal density that two sliders widen and shift, with its first digits."""
    return Demo(
        "first digits of a log-normal",
        draw_magnitudes,
        {
            "s": slider("s, in decades", 0.1, 1.2, 0.2, 0.05),
            "factor": slider("factor c", 1.0, 9.9, 1.0, 0.1),
        },
    )
