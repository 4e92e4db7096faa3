"""elbo_samples(mu, sigma, flips, z): the ELBO estimated from reparameterised draws.

The noise is handed in: an estimate is known to the last digit, and so are its slopes. Where it is
the mean of what each draw gives, it is unbiased whatever their number.
"""

import math

import torch
from torch.distributions import Normal
from torch.nn.functional import logsigmoid

from helpers.check.elbo import analytic, coins
from helpers.check.elbo.coins import DOUBLE, Average
from helpers.check.kit.asks import Argument, Draws, Given
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import SEEDS, Exercise

Tensor = torch.Tensor


def _z(u: Draws, given: Given) -> Tensor:
    return u.normal(u.choice((16, 31)))


def noise_argument() -> Argument:
    """Return the argument ``z``: some draws, also one and two; it is never as long as the flips."""
    return Argument("z", _z, shown=lambda z: f"{len(z)} draws", edges={
        "a single draw": lambda u, given: u.normal(1),
        "two draws": lambda u, given: u.normal(2),
    })  # fmt: skip


def averaged(mu: Tensor, sigma: Tensor, flips: Tensor, z: Tensor) -> Average:
    """Return the average over the draws mu + sigma·z."""
    a, b = analytic.exponents(flips)
    y, weights = mu + sigma * z, torch.full_like(z, 1 / len(z))
    own = (weights * -analytic.log_normal(y, mu, sigma)).sum()
    return Average(mu, sigma, a, b, y, weights, (analytic.entropy(sigma), own))


def reference(mu: Tensor, sigma: Tensor, flips: Tensor, z: Tensor) -> AnyOf:
    """Return the estimate with the entropy in closed form, and with −log q averaged too."""
    v = averaged(mu, sigma, flips, z)
    return AnyOf(*v.elbos(v.mean(v.joint())))


def _drawn_at(loc: Tensor, scale: Tensor, *given: Tensor) -> list[Tensor]:
    """Return what draws loc + scale·z give as if they came from q."""
    mu, sigma, flips, z = given
    a, b = analytic.exponents(flips)
    y = loc + scale * z
    joint, log_q = analytic.log_joint(y, a, b), analytic.log_normal(y, mu, sigma)
    return [joint.mean() + analytic.entropy(sigma), (joint - log_q).mean()]


def _misdrawn(loc: float, scale: float, *given: Tensor) -> AnyOf:
    """Return what draws give that keep mu or sigma so many times."""
    mu, sigma = given[:2]
    return AnyOf(*_drawn_at(loc * mu, sigma if scale else torch.ones_like(sigma), *given))


def own_noise(of: Tensor) -> list[Tensor]:
    """Return what torch draws in the state in which a case is asked, in both precisions."""
    found = []
    with torch.random.fork_rng():
        for dtype in (DOUBLE, torch.float32):
            torch.manual_seed(SEEDS[0])
            found.append(torch.randn(of.shape, dtype=dtype).to(DOUBLE))
    return found


TURNS = (
    Turn("draws of its own", "z is the noise: build the draws from it, and draw no other.",
         lambda mu, sigma, flips, z: AnyOf(*[e for own in own_noise(z)
                                             for e in reference(mu, sigma, flips, own).values])),
    Turn("quadrature for draws", "this is the exact ELBO; estimate it from the draws.",
         lambda mu, sigma, flips, z: analytic.elbo(mu, sigma, *analytic.exponents(flips))),
    *coins.turns(averaged),
    Turn("variance for standard deviation", "sigma multiplies the noise as it is.",
         lambda *given: AnyOf(*_drawn_at(given[0], given[1]**2, *given),
                              *_drawn_at(given[0], given[1]**0.5, *given),
                              *reference(given[0], given[1]**2, *given[2:]).values,
                              *reference(given[0], given[1]**0.5, *given[2:]).values)),
    Turn("sigma left out", "your draws are mu plus noise; the noise is to be scaled.",
         lambda *given: _misdrawn(1, 0, *given)),
    Turn("mu left out", "your draws lie around zero; they belong around mu.",
         lambda *given: _misdrawn(0, 1, *given)),
    Turn("mu and sigma left out", "noise alone is no draw from q: y is mu plus sigma times noise.",
         lambda *given: _misdrawn(0, 0, *given)),
    Turn("mu and sigma exchanged", "y is mu plus sigma times noise.",
         lambda *given: AnyOf(*_drawn_at(given[1], given[0], *given))),
    Turn("sum for mean", "you add up over the draws; take the mean.",
         lambda *given: AnyOf(*[e for v in [averaged(*given)] for e in (
             len(given[3]) * v.mean(v.joint()) + v.entropies[0],
             *[len(given[3]) * e for e in v.elbos(v.mean(v.joint()))])])),
    Turn("sum inside the log", "this goes to the log evidence, and is not divided by the number of "
         "draws: average the logs.",
         lambda *given: torch.logsumexp(averaged(*given).joint() - averaged(*given).log_q(), 0)),
    Turn("entropy divided by n", "the entropy is no sum over the draws: do not divide it.",
         lambda *given: AnyOf(*[v.mean(v.joint()) + v.entropies[0] / len(given[3])
                                for v in [averaged(*given)]])),
    Turn("mirrored draws", "draws for −z as well are not among those that are asked.",
         lambda mu, sigma, flips, z: AnyOf(*reference(mu, sigma, flips,
                                                      torch.cat([z, -z])).values)),
    Turn("divided by flips", "divide the sum over the draws by their number.",
         lambda *given: AnyOf(*[e for v in [averaged(*given)]
                                for r in [len(given[3]) / len(given[2])] for e in (
             r * v.mean(v.joint()) + v.entropies[0],
             *[r * e for e in v.elbos(v.mean(v.joint()))])])),
    Turn("n − 1 for n", "divide by the number of draws: the mean of n terms is unbiased.",
         lambda *given: AnyOf(*[e for v in [averaged(*given)]
                                for r in [len(given[3]) / (len(given[3]) - 1)] for e in (
             r * v.mean(v.joint()) + v.entropies[0],
             *[r * e for e in v.elbos(v.mean(v.joint()))])])),
    Turn("not averaged", "this is one number for each draw; return their mean.",
         lambda *given: AnyOf(*[e for v in [averaged(*given)] for e in (
             v.joint() - v.log_q(), v.joint() + v.entropies[0], v.joint())])),
    Turn("spread of the draws", "the entropy is that of q, with sigma itself, not the spread that "
         "the draws happen to have.",
         lambda *given: AnyOf(*[v.mean(v.joint()) + analytic.entropy(v.y.std(correction=c))
                                for v in [averaged(*given)] for c in (0, 1)])),
    Turn("noise standardised", "noise need not have mean 0 and deviation 1 to be unbiased: leave "
         "it as it is.",
         lambda mu, sigma, flips, z: AnyOf(*[
             e for c in (0, 1) for e in reference(
                 mu, sigma, flips, (z - z.mean()) / z.std(correction=c)).values])),
    Turn("median for mean", "the ELBO is a mean over the draws.",
         lambda *given: AnyOf(*[e for v in [averaged(*given)] for e in (
             v.joint().median() + v.entropies[0], (v.joint() - v.log_q()).median())])),
)  # fmt: skip


def by_entropy(mu: Tensor, sigma: Tensor, flips: Tensor, z: Tensor) -> Tensor:
    """Return the mean log joint density and the entropy by hand."""
    y = mu + sigma * z
    heads, tails = flips.sum(), (1 - flips).sum()
    log_p = (heads + 1) * logsigmoid(y) + (tails + 1) * logsigmoid(-y)
    return log_p.mean() + sigma.log() + 0.5 * math.log(2 * math.pi) + 0.5


def by_log_q(mu: Tensor, sigma: Tensor, flips: Tensor, z: Tensor) -> Tensor:
    """Return the mean difference of the logs."""
    y = mu + sigma * z
    heads, tails = flips.sum(), (1 - flips).sum()
    log_p = (heads + 1) * logsigmoid(y) + (tails + 1) * logsigmoid(-y)
    return (log_p - Normal(mu, sigma).log_prob(y)).mean()


EXERCISE = Exercise(
    name="elbo_samples",
    arguments=(coins.MU, coins.SIGMA, coins.flips_argument(), noise_argument()),
    reference=reference,
    slopes=("mu", "sigma"),
    turns=TURNS,
    worked=(by_entropy, by_log_q),
    passed="elbo_samples: the estimate on given noise, of one draw and of many, and its slopes.",
)
elbo_samples = EXERCISE.check
