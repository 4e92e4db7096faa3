"""Distributions and the maps from the line to them, as the cases of sheet 05 hand them over.

They come in kinds, which take turns, so that each is asked on every data seed.
"""

import torch
from torch.distributions import (
    AffineTransform,
    Beta,
    ComposeTransform,
    CumulativeDistributionTransform,
    Distribution,
    ExpTransform,
    Gamma,
    Normal,
    SigmoidTransform,
    SoftplusTransform,
    Transform,
    Uniform,
)

from helpers.check.kit.asks import Draws


def double(value: float) -> torch.Tensor:
    """Return a number as a float64 tensor without dimensions."""
    return torch.tensor(value, dtype=torch.float64)


def between(a: float, b: float, falls: bool = False, by_normal: bool = False) -> Transform:
    """Return a map from the line into (a, b): a sigmoid, stretched and shifted.

    Args:
        a: lower end.
        b: upper end.
        falls: whether it falls.
        by_normal: whether the normal's CDF stands in the sigmoid's place.
    """
    if by_normal:
        first: Transform = CumulativeDistributionTransform(Normal(double(0.0), double(1.0)))
    else:
        first = SigmoidTransform()
    affine = AffineTransform(b, a - b) if falls else AffineTransform(a, b - a)
    return ComposeTransform([first, affine])


def positive(softplus: bool = False) -> Transform:
    """Return a map from the line to the positive numbers: exp, or softplus."""
    return SoftplusTransform() if softplus else ExpTransform()


def gamma(u: Draws) -> Distribution:
    """Return a Gamma distribution."""
    return Gamma(double(u.real(1.5, 2.5)), double(u.real(1.5, 2.5)))


def beta(u: Draws) -> Distribution:
    """Return a Beta distribution, not symmetric."""
    return Beta(double(u.real(2.2, 3.2)), double(u.real(1.2, 2.0)))


def uniform(u: Draws) -> Distribution:
    """Return a uniform distribution, all of it below zero."""
    low = u.real(-5, -4)
    return Uniform(double(low), double(low + u.real(2, 3)))


def normal(u: Draws) -> Distribution:
    """Return a normal distribution."""
    return Normal(double(u.real(0.2, 1)), double(u.real(1.5, 2.5)))


def shown(distribution: Distribution) -> str:
    """Return a distribution as a message shows it."""
    kind = type(distribution).__name__
    names = {"Gamma": ("concentration", "rate"), "Normal": ("loc", "scale"),
             "Uniform": ("low", "high"), "Beta": ("concentration1", "concentration0")}  # fmt: skip
    inner = ", ".join(f"{float(getattr(distribution, name)):.2f}" for name in names[kind])
    return f"{kind}({inner})"


def map_shown(transform: Transform) -> str:
    """Return a map as a message shows it."""
    if isinstance(transform, ComposeTransform):
        return " then ".join(map_shown(part) for part in transform.parts)
    if isinstance(transform, AffineTransform):
        return f"{float(transform.loc):.2f} + {float(transform.scale):.2f}·"
    return {ExpTransform: "exp", SoftplusTransform: "softplus", SigmoidTransform: "sigmoid",
            CumulativeDistributionTransform: "normal CDF"}[type(transform)]  # fmt: skip
