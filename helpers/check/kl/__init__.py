"""The checks of sheet 07."""

from helpers.check.kl.covering import covering_normal
from helpers.check.kl.grid import seeking_grid
from helpers.check.kl.monte_carlo import kl_difference, kl_monte_carlo
from helpers.check.kl.quadrature import kl_quadrature
from helpers.check.kl.seeking import seeking_normal

__all__ = [
    "covering_normal",
    "kl_difference",
    "kl_monte_carlo",
    "kl_quadrature",
    "seeking_grid",
    "seeking_normal",
]
