"""gamma_modes(a, b): where the density of X ~ Gamma(a, b) is highest, and where that of log X."""

import math
from typing import Any

import torch
from torch.distributions import ExpTransform, Gamma

from helpers.check.constraints import analytic
from helpers.check.constraints.families import double
from helpers.check.kit import runs
from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Argument, Draws, Given
from helpers.check.kit.compare import SINGLE_PRECISION, AnyOf, as_tensor
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise


def reference(a: torch.Tensor, b: torch.Tensor) -> tuple[float, float]:
    """Return (a − 1)/b and log(a/b)."""
    return analytic.gamma_modes(float(a), float(b))


def _a(u: Draws, given: Given) -> torch.Tensor:
    """Return a shape above 2, so that every wrong turn is a number."""
    return double(u.real(2.3, 5.0))


def _b(u: Draws, given: Given) -> torch.Tensor:
    """Return a rate off a and a − 1, so that no logarithm is near zero."""
    return double(u.real(0.3, 0.9) if u.whole(0, 1) else u.real(6.0, 8.0))


def _heights(a: torch.Tensor, b: torch.Tensor) -> tuple[float, float]:
    gamma = Gamma(a, b)
    x, y = (double(v) for v in reference(a, b))
    on_line = analytic.log_prob(gamma, ExpTransform(), y)
    return float(gamma.log_prob(x).exp()), float(on_line.exp())


def _on_grid(got: Any, wanted: tuple[float, float]) -> bool:
    """Whether the second number is one of a grid, or the end of one."""
    row = as_tensor(got)
    return row is not None and row.shape == (2,) and runs.on_grid(row[1], wanted[1])


TURNS = (
    Turn("mode carried over", "the peak does not move along with x: maximise log q itself.",
         lambda a, b: ((a - 1) / b, ((a - 1) / b).log())),
    Turn("taken back to x", "the second number is a place on the line, a value of y.",
         lambda a, b: ((a - 1) / b, a / b)),
    Turn("Jacobian subtracted", "log|h'(y)| = y is added to log p, not subtracted.",
         lambda a, b: ((a - 1) / b, ((a - 2) / b).log())),
    Turn("Jacobian for both", "the first peak is that of p(x) itself, without a Jacobian.",
         lambda a, b: AnyOf((a / b, (a / b).log()), (a / b, a / b))),
    Turn("swapped", "first the peak in x, then the one on the line.",
         lambda a, b: ((a / b).log(), (a - 1) / b)),
    Turn("scale for rate", "b is the rate: e^(−bx) falls faster when b is larger.",
         lambda a, b: ((a - 1) * b, (a * b).log())),
    Turn("ratio upside down", "solve a − b e^y = 0 for e^y again.",
         lambda a, b: AnyOf(((a - 1) / b, (b / a).log()), (b / (a - 1), (b / a).log()))),
    Turn("means for modes", "these are averages; the mode is where the density is highest.",
         lambda a, b: AnyOf((a / b, a.digamma() - b.log()), ((a - 1) / b, a.digamma() - b.log()),
                            ((a - 1 / 3) / b, ((a - 1 / 3) / b).log()))),
    Turn("heights returned", "these are how high the peaks are; the question is where they stand.",
         _heights),
    Turn("one Gamma only", "these are the peaks of Gamma(3, 2); use the a and b you are given.",
         lambda a, b: (1.0, math.log(1.5)), tolerance=0.02),
    Turn("another logarithm", "e^y is undone by the natural logarithm.",
         lambda a, b: AnyOf(*[((a - 1) / b, log(a / b))
                              for log in (torch.log2, torch.log10, torch.log1p)])),
    Turn("Jacobian twice", "log|h'(y)| = y is added to log p once.",
         lambda a, b: ((a - 1) / b, ((a + 1) / b).log())),
    Turn("Jacobian of another map", "y = log x means x = e^y, whose log-slope is y.",
         lambda a, b: ((a - 1) / b, (a / (b + 1)).log())),
    Turn("quotient of logs", "the log of a quotient is a difference of logs.",
         lambda a, b: ((a - 1) / b, a.log() / b.log())),
    Turn("mode of 1/X", "this is the peak of 1/X: it is X that follows Gamma(a, b).",
         lambda a, b: AnyOf(*[(b / (a + 1), (b / c).log()) for c in (a, a + 1)])),
    Turn("rounded", "these are the expected values, rounded: return them in full.",
         lambda a, b: AnyOf(*[tuple(round(v, k) for v in reference(a, b)) for k in range(4)]),
         tolerance=1e-9),
    Turn("a grid's point", "the peaks lie where the slopes vanish, beside every grid and beyond "
         "its ends: find them on paper.", reference, alike=_on_grid),
    Turn("exponential for logarithm", "e^y = a/b is solved by a logarithm.",
         lambda a, b: AnyOf(((a - 1) / b, (a / b).exp()))),
    Turn("one too many", "in x the power is a − 1; on the line the Jacobian makes it a.",
         lambda a, b: AnyOf(((a + 1) / b, (a / b).log()), ((a - 1) / b, a.log() - 1 / b))),
)  # fmt: skip


def by_formulas(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return both peaks as a student writes them."""
    return (a - 1) / b, torch.log(a / b)


def by_two_logs(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return both peaks, the second as a difference."""
    return (a - 1) / b, torch.log(a) - torch.log(b)


EXERCISE = Exercise(
    name="gamma_modes",
    arguments=(
        Argument("a", _a, edges={"a = 1": double(1.0), "a large a": double(800.0)}),
        Argument("b", _b, edges={"b = 1": double(1.0), "a small b": double(1e-4)}),
    ),
    reference=reference,
    worked=(by_formulas, by_two_logs),
    agree=Close(rtol=SINGLE_PRECISION),
    turns=TURNS,
    parts=("mode of X", "mode of Y"),
    typical=4,
    passed="gamma_modes: both peaks of any Gamma distribution, a = 1 among them.",
)
gamma_modes = EXERCISE.check
