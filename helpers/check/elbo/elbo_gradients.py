"""elbo_gradient and score_gradient: two estimates of the ELBO's slopes from the same noise."""

from collections.abc import Callable

import torch
from torch.distributions import Normal
from torch.nn.functional import logsigmoid

from helpers.check.elbo import analytic, coins
from helpers.check.elbo.coins import Average
from helpers.check.elbo.elbo_samples import averaged, noise_argument, own_noise
from helpers.check.kit.compare import AnyOf, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise, Together

Tensor = torch.Tensor
Pair = tuple[Tensor, Tensor]
ARGUMENTS = (coins.MU, coins.SIGMA, coins.flips_argument(), noise_argument())
ORDER = ("the slope by mu", "the slope by sigma")


def _paths(mu: Tensor, sigma: Tensor, a: float, b: float, z: Tensor) -> Pair:
    """Return the slopes of the mean of log p(x, mu + sigma·z), the entropy left out."""
    s = analytic.slope(mu + sigma * z, a, b)
    return s.mean(), (z * s).mean()


def _reparameterised(mu: Tensor, sigma: Tensor, flips: Tensor, z: Tensor) -> Pair:
    by_mu, by_sigma = _paths(mu, sigma, *analytic.exponents(flips), z)
    return by_mu, by_sigma + 1 / sigma


def _along_the_path(mu: Tensor, sigma: Tensor, flips: Tensor, z: Tensor) -> Pair:
    """Return the estimate that takes −log q along the path only (Roeder, Wu and Duvenaud 2017)."""
    by_mu, by_sigma = _paths(mu, sigma, *analytic.exponents(flips), z)
    return by_mu + z.mean() / sigma, by_sigma + (z**2).mean() / sigma


def reparameterised(mu: Tensor, sigma: Tensor, flips: Tensor, z: Tensor) -> AnyOf:
    """Return the slopes of the sampled ELBO, and those along the path alone, unbiased as well."""
    given = mu, sigma, flips, z
    return AnyOf(_reparameterised(*given), _along_the_path(*given))


def _changed(change: Callable[..., list[Pair]]) -> Callable[..., AnyOf]:
    """Return a turn's pairs from both slopes, sigma, mu and the noise."""

    def gives(mu: Tensor, sigma: Tensor, flips: Tensor, z: Tensor) -> AnyOf:
        return AnyOf(*change(*_reparameterised(mu, sigma, flips, z), sigma, mu, z))

    return gives  # fmt: skip


def _more_exponents(more: float) -> Callable[..., Pair]:
    def gives(mu: Tensor, sigma: Tensor, flips: Tensor, z: Tensor) -> Pair:
        a, b = analytic.exponents(flips)
        by_mu, by_sigma = _paths(mu, sigma, a + more, b + more, z)
        return by_mu, by_sigma + 1 / sigma

    return gives


def _not_tracked(error: Exception) -> bool:
    text = str(error)
    return "does not require grad" in text or "not have been used in the graph" in text


def _exact(mu: Tensor, sigma: Tensor, flips: Tensor, z: Tensor) -> Pair:
    return analytic.gradient(mu, sigma, *analytic.exponents(flips))


def _quotients(mu: Tensor, sigma: Tensor, flips: Tensor, z: Tensor) -> list[Pair]:
    """Return forward and central difference quotients of the estimate, for some steps."""

    def estimate(loc: Tensor, scale: Tensor) -> Tensor:
        v = averaged(loc, scale, flips, z)
        return v.mean(v.joint()) + v.entropies[0]

    found = []
    for h in (0.1, 0.01, 1e-3, 1e-4):
        for back in (0.0, h):
            by_mu = estimate(mu + h, sigma) - estimate(mu - back, sigma)
            by_sigma = estimate(mu, sigma + h) - estimate(mu, sigma - back)
            found.append((by_mu / (h + back), by_sigma / (h + back)))
    return [pair for pair in found if bool(torch.stack(pair).isfinite().all())][:-1]  # fmt: skip


def _none_as_zero(got: object, wrong: AnyOf) -> bool:
    """Whether slopes, of which autograd left some None, are one of several pairs."""
    if not isinstance(got, tuple | list) or len(got) != 2 or not any(v is None for v in got):
        return False
    return any(same([0.0 if v is None else v for v in got], pair) for pair in wrong.values)


ZERO = torch.zeros((), dtype=torch.float64)
NOTHING_FLOWS = (
    "your draws do not remember mu and sigma, so no slope flows through them: build them from "
    "tracked copies of both, and the noise."
)

PATH_TURNS = (
    Turn(".sample() for .rsample()", NOTHING_FLOWS,
         _changed(lambda u, v, sigma, mu, z: [(ZERO, 1 / sigma), (ZERO, ZERO)]),
         alike=_none_as_zero),
    Turn("sigma not tracked", "sigma has no slope: make a tracked copy of it as well.",
         _changed(lambda u, v, sigma, mu, z: [(u, ZERO)]), alike=_none_as_zero),
    Turn("mu not tracked", "mu has no slope: make a tracked copy of it as well.",
         _changed(lambda u, v, sigma, mu, z: [(ZERO, v)]), alike=_none_as_zero),
    Turn(".sample() for .rsample()", NOTHING_FLOWS,
         _changed(lambda u, v, sigma, mu, z: [(ZERO, 1 / sigma), (ZERO, ZERO), (ZERO, -1 / sigma),
                                              (-z.mean() / sigma, -(z**2).mean() / sigma),
                                              (z.mean() / sigma, (z**2 - 1).mean() / sigma)]),
         raises=_not_tracked),
    Turn("draws of its own", "z is the noise: build the draws from it, and draw no other.",
         lambda mu, sigma, flips, z: AnyOf(*[p for own in own_noise(z) for p in
                                             reparameterised(mu, sigma, flips, own).values])),
    Turn("quadrature for draws", "these are the exact slopes; estimate them from the draws.",
         _exact),
    Turn("sign", "this is the gradient of a loss, minus the ELBO; you want the ascent.",
         _changed(lambda u, v, sigma, mu, z: [(-u, -v)])),
    Turn("swapped", "first the slope by mu, then the one by sigma.",
         _changed(lambda u, v, sigma, mu, z: [(v, u)])),
    Turn("entropy forgotten", "the entropy grows with sigma; its part of the slope is gone.",
         _changed(lambda u, v, sigma, mu, z: [(u, v - 1 / sigma)])),
    Turn("entropy halved", "the entropy log σ + constant counts in full.",
         _changed(lambda u, v, sigma, mu, z: [(u, v - 0.5 / sigma)])),
    Turn("entropy subtracted", "entropy is the mean of minus log q: it is added.",
         _changed(lambda u, v, sigma, mu, z: [(u, v - 2 / sigma)])),
    Turn("Jacobian forgotten", "the prior's density on the scale of y is missing.",
         _more_exponents(-1)),
    Turn("slope by log sigma", "the slope by sigma itself is asked for.",
         _changed(lambda u, v, sigma, mu, z: [(u, sigma * v), (u, v - 1 / sigma + 1),
                                              (u, sigma * (v - 1 / sigma) + 1)])),
    Turn("noise forgotten", "by sigma, each slope is multiplied by its noise z.",
         _changed(lambda u, v, sigma, mu, z: [(u, u + 1 / sigma), (u, u)])),
    Turn("parameters returned", "these are mu and sigma; return the slopes by them.",
         _changed(lambda u, v, sigma, mu, z: [(mu, sigma)])),
    Turn("sum for mean", "you add up over the draws; take the mean.",
         _changed(lambda u, v, sigma, mu, z: [
             (len(z) * u, len(z) * v), (len(z) * u, len(z) * (v - 1 / sigma) + 1 / sigma)])),
    Turn("gradient doubled", "the gradient is there twice: backward() ran more than once.",
         _changed(lambda u, v, sigma, mu, z: [(2 * u, 2 * v)])),
    Turn("path cut at mu", "mu does not reach the draws; y is mu plus sigma times noise.",
         _changed(lambda u, v, sigma, mu, z: [(ZERO, v)])),
    Turn("path cut at sigma", "sigma does not reach the draws; y is mu plus sigma times noise.",
         _changed(lambda u, v, sigma, mu, z: [(u, 1 / sigma), (u, ZERO)])),
    Turn("difference quotient", "a finite step leaves an error: ask autograd, or take the slopes "
         "by hand.", lambda *given: AnyOf(*_quotients(*given))),
    Turn("score for path", "this is the score estimate; slopes through the draws are asked here.",
         lambda *given: _score(*given)),
)  # fmt: skip


def by_chain_rule(mu: Tensor, sigma: Tensor, flips: Tensor, z: Tensor) -> Pair:
    """Return both averages of the slope of the log joint density."""
    slope = 1 + flips.sum() - (2 + len(flips)) * torch.sigmoid(mu + sigma * z)
    return slope.mean(), (z * slope).mean() + 1 / sigma


def along(mu: Tensor, sigma: Tensor, flips: Tensor, z: Tensor) -> Pair:
    """Return both averages of the slope of log p − log q along the path."""
    slope = 1 + flips.sum() - (2 + len(flips)) * torch.sigmoid(mu + sigma * z) + z / sigma
    return slope.mean(), (z * slope).mean()


PATH = Exercise(
    name="elbo_gradient",
    arguments=ARGUMENTS,
    reference=reparameterised,
    parts=ORDER,
    turns=PATH_TURNS,
    worked=(by_chain_rule, along),
    passed="elbo_gradient.",
)


# --- the score ---------------------------------------------------------------------------------


def _slopes_of_log_q(sigma: Tensor, z: Tensor) -> Pair:
    """Return the slopes of log q(y) by mu and sigma at fixed y = mu + sigma·z."""
    return z / sigma, (z**2 - 1) / sigma


def _weighted(weights: Tensor, sigma: Tensor, z: Tensor) -> Pair:
    by_mu, by_sigma = _slopes_of_log_q(sigma, z)
    return (weights * by_mu).mean(), (weights * by_sigma).mean()


def _score(mu: Tensor, sigma: Tensor, flips: Tensor, z: Tensor) -> Pair:
    v = averaged(mu, sigma, flips, z)
    return _weighted(v.joint() - v.log_q(), sigma, z)


def _score_turn(name: str, hint: str, pairs: Callable[[Average, Tensor], list[Pair]]) -> Turn:
    """Return a turn from the average and the noise."""

    def gives(mu: Tensor, sigma: Tensor, flips: Tensor, z: Tensor) -> AnyOf:
        return AnyOf(*pairs(averaged(mu, sigma, flips, z), z))

    return Turn(name, hint, gives)  # fmt: skip


def _with(change: Callable[[Average], Tensor]) -> Callable[[Average, Tensor], list[Pair]]:
    """Return the pairs in which the slopes of log q are weighted with something else."""
    return lambda v, z: [_weighted(change(v), v.sigma, z)]


def _path_weighted(v: Average, z: Tensor) -> list[Pair]:
    """Return log p − log q times the slope of log p, or of their difference, along the path."""
    found = []
    for slope in (analytic.slope(v.y, v.a, v.b), analytic.slope(v.y, v.a, v.b) + z / v.sigma):
        found += [((w * slope).mean(), (w * z * slope).mean())
                  for w in (v.joint() - v.log_q(), v.joint())]  # fmt: skip
    return found


def _tracked_draws(v: Average, z: Tensor) -> list[Pair]:
    """Return the slopes where the draws are tracked: log q(mu + sigma·z) is −log sigma − ½ z²."""
    f = (v.joint() - v.log_q()).mean()
    return [(ZERO, -f / v.sigma)]


SCORE_TURNS = (
    _score_turn("weights tracked too", "hold log p − log q fixed, by detach(): it is the weight of "
                "a slope, and has none of its own here.",
                lambda v, z: [_weighted(v.joint() - 2 * v.log_q(), v.sigma, z)]),
    _score_turn("draws tracked", "at fixed y, log q moves with mu and sigma: detach the draws "
                "before log q is differentiated.", _tracked_draws),
    _score_turn("slope of log p", "the score is the slope of log q, at a draw that is held fixed; "
                "log p is in the weight, and has no slope there.", _path_weighted),
    Turn("path for score", "these are slopes through the draws; here they are held fixed.",
         lambda *given: AnyOf(*reparameterised(*given).values)),
    Turn("draws of its own", "z is the noise: build the draws from it, and draw no other.",
         lambda mu, sigma, flips, z: AnyOf(*[_score(mu, sigma, flips, own)
                                             for own in own_noise(z)])),
    Turn("quadrature for draws", "these are the exact slopes; estimate them from the draws.",
         _exact),
    _score_turn("log q forgotten", "the weight is log p(x, y) − log q(y), both.",
                _with(lambda v: v.joint())),
    _score_turn("log p forgotten", "the weight is log p(x, y) − log q(y), both.",
                _with(lambda v: -v.log_q())),
    _score_turn("no weights", "this is the mean slope of log q, zero on average: weight each slope "
                "with log p − log q.", _with(lambda v: torch.ones_like(v.y))),
    _score_turn("sign", "the ELBO is climbed: log p − log q, and the slope of plus log q.",
                _with(lambda v: v.log_q() - v.joint())),
    _score_turn("log q added", "the weight is log p(x, y) minus log q(y).",
                _with(lambda v: v.joint() + v.log_q())),
    _score_turn("Jacobian forgotten", "the prior's density on the scale of y is missing.",
                _with(lambda v: v.joint(-1) - v.log_q())),
    Turn("entropy added", "log q is in the weights already: add no entropy.",
         lambda *given: AnyOf(*[(u, v + 1 / given[1]) for u, v in [_score(*given)]])),
    _score_turn("log forgotten", "weight with log p − log q, not with the densities' ratio.",
                _with(lambda v: (v.joint() - v.log_q()).exp())),
    _score_turn("weighted twice", "draws from q carry its weights already: do not multiply by q(y) "
                "again.", _with(lambda v: v.log_q().exp() * (v.joint() - v.log_q()))),
    _score_turn("baseline subtracted", "less scatter, but biased: a baseline made of the same "
                "draws. The plain mean is asked.",
                _with(lambda v: (v.joint() - v.log_q()) - (v.joint() - v.log_q()).mean())),
    _score_turn("means multiplied", "multiply draw by draw, then take the mean.",
                lambda v, z: [(f * g.mean(), f * h.mean()) for f in [(v.joint() - v.log_q()).mean()]
                              for g, h in [_slopes_of_log_q(v.sigma, z)]]),
    _score_turn("swapped", "first the slope by mu, then the one by sigma.",
                lambda v, z: [_weighted(v.joint() - v.log_q(), v.sigma, z)[::-1]]),
    _score_turn("sum for mean", "you add up over the draws; take the mean.",
                lambda v, z: [_weighted(len(z) * (v.joint() - v.log_q()), v.sigma, z)]),
    _score_turn("slope of log q", "by mu the slope of log q is (y − mu)/sigma², by sigma "
                "((y − mu)² − sigma²)/sigma³: look for a sigma too many or too few, or for the −1.",
                lambda v, z: [(first, second) for w in [v.joint() - v.log_q()]
                              for first in [(w * z).mean() * f for f in
                                            (1 / v.sigma, 1, 1 / v.sigma**2)]
                              for second in [(w * g).mean() for g in
                                             ((z**2 - 1) / v.sigma, z**2 - 1, z**2 / v.sigma,
                                              (z**2 - 1) / v.sigma**2, z**2 - 1 / v.sigma,
                                              z**2 / v.sigma - 1)]][1:]),
)  # fmt: skip


def by_noise(mu: Tensor, sigma: Tensor, flips: Tensor, z: Tensor) -> Pair:
    """Return the score estimate in terms of the noise."""
    y = mu + sigma * z
    heads, tails = flips.sum(), (1 - flips).sum()
    log_p = (heads + 1) * logsigmoid(y) + (tails + 1) * logsigmoid(-y)
    weights = log_p - Normal(mu, sigma).log_prob(y)
    return (weights * z / sigma).mean(), (weights * (z**2 - 1) / sigma).mean()


def by_distances(mu: Tensor, sigma: Tensor, flips: Tensor, z: Tensor) -> Pair:
    """Return the score estimate in terms of the draws' distances from mu."""
    y = mu + sigma * z
    heads, tails = flips.sum(), (1 - flips).sum()
    log_p = (heads + 1) * logsigmoid(y) + (tails + 1) * logsigmoid(-y)
    weights = log_p - Normal(mu, sigma).log_prob(y)
    by_sigma = (y - mu) ** 2 / sigma**3 - 1 / sigma
    return (weights * (y - mu) / sigma**2).mean(), (weights * by_sigma).mean()


SCORE = Exercise(
    name="score_gradient",
    arguments=ARGUMENTS,
    reference=_score,
    parts=ORDER,
    turns=SCORE_TURNS,
    worked=(by_noise, by_distances),
    passed="score_gradient.",
)

elbo_gradients = Together(
    (PATH, SCORE),
    "elbo_gradient and score_gradient: both slopes, through the draws and without them.",
).check
