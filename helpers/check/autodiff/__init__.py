"""The checks of sheet 01."""

from helpers.check.autodiff.density import beta_slope
from helpers.check.autodiff.slopes import derivative, grad_after, nll_gradient

__all__ = [
    "beta_slope",
    "derivative",
    "grad_after",
    "nll_gradient",
]
