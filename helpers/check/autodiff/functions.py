"""What the exercises of sheet 01 that are handed a function share."""

from functools import partial
from typing import Any

import torch

from helpers.check.autodiff import analytic
from helpers.check.kit.agree import as_tensor, same
from helpers.check.kit.asks import Argument, Draws, Given, sample
from helpers.check.kit.diagnose import Turn

# Autograd is exact to rounding. The bound lies below the error of every difference quotient: the
# best step of a central one leaves about 1e-11.
EXACT = 1e-12


def _member(family: analytic.Function) -> Any:
    return lambda u, given: partial(family, u.real(0.4, 1.2))


def shown(f: "partial[torch.Tensor]") -> str:
    """Return a function as a message shows it."""
    return analytic.FAMILIES[f.func].words.format(*f.args)


def function() -> Argument:
    """Return the argument f: any of the families in typical cases, and each of them once."""
    return Argument(
        "f",
        lambda u, given: _member(u.choice(list(analytic.FAMILIES)))(u, given),
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
    pair = _near(got, exact)
    return pair is not None and not any(same(pair[0], torch.round(pair[1], decimals=k), 1e-9)
                                        for k in range(7))  # fmt: skip


def inexact(exact: Any) -> tuple[Turn, Turn]:
    """Return the turns of answers that come near to an exact value: rounded, or by small steps.

    Args:
        exact: the exercise's reference.
    """
    return (
        Turn("single precision on the way", "the numbers went through float32, which keeps seven "
             "digits: hand dtype=torch.float64 to every tensor that you make.",
             exact, alike=_single),
        Turn("finite differences", "it comes near and does not meet the slope, as a difference "
             "quotient does; ask autograd, which takes no step.", exact, alike=_rough),
    )  # fmt: skip


def _no_grad_needed(error: Exception) -> bool:
    text = str(error)
    return "does not require grad" in text or "not have been used in the graph" in text


def _no_value(*args: Any) -> Any:
    raise ValueError("the misconception shows by an error, or not at all")


# With a value that is never there, an error in some cases explains nothing that is wrong in others.
DETACHED = Turn(
    "tensor not tracked",
    "x is not a leaf with requires_grad=True, or a detach() cut the chain from x to the result.",
    gives=_no_value,
    raises=_no_grad_needed,
    alike=lambda got, wrong: False,
)
GRAPH_USED_TWICE = Turn(
    "graph used twice",
    "backward() frees the graph it walked; compute the value anew before each backward().",
    raises=lambda error: "backward through the graph a second time" in str(error),
)
SCALAR_ONLY = Turn(
    "scalar only",
    "backward() starts from a single number: sum first; the elements do not mix.",
    raises=lambda error: "scalar outputs" in str(error) or "one element" in str(error),
)
NEVER_FILLED = Turn(
    "gradient still None",
    "`.grad` is None before the first backward(), after clearing, and on a tensor that the result "
    "was not computed from.",
    raises=lambda error: "NoneType" in str(error),
)
