"""first_underflow(densities): how many densities it takes until their product is exactly zero."""

import torch

from helpers import data
from helpers.check.kit.agree import Exactly
from helpers.check.kit.asks import Argument, Draws, Given
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

# A cliff is the density of an observation some nine standard deviations away. Every order and
# precision of multiplication that keeps to the densities' own dtype falls off it at the same n.
CLIFF = 1e-20


def plunge(u: Draws, dtype: torch.dtype) -> torch.Tensor:
    """Return densities whose product shrinks step by step, then falls off a cliff to exactly zero.

    Before the cliff the product lies in float32's subnormal range, about 1e-40, so that "below the
    smallest normal number" and "zero" are different n; after it, in float64's, about 1e-310, and
    a second cliff follows. Densities lie between 0.1 and 0.9, or are cliffs.

    Args:
        u: draws them.
        dtype: float32 or float64.

    Returns:
        Densities, shape (n,) with n about 460.
    """
    draws, level = u.uniform(1000, 0.1, 0.35), u.uniform(6, 0.5, 0.9)
    cliff = torch.tensor([CLIFF], dtype=torch.float64)
    fallen = draws.log10().cumsum(0)
    first = int((fallen >= -39).sum()) + 1
    before = float(fallen[first - 1]) + float(level[:3].log10().sum()) - 20
    again = draws[first:].log10().cumsum(0) + before
    second = first + int((again >= -309).sum()) + 1
    parts = [draws[:first], level[:3], cliff, draws[first:second], level[3:], cliff,
             draws[second : second + 20]]  # fmt: skip
    return torch.cat(parts).to(dtype)


def zero_at(densities: torch.Tensor) -> int | None:
    """Return the smallest n for which the first n densities multiply to zero in their own dtype."""
    product = torch.ones((), dtype=densities.dtype)
    for n, density in enumerate(densities, start=1):
        product = product * density
        if product == 0:
            return n
    return None


def _early(u: Draws, given: Given) -> torch.Tensor:
    """Return densities in float32 that multiply to zero at the seventh, one of them above 1."""
    start = u.uniform(8, 0.2, 0.5)
    return torch.cat([start[:4], torch.tensor([3.0, 1e-30, CLIFF]), start[4:]]).float()


def _last(u: Draws, given: Given) -> torch.Tensor:
    return torch.cat([u.uniform(5, 0.2, 0.5), torch.tensor([1e-200, 1e-200], dtype=torch.float64)])


def _rounded_up(u: Draws, given: Given, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Return densities whose product is three quarters of the smallest number, then nothing.

    All but one are powers of two, so products are exact in any order up to the one that is rounded:
    up, to the smallest number itself. Whoever takes that for the end stops one too early.
    """
    lowest = -149 if dtype == torch.float32 else -1074
    first = u.whole(-lowest // 2 - 9, -lowest // 2)
    powers = [1.5 * 0.5**first, 0.5 ** (-lowest - first + 1), 0.25, 0.5]
    return torch.tensor(powers, dtype=torch.float64).to(dtype)


def _risen(u: Draws, given: Given) -> torch.Tensor:
    """Return densities whose product is zero at the fifth, and would rise again.

    In exact arithmetic it ends above 1; were none larger than 1 allowed, it would be zero earlier.
    In float64, for torch.cumprod multiplies numbers of float32 in double precision.
    """
    start = u.uniform(2, 0.2, 0.5)
    middle = torch.tensor([1e200, 1e-200, 1e-200, 1e-200, 1e200, 1e200], dtype=torch.float64)
    return torch.cat([start[:1], middle, start[1:]])


def _by_logs(densities: torch.Tensor) -> AnyOf:
    """Return the n of whoever believes that a product which was zero rises again."""
    zero = torch.zeros((), dtype=densities.dtype)
    half = torch.nextafter(zero, zero + 1).double().log() - torch.tensor(2.0).double().log()
    logs = densities.double().log().cumsum(0)
    above = int((logs >= half).sum())
    return AnyOf(
        above + 1 if above < len(densities) else None,
        None if logs[-1] >= half else zero_at(densities),
    )


def _below_the_smallest(densities: torch.Tensor) -> int | None:
    """Return where logs predict a product below the smallest number, not below half of it."""
    zero = torch.zeros((), dtype=densities.dtype)
    smallest = torch.nextafter(zero, zero + 1).double().log()
    n = int((densities.double().log().cumsum(0) >= smallest).sum()) + 1
    return n if n <= len(densities) else None


def _sheets(densities: torch.Tensor) -> AnyOf:
    """Return the n of the sheet's own densities, and those that its practice data print."""
    found = []
    for seed in (data.seed(), data.PRACTICE_SEED):
        with data.seeded(seed):
            draws = data.normal("likelihood: many draws", 1000)
        own = torch.distributions.Normal(0.0, 1.0).log_prob(draws).exp()
        found += [zero_at(own.to(densities.dtype)), zero_at(own)]
    return AnyOf(*found, *([None] if len(densities) < min(n for n in found if n) else []))


def _stopped_early(got: object, densities: torch.Tensor) -> bool:
    """Whether n is where the product is small already but not yet zero."""
    value, n = as_tensor(got), zero_at(densities)
    if isinstance(got, float):
        return False
    if value is None or value.ndim or n is None or not 1 <= float(value) <= n:
        return got is None and n is None
    return same(value, n) or float(densities[: int(value)].double().prod()) < 1e-3


def _n(densities: torch.Tensor) -> int:
    n = zero_at(densities)
    if n is None:
        raise ValueError("nothing underflows here")
    return n


TURNS = (
    Turn("zero rises again", "a product that was zero stays zero, whatever comes after it: find "
         "the first place, not the number of places or the last sum of logs.", _by_logs),
    Turn("cut at one", "a density may be larger than 1: multiply them as they are.",
         lambda densities: zero_at(densities.clamp(max=1.0))),
    Turn("zero never reached",
         "you return None where there is a zero: is there a return, and do you multiply the "
         "densities themselves? Sums, also of logs, never get stuck at zero.",
         lambda densities: None),
    Turn("None forgotten", "the product of all of these is still above zero; return None after "
         "the search ends.",
         lambda densities: AnyOf(len(densities), len(densities) + 1, 1, 0, -1)
         if zero_at(densities) is None else zero_at(densities),
         raises=lambda error: isinstance(error, IndexError | ValueError | RuntimeError)),
    Turn("computed in double",
         "a Python float has double precision: multiply tensors, in the dtype they come in.",
         lambda densities: zero_at(densities.to(torch.float64))),
    Turn("computed in single",
         "you multiply in float32 whatever you are given; keep the dtype of densities.",
         lambda densities: zero_at(densities.to(torch.float32))),
    Turn("off by one",
         "count how many densities it takes, the one that makes the product zero included.",
         lambda densities: AnyOf(_n(densities) - 1, _n(densities) + 1)),
    Turn("each density alone", "no density is zero; their product is: multiply them.",
         lambda densities: next((n for n, d in enumerate(densities, 1) if d * d == 0), None)),
    Turn("first density twice", "you start with densities[0] and multiply by it once more.",
         lambda densities: zero_at(torch.cat([densities[:1], densities]))
         and (zero_at(torch.cat([densities[:1], densities])) or 0) - 1),
    Turn("half of the smallest", "a product between half of the smallest number and that number is "
         "rounded up, not to zero: one more density is needed.", _below_the_smallest),
    Turn("the sheet's densities", "this is the n of the sheet's own densities; count with those "
         "that the function is given.", _sheets),
    Turn("last for first", "this is the number of all densities; stop at the first zero.",
         lambda densities: AnyOf(len(densities), len(densities) - 1)),
    Turn("another order", "multiply in the order in which the densities come.",
         lambda densities: AnyOf(*[zero_at(d) for d in (
             densities.flip(0), densities.sort().values, densities.sort(descending=True).values)])),
    Turn("zeros counted", "you count how often the product is zero; asked is when it is so first.",
         lambda densities: len(densities) - _n(densities) + 1),
    Turn("small is not zero",
         "the product is very small there but not yet zero: compare with 0 itself.",
         lambda densities: densities, alike=_stopped_early),
)  # fmt: skip


def _typical(u: Draws, given: Given) -> torch.Tensor:
    return plunge(u, torch.float64)


EXERCISE = Exercise(
    name="first_underflow",
    arguments=(
        Argument(
            "densities", _typical, shown=lambda d: f"{len(d)} in {str(d.dtype)[6:]}",
            edges={
                "falling early, in float32": _early,
                "falling with the last one": _last,
                "larger than 1 before and after the fall": _risen,
                "a tiny first density": torch.tensor(
                    [1e-120, 0.5, 0.4, 1e-120, 0.5, 1e-120, 0.5], dtype=torch.float64),
                "falling in float32": lambda u, given: plunge(u, torch.float32),
                "nothing underflows": lambda u, given: u.uniform(5, 0.2, 0.5),
                "nothing underflows in float32": lambda u, given: u.uniform(9, 0.2, 2.5).float(),
                "a single density": torch.tensor([0.3], dtype=torch.float64),
                "rounded up to the smallest number": _rounded_up,
                "rounded up to the smallest number in float32":
                    lambda u, given: _rounded_up(u, given, torch.float32),
            },
        ),
    ),
    reference=zero_at,
    agree=Exactly(),
    turns=TURNS,
    typical=1,
    passed="first_underflow: the right n in float32 and in float64, None where there is none.",
)  # fmt: skip
first_underflow = EXERCISE.check
