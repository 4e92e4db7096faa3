"""log_posterior(theta, data, scale, m, tau): of a normal mean with a normal prior.

Only differences between thetas are compared, so that the evidence may be in it or not.
"""

import math
from collections.abc import Callable

import torch

from helpers import data
from helpers.check.kit.agree import UpToConstant
from helpers.check.kit.asks import Argument, Draws, Given, positive, real
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.map import analytic

Tensor = torch.Tensor
reference = analytic.log_joint
Parts = Callable[[Tensor, Tensor, float, float, float, Tensor], Tensor | AnyOf]


def _theta(u: Draws, given: Given, k: int) -> Tensor:
    """Return k places, in no order: no number of places is a number of observations."""
    return u.uniform(k, -6.0, 9.0)


def data_about(u: Draws, given: Given, n: int) -> Tensor:
    """Return n lopsided observations, about 2 to 5 away from zero, on either side of it."""
    z = u.normal(n)
    return u.choice((-1.0, 1.0)) * u.real(2.0, 5.0) + 1.6 * (z + 0.3 * (z**2 - 1))


def seedlings() -> Tensor:
    """Return the heights that the sheet begins with."""
    return data.normal("map: a tray of seedlings", 40, 12.0, 2.0)[:4]


def _log_likelihood(theta: Tensor, x: Tensor, scale: float) -> Tensor:
    return analytic.log_normal(x, theta[:, None], scale).sum(1)


def _either(*gives: Callable[[Tensor, Tensor, int, float], Tensor]) -> Callable[..., AnyOf]:
    """Return what comes of log-likelihood, log prior, n and tau when they are put together so."""

    def of(theta: Tensor, x: Tensor, scale: float, m: float, tau: float) -> AnyOf:
        fit, prior = _log_likelihood(theta, x, scale), analytic.log_normal(theta, m, tau)
        return AnyOf(*[give(fit, prior, len(x), tau) for give in gives])

    return of


def _squares(theta: Tensor, x: Tensor, scale: float, m: float, tau: float) -> AnyOf:
    """Return what comes where squares, halves or variances are forgotten in one part or both."""
    fits = [
        (-p * ((x - theta[:, None]) / scale).abs() ** p / p * h).sum(1)
        for p, h in ((2, 0.5), (2, 1.0), (1, 0.5), (1, 1.0), (1, 0.5 / scale), (1, 1 / scale))
    ]
    off = (theta - m) / tau
    priors = [-0.5 * off**2, -(off**2), -0.5 * off.abs(), -off.abs(), -0.5 * off.abs() / tau,
              -off.abs() / tau]  # fmt: skip
    return AnyOf(*[f + p for i, f in enumerate(fits) for j, p in enumerate(priors) if i or j])


def _spreads(theta: Tensor, x: Tensor, scale: float, m: float, tau: float) -> AnyOf:
    """Return what comes with a variance for a standard deviation, or a root of it."""
    powers = (1.0, 2.0, 0.5)
    return AnyOf(*[reference(theta, x, scale**a, m, tau**b) for a in powers for b in powers
                   if (a, b) != (1.0, 1.0)])  # fmt: skip


def _raised(theta: Tensor, x: Tensor, scale: float, m: float, tau: float) -> AnyOf:
    """Return what comes where a small number is added to densities, or bounds them."""
    each, prior = analytic.log_normal(x, theta[:, None], scale), analytic.log_normal(theta, m, tau)
    found = []
    for digits in (5, 6, 8, 9, 10, 12, 15, 16, 20, 30, 45, 100, 300):
        small = 10.0**-digits
        for raised in (lambda p, e=small: (p.exp() + e).log(),
                       lambda p, e=small: p.exp().clamp(min=e).log()):  # fmt: skip
            found += [raised(each).sum(1) + prior, raised(each).sum(1) + raised(prior)]
    return AnyOf(*found)


def _centres(theta: Tensor, x: Tensor, scale: float, m: float, tau: float) -> AnyOf:
    means = [0.0, float(x.mean()), float(theta.mean())]
    return AnyOf(*[reference(theta, x, scale, c, tau) for c in means])


TURNS = (
    Turn("prior forgotten", "this is the log-likelihood alone; the log prior is added to it.",
         _either(lambda fit, prior, n, tau: fit, lambda fit, prior, n, tau: fit / n)),
    Turn("likelihood forgotten", "this is the log prior and a constant: do the data reach "
         "every theta by itself?",
         _either(lambda fit, prior, n, tau: prior)),
    Turn("prior in every term", "there is one mean, and so one prior: add its log once, outside of "
         "the sum over the observations.",
         _either(lambda fit, prior, n, tau: fit + n * prior)),
    Turn("mean for sum", "the log-likelihood is a sum over the observations; averaged, or at "
         "the mean of the data alone, it counts as one observation against the prior.",
         _either(lambda fit, prior, n, tau: fit / n + prior,
                 lambda fit, prior, n, tau: (fit + prior) / n)),
    Turn("prior multiplied", "the log turns the product of likelihood and prior into a sum.",
         _either(lambda fit, prior, n, tau: fit * prior.exp(),
                 lambda fit, prior, n, tau: fit * prior)),
    Turn("prior not logged", "the log of the product is the sum of two logs: the prior enters by "
         "its log as well.",
         _either(lambda fit, prior, n, tau: fit + prior.exp(),
                 lambda fit, prior, n, tau: fit + n * prior.exp())),
    Turn("log forgotten", "this is a density; its logarithm is asked.",
         _either(lambda fit, prior, n, tau: (fit + prior).exp(),
                 lambda fit, prior, n, tau: fit.exp() + prior.exp(),
                 lambda fit, prior, n, tau: (fit + prior).softmax(0),
                 lambda fit, prior, n, tau: (fit + prior - (fit + prior).max()).exp(),
                 lambda fit, prior, n, tau: fit.exp() * prior)),
    Turn("likelihood not logged", "the log of the product is the sum of two logs: the likelihood "
         "enters by its log as well.",
         _either(lambda fit, prior, n, tau: fit.exp() + prior)),
    Turn("prior divided by n", "the prior counts once, in full: nothing in it is divided by n.",
         _either(lambda fit, prior, n, tau: fit + prior / n)),
    Turn("another number for n", "every observation counts once in the log-likelihood.",
         _either(lambda fit, prior, n, tau: fit * (n + 1) / n + prior,
                 lambda fit, prior, n, tau: fit * (n - 1) / n + prior,
                 lambda fit, prior, n, tau: fit * max(n - 1, 1) / n + prior,
                 lambda fit, prior, n, tau: fit / math.sqrt(n) + prior)),
    Turn("small densities raised", "a density far out counts as it is, however small: no clamp and "
         "no epsilon; log_prob needs neither.", _raised),
    Turn("prior subtracted", "log-likelihood and log prior are added.",
         _either(lambda fit, prior, n, tau: fit - prior,
                 lambda fit, prior, n, tau: prior - fit)),
    Turn("sign", "the log posterior is asked, which has a top; a loss would be minus that.",
         _either(lambda fit, prior, n, tau: -fit - prior)),
    Turn("variance for standard deviation", "scale and tau are standard deviations, as Normal "
         "takes them: is one squared twice, or not at all?", _spreads),
    Turn("½ or square forgotten", "a normal log-density is −½ times the squared distance, in units "
         "of the standard deviation: in the likelihood and in the prior.", _squares),
    Turn("prior elsewhere", "the prior's mean is m.", _centres),
    Turn("scale and tau exchanged", "scale belongs to the observations, tau to the prior.",
         lambda theta, x, scale, m, tau: reference(theta, x, tau, m, scale)),
    Turn("one spread for both", "the observations have the standard deviation scale, the prior "
         "has tau.",
         lambda theta, x, scale, m, tau: AnyOf(reference(theta, x, scale, m, scale),
                                               reference(theta, x, tau, m, tau))),
    Turn("small densities lost", "far out a density underflows to zero, and the log of zero is no "
         "help: stay with log_prob.",
         lambda theta, x, scale, m, tau: (
             analytic.log_normal(x, theta[:, None], scale).exp().prod(1)
             * analytic.log_normal(theta, m, tau).exp()).log()),
    Turn("a column for a row", "a tensor of shape (k,) is asked: without a second axis.",
         lambda *given: reference(*given)[:, None]),
    Turn("summed over theta", "one number for each theta: add over the observations only.",
         lambda theta, x, scale, m, tau: AnyOf(
             reference(theta, x, scale, m, tau).sum(),
             analytic.log_normal(x, theta[:, None], scale).sum(0))),
    Turn("theta paired with data", "every theta meets every observation: give theta an axis of its "
         "own, theta[:, None].",
         raises=lambda error: "must match the size of tensor" in str(error)
         or "Shape mismatch" in str(error) or "broadcast" in str(error)),
)  # fmt: skip


def by_library(theta, data, scale, m, tau):  # type: ignore[no-untyped-def]
    """Return log-likelihood plus log prior, as torch.distributions gives them."""
    fit = torch.distributions.Normal(theta[:, None], scale).log_prob(data).sum(1)
    prior = torch.distributions.Normal(m, tau).log_prob(theta)
    return fit + prior


def by_hand(theta, data, scale, m, tau):  # type: ignore[no-untyped-def]
    """Return minus half the squares that depend on theta."""
    off = ((data - theta[:, None]) ** 2).sum(1) / scale**2
    return -0.5 * off - 0.5 * (theta - m) ** 2 / tau**2


def by_completing(theta, data, scale, m, tau):  # type: ignore[no-untyped-def]
    """Return the parabola of the posterior."""
    precision = len(data) / scale**2 + 1 / tau**2
    mean = (data.sum() / scale**2 + m / tau**2) / precision
    return -0.5 * precision * (theta - mean) ** 2


def by_mean(theta, data, scale, m, tau):  # type: ignore[no-untyped-def]
    """Return what the data's mean says, and the prior."""
    n = len(data)
    return -n * (theta - data.mean()) ** 2 / (2 * scale**2) - (theta - m) ** 2 / (2 * tau**2)


EXERCISE = Exercise(
    name="log_posterior",
    arguments=(
        Argument("theta", _theta, many=(7, 4, 11), sizes=(2,), edges={
            "theta far out, where densities underflow":
                lambda u, given: u.uniform(4, 150.0, 400.0)}),
        Argument("data", lambda u, given, k: data_about(u, given, {7: 5, 4: 9, 11: 20}.get(k, 3)),
                 many=(7, 4, 11), edges={
                     "a single observation": lambda u, given: data_about(u, given, 1),
                     "as many observations as thetas": lambda u, given: data_about(u, given, 7),
                     "nine hundred observations": lambda u, given: data_about(u, given, 900)},
                 used_instead=seedlings),
        positive("scale", 0.6, 4.0, used_instead=lambda: 2.0),
        real("m", -4, 4, used_instead=lambda: 10.0),
        positive("tau", 0.4, 3.0, edges={"a wide prior": 50.0}, used_instead=lambda: 1.0),
    ),
    reference=reference,
    # m and tau are floats, which torch.distributions takes in single precision.
    agree=UpToConstant(single=True),
    turns=TURNS,
    worked=(by_library, by_hand, by_completing, by_mean),
    passed="log_posterior: right up to a constant, at 2 to 11 places, from 1 to 900 observations.",
)  # fmt: skip
log_posterior = EXERCISE.check
