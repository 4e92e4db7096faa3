"""benford(base, digits): the probabilities of leading digits, of one or several."""

import math
from collections.abc import Callable

import torch

from helpers.check.benford import analytic
from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Argument, Draws, Given, Jointly
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

DOUBLE = torch.float64
reference = analytic.benford


def _blocks(base: int, digits: int) -> torch.Tensor:
    return torch.arange(base ** (digits - 1), base**digits, dtype=DOUBLE)


def _of_blocks(of: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[int, int], torch.Tensor]:
    """Return what a formula of the blocks gives."""
    return lambda base, digits: of(_blocks(base, digits))


def _weighed(of: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[int, int], torch.Tensor]:
    """Return what weights of the blocks give, once divided by their sum."""
    return lambda base, digits: of(_blocks(base, digits)) / of(_blocks(base, digits)).sum()


def _in_single(base: int, digits: int) -> AnyOf:
    d = _blocks(base, digits).float()
    ends = (
        (1 + 1 / d).log() / math.log(base),
        (d + 1).log() / math.log(base) - d.log() / math.log(base),
    )
    return AnyOf(*ends, *[e.double() for e in ends], (1 + 1 / d).log10(), (1 + 1 / d).log2())


def _from(low: int, base: int, digits: int) -> torch.Tensor:
    """Return the law of all numbers from low on, as if they were blocks."""
    return torch.log1p(1 / torch.arange(low, base**digits, dtype=DOUBLE)) / math.log(base)


def _last_digit(base: int, digits: int) -> torch.Tensor:
    """Return the probabilities of the last digit of the block: from 0, but of a first digit from 1.

    It is what the second digit, the third and so on follows.
    """
    blocks = reference(base, digits)
    return blocks if digits == 1 else blocks.reshape(-1, base).sum(0)


def by_formula(base: int, digits: int) -> torch.Tensor:
    """Return log_b(1 + 1/d) for every block d."""
    blocks = torch.arange(base ** (digits - 1), base**digits, dtype=torch.float64)
    return torch.log(1 + 1 / blocks) / math.log(base)


def by_list(base: int, digits: int) -> torch.Tensor:
    """Return the same, one block after the other."""
    blocks = range(base ** (digits - 1), base**digits)
    return torch.tensor([math.log(1 + 1 / d, base) for d in blocks], dtype=torch.float64)


def by_ratio(base: int, digits: int) -> torch.Tensor:
    """Return a quotient of logarithms to base 2."""
    d = torch.arange(base ** (digits - 1), base**digits).double()
    return torch.log2((d + 1) / d) / torch.log2(torch.tensor(base).double())


def _another_number(got: object, right: torch.Tensor) -> bool:
    """Whether there are more or fewer numbers than blocks, or all is right."""
    value = as_tensor(got)
    return value is not None and (value.shape != right.shape or same(value, right))


def by_difference(base: int, digits: int) -> torch.Tensor:
    """Return differences of the logarithms of the ends."""
    ends = torch.arange(base ** (digits - 1), base**digits + 1, dtype=torch.float64)
    return (torch.log(ends) / math.log(base)).diff()


TURNS = (
    Turn("natural logarithm", "the logarithm is to the base of the number system: divide by "
         "log(base).", _of_blocks(lambda d: torch.log1p(1 / d))),
    Turn("base ten for base", "the logarithm is to the base that the function is given.",
         lambda base, digits: AnyOf(torch.log1p(1 / _blocks(base, digits)) / math.log(10),
                                    reference(10, digits))),
    Turn("base two for base", "the logarithm is to the base that the function is given.",
         lambda base, digits: AnyOf(torch.log1p(1 / _blocks(base, digits)) / math.log(2),
                                    reference(2, digits))),
    Turn("log of 1 + d", "the interval from d to d + 1 has the length log(d + 1) − log d.",
         lambda base, digits: AnyOf(*[f(_blocks(base, digits)) / c for c in (1, math.log(base))
                                      for f in (torch.log1p, torch.log)])),
    Turn("zero taken in", "a first digit is never 0: the blocks begin with base ** (digits − 1).",
         lambda base, digits: AnyOf(_from(0, base, digits), _from(0, base, digits)[1:])),
    Turn("one block too many", "the last block is base ** digits − 1, all of whose digits are the "
         "largest.", lambda base, digits: torch.log1p(
             1 / torch.arange(base ** (digits - 1), base**digits + 1, dtype=DOUBLE))
         / math.log(base)),
    Turn("last one left out", "a range ends before its second number: a block is missing.",
         lambda base, digits: AnyOf(reference(base, digits)[:-1], reference(base, digits)[1:])),
    Turn("single digit only", "a block has as many digits as the function is told.",
         lambda base, digits: AnyOf(reference(base, 1), reference(base, 2))),
    Turn("digit after the first", "this is the law of one digit of the block; asked is that of the "
         "block as a whole.",
         lambda base, digits: _last_digit(base, digits)),
    Turn("independent digits", "leading digits are not independent: take the block as one number.",
         lambda base, digits: AnyOf(*_independent(base, digits))),
    Turn("uniform", "the blocks are not equally likely.",
         lambda base, digits: AnyOf(_weighed(torch.ones_like)(base, digits),
                                    _weighed(torch.ones_like)(base, digits) * 0 + 1 / base)),
    Turn("power law", "this falls with a power of d; what Benford's law has is a logarithm.",
         lambda base, digits: AnyOf(*[w / w.sum() for k in (-1.0, -2.0, -0.5)
                                      for w in [_blocks(base, digits) ** k]])),
    Turn("density for probability", "1/(d log b) is a density: integrate it from d to d + 1.",
         lambda base, digits: AnyOf(*[1 / ((_blocks(base, digits) + a) * math.log(base))
                                      for a in (0, 0.5, 1)])),
    Turn("cumulative", "this is the probability of a block up to d; asked is that of d itself.",
         lambda base, digits: reference(base, digits).cumsum(0)),
    Turn("single precision", "next to 1 a small 1/d loses most of its digits in float32: make the "
         "blocks in float64.", _in_single),
    Turn("another number of blocks", "the blocks are the whole numbers with so many digits, in a "
         "single row: the first is base ** (digits − 1), the last base ** digits − 1.",
         reference, alike=_another_number),
    Turn("divided by the digits", "one logarithm to the base serves blocks of any length.",
         lambda base, digits: AnyOf(reference(base, digits) / digits,
                                    reference(base, digits) * digits)),
    Turn("counted, not computed", "these are shares of numbers that were counted: compute each "
         "block's probability by the formula.", reference,
         alike=lambda got, right: _counted(got, right)),
    Turn("log of 1 − 1/d", "the block d reaches up to d + 1, not down to d − 1.",
         lambda base, digits: AnyOf(*[
             -torch.log1p(-1 / _blocks(base, digits)) / c for c in (math.log(base), 1.0)])),
)  # fmt: skip


def _independent(base: int, digits: int) -> list[torch.Tensor]:
    """Return products of the digits' own probabilities, the later ones right or all alike."""
    found = []
    for later in (reference(base, 2).reshape(-1, base).sum(0),
                  torch.full((base,), 1 / base, dtype=DOUBLE)):  # fmt: skip
        blocks = reference(base, 1)
        for _ in range(digits - 1):
            blocks = torch.outer(blocks, later).flatten()
        found.append(blocks)
    return found


def _counted(got: object, right: torch.Tensor) -> bool:
    """Whether all numbers are right, or shares of some few thousand, and add up to 1."""
    value = as_tensor(got)
    if value is None or value.shape != right.shape or not bool(value.isfinite().all()):
        return False
    if same(value, right):
        return True
    of = torch.cat([torch.arange(20, 5001), torch.tensor([10_000, 100_000])]).double()[:, None]
    times = of * value.double()[:40]
    shares = ((times - times.round()).abs() < 1e-9 * of).all(1).any()
    return bool(shares) and abs(float(value.double().sum()) - 1) < 1e-9


def _base(u: Draws, given: Given) -> int:
    """Return a base, another than a given one."""
    base = u.whole(3, 8)
    return base + (base >= given.get("base", 9))


def _digits(u: Draws, given: Given) -> int:
    """Return one to three digits, other than a given number of them."""
    return u.choice([k for k in (1, 2, 3) if k != given.get("digits")])


EXERCISE = Exercise(
    name="benford",
    arguments=(
        Argument("base", _base, edges={
            "ten, one digit": Jointly(base=10, digits=1),
            "ten, four digits": Jointly(base=10, digits=4),
            "two, one digit": Jointly(base=2, digits=1),
            "two, four digits": Jointly(base=2, digits=4),
            "sixteen, two digits": Jointly(base=16, digits=2),
        }),
        Argument("digits", _digits),
    ),
    reference=reference,
    agree=Close(),
    double=True,
    turns=TURNS,
    worked=(by_formula, by_difference, by_list, by_ratio),
    passed="benford: every block of leading digits, in any base.",
)  # fmt: skip
benford = EXERCISE.check
