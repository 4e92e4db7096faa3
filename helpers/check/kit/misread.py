"""An answer that is right for other arguments than it was given: squared, cut, exchanged.

The reference itself is asked, with one argument altered in a way that students alter it. What it
returns is compared like a wrong turn.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch.distributions import Distribution

from helpers.check.kit.asks import Argument

Alter = Callable[[Any], Any]
FEW = 10  # observations: «only the first k», k up to this many


def _positive(of: Callable[[float], float]) -> Alter:
    def alter(x: float) -> float:
        if x <= 0:
            raise ValueError("it has no value here")
        return of(x)

    return alter


def _kept(keep: Callable[[torch.Tensor], torch.Tensor]) -> Alter:
    return lambda x: x[keep(x)]


def _within(deviations: float) -> Alter:
    return _kept(lambda x: (x - x.mean()).abs() <= deviations * x.std())


NUMBERS: list[tuple[str, str, Alter]] = [
    ("{0} squared", "the result fits {0}² in the place of {0}.", lambda x: x * x),
    ("root of {0}", "the result fits √{0} in the place of {0}.", _positive(math.sqrt)),
    ("{0} doubled", "the result fits 2·{0} in the place of {0}.", lambda x: 2 * x),
    ("{0} halved", "the result fits {0}/2 in the place of {0}.", lambda x: x / 2),
    ("sign of {0}", "the result fits −{0} in the place of {0}.", lambda x: -x),
    ("one over {0}", "the result fits 1/{0} in the place of {0}.", lambda x: 1 / x),
    ("log of {0}", "the result fits log {0} in the place of {0}.", _positive(math.log)),
    ("exp of {0}", "the result fits exp({0}) in the place of {0}.", math.exp),
    ("{0} taken as 1", "the result is right for {0} = 1 only.", lambda x: type(x)(1)),
    ("{0} taken as 0", "the result is right for {0} = 0 only.", lambda x: type(x)(0)),
    ("{0} without sign", "the result fits |{0}| in the place of {0}.", abs),
    (
        "{0} made whole",
        "the result fits a whole number in the place of {0}: is there an int()?",
        lambda x: type(x)(int(x)),
    ),
]
WHOLE: list[tuple[str, str, Alter]] = [
    ("{0} one too many", "the result fits {0} + 1 in the place of {0}.", lambda n: n + 1),
    ("{0} one too few", "the result fits {0} − 1 in the place of {0}.", lambda n: n - 1),
    ("half of {0}", "the result fits {0}/2 in the place of {0}.", lambda n: n // 2),
    ("{0} doubled", "the result fits 2·{0} in the place of {0}.", lambda n: 2 * n),
    ("{0} squared", "the result fits {0}² in the place of {0}.", lambda n: n * n),
    *[("a number for {0}", f"the result fits {k} in the place of {{0}}: is it typed in?",
       lambda n, k=k: k) for k in (0, 1, 2, 5, 10, 50, 100, 1000)],
]  # fmt: skip
SAMPLES: list[tuple[str, str, Alter]] = [
    ("last one left out", "the result is right for {0} without its last element.",
     lambda x: x[:-1]),
    ("first one left out", "the result is right for {0} without its first element.",
     lambda x: x[1:]),
    ("half of {0}", "the result is right for one half of {0}.", lambda x: x[: len(x) // 2]),
    ("every other one", "the result is right for every other element of {0}.", lambda x: x[::2]),
    ("outliers left out", "every observation counts, however far out it lies.", _within(3)),
    ("outliers left out", "every observation counts, however far out it lies.", _within(2)),
    ("negative ones left out", "a negative observation counts like any other.",
     _kept(lambda x: x >= 0)),
    ("zeros left out", "a zero is an observation like any other.", _kept(lambda x: x != 0)),
    ("signs of {0} lost", "the result is right for the absolute values of {0}.",
     lambda x: x.abs()),
    ("{0} sorted", "the result is right for {0} in another order: keep the one it has.",
     lambda x: x.sort().values),
    ("doubles left out", "values that occur twice count twice.", lambda x: x.unique()),
    ("{0} reversed", "the result is right for {0} from its end: keep the order it has.",
     lambda x: x.flip(0)),
    ("{0} squared", "the result fits {0}² in the place of {0}.", lambda x: x**2),
    ("log of {0}", "the result fits log {0} in the place of {0}.", lambda x: x.log()),
    ("{0} centred", "the result is right once the mean of {0} is subtracted; it need not be.",
     lambda x: x - x.mean()),
    ("{0} rounded", "the result is right for rounded {0}.", lambda x: x.round()),
    *[(f"only the first {k}" if k > 1 else "only the first one",
       "the result is right for the first " + (f"{k} elements" if k > 1 else "element")
       + " of {0}: use all of them.", lambda x, k=k: x[:k]) for k in range(1, FEW + 1)],
]  # fmt: skip

ROWS: list[tuple[str, str, Alter]] = [
    ("last row left out", "the result is right for {0} without its last row.", lambda x: x[:-1]),
    ("first row left out", "the result is right for {0} without its first row.", lambda x: x[1:]),
    ("half of {0}", "the result is right for one half of the rows of {0}.",
     lambda x: x[: len(x) // 2]),
    ("columns of {0} reversed", "the result is right for the columns of {0} in another order.",
     lambda x: x.flip(1)),
    ("{0} squared", "the result fits {0}² in the place of {0}.", lambda x: x**2),
    ("{0} rounded", "the result is right for rounded {0}.", lambda x: x.round()),
    ("{0} transposed", "the result is right with rows and columns of {0} exchanged.",
     lambda x: x.T),
    ("inverse of {0}", "the result fits the inverse of {0} in its place.",
     lambda x: torch.linalg.inv(x)),
    ("{0} without correlations", "the result is right for the diagonal of {0} only.",
     lambda x: _of_square(x).diagonal().diag()),
    ("{0} taken as identity", "the result is right for the identity in the place of {0}.",
     lambda x: torch.eye(len(_of_square(x)), dtype=x.dtype)),
    *[(f"only the first {k} rows" if k > 1 else "only the first row",
       "the result is right for the first row" + (f"s, {k} of them" if k > 1 else "") + ", of {0}.",
       lambda x, k=k: x[:k]) for k in range(1, 4)],
]  # fmt: skip


def _of_square(x: torch.Tensor) -> torch.Tensor:
    if x.shape[0] != x.shape[1]:
        raise ValueError("it is no square matrix")
    return x


ELEMENTS: list[tuple[str, str, Alter]] = [
    ("{0} doubled", "the result fits 2·{0} in the place of {0}.", lambda x: 2 * x),
    ("{0} halved", "the result fits {0}/2 in the place of {0}.", lambda x: x / 2),
    ("sign of {0}", "the result fits −{0} in the place of {0}.", lambda x: -x),
    ("{0} squared", "the result fits {0}² in the place of {0}.", lambda x: x**2),
    ("signs of {0} lost", "the result is right for the absolute values of {0}.",
     lambda x: x.abs()),
    ("{0} rounded", "the result is right for rounded {0}.", lambda x: x.round()),
    ("negative {0} cut", "the result is right with zero in the place of a negative {0}.",
     lambda x: x.clamp(min=0)),
    ("{0} sorted", "the result is right for {0} in another order: keep the one it has.",
     lambda x: x.sort(-1).values),
    ("{0} reversed", "the result is right for lists of {0} from their ends.",
     lambda x: x.flip(-1)),
]  # fmt: skip


def alterations(
    arguments: Sequence[Argument], reference: Callable[..., Any], args: Sequence[Any]
) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Yield name, hint, and what an answer gives that alters one argument, or exchanges two.

    Args:
        arguments: of the exercise.
        reference: its reference.
        args: one case's arguments, which show what kinds they are of.
    """
    for (i, a), (j, b) in itertools.combinations(enumerate(arguments), 2):
        if _kind(args[i]) is not None and _kind(args[i]) == _kind(args[j]):
            yield (
                f"{a.name} and {b.name} exchanged",
                f"the result is right with {a.name} and {b.name} in each other's place.",
                _exchanged(reference, i, j),
            )
    yield from _of_each(arguments, reference, args, _ways)


def elementwise(
    arguments: Sequence[Argument], reference: Callable[..., Any], args: Sequence[Any]
) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Yield what an answer gives that alters the elements of a tensor, as :func:`alterations`.

    To be asked after the relations: where a result is doubled with its data, «doubled» says more.
    """
    yield from _of_each(arguments, reference, args, _ways_of_elements)


def _of_each(
    arguments: Sequence[Argument],
    reference: Callable[..., Any],
    args: Sequence[Any],
    ways: Callable[[Any], list[tuple[str, str, Alter]]],
) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Yield what comes when one argument is altered in a way that suits its value."""
    for place, argument in enumerate(arguments):
        for name, hint, alter in ways(args[place]):
            yield (
                name.format(argument.name),
                hint.format(argument.name),
                _altered(reference, place, alter),
            )


def _kind(value: Any) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return f"tensor of {value.ndim}"
    return type(value).__name__ if isinstance(value, Distribution) else None


def _ways(value: Any) -> list[tuple[str, str, Alter]]:
    if isinstance(value, int) and not isinstance(value, bool):
        return WHOLE
    if isinstance(value, float):
        return NUMBERS
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return {0: NUMBERS[:3], 1: SAMPLES, 2: ROWS}.get(value.ndim, [])
    return []


def _ways_of_elements(value: Any) -> list[tuple[str, str, Alter]]:
    listed = isinstance(value, torch.Tensor) and value.is_floating_point() and value.ndim
    return ELEMENTS if listed else []


def _altered(reference: Callable[..., Any], place: int, alter: Alter) -> Callable[..., Any]:
    return lambda *args: reference(*args[:place], alter(args[place]), *args[place + 1 :])


def _exchanged(reference: Callable[..., Any], i: int, j: int) -> Callable[..., Any]:
    def gives(*args: Any) -> Any:
        other = list(args)
        other[i], other[j] = args[j], args[i]
        return reference(*other)

    return gives
