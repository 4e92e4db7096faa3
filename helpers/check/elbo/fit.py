"""Check of sheet 08, last part: the normal with the highest ELBO."""

import math
from collections.abc import Callable
from typing import Any

import torch

from helpers import data
from helpers.check.elbo import analytic
from helpers.check.elbo.joint import shuffled
from helpers.check.kit.agree import apart, as_tensor, numbers, same, within
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import CheckFailed, passed

# The ELBO by quadrature is exact, so its top can be found to rounding; and the nearest wrong turns,
# the moments of the posterior among them, are only hundredths of a standard deviation away. The
# bound is therefore a thousandth of a posterior standard deviation, not the tenth of a standard
# error that a learned parameter has elsewhere.
POSTERIOR_SD = 1e-3


def fit_elbo(answer: Any, flips: str = "practice") -> bool:
    """Check ``fit_elbo(flips)``: (mu, sigma) within 0.001 posterior standard deviations of the top.

    Args:
        answer: the student's function.
        flips: "practice" for the sheet's five flips and seven with a single tail, "fresh" for
            numbers of heads and tails that differ from student to student.
    """
    if flips == "practice":
        counts = [(2, 3), (6, 1)]
    else:
        u = data.uniform("elbo: fit", 2)
        counts = [(1, 5 + int(4 * u[0])), (4 + int(4 * u[1]), 2)]
    cases = []
    for heads, tails in counts:
        x = shuffled(f"elbo: fit flips {heads} {tails}", heads, tails)
        described = f"fit_elbo(flips) on {heads} heads and {tails} tails"
        best = analytic.optimum(*analytic.exponents(x))
        cases.append(Case(described, (x,), best, judge=_judge(x)))
    function_agrees(answer, cases, FIT_TURNS)
    return passed("fit_elbo: the ELBO's top, to a thousandth of a posterior standard deviation.")


def _judge(flips: torch.Tensor) -> Callable[[str, Any, Any], None]:
    a, b = analytic.exponents(flips)

    def judge(described: str, value: Any, expected: Any) -> None:
        mu, sigma = numbers(described, value, expected).to(torch.float64).tolist()
        left = analytic.distance(mu, sigma, a, b)
        if not within("posterior standard deviations", left / POSTERIOR_SD):
            wanted, got = apart(expected, value)
            far = f", {left:.2g} posterior standard deviations away" if left < math.inf else ""
            raise CheckFailed(described, wanted, got + far)

    return judge


def _pair(value: Any) -> tuple[float, float] | None:
    taken = as_tensor(value)
    if taken is None or taken.shape != (2,):
        return None
    return float(taken[0]), float(taken[1])


Pairs = list[tuple[float, float]]


def _turn(name: str, hint: str, pairs: Callable[[float, float], Pairs]) -> Turn:
    """Return a turn that a converged fit of something else shows, to three digits."""
    return Turn(
        name,
        hint,
        lambda flips: pairs(*analytic.exponents(flips)),
        alike=lambda got, wanted: any(same(got, pair, 1e-3) for pair in wanted),
    )


def _changed(change: Callable[[float, float], Pairs]) -> Callable[[float, float], Pairs]:
    return lambda a, b: change(*analytic.optimum(a, b))


def _collapsed(got: Any, given: tuple[float, float]) -> bool:
    """Whether q has shrunk towards the mode of the joint density, as without its entropy."""
    pair, (mode, width) = _pair(got), analytic.laplace(*given)
    return pair is not None and 0 < pair[1] < 0.5 * width and abs(pair[0] - mode) < 0.3 * width


def _descended(got: Any, given: tuple[float, float]) -> bool:
    """Whether q has left the posterior: too wide, too far, or collapsed away from its mode."""
    pair, (mu, sigma) = _pair(got), analytic.optimum(*given)
    if pair is None or math.isnan(pair[0]) or math.isnan(pair[1]) or pair[1] < 0:
        return False
    ratio = pair[1] / sigma
    return ratio > 2 or ratio < 0.5 or abs(pair[0] - mu) > 2 * sigma


def _negative(got: Any, given: tuple[float, float]) -> bool:
    """Whether sigma is negative though mu is right; or both are right, where others failed."""
    pair, best = _pair(got), analytic.optimum(*given)
    return pair is not None and same((pair[0], abs(pair[1])), best, 1e-3)


def _on_its_way(got: Any, given: tuple[float, float]) -> bool:
    pair = _pair(got)
    return pair is not None and analytic.distance(*pair, *given) < 2.0


def _left_the_numbers(error: Exception) -> bool:
    """Whether torch refused a number that is infinite or none, as parameter or as value."""
    refused = "Expected parameter" in str(error) or "Expected value argument" in str(error)
    return refused and ("nan" in str(error) or "inf" in str(error))


FIT_TURNS = [
    _turn("raw sigma reported",
          "this is the unconstrained number that you step; turn it into sigma before you return.",
          _changed(lambda mu, sigma: [(mu, math.log(sigma)), (mu, math.log(math.expm1(sigma))),
                                      (mu, 2 * math.log(sigma))])),
    Turn("sigma not kept positive",
         "sigma crossed zero; step a number that may be anything, and let sigma be its exp.",
         lambda flips: analytic.exponents(flips), alike=_negative,
         raises=lambda error: "GreaterThan(lower_bound=0.0)" in str(error)),
    _turn("variance reported", "this is the variance; sigma is its root.",
          _changed(lambda mu, sigma: [(mu, sigma**2)])),
    _turn("swapped", "first mu, then sigma.", _changed(lambda mu, sigma: [(sigma, mu)])),
    _turn("Jacobian forgotten",
          "this is the top for the likelihood alone; the prior's density of y is missing.",
          lambda a, b: [analytic.optimum(a - 1, b - 1)]),
    _turn("entropy halved", "this is the top with half the entropy; it counts in full.",
          lambda a, b: [analytic.optimum(a, b, weight=0.5)]),
    _turn("KL direction",
          "these are the posterior's own mean and deviation, the minimum of KL(posterior‖q).",
          lambda a, b: [analytic.moments(a, b)]),
    _turn("mode and curvature",
          "a normal put on the peak (Laplace's) is near the top of the ELBO, but not on it.",
          lambda a, b: [analytic.laplace(a, b)]),
    _turn("five flips only", "this is the top for the sheet's five flips; use those you are given.",
          lambda a, b: [analytic.optimum(3, 4)]),
    _turn("answer for theta", "mu and sigma belong to y, the logit scale, not to theta.",
          lambda a, b: [(a / (a + b), math.sqrt(a * b / (a + b + 1)) / (a + b))]),
    Turn("entropy forgotten",
         "nothing holds q open: without its entropy it shrinks onto the peak of the joint density.",
         lambda flips: analytic.exponents(flips), alike=_collapsed),
    Turn("sign",
         "you walk down the ELBO: minimise its negative, or step along the gradient.",
         lambda flips: analytic.exponents(flips), alike=_descended),
    Turn("diverges",
         "the run left all numbers behind: do the steps lead down, for want of maximize=True or of "
         "a minus, or are they too large?",
         raises=_left_the_numbers),
    Turn("gradient cut",
         "nothing tracked reaches the ELBO: make mu and the number behind sigma tracked, and use "
         "no item() or float() on the way.",
         raises=lambda error: any(text in str(error) for text in (
             "does not require grad", "object has no attribute 'backward'"))),
    Turn("stops early",
         "near the top, but not on it: make more steps, begin each with zero_grad(), and let no "
         "chance into the last of them.",
         lambda flips: analytic.exponents(flips), alike=_on_its_way),
]  # fmt: skip
