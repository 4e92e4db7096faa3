"""The demo of sheet 07, and the walks that it shows."""

import torch
from torch.distributions import Categorical, Distribution, MixtureSameFamily, Normal

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


def seeking_walks(
    p: Distribution, start: torch.Tensor, span: float = 8.0, steps: int = 400
) -> torch.Tensor:
    """Return the walks of normals q down KL(q‖p), by Adam at a rate that falls to zero.

    Args:
        p: a distribution on the whole line.
        start: locations and scales to begin with, shape (k, 2).
        span: half the range of integration, in standard deviations of q.
        steps: number of steps.

    Returns:
        Locations and scales before each step and after the last, float64 of shape
        (steps + 1, k, 2).
    """
    loc, scale = torch.as_tensor(start, dtype=torch.float64).T
    free = torch.stack([loc, scale.log()]).requires_grad_(True)
    z = torch.linspace(-span, span, 401, dtype=torch.float64)[:, None]
    log_mass = Normal(0.0, 1.0).log_prob(z)
    optimizer = torch.optim.Adam([free], lr=0.1)
    path = []
    for step in range(steps + 1):
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / (steps + 1))
        path.append(torch.stack([free[0], free[1].exp()], dim=1).detach())
        log_ratio = log_mass - free[1] - p.log_prob(free[0] + free[1].exp() * z)
        kl = torch.trapezoid(log_mass.exp() * log_ratio, z, dim=0)
        optimizer.zero_grad()
        kl.sum().backward()
        optimizer.step()
    return torch.stack(path)


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
