"""Checks of sheet 02, first part: log-likelihood and underflow."""

import math
from typing import Any

import torch

from helpers import data
from helpers.check import normal_facts
from helpers.check.kit.agree import SINGLE_PRECISION, any_of, as_tensor, note, same
from helpers.check.kit.calling import call
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import CheckFailed, passed, show


def _total(loc: float, scale: float, x: torch.Tensor) -> float:
    return float(normal_facts.normal_log_densities(loc, scale, x).sum())


def log_likelihood(answer: Any) -> bool:
    """Check ``log_likelihood(loc, scale, data)``: the sum of normal log-densities.

    loc and scale are floats, which torch.distributions takes in single precision. No scale is near
    0.4, where the log-density of a typical observation is zero.
    """
    cases = []
    for n, loc, scale in [(5, 1.3, 2.1), (40, -4.0, 0.7), (200, 20.0, 3.5)]:
        x = data.normal(f"likelihood: log_likelihood {n}", n, loc + 0.5 * scale, scale)
        described = f"log_likelihood({loc}, {scale}, data) on {n} observations"
        cases.append(Case(described, (loc, scale, x), _total(loc, scale, x)))
    function_agrees(answer, cases, LOG_LIKELIHOOD_TURNS, bound=SINGLE_PRECISION)
    return passed("log_likelihood: the sum of the log-densities, on 5, 40 and 200 observations.")


def _roughly(got: Any, wanted: torch.Tensor) -> bool:
    """Agree to one per cent, or both too small for float32: rounding a log of −500 by 1e-7 does."""
    value = as_tensor(got)
    if value is None or value.ndim:
        return False
    return same(value, wanted, 0.01) or (0 <= float(value) <= 1e-20 and float(wanted) <= 1e-20)


def _densities(loc: float, scale: float, x: torch.Tensor) -> torch.Tensor:
    return normal_facts.normal_log_densities(loc, scale, x).exp()


LOG_LIKELIHOOD_TURNS = [
    Turn("mean for sum", "this is the average log-density; the log-likelihood adds them up.",
         lambda loc, scale, x: _total(loc, scale, x) / len(x)),
    Turn("sign", "this is the negative log-likelihood; leave the minus out.",
         lambda loc, scale, x: -_total(loc, scale, x)),
    Turn("loss of sheet 1",
         "this is the mean negative log-likelihood; here add up, without the minus.",
         lambda loc, scale, x: -_total(loc, scale, x) / len(x)),
    Turn("scale taken as variance",
         "scale is σ itself, a standard deviation: divide by it once and then square, and take no "
         "root of it.",
         lambda loc, scale, x: _total(loc, math.sqrt(scale), x)),
    Turn("variance for standard deviation",
         "torch.distributions.Normal takes the standard deviation; you handed it the square.",
         lambda loc, scale, x: _total(loc, scale**2, x)),
    Turn("log base 2", "log means the natural logarithm; torch.log2 counts in another unit.",
         lambda loc, scale, x: _total(loc, scale, x) / math.log(2)),
    Turn("log base 10", "log means the natural logarithm; torch.log10 counts in another unit.",
         lambda loc, scale, x: _total(loc, scale, x) / math.log(10)),
    Turn("log forgotten", "you add or multiply the densities themselves; take their logs first.",
         lambda loc, scale, x: (_densities(loc, scale, x).prod(), _densities(loc, scale, x).sum(),
                                _densities(loc, scale, x).mean()),
         alike=lambda got, wanted: any(_roughly(got, w) for w in wanted)),
    Turn("log of the sum", "take the log of each density first, and add afterwards.",
         lambda loc, scale, x: (_densities(loc, scale, x).sum().log(),
                                _densities(loc, scale, x).mean().log()),
         alike=any_of),
    Turn("constant dropped",
         "a factor in front of the exponential is missing; its log belongs to each observation.",
         lambda loc, scale, x: [_total(loc, scale, x) + times * math.log(factor)
                                for factor in (math.sqrt(2 * math.pi), scale,
                                               scale * math.sqrt(2 * math.pi))
                                for times in (len(x), len(x) - 1)],
         alike=any_of),
    Turn("square forgotten", "the distance from loc, in units of scale, is squared.",
         lambda loc, scale, x: (-0.5 * ((x - loc) / scale).abs()).sum()
         - len(x) * math.log(scale * math.sqrt(2 * math.pi))),
    Turn("not summed", "this is one log-density for each observation; add them up.",
         normal_facts.normal_log_densities),
]  # fmt: skip


# A cliff is the density of an observation some nine standard deviations away. Every order and
# precision of multiplication that keeps to the densities' own dtype falls off it at the same n.
CLIFF = 1e-20


def plunge(name: str, dtype: torch.dtype) -> torch.Tensor:
    """Return densities whose product shrinks step by step, then falls off a cliff to exactly zero.

    Before the cliff the product lies in float32's subnormal range, about 1e-40, so that "below the
    smallest normal number" and "zero" are different n; after it, in float64's, about 1e-310, and
    a second cliff follows. Densities lie between 0.1 and 0.9, or are cliffs.

    Args:
        name: names the draw.
        dtype: float32 or float64.

    Returns:
        Densities, shape (n,) with n about 460.
    """
    draws = data.uniform(f"{name} falling", 1000, 0.1, 0.35)
    level = data.uniform(f"{name} level", 6, 0.5, 0.9)
    cliff = torch.tensor([CLIFF], dtype=torch.float64)
    fallen = draws.log10().cumsum(0)
    first = int((fallen >= -39).sum()) + 1
    before = float(fallen[first - 1]) + float(level[:3].log10().sum()) - 20
    again = draws[first:].log10().cumsum(0) + before
    second = first + int((again >= -309).sum()) + 1
    parts = [
        draws[:first],
        level[:3],
        cliff,
        draws[first:second],
        level[3:],
        cliff,
        draws[second : second + 20],
    ]
    return torch.cat(parts).to(dtype)


def zero_at(densities: torch.Tensor) -> int | None:
    """Return the smallest n for which the first n densities multiply to zero in their own dtype."""
    product = torch.ones((), dtype=densities.dtype)
    for n, density in enumerate(densities, start=1):
        product = product * density
        if product == 0:
            return n
    return None


def first_underflow(answer: Any) -> bool:
    """Check ``first_underflow(densities)`` in float32 and float64, and where nothing underflows."""
    start = data.uniform("likelihood: underflow early", 8, 0.2, 0.5)
    early = torch.cat([start[:5], torch.tensor([1e-30, CLIFF]), start[5:]]).to(torch.float32)
    cases = []
    for densities in [
        plunge("likelihood: underflow single", torch.float32),
        plunge("likelihood: underflow double", torch.float64),
        early,
    ]:
        kind = str(densities.dtype).removeprefix("torch.")
        described = f"first_underflow(densities) on {len(densities)} densities in {kind}"
        cases.append(Case(described, (densities,), zero_at(densities)))
    function_agrees(answer, cases, UNDERFLOW_TURNS)
    _stays_above_zero(answer, early[:5])
    return passed(
        "first_underflow: the right n in float32 and in float64, None where there is none."
    )


def _stays_above_zero(answer: Any, densities: torch.Tensor) -> None:
    """Ask for densities whose product never is zero; only None will do."""
    tested = f"first_underflow(densities) on {len(densities)} densities, product above zero"
    hint = "the product of all of these is still above zero; return None after the search ends."
    try:
        value = call(tested, answer, densities)
    except CheckFailed as error:
        note(error.wrong_turn, math.inf)
        raise CheckFailed(tested, "None", error.got, "None forgotten", hint) from error
    if value is not None:
        note("not None", math.inf)
        raise CheckFailed(tested, "None", show(value), "None forgotten", hint)


def _stopped_early(got: Any, densities: torch.Tensor) -> bool:
    """Whether n is where the product is small already but not yet zero."""
    value, n = as_tensor(got), zero_at(densities)
    if value is None or value.ndim or n is None or not 1 <= float(value) <= n:
        return False
    return same(value, n) or float(densities[: int(value)].double().prod()) < 1e-3


UNDERFLOW_TURNS = [
    Turn("zero never reached",
         "you return None where there is a zero: is there a return, and do you multiply the "
         "densities themselves? Sums, also of logs, never get stuck at zero.",
         lambda densities: None),
    Turn("computed in double",
         "a Python float has double precision: multiply tensors, in the dtype they come in.",
         lambda densities: zero_at(densities.to(torch.float64))),
    Turn("computed in single",
         "you multiply in float32 whatever you are given; keep the dtype of densities.",
         lambda densities: zero_at(densities.to(torch.float32))),
    Turn("off by one",
         "count how many densities it takes, the one that makes the product zero included.",
         lambda densities: (_n(densities) - 1, _n(densities) + 1), alike=any_of),
    Turn("small is not zero",
         "the product is very small there but not yet zero: compare with 0 itself.",
         lambda densities: densities, alike=_stopped_early),
    Turn("zeros counted", "you count how often the product is zero; asked is when it is so first.",
         lambda densities: len(densities) - _n(densities) + 1),
    Turn("last for first", "this is the number of all densities; stop at the first zero.",
         len),
]  # fmt: skip


def _n(densities: torch.Tensor) -> int:
    return zero_at(densities) or 0
