"""What an answer may be asked: arguments with their ranges, edges, sizes and dtypes → cases.

An exercise declares each argument once. From that come the questions that every answer is asked:
typical draws, each argument moved alone, each size, each dtype and each edge that the docstring
promises. At a desk the cases are everyone's; under a data seed of their own they are fresh.
"""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from helpers import data
from helpers.check.kit.message import show

TYPICAL, ALONE, SIZE, DTYPE, EDGE = "typical", "alone", "size", "dtype", "edge"


class Draws:
    """Random numbers for one case, each draw from a generator of its own."""

    def __init__(self, name: str) -> None:
        self.name, self.count = name, 0

    def _named(self) -> str:
        self.count += 1
        return f"{self.name}: {self.count}"

    def real(self, low: float, high: float) -> float:
        """Return a number, uniform between low and high."""
        return float(data.uniform(self._named(), 1, low, high))

    def log_real(self, low: float, high: float) -> float:
        """Return a positive number whose logarithm is uniform between those of low and high."""
        return math.exp(self.real(math.log(low), math.log(high)))

    def whole(self, low: int, high: int) -> int:
        """Return a whole number between low and high, both included."""
        return min(high, low + int(self.real(0, 1) * (high - low + 1)))

    def choice(self, of: Sequence[Any]) -> Any:
        """Return one of several things."""
        return of[self.whole(0, len(of) - 1)]

    def uniform(self, n: int, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        """Return n numbers, uniform between low and high, float64 of shape (n,)."""
        return data.uniform(self._named(), n, low, high)

    def normal(self, n: int, loc: float = 0.0, scale: float = 1.0) -> torch.Tensor:
        """Return n normal draws, float64 of shape (n,)."""
        return data.normal(self._named(), n, loc, scale)

    def beta(self, n: int, a: float, b: float) -> torch.Tensor:
        """Return n draws from Beta(a, b), float64 of shape (n,)."""
        return data.beta_draws(self._named(), n, a, b)

    def generator(self) -> torch.Generator:
        """Return a generator of its own, for draws of any other kind."""
        return data.generator(self._named())


Given = Mapping[str, Any]  # the arguments that were drawn before, by name
Sized = Callable[[Draws, Given, int], Any]


class Jointly(dict[str, Any]):
    """Values of several arguments, by name: an edge that one argument alone cannot make."""


@dataclass(frozen=True)
class Argument:
    """One argument of an exercise's function: what it may be.

    Args:
        name: as in the function's head; messages speak of it so.
        draw: draws a typical value; an argument with sizes is told the size to draw.
        edges: what the docstring promises at the border, by the words of a message; each a value,
            or drawn; `Jointly` where other arguments go with it.
        sizes: sizes to be asked besides the typical ones, where there are any.
        many: sizes of typical values, which take turns; or the numbers of kinds, where an argument
            comes in kinds such as families of distributions. Empty where it has neither.
        dtypes: floating-point types to be asked besides float64.
        alone: whether the argument can be moved with the others held where they are.
        ignorable: whether the reference may be the same for another value.
        shown: how a message shows it; by default as a student would write it.
        used_instead: gives the sheet's own value, which a careless answer uses in its place.
    """

    name: str
    draw: Callable[..., Any]
    edges: Mapping[str, Any] = field(default_factory=dict)
    sizes: tuple[int, ...] = ()
    many: tuple[int, ...] = ()
    dtypes: tuple[torch.dtype, ...] = ()
    alone: bool = True
    ignorable: bool = False
    shown: Callable[[Any], str] | None = None
    used_instead: Callable[[], Any] | None = None

    def typical(self, u: Draws, given: Given, size: int | None) -> Any:
        """Return a typical value, of a size where the argument has one."""
        if not self.many:
            return self.draw(u, given)
        return self.draw(u, given, self.many[0] if size is None else size)

    def words(self, value: Any) -> str:
        """Return the value as a message shows it."""
        if self.shown is not None:
            return self.shown(value)
        if isinstance(value, torch.Tensor) and value.ndim and value.numel() > 6:
            return f"{value.numel()} values"
        return show(value)


def real(name: str, low: float, high: float, **more: Any) -> Argument:
    """Return a float argument, uniform between low and high."""
    return Argument(name, lambda u, given: u.real(low, high), **more)


def positive(name: str, low: float, high: float, **more: Any) -> Argument:
    """Return a positive float argument, uniform on the logarithm."""
    return Argument(name, lambda u, given: u.log_real(low, high), **more)


def whole(name: str, low: int, high: int, **more: Any) -> Argument:
    """Return an int argument between low and high, both included."""
    return Argument(name, lambda u, given: u.whole(low, high), **more)


def sample(
    name: str, draw: Sized, many: tuple[int, ...] = (5, 40, 120), sizes: tuple[int, ...] = (),
    ties: bool = False, **more: Any,
) -> Argument:  # fmt: skip
    """Return an argument of observations, float64 of shape (n,).

    Args:
        name: as in the function's head.
        draw: draws n of them.
        many: typical sizes, which take turns.
        sizes: sizes to be asked besides.
        ties: whether values that repeat are asked too, as they do where data were rounded.
        more: what an argument may be besides.
    """
    if ties:
        edges = {"with values that repeat": lambda u, given: repeating(draw(u, given, many[0]))}
        more["edges"] = {**edges, **more.get("edges", {})}
    return Argument(name, draw, many=many, sizes=sizes, **more)


def repeating(values: torch.Tensor) -> torch.Tensor:
    """Return observations of which the first third comes twice."""
    return torch.cat([values, values[: (len(values) + 2) // 3]])


@dataclass(frozen=True)
class Case:
    """One call that an answer is asked.

    Args:
        number: its place, counted from 0; ``check.case(exercise, number)`` gives the arguments.
        kind: typical, alone, size, dtype or edge.
        where: what is special about it, in words; empty for a typical one.
        args: the arguments.
        described: the call as a message shows it.
        moved: the argument that alone differs from case 0, for a case of that kind.
        reference: the exercise's analytic solution.
    """

    number: int
    kind: str
    where: str
    args: tuple[Any, ...]
    described: str
    moved: str = ""
    reference: Callable[..., Any] | None = field(default=None, repr=False, compare=False)
    _known: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, what: Hashable, work: Callable[[], Any]) -> Any:
        """Return what is the same for every answer: it is worked out for the first, and kept.

        Args:
            what: names it among all that is kept of this case.
            work: gives it.

        Raises:
            Exception: whatever the work raised, each time.
        """
        if what not in self._known:
            try:
                self._known[what] = work(), None
            except Exception as error:
                self._known[what] = None, error.with_traceback(None)
        value, raised = self._known[what]
        if raised is not None:
            raise raised
        return value


def cases(name: str, arguments: Sequence[Argument], typical: int = 3) -> list[Case]:
    """Return the cases of an exercise, in the order in which an answer is asked them.

    Args:
        name: of the function; it names the draws as well.
        arguments: what it takes.
        typical: how many typical draws; their sizes take turns.
    """
    found: list[Case] = []

    def add(kind: str, where: str, values: Mapping[str, Any], moved: str = "") -> None:
        inner = ", ".join(f"{a.name}={a.words(values[a.name])}" for a in arguments)
        called = f"{name}({inner})" if arguments else name
        described = called + (f", {where}" if where else "")
        args = tuple(values[a.name] for a in arguments)
        found.append(Case(len(found), kind, where, args, described, moved))

    drawn = [_drawn(f"{name}: {i}", arguments, _size_of(arguments, i)) for i in range(typical)]
    for values in drawn:
        add(TYPICAL, "", values)
    for argument in arguments:
        if argument.alone and drawn and len(arguments) > 1:
            u = Draws(f"{name}: {argument.name} alone")
            value = argument.typical(u, drawn[0], _size_of(arguments, 0))
            add(ALONE, "", {**drawn[0], argument.name: value}, argument.name)
    for argument in arguments:
        for size in argument.sizes:
            values = _drawn(f"{name}: {argument.name} of {size}", arguments, size)
            add(SIZE, f"{argument.name} of size {size}", values)
    for dtype in dict.fromkeys(d for a in arguments for d in a.dtypes):
        values = drawn[-1] if drawn else {}
        cast = {a.name: values[a.name].to(dtype) if dtype in a.dtypes else values[a.name]
                for a in arguments}  # fmt: skip
        add(DTYPE, f"in {str(dtype).removeprefix('torch.')}", cast)
    for argument in arguments:
        for where, edge in argument.edges.items():
            values = dict(drawn[0])
            u = Draws(f"{name}: {where}")
            value = edge(u, values) if callable(edge) else edge
            values.update(value if isinstance(value, Jointly) else {argument.name: value})
            add(EDGE, where, values)
    return found


def _drawn(name: str, arguments: Sequence[Argument], size: int | None) -> dict[str, Any]:
    u = Draws(name)
    values: dict[str, Any] = {}
    for argument in arguments:
        values[argument.name] = argument.typical(u, values, size if argument.many else None)
    return values


def _size_of(arguments: Sequence[Argument], turn: int) -> int | None:
    for argument in arguments:
        if argument.many:
            return argument.many[turn % len(argument.many)]
    return None
