"""hierarchical_fit(X, y, school, tau, sigma): factors for all, and an effect for each school."""

from collections.abc import Callable
from typing import Any

import torch

from helpers.check.hierarchy import classes
from helpers.check.hierarchy.analytic import gls, means, members, shares, sizes
from helpers.check.kit.agree import Fitting
from helpers.check.kit.asks import Argument, Draws, Given, positive, sample
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

Tensor = torch.Tensor
Gives = Callable[..., Any]
Two = tuple[Tensor, Tensor]


def by_equations(X: Tensor, y: Tensor, school: Tensor, tau: float, sigma: float) -> object:
    """Both at once: least squares with a pull on the effects alone (Henderson 1950)."""
    Z = torch.nn.functional.one_hot(school).double()
    H = torch.cat([X, Z], dim=1)
    pull = torch.zeros(H.shape[1], dtype=H.dtype)
    pull[X.shape[1] :] = sigma**2 / tau**2
    w = torch.linalg.solve(H.T @ H + torch.diag(pull), H.T @ y)
    return w[: X.shape[1]], w[X.shape[1] :]


def by_covariance(X: Tensor, y: Tensor, school: Tensor, tau: float, sigma: float) -> object:
    """The formulas of the sheet."""
    Z = torch.nn.functional.one_hot(school).double()
    V = sigma**2 * torch.eye(len(y), dtype=X.dtype) + tau**2 * Z @ Z.T
    A = torch.linalg.inv(V)
    beta = torch.linalg.solve(X.T @ A @ X, X.T @ A @ y)
    return beta, tau**2 * Z.T @ A @ (y - X @ beta)


def by_sums(X: Tensor, y: Tensor, school: Tensor, tau: float, sigma: float) -> object:
    """School by school, without a matrix for pupils."""
    Z = torch.nn.functional.one_hot(school).double()
    k = tau**2 / (sigma**2 + Z.sum(0) * tau**2)
    sums, total = Z.T @ X, Z.T @ y
    A = X.T @ X - sums.T @ (k[:, None] * sums)
    beta = torch.linalg.solve(A, X.T @ y - sums.T @ (k * total))
    return beta, k * (total - sums @ beta)


def ridge(X: Tensor, y: Tensor, school: Tensor, on_beta: Tensor | float, on_u: float) -> Two:
    """Return least squares with these pulls on both kinds of weights."""
    H = torch.cat([X, members(school)], dim=1)
    p = X.shape[1]
    pull = torch.cat([torch.ones(p) * on_beta, torch.full((H.shape[1] - p,), on_u)]).double()
    w = torch.linalg.solve(H.T @ H + torch.diag(pull), H.T @ y)
    return w[:p], w[p:]


def _least_squares(X: Tensor, y: Tensor) -> Tensor:
    return torch.linalg.solve(X.T @ X, X.T @ y)


def _residual_means(X: Tensor, y: Tensor, school: Tensor, beta: Tensor) -> Tensor:
    return means(y - X @ beta, school)


def _two_steps(X: Tensor, y: Tensor, school: Tensor, tau: float, sigma: float) -> AnyOf:
    beta = _least_squares(X, y)
    u = shares(sizes(school), tau, sigma) * _residual_means(X, y, school, beta)
    return AnyOf((beta, u), (beta, gls(X, y, school, tau, sigma)[1]))


def _unpulled(X: Tensor, y: Tensor, school: Tensor, tau: float, sigma: float) -> AnyOf:
    betas = gls(X, y, school, tau, sigma)[0], _least_squares(X, y)
    return AnyOf(*[(b, _residual_means(X, y, school, b)) for b in betas])


def _dummies(X: Tensor, y: Tensor, school: Tensor, tau: float, sigma: float) -> AnyOf:
    """Return schools as columns without any pull; one way of many, since they are collinear."""
    H = torch.cat([X, members(school)], dim=1)
    w = torch.linalg.pinv(H) @ y
    p = X.shape[1]
    slopes, own = w[1:p], w[p:] + w[0]
    centre = own.mean()
    n = sizes(school)
    by_size = (n * own).sum() / n.sum()
    zero = torch.zeros(1, dtype=torch.float64)
    return AnyOf((w[:p], w[p:]), *[(torch.cat([c.reshape(1), slopes]), own - c)
                                   for c in (centre, by_size, zero, own[0])])  # fmt: skip


def _pulled_too(X: Tensor, y: Tensor, school: Tensor, tau: float, sigma: float) -> AnyOf:
    pull = sigma**2 / tau**2
    but_one = torch.ones(X.shape[1], dtype=torch.float64)
    but_one[0] = 0.0
    return AnyOf(ridge(X, y, school, pull, pull), ridge(X, y, school, pull * but_one, pull),
                 ridge(X, y, school, pull, 0.0))  # fmt: skip


def _other_pull(X: Tensor, y: Tensor, school: Tensor, tau: float, sigma: float) -> AnyOf:
    pulls = 1 / tau**2, sigma / tau, sigma**2, tau**2, sigma**2 / tau, sigma / tau**2, 1.0
    return AnyOf(*[ridge(X, y, school, 0.0, pull) for pull in pulls])


def _one_share(X: Tensor, y: Tensor, school: Tensor, tau: float, sigma: float) -> AnyOf:
    """Return the effects drawn together by one share, or by σ² in the place of σ²/n."""
    n = sizes(school)
    found = []
    for beta in (gls(X, y, school, tau, sigma)[0], _least_squares(X, y)):
        left = _residual_means(X, y, school, beta)
        found += [(beta, shares(torch.ones_like(n) * k, tau, sigma) * left)
                  for k in (1.0, float(n.mean()))]  # fmt: skip
    return AnyOf(*found)


def _as_strangers(X: Tensor, y: Tensor, school: Tensor, tau: float, sigma: float) -> Two:
    """Return the fit by a V in which pupils of one school are not correlated."""
    beta = _least_squares(X, y)
    return beta, tau**2 * members(school).T @ (y - X @ beta) / (sigma**2 + tau**2)


def _swapped(X: Tensor, y: Tensor, school: Tensor, tau: float, sigma: float) -> Two:
    beta = gls(X, y, school, tau, sigma)[0]
    left = _residual_means(X, y, school, beta)
    return beta, (1 - shares(sizes(school), tau, sigma)) * left


def _not_left(X: Tensor, y: Tensor, school: Tensor, tau: float, sigma: float) -> AnyOf:
    """Return effects of scores, not of what the factors leave of them."""
    beta = gls(X, y, school, tau, sigma)[0]
    b = shares(sizes(school), tau, sigma)
    return AnyOf((beta, b * means(y, school)), (beta, b * (means(y, school) - y.mean())),
                 (beta, means(y, school)))  # fmt: skip


def _wholes(X: Tensor, y: Tensor, school: Tensor, tau: float, sigma: float) -> AnyOf:
    beta, u = gls(X, y, school, tau, sigma)
    return AnyOf((beta, u + beta[0]), (beta, u[school]), (beta, (X @ beta) + u[school]))


def _factor_dropped(X: Tensor, y: Tensor, school: Tensor, tau: float, sigma: float) -> AnyOf:
    beta, u = gls(X, y, school, tau, sigma)
    return AnyOf((beta, u / tau**2), (beta, u / tau), (beta, u * sigma**2 / tau**2))


def _in_order(X: Tensor, y: Tensor, school: Tensor, tau: float, sigma: float) -> Two:
    return gls(X, y, school.sort().values, tau, sigma)


def _only(factors: bool) -> Gives:
    def gives(X: Tensor, y: Tensor, school: Tensor, tau: float, sigma: float) -> Two:
        beta, u = gls(X, y, school, tau, sigma)
        return (_least_squares(X, y), 0 * u) if factors else (0 * beta, u)

    return gives


def _pair(got: object, given: tuple[Any, ...]) -> Two | None:
    """Return an answer's two parts, None where they are not of the right shapes."""
    parts = [as_tensor(v) for v in got] if isinstance(got, tuple | list) and len(got) == 2 else []
    wanted = given[0].shape[1], int(given[2].max()) + 1
    if [None if p is None else tuple(p.shape) for p in parts] != [(w,) for w in wanted]:
        return None
    beta, u = (p.double() for p in parts if p is not None)
    return (beta, u) if bool(beta.isfinite().all() and u.isfinite().all()) else None


def _u_fits(got: object, given: tuple[Any, ...]) -> bool:
    """Whether u is right for the β that came, which is not."""
    X, y, school, tau, sigma = given
    pair = _pair(got, given)
    if pair is None:
        return False
    n = sizes(school)
    return same(pair[1], shares(n, float(tau), float(sigma)) * means(y - X @ pair[0], school), 1e-4)


def _beta_fits(got: object, given: tuple[Any, ...]) -> bool:
    """Whether β is right for the u that came, which is not."""
    X, y, school, _, _ = given
    pair = _pair(got, given)
    return pair is not None and same(pair[0], _least_squares(X, y - pair[1][school]), 1e-4)


TURNS = (
    Turn("the sheet's pupils", "this is the result for the sheet's own pupils; use those that the "
         "function is given.", lambda X, y, school, tau, sigma: by_equations(
             *classes.of_sheet(), tau, sigma)),
    Turn("two steps", "least squares first does not know that pupils of a school are alike: β "
         "needs V as well, before the residuals are drawn together.", _two_steps),
    Turn("V without ZZᵀ", "pupils of one school share its effect: V has τ² wherever two are of one "
         "school, not on the diagonal alone.", _as_strangers),
    Turn("effects not drawn", "these are plain means of the residuals: with few pupils they are "
         "mostly noise.", _unpulled),
    Turn("schools as columns", "a column for each school without a prior is no pooling: the "
         "effects have the deviation τ.", _dummies),
    Turn("β drawn as well", "the factors have a flat prior here: only the schools' effects are "
         "pulled to zero.", _pulled_too),
    Turn("another pull", "the effects are pulled by λ = σ²/τ².", _other_pull),
    Turn("one share for all", "a school keeps the more of its residual the more pupils it has.",
         _one_share),
    Turn("B and 1 − B swapped", "B is what a school keeps: near 1 where it has many pupils.",
         _swapped),
    Turn("effects of the scores", "an effect is what the factors leave: take y − Xβ.", _not_left),
    Turn("effects reported otherwise", "u has one number for each school: its effect alone, "
         "without the intercept.", _wholes),
    Turn("parts exchanged", "first β, then u.", lambda *given: gls(*given)[::-1]),
    Turn("factor of u", "û = τ²ZᵀV⁻¹(y − Xβ): look at what stands in front.", _factor_dropped),
    Turn("order of the pupils", "the pupils stand in no order: `school` says whose is whose.",
         _in_order),
    Turn("schools ignored", "this is least squares without any school in it.", _only(True)),
)  # fmt: skip


def _X(u: Draws, given: Given, n: int) -> Tensor:
    """Return a column of ones and one or two others, not centred."""
    columns = [torch.ones(n, dtype=torch.float64), u.uniform(n, 1.0, 9.0)]
    width = given["X"].shape[1] if "X" in given else u.whole(2, 3)
    if width == 3:
        columns.append((u.uniform(n) < 0.4).double() * 2 + u.normal(n, 0.0, 0.3))
    return torch.stack(columns, dim=1)


def _y(u: Draws, given: Given) -> Tensor:
    n = len(given["X"])
    return 10 + 4 * given["X"][:, 1] + u.normal(n, 0.0, 25.0)


FITS = (
    ("β off", "u is what this β leaves to the schools: look at β.", _u_fits),
    ("u off", "β fits the scores less these effects: look at u, its λ first.", _beta_fits),
)
EXERCISE = Exercise(
    name="hierarchical_fit",
    arguments=(
        sample("X", _X, many=(14, 30, 22), shown=lambda X: f"{len(X)} rows of {X.shape[1]}"),
        Argument("y", _y),
        classes.school(edges={
            "with a number in between that does not occur": classes.one_missing,
            "with every pupil in a school of their own": classes.each_its_own,
        }),
        positive("tau", 6.0, 25.0),
        positive("sigma", 12.0, 50.0),
    ),
    reference=gls,
    agree=Fitting(single=True, fits=FITS),
    turns=TURNS,
    worked=(by_equations, by_covariance, by_sums),
    parts=("β", "u"),
    passed="hierarchical_fit: factors by V, effects drawn together, in schools of all sizes.",
)  # fmt: skip
hierarchical_fit = EXERCISE.check
