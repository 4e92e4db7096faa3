"""A demo: a picture with sliders whose callback is a named function.

A demo is a callback that draws, and the controls that move it. The callback takes numbers and
returns the axes and a sentence, so it can be tested, and drawn once as a static figure for those
who cannot run widgets.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any

import ipywidgets
from IPython.display import display
from matplotlib.axes import Axes

from helpers import plots

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
            f'<figure style="margin:0;line-height:normal"><img alt="{escape(sentence)}" '
            f'style="max-width:100%" src="data:image/png;base64,{image}">'
            f'<figcaption style="font-style:italic">{escape(sentence)}</figcaption></figure>'
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
    digits = len(f"{step:g}".partition(".")[2])
    return ipywidgets.FloatSlider(
        value=start, min=low, max=high, step=step, description=label, continuous_update=False,
        readout_format=f".{digits}f", style={"description_width": "9em"},
        # Not 100 %: with the margins that JupyterLab adds, the box would scroll sideways.
        layout=ipywidgets.Layout(width="auto", max_width="44em"),
    )  # fmt: skip
