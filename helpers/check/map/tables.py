"""Rows of a regression, as the checks of sheet 09 draw and show them."""

import torch

from helpers.check.kit.asks import Draws

SPREADS = [1.0, 1.4, 0.7, 1.1]
CENTRES = [0.8, -0.6, 1.2, -0.3]


def rows(u: Draws, n: int, d: int) -> torch.Tensor:
    """Return n rows of d numbers: a column of ones, then columns of unlike spread and centre.

    The columns are lopsided, neither centred nor scaled, and neighbours are correlated.
    """
    columns = [torch.ones(n, dtype=torch.float64)]
    for j in range(d - 1):
        z = u.uniform(n, -1.7, 1.7)
        shared = 0.5 * (columns[-1] - columns[-1].mean())
        columns.append(CENTRES[j] * u.real(0.7, 1.3) + SPREADS[j] * (z + 0.2 * z**2) + shared)
    return torch.stack(columns, dim=1)


def described(X: torch.Tensor) -> str:
    """Return how a message shows a table of rows."""
    n, d = X.shape
    return f"{n} row{'s' if n > 1 else ''} of {d} column{'s' if d > 1 else ''}"
