"""The check of sheet 04's softplus and its inverse."""

from typing import Any

import torch

from helpers import data
from helpers.check.kit.agree import as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed, show
from helpers.check.normals import analytic


def softplus_pair(positive: Any, raw_for: Any) -> bool:
    """Check ``positive(raw)``, softplus, and ``raw_for(scale)``, its inverse, in this order.

    Small, ordinary and large arguments stand in cases of their own: a relative difference is taken
    on the scale of all numbers of a case. No raw value of a scale is near zero, and all arguments
    are numbers that single precision holds as they are.
    """
    u = data.uniform("normals: raw", 12, 1.0, 1.4)
    forth = {
        "ordinary": u[:6].reshape(2, 3) * torch.tensor([-2.0, 1.0, 2.5]),
        "small": -12 * u[6:9],
        "very small": -45 * u[9:10],
        "large": torch.tensor([500.0, 800.0]) * u[10:],
    }
    forth = {words: raw.float().double() for words, raw in forth.items()}
    v = data.uniform("normals: scale", 12, 1.0, 1.4)
    back = {
        "ordinary": v[:6].reshape(2, 3) * torch.tensor([0.2, 1.5, 3.0]),
        "small": 1e-8 * v[6:9],
        "very small": 1e-20 * v[9:10],
        "large": torch.tensor([500.0, 1000.0]) * v[10:],
    }
    back = {words: scale.float().double() for words, scale in back.items()}
    cases = [Case(f"positive(raw) for {words} raw = {show(raw)}", (raw,), analytic.softplus(raw))
             for words, raw in forth.items()]  # fmt: skip
    function_agrees(positive, cases, POSITIVE_TURNS)
    cases = [Case(f"raw_for(scale) for {words} scale = {show(scale)}", (scale,),
                  analytic.softplus_inverse(scale)) for words, scale in back.items()]  # fmt: skip
    function_agrees(raw_for, cases, RAW_TURNS)
    return passed("positive and raw_for: softplus and its inverse, for small and large numbers.")


def _as_typed(got: Any, typed: list[torch.Tensor]) -> bool:
    """Return whether a value is what some formula gives, typed as it stands, to three digits.

    Each is measured by the other: next to an exact zero every tiny number would pass.
    """
    return any(same(got, one, 1e-3) and same(one, got, 1e-3) for one in typed)


def _both(formula: Any) -> Any:
    """Return a turn's values in double and in single precision."""
    return lambda x: [formula(x), formula(x.float())]


def _naive(raw: torch.Tensor) -> torch.Tensor:
    return torch.log(1 + torch.exp(raw))


def _typed_inverse(scale: torch.Tensor) -> torch.Tensor:
    return torch.log(torch.exp(scale) - 1)


def _cut(x: torch.Tensor, typed: torch.Tensor) -> torch.Tensor:
    """Return a formula's values with the argument itself where that is above 20."""
    return torch.where(x > 20, x, typed)


def _is_clamped(got: Any, raw: torch.Tensor) -> bool:
    """Whether a value is raw where that is positive, and one small constant elsewhere."""
    value = as_tensor(got)
    if value is None or value.shape != raw.shape:
        return False
    above, below = raw > 0, value[raw <= 0]
    constant = not len(below) or bool((below == below[0]).all() and 0 <= below[0] < 0.2)
    return same(value[above], raw[above]) and constant if above.any() else constant


def _patched(right: Any, typed: Any) -> Any:
    """Return a turn's (argument, right values, values as typed), for a formula that was patched."""
    return lambda x: (x, right(x), _both(typed)(x))


def _is_capped(got: Any, given: tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]) -> bool:
    """Whether all large arguments give one value, below them, and the others what they should."""
    x, right, typed = given
    value = as_tensor(got)
    if value is None or value.shape != x.shape:
        return False
    if bool((x > 400).all()):
        return bool((value < x - 1).all()) and same(value, value[:1].expand(value.shape))
    return _as_typed(got, [right, *typed])


def _is_lifted(got: Any, given: tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]) -> bool:
    """Whether tiny values are too large, by something added, and the others what they should be."""
    x, right, typed = given
    value = as_tensor(got)
    if value is None or value.shape != x.shape:
        return False
    if bool((x < 1e-6).all()):
        room = 1e-3 * right.abs() * (1 if len(x) == 1 else -1)  # the single one is the tiniest
        return bool((value.isfinite() & (value > right + room)).all())
    return _as_typed(got, [right, *typed])


# The formulas as they stand fail at both ends, so their turns come first and say both; a formula
# that fails at one end is told that end alone.
POSITIVE_TURNS = [
    Turn("formula as typed", "next to 1 a tiny exp(raw) is rounded away, and exp of a large raw is "
         "infinite: both ends need care.", _both(_naive), alike=_as_typed),
    Turn("overflow", "small numbers come out right, but exp of a large one is infinite; above some "
         "number softplus is raw itself.", _both(lambda raw: torch.log1p(raw.exp())),
         alike=_as_typed),
    Turn("small values lost", "a tiny exp(raw) is rounded away next to a larger number, and the "
         "scale is 0; there is a function for log(1 + x).",
         lambda raw: [scale for f in (lambda r: _cut(r, _naive(r)),
                                      lambda r: r + torch.log1p(torch.exp(-r)))
                      for scale in _both(f)(raw)], alike=_as_typed),
    Turn("no transform", "you return raw, which may be negative.",
         lambda raw: [raw, torch.log(raw.exp())], alike=_as_typed),
    Turn("absolute value", "the absolute value has a corner at 0, and two raws for each scale.",
         lambda raw: raw.abs()),
    Turn("clamped", "where it is cut off, the slope is zero, and the scale never comes back.",
         lambda raw: raw, alike=_is_clamped),
    Turn("clamped", "raw was cut off above, so all large ones give one scale, and its slope there "
         "is zero.", _patched(analytic.softplus, _naive), alike=_is_capped),
    Turn("constant added", "a small constant is in it, which drowns every smaller scale; leave it "
         "out.", _patched(analytic.softplus, _naive), alike=_is_lifted),
    Turn("exponential for softplus", "exp is positive too, but another function than asked for.",
         _both(torch.exp), alike=_as_typed),
    Turn("square for softplus", "a square has two raws for each scale; softplus is asked for.",
         lambda raw: raw**2),
    Turn("sigmoid for softplus", "the sigmoid is softplus's slope, and never exceeds 1.",
         _both(torch.sigmoid), alike=_as_typed),
    Turn("sign", "this is softplus of −raw.", lambda raw: analytic.softplus(-raw)),
]  # fmt: skip
RAW_TURNS = [
    Turn("formula as typed", "exp of a tiny s is 1, and 1 − 1 has no logarithm; exp of a large s "
         "is infinite: both ends need care.", _both(_typed_inverse),
         alike=_as_typed),
    Turn("overflow", "small scales come out right, but exp of a large one is infinite; take exp(s) "
         "out of the bracket first.", _both(lambda s: torch.expm1(s).log()), alike=_as_typed),
    Turn("small scales lost", "exp of a tiny number is 1, and 1 − 1 has no logarithm; there is a "
         "function for exp(x) − 1.",
         lambda s: [r for f in (lambda t: t + torch.log(1 - torch.exp(-t)),
                                lambda t: _cut(t, torch.log(t.exp() - 1)))
                    for r in _both(f)(s)], alike=_as_typed),
    Turn("clamped", "the scale was cut off above, so all large ones give one raw number.",
         _patched(analytic.softplus_inverse, _typed_inverse), alike=_is_capped),
    Turn("constant added", "a small constant keeps the log finite, but drowns every smaller scale; "
         "there is a function for exp(x) − 1.",
         _patched(analytic.softplus_inverse, _typed_inverse), alike=_is_lifted),
    Turn("softplus again", "this is softplus of the scale; its inverse has a minus inside.",
         analytic.softplus),
    Turn("log for inverse", "this undoes exp; softplus has a 1 in it too.", _both(torch.log),
         alike=_as_typed),
    Turn("log forgotten", "this is exp(scale) − 1; one step is left to solve for raw.",
         lambda s: [r for f in (torch.expm1, lambda t: t.exp() - 1) for r in _both(f)(s)],
         alike=_as_typed),
    Turn("one forgotten", "log(exp(scale)) is the scale again: where is the 1?",
         lambda s: [s, s.exp().log()], alike=_as_typed),
    Turn("reciprocal for inverse", "the inverse undoes softplus; it is not one over it.",
         lambda s: 1 / analytic.softplus(s)),
]  # fmt: skip
