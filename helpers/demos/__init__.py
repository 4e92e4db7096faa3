"""The interactive parts of the sheets, one file a sheet."""

from collections.abc import Callable

from helpers.demos.autodiff import draw_tangent, tangent
from helpers.demos.demo import Demo, Drawn, slider
from helpers.demos.likelihood import draw_likelihood, likelihood
from helpers.demos.sgd import draw_learning_rate, learning_rate

__all__ = [
    "ALL",
    "Demo",
    "Drawn",
    "draw_learning_rate",
    "draw_likelihood",
    "draw_tangent",
    "learning_rate",
    "likelihood",
    "slider",
    "tangent",
]

# Every demo of the course: tested at both ends of each slider.
ALL: list[Callable[[], Demo]] = [tangent, likelihood, learning_rate]
