"""Checks of sheet 03: stochastic gradient descent, step by step."""

from typing import Any

import torch

from helpers import data
from helpers.check.kit.agree import SINGLE_PRECISION, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed
from helpers.check.sgd import analytic

# Locations and learning rates are handed over as Python floats, which torch.tensor(x) makes single
# precision; every comparison of this sheet is therefore relative to SINGLE_PRECISION.
LISTED, RUN = 1e-6, 1e-7


def learning_rate_from_log(answer: Any) -> bool:
    """Check ``learning_rate_from_log(before, after, gradient)``: (before − after) / gradient."""
    cases = []
    sizes = data.uniform("sgd: logged steps", 9, 1.0, 1.6).tolist()
    rates = [0.03 * sizes[0], 0.002 * sizes[1], 5e-5 * sizes[2]]
    for rate, before, move in zip(rates, sizes[3:6], sizes[6:9], strict=True):
        before, move = before + 1.3, move if rate > 1e-3 else -move
        given = (before, before - move, move / rate)
        described = "learning_rate_from_log(before={:.4f}, after={:.4f}, gradient={:.4f})"
        cases.append(Case(described.format(*given), given, (given[0] - given[1]) / given[2]))
    function_agrees(answer, cases, LOG_TURNS, bound=SINGLE_PRECISION)
    return passed("learning_rate_from_log: the rate that ran, from any printed step.")


LOG_TURNS = [
    Turn("listing's rate", "this is the rate a listing states; work it out from what was printed.",
         lambda *log: LISTED),
    Turn("rate typed in", "right for one log, and typed in; work it out from the three arguments.",
         lambda *log: RUN),
    Turn("sign", "a step goes against the gradient: look at the order of the subtraction.",
         lambda before, after, gradient: (after - before) / gradient),
    Turn("upside down", "you divide the gradient by the move; solve the update for the rate again.",
         lambda before, after, gradient: gradient / (before - after)),
    Turn("gradient forgotten", "this is how far the value moved; the gradient has a part in that.",
         lambda before, after, gradient: before - after,
         alike=lambda got, want: same(got, want) or same(got, -want)),
    Turn("product for quotient", "you multiply by the gradient; solve the update for the rate.",
         lambda before, after, gradient: (before - after) * gradient),
    Turn("ratio of values", "you compare the two values with each other; the gradient is not used.",
         lambda before, after, gradient: (after / before, before / after, 1 - after / before),
         alike=lambda got, want: any(same(got, w) for w in want)),
]  # fmt: skip


def _said(text: str) -> Any:
    return lambda error: text in str(error)


STEP_TRACKED = Turn(
    "step is tracked",
    "a tracked tensor may not be changed while PyTorch records: step under torch.no_grad().",
    raises=_said("a leaf Variable that requires grad is being used in an in-place operation"),
)
UNTRACKED = Turn(
    "parameter not tracked",
    "backward() finds nothing to differentiate; make the parameter with requires_grad=True.",
    gives=lambda *args: None,
    alike=lambda got, want: False,
    raises=_said("does not require grad"),
)


def _slope(location: float, x: torch.Tensor) -> float:
    """Return the gradient of the summed loss, n (location − mean)."""
    return len(x) * float(location - x.mean())


def sgd_step(answer: Any, sizes: str = "practice") -> bool:
    """Check ``sgd_step(location, data, learning_rate)``: location − lr·n·(location − mean).

    Args:
        answer: the student's function.
        sizes: "practice" for two samples, "fresh" for one observation and for many as well.
    """
    settings = [(6, 7.0, 0.35), (25, -3.0, 0.3)]
    if sizes == "fresh":
        settings += [(1, 9.5, 0.2), (400, 6.0, 1.4)]
    cases = []
    for n, location, a in settings:
        x = data.normal(f"sgd: step {n}", n, loc=2.5)
        new = float(analytic.sgd_trajectory(float(x.mean()), n, location, a / n, 1)[1])
        described = f"sgd_step({location}, data, {a / n:.4g}) on {n} observations"
        cases.append(Case(described, (location, x, a / n), new))
    function_agrees(answer, cases, STEP_TURNS, bound=SINGLE_PRECISION)
    return passed(f"sgd_step: {len(cases)} steps agree with location − lr · n · (location − mean).")


STEP_TURNS = [
    Turn("ascent", "you step up the slope, where the loss is larger; look at the sign of the step.",
         lambda location, x, rate: location + rate * _slope(location, x)),
    Turn("mean's gradient", "your step is n times too small: the loss is the sum over the data.",
         lambda location, x, rate: location - rate * _slope(location, x) / len(x)),
    Turn("old location returned", "the value you return has not moved; return it after the step.",
         lambda location, x, rate: location),
    Turn("gradient returned", "this is the gradient; the new location is asked for.",
         lambda location, x, rate: _slope(location, x)),
    Turn("move returned", "this is how far to go, not where one arrives: subtract it.",
         lambda location, x, rate: rate * _slope(location, x),
         alike=lambda got, want: same(got, want) or same(got, -want)),
    Turn("learning rate forgotten", "you subtract the whole gradient; scale it first.",
         lambda location, x, rate: location - _slope(location, x)),
    Turn("two steps", "this is where two steps lead; make one.",
         lambda location, x, rate: _trajectory(x, location, rate, 2)[-1]),
    Turn("gradient doubled", "the gradient is in your step twice; call backward() once.",
         lambda location, x, rate: location - 2 * rate * _slope(location, x)),
    STEP_TRACKED,
    UNTRACKED,
]  # fmt: skip


def _trajectory(x: torch.Tensor, start: float, rate: float, n_steps: int) -> torch.Tensor:
    return analytic.sgd_trajectory(float(x.mean()), len(x), start, rate, n_steps)


def fit_location(answer: Any, sizes: str = "practice") -> bool:
    """Check ``fit_location(data, start, learning_rate, n_steps)``, every iterate of it.

    Args:
        answer: the student's function.
        sizes: "practice" for three runs, "fresh" for one that oscillates as well.
    """
    settings = [(12, 9.0, 0.3, 6), (60, -2.0, 0.15, 9), (5, 8.0, 0.4, 1)]
    if sizes == "fresh":
        settings += [(30, 6.0, 1.5, 7)]
    cases = []
    for n, start, a, n_steps in settings:
        x = data.normal(f"sgd: fit {n}", n, loc=4.0)
        described = f"fit_location(data, {start}, {a / n:.4g}, {n_steps}) on {n} observations"
        expected = _trajectory(x, start, a / n, n_steps)
        cases.append(Case(described, (x, start, a / n, n_steps), expected))
    function_agrees(answer, cases, FIT_TURNS, bound=SINGLE_PRECISION)
    return passed(f"fit_location: every value of {len(cases)} runs agrees with the closed form.")


def never_zeroed(x: torch.Tensor, start: float, rate: float, n_steps: int) -> torch.Tensor:
    """Return the trajectory of a run in which every step uses the sum of all gradients so far."""
    values, total = [start], 0.0
    for _ in range(n_steps):
        total += _slope(values[-1], x)
        values.append(values[-1] - rate * total)
    return torch.tensor(values, dtype=torch.float64)


def _losses(x: torch.Tensor, start: float, rate: float, n_steps: int) -> torch.Tensor:
    return torch.stack([
        -torch.distributions.Normal(location, 1.0).log_prob(x).sum()
        for location in _trajectory(x, start, rate, n_steps)
    ])  # fmt: skip


def _never_or_once_moved(got: Any, right: torch.Tensor) -> bool:
    """Whether a trajectory stays at its start, or at what the first step made of it."""
    value = as_tensor(got)
    if value is None or value.ndim != 1 or not len(value) or abs(len(value) - len(right)) > 1:
        return False
    return any(same(value, right[k].expand(len(value))) for k in (0, 1)) or same(
        value, torch.cat([right[:1], right[1].expand(len(value) - 1)])
    )


def _last_repeated(got: Any, right: torch.Tensor) -> bool:
    """Whether every entry, the first perhaps aside, is the last iterate."""
    value = as_tensor(got)
    if value is None or value.ndim != 1 or len(value) < 2 or abs(len(value) - len(right)) > 1:
        return False
    last = right[-1].expand(len(value) - 1)
    return same(value[1:], last) and (same(value[0], right[-1]) or same(value[0], right[0]))


FIT_TURNS = [
    Turn("start missing", "your first value is the one after a step; store the start before it.",
         lambda x, start, rate, steps: _trajectory(x, start, rate, steps + 1)[1:],
         alike=lambda got, want: same(got, want) or same(got, want[:-1])),
    Turn("last step missing", "count the values: the one that the last step leads to is missing.",
         lambda *run: _trajectory(*run)[:-1]),
    Turn("one step too many", "count the values: n_steps steps and the start make n_steps + 1.",
         lambda x, start, rate, steps: _trajectory(x, start, rate, steps + 1)),
    Turn("only the last value", "you return where the run ends; return every value on the way.",
         lambda *run: _trajectory(*run)[-1]),
    Turn("gradient never zeroed", "each step adds all earlier gradients; clear them between steps.",
         never_zeroed),
    Turn("ascent", "you walk up the slope, away from the mean; look at the sign of the step.",
         lambda x, start, rate, steps: _trajectory(x, start, -rate, steps)),
    Turn("mean's gradient", "your steps are n times too small: the loss is the sum over the data.",
         lambda x, start, rate, steps: _trajectory(x, start, rate / len(x), steps)),
    Turn("losses returned", "these are the losses; the values of the parameter are asked for.",
         _losses,
         alike=lambda got, want: any(same(got, w) for w in (want, want[:-1], want[1:]))),
    STEP_TRACKED,
    UNTRACKED,
    # Before the next turn: a run of one step tells the two apart.
    Turn("parameter rebound", "the values stop moving, or the gradient is lost: «location = ...» "
         "makes a new tensor that nothing trains; change the old one in place.",
         _trajectory,
         alike=_never_or_once_moved,
         raises=lambda error: "does not require grad" in str(error) or "NoneType" in str(error)),
    Turn("same tensor stored", "all entries are one tensor, which moved on; store its number.",
         _trajectory, alike=_last_repeated),
]  # fmt: skip


def largest_stable_learning_rate(answer: Any) -> bool:
    """Check ``largest_stable_learning_rate(data)``: 2/n for the summed loss."""
    cases = []
    for n in (7, 40, 300):
        x = data.normal(f"sgd: stable {n}", n, loc=1.5, scale=2.0)
        described = f"largest_stable_learning_rate(data) on {n} observations"
        cases.append(Case(described, (x,), analytic.largest_stable_rate(n)))
    function_agrees(answer, cases, STABLE_TURNS)
    return passed("largest_stable_learning_rate: 2/n, whatever the data.")


STABLE_TURNS = [
    Turn("one-step rate", "at this rate one step lands on the mean; how far may you overshoot it?",
         lambda x: 1 / len(x)),
    Turn("mean's limit", "this is the edge for the mean of the losses; here the loss is their sum.",
         lambda x: 2.0),
    Turn("two upside down", "the 2 is on the wrong side of the fraction; solve for ηn once more.",
         lambda x: 1 / (2 * len(x))),
    Turn("n squared", "the gradient of the sum holds n once; you divide by it twice.",
         lambda x: 2 / len(x) ** 2),
    Turn("practice n typed in", "this is right for 10000 observations only; ask the data for n.",
         lambda x: 2 / 10000),
    Turn("upside down", "this grows with n, but more data make a steeper loss.",
         lambda x: len(x) / 2),
    Turn("spread for number", "the spread of the data moves no gradient here; only n counts.",
         lambda x: (2 / float(x.var(correction=0)), 2 / float(x.var()), 2 / float((x**2).sum())),
         alike=lambda got, want: any(same(got, w) for w in want)),
]  # fmt: skip


def stall_distance(answer: Any) -> bool:
    """Check ``stall_distance(location, n, learning_rate, dtype)``: half a gap over lr·n.

    Locations lie away from powers of two, where the gap changes and ε·location comes near it.
    """
    within = data.uniform("sgd: stalls", 5, 1.25, 1.7).tolist()
    cases = []
    for u, k, n, a, dtype in [
        (within[0], 12, 8000, 0.002, torch.float32), (within[1], 12, 400, 0.02, torch.float64),
        (within[2], 6, 50, 0.3, torch.float32), (within[3], -3, 900, 0.004, torch.float32),
        (within[4], 9, 30, 0.06, torch.float64),
    ]:  # fmt: skip
        given = (u * 2.0**k, n, a / n, dtype)
        described = f"stall_distance({given[0]:.4f}, n={n}, learning_rate={a / n:.4g}, {dtype})"
        cases.append(Case(described, given, analytic.stall_distance(*given)))
    function_agrees(answer, cases, STALL_TURNS, bound=SINGLE_PRECISION)
    return passed("stall_distance: half a gap over learning rate · n, in both types.")


def _other(dtype: torch.dtype) -> torch.dtype:
    return torch.float64 if dtype == torch.float32 else torch.float32


STALL_TURNS = [
    Turn("whole gap", "a number rounds to its nearest neighbour; how far off may the update be?",
         lambda *given: 2 * analytic.stall_distance(*given)),
    Turn("epsilon unscaled", "eps is the gap at 1; at your location the gap is another.",
         lambda at, n, rate, dtype: torch.finfo(dtype).eps / rate / n,
         alike=lambda got, want: same(got, want) or same(got, want / 2)),
    Turn("epsilon times location", "eps · location only bounds the gap; ask torch.nextafter.",
         lambda at, n, rate, dtype: torch.finfo(dtype).eps * at / rate / n,
         alike=lambda got, want: same(got, want) or same(got, want / 2)),
    Turn("learning rate forgotten", "the update is the gradient times the rate; use the rate too.",
         lambda at, n, rate, dtype: analytic.stall_distance(at, n, 1.0, dtype)),
    Turn("n forgotten", "the gradient of the sum is n times the distance; use n too.",
         lambda at, n, rate, dtype: analytic.stall_distance(at, 1, rate, dtype)),
    Turn("update for distance", "this is the smallest update that counts; what distance makes it?",
         lambda at, n, rate, dtype: analytic.float_gap(at, dtype) / 2,
         alike=lambda got, want: same(got, want) or same(got, 2 * want)),
    Turn("multiplied, not divided", "this is the update at a distance of half a gap; invert it.",
         lambda at, n, rate, dtype: analytic.float_gap(at, dtype) / 2 * rate * n),
    Turn("other type's gap", "this gap is the other type's; make the tensor with dtype=dtype.",
         lambda at, n, rate, dtype: analytic.stall_distance(at, n, rate, _other(dtype))),
    Turn("dtype ignored", "your gap is float32's every time; make the tensor with dtype=dtype.",
         lambda at, n, rate, dtype: analytic.stall_distance(at, n, rate, torch.float32)),
    Turn("dtype ignored", "your gap is float64's every time; make the tensor with dtype=dtype.",
         lambda at, n, rate, dtype: analytic.stall_distance(at, n, rate, torch.float64)),
]  # fmt: skip
