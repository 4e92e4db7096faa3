"""The interactive parts of the sheets, one file a sheet."""

from collections.abc import Callable

from helpers.demos.autodiff import (
    draw_forecasts,
    draw_paths,
    draw_tangent,
    forecasts,
    tangent,
)
from helpers.demos.benford import digit_bars, draw_magnitudes, magnitudes, mantissa_circles
from helpers.demos.constraints import draw_two_coordinates, two_coordinates
from helpers.demos.demo import Demo, Drawn, slider
from helpers.demos.elbo import draw_elbo_and_gap, elbo_and_gap
from helpers.demos.hierarchy import draw_shrinkage, shrinkage
from helpers.demos.kl import draw_two_divergences, seeking_walks, two_divergences
from helpers.demos.likelihood import draw_likelihood, likelihood
from helpers.demos.listening import (
    draw_digits,
    draw_folding,
    draw_momentum,
    folding,
    listen,
    momentum,
)
from helpers.demos.map import draw_prior_width, prior_width
from helpers.demos.mixtures import draw_start_number, start_number
from helpers.demos.normals import adam, draw_adam
from helpers.demos.priors import draw_sine_prior, sine_prior
from helpers.demos.retrieval import draw_found, draw_tables, tables
from helpers.demos.sgd import draw_learning_rate, draw_valley, learning_rate, valley

__all__ = [
    "ALL",
    "Demo",
    "Drawn",
    "adam",
    "digit_bars",
    "draw_adam",
    "draw_digits",
    "draw_elbo_and_gap",
    "draw_folding",
    "draw_forecasts",
    "draw_found",
    "draw_learning_rate",
    "draw_likelihood",
    "draw_magnitudes",
    "draw_momentum",
    "draw_paths",
    "draw_prior_width",
    "draw_shrinkage",
    "draw_sine_prior",
    "draw_start_number",
    "draw_tables",
    "draw_tangent",
    "draw_two_coordinates",
    "draw_two_divergences",
    "draw_valley",
    "elbo_and_gap",
    "folding",
    "forecasts",
    "learning_rate",
    "likelihood",
    "listen",
    "magnitudes",
    "mantissa_circles",
    "momentum",
    "prior_width",
    "seeking_walks",
    "shrinkage",
    "sine_prior",
    "slider",
    "start_number",
    "tables",
    "tangent",
    "two_coordinates",
    "two_divergences",
    "valley",
]

# Every demo of the course: tested at both ends of each slider.
ALL: list[Callable[[], Demo]] = [
    tangent,
    forecasts,
    likelihood,
    learning_rate,
    valley,
    adam,
    two_coordinates,
    elbo_and_gap,
    two_divergences,
    start_number,
    prior_width,
    sine_prior,
    magnitudes,
    shrinkage,
    folding,
    momentum,
    tables,
]
