"""seeking_grid(p, locs, scales): the grid point with the least KL(q‖p).

A grid point lies within a fifth of a step of the better optimum, so it is the best one by far,
however the integral is taken.
"""

from collections.abc import Callable

import torch
from torch.distributions import Distribution, MixtureSameFamily, Normal, StudentT

from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Argument, Draws, Given, Jointly, sample
from helpers.check.kit.compare import SINGLE_PRECISION, AnyOf, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kl import analytic
from helpers.check.kl.distributions import (
    Pair,
    components,
    make,
    mixture,
    moved,
    shown,
    target,
    two_peaks,
)
from helpers.quadrature import trapezoid

Integrand = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Table = Callable[..., torch.Tensor]  # a value for every grid point, from p, locs and scales
STEP, RATIO = 0.7, 1.15  # of neighbouring locations, in units of the best scale; of two scales


def _nats(log_p: torch.Tensor, log_q: torch.Tensor) -> torch.Tensor:
    return log_q.exp() * (log_q - log_p)


def _table(span: float = 12.0, of: Integrand = _nats) -> Table:
    """Return an integral of log p and log q over ``span`` scales of q, for every grid point."""

    def table(p: Distribution, locs: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
        loc, scale = torch.broadcast_tensors(locs.double()[:, None], scales.double())
        log_q = Normal(loc, scale).log_prob
        return trapezoid(
            lambda x: of(p.log_prob(x), log_q(x)), loc - span * scale, loc + span * scale, 241
        )

    return table


def _window(low: float, high: float, n: int) -> Table:
    """Return KL(q‖p) over a fixed range with n nodes, for every grid point."""

    def table(p: Distribution, locs: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
        log_q = Normal(locs.double()[:, None], scales.double()).log_prob

        def integrand(x: torch.Tensor) -> torch.Tensor:
            at = x[:, None, None]
            return _nats(p.log_prob(x)[:, None, None], log_q(at))

        return trapezoid(integrand, low, high, n)

    return table


def _at(table: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> Pair:
    i, j = divmod(int(table.argmin()), len(scales))
    return float(locs[i]), float(scales[j])


def _least(*tables: Table) -> Callable[..., AnyOf]:
    return lambda p, locs, scales: AnyOf(*[_at(t(p, locs, scales), locs, scales) for t in tables])


def reference(p: Distribution, locs: torch.Tensor, scales: torch.Tensor) -> Pair:
    """Return the grid point with the least KL(q‖p)."""
    return _at(_table()(p, locs, scales), locs, scales)


def _covering(p: Distribution, locs: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    best = float(p.mean), float(p.stddev)
    rows = [[analytic.covering_excess(float(a), float(b), best) for b in scales] for a in locs]
    return torch.tensor(rows)


def _indices(p: Distribution, locs: torch.Tensor, scales: torch.Tensor) -> tuple[int, int]:
    return divmod(int(_table()(p, locs, scales).argmin()), len(scales))


def _taken_apart(p: Distribution, locs: torch.Tensor, scales: torch.Tensor) -> AnyOf:
    """Return what an index gives that is divided by the number of locations, either way round.

    Raises:
        IndexError: there are not so many of one kind.
    """
    i, j = divmod(int(_table()(p, locs, scales).argmin()), len(locs))
    pairs = [(a, b) for a, b in ((j, i), (i, j)) if a < len(locs) and b < len(scales)]
    if not pairs:
        raise IndexError
    return AnyOf(*[(float(locs[a]), float(scales[b])) for a, b in pairs])


def _side_by_side(p: Distribution, locs: torch.Tensor, scales: torch.Tensor) -> AnyOf:
    table = _table()(p, locs, scales)
    shared = min(len(locs), len(scales))
    k = int(table[:shared, :shared].diagonal().argmin())
    return AnyOf((locs[k], scales[k]))


def _by_means(p: Distribution, locs: torch.Tensor, scales: torch.Tensor) -> AnyOf:
    table = _table()(p, locs, scales)
    i, j = int(table.mean(1).argmin()), int(table.mean(0).argmin())
    a, b = divmod(int(table.argmin()), len(scales))
    return AnyOf((locs[i], scales[j]), (locs[a], scales[j]), (locs[i], scales[b]))


def _in_turn(p: Distribution, locs: torch.Tensor, scales: torch.Tensor) -> AnyOf:
    """Return the best scale at some location, then the best location for it; and the reverse."""
    table = _table()(p, locs, scales)
    found = []
    for first in (0, -1):
        j = int(table[first].argmin())
        i = int(table[:, first].argmin())
        found += [(locs[int(table[:, j].argmin())], scales[j]),
                  (locs[i], scales[int(table[i].argmin())])]  # fmt: skip
    return AnyOf(*found)


TURNS = (
    Turn("direction reversed", "this grid point has the least KL(p‖q): it covers both peaks.",
         _least(_covering)),
    Turn("p in front", "the density in front of the log-ratio is q's, which stands on top.",
         _least(*[_table(k, lambda lp, lq: lp.exp() * (lp - lq)) for k in (4.0, 6.0)])),
    Turn("highest for lowest", "a divergence is to be made small; mind the sign of yours.",
         _least(*[_table(k, lambda lp, lq: -_nats(lp, lq)) for k in (3.0, 4.0, 5.0, 6.0, 8.0)])),
    Turn("weights q missing", "the log-ratio must be weighted with q(x) before it is integrated.",
         _least(*[_table(k, lambda lp, lq: lq - lp) for k in (3.0, 4.0, 5.0, 6.0, 8.0)])),
    Turn("weighted with p", "the log-ratio is to be weighted with q(x), which stands on top.",
         _least(*[_table(k, lambda lp, lq: lp.exp() * (lq - lp)) for k in (4.0, 5.0, 6.0, 8.0)])),
    Turn("entropy forgotten", "log q(x) is part of the integrand: without it the narrowest q wins.",
         _least(*[_table(k, lambda lp, lq: -lq.exp() * lp) for k in (4.0, 6.0)])),
    Turn("variance for standard deviation", "the second parameter of Normal is the standard "
         "deviation: pass it as it is.",
         lambda p, a, b: AnyOf(_at(_table()(p, a, b.sqrt()), a, b),
                               _at(_table()(p, a, b**2), a, b))),
    Turn("range too short", "q has mass outside your range: let q decide where it begins and ends.",
         _least(*[_table(k) for k in (2.0, 1.5, 1.0, 0.5)],
                *[_window(*ends, n) for ends in [(-20.0, 24.0), (-5.0, 7.0)]
                  for n in (501, 2001)])),
    Turn("range of p", "q has mass outside your range: let q decide where it begins and ends.",
         lambda p, a, b: AnyOf(*[
             _at(_window(float(p.mean - k * p.stddev), float(p.mean + k * p.stddev), 401)(p, a, b),
                 a, b) for k in (1, 2)])),
    Turn("index for value", "this says where the grid point stands in locs and scales; return the "
         "values there.", _indices),
    Turn("index taken apart", "the index runs through the scales of one location after the other: "
         "divide by their number.", _taken_apart,
         raises=lambda error: isinstance(error, IndexError)),
    Turn("step forgotten", "the width of a step is part of an integral, and grows with the scale "
         "of q: hand x to trapezoid.", _least(lambda p, a, b: _table()(p, a, b) / b.double())),
    Turn("last row", "the best value is forgotten for each new location: set it once, before both "
         "loops.", lambda p, a, b: reference(p, a[-1:], b)),
    Turn("averaged over the other", "look for the least entry of the whole table, not of its "
         "means.", _by_means),
    Turn("absolute log-ratio", "a log-ratio below zero counts as such: leave its sign.",
         _least(_table(6.0, lambda lp, lq: _nats(lp, lq).abs()))),
    Turn("side by side", "each location meets each scale: one loop in the other, no zip.",
         _side_by_side),
    Turn("one after the other", "the best scale at one location need not be the best of all: look "
         "at every pair.", _in_turn),
    Turn("first cell", "this is the first pair of all: does the search go on, and compare?",
         lambda p, a, b: (a[0], b[0])),
    Turn("last cell", "this is the last pair of all: keep the best one.",
         lambda p, a, b: (a[-1], b[-1])),
    Turn("pair in wrong order", "the location comes first, the scale second.",
         lambda p, a, b: reference(p, a, b)[::-1]),
    Turn("best optimum, off grid", "return a point of the grid: an element of locs and of scales.",
         lambda p, a, b: analytic.seeking_optimum(p, *reference(p, a, b)),
         alike=lambda got, want: same(got, want, 1e-3)),
    Turn("component, off grid", "return a point of the grid: an element of locs and of scales.",
         lambda p, a, b: AnyOf(*components(p))),
)  # fmt: skip


# --- cases -------------------------------------------------------------------------------------


def _best(p: Distribution) -> Pair:
    """Return about where the least KL(q‖p) is: at the heavier component, a little wider."""
    loc, scale = components(p)[int(p.mixture_distribution.probs.argmax())]  # type: ignore[attr-defined]
    return (loc, 1.02 * scale) if isinstance(p.component_distribution, Normal) else (  # type: ignore[attr-defined]
        analytic.seeking_optimum(p, loc, scale))  # fmt: skip


def _p(u: Draws, given: Given) -> MixtureSameFamily:
    if "p" not in given:
        return two_peaks(u, u.choice((0.5, 1.0)))
    # Moved alone by whole steps of the grid: the best point stays the best by far.
    loc, scale = _best(given["p"])
    return moved(given["p"], loc, -2 * STEP * scale, RATIO**2)


def _wide(u: Draws, given: Given) -> Jointly:
    """Return a target five times as wide, and scales on which six to each side end too soon."""
    p = two_peaks(u, 5.0)
    wide = {"p": p}
    return Jointly(p=p, locs=_locs(u, wide, 9), scales=_scales(u, wide, 11))


def _off(u: Draws) -> float:
    return u.choice((-1, 1)) * u.real(0.1, 0.2)


def _locs(u: Draws, given: Given, k: int) -> torch.Tensor:
    loc, scale = _best(given["p"])
    place = u.whole(2, k - 4)
    return loc + STEP * scale * (torch.arange(k, dtype=torch.float64) - place + _off(u))


def _scales(u: Draws, given: Given, k: int) -> torch.Tensor:
    _, scale = _best(given["p"])
    place = u.whole(3, k - 5)
    return scale * RATIO ** (torch.arange(k, dtype=torch.float64) - place + 0.5 * _off(u))


def _beyond(u: Draws, given: Given) -> torch.Tensor:
    """Return locations that end short of the best one, and fall."""
    loc, scale = _best(given["p"])
    return loc - STEP * scale * (torch.arange(7, dtype=torch.float64) + 0.2)


def _too_wide(u: Draws, given: Given) -> torch.Tensor:
    _, scale = _best(given["p"])
    return scale * RATIO ** (torch.arange(6, dtype=torch.float64) + 0.4)


def _heavy(u: Draws, given: Given) -> Jointly:
    place, width = u.choice((-1, 1)) * u.real(20, 25), u.real(1.2, 1.5)
    p = mixture([0.3, 0.7], [place - 12 * width, place], [width, width], df=5.0)
    loc, scale = _best(p)
    like = {"p": mixture([0.4, 0.6], [loc - 9 * scale, loc], [scale, scale / 1.02])}
    fine = scale * 1.06 ** (torch.arange(14, dtype=torch.float64) - u.whole(5, 8) + 0.1)
    return Jointly(p=p, locs=_locs(u, like, 9), scales=fine)


def _falling(u: Draws, given: Given) -> Jointly:
    """Return a grid over both peaks whose scales begin wide: there the best location is between."""
    p = two_peaks(u)
    (first, _), (second, _) = components(p)
    loc, scale = _best(p)
    side = 1.0 if loc > min(first, second) + 1 else -1.0
    steps = torch.arange(11, dtype=torch.float64) - 1.85
    widths = torch.tensor([6.2, 4.3, 3.0, 2.0, 1.4, 1.02, 0.7], dtype=torch.float64)
    return Jointly(p=p, locs=loc - side * STEP * scale * steps, scales=scale * widths)


def _no_mean(u: Draws, given: Given) -> Jointly:
    """Return a target that has neither mean nor spread, and a grid about its best point."""
    place, width = u.choice((-1, 1)) * u.real(20, 25), u.real(0.5, 0.8)
    p = make(StudentT, 1.0, place, width)
    loc, scale = analytic.seeking_optimum(p, place, width)
    like = {"p": mixture([0.4, 0.6], [loc - 9 * scale, loc], [scale, scale / 1.02])}
    return Jointly(p=p, locs=_locs(u, like, 9), scales=_scales(u, like, 11))


def _reaching(u: Draws, given: Given) -> torch.Tensor:
    """Return locations that reach far beyond p on both sides."""
    loc, scale = _best(given["p"])
    steps = [-45.0, -30.0, -20.0, -12.0, -0.6, 0.1, 0.8, 12.0, 20.0, 30.0, 45.0]
    return loc + scale * (torch.tensor(steps, dtype=torch.float64) + _off(u))


def _one_location(u: Draws, given: Given) -> torch.Tensor:
    """Return the location of the better peak alone."""
    return torch.tensor([_best(given["p"])[0]], dtype=torch.float64)


def _one_scale(u: Draws, given: Given) -> torch.Tensor:
    return torch.tensor([1.1 * _best(given["p"])[1]], dtype=torch.float64)


def _words(x: torch.Tensor) -> str:
    return f"{len(x)} from {float(x[0]):.3g} to {float(x[-1]):.3g}"


NO_MEAN, REACHING = "with a p that has no mean", "with locations far from p"

EXERCISE = Exercise(
    name="seeking_grid",
    arguments=(
        Argument("p", _p, shown=shown, used_instead=target,
                 edges={"with peaks of Student's t, on fine scales": _heavy,
                        "with scales that fall from a wide one": _falling,
                        "on a wide scale": _wide, NO_MEAN: _no_mean}),
        sample("locs", _locs, many=(11, 9), dtypes=(torch.float32,), shown=_words,
               edges={"the best of falling locations the first": _beyond,
                      "a single location": _one_location, REACHING: _reaching}),
        sample("scales", lambda u, given, k: _scales(u, given, k + 2), many=(11, 9),
               dtypes=(torch.float32,), shown=_words,
               edges={"the narrowest scale the best": _too_wide, "a single scale": _one_scale}),
    ),
    reference=reference,
    agree=Close(rtol=SINGLE_PRECISION),
    turns=TURNS,
    hints={NO_MEAN: "p is known by its log_prob alone, and need have no mean: let q decide where "
           "the range begins and ends.",
           REACHING: "a q that lies outside your range seems to cost nothing: let q decide where "
           "the range begins and ends."},
    typical=2,
    passed="seeking_grid: the grid point with the least KL(q‖p), also on the edge of a grid.",
)  # fmt: skip
seeking_grid = EXERCISE.check
