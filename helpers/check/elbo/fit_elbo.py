"""fit_elbo(flips): the normal on the logit scale that has the highest ELBO.

The ELBO by quadrature is exact, so its top can be found to rounding; and the nearest wrong turns,
the moments of the posterior among them, are only hundredths of a standard deviation away. The
bound is therefore a thousandth of a posterior standard deviation, not a tenth.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from helpers.check.elbo import analytic, coins
from helpers.check.elbo.analytic import NODES, WEIGHTS
from helpers.check.kit.agree import Outcome
from helpers.check.kit.compare import AnyOf, as_row, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.learned import Learned

Tensor = torch.Tensor
Pairs = list[tuple[float, float]]


def reference(flips: Tensor) -> tuple[float, float]:
    """Return the ELBO's top."""
    return analytic.optimum(*analytic.exponents(flips))


def minus_elbo(theta: Tensor, flips: Tensor) -> Tensor:
    """Return minus the ELBO at (mu, sigma), infinite where there is no normal.

    Twice what the ELBO lacks to its top is ((μ − μ*)/σ*)² + 2·((σ − σ*)/σ*)² near it: the deviance,
    in posterior standard deviations, with the ELBO in place of the log-likelihood.
    """
    if not bool(theta.isfinite().all()) or float(theta[1].detach()) <= 0:
        return torch.tensor(math.inf, dtype=torch.float64)
    return -analytic.elbo(theta[0], theta[1], *analytic.exponents(flips))


def _pairs(change: Callable[[float, float], Pairs]) -> Callable[[Tensor], AnyOf]:
    """Return a turn's pairs from both exponents."""
    return lambda flips: AnyOf(*change(*analytic.exponents(flips)))


def _changed(change: Callable[[float, float], Pairs]) -> Callable[[Tensor], AnyOf]:
    """Return a turn's pairs from the top itself."""
    return _pairs(lambda a, b: change(*analytic.optimum(a, b)))


def _pair(value: object) -> tuple[float, float] | None:
    taken = as_tensor(value)
    return None if taken is None or taken.shape != (2,) else (float(taken[0]), float(taken[1]))


def _collapsed(got: object, given: tuple[float, float]) -> bool:
    """Whether q has shrunk towards the mode of the joint density, as without its entropy."""
    pair, (mode, width) = _pair(got), analytic.laplace(*given)
    return pair is not None and 0 < pair[1] < 0.5 * width and abs(pair[0] - mode) < 0.3 * width


def _descended(got: object, given: tuple[float, float]) -> bool:
    """Whether q has left the posterior: too wide, too far, or collapsed away from its mode."""
    pair, (mu, sigma) = _pair(got), analytic.optimum(*given)
    if pair is None or math.isnan(pair[0]) or math.isnan(pair[1]) or pair[1] < 0:
        return False
    return not 0.3 < pair[1] / sigma < 2.5 or abs(pair[0] - mu) > 4 * sigma


def _negative(got: object, given: tuple[float, float]) -> bool:
    """Whether sigma is negative though mu is right; or both are right, where others failed."""
    pair, best = _pair(got), analytic.optimum(*given)
    if pair is None:
        return False
    # A run that only comes near is none of these.
    return same((pair[0], abs(pair[1])), best, 1e-3 if pair[1] < 0 else 1e-4)


def _invalid(error: Exception) -> str:
    """Return the numbers that torch refused, in its own words."""
    return str(error).rpartition("values:")[2].partition("dtype")[0].replace("e-", "")


def _left_the_numbers(error: Exception) -> bool:
    """Whether torch refused a number that is infinite, zero or none, as parameter or as value."""
    refused = "Expected parameter" in str(error) or "Expected value argument" in str(error)
    return refused and "-" not in _invalid(error).replace("-inf", "inf")


def _best_mu(sigma: float, a: float, b: float) -> float:
    """Return the best mu for a sigma, by Newton's method."""
    mu = 0.0
    for _ in range(60):
        y = mu + sigma * NODES
        bend = (a + b) * WEIGHTS * torch.sigmoid(y) * torch.sigmoid(-y)
        mu += float((WEIGHTS * analytic.slope(y, a, b)).sum() / bend.sum())
    return mu


def _best_sigma(mu: float, a: float, b: float) -> float:
    """Return the best sigma for a mu.

    With y = mu + sigma·z it is where sigma·E[z·slope] = −1, and that falls with sigma.
    """
    low, high = 0.01, 10.0
    for _ in range(50):
        sigma = math.sqrt(low * high)
        slope = float((WEIGHTS * NODES * analytic.slope(mu + sigma * NODES, a, b)).sum())
        low, high = (sigma, high) if sigma * slope > -1 else (low, sigma)
    return math.sqrt(low * high)


def _halted(a: float, b: float) -> Pairs:
    """Return the best mu where sigma never moved from a usual start."""
    return [(_best_mu(sigma, a, b), sigma) for sigma in (1.0, 0.5, 2.0, math.log(2))]


def _still(a: float, b: float) -> Pairs:
    """Return the best sigma where mu never moved from a usual start."""
    return [(mu, _best_sigma(mu, a, b)) for mu in (0.0, 1.0, -1.0)]


def _in_turn(a: float, b: float) -> Pairs:
    """Return the best mu at a usual sigma with the best sigma for that mu, and the reverse."""
    return [(mu, _best_sigma(mu, a, b)) for mu, _ in _halted(a, b)] + [
        (_best_mu(sigma, a, b), sigma) for _, sigma in _still(a, b)
    ]


def _piled_up(flips: Tensor) -> Tensor:
    """Return the places of runs whose gradients add up from step to step, shape (n, 2).

    They begin at (0, 1), step mu and log sigma, and swing for ever.
    """
    a, b = analytic.exponents(flips)
    path = []
    for rate in (0.05, 0.1, 0.2, 0.3):
        at, total = torch.zeros(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
        for _ in range(600):
            sigma = at[1].exp()
            s = analytic.slope(at[0] + sigma * NODES, a, b)
            total = total + torch.stack(
                [(WEIGHTS * s).sum(), 1 + sigma * (WEIGHTS * NODES * s).sum()]
            )
            at = at + rate * total
            path.append(torch.stack([at[0], at[1].exp()]))
    found, top = torch.stack(path), torch.tensor(analytic.optimum(a, b), dtype=torch.float64)
    # Near the top any run may be, and one that begins each step afresh as well.
    far = ((found - top).abs() > 0.3 * top[1]).any(1)
    return found[far & found.isfinite().all(1)]


def _on_path(got: object, path: Tensor) -> bool:
    pair = _pair(got)
    if pair is None or not len(path):
        return False
    there = torch.tensor(pair, dtype=torch.float64)
    return bool(((path - there).abs() < NEAR).all(1).any())


@dataclass(frozen=True)
class Climbed(Learned):
    """As :class:`Learned`; a run that has come near the top is told so."""

    def named(self, failing: Sequence[Outcome]) -> tuple[str, str] | None:
        """Return «not settled» where every run that stops early lacks a fifth of a deviation."""
        found = super().named(failing)
        if found is None or found[0] != "stops early":
            return found
        rows = [as_row(o.value) for o in failing]
        lefts = [self.left(o.case, row.double(), o.expected)
                 for o, row in zip(failing, rows, strict=True) if row is not None]  # fmt: skip
        return found if max(lefts) > 0.2 else ("not settled", (
            f"near the top, and {max(lefts):.2g} of a posterior standard deviation off: make more "
            "steps, return the last of them, and let no chance into it."
        ))  # fmt: skip


BOUND = 1e-3
NEAR = 1e-3
TURNS = (
    Turn("raw sigma reported",
         "this is the unconstrained number that you step; turn it into sigma before you return.",
         _changed(lambda mu, sigma: [(mu, math.log(sigma)), (mu, math.log(math.expm1(sigma))),
                                     (mu, 2 * math.log(sigma))]), tolerance=NEAR),
    Turn("transformed twice", "sigma went through exp or softplus once more after training.",
         _changed(lambda mu, sigma: [(mu, math.exp(sigma)), (mu, math.log1p(math.exp(sigma)))]),
         tolerance=NEAR),
    Turn("sigma not kept positive",
         "sigma crossed zero; step a number that may be anything, and let sigma be its exp.",
         lambda flips: analytic.exponents(flips), alike=_negative,
         raises=lambda error: "GreaterThan(lower_bound=0.0)" in str(error)
         and "-" in _invalid(error)),
    Turn("the sheet's flips", "this is the top for the sheet's five flips; use those that you are "
         "given.",
         lambda flips: reference(coins.five()), tolerance=NEAR),
    Turn("variance reported", "this is the variance; sigma is its root.",
         _changed(lambda mu, sigma: [(mu, sigma**2)]), tolerance=NEAR),
    Turn("swapped", "first mu, then sigma.", _changed(lambda mu, sigma: [(sigma, mu)]),
         tolerance=NEAR),
    Turn("Jacobian forgotten",
         "this is the top for the likelihood alone; the prior's density of y is missing.",
         _pairs(lambda a, b: [analytic.optimum(a - 1, b - 1)] if min(a, b) > 1 else []),
         tolerance=NEAR),
    Turn("entropy halved", "this is the top with half the entropy; it counts in full.",
         _pairs(lambda a, b: [analytic.optimum(a, b, weight=0.5)]), tolerance=NEAR),
    Turn("entropy doubled", "this is the top with twice the entropy; it counts once.",
         _pairs(lambda a, b: [analytic.optimum(a, b, weight=2.0)]), tolerance=NEAR),
    Turn("KL direction",
         "these are the posterior's own mean and deviation, the minimum of KL(posterior‖q).",
         _pairs(lambda a, b: [analytic.moments(a, b)]), tolerance=NEAR),
    Turn("mode and curvature",
         "a normal put on the peak (Laplace's) is near the top of the ELBO, but not on it.",
         _pairs(lambda a, b: [analytic.laplace(a, b)]), tolerance=NEAR),
    Turn("answer for theta", "mu and sigma belong to y, the logit scale, not to theta.",
         _pairs(lambda a, b: [(a / (a + b), math.sqrt(a * b / (a + b + 1)) / (a + b)),
                              (1 / (1 + math.exp(-analytic.optimum(a, b)[0])),
                               analytic.optimum(a, b)[1])]), tolerance=NEAR),
    Turn("sigma never trained", "mu has found its place for a sigma that did not move: is the "
         "number behind sigma tracked, and known to the optimizer?", _pairs(_halted),
         tolerance=NEAR),
    Turn("mu never trained", "sigma has found its place for a mu that did not move: is mu tracked, "
         "and known to the optimizer?", _pairs(_still), tolerance=NEAR),
    Turn("one after the other", "the best mu moves with sigma, and the reverse: step both in the "
         "same run.", _pairs(_in_turn), tolerance=NEAR),
    Turn("gradients pile up", "each backward() adds to the gradient of the step before: begin each "
         "step with zero_grad().", _piled_up, alike=_on_path),
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
)  # fmt: skip

EXERCISE = Exercise(
    name="fit_elbo",
    arguments=(
        coins.flips_argument(many=(12,), sizes=(), edges={
            "all of them heads": torch.ones(5, dtype=coins.DOUBLE)}),
    ),
    reference=reference,
    agree=Climbed(
        mean_nll=minus_elbo,
        size=lambda flips: 1,
        start=lambda flips: AnyOf((0.0, 1.0), (0.0, math.log(2)), (0.0, 2.0), (-2.0, 2.0),
                                  (2.0, 2.0), (0.0, 0.5), (0.0, 3.0)),
        near=NEAR,
        most=BOUND,
        unit="posterior standard deviations",
    ),
    turns=TURNS,
    parts=("mu", "sigma"),
    typical=1,
    passed="fit_elbo: the ELBO's top, to a thousandth of a posterior standard deviation.",
)  # fmt: skip
fit_elbo = EXERCISE.check
