"""Ways to miss that need no sheet: what came is related to what was expected, on every case alike.

Each relation gives what an answer that misses in its way would return. It is named only where it
explains every failing case, and where it differs from the expected value in all of them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

# The tolerance with which a relation must hold; single precision carries seven digits.
HOLDS = 2e-5


@dataclass(frozen=True)
class Pair:
    """What was expected and what came in one case, as float64 tensors, and the sizes at hand.

    Args:
        expected: the reference.
        got: the answer's value; of the same shape, unless a relation is about the shape.
        sizes: lengths of the arguments, such as n.
    """

    expected: torch.Tensor
    got: torch.Tensor
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Relation:
    """A way to miss.

    Args:
        name: what a message calls it.
        hint: one sentence for the student.
        gives: what would come, from a pair's expected value and sizes; several where it can
            come in several ways.
    """

    name: str
    hint: str
    gives: Callable[[Pair], Sequence[torch.Tensor]]


def _times(factor: float) -> Callable[[Pair], Sequence[torch.Tensor]]:
    return lambda p: [p.expected * factor]


def _by_sizes(of: Callable[[torch.Tensor, int], torch.Tensor]) -> Callable[..., list[torch.Tensor]]:
    """Return what comes with each size at hand; too small sizes tell nothing."""
    return lambda p: [of(p.expected, n) for n in p.sizes if n > 1]


RELATIONS = [
    Relation("negated", "this is the expected value with the opposite sign.", _times(-1)),
    Relation("half of it", "this is half of the expected value: is a factor ½ one too many, or a 2 "
             "missing?", _times(0.5)),
    Relation("twice of it", "this is twice the expected value: is a factor ½ missing, or something "
             "added a second time?", _times(2)),
    Relation("sum for mean", "this is n times the expected value: divide by n.",
             _by_sizes(lambda e, n: e * n)),
    Relation("mean for sum", "this is the expected value divided by n: add, do not average.",
             _by_sizes(lambda e, n: e / n)),
    Relation("divided by n − 1", "this is n/(n − 1) times the expected value: divide by n.",
             _by_sizes(lambda e, n: e * n / (n - 1))),
    Relation("n and n − 1", "this differs from the expected value by a power of n/(n − 1).",
             lambda p: [p.expected * (n / (n - 1)) ** s for n in p.sizes if n > 1
                        for s in (-1, 0.5, -0.5)]),
    Relation("n and n + 1", "this differs from the expected value by a power of n/(n + 1).",
             lambda p: [p.expected * (n / (n + 1)) ** s for n in p.sizes if n > 1
                        for s in (1, -1, 0.5, -0.5)]),
    Relation("root of n", "this differs from the expected value by a factor √n.",
             lambda p: [p.expected * math.sqrt(n) ** s for n in p.sizes if n > 1 for s in (1, -1)]),
    Relation("log base 2", "this is the expected value in bits: take natural logarithms.",
             _times(1 / math.log(2))),
    Relation("log base 10", "this is the expected value by logarithms to base 10: take natural "
             "ones.", _times(1 / math.log(10))),
    Relation("factor π", "this differs from the expected value by a factor π, 2π or their root.",
             lambda p: [p.expected * (c * math.pi) ** s for c in (1, 2) for s in (1, -1, .5, -.5)]),
    Relation("reciprocal", "this is one over the expected value.", lambda p: [1 / p.expected]),
    Relation("one minus it", "this is one minus the expected value: the other one is asked for.",
             lambda p: [1 - p.expected]),
    Relation("squared", "this is the square of the expected value: a root is missing.",
             lambda p: [p.expected**2]),
    Relation("root of it", "this is the root of the expected value.",
             lambda p: [p.expected.sqrt()]),
    Relation("logarithm of it", "this is the logarithm of the expected value.",
             lambda p: [p.expected.log()]),
    Relation("exponential of it", "this is exp of the expected value: a log is missing.",
             lambda p: [p.expected.exp()]),
    Relation("absolute value", "this is the expected value without its sign.",
             lambda p: [p.expected.abs(), -p.expected.abs()]),
    Relation("rounded", "this is the expected value, rounded: return it in full.",
             lambda p: [r for k in range(5) if bool((r := _rounded(p.expected, k)).any())]),
    Relation("swapped", "the numbers are right, but stand in each other's place.",
             lambda p: [p.expected.flip(0)] if p.expected.ndim and len(p.expected) == 2 else []),
    Relation("reversed", "the numbers are right, but in the opposite order.",
             lambda p: [p.expected.flip(d) for d in range(p.expected.ndim)
                        if p.expected.shape[d] > 1]),
    Relation("transposed", "rows and columns are exchanged.",
             lambda p: [p.expected.T.contiguous()] if p.expected.ndim == 2 else []),
    Relation("shifted by one", "the numbers are right, but one place too early or too late.",
             lambda p: [p.expected.roll(s, 0) for s in (1, -1)] if p.expected.ndim
             and len(p.expected) > 2 else []),
    Relation("normalised", "these are the expected numbers divided by their sum.",
             lambda p: [p.expected / p.expected.sum()] if p.expected.ndim else []),
    Relation("added up", "this is the cumulative sum of the expected numbers.",
             lambda p: [p.expected.cumsum(0)] if p.expected.ndim else []),
]  # fmt: skip
# Last, since they say least: one constant for all cases.
CONSTANT_FACTOR = ("constant factor", "this is {} times the expected value in every case.")
TYPED_IN = ("a number for n", "{} stands where n, the number of observations, should.")
APPROXIMATE = (
    "near but not equal",
    "the answer comes near and does not meet it: is a step, a grid or a tolerance left in it?",
)
CONSTANT_ADDED = ("constant added", "this is the expected value plus {} in every case.")
# And of many numbers in a case: a straight line, another one in every case.
SHIFT = (
    "shifted",
    "in each case this is the expected value plus one and the same number: what is added or "
    "subtracted?",
)
FACTOR = (
    "another factor",
    "in each case this is the expected value times one and the same factor: what multiplies it?",
)
LINE = (
    "shifted and stretched",
    "in each case this is the expected value, stretched and shifted: look at the factor, and at "
    "what is added.",
)


def _rounded(x: torch.Tensor, digits: int) -> torch.Tensor:
    return torch.round(x * 10**digits) / 10**digits


def alike(a: torch.Tensor, b: torch.Tensor, tolerance: float = HOLDS) -> bool:
    """Return whether two tensors agree to a tolerance, relative to the numbers as a whole."""
    return a.shape == b.shape and bool((_apart(a, b) <= tolerance).all())


def _apart(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return how far two tensors are apart, relative to the second; infinite where one is."""
    size = torch.maximum(b.abs(), b.abs().mean())
    apart = (a - b).abs() / torch.where(size > 0, size, torch.ones_like(size))
    return torch.where(a.isfinite() & b.isfinite(), apart, torch.full_like(apart, math.inf))


def near(pair: Pair) -> bool:
    """Return whether an answer lies within a twentieth of the expected value."""
    return alike(pair.got, pair.expected, 0.05)


def found(pairs: Sequence[Pair]) -> tuple[str, str] | None:
    """Return name and hint of the relation that holds in every pair, or None.

    Args:
        pairs: all failing cases with finite numbers of the expected shape.
    """
    if sum(p.expected.numel() for p in pairs) < 2:  # one number is related to any other
        return None
    for relation in RELATIONS:
        if all(_holds(relation, p) for p in pairs):
            return relation.name, relation.hint
    return None


def _holds(relation: Relation, pair: Pair) -> bool:
    # A relation explains what is missing, not what was right all along: what it leaves over is
    # a small share of the miss.
    miss = float(_apart(pair.got, pair.expected).max())
    tolerance = min(HOLDS, 0.02 * miss + 1e-12)
    return any(alike(pair.got, wrong, tolerance) for wrong in relation.gives(pair))


def _typed_in(pairs: Sequence[Pair], got: torch.Tensor, expected: torch.Tensor) -> float | None:
    """Return the number that stands in the place of n in every case, or None."""
    sizes = [p.sizes[-1] if len(p.sizes) == 1 else 0 for p in pairs]
    if 0 in sizes or len(set(sizes)) < 2:
        return None
    n = torch.cat([torch.full_like(p.expected.flatten(), s)
                   for p, s in zip(pairs, sizes, strict=True)])  # fmt: skip
    for power in (1.0, -1.0, 0.5, -0.5):
        typed = n * (got / expected) ** (1 / power)
        if typed.median() != 0 and alike(typed, typed.median().expand_as(typed), 1e-4):
            return float(typed.median())
    return None


def constant(pairs: Sequence[Pair]) -> tuple[str, str] | None:
    """Return a factor or a summand that is the same in several cases of several numbers."""
    if len(pairs) < 2:
        return None
    got = torch.cat([p.got.flatten() for p in pairs])
    expected = torch.cat([p.expected.flatten() for p in pairs])
    if len(got) < 2 or alike(expected, expected.mean().expand_as(expected)):
        return None
    nowhere_zero = not bool((expected == 0).any())
    if nowhere_zero and (typed := _typed_in(pairs, got, expected)) is not None:
        return TYPED_IN[0], TYPED_IN[1].format(f"{typed:.4g}")
    for (name, hint), values in (
        (CONSTANT_FACTOR, got / expected),
        (CONSTANT_ADDED, got - expected),
    ):
        constant = values.median()
        if constant.abs() > 1e-12 and alike(values, constant.expand_as(values)):
            return name, hint.format(f"{float(constant):.6g}")
    return None


def line(pairs: Sequence[Pair]) -> tuple[str, str] | None:
    """Return how what came is a straight line of what was expected, another one in every case.

    Args:
        pairs: all failing cases; each of at least four numbers that are not alike, or of none.
    """
    many = [p for p in pairs if p.expected.numel() >= 4]
    if len(many) < 2 or any(alike(p.expected, p.expected.mean().expand_as(p.expected))
                            for p in many):  # fmt: skip
        return None
    for said, shift, factor in ((SHIFT, True, False), (FACTOR, False, True), (LINE, True, True)):
        if all(_straight(p, shift, factor) for p in many):
            return said
    return None


def _straight(pair: Pair, shift: bool, factor: bool) -> bool:
    """Whether the miss is a constant, a multiple of the expected numbers, or a sum of both."""
    x, miss = pair.expected.flatten(), (pair.got - pair.expected).flatten()
    columns = [torch.ones_like(x)] * shift + [x] * factor
    basis = torch.stack(columns, dim=1)
    fitted = (basis @ torch.linalg.lstsq(basis, miss[:, None]).solution).flatten()
    # As for a relation: what is left over is a small share of the miss.
    tolerance = min(1e-6 * float(x.abs().max()), 0.02 * float(miss.abs().max()))
    return bool(((fitted - miss).abs() <= tolerance + 1e-12).all())
