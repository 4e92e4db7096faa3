"""grad_after(f, x, k, zero): what .grad holds after k calls of backward()."""

from functools import partial
from typing import Any

import torch

from helpers.check.autodiff import analytic
from helpers.check.autodiff.functions import (
    DETACHED,
    GRAPH_USED_TWICE,
    NEVER_FILLED,
    function,
)
from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Argument, Draws, Given, Jointly, real
from helpers.check.kit.compare import AnyOf, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

Member = partial[torch.Tensor]
DEEPEST = 8  # the graph of a derivative of a derivative grows fast


def _slope(f: Member, x: float) -> float:
    return float(analytic.slope(f, torch.tensor(x, dtype=torch.float64)))


def reference(f: Member, x: float, k: int, zero: bool) -> float:
    """Return k·f'(x), or f'(x) where the gradient is cleared before each call."""
    return (1 if zero else k) * _slope(f, x)


def _nothing_left(got: Any, wrong: Any) -> bool:
    """Whether an answer is what a turn gives, None for a gradient that was cleared."""
    return same(got, wrong) or (got is None and wrong == 0.0)


def _of_something_else(f: Member, x: float, k: int, zero: bool) -> AnyOf:
    """Return what the square of f gives, and f at another place."""
    times, slope = 1 if zero else k, _slope(f, x)
    value = float(f(torch.tensor(x, dtype=torch.float64)))
    return AnyOf(2 * value * slope * times, x * slope * times, _slope(f, k * x) * times,
                 _slope(f, k * x) / (k if zero else 1), k * _slope(f, k * x),
                 _slope(f, k * x))  # fmt: skip


def _at_zero(f: Member, x: float, k: int, zero: bool) -> AnyOf:
    slope = _slope(f, 0.0 if zero else x)
    return AnyOf(*[j * slope if zero else k * slope for j in (1, k)])


def _not_each_time(f: Member, x: float, k: int, zero: bool) -> AnyOf:
    """Return what comes of clearing in some rounds only: late, every other one, or the second."""
    late, even = k if k < 3 else 1, 2 - k % 2
    odd, second = 1 + (k % 2 if k > 1 else 0), max(1, k - 1)
    return AnyOf(*[(times if zero else k) * _slope(f, x) for times in (late, even, odd, second)])


def _deeper(f: Member, x: float, k: int, zero: bool) -> float:
    """Return the k-th derivative, the first where zero is set."""
    if k > DEEPEST:
        raise ValueError("too deep")
    at = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    y = f(at)
    for _ in range(1 if zero else k):
        if not y.requires_grad:
            return 0.0
        (y,) = torch.autograd.grad(y, at, create_graph=True)
    return float(y.detach())


def _walked(f: Member, x: float, k: int, zero: bool) -> AnyOf:
    """Return what .grad holds where x takes a step after each call."""
    ends = []
    for rate in (1.0, 0.1, 0.01, 0.001, 1e-4):
        at, held = x, 0.0
        for _ in range(k):
            held = _slope(f, at) + (0.0 if zero else held)
            at -= rate * held
        ends.append(held)
    return AnyOf(*ends)


TURNS = (
    Turn("gradients accumulated",
         "with zero=True the gradient must be cleared before every backward(), not added up.",
         lambda f, x, k, zero: k * _slope(f, x)),
    Turn("always cleared",
         "with zero=False nothing is cleared, so k calls of backward() add up to k·f'(x).",
         lambda f, x, k, zero: _slope(f, x)),
    Turn("cleared last",
         "you clear after the last backward(), so nothing is left to read; clear before each one.",
         lambda f, x, k, zero: 0.0 if zero else k * _slope(f, x), alike=_nothing_left),
    Turn("not cleared each time", "with zero=True the gradient is cleared before every call: the "
         "second one, and each after it.", _not_each_time),
    Turn("one call too many", "count the calls of backward(): there are k + 1 of them.",
         lambda f, x, k, zero: (1 if zero else k + 1) * _slope(f, x)),
    Turn("one call too few", "count the calls of backward(): there are k − 1 of them.",
         lambda f, x, k, zero: (1 if zero and k > 1 else k - 1) * _slope(f, x),
         alike=_nothing_left),
    Turn("value returned", "this is f(x); the question is what x.grad holds.",
         lambda f, x, k, zero: AnyOf(*[c * float(f(torch.tensor(x, dtype=torch.float64)))
                                       for c in (1, k)])),
    Turn("x returned", "this is x; the question is what x.grad holds.",
         lambda f, x, k, zero: AnyOf(x, k * x)),
    Turn("flag reversed", "you clear when zero is False and keep when it is True.",
         lambda f, x, k, zero: (k if zero else 1) * _slope(f, x)),
    Turn("gradients multiplied", "backward() adds each gradient to .grad: k times f'(x), not its "
         "power.", lambda f, x, k, zero: _slope(f, x) ** (1 if zero else k)),
    Turn("running total sent back", "each call goes back from one f(x): a total holds the earlier "
         "ones, and sends them back again.",
         lambda f, x, k, zero: AnyOf(*[(j if zero else k * (k + 1) / 2) * _slope(f, x)
                                       for j in (1, k)])),
    Turn("k-th derivative", "f is differentiated k times at x, which adds up; the slope itself is "
         "not differentiated again.", _deeper),
    Turn("slope of something else", "go back from f(x) itself, at x itself.", _of_something_else),
    Turn("x itself cleared", "clear x.grad, not x: the slope is asked at the x you were given.",
         _at_zero),
    Turn("x moved", "nothing takes a step here: x stays where it is between the calls.", _walked,
         raises=lambda error: "a leaf Variable that requires grad" in str(error)),
    NEVER_FILLED,
    GRAPH_USED_TWICE,
    DETACHED,
)  # fmt: skip


def _k(u: Draws, given: Given) -> int:
    k = u.whole(3, 6)
    return k + 1 if k == given.get("k") else k  # moved alone, it is another


EXERCISE = Exercise(
    name="grad_after",
    arguments=(
        function(),
        real("x", -2, 2),
        Argument("k", _k, edges={"a single call": 1, "two calls": 2, "forty calls": 40}),
        Argument("zero", lambda u, given: False, alone=False,
                 edges={"cleared before each call": True,
                        **{f"cleared before each of {k}": Jointly(k=k, zero=True)
                           for k in (1, 2, 3, 40)}}),
    ),
    reference=reference,
    agree=Close(single=True),  # torch.tensor(x) of a float is in single precision
    turns=TURNS,
    passed="grad_after: k·f'(x) where nothing is zeroed, f'(x) where it is.",
)  # fmt: skip
grad_after = EXERCISE.check
