"""standard_errors(nll, theta): from the curvature of a negative log-likelihood at its lowest point.

Each loss comes with the place where it is lowest, in closed form. Of several parameters none is
learned independently of the others, so that a curvature's reciprocal is no variance.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.distributions import Exponential, Normal

from helpers.check.kit.asks import Argument, Draws, Given, Jointly
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.message import NOT_A_NUMBER
from helpers.check.likelihood import analytic

Loss = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Sample:
    """The negative log-likelihood of a sample, as a function of the parameters.

    Args:
        words: what a message calls it.
        lowest: where it is lowest, float64 of shape (k,).
        formula: takes parameters of shape (k,), returns a number.
    """

    words: str
    lowest: torch.Tensor
    formula: Loss

    def __call__(self, theta: torch.Tensor) -> torch.Tensor:
        """Return the negative log-likelihood."""
        return self.formula(theta)


def waits(u: Draws, n: int) -> Sample:
    """Return the loss of exponential waits over the rate, λ; it is lowest at 1/mean."""
    x = -torch.log1p(-u.uniform(n)) / u.log_real(0.2, 4)
    return Sample(f"the loss of {n} waits", (1 / x.mean())[None],
                  lambda theta: -Exponential(theta[0]).log_prob(x).sum())  # fmt: skip


def line(u: Draws, n: int, noise: float | None) -> Sample:
    """Return the loss of a line through n points, over intercept, slope and, if unknown, noise.

    Args:
        u: draws the points.
        n: how many there are.
        noise: standard deviation of y about the line; None makes it the third parameter.
    """
    x = u.uniform(n, 1.0, u.real(3, 5))
    y = u.real(-3, 3) + u.real(-2, 2) * x + u.normal(n, 0.0, u.log_real(0.4, 2.0))
    best, spread = analytic.least_squares(x, y)
    if noise is not None:
        return Sample(
            f"the loss of a line through {n} points", best,
            lambda theta: -Normal(theta[0] + theta[1] * x, noise).log_prob(y).sum(),
        )  # fmt: skip
    return Sample(
        f"the loss of a line and its noise through {n} points",
        torch.cat([best, spread[None]]),
        lambda theta: -Normal(theta[0] + theta[1] * x, theta[2]).log_prob(y).sum(),
    )


def _loss(u: Draws, given: Given, k: int) -> Sample:
    if k == 1:
        return waits(u, u.whole(5, 40))
    return line(u, u.whole(8, 30), u.real(0.5, 2.0) if k == 2 else None)


def _lowest(u: Draws, given: Given, k: int) -> torch.Tensor:
    return given["nll"].lowest.clone()


def _flat(u: Draws, given: Given) -> Jointly:
    """Return a loss of large numbers, beside whose curvature every epsilon is large."""
    loss = line(u, 12, 1e3)
    return Jointly(nll=loss, theta=loss.lowest.clone())


def curvature(nll: Loss, theta: torch.Tensor) -> torch.Tensor:
    """Return the matrix of second derivatives, shape (k, k), by differentiating twice."""
    return torch.autograd.functional.hessian(nll, theta)


def covariance(nll: Loss, theta: torch.Tensor) -> torch.Tensor:
    """Return the inverse of the curvature, shape (k, k)."""
    return torch.linalg.inv(curvature(nll, theta))


def reference(nll: Loss, theta: torch.Tensor) -> torch.Tensor:
    """Return the roots of the diagonal of the inverse curvature."""
    return covariance(nll, theta).diagonal().sqrt()


def _of_a_normal(nll: Loss, theta: torch.Tensor) -> AnyOf:
    return AnyOf(*[torch.stack([theta[1] / n**0.5, theta[1] / (2 * n) ** 0.5])
                   for n in (40, len(theta))])  # fmt: skip


def by_inverse(nll: Loss, theta: torch.Tensor) -> torch.Tensor:
    """Return the roots of the inverse's diagonal, in one step each."""
    hessian = torch.autograd.functional.hessian(nll, theta)
    inverse = torch.linalg.inv(hessian)
    return inverse.diagonal().sqrt()


def by_eigenvectors(nll: Loss, theta: torch.Tensor) -> torch.Tensor:
    """Return the roots of the inverse's diagonal, put together from eigenvectors."""
    values, vectors = torch.linalg.eigh(torch.autograd.functional.hessian(nll, theta))
    return (vectors**2 / values).sum(1) ** 0.5


TURNS = (
    Turn("root forgotten", "these are variances; a standard error is the root of one.",
         lambda f, t: covariance(f, t).diagonal()),
    Turn("not inverted", "the larger the curvature, the smaller the error: invert the matrix "
         "first.",
         lambda f, t: curvature(f, t).diagonal().abs().sqrt()),
    Turn("the curvature itself", "this is the curvature; its inverse holds the variances.",
         lambda f, t: AnyOf(curvature(f, t).diagonal(), curvature(f, t))),
    Turn("each parameter alone", "one over a curvature is the variance only if all others are "
         "known: invert the whole matrix first, and take the diagonal of the inverse.",
         lambda f, t: AnyOf(curvature(f, t).diagonal() ** -0.5, 1 / curvature(f, t).diagonal(),
                            reference(f, t) if len(t) == 2
                            else curvature(f, t).diagonal() ** -0.5)),
    Turn("the whole matrix", "the variances are on the diagonal of this matrix; take the roots of "
         "these.",
         lambda f, t: AnyOf(covariance(f, t), covariance(f, t).sqrt(),
                            covariance(f, t).abs().sqrt())),
    Turn("slope for curvature", "at the lowest point the slope is zero; take the second "
         "derivative.",
         lambda f, t: AnyOf(torch.zeros_like(t), torch.full_like(t, math.inf),
                            *[torch.full_like(t, 10.0 ** (k / 2)) for k in range(2, 21)]),
         raises=lambda error: "singular" in str(error)),
    Turn("value for function", "hessian takes the function and the place: hand over nll itself, "
         "not nll(theta).",
         raises=lambda error: any(w in str(error) for w in ("not function", "not callable"))),
    Turn("formulas of a normal", "σ/√n and σ/√(2n) belong to the loss of one normal sample; nll "
         "may be any.", _of_a_normal,
         raises=lambda error: isinstance(error, IndexError)),
    Turn("sign", "nll is a negative log-likelihood already: at its lowest point the curvature is "
         "positive, without another minus.",
         lambda f, t: AnyOf(-covariance(f, t).diagonal(), -reference(f, t),
                            torch.full_like(t, math.nan))),
    Turn("factor 2", "the inverse of the curvature is the variance as it is, without a factor 2.",
         lambda f, t: AnyOf(math.sqrt(2) * reference(f, t), reference(f, t) / math.sqrt(2),
                            2 * reference(f, t))),
    Turn("an interval for an error", "this is about twice the standard error, as for an interval: "
         "return the error itself.",
         lambda f, t: AnyOf(*[z * reference(f, t) for z in (1.96, 1.959964, 1.645)])),
    Turn("relative errors", "a standard error has the parameter's unit: do not divide by theta.",
         lambda f, t: AnyOf(reference(f, t) / t, reference(f, t) / t.abs())),
    Turn("reversed", "the errors come in the order of theta.",
         lambda f, t: reference(f, t).flip(0)),
    Turn("one error for all", "each parameter has an error of its own.",
         lambda f, t: AnyOf(*[e.expand(len(t)) for e in (
             reference(f, t)[0], reference(f, t).mean(), covariance(f, t).trace().sqrt(),
             torch.linalg.det(covariance(f, t)).sqrt())])),
    Turn("root before the inverse", "invert the matrix first; roots of single entries come last.",
         lambda f, t: AnyOf(torch.linalg.inv(curvature(f, t).abs().sqrt()).diagonal(),
                            torch.linalg.inv(curvature(f, t).abs().sqrt()).diagonal().abs())),
    Turn("rows added up", "the variances are the entries on the diagonal, not sums over rows.",
         lambda f, t: AnyOf(*[m.abs().sqrt() for m in (
             covariance(f, t).sum(0), covariance(f, t).abs().sum(0))],
             covariance(f, t).norm(dim=0), covariance(f, t).norm(dim=0).sqrt(),
             curvature(f, t).norm(dim=0) ** -0.5, 1 / curvature(f, t).norm(dim=0),
             curvature(f, t).sum(0).abs() ** -0.5)),
    Turn("theta returned", "this is where the curvature is taken; return the errors.",
         lambda f, t: t),
    Turn("logarithm of it", "no logarithm is needed: nll has one already.",
         lambda f, t: AnyOf(curvature(f, t).diagonal().log(), reference(f, t).log())),
    Turn("something added", "nothing needs to be added to the curvature: at the lowest point it "
         "has an inverse.",
         lambda f, t: AnyOf(*[torch.linalg.inv(curvature(f, t) + a * torch.eye(len(t)))
                              .diagonal().sqrt() for a in (1, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6,
                                        1e-7, 1e-8)])),
    Turn("divided once more", "nll belongs to the whole sample: nothing is left to divide by.",
         lambda f, t: AnyOf(*[reference(f, t) / math.sqrt(k) for k in (len(t) + 1e-9, 40)])),
    Turn("factor's diagonal", "the diagonal of a Cholesky factor leaves out what the parameters "
         "share: take the diagonal of the matrix, then its root.",
         lambda f, t: AnyOf(torch.linalg.cholesky(covariance(f, t)).diagonal(),
                            1 / torch.linalg.cholesky(curvature(f, t)).diagonal())),
    Turn("eigenvalues", "eigenvalues belong to directions in between; the parameters' own "
         "variances are on the diagonal of the inverse.",
         lambda f, t: AnyOf(*[e.sqrt() for e in _both(torch.linalg.eigvalsh(covariance(f, t)))])),
    Turn("theta ignored", "take the curvature at theta; elsewhere it is another one.",
         lambda f, t: AnyOf(*[reference(f, at * torch.ones_like(t)) for at in (0.5, 1.0)])),
)  # fmt: skip


def _both(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return values, values.flip(0)


EXERCISE = Exercise(
    name="standard_errors",
    arguments=(
        Argument("nll", _loss, many=(2, 3, 3), alone=False, shown=lambda f: f.words,
                 edges={"a curvature near zero": _flat}),
        Argument("theta", _lowest, many=(2, 3, 3), sizes=(1,), alone=False),
    ),
    reference=reference,
    turns=TURNS,
    worked=(by_inverse, by_eigenvectors),
    hints={NOT_A_NUMBER: "the root of a negative number: nll is a negative log-likelihood already, "
           "and its inverse curvature has a positive diagonal at the lowest point."},
    passed="standard_errors: of one, two and three parameters, from the inverse curvature.",
)  # fmt: skip
standard_errors = EXERCISE.check
