"""Plots of the sheets: each takes data, returns the axes, and is labelled with units.

Lines differ in dash and colour (Okabe and Ito's palette), so they can be told apart in grey and by
colour-blind eyes. :func:`caption` shows a figure with a sentence that says what it shows; the
sentence is the picture's alt text too, so that nothing is conveyed by the picture alone.

A figure has no background of its own: it stands on a light page and on a dark one. So its letters
and axes are drawn in :data:`INK`, a grey with a contrast of at least 4 : 1 on both. What is black
by matplotlib's choice or a sheet's takes that grey when the figure is shown; only on a filled
surface, which brings its own ground, black stays black.
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
from matplotlib.colors import same_color
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.spines import Spine
from matplotlib.text import Text

BLUE, ORANGE, GREEN, PINK, SKY, RED = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00",
)  # fmt: skip
INK = "#7A7A7A"
PALETTE = [BLUE, RED, GREEN, PINK, ORANGE, SKY]
SAMPLE = "#7A9DB880"  # bars of a sample: half see-through, so that they suit either page
DASHES: list[Any] = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1))]

STYLE: dict[str, Any] = {
    "figure.figsize": (6.4, 3.6),
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.labelcolor": INK,
    "figure.dpi": 110,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.8,
    "axes.prop_cycle": cycler(color=PALETTE) + cycler(linestyle=DASHES),
    "axes.titlesize": 12,
    "axes.labelsize": 11,
    "lines.linewidth": 2,
    "legend.frameon": False,
    "font.family": "DejaVu Sans",
}


def panels(
    count: int = 1, size: tuple[float, float] | None = None, stacked: bool = False
) -> list[Axes]:
    """Return the axes of a new figure, side by side.

    Args:
        count: number of axes.
        size: width and height of the whole figure in inches; by default 6.4 × 3.6 for one panel
            and 4.4 × 3.4 a panel for more.
        stacked: whether they stand one above the other, with one horizontal axis for all.
    """
    # Several panels share the width of one: their letters are larger to stay readable.
    larger = 1.0 if count == 1 else 1.25
    letters = {"axes.labelsize": 11, "axes.titlesize": 12, "xtick.labelsize": 10,
               "ytick.labelsize": 10}  # fmt: skip
    style = {**STYLE, **{name: larger * points for name, points in letters.items()}}
    with plt.rc_context(style):  # type: ignore[arg-type]
        size = size or ((6.4, 3.6) if count == 1 else (4.4 * count, 3.4))
        rows, columns = (count, 1) if stacked else (1, count)
        figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False,
                                    sharex=stacked, layout="constrained")  # fmt: skip
    plt.close(figure)  # shown by caption(), once, and not by the notebook at the end of the cell
    return list(axes.flat)


def _larger(ax: Axes) -> float:
    """Return how much larger the letters of these axes are than those of a single panel."""
    return ax.xaxis.label.get_fontsize() / STYLE["axes.labelsize"]


def _label(ax: Axes, xlabel: str, ylabel: str, title: str) -> Axes:
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    if title:
        ax.set_title(title)
    return ax


def _on_ground(ax: Axes) -> bool:
    """Return whether a filled surface, and not the page, lies behind what is drawn."""
    return any(isinstance(drawn, QuadContourSet) and drawn.filled for drawn in ax.collections)


def legend(ax: Axes) -> None:
    """Name the lines of a plot; without a frame, but on a filled surface with a light one."""
    if _on_ground(ax):
        ax.legend(facecolor="white", framealpha=0.9, frameon=True, fontsize=10 * _larger(ax))
    else:
        ax.legend(frameon=False, fontsize=10 * _larger(ax))


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


def path(ax: Axes, x: Any, y: Any, label: str = "", color: str = RED) -> Axes:
    """Add a walk over a filled surface, with a white rim that parts it from every ground.

    Args:
        ax: axes with a surface.
        x: places along the horizontal axis, shape (steps,).
        y: places along the vertical axis, shape (steps,).
        label: its name in the legend, or none.
        color: its colour.
    """
    ax.plot(numpy(x), numpy(y), color="white", linewidth=3, linestyle="-", zorder=3)
    ax.plot(numpy(x), numpy(y), color=color, linewidth=1.5, linestyle="-", zorder=4,
            label=label or None)  # fmt: skip
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
    ax.hist(numpy(sample), bins=bins, density=True, color=SAMPLE, label="sample")  # fmt: skip
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


def bands(
    x: Any, mean: Any, deviation: Any, xlabel: str, ylabel: str, title: str = "",
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Plot a mean with bands of one and of two standard deviations.

    Args:
        x: points, shape (m,).
        mean: values at them, shape (m,).
        deviation: standard deviations at them, shape (m,).
        xlabel: label of the horizontal axis, with its unit.
        ylabel: label of the vertical axis, with its unit.
        title: short title, or none.
        ax: axes to draw on, by default those of a new figure.
    """
    ax = ax or panels()[0]
    at, middle, one = numpy(x), numpy(mean), numpy(deviation)
    for times, alpha in ((2, 0.25), (1, 0.35)):
        low, high = middle - times * one, middle + times * one
        ax.fill_between(at, low, high, color=SKY, alpha=alpha, linewidth=0)
    ax.plot(at, middle, color=BLUE, linestyle="-")
    return _label(ax, xlabel, ylabel, title)


def strands(
    x: Any, ys: Any, xlabel: str, ylabel: str, title: str = "", ax: Axes | None = None,
    color: str = BLUE,
) -> Axes:  # fmt: skip
    """Plot many curves of one kind as thin lines of one colour.

    Args:
        x: points, shape (m,).
        ys: a curve a row, shape (k, m).
        xlabel: label of the horizontal axis, with its unit.
        ylabel: label of the vertical axis, with its unit.
        title: short title, or none.
        ax: axes to draw on, by default those of a new figure.
        color: of all of them.
    """
    ax = ax or panels()[0]
    ax.plot(numpy(x), numpy(ys).T, color=color, linestyle="-", linewidth=0.7, alpha=0.6)
    return _label(ax, xlabel, ylabel, title)


def spectrogram(
    samples: Any, rate: float, highest: float, title: str = "", ax: Axes | None = None
) -> Axes:
    """Plot which frequencies a sound holds at each time, light where they are loud.

    Each column is the spectrum of 10 ms under a Hann window, in steps of a third of that; what is
    36 dB below the loudest, or further, is dark.

    Args:
        samples: the sound, shape (n,).
        rate: samples a second.
        highest: frequency in Hz at the upper edge.
        title: short title, or none.
        ax: axes to draw on, by default those of a new figure.
    """
    ax = ax or panels()[0]
    window = round(0.01 * rate)
    size = 4 * window
    columns = torch.stft(torch.as_tensor(samples), size, hop_length=window // 3, win_length=window,
                         window=torch.hann_window(window, dtype=torch.as_tensor(samples).dtype),
                         return_complex=True).abs()  # fmt: skip
    shown = columns[: int(highest * size / rate) + 1]
    level = 20 * (shown / columns.max()).clamp(min=10**-1.8).log10()
    shades = plt.get_cmap("cividis", 10)  # few, so that the stored picture stays small
    ax.imshow(numpy(level), origin="lower", aspect="auto", cmap=shades, interpolation="nearest",
              extent=(0.0, len(samples) / rate, 0.0, highest))  # fmt: skip
    ax.grid(False)
    return _label(ax, "time in s", "frequency in Hz", title)


def _suit_any_page(figure: Figure) -> None:
    """Draw in :data:`INK` what is black and stands on the page itself."""
    grounded = {
        id(artist)
        for ax in figure.axes
        if _on_ground(ax)
        for held in (*ax.lines, *ax.texts, ax.get_legend())
        if held
        for artist in held.findobj()
    }
    for artist in figure.findobj(lambda a: isinstance(a, Text | Line2D)):
        if id(artist) in grounded:
            continue
        if same_color(artist.get_color(), "black"):  # type: ignore[attr-defined]
            artist.set_color(INK)  # type: ignore[attr-defined]
        if isinstance(artist, Line2D) and same_color(artist.get_markeredgecolor(), "black"):
            artist.set_markeredgecolor(INK)
    for spine in figure.findobj(Spine):
        spine.set_edgecolor(INK)


def _suit_panels(figure: Figure) -> None:
    """Make titles and colour bars as large as the other letters of the panels they belong to.

    They are drawn after :func:`panels`, by a sheet or by seaborn, in matplotlib's own sizes.
    """
    for ax in figure.axes:
        ax.title.set_fontsize(STYLE["axes.titlesize"] * _larger(ax))
        for drawn in (*ax.collections, *ax.images):
            if bar := drawn.colorbar:
                bar.ax.yaxis.label.set_fontsize(ax.yaxis.label.get_fontsize())
                bar.ax.tick_params(labelsize=10 * _larger(ax))


def _box(low: Any, high: Any) -> np.ndarray:
    """Return the corners of a rectangle, shape (5, 2), counter-clockwise and back to the first."""
    (left, lower), (right, upper) = low, high
    return np.array(
        [(left, lower), (right, lower), (right, upper), (left, upper), (left, lower)], dtype=float
    )


def _part_grids_from_words(figure: Figure) -> None:
    """End the lines of a grid where a legend without a ground begins.

    Else they strike through its words: a legend that shall suit any page cannot cover them.
    """
    words = [
        (ax, legend)
        for ax in figure.axes
        if isinstance(legend := ax.get_legend(), Legend) and not legend.get_frame_on()
    ]
    if not words:
        return
    figure.draw_without_rendering()  # only now is it known where the legends stand
    for ax, legend in words:
        hole = legend.get_window_extent().transformed(ax.transAxes.inverted())
        # Turning the other way round, the inner rectangle is left out of the outer one.
        shown = Path.make_compound_path(
            Path(_box((0, 0), (1, 1)), closed=True),
            Path(_box(hole.min, hole.max)[::-1], closed=True),
        )
        for line in (*ax.get_xgridlines(), *ax.get_ygridlines()):
            line.set_clip_path(shown, ax.transAxes)


def picture(ax: Axes) -> bytes:
    """Return the figure that the axes belong to as a PNG without a background."""
    figure = ax.figure
    assert isinstance(figure, Figure)
    _suit_any_page(figure)
    _suit_panels(figure)
    _part_grids_from_words(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, transparent=True, metadata={"Software": None})
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
