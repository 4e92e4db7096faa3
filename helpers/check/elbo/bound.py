"""Checks of sheet 08, second part: the ELBO and the gap, by quadrature."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from helpers import data
from helpers.check.elbo import analytic
from helpers.check.elbo.joint import shuffled
from helpers.check.kit.agree import any_of, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed
from helpers.quadrature import trapezoid

# An ELBO in wrong ways: takes mu, sigma, and the exponents a = 1 + heads and b = 1 + tails.
Elbo = Callable[[float, float, float, float], float]
Listed = Callable[[float, float, float, float], Sequence[float]]
Weight = Callable[[torch.Tensor], torch.Tensor]


def plain(mu: Any, sigma: Any, flips: torch.Tensor) -> tuple[float, float, float, float]:
    """Return mu, sigma and both exponents as floats."""
    return float(mu), float(sigma), *analytic.exponents(flips)


def _settings(name: str, heads: int, tails: int, wide: bool) -> tuple[Any, Any, torch.Tensor, str]:
    """Return mu, sigma, flips and words for them; sigma is below 0.65 or above 1.2, never 1."""
    u = data.uniform(f"{name} {heads} {tails}", 2)
    mu, sigma = 2 * u[0] - 1, 1.2 + 0.3 * u[1] if wide else 0.5 + 0.15 * u[1]
    flips = shuffled(f"{name} flips {heads} {tails}", heads, tails)
    words = f"mu={float(mu):.3f}, sigma={float(sigma):.3f}, {heads} heads and {tails} tails"
    return mu, sigma, flips, words


def elbo_quadrature(answer: Any, slopes: Any, flips: str = "practice") -> bool:
    """Check ``elbo_quadrature(mu, sigma, flips)``: E[log p(x, y)] + entropy under q.

    Its slopes are asked for too, since section 6 climbs them. No gradient crosses the wall between
    a student's kernel and the judge, so the answer cell differentiates on its own side.

    Args:
        answer: the student's function.
        slopes: ``elbo_slopes(mu, sigma, flips)`` of the same cell, which asks autograd for the
            derivatives of the student's function by mu and sigma.
        flips: "practice" for five to seven flips, "fresh" for one and for thirteen as well.
    """
    settings = [(2, 3, True), (1, 6, False)]
    if flips == "fresh":
        settings += [(1, 1, True), (9, 4, True)]
    cases, steep = [], []
    for heads, tails, wide in settings:
        mu, sigma, x, words = _settings("elbo: quadrature", heads, tails, wide)
        given = plain(mu, sigma, x)
        cases.append(Case(f"elbo_quadrature at {words}", (mu, sigma, x), analytic.elbo(*given)))
        described = f"slopes of elbo_quadrature by mu and sigma at {words}"
        steep.append(Case(described, (mu, sigma, x), analytic.gradient(*given)))
    function_agrees(answer, cases, ELBO_TURNS)
    function_agrees(slopes, steep, SLOPES_TURNS, bound=SLOPES)
    return passed(f"elbo_quadrature: the exact ELBO and its slopes at {len(cases)} normals.")


# Slopes of a right ELBO are right, up to rounding, which single precision has more of.
SLOPES = 1e-4


def _cut_off(error: Exception) -> bool:
    """Whether a result does not know that it was made from mu and sigma."""
    return any(text in str(error) for text in (
        "does not require grad", "not have been used in the graph", "that requires grad",
        "object is not iterable"))  # fmt: skip


def _about_or_zero(got: Any, wanted: list[tuple[float, float]]) -> bool:
    """Whether slopes are one of several pairs, zero up to rounding."""
    taken = as_tensor(got)
    return taken is not None and taken.shape == (2,) and any(
        bool(((taken.to(torch.float64) - torch.tensor(pair)).abs() < 1e-4).all()) for pair in wanted
    )  # fmt: skip


SLOPES_TURNS = [
    Turn("gradient cut",
         "the ELBO is right, but mu or sigma lost its gradient on the way: no item(), float(), "
         "numpy(), detach() or no_grad() between them and the result.",
         lambda mu, sigma, x: [_entropy_cut(*plain(mu, sigma, x)), (0.0, 0.0)], raises=_cut_off,
         alike=_about_or_zero),
]  # fmt: skip


def _entropy_cut(mu: float, sigma: float, a: float, b: float) -> tuple[float, float]:
    """Return the slopes where the entropy was made of a bare sigma."""
    by_mu, by_sigma = analytic.gradient(mu, sigma, a, b)
    return by_mu, by_sigma - 1 / sigma


def _crossed(mu: float, sigma: float, a: float, b: float) -> float:
    """Return ∫ p(x, y)·(log p(x, y) − log q(y)) dy: the integrand of the ELBO, joint as weight."""
    log_evidence = analytic.log_evidence(a, b)
    return math.exp(log_evidence) * (analytic.reverse_kl(mu, sigma, a, b) + log_evidence)


def _reversed(mu: float, sigma: float, a: float, b: float) -> list[float]:
    crossed, back = _crossed(mu, sigma, a, b), analytic.reverse_kl(mu, sigma, a, b)
    return [crossed, -crossed, back + analytic.log_evidence(a, b),
            analytic.log_evidence(a, b) - back, *_joint_weighs(mu, sigma, a, b)]  # fmt: skip


def _joint_weighs(mu: float, sigma: float, a: float, b: float, more: float = 0.0) -> list[float]:
    """Return the ELBO's integral over the range of q, with the joint density as its weight.

    A number ``more`` is added to log p(x, y), as in :func:`_integrated`; with minus the log
    evidence this is KL(posterior‖q), of which a part may lie beyond the range.
    """

    def integrand(y: torch.Tensor) -> torch.Tensor:
        joint = analytic.log_joint(y, a, b) + more
        return joint.exp() * (joint - analytic.log_normal(y, mu, sigma))

    return [float(trapezoid(integrand, mu - k * sigma, mu + k * sigma, 4001)) for k in (4, 8)]


def _integrated(
    mu: float, sigma: float, a: float, b: float, low: float, high: float,
    weight: Weight = torch.exp, more: float = 0.0,
) -> float:  # fmt: skip
    """Return the ELBO's integral over a range; q is its weight, or another function of log q.

    A number ``more`` is added to log p(x, y): minus the log evidence makes it the log posterior.
    """

    def integrand(y: torch.Tensor) -> torch.Tensor:
        log_q = analytic.log_normal(y, mu, sigma)
        return weight(log_q) * (analytic.log_joint(y, a, b) + more - log_q)

    return float(trapezoid(integrand, low, high, 4001))


def _log_q_weighs(mu: float, sigma: float, a: float, b: float) -> list[float]:
    """Return ∫ log q · (log p(x, y) − log q) dy over 4 and over 8 sigma to each side."""
    return [_integrated(mu, sigma, a, b, mu - k * sigma, mu + k * sigma, lambda log_q: log_q)
            for k in (4, 8)]  # fmt: skip


def _cut(mu: float, sigma: float, a: float, b: float) -> list[float]:
    ends = [(mu - k * sigma, mu + k * sigma) for k in (1, 2, 3, 4, 5)]
    ends += [(-k, k) for k in (3.0, 4.0, 5.0, 6.0)] + [(0.0, 1.0)]
    return [_integrated(mu, sigma, a, b, low, high) for low, high in ends]


def expected_and_entropy(mu: float, sigma: float, a: float, b: float) -> tuple[float, float]:
    """Return the two parts of the ELBO."""
    return analytic.expected_log_joint(mu, sigma, a, b), analytic.entropy(sigma)


def _entropy_times(factor: float) -> Elbo:
    def elbo(mu: float, sigma: float, a: float, b: float) -> float:
        expected, entropy = expected_and_entropy(mu, sigma, a, b)
        return expected + factor * entropy

    return elbo


def _unlogged(mu: float, sigma: float, a: float, b: float) -> list[float]:
    """Return the means under q of p(x, y) − log q(y) and of p(x, y)/q(y)."""
    density = analytic.expectation(lambda y: analytic.log_joint(y, a, b).exp(), mu, sigma)
    return [density + analytic.entropy(sigma), math.exp(analytic.log_evidence(a, b))]


# Misconceptions about the ELBO that quadrature and samples share: name, hint, values.
WRONG_ELBOS: list[tuple[str, str, Listed]] = [
    ("Jacobian forgotten",
     "you average the log-likelihood only; the prior's density on the scale of y is missing.",
     lambda mu, sigma, a, b: [analytic.elbo(mu, sigma, a - 1, b - 1)]),
    ("sign", "this is minus the ELBO, a loss to minimise; return the ELBO itself.",
     lambda mu, sigma, a, b: [-analytic.elbo(mu, sigma, a, b)]),
    ("entropy forgotten", "this is the mean of log p(x, y) alone; −log q is averaged as well.",
     lambda mu, sigma, a, b: [_entropy_times(0)(mu, sigma, a, b)]),
    ("entropy halved", "the entropy counts in full: log σ + ½ log 2π + ½.",
     lambda mu, sigma, a, b: [_entropy_times(0.5)(mu, sigma, a, b)]),
    ("entropy subtracted", "entropy is the mean of minus log q: in the ELBO it is added.",
     lambda mu, sigma, a, b: [_entropy_times(-1)(mu, sigma, a, b)]),
    ("KL direction", "the average is taken under q; here the joint density is the weight.",
     _reversed),
    ("log outside the mean", "this is the log evidence: take the log first, then the mean.",
     lambda mu, sigma, a, b: [analytic.log_evidence(a, b)]),
    ("gap returned", "this is what the ELBO lacks to the log evidence, or minus that.",
     lambda mu, sigma, a, b: [analytic.kl(mu, sigma, a, b), -analytic.kl(mu, sigma, a, b)]),
    ("variance for standard deviation", "sigma is a standard deviation: no square, no root.",
     lambda mu, sigma, a, b: [analytic.elbo(mu, s, a, b) for s in (sigma**2, sigma**0.5)]),
    ("flips forgotten", "this is the ELBO of the prior; the likelihood of the flips is missing.",
     lambda mu, sigma, a, b: [analytic.elbo(mu, sigma, 1, 1)]),
    ("five flips only",
     "this is the ELBO for the sheet's five flips; use the flips you are given.",
     lambda mu, sigma, a, b: [analytic.elbo(mu, sigma, 3, 4)]),
    ("log forgotten", "p(x, y) enters the average by its log.", _unlogged),
]  # fmt: skip


def _turn(name: str, hint: str, values: Listed, alike: Callable[..., bool] = any_of) -> Turn:
    return Turn(name, hint, lambda mu, sigma, flips: values(*plain(mu, sigma, flips)), alike=alike)


def _about(got: Any, wanted: Sequence[float]) -> bool:
    """Whether a value is one of several to a percent: such integrals depend on their nodes."""
    return any(same(got, w, 0.01) for w in wanted)


ELBO_TURNS = [
    *[_turn(*wrong) for wrong in WRONG_ELBOS],
    _turn("log base 2", "log means the natural logarithm.",
          lambda mu, sigma, a, b: [analytic.elbo(mu, sigma, a, b) / math.log(2)]),
    _turn("weights forgotten", "an average under q has q(y) as its weight.",
          lambda mu, sigma, a, b: [
              _integrated(mu, sigma, a, b, mu - 8 * sigma, mu + 8 * sigma, torch.ones_like)]),
    _turn("log q as weight", "the weight is q(y) itself, the exp of its log_prob.", _log_q_weighs,
          alike=_about),
    Turn("width forgotten",
         "the mean over the nodes is not the integral; torch.trapezoid takes y as well.",
         lambda mu, sigma, x: analytic.elbo(*plain(mu, sigma, x)) / (16 * float(sigma)),
         alike=lambda got, want: same(got, want, 0.02)),
    _turn("range too short", "part of q lies outside your nodes: go 8 sigma to either side.", _cut),
]  # fmt: skip


def kl_to_posterior(answer: Any) -> bool:
    """Check ``kl_to_posterior(mu, sigma, flips)``: KL(q‖posterior) = log evidence − ELBO.

    No q is near the posterior, so that the gap is well away from zero.
    """
    cases = []
    for heads, tails, wide in [(2, 3, True), (1, 4, False), (5, 2, True)]:
        mu, sigma, x, words = _settings("elbo: kl", heads, tails, wide)
        mu = (1.2 + 0.3 * mu) * (1 if heads < tails else -1)  # on the wrong side
        words = f"mu={float(mu):.3f}, {words.partition(', ')[2]}"
        expected = analytic.kl(*plain(mu, sigma, x))
        cases.append(Case(f"kl_to_posterior at {words}", (mu, sigma, x), expected))
    function_agrees(answer, cases, GAP_TURNS)
    return passed("kl_to_posterior: log evidence minus ELBO, at three normals.")


def _to_density_of_theta(mu: float, sigma: float, a: float, b: float) -> list[float]:
    """Return KL from q to the posterior without Jacobian, normalised by log B(a, b) or its own."""
    elbo = analytic.elbo(mu, sigma, a - 1, b - 1)
    return [analytic.log_evidence(a, b) - elbo, analytic.log_evidence(a - 1, b - 1) - elbo]


GAP_TURNS = [
    _turn("Jacobian forgotten",
          "q is a density of y, so the posterior must be one too: Beta's density needs its "
          "Jacobian.", _to_density_of_theta),
    _turn("KL direction", "this is KL(posterior‖q); the mean is to be taken under q.",
          lambda mu, sigma, a, b: [analytic.reverse_kl(mu, sigma, a, b),
                                   *_joint_weighs(mu, sigma, a, b, -analytic.log_evidence(a, b))],
          alike=_about),
    _turn("ELBO returned", "this is the ELBO; the gap is what it lacks to the log evidence.",
          lambda mu, sigma, a, b: [analytic.elbo(mu, sigma, a, b)]),
    _turn("sign", "a divergence is never negative; look at the order of the difference.",
          lambda mu, sigma, a, b: [-analytic.kl(mu, sigma, a, b)]),
    _turn("evidence forgotten",
          "this is minus the ELBO: the joint density is not the posterior until divided by p(x).",
          lambda mu, sigma, a, b: [-analytic.elbo(mu, sigma, a, b)]),
    _turn("evidence added twice", "you add what should be subtracted: the gap is a difference.",
          lambda mu, sigma, a, b: [s * (analytic.log_evidence(a, b)
                                        + analytic.elbo(mu, sigma, a, b)) for s in (1, -1)]),
    _turn("entropy forgotten", "the mean of log q is missing.",
          lambda mu, sigma, a, b: [analytic.log_evidence(a, b)
                                   - analytic.expected_log_joint(mu, sigma, a, b)]),
    _turn("prior for posterior", "this is KL(q‖prior); the flips play no part in it.",
          lambda mu, sigma, a, b: [analytic.kl(mu, sigma, 1, 1)]),
    _turn("log base 2", "log means the natural logarithm.",
          lambda mu, sigma, a, b: [analytic.kl(mu, sigma, a, b) / math.log(2)]),
    _turn("five flips only",
          "a part of this belongs to the sheet's five flips; use the flips you are given.",
          lambda mu, sigma, a, b: [analytic.log_evidence(*one) - analytic.elbo(mu, sigma, *other)
                                   for five in [(3.0, 4.0)] for one, other in
                                   [(five, five), (five, (a, b)), ((a, b), five)]]),
    _turn("log forgotten", "the evidence enters the gap by its log.",
          lambda mu, sigma, a, b: [math.exp(analytic.log_evidence(a, b))
                                   - analytic.elbo(mu, sigma, a, b)]),
    _turn("log q as weight", "the weight is q(y) itself, the exp of its log_prob.",
          lambda mu, sigma, a, b: [s * _integrated(mu, sigma, a, b, mu - k * sigma, mu + k * sigma,
                                                   lambda log_q: log_q, more)
                                   for k in (4, 8) for s in (1, -1)
                                   for more in [-analytic.log_evidence(a, b)]], alike=_about),
    _turn("range too short", "part of q lies outside your nodes: go 8 sigma to either side.",
          lambda mu, sigma, a, b: [analytic.log_evidence(a, b) - v
                                   for v in _cut(mu, sigma, a, b)]),
]  # fmt: skip
