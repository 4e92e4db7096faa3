"""Closed forms of sheet 01: gradients for free."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch

Function = Callable[..., torch.Tensor]


class Family(NamedTuple):
    """A family of functions f(c, x) of x.

    Neither slope is near zero for c between 0.4 and 1.2 and x between −2 and 2, where a relative
    bound would ask too much of rounding.

    Args:
        words: f as a message shows it, with a place for c.
        slope: takes c and x; ∂f/∂x.
        curvature: takes c and x; ∂²f/∂x².
    """

    words: str
    slope: Function
    curvature: Function


def cubic(c: float, x: torch.Tensor) -> torch.Tensor:
    """Return −c (x + 3)³."""
    return -c * (x + 3) ** 3


def logarithm(c: float, x: torch.Tensor) -> torch.Tensor:
    """Return c log(x + 3)."""
    return c * torch.log(x + 3)


def wave(c: float, x: torch.Tensor) -> torch.Tensor:
    """Return 3x − c sin((x + 3)/2)."""
    return 3 * x - c * torch.sin((x + 3) / 2)


def step(c: float, x: torch.Tensor) -> torch.Tensor:
    """Return sigmoid(c (x + 3)/2)."""
    return torch.sigmoid(c * (x + 3) / 2)


def decay(c: float, x: torch.Tensor) -> torch.Tensor:
    """Return exp(−c x)."""
    return torch.exp(-c * x)


def _step_slope(c: float, x: torch.Tensor) -> torch.Tensor:
    return c / 2 * step(c, x) * (1 - step(c, x))


FAMILIES: dict[Function, Family] = {
    cubic: Family(
        "−{:.2f}·(x + 3)³", lambda c, x: -3 * c * (x + 3) ** 2, lambda c, x: -6 * c * (x + 3)
    ),
    logarithm: Family(
        "{:.2f}·log(x + 3)", lambda c, x: c / (x + 3), lambda c, x: -c / (x + 3) ** 2
    ),
    wave: Family(
        "3x − {:.2f}·sin((x + 3)/2)",
        lambda c, x: 3 - c / 2 * torch.cos((x + 3) / 2),
        lambda c, x: c / 4 * torch.sin((x + 3) / 2),
    ),
    step: Family(
        "sigmoid({:.2f}·(x + 3)/2)",
        _step_slope,
        lambda c, x: c / 2 * _step_slope(c, x) * (1 - 2 * step(c, x)),
    ),
    decay: Family("exp(−{:.2f}·x)", lambda c, x: -c * decay(c, x), lambda c, x: c**2 * decay(c, x)),
}


# For each family one whose slope and curvature have the opposite signs.
OPPOSITE = {cubic: wave, wave: cubic, logarithm: decay, step: decay, decay: logarithm}


def slope(f: "partial[torch.Tensor]", x: torch.Tensor) -> torch.Tensor:
    """Return f'(x), at each element, for a member of a family.

    Args:
        f: a family's function with its c filled in; nothing but the function travels to an answer.
        x: points, any shape.
    """
    return FAMILIES[f.func].slope(*f.args, x)


def curvature(f: "partial[torch.Tensor]", x: torch.Tensor) -> torch.Tensor:
    """Return f''(x), at each element, for a member of a family; see :func:`slope`."""
    return FAMILIES[f.func].curvature(*f.args, x)


def beta_density(x: torch.Tensor, a: float, b: float) -> torch.Tensor:
    """Return the density of Beta(a, b), zero outside (0, 1).

    p(x) = x^(a−1) (1 − x)^(b−1) / B(a, b), with B(a, b) = Γ(a) Γ(b) / Γ(a + b).
    """
    inside = (x > 0) & (x < 1)
    u = torch.where(inside, x, torch.full_like(x, 0.5)).to(torch.float64)
    log_b = sum(s * torch.lgamma(torch.tensor(v, dtype=torch.float64))
                for s, v in ((1, a), (1, b), (-1, a + b)))  # fmt: skip
    p = torch.exp((a - 1) * torch.log(u) + (b - 1) * torch.log1p(-u) - log_b)
    return torch.where(inside, p, torch.zeros_like(p))


def beta_slope(x: torch.Tensor, a: float, b: float) -> torch.Tensor:
    """Return the slope of the Beta(a, b) density, zero outside (0, 1) and at both edges.

    d/dx log p(x) = (a − 1)/x − (b − 1)/(1 − x), and p' = p · d/dx log p.

    Args:
        x: points, any shape.
        a: first parameter, above 1.
        b: second parameter, above 1.
    """
    inside = (x > 0) & (x < 1)
    u = torch.where(inside, x, torch.full_like(x, 0.5)).to(torch.float64)
    of_log = (a - 1) / u - (b - 1) / (1 - u)
    return beta_density(x, a, b) * torch.where(inside, of_log, torch.zeros_like(of_log))


def nll_gradient(loc: float, log_scale: float, data: torch.Tensor) -> tuple[float, float]:
    """Return both slopes of the mean negative log-likelihood of Normal(loc, exp(log_scale)).

    With s = log σ the loss is s + (1/n) Σ ½ (xᵢ − μ)² e^(−2s) + const. Its slope in μ is
    (μ − x̄)/σ², in s it is 1 − (1/n) Σ (xᵢ − μ)²/σ².
    """
    x = data.to(torch.float64)
    variance = float(torch.tensor(2 * log_scale, dtype=torch.float64).exp())
    return float(loc - x.mean()) / variance, 1 - float(((x - loc) ** 2).mean()) / variance


def forecasts(weight: float, data: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the errors of exponential smoothing, and the slopes of its forecasts.

    The first forecast is x₁; after each observation the forecast moves by a share w of its error:
    mₜ₊₁ = mₜ + w eₜ with eₜ = xₜ − mₜ. Differentiated, with m₂ = x₁:
    dmₜ₊₁/dw = (1 − w) dmₜ/dw + eₜ.

    Args:
        weight: w.
        data: x₁ to xₙ, shape (n,).

    Returns:
        Errors e₂ … eₙ, and dm₂/dw … dmₙ/dw, float64 of shape (n − 1,).
    """
    x = data.to(torch.float64).tolist()
    forecast, moves = x[0], 0.0
    errors, slopes = [], []
    for value in x[1:]:
        error = value - forecast
        errors.append(error)
        slopes.append(moves)
        forecast, moves = forecast + weight * error, (1 - weight) * moves + error
    return tuple(torch.tensor(v, dtype=torch.float64) for v in (errors, slopes))  # type: ignore[return-value]


def forecast_slope(weight: float, data: torch.Tensor) -> float:
    """Return the slope, in the weight, of the mean of ½ e² over the errors e₂ … eₙ.

    d/dw ½ eₜ² = −eₜ dmₜ/dw.
    """
    errors, slopes = forecasts(weight, data)
    return float(-(errors * slopes).mean())
