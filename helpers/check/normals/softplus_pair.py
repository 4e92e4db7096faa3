"""positive(raw) and raw_for(scale): softplus and its inverse, for small and large numbers."""

import math
from collections.abc import Callable

import torch

from helpers.check.kit.agree import EachClose
from helpers.check.kit.asks import Argument, Draws, Given, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise, Together
from helpers.check.normals import analytic

Formula = Callable[[torch.Tensor], torch.Tensor]
SMALL = (1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-3)  # what is added for safety
LARGE = (20.0, 30.0, 50.0, 80.0, 100.0, 700.0)  # where numbers are cut off

CUT = "where it is cut off, the slope is zero, and the scale never comes back."


def _raws(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return ordinary raw numbers of both signs, and a large one, where a slope may be lost."""
    x = torch.cat([u.uniform(n - n // 2, -4, -0.3), u.uniform(n // 2, 0.4, 5)])
    x[0], x[-1] = u.real(6, 9), u.real(720, 780)
    return x


def _scales(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return ordinary scales on both sides of log 2, whose raw number is zero, and a large one."""
    x = torch.cat([u.uniform(n - n // 2, 0.05, 0.5), u.uniform(n // 2, 0.9, 8)])
    x[-1] = u.real(720, 780)
    return x


def _with(*values: float) -> Callable[[Draws, Given], torch.Tensor]:
    """Return a draw of numbers near the given ones, which single precision holds as they are."""
    return lambda u, given: (
        torch.tensor(values) * u.uniform(len(values), 1.0, 1.2).float()
    ).double()


def _argument(name: str, draw: Callable[..., torch.Tensor], edges: dict[str, object]) -> Argument:
    several = {
        "of shape (2, 3)": lambda u, given: draw(u, given, 6).reshape(2, 3),
        "a single number": lambda u, given: draw(u, given, 3)[0],
    }
    return sample(name, draw, many=(6, 9, 5), edges={**several, **edges})


def _either(*formulas: Formula) -> Callable[[torch.Tensor], AnyOf]:
    """Return what formulas give, typed as they stand, in double and in single precision."""
    return lambda x: AnyOf(*[f(y) for f in formulas for y in (x, x.float())])


def _typed(raw: torch.Tensor) -> torch.Tensor:
    return torch.log(1 + torch.exp(raw))


def _typed_back(scale: torch.Tensor) -> torch.Tensor:
    return torch.log(torch.exp(scale) - 1)


def _patched_above(f: Formula) -> list[Formula]:
    """Return a formula with the argument itself above some number."""
    return [lambda x, c=c: torch.where(x > c, x, f(x)) for c in LARGE]  # type: ignore[misc]


def _capped(*formulas: Formula) -> Callable[[torch.Tensor], AnyOf]:
    """Return what formulas give whose argument is cut off above."""
    return lambda x: AnyOf(*[f(x.clamp(max=c)) for f in formulas for c in LARGE])


POSITIVE = Exercise(
    name="positive",
    arguments=(
        _argument("raw", _raws, {
            "far below zero": _with(-9.0, -17.0, -44.0, -70.0),
            "above 1000": _with(1000.0, 5000.0),
            "zero": torch.zeros(3, dtype=torch.float64),
        }),
    ),
    reference=analytic.softplus,
    agree=EachClose(),
    slopes=("raw",),
    turns=(
        Turn("formula as typed", "next to 1 a tiny exp(raw) is rounded away, and exp of a large "
             "raw is infinite: both ends need care.", _either(_typed)),
        Turn("overflow", "small numbers come out right, but exp of a large one is infinite; above "
             "some number softplus is raw itself.", _either(lambda raw: torch.log1p(raw.exp()))),
        Turn("small values lost", "a tiny exp(raw) is rounded away next to a larger number, and "
             "the scale is 0; there is a function for log(1 + x).",
             _either(lambda r: r + torch.log1p(torch.exp(-r)), *_patched_above(_typed))),
        Turn("no transform", "you return raw, which may be negative.",
             _either(lambda raw: raw, lambda raw: raw.exp().log())),
        Turn("absolute value", "the absolute value has a corner at 0, and two raws for each scale.",
             lambda raw: raw.abs()),
        Turn("clamped", CUT, lambda raw: AnyOf(*[raw.clamp(min=c) for c in (0.0, *SMALL)])),
        Turn("clamped", CUT, lambda raw: AnyOf(*[analytic.softplus(raw).clamp(min=c)
                                                 for c in SMALL])),
        Turn("clamped", "raw was cut off above, so all large ones give one scale, and its slope "
             "there is zero.", _capped(_typed, analytic.softplus)),
        Turn("constant added", "a small constant is in it, which drowns every smaller scale; "
             "leave it out.", lambda raw: AnyOf(*[analytic.softplus(raw) + c for c in SMALL])),
        Turn("exponential for softplus", "exp is positive too, but another function than asked "
             "for.", _either(torch.exp)),
        Turn("log base 2", "log means the natural logarithm.",
             _either(lambda raw: torch.log2(1 + raw.exp()),
                     lambda raw: analytic.softplus(raw) / math.log(2))),
        Turn("another positive function", "this is positive and smooth too, but it is not "
             "log(1 + exp(raw)).",
             lambda raw: AnyOf(torch.nn.functional.elu(raw) + 1, (raw + (raw**2 + 4).sqrt()) / 2,
                               analytic.softplus(2 * raw) / 2, 1 + analytic.softplus(raw),
                               (raw**2 + 1).sqrt())),
        Turn("square for softplus", "a square has two raws for each scale; softplus is asked for.",
             lambda raw: raw**2),
        Turn("sigmoid for softplus", "the sigmoid is softplus's slope, and never exceeds 1.",
             _either(torch.sigmoid)),
        Turn("sign", "this is softplus of −raw.",
             lambda raw: AnyOf(analytic.softplus(-raw), -analytic.softplus(-raw))),
        Turn("inverse for softplus", "this leads from a scale back to its raw number.",
             _either(analytic.softplus_inverse, _typed_back)),
    ),
    hints={"wrong slope": "the values are right, but not the slope: a branch that is not chosen "
           "must have finite values too, and nothing may be detached."},
    passed="positive.",
)  # fmt: skip

RAW_FOR = Exercise(
    name="raw_for",
    arguments=(
        _argument("scale", _scales, {
            "tiny": _with(1e-8, 1e-13, 1e-20),
            "above 1000": _with(1000.0, 5000.0),
            "log 2, whose raw number is zero": torch.tensor([math.log(2)], dtype=torch.float64),
        }),
    ),
    reference=analytic.softplus_inverse,
    # An error of the raw number is a relative one of the scale.
    agree=EachClose(atol=1e-6),
    turns=(
        Turn("formula as typed", "exp of a tiny s is 1, and 1 − 1 has no logarithm; exp of a large "
             "s is infinite: both ends need care.", _either(_typed_back)),
        Turn("overflow", "small scales come out right, but exp of a large one is infinite; take "
             "exp(s) out of the bracket first.", _either(lambda s: torch.expm1(s).log())),
        Turn("small scales lost", "exp of a tiny number is 1, and 1 − 1 has no logarithm; there is "
             "a function for exp(x) − 1.",
             _either(lambda s: s + torch.log(1 - torch.exp(-s)), *_patched_above(_typed_back))),
        Turn("clamped", "the scale was cut off above, so all large ones give one raw number.",
             _capped(_typed_back, analytic.softplus_inverse)),
        Turn("constant added", "a small constant keeps the log finite, but drowns every smaller "
             "scale; there is a function for exp(x) − 1.",
             lambda s: AnyOf(*[torch.log(f(s, c)) for c in SMALL for f in
                               ((lambda s, c: s.exp() - 1 + c),
                                (lambda s, c: (s.exp() - 1).clamp(min=c)))],
                             *[analytic.softplus_inverse(g(s, c)) for c in SMALL
                               for g in ((lambda s, c: s + c), (lambda s, c: s.clamp(min=c)))],
                             *[s + torch.log(-torch.expm1(-s) + c) for c in SMALL])),
        Turn("softplus again", "this is softplus of the scale; its inverse has a minus inside.",
             _either(analytic.softplus, _typed)),
        Turn("log for inverse", "this undoes exp; softplus has a 1 in it too.",
             _either(torch.log)),
        Turn("log forgotten", "this is exp(scale) − 1; one step is left to solve for raw.",
             _either(torch.expm1, lambda t: t.exp() - 1)),
        Turn("one forgotten", "log(exp(scale)) is the scale again: where is the 1?",
             _either(lambda s: s, lambda s: s.exp().log())),
        Turn("reciprocal for inverse", "the inverse undoes softplus; it is not one over it.",
             lambda s: 1 / analytic.softplus(s)),
        Turn("sign", "inside the bracket stands exp(−s), outside s: one of the signs is another.",
             lambda s: AnyOf(-analytic.softplus_inverse(s), torch.log(-torch.expm1(-s)) - s,
                             torch.log(-torch.expm1(-s)), s - torch.log(-torch.expm1(-s)),
                             s + torch.log(torch.expm1(s)))),
        Turn("log of something negative", "1 − exp(−s) is positive and has a log; exp(−s) − 1 has "
             "none, nor has a minus before what is positive.", lambda s: s + torch.log(-s)),
    ),
    passed="raw_for.",
)  # fmt: skip

softplus_pair = Together(
    (POSITIVE, RAW_FOR),
    "positive and raw_for: softplus and its inverse, for small and large numbers; slopes pass.",
).check
