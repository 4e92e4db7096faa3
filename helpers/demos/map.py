"""The demo of sheet 09."""

import torch
from torch.distributions import MultivariateNormal

from helpers import data, plots
from helpers.demos.demo import Demo, Drawn, slider

WEIGHTS = 10  # powers 0 … 9 of t


def weights(tau: float) -> torch.Tensor:
    """Return the most probable weights of the wave's readings under the prior Normal(0, tau)."""
    t, y = data.wave()
    X = t[:, None] ** torch.arange(WEIGHTS)
    penalty = (data.WAVE_NOISE / tau) ** 2 * torch.eye(WEIGHTS, dtype=torch.float64)
    return torch.linalg.solve(X.T @ X + penalty, X.T @ y)


def log_evidence(tau: float) -> float:
    """Return the log density of the wave's readings under the prior Normal(0, tau) of weights."""
    t, y = data.wave()
    X = t[:, None] ** torch.arange(WEIGHTS)
    spread = data.WAVE_NOISE**2 * torch.eye(len(y), dtype=torch.float64) + tau**2 * X @ X.T
    return float(MultivariateNormal(torch.zeros_like(y), spread).log_prob(y))


def draw_prior_width(log_tau: float) -> Drawn:
    """Draw the curve, its weights as bars, and the evidence as a dot on its curve.

    Args:
        log_tau: decimal logarithm of the prior's standard deviation.
    """
    tau = 10.0**log_tau
    t, y = data.wave()
    w = weights(tau)
    fine = torch.linspace(-1, 1, 201, dtype=torch.float64)
    fitted, curve = fine[:, None] ** torch.arange(WEIGHTS) @ w, torch.sin(2.5 * fine)
    left, middle, right = plots.panels(3)
    plots.curves(fine, {"fit": fitted, "curve": curve}, "time t", "reading y", ax=left)
    plots.points(left, t, y, "readings")
    left.set(ylim=(-2, 2))

    middle.bar(range(WEIGHTS), plots.numpy(w), color=plots.SKY)
    middle.axhline(0, color=plots.INK, linewidth=1)
    middle.set_yscale("symlog", linthresh=1)  # the weights grow by orders as the prior widens
    middle.set(xlabel="power of t", ylabel="weight", ylim=(-300, 300), xticks=range(0, WEIGHTS, 3))
    middle.grid(axis="x", visible=False)

    logs = torch.linspace(-1.5, 2, 71, dtype=torch.float64)
    evidence = [log_evidence(10.0 ** float(v)) for v in logs]
    plots.curves(logs, {"log evidence": evidence}, "log₁₀ τ", "log evidence in nats", ax=right)
    reached = log_evidence(tau)
    plots.points(right, log_tau, reached)
    off = float((fitted - curve).square().mean().sqrt())
    return left, (
        f"τ = {tau:.2f}. Left, the fit, {off:.2f} off the curve on average; in the middle its ten "
        f"weights, of length {float(w.norm()):.1f}; right, the log evidence, {reached:.1f}, on its "
        "curve, whose top is the τ that the readings favour."
    ).replace("-", "−")


def prior_width() -> Demo:
    """Return the polynomial, its weights and its evidence, moved by the width of the prior."""
    return Demo(
        "prior_width",
        draw_prior_width,
        {"log_tau": slider("log₁₀ τ", -1.5, 2.0, -1.0, 0.1)},
    )
