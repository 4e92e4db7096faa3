"""kl_quadrature(p, q, low, high, n): KL divergence by the trapezoid rule.

Few nodes, and a range that cuts p off: what is expected is the rule's own value on these nodes, so
that every argument shows. A density is 0 at edges only, where the docstring says what is to come.
"""

import math
from collections.abc import Callable

import torch
from torch.distributions import Beta, Distribution, Gamma, Normal, kl_divergence

from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Argument, Draws, Given, Jointly
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kl.distributions import bounded, make, mixture, model, shown, target

Integrand = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Gives = Callable[[Distribution, Distribution, float, float, int], AnyOf]

# In single precision the nodes themselves are rounded: right answers agree to 1e-6.
QUADRATURE = 1e-4
# Numbers of nodes that are typed in.
TYPED_IN = (50, 100, 101, 200, 201, 500, 501, 1000, 1001, 2000, 2001, 5000, 5001)
# What is near the value of a wrong turn: the turns round in other places than an answer does.
NEAR = 1e-3


def clean(log_p: torch.Tensor, log_q: torch.Tensor) -> torch.Tensor:
    """Return p log p/q from log-densities, 0 where p is 0."""
    return torch.where(log_p.exp() > 0, log_p.exp() * (log_p - log_q), 0.0)


def reference(p: Distribution, q: Distribution, low: float, high: float, n: int) -> float:
    """Return KL(p‖q) by trapezoids on n nodes, in double precision."""
    x = torch.linspace(low, high, n, dtype=torch.float64)
    return float(torch.trapezoid(clean(p.log_prob(x), q.log_prob(x)), x))


def by_trapezoids(p: Distribution, q: Distribution, low: float, high: float, n: int) -> object:
    """The divergence as the sheet leads to it."""
    x = torch.linspace(low, high, n, dtype=torch.float64)
    log_p, log_q = p.log_prob(x), q.log_prob(x)
    return torch.trapezoid(
        torch.where(log_p.exp() > 0, log_p.exp() * (log_p - log_q), torch.zeros_like(x)), x
    )


def by_sum(p: Distribution, q: Distribution, low: float, high: float, n: int) -> object:
    """The divergence as a sum of the values at the nodes, both ends by half."""
    x = torch.linspace(low, high, n, dtype=torch.float64)
    log_p, log_q = p.log_prob(x), q.log_prob(x)
    values = torch.where(log_p.exp() > 0, log_p.exp() * (log_p - log_q), torch.zeros_like(x))
    return (values[1:] + values[:-1]).sum() / 2 * (high - low) / (n - 1)


def _by(*integrands: Integrand) -> Gives:
    """Return a turn's values: integrals of other functions of log p and log q."""

    def gives(p: Distribution, q: Distribution, low: float, high: float, n: int) -> AnyOf:
        x = torch.linspace(low, high, n, dtype=torch.float64)
        logs = p.log_prob(x), q.log_prob(x)
        return AnyOf(*[torch.trapezoid(f(*logs), x) for f in integrands])

    return gives


def _values(of: Callable[[torch.Tensor, float], tuple[torch.Tensor | float, ...]]) -> Gives:
    """Return a turn's values: other sums of the integrand's values and the width of a step."""

    def gives(p: Distribution, q: Distribution, low: float, high: float, n: int) -> AnyOf:
        x = torch.linspace(low, high, n, dtype=torch.float64)
        return AnyOf(*of(clean(p.log_prob(x), q.log_prob(x)), (high - low) / (n - 1)))

    return gives


def _simpson(p: Distribution, q: Distribution, low: float, high: float, n: int) -> AnyOf:
    """Return Simpson's rule on n nodes, or on one more."""
    odd = n + 1 - n % 2
    x = torch.linspace(low, high, odd, dtype=torch.float64)
    y = clean(p.log_prob(x), q.log_prob(x))
    total = (y[0] + 4 * y[1::2].sum() + 2 * y[2:-1:2].sum() + y[-1]) / 3
    return AnyOf(*[total * (high - low) / (count - 1) for count in (odd, n)])


def _middle(p: Distribution, q: Distribution, low: float, high: float, n: int) -> AnyOf:
    """Return the divergences from the mean of the two densities, p's and both together."""
    x = torch.linspace(low, high, n, dtype=torch.float64)
    log_p, log_q = p.log_prob(x), q.log_prob(x)
    middle = ((log_p.exp() + log_q.exp()) / 2).log()
    one, two = (torch.trapezoid(clean(v, middle), x) for v in (log_p, log_q))
    return AnyOf(one, (one + two) / 2)


def _midpoints(p: Distribution, q: Distribution, low: float, high: float, n: int) -> AnyOf:
    """Return the midpoint rule, with n steps and with n − 1."""
    found = []
    for steps in (n, n - 1):
        width = (high - low) / steps
        x = low + width * (torch.arange(steps, dtype=torch.float64) + 0.5)
        found.append(width * clean(p.log_prob(x), q.log_prob(x)).sum())
    return AnyOf(*found)


def _too_short(p: Distribution, q: Distribution, low: float, high: float, n: int) -> AnyOf:
    """Return the integral within some standard deviations of p, and over half of the range."""
    mean, deviation = float(p.mean), float(p.stddev)
    around = [(mean - k * deviation, mean + k * deviation) for k in (1, 2, 3, 4)]
    halves = [(low, (low + high) / 2), ((low + high) / 2, high)]
    return AnyOf(*[reference(p, q, a, b, n) for a, b in around + halves])


def _counts(p: Distribution, q: Distribution, low: float, high: float, n: int) -> AnyOf:
    return AnyOf(*[reference(p, q, low, high, k) for k in (n + 1, n - 1)])


def _inner(p: Distribution, q: Distribution, low: float, high: float, n: int) -> AnyOf:
    """Return the trapezoids without those at the ends, of n nodes and of n between the ends."""
    found = []
    for nodes in (n, n + 1, n + 2):
        x = torch.linspace(low, high, nodes, dtype=torch.float64)
        y = clean(p.log_prob(x), q.log_prob(x))
        found += [torch.trapezoid(y[k], x[k]) for k in (slice(1, -1), slice(1, None), slice(-1))]
    return AnyOf(*found)


# What is added to a density, or put under it, so that its logarithm exists.
EPSILONS = [10.0**-k for k in (5, 6, 7, 8, 9, 10, 12, 14, 15, 16, 20, 30)]


def _with_epsilon(e: float) -> list[Integrand]:
    def added(lp: torch.Tensor, lq: torch.Tensor) -> torch.Tensor:
        return lp.exp() * ((lp.exp() + e).log() - (lq.exp() + e).log())

    def only_below(lp: torch.Tensor, lq: torch.Tensor) -> torch.Tensor:
        return torch.where(lp.exp() > 0, lp.exp() * (lp - (lq.exp() + e).log()), 0.0)

    def outside(lp: torch.Tensor, lq: torch.Tensor) -> torch.Tensor:
        return lp.exp() * (lp.exp() / (lq.exp() + e) + e).log()

    def clamped(lp: torch.Tensor, lq: torch.Tensor) -> torch.Tensor:
        return lp.exp() * (lp.exp().clamp(min=e).log() - lq.exp().clamp(min=e).log())

    return [added, only_below, outside, clamped]


def _turn(name: str, hint: str, gives: Callable[..., object]) -> Turn:
    return Turn(name, hint, gives, tolerance=NEAR)


TURNS = (
    _turn("NaN where p is 0",
          "where p(x) is 0 the integrand is 0, but 0 · log 0 is NaN in floating point: put 0 "
          "there.",
          _by(lambda lp, lq: lp.exp() * (lp.exp() / lq.exp()).log(),
              lambda lp, lq: lp.exp() * (lp - lq),
              lambda lp, lq: torch.where(lp > -math.inf, lp.exp() * (lp - lq), 0.0))),
    _turn("infinity hidden",
          "where q is 0 and p is not, the divergence is infinite: put 0 where p is 0, nowhere "
          "else.",
          _by(lambda lp, lq: (lp.exp() * (lp - lq)).nan_to_num(0.0, 0.0, 0.0),
              lambda lp, lq: (lp.exp() * (lp - lq)).nan_to_num(0.0),
              lambda lp, lq: (lp.exp() * (lp - lq)).nan_to_num(0.0, 3.4028234663852886e38))),
    _turn("densities underflow",
          "q(x) is not 0 where it rounds to 0: subtract log-densities in place of dividing "
          "densities.",
          _by(lambda lp, lq: torch.where(lp.exp() > 0, lp.exp() * (lp.exp() / lq.exp()).log(), 0.0),
              lambda lp, lq: torch.where((lp.exp() > 0) & (lq.exp() > 0), lp.exp() * (lp - lq), 0.0)
              )),
    _turn("epsilon added",
          "the logarithm of a small number you add is not that of q(x), which may be far smaller.",
          lambda *case: AnyOf(*[v for e in EPSILONS for v in _by(*_with_epsilon(e))(*case).values])
          ),
    _turn("direction reversed", "this is KL(q‖p): the density in front of the logarithm is p.",
          lambda p, q, low, high, n: reference(q, p, low, high, n)),
    _turn("sign", "the ratio is p over q, log p comes first; and the nodes run from low to high.",
          lambda p, q, low, high, n: -reference(p, q, low, high, n)),
    _turn("averaged under q", "p stands on top of the ratio, and in front of the logarithm as "
          "well.", lambda p, q, low, high, n: -reference(q, p, low, high, n)),
    _turn("log base 2", "your unit is the bit; take natural logarithms.",
          _values(lambda y, h: (torch.trapezoid(y) * h / math.log(2),))),
    _turn("log base 10", "you took decimal logarithms; take natural ones.",
          _values(lambda y, h: (torch.trapezoid(y) * h / math.log(10),))),
    _turn("weights p missing",
          "the log-ratio must be weighted with p(x): where p is small it hardly counts.",
          _by(lambda lp, lq: lp - lq, lambda lp, lq: torch.where(lp.exp() > 0, lp - lq, 0.0))),
    _turn("log forgotten", "take the logarithm of the ratio before you integrate.",
          _by(lambda lp, lq: torch.where(lp.exp() > 0, lp.exp() * (lp - lq).exp(), 0.0),
              lambda lp, lq: lp.exp() - lq.exp())),
    _turn("entropy forgotten", "this is the cross-entropy: log p(x) is missing from the log-ratio.",
          _by(lambda lp, lq: torch.where(lp.exp() > 0, -lp.exp() * lq, 0.0))),
    _turn("entropy alone", "this is the entropy of p, or minus it: log q(x) is missing.",
          _by(*[lambda lp, lq, s=s: torch.where(lp.exp() > 0, s * lp.exp() * lp, 0.0)
                for s in (1, -1)])),
    _turn("both directions", "KL(p‖q) alone is asked for, in one direction.",
          lambda p, q, low, high, n: AnyOf(*[
              f * (reference(p, q, low, high, n) + reference(q, p, low, high, n))
              for f in (1.0, 0.5)])),
    _turn("measured from the middle", "this measures from the mean of p and q: q itself stands "
          "under p.", _middle),
    _turn("cut at zero", "over a range that cuts p off the sum may be negative: leave its sign.",
          lambda p, q, low, high, n: AnyOf(abs(reference(p, q, low, high, n)),
                                           max(0.0, reference(p, q, low, high, n)))),
    _turn("absolute log-ratio", "a log-ratio below zero counts as such: only the sum is never "
          "negative.",
          _by(lambda lp, lq: clean(lp, lq).abs(), lambda lp, lq: clean(lp, lq).clamp(min=0))),
    _turn("step forgotten", "an integral is the sum times the width of a step; trapezoid takes x "
          "as well.", _values(lambda y, h: (y.sum(), y.mean(), torch.trapezoid(y)))),
    _turn("step of n intervals", "n nodes have n − 1 steps between them, and each end counts by "
          "half.",
          _values(lambda y, h: (y.mean() * h * (len(y) - 1),
                                torch.trapezoid(y) * h * (len(y) - 1) / len(y)))),
    _turn("ends left out", "the nodes run from low to high, both ends among them.", _inner),
    _turn("ends in full", "trapezoids take the values at both ends by half.",
          _values(lambda y, h: tuple(h * v.sum() for v in (y, y[:-1], y[1:], y[1:-1])))),
    Turn("midpoints", "trapezoids take the values at the nodes, from low to high, both ends "
         "among them.", _midpoints),
    _turn("one node too many", "n counts the nodes, both ends included; the steps are n − 1.",
          _counts),
    Turn("n ignored", "the nodes are as many whatever n is: take n of them.",
         lambda p, q, low, high, n: AnyOf(*[reference(p, q, low, high, k) for k in TYPED_IN]),
         tolerance=1e-8),
    Turn("Simpson's rule", "trapezoids are asked: each node counts once, each end by half.",
         _simpson),
    _turn("normalised over the range", "p is to be taken as it is: mass outside the range is "
          "lost, not shared out.",
          lambda p, q, low, high, n: AnyOf(*[
              v for y in [torch.linspace(low, high, n, dtype=torch.float64)]
              for lp, lq in [(p.log_prob(y), q.log_prob(y))]
              for mass in [torch.trapezoid(lp.exp(), y)]
              for v in (torch.trapezoid(clean(lp, lq), y) / mass,
                        torch.trapezoid(clean(lp, lq), y) / mass - mass.log()
                        + torch.trapezoid(lq.exp(), y).log())])),
    _turn("closed form", "this is the formula, on the whole line; asked are trapezoids on n nodes "
          "from low to high.", lambda p, q, low, high, n: kl_divergence(p, q)),
    Turn("range too short", "integrate from low to high, as they are given.", _too_short,
         raises=lambda error: "support" in str(error), tolerance=NEAR),
)  # fmt: skip


# --- cases -------------------------------------------------------------------------------------


def _p(u: Draws, given: Given) -> Normal:
    if "p" in given:  # moved alone: it keeps its mass where the range is
        loc, scale = float(given["p"].loc), float(given["p"].scale)
        return make(Normal, loc + u.real(0.2, 0.4) * scale, scale * u.real(1.1, 1.3))
    return make(Normal, u.choice((-1, 1)) * u.real(1, 3), u.log_real(0.6, 2))


def _q(u: Draws, given: Given) -> Normal:
    p = given["p"]
    away = u.choice((-1, 1)) * u.real(0.8, 1.6)
    return make(Normal, float(p.loc + away * p.scale), float(p.scale) * u.real(1.3, 2))


def _end(side: int) -> Callable[[Draws, Given], float]:
    def draw(u: Draws, given: Given) -> float:
        p = given["p"]
        return float(p.loc + side * p.scale * (u.real(1.0, 1.7) if side < 0 else u.real(2.0, 2.8)))

    return draw


def _n(u: Draws, given: Given) -> int:
    n = u.whole(6, 12)
    return n + 4 if n == given.get("n") else n


def _within_range(of: float, given: Given) -> float:
    return float(given["low"] + of * (given["high"] - given["low"]))


def _bounded(a: float, b: float, given: Given) -> Distribution:
    return bounded(_within_range(a, given), _within_range(b, given))


def _narrow(u: Draws, given: Given) -> Normal:
    """Return a q between two nodes, which rounds to 0 at all of them in either precision."""
    step = (given["high"] - given["low"]) / (given["n"] - 1)
    return make(Normal, given["low"] + (given["n"] // 3 + 0.5) * step, 0.01 * step)


def _gammas(u: Draws, given: Given) -> Jointly:
    shape, rate = u.real(3, 5), u.real(1, 1.5)
    return Jointly(p=make(Gamma, shape, rate), q=make(Gamma, shape + 2, 0.7 * rate), low=0.0,
                   high=2.5 * shape / rate, n=15)  # fmt: skip


def _betas(u: Draws, given: Given) -> Jointly:
    a, b = u.real(3, 4), u.real(6, 7)
    return Jointly(p=make(Beta, a, b), q=make(Beta, b, a), low=0.0, high=1.0, n=12)


def _mixture(u: Draws, given: Given) -> Distribution:
    places = [_within_range(f, given) for f in (0.25, 0.8)]
    scales = [_within_range(f, given) - given["low"] for f in (0.13, 0.1)]
    return mixture([0.35, 0.65], places, scales, torch.float32)


def _off(given: Given, deviations: float) -> float:
    return float(given["p"].loc + deviations * given["p"].scale)


def _one_infinity(u: Draws, given: Given) -> Jointly:
    """Return p and q that end between nodes: at one node p is positive and q is 0.

    At the ends both are 0, so that no rule subtracts infinities.
    """
    n = 30
    step, first = (given["high"] - given["low"]) / (n - 1), u.whole(5, 9)
    between = [given["low"] + (k - 0.5) * step for k in (first, first + 9, first + 1, n - 4)]
    return Jointly(p=bounded(*between[:2]), q=bounded(*between[2:]), n=n)


def _fine(u: Draws, given: Given) -> Jointly:
    """Return many nodes, and a p over 101 of them that ends between two: fewer count it off."""
    n = 4001
    step, first = (given["high"] - given["low"]) / (n - 1), u.whole(1000, 1400)
    ends = [given["low"] + (k + 0.5) * step for k in (first, first + 101)]
    return Jointly(p=bounded(*ends), n=n)


def _far_ends(u: Draws, given: Given) -> Jointly:
    """Return a q that ends where p has rounded to 0 in either precision, and a range beyond."""
    return Jointly(q=bounded(_off(given, -45), _off(given, 45)), low=_off(given, -60))


EXERCISE = Exercise(
    name="kl_quadrature",
    arguments=(
        Argument("p", _p, shown=shown, used_instead=target, edges={
            "where log p is −∞": lambda u, given: _bounded(0.22, 0.77, given),
            "with a mixture in single precision": _mixture,
            "for two gammas": _gammas,
            "for two betas": _betas,
        }),
        Argument("q", _q, shown=shown, used_instead=model, edges={
            "where q rounds to 0": _narrow,
            "where q is 0 and p is not": _one_infinity,
            "where both are 0": lambda u, given: Jointly(
                p=_bounded(0.33, 0.66, given), q=_bounded(0.18, 0.86, given)),
            "where p rounds to 0 and q is 0": _far_ends,
        }),
        Argument("low", _end(-1), used_instead=lambda: -5.0, edges={
            "where p rounds to 0": lambda u, given: _off(given, -60),
        }),
        Argument("high", _end(1), used_instead=lambda: 7.0, edges={
            "far out, where p is small": lambda u, given: Jointly(
                low=_off(given, 9.0), high=_off(given, 11.0)),
        }),
        Argument("n", _n, used_instead=lambda: 10_000, edges={
            "on two nodes": 2, "on 201 nodes": 201, "on 4001 nodes": _fine,
            "on many nodes, most of which have p at 0": lambda u, given: Jointly(
                n=301, low=_off(given, -60))}),
    ),
    reference=reference,
    worked=(by_trapezoids, by_sum),
    agree=Close(rtol=QUADRATURE),
    turns=TURNS,
    passed="kl_quadrature: the trapezoid rule on few nodes and many, 0 and infinity in their "
    "places, no NaN.",
)  # fmt: skip
kl_quadrature = EXERCISE.check
