"""The checks: one function for each exercise, called by the test cell below it.

This is the only part of the project that knows answers. `analytic` holds the closed forms with
their derivations, `measure` compares, `verdict` speaks; the other files hold one sheet each.
A check returns True and prints a green line, or raises `CheckFailed`, which says what was
tested, what was expected, what came, and which wrong turn it recognised.
"""

from helpers.check.autodiff import beta_slope, derivative, grad_after, nll_gradient
from helpers.check.desk import explain_missing_names
from helpers.check.verdict import CheckFailed

__all__ = [
    "CheckFailed",
    "beta_slope",
    "derivative",
    "grad_after",
    "nll_gradient",
]

explain_missing_names()
