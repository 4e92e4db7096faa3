"""Does every demo draw, with a sentence, at both ends of each of its sliders?"""

import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes
from matplotlib.textpath import TextPath

from helpers import demos, plots


def drive(demo):
    """Move every slider of a demo to both ends, and return what it showed."""
    shown = []
    demo.redraw()
    for slider in demo.sliders.values():
        start = slider.value
        ends = (slider.min, slider.max) if hasattr(slider, "min") else slider.options
        for end in ends:
            slider.value = end[1] if isinstance(end, tuple) else end
            demo.redraw()
            shown.append(demo.image.value)
        slider.value = start
    return shown


@pytest.mark.part(2)
@pytest.mark.parametrize("make", demos.ALL, ids=lambda make: make.__name__)
def test_does_the_picture_change_from_end_to_end(make):
    shown = drive(make())
    assert len(shown) >= 2
    for first, second in zip(shown[::2], shown[1::2], strict=True):
        assert first != second
    for html in shown:
        assert 'alt="' in html
        assert "nan" not in html.split("<figcaption")[1]


@pytest.mark.parametrize("make", demos.ALL, ids=lambda make: make.__name__)
def test_is_the_picture_labelled_and_said_in_words(make):
    demo = make()
    ax, sentence = demo.draw(**demo.values())
    assert isinstance(ax, Axes)
    assert sentence.endswith(".")
    assert any(character.isdigit() for character in sentence)
    for each in ax.figure.axes:
        assert each.get_xlabel() or each.get_ylabel()
    assert all(slider.continuous_update is False for slider in demo.sliders.values()
               if hasattr(slider, "continuous_update"))  # fmt: skip


@pytest.mark.parametrize("make", demos.ALL, ids=lambda make: make.__name__)
def test_is_every_slider_named_whole_and_no_wider_than_the_page(make):
    for slider in make().sliders.values():
        letters = TextPath((0, 0), slider.description, size=1).get_extents().width
        assert letters + 0.5 < float(slider.style.description_width.removesuffix("em"))
        assert slider.layout.width != "100%"  # its margins come on top


def test_is_a_callback_that_throws_noticed():
    def throws(x):
        if x > 0:
            raise ValueError("x is positive")
        return plots.panels()[0], "fine at 0."

    broken = demos.Demo("broken", throws, {"x": demos.slider("x", -1, 1, 0, 0.1)})
    with pytest.raises(ValueError, match="x is positive"):
        drive(broken)


def test_does_a_demo_leave_figures_open():
    before = len(plt.get_fignums())
    drive(demos.ALL[0]())
    assert len(plt.get_fignums()) == before
