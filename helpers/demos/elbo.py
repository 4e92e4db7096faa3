"""The demo of sheet 08."""

import torch
from torch.distributions import Normal
from torch.nn.functional import logsigmoid

from helpers import plots
from helpers.demos.demo import Demo, Drawn, slider
from helpers.quadrature import trapezoid

FLOOR = -10.0  # where the bars begin; no ELBO within reach of the sliders is lower


def parts(mu: float, sigma: float) -> tuple[float, float, float]:
    """Return ELBO, gap and log evidence of the sheet's five flips for q = Normal(mu, sigma).

    ELBO and gap are integrals of their own, by trapezoids over mu ± 8 sigma; the gap is not the
    difference of the other two. The posterior of y is the joint density times 60.
    """
    q, evidence = Normal(mu, sigma), -torch.tensor(60.0, dtype=torch.float64).log()

    def elbo_part(y: torch.Tensor) -> torch.Tensor:
        log_q = q.log_prob(y)
        return log_q.exp() * (_log_joint(y) - log_q)

    def gap_part(y: torch.Tensor) -> torch.Tensor:
        log_q = q.log_prob(y)
        return log_q.exp() * (log_q - (_log_joint(y) - evidence))

    low, high = mu - 8 * sigma, mu + 8 * sigma
    elbo, gap = trapezoid(elbo_part, low, high), trapezoid(gap_part, low, high)
    return float(elbo), float(gap), float(evidence)


def _log_joint(y: torch.Tensor) -> torch.Tensor:
    """Return the log joint density of y and two heads and three tails."""
    return 3 * logsigmoid(y) + 4 * logsigmoid(-y)


def draw_elbo_and_gap(mu: float, sigma: float) -> Drawn:
    """Draw q beside the posterior, and the ELBO with the gap stacked on it up to the log evidence.

    Args:
        mu: location of q, on the logit scale.
        sigma: standard deviation of q, positive.
    """
    elbo, gap, evidence = parts(mu, sigma)
    y = torch.linspace(-6, 6, 481, dtype=torch.float64)
    left, right = plots.panels(2)
    densities = {
        "posterior": (_log_joint(y) - evidence).exp(),
        "q": Normal(mu, sigma).log_prob(y).exp(),
    }
    plots.curves(y, densities, "y, logit of θ", "density", ax=left)
    left.set_ylim(0, 1.05)

    right.bar(0, elbo - FLOOR, bottom=FLOOR, color=plots.SKY, width=0.5)
    right.bar(0, gap, bottom=elbo, color=plots.ORANGE, width=0.5, hatch="//", edgecolor="white")
    right.axhline(evidence, color="black", linewidth=1.5)
    labels = {
        f"log evidence {evidence:.3f}": evidence + 0.3,
        f"gap {gap:.3f}": min((elbo + evidence) / 2, evidence - 0.35),
        f"ELBO {elbo:.3f}": (elbo + FLOOR) / 2,
    }
    for label, height in labels.items():
        right.text(0.32, height, label.replace("-", "−"), va="center", fontsize=11)
    right.set(xlim=(-0.5, 1.2), ylim=(FLOOR, -3.4), xticks=[], ylabel="ELBO and gap, in nats")
    right.grid(axis="x", visible=False)
    return left, (
        f"Left, q = Normal({mu:.2f}, {sigma:.2f}) and the posterior of five flips. Right, the ELBO "
        f"of {elbo:.3f} and on top of it the gap of {gap:.3f}, together up to the log evidence, "
        f"{evidence:.3f}."
    ).replace("-", "−")


def elbo_and_gap() -> Demo:
    """Return the two bars that two sliders move against each other under a fixed line."""
    return Demo(
        "elbo_and_gap",
        draw_elbo_and_gap,
        {
            "mu": slider("location μ of q", -2.0, 2.0, -1.0, 0.05),
            "sigma": slider("deviation σ of q", 0.4, 2.5, 1.0, 0.05),
        },
    )
