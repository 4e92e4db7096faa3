"""The demo of sheet 06."""

import torch
from torch.distributions import Beta, Categorical, MixtureSameFamily
from torch.nn.functional import softplus

from helpers import data, plots
from helpers.demos.demo import Demo, Drawn, slider


def _mixture(raw: torch.Tensor) -> MixtureSameFamily:
    """Return the mixture of a tensor of rows (raw a, raw b, raw weight), as in the sheet."""
    ab = softplus(raw[:, :2])
    weights = torch.softmax(raw[:, 2], dim=0)
    return MixtureSameFamily(Categorical(weights), Beta(ab[:, 0], ab[:, 1]))


def draw_start_number(number: float) -> Drawn:
    """Draw where Adam goes in 150 epochs from one of the sheet's wild starts.

    Args:
        number: which start, from 1 to 20.
    """
    number = round(number)
    few = data.two_peaks()[:200]
    starts = torch.randn(50, 2, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    raw = starts[number - 1].clone().requires_grad_(True)
    grid = torch.linspace(0.005, 0.995, 199, dtype=torch.float64)
    before = _mixture(raw).log_prob(grid).exp()
    optimizer, losses = torch.optim.Adam([raw], lr=1.0), []
    for _ in range(150):
        optimizer.zero_grad()
        loss = -_mixture(raw).log_prob(few).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    left, right = plots.panels(2)
    densities = {"start": (grid, before), "end": (grid, _mixture(raw).log_prob(grid).exp())}
    plots.histogram(few, "observation x", densities, bins=25, ax=left)
    left.set_ylim(0, 5)
    plots.curves(range(1, 151), {"": losses}, "epoch", "mean loss in nats", ax=right)
    right.set_ylim(-0.6, 0.6)
    weights = torch.softmax(raw[:, 2], dim=0)
    ab = softplus(raw[:, :2])
    ends = " and ".join(
        f"Beta({a:.1f}, {b:.1f}) with weight {w:.2f}"
        for (a, b), w in zip(ab.tolist(), weights.tolist(), strict=True)
    )
    found = "both hills" if losses[-1] < -0.3 else "stuck where a single Beta would be"
    return left, f"Start {number} ends at loss {losses[-1]:.2f}, {found}: {ends}.".replace("-", "−")


def start_number() -> Demo:
    """Return runs from twenty random starts, one for each place of a slider."""
    control = slider("start number", 1, 20, 1, 1)
    return Demo("start number", draw_start_number, {"number": control})
