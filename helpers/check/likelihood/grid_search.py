"""grid_search(data, locs, scales): the grid point with the highest normal log-likelihood.

No grid leaves its best point in doubt: one or two parameters lie on points of their own, the top
off the middle of its cell but well inside; and there are grids whose best point is on the edge.
"""

import math
from functools import partial

import torch
from torch.distributions import Normal

from helpers import data
from helpers.check.kit.asks import Argument, Draws, Given, Jointly, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.normal_facts import normal_log_densities, normal_mle


def grid_around(u: Draws, centre: float, step: float, count: int, place: int) -> torch.Tensor:
    """Return an even grid whose point number ``place`` is the nearest to the centre, clearly.

    It is off by 0.1 to 0.25 steps, on either side, so the cell that holds the maximum is never in
    doubt and no average over the grid falls on a grid point by chance.

    Args:
        u: draws the offset.
        centre: what the grid surrounds.
        step: distance of two points.
        count: number of points.
        place: index of the nearest point.
    """
    off = u.real(-0.15, 0.15)
    off = math.copysign(0.1, off) + off
    return centre + step * (torch.arange(count, dtype=torch.float64) - place + off)


def _data(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return observations on one side of the sheet's own or on the other, by their number."""
    loc, scale = (u.real(15, 22), 0.12) if n == 60 else (u.real(-12, -5), 2.5)
    return u.normal(n, loc, scale * u.real(0.9, 1.1))


def _locs(u: Draws, given: Given) -> torch.Tensor:
    mean, deviation = normal_mle(given["data"])
    return grid_around(u, mean, 0.2 * deviation, u.whole(9, 12), u.whole(3, 6))


def _scales(u: Draws, given: Given) -> torch.Tensor:
    _, deviation = normal_mle(given["data"])
    return grid_around(u, deviation, 0.2 * deviation, u.whole(6, 8), u.whole(2, 3))


def _all_below(u: Draws, given: Given) -> torch.Tensor:
    mean, deviation = normal_mle(given["data"])
    return mean - deviation * torch.tensor([1.9, 1.6, 1.3, 1.0, 0.7]).double()


def _all_above(u: Draws, given: Given) -> torch.Tensor:
    _, deviation = normal_mle(given["data"])
    return deviation * torch.tensor([1.3, 1.6, 2.0, 2.5]).double()


def table(x: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """Return the log-likelihood of every cell, shape (len(locs), len(scales))."""
    n, (mean, deviation) = len(x), normal_mle(x)
    z = (deviation**2 + (mean - locs[:, None]) ** 2) / scales**2
    return -0.5 * n * (math.log(2 * math.pi) + 2 * scales.log() + z)


def normal_table(x: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """Return the log-density of one observation in every cell, shape (len(locs), len(scales))."""
    return -scales.log() - 0.5 * ((x - locs[:, None]) / scales) ** 2


def _logs(x: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """Return the log-density of every observation, shape (locs, scales, n), but for a constant."""
    return -scales.log()[:, None] - 0.5 * ((x - locs[:, None, None]) / scales[:, None]) ** 2


def _cell(scores: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> tuple[float, float]:
    i, j = divmod(int(scores.argmax()), len(scales))
    return float(locs[i]), float(scales[j])


def best(x: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> tuple[float, float]:
    """Return the grid point with the highest log-likelihood."""
    return _cell(table(x, locs, scales), locs, scales)


def _indices(x: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> tuple[int, int]:
    return divmod(int(table(x, locs, scales).argmax()), len(scales))


def _turned(x: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> AnyOf:
    """Return what comes of (scale, loc), and of an index taken apart by the wrong length."""
    loc, scale = best(x, locs, scales)
    j, i = divmod(int(table(x, locs, scales).argmax()), len(locs))
    found = [(scale, loc)]
    if j < len(scales):
        found.append((float(locs[i]), float(scales[j])))
    # Whoever meets the error that this gives elsewhere may cut the indices at the grid's ends.
    last = float(locs[min(j, len(locs) - 1)]), float(scales[min(i, len(scales) - 1)])
    return AnyOf(*found, last)


def _averaged(x: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> object:
    weights = table(x, locs, scales).flatten().softmax(0).reshape(len(locs), len(scales))
    return (weights.sum(1) * locs).sum(), (weights.sum(0) * scales).sum()


def _densities(x: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """Return the density of every observation in every cell, shape (locs, scales, n)."""
    rows = [[normal_log_densities(float(m), float(s), x).exp() for s in scales] for m in locs]
    return torch.stack([torch.stack(row) for row in rows])


def _by_other(x: torch.Tensor, m: torch.Tensor, s: torch.Tensor, power: float) -> object:
    loc, scale = best(x, m, s**power)
    return loc, scale ** (1 / power)


def _broken_off(x: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> tuple[float, float]:
    """Return what comes of leaving the inner loop where a total is not above the best so far."""
    highest, found = -math.inf, (0, 0)
    for i, row in enumerate(table(x, m, s).tolist()):
        for j, total in enumerate(row):
            if total <= highest:
                break
            highest, found = total, (i, j)
    return float(m[found[0]]), float(s[found[1]])


def _until_it_falls(x: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> AnyOf:
    """Return what comes of leaving one loop, or both, where a total is below the one before."""
    scores = table(x, m, s)
    inner = [_rising(row) for row in scores]
    of_inner = torch.stack([row[:k].max() for row, k in zip(scores, inner, strict=True)])
    outer = _rising(of_inner), _rising(scores.max(1).values)
    found = []
    for rows, columns in ((len(m), inner), (outer[0], inner), (outer[1], [len(s)] * len(m))):
        seen = torch.full_like(scores, -math.inf)
        for i in range(rows):
            seen[i, : columns[i]] = scores[i, : columns[i]]
        found.append(_cell(seen, m, s))
    return AnyOf(_broken_off(x, m, s), *found)


def _rising(row: torch.Tensor) -> int:
    """Return how many of the first numbers come before one that is below its predecessor."""
    falls = (row.diff() < 0).nonzero()
    return int(falls[0]) + 1 if len(falls) else len(row)


def _disordered(grid: torch.Tensor, centre: float) -> torch.Tensor:
    """Return a grid in no order: what lies near the centre is neither first, last nor together."""
    near = grid[(grid - centre).abs().argsort()]
    return torch.cat([near[1:2], near[3:].flip(0), near[:1], near[2:3]])


def _locs_disordered(u: Draws, given: Given) -> torch.Tensor:
    return _disordered(given["locs"], normal_mle(given["data"])[0])


def _scales_disordered(u: Draws, given: Given) -> torch.Tensor:
    return _disordered(given["scales"], normal_mle(given["data"])[1])


def _both_disordered(u: Draws, given: Given) -> Jointly:
    return Jointly(locs=_locs_disordered(u, given), scales=_scales_disordered(u, given))


def _above(start: float, x: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> AnyOf:
    """Return the best cell where its total is above a start, else None or the first cell."""
    if float(table(x, m, s).max()) > start:
        return AnyOf(best(x, m, s), best(x, m, s))
    if start < -1e3:  # only locations that agree to five digits fail there: any cell is the first
        return AnyOf(None)
    return AnyOf(None, (m[0], s[0]))


def _nearest(x: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> AnyOf:
    loc = m[(m - x.mean()).abs().argmin()]
    return AnyOf(*[(loc, s[(s - x.std(correction=c)).abs().argmin()]) for c in (0, 1)])


def by_table(
    data: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the highest cell of a table."""
    totals = Normal(locs[:, None, None], scales[:, None]).log_prob(data).sum(-1)
    i, j = divmod(int(totals.argmax()), len(scales))
    return locs[i], scales[j]


def by_pairs(data: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """Return the best of all pairs, from mean and variance alone."""
    pairs = torch.cartesian_prod(locs, scales)
    off = data.var(correction=0) + (data.mean() - pairs[:, 0]) ** 2
    average = -pairs[:, 1].log() - off / (2 * pairs[:, 1] ** 2)
    return pairs[average.argmax()]


TURNS = (
    Turn("lowest for highest", "you return the cell that fits worst; look for the maximum.",
         lambda x, m, s: _cell(-table(x, m, s), m, s)),
    *[Turn("nothing beats the start",
           "no cell beat the best total you started from: a log-likelihood may be far below zero, "
           "so start from minus infinity or from the first cell.",
           partial(_above, start), raises=lambda error: isinstance(error, UnboundLocalError))
      for start in (0.0, -500.0, -1e3, -1e4)],
    Turn("indices returned", "these are places in the grid; return the numbers at these places.",
         _indices),
    Turn("swapped axes", "locs and scales are mixed up, in the result or in how an index is taken "
         "apart.", _turned),
    Turn("likelihood as probability",
         "you average the grid with the likelihood as weights, as if it were a probability of the "
         "parameter; take the highest cell.", _averaged),
    Turn("likelihood underflows",
         "the product of so many densities is zero in every cell, so the first one wins; add logs.",
         lambda x, m, s: _cell(_densities(x, m, s).prod(-1), m, s)),
    Turn("likelihood underflows",
         "the product of so many densities is zero in every cell, so the first one wins; add logs.",
         lambda x, m, s: _cell(_densities(x, m, s).float().prod(-1), m, s)),
    Turn("densities added", "you add densities; the likelihood multiplies them, so add their logs.",
         lambda x, m, s: _cell(_densities(x, m, s).sum(-1), m, s)),
    Turn("scale taken as variance", "scale is the standard deviation σ; take no root of it.",
         lambda x, m, s: _by_other(x, m, s, 0.5)),
    Turn("variance for standard deviation", "Normal takes the standard deviation, not its square.",
         lambda x, m, s: _by_other(x, m, s, 2.0)),
    Turn("sample estimates returned", "this is the closed form; a search returns a grid point.",
         lambda x, m, s: normal_mle(x)),
    Turn("edges left out", "the first and the last value of a grid count like any other.",
         lambda x, m, s: AnyOf(*[best(x, a, b) for a in (m, m[:-1], m[1:-1])
                                 for b in (s, s[1:], s[1:-1]) if len(a) and len(b)
                                 if len(a) < len(m) or len(b) < len(s)])),
    Turn("first cell", "this is the first pair of all: does the loop go on, and compare?",
         lambda x, m, s: (m[0], s[0])),
    Turn("last cell", "this is the last pair that beat the start: raise the best total as well.",
         lambda x, m, s: (m[-1], s[-1])),
    Turn("nearest to the estimates", "the cell nearest to mean and deviation need not be the best: "
         "where no location is near, a larger scale is. Search.", _nearest),
    Turn("stops at the first fall", "a lower total is no reason to leave the loop: look at every "
         "pair.", _until_it_falls),
    Turn("one observation for all", "the total is the sum over all observations, not the largest "
         "or the least of its terms.",
         lambda x, m, s: AnyOf(*[_cell(of, m, s) for logs in [_logs(x, m, s)]
                                 for of in (logs.amin(-1), logs.median(-1).values,
                                            logs.amax(-1))])),
    Turn("log σ missing", "squares alone are least for the widest scale: the log-density holds "
         "−log σ too.",
         lambda x, m, s: _cell(table(x, m, s) + len(x) * s.log(), m, s)),
    Turn("the mean alone", "every observation counts, not their mean alone.",
         lambda x, m, s: _cell(normal_table(x.mean(), m, s), m, s)),
    Turn("last row", "the best total is forgotten for each new location: set it once, before both "
         "loops.", lambda x, m, s: best(x, m[-1:], s)),
    Turn("side by side", "each location meets each scale: one loop in the other, no zip.",
         lambda x, m, s: _diagonal(x, m, s)),
    Turn("nearest to zero", "a log-likelihood may be positive: look for the largest, not for the "
         "one nearest to zero.", lambda x, m, s: _cell(-table(x, m, s).abs(), m, s)),
    Turn("one after the other", "the best scale for the first location need not be the best of "
         "all: look at every pair.",
         lambda x, m, s: AnyOf(*[_in_turn(x, m, s, first) for first in (0, -1)])),
)  # fmt: skip


def _diagonal(x: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> object:
    shared = min(len(m), len(s))
    place = int(table(x, m[:shared], s[:shared]).diagonal().argmax())
    return m[place], s[place]


def _in_turn(x: torch.Tensor, m: torch.Tensor, s: torch.Tensor, first: int) -> object:
    scores = table(x, m, s)
    j = int(scores[first].argmax())
    return float(m[int(scores[:, j].argmax())]), float(s[j])


EXERCISE = Exercise(
    name="grid_search",
    arguments=(
        # Where the best total is near −60, −350, −580 and −820: each start and each underflow
        # fails on other ones.
        sample("data", _data, many=(60, 1500), sizes=(25, 150, 250, 350), alone=False,
               used_instead=lambda: data.normal("likelihood: seedlings", 40, 12.0, 2.0)),
        Argument("locs", _locs, edges={"the best one an edge of locs": _all_below,
                 "all locations far off": lambda u, given: _all_below(u, given) - 2e4,
                 "a single location": lambda u, given: _all_below(u, given)[:1],
                 "locations in no order": _locs_disordered},
                 shown=lambda v: f"{len(v)} locations"),
        Argument("scales", _scales, edges={"the best one an edge of scales": _all_above,
                 "a single scale": lambda u, given: _all_above(u, given)[:1],
                 "scales in no order": _scales_disordered,
                 "both in no order": _both_disordered},
                 shown=lambda v: f"{len(v)} scales"),
    ),
    reference=best,
    turns=TURNS,
    worked=(by_table, by_pairs),
    parts=("location", "scale"),
    typical=2,
    passed="grid_search: the highest cell, also on the edge of a grid and where products "
    "underflow.",
)  # fmt: skip
grid_search = EXERCISE.check
