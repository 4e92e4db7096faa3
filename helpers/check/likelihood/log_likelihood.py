"""log_likelihood(loc, scale, data): the sum of normal log-densities."""

import math

import torch
from torch.distributions import Normal

from helpers import data
from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Draws, Given, Jointly, positive, real, sample
from helpers.check.kit.compare import AnyOf, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.normal_facts import normal_log_densities


def reference(loc: float, scale: float, x: torch.Tensor) -> float:
    """Return the sum of the log-densities, a single number."""
    return float(normal_log_densities(loc, scale, x).sum())


def _near_loc(u: Draws, given: Given, n: int) -> torch.Tensor:
    return u.normal(n, given["loc"] + 0.5 * given["scale"], given["scale"])


def _far_out(u: Draws, given: Given) -> torch.Tensor:
    x = _near_loc(u, given, 12)
    x[u.whole(0, 11)] = given["loc"] + 45 * given["scale"]
    return x


def _close_together(u: Draws, given: Given) -> Jointly:
    """Return observations close together under a scale as small: densities far above 1.

    They lie near zero, where single precision is fine enough for them.
    """
    loc, scale = u.real(-0.3, 0.3), u.real(0.03, 0.06)
    return Jointly(loc=loc, scale=scale, data=u.normal(9, loc, scale))


def _tiny(u: Draws, given: Given) -> Jointly:
    """Return observations about zero under a scale beside which every epsilon is large."""
    scale = u.log_real(2e-9, 8e-9)
    return Jointly(loc=0.0, scale=scale, data=u.normal(9, 0.0, scale))


def _densities(loc: float, scale: float, x: torch.Tensor) -> torch.Tensor:
    return normal_log_densities(loc, scale, x).exp()


def _in_given_type(loc: float, scale: float, x: torch.Tensor) -> torch.Tensor:
    """Return the densities in the precision of the data."""
    return Normal(loc, scale).log_prob(x).exp()


def _without_factors(loc: float, scale: float, x: torch.Tensor) -> AnyOf:
    """Return what comes without √2π, σ or both in front, for all observations or all but one."""
    factors = (math.sqrt(2 * math.pi), scale, scale * math.sqrt(2 * math.pi))
    return AnyOf(*[reference(loc, scale, x) + times * math.log(factor)
                   for factor in factors for times in (len(x), len(x) - 1)])  # fmt: skip


def _with_other_factors(loc: float, scale: float, x: torch.Tensor) -> AnyOf:
    """Return what comes with π, 4π or 2π outside the root, and with √σ, σ² or 1/σ beside it."""
    by_pi = (0.5 * math.log(2), -0.5 * math.log(2), -0.5 * math.log(2 * math.pi), math.log(math.pi))
    by_scale = [k * math.log(scale) for k in (0.5, 2.0)]
    twice = -math.log(scale * math.sqrt(2 * math.pi))  # log(2πσ²) without its ½
    return AnyOf(*[reference(loc, scale, x) + len(x) * term
                   for term in (*by_pi, *by_scale, twice)])  # fmt: skip


def _loss_of_sheet_1(loc: float, scale: float, x: torch.Tensor) -> AnyOf:
    """Return the mean loss of Normal(loc, scale) and of Normal(loc, 1)."""
    return AnyOf(*[-reference(loc, s, x) / len(x) for s in (scale, 1.0)])


def _by_formula(loc: float, scale: float, x: torch.Tensor, n: float) -> torch.Tensor:
    """Return the log-likelihood with another number in the place of n; NaN for a negative scale."""
    constant = torch.log(torch.tensor(scale * math.sqrt(2 * math.pi), dtype=torch.float64))
    return -n * constant - 0.5 * (((x - loc) / scale) ** 2).sum()


def _raised(loc: float, scale: float, x: torch.Tensor) -> AnyOf:
    """Return what comes of log-densities that are clamped, or of densities with a bit added."""
    logs, tiny = normal_log_densities(loc, scale, x), [10.0**-k for k in range(3, 46)]
    lowest = [-5, -8, -15, -20, -25, -30, -50, -100, -500, -1000, *[math.log(t) for t in tiny]]
    return AnyOf(*[logs.clamp(min=low).sum() for low in (-10, *lowest)],
                 *[(logs.exp() + t).log().sum() for t in tiny])  # fmt: skip


def _kept_from_zero(loc: float, scale: float, x: torch.Tensor) -> AnyOf:
    """Return what comes of a scale or a variance that is clamped, or has a bit added."""
    variances = [10.0**-k for k in range(2, 17)]
    kept = [math.sqrt(v) for eps in variances for v in (max(scale**2, eps), scale**2 + eps)]
    kept += [max(scale, 10.0**-k) for k in range(2, 9)] + [scale + 10.0**-k for k in range(2, 11)]
    return AnyOf(*[reference(loc, each, x) for each in kept])


def _without_outliers(loc: float, scale: float, x: torch.Tensor) -> AnyOf:
    z = ((x - loc) / scale).abs()
    return AnyOf(*[reference(loc, scale, x[z <= k]) for k in (2, 3, 4, 5, 6, 10)])


TURNS = (
    Turn("sign", "you return the loss; the log-likelihood is minus that sum.",
         lambda loc, scale, x: -reference(loc, scale, x)),
    Turn("mean for sum", "the log of a product is a sum: add the log-densities up.",
         lambda loc, scale, x: reference(loc, scale, x) / len(x)),
    Turn("loss of sheet 1", "this is the mean loss of sheet 1; add the log-densities themselves.",
         _loss_of_sheet_1),
    Turn("scale taken as variance", "scale is the standard deviation σ: square it in the formula, "
         "and take no root of it.",
         lambda loc, scale, x: AnyOf(
             reference(loc, math.sqrt(scale), x),
             (-((x - loc) ** 2) / (2 * scale)).sum()
             - len(x) * math.log(scale * math.sqrt(2 * math.pi)))),
    Turn("variance for standard deviation",
         "torch.distributions.Normal takes the standard deviation; you handed it the square.",
         lambda loc, scale, x: reference(loc, scale**2, x)),
    Turn("log base 2", "log means the natural logarithm; torch.log2 counts in another unit.",
         lambda loc, scale, x: reference(loc, scale, x) / math.log(2)),
    Turn("log base 10", "log means the natural logarithm; torch.log10 counts in another unit.",
         lambda loc, scale, x: reference(loc, scale, x) / math.log(10)),
    Turn("log forgotten", "you add or multiply the densities themselves; take their logs first.",
         lambda *given: [f(_densities(*given)) for f in (torch.prod, torch.sum, torch.mean)],
         alike=lambda got, wrong: any(same(got, w, 1e-3) for w in wrong)),
    Turn("log of a zero", "far out a density is zero before its log is taken: take the logarithm "
         "of the formula, not of its value.", lambda *given: _densities(*given).log().sum(),
         raises=lambda error: "math domain" in str(error)),
    Turn("log of the product", "the product of so many densities is zero before its log is taken: "
         "add logs.", lambda *given: AnyOf(*[d.prod().log() for d in (
             _densities(*given), _densities(*given).float(), _in_given_type(*given))])),
    Turn("log of the sum", "take the log of each density first, and add afterwards.",
         lambda *given: AnyOf(_densities(*given).sum().log(), _densities(*given).mean().log()),
         tolerance=1e-4),  # near zero where the sum is near 1
    Turn("constant dropped",
         "a factor in front of the exponential is missing; its log belongs to each observation.",
         _without_factors),
    Turn("log σ twice", "σ² stands under a root: log σ² counts log σ twice without its ½.",
         lambda loc, scale, x: reference(loc, scale, x) - len(x) * math.log(scale)),
    Turn("constant off", "the factor in front is 1/(σ√(2π)), with 2π under the root and σ beside "
         "it; its log is −log σ − ½ log 2π for each observation.", _with_other_factors),
    Turn("minus in front", "a log-likelihood may be positive: no sign is to be set by hand.",
         lambda loc, scale, x: AnyOf(-abs(reference(loc, scale, x)),
                                     min(0.0, reference(loc, scale, x)),
                                     -normal_log_densities(loc, scale, x).abs().sum())),
    Turn("probability for density", "this is the log of a probability up to each observation; the "
         "likelihood takes densities.", lambda loc, scale, x: AnyOf(
             Normal(loc, scale).cdf(x.double()).log().sum(),
             (1 - Normal(loc, scale).cdf(x.double())).log().sum())),
    Turn("sum replaced", "the log of a product is the sum of the logs, all of them.",
         lambda loc, scale, x: AnyOf(
             *[f(normal_log_densities(loc, scale, x))
               for f in (torch.prod, torch.max, torch.min, torch.median)],
             normal_log_densities(loc, scale, x).exp().log1p().sum())),
    Turn("½ forgotten", "the square has a factor ½ in the exponent.",
         lambda loc, scale, x: reference(loc, scale, x) - float((((x - loc) / scale) ** 2).sum())
         / 2),
    Turn("square forgotten", "the distance from loc, in units of scale, is squared.",
         lambda loc, scale, x: AnyOf(
             (-0.5 * ((x - loc) / scale).abs()).sum()
             - len(x) * math.log(scale * math.sqrt(2 * math.pi)),
             -((x - loc) / scale).abs().sum() - len(x) * math.log(2 * scale))),
    Turn("not summed", "this is one log-density for each observation; add them up.",
         normal_log_densities),
    Turn("loc and scale exchanged", "Normal takes the location first, then the scale.",
         lambda loc, scale, x: AnyOf(_by_formula(scale, loc, x, len(x)),
                                     reference(scale, abs(loc), x)),
         raises=lambda error: isinstance(error, ValueError)),
    Turn("a number for n", "the constant belongs to every observation, and there need not be 40.",
         lambda loc, scale, x: AnyOf(_by_formula(loc, scale, x, 40),
                                     _by_formula(loc, scale, x, len(x) - 1))),
    Turn("small densities raised", "a density far out counts as it is, however small: no clamp and "
         "no epsilon; log_prob needs neither.", _raised),
    Turn("scale kept from zero", "a scale is as small as it is: clamp nothing and add nothing; "
         "gaussian_nll_loss does it unasked, by its eps.", _kept_from_zero),
    Turn("outliers left out", "every observation counts, however far out it lies.",
         _without_outliers),
    Turn("best location for loc", "loc is an argument: evaluate there, not at the mean of data.",
         lambda loc, scale, x: reference(float(x.mean()), scale, x)),
)  # fmt: skip


def by_hand(loc: float, scale: float, data: torch.Tensor) -> torch.Tensor:
    """Return the sum of the formula's terms."""
    z = (data - loc) / scale
    return (-0.5 * z**2 - math.log(scale) - 0.5 * math.log(2 * math.pi)).sum()


def gathered(loc: float, scale: float, data: torch.Tensor) -> torch.Tensor:
    """Return the terms that do not depend on the observations n times, and the squares."""
    n = len(data)
    constant = -n * math.log(scale * math.sqrt(2 * math.pi))
    return constant - ((data - loc) ** 2).sum() / (2 * scale**2)


def by_library(loc: float, scale: float, data: torch.Tensor) -> torch.Tensor:
    """Return the sum that torch.distributions gives."""
    return Normal(loc, scale).log_prob(data).sum()


EXERCISE = Exercise(
    name="log_likelihood",
    arguments=(
        real("loc", -8, 20),
        positive("scale", 0.6, 4, edges={"a positive log-likelihood": _close_together,
                                          "a tiny scale": _tiny}),
        sample("data", _near_loc, many=(5, 41, 200), sizes=(1,), ties=True, dtypes=(torch.float32,),
               edges={"one observation far out": _far_out,
                      "nine hundred observations": lambda u, given: _near_loc(u, given, 900)},
               used_instead=lambda: data.normal("likelihood: seedlings", 40, 12.0, 2.0)),
    ),
    reference=reference,
    # loc and scale are floats, which torch.distributions takes in single precision.
    agree=Close(single=True),
    turns=TURNS,
    worked=(by_hand, gathered, by_library),
    passed="log_likelihood: the sum of the log-densities, on samples of 1 to 200.",
)  # fmt: skip
log_likelihood = EXERCISE.check
