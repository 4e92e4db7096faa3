"""angle_mle(bits_a, bits_b): the angle between two vectors from their bits, and its error."""

import math
from collections.abc import Callable
from typing import Any

import torch

from helpers.check.kit.asks import Argument, Draws, Given, Jointly
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

Bits = torch.Tensor
BITS = (32, 64, 100, 128, 256, 400, 512, 1000)  # numbers of them that may be typed in


def of_share(p: float, b: float) -> tuple[float, float]:
    """Return angle and standard error in radians, if the share p of b bits differs."""
    return math.pi * p, math.pi * math.sqrt(p * (1 - p) / b)


def share(one: Bits, other: Bits) -> float:
    """Return the share of bits that differ."""
    return float((one != other).double().mean())


def reference(one: Bits, other: Bits) -> tuple[float, float]:
    """Return the MLE π D/b of D ~ Binomial(b, θ/π), and π times the standard error of D/b."""
    return of_share(share(one, other), len(one))


def _angle(of: Callable[[float, int], float]) -> Callable[[Bits, Bits], AnyOf]:
    """Return what comes of another angle, whose error follows it or is right."""

    def gives(one: Bits, other: Bits) -> AnyOf:
        p, b = share(one, other), len(one)
        angle = of(p, b)
        within = 0 <= angle <= math.pi
        follows = [(angle, of_share(angle / math.pi, b)[1])] if within else []
        return AnyOf((angle, of_share(p, b)[1]), *follows)

    return gives


def _of_angle(angle: float, one: Bits, other: Bits) -> tuple[Any, ...]:
    """Return what comes of another angle, as :func:`_angle`."""
    return _angle(lambda p, b: angle)(one, other).values


def _error(*of: Callable[[float, int], float]) -> Callable[[Bits, Bits], AnyOf]:
    """Return what comes of other errors with the right angle."""

    def gives(one: Bits, other: Bits) -> AnyOf:
        p, b = share(one, other), len(one)
        return AnyOf(*[(math.pi * p, f(p, b)) for f in of])

    return gives


def _scaled(factor: float) -> Callable[[Bits, Bits], AnyOf]:
    """Return what comes with another factor in the place of π, in the angle or in both."""

    def gives(one: Bits, other: Bits) -> AnyOf:
        p, b = share(one, other), len(one)
        error = of_share(p, b)[1]
        return AnyOf((factor * p, factor / math.pi * error), (factor * p, error))

    return gives


def _spread(p: float) -> float:
    return math.sqrt(p * (1 - p))


def _cosine(one: Bits, other: Bits) -> float:
    a, c = one.double(), other.double()
    return float(a @ c / (a.norm() * c.norm()))


def _smoothed(k: float) -> Callable[[Bits, Bits], AnyOf]:
    return lambda a, c: _angle(lambda p, b: math.pi * (p * b + k) / (b + 2 * k))(a, c)


def _with_both_faults(one: Bits, other: Bits) -> AnyOf:
    angle, p, b = math.pi * (1 - share(one, other)), share(one, other), len(one)
    return AnyOf(*[(angle, factor * p * (1 - p) / b) for factor in (math.pi, math.pi**2, 1.0)])


TURNS = (
    Turn("the colleague's two faults", "a share of π is the angle if it counts the bits that "
         "differ; and a standard error is the root of a variance.", _with_both_faults),
    Turn("agreeing for differing", "the share θ/π is that of the bits that differ; the others "
         "agree.", lambda a, c: of_share(1 - share(a, c), len(a))),
    Turn("degrees", "the angle is asked in radians: a share of π, not of 180.",
         lambda a, c: AnyOf(*_scaled(180.0)(a, c).values,
                            (reference(a, c)[0], math.degrees(reference(a, c)[1])))),
    Turn("full turn", "the angle between two vectors is at most π, where all bits differ.",
         _scaled(2 * math.pi)),
    Turn("right angle", "all bits differ at an angle of π, not of π/2.", _scaled(math.pi / 2)),
    Turn("share for angle", "this is the share of differing bits; the angle is π times as large.",
         _scaled(1.0)),
    Turn("number for share", "divide the number of differing bits by the number of bits.",
         _angle(lambda p, b: math.pi * p * b)),
    Turn("number of bits", "this is how many bits differ; the angle is π times their share.",
         _angle(lambda p, b: p * b)),
    Turn("root forgotten", "a standard error is the root of a variance.",
         _error(lambda p, b: math.pi * p * (1 - p) / b, lambda p, b: math.pi**2 * p * (1 - p) / b,
                lambda p, b: p * (1 - p) / b)),
    Turn("π missing in the error", "this is the error of the share; that of the angle is π times "
         "as large.", _error(lambda p, b: _spread(p) / math.sqrt(b))),
    Turn("root of π", "a factor in front of an estimate stands in front of its error as it is.",
         _error(lambda p, b: math.sqrt(math.pi) * _spread(p) / math.sqrt(b),
                lambda p, b: math.pi**2 * _spread(p) / math.sqrt(b))),
    Turn("error of one bit", "a share of b bits strays less than one bit does: by the root of b.",
         _error(lambda p, b: math.pi * _spread(p), lambda p, b: _spread(p))),
    Turn("b for its root", "the error of a share shrinks with the root of b.",
         _error(lambda p, b: math.pi * _spread(p) / b)),
    Turn("error of the number", "the number of differing bits strays more, the more bits there "
         "are; their share strays less.",
         _error(lambda p, b: math.pi * _spread(p) * math.sqrt(b), lambda p, b: _spread(p) *
                math.sqrt(b))),
    Turn("b − 1 for b", "the curvature of the binomial log-likelihood has b, not b − 1.",
         _error(lambda p, b: math.pi * _spread(p) / math.sqrt(b - 1) if b > 1 else math.nan,
                lambda p, b: math.pi * _spread(p) * math.sqrt(b) / (b - 1) if b > 1 else
                math.nan)),
    Turn("error of Poisson", "a number of at most b strays less than a Poisson count: 1 − p is "
         "missing.", _error(lambda p, b: math.pi * math.sqrt(p / b))),
    Turn("p missing in the error", "the variance of a bit is p (1 − p).",
         _error(lambda p, b: math.pi * math.sqrt((1 - p) / b))),
    Turn("worst case", "this is the error for a share of one half; take the share that you found.",
         _error(lambda p, b: math.pi / (2 * math.sqrt(b)), lambda p, b: math.pi / math.sqrt(b))),
    Turn("error with the angle", "p (1 − p) belongs to the share of bits, not to the angle.",
         _error(lambda p, b: math.sqrt(abs(math.pi * p * (1 - math.pi * p)) / b),
                lambda p, b: math.pi * math.sqrt(abs(math.pi * p * (1 - math.pi * p)) / b))),
    Turn("error relative", "the error has the unit of the angle: do not divide by it.",
         _error(lambda p, b: math.sqrt((1 - p) / (p * b)) if p else math.nan)),
    Turn("width of a band", "one standard error is asked, not a band of two.",
         lambda a, c: AnyOf(*[(angle, z * error) for angle, error in [reference(a, c)]
                              for z in (1.96, 2.0, 1.959964, 3.0)])),
    Turn("pair in wrong order", "the angle comes first, its standard error second.",
         lambda a, c: reference(a, c)[::-1]),
    Turn("angle of the bits", "the bits are no vectors whose angle is asked: count where they "
         "differ.", lambda a, c: AnyOf(*[(x, e) for x in (math.acos(min(1.0, _cosine(a, c))),
                                         _cosine(a, c)) for e in (reference(a, c)[1],
                                         *_safe_error(x, len(a)))])),
    Turn("folded to a right angle", "an angle between two vectors may be anything up to π: beyond "
         "a right angle more than half of the bits differ.",
         lambda a, c: (min(reference(a, c)[0], math.pi - reference(a, c)[0]), reference(a, c)[1])),
    Turn("cosine of it", "the angle itself is asked, not its cosine.",
         lambda a, c: (math.cos(reference(a, c)[0]), reference(a, c)[1])),
    Turn("arccosine of the share", "the share is θ/π, a straight line: no cosine is needed.",
         lambda a, c: AnyOf(*[(math.acos(v), reference(a, c)[1])
                              for v in (share(a, c), 1 - share(a, c), 1 - 2 * share(a, c))])),
    Turn("common ones alone", "two bits agree where both are 0 as well.",
         lambda a, c: AnyOf(*[pair for v in (float((a * c).double().mean()),
                                             1 - float((a * c).double().mean()))
                              for pair in _of_angle(math.pi * v, a, c)])),
    Turn("either one counted", "a place where both bits are 1 does not differ.",
         lambda a, c: _angle(lambda p, b: math.pi * float(((a + c) > 0).double().mean()))(a, c)),
    Turn("differences cancel", "a 1 against a 0 and a 0 against a 1 both differ: bits are compared "
         "place by place.",
         lambda a, c: AnyOf(*[pair for d in (a - c, c - a) for pair in (
             *_of_angle(math.pi * float(d.double().mean()), a, c),
             *_of_angle(math.pi * abs(float(d.double().mean())), a, c),
             *_of_angle(math.pi * float((d > 0).double().mean()), a, c))])),
    Turn("smoothed", "this is the mean or the mode under a prior: the maximum-likelihood estimate "
         "adds nothing.", lambda a, c: AnyOf(*[pair for k in (0.5, 1.0, 2.0)
                                               for pair in _smoothed(k)(a, c).values],
                                             _posterior(share(a, c) * len(a), len(a)))),
    Turn("ones of either for all bits", "all b bits count, those too where both are 0.",
         lambda a, c: AnyOf(*_of_angle(math.pi * float((a != c).sum() / (a + c > 0).sum()), a, c))),
    Turn("an interval", "the angle and its error are asked, not the ends of an interval.",
         lambda a, c: AnyOf(*[(angle - z * error, angle + z * error)
                              for angle, error in [reference(a, c)] for z in (1.0, 1.96, 2.0)])),
    Turn("a number for b", "the share is one of the bits that came: their number is len(bits_a).",
         lambda a, c: AnyOf(*[way for b in BITS for d in [share(a, c) * len(a)] if d <= b
                              for way in (of_share(d / b, b),
                                          (math.pi * d / b, of_share(d / len(a), len(a))[1]))])),
    Turn("angle alone", "a tuple is asked: the angle, and its standard error.",
         lambda a, c: reference(a, c)[0]),
)  # fmt: skip


def _posterior(differ: float, b: int) -> tuple[float, float]:
    """Return mean and standard deviation of the angle under a uniform prior on its share of π."""
    p = (differ + 1) / (b + 2)
    return math.pi * p, math.pi * math.sqrt(p * (1 - p) / (b + 3))


def _safe_error(angle: float, b: int) -> tuple[float, ...]:
    return (of_share(angle / math.pi, b)[1],) if 0 <= angle <= math.pi else ()


def by_count(bits_a: Bits, bits_b: Bits) -> tuple[Any, Any]:
    """Return both by counting the bits that differ."""
    b = len(bits_a)
    p = (bits_a != bits_b).sum() / b
    return math.pi * p, math.pi * (p * (1 - p) / b) ** 0.5


def by_mean(bits_a: Bits, bits_b: Bits) -> tuple[Any, Any]:
    """Return both by the mean and the spread of the differences."""
    differs = (bits_a - bits_b).abs().double()
    error = torch.pi * differs.std(correction=0) / len(differs) ** 0.5
    return torch.pi * differs.mean(), error


def _bits(u: Draws, given: Given, b: int) -> Bits:
    """Return b bits, more ones than zeros."""
    return (u.uniform(b) < 0.62).long()


def _others(u: Draws, given: Given, b: int) -> Bits:
    """Return the bits with a share between a sixth and two fifths of them turned, never none."""
    turned = u.uniform(b).argsort()[: max(1, round(b * u.real(0.17, 0.4)))]
    other = given["bits_a"].clone()
    other[turned] = 1 - other[turned]
    return other


def _apart(b: int, differ: int) -> Callable[[Draws, Given], Jointly]:
    def drawn(u: Draws, given: Given) -> Jointly:
        one = (u.uniform(b) < 0.6).long()
        other = one.clone()
        other[:differ] = 1 - other[:differ]
        return Jointly(bits_a=one, bits_b=other)

    return drawn


EXERCISE = Exercise(
    name="angle_mle",
    arguments=(
        Argument("bits_a", _bits, many=(24, 61, 150)),
        Argument("bits_b", _others, many=(24, 61, 150),
                 edges={"no bit differs": _apart(20, 0), "every bit differs": _apart(20, 20),
                        "one bit, which agrees": _apart(1, 0), "one bit, which differs":
                        _apart(1, 1), "more than half differ": _apart(40, 31),
                        "two thousand bits": _apart(2000, 3)}),
    ),
    reference=reference,
    turns=TURNS,
    worked=(by_count, by_mean),
    parts=("angle", "standard error"),
    passed="angle_mle: π D/b and its standard error, from no to every bit that differs.",
)  # fmt: skip
angle_mle = EXERCISE.check
