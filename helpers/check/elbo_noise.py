"""Sheet 08: do estimates from draws differ from call to call, as much as n draws do?"""

import math
from collections.abc import Callable
from typing import Any

from helpers import data
from helpers.check.calling import call
from helpers.check.elbo import shuffled
from helpers.check.elbo_bound import plain
from helpers.check.measure import numbers, record
from helpers.check.verdict import CheckFailed, show

# Takes mu, sigma and both exponents, and returns the standard deviation of one draw's term.
Spread = Callable[[float, float, float, float], float]
CALLS = 32


def has_fresh_noise(name: str, answer: Any, like: Any, spread: Spread) -> None:
    """Check that calls with n = 2 differ as two draws do: fresh noise, and n of it.

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
    if record("a tenth of the spread", 0.1 * likely / max(differ, 1e-300)):
        return
    expected, got = f"values that differ, by about {show(likely, 2)}", f"within {show(differ, 2)}"
    if differ < 1e-3 * likely:
        got = f"{show(values[0])} each time"
        hint = "every call gives the same number: draw new noise in each, and set no seed inside."
        raise CheckFailed(words, expected, got, "no fresh noise", hint)
    hint = "two draws stray far, and your result hardly does: use n draws, neither more nor less."
    raise CheckFailed(words, expected, got, "n ignored", hint)
