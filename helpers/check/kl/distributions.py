"""The distributions that the checks of sheet 07 hand over, and the words for them."""

from typing import Any

import torch
from torch.distributions import (
    Beta,
    Categorical,
    Distribution,
    MixtureSameFamily,
    Normal,
    StudentT,
    Uniform,
)

from helpers.check.kit.asks import Draws

Pair = tuple[float, float]


def make(family: Any, *parameters: float) -> Any:
    """Return a distribution of torch.distributions with parameters in float64, without axes."""
    return family(*(torch.tensor(v, dtype=torch.float64) for v in parameters))


def bounded(low: float, high: float) -> Any:
    """Return a uniform distribution that may be asked beyond its ends, where its density is 0."""
    begin, end = (torch.tensor(v, dtype=torch.float64) for v in (low, high))
    return Uniform(begin, end, validate_args=False)


def mixture(
    weights: Any, locs: Any, scales: Any, dtype: torch.dtype = torch.float64, df: float = 0.0
) -> MixtureSameFamily:
    """Return a mixture of normals, or of Student's t with df degrees of freedom, shapes (k,)."""
    w, m, s = (torch.as_tensor(v, dtype=dtype) for v in (weights, locs, scales))
    component = StudentT(torch.full_like(m, df), m, s) if df else Normal(m, s)
    return MixtureSameFamily(Categorical(w), component)


def target() -> MixtureSameFamily:
    """Return the p of the sheet, in its single precision."""
    return mixture([0.4, 0.6], [-1.0, 4.0], [0.75, 0.5], torch.float32)


def model() -> Normal:
    """Return the first q of the sheet."""
    return Normal(0.0, 1.0)


def two_peaks(u: Draws, size: float = 1.0, unlike: float = 0.3) -> MixtureSameFamily:
    """Return a mixture of two normals, far from 0 and near enough to interact.

    The means are 3.0 to 3.1 times the sum of the scales apart: each peak has a valley of KL(q‖p)
    whose bottom differs from the component by more than 1e-4 nats. Where the two are of like width
    and weight, a third valley lies between them.

    Args:
        u: draws it.
        size: factor of both scales, and so of the distance between the means.
        unlike: how far the scales, and the weights from one half, may be apart.
    """
    scales = [size * u.real(0.65 - unlike / 2, 0.65 + unlike / 2) for _ in range(2)]
    side = u.choice((-1.0, 1.0))
    near = side * u.real(20, 25)
    weight = u.real(0.48 - 0.4 * unlike, 0.48 - 0.1 * unlike)
    locs = [near, near + side * u.real(3.0, 3.1) * sum(scales)]
    return mixture([weight, 1 - weight], locs, scales)


def moved(p: MixtureSameFamily, about: float, by: float, factor: float) -> MixtureSameFamily:
    """Return a mixture stretched by a factor about a point, then moved."""
    c: Any = p.component_distribution
    return mixture(
        p.mixture_distribution.probs, about + factor * (c.loc - about) + by, factor * c.scale
    )


def components(p: Distribution) -> list[Pair]:
    """Return location and scale of each component of a mixture."""
    c: Any = p.component_distribution  # type: ignore[attr-defined]
    return list(zip(c.loc.tolist(), c.scale.tolist(), strict=True))


def shown(d: Any) -> str:
    """Return a distribution as a student would write it, with rounded parameters."""
    if isinstance(d, MixtureSameFamily):
        c: Any = d.component_distribution
        family = type(c).__name__
        parts = zip(d.mixture_distribution.probs, c.loc, c.scale, strict=True)
        return " + ".join(f"{w:.2f} {family}({m:.2f}, {s:.2f})" for w, m, s in parts)
    keys = ["concentration1", "concentration0"] if isinstance(d, Beta) else d.arg_constraints
    parameters = [getattr(d, key) for key in keys]
    return f"{type(d).__name__}({', '.join(f'{float(v):.2f}' for v in parameters)})"
