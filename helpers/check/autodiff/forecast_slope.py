"""forecast_slope(weight, data): the slope of a loss that is computed in a loop."""

import itertools
from collections.abc import Callable
from functools import partial

import torch

from helpers import data
from helpers.check.autodiff import analytic
from helpers.check.autodiff.analytic import forecasts
from helpers.check.autodiff.functions import (
    DETACHED,
    GRAPH_USED_TWICE,
    NEVER_FILLED,
    SCALAR_ONLY,
    by_autograd,
    inexact,
)
from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Draws, Given, real, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

# Exact to rounding: ten thousand times below what single precision leaves.
EXACT = 1e-10


def _data(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return observations whose loss has a slope that is clear of zero.

    They rise steadily, so that a larger weight is better, or scatter, so that a smaller one is.
    """
    while True:
        rise, scatter = u.choice(((0.7, 0.3), (0.0, 1.5)))
        x = u.real(-5, 20) + rise * torch.arange(n) + u.normal(n, 0.0, scatter)
        errors, moves = forecasts(given["weight"], x)
        if float((errors * moves).mean().abs()) > 0.2 * float((errors * moves).abs().mean()):
            return x


def _loss(weight: float, x: torch.Tensor) -> float:
    return float((forecasts(weight, x)[0] ** 2).mean() / 2)


def _latest_path(weight: float, x: torch.Tensor) -> AnyOf:
    """Return what comes where the forecast is detached in each round, before or after its use."""
    errors, _ = forecasts(weight, x)
    latest = torch.cat([torch.zeros(1), errors[:-1]])
    return AnyOf(-(errors * latest).mean())


def _from(first: float, weight: float, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return errors and slopes where the forecast for the first observation is a number."""
    return forecasts(weight, torch.cat([torch.full((1,), first, dtype=torch.float64), x.double()]))


def _other_starts(weight: float, x: torch.Tensor) -> AnyOf:
    """Return the slope where the first forecast is zero, the mean or x₂, for x₁ or for x₂."""
    errors, moves = _from(float(x[1]), weight, x[1:])
    found = [-(errors * moves).mean()]
    for first in (0.0, float(x.mean())):
        for seen in (x, x[1:]):
            errors, moves = _from(first, weight, seen)
            found.append(-(errors * moves).mean())
    return AnyOf(*found)


def _peeking(weight: float, x: torch.Tensor) -> AnyOf:
    """Return the slope where the forecast is compared after it has seen the observation."""
    errors, moves = forecasts(weight, x)
    after = (1 - weight) * moves + errors  # the slope of the forecast moved by its own error
    return AnyOf(-((1 - weight) * errors * after).mean(),
                 -((1 - weight) * errors * after).sum() / len(x))  # fmt: skip


def _without_first(weight: float, x: torch.Tensor) -> AnyOf:
    """Return the slope without the error of x₂, whether x₂ moves the forecast or not."""
    errors, moves = forecasts(weight, x)
    later = forecasts(weight, torch.cat([x[:1], x[2:]]))
    return AnyOf(-(errors * moves)[1:].mean(), -(later[0] * later[1]).mean())


def _without_last(weight: float, x: torch.Tensor) -> AnyOf:
    errors, moves = forecasts(weight, x)
    kept = -(errors * moves)[:-1]
    return AnyOf(kept.sum() / len(errors), kept.sum() / len(x))


def _running_totals(weight: float, x: torch.Tensor) -> AnyOf:
    """Return what comes of a growing total that is sent back in each round, or of its mean."""
    errors, moves = forecasts(weight, x)
    totals = -(errors * moves).cumsum(0)
    rounds = torch.arange(1, len(errors) + 1)
    return AnyOf(totals.mean(), totals.sum(), (totals / rounds).sum(), (totals / rounds).mean())


def _other_losses(weight: float, x: torch.Tensor) -> AnyOf:
    """Return the slopes of the root of the mean square, a variance, absolute and plain errors."""
    e, m = forecasts(weight, x)
    root = (e**2).mean().sqrt()
    varied = (e * (m - m.mean())).sum()
    return AnyOf(-(e * m).mean() / root, -m.mean(), -m.sum(),
                 *[-c * of(e.sign() * m) for c in (0.5, 1) for of in (torch.mean, torch.sum)],
                 *[-c * varied / d for c in (1, 2) for d in (len(e), len(e) - 1)],
                 -(e * m).mean() * 2 * (e**2).mean(),
                 *[-c * (e**power * m).mean() for power in (0, 2, 3, -3)
                   for c in (0.5, 1, 1.5, 2, -1)],
                 ((2 * x[1:] - e) * m).mean())  # fmt: skip


def _other_moves(weight: float, x: torch.Tensor) -> AnyOf:
    """Return the slopes of forecasts that move in another way."""
    moves: tuple[Callable[..., torch.Tensor], ...] = (
        lambda w, m, new, old: m + w * (new - m.detach()),
        lambda w, m, new, old: m.detach() + w * (new - m),
        lambda w, m, new, old: m + w * (new - old),
        lambda w, m, new, old: m + w**2 * (new - m),
        lambda w, m, new, old: m + w * new,
        lambda w, m, new, old: w * new,
        lambda w, m, new, old: w * (new - m),
        lambda w, m, new, old: m + w * (new + m),
        lambda w, m, new, old: m + w / (new - m),
        lambda w, m, new, old: m + (new - m) / w,
        lambda w, m, new, old: m * w * (new - m),
        lambda w, m, new, old: m + w + new - m,
        lambda w, m, new, old: (1 + w) * m + w * new,
        lambda w, m, new, old: (1 - w) * m - w * new,
        lambda w, m, new, old: (1 - w) * m + new,
        lambda w, m, new, old: (1 - w) + m + w * new,
        lambda w, m, new, old: (1 - w) * m,
        lambda w, m, new, old: w * new + (1 - w) * old,
        lambda w, m, new, old: m + w * (new - x.mean()),
    )
    return AnyOf(*[by_autograd(partial(_looped, move, x.double()), weight)[0] for move in moves])


def _looped(
    move: Callable[..., torch.Tensor], x: torch.Tensor, weight: torch.Tensor
) -> torch.Tensor:
    forecast, total = x[0], 0 * weight
    for old, new in itertools.pairwise(x):
        total = total + 0.5 * (new - forecast) ** 2
        forecast = move(weight, forecast, new, old)
    return total / (len(x) - 1)


TURNS = (
    Turn("only the latest path",
         "the weight enters every round; a detach(), item() or float() inside the loop keeps the "
         "last one and drops the paths through earlier forecasts.", _latest_path),
    Turn("sum for mean", "the loss is the mean over the n − 1 forecasts.",
         lambda w, x: analytic.forecast_slope(w, x) * (len(x) - 1)),
    Turn("n for n − 1", "there are n − 1 forecasts, of x₂ to xₙ: the first value is not forecast.",
         lambda w, x: analytic.forecast_slope(w, x) * (len(x) - 1) / len(x)),
    Turn("another number of forecasts", "there are n − 1 forecasts, of x₂ to xₙ.",
         lambda w, x: AnyOf(*[analytic.forecast_slope(w, x) * (len(x) - 1) / (len(x) - lost)
                              for lost in (-1, 0.5)])),
    Turn("½ forgotten", "the loss holds half of each square; or did backward() run twice?",
         lambda w, x: 2 * analytic.forecast_slope(w, x)),
    Turn("last forecast only", "all n − 1 errors count, not the last one alone.",
         lambda w, x: AnyOf(*[-(e * m)[-1] / d for e, m in [forecasts(w, x)]
                              for d in (1, len(e))])),
    Turn("another first forecast", "the first forecast is the first observation, and it is for the "
         "second.", _other_starts),
    Turn("first error left out", "the first forecast is for x₂, and its error counts too.",
         _without_first),
    Turn("last error left out", "the last reading is forecast too, and its error counts.",
         _without_last),
    Turn("running total sent back", "go back once, from the loss in the end: a total in each round "
         "sends the earlier errors back again.", _running_totals),
    Turn("another way to move", "the whole old forecast stays, and a share of its error is added.",
         _other_moves),
    Turn("another loss", "the loss is the mean of half the squared errors: no root, no "
         "variance, no absolute value.", _other_losses),
    Turn("step taken", "the slope is asked, not the weight after a step along it.",
         lambda w, x: AnyOf(*[w + s * r * analytic.forecast_slope(w, x)
                              for r in (1, 0.5, 0.1, 0.01, 0.001) for s in (-1, 1)])),
    Turn("forecast that has seen it", "compare each observation with the forecast made before it, "
         "then move the forecast.", _peeking),
    Turn("weight on the wrong side", "the weight belongs to the new error; 1 − weight to the old "
         "forecast.", lambda w, x: -analytic.forecast_slope(1 - w, x)),
    Turn("error with the wrong sign", "the forecast moves towards the observation.",
         lambda w, x: -analytic.forecast_slope(-w, x)),
    Turn("sign", "the slope has the opposite sign: is it that of the log-likelihood?",
         lambda w, x: -analytic.forecast_slope(w, x)),
    Turn("value returned", "this is the loss; its slope is what .grad holds.", _loss),
    Turn("slope of the forecast", "this is how the last forecast moves; the loss is asked.",
         lambda w, x: AnyOf(*[v for e, m in [forecasts(w, x)]
                              for v in (m[-1], (1 - w) * m[-1] + e[-1])])),
    DETACHED,
    GRAPH_USED_TWICE,
    NEVER_FILLED,
    SCALAR_ONLY,
    *inexact(analytic.forecast_slope),
)  # fmt: skip


def _level(u: Draws, given: Given) -> torch.Tensor:
    return 400 + _data(u, given, 50)


EXERCISE = Exercise(
    name="forecast_slope",
    arguments=(
        real("weight", 0.1, 0.9, edges={"weight 0": 0.0, "weight 1": 1.0}),
        sample("data", _data, many=(8, 30, 14), sizes=(3,), ties=True, dtypes=(torch.float32,),
               edges={"far from zero": _level},
               used_instead=lambda: data.river()),
    ),
    reference=analytic.forecast_slope,
    agree=Close(rtol=EXACT),
    double=True,
    turns=TURNS,
    passed="forecast_slope: all paths of the weight, on 3 to 50 observations.",
)  # fmt: skip
forecast_slope = EXERCISE.check
