"""linear_ensemble(X, y, sigma, tau, k): k members, which are draws from the posterior.

Members z, made standard normal by the posterior's mean and covariance, have exact laws: k times the
squared length of their mean is chi-squared with d degrees, the squares about their mean add up to
chi-squared with d(k − 1), those along one direction with k − 1. Inputs and scales are drawn so that
noise and prior have about equal shares of the covariance: neither can be left out unseen.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import torch

from helpers.check.kit.asks import Argument, Draws, Given, Jointly, sample
from helpers.check.kit.compare import as_tensor
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.law import Fresh, Law, Surprise, chi_squared
from helpers.check.priors import analytic

Tensor = torch.Tensor
Said = tuple[str, str, Surprise]
COLUMNS = {200: 2, 2500: 3, 1: 1, 2: 2}  # of X, by the number of members


def _inputs(u: Draws, given: Given, k: int) -> Tensor:
    """Return five rows that say much along one direction, little along another, neither an axis.

    So the weights are correlated, and noise and prior have shares of their own in each direction.
    """
    d = COLUMNS[k]
    basis, _ = torch.linalg.qr(u.normal(5 * d, 0.3, 1.0).reshape(5, d))
    turned = torch.eye(d, dtype=torch.float64)
    for i in range(d - 1):
        angle = torch.tensor(u.choice((-1.0, 1.0)) * u.real(0.6, 0.9))
        one = torch.eye(d, dtype=torch.float64)
        one[i, i] = one[i + 1, i + 1] = angle.cos()
        one[i, i + 1], one[i + 1, i] = -angle.sin(), angle.sin()
        turned = turned @ one
    uneven = torch.logspace(-0.5, 0.5, d, dtype=torch.float64) if d > 1 else torch.ones(1).double()
    return u.choice((0.5, 2.0)) * basis @ torch.diag(uneven) @ turned


def _size(X: Tensor) -> float:
    """Return the geometric mean of the singular values of X."""
    return float(torch.linalg.det(X.T @ X)) ** (0.5 / X.shape[1])


def _targets(u: Draws, given: Given, k: int) -> Tensor:
    """Return targets of which the posterior mean is several standard deviations from zero."""
    weights = u.uniform(given["X"].shape[1], 12.0, 24.0) / _size(given["X"])
    return given["X"] @ weights + u.normal(5)


def _sigma(u: Draws, given: Given) -> float:
    return u.choice((0.2, 3.0)) * u.real(0.9, 1.1) * (2.0 if _size(given["X"]) > 1 else 1.0)


def _tau(u: Draws, given: Given) -> float:
    """Return a deviation for which noise and prior have about equal shares; another if moved."""
    balanced = given["sigma"] / _size(given["X"])
    few = u.choice((True, False)) if "tau" not in given else given["tau"] > balanced
    return balanced * (u.real(0.75, 0.85) if few else u.real(1.2, 1.3))


def _standard(w: Tensor, mean: Tensor, covariance: Tensor) -> Tensor:
    """Return members as standard normal numbers, shape (k, d)."""
    factor = torch.linalg.cholesky(covariance)
    return torch.linalg.solve_triangular(factor, (w - mean).T, upper=False).T


def _centre(z: Tensor) -> Said:
    k, d = z.shape
    value = float(k * (z.mean(0) ** 2).sum())
    away = math.sqrt(value / k)
    return ("a mean at the posterior's", f"{away:.2g} posterior deviations away",
            chi_squared(value, d))  # fmt: skip


def _squares(z: Tensor) -> tuple[float, float]:
    """Return the squares about the mean and their degrees."""
    return float(((z - z.mean(0)) ** 2).sum()), z.shape[1] * (len(z) - 1)


def _scatter(wide: bool) -> Callable[[Tensor], Said]:
    def of(z: Tensor) -> Said:
        value, degrees = _squares(z)
        rare = chi_squared(value, degrees) if degrees and (value > degrees) == wide else 0.0
        said = f"{value / max(1, degrees):.3g} times it"
        return "the posterior's variance", said, rare

    return of


def _directions(z: Tensor) -> Said:
    """Compare the variance along each axis, and along the lines between two axes."""
    k, d = z.shape
    if k == 1:
        return "", "", 0.0
    axes = list(torch.eye(d, dtype=z.dtype))
    between = [(a + s * b) / math.sqrt(2) for i, a in enumerate(axes) for b in axes[:i]
               for s in (1, -1)]  # fmt: skip
    values = [float(((z @ v - (z @ v).mean()) ** 2).sum()) for v in (*axes, *between)]
    worst = max(values, key=lambda value: chi_squared(value, k - 1))
    said = f"{worst / (k - 1):.3g} times it along one"
    return "the posterior's variance in every direction", said, chi_squared(worst, k - 1)


def _pairs(z: Tensor) -> Said:
    """Compare sums and differences of two members each: neighbours, and halves of the list."""
    half = len(z) // 2
    if half == 0:
        return "", "", 0.0
    squares = [
        float(((a + s * b) ** 2).sum() / 2)
        for s in (1, -1)
        for a, b in ((z[: 2 * half : 2], z[1 : 2 * half : 2]), (z[:half], z[half : 2 * half]))
    ]
    rare = max(chi_squared(value, half * z.shape[1]) for value in squares)
    return "members that know nothing of each other", "members that do", rare


def _under_posterior(of: Callable[[Tensor], Said]) -> Callable[..., Said]:
    return lambda w, X, y, sigma, tau, k: of(
        _standard(w, *analytic.posterior(X, y, sigma, tau)))  # fmt: skip


ALL = (_centre, _scatter(False), _scatter(True), _directions, _pairs)
LAW = Law(statistics=[
    ("mean is off", "their mean is not the posterior's: is noise or draw one for all members, or "
     "the pull another?", _under_posterior(ALL[0])),
    ("too sure", "they scatter less than the posterior: is each member given noise of its own, and "
     "a draw of its own?", _under_posterior(ALL[1])),
    ("too unsure", "they scatter more than the posterior: are noise and draws as wide as sigma and "
     "tau say?", _under_posterior(ALL[2])),
    ("another shape", "they scatter as much as the posterior in all, and unlike it in single "
     "directions.", _under_posterior(ALL[3])),
    ("members depend", "two members share noise or draw: each has its own of both.",
     _under_posterior(ALL[4])),
])  # fmt: skip


def reference(X: Tensor, y: Tensor, sigma: float, tau: float, k: int) -> Tensor:
    """Return k draws from the posterior itself, by its covariance's factor.

    Raises:
        ValueError: more than any case has, as in a search for an altered argument.
    """
    if k > 2500:
        raise ValueError(f"no case has {k} members")
    mean, covariance = analytic.posterior(X, y, sigma, tau)
    own = torch.Generator().manual_seed(4)
    z = torch.randn(k, len(mean), generator=own, dtype=torch.float64)
    return mean + z @ torch.linalg.cholesky(covariance).T


Pull = Callable[[float, float], tuple[float, float, float]]


def _law(name: str, hint: str, *ways: Pull) -> Turn:
    """Return a turn whose members have another pull, noise or draw.

    Args:
        name: of the turn.
        hint: its sentence.
        ways: take sigma and tau; weight of the pull, deviations of noise and of draws.
    """

    def alike(got: Any, given: tuple[Any, ...]) -> bool:
        return any(_follows(got, given, way) for way in ways)

    return Turn(name, hint, lambda *given: given, alike=alike)


def _follows(
    got: Any, given: tuple[Any, ...], way: Pull, about_own_mean: bool = False,
    shift: Callable[..., Tensor] | None = None,
) -> bool:  # fmt: skip
    X, y, sigma, tau, k = given
    w = as_tensor(got)
    if w is None or w.shape != (k, X.shape[1]) or not bool(w.isfinite().all()):
        return False
    try:
        mean, covariance = analytic.pulled(X, y, *way(sigma, tau))
        mean = mean if shift is None else mean + shift(X, y, sigma, tau)
        z = _standard(w.double(), mean, covariance)
    except torch.linalg.LinAlgError:  # without a pull few rows leave weights open
        return False
    asked = ALL[1:4] if about_own_mean else ALL
    return all(of(z)[2] <= 1 for of in asked)


def _shared(way: Pull) -> Callable[[Any, tuple[Any, ...]], bool]:
    """Return whether members scatter about a mean of their own, as where they share a draw."""
    return lambda got, given: _follows(got, given, way, about_own_mean=True)


def _no_draw(sigma: float, tau: float) -> tuple[float, float, float]:
    return sigma**2 / tau**2, sigma, 0.0


def _no_noise(sigma: float, tau: float) -> tuple[float, float, float]:
    return sigma**2 / tau**2, 0.0, tau


def _uncorrelated(got: Any, given: tuple[Any, ...]) -> bool:
    """Whether members have the posterior's mean and variances, and no correlation."""
    X, *_, k = given
    w = as_tensor(got)
    if w is None or w.shape != (k, X.shape[1]) or not bool(w.isfinite().all()):
        return False
    mean, covariance = analytic.posterior(*given[:4])
    z = _standard(w.double(), mean, covariance.diagonal().diag())
    return all(of(z)[2] <= 1 for of in ALL)


def _uniform(got: Any, given: tuple[Any, ...]) -> bool:
    """Whether noise or draws come from rand, which has the mean ½ and the variance 1/12."""

    def shift(X: Tensor, y: Tensor, sigma: float, tau: float, noise: bool, draw: bool) -> Tensor:
        targets, centre = torch.full_like(y, noise * sigma / 2), torch.ones(X.shape[1]).double()
        return analytic.member(X, targets, sigma, tau, 0 * y, draw * tau / 2 * centre)

    def way(s: float, t: float, noise: bool, draw: bool) -> tuple[float, float, float]:
        narrow = 1 / math.sqrt(12)
        return s**2 / t**2, s * (narrow if noise else 1), t * (narrow if draw else 1)

    return any(
        _follows(got, given, functools.partial(way, noise=noise, draw=draw),
                 shift=functools.partial(shift, noise=noise, draw=draw))
        for noise, draw in ((True, True), (True, False), (False, True))
    )  # fmt: skip


def _one_member(got: Any, given: tuple[Any, ...]) -> bool:
    w = as_tensor(got)
    return w is not None and w.ndim == 2 and bool((w - w[:1]).abs().max() < 1e-9 * w.abs().max())


def _shape(*wanted: Callable[..., tuple[int, ...]]) -> Callable[[Any, tuple[Any, ...]], bool]:
    def alike(got: Any, given: tuple[Any, ...]) -> bool:
        w = as_tensor(got)
        return w is not None and any(tuple(w.shape) == of(*given) for of in wanted)

    return alike


def _given(*given: Any) -> tuple[Any, ...]:
    return given


TURNS = (
    Turn("all members alike", "every member has the same weights: draw noise and a prior for each, "
         "inside the loop.", _given, alike=_one_member),
    _law("no draw", "each member is pulled towards a prior draw of its own; pulled towards zero, "
         "they are too sure.", _no_draw),
    _law("no noise", "each member sees targets with noise of its own; without it they are too "
         "sure.", _no_noise),
    Turn("one draw for all", "all members share one draw from the prior: take one for each.",
         _given, alike=_shared(_no_draw)),
    Turn("one noise for all", "all members share the noise of the targets: draw it for each.",
         _given, alike=_shared(_no_noise)),
    _law("no pull", "this is least squares with noise: the pull towards the draw is missing.",
         lambda s, t: (0.0, s, 0.0)),
    _law("standard noise", "noise of the targets has the standard deviation sigma: randn gives 1.",
         lambda s, t: (s**2 / t**2, 1.0, t)),
    _law("standard draws", "the prior has the standard deviation tau: randn gives 1.",
         lambda s, t: (s**2 / t**2, s, 1.0)),
    _law("neither scaled", "randn has the standard deviation 1: multiply by sigma, and by tau.",
         lambda s, t: (s**2 / t**2, 1.0, 1.0)),
    _law("variance for standard deviation", "sigma and tau are standard deviations: a draw is "
         "multiplied by them, not by their squares.",
         *[lambda s, t, a=a, b=b: (s**2 / t**2, s**a, t**b)
           for a, b in ((2, 1), (1, 2), (2, 2))]),
    Turn("uniform noise", "torch.rand lies between 0 and 1; normal noise comes from torch.randn.",
         _given, alike=_uniform),
    _law("sigma and tau exchanged", "noise has the standard deviation sigma, the prior tau.",
         lambda s, t: (s**2 / t**2, t, s), lambda s, t: (t**2 / s**2, t, s)),
    _law("another pull", "the pull weighs σ²/τ² in each member, as in linear_member.",
         *[lambda s, t, f=f: (f(s, t), s, t) for f in (
             lambda s, t: 1 / t**2, lambda s, t: t**2 / s**2, lambda s, t: s / t,
             lambda s, t: s**2, lambda s, t: 5 * s**2 / t**2, lambda s, t: 1.0)]),
    _law("noise twice", "linear_member adds the noise already: hand it y as it is.",
         lambda s, t: (s**2 / t**2, 2 * s, t), lambda s, t: (s**2 / t**2, math.sqrt(2) * s, t)),
    _law("prior, not posterior", "these are draws from the prior: let the data in.",
         lambda s, t: (1e12, 0.0, t)),
    Turn("correlation left out", "the weights of one member are correlated: draw them together, or "
         "by linear_member.", _given, alike=_uncorrelated),
    Turn("rows and columns", "one row for each member: shape (k, d).", _given,
         alike=_shape(lambda X, y, s, t, k: (X.shape[1], k))),
    Turn("one member only", "k members are asked for, one in each row.", _given,
         alike=_shape(lambda X, y, s, t, k: (X.shape[1],),
                      lambda X, y, s, t, k: (1, X.shape[1]))),
    Turn("predictions returned", "the weights of the members are asked for, not X times them.",
         _given, alike=_shape(lambda X, y, s, t, k: (k, len(y)))),
)  # fmt: skip


def _three(u: Draws) -> tuple[Any, ...]:
    X = _inputs(u, {}, 2)
    return X, _targets(u, {"X": X}, 2), 0.5, 0.5, 3


def _wide(u: Draws, given: Given) -> Jointly:
    """Return two rows of three columns: what the data leave open, the prior decides."""
    x = u.normal(6).reshape(2, 3)
    return Jointly(X=x, y=x @ u.uniform(3, 2.0, 4.0), k=50)


EXERCISE = Exercise(
    name="linear_ensemble",
    arguments=(
        sample("X", _inputs, many=(200, 2500)),
        sample("y", _targets, many=(200, 2500)),
        Argument("sigma", _sigma),
        Argument("tau", _tau),
        Argument("k", lambda u, given, k: k, many=(200, 2500), sizes=(1, 2), alone=False,
                 edges={"fewer rows than columns": _wide}),
    ),
    reference=reference,
    agree=LAW,
    turns=TURNS,
    chance=Fresh(args=_three),
    typical=2,
    passed="linear_ensemble: mean and covariance of the posterior, every call anew.",
)  # fmt: skip
linear_ensemble = EXERCISE.check
