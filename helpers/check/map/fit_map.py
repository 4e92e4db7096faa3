"""fit_map(X, y, scale, tau): weights of which all but the intercept have a normal prior.

The loss is a parabola, so the deviance from the best weights is exact: it is the squared distance
in posterior standard deviations.
"""

import math
from collections.abc import Callable

import torch

from helpers import data
from helpers.check.kit.asks import Argument, Draws, Given, Jointly, positive
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.learned import Learned
from helpers.check.kit.message import NOT_A_NUMBER
from helpers.check.map import analytic
from helpers.check.map.tables import described, rows

Tensor = torch.Tensor
Gives = Callable[[Tensor, Tensor, float, float], AnyOf]
COLUMNS = {10: 2, 20: 3, 35: 4, 1: 2, 2: 3}  # of tables with so many rows


def reference(X: Tensor, y: Tensor, scale: float, tau: float) -> Tensor:
    """Return the weights at the top of the posterior."""
    return analytic.ridge(X, y, (scale / tau) ** 2, free=True)


def draw_rows(u: Draws, given: Given, n: int) -> Tensor:
    """Return n rows of 2 to 4 numbers, ones in the first column."""
    return rows(u, n, COLUMNS.get(n, 2))


def draw_y(u: Draws, given: Given, n: int | None = None) -> Tensor:
    """Return values far from zero, with slopes of 1.5 to 4 of either sign, and lopsided noise."""
    X = given["X"]
    signs = torch.tensor([u.choice((-1.0, 1.0)) for _ in range(X.shape[1])])
    weights = signs * u.uniform(X.shape[1], 1.5, 4.0)
    weights[0] = u.choice((-1.0, 1.0)) * u.real(4.0, 8.0)
    z = u.normal(len(X))
    return X @ weights + 0.8 * (z + 0.3 * (z**2 - 1))


def sized(n: int, d: int) -> Callable[[Draws, Given], Jointly]:
    """Return what draws n rows of d numbers and what goes with them."""

    def draw(u: Draws, given: Given) -> Jointly:
        X = rows(u, n, d)
        return Jointly(X=X, y=draw_y(u, {"X": X}))

    return draw


def own() -> tuple[Tensor, Tensor]:
    """Return the sheet's own powers of t, and its twelve readings."""
    t, y = data.wave()
    return t[:, None] ** torch.arange(10), y


def _ridges(*penalties: Callable[[float, float, int], float], free: bool = True) -> Gives:
    """Return the best weights for other penalties, from scale, tau and n."""

    def gives(X: Tensor, y: Tensor, scale: float, tau: float) -> AnyOf:
        return AnyOf(*[analytic.ridge(X, y, p(scale, tau, len(y)), free) for p in penalties])

    return gives


def _least_squares(X: Tensor, y: Tensor, scale: float, tau: float) -> AnyOf:
    X, y = X.double(), y.double()
    return AnyOf(torch.linalg.pinv(X) @ y)


def _estimated(X: Tensor, y: Tensor, scale: float, tau: float) -> AnyOf:
    """Return the weights for a scale from the residuals of least squares, or from y."""
    off = y - X @ _least_squares(X, y, scale, tau).values[0]
    return AnyOf(*[reference(X, y, float(r.std(correction=c)), tau)
                   for c in (0, 1) for r in (off, y)])  # fmt: skip


def _shrunk(X: Tensor, y: Tensor, scale: float, tau: float) -> AnyOf:
    """Return least squares made smaller afterwards, all weights or the slopes alone."""
    least = _least_squares(X, y, scale, tau).values[0]
    factors = 1 / (1 + (scale / tau) ** 2), tau**2 / (tau**2 + scale**2 / len(y)), tau, tau**2
    slopes = [least[1:] * f for f in factors] + [least[1:].clamp(-k * tau, k * tau) for k in (1, 2)]
    return AnyOf(*[least * f for f in factors],
                 *[torch.cat([least[:1], s]) for s in slopes if len(s)])  # fmt: skip


def _moved(X: Tensor, y: Tensor, scale: float, tau: float) -> AnyOf:
    """Return what comes of a penalty on the right side, or all over the matrix."""
    squares, products = analytic.gram(X, y)
    d, penalty = len(products), (scale / tau) ** 2
    diagonal = analytic.penalties(d, penalty, True)
    return AnyOf(*[torch.linalg.solve(squares + diagonal, products + s * penalty) for s in (1, -1)],
                 torch.linalg.pinv(squares + penalty) @ products,
                 torch.linalg.pinv(squares) @ (products - diagonal.diagonal()))  # fmt: skip


def _free_elsewhere(X: Tensor, y: Tensor, scale: float, tau: float) -> AnyOf:
    """Return what comes where another weight than the first is free, or the first alone is not."""
    squares, products = analytic.gram(X, y)
    d, penalty = len(products), (scale / tau) ** 2
    found = []
    for free in range(1, d):
        diagonal = torch.full((d,), penalty, dtype=torch.float64)
        diagonal[free] = 0.0
        found.append(torch.linalg.solve(squares + diagonal.diag(), products))
    alone = torch.zeros(d, dtype=torch.float64)
    alone[0] = penalty
    found.append(torch.linalg.pinv(squares + alone.diag()) @ products)
    return AnyOf(*found)


def _boxed(X: Tensor, y: Tensor, limit: float, first: bool) -> Tensor:
    """Return least squares with every weight within ±limit, by turns over the weights.

    Decay outside of the gradient, as AdamW has it, comes to rest there: a step of its own size
    against the decay (Xie and Li, Implicit bias of AdamW, 2024).

    Args:
        X: rows.
        y: what is explained.
        limit: one over the decay.
        first: whether the first weight is held as well.
    """
    squares, products = (v.tolist() for v in analytic.gram(X, y))
    d = len(products)
    w = [0.0] * d
    for _ in range(400):
        for j in range(d):
            rest = products[j] - sum(squares[j][k] * w[k] for k in range(d) if k != j)
            best = rest / squares[j][j]
            w[j] = best if j == 0 and not first else min(limit, max(-limit, best))
    return torch.tensor(w, dtype=torch.float64)


def _decay_outside(X: Tensor, y: Tensor, scale: float, tau: float) -> AnyOf:
    penalty, n = (scale / tau) ** 2, len(y)
    decays = penalty, 2 * penalty, penalty / n, 2 * penalty / n, tau**-2
    boxes = [(_boxed(X, y, 1 / d, first), 1 / d, 0 if first else 1)
             for first in (True, False) for d in decays]  # fmt: skip
    return AnyOf(*[box for box, limit, held in boxes
                   if bool((box[held:].abs() > 0.999 * limit).any())])  # fmt: skip


def _rests(got: object, box: Tensor) -> bool:
    """Whether the weights are those of a box; where it holds the intercept too, nearly is enough.

    Steps of one size are slow on the long way to a wide box.
    """
    row, limit = as_tensor(got), float(box[1:].abs().max()) if len(box) > 1 else 0.0
    if row is None or row.shape != box.shape or not limit or not bool(row.isfinite().all()):
        return False
    if float(box[0].abs()) > 1.001 * limit:  # the intercept is free, or alone at its limit
        return same(row, box, 0.03)
    held = box.abs() > 0.999 * limit
    there = (row[held] / box[held] > 0.6) & (row[held] / box[held] < 1.05)
    return bool(there.all()) and bool((row.abs() < 1.05 * limit).all())


def _absolute(X: Tensor, y: Tensor, scale: float, tau: float) -> AnyOf:
    """Return the weights with |w| in the penalty, by turns over the weights."""
    squares, products = (v.tolist() for v in analytic.gram(X, y))
    d = len(products)
    found = []
    for penalty in ((scale / tau) ** 2, (scale / tau) ** 2 / 2, scale**2 / tau):
        w = [0.0] * d
        for _ in range(400):
            for j in range(d):
                rest = products[j] - sum(squares[j][k] * w[k] for k in range(d) if k != j)
                cut = 0.0 if j == 0 else penalty
                w[j] = math.copysign(max(0.0, abs(rest) - cut), rest) / squares[j][j]
        found.append(torch.tensor(w, dtype=torch.float64))
    return AnyOf(*found)


def _without_centre(X: Tensor, y: Tensor, scale: float, tau: float) -> AnyOf:
    """Return right slopes with intercepts of other kinds, or slopes through zero."""
    best, penalty = reference(X, y, scale, tau), (scale / tau) ** 2
    slopes = best[1:]
    through = analytic.ridge(X[:, 1:], y, penalty) if X.shape[1] > 1 else slopes
    middle = y.double().mean()
    apart = analytic.ridge(X[:, 1:], y - middle, penalty) if X.shape[1] > 1 else slopes
    return AnyOf(*[torch.cat([c[None], s]) for c, s in (
        (middle, slopes), (torch.zeros_like(middle), slopes), (torch.zeros_like(middle), through),
        (middle, through), (middle, apart), (torch.zeros_like(middle), apart))])  # fmt: skip


def _standardised(X: Tensor, y: Tensor, scale: float, tau: float) -> AnyOf:
    """Return what a prior for the weights of standardised columns gives."""
    found = []
    for correction in (0, 1):
        centre, width = X[:, 1:].mean(0), X[:, 1:].std(0, correction=correction)
        if not bool((width > 0).all()):
            raise ValueError("a column without spread has no unit")
        Z = torch.cat([X[:, :1], (X[:, 1:] - centre) / width], dim=1)
        w = reference(Z, y, scale, tau)
        slopes = w[1:] / width
        found += [torch.cat([(w[0] - slopes @ centre)[None], slopes]), w]
    return AnyOf(*found)


def start_returned(got: object, given: object) -> bool:
    """Whether the weights are all zeros or all ones."""
    row = as_tensor(got)
    return row is not None and row.ndim == 1 and any(bool((row == v).all()) for v in (0.0, 1.0))


def ten_typed(error: Exception) -> bool:
    """Whether a shape of ten, the sheet's number of powers, met a table of fewer columns."""
    text = str(error)
    return "10" in text and any(words in text for words in (
        "must match", "cannot be multiplied", "mat1 and mat2", "size mismatch", "shape",
        "out of bounds", "incompatible"))  # fmt: skip


TURNS = (
    Turn("start returned", "the weights are still where they began: does step() know this tensor?",
         lambda X, y, scale, tau: AnyOf(), alike=start_returned),
    Turn("intercept left out", "all d weights are asked, the intercept first.",
         lambda X, y, scale, tau: AnyOf(reference(X, y, scale, tau)[1:],
                                        reference(X[:, 1:], y, scale, tau))),
    Turn("a column for a row", "a tensor of shape (d,) is asked: without a second axis.",
         lambda X, y, scale, tau: reference(X, y, scale, tau)[:, None]),
    Turn("prior forgotten", "these are the weights of least squares, or near them: the log prior "
         "of the weights belongs to the sum.", _least_squares),
    Turn("intercept drawn to zero", "the intercept has no prior: leave the first weight out of the "
         "penalty.", _ridges(lambda s, t, n: (s / t) ** 2, free=False)),
    Turn("σ² forgotten", "the prior weighs 1/tau² against squares that weigh 1/scale²: λ = "
         "scale²/tau².",
         _ridges(lambda s, t, n: t**-2, lambda s, t, n: t**-2 / 2)),
    Turn("λ upside down", "λ = scale²/tau²: the narrower the prior, the more it draws.",
         _ridges(lambda s, t, n: (t / s) ** 2)),
    Turn("λ times tau²", "λ = scale²/tau²: a wide prior draws less.",
         _ridges(lambda s, t, n: (s * t) ** 2, lambda s, t, n: t**2)),
    Turn("prior weight ignores tau", "λ = scale²/tau²: the width of the prior decides.",
         _ridges(lambda s, t, n: s**2, lambda s, t, n: 1.0)),
    Turn("standard deviations for variances", "λ = scale²/tau², a ratio of variances.",
         _ridges(lambda s, t, n: s / t, lambda s, t, n: s / t**2, lambda s, t, n: s**2 / t,
                 lambda s, t, n: (s / t) ** 4)),
    Turn("prior counted n times", "the squares are averaged, the prior is not: with a mean over "
         "the observations the penalty is λ/n.",
         _ridges(lambda s, t, n: n * (s / t) ** 2, lambda s, t, n: n / t**2)),
    Turn("penalty divided by n", "the squares are added up, and so the penalty is λ, not λ/n.",
         _ridges(lambda s, t, n: (s / t) ** 2 / n)),
    Turn("factor 2", "both terms have a ½: ½‖y − Xw‖²/scale² and ½‖w‖²/tau².",
         _ridges(lambda s, t, n: 2 * (s / t) ** 2, lambda s, t, n: (s / t) ** 2 / 2,
                 lambda s, t, n: n * (s / t) ** 2 / 2, lambda s, t, n: 2 * n * (s / t) ** 2)),
    Turn("wrong weight left free", "the intercept is the first weight: it alone is left out of the "
         "penalty.", _free_elsewhere),
    Turn("two slips in λ", "λ = scale²/tau², and the intercept is left out of the penalty.",
         _ridges(lambda s, t, n: t**-2, lambda s, t, n: (t / s) ** 2, lambda s, t, n: s / t,
                 lambda s, t, n: n * (s / t) ** 2, lambda s, t, n: 2 * (s / t) ** 2,
                 lambda s, t, n: (s / t) ** 2 / 2, lambda s, t, n: (s / t) ** 2 / n, free=False)),
    Turn("least squares made smaller", "the prior does not scale the weights of least squares, it "
         "takes part in the equations: what the readings say clearly, it hardly moves.", _shrunk),
    Turn("penalty elsewhere", "λ is added to the diagonal of XᵀX, but for the intercept, and "
         "nowhere else.", _moved),
    Turn("penalty with the wrong sign", "the prior draws the weights towards zero: the penalty is "
         "added to XᵀX.", _ridges(lambda s, t, n: -((s / t) ** 2))),
    Turn("spread from the residuals", "scale is handed over: it is not to be estimated.",
         _estimated),
    Turn("decay outside the gradient", "AdamW takes its decay out of the gradient: it ends at "
         "least squares with every weight within ±1/decay, and that is no posterior.",
         _decay_outside, alike=lambda got, boxes: any(_rests(got, one) for one in boxes.values)),
    Turn("absolute values for squares", "the log of a normal prior is −w²/(2 tau²), with a square; "
         "|w| belongs to another prior.", _absolute, tolerance=0.005),
    Turn("intercept apart", "intercept and slopes are found together: their columns are not at "
         "right angles.", _without_centre),
    Turn("columns standardised", "the prior belongs to the weights of the columns as they are "
         "handed over, neither centred nor scaled.", _standardised),
    Turn("ten weights typed in", "the sheet's curve has ten weights; X has as many as it has "
         "columns.", raises=ten_typed),
)  # fmt: skip


def by_formula(X, y, scale, tau):  # type: ignore[no-untyped-def]
    """Return the solution of the equations."""
    penalty = torch.full((X.shape[1],), scale**2 / tau**2, dtype=X.dtype)
    penalty[0] = 0.0
    return torch.linalg.solve(X.T @ X + penalty.diag(), X.T @ y)


def by_precisions(X, y, scale, tau):  # type: ignore[no-untyped-def]
    """Return the solution of the equations in units of the noise."""
    prior = torch.full((X.shape[1],), 1 / tau**2, dtype=X.dtype)
    prior[0] = 0.0
    return torch.linalg.solve(X.T @ X / scale**2 + prior.diag(), X.T @ y / scale**2)


EXERCISE = Exercise(
    name="fit_map",
    arguments=(
        Argument("X", draw_rows, many=(10, 20, 35), sizes=(1, 2), shown=described,
                 used_instead=lambda: own()[0], edges={
                     "more weights than observations": sized(4, 5),
                     "the intercept alone": sized(6, 1)}),
        Argument("y", draw_y, many=(10, 20, 35), used_instead=lambda: own()[1]),
        positive("scale", 1.3, 1.9, used_instead=lambda: data.WAVE_NOISE),
        positive("tau", 0.45, 0.8, used_instead=lambda: 1.0,
                 edges={"a narrow prior": 0.05, "a wide prior": 10.0}),
    ),
    reference=reference,
    agree=Learned(
        mean_nll=analytic.minus_log_posterior,
        size=lambda *args: 1,
        near=0.005,
        start=lambda X, y, scale, tau: AnyOf(torch.zeros(X.shape[1]), torch.ones(X.shape[1])),
        unit="posterior standard deviations",
    ),
    turns=TURNS,
    worked=(by_formula, by_precisions),
    hints={NOT_A_NUMBER: "did the weights grow from step to step? Then the steps are too long for "
           "this X; or a matrix without an inverse was inverted."},
    passed="fit_map: within a tenth of a posterior standard deviation of the top, of 1 to 5 "
    "weights.",
)  # fmt: skip
fit_map = EXERCISE.check
