"""gaussian_elbo(m, L, H, y, sigma, prior): the bound of a normal q, without quadrature."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.distributions import Normal

from helpers.check.hierarchy import weights
from helpers.check.hierarchy.analytic import LOG_2_PI, elbo, entropy, parts
from helpers.check.kit.asks import Argument, Draws, Given, Jointly, positive
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

Tensor = torch.Tensor
Gives = Callable[..., Any]


def reference(m: Tensor, L: Tensor, H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> AnyOf:
    """Return the ELBO in three ways, alike in value.

    Above the diagonal L is zero, and whether a slope passes there is a matter of taste: it does
    where S = LLᵀ is made of the whole matrix, it does not where its lower triangle is taken.
    """
    whole, low = L @ L.T, L.tril() @ L.tril().T
    log_det = 2 * L.diagonal().log().sum()
    d = len(m)
    first, second = (torch.stack(parts(m, S, H, y, sigma, prior)).sum() for S in (whole, low))
    return AnyOf(first + entropy(log_det, d), first + entropy(torch.logdet(whole), d),
                 second + entropy(log_det, d))  # fmt: skip


def by_lines(m: Tensor, L: Tensor, H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> object:
    """The three lines of the sheet."""
    r, spread = y - H @ m, (H @ L) ** 2
    fit = -len(y) / 2 * math.log(2 * math.pi * sigma**2) - (r @ r + spread.sum()) / (2 * sigma**2)
    second = m**2 + (L**2).sum(1)
    log_prior = (-0.5 * torch.log(2 * math.pi * prior**2) - second / (2 * prior**2)).sum()
    log_det = 2 * torch.log(torch.diagonal(L)).sum()
    return fit + log_prior + 0.5 * (len(m) * (1 + math.log(2 * math.pi)) + log_det)


def by_divergence(
    m: Tensor, L: Tensor, H: Tensor, y: Tensor, sigma: float, prior: Tensor
) -> object:
    """Expected log-likelihood less divergence to the prior."""
    S, r = L @ L.T, y - H @ m
    error = r @ r + torch.trace(H @ S @ H.T)
    expected = -len(y) / 2 * math.log(2 * math.pi) - len(y) * math.log(sigma)
    scaled = (torch.diagonal(S) + m**2) / prior**2
    kl = 0.5 * (scaled.sum() - len(m) + (2 * torch.log(prior)).sum() - torch.logdet(S))
    return expected - error / (2 * sigma**2) - kl


def by_torch(m: Tensor, L: Tensor, H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> object:
    """By torch's log-densities."""
    S = L @ L.T
    ll = Normal(H @ m, sigma).log_prob(y).sum() - torch.trace(H @ S @ H.T) / (2 * sigma**2)
    lp = Normal(0.0, prior).log_prob(m).sum() - (torch.diagonal(S) / (2 * prior**2)).sum()
    return ll + lp + 0.5 * torch.logdet(2 * math.pi * math.e * S)


def _made_of(change: str) -> Gives:
    """Return the ELBO with one of its parts left out, halved, or of another matrix."""

    def gives(m: Tensor, L: Tensor, H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> AnyOf:
        S, d, n = L @ L.T, len(m), len(y)
        fit, spread, before, spread_before = parts(m, S, H, y, sigma, prior)
        log_det = torch.logdet(S)
        whole = fit + spread + before + spread_before + entropy(log_det, d)
        flat = entropy(log_det, d)
        other_spread = {
            "not through H": AnyOf(-S.trace() / (2 * sigma**2),
                                   -n * S.trace() / (2 * sigma**2),
                                   -H.square().sum() * S.trace() / (2 * sigma**2)),
            "L for S": AnyOf(-((H @ L) * H).sum() / (2 * sigma**2),
                             -(H @ L).sum() / (2 * sigma**2), -L.trace() / (2 * sigma**2)),
            "diagonal": AnyOf(-((H**2) @ S.diagonal()).sum() / (2 * sigma**2)),
            "root": AnyOf(-((H @ S) * H).sum().sqrt() / (2 * sigma**2)),
        }  # fmt: skip
        if change in other_spread:
            return AnyOf(*[whole - spread + v for v in other_spread[change].values])
        # As many ways to do each as come to mind, all alike in the cause.
        ways = {
            "trace": [whole - spread, whole - spread - spread_before],
            "prior's trace": [whole - spread_before],
            "log det": [whole - 0.25 * log_det],
            "log det of S": [whole + 0.5 * log_det],
            "entropy's sign": [whole - 2 * flat, whole - log_det],
            "independent entropy": [whole - flat + entropy(S.diagonal().log().sum(), d)],
            "entropy": [whole - flat, whole - 0.5 * log_det],
            "constant": [whole - 0.5 * d * (LOG_2_PI + 1), whole - 0.5 * d,
                         whole - 0.5 * d * LOG_2_PI],
            "prior": [whole - before - spread_before],
            "prior's constant": [whole + 0.5 * d * LOG_2_PI + prior.log().sum(),
                                 whole + prior.log().sum(), whole + 0.5 * d * LOG_2_PI,
                                 whole - prior.log().sum()],
            "kl": [fit + spread - (before + spread_before + flat),
                   fit + spread + flat - before - spread_before],
            "likelihood's constant": [whole + 0.5 * n * LOG_2_PI, whole + n * math.log(sigma),
                                      whole + 0.5 * n * LOG_2_PI + n * math.log(sigma),
                                      whole + 0.5 * n * math.log(sigma),
                                      whole - n * math.log(sigma)],
            "one row": [whole - (1 - 1 / n) * fit,
                        whole - (1 - 1 / n) * (fit + spread),
                        whole + (n - 1) * (0.5 * LOG_2_PI + math.log(sigma))],
            "mean": [whole / n],
        }  # fmt: skip
        return AnyOf(*ways[change])

    return gives


def _with(change: str) -> Gives:
    """Return the ELBO of another covariance, or with other numbers for variances."""

    def gives(m: Tensor, L: Tensor, H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> Tensor:
        if change == "LᵀL":
            return elbo(m, L.T @ L, H, y, sigma, prior)
        if change == "S":
            return elbo(m, L @ L.T @ L @ L.T, H, y, sigma, prior)
        if change == "diagonal":
            return elbo(m, torch.diag(L.diagonal() ** 2), H, y, sigma, prior)
        return elbo(m, L @ L.T, H, y, math.sqrt(sigma), prior.sqrt())

    return gives


def _half(m: Tensor, L: Tensor, H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> AnyOf:
    """Return it without a ½ before the squares, of the scores or of the weights."""
    S = L @ L.T
    _, spread, _, spread_before = parts(m, S, H, y, sigma, prior)
    whole = elbo(m, S, H, y, sigma, prior)
    r = y - H @ m
    squares = -(r @ r) / (2 * sigma**2)
    pull = -(m**2 / (2 * prior**2)).sum()
    return AnyOf(whole + squares + spread, whole + pull + spread_before, whole + squares,
                 whole + spread, whole + squares + spread + pull + spread_before)  # fmt: skip


def _colleagues(m: Tensor, L: Tensor, H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> AnyOf:
    """Return the ELBO with all of the colleague's slips left in, or two of them."""
    S = L @ L.T
    _, spread, _, spread_before = parts(m, S, H, y, sigma, prior)
    whole, det = elbo(m, S, H, y, sigma, prior), 0.5 * torch.logdet(S)
    return AnyOf(*[whole + det - kept
                   for kept in (spread_before, spread, spread + spread_before)])  # fmt: skip


def _of_divergence(
    m: Tensor, L: Tensor, H: Tensor, y: Tensor, sigma: float, prior: Tensor
) -> Tensor:
    """Return the expected log-likelihood less KL(prior ‖ q)."""
    S, d = L @ L.T, len(m)
    fit, spread, *_ = parts(m, S, H, y, sigma, prior)
    P = torch.linalg.inv(S)
    log_dets = torch.logdet(S) - 2 * prior.log().sum()
    return fit + spread - 0.5 * ((P.diagonal() * prior**2).sum() + m @ P @ m - d + log_dets)


def _predictive(m: Tensor, L: Tensor, H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> Tensor:
    """Return it with the log-density of each score about its prediction, spread and all."""
    S = L @ L.T
    fit, spread, *_ = parts(m, S, H, y, sigma, prior)
    wide = (sigma**2 + ((H @ L) ** 2).sum(1)).sqrt()
    return elbo(m, S, H, y, sigma, prior) - fit - spread + Normal(H @ m, wide).log_prob(y).sum()


def _mean_only(m: Tensor, L: Tensor, H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> Tensor:
    fit, _, before, _ = parts(m, L @ L.T, H, y, sigma, prior)
    return fit + before


def _of_unlike_variances(
    m: Tensor, L: Tensor, H: Tensor, y: Tensor, sigma: float, prior: Tensor
) -> AnyOf:
    """Return it with a deviation or its fourth power in the place of a variance, in some parts."""
    S = L @ L.T
    right = parts(m, S, H, y, sigma, prior)
    whole = elbo(m, S, H, y, sigma, prior)
    found = []
    for power in (0.5, 2.0):
        other = parts(m, S, H, y, sigma**power, prior**power)
        found += [whole - sum(right[i] - other[i] for i in some)
                  for some in ((0, 1), (0,), (1,), (2, 3), (2,), (3,))]  # fmt: skip
    r = y - H @ m
    squares = -(r @ r) / (2 * sigma**2) + right[1]
    pull = -(m**2 / (2 * prior**2)).sum() + right[3]
    beside = -((m**2 + S.diagonal()) / (2 * prior)).sum()
    return AnyOf(*found, whole - squares + sigma * squares, whole - pull + beside)


TURNS = (
    Turn("slips left in", "there are three: two of them stand where w is put at m though it is "
         "about it, one in the entropy.", _colleagues),
    Turn("KL reversed", "the divergence is from q to the prior: the average of log q − log p is "
         "over q.", _of_divergence),
    Turn("predictive for expected", "average the log-density over w: this is the log of an "
         "averaged density, which is larger.", _predictive),
    Turn("trace forgotten", "w is not at m but about it: E‖y − Hw‖² = ‖y − Hm‖² + tr(HSHᵀ).",
         _made_of("trace")),
    Turn("trace of the prior forgotten", "E w² = m² + the variance of w, in the prior as well.",
         _made_of("prior's trace")),
    Turn("trace without H", "the spread that counts is that of Hw: tr(HSHᵀ).",
         _made_of("not through H")),
    Turn("L in the place of S", "the trace holds S = LLᵀ; L is its factor.",
         _made_of("L for S")),
    Turn("correlations left out", "tr(HSHᵀ) holds all of S, not its diagonal alone.",
         _made_of("diagonal")),
    Turn("log det halved twice", "½ log det S is log det L, the sum of logs of L's diagonal, in "
         "full.", _made_of("log det")),
    Turn("log det not halved", "the entropy holds ½ log det S, which is log det L.",
         _made_of("log det of S")),
    Turn("entropy's sign", "the entropy −E log q is added: it holds q open.",
         _made_of("entropy's sign")),
    Turn("entropy forgotten", "the ELBO is E log p(y, w) − E log q(w).", _made_of("entropy")),
    Turn("constant of the entropy", "½ log det(2πe S) has d/2·(1 + log 2π) in it.",
         _made_of("constant")),
    Turn("entropy of independent weights", "½ log det S holds all of S, not its diagonal alone.",
         _made_of("independent entropy")),
    Turn("prior forgotten", "the joint density is likelihood times prior.", _made_of("prior")),
    Turn("constant of the prior", "a normal log-density has −log of the deviation − ½ log 2π.",
         _made_of("prior's constant")),
    Turn("sign of the KL", "the divergence to the prior is subtracted: log prior and entropy are "
         "added.", _made_of("kl")),
    Turn("constant of the likelihood", "each score brings −log σ − ½ log 2π.",
         _made_of("likelihood's constant")),
    Turn("mean over the scores", "the log-likelihood is a sum over the scores.",
         _made_of("one row")),
    Turn("LᵀL for LLᵀ", "w = m + Lz has the covariance LLᵀ.", _with("LᵀL")),
    Turn("L taken for a covariance", "L is the factor: S = LLᵀ, once.", _with("S")),
    Turn("L without its triangle", "what stands below the diagonal of L counts as well.",
         _with("diagonal")),
    Turn("deviations for variances", "sigma and prior are standard deviations: square them.",
         _with("both")),
    Turn("deviation for its square", "sigma and prior are standard deviations, and a square stands "
         "over the square of one.", _of_unlike_variances),
    Turn("½ forgotten", "a normal log-density holds half of each square.", _half),
    Turn("at the mean only", "this is the log joint density at m: average over q, and add its "
         "entropy.", _mean_only),
)  # fmt: skip


def _single(u: Draws, given: Given) -> Jointly:
    """Return one weight and one score."""
    one = torch.ones(1, dtype=torch.float64)
    return Jointly(m=u.normal(1), L=u.uniform(1, 0.5, 2)[:, None], H=1.7 * one[:, None],
                   y=2.2 * one, prior=0.8 * one)  # fmt: skip


EXERCISE = Exercise(
    name="gaussian_elbo",
    arguments=(
        Argument("m", weights.draw_m, many=(3, 4, 2), edges={"with one weight": _single}),
        Argument("L", weights.draw_L, shown=lambda L: "a lower triangle"),
        Argument("H", weights.draw_H, shown=lambda H: f"{H.shape[0]} rows of {H.shape[1]}"),
        Argument("y", weights.draw_y),
        positive("sigma", 0.4, 2.5, used_instead=lambda: weights.SIGMA),
        Argument("prior", weights.draw_prior),
    ),
    reference=reference,
    turns=TURNS,
    worked=(by_lines, by_divergence, by_torch),
    slopes=("m", "L"),
    passed="gaussian_elbo: in closed form, with slopes through m and L.",
)  # fmt: skip
gaussian_elbo = EXERCISE.check
