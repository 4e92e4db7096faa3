"""Checks of sheet 08, third part: the ELBO and its gradient from samples."""

import math
from typing import Any

import torch

from helpers import data
from helpers.check.elbo import analytic
from helpers.check.elbo.bound import WRONG_ELBOS, Listed, expected_and_entropy, plain
from helpers.check.elbo.joint import shuffled
from helpers.check.elbo.noise import agrees_on_draws, has_fresh_noise
from helpers.check.kit.agree import SAMPLED_Z, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case
from helpers.check.kit.message import passed

DRAWS = 400_000


def spread(mu: float, sigma: float, a: float, b: float) -> float:
    """Return the larger standard deviation of one draw's term in two unbiased ELBO estimates.

    The terms are log p(x, y), where the entropy is added in closed form, and
    log p(x, y) − log q(y), where it is averaged too.
    """
    joint = analytic.log_joint(mu + sigma * analytic.NODES, a, b)
    return max(_deviation(joint), _deviation(joint + analytic.NODES**2 / 2))


def gradient_spread(mu: float, sigma: float, a: float, b: float) -> torch.Tensor:
    """Return the larger standard deviation of one draw's term, for each derivative, shape (2,).

    With s the slope of log p(x, y) and y = μ + σz, the terms are s and z·s where the entropy is
    differentiated in closed form, and s + z/σ and z·(s + z/σ) where only the path through y of
    −log q is (Roeder, Wu and Duvenaud 2017).
    """
    z = analytic.NODES
    s = analytic.slope(mu + sigma * z, a, b)
    path = s + z / sigma
    larger = [max(_deviation(w * s), _deviation(w * path)) for w in (torch.ones_like(z), z)]
    return torch.tensor(larger, dtype=torch.float64)


def _deviation(terms: torch.Tensor) -> float:
    mean = (analytic.WEIGHTS * terms).sum()
    return math.sqrt(float((analytic.WEIGHTS * (terms - mean) ** 2).sum()))


def sampled_cases() -> list[tuple[str, Any, Any, torch.Tensor]]:
    """Return words, mu, sigma and flips of the cases of ``elbo_samples``."""
    found = []
    for heads, tails in [(2, 3), (5, 1)]:
        u = data.uniform(f"elbo: samples {heads}", 2)
        mu, sigma = 0.6 + 0.5 * u[0], 1.5 + 0.2 * u[1]
        flips = shuffled(f"elbo: samples flips {heads}", heads, tails)
        words = f"mu={float(mu):.3f}, sigma={float(sigma):.3f}, {heads} heads and {tails} tails"
        found.append((words, mu, sigma, flips))
    return found


def elbo_samples(answer: Any) -> bool:
    """Check ``elbo_samples(mu, sigma, flips, n)`` against the ELBO by quadrature.

    False failures: a right answer is the mean of n = 400000 independent terms. Beyond z = 6.5 a
    normal has 8.0e-11, both tails together. The skewness of a term is at most 3, 3/√n = 0.0048 for
    the mean, which multiplies the heavier tail by at most exp(6.5³·0.0048/6) = 1.25 (Cramér's
    correction). So 1.0e-10 a case and 2.0e-10 for two: below 1e-9. The test of this bound
    integrates the terms' cumulant function and takes the tail by saddlepoint.
    """
    cases = []
    for words, mu, sigma, flips in sampled_cases():
        given = plain(mu, sigma, flips)
        described = f"elbo_samples at {words}, n={DRAWS}"
        error = spread(*given) / math.sqrt(DRAWS)
        cases.append(Case(described, (mu, sigma, flips, DRAWS), analytic.elbo(*given), error))
    agrees_on_draws(answer, cases, SAMPLES_TURNS)
    has_fresh_noise("elbo_samples", answer, 0.0, spread)
    return passed("elbo_samples: within 6.5 standard errors of the exact ELBO, with fresh noise.")


def _near(got: Any, wanted: tuple[list[float], float]) -> bool:
    """Return whether an estimate is one of several numbers, up to chance."""
    values, allowed = wanted
    taken = as_tensor(got)
    return taken is not None and not taken.ndim and any(
        abs(float(taken) - v) <= allowed for v in values
    )  # fmt: skip


def _sampled_turn(name: str, hint: str, values: Listed) -> Turn:
    def gives(mu: Any, sigma: Any, flips: torch.Tensor, n: int) -> tuple[list[float], float]:
        given = plain(mu, sigma, flips)
        # Wide enough for terms whose spread is not exactly that of a right answer.
        return list(values(*given)), 2 * SAMPLED_Z * spread(*given) / math.sqrt(n)

    return Turn(name, hint, gives, alike=_near)


def _not_averaged(got: Any, n: int) -> bool:
    taken = as_tensor(got)
    return taken is not None and tuple(taken.shape) == (n,)


def _scaled(mu: float, sigma: float, a: float, b: float) -> list[float]:
    """Return what adding up in place of averaging gives, per draw, entropy added or averaged."""
    expected, entropy = expected_and_entropy(mu, sigma, a, b)
    return [expected + entropy, expected]


def _misplaced(at: float, by: float, mu: float, sigma: float, a: float, b: float) -> list[float]:
    """Return what draws at + by·z give: entropy of q added, or −log q(y) averaged too."""
    expected, entropy = analytic.expected_log_joint(at, by, a, b), analytic.entropy(sigma)
    squares = ((at - mu) ** 2 + by**2) / sigma**2  # the mean of ((y − mu)/sigma)²
    return [expected + entropy, expected + entropy - 0.5 + 0.5 * squares]


def _uniform(mu: float, sigma: float, a: float, b: float) -> list[float]:
    """Return what uniform noise between 0 and 1 gives, in both ways, and between −1 and 1."""
    values = []
    for low in (0.0, -1.0):
        u = torch.linspace(low, 1, 2001, dtype=torch.float64)
        expected = float(torch.trapezoid(analytic.log_joint(mu + sigma * u, a, b), u)) / (1 - low)
        entropy = analytic.entropy(sigma)
        values += [expected + entropy, expected + entropy - 0.5 + 1 / 6]
    return values


def _other_entropies(mu: float, sigma: float, a: float, b: float) -> list[float]:
    """Return the ELBO with a part of the entropy missing, enlarged, of q = N(0, 1), or twice."""
    expected, entropy = expected_and_entropy(mu, sigma, a, b)
    half = 0.5 * math.log(2 * math.pi)
    wrong = [entropy - 0.5, entropy - math.log(sigma), entropy + half, entropy - half, 2 * entropy]
    return [expected + e for e in wrong]


def _weighted_twice(mu: float, sigma: float, a: float, b: float) -> list[float]:
    """Return the means of q(y)·(log p − log q) and of q(y)·log p plus the entropy."""
    y = mu + sigma * analytic.NODES
    log_q, joint = analytic.log_normal(y, mu, sigma), analytic.log_joint(y, a, b)
    both = (analytic.WEIGHTS * log_q.exp() * (joint - log_q)).sum()
    one = (analytic.WEIGHTS * log_q.exp() * joint).sum()
    return [float(both), float(one) + analytic.entropy(sigma)]


def _at_mean(mu: float, sigma: float, a: float, b: float) -> list[float]:
    """Return log p at mu, plus the entropy."""
    return [float(analytic.log_joint(torch.tensor(mu), a, b)) + analytic.entropy(sigma)]


def _sums(mu: float, sigma: float, a: float, b: float) -> list[tuple[float, float]]:
    """Return what is averaged over the draws, and what is added afterwards."""
    expected, entropy = expected_and_entropy(mu, sigma, a, b)
    return [(expected, entropy), (expected + entropy, 0.0)]


SAMPLES_TURNS = [
    *[_sampled_turn(*wrong) for wrong in WRONG_ELBOS],
    _sampled_turn("variance for standard deviation", "sigma multiplies the noise as it is.",
                  lambda mu, sigma, a, b: _misplaced(mu, sigma**2, mu, sigma, a, b)),
    _sampled_turn("sigma left out", "your draws are mu plus noise; the noise is to be scaled.",
                  lambda mu, sigma, a, b: _misplaced(mu, 1.0, mu, sigma, a, b)),
    _sampled_turn("mu left out", "your draws lie around zero; they belong around mu.",
                  lambda mu, sigma, a, b: _misplaced(0.0, sigma, mu, sigma, a, b)),
    _sampled_turn("uniform noise",
                  "torch.rand lies between 0 and 1; standard normal noise comes from torch.randn.",
                  _uniform),
    Turn("sum for mean", "you add up over the draws; take the mean.",
         lambda mu, sigma, flips, n: ([n * v for v in _scaled(*plain(mu, sigma, flips))],
                                      2 * SAMPLED_Z * n * spread(*plain(mu, sigma, flips))
                                      / math.sqrt(n)), alike=_near),
    Turn("not averaged", "this is one number for each draw; return their mean.",
         lambda mu, sigma, flips, n: n, alike=_not_averaged),
    _sampled_turn("another entropy", "the entropy of a normal is log σ + ½ log 2π + ½, and it is "
                  "added once.", _other_entropies),
    _sampled_turn("weighted twice", "draws from q carry its weights already: do not multiply by "
                  "q(y) again.", _weighted_twice),
    _sampled_turn("mean inside the log",
                  "average log p over the draws; you took it at their average.", _at_mean),
    _sampled_turn("mu and sigma left out", "noise alone is no draw from q: y is mu plus sigma "
                  "times noise.", lambda mu, sigma, a, b: _misplaced(0.0, 1.0, mu, sigma, a, b)),
    _sampled_turn("root of sigma", "sigma multiplies the noise as it is.",
                  lambda mu, sigma, a, b: _misplaced(mu, sigma**0.5, mu, sigma, a, b)),
    Turn("divided by flips", "divide the sum over the draws by their number, n.",
         lambda mu, sigma, flips, n: [v * n / len(flips) + extra
                                      for v, extra in _sums(*plain(mu, sigma, flips))],
         alike=lambda got, wanted: any(same(got, w, 0.02) for w in wanted)),
]  # fmt: skip


def gradient_cases() -> list[tuple[str, Any, Any, torch.Tensor]]:
    """Return words, mu, sigma and flips of the cases of ``elbo_gradient``.

    mu is far on the side that the flips speak against, so that the slope is steep; sigma is small,
    so that the entropy's part 1/sigma is large.
    """
    found = []
    for heads, tails, side in [(2, 3, 1), (4, 1, -1)]:
        u = data.uniform(f"elbo: gradient {heads}", 2)
        mu, sigma = side * (1.5 + 0.3 * u[0]), 0.27 + 0.06 * u[1]
        flips = shuffled(f"elbo: gradient flips {heads}", heads, tails)
        words = f"mu={float(mu):.3f}, sigma={float(sigma):.3f}, {heads} heads and {tails} tails"
        found.append((words, mu, sigma, flips))
    return found


def elbo_gradient(answer: Any) -> bool:
    """Check ``elbo_gradient(mu, sigma, flips, n)`` against the exact derivatives by quadrature.

    False failures: four means of n = 400000 independent terms, each compared at z = 6.5 of the
    estimate that varies most. A term is bounded, or grows with z² at most; its skewness is at most
    3 in absolute value (z² has √8). As for ``elbo_samples``, 1.0e-10 each and 4.0e-10 for all
    four: below 1e-9; the same test holds it.
    """
    cases = []
    for words, mu, sigma, flips in gradient_cases():
        given = plain(mu, sigma, flips)
        described = f"elbo_gradient at {words}, n={DRAWS}"
        error = gradient_spread(*given) / math.sqrt(DRAWS)
        exact = torch.tensor(analytic.gradient(*given), dtype=torch.float64)
        cases.append(Case(described, (mu, sigma, flips, DRAWS), exact, error))
    agrees_on_draws(answer, cases, GRADIENT_TURNS)
    has_fresh_noise(
        "elbo_gradient", answer, (0.0, 0.0), lambda *given: float(gradient_spread(*given)[0])
    )
    return passed("elbo_gradient: both derivatives within 6.5 standard errors, with fresh noise.")


Pairs = list[tuple[float, float]]


def _near_pair(got: Any, wanted: tuple[Pairs, torch.Tensor]) -> bool:
    """Return whether two derivatives are one of several pairs, up to chance; None is no slope."""
    if isinstance(got, tuple | list):
        got = [0.0 if v is None else v for v in got]
    pairs, allowed = wanted
    taken = as_tensor(got)
    if taken is None or taken.shape != (2,):
        return False
    return any(
        bool(((taken.to(torch.float64) - torch.tensor(pair)).abs() <= allowed).all())
        for pair in pairs
    )


def _pair_turn(name: str, hint: str, pairs: Any, raises: Any = None) -> Turn:
    def gives(mu: Any, sigma: Any, flips: torch.Tensor, n: int) -> tuple[Pairs, torch.Tensor]:
        given = plain(mu, sigma, flips)
        by_mu, by_sigma = analytic.gradient(*given)
        allowed = 2 * SAMPLED_Z * gradient_spread(*given) / math.sqrt(n)
        return pairs(by_mu, by_sigma, *given), allowed

    return Turn(name, hint, gives, raises=raises, alike=_near_pair)


def _not_tracked(error: Exception) -> bool:
    text = str(error)
    return "does not require grad" in text or "not have been used in the graph" in text


GRADIENT_TURNS = [
    _pair_turn(".sample() for .rsample()",
               "your draws do not remember mu and sigma, so no slope flows through them: build "
               "them from tracked copies of both, and noise.",
               lambda u, v, mu, sigma, a, b: [(0.0, 1 / sigma), (0.0, 0.0), (0.0, -1 / sigma)],
               raises=_not_tracked),
    _pair_turn("sign", "this is the gradient of a loss, minus the ELBO; you want the ascent.",
               lambda u, v, mu, sigma, a, b: [(-u, -v)]),
    _pair_turn("swapped", "first the derivative by mu, then the one by sigma.",
               lambda u, v, mu, sigma, a, b: [(v, u)]),
    _pair_turn("entropy forgotten", "the entropy grows with sigma; its part of the slope is gone.",
               lambda u, v, mu, sigma, a, b: [(u, v - 1 / sigma)]),
    _pair_turn("entropy halved", "the entropy log σ + constant counts in full.",
               lambda u, v, mu, sigma, a, b: [(u, v - 0.5 / sigma)]),
    _pair_turn("entropy subtracted", "entropy is the mean of minus log q: it is added.",
               lambda u, v, mu, sigma, a, b: [(u, v - 2 / sigma)]),
    _pair_turn("Jacobian forgotten", "the prior's density on the scale of y is missing.",
               lambda u, v, mu, sigma, a, b: [analytic.gradient(mu, sigma, a - 1, b - 1)]),
    _pair_turn("slope by log sigma", "the derivative by sigma itself is asked for.",
               lambda u, v, mu, sigma, a, b: [(u, sigma * v), (u, v - 1 / sigma + 1),
                                              (u, sigma * (v - 1 / sigma) + 1)]),
    _pair_turn("noise forgotten", "by sigma, each slope is multiplied by its noise z.",
               lambda u, v, mu, sigma, a, b: [(u, u + 1 / sigma), (u, u)]),
    _pair_turn("parameters returned", "these are mu and sigma; return the slopes by them.",
               lambda u, v, mu, sigma, a, b: [(mu, sigma)]),
    _pair_turn("sigma not tracked", "sigma has no slope: make a tracked copy of it as well.",
               lambda u, v, mu, sigma, a, b: [(u, 0.0)]),
    Turn("sum for mean", "you add up over the draws; take the mean.",
         lambda mu, sigma, flips, n: [n * v for v in analytic.gradient(*plain(mu, sigma, flips))],
         alike=lambda got, want: same(got, want, 0.05)),
    _pair_turn("gradient doubled", "the gradient is there twice: backward() ran more than once.",
               lambda u, v, mu, sigma, a, b: [(2 * u, 2 * v)]),
    _pair_turn("five flips only",
               "these are the slopes for the sheet's five flips; use the flips you are given.",
               lambda u, v, mu, sigma, a, b: [analytic.gradient(mu, sigma, 3, 4)]),
    _pair_turn("path cut at mu", "mu does not reach the draws; y is mu plus sigma times noise.",
               lambda u, v, mu, sigma, a, b: [(0.0, v)]),
]  # fmt: skip
