"""Checks of sheet 02, second part: estimates by the score, and on a grid."""

import math
from typing import Any

import torch

from helpers import data
from helpers.check import normal_facts
from helpers.check.kit.agree import any_of
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed
from helpers.check.likelihood import analytic


def _medians(x: torch.Tensor) -> list[torch.Tensor]:
    """Return torch's lower median and the usual one."""
    return [x.median(), x.quantile(0.5)]


def three_mles(bernoulli: Any, exponential: Any, poisson: Any) -> bool:
    """Check ``bernoulli_mle``, ``exponential_mle`` and ``poisson_mle``, in this order.

    Every sample is drawn and then given one observation of each kind that a wrong turn lives on
    (a zero, a one, a long wait), so that no data seed makes a wrong turn right.
    """
    flips, waits, counts = [], [], []
    for n, share, rate in [(8, 0.3, 0.4), (25, 0.75, 2.5), (60, 0.4, 1.2)]:
        x = data.flips(f"likelihood: flips {n}", n, share)
        x = torch.cat([x, torch.tensor([1.0, 0.0, 0.0 if share < 0.5 else 1.0])])
        tested = f"bernoulli_mle(flips) on {len(x)} flips"
        flips.append(Case(tested, (x,), analytic.bernoulli_mle(x)))
        x = torch.cat([data.waits(f"likelihood: waits {n}", n, rate), torch.tensor([4 / rate])])
        tested = f"exponential_mle(waits) on {len(x)} waits"
        waits.append(Case(tested, (x,), analytic.exponential_mle(x)))
        x = data.counts(f"likelihood: counts {n}", n, 2 * rate)
        x = torch.cat([x, torch.tensor([0.0, 0.0, math.ceil(6 * rate) + 3.0])])
        tested = f"poisson_mle(counts) on {len(x)} counts"
        counts.append(Case(tested, (x,), analytic.poisson_mle(x)))
    function_agrees(bernoulli, flips, BERNOULLI_TURNS)
    function_agrees(exponential, waits, EXPONENTIAL_TURNS)
    function_agrees(poisson, counts, POISSON_TURNS)
    return passed("bernoulli_mle, exponential_mle, poisson_mle: all three zeros of the score.")


BERNOULLI_TURNS = [
    Turn("count not share", "this is how many ones there are; divide by the number of flips.",
         lambda x: x.sum()),
    Turn("smoothing", "no flips may be invented: (k + 1)/(n + 2) is not where the score is zero.",
         lambda x: (x.sum() + 1) / (len(x) + 2)),
    Turn("n − 1 for n", "divide by all n flips.", lambda x: x.sum() / (len(x) - 1)),
    Turn("failures counted", "this is the share of zeros; the parameter belongs to the ones.",
         lambda x: 1 - x.mean()),
    Turn("odds for share", "this is ones against zeros; solve the score for the probability.",
         lambda x: x.sum() / (len(x) - x.sum())),
]  # fmt: skip
EXPONENTIAL_TURNS = [
    Turn("scale for rate", "this is the mean wait, the scale; the rate is events per unit of time.",
         lambda x: x.mean()),
    Turn("mean of reciprocals", "average first, then take one over it.",
         lambda x: (1 / x).mean()),
    Turn("sum for mean", "one over the sum is short by a factor n; solve n/λ − Σ x = 0 again.",
         lambda x: 1 / x.sum()),
    Turn("n − 1 for n", "n/λ − Σ x is zero with all n observations, not n − 1.",
         lambda x: (len(x) - 1) / x.sum()),
    Turn("median for mean", "the score holds the sum of the waits, not their median.",
         lambda x: [f / m for f in (1.0, math.log(2)) for m in _medians(x)], alike=any_of),
    Turn("sign", "the score is n/λ − Σ x; look at its signs.", lambda x: -1 / x.mean()),
]  # fmt: skip
POISSON_TURNS = [
    Turn("sum for mean", "this is the number of all events; divide by n.", lambda x: x.sum()),
    Turn("n − 1 for n", "divide by all n counts.", lambda x: x.sum() / (len(x) - 1)),
    Turn("variance for mean", "variance and mean of a Poisson distribution are equal, but the "
         "score asks for the mean of the data.",
         lambda x: [x.var(correction=c) for c in (0, 1)], alike=any_of),
    Turn("median for mean", "the score holds the sum of the counts, not their median.",
         _medians, alike=any_of),
    Turn("zeros left out", "a count of zero is an observation like any other.",
         lambda x: x[x > 0].mean()),
    Turn("scale for rate", "this is the mean time between events; the rate is one over it.",
         lambda x: 1 / x.mean()),
]  # fmt: skip


def grid_around(name: str, centre: float, step: float, count: int, place: int) -> torch.Tensor:
    """Return an even grid whose point number ``place`` is the nearest to the centre, clearly.

    It is off by 0.1 to 0.25 steps, on either side, so the cell that holds the maximum is never in
    doubt and no average over the grid falls on a grid point by chance.

    Args:
        name: names the draw of the offset.
        centre: what the grid surrounds.
        step: distance of two points.
        count: number of points.
        place: index of the nearest point.
    """
    u = float(data.uniform(name, 1, -0.15, 0.15))
    off = math.copysign(0.1, u) + u
    return centre + step * (torch.arange(count, dtype=torch.float64) - place + off)


def grid_search(answer: Any) -> bool:
    """Check ``grid_search(data, locs, scales)``: the cell with the highest log-likelihood.

    By construction of the grids this is the cell that holds the closed form, so that the answer
    lies within half a cell of the MLE. With 400 observations and scale 3 every
    density product is below 1e-324.
    """
    cases = []
    for n, loc, scale, n_locs, n_scales in [(60, 6.0, 0.8, 9, 7), (400, -10.0, 3.0, 12, 8)]:
        x = data.normal(f"likelihood: grid {n}", n, loc, scale)
        mean, deviation = normal_facts.normal_mle(x)
        step = 0.2 * deviation
        locs = grid_around(f"likelihood: locs {n}", mean, step, n_locs, 5)
        scales = grid_around(f"likelihood: scales {n}", deviation, step, n_scales, 3)
        described = (
            f"grid_search(data, locs, scales) on {n} observations, {n_locs} × {n_scales} cells"
        )
        cases.append(Case(described, (x, locs, scales), _best(x, locs, scales)))
    function_agrees(answer, cases, GRID_TURNS)
    return passed("grid_search: the highest cell, within half a cell of the closed form.")


def table(x: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """Return the log-likelihood of every cell, shape (len(locs), len(scales))."""
    rows = [[normal_facts.normal_log_densities(float(m), float(s), x).sum() for s in scales]
            for m in locs]  # fmt: skip
    return torch.stack([torch.stack(row) for row in rows])


def _cell(scores: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> tuple[float, float]:
    i, j = divmod(int(scores.argmax()), len(scales))
    return float(locs[i]), float(scales[j])


def _best(x: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> tuple[float, float]:
    return _cell(table(x, locs, scales), locs, scales)


def _indices(x: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> tuple[int, int]:
    return divmod(int(table(x, locs, scales).argmax()), len(scales))


def _turned(x: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> list[Any]:
    """Return what comes of (scale, loc), and of an index taken apart by the wrong length."""
    loc, scale = _best(x, locs, scales)
    j, i = divmod(int(table(x, locs, scales).argmax()), len(locs))
    wrong = (float(locs[i]), float(scales[j])) if j < len(scales) else (math.inf, math.inf)
    return [(scale, loc), wrong]


def _averaged(x: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> Any:
    weights = table(x, locs, scales).flatten().softmax(0).reshape(len(locs), len(scales))
    return (weights.sum(1) * locs).sum(), (weights.sum(0) * scales).sum()


def _densities(x: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """Return the density of every observation in every cell, shape (locs, scales, n)."""
    rows = [[normal_facts.normal_log_densities(float(m), float(s), x).exp() for s in scales]
            for m in locs]  # fmt: skip
    return torch.stack([torch.stack(row) for row in rows])


GRID_TURNS = [
    Turn("lowest for highest", "you return the cell that fits worst; look for the maximum.",
         lambda x, m, s: _cell(-table(x, m, s), m, s)),
    Turn("nothing beats the start",
         "no cell beat the best total you started from: log-likelihoods are negative, so start "
         "from minus infinity or from the first cell.",
         lambda x, m, s: None, raises=lambda error: isinstance(error, UnboundLocalError)),
    Turn("indices returned", "these are places in the grid; return the numbers at these places.",
         _indices),
    Turn("swapped axes", "locs and scales are mixed up, in the result or in how an index is taken "
         "apart.", _turned, alike=any_of),
    Turn("likelihood as probability",
         "you average the grid with the likelihood as weights, as if it were a probability of the "
         "parameter; take the highest cell.", _averaged),
    Turn("likelihood underflows",
         "the product of so many densities is zero in every cell, so the first one wins; add logs.",
         lambda x, m, s: [_cell(_densities(x, m, s).prod(-1), m, s),
                          _cell(_densities(x, m, s).float().prod(-1), m, s)], alike=any_of),
    Turn("densities added", "you add densities; the likelihood multiplies them, so add their logs.",
         lambda x, m, s: _cell(_densities(x, m, s).sum(-1), m, s)),
    Turn("scale taken as variance", "scale is the standard deviation σ; take no root of it.",
         lambda x, m, s: (_best(x, m, s.sqrt())[0], _best(x, m, s.sqrt())[1] ** 2)),
    Turn("variance for standard deviation", "Normal takes the standard deviation, not its square.",
         lambda x, m, s: (_best(x, m, s**2)[0], _best(x, m, s**2)[1] ** 0.5)),
    Turn("sample estimates returned", "this is the closed form; a search returns a grid point.",
         lambda x, m, s: normal_facts.normal_mle(x)),
]  # fmt: skip
