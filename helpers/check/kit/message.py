"""How a check speaks: what it says when an answer passes, and when it does not."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

GREEN, BOLD, RESET = "\x1b[32m", "\x1b[1m", "\x1b[0m"

# Names for what is wrong before any mathematics begins. `missing` answers were never given.
UNSOLVED = "unsolved"
MISSING_NAME = "missing name"
WRONG_TYPE = "wrong type"
WRONG_SHAPE = "wrong shape"
# What is said in their place where more can be seen of a value's type or shape.
NOTHING = "nothing returned"
COMPLEX = "complex numbers"
TRUTH = "truth values"
TEXT = "text for numbers"
ONE_FOR_SEVERAL = "one value for several"
NOT_SUMMED = "many numbers for one"
SUMMED = "one number for many"
EXCHANGED = "rows and columns exchanged"
AXES = "an axis too many or too few"
LENGTH = "of another length"
VALUES = "too many or too few values"
TYPES = (WRONG_TYPE, NOTHING, COMPLEX, TRUTH, TEXT, ONE_FOR_SEVERAL)
SHAPES = (WRONG_SHAPE, NOT_SUMMED, SUMMED, EXCHANGED, AXES, LENGTH, VALUES)
NOT_A_NUMBER = "not a number"
SINGLE = "single precision"
UNDIAGNOSED = "not diagnosed"
RAISED = "raised an error"
MISSING = (UNSOLVED, MISSING_NAME)


class CheckFailed(AssertionError):
    """An answer did not pass; the message says what was tested, expected, found, and why.

    Jupyter shows the message alone, without a traceback.

    Args:
        tested: what was tested, a phrase such as ``"normal_mle(data) on 12 observations"``.
        expected: what should have come.
        got: what came.
        wrong_turn: name of the misconception, if one was recognised.
        hint: one sentence on that misconception, for the student.
        again: what to type to have the same case once more.
    """

    def __init__(
        self,
        tested: str,
        expected: str = "",
        got: str = "",
        wrong_turn: str = "",
        hint: str = "",
        again: str = "",
    ) -> None:
        super().__init__(tested, expected, got, wrong_turn, hint)
        self.tested, self.expected, self.got = tested, expected, got
        self.wrong_turn, self.hint, self.again = wrong_turn, hint, again

    def lines(self) -> list[str]:
        """Return the message line by line, in the fixed order."""
        lines = [f"✗ {self.tested}"]
        if self.expected:
            lines.append(f"  expected  {self.expected}")
        if self.got:
            lines.append(f"  got       {self.got}")
        if self.again:
            lines.append(f"  again     {self.again}")
        if self.wrong_turn:
            lines.append(f"→ {self.wrong_turn}: {self.hint}")
        return lines

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _render_traceback_(self) -> list[str]:
        shown = []
        for line in self.lines():
            indent = "            " if line.startswith("  ") else "  "
            text = textwrap.fill(line, 68, subsequent_indent=indent, break_long_words=False)
            if line.startswith("✗"):
                text = f"{BOLD}{text}{RESET}"  # JupyterLab makes the background red
            elif line.startswith("→"):
                text = text.replace(f"→ {self.wrong_turn}", f"{BOLD}→ {self.wrong_turn}{RESET}", 1)
            shown.append(text)
        return shown


def passed(sentence: str) -> bool:
    """Print a green line and return True, so that a test cell can assert it."""
    print(f"{GREEN}✓ passed · {sentence}{RESET}")
    return True


def show(value: Any, digits: int = 6) -> str:
    """Return a value as a student would write it down: rounded, and cut where it is long.

    Args:
        value: anything.
        digits: significant digits of a number.
    """
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        if value.ndim == 0:
            return show(value.item(), digits)
        shape = "" if value.ndim == 1 else f", shape {tuple(value.shape)}"
        return _sequence(value.flatten().tolist(), "[]", digits) + shape
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "fiub":
            return show(torch.as_tensor(value), digits)
        return _short(value)
    if isinstance(value, np.generic):
        return show(value.item(), digits)
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    if isinstance(value, tuple | list):
        return _sequence(value, "()" if isinstance(value, tuple) else "[]", digits)
    return _short(value)


def shown_with_shape(value: Any, shape: Sequence[int]) -> str:
    """Return a value as `show` does, and its shape, said once."""
    words = f", shape {tuple(shape)}"
    return show(value).removesuffix(words) + words


def _short(value: Any, most: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= most else text[: most - 3] + "..."


def _sequence(values: Sequence[Any], brackets: str, digits: int, most: int = 4) -> str:
    shown = [show(v, digits) for v in values[:most]]
    if len(values) > most:
        shown.append(f"... {len(values)} in all")
    return brackets[0] + ", ".join(shown) + brackets[1]
