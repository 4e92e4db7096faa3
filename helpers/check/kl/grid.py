"""Checks of sheet 07: the grid point with the least KL(q‖p)."""

from collections.abc import Callable
from typing import Any

import torch
from torch.distributions import Distribution, MixtureSameFamily, Normal

from helpers import data
from helpers.check.kit.agree import SINGLE_PRECISION, any_of, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed
from helpers.check.kl import analytic
from helpers.check.kl.covering import Pair, kl_of, two_peaks, words
from helpers.quadrature import trapezoid


def seeking_grid(answer: Any, grids: str = "practice") -> bool:
    """Check ``seeking_grid(p, locs, scales)``: the grid point with the least KL(q‖p).

    A grid point lies within a fifth of a step of the better optimum, so it is the nearest one by
    far, however the integral is taken.

    Args:
        answer: the student's function of p, locs and scales.
        grids: "practice" for two mixtures, "fresh" for two more and other sizes of grid.
    """
    cases = []
    sizes = [(23, 18), (17, 20)] if grids == "practice" else [(8, 21), (31, 17)]
    for side, (k, m) in zip((1, -1), sizes, strict=True):
        # Two sizes: at some scales a root or a square looks like a range that is too short.
        p, pairs = two_peaks(f"kl: {grids} grid {side}", side, 0.5 if side > 0 else 1.0)
        loc, scale = min((analytic.seeking_optimum(p, *c) for c in pairs), key=kl_of(p))
        u = data.uniform(f"kl: {grids} grid point {side}", 4).tolist()
        step, ratio = 0.35 + 0.05 * u[0], 1.15
        i, j = int(0.4 * k + 0.2 * k * u[1]), int(0.42 * m)
        locs = loc + step * (torch.arange(k, dtype=torch.float64) - i + 0.2 * (2 * u[2] - 1))
        scales = scale * ratio ** (torch.arange(m, dtype=torch.float64) - j + 0.1 * u[3])
        table = _table(p, locs, scales, 12.0)
        expected = _at(table.argmin(), locs, scales)
        described = f"seeking_grid(p, locs, scales) on {k} × {m} points, p = {words(p)}"
        cases.append(Case(described, (p, locs, scales), expected))
    function_agrees(answer, cases, GRID_TURNS, bound=SINGLE_PRECISION)
    return passed("seeking_grid: the grid point with the least KL(q‖p), on two mixtures.")


def _at(index: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> Pair:
    i, j = divmod(int(index), len(scales))
    return float(locs[i]), float(scales[j])


def _table(
    p: Distribution, locs: torch.Tensor, scales: torch.Tensor, span: float,
    of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = lambda lp, lq: lq.exp() * (lq - lp),
) -> torch.Tensor:  # fmt: skip
    """Return an integral of log p and log q over ``span`` scales of q, for every grid point."""
    loc, scale = torch.broadcast_tensors(locs[:, None], scales)
    return trapezoid(
        lambda x: of(p.log_prob(x), Normal(loc, scale).log_prob(x)),
        loc - span * scale, loc + span * scale, 401,
    )  # fmt: skip


def _window(
    p: Distribution, locs: torch.Tensor, scales: torch.Tensor, low: float, high: float, n: int
) -> torch.Tensor:
    """Return KL(q‖p) over a fixed range with n nodes, for every grid point."""
    log_q = Normal(locs[:, None], scales).log_prob
    return trapezoid(
        lambda x: log_q(x[:, None, None]).exp()
        * (log_q(x[:, None, None]) - p.log_prob(x)[:, None, None]),
        low, high, n,
    )  # fmt: skip


def _least(*tables: Callable[..., torch.Tensor]) -> Callable[..., list[Pair]]:
    return lambda p, locs, scales: [_at(t(p, locs, scales).argmin(), locs, scales) for t in tables]


def _spans(
    of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> list[Callable[..., torch.Tensor]]:
    return [lambda p, a, b, k=k: _table(p, a, b, k, of) for k in (3.0, 4.0, 5.0, 6.0, 8.0, 10.0)]


def _short_spans() -> list[Callable[..., torch.Tensor]]:
    return [lambda p, a, b, k=k: _table(p, a, b, k) for k in (2.0, 1.5, 1.0, 0.5)]


def _fixed_windows() -> list[Callable[..., torch.Tensor]]:
    """Return integrals over ranges that the sheet has, with as many nodes as one would take."""
    return [
        lambda p, a, b, low=low, high=high, n=n: _window(p, a, b, low, high, n)
        for low, high in [(-20.0, 24.0), (-16.0, 20.0), (-5.0, 7.0), (-4.0, 8.0)]
        for n in (501, 1001, 2001, 5001)
    ]


def _covering_table(p: MixtureSameFamily, locs: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    best = float(p.mean), float(p.stddev)
    rows = [[analytic.covering_excess(float(a), float(b), best) for b in scales] for a in locs]
    return torch.tensor(rows)


def _indices(p: Distribution, locs: torch.Tensor, scales: torch.Tensor) -> list[Any]:
    index = int(_table(p, locs, scales, 12.0).argmin())
    return [divmod(index, len(scales)), index]


GRID_TURNS = [
    Turn("direction reversed", "this grid point has the least KL(p‖q): it covers both peaks.",
         _least(_covering_table), alike=any_of),
    Turn("highest for lowest", "a divergence is a distance to make small; mind the sign of yours.",
         _least(*_spans(lambda lp, lq: lq.exp() * (lp - lq))), alike=any_of),
    Turn("weights q missing", "the log-ratio must be weighted with q(x) before it is integrated.",
         _least(*_spans(lambda lp, lq: lq - lp)), alike=any_of),
    Turn("entropy forgotten", "log q(x) is part of the integrand: without it the narrowest q wins.",
         _least(*_spans(lambda lp, lq: -lq.exp() * lp)), alike=any_of),
    Turn("variance for standard deviation", "the second parameter of Normal is the standard "
         "deviation: pass it as it is.",
         _least(lambda p, a, b: _table(p, a, b.sqrt(), 12.0),
                lambda p, a, b: _table(p, a, b**2, 12.0)), alike=any_of),
    Turn("range too short", "q has mass outside your range: let q decide where it begins and ends.",
         _least(*_short_spans(), *_fixed_windows()), alike=any_of),
    Turn("index for value", "this says where the grid point stands in locs and scales; return the "
         "values there.",
         _indices, alike=any_of),
    Turn("pair in wrong order", "the location comes first, the scale second.",
         lambda p, a, b: _at(_table(p, a, b, 12.0).argmin(), a, b)[::-1]),
    Turn("best optimum, off grid", "return a point of the grid: an element of locs and of scales.",
         lambda p, a, b: analytic.seeking_optimum(p, *_at(_table(p, a, b, 12.0).argmin(), a, b)),
         alike=lambda got, want: same(got, want, 1e-3)),
]  # fmt: skip
