"""A figure is legible on a light page and on a dark one."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from helpers import plots

X = np.linspace(-3, 3, 40)
PAGES = {"light": "#FFFFFF", "dark": "#111111"}


def _drawn() -> Iterator[tuple[str, bytes]]:
    """Yield one figure of each kind, with what sheets add to it by themselves."""
    bare = plots.curves(X, {"square": X**2, "cube": X**3}, "x", "y", "Powers")
    bare.axhline(1, color="black", linewidth=4)
    bare.text(0, 5, "a word", color="black")
    yield "curves", plots.picture(plots.points(bare, 0, 0, "here"))
    yield "histogram", plots.picture(plots.histogram(X, "x", {"flat": (X, 0 * X + 1 / 6)}))
    hill = plots.surface(X, X, -(X[:, None] ** 2) - X**2, "x", "y", "height")
    yield "surface", plots.picture(plots.path(hill, [0, 1], [0, 1], "walk"))


def _pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def _luminance(colour: str) -> float:
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot([0.2126, 0.7152, 0.0722], channels))


@pytest.mark.parametrize("page", PAGES)
def test_can_the_letters_be_read_on_this_page(page: str) -> None:
    ink, ground = _luminance(plots.INK), _luminance(PAGES[page])
    assert (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05) >= 4


def test_does_a_figure_bring_a_box_of_its_own() -> None:
    for kind, png in _drawn():
        pixels = _pixels(png)
        assert pixels[[0, 0, -1, -1], [0, -1, 0, -1], 3].max() == 0, kind
        around = pixels[:, :, 3] == 0
        assert around.mean() > 0.2, f"{kind}: the page does not show through"


def test_does_anything_black_stand_on_the_page_itself() -> None:
    for kind, png in _drawn():
        if kind == "surface":
            continue  # it brings its own ground: black is legible there
        pixels = _pixels(png)
        black = (pixels[:, :, 3] > 128) & (pixels[:, :, :3].max(-1) < 40)
        assert not black.any(), f"{kind}: {black.sum()} black pixels"


def test_is_a_figure_the_same_when_it_is_shown_again() -> None:
    ax = plots.curves(X, {"line": X}, "x", "y")
    assert plots.picture(ax) == plots.picture(ax)


def test_does_a_grid_strike_through_the_words_of_a_legend() -> None:
    ax = plots.curves(X, {"one-sided": X, "two-sided": X**2, "three": X**3}, "x", "y")
    plots.picture(ax)
    figure, legend = ax.figure, ax.get_legend()
    assert isinstance(figure, Figure)
    assert legend
    box = legend.get_window_extent()
    for artist in (*ax.lines, *ax.texts, legend):
        artist.set_visible(False)
    drawn = plots.picture(ax)
    pixels = _pixels(drawn)[::-1]  # from below, as matplotlib counts
    inside = pixels[int(box.y0) + 2 : int(box.y1) - 1, int(box.x0) + 2 : int(box.x1) - 1, 3]
    assert inside.max() == 0
    assert pixels[int(box.y0) - 40 : int(box.y0) - 1, :, 3].max() > 0  # elsewhere there is a grid


def test_are_all_letters_of_a_panel_of_one_size() -> None:
    left, right = plots.panels(2)
    plots.surface(X, X, X[:, None] * X, "x", "y", "height", "Hill", ax=left)
    plots.histogram(X, "x", {"flat": (X, 0 * X + 1 / 6)}, ax=right)
    left.set_title("Hill")  # as a sheet does by itself
    plots.picture(left)
    bar, legend = left.collections[0].colorbar, right.get_legend()
    assert bar
    assert legend
    label = left.xaxis.label.get_fontsize()
    assert bar.ax.yaxis.label.get_fontsize() == label
    assert left.title.get_fontsize() >= label
    ticks = left.xaxis.get_ticklabels()[0].get_fontsize()
    assert bar.ax.yaxis.get_ticklabels()[0].get_fontsize() == ticks
    assert legend.get_texts()[0].get_fontsize() == ticks
