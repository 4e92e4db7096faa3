"""Checks of sheet 07: the local optimum of KL(q‖p) in the valley of a start."""

import math
from typing import Any

import torch
from torch.distributions import MixtureSameFamily, Normal

from helpers import data
from helpers.check.kit.agree import as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed
from helpers.check.kl import analytic
from helpers.check.kl.covering import EXCESS, Pair, judge_excess, kl_of, roughly, two_peaks, words


def seeking_normal(answer: Any) -> bool:
    """Check ``seeking_normal(p, loc, scale)``: the local optimum of KL(q‖p) in the start's valley.

    The reference is found by Newton's method in float64, with quadrature of known error.
    """
    cases = []
    for side, starts in [(1, (0, 1)), (-1, (0,))]:
        p, pairs = two_peaks(f"kl: seeking {side}", side)
        u = data.uniform(f"kl: starts {side}", 4).tolist()
        for i in starts:
            m, s = pairs[i]
            start = m + (u[i] - 0.5) * s, s * (1.2 + 0.2 * u[2 + i])
            best = analytic.seeking_optimum(p, *pairs[i])
            least, kl = kl_of(p)(best), kl_of(p)
            described = f"seeking_normal(p, {start[0]:.3f}, {start[1]:.3f}), p = {words(p)}"
            judge = judge_excess(lambda a, b, kl=kl, least=least: kl((a, b)) - least)  # type: ignore[misc]
            cases.append(Case(described, (p, *start), best, judge=judge))
    function_agrees(answer, cases, SEEKING_TURNS)
    return passed("seeking_normal: within 2e-6 nats of the local optimum, from three starts.")


def _valley(p: MixtureSameFamily, loc: float) -> Pair:
    """Return the component whose valley a start lies in."""
    c: Any = p.component_distribution
    nearest = int(((c.loc - loc) / c.scale).abs().argmin())
    return float(c.loc[nearest]), float(c.scale[nearest])


def _optimum(p: MixtureSameFamily, loc: float, span: float = analytic.SPAN) -> Pair:
    return analytic.seeking_optimum(p, *_valley(p, loc), span)


def _best_of_all(p: MixtureSameFamily, loc: float, scale: float) -> Pair:
    return min((analytic.seeking_optimum(p, *pair) for pair in _components(p)), key=kl_of(p))


def _components(p: MixtureSameFamily) -> list[Pair]:
    c: Any = p.component_distribution
    return list(zip(c.loc.tolist(), c.scale.tolist(), strict=True))


def _collapsed(got: Any, peak: Pair) -> bool:
    """Whether a q has the place of a peak, and far less than its width."""
    taken = as_tensor(got)
    if taken is None or taken.shape != (2,):
        return False
    return abs(float(taken[0]) - peak[0]) < 0.1 * peak[1] and float(taken[1]) < 0.3 * peak[1]


def _on_the_way(got: Any, given: tuple[MixtureSameFamily, float, float]) -> bool:
    """Whether a q is better than the start, and not at the bottom of the start's valley."""
    p, loc, scale = given
    taken = as_tensor(got)
    if taken is None or taken.shape != (2,) or not float(taken[1]) > 0:
        return False
    reached = float(taken[0]), float(taken[1])
    least, here, start = (kl_of(p)(v) for v in (_optimum(p, loc), reached, (loc, scale)))
    return least - EXCESS <= here < start


# Ranges that a sheet has, or that one would write down, and that p leaves.
FIXED = [(-20.0, 24.0), (-16.0, 20.0), (-20.0, 20.0), (-25.0, 25.0), (-30.0, 30.0)]


def _off_its_nodes(got: Any, given: tuple[MixtureSameFamily, float, float]) -> bool:
    """Whether a walk on fixed nodes ends here: q has left them, and on them nothing pulls any more.

    Where q had next to no mass on the nodes it stays near the start; where they happened to suffice
    it is right.
    """
    p, loc, scale = given
    taken = as_tensor(got)
    if taken is None or taken.shape != (2,) or not float(taken[1]) > 0:
        return False
    reached = float(taken[0]), float(taken[1])
    short = abs(kl_of(p)(reached) - kl_of(p)(_optimum(p, loc)))
    if short <= EXCESS or same(reached, (loc, scale), 1e-5):
        return True
    for ends in FIXED:
        before, mass, _ = _on_nodes(p, ends, (loc, scale))
        after, left, pull = _on_nodes(p, ends, reached)
        if mass > 1e-13 and left < 0.99999 and after < before and pull < 1e-2:
            return True
        stays = abs(reached[0] - loc) < 0.1 * scale and same(reached[1], scale, 0.1)
        if mass < 1e-6 and stays and after <= before:
            return True
    return False


def _on_nodes(p: MixtureSameFamily, ends: Pair, pair: Pair) -> tuple[float, float, float]:
    """Return what nodes see of KL(q‖p) and of q's mass, and the slope by (loc, log scale)."""
    x = torch.linspace(*ends, 4001, dtype=torch.float64)
    free = torch.tensor([pair[0], math.log(pair[1])], dtype=torch.float64, requires_grad=True)
    log_q = Normal(free[0], free[1].exp()).log_prob(x)
    kl = torch.trapezoid(log_q.exp() * (log_q - p.log_prob(x)), x)
    (slope,) = torch.autograd.grad(kl, free)
    mass = torch.trapezoid(log_q.exp(), x)
    return kl.item(), mass.item(), float(slope.norm())


SEEKING_TURNS = [
    Turn("never moves", "this is the start: the parameters that your steps change are not these.",
         lambda p, loc, scale: (loc, scale)),
    Turn("direction reversed", "this q has the mean and the spread of p: it minimises KL(p‖q).",
         lambda p, loc, scale: (float(p.mean), float(p.stddev)),
         alike=lambda got, want: same(got, want, 0.01)),
    Turn("one component", "near a peak p is almost a component, but the other one adds to "
         "its tail.",
         lambda p, loc, scale: _valley(p, loc)),
    Turn("range too short", "you cut q off too early: integrate over at least 4 of its standard "
         "deviations to each side.",
         lambda p, loc, scale: [_optimum(p, loc, k) for k in (1.0, 1.5, 2.0, 2.5, 3.0)],
         alike=lambda got, wanted: roughly(got, wanted, 1e-4)),
    Turn("variance for standard deviation", "the second number is a scale, not its square.",
         lambda p, loc, scale: (_optimum(p, loc)[0], _optimum(p, loc)[1] ** 2),
         alike=lambda got, want: same(got, want, 1e-4)),
    Turn("log scale returned", "you return the logarithm of the scale; take exp before you return.",
         lambda p, loc, scale: (_optimum(p, loc)[0], math.log(_optimum(p, loc)[1])),
         alike=lambda got, want: same(got, want, 1e-4)),
    Turn("entropy forgotten", "without log q in the integrand q shrinks to a needle on the peak.",
         lambda p, loc, scale: _valley(p, loc), alike=_collapsed),
    Turn("start ignored", "this is the best valley of all; the exercise asks for the start's own.",
         _best_of_all, alike=lambda got, want: same(got, want, 1e-3)),
    Turn("wrong valley", "this is the bottom of another valley than the start's: smaller steps.",
         lambda p, loc, scale: [analytic.seeking_optimum(p, *pair) for pair in _components(p)],
         alike=lambda got, wanted: roughly(got, wanted, 1e-3)),
    Turn("stops early", "better than the start, but not at the bottom: make more steps, or look at "
         "the range of your integral.",
         lambda p, loc, scale: (p, loc, scale), alike=_on_the_way),
    Turn("fixed nodes",
         "your nodes stay where they are while q moves off them: let them follow q.",
         lambda p, loc, scale: (p, loc, scale), alike=_off_its_nodes),
]  # fmt: skip
