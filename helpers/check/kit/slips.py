"""An answer that is one slip away from a right formula.

An exercise may show how a student would write it (`Exercise.worked`). Every small edit of that text
is a formula too; where one of them gives what the answer gave, on every case, the slip is known to
the character, though nobody foresaw it.
"""

import ast
import functools
import inspect
import textwrap
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from helpers.check.kit.agree import Outcome
from helpers.check.kit.compare import same
from helpers.check.kit.diagnose import Name, Turn, by_turns, smallest
from helpers.check.kit.edits import Edited, edited

LONGEST = 60  # characters of a formula that a message quotes


def by_slips(
    worked: Sequence[Callable[..., Any]],
    outcomes: Sequence[Outcome],
    alike: Callable[[Any, Any], bool] = same,
) -> Name | None:
    """Return the slip that explains every failing case, or None.

    Args:
        worked: right formulas; without a `while`, since an edit could make it endless.
        outcomes: of all cases.
        alike: compares two values as the exercise does.
    """
    first = smallest(outcomes)
    for formula in worked:
        for slip, gives in slips(formula):
            turn = Turn(*_said(slip), gives)
            # The failing case first: most slips end there.
            if by_turns([turn], [first], alike) and by_turns([turn], outcomes, alike):
                return turn.name, turn.hint
    return None


@functools.cache
def slips(formula: Callable[..., Any]) -> list[tuple[Edited, Callable[..., Any]]]:
    """Return the edits of a function, each with the function that it makes.

    Raises:
        ValueError: the function has a `while`.
    """
    text = textwrap.dedent(inspect.getsource(formula))
    definition = ast.parse(text).body[0]
    assert isinstance(definition, ast.FunctionDef)
    if any(isinstance(node, ast.While) for node in ast.walk(definition)):
        raise ValueError(f"{formula.__qualname__}: an edit of its while could run for ever")
    for argument in definition.args.args:
        argument.annotation = None
    definition.returns = None
    if ast.get_docstring(definition):
        definition.body = definition.body[1:]
    found = []
    for slip in edited(ast.unparse(definition)):
        scope = dict(formula.__globals__)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an edit may look strange to the compiler
            exec(compile(slip.code, "<slip>", "exec"), scope)
        found.append((slip, scope[formula.__name__]))
    return found


def _said(slip: Edited) -> Name:
    """Return the name of a slip, and the sentence that shows it."""
    if slip.now == "pass":
        what = f"without the step `{_short(slip.was)}`"
    else:
        what = f"with `{_short(slip.now)}` in the place of `{_short(slip.was)}`"
    return f"slip: {slip.what}", f"a right formula {what} gives this on every case."


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
