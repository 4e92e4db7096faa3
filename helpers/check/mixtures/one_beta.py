"""Check of sheet 06: the best single Beta, judged by its likelihood."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch

from helpers import data
from helpers.check.kit.agree import (
    STANDARD_ERRORS,
    as_tensor,
    numbers,
    same,
    standard_errors,
    within,
)
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import CheckFailed, passed, show
from helpers.check.mixtures import analytic


def fit_beta(answer: Any) -> bool:
    """Check ``fit_beta(data)`` by deviance: 0.1 standard errors from the root of the scores.

    Args:
        answer: the student's function of observations in (0, 1), shape (n,).
    """
    low = data.beta_draws("mixtures: low peak", 1050, 1.5, 10.0)
    high = data.beta_draws("mixtures: high peak", 450, 10.0, 1.5)
    one = data.beta_draws("mixtures: one peak", 300, 2.0, 6.0)
    piled = data.beta_draws("mixtures: piled up", 700, 4.0, 0.8).clamp(max=1 - 1e-6)
    cases = [
        Case(f"fit_beta(data) on {len(x)} observations {words}", (x,), analytic.beta_mle(x),
             judge=_judge(x))
        for words, x in [("with two peaks", torch.cat([low, high])), ("with one peak", one),
                         ("piled up at 1", piled)]
    ]  # fmt: skip
    function_agrees(answer, cases, BETA_TURNS)
    return passed(f"fit_beta: both scores vanish, on {len(cases)} samples.")


def beta_nll(x: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the mean loss of Beta(a, b) on x, infinite where that is no distribution."""

    def mean_nll(ab: torch.Tensor) -> torch.Tensor:
        if not (ab > 0).all():
            return torch.tensor(math.inf)
        return -torch.distributions.Beta(ab[0], ab[1], validate_args=False).log_prob(x).mean()

    return mean_nll


def _judge(x: torch.Tensor) -> Callable[[str, Any, Any], None]:
    def judge(tested: str, value: Any, optimum: Any) -> None:
        left = standard_errors(beta_nll(x), numbers(tested, value, optimum), optimum, len(x))
        if not within("standard errors", left / STANDARD_ERRORS):
            away = f"{left:.3g} standard errors away"
            raise CheckFailed(
                tested, f"{show(optimum)}, to 0.1 standard errors",
                f"{show(value)}, {away if math.isfinite(left) else 'no Beta distribution'}",
            )  # fmt: skip

    return judge


def _near_one(got: Any, wanted: Iterable[Any]) -> bool:
    """Whether a value agrees with one of several to three digits, as a learned one may."""
    return any(same(got, w, 2e-3) for w in wanted)


def _inverse_digamma(y: torch.Tensor) -> torch.Tensor:
    """Return the x with ψ(x) = y, by bisection on log x."""
    low, high = torch.full_like(y, -20.0), torch.full_like(y, 20.0)
    for _ in range(80):
        middle = (low + high) / 2
        below = torch.digamma(middle.exp()) < y
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return low.exp()


def _same_mean(m: torch.Tensor) -> list[torch.Tensor]:
    """Return what comes of m in both equations; they have no solution where 2·exp(m) ≥ 1."""
    return [analytic.solve_scores(m, m)] if 2 * float(m.exp()) < 1 else []


def _means(x: torch.Tensor) -> torch.Tensor:
    return torch.stack([torch.log(x).mean(), torch.log1p(-x).mean()])


BETA_TURNS = [
    Turn("method of moments",
         "this matches mean and variance; maximum likelihood matches the means of the two logs.",
         lambda x: [analytic.beta_moments(x), _unbiased_moments(x)], alike=_near_one),
    Turn("a and b swapped", "a belongs to log x, b to log(1 − x).",
         lambda x: [analytic.beta_mle(x).flip(0)], alike=_near_one),
    Turn("sum's digamma forgotten",
         "you solved ψ(a) = mean log x; both equations also hold ψ(a + b).",
         lambda x: [_inverse_digamma(_means(x))], alike=_near_one),
    *[
        Turn("one mean used twice",
             "both equations hold the same mean of logs; one is of log x, one of log(1 − x).",
             lambda x, which=which: _same_mean(_means(x)[which]),
             raises=lambda error: "singular" in str(error),
             alike=lambda got, wanted: not wanted or _near_one(got, wanted))
        for which in (0, 1)
    ],
    Turn("exponents returned", "these are the powers of x and 1 − x; a and b are one larger.",
         lambda x: [analytic.beta_mle(x) - 1], alike=_near_one),
    Turn("mean and concentration", "this is a/(a + b) and a + b; return a and b themselves.",
         lambda x: [_mean_and_sum(analytic.beta_mle(x))], alike=_near_one),
    Turn("raw parameters returned",
         "these are unconstrained numbers, before softplus or exp; return the positive a and b.",
         lambda x: [analytic.beta_mle(x).expm1().log(), analytic.beta_mle(x).log()],
         alike=_near_one),
    Turn("mean and spread", "these describe the data; a and b are the Beta's parameters.",
         lambda x: [torch.stack([x.mean(), spread]) for c in (0, 1)
                    for spread in (x.std(correction=c), x.var(correction=c))], alike=_near_one),
    Turn("means of logs", "these are the right-hand sides of the equations; solve for a and b.",
         lambda x: [_means(x)], alike=_near_one),
    Turn("the sheet's data", "these fit the sheet's own observations; use the data you are given.",
         lambda x: [analytic.beta_mle(data.two_peaks())], alike=_near_one),
    Turn("a single step", "this is where one Newton step leads; make some more.",
         lambda x: [analytic.solve_scores(_means(x)[0], _means(x)[1], steps=1)], alike=_near_one),
    Turn("not positive", "a and b are positive; did a step jump over zero? Start lower.",
         lambda x: x,
         alike=lambda got, x: (v := as_tensor(got)) is not None and v.shape == (2,)
         and bool((v <= 0).any())),
    # Last: any two positive numbers.
    Turn("stops early", "the scores of these data are not zero here; go on until the numbers no "
         "longer change.",
         lambda x: x,
         alike=lambda got, x: (v := as_tensor(got)) is not None and v.shape == (2,)
         and bool((v > 0).all())),
]  # fmt: skip


def _mean_and_sum(ab: torch.Tensor) -> torch.Tensor:
    return torch.stack([ab[0] / ab.sum(), ab.sum()])


def _unbiased_moments(x: torch.Tensor) -> torch.Tensor:
    m, v = x.mean(), x.var()
    both = m * (1 - m) / v - 1
    return torch.stack([m * both, (1 - m) * both])
