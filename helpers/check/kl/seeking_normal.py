"""seeking_normal(p, loc, scale): the local optimum of KL(q‖p) in the valley of a start."""

import math
from typing import Any

import torch
from torch.distributions import Distribution, MixtureSameFamily, Normal, StudentT

from helpers.check.kit.asks import Argument, Draws, Given, Jointly
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kl import analytic
from helpers.check.kl.distributions import Pair, components, make, moved, shown, target, two_peaks
from helpers.check.kl.excess import EXCESS, NEARLY, Walked


def divergence(at: torch.Tensor, p: Distribution, *start: float) -> torch.Tensor:
    """Return KL(q‖p) for q at (loc, scale), whatever the start."""
    return analytic.seeking_kl(p, at[0], at[1])


def _kl(p: Distribution, pair: Pair) -> float:
    return float(divergence(torch.tensor(pair, dtype=torch.float64), p))


def between(p: MixtureSameFamily) -> Pair:
    """Return the bottom of the valley that spans two peaks close to one another."""
    return analytic.seeking_optimum(p, float(p.mean), 0.8 * float(p.stddev))


def _every_bottom(p: Distribution) -> list[Pair]:
    if not isinstance(p, MixtureSameFamily):  # a single peak, which need not have a mean
        return [analytic.seeking_optimum(p, float(p.loc), float(p.scale))]  # type: ignore[attr-defined]
    return [analytic.seeking_optimum(p, *pair) for pair in components(p)] + [between(p)]


def _peak(p: Distribution, loc: float, scale: float) -> Pair:
    """Return the component whose valley a start lies in."""
    return min(components(p), key=lambda pair: abs(pair[0] - loc) / pair[1])


def _changed(of: Any) -> Any:
    """Return a turn's value: the optimum (loc, scale), changed."""
    return lambda p, loc, scale: of(*analytic.seeking_optimum(p, loc, scale))


def _number_pair(got: Any) -> Pair | None:
    """Return what came as a pair with a positive scale, or None."""
    taken = as_tensor(got)
    if taken is None or taken.shape != (2,) or not bool(taken.isfinite().all()):
        return None
    return (float(taken[0]), float(taken[1])) if float(taken[1]) > 0 else None


def _collapsed(got: Any, given: tuple[Distribution, float, float]) -> bool:
    """Whether a q has the place of a peak, and far less than its width."""
    reached = _number_pair(got)
    if reached is None:
        return False
    p, loc, scale = given
    _, width = analytic.seeking_optimum(p, loc, scale)
    return reached[1] < 0.35 * width and abs(reached[0] - loc) < 6 * width


# Ranges that a sheet has, or that one would write down, and that p leaves.
FIXED = [(-20.0, 24.0), (-16.0, 20.0), (-20.0, 20.0), (-25.0, 25.0), (-30.0, 30.0)]


def _off_its_nodes(got: Any, given: tuple[Distribution, float, float]) -> bool:
    """Whether a walk on fixed nodes ends here: q has left them, and on them nothing pulls any more.

    Where q had next to no mass on the nodes it stays near the start; where they happened to suffice
    it is right.
    """
    reached = _number_pair(got)
    if reached is None:
        return False
    p, loc, scale = given
    short = abs(_kl(p, reached) - _kl(p, analytic.seeking_optimum(p, loc, scale)))
    if short <= EXCESS or same(reached, (loc, scale), 1e-5):
        return True
    for ends in FIXED:
        if abs(reached[0]) > 2 * max(ends):  # no node has drawn it there
            continue
        before, mass, _ = _on_nodes(p, ends, (loc, scale))
        after, left, pull = _on_nodes(p, ends, reached)
        if mass > 1e-13 and left < 0.99999 and after < before and pull < 1e-2:
            return True
        stays = abs(reached[0] - loc) < 0.2 * scale and same(reached[1], scale, 0.1)
        if mass < 1e-6 and stays and after <= before:
            return True
    return False


def _on_nodes(p: Distribution, ends: Pair, pair: Pair) -> tuple[float, float, float]:
    """Return what nodes see of KL(q‖p) and of q's mass, and the slope by (loc, log scale)."""
    x = torch.linspace(*ends, 4001, dtype=torch.float64)
    free = torch.tensor([pair[0], math.log(pair[1])], dtype=torch.float64, requires_grad=True)
    log_q = Normal(free[0], free[1].exp()).log_prob(x)
    kl = torch.trapezoid(log_q.exp() * (log_q - p.log_prob(x)), x)
    (slope,) = torch.autograd.grad(kl, free)
    mass = torch.trapezoid(log_q.exp(), x)
    return kl.item(), mass.item(), float(slope.norm())


# Bounds that one would write down for a scale.
BOUNDS = [m * 10.0**k for k in (-4, -3, -2, -1, 0, 1) for m in (1, 2, 3, 5)]


def _at_a_bound(got: Any, given: tuple[Distribution, float, float]) -> bool:
    """Whether a q is right, or has the scale of a round bound."""
    reached = _number_pair(got)
    if reached is None:
        return False
    p, loc, scale = given
    short = abs(_kl(p, reached) - _kl(p, analytic.seeking_optimum(p, loc, scale)))
    return short <= EXCESS or any(same(reached[1], bound, 1e-6) for bound in BOUNDS)


def _flat(got: Any, given: tuple[Distribution, float, float]) -> bool:
    """Whether a q is right but for a sign of its scale, or where the slope is zero, or far out."""
    taken = as_tensor(got)
    if taken is None or taken.shape != (2,) or not bool(taken.isfinite().all()):
        return False
    (p, loc, scale), reached = given, (float(taken[0]), abs(float(taken[1])))
    if abs(reached[0] - loc) > 1e3 * scale or reached[1] == 0:
        return True
    short = abs(_kl(p, reached) - _kl(p, analytic.seeking_optimum(p, loc, scale)))
    if short <= EXCESS:
        return True
    free = torch.tensor([reached[0], math.log(reached[1])], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(analytic.seeking_kl(p, free[0], free[1].exp()), free)
    return short > NEARLY and float(slope.norm()) < 1e-3


def _ran_away(got: Any, given: tuple[Distribution, float, float]) -> bool:
    """Whether q has kept the location of the start, and grown without an end."""
    reached = _number_pair(got)
    return reached is not None and same(reached[0], given[1], 1e-7) and reached[1] > 20 * given[2]


def _elsewhere(got: Any, given: tuple[Distribution, float, float]) -> bool:
    """Whether a q is right, or at the bottom of another valley than the start's."""
    reached = _number_pair(got)
    if reached is None:
        return False
    p, loc, scale = given
    own = analytic.seeking_optimum(p, loc, scale)
    others = [pair for pair in _every_bottom(p) if not same(pair, own, 1e-2)]
    return abs(_kl(p, reached) - _kl(p, own)) <= EXCESS or any(
        same(reached, pair, 1e-3) for pair in others
    )


def _itself(p: Distribution, loc: float, scale: float) -> tuple[Distribution, float, float]:
    return p, loc, scale


TURNS = (
    Turn("never moves", "this is the start: the parameters that your steps change are not these.",
         lambda p, loc, scale: (loc, scale), tolerance=1e-5),
    Turn("direction reversed", "this q has the mean and the spread of p: it minimises KL(p‖q).",
         lambda p, loc, scale: (float(p.mean), float(p.stddev)), tolerance=1e-3),
    Turn("one component", "near a peak p is almost a component, but the other one adds to its "
         "tail.", _peak, tolerance=1e-5),
    Turn("range too short", "you cut q off too early: integrate over at least 5 of its standard "
         "deviations to each side.",
         lambda p, loc, scale: AnyOf(*[analytic.seeking_optimum(p, loc, scale, k)
                                       for k in (1.0, 1.5, 2.0, 2.5, 3.0)]), tolerance=1e-4),
    Turn("variance for standard deviation", "the second number is a scale, not its square.",
         _changed(lambda loc, scale: AnyOf((loc, scale**2), (loc, scale**0.5))), tolerance=1e-3),
    Turn("log scale returned", "you return the logarithm of the scale; take exp before you return.",
         _changed(lambda loc, scale: (loc, math.log(scale))), tolerance=1e-3),
    Turn("exp taken twice", "the scale went through exp once more at the end.",
         _changed(lambda loc, scale: (loc, math.exp(scale))), tolerance=1e-3),
    Turn("pair in wrong order", "the location comes first, the scale second.",
         _changed(lambda loc, scale: (scale, loc)), tolerance=1e-3),
    Turn("slope of log p lost", "only the entropy is climbed: are the nodes made of the tracked "
         "loc and scale, with no detach() or no_grad() on the way?", _itself, alike=_ran_away),
    Turn("scale never trained", "the scale is still that of the start: is it among the parameters "
         "that the optimizer was given?",
         lambda p, loc, scale: scale, alike=lambda got, scale: same(_second(got), scale)),
    Turn("location never trained", "the location is still that of the start: is it among the "
         "parameters that the optimizer was given?",
         lambda p, loc, scale: loc, alike=lambda got, loc: same(_first(got), loc, 1e-7)),
    Turn("start ignored", "this is the best valley of all; the exercise asks for the start's own.",
         lambda p, loc, scale: min(_every_bottom(p), key=lambda pair: _kl(p, pair)),
         tolerance=1e-3),
    Turn("wrong valley", "this is the bottom of another valley than the start's: walk down from "
         "the start, in steps that do not leap.",
         _itself, alike=_elsewhere),
    Turn("not downhill", "the slope is zero on a saddle too, and almost so far out: Newton's step "
         "goes there as well; take steps that lower the divergence.", _itself, alike=_flat),
    Turn("rounded", "this is the bottom, rounded: return it in full.",
         _changed(lambda loc, scale: AnyOf(*[(round(loc, k), round(scale, k))
                                             for k in (1, 2, 3)])), tolerance=1e-9),
    Turn("entropy weighed", "log q and log p count alike: no factor stands before one of them.",
         lambda p, loc, scale: AnyOf(*[
             analytic.seeking_optimum(p, loc, scale, of=of)
             for of in (lambda lq, lp: lq / 2 - lp, lambda lq, lp: 2 * lq - lp)]), tolerance=1e-3),
    Turn("scale held by bounds", "the scale ran into a bound of yours: a p may be as narrow or as "
         "wide as it likes, and the logarithm of a scale needs no bound.",
         _itself, alike=_at_a_bound),
    Turn("fixed nodes",
         "your nodes stay where they are while q moves off them: let them follow q.",
         _itself, alike=_off_its_nodes),
    Turn("entropy forgotten", "without log q in the integrand q shrinks to a needle on the peak.",
         _itself, alike=_collapsed),
)  # fmt: skip


def _first(got: Any) -> Any:
    pair = _number_pair(got)
    return None if pair is None else pair[0]


def _second(got: Any) -> Any:
    pair = _number_pair(got)
    return None if pair is None else pair[1]


# --- cases -------------------------------------------------------------------------------------


def _p(u: Draws, given: Given) -> MixtureSameFamily:
    if "p" in given:  # moved alone: the start stays in the same valley
        by = u.choice((-1, 1)) * u.real(0.2, 0.3) * given["scale"]
        return moved(given["p"], given["loc"], by, u.real(1.05, 1.1))
    return two_peaks(u)


def _loc(u: Draws, given: Given) -> float:
    pairs = components(given["p"])
    if "loc" in given:  # moved alone: into the other valley
        pairs.remove(_peak(given["p"], given["loc"], 1.0))
    loc, scale = u.choice(pairs)
    return loc + u.choice((-1, 1)) * u.real(0.2, 0.5) * scale


def _scale(u: Draws, given: Given) -> float:
    _, scale = _peak(given["p"], given["loc"], 1.0)
    return scale * u.real(1.2, 1.4)


def _spanning(u: Draws, given: Given) -> Jointly:
    p = two_peaks(u, unlike=0.05)
    loc, scale = between(p)
    return Jointly(p=p, loc=loc + 0.1 * scale, scale=0.95 * scale)


def _heavy(u: Draws, given: Given) -> Jointly:
    loc, scale = u.real(-40, -30), u.real(0.6, 1.2)
    p = make(StudentT, u.real(3.5, 5), loc, scale)
    return Jointly(p=p, loc=loc - 0.5 * scale, scale=1.5 * scale)


def _aside(u: Draws, given: Given) -> Jointly:
    """Return a narrow start aside of a peak, where log p bends upwards."""
    loc, scale, side = u.real(-40, -30), u.real(0.5, 0.65), u.choice((-1, 1))
    p = make(StudentT, u.real(2.5, 3.5), loc, scale)
    return Jointly(p=p, loc=loc + side * u.real(2.1, 2.4) * scale, scale=u.real(0.15, 0.2) * scale)


def _narrow(u: Draws, given: Given) -> Jointly:
    """Return a narrow peak that has no mean: its best scale is below a quarter."""
    loc, scale = u.real(20, 25), u.real(0.11, 0.14)
    return Jointly(p=make(StudentT, 1.0, loc, scale), loc=loc + 0.4 * scale, scale=2 * scale)


def _wide(u: Draws, given: Given) -> Jointly:
    """Return a peak whose best scale is above three and a half, and a start beside it."""
    loc, scale = u.real(-40, -30), u.real(3.1, 3.4)
    return Jointly(p=make(StudentT, u.real(4, 6), loc, scale), loc=loc - u.real(0.6, 0.9),
                   scale=1.3 * scale)  # fmt: skip


ASIDE = "from a narrow start aside"
EXERCISE = Exercise(
    name="seeking_normal",
    arguments=(
        Argument("p", _p, shown=shown, used_instead=target,
                 edges={"on a single peak with heavy tails": _heavy}),
        Argument("loc", _loc, edges={"from between the peaks": _spanning}),
        Argument("scale", _scale, alone=False, edges={
            ASIDE: _aside, "on a narrow peak": _narrow, "on a wide peak": _wide}),
    ),
    reference=analytic.seeking_optimum,
    agree=Walked(mean_nll=divergence, start=lambda p, loc, scale: (loc, scale), near=2e-5),
    turns=TURNS,
    parts=("location", "scale"),
    hints={ASIDE: "it is right elsewhere: from far off the walk has to lead downhill where the "
           "landscape bends the other way, with nodes that follow q, and far enough."},
    typical=1,
    passed="seeking_normal: within 2e-6 nats of the bottom of the start's valley, from eight "
    "starts.",
)  # fmt: skip
seeking_normal = EXERCISE.check
