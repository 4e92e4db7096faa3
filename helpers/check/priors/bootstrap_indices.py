"""bootstrap_indices(n, k): k bootstrap samples of n observations, as indices.

Every entry is uniform on 0 … n − 1 and knows nothing of the others. So two entries of one column,
or of one row, agree with probability 1/n, pair after pair independently; each index is drawn
Binomial(kn, 1/n) times; and the number of different ones in a row changes by one at most when one
entry does.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from helpers.check.kit.asks import Argument, Case, Draws, Given
from helpers.check.kit.compare import as_tensor, note, numbers
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.law import Fresh, Law, Surprise, binomial, bounded, happened
from helpers.check.kit.message import CheckFailed, show
from helpers.check.priors.analytic import unique_share

Tensor = torch.Tensor
Said = tuple[str, str, Surprise]


def _unique(rows: Tensor) -> Tensor:
    """Return how many different entries each row has."""
    return (rows.sort(1).values.diff(dim=1) != 0).sum(1) + 1


def _different(many: bool) -> Callable[..., Said]:
    def of(rows: Tensor, n: int, k: int) -> Said:
        wanted, got = n * unique_share(n), float(_unique(rows).double().mean())
        away = got - wanted
        rare = bounded(away * k, n * k, 1.0) if (away > 0) == many else 0.0
        return f"{wanted:.3g} different ones a row on average", f"{got:.3g}", rare

    return of


def _permuted(rows: Tensor, n: int, k: int) -> Said:
    """Count the rows that hold each index once; drawn with replacement they are rare."""
    count = int((_unique(rows) == n).sum())
    share = math.exp(math.lgamma(n + 1) - n * math.log(n))
    rare = binomial(count, k, share) if count / k > share else 0.0
    return "rows in which some come twice", f"{count} of {k} rows without", rare


def _once(rows: Tensor, n: int, k: int) -> Said:
    """Compare the contents of disjoint pairs of rows; order set aside, they agree but rarely."""
    pairs = k // 2
    if pairs == 0:
        return "", "", 0.0
    a, b = rows[0 : 2 * pairs : 2].sort(1).values, rows[1 : 2 * pairs : 2].sort(1).values
    alike = int((a == b).all(1).sum())
    most = math.exp(math.lgamma(n + 1) - n * math.log(n))  # of the likeliest contents
    rare = binomial(alike, pairs, most) if alike / pairs > most else 0.0
    return "rows that differ", f"{alike} of {pairs} pairs of rows hold the same", rare


def _never(rows: Tensor, n: int, k: int) -> Said:
    absent = [i for i in range(n) if not bool((rows == i).any())]
    rare = binomial(0, n * k, 1 / n) if absent and n > 1 else 0.0
    return "every index now and then", f"never {', '.join(map(str, absent[:3]))}", rare


def _equally(rows: Tensor, n: int, k: int) -> Said:
    counts = rows.flatten().long().bincount(minlength=n)
    worst = max(range(n), key=lambda i: binomial(int(counts[i]), n * k, 1 / n))
    said = f"index {worst} {int(counts[worst])} times"
    return f"each about {k} times", said, binomial(int(counts[worst]), n * k, 1 / n)


def _balanced(rows: Tensor, n: int, k: int) -> Said:
    counts = rows.flatten().long().clamp(0, n - 1).bincount(minlength=n)
    if n == 1 or not bool((counts == k).all()):
        return "", "", 0.0
    log_probability = math.lgamma(n * k + 1) - n * math.lgamma(k + 1) - n * k * math.log(n)
    rare = happened(log_probability)
    return "now more of one, now of another", f"each exactly {k} times", rare


def _agreeing(one: Tensor, other: Tensor, n: int, what: str) -> Said:
    if not one.numel():
        return "", "", 0.0
    alike, pairs = int((one == other).sum()), one.numel()
    wanted = f"{pairs / n:.0f} of {pairs} {what} alike"
    return wanted, f"{alike}", binomial(alike, pairs, 1 / n)


def _of_rows(rows: Tensor, n: int, k: int) -> Said:
    return _agreeing(rows[:-1], rows[1:], n, "entries below one another")


def _of_halves(rows: Tensor, n: int, k: int) -> Said:
    half = k // 2
    return _agreeing(rows[:half], rows[half : 2 * half], n, "entries half the rows apart")


def _of_places(rows: Tensor, n: int, k: int) -> Said:
    return _agreeing(rows[:, :-1], rows[:, 1:], n, "neighbours in a row")


def _in_range(rows: Tensor, n: int, k: int) -> Said:
    low, high = int(rows.min()), int(rows.max())
    wrong = low < 0 or high > n - 1
    return f"0 to {n - 1}", f"{low} to {high}", math.inf if wrong else 0.0


def _not_drawn(rows: Tensor, n: int, k: int) -> Said:
    """Whether a row is the data themselves, in their order: by chance once in nⁿ rows."""
    own = torch.arange(n)
    found = n > 5 and any(bool((rows == order).all(1).any()) for order in (own, own.flip(0)))
    return "rows that were drawn", "0 to n − 1 in order", math.inf if found else 0.0


STATISTICS = [
    ("index out of range", "indices of n observations go from 0 to n − 1.", _in_range),
    ("without replacement", "every row holds each one once: what was drawn goes back, and may be "
     "drawn again.", _permuted),
    ("a row not drawn", "one row is the data themselves, each once and in order: draw every row.",
     _not_drawn),
    ("one sample for all", "rows hold the same observations: each member draws its own.", _once),
    ("an index never drawn", "every index from 0 to n − 1 can come in every place; randint leaves "
     "out its upper end.", _never),
    ("some come too often", "every index from 0 to n − 1 is equally likely in every place.",
     _equally),
    ("rows alike", "what one row holds shows in another: each row is drawn by itself.", _of_rows),
    ("rows alike", "what one row holds shows in another: each row is drawn by itself.",
     _of_halves),
    ("too many different", "rows repeat too little: what was drawn goes back, and may be drawn "
     "again.", _different(True)),
    ("too few different", "rows repeat too much: every entry is drawn by itself, not half a row.",
     _different(False)),
    ("places depend", "what stands in one place shows in the next: entries are drawn each by "
     "itself, and not sorted.", _of_places),
    ("all equally often", "chance is not that even: each entry is drawn for itself, from all n.",
     _balanced),
]  # fmt: skip


@dataclass(frozen=True)
class Indices(Law):
    """Whole numbers that can be used as indices, by a law."""

    def compare(self, case: Case, value: Any, expected: Any) -> None:
        """Compare one value; raise CheckFailed where it is no index, or against the law."""
        numbers(case.described, value, expected)
        if not _whole(value):
            note("not of an integer type", math.inf)
            raise CheckFailed(
                case.described, "whole numbers, of an integer type", show(value),
                "not of an integer type", "indices are of an integer type: x[i] takes no floats.",
            )  # fmt: skip
        kind = str(getattr(value, "dtype", "int64")).removeprefix("torch.")
        if kind != "int64":
            note("not int64", math.inf)
            raise CheckFailed(
                case.described, "indices of type int64", f"{show(value)}, of type {kind}",
                "not int64", "whole numbers of another type hold other ranges, and one of them is "
                "read as a mask: return int64.",
            )  # fmt: skip
        super().compare(case, value, expected)


def _whole(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return not value.is_floating_point()
    if isinstance(value, list | tuple):
        return all(_whole(v) for v in value)
    return isinstance(value, int) or getattr(getattr(value, "dtype", None), "kind", "") in "iu"


def reference(n: int, k: int) -> Tensor:
    """Return k rows of n indices.

    Raises:
        ValueError: more of them than any case has, as in a search for an altered argument.
    """
    if n > 20 or k > 2000:
        raise ValueError(f"no case has n = {n} and k = {k}")
    own = torch.Generator().manual_seed(n * 1009 + k)
    return (torch.rand(k, n, generator=own, dtype=torch.float64) * n).long()


def _another(name: str, of: tuple[int, ...]) -> Callable[[Draws, Given], int]:
    """Return how a number is drawn: another one than there is, if there is one."""
    return lambda u, given: u.choice([n for n in of if n != given.get(name)])


def _given(n: int, k: int) -> tuple[int, int]:
    return n, k


def _counts(got: Any, given: tuple[int, int]) -> bool:
    """Whether every row adds up to n, as the numbers of times do that each was drawn."""
    rows, (n, k) = as_tensor(got), given
    return rows is not None and rows.shape == (k, n) and bool((rows.sum(1) == n).all()) and n > 2


def _constant(got: Any, given: tuple[int, int]) -> bool:
    rows, (n, k) = as_tensor(got), given
    return rows is not None and rows.shape == (k, n) and bool((rows == rows[:, :1]).all())


def _sorted(got: Any, given: tuple[int, int]) -> bool:
    rows, (n, k) = as_tensor(got), given
    return (
        rows is not None
        and rows.shape == (k, n)
        and bool((rows.diff(dim=1) >= 0).all() and (rows.diff(dim=1) == 0).any())
    )


def _of_shape(*wanted: Callable[[int, int], tuple[int, ...]]) -> Callable[[Any, Any], bool]:
    def alike(got: Any, given: tuple[int, int]) -> bool:
        rows = as_tensor(got)
        return rows is not None and any(tuple(rows.shape) == of(*given) for of in wanted)

    return alike


TURNS = (
    Turn("counts for indices", "these are the times that each one was drawn; asked is which one "
         "was, place by place.", _given, alike=_counts),
    Turn("one draw a row", "every entry of a row is drawn by itself: size is (k, n).", _given,
         alike=_constant),
    Turn("sorted rows", "every place is drawn by itself: once sorted, one depends on the next.",
         _given, alike=_sorted),
    Turn("rows and columns", "one row for each member, and n entries in it: shape (k, n).", _given,
         alike=_of_shape(lambda n, k: (n, k), lambda n, k: (n, n))),
    Turn("one sample only", "k rows are asked for, one for each member.", _given,
         alike=_of_shape(lambda n, k: (n,), lambda n, k: (1, n), lambda n, k: (n * k,))),
    Turn("k entries a row", "a bootstrap sample is as large as the data: n entries in each row.",
         _given, alike=_of_shape(lambda n, k: (k,), lambda n, k: (k, k))),
)  # fmt: skip

EXERCISE = Exercise(
    name="bootstrap_indices",
    arguments=(
        Argument("n", _another("n", (12, 13, 14)), edges={
            "one observation": 1, "two observations": 2,
        }),
        Argument("k", _another("k", (600, 2000)), edges={"one member": 1}),
    ),
    reference=reference,
    agree=Indices(statistics=STATISTICS),
    turns=TURNS,
    chance=Fresh(args=lambda u: (20, 5)),
    typical=2,
    passed="bootstrap_indices: with replacement, every row and every call anew.",
)  # fmt: skip
bootstrap_indices = EXERCISE.check
