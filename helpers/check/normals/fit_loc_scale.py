"""fit_loc_scale(data): location and scale of a normal distribution, learned."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch.nn.functional import softplus

from helpers.check.kit import runs
from helpers.check.kit.asks import Draws, Given, sample
from helpers.check.kit.compare import AnyOf, as_tensor
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.learned import Learned
from helpers.check.normal_facts import normal_mle
from helpers.check.normals import analytic

NO_TRANSFORM = (
    "the scale itself took the steps, and they led below zero; train a raw number, and let a "
    "positive function of it be the scale."
)


def skewed(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return n observations, up to 3 away from zero, whose mean and median are apart.

    No scale is much below the learning rates in use: where Adam's steps are several times as long
    as the scale, a run may never come to rest, or be thrown off again after it had, and a right
    loop could fail by chance.
    """
    loc, scale = u.choice((-1.0, 1.0)) * u.real(1.5, 3.0), u.log_real(0.45, 1.9)
    return loc + scale * lopsided(u, n)


def lopsided(u: Draws, n: int) -> torch.Tensor:
    """Return n draws of mean 0 and variance 9/8, with a longer tail to the right."""
    x = u.normal(n)
    return x + 0.25 * (x**2 - 1)


def untrained() -> list[torch.Tensor]:
    """Return the scales that a start at raw 0, 1 or 2 gives, by softplus, exp or no transform."""
    raw = torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64)
    return [*analytic.softplus(raw), *raw.exp(), *raw[1:]]


def _deviation(x: torch.Tensor) -> torch.Tensor:
    return x.std(correction=0)


def _with_mean(x: torch.Tensor, *scales: object) -> AnyOf:
    return AnyOf(*[(x.mean(), scale) for scale in scales])


def _for_fixed(x: torch.Tensor) -> AnyOf:
    """Return the best scale for locations that did not move: scale² = s² + (loc − mean)²."""
    return AnyOf(*[(loc, ((x - loc) ** 2).mean().sqrt()) for loc in (0.0, 1.0, -1.0, 5.0, -10.0)])


def _with_prior(x: torch.Tensor) -> tuple[float, float]:
    """Return the best pair where a standard normal prior of the location is counted once."""
    loc, square = float(x.mean()), float(x.var(correction=0))
    for _ in range(50):
        loc = float(x.sum()) / (len(x) + square)
        square = float(((x - loc) ** 2).mean())
    return loc, square**0.5


def _trimmed(x: torch.Tensor) -> AnyOf:
    """Return mean and deviation without the outermost observations on either side."""
    kept = [x.sort().values[k : len(x) - k] for k in (1, 2, 3, 4, len(x) // 10)]
    return AnyOf(*[(y.mean(), y.std(correction=c)) for y in kept for c in (0, 1)])


def located(raw: torch.Tensor, positive: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """Return location and scale, shape (..., 2), of a location and a raw scale."""
    return torch.stack([raw[..., 0], positive(raw[..., 1])], dim=-1)


def ways(
    loss: Callable[..., torch.Tensor], starts: Sequence[tuple[float, float]] = ((0.0, 0.0),)
) -> list[runs.Way]:
    """Return ways to train location and raw scale: by softplus and by exp.

    Args:
        loss: takes locations and scales, each of shape (rows, 1), and the arguments; the losses of
            all observations, shape (rows, n), or their mean, shape (rows, 1).
        starts: raw parameters to start from.
    """
    found = []
    for start in starts:
        for positive, back in ((softplus, analytic.softplus_inverse), (torch.exp, torch.log)):

            def of(raw: torch.Tensor, *args: Any, positive: Any = positive) -> torch.Tensor:
                return loss(*located(raw, positive).split(1, dim=-1), *args).mean(-1)

            found.append(
                runs.Way(
                    start=lambda *args, start=start: start,
                    loss=of,
                    result=partial(located, positive=positive),
                    raw=partial(located, positive=back),
                )
            )
    return found


def _losses(loc: torch.Tensor, scale: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    spread = x.var(correction=0) + (x.mean() - loc) ** 2
    return scale.log() + spread / (2 * scale**2)


def _too_wide(got: Any, wanted: Any) -> bool:
    """Whether the scale is more than twice as wide as the best one."""
    row = as_tensor(got)
    return row is not None and row.shape == (2,) and bool(row[1] > 2 * float(wanted[1]))


def runs_away(best: Callable[..., Any]) -> Turn:
    """Return the turn of a scale that nothing holds."""
    return Turn(
        "scale runs away",
        "nothing holds the scale: log s belongs to the loss of each "
        "observation, and without it a wider bell always costs less.",
        best,
        alike=_too_wide,
    )


def as_root(best: Callable[..., tuple[Any, Any]]) -> Callable[..., AnyOf]:
    """Return the best pair, its scale read by another function than it was trained by."""

    def gives(*args: Any) -> AnyOf:
        loc, scale = best(*args)
        scale = torch.as_tensor(scale, dtype=torch.float64)
        return AnyOf((loc, softplus(scale.log())), (loc, analytic.softplus_inverse(scale).exp()))

    return gives


TURNS = (
    Turn("scale without transform", NO_TRANSFORM,
         raises=lambda error: "Expected parameter scale" in str(error)),
    Turn("scale without transform", NO_TRANSFORM, lambda x: (x.mean(), -_deviation(x))),
    Turn("n − 1 for n", "the scale with n − 1 is not at the top of the likelihood.",
         lambda x: (x.mean(), x.std()), tolerance=1e-4),
    Turn("raw parameter reported", "the second number is raw; transform it as in training.",
         lambda x: _with_mean(x, analytic.softplus_inverse(_deviation(x)), _deviation(x).log())),
    Turn("transformed twice", "the scale went through softplus once more after training.",
         lambda x: _with_mean(x, analytic.softplus(_deviation(x)), _deviation(x).exp())),
    Turn("variance for standard deviation", "Normal takes a standard deviation; mind squares and "
         "roots on the way to it, and in what you return.",
         lambda x: _with_mean(x, _deviation(x) ** 2, _deviation(x) ** 0.5)),
    Turn("swapped", "first the location, then the scale.", lambda x: (_deviation(x), x.mean())),
    Turn("scale never trained", "your scale is that of a raw number that never moved: is it "
         "among the parameters that the optimizer was given?",
         lambda x: _with_mean(x, *untrained()), tolerance=2e-3),
    Turn("location never trained", "your scale makes up for a location that did not move: is it "
         "among the parameters that the optimizer was given?", _for_fixed),
    Turn("median for mean", "a likelihood of normals is highest at the mean.",
         lambda x: AnyOf(*[(m, s) for m in (x.median(), x.quantile(0.5))
                           for s in (_deviation(x), ((x - m) ** 2).mean().sqrt(),
                                     (x - m).abs().median(), 1.4826 * (x - m).abs().median())])),
    Turn("prior counted", "this is pulled towards zero, as by a prior: the loss is the negative "
         "log-likelihood and nothing else.", _with_prior, tolerance=1e-4),
    Turn("outliers left out", "every observation counts, however far out it lies.", _trimmed,
         tolerance=1e-4),
    Turn("two positive functions", "train and return by the same function: what goes through exp "
         "in the loss goes through exp at the end, and so does softplus.", as_root(normal_mle),
         tolerance=1e-3),
    Turn("absolute for squared", "this minimises absolute distances: the loss is the negative "
         "log-likelihood of a normal.",
         lambda x: AnyOf((x.median(), (x - x.median()).abs().mean()),
                         (x.mean(), (x - x.mean()).abs().mean()))),
    Turn("one after the other", "the scale was trained while the location was still off, and not "
         "again: train both at once.",
         lambda x: _with_mean(x, *[((x - loc) ** 2).mean().sqrt() for loc in (0.0, 1.0, -10.0)])),
    *runs.turns(runs.trails(ways(_losses, ((0.0, 0.0), (-10.0, 2.0))), 600)),
    runs_away(normal_mle),
)  # fmt: skip

EXERCISE = Exercise(
    name="fit_loc_scale",
    arguments=(
        sample(
            "data",
            skewed,
            many=(40, 151),
            edges={"narrow and far to the right": lambda u, given: 3 + 0.45 * lopsided(u, 400)},
        ),
    ),
    reference=normal_mle,
    agree=Learned(
        mean_nll=lambda theta, x: analytic.mean_nll(theta, x),
        start=lambda x: AnyOf((0.0, 1.0), (0.0, 0.6931), (0.0, 2.1), (-10.0, 2.1), (-10.0, 1.0)),
    ),
    turns=TURNS,
    parts=("location", "scale"),
    typical=2,
    passed="fit_loc_scale: within a tenth of a standard error of the optimum, twice.",
)
fit_loc_scale = EXERCISE.check
