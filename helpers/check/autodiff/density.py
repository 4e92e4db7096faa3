"""Checks of sheet 01: the slope of a density with edges."""

from typing import Any

import torch

from helpers import data
from helpers.check.autodiff import analytic
from helpers.check.autodiff.slopes import DETACHED
from helpers.check.kit.agree import as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed, show

# The slopes cross zero, and outside they are zero: an answer in single precision then differs by up
# to 3e-6 of their mean size (measured over 200 data seeds); the nearest wrong turn by 0.2.
NEAR_ZERO = 1e-4


def beta_slope(answer: Any) -> bool:
    """Check ``beta_slope(x)``: the slope of the Beta(2, 2) density.

    It is 6 − 12x on (0, 1) and zero outside. At 0 and 1 the density has a kink; every number
    between the two one-sided slopes is accepted.
    """
    inside = data.uniform("autodiff: beta inside", 6, 0.02, 0.98)
    outside = torch.cat(
        [
            data.uniform("autodiff: beta below", 3, -2, -0.01),
            data.uniform("autodiff: beta above", 3, 1.01, 3),
        ]
    )
    edges = torch.tensor([0.0, 1.0], dtype=torch.float64)
    mixed = torch.cat([inside[:3], edges, outside[:4]]).reshape(3, 3)
    points = [("inside (0, 1)", inside), ("outside (0, 1)", outside), ("on the edges", edges),
              ("inside, outside and on the edges", mixed)]  # fmt: skip
    cases = [
        Case(f"beta_slope(x) {where}, x = {show(x)}", (x,), analytic.beta22_slope(x))
        for where, x in points
    ]

    def settled(x: torch.Tensor) -> Any:
        """Call the answer and take any number between the one-sided slopes at a kink as zero."""
        value = answer(x)
        taken = as_tensor(value)
        if taken is None or taken.shape != x.shape:
            return value
        kink = ((x == 0) & (taken >= 0) & (taken <= 6)) | ((x == 1) & (taken <= 0) & (taken >= -6))
        return torch.where(kink, torch.zeros_like(taken), taken)

    function_agrees(settled if callable(answer) else answer, cases, BETA_TURNS, bound=NEAR_ZERO)
    return passed("beta_slope: 6 − 12x inside, 0 outside, and no NaN on the edge.")


def _beta_density(x: torch.Tensor) -> torch.Tensor:
    return torch.where((x > 0) & (x < 1), 6 * x * (1 - x), torch.zeros_like(x))


def _finite_where_inside(got: Any, x: torch.Tensor) -> bool:
    """Whether an answer is right inside and wrong only by NaN outside or on the edge."""
    taken = as_tensor(got)
    if taken is None or taken.shape != x.shape:
        return False
    inside = (x > 0) & (x < 1)
    number = ~taken.isnan()
    return (
        bool(number[inside].all())
        and same(taken[number], analytic.beta22_slope(x)[number])
        and (bool(inside.all()) or not bool(number.all()) or same(taken, analytic.beta22_slope(x)))
    )


BETA_TURNS = [
    Turn(
        "NaN behind the mask",
        "torch.where runs both branches, and 0 · NaN is NaN in backward(): give the density a "
        "harmless x, such as 0.5, outside and at 0 and 1.",
        lambda x: x,
        alike=_finite_where_inside,
    ),
    Turn(
        "support forgotten",
        "6 − 12x holds inside (0, 1) only; outside, the density is flat at zero.",
        lambda x: 6 - 12 * x,
        # On the edges 6 − 12x is ±6, which the check takes as zero: compare elsewhere.
        alike=lambda got, want: same(
            _without_kinks(got, want), torch.where(want.abs() == 6, torch.zeros_like(want), want)
        ),
    ),
    Turn(
        "slope of the log-density",
        "you differentiated log p; the exercise asks for p itself, so take exp() first.",
        lambda x: torch.where((x > 0) & (x < 1), 1 / x - 1 / (1 - x), torch.zeros_like(x)),
    ),
    Turn("value returned", "this is the density p(x); its slope is the gradient.", _beta_density),
    Turn("sign", "the slope has the opposite sign: uphill on the left, downhill on the right.",
         lambda x: -analytic.beta22_slope(x)),
    Turn(
        "gradient summed",
        "you return the sum of all slopes; return one slope for each element of x.",
        lambda x: analytic.beta22_slope(x).sum(),
    ),
    Turn(
        "outside the support",
        "torch refuses points outside (0, 1); build Beta(2, 2, validate_args=False) or mask first.",
        raises=lambda error: isinstance(error, ValueError) and "support" in str(error),
    ),
    DETACHED,
]  # fmt: skip


def _without_kinks(got: Any, want: torch.Tensor) -> Any:
    taken = as_tensor(got)
    if taken is None or taken.shape != want.shape:
        return got
    return torch.where(want.abs() == 6, torch.zeros_like(taken), taken)
