"""The demo of sheet 14, and its pictures of queries with what was found."""

import torch

from helpers import plots
from helpers.demos.demo import Demo, Drawn, slider


def _found(degrees: torch.Tensor, k: int, tables: int) -> torch.Tensor:
    """Return the chance that one of the tables holds an item at an angle, in degrees."""
    return 1 - (1 - (1 - degrees / 180) ** k) ** tables


def draw_tables(bits: float, tables: float) -> Drawn:
    """Draw the chance to be found over the angle.

    Args:
        bits: k, how many bits a table compares.
        tables: L, how many tables there are.
    """
    k, count = round(bits), round(tables)
    degrees = torch.linspace(0, 120, 241, dtype=torch.float64)
    marked = torch.tensor([20.0, 60.0], dtype=torch.float64)
    near, far = _found(marked, k, count).tolist()
    ax = plots.curves(degrees, {"found": _found(degrees, k, count)}, "angle in degrees",
                      "chance to be found")  # fmt: skip
    plots.points(ax, marked, [near, far])
    ax.set(ylim=(-0.03, 1.05), xlim=(0, 120), xticks=range(0, 121, 20))
    return ax, (
        f"k = {k}, L = {count}: found at 20° with {near:.3f}, at 60° with {far:.3f}; "
        f"a code has {k * count} bit{'s' if k * count > 1 else ''}."
    )


def tables() -> Demo:
    """Return the chance to be found, moved by the numbers of bits and of tables."""
    bits, count = slider("bits a table k", 1, 24, 8, 1), slider("tables L", 1, 60, 10, 1)
    return Demo("tables", draw_tables, {"bits": bits, "tables": count})


def draw_found(
    queries: torch.Tensor, found: torch.Tensor, right: torch.Tensor, title: str = ""
) -> Drawn:
    """Draw each query, and to the right of it what was found, with a frame round a wrong digit.

    Args:
        queries: pictures, shape (m, 1, 28, 28).
        found: pictures, shape (m, k, 1, 28, 28).
        right: whether a picture shows the query's digit, shape (m, k).
        title: short title, or none.
    """
    rows, k = right.shape
    (ax,) = plots.panels(size=(0.75 * (k + 1.4), 0.75 * rows + (0.5 if title else 0.3)))
    for row in range(rows):
        for column in range(-1, k):
            image = queries[row, 0] if column < 0 else found[row, column, 0]
            left = 30.0 * column + 40 if column >= 0 else 0.0
            ax.imshow(plots.numpy(image), cmap="gray", vmin=-0.5, vmax=2.7,
                      extent=(left, left + 28, 30.0 * row + 28, 30.0 * row))  # fmt: skip
            if column >= 0 and not right[row, column]:
                ax.plot([left, left + 28, left + 28, left, left],
                        [30 * row, 30 * row, 30 * row + 28, 30 * row + 28, 30 * row],
                        "-", color=plots.ORANGE, linewidth=2.5)  # fmt: skip
    ax.set(xlim=(-4, 30 * k + 42), ylim=(30 * rows, -2), xticks=[14, 40 + 15 * k - 1], yticks=[])
    ax.set_xticklabels(["query", f"the {k} nearest, from left to right"])
    ax.set_aspect("equal")
    ax.tick_params(length=0)
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    if title:
        ax.set_title(title)
    wrong = int((~right).sum())
    return ax, (
        f"{rows} queries and {k} pictures found for each; {wrong} of {rows * k} show another "
        "digit, framed."
    )
