"""standard_errors_left(loc, scale, data): the root of the deviance of a normal distribution."""

from typing import Any

import torch
from torch.distributions import Normal

from helpers import data
from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Argument, Draws, Given, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.normal_facts import normal_mle
from helpers.check.normals import analytic
from helpers.check.normals.fit_loc_scale import lopsided

DOUBLE = torch.float64
# The parameters are far from the best ones, so that little is lost in a difference, and the samples
# small, so that n − 1 cannot hide.


def _loc(u: Draws, given: Given) -> torch.Tensor:
    return torch.tensor(u.choice((-1.0, 1.0)) * u.real(1, 5), dtype=DOUBLE)


def _scale(u: Draws, given: Given) -> torch.Tensor:
    return torch.tensor(u.log_real(0.6, 2.5), dtype=DOUBLE)


def _data(u: Draws, given: Given, n: int) -> torch.Tensor:
    loc, scale = given["loc"], given["scale"]
    off, wide = u.choice((-1.0, 1.0)) * u.real(1.2, 2.2), u.choice((u.real(0.4, 0.6), u.real(2, 3)))
    return loc + scale * (off + wide * lopsided(u, n))


def excess(loc: Any, scale: Any, x: torch.Tensor, best: Any) -> torch.Tensor:
    """Return the summed loss of Normal(loc, scale) less that of another pair."""
    pairs = [torch.stack([torch.as_tensor(v, dtype=DOUBLE) for v in pair])
             for pair in ((loc, scale), best)]  # fmt: skip
    return len(x) * (analytic.mean_nll(pairs[0], x) - analytic.mean_nll(pairs[1], x))


def _right(loc: Any, scale: Any, x: torch.Tensor) -> torch.Tensor:
    return excess(loc, scale, x, normal_mle(x))


def _from(loc: Any, scale: Any, x: torch.Tensor, *best: Any) -> AnyOf:
    """Return the root of the deviance from other pairs than the best."""
    return AnyOf(*[root for pair in best for two in [2 * excess(loc, scale, x, pair)]
                   for root in (two.sqrt(), two.abs().sqrt())])  # fmt: skip


def _both(loc: torch.Tensor, scale: torch.Tensor, x: torch.Tensor) -> AnyOf:
    """Return the distance of both parameters by the curvatures at the top."""
    m, s = (torch.tensor(v, dtype=DOUBLE) for v in normal_mle(x))
    found = []
    for w in (scale, s):
        one, other = ((loc - m) / w).abs(), 2**0.5 * ((scale - s) / w).abs()
        found += [len(x) ** 0.5 * way for way in ((one**2 + other**2).sqrt(), one + other)]
    return AnyOf(*found)


def _squares(loc: Any, scale: Any, x: torch.Tensor) -> torch.Tensor:
    return (((x - loc) / scale) ** 2).sum()


def _root(two: int, loc: Any, scale: Any, x: torch.Tensor) -> torch.Tensor:
    pair = torch.stack([torch.as_tensor(v, dtype=DOUBLE) for v in (loc, scale)])
    return (two * len(x) * analytic.mean_nll(pair, x)).abs().sqrt()


def worked(loc, scale, data):  # type: ignore[no-untyped-def]
    """Return the root of the deviance as a student would write it."""
    learned = -Normal(loc, scale).log_prob(data).sum()
    best = -Normal(data.mean(), data.std(correction=0)).log_prob(data).sum()
    return (2 * (learned - best)).sqrt()


TURNS = (
    Turn("n − 1 for n", "data.std() divides by n − 1, and the likelihood is not highest there.",
         lambda loc, scale, x: _from(loc, scale, x, (x.mean(), x.std()))),
    Turn("root forgotten", "this is the deviance, in squared standard errors; take its root.",
         lambda *given: 2 * _right(*given)),
    Turn("factor 2 forgotten", "the deviance is twice the difference of the summed losses.",
         lambda *given: AnyOf(_right(*given).sqrt(), _right(*given))),
    Turn("mean for sum", "the deviance is a difference of sums over the data; n is missing.",
         lambda loc, scale, x: AnyOf(*[(k * _right(loc, scale, x) / len(x)).sqrt()
                                       for k in (1, 2)])),
    Turn("sign", "this is the root of a negative number: look at the order of the subtraction.",
         lambda *given: AnyOf((-2 * _right(*given)).sqrt(), torch.zeros((), dtype=DOUBLE))),
    Turn("variance for standard deviation", "Normal takes the standard deviation, not its square.",
         lambda loc, scale, x: AnyOf(
             *_from(loc, scale, x, (x.mean(), x.var(correction=0)), (x.mean(), x.var())).values,
             (2 * _right(loc, scale**2, x)).sqrt(), (2 * _right(loc, scale**0.5, x)).sqrt(),
             *_from(loc, scale**2, x, (x.mean(), x.var(correction=0)), (x.mean(), x.var())).values,
             *_from(loc, scale**0.5, x, (x.mean(), _around(x.mean(), x)**0.5)).values)),
    Turn("truth for optimum", "a true or standard normal, or that of the sheet's data, is not the "
         "one that fits these data best.",
         lambda loc, scale, x: _from(
             loc, scale, x, (0.0, 1.0), (x.mean(), 1.0), (0.0, x.std(correction=0)),
             normal_mle(data.normals_sample()))),
    Turn("the sheet's loss", "the summed loss of the sheet knows the ten thousand alone: take the "
         "density of the data that you are given.",
         lambda loc, scale, x: _from(loc, scale, data.normals_sample(), normal_mle(x),
                                     (x.mean(), x.std()))),
    Turn("log of scale forgotten", "the loss of an observation holds log σ besides its squared "
         "distance.",
         lambda loc, scale, x: AnyOf(*[(k * (_squares(loc, scale, x) - len(x))).abs().sqrt()
                                       for k in (0.5, 1, 2)])),
    Turn("standard error for scale", "σ is how far single observations scatter; the standard error "
         "is that of their mean, √n times smaller.",
         lambda loc, scale, x: _from(loc, scale, x, *[
             (x.mean(), x.std(correction=c) / len(x) ** 0.5) for c in (0, 1)])),
    Turn("difference of roots", "take the difference of the losses first, the root after it.",
         lambda loc, scale, x: AnyOf(*[
             (_root(two, loc, scale, x) - _root(two, *normal_mle(x), x)).abs() for two in (1, 2)])),
    Turn("given parameter kept", "the best pair is that of the data alone: neither its location "
         "nor its scale is the one that is handed over.",
         lambda loc, scale, x: _from(
             loc, scale, x, (loc, x.std(correction=0)),
             (x.mean(), _around(loc, x)), (loc, _around(loc, x)))),
    Turn("median for mean", "a likelihood of normals is highest at the mean.",
         lambda loc, scale, x: _from(loc, scale, x, *[(m, s) for m in (x.median(), x.quantile(0.5))
                                                      for s in (x.std(correction=0),
                                                                _around(m, x))])),
    Turn("location only", "you measure the location in standard errors of the mean; the scale "
         "can be off as well.",
         lambda loc, scale, x: AnyOf(*[(loc - x.mean()).abs() / s * len(x) ** 0.5
                                       for s in (scale, x.std(correction=0), x.std())])),
    Turn("curvature at the top", "near the best pair the deviance is that of a parabola; far away "
         "it is not: take the difference of the losses themselves.", _both),
)  # fmt: skip


def _around(centre: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return ((x - centre) ** 2).mean().sqrt()


EXERCISE = Exercise(
    name="standard_errors_left",
    arguments=(
        Argument("loc", _loc, edges={"far away": lambda u, given: given["loc"] + 300}),
        Argument("scale", _scale, edges={
            "far too narrow": lambda u, given: 0.02 * given["scale"],
            "far too wide": lambda u, given: 50 * given["scale"]}),
        sample("data", _data, many=(5, 14, 9), sizes=(2,), ties=True,
               used_instead=data.normals_sample,
               edges={"ten thousand observations": lambda u, given: _data(u, given, 10000)}),
    ),
    reference=lambda loc, scale, x: analytic.standard_errors_left(float(loc), float(scale), x),
    # loc and scale may go through Python floats, which torch takes in single precision.
    agree=Close(single=True),
    turns=TURNS,
    worked=(worked,),
    passed="standard_errors_left: the root of the deviance, of good and of bad pairs.",
)  # fmt: skip
standard_errors_left = EXERCISE.check
