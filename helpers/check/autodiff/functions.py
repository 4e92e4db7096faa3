"""What the exercises of sheet 01 that are handed a function share."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from helpers.check.autodiff import analytic
from helpers.check.kit.asks import Argument, Draws, Given, sample
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn

# Autograd is exact to rounding. The bound lies below the error of every difference quotient: the
# best step of a central one leaves about 1e-11.
EXACT = 1e-12
ROUNDING = 1e-13  # a right slope in double precision is nearer, a difference quotient is not


def _member(family: analytic.Function) -> Any:
    return lambda u, given: partial(family, u.real(0.4, 1.2))


def shown(f: "partial[torch.Tensor]") -> str:
    """Return a function as a message shows it."""
    return analytic.FAMILIES[f.func].words.format(*f.args)


def _any_member(u: Draws, given: Given) -> "partial[torch.Tensor]":
    """Return a function; moved alone, one whose slopes have the other signs."""
    family = u.choice(list(analytic.FAMILIES))
    if "f" in given:
        family = analytic.OPPOSITE[given["f"].func]
    return partial(family, u.real(0.4, 1.2))


def function() -> Argument:
    """Return the argument f: any of the families in typical cases, and each of them once."""
    return Argument(
        "f",
        _any_member,
        edges={f"f a {family.__name__}": _member(family) for family in analytic.FAMILIES},
        shown=shown,
    )


def _arranged(*shape: int) -> Any:
    size = torch.Size(shape).numel()
    return lambda u, given: u.uniform(size, -2, 2).reshape(shape)


def points() -> Argument:
    """Return the argument x: points of any shape, in either precision."""

    def draw(u: Draws, given: Given, n: int) -> torch.Tensor:
        return u.uniform(n, -2, 2)

    return sample("x", draw, many=(5, 3, 7), sizes=(1,), dtypes=(torch.float32,),
                  edges={"x a single number": _arranged(), "x of shape (2, 3)": _arranged(2, 3),
                         "x of shape (2, 1, 4)": _arranged(2, 1, 4)})  # fmt: skip


def _near(got: Any, exact: Any) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Return a value and the exact one, where they are less than a twentieth apart; else None."""
    value, wanted = as_tensor(got), as_tensor(exact)
    return (value, wanted) if value is not None and wanted is not None and same(
        value, wanted, 0.05) else None  # fmt: skip


def _single(got: Any, exact: Any) -> bool:
    pair = _near(got, exact)
    return pair is not None and torch.equal(pair[0], pair[0].float().to(pair[0].dtype))


def _rough(got: Any, exact: Any) -> bool:
    """Whether a value comes near, is not rounded, and is not right to the last digits either."""
    pair = _near(got, exact)
    return (
        pair is not None
        and not same(*pair, ROUNDING)
        and not any(same(pair[0], torch.round(pair[1], decimals=k), 1e-9) for k in range(7))
    )


def inexact(exact: Any) -> tuple[Turn, Turn]:
    """Return the turns of answers that come near to an exact value: rounded, or by small steps.

    Args:
        exact: the exercise's reference.
    """
    return (
        Turn("digits lost on the way", "float32 keeps seven digits, float16 three: hand "
             "dtype=torch.float64 to every tensor that you make.",
             exact, alike=_single),
        Turn("finite differences", "it comes near and does not meet the slope, as a difference "
             "quotient does; ask autograd, which takes no step.", exact, alike=_rough),
    )  # fmt: skip


def neighbours_compared(value: Callable[..., Any]) -> Turn:
    """Return the turn of an answer that takes the elements of x for a grid.

    Args:
        value: takes f and x; what is to be differentiated, at each element of x.
    """

    def gives(f: Any, x: torch.Tensor) -> AnyOf:
        y, at = value(f, x).flatten(), x.flatten()
        if len(at) < 2:
            return AnyOf(torch.zeros_like(x), torch.zeros_like(x), value(f, x))
        found = torch.gradient(y, spacing=(at,)), torch.gradient(y), torch.gradient(y, spacing=1e-3)
        return AnyOf(*[slopes[0].reshape(x.shape) for slopes in found])

    return Turn("neighbours compared", "the elements of x are no grid: each slope belongs to one "
                "element alone, whatever stands beside it.",
                gives, raises=lambda error: "torch.gradient expected" in str(error))  # fmt: skip


def _no_value(*args: Any) -> Any:
    raise ValueError("the misconception shows by an error, or not at all")


def _by_error(name: str, hint: str, *words: str) -> Turn:
    """Return a turn that shows by an error of torch's; cases without one must be right."""
    return Turn(name, hint, _no_value, alike=lambda got, wrong: False,
                raises=lambda error: any(w in str(error) for w in words))  # fmt: skip


DETACHED = _by_error(
    "tensor not tracked",
    "x is not a leaf with requires_grad=True, or a detach() cut the chain from x to the result.",
    "does not require grad", "not have been used in the graph",
)  # fmt: skip
GRAPH_USED_TWICE = _by_error(
    "graph used twice",
    "backward() frees the graph it walked; compute the value anew before each backward().",
    "backward through the graph a second time",
)
SCALAR_ONLY = _by_error(
    "scalar only",
    "backward() starts from a single number: sum first; the elements do not mix.",
    "scalar outputs", "one element",
)  # fmt: skip
NEVER_FILLED = _by_error(
    "gradient still None",
    "`.grad` is None before the first backward(), after clearing, and on a tensor that the result "
    "was not computed from.",
    "NoneType",
)


def by_autograd(loss: Callable[..., torch.Tensor], *numbers: float) -> list[float]:
    """Return the slopes of a loss of float64 numbers: what an answer with that loss gives."""
    at = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in numbers]
    return [float(g) for g in torch.autograd.grad(loss(*at), at)]


def sent_back(objective: Callable[[torch.Tensor], torch.Tensor], f: Any, x: torch.Tensor) -> Any:
    """Return the gradient in x of an objective of f(x), in float64."""
    u = x.detach().double().clone().requires_grad_(True)
    return torch.autograd.grad(objective(f(u)), u)[0]
