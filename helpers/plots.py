"""Plots of the sheets: each takes data, returns the axes, and is labelled with units.

Lines differ in dash and colour (Okabe and Ito's palette), so they can be told apart in grey and by
colour-blind eyes. :func:`caption` shows a figure with a sentence that says what it shows; the
sentence is the picture's alt text too, so that nothing is conveyed by the picture alone.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from cycler import cycler
from IPython.display import display
from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, PINK, SKY, RED = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00",
)  # fmt: skip
PALETTE = [BLUE, RED, GREEN, PINK, ORANGE, SKY]
DASHES: list[Any] = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1))]

STYLE: dict[str, Any] = {
    "figure.figsize": (6.4, 3.6),
    "figure.facecolor": "white",
    "figure.dpi": 110,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.8,
    "axes.prop_cycle": cycler(color=PALETTE) + cycler(linestyle=DASHES),
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.labelsize": 11,
    "lines.linewidth": 2,
    "legend.frameon": False,
    "font.family": "DejaVu Sans",
}


def panels(count: int = 1, size: tuple[float, float] | None = None) -> list[Axes]:
    """Return the axes of a new figure, side by side.

    Args:
        count: number of axes.
        size: width and height of the whole figure in inches; by default 6.4 × 3.6 for one panel
            and 4.4 × 3.4 a panel for more.
    """
    # Several panels share the width of one: their letters are larger to stay readable.
    larger = 1.0 if count == 1 else 1.25
    letters = {"axes.labelsize": 11, "axes.titlesize": 12, "xtick.labelsize": 10,
               "ytick.labelsize": 10}  # fmt: skip
    style = {**STYLE, **{name: larger * points for name, points in letters.items()}}
    with plt.rc_context(style):  # type: ignore[arg-type]
        size = size or ((6.4, 3.6) if count == 1 else (4.4 * count, 3.4))
        figure, axes = plt.subplots(1, count, figsize=size, squeeze=False, layout="constrained")
    plt.close(figure)  # shown by caption(), once, and not by the notebook at the end of the cell
    return list(axes[0])


def _label(ax: Axes, xlabel: str, ylabel: str, title: str) -> Axes:
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    if title:
        ax.set_title(title)
    return ax


def legend(ax: Axes) -> None:
    """Name the lines of a plot, without a frame."""
    ax.legend(frameon=False, fontsize=10)


def numpy(values: Any) -> np.ndarray:
    """Return numbers, a tensor with gradients among them, as an array to plot."""
    if isinstance(values, torch.Tensor):
        return values.detach().cpu().numpy()
    return np.asarray(values)


def curves(
    x: Any,
    ys: Mapping[str, Any],
    xlabel: str,
    ylabel: str,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Plot one or more curves over shared points.

    Args:
        x: points, shape (m,).
        ys: label → values of shape (m,); NaN leaves a gap, a single label is not put in a legend.
        xlabel: label of the horizontal axis, with its unit.
        ylabel: label of the vertical axis, with its unit.
        title: short title, or none.
        ax: axes to draw on, by default those of a new figure.
    """
    ax = ax or panels()[0]
    for label, y in ys.items():
        ax.plot(numpy(x), numpy(y), label=label)
    if len(ax.get_lines()) > 1:
        legend(ax)
    return _label(ax, xlabel, ylabel, title)


def points(ax: Axes, x: Any, y: Any, label: str = "", marker: str = "o") -> Axes:
    """Add single points to a plot, in black with a white rim, and name them in the legend."""
    ax.plot(np.atleast_1d(numpy(x)), np.atleast_1d(numpy(y)), marker, color="black", markersize=8,
            markeredgecolor="white", linestyle="none", label=label or None, zorder=5)  # fmt: skip
    if label:
        legend(ax)
    return ax


def histogram(
    sample: Any,
    xlabel: str,
    density: Mapping[str, tuple[Any, Any]] | None = None,
    title: str = "",
    bins: int | Sequence[float] = 50,
    ax: Axes | None = None,
) -> Axes:
    """Plot a sample as a histogram of area one, with densities over it.

    Args:
        sample: observations, shape (n,).
        xlabel: what was observed, with its unit.
        density: label → (points, density values) drawn as curves over the bars.
        title: short title, or none.
        bins: number of bins, or their edges.
        ax: axes to draw on, by default those of a new figure.
    """
    ax = ax or panels()[0]
    ax.hist(numpy(sample), bins=bins, density=True, color="#C9D6DF", edgecolor="white",
            linewidth=0.4, label="sample")  # fmt: skip
    for label, (x, y) in (density or {}).items():
        ax.plot(numpy(x), numpy(y), label=label)
    if density:
        legend(ax)
    return _label(ax, xlabel, "density", title)


def surface(
    x: Any,
    y: Any,
    z: Any,
    xlabel: str,
    ylabel: str,
    zlabel: str,
    title: str = "",
    levels: Any = 12,
    ax: Axes | None = None,
) -> Axes:
    """Plot a function of two variables as filled contours, light where it is high.

    Args:
        x: points on the horizontal axis, shape (m,).
        y: points on the vertical axis, shape (k,).
        z: values, shape (k, m).
        xlabel: label of the horizontal axis.
        ylabel: label of the vertical axis.
        zlabel: label of the colour bar.
        title: short title, or none.
        levels: number of contours, or their values.
        ax: axes to draw on, by default those of a new figure.
    """
    ax = ax or panels()[0]
    filled = ax.contourf(numpy(x), numpy(y), numpy(z), levels=levels, cmap="cividis", extend="min")
    ax.figure.colorbar(filled, ax=ax, label=zlabel)
    ax.grid(False)
    return _label(ax, xlabel, ylabel, title)


def picture(ax: Axes) -> bytes:
    """Return the figure that the axes belong to as a PNG."""
    buffer = io.BytesIO()
    ax.figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})  # type: ignore[union-attr]
    return buffer.getvalue()


def bundle(ax: Axes, sentence: str) -> dict[str, str]:
    """Return a figure and its sentence as the MIME bundle that a notebook stores."""
    image = base64.b64encode(picture(ax)).decode()
    html = (
        f'<figure style="margin:0"><img alt="{escape(sentence)}" style="max-width:100%" '
        f'src="data:image/png;base64,{image}"><figcaption style="font-style:italic">'
        f"{escape(sentence)}</figcaption></figure>"
    )
    return {"text/html": html, "image/png": image, "text/plain": sentence}


def caption(ax: Axes, sentence: str) -> None:
    """Show the figure that the axes belong to, with a sentence that says what it shows.

    Args:
        ax: any axes of the figure.
        sentence: what a reader sees in the picture, in words and rounded numbers; it stands below
            the picture and is its alt text.
    """
    display(bundle(ax, sentence), raw=True)
