"""linear_member(X, y, sigma, tau, noise, draw): one draw from the posterior, by minimising."""

from collections.abc import Callable
from typing import Any

import torch

from helpers.check.kit.agree import Fitting
from helpers.check.kit.asks import Argument, Draws, Given, sample
from helpers.check.kit.compare import AnyOf, as_tensor
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.priors import analytic

Tensor = torch.Tensor
COLUMNS = {5: 2, 12: 3, 3: 1, 1: 2, 2: 3}  # of X, by its rows: more columns than rows at the end


def inputs(u: Draws, given: Given, n: int) -> Tensor:
    """Return inputs whose first column, like an intercept's, is not centred."""
    d = COLUMNS[n]
    return u.normal(n * d, 0.4, 1.1).reshape(n, d)


def targets(u: Draws, given: Given, n: int) -> Tensor:
    """Return targets far enough from zero that a pull shows."""
    return u.normal(len(given["X"]), 2.0, 1.5)


def away_from_one(u: Draws, given: Given) -> float:
    """Return a positive number that differs much from its square and its root."""
    return u.choice((1.0, 4.0)) * u.real(0.4, 0.6)


def reference(
    X: Tensor, y: Tensor, sigma: float, tau: float, noise: Tensor, draw: Tensor
) -> Tensor:  # fmt: skip
    """Return the member's weights."""
    return analytic.member(X, y, sigma, tau, noise, draw)


def by_solve(X, y, sigma, tau, noise, draw):  # type: ignore[no-untyped-def]
    """Weights by the normal equations."""
    precision = X.T @ X / sigma**2 + torch.eye(X.shape[1]).double() / tau**2
    return torch.linalg.solve(precision, X.T @ (y + noise) / sigma**2 + draw / tau**2)


def by_theta(X, y, sigma, tau, noise, draw):  # type: ignore[no-untyped-def]
    """Weights as in the network: fit what the prior leaves, and add the prior."""
    pull = sigma**2 / tau**2
    left = y + noise - X @ draw
    theta = torch.linalg.solve(X.T @ X + pull * torch.eye(X.shape[1]).double(), X.T @ left)
    return theta + draw


def by_rows(X, y, sigma, tau, noise, draw):  # type: ignore[no-untyped-def]
    """Weights by least squares, the pull as further rows."""
    rows = torch.cat([X / sigma, torch.eye(X.shape[1]).double() / tau])
    right = torch.cat([(y + noise) / sigma, draw / tau])
    return torch.linalg.solve(rows.T @ rows, rows.T @ right)


def by_targets(X, y, sigma, tau, noise, draw):  # type: ignore[no-untyped-def]
    """Weights by what the targets say of the draw."""
    of_y = tau**2 * X @ X.T + sigma**2 * torch.eye(len(y)).double()
    return draw + tau**2 * X.T @ torch.linalg.solve(of_y, y + noise - X @ draw)


def by_gram(X, y, sigma, tau, noise, draw):  # type: ignore[no-untyped-def]
    """Weights by the normal equations times both variances."""
    gram = X.T @ X * tau**2 + sigma**2 * torch.eye(X.shape[1]).double()
    return torch.linalg.inv(gram) @ (tau**2 * X.T @ (y + noise) + sigma**2 * draw)


def by_newton(X, y, sigma, tau, noise, draw):  # type: ignore[no-untyped-def]
    """Weights by one step down the slope of the loss at the draw."""

    def loss(w):  # type: ignore[no-untyped-def]
        return ((y + noise - X @ w) ** 2).sum() / sigma**2 + ((w - draw) ** 2).sum() / tau**2

    slope = torch.func.grad(loss)(draw)
    return draw - torch.linalg.solve(torch.func.hessian(loss)(draw), slope)


def _pulled(X: Tensor, target: Tensor, pull: float | Tensor, centre: Tensor) -> Tensor:
    eye = torch.eye(X.shape[1], dtype=X.dtype)
    return torch.linalg.solve(X.T @ X + pull * eye, X.T @ target + pull * centre)


def _pull(of: Callable[[float, float, int], float]) -> Callable[..., Tensor]:
    """Return what comes with another weight of the pull."""
    return lambda X, y, sigma, tau, noise, draw: _pulled(X, y + noise, of(sigma, tau, len(y)), draw)


def _without_pull(
    X: Tensor, y: Tensor, sigma: float, tau: float, noise: Tensor, draw: Tensor
) -> AnyOf:
    """Return least squares, of y or of y + noise; with few rows the shortest, or nearest draw."""
    inverse = torch.linalg.pinv(X)
    ways = [(inverse @ target, draw + inverse @ (target - X @ draw)) for target in (y, y + noise)]
    return AnyOf(*[way for pair in ways for way in pair])


def _ratio(sigma: float, tau: float) -> float:
    return sigma**2 / tau**2


TURNS = (
    Turn("no pull", "without ‖θ‖²/τ² in the loss θ makes up for any draw, and the prior cancels: "
         "members come out alike whatever the draw.", _without_pull,
         raises=lambda error: "singular" in str(error)),
    Turn("pulled towards zero", "each member is pulled towards its own draw, not towards zero: "
         "θ is what is small, and the weights are draw + θ.",
         lambda X, y, s, t, e, w: _pulled(X, y + e, _ratio(s, t), 0 * w)),
    Turn("noise forgotten", "the targets are y + noise: without it members differ by their draws "
         "only.", lambda X, y, s, t, e, w: _pulled(X, y, _ratio(s, t), w)),
    Turn("posterior mean", "noise and draw do not enter: this is the mean of all members.",
         lambda X, y, s, t, e, w: _pulled(X, y, _ratio(s, t), 0 * w)),
    Turn("draw not added back", "this is θ, what is learned on top of the prior: the weights are "
         "draw + θ.",
         lambda X, y, s, t, e, w: _pulled(X, y + e, _ratio(s, t), w) - w),
    Turn("draw added to a fit", "θ has to fit what the draw leaves of the targets: take X @ draw "
         "off before the fit.",
         lambda X, y, s, t, e, w: _pulled(X, y + e, _ratio(s, t), 0 * w) + w),
    Turn("sign of the draw", "θ fits the targets less X @ draw, and draw is added in the end: look "
         "at its sign in both places.",
         lambda X, y, s, t, e, w: AnyOf(_pulled(X, y + e, _ratio(s, t), -w),
                                        _pulled(X, y + e + X @ w, _ratio(s, t), 0 * w) + w,
                                        _pulled(X, y + e - X @ w, _ratio(s, t), 0 * w) - w)),
    Turn("noise subtracted", "the noise is added to the targets as it is handed over.",
         lambda X, y, s, t, e, w: _pulled(X, y - e, _ratio(s, t), w)),
    Turn("noise put in twice", "the noise belongs to the targets, once.",
         lambda X, y, s, t, e, w: _pulled(X, y + 2 * e, _ratio(s, t), w)),
    Turn("scaled once more", "noise and draw come with their standard deviations already: do not "
         "multiply by sigma or tau.",
         lambda X, y, s, t, e, w: AnyOf(*[_pulled(X, y + a * e, _ratio(s, t), b * w)
                                          for a, b in ((s, 1), (1, t), (s, t), (1 / s, 1),
                                                       (1, 1 / t), (1 / s, 1 / t))])),
    Turn("σ² forgotten", "the squared errors are divided by σ² as the pull is by τ²: times σ², the "
         "pull weighs σ²/τ².", _pull(lambda s, t, n: 1 / t**2)),
    Turn("τ² forgotten", "the pull is divided by τ²: a wide prior pulls little.",
         _pull(lambda s, t, n: s**2)),
    Turn("pull upside down", "noisy data give way to the prior: the pull weighs σ²/τ².",
         _pull(lambda s, t, n: t**2 / s**2)),
    Turn("deviations not squared", "σ and τ enter squared: the pull weighs σ²/τ².",
         _pull(lambda s, t, n: s / t)),
    Turn("pull without weight", "the pull weighs σ²/τ², not 1.", _pull(lambda s, t, n: 1.0)),
    Turn("mean for sum", "the squared errors are added up, not averaged: else the pull counts n "
         "times.", _pull(lambda s, t, n: n * _ratio(s, t))),
    Turn("pull halved or doubled", "errors and pull carry the same factor: a ½ before one of them "
         "belongs before both.",
         lambda X, y, s, t, e, w: AnyOf(*[_pulled(X, y + e, f * _ratio(s, t), w)
                                          for f in (0.5, 2.0)])),
    Turn("prior not given up", "these are the draws themselves: let the data in.",
         lambda X, y, s, t, e, w: w),
    Turn("intercept not pulled", "every weight has the prior, the first one too.",
         lambda X, y, s, t, e, w: _spared(X, y, s, t, e, w)),
    Turn("one share for all", "how much the data weigh differs from direction to direction: that "
         "is XᵀX/σ² against 1/τ².", lambda *given: _by_share(*given)),
    Turn("a number for d", "X need not have two columns: as many weights are asked for as it has.",
         raises=lambda error: any(said in str(error) for said in (
             "(2x2 and", "tensor a (2)", "tensor b (2)"))),
    Turn("predictions returned", "the d weights are asked for, not X times them.",
         lambda X, y, s, t, e, w: X @ reference(X, y, s, t, e, w)),
)  # fmt: skip


def _by_share(X: Tensor, y: Tensor, sigma: float, tau: float, noise: Tensor, draw: Tensor) -> AnyOf:
    """Return a least-squares fit and the draw, mixed by shares that do not look at X."""
    n, fitted = len(y), torch.linalg.pinv(X) @ (y + noise)
    spreads = (sigma**2, sigma**2 / n, sigma, sigma / n)
    shares = [t / (t + s) for s, t in zip(spreads, (tau**2, tau**2, tau, tau), strict=True)]
    return AnyOf(*[b * fitted + (1 - b) * draw for a in shares for b in (a, 1 - a)])


def _descending(got: Any, args: tuple[Any, ...]) -> bool:
    """Whether weights are on the way down from the draw, or from zero, as steps by the slope go.

    Along each eigenvector of the loss's curvature the way left shrinks like exp(−eigenvalue·time):
    the logarithms of the shares that are left then stand to each other as the eigenvalues do.
    """
    value = as_tensor(got)
    X, _, sigma, tau, _, draw = args
    if value is None or value.shape != draw.shape or not bool(value.isfinite().all()):
        return False
    end = reference(*args)
    values, vectors = torch.linalg.eigh(X.T @ X / sigma**2 + torch.eye(len(draw)).double() / tau**2)
    for start in (draw, 0 * draw):
        left = (vectors.T @ (value.double() - end)) / (vectors.T @ (start - end))
        there = left.abs() < 1e-3  # or arrived already, as along the steepest ones
        times = -left[~there].log() / values[~there]
        if not bool(((left > 0) & (left < 1) | there).all()):
            continue
        if there.all() or (
            float(times.max() / times.min()) < 4
            and (not there.any() or bool(values[there].min() > values[~there].max()))
        ):
            return True
    return False


def _spared(X: Tensor, y: Tensor, sigma: float, tau: float, noise: Tensor, draw: Tensor) -> Tensor:
    """Return the weights where the first one is free."""
    eye = torch.eye(X.shape[1], dtype=X.dtype)
    eye[0, 0] = 0.0
    right = X.T @ (y + noise) + _ratio(sigma, tau) * eye @ draw
    return torch.linalg.solve(X.T @ X + _ratio(sigma, tau) * eye, right)


EXERCISE = Exercise(
    name="linear_member",
    arguments=(
        sample("X", inputs, many=(5, 12, 3), sizes=(1, 2)),
        sample("y", targets, many=(5, 12, 3)),
        Argument("sigma", away_from_one),
        Argument("tau", away_from_one),
        sample("noise", lambda u, given, n: u.normal(len(given["X"]), 0.0, given["sigma"]),
               many=(5, 12, 3)),
        sample("draw", lambda u, given, n: u.normal(given["X"].shape[1], 0.0, given["tau"]),
               many=(5, 12, 3)),
    ),
    reference=reference,
    agree=Fitting(fits=((
        "on the way down", "the weights are on the way from their start to the minimum: solve for "
        "it, or make many more steps.", _descending),)),
    turns=TURNS,
    worked=(by_solve, by_theta, by_rows, by_targets, by_gram, by_newton),
    passed="linear_member: noise on the targets, and a pull towards its own draw.",
)  # fmt: skip
linear_member = EXERCISE.check
