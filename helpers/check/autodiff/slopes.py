"""Checks of sheet 01: gradients for free."""

from collections.abc import Callable
from typing import Any

import torch

from helpers import data
from helpers.check.autodiff import analytic
from helpers.check.kit.agree import SINGLE_PRECISION, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed, show

Function = Callable[[torch.Tensor], torch.Tensor]

# Automatic differentiation is exact to rounding; the bound is tight so that no finite difference
# with a step a student would type (1e-2 to 1e-7) slips through. Where a number rather than a
# tensor is handed over, torch.tensor(x) makes it single precision: those use SINGLE_PRECISION.
EXACT = 1e-9


def cubic(x: torch.Tensor) -> torch.Tensor:
    """Return x³ + 2x."""
    return x**3 + 2 * x


def square_plus_log(x: torch.Tensor) -> torch.Tensor:
    """Return x² + log x."""
    return x**2 + torch.log(x)


# Each function of the checks with its closed-form derivative and the name a message gives it. No
# slope is near zero between 0.4 and 1.2: a relative bound asks too much of rounding there.
KNOWN: list[tuple[str, Function, Function]] = [
    ("x³ + 2x", cubic, lambda x: 3 * x**2 + 2),
    ("log x", torch.log, lambda x: 1 / x),
    ("sin x", torch.sin, torch.cos),
    ("sigmoid x", torch.sigmoid, lambda x: torch.sigmoid(x) * (1 - torch.sigmoid(x))),
    ("x² + log x", square_plus_log, lambda x: 2 * x + 1 / x),
]
SLOPES = {f: slope for _, f, slope in KNOWN}


def _no_grad_needed(error: Exception) -> bool:
    text = str(error)
    return "does not require grad" in text or "not have been used in the graph" in text


DETACHED = Turn(
    "tensor not tracked",
    "x is not a leaf with requires_grad=True, or a detach() cut the chain from x to the result.",
    raises=_no_grad_needed,
)
GRAPH_USED_TWICE = Turn(
    "graph used twice",
    "backward() frees the graph it walked; compute f(x) anew before each backward().",
    raises=lambda error: "backward through the graph a second time" in str(error),
)


def derivative(answer: Any, shapes: str = "practice") -> bool:
    """Check ``derivative(f, x)`` against closed forms of polynomials, log, sin and sigmoid.

    Args:
        answer: the student's function of an elementwise f and a tensor x of any shape.
        shapes: "practice" for numbers and vectors, "fresh" for more dimensions as well.

    Returns:
        True; raises CheckFailed otherwise.
    """
    sizes: list[tuple[int, ...]] = [(), (5,)]
    if shapes == "fresh":
        sizes += [(2, 3), (2, 1, 4)]
    cases = []
    for name, f, slope in KNOWN:
        for size in sizes:
            count = int(torch.Size(size).numel())
            x = data.uniform(f"autodiff: {name} {size}", count, 0.4, 1.2).reshape(size)
            described = f"derivative(f, x) for f(x) = {name} at x = {show(x)}"
            cases.append(Case(described, (f, x), slope(x)))
    function_agrees(answer, cases, DERIVATIVE_TURNS, bound=EXACT)
    return passed(f"derivative: {len(cases)} cases agree with the closed forms.")


def difference_quotient(f: Function, x: torch.Tensor, h: float, scheme: str) -> torch.Tensor:
    """Return a finite difference of step h: "forward", "backward" or "central"."""
    ahead = x + h if scheme != "backward" else x
    behind = x - h if scheme != "forward" else x
    return (f(ahead) - f(behind)) / (2 * h if scheme == "central" else h)


def _is_finite_difference(got: Any, given: tuple[Function, torch.Tensor]) -> bool:
    """Find a step whose difference quotient explains the answer's error, to two per cent."""
    f, x = given
    value, exact = as_tensor(got), SLOPES[f](x)
    if value is None or value.shape != x.shape or value.isnan().any():
        return False
    error = (value - exact).abs().max()
    if error > 0.2 * (1 + exact.abs().max()):
        return False
    if error < 1e-10:
        return True  # a step too small to tell from this case; the others decide
    for scheme in ("forward", "backward", "central"):
        low, high = -10.0, 0.0
        for _ in range(4):  # narrow the exponent of the step, 40 points at a time
            steps = torch.linspace(low, high, 40, dtype=torch.float64)
            quotients = [difference_quotient(f, x, 10 ** float(s), scheme) for s in steps]
            misfit = torch.stack([(q - value).abs().max() for q in quotients]).nan_to_num(torch.inf)
            best = int(misfit.argmin())
            width = (high - low) / 20
            low, high = float(steps[best]) - width, float(steps[best]) + width
        # A quotient of step h rounds to about 1e-15/h, which no search can explain.
        noise = 4e-15 / 10 ** float(steps[best])
        if misfit[best] <= 0.02 * error + noise:
            return True
    return False


DERIVATIVE_TURNS = [
    Turn(
        "gradient summed",
        "you return one number, the sum of all slopes; return x.grad as it is, one slope each.",
        lambda f, x: SLOPES[f](x).sum(),
        alike=lambda got, total: any(
            same(got, total.expand(shape)) for shape in [(), _shape(got)]
        ),
    ),
    Turn(
        "gradient of the mean",
        "you called backward() on the mean, so each slope is divided by the number of elements.",
        lambda f, x: SLOPES[f](x) / max(1, x.numel()),
    ),
    Turn("value returned", "you return f(x) itself; its slope is in x.grad after backward().",
         lambda f, x: f(x)),
    Turn(
        "example's formula",
        "2x + 1/x is the derivative of x² + log x only; let autograd find it for the given f.",
        lambda f, x: 2 * x + 1 / x,
    ),
    DETACHED,
    Turn(
        "scalar only",
        "backward() starts from a single number: sum f(x) first; the elements do not mix.",
        raises=lambda error: "scalar outputs" in str(error) or "one element" in str(error),
    ),
    Turn(
        "coarse finite differences",
        "your slope has the error of a difference quotient; ask autograd, which takes no step.",
        lambda f, x: (f, x),
        alike=_is_finite_difference,
    ),
]  # fmt: skip


def _shape(value: Any) -> tuple[int, ...]:
    taken = as_tensor(value)
    return () if taken is None else tuple(taken.shape)


def grad_after(answer: Any) -> bool:
    """Check ``grad_after(f, x, k, zero)``: k·f'(x) without zeroing, f'(x) with."""
    points = data.uniform("autodiff: grad_after", 4, 0.4, 1.2)
    cases = []
    for (name, f, slope), point, k in zip(KNOWN, points, [1, 2, 3, 5], strict=False):
        x = float(point)
        for zero in (False, True):
            expected = float(slope(point)) * (1 if zero else k)
            described = f"grad_after(f, {x:.3f}, k={k}, zero={zero}) for f(x) = {name}"
            cases.append(Case(described, (f, x, k, zero), expected))
    function_agrees(answer, cases, GRAD_AFTER_TURNS, bound=SINGLE_PRECISION)
    return passed("grad_after: k·f'(x) where nothing is zeroed, f'(x) where it is.")


def _slope_at(f: Function, x: float) -> float:
    return float(SLOPES[f](torch.tensor(x, dtype=torch.float64)))


GRAD_AFTER_TURNS = [
    Turn(
        "gradients accumulated",
        "with zero=True the gradient must be cleared before every backward(), not added up.",
        lambda f, x, k, zero: k * _slope_at(f, x),
    ),
    Turn(
        "always cleared",
        "with zero=False nothing is cleared, so k calls of backward() add up to k·f'(x).",
        lambda f, x, k, zero: _slope_at(f, x),
    ),
    Turn(
        "cleared last",
        "you clear after the last backward(), so nothing is left to read; clear before each one.",
        lambda f, x, k, zero: 0.0 if zero else k * _slope_at(f, x),
        alike=lambda got, want: same(got, want) or (got is None and want == 0.0),
    ),
    Turn("one call too many", "count the calls of backward(): there are k + 1 of them.",
         lambda f, x, k, zero: (1 if zero else k + 1) * _slope_at(f, x)),
    Turn("one call too few", "count the calls of backward(): there are k − 1 of them.",
         lambda f, x, k, zero: (1 if zero and k > 1 else k - 1) * _slope_at(f, x),
         alike=lambda got, want: same(got, want) or (got is None and want == 0.0)),
    Turn("value returned", "this is f(x); the question is what x.grad holds.",
         lambda f, x, k, zero: float(f(torch.tensor(x, dtype=torch.float64)))),
    Turn("flag reversed", "you clear when zero is False and keep when it is True.",
         lambda f, x, k, zero: (k if zero else 1) * _slope_at(f, x)),
    Turn("gradient still None", "`.grad` is None before the first backward() and after clearing: "
         "set it to None before the call, and read it before you clear it.",
         raises=lambda error: "NoneType" in str(error)),
    GRAPH_USED_TWICE,
    DETACHED,
]  # fmt: skip


def nll_gradient(answer: Any) -> bool:
    """Check ``nll_gradient(loc, data)`` of the mean negative log-likelihood: loc − mean(data)."""
    cases = []
    for n, loc in [(7, 6.0), (40, -5.5), (1, 9.25)]:
        sample = data.normal(f"autodiff: nll {n}", n, loc=0.8, scale=1.7)
        described = f"nll_gradient(loc={loc}, data) on {n} observation{'s' if n > 1 else ''}"
        cases.append(Case(described, (loc, sample), analytic.normal_nll_slope(loc, sample)))
    function_agrees(answer, cases, NLL_TURNS, bound=SINGLE_PRECISION)
    return passed("nll_gradient: loc − mean(data) on every sample.")


def _mean_nll(loc: float, sample: torch.Tensor) -> float:
    return float(-torch.distributions.Normal(loc, 1.0).log_prob(sample).mean())


NLL_TURNS = [
    Turn("sum for mean", "you differentiate the sum over the data; the exercise asks for the mean.",
         lambda loc, x: len(x) * analytic.normal_nll_slope(loc, x)),
    Turn("sign", "this is the gradient of the log-likelihood; the negative one has a minus.",
         lambda loc, x: -analytic.normal_nll_slope(loc, x)),
    Turn("value returned", "this is the loss itself; its slope is in loc.grad after backward().",
         _mean_nll),
    Turn("gradients accumulated", "the gradient is there twice: backward() ran more than once.",
         lambda loc, x: 2 * analytic.normal_nll_slope(loc, x)),
    Turn("gradient for the data", "track loc, not the data: one number is asked for.",
         lambda loc, x: (x - loc) / len(x)),
    Turn("log forgotten", "you differentiate the mean density; take log_prob, not its exp.",
         lambda loc, x: _density_slope(loc, x)),
    DETACHED,
]  # fmt: skip


def _density_slope(loc: float, sample: torch.Tensor) -> float:
    density = torch.distributions.Normal(loc, 1.0).log_prob(sample).exp()
    return float((density * (loc - sample)).mean())
