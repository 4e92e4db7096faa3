"""Checks of sheet 07, first part: KL divergence by quadrature."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.distributions import Beta, Distribution, Gamma, Normal, Uniform

from helpers import data
from helpers.check.kit.agree import as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed
from helpers.check.kl import analytic

# A trapezoid rule is no closed form, and in single precision thousands of terms round: four digits
# are asked for. Right answers on the cases below agree to 1e-6.
QUADRATURE = 1e-4


def make(family: Any, *parameters: float) -> Any:
    """Return a distribution of torch.distributions with parameters in float64, without axes."""
    return family(*(torch.tensor(v, dtype=torch.float64) for v in parameters))


def kl_quadrature(answer: Any) -> bool:
    """Check ``kl_quadrature(p, q, low, high, n)`` against closed forms.

    A wide q whose p is exactly 0 at most nodes, a narrow q that underflows where p does not, two
    gammas and two betas whose densities are 0 at the edge of their support, where log p is −∞; a q
    that truly is 0 where p is not, so that the divergence is infinite; and two normals on six
    nodes only, where the trapezoid rule is off by several percent: what is expected is its value.
    """
    cases = []

    def case(p: Distribution, q: Distribution, low: float, high: float, n: int, kl: float) -> None:
        words = f"{named(p)}, {named(q)}, {low:.2f}, {high:.2f}, {n}"
        cases.append(Case(f"kl_quadrature({words})", (p, q, low, high, n), kl))

    u = data.uniform("kl: quadrature", 12).tolist()
    m, s = 30 + 10 * u[0], 1 + u[1]
    pair = m, s, m + (3 + 2 * u[2]) * s, (2.5 + u[3]) * s
    case(make(Normal, *pair[:2]), make(Normal, *pair[2:]), m - 45 * s, m + 45 * s, 801,
         analytic.normal_kl(*pair))  # fmt: skip
    m, s = -25 - 5 * u[4], 2 + u[5]
    pair = m, s, m - 0.5 * s, (0.2 + 0.05 * u[6]) * s
    case(make(Normal, *pair[:2]), make(Normal, *pair[2:]), m - 11 * s, m + 11 * s, 401,
         analytic.normal_kl(*pair))  # fmt: skip
    shape, rate = 4 + u[7], 1 + 0.5 * u[8]
    pair = shape, rate, shape + 3, 0.6 * rate
    case(make(Gamma, *pair[:2]), make(Gamma, *pair[2:]), 0.0, 60 / rate, 1501,
         analytic.gamma_kl(*pair))  # fmt: skip
    pair = 3 + u[9], 6 + u[10], 6 + u[9], 4 + u[11]
    case(make(Beta, *pair[:2]), make(Beta, *pair[2:]), 0.0, 1.0, 801,
         analytic.beta_kl(*pair))  # fmt: skip
    u = data.uniform("kl: quadrature, more", 5).tolist()
    # Nodes five standard deviations apart: in both precisions p is 0 there or a normal number.
    m, s = 5 + 5 * u[0], 1 + u[1]
    case(make(Normal, m, s), bounded(m - (0.5 + u[2]) * s, m + 1.5 * s), m - 45 * s, m + 45 * s,
         19, math.inf)  # fmt: skip
    m, s = 2 * u[3] - 1, 1 + 0.5 * u[4]
    # Few nodes, and p is not 0 at the first: here the rule's own value is asked for.
    few = make(Normal, m, s), make(Normal, m + 1.5 * s, 1.5 * s), m - 0.5 * s, m + 5.5 * s, 6
    case(*few, float(_nats(*few)[0]))
    function_agrees(answer, cases, QUADRATURE_TURNS, bound=QUADRATURE)
    return passed("kl_quadrature: closed forms, an infinite one, few nodes and many, no NaN.")


def bounded(low: float, high: float) -> Any:
    """Return a uniform distribution that may be asked beyond its ends, where its density is 0."""
    begin, end = (torch.tensor(v, dtype=torch.float64) for v in (low, high))
    return Uniform(begin, end, validate_args=False)


def named(d: Distribution) -> str:
    """Return a distribution as a student would write it, with rounded parameters."""
    keys = ["concentration1", "concentration0"] if isinstance(d, Beta) else d.arg_constraints
    parameters = [getattr(d, key) for key in keys]
    return f"{type(d).__name__}({', '.join(f'{float(v):.2f}' for v in parameters)})"


Integrand = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def _integrals(*integrands: Integrand, doubles: bool = False) -> Callable[..., list[torch.Tensor]]:
    """Return a turn's values: integrands of log p and log q by trapezoids, in both precisions."""

    def gives(p: Distribution, q: Distribution, low: float, high: float, n: int) -> list:
        values = []
        for dtype in [torch.float64] if doubles else [torch.float64, torch.float32]:
            x = torch.linspace(low, high, n, dtype=dtype)
            for integrand in integrands:
                values.append(torch.trapezoid(integrand(p.log_prob(x), q.log_prob(x)), x))
        return values

    return gives


def _clean(log_p: torch.Tensor, log_q: torch.Tensor) -> torch.Tensor:
    return torch.where(log_p.exp() > 0, log_p.exp() * (log_p - log_q), 0.0)


def _too_short(p: Distribution, q: Distribution, low: float, high: float, n: int) -> list:
    """Return KL over ranges that sheets have, or within some standard deviations of p's mean."""
    ranges = [(-5.0, 7.0), (-4.0, 8.0), (-10.0, 10.0)]
    mean, deviation = float(p.mean), float(p.stddev)
    ranges += [(mean - k * deviation, mean + k * deviation) for k in (1, 2, 3)]
    ranges += [(low, (low + high) / 2), ((low + high) / 2, high)]
    support = getattr(p, "support", None)
    values = []
    for a, b in ranges:
        for count in (n, max(n, 2001)):
            nodes = torch.linspace(a, b, count, dtype=torch.float64)
            for x in (nodes, nodes.clamp(low, high)):
                inside = support.check(x) if support is not None else x == x
                safe = torch.where(inside, x, (low + high) / 2)
                terms = _clean(p.log_prob(safe), q.log_prob(safe))
                values.append(torch.trapezoid(torch.where(inside, terms, 0.0), x))
    return values


def _other_counts(p: Distribution, q: Distribution, low: float, high: float, n: int) -> list:
    """Return KL on n + 1 and on n − 1 nodes."""
    return [*_nats(p, q, low, high, n + 1), *_nats(p, q, low, high, n - 1)]


def _many_nodes(p: Distribution, q: Distribution, low: float, high: float, n: int) -> list:
    """Return KL on many nodes, whatever n, and by Simpson's rule on n nodes, or one more."""
    odd = n + 1 - n % 2
    x = torch.linspace(low, high, odd, dtype=torch.float64)
    y = _clean(p.log_prob(x), q.log_prob(x))
    simpson = (y[0] + 4 * y[1::2].sum() + 2 * y[2:-1:2].sum() + y[-1]) / 3
    return [*_nats(p, q, low, high, 20_001), *_nats(p, q, low, high, max(n, 401)),
            *(simpson * (high - low) / (count - 1) for count in (n, odd))]  # fmt: skip


def _hidden(log_p: torch.Tensor, log_q: torch.Tensor) -> torch.Tensor:
    """Return the integrand with 0 wherever it is not finite."""
    return (log_p.exp() * (log_p - log_q)).nan_to_num(0.0, 0.0, 0.0)


def _biggest(log_p: torch.Tensor, log_q: torch.Tensor) -> torch.Tensor:
    """Return the integrand with the largest single-precision float where it is infinite."""
    return (log_p.exp() * (log_p - log_q)).nan_to_num(0.0, 3.4028234663852886e38)


def _full_ends(p: Distribution, q: Distribution, low: float, high: float, n: int) -> list:
    """Return sums of the integrand times a step, an end or both taken in full."""
    x = torch.linspace(low, high, n, dtype=torch.float64)
    values, step = _clean(p.log_prob(x), q.log_prob(x)), (high - low) / (n - 1)
    return [part.sum() * step for part in (values, values[:-1], values[1:])]


def _sums(p: Distribution, q: Distribution, low: float, high: float, n: int) -> list:
    """Return the integrand's sum, mean and trapezoids, without the width of a step."""
    x = torch.linspace(low, high, n, dtype=torch.float64)
    values = _clean(p.log_prob(x), q.log_prob(x))
    return [values.sum(), values.mean(), torch.trapezoid(values)]


def _close(got: Any, wanted: list[Any], tolerance: float = 1e-3) -> bool:
    """Whether a value agrees with one of several, or both are next to nothing: no KL here is."""
    taken = as_tensor(got)
    gone = taken is not None and taken.ndim == 0 and float(taken.abs()) < 1e-6
    return any(same(got, w, tolerance) or (gone and float(w.abs()) < 1e-6) for w in wanted)


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


_nats = _integrals(_clean, doubles=True)
QUADRATURE_TURNS = [
    Turn("NaN where p is 0",
         "where p(x) is 0 the integrand is 0, but 0 · log 0 is NaN in floating point: put 0 there.",
         _integrals(lambda lp, lq: lp.exp() * (lp.exp() / lq.exp()).log(),
                    lambda lp, lq: lp.exp() * (lp - lq),
                    lambda lp, lq: torch.where(lp > -math.inf, lp.exp() * (lp - lq), 0.0)),
         alike=_close),
    Turn("infinity hidden",
         "where q is 0 and p is not, the divergence is infinite: put 0 where p is 0, nowhere else.",
         _integrals(_hidden, _biggest), alike=_close),
    Turn("densities underflow",
         "q(x) is not 0 where it rounds to 0: subtract log-densities in place of dividing "
         "densities.",
         _integrals(lambda lp, lq: torch.where(
             lp.exp() > 0, lp.exp() * (lp.exp() / lq.exp()).log(), 0.0),
                    lambda lp, lq: torch.where(
             (lp.exp() > 0) & (lq.exp() > 0), lp.exp() * (lp - lq), 0.0)), alike=_close),
    Turn("epsilon added",
         "the logarithm of a small number you add is not that of q(x), which may be far smaller.",
         lambda *case: [v for e in EPSILONS for v in _integrals(*_with_epsilon(e))(*case)],
         alike=_close),
    Turn("direction reversed", "this is KL(q‖p): the density in front of the logarithm is p.",
         lambda p, q, low, high, n: _nats(q, p, low, high, n), alike=_close),
    Turn("sign", "the ratio is p over q: a divergence is never negative.",
         lambda p, q, low, high, n: [-v for v in _nats(p, q, low, high, n)], alike=_close),
    Turn("averaged under q", "p stands on top of the ratio, and in front of the logarithm as well.",
         lambda p, q, low, high, n: [-v for v in _nats(q, p, low, high, n)], alike=_close),
    Turn("log base 2", "your unit is the bit; take natural logarithms.",
         lambda p, q, low, high, n: [v / math.log(2) for v in _nats(p, q, low, high, n)],
         alike=_close),
    Turn("log base 10", "you took decimal logarithms; take natural ones.",
         lambda p, q, low, high, n: [v / math.log(10) for v in _nats(p, q, low, high, n)],
         alike=_close),
    Turn("weights p missing",
         "the log-ratio must be weighted with p(x): where p is small it hardly counts.",
         _integrals(lambda lp, lq: lp - lq, lambda lp, lq: (lp.exp() / lq.exp()).log(),
                    lambda lp, lq: torch.where(lp.exp() > 0, lp - lq, 0.0),
                    lambda lp, lq: torch.where(lp > -torch.inf, lp - lq, 0.0)), alike=_close),
    Turn("log forgotten", "take the logarithm of the ratio before you integrate.",
         _integrals(lambda lp, lq: torch.where(lp.exp() > 0, lp.exp() * (lp - lq).exp(), 0.0),
                    lambda lp, lq: lp.exp() - lq.exp()), alike=_close),
    Turn("entropy forgotten", "this is the cross-entropy: log p(x) is missing from the log-ratio.",
         _integrals(lambda lp, lq: torch.where(lp.exp() > 0, -lp.exp() * lq, 0.0)), alike=_close),
    Turn("step forgotten", "an integral is the sum times the width of a step; trapezoid takes x "
         "as well.",
         _sums, alike=_close),
    Turn("mean times range", "n nodes have n − 1 steps between them, and each end counts by half.",
         lambda p, q, low, high, n: [_sums(p, q, low, high, n)[1] * (high - low)], alike=_close),
    Turn("ends in full", "trapezoids take the values at both ends by half.",
         _full_ends, alike=_close),
    Turn("one node too many", "n counts the nodes, both ends included; the steps are n − 1.",
         _other_counts, alike=_close),
    Turn("n ignored",
         "on a handful of nodes trapezoids are off by percents, and yours are not: use n of them.",
         _many_nodes, alike=_close),
    Turn("range too short", "integrate from low to high, as they are given: there p has its mass.",
         _too_short, alike=_close, raises=lambda error: "support" in str(error)),
]  # fmt: skip
