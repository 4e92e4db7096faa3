"""beta_slope(x, a, b): the slope of a Beta density, zero outside its support, NaN nowhere."""

import math
from collections.abc import Callable
from typing import Any

import torch

from helpers.check.autodiff.analytic import beta_density
from helpers.check.autodiff.analytic import beta_slope as reference
from helpers.check.autodiff.functions import DETACHED, NEVER_FILLED, SCALAR_ONLY
from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Draws, Given, real, sample
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

# Parameters that are Python floats make log_prob work in single precision, whose errors the
# exponent enlarges: up to 6e-6 for points as near to the edges as these (bank, 200 data seeds).
SINGLE = 1e-4
# Powers of two, which single precision holds exactly.
NEAR = 2.0**-17


def _points(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return n points, an inside one first, then both edges and points on either side of them."""
    x, beyond = u.uniform(n, 0.03, 0.97), u.uniform(n, 0.01, 3)
    places = torch.arange(n) % 6
    for place, others in ((1, -beyond), (2, 0 * x), (3, 1 + 0 * x), (4, 1 + beyond)):
        x = torch.where(places == place, others, x)
    return x


def _block(u: Draws, given: Given) -> torch.Tensor:
    return _points(u, given, 6).reshape(2, 3)


def _edge(x: torch.Tensor) -> torch.Tensor:
    return (x == 0) | (x == 1)


def _but_for(
    strange: Callable[[torch.Tensor], torch.Tensor], nan: bool
) -> Callable[[Any, Any], bool]:
    """Return a comparison: right, but for a mask of points, where there is NaN, or a number."""

    def alike(got: Any, given: Any) -> bool:
        x, right = given
        value = as_tensor(got)
        if value is None or value.shape != x.shape:
            return False
        there = strange(x)
        seen = value[there].isnan()
        fits = seen | (value[there] == 0) if nan else ~seen
        return same(value[~there], right[~there], SINGLE) and bool(fits.all())

    return alike


def _given(x: torch.Tensor, a: float, b: float) -> tuple[torch.Tensor, torch.Tensor]:
    return x, reference(x, a, b)


def _right_or_zero(got: Any, given: Any) -> bool:
    x, right = given
    value = as_tensor(got)
    if value is None or value.shape != x.shape:
        return False
    return same(torch.where(value == 0, right.to(value.dtype), value), right, SINGLE)


def _inside(x: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return values inside (0, 1), zero elsewhere."""
    return torch.where((x > 0) & (x < 1), values, torch.zeros_like(values))


def _slips(x: torch.Tensor, a: float, b: float) -> AnyOf:
    """Return what comes of the formula with a slip in it."""
    p, square = beta_density(x, a, b), _constant(a, b) ** 2
    u = torch.where((x > 0) & (x < 1), x, torch.full_like(x, 0.5)).double()
    left, right = (a - 1) / u, (b - 1) / (1 - u)
    lefts = [(a + c) / u for c in (0, 1, -0.5, -2)] + [
        1 / u,
        (b - 1) / u,
        (a - 1) * u,
        a - 1 + 0 * u,
    ]
    rights = [(b + c) / (1 - u) for c in (0, 1, -0.5, -2)] + [
        1 / (1 - u), (a - 1) / (1 - u), (b - 1) * (1 - u), b - 1 + 0 * u, (b - 1) / (1 + u),
        (b - 1) / u]  # fmt: skip
    return AnyOf(
        p * (left + right), p * left, -p * right, p * left * right, reference(x, a, b) * square,
        _inside(x, (a - 1) - (a + b - 2) * u), p * (a / u - b / (1 - u)),
        *[p * (one - right) for one in lefts], *[p * (left - one) for one in rights],
        _inside(x, p.log() * (left - right)), _inside(x, (p - 1) * (left - right)),
        _inside(x, p / (left - right)),
    )  # fmt: skip


def _of_something_else(x: torch.Tensor, a: float, b: float) -> AnyOf:
    p, slope, of_log = beta_density(x, a, b), reference(x, a, b), _per_density(x, a, b)
    u = torch.where((x > 0) & (x < 1), x, torch.full_like(x, 0.5)).double()
    second = p * (of_log**2 - (a - 1) / u**2 - (b - 1) / (1 - u) ** 2)
    return AnyOf(
        of_log * x, _inside(x, of_log.exp()), second, 2 * p * slope, x * slope, slope * of_log
    )


def _constant(a: float, b: float) -> float:
    """Return B(a, b)."""
    gamma = [torch.lgamma(torch.tensor(v, dtype=torch.float64)) for v in (a, b, a + b)]
    return float((gamma[0] + gamma[1] - gamma[2]).exp())


def _per_density(x: torch.Tensor, a: float, b: float) -> torch.Tensor:
    p = beta_density(x, a, b)
    return torch.where(p > 0, reference(x, a, b) / p, torch.zeros_like(p))


TURNS = (
    Turn("NaN on the edge",
         "outside it is right, but at 0 and 1 the slope of log p is infinite, and zero times "
         "infinity is NaN: the support that counts here leaves both edges out.",
         _given, alike=_but_for(_edge, nan=True)),
    Turn("NaN outside the support",
         "the slope of log p outside (0, 1) is NaN, and a mask multiplies it by zero on the way "
         "back, which is NaN too: give log_prob a harmless point, such as 0.5, in place of each x "
         "outside.",
         _given, alike=_but_for(lambda x: (x <= 0) | (x >= 1), nan=True)),
    Turn("slope on the edge", "0 and 1 themselves are outside: zero is asked there, not the slope "
         "of one side.", _given, alike=_but_for(_edge, nan=False)),
    Turn("slope of the log-density",
         "you differentiated log p; the exercise asks for p itself, so take exp() first.",
         _per_density),
    Turn("value returned", "this is the density p(x); its slope is the gradient.",
         lambda x, a, b: AnyOf(beta_density(x, a, b),
                               beta_density(x, a, b) * torch.where(beta_density(x, a, b) > 0,
                                                                   torch.ones_like(x), x * 0))),
    Turn("Beta(2, 2) only", "6 − 12x belongs to a = b = 2; let a and b be those you are given.",
         lambda x, a, b: AnyOf(reference(x, 2.0, 2.0), 6 - 12 * x)),
    Turn("support forgotten", "outside (0, 1) the density is flat at zero: neither the formula's "
         "slope nor that of a stand-in belongs there.",
         _given, alike=_but_for(lambda x: (x <= 0) | (x >= 1), nan=False)),
    Turn("support too narrow", "right where it is not zero: the mask leaves out points inside "
         "(0, 1).", _given, alike=_right_or_zero),
    Turn("another formula", "the product rule gives p(x) · ((a − 1)/x − (b − 1)/(1 − x)), and "
         "autograd needs none of it.", _slips),
    Turn("slope of something else", "one derivative of p itself: not of log p, p² or p', and times "
         "nothing.", _of_something_else),
    Turn("a and b rounded", "a and b are any floats above 1.",
         lambda x, a, b: AnyOf(*[reference(x, float(f(a)), float(f(b)))
                                 for f in (round, int, math.ceil)])),
    Turn("constant forgotten", "without its constant the area under the curve is not 1: let "
         "log_prob do it.",
         lambda x, a, b: reference(x, a, b) * _constant(a, b)),
    Turn("gradient summed",
         "you return the sum of all slopes; return one slope for each element of x.",
         lambda x, a, b: reference(x, a, b).sum()),
    Turn("gradient of the mean", "you called backward() on the mean: each slope is divided by the "
         "number of elements.", lambda x, a, b: reference(x, a, b) / x.numel()),
    Turn("x taken for 1 − x", "the slope is the one at 1 − x.",
         lambda x, a, b: reference(1 - x, a, b)),
    Turn("a and b off by one", "Beta's exponents are a − 1 and b − 1: hand over a and b as "
         "they are.", lambda x, a, b: AnyOf(reference(x, a + 1, b + 1),
                                            reference(x, a + 1, b), reference(x, a, b + 1),
                                            reference(x, a - 1, b - 1))),
    Turn("outside the support",
         "torch refuses points outside [0, 1]: put a harmless point in their place before you ask.",
         raises=lambda error: isinstance(error, ValueError) and "support" in str(error)),
    DETACHED,
    SCALAR_ONLY,
    NEVER_FILLED,
)  # fmt: skip

EXERCISE = Exercise(
    name="beta_slope",
    arguments=(
        sample("x", _points, many=(12, 7, 18), sizes=(1,), ties=True, dtypes=(torch.float32,),
               edges={
                   "just above 0": torch.tensor([NEAR, 3 * NEAR, 50 * NEAR], dtype=torch.float64),
                   "just below 1": 1 - torch.tensor([NEAR, 3 * NEAR, 50 * NEAR]).double(),
                   "just outside": torch.tensor([-NEAR, 1 + NEAR], dtype=torch.float64),
                   "a million away": torch.tensor([-1e6, 0.25, 1e6], dtype=torch.float64),
                   "x of shape (2, 3)": _block,
                   "x a single number": lambda u, given: u.uniform(1, 0.05, 0.3).reshape(()),
               }),
        real("a", 1.3, 6, edges={"a = 2, a kink at 0": 2.0, "a just above 1": 1.05,
                                 "a large": 20.0}),
        real("b", 1.3, 6, edges={"b = 2, a kink at 1": 2.0, "b just above 1": 1.05,
                                 "b large": 20.0}),
    ),
    reference=reference,
    agree=Close(rtol=SINGLE),
    turns=TURNS,
    passed="beta_slope: any a and b, near both edges, on them and beyond; no NaN.",
)  # fmt: skip
beta_slope = EXERCISE.check
