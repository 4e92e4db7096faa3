"""posterior_weights(X, y, scale, tau): the normal posterior of all weights, each with a prior."""

from collections.abc import Callable

import torch

from helpers import data
from helpers.check.kit.asks import Argument, positive
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.map import analytic, fit_map
from helpers.check.map.tables import described

Tensor = torch.Tensor
reference = analytic.weights_posterior


def _covariances(
    *ways: Callable[[Tensor, Tensor, float, float], Tensor],
) -> Callable[[Tensor, Tensor, float, float], AnyOf]:
    """Return the right mean with other matrices, from the right one, X, scale and tau."""

    def gives(X: Tensor, y: Tensor, scale: float, tau: float) -> AnyOf:
        mean, covariance = reference(X, y, scale, tau)
        return AnyOf(*[(mean, way(covariance, X, scale, tau)) for way in ways])

    return gives


def _penalised(
    *ways: Callable[[float, float, int], float], free: bool = False
) -> Callable[[Tensor, Tensor, float, float], AnyOf]:
    """Return what another λ gives, with σ² in front of the inverse or not."""

    def gives(X: Tensor, y: Tensor, scale: float, tau: float) -> AnyOf:
        squares, products = analytic.gram(X, y)
        right = reference(X, y, scale, tau)
        found = []
        for way in ways:
            wrong = analytic.penalties(len(products), way(scale, tau, len(y)), free)
            inverse = torch.linalg.pinv(squares + wrong)
            mean = inverse @ products
            found += [(mean, scale**2 * inverse), (mean, inverse), (mean, right[1]),
                      (mean, scale * inverse)]  # fmt: skip
        return AnyOf(*found)

    return gives


def _estimated(X: Tensor, y: Tensor, scale: float, tau: float) -> AnyOf:
    """Return what a spread from the residuals gives, in the covariance alone or everywhere."""
    mean, covariance = reference(X, y, scale, tau)
    off = y - X @ mean
    spreads = [(off**2).sum() / k for k in (len(y), len(y) - 1, len(y) - X.shape[1]) if k > 0]
    spreads += [y.var(correction=c) for c in (0, 1)]
    found = [(mean, covariance * s / scale**2) for s in spreads]
    others = [reference(X, y, float(s**0.5), tau) for s in spreads]
    return AnyOf(*found, *others, *[(mean, other[1]) for other in others])


def _root(covariance: Tensor) -> Tensor:
    return covariance.diagonal().sqrt()


TURNS = (
    Turn("order", "first the mean, then the covariance.",
         lambda X, y, scale, tau: reference(X, y, scale, tau)[::-1]),
    Turn("covariance forgotten", "the mean and the covariance are asked, as a tuple.",
         lambda X, y, scale, tau: AnyOf(*reference(X, y, scale, tau))),
    Turn("likelihood alone", "these are least squares with their standard errors: the prior adds "
         "1/tau² to the precision of every weight.", _penalised(lambda s, t, n: 0.0)),
    Turn("intercept without prior", "here every weight has the prior, the first one too.",
         _penalised(lambda s, t, n: (s / t) ** 2, free=True)),
    Turn("σ² dropped", "the inverse of XᵀX + λI is multiplied by scale².",
         _covariances(lambda c, X, s, t: c / s**2, lambda c, X, s, t: c / s)),
    Turn("tau² for scale²", "the inverse of XᵀX + λI is multiplied by scale², not by tau².",
         _covariances(lambda c, X, s, t: c / s**2 * t**2)),
    Turn("precision for covariance", "this is the precision: invert it.",
         _covariances(lambda c, X, s, t: torch.linalg.inv(c),
                      lambda c, X, s, t: s**2 * torch.linalg.inv(c),
                      lambda c, X, s, t: s**4 * torch.linalg.inv(c))),
    Turn("standard deviations for covariance", "a matrix of shape (d, d) is asked, with the "
         "variances on its diagonal.",
         _covariances(lambda c, X, s, t: _root(c), lambda c, X, s, t: c.diagonal(),
                      lambda c, X, s, t: _root(c).diag(), lambda c, X, s, t: c.abs().sqrt(),
                      lambda c, X, s, t: c.sqrt())),
    Turn("correlations left out", "the weights are correlated: the whole inverse is asked.",
         _covariances(lambda c, X, s, t: c.diagonal().diag(),
                      lambda c, X, s, t: (1 / torch.linalg.inv(c).diagonal()).diag(),
                      lambda c, X, s, t: c.diagonal().mean() * torch.eye(len(c)).double())),
    Turn("variances added", "precisions add up, not covariances: the posterior is narrower than "
         "the prior and than the likelihood.",
         _covariances(lambda c, X, s, t: t**2 * torch.eye(len(c)).double()
                      + s**2 * torch.linalg.pinv(X.T @ X))),
    Turn("inverse of each entry", "invert the matrix, not its entries.",
         _covariances(lambda c, X, s, t: 1 / torch.linalg.inv(c),
                      lambda c, X, s, t: s**4 / torch.linalg.inv(c))),
    Turn("correlation for covariance", "these are correlations; a covariance has units.",
         _covariances(lambda c, X, s, t: c / torch.outer(_root(c), _root(c)))),
    Turn("factor for covariance", "this is a factor L of the covariance, which is L Lᵀ.",
         _covariances(lambda c, X, s, t: torch.linalg.cholesky(c),
                      lambda c, X, s, t: torch.linalg.cholesky(c).T)),
    Turn("prior left out of the covariance", "the prior narrows the weights as well: the matrix to "
         "invert is the same as for the mean.",
         _covariances(lambda c, X, s, t: s**2 * torch.linalg.pinv(X.T @ X),
                      lambda c, X, s, t: torch.linalg.pinv(X.T @ X))),
    Turn("prior's covariance", "this is the prior's covariance: the data narrow it.",
         _covariances(lambda c, X, s, t: t**2 * torch.eye(len(c)).double())),
    Turn("wrong inverse", "the covariance is scale² times the inverse of XᵀX + λI, and that alone.",
         _covariances(lambda c, X, s, t: c @ (X.T @ X) @ c / s**2,
                      lambda c, X, s, t: c @ (X.T @ X) / s**2,
                      lambda c, X, s, t: s**2 * torch.linalg.inv(
                          X.T @ X + t**2 * torch.eye(len(c)).double()),
                      lambda c, X, s, t: c + s**2 * torch.eye(len(c)).double())),
    Turn("covariance of y", "a matrix of shape (d, d) is asked: of the weights, not of the "
         "observations.",
         _covariances(lambda c, X, s, t: X @ c @ X.T,
                      lambda c, X, s, t: X @ c @ X.T + s**2 * torch.eye(len(X)).double(),
                      lambda c, X, s, t: t**2 * X @ X.T + s**2 * torch.eye(len(X)).double())),
    Turn("σ² forgotten", "the prior weighs 1/tau² against squares that weigh 1/scale²: λ = "
         "scale²/tau².", _penalised(lambda s, t, n: t**-2)),
    Turn("λ upside down", "λ = scale²/tau²: the narrower the prior, the more it draws.",
         _penalised(lambda s, t, n: (t / s) ** 2, lambda s, t, n: t**2,
                    lambda s, t, n: (s * t) ** 2)),
    Turn("standard deviations for variances", "λ = scale²/tau², a ratio of variances.",
         _penalised(lambda s, t, n: s / t, lambda s, t, n: s / t**2, lambda s, t, n: s**2 / t)),
    Turn("prior counted n times", "each weight has one prior: λ, whatever n is.",
         _penalised(lambda s, t, n: n * (s / t) ** 2, lambda s, t, n: (s / t) ** 2 / n)),
    Turn("spread from the residuals", "scale is handed over: it is not to be estimated.",
         _estimated),
    Turn("mean not solved", "the mean is the inverse of XᵀX + λI times Xᵀy.",
         lambda X, y, scale, tau: AnyOf(*[
             (m, reference(X, y, scale, tau)[1]) for m in (
                 X.T @ y, reference(X, y, scale, tau)[1] @ X.T @ y, X.T @ y / scale**2)])),
    Turn("ten weights typed in", "the sheet's curve has ten weights; X has as many as it has "
         "columns.", raises=fit_map.ten_typed),
)  # fmt: skip


def by_penalty(X, y, scale, tau):  # type: ignore[no-untyped-def]
    """Return both from λ."""
    penalty = scale**2 / tau**2
    inverse = torch.linalg.inv(X.T @ X + penalty * torch.eye(X.shape[1], dtype=X.dtype))
    return inverse @ X.T @ y, scale**2 * inverse


def by_precision(X, y, scale, tau):  # type: ignore[no-untyped-def]
    """Return both from the sum of two precisions."""
    precision = X.T @ X / scale**2 + torch.eye(X.shape[1], dtype=X.dtype) / tau**2
    covariance = torch.linalg.inv(precision)
    return covariance @ (X.T @ y) / scale**2, covariance


def through_y(X, y, scale, tau):  # type: ignore[no-untyped-def]
    """Return both from the joint normal of weights and y."""
    spread = tau**2 * X @ X.T + scale**2 * torch.eye(len(y), dtype=X.dtype)
    gain = tau**2 * torch.linalg.solve(spread, X).T
    return gain @ y, tau**2 * (torch.eye(X.shape[1], dtype=X.dtype) - gain @ X)


EXERCISE = Exercise(
    name="posterior_weights",
    arguments=(
        Argument("X", fit_map.draw_rows, many=(10, 20, 35), sizes=(1, 2), shown=described,
                 used_instead=lambda: fit_map.own()[0], edges={
                     "more weights than observations": fit_map.sized(4, 5),
                     "a single column": fit_map.sized(6, 1)}),
        Argument("y", fit_map.draw_y, many=(10, 20, 35), used_instead=lambda: fit_map.own()[1]),
        positive("scale", 0.7, 2.2, used_instead=lambda: data.WAVE_NOISE),
        positive("tau", 0.4, 1.4, used_instead=lambda: 1.0,
                 edges={"a narrow prior": 0.1, "a wide prior": 10.0}),
    ),
    reference=reference,
    turns=TURNS,
    worked=(by_penalty, by_precision, through_y),
    parts=("the mean", "the covariance"),
    passed="posterior_weights: mean and covariance, of 1 to 5 weights.",
)  # fmt: skip
posterior_weights = EXERCISE.check
