"""regression_log_likelihood(w, scale, X, y): of y for given rows X, normal about X @ w."""

import math
from collections.abc import Callable

import torch

from helpers.check.kit.asks import Argument, Draws, Given, Jointly, positive
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.map import analytic
from helpers.check.map.tables import described, rows

Tensor = torch.Tensor
Gives = Callable[[Tensor, float, Tensor, Tensor], AnyOf]
OUTLIER, MANY = "one observation far out", "nine hundred observations"
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def reference(w: Tensor, scale: float, X: Tensor, y: Tensor) -> Tensor:
    """Return the sum of the log-densities of y."""
    return analytic.log_normal(y, X @ w, scale).sum()


def _weights(u: Draws, given: Given, n: int) -> Tensor:
    """Return weights for 2, 3 or 4 columns: no number of columns is a number of rows."""
    return u.uniform({6: 2, 15: 3, 30: 4}.get(n, 2), -2.0, 2.0)


def _rows(u: Draws, given: Given, n: int) -> Tensor:
    return rows(u, n, len(given["w"]))


def _y(u: Draws, given: Given, n: int | None = None) -> Tensor:
    """Return values about the line, lopsided and more widely scattered than scale says."""
    z = u.normal(len(given["X"]))
    return given["X"] @ given["w"] + 1.3 * given["scale"] * (z + 0.3 * (z**2 - 1)) + 0.2


def _with_outlier(u: Draws, given: Given) -> Tensor:
    y = _y(u, given)
    y[0] += 80.0 * given["scale"]
    return y


def _narrow(u: Draws, given: Given) -> Jointly:
    y = given["X"] @ given["w"] + 0.02 * u.normal(len(given["X"]))
    return Jointly(scale=0.02, y=y)


def _one_column(u: Draws, given: Given) -> Jointly:
    made = {"w": u.uniform(1, 0.5, 2.0), "scale": given["scale"], "X": rows(u, 7, 2)[:, 1:]}
    return Jointly(made, y=_y(u, made))


def _many_rows(u: Draws, given: Given) -> Jointly:
    """Return so many observations that the product of their densities is zero in floats."""
    made = {"w": given["w"], "scale": given["scale"], "X": rows(u, 900, len(given["w"]))}
    return Jointly(made, y=_y(u, made))


def _more_weights(u: Draws, given: Given) -> Jointly:
    made = {"w": u.uniform(5, -2.0, 2.0), "scale": given["scale"], "X": rows(u, 3, 5)}
    return Jointly(made, y=_y(u, made))


def _of_residuals(*ways: Callable[[Tensor, float, int], Tensor | float]) -> Gives:
    """Return what comes of the residuals, the scale and n in each of several ways."""

    def gives(w: Tensor, scale: float, X: Tensor, y: Tensor) -> AnyOf:
        return AnyOf(*[way(y - X @ w, scale, len(y)) for way in ways])

    return gives


def _constants(s: float, n: int) -> float:
    return -n * math.log(s) - n * HALF_LOG_2PI


TURNS = (
    Turn("square forgotten", "the residuals are squared in the exponent; their absolute values "
         "make another model, with other noise.",
         _of_residuals(lambda r, s, n: _constants(s, n) - r.abs().sum() / (2 * s**2),
                       lambda r, s, n: _constants(s, n) - r.abs().sum() / (2 * s),
                       lambda r, s, n: _constants(s, n) - r.abs().sum() / s,
                       lambda r, s, n: _constants(s, n) - r.norm() / (2 * s**2),
                       lambda r, s, n: -r.abs().sum() / s - n * math.log(2 * s))),
    Turn("residuals not squared", "residuals of both signs cancel unless they are squared.",
         _of_residuals(lambda r, s, n: _constants(s, n) - r.sum() / (2 * s**2),
                       lambda r, s, n: _constants(s, n) + r.sum() / (2 * s**2))),
    Turn("squared after adding", "square every residual, then add.",
         _of_residuals(lambda r, s, n: _constants(s, n) - r.sum() ** 2 / (2 * s**2))),
    Turn("n log σ forgotten", "the density has 1/σ in front: −log σ for every observation.",
         _of_residuals(lambda r, s, n: -n * HALF_LOG_2PI - (r**2).sum() / (2 * s**2),
                       lambda r, s, n: -(r**2).sum() / (2 * s**2))),
    Turn("sign of log σ", "σ stands below the line of the density, so its log is subtracted.",
         _of_residuals(lambda r, s, n: n * math.log(s) - n * HALF_LOG_2PI
                       - (r**2).sum() / (2 * s**2))),
    Turn("sign of log 2π", "√(2π) stands below the line of the density, so its log is subtracted.",
         _of_residuals(lambda r, s, n: -n * math.log(s) + n * HALF_LOG_2PI
                       - (r**2).sum() / (2 * s**2))),
    Turn("constant off", "each observation brings −½ log 2π, whatever the weights are.",
         _of_residuals(lambda r, s, n: -n * math.log(s) - (r**2).sum() / (2 * s**2),
                       lambda r, s, n: -n * math.log(s) - n * 2 * HALF_LOG_2PI
                       - (r**2).sum() / (2 * s**2),
                       lambda r, s, n: -n * math.log(s) - n / 2 * math.log(math.pi)
                       - (r**2).sum() / (2 * s**2))),
    Turn("constants once", "the constants belong to every observation: n times.",
         _of_residuals(lambda r, s, n: _constants(s, 1) - (r**2).sum() / (2 * s**2),
                       lambda r, s, n: -math.log(s) - n * HALF_LOG_2PI
                       - (r**2).sum() / (2 * s**2),
                       lambda r, s, n: -n * math.log(s) - HALF_LOG_2PI
                       - (r**2).sum() / (2 * s**2))),
    Turn("mean for sum", "a log-likelihood is a sum over the observations, not an average.",
         _of_residuals(lambda r, s, n: _constants(s, 1) - (r**2).mean() / (2 * s**2),
                       lambda r, s, n: _constants(s, n) - (r**2).mean() / (2 * s**2))),
    Turn("½ forgotten", "the exponent has a factor ½.",
         _of_residuals(lambda r, s, n: _constants(s, n) - (r**2).sum() / s**2)),
    Turn("variance for standard deviation", "scale is the standard deviation σ: below the squares "
         "stands σ², in front of the density 1/σ.",
         _of_residuals(lambda r, s, n: _constants(s, n) - (r**2).sum() / (2 * s),
                       lambda r, s, n: _constants(s**2, n) - (r**2).sum() / (2 * s**2),
                       lambda r, s, n: _constants(s**2, n) - (r**2).sum() / (2 * s**4),
                       lambda r, s, n: _constants(s**0.5, n) - (r**2).sum() / (2 * s),
                       lambda r, s, n: _constants(s**0.5, n) - (r**2).sum() / (2 * s**2))),
    Turn("negated", "the log-likelihood is asked, not the loss: no minus in front.",
         _of_residuals(lambda r, s, n: -_constants(s, n) + (r**2).sum() / (2 * s**2))),
    Turn("sign of the squares", "the further off, the smaller the likelihood: the squares are "
         "subtracted.",
         _of_residuals(lambda r, s, n: _constants(s, n) + (r**2).sum() / (2 * s**2))),
    Turn("density for its log", "this is a density; its logarithm is asked.",
         _of_residuals(lambda r, s, n: (_constants(s, n) - (r**2).sum() / (2 * s**2)).exp(),
                       lambda r, s, n: analytic.log_normal(r, 0.0, s).exp().sum())),
    Turn("not added up", "this is one log-density for each observation; add them.",
         _of_residuals(lambda r, s, n: analytic.log_normal(r, 0.0, s))),
    Turn("spread from the residuals", "scale is handed over; it is not to be estimated here.",
         _of_residuals(*[lambda r, s, n, c=c: _constants(float(r.std(correction=c)), n)
                         - (r**2).sum() / (2 * r.var(correction=c)) for c in (0, 1)],
                       lambda r, s, n: _constants(float((r**2).mean().sqrt()), n) - n / 2)),
    Turn("best weights for w", "w is an argument: evaluate there, not at least squares.",
         lambda w, scale, X, y: AnyOf(reference(torch.linalg.lstsq(X, y).solution, scale, X, y))),
    Turn("weights not used", "the mean of y is X @ w, another one in every row.",
         lambda w, scale, X, y: AnyOf(*[
             analytic.log_normal(y, c, scale).sum()
             for c in (0.0, float(y.mean()), float((X @ w).mean()))])),
    Turn("every y with every row", "y − X @ w pairs each y with its own row; a column minus a row "
         "makes a table of all pairs.",
         lambda w, scale, X, y: AnyOf(*[
             f(analytic.log_normal(y, (X @ w)[:, None], scale))
             for f in (torch.sum, lambda t: t.sum() / len(y), torch.mean)])),
    Turn("log after the mean", "take the log of every density, then add.",
         _of_residuals(lambda r, s, n: analytic.log_normal(r, 0.0, s).exp().mean().log(),
                       lambda r, s, n: analytic.log_normal(r, 0.0, s).exp().sum().log())),
    Turn("intercept added twice", "X has a column for the intercept already: X @ w holds it.",
         lambda w, scale, X, y: AnyOf(analytic.log_normal(y, X @ w + w[0], scale).sum(),
                                      analytic.log_normal(y, X @ w + 1, scale).sum())),
    Turn("observations left out", "every row counts, the first, the last and the one far out.",
         _of_residuals(
             *[lambda r, s, n, k=k: analytic.log_normal(r[k], 0.0, s).sum()
               for k in (slice(1), slice(1, None), slice(-1), slice(-1, None))],
             *[lambda r, s, n, k=k: analytic.log_normal(r[r.abs() <= k * s], 0.0, s).sum()
               for k in (2, 3, 4, 5, 6)])),
    Turn("two columns only", "X may have any number of columns: X @ w takes all of them.",
         lambda w, scale, X, y: AnyOf(reference(w[:2], scale, X[:, :2], y)),
         raises=lambda error: isinstance(error, IndexError)),
    Turn("first column left out", "every column has its weight, the first one too.",
         lambda w, scale, X, y: AnyOf(reference(w[1:], scale, X[:, 1:], y))),
)  # fmt: skip


def by_formula(w, scale, X, y):  # type: ignore[no-untyped-def]
    """Return the formula, term by term."""
    n = len(y)
    squares = ((X @ w - y) ** 2).sum()
    return -n * math.log(scale) - n / 2 * math.log(2 * math.pi) - squares / (2 * scale**2)


def by_library(w, scale, X, y):  # type: ignore[no-untyped-def]
    """Return the sum that torch.distributions gives."""
    return torch.distributions.Normal(X @ w, scale).log_prob(y).sum()


EXERCISE = Exercise(
    name="regression_log_likelihood",
    arguments=(
        Argument("w", _weights, many=(6, 15, 30)),
        positive("scale", 0.4, 3.0, used_instead=lambda: 0.5,
                 edges={"a positive log-likelihood": _narrow}),
        Argument("X", _rows, many=(6, 15, 30), sizes=(1, 2), shown=described, edges={
            "a single column": _one_column, "more weights than observations": _more_weights,
            MANY: _many_rows}),
        Argument("y", _y, many=(6, 15, 30), edges={
            OUTLIER: _with_outlier,
            "every point on the line": lambda u, given: given["X"] @ given["w"]}),
    ),
    reference=reference,
    turns=TURNS,
    worked=(by_formula, by_library),
    hints={place: "a density far out, or a product of many, rounds to zero, and its log is no "
           "help: add log-densities, as log_prob gives them." for place in (OUTLIER, MANY)},
    slopes=("w",),
    passed="regression_log_likelihood: of 1 to 900 observations and 1 to 5 weights, with slopes.",
)  # fmt: skip
regression_log_likelihood = EXERCISE.check
