"""The demo of sheet 10."""

import functools

import torch

from helpers import data, plots
from helpers.demos.demo import Demo, Drawn, slider

MOST = 50  # members
STEPS = 80
AT = torch.linspace(-2, 2, 121, dtype=torch.float64)


def _output(weights: list[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """Return what all members give at x, shape (k, n), for x of that shape."""
    into, shift, middle, shift2, out, last = weights
    hidden = torch.nn.functional.selu(x[:, :, None] * into + shift)
    hidden = torch.nn.functional.selu(hidden @ middle + shift2)
    return (hidden @ out)[:, :, 0] + last


@functools.lru_cache(maxsize=8)
def members(scale: float) -> torch.Tensor:
    """Return the curves of all members over a sine prior, float64 of shape (k, m).

    Each has weights of its own to start from, its own bootstrap sample, and Adam's steps; one size
    of network, 1-20-20-1, for all.

    Args:
        scale: by which sin 3x is multiplied.
    """
    own = torch.Generator().manual_seed(10)
    x, y = (v.float() for v in data.gap())
    weights = []
    for into, out in ((1, 20), (20, 20), (20, 1)):
        reach = (6 / (into + out)) ** 0.5
        weights.append(reach * (2 * torch.rand(MOST, into, out, generator=own) - 1))
        weights.append((2 * torch.rand(MOST, 1, out, generator=own) - 1) / into**0.5)
    weights[-1] = weights[-1][:, :, 0]
    rows = torch.randint(0, len(x), (MOST, len(x)), generator=own)
    xs, left = x[rows], y[rows] - scale * torch.sin(3 * x[rows])
    tracked = [w.requires_grad_(True) for w in weights]
    optimizer = torch.optim.Adam(tracked, lr=0.05)
    for _ in range(STEPS):
        optimizer.zero_grad()
        ((_output(tracked, xs) - left) ** 2).mean(1).sum().backward()
        optimizer.step()
    with torch.no_grad():
        base = _output(tracked, AT.float().expand(MOST, -1)).double()
    return base + scale * torch.sin(3 * AT)


def draw_sine_prior(scale: float, count: int) -> Drawn:
    """Draw members over a sine prior, and the bands of all that are drawn.

    Args:
        scale: by which sin 3x is multiplied, at least 0.
        count: how many members, from 2 to 50.
    """
    count = int(count)
    curves = members(round(scale, 2))[:count]
    mean, deviation = curves.mean(0), curves.std(0, correction=0)
    left, right = plots.panels(2)
    plots.strands(AT, curves, "x", "y", f"{count} members", ax=left)
    plots.bands(AT, mean, deviation, "x", "y", "mean, ± 1 and ± 2 sd", ax=right)
    for ax in (left, right):
        ax.plot(*map(plots.numpy, data.gap()), "o", color=plots.RED, markersize=4, linestyle="none")
        ax.set_ylim(-8, 8)
    inside, outside = (float(deviation[int((v + 2) * 30)]) for v in (-0.6, -2.0))
    return left, (
        f"{count} members over {scale:.1f} times sin 3x. They scatter by {inside:.2f} in the midst "
        f"of the data, at x = −0.6, and by {outside:.2f} far out, at x = −2."
    )


def sine_prior() -> Demo:
    """Return the ensemble over a sine prior, with sliders for its scale and its size."""
    return Demo(
        "sine_prior",
        draw_sine_prior,
        {
            "scale": slider("scale of the prior", 0.0, 3.0, 1.0, 0.5),
            "count": slider("number of members", 2.0, 50.0, 50.0, 1.0),
        },
    )
