"""Closed forms and references of sheet 07: KL divergence, mode-seeking and mass-covering."""

import math
from collections.abc import Callable

import torch
from torch.distributions import Distribution, Normal

from helpers.check.normal_facts import normal_kl
from helpers.quadrature import trapezoid_with_error

__all__ = [
    "covering_excess",
    "log_ratio_cumulants",
    "mixture_moments",
    "normal_kl",
    "seeking_kl",
    "seeking_optimum",
]


def log_ratio_cumulants(
    loc_p: float, scale_p: float, loc_q: float, scale_q: float
) -> tuple[float, float, float]:
    """Return mean, variance and fourth cumulant of log p(x)/q(x) for x drawn from p, two normals.

    With z = (x − loc_p)/scale_p, r = scale_p/scale_q and d = (loc_p − loc_q)/scale_q the log-ratio
    is a (z² − 1) + b z + KL(p‖q), where a = (r² − 1)/2 and b = r d. The cumulant function of
    a (z² − 1) + b z is −at − ½ log(1 − 2at) + b²t²/(2(1 − 2at)); its Taylor coefficients give the
    variance 2a² + b² and the fourth cumulant 48a²(a² + b²).
    """
    r, d = scale_p / scale_q, (loc_p - loc_q) / scale_q
    a, b = (r**2 - 1) / 2, r * d
    kl = normal_kl(loc_p, scale_p, loc_q, scale_q)
    return kl, 2 * a**2 + b**2, 48 * a**2 * (a**2 + b**2)


def mixture_moments(
    weights: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor
) -> tuple[float, float]:
    """Return mean and standard deviation of a mixture of normals: the q nearest in KL(p‖q).

    E_p[−log q] = log scale + ½ log 2π + E_p[(x − loc)²]/(2 scale²) is least at loc = E_p[x] and
    scale² = E_p[(x − loc)²], which for a mixture is Σ w (s² + (m − loc)²).

    Args:
        weights: weights of the components, positive with sum 1, shape (k,).
        locs: their means, shape (k,).
        scales: their standard deviations, shape (k,).
    """
    w, m, s = (v.to(torch.float64) for v in (weights, locs, scales))
    mean = (w * m).sum()
    return float(mean), float((w * (s**2 + (m - mean) ** 2)).sum().sqrt())


def covering_excess(loc: float, scale: float, best: tuple[float, float]) -> float:
    """Return how much KL(p‖q) exceeds its minimum over normals q, in nats.

    For q = Normal(loc, scale), E_p[−log q] depends on p through its mean and variance only, so p
    may be replaced by the normal that has them: the excess is KL(Normal(*best)‖q).

    Args:
        loc: location of q.
        scale: standard deviation of q; the excess is infinite where it is not positive.
        best: mean and standard deviation of p.
    """
    if not (math.isfinite(loc) and 0 < scale < math.inf):
        return math.inf
    return normal_kl(*best, loc, scale)


# Quadrature of KL(q‖p) runs over 12 standard deviations of q to each side, where q has 4e-33 left.
SPAN, NODES = 12.0, 801


def seeking_kl(
    p: Distribution,
    loc: torch.Tensor,
    scale: torch.Tensor,
    span: float = SPAN,
    of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = torch.sub,
) -> torch.Tensor:
    """Return KL(q‖p) = E_q[log q − log p] in nats for q = Normal(loc, scale), by quadrature.

    Args:
        p: target, a distribution on the whole line with parameters in float64.
        loc: location of q, a float64 tensor of any shape S.
        scale: standard deviation of q, of the same shape.
        span: half the range of integration, in standard deviations of q.
        of: what is averaged over q, of log q and log p: the first less the second.

    Returns:
        float64 tensor of shape S; gradients reach loc and scale.
    """
    log_q_at = Normal(0.0, 1.0).log_prob

    def integrand(z: torch.Tensor) -> torch.Tensor:
        nodes = z.reshape(-1, *[1] * loc.ndim)
        log_q = log_q_at(nodes) - scale.log()
        return log_q_at(nodes).exp() * of(log_q, p.log_prob(loc + scale * nodes))

    return trapezoid_with_error(integrand, -span, span, NODES).value


def seeking_optimum(
    p: Distribution,
    loc: float,
    scale: float,
    span: float = SPAN,
    of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = torch.sub,
) -> tuple[float, float]:
    """Return the normal q at the bottom of the valley of KL(q‖p) that a start lies in.

    Newton's method on (loc, log scale) in float64, with the Hessian's eigenvalues made positive and
    the step halved until KL falls, so that it stays in the valley and ends where the gradient is 0.

    Args:
        p: target, a distribution on the whole line with parameters in float64.
        loc: where to start.
        scale: standard deviation to start with, positive.
        span: half the range of integration, in standard deviations of q.
        of: what is averaged over q; see :func:`seeking_kl`.

    Returns:
        (loc, scale) of the local optimum.
    """
    at = torch.tensor([loc, math.log(scale)], dtype=torch.float64)

    def kl(t: torch.Tensor) -> torch.Tensor:
        return seeking_kl(p, t[0], t[1].exp(), span, of)

    for _ in range(40):
        free = at.requires_grad_(True)
        value = kl(free)
        (slopes,) = torch.autograd.grad(value, free, create_graph=True)
        rows = [torch.autograd.grad(slope, free, retain_graph=True)[0] for slope in slopes]
        gradient, hessian, at = slopes.detach(), torch.stack(rows), free.detach()
        values, vectors = torch.linalg.eigh(hessian)
        curvature = values.abs().clamp(min=1e-3)
        step = -vectors @ ((vectors.T @ gradient) / curvature)
        step = step * min(1.0, 0.5 * float(at[1].exp()) / max(1e-300, float(step.abs().max())))
        here, slope = float(value.detach()), float(gradient @ step)
        # A step below 1e-5 lowers KL by less than rounding lets one see, and needs no caution.
        while float(step.abs().max()) > 1e-5 and float(kl(at + step)) - here > 0.1 * slope:
            step, slope = step / 2, slope / 2
        at = at + step
        if float(step.abs().max()) < 1e-9:
            break
    return float(at[0]), float(at[1].exp())
