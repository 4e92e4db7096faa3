"""The report's plots: seaborn's, as SVG that stands in a page and takes the page's colours.

Colours in the file are names of the page's (``var(--ink)``), so that one picture suits a light
page, a dark one and paper. Letters stay letters. Each plot comes with a sentence that says what it
shows.
"""

import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

# Colours that nothing else has, each in the place of one of the page's.
INK, GRID, MAIN, SECOND = "#010203", "#010204", "#010205", "#010206"
PASSED, NAMED, NAMELESS, MISSING, OTHER = (f"#0102{n:02x}" for n in range(0x10, 0x15))
PAGE = {
    INK: "ink", GRID: "grid", MAIN: "main", SECOND: "second", PASSED: "passed", NAMED: "named",
    NAMELESS: "nameless", MISSING: "missing", OTHER: "other",
}  # fmt: skip
STYLE: Any = {
    "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none",
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK,
    "ytick.color": INK, "grid.color": GRID, "axes.grid": True, "axes.axisbelow": True,
    "axes.spines.top": False, "axes.spines.right": False, "font.size": 10, "axes.labelsize": 10,
    "legend.frameon": False, "legend.fontsize": 10, "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
}  # fmt: skip
WIDTH = 4.2  # inches: on a telephone the letters stay readable


def drawn(name: str, figure: Figure, sentence: str) -> str:
    """Return a figure as SVG with its sentence as alt text and caption."""
    text = io.StringIO()
    style: Any = {**STYLE, "svg.hashsalt": name}
    with mpl.rc_context(style):
        figure.savefig(text, format="svg", bbox_inches="tight", metadata={"Date": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    for colour, meaning in PAGE.items():
        svg = svg.replace(colour, f"var(--{meaning})")
    # Ids are of the page: two plots may have made the same.
    for own in set(re.findall(r'id="([^"]+)"', svg)):
        svg = re.sub(rf'(id="|"#|url\(#){re.escape(own)}(?=["\)])', rf"\g<1>{name}-{own}", svg)
    head, rest = svg.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    assert box is not None
    rest = rest.replace("'DejaVu Sans'", "var(--letters)")
    label = escape(sentence, quote=True)
    return (
        f'<figure><svg xmlns="http://www.w3.org/2000/svg" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink" {box[0]} role="img" aria-label="{label}">'
        f"{rest}<figcaption>{escape(sentence)}</figcaption></figure>"
    )


def _axes(height: float) -> tuple[Figure, Axes]:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height))
        return figure, figure.subplots()


def scores(sheet: str, shares: Sequence[float]) -> str:
    """Return how the points of a sheet are spread.

    Args:
        sheet: the sheet.
        shares: of the points that each submission has, in percent.
    """
    figure, axes = _axes(2.4)
    with mpl.rc_context(STYLE):
        edges = np.arange(0, max(100, *shares) + 10, 10)
        sns.histplot(x=list(shares), bins=list(edges), color=MAIN, alpha=1, edgecolor=INK, ax=axes)
        middle = float(np.median(shares))
        axes.axvline(middle, color=SECOND, linestyle="--", linewidth=2)
        axes.set(xlabel="points, % of all", ylabel="submissions", xlim=(0, edges[-1]))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=False, axis="x")
    low, high = np.percentile(shares, [25, 75])
    sentence = (
        f"{sheet}: points of {len(shares)} submissions. Half of them have {middle:.0f} % or more "
        f"(dashed); the middle half lies between {low:.0f} % and {high:.0f} %."
    )
    return drawn(f"scores-{sheet}", figure, sentence)


def verdicts(sheet: str, counts: Mapping[str, Mapping[str, int]]) -> str:
    """Return what became of each exercise of a sheet.

    Args:
        sheet: the sheet.
        counts: of each exercise, how many answers ended how, by the words of ``KINDS``.
    """
    rows = [
        {"exercise": name, "kind": kind, "n": n}
        for name, kinds in counts.items() for kind, n in kinds.items() if n
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["exercise", "kind", "n"])
    table["exercise"] = pd.Categorical(table["exercise"], list(counts))
    shown = [kind for kind in KINDS if (table["kind"] == kind).any()]
    figure, axes = _axes(0.9 + 0.27 * len(counts))
    with mpl.rc_context(STYLE):
        sns.histplot(
            data=table, y="exercise", hue="kind", hue_order=shown[::-1], weights="n",
            multiple="fill", discrete=True, shrink=0.75, alpha=1, edgecolor=INK, linewidth=0.5,
            palette={kind: KINDS[kind][0] for kind in shown}, ax=axes,
        )  # fmt: skip
        for bar in axes.patches:
            of = (
                mark for colour, mark in KINDS.values() if same_color(bar.get_facecolor(), colour)
            )
            bar.set_hatch(next(of, ""))
        axes.set(xlabel="% of the answers", ylabel="", xlim=(0, 1))
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
        axes.grid(visible=False, axis="y")
        handles = [
            Rectangle((0, 0), 1, 1, facecolor=KINDS[k][0], hatch=KINDS[k][1], edgecolor=INK)
            for k in shown
        ]
        axes.legend(
            handles, shown, loc="lower left", bbox_to_anchor=(-0.25, 1.0), ncols=3,
            handlelength=1.2, columnspacing=1,
        )  # fmt: skip
    shares = {
        name: kinds.get("passed", 0) / max(1, sum(kinds.values())) for name, kinds in counts.items()
    }
    least = min(sorted(shares), key=lambda n: shares[n])
    best = max(sorted(shares), key=lambda n: shares[n])
    sentence = (
        f"{sheet}: what became of the answers. {best} passed most often ({shares[best]:.0%}), "
        f"{least} least ({shares[least]:.0%})."
    )
    return drawn(f"verdicts-{sheet}", figure, sentence)


# Colour, and hatch for those who see none.
KINDS: dict[str, tuple[str, str]] = {
    "passed": (PASSED, ""), "wrong, named": (NAMED, "//"), "wrong, no name": (NAMELESS, "xx"),
    "not solved": (MISSING, ""), "other": (OTHER, ".."),
}  # fmt: skip


def trend(shares: Mapping[str, Sequence[float]]) -> str:
    """Return the points over the sheets.

    Args:
        shares: of the points, in percent, by sheet.
    """
    table = pd.DataFrame(
        [{"sheet": sheet, "share": s} for sheet, all_of_it in shares.items() for s in all_of_it]
    )
    figure, axes = _axes(2.6)
    with mpl.rc_context(STYLE):
        sns.lineplot(
            data=table, x="sheet", y="share", estimator="median", errorbar=("pi", 50), color=MAIN,
            marker="o", markeredgecolor=INK, linewidth=2, err_kws={"alpha": 0.3}, ax=axes,
        )  # fmt: skip
        axes.set(xlabel="", ylabel="points, % of all", ylim=(0, max(100, table["share"].max())))
        axes.set_xticks(range(len(shares)), [name.partition("-")[0] or name for name in shares])
        axes.set_xlabel("sheet")
    middles = {sheet: float(np.median(all_of_it)) for sheet, all_of_it in shares.items()}
    sentence = "Median of the points, the middle half of the class around it: " + ", ".join(
        f"{sheet} {middle:.0f} %" for sheet, middle in middles.items()
    )
    return drawn("trend", figure, sentence + ".")
