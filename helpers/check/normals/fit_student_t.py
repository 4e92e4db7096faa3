"""fit_student_t(data, df): location and scale of a Student-t distribution, learned."""

from collections.abc import Callable

import torch

from helpers import data
from helpers.check.kit import runs
from helpers.check.kit.asks import Draws, Given, positive, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.learned import Learned
from helpers.check.normals import analytic
from helpers.check.normals.fit_loc_scale import (
    NO_TRANSFORM,
    as_root,
    runs_away,
    skewed,
    untrained,
    ways,
)

best = analytic.student_t_mle


def _with_outliers(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return lopsided observations of which one in ten is grossly wrong, mostly on one side."""
    x = skewed(u, given, n)
    spread, side = x.std(), u.choice((-1.0, 1.0))
    wrong = max(2, n // 10)
    x[:wrong] = x.mean() + side * spread * u.uniform(wrong, 4, 9)
    x[0] = x.median() - side * spread * 5
    return x


def _readings() -> torch.Tensor:
    x = data.normal("normals: readings", 60, 3.0, 0.5)
    x[::15] += 6.0
    return x


def _scaled(change: Callable[[float], object]) -> Callable[[torch.Tensor, float], object]:
    """Return the best location with a change of the best scale."""

    def gives(x: torch.Tensor, df: float) -> object:
        loc, scale = best(x, df)
        return loc, change(scale)

    return gives


def _number(f: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[float], float]:
    return lambda scale: float(f(torch.tensor(scale, dtype=torch.float64)))


def _either(*changes: Callable[[float], object]) -> Callable[[torch.Tensor, float], AnyOf]:
    return lambda x, df: AnyOf(*[_scaled(change)(x, df) for change in changes])


def _deviation(x: torch.Tensor, df: float) -> object:
    """Return location and standard deviation of the best distribution, which has one for df > 2."""
    if df <= 2:
        raise ValueError("there is none")
    loc, scale = best(x, df)
    return loc, scale * (df / (df - 2)) ** 0.5


def _weights(df: float, z: torch.Tensor) -> torch.Tensor:
    return (df + 1) / (df + z**2)


def _location(x: torch.Tensor, df: float, scale: float) -> torch.Tensor:
    """Return the best location for a scale that is held."""
    loc = x.median()
    for _ in range(100):
        w = _weights(df, (x - loc) / scale)
        loc = (w * x).sum() / w.sum()
    return loc


def _one_round(x: torch.Tensor, df: float) -> AnyOf:
    """Return what comes of weights that are computed once, from mean or median."""
    found = []
    robust = x.median(), (x - x.median()).abs().median()
    for loc, scale in [(x.mean(), x.std(correction=0)), robust]:
        w = _weights(df, (x - loc) / scale)
        middle = (w * x).sum() / w.sum()
        found += [(middle, ((w * (x - middle) ** 2).sum() / d).sqrt()) for d in (w.sum(), len(x))]
    return AnyOf(*found)


Weights = Callable[[float, torch.Tensor], torch.Tensor]


def _at_rest(*ways: Weights, correction: int = 0) -> Callable[[torch.Tensor, float], AnyOf]:
    """Return where other weights, functions of df and z², come to rest."""

    def gives(x: torch.Tensor, df: float) -> AnyOf:
        found = []
        for weights in ways:
            loc, square = x.median(), ((x - x.median()) ** 2).median()
            for _ in range(150):
                w = weights(df, (x - loc) ** 2 / square)
                loc = (w * x).sum() / w.sum()
                square = (w * (x - loc) ** 2).sum() / (len(x) - correction)
            found.append((loc, square.sqrt()))
        return AnyOf(*found)

    return gives


def _losses(loc: torch.Tensor, scale: torch.Tensor, x: torch.Tensor, df: float) -> torch.Tensor:
    return 0.5 * (df + 1) * torch.log1p(((x - loc) / scale) ** 2 / df) + scale.log()


def _by_moments(x: torch.Tensor, df: float) -> AnyOf:
    """Return mean, or median, and the scale whose distribution has the variance of the data."""
    if df <= 2:
        raise ValueError("there is no variance")
    scales = [s * ((df - 2) / df) ** 0.5 for s in (x.std(correction=0), x.std())]
    return AnyOf(*[(middle, scale) for middle in (x.mean(), x.median()) for scale in scales])


TURNS = (
    Turn("scale without transform", NO_TRANSFORM,
         raises=lambda error: "Expected parameter scale" in str(error)),
    Turn("scale without transform", NO_TRANSFORM, _scaled(lambda s: -s)),
    Turn("normal for Student-t", "this is the fit of a normal distribution, which the outliers "
         "pull along: the loss is that of StudentT(df, loc, scale).",
         lambda x, df: AnyOf((x.mean(), x.std(correction=0)), (x.mean(), x.std()))),
    Turn("raw parameter reported", "the second number is raw; transform it as in training.",
         _either(_number(analytic.softplus_inverse), _number(torch.log))),
    Turn("transformed twice", "the scale went through softplus once more after training.",
         _either(_number(analytic.softplus), _number(torch.exp))),
    Turn("method of moments", "this matches the variance, which the gross errors make large: "
         "maximise the likelihood.", _by_moments),
    Turn("standard deviation for scale", "the standard deviation of a Student-t is larger than its "
         "scale; the scale is asked for.", _deviation),
    Turn("variance for standard deviation", "StudentT takes a scale, not its square: mind squares "
         "and roots on the way to it, and in what you return.",
         _either(lambda s: s**2, lambda s: s**0.5)),
    Turn("swapped", "first the location, then the scale.", lambda x, df: best(x, df)[::-1]),
    Turn("scale never trained", "your scale is that of a raw number that never moved: is it "
         "among the parameters that the optimizer was given?",
         lambda x, df: AnyOf(*[(_location(x, df, held), s) for s in untrained()
                               for held in dict.fromkeys((float(s), 1.0))])),
    Turn("location never trained", "your scale makes up for a location that did not move: is it "
         "among the parameters that the optimizer was given?",
         lambda x, df: AnyOf(*[best(x, df, loc) for loc in
                               (0.0, 1.0, -10.0, float(x.mean()), float(x.median()))])),
    Turn("median for fit", "median and median distance are robust too, but not at the top of this "
         "likelihood.",
         lambda x, df: AnyOf(*[(x.median(), k * (x - x.median()).abs().median())
                               for k in (1.0, 1.4826)], (x.median(), x.std(correction=0)))),
    Turn("outliers thrown out", "this is a fit to the data without the far ones; a Student-t keeps "
         "them, and gives them little weight.",
         lambda x, df: AnyOf(*[(y.mean(), y.std(correction=0)) for k in (2, 3) for y in
                               [x[((x - x.mean()) / x.std()).abs() <= k]]])),
    Turn("weights not renewed", "the weights depend on location and scale: compute them anew in "
         "every round, until nothing moves.", _one_round),
    Turn("weights without 1", "the weight of an observation is (df + 1)/(df + z²): the power of "
         "the density is (df + 1)/2.", _at_rest(lambda df, z2: df / (df + z2))),
    Turn("½ forgotten", "the power of the density is (df + 1)/2, not df + 1.",
         _at_rest(lambda df, z2: 2 * (df + 1) / (df + z2))),
    Turn("z² without df", "inside the log stands z²/df.",
         _at_rest(lambda df, z2: (df + 1) / (1 + z2))),
    Turn("df off by one", "the weights are those of df + 1 or df − 1 degrees of freedom.",
         _at_rest(lambda df, z2: (df + 2) / (df + 1 + z2), lambda df, z2: df / (df - 1 + z2))),
    Turn("other weights", "the weight of an observation is (df + 1)/(df + z²), with z squared and "
         "no root.",
         _at_rest(lambda df, z2: (df + 1) / (df + z2.sqrt()),
                  lambda df, z2: ((df + 1) / (df + z2)).sqrt())),
    Turn("n − 1 for n", "the scale with n − 1 is not at the top of the likelihood.",
         _at_rest(lambda df, z2: (df + 1) / (df + z2), correction=1), tolerance=1e-3),
    Turn("two positive functions", "train and return by the same function: what goes through exp "
         "in the loss goes through exp at the end, and so does softplus.", as_root(best),
         tolerance=1e-3),
    *runs.turns(runs.trails(ways(_losses), 600)),
    runs_away(best),
)  # fmt: skip

EXERCISE = Exercise(
    name="fit_student_t",
    arguments=(
        sample("data", _with_outliers, many=(50, 110), alone=False,
               used_instead=_readings),
        positive("df", 2.3, 9, used_instead=lambda: 3.0, edges={
            "two degrees of freedom": 2.0, "ten degrees of freedom": 10.0}),
    ),
    reference=best,
    agree=Learned(
        mean_nll=analytic.student_t_mean_nll,
        near=0.005,
        start=lambda x, df: AnyOf((0.0, 1.0), (0.0, 0.6931), (0.0, 2.1), (float(x.median()), 1.0)),
    ),
    turns=TURNS,
    parts=("location", "scale"),
    typical=2,
    passed="fit_student_t: within a tenth of a standard error of the optimum, three times.",
)  # fmt: skip
fit_student_t = EXERCISE.check
