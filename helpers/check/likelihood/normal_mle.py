"""normal_mle(data): the maximum-likelihood estimates of a normal distribution."""

import math

import torch

from helpers import data
from helpers.check import normal_facts
from helpers.check.kit.agree import Fitting
from helpers.check.kit.asks import Draws, Given, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise


def skewed(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return n observations, one of them far out, so that mean and median are never alike.

    The scale is no smaller than a sixth of the mean: in single precision the mean of squares less
    the square of the mean has no digits left otherwise, and it is a right formula.
    """
    loc = u.real(-5, 15)
    scale = max(u.log_real(0.3, 3), abs(loc) / 6)
    x = u.normal(n, loc, scale)
    if n > 2:
        x[u.whole(0, n - 1)] = loc + 4 * scale
    return x


def _with_mean(*scales: object) -> AnyOf:
    mean, *rest = scales
    return AnyOf(*[(mean, scale) for scale in rest])


def _medians(x: torch.Tensor) -> list[torch.Tensor]:
    """Return torch's lower median and the usual one."""
    return [x.median(), x.quantile(0.5)]


def by_squares(data: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mean, and the root of the mean squared distance from it."""
    loc = data.sum() / len(data)
    scale = (((data - loc) ** 2).sum() / len(data)).sqrt()
    return loc, scale


def by_moments(data: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mean, and the root of the mean square less the square of the mean."""
    loc = data.mean()
    return loc, ((data**2).mean() - loc**2) ** 0.5


def _on_a_grid(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the best point of section 6's grid, but for the grid's own steps."""
    loc = x.mean().clamp(9, 15)
    return loc, ((x - loc) ** 2).mean().sqrt().clamp(0.8, 5)


def _a_step_apart(got: object, wrong: tuple[torch.Tensor, torch.Tensor]) -> bool:
    """Whether two numbers are within a step of section 6's grid of two others."""
    if not isinstance(got, list | tuple) or len(got) != 2:
        return False
    return all(abs(float(torch.as_tensor(g)) - float(w)) < 0.11
               for g, w in zip(got, wrong, strict=True))  # fmt: skip


def _falls_short(got: object, args: tuple[torch.Tensor, ...]) -> bool:
    """Whether a location lies between zero and the mean."""
    mean = args[0].double().mean()
    return isinstance(got, list | tuple) and len(got) == 2 and bool(
        0 < float(torch.as_tensor(got[0])) / float(mean) < 0.999
    )  # fmt: skip


TURNS = (
    Turn("n − 1 for n",
         "the score in σ is zero at 1/n; torch's std divides by n − 1 unless you say "
         "correction=0.",
         lambda x: (x.mean(), x.std())),
    Turn("n − 2 for n", "the score in σ is zero at 1/n: nothing is taken off for estimates.",
         lambda x: (x.mean(), (((x - x.mean()) ** 2).sum() / (len(x) - 2)).sqrt())),
    Turn("variance for standard deviation", "this is the variance σ²; the scale is its root.",
         lambda x: _with_mean(x.mean(), x.var(correction=0), x.var())),
    Turn("swapped", "first the location, then the scale.",
         lambda x: AnyOf((x.std(correction=0), x.mean()), (x.std(), x.mean()))),
    Turn("not centred", "subtract the estimated mean before you square.",
         lambda x: (x.mean(), (x**2).mean().sqrt())),
    Turn("median for mean", "the score in μ is a sum of distances; it is zero at the mean.",
         lambda x: AnyOf(*[(m, s) for m in _medians(x) for c in (m, x.mean())
                           for s in (((x - c) ** 2).mean().sqrt(), x.std())])),
    Turn("middle of the range", "the score in μ is a sum over all observations, not two of them.",
         lambda x: AnyOf(*[(m, s) for m in ((x.min() + x.max()) / 2,)
                           for s in (((x - m) ** 2).mean().sqrt(), x.std(correction=0))])),
    Turn("extremes left out", "every observation counts, the smallest and the largest too.",
         lambda x: (x.sort().values[1:-1].mean(), x.sort().values[1:-1].std(correction=0))),
    Turn("one observation for all", "the mean of all observations is asked, not one of them.",
         lambda x: AnyOf(*[(c, s) for c in (x[0], x[-1], x.min(), x.max())
                           for s in (((x - c) ** 2).mean().sqrt(), x.std(correction=0))])),
    Turn("the sheet's truth", "12 and 2 made the seedlings; estimate from the data that the "
         "function is given.",
         lambda x: AnyOf((12.0, ((x - 12) ** 2).mean().sqrt()), (12.0, x.std(correction=0)),
                         (x.mean(), 2.0), (12.0, 2.0),
                         (x.mean(), ((x - 12) ** 2).mean().sqrt()))),
    Turn("a number for n", "there need not be forty observations: divide by their number.",
         lambda x: AnyOf(*[(m, ((x - m) ** 2).sum().div(40).sqrt())
                           for m in (x.sum() / 40, x.mean())])),
    Turn("absolute for squared", "square the distances from the mean, then take the root.",
         lambda x: (x.mean(), (x - x.mean()).abs().mean())),
    Turn("standard error", "this is the error of the mean; σ is the spread of the data themselves.",
         lambda x: _with_mean(x.mean(), *[x.std(correction=c) / math.sqrt(len(x))
                                          for c in (0, 1)])),
    Turn("sum for mean", "divide the sum by n, before you take the root.",
         lambda x: AnyOf((x.mean(), ((x - x.mean()) ** 2).sum().sqrt()),
                         (x.sum(), x.std(correction=0)))),
    Turn("quartiles for squares", "the score in σ is a sum of squares over all observations.",
         lambda x: _with_mean(x.mean(), *[(x.quantile(0.75) - x.quantile(0.25)) / d
                                          for d in (1.35, 1.349, 1.34, 1.3489795, 1, 2)])),
    Turn("power of the root", "σ² is the mean square, so σ is its square root, not another one.",
         lambda x: _with_mean(x.mean(), *[x.std(correction=0) ** p for p in (2 / 3, 1.5, 0.5)])),
    Turn("read off a grid", "this is the best point of a grid around the seedlings: solve the "
         "score, which is right for any data.", _on_a_grid, alike=_a_step_apart),
)  # fmt: skip

EXERCISE = Exercise(
    name="normal_mle",
    arguments=(
        sample("data", skewed, many=(5, 31, 101), sizes=(2,), ties=True, dtypes=(torch.float32,),
               edges={
                   "hundreds of units far from zero": lambda u, given: u.normal(60, 3000.0, 300.0),
                   "negative observations": lambda u, given: u.normal(30, -40.0, 4.0),
                   "a tiny spread": lambda u, given: u.normal(20, 0.0, 1e-4),
               },
               used_instead=lambda: data.normal("likelihood: seedlings", 40, 12.0, 2.0)),
    ),
    reference=normal_facts.normal_mle,
    agree=Fitting(fits=(("location falls short", "the location lies between zero and the mean: are "
                         "steps from zero still on their way, or is the sum divided by too much?",
                         _falls_short),)),
    turns=TURNS,
    worked=(by_squares, by_moments),
    parts=("location", "scale"),
    passed="normal_mle: mean and 1/n standard deviation, of any sample.",
)  # fmt: skip
normal_mle = EXERCISE.check
