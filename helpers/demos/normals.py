"""The demo of sheet 04."""

import torch
from torch.distributions import Normal

from helpers import data, plots
from helpers.demos.demo import Demo, Drawn, slider

RATE, STEPS = 0.1, 500


def adam_path(sample: torch.Tensor, loc: float, scale: float) -> torch.Tensor:
    """Return where 500 steps of Adam lead, location and scale, shape (501, 2), the start first.

    The scale is softplus of a raw parameter, the learning rate 0.1.

    Args:
        sample: observations, shape (n,).
        loc: location at the start.
        scale: standard deviation at the start, positive.
    """
    start = torch.tensor([loc, scale], dtype=torch.float64)
    start[1] = torch.log(torch.expm1(start[1]))
    parameters = start.requires_grad_(True)
    optimizer = torch.optim.Adam([parameters], lr=RATE)
    path = []
    for _ in range(STEPS + 1):
        now = torch.stack([parameters[0], torch.nn.functional.softplus(parameters[1])])
        path.append(now.detach())
        optimizer.zero_grad()
        (-Normal(now[0], now[1]).log_prob(sample).sum()).backward()
        optimizer.step()
    return torch.stack(path)


def draw_adam(loc: float, scale: float) -> Drawn:
    """Draw Adam's path over the log-likelihood of location and scale, 200 observations.

    Args:
        loc: location at the start.
        scale: standard deviation at the start, positive.
    """
    sample = data.normal("normals: demo", 200)
    locs = torch.linspace(-11, 11, 111, dtype=torch.float64)
    scales = torch.linspace(0.3, 7, 101, dtype=torch.float64)
    cells = Normal(locs[:, None], scales[:, None, None])
    surface = cells.log_prob(sample).mean(-1)  # shape (scales, locs)

    path = adam_path(sample, loc, scale)
    ax = plots.surface(
        locs, scales, surface, "location", "scale", "log-likelihood per observation",
        levels=[-8, -7, -6, -5, -4.5, -4, -3.5, -3, -2.75, -2.5, -2.25, -2, -1.75, -1.5, -1.2],
    )  # fmt: skip
    plots.path(ax, path[:, 0], path[:, 1])
    plots.points(ax, path[::50, 0], path[::50, 1], "every 50th step")
    ax.set(xlim=(-11, 11), ylim=(0.3, 7))
    widest, (end_loc, end_scale) = float(path[:, 1].max()), path[-1].tolist()
    return ax, (
        f"From ({loc:.1f}, {scale:.1f}) Adam comes to ({end_loc:.2f}, {end_scale:.2f}) in {STEPS} "
        f"steps; on its way the scale is {widest:.1f} at most."
    ).replace("-", "−")


def adam() -> Demo:
    """Return Adam's path on the likelihood surface, whose start two sliders move."""
    return Demo(
        "Adam's path",
        draw_adam,
        {
            "loc": slider("first location", -10.0, 10.0, 5.0, 0.5),
            "scale": slider("first scale", 0.5, 6.0, 1.0, 0.1),
        },
    )
