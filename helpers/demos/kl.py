"""The demo of sheet 07."""

import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal

from helpers import plots
from helpers.demos.demo import Demo, Drawn, slider
from helpers.quadrature import trapezoid


def draw_two_divergences(loc: float, scale: float) -> Drawn:
    """Draw two peaks p and a normal q, and the integrands of both divergences between them.

    Args:
        loc: location of q.
        scale: standard deviation of q, positive.
    """
    peaks = torch.tensor([[-1.0, 4.0], [0.75, 0.5]], dtype=torch.float64)
    p = MixtureSameFamily(Categorical(torch.tensor([0.4, 0.6])), Normal(*peaks))
    q = Normal(*torch.tensor([loc, scale], dtype=torch.float64))

    def of_p(x: torch.Tensor) -> torch.Tensor:
        return p.log_prob(x).exp() * (p.log_prob(x) - q.log_prob(x))

    def of_q(x: torch.Tensor) -> torch.Tensor:
        return q.log_prob(x).exp() * (q.log_prob(x) - p.log_prob(x))

    covering, seeking = (float(trapezoid(f, -40, 44, 8401)) for f in (of_p, of_q))

    x = torch.linspace(-6, 10, 801, dtype=torch.float64)
    left, right = plots.panels(2)
    densities = {"p": p.log_prob(x).exp(), "q": q.log_prob(x).exp()}
    plots.curves(x, densities, "x", "density", ax=left)
    left.set_ylim(0, 1)
    integrands = {"p log p/q": of_p(x), "q log q/p": of_q(x)}
    plots.curves(x, integrands, "x", "nats per unit of x", ax=right)
    low, high = (float(end(v.detach() for v in map(f, integrands.values()))) for end, f in
                 ((min, torch.min), (max, torch.max)))  # fmt: skip
    right.set_ylim(min(-0.5, 1.1 * low), max(1.5, 1.1 * high))
    return left, (
        f"Left, p with its two peaks and q = Normal({loc:.1f}, {scale:.1f}); right, what each x "
        f"adds to a divergence. The areas: KL(p‖q) = {covering:.3f}, KL(q‖p) = {seeking:.3f}."
    ).replace("-", "−")


def two_divergences() -> Demo:
    """Return the normal q that two sliders move over two peaks, with both divergences."""
    return Demo(
        "two divergences",
        draw_two_divergences,
        {
            "loc": slider("location of q", -4.0, 8.0, 0.0, 0.1),
            "scale": slider("scale of q", 0.2, 4.0, 1.0, 0.1),
        },
    )
