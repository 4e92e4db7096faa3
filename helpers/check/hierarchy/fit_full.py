"""fit_full(H, y, sigma, prior): climb to the posterior itself, where no gap is left."""

import math
from collections.abc import Callable
from typing import Any

import torch

from helpers.check.hierarchy import weights
from helpers.check.hierarchy.analytic import elbo, joint_precision, posterior
from helpers.check.kit.asks import Argument, Draws, Given, Jointly, sample
from helpers.check.kit.compare import AnyOf, as_row, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.learned import Learned

Tensor = torch.Tensor
Gives = Callable[..., Any]
Two = tuple[Tensor, Tensor]
SYMMETRIC = 1e-4  # a covariance may differ from its transpose by that share, as in single precision


def minus_elbo(row: Tensor, H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> Tensor:
    """Return minus the ELBO, infinite where the matrix is no covariance."""
    d = H.shape[1]
    m, S = row[:d], row[d:].reshape(d, d)
    plain = S.detach()
    lopsided = (plain - plain.T).abs().max() > SYMMETRIC * plain.abs().max()
    if not bool(row.isfinite().all()) or lopsided or torch.linalg.cholesky_ex(plain).info > 0:
        return torch.tensor(math.inf, dtype=torch.float64)
    return -elbo(m, (S + S.T) / 2, H, y, sigma, prior)


def start(H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> Tensor:
    """Return where runs begin: zero means and a covariance of ones."""
    d = H.shape[1]
    return torch.cat([torch.zeros(d), torch.eye(d).flatten()]).double()


def by_formula(H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> object:
    """The posterior, in closed form."""
    P = H.T @ H / sigma**2 + torch.diag(prior**-2)
    S = torch.linalg.inv(P)
    return S @ H.T @ y / sigma**2, S


def _narrow(H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> Two:
    m, _ = posterior(H, y, sigma, prior)
    return m, torch.diag(1 / joint_precision(H, sigma, prior).diagonal())


def _reported(H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> AnyOf:
    """Return the factor, deviations or the precision in the covariance's place."""
    m, S = posterior(H, y, sigma, prior)
    L = torch.linalg.cholesky(S)
    corr = S / S.diagonal().sqrt().outer(S.diagonal().sqrt())
    return AnyOf((m, L), (m, L.T), (m, L.T @ L), (m, torch.diag(S.diagonal().sqrt())), (m, corr),
                 (m, S.diagonal()), (m, S.diagonal().sqrt()))  # fmt: skip


def _precision(H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> Two:
    return posterior(H, y, sigma, prior)[0], joint_precision(H, sigma, prior)


def _struck_out(H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> Two:
    m, S = posterior(H, y, sigma, prior)
    return m, torch.diag(S.diagonal())


def _roots(H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> AnyOf:
    s, p = math.sqrt(sigma), prior.sqrt()
    return AnyOf(posterior(H, y, s, p), posterior(H, y, s, prior), posterior(H, y, sigma, p))


def _no_prior(got: object, given: tuple[Tensor, ...]) -> bool:
    """Whether nothing bounds the weights that the scores leave open: the columns are collinear."""
    H, y, sigma, prior = given
    row, d = as_row(got), len(prior)
    if row is None or row.shape != (d + d * d,) or not bool(row.isfinite().all()):
        return False
    variances = row[d:].reshape(d, d).diagonal()
    wider = variances / posterior(H, y, float(sigma), prior)[1].diagonal()
    before = (prior**2).clamp(min=1.0)  # or where runs begin
    return bool((variances / before).max() > 10) and bool(wider.min() > 0.9)


def _spread_out(got: object, given: tuple[Tensor, ...]) -> bool:
    """Whether every weight's variance is many times the posterior's, along each axis."""
    H, y, sigma, prior = given
    row, d = as_row(got), len(prior)
    if row is None or row.shape != (d + d * d,) or not bool(row.isfinite().all()):
        return False
    right = posterior(H, y, float(sigma), prior)[1].diagonal()
    return bool((row[d:].reshape(d, d).diagonal() / right).min() > 30)


def _no_negatives(got: object, given: tuple[Tensor, ...]) -> bool:
    """Whether the mean is right and no number of the covariance's factor is negative."""
    H, y, sigma, prior = given
    row, d = as_row(got), len(prior)
    if row is None or row.shape != (d + d * d,) or not bool(row.isfinite().all()):
        return False
    m, S = posterior(H, y, float(sigma), prior)
    factor, info = torch.linalg.cholesky_ex(row[d:].reshape(d, d).double())
    near = bool(((row[:d].double() - m).abs() < 0.05 * S.diagonal().sqrt()).all())
    below = factor.tril(-1)
    free = 1 / joint_precision(H, float(sigma), prior).diagonal()  # where none is left but zeros
    some = bool((below > 1e-4).any()) or same(factor.diagonal() ** 2, free, 0.05)
    return near and int(info) == 0 and some and bool((below > -1e-3).all())


def _averaged(H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> AnyOf:
    """Return what the mean of the log-likelihood leads to, as one score would."""
    n = len(y)
    return AnyOf(posterior(H, y, sigma * math.sqrt(n), prior))


def _entropy_times(factor: float) -> Gives:
    """Return the top with the entropy counted otherwise: the covariance is that many times S."""

    def gives(H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> Two:
        m, S = posterior(H, y, sigma, prior)
        return m, factor * S

    return gives


def _without_trace(H: Tensor, y: Tensor, sigma: float, prior: Tensor) -> AnyOf:
    """Return the top where the spread costs at the prior only, or at the scores only."""
    m, _ = posterior(H, y, sigma, prior)
    return AnyOf((m, torch.diag(prior**2)), (m, torch.linalg.pinv(H.T @ H / sigma**2)))


def _collapsed(got: object, given: tuple[Tensor, ...]) -> bool:
    """Whether the mean is right and the covariance shrinks to nothing."""
    row = as_row(got)
    H, y, sigma, prior = given
    m, S = posterior(H, y, float(sigma), prior)
    d = len(m)
    if row is None or row.shape != (d + d * d,) or bool(row.isnan().any()):
        return False
    near = ((row[:d].double() - m).abs() < 0.2 * S.diagonal().sqrt()).all()
    small = (
        row[d:].reshape(d, d).diagonal().abs()
        < 0.3 / joint_precision(H, float(sigma), prior).diagonal()
    )
    return bool(near and small.all())


def _mean_on_its_way(got: object, given: tuple[Tensor, ...]) -> bool:
    """Whether the covariance is right, and the mean has come nearer than it began."""
    H, y, sigma, prior = given
    row, d = as_row(got), len(prior)
    if row is None or row.shape != (d + d * d,) or not bool(row.isfinite().all()):
        return False
    m, S = posterior(H, y, float(sigma), prior)
    P = joint_precision(H, float(sigma), prior)
    left = row[:d].double() - m
    away = float(left @ P @ left)
    return same(row[d:], S.flatten(), 0.01) and 1e-6 < away < 0.5 * float(m @ P @ m)


def _ran_away(got: object, given: tuple[Tensor, ...]) -> bool:
    """Whether a run has left every bound, as one that walks down the ELBO does."""
    row = as_row(got)
    if row is None or row.numel() < 2:
        return False
    far = 1e7 * float(given[3].square().max())
    return not bool(row.isfinite().all()) or bool(row.abs().max() > far)


TURNS = (
    Turn("mean field for full", "this q has no correlations: its factor needs the numbers below "
         "the diagonal.", _narrow),
    Turn("correlations struck out", "the whole covariance is asked, not its diagonal.",
         _struck_out),
    Turn("covariance asked", "the second part is S = LLᵀ, of shape (d, d).", _reported),
    Turn("parts exchanged", "first the mean, then the covariance.",
         lambda *given: posterior(*given)[::-1]),
    Turn("precision returned", "the second part is the covariance: the inverse of this matrix.",
         _precision),
    Turn("deviations for variances", "sigma and prior are standard deviations: square them.",
         _roots),
    Turn("mean over the scores", "the log-likelihood is a sum over the scores.", _averaged),
    Turn("both traces forgotten", "the spread of q costs nothing here, and it grows without end: "
         "both traces belong into the bound.", lambda *given: given, alike=_spread_out),
    Turn("nothing negative in L", "below the diagonal L holds any numbers: the exponential is for "
         "its diagonal alone.", lambda *given: given, alike=_no_negatives),
    Turn("factor made once", "L is made of its numbers inside the closure: each call takes a new "
         "graph.", raises=lambda error: "backward through the graph a second time" in str(error)),
    Turn("prior forgotten", "the log prior belongs into the bound: without it nothing bounds what "
         "the scores leave open.", lambda *given: given, alike=_no_prior),
    Turn("entropy doubled", "½ log det S is log det L, once.", _entropy_times(2.0)),
    Turn("entropy halved", "½ log det S is log det L, in full.", _entropy_times(0.5)),
    Turn("trace forgotten", "the spread of q costs at the scores and at the prior: both traces "
         "belong into the bound.", _without_trace),
    Turn("entropy forgotten", "nothing holds q open: without its entropy it shrinks onto the "
         "mode.", lambda *given: given, alike=_collapsed),
    Turn("prior returned", "this is the prior: do the scores reach the bound?",
         lambda H, y, sigma, prior: (torch.zeros_like(prior), torch.diag(prior**2))),
    Turn("mean forgotten", "the covariance is right; the mean is to be fitted too.",
         lambda H, y, sigma, prior: AnyOf(
             (0 * prior, posterior(H, y, sigma, prior)[1]),
             (H.T @ y / sigma**2, posterior(H, y, sigma, prior)[1]),
             (H.T @ y, posterior(H, y, sigma, prior)[1]))),
    Turn("covariance never moved", "the mean is there, and the covariance is the one of the start: "
         "does every step reach L?",
         lambda *given: (posterior(*given)[0], torch.eye(len(given[3]), dtype=torch.float64))),
    Turn("stops early", "the covariance is there, the mean is on its way: make more steps, or "
         "larger ones far away.", lambda *given: given, alike=_mean_on_its_way),
    Turn("runs away", "the numbers have run away: is the loss minus the ELBO, and is the line "
         "search on?", lambda *given: given, alike=_ran_away),
    Turn("gradient cut", "nothing tracked reaches the bound: are m and L made of numbers with "
         "requires_grad=True, inside the loop?",
         raises=lambda error: "does not require grad" in str(error)),
)  # fmt: skip


def _y(u: Draws, given: Given) -> Tensor:
    n = len(given["H"])
    effects = u.normal(given["H"].shape[1])
    return 2.0 + given["H"] @ effects + u.normal(n, 0.0, 1.2)


def _one_weight(u: Draws, given: Given) -> Jointly:
    n = len(given["y"])
    return Jointly(H=u.normal(n, 1.0)[:, None], prior=torch.tensor([1.4], dtype=torch.float64))


def _many_schools(u: Draws, given: Given) -> Jointly:
    """Return so many weights and scores that a few steps of any method are not enough."""
    n, count = 600, 30
    rest = (count * u.uniform(n - count) ** 2).long()
    Z = torch.nn.functional.one_hot(torch.cat([torch.arange(count), rest]), count).double()
    H = torch.cat([torch.ones(n, 1, dtype=torch.float64), u.normal(n)[:, None], Z], dim=1)
    return Jointly(H=H, y=_y(u, {"H": H}), sigma=0.4, prior=weights.draw_prior(u, {"H": H}))


EXERCISE = Exercise(
    name="fit_full",
    arguments=(
        sample("H", weights.of_schools, many=(16, 30),
               edges={"with one weight": _one_weight, "with thirty schools": _many_schools},
               shown=lambda H: f"{H.shape[0]} rows of {H.shape[1]}"),
        Argument("y", _y),
        Argument("sigma", weights.draw_sigma, used_instead=lambda: weights.SIGMA),
        Argument("prior", weights.draw_prior),
    ),
    reference=posterior,
    agree=Learned(
        mean_nll=minus_elbo, size=lambda *args: 1, start=start, near=0.01,
        unit="posterior standard deviations",
    ),
    turns=TURNS,
    typical=2,
    worked=(by_formula,),
    parts=("the mean", "the covariance"),
    passed="fit_full: at the top of the ELBO, the posterior itself.",
)  # fmt: skip
fit_full = EXERCISE.check
