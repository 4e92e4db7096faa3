"""adam_step(theta, slope, m, v, t, rate): one step of Adam, by hand."""

from collections.abc import Callable

import torch

from helpers.check.kit.agree import EachClose
from helpers.check.kit.asks import Draws, Given, positive, sample, whole
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

BETA_1, BETA_2, EPS = 0.9, 0.999, 1e-8
Triple = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def averages(slope: torch.Tensor, m: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return both running averages after a step."""
    return BETA_1 * m + (1 - BETA_1) * slope, BETA_2 * v + (1 - BETA_2) * slope**2


def reference(
    theta: torch.Tensor, slope: torch.Tensor, m: torch.Tensor, v: torch.Tensor, t: int, rate: float
) -> Triple:
    """Return parameter and both averages after step number t (Kingma and Ba 2015, algorithm 1)."""
    m, v = averages(slope, m, v)
    return theta - _move(m, v, rate, 1 - BETA_1**t, 1 - BETA_2**t), m, v


def worked(theta, slope, m, v, t, rate):  # type: ignore[no-untyped-def]
    """Return a step as a student would write it, of which every small edit is a slip."""
    m = 0.9 * m + 0.1 * slope
    v = 0.999 * v + 0.001 * slope**2
    m_hat = m / (1 - 0.9**t)
    v_hat = v / (1 - 0.999**t)
    return theta - rate * m_hat / (v_hat.sqrt() + 1e-8), m, v


def _move(
    m: torch.Tensor, v: torch.Tensor, rate: float, first: float = 1.0, second: float = 1.0
) -> torch.Tensor:
    """Return a step of Adam, for averages that are divided by the two corrections."""
    return rate * (m / first) / ((v / second).sqrt() + EPS)


def _theta(u: Draws, given: Given, k: int) -> torch.Tensor:
    return u.uniform(k, -2, 2)


def _quiet(x: torch.Tensor, tiny: float) -> torch.Tensor:
    """Make the first of several numbers zero and the second tiny: there ε shows."""
    if len(x) > 2:
        x[0], x[1] = 0.0, tiny * x[1]
    return x


def _slopes(u: Draws, given: Given, k: int) -> torch.Tensor:
    signs = torch.where(u.uniform(k) < 0.5, -1.0, 1.0)
    return _quiet(signs * u.uniform(k, 0.5, 4), 1e-9)


def _squares(u: Draws, given: Given, k: int) -> torch.Tensor:
    return _quiet(u.uniform(k, 1, 9), 1e-18)


def _moved(
    way: Callable[..., torch.Tensor], of: Callable[..., tuple[torch.Tensor, ...]] = averages
) -> Callable[..., Triple]:
    """Return what comes of another move, or of other averages.

    Args:
        way: takes theta, both averages, t, rate and slope; returns the new parameter.
        of: takes slope and both averages before; returns them after.
    """

    def gives(
        theta: torch.Tensor, g: torch.Tensor, m: torch.Tensor, v: torch.Tensor, t: int, rate: float
    ) -> Triple:
        m, v = of(g, m, v)
        return way(theta, m, v, t, rate, g), m, v

    return gives


def _averaged(of: Callable[..., tuple[torch.Tensor, ...]]) -> Callable[..., Triple]:
    """Return what comes of other averages, with the right move."""
    return _moved(lambda p, m, v, t, r, g: p - _move(m, v, r, 1 - BETA_1**t, 1 - BETA_2**t), of)


def _hats(theta: torch.Tensor, g: torch.Tensor, m: torch.Tensor, v: torch.Tensor, t: int,
          rate: float) -> AnyOf:  # fmt: skip
    new, m, v = reference(theta, g, m, v, t, rate)
    first, second = m / (1 - BETA_1**t), v / (1 - BETA_2**t)
    return AnyOf((new, first, second), (new, first, v), (new, m, second))


TURNS = (
    Turn("no correction", "the hats are missing: divide both averages by one minus the power of "
         "their β before the step.", _moved(lambda p, m, v, t, r, g: p - _move(m, v, r))),
    Turn("only m corrected", "v wants its own correction, 1 − β₂ᵗ.",
         _moved(lambda p, m, v, t, r, g: p - _move(m, v, r, 1 - BETA_1**t))),
    Turn("only v corrected", "m wants its own correction, 1 − β₁ᵗ.",
         _moved(lambda p, m, v, t, r, g: p - _move(m, v, r, 1.0, 1 - BETA_2**t))),
    Turn("power for product", "the correction is one minus βᵗ, the β multiplied t times.",
         lambda *a: AnyOf(*[_moved(way)(*a) for way in (
             lambda p, m, v, t, r, g: p - _move(m, v, r, (1 - BETA_1) ** t, (1 - BETA_2) ** t),
             lambda p, m, v, t, r, g: p - _move(m, v, r, 1 - BETA_1, 1 - BETA_2),
             lambda p, m, v, t, r, g: p - _move(m, v, r, 1 - BETA_1 * t, 1 - BETA_2 * t))])),
    Turn("corrected averages returned", "return m and v as they are, without hats: the next step "
         "goes on from them.", _hats),
    Turn("uphill", "the step leads against the slope: subtract it.",
         _moved(lambda p, m, v, t, r, g: p + _move(m, v, r, 1 - BETA_1**t, 1 - BETA_2**t))),
    Turn("square forgotten", "v is a running average of squared slopes.",
         lambda *a: AnyOf(*[_averaged(of)(*a) for of in (
             lambda g, m, v: (averages(g, m, v)[0], BETA_2 * v + (1 - BETA_2) * g),
             lambda g, m, v: (averages(g, m, v)[0], BETA_2 * v + (1 - BETA_2) * g.abs()))])),
    Turn("root forgotten", "divide by the root of v̂, not by v̂ itself.",
         _moved(lambda p, m, v, t, r, g: p - r * (m / (1 - BETA_1**t))
                / (v / (1 - BETA_2**t) + EPS))),
    Turn("ε under the root", "ε is added to the root, not under it.",
         _moved(lambda p, m, v, t, r, g: p - r * (m / (1 - BETA_1**t))
                / (v / (1 - BETA_2**t) + EPS).sqrt())),
    Turn("ε left out", "where all slopes were zero, 0/0 is no number: add ε to the root.",
         _moved(lambda p, m, v, t, r, g: p - r * (m / (1 - BETA_1**t))
                / (v / (1 - BETA_2**t)).sqrt())),
    Turn("correction of the root", "v is divided by its correction before the root is taken.",
         _moved(lambda p, m, v, t, r, g: p - r * (m / (1 - BETA_1**t))
                / (v.sqrt() / (1 - BETA_2**t) + EPS))),
    Turn("weights exchanged", "β is the weight of what was there, 1 − β that of the new slope.",
         _averaged(lambda g, m, v: ((1 - BETA_1) * m + BETA_1 * g,
                                    (1 - BETA_2) * v + BETA_2 * g**2))),
    Turn("betas exchanged", "m forgets fast, with β₁ = 0.9; v slowly, with β₂ = 0.999.",
         lambda *a: AnyOf(_moved(lambda p, m, v, t, r, g: p - _move(m, v, r, 1 - BETA_2**t,
                                                                    1 - BETA_1**t), _other)(*a),
                          _averaged(_other)(*a))),
    Turn("sum for average", "the new slope enters with the weight 1 − β.",
         lambda *a: AnyOf(*[_averaged(of)(*a) for of in (
             lambda g, m, v: (BETA_1 * m + g, BETA_2 * v + g**2),
             lambda g, m, v: (BETA_1 * m + g, averages(g, m, v)[1]),
             lambda g, m, v: (averages(g, m, v)[0], BETA_2 * v + g**2))])),
    Turn("slope for m", "the step goes along the running average m̂, not along the slope of the "
         "moment.", _moved(lambda p, m, v, t, r, g: p - r * g / ((v / (1 - BETA_2**t)).sqrt()
                                                                 + EPS))),
    Turn("plain gradient step", "this is a step of plain gradient descent.",
         lambda *a: AnyOf(_moved(lambda p, m, v, t, r, g: p - r * g)(*a),
                          _moved(lambda p, m, v, t, r, g: p - r * m / (1 - BETA_1**t))(*a))),
    Turn("averages of before", "both averages take in the new slope first, and the step uses them "
         "as they are then.", lambda p, g, m, v, t, r: (
             p - _move(m, v, r, 1 - BETA_1**t, 1 - BETA_2**t), *averages(g, m, v))),
    Turn("averages not moved on", "return the averages as they are after this step, not as they "
         "came.", lambda p, g, m, v, t, r: (reference(p, g, m, v, t, r)[0], m, v)),
    Turn("another order", "return the parameter, then m, then v.",
         lambda *a: AnyOf(*[tuple(reference(*a)[i] for i in order) for order in
                            ((1, 2, 0), (0, 2, 1), (2, 1, 0), (1, 0, 2), (2, 0, 1))])),
    Turn("the step returned", "return the parameter after the step, not the step itself.",
         lambda p, *a: AnyOf(*[(s * (reference(p, *a)[0] - p), *reference(p, *a)[1:])
                               for s in (1, -1)])),
)  # fmt: skip


def _other(g: torch.Tensor, m: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return BETA_2 * m + (1 - BETA_2) * g, BETA_1 * v + (1 - BETA_1) * g**2


def _zeros(u: Draws, given: Given) -> torch.Tensor:
    return torch.zeros_like(given["theta"])


EXERCISE = Exercise(
    name="adam_step",
    arguments=(
        sample("theta", _theta, many=(4, 1, 6)),
        sample("slope", _slopes, many=(4, 1, 6), edges={"no slope here": _zeros}),
        sample("m", lambda u, given, k: 0.5 * _slopes(u, given, k), many=(4, 1, 6),
               edges={"m still zero": _zeros}),
        sample("v", _squares, many=(4, 1, 6), edges={"v still zero": _zeros}),
        whole("t", 2, 30, edges={"the first step": 1, "a late step": 20000}),
        positive("rate", 0.05, 0.9),
    ),
    reference=reference,
    # Where slopes are ordinary, ε moves a parameter by less than 1e-7; by far more where tiny.
    agree=EachClose(rtol=1e-9, atol=1e-7),
    turns=TURNS,
    worked=(worked,),
    parts=("theta", "m", "v"),
    passed="adam_step: parameter and both averages, as torch's Adam has them.",
)  # fmt: skip
adam_step = EXERCISE.check
