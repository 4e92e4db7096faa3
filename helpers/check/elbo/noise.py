"""Sheet 08: do estimates from draws differ from call to call, as much as n draws do?"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from helpers import data
from helpers.check.elbo.bound import plain
from helpers.check.elbo.joint import shuffled
from helpers.check.kit.agree import SAMPLED_Z, as_tensor, numbers, within
from helpers.check.kit.calling import call
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import CheckFailed, show

# Takes mu, sigma and both exponents, and returns the standard deviation of one draw's term.
Spread = Callable[[float, float, float, float], float]
CALLS = 32


# Wrong turns whose estimates scatter more than a mean of n terms, also with n draws.
SCATTERED = ("sum for mean", "divided by flips")


def agrees_on_draws(answer: Any, cases: Sequence[Case], turns: Sequence[Turn]) -> None:
    """Compare estimates as :func:`function_agrees` does; those of too few draws have that name.

    Right or wrong, means of n terms hardly differ from call to call. Where four calls do, by more
    than 2·SAMPLED_Z standard errors of a right one, fewer terms were drawn; such an estimate may be
    anything, so its name goes before that of a wrong turn which it happens to resemble.
    """
    try:
        function_agrees(answer, cases, turns)
    except CheckFailed as failure:
        if failure.wrong_turn in SCATTERED or not _scatters(answer, cases[0]):
            raise
        hint = "calls differ as a few draws do, not as n: draw n numbers, whatever the flips."
        raise CheckFailed(
            failure.tested, failure.expected, failure.got, "too few draws", hint
        ) from None


def _scatters(answer: Any, case: Case) -> bool:
    mu, *rest = case.args
    asked = [_value(answer, (mu + 1e-6 * k, *rest)) for k in range(4)]
    values = [v for v in asked if v is not None]
    if len(values) < len(asked) or any(v.shape != _shape(case) for v in values):
        return False
    differ = torch.stack(values).max(0).values - torch.stack(values).min(0).values
    return bool((differ > 2 * SAMPLED_Z * torch.as_tensor(case.standard_error)).any())


def _shape(case: Case) -> torch.Size:
    return torch.as_tensor(case.expected).shape


def _value(answer: Any, args: tuple[Any, ...]) -> torch.Tensor | None:
    """Return what an answer returns as numbers, or None where it does not."""
    try:
        value = as_tensor(call("", answer, *args))
    except CheckFailed:
        return None
    return None if value is None else value.to(torch.float64)


def has_fresh_noise(name: str, answer: Any, like: Any, spread: Spread) -> None:
    """Check that calls with n = 2 differ as two draws do: fresh noise, and no thousands of it.

    The point is moved by a millionth from call to call, so that each is a question of its own.

    False failures: 32 values must lie within a tenth of a standard deviation of each other. With
    w the largest chance of a value in any such window that is at most 32·w³¹; w is 0.4 at most for
    the right answers of the bank, antithetic pairs among them, so below 1e-10. The test of this
    bound measures w.

    Args:
        name: of the answer.
        answer: the student's function of mu, sigma, flips and n.
        like: what it returns, zeros in place of numbers; the first one is looked at.
        spread: standard deviation of one draw's term.
    """
    u = data.uniform(f"elbo: noise of {name}", 2)
    flips = shuffled(f"elbo: noise flips of {name}", 6, 3)
    values = []
    for call_number in range(CALLS):
        mu, sigma = 0.9 + 0.3 * u[0] + 1e-6 * call_number, 1.4 + 0.2 * u[1]
        words = f"{name} at mu={float(mu):.3f}, sigma={float(sigma):.3f}, n=2, {CALLS} times"
        value = call(words, answer, mu, sigma, flips, 2)
        values.append(float(numbers(words, value, like).flatten()[0]))
    likely = spread(*plain(mu, sigma, flips)) / math.sqrt(2)
    differ = max(values) - min(values)
    if within("a tenth of the spread", 0.1 * likely / max(differ, 1e-300)):
        return
    expected, got = f"values that differ, by about {show(likely, 2)}", f"within {show(differ, 2)}"
    if differ < 1e-3 * likely:
        got = f"{show(values[0])} each time"
        hint = "every call gives the same number: draw new noise in each, and set no seed inside."
        raise CheckFailed(words, expected, got, "no fresh noise", hint)
    hint = "two draws stray far, and your result hardly does: use n draws, neither more nor less."
    raise CheckFailed(words, expected, got, "n ignored", hint)
