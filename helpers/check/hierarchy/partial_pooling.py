"""partial_pooling(y, school, tau, sigma): each school's mean, drawn towards that of all."""

import math
from collections.abc import Callable
from typing import Any

import torch

from helpers.check.hierarchy import classes
from helpers.check.hierarchy.analytic import blup, means, members, shares, sizes
from helpers.check.kit.agree import Fitting
from helpers.check.kit.asks import Argument, Draws, Given, Jointly, positive
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

Tensor = torch.Tensor
OF_SHEET = "this is the result for the sheet's own pupils; use those that the function is given."
Gives = Callable[[Tensor, Tensor, float, float], Tensor]


def by_shares(y: Tensor, school: Tensor, tau: float, sigma: float) -> Tensor:
    """The three lines of the sheet."""
    n = torch.bincount(school).double()
    found = torch.bincount(school, weights=y) / n.clamp(min=1)
    w = n / (n * tau**2 + sigma**2)
    mu = (w * found).sum() / w.sum()
    share = w * tau**2
    return mu + share * (found - mu)


def by_schools(y: Tensor, school: Tensor, tau: float, sigma: float) -> object:
    """School by school."""
    top, bottom = torch.zeros(()), torch.zeros(())
    found, counts = [], []
    for j in range(int(school.max()) + 1):
        own = y[school == j]
        n = len(own)
        w = n / (n * tau**2 + sigma**2)
        mean = own.sum() / max(n, 1)
        top, bottom = top + w * mean, bottom + w
        found.append(mean)
        counts.append(w * tau**2)
    mu = top / bottom
    return torch.stack([b * m + (1 - b) * mu for m, b in zip(found, counts, strict=True)])


def by_covariance(y: Tensor, school: Tensor, tau: float, sigma: float) -> object:
    """By the covariance of all scores."""
    Z = torch.nn.functional.one_hot(school).double()
    V = sigma**2 * torch.eye(len(y), dtype=y.dtype) + tau**2 * Z @ Z.T
    weights = torch.linalg.inv(V).sum(0)
    mu = weights @ y / weights.sum()
    return mu + tau**2 * Z.T @ torch.linalg.solve(V, y - mu)


def towards(y: Tensor, school: Tensor, share: Tensor, w: Tensor) -> Tensor:
    """Return the means drawn towards their average by weights w, each keeping a share."""
    found = means(y, school)
    mu = (w * found).sum() / w.sum()
    return mu + share * (found - mu)


def _weights(n: Tensor, tau: float, sigma: float) -> Tensor:
    return n / (n * tau**2 + sigma**2)


def _pulled(share: str, weights: str = "right") -> Gives:
    """Return what comes with another share of the school's own mean, or other weights."""

    def gives(y: Tensor, school: Tensor, tau: float, sigma: float) -> Tensor:
        n = sizes(school)
        b, w = shares(n, tau, sigma), _weights(n, tau, sigma)
        there = (n > 0).double()
        kept = {"right": b, "swapped": 1 - b, "n dropped": 0 * n + tau**2 / (tau**2 + sigma**2)}
        weighed = {
            "right": w, "pupils": n, "schools": there,
            "turned round": there * (tau**2 + sigma**2 / n.clamp(min=1)),
            "spread": there / (tau**2 + sigma**2 / n.clamp(min=1)).sqrt(),
        }  # fmt: skip
        return towards(y, school, kept[share], weighed[weights])

    return gives


def _either(*ways: tuple[str, str]) -> Callable[..., AnyOf]:
    made = [_pulled(*way) for way in ways]
    return lambda *args: AnyOf(*[one(*args) for one in made])


def _rooted(y: Tensor, school: Tensor, tau: float, sigma: float) -> AnyOf:
    """Return what comes when deviations stand in the place of variances, everywhere or in B."""
    n = sizes(school)
    both = blup(y, school, math.sqrt(tau), math.sqrt(sigma))
    share = shares(n, math.sqrt(tau), math.sqrt(sigma))
    in_share = towards(y, school, share, _weights(n, tau, sigma))
    return AnyOf(both, in_share)


def _one_share(y: Tensor, school: Tensor, tau: float, sigma: float) -> AnyOf:
    """Return what comes with the average size for every school's."""
    n = sizes(school)
    w = _weights(n, tau, sigma)
    mean = n.mean() * torch.ones_like(n)
    return AnyOf(towards(y, school, shares(mean, tau, sigma), w),
                 towards(y, school, shares(n, tau, sigma).mean(), w),
                 towards(y, school, shares(n.sum(), tau, sigma), w),
                 towards(y, school, shares(mean, tau, sigma), n),
                 towards(y, school, shares(mean, tau, sigma), (n > 0).double()))  # fmt: skip


def _in_order(y: Tensor, school: Tensor, tau: float, sigma: float) -> Tensor:
    return blup(y, school.sort().values, tau, sigma)


def _excess(y: Tensor, school: Tensor, tau: float, sigma: float) -> AnyOf:
    """Return the effects alone, or a pull to zero."""
    n, found = sizes(school), means(y, school)
    pooled = blup(y, school, tau, sigma)
    w = _weights(n, tau, sigma)
    mu = (w * found).sum() / w.sum()
    b = shares(n, tau, sigma)
    return AnyOf(pooled - mu, b * found, mu + b * found)


def _to_one_place(got: object, given: tuple[Any, ...]) -> bool:
    """Whether each school keeps its own share, and is drawn to one place that is not μ̂."""
    y, school, tau, sigma = given
    value, b = as_tensor(got), shares(sizes(school), float(tau), float(sigma))
    if value is None or value.shape != b.shape or not bool(value.isfinite().all()):
        return False
    place = (value.double() - b * means(y, school)) / (1 - b)
    return same(place, place.mean().expand_as(place))


def _by_other_shares(got: object, given: tuple[Any, ...]) -> bool:
    """Whether each school is drawn to μ̂, by a share that is not its own."""
    y, school, tau, sigma = given
    n = sizes(school)
    value, own = as_tensor(got), means(y, school)
    if value is None or value.shape != n.shape or not bool(value.isfinite().all()):
        return False
    mu = towards(y, school, 0 * n, _weights(n, float(tau), float(sigma)))
    share = ((value.double() - mu) / (own - mu))[n > 0]
    return bool((share >= 0).all() and (share <= 1).all())


def _by_the_others(y: Tensor, school: Tensor, tau: float, sigma: float) -> Tensor:
    """Return what comes when each school is drawn to the mean of the other schools."""
    n, found = sizes(school), means(y, school)
    w = _weights(n, tau, sigma)
    rest = ((w * found).sum() - w * found) / (w.sum() - w)
    return rest + shares(n, tau, sigma) * (found - rest)


TURNS = (
    Turn("the sheet's pupils", OF_SHEET,
         lambda y, school, tau, sigma: blup(*classes.of_sheet()[1:], tau, sigma)),
    Turn("B and 1 − B swapped", "B is the share that a school keeps: near 1 where it has many "
         "pupils.", _either(("swapped", "right"), ("swapped", "pupils"), ("swapped", "schools"))),
    Turn("n dropped", "a mean of n pupils has the variance σ²/n, not σ².",
         _either(("n dropped", "right"), ("n dropped", "schools"), ("n dropped", "pupils"))),
    Turn("μ̂ is the mean of all", "that weighs a school by its pupils; schools differ too, so "
         "the weight is 1/(τ² + σ²/n).", _pulled("right", "pupils")),
    Turn("μ̂ is the mean of means", "that weighs all schools alike; the weight is 1/(τ² + σ²/n).",
         _pulled("right", "schools")),
    Turn("weights of μ̂", "a school's mean has the variance τ² + σ²/n about μ, and weighs one "
         "over it.", _either(("right", "turned round"), ("right", "spread"))),
    Turn("deviations for variances", "τ and σ are standard deviations: square both.", _rooted),
    Turn("one B for all", "each school has a B of its own, by its number of pupils.", _one_share),
    Turn("order of the pupils", "the pupils stand in no order: `school` says whose is whose.",
         _in_order),
    Turn("not pooled", "these are the schools' own means: draw each towards μ̂.",
         lambda y, school, tau, sigma: means(y, school)),
    Turn("pooled completely", "this is one number for all: each school keeps its share B.",
         lambda y, school, tau, sigma: AnyOf(*[
             towards(y, school, 0 * sizes(school), w)
             for w in (_weights(sizes(school), tau, sigma), sizes(school))])),
    Turn("what is drawn, and where", "the deviation from μ̂ is drawn together, and μ̂ added again "
         "once.", _excess),
    Turn("one for each pupil", "return one number for each school, not for each pupil.",
         lambda y, school, tau, sigma: members(school) @ blup(y, school, tau, sigma)),
    Turn("μ̂ of the others", "μ̂ is one number for all schools, each school itself included.",
         _by_the_others),
    Turn("pooled again", "what is drawn towards μ̂ is each school's own mean, once.",
         lambda y, school, tau, sigma: towards(
             y, school, shares(sizes(school), tau, sigma) ** 2,
             _weights(sizes(school), tau, sigma))),
)  # fmt: skip


def _as_many_pupils(u: Draws, given: Given) -> Jointly:
    """Return schools that are alike in size, where μ̂ is the mean of all."""
    y = u.normal(12, 25.0, 30.0)
    return Jointly(y=y, school=torch.arange(12).remainder(4))


FITS = (
    ("μ̂ off", "each school keeps its share, and all are drawn to one place, which is not μ̂: look "
     "at the weights.", _to_one_place),
    ("B off", "all are drawn towards μ̂, by other shares than B: look at τ² and σ²/n.",
     _by_other_shares),
)  # fmt: skip
EXERCISE = Exercise(
    name="partial_pooling",
    arguments=(
        classes.y(sizes=(1, 2)),
        classes.school(edges={
            "with a number in between that does not occur": classes.one_missing,
            "with every pupil in a school of their own": classes.each_its_own,
            "with schools of one size": _as_many_pupils,
        }),
        Argument("tau", lambda u, given: u.log_real(6.0, 30.0), edges={"with tau = 0": 0.0}),
        positive("sigma", 12.0, 60.0),
    ),
    reference=blup,
    agree=Fitting(single=True, fits=FITS),
    turns=TURNS,
    worked=(by_shares, by_covariance, by_schools),
    passed="partial_pooling: every school drawn towards all by its own share, from τ = 0 upwards.",
)  # fmt: skip
partial_pooling = EXERCISE.check
