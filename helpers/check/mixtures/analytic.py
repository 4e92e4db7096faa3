"""Closed forms and references of sheet 06: one Beta, a mixture of Betas, and their optima."""

from collections.abc import Callable

import torch
from torch.nn.functional import softplus


def beta_mle(x: torch.Tensor) -> torch.Tensor:
    """Return the maximum-likelihood parameters (a, b) of one Beta distribution.

    log p = (a − 1) log x + (b − 1) log(1 − x) + lnΓ(a + b) − lnΓ(a) − lnΓ(b), so the mean score
    vanishes where ψ(a) − ψ(a+b) = mean log x and ψ(b) − ψ(a+b) = mean log(1 − x). The
    log-likelihood of this exponential family is strictly concave in (a, b): one solution.

    Args:
        x: observations strictly between 0 and 1, not all equal, shape (n,).

    Returns:
        float64 tensor (a, b), see :func:`solve_scores` for its error.
    """
    return solve_scores(*mean_logs(x))


def mean_logs(x: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Return the means of log x and of log(1 − x), weighted where weights are given, shape (2,)."""
    x = x.to(torch.float64)
    logs = torch.stack([torch.log(x), torch.log1p(-x)])
    return logs.mean(1) if weights is None else logs @ weights / weights.sum()


def solve_scores(
    log_x: torch.Tensor, log_rest: torch.Tensor, steps: int = 60, start: float = 0.01
) -> torch.Tensor:
    """Solve ψ(a) − ψ(a+b) = log_x and ψ(b) − ψ(a+b) = log_rest by Newton's method.

    It starts below the solution, from where each step falls short and none jumps over; some twenty
    steps are enough. A step that would make a parameter negative is halved.

    Args:
        log_x: mean of log x.
        log_rest: mean of log(1 − x), with exp(log_x) + exp(log_rest) < 1.
        steps: most Newton steps.
        start: where a and b begin.

    Raises:
        ValueError: means that no sample has, or one whose values are all equal.

    Returns:
        float64 tensor (a, b), exact to a relative 1e-10 for parameters from 0.02 to 100 (tested).
    """
    target = torch.stack([log_x, log_rest]).to(torch.float64)
    if not float(target.exp().sum()) < 1 - 1e-12:
        raise ValueError("these are the means of no sample: the equations have no solution")
    ab = torch.full((2,), start, dtype=torch.float64)
    for _ in range(steps):
        score = target - (torch.digamma(ab) - torch.digamma(ab.sum()))
        curvature = torch.diag(torch.polygamma(1, ab)) - torch.polygamma(1, ab.sum())
        move = torch.linalg.solve(curvature, score)
        for _ in range(60):
            if bool((ab + move > 0).all()):
                break
            move = move / 2
        ab = ab + move
        if not bool((ab > 0).all() and ab.isfinite().all()):
            raise ValueError("these means are those of values that hardly differ")
        if bool((move.abs() < 1e-14 * ab).all()):
            break
    return ab


def beta_moments(x: torch.Tensor, correction: int = 0) -> torch.Tensor:
    """Return (a, b) by the method of moments: mean m, variance v, a + b = m(1 − m)/v − 1."""
    m, v = x.mean(), x.var(correction=correction)
    both = m * (1 - m) / v - 1
    return torch.stack([m * both, (1 - m) * both])


def parameters(raw: torch.Tensor) -> torch.Tensor:
    """Return (a, b, weight) of each component: softplus for a and b, softmax over the weights.

    Args:
        raw: unconstrained parameters, a row for each component, shape (k, 3).
    """
    weights = torch.softmax(raw[:, 2], dim=0)
    return torch.cat([softplus(raw[:, :2]), weights[:, None]], dim=1)


def joint(params: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return log weight + log density of every component at every observation.

    Args:
        params: (a, b, weight) of each component, shape (k, 3); weights are used as they are.
        x: observations in [0, 1], shape (n,).

    Returns:
        Tensor of shape (n, k); −∞ at 0 and 1 where the density vanishes, never NaN for a, b > 0.
    """
    a, b, weight = params.unbind(1)
    powers = torch.xlogy(a - 1, x[:, None]) + torch.xlogy(b - 1, 1 - x[:, None])
    return powers + torch.lgamma(a + b) - torch.lgamma(a) - torch.lgamma(b) + torch.log(weight)


def mixture_log_prob(params: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return log Σ weight · Beta(x | a, b), shape (n,); arguments as for :func:`joint`."""
    return torch.logsumexp(joint(params, x), dim=1)


def responsibilities(params: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return P(component | x) by Bayes' rule, shape (n, k); arguments as for :func:`joint`."""
    return torch.softmax(joint(params, x), dim=1)


def mixture_optimum(x: torch.Tensor, start: torch.Tensor, steps: int = 50) -> torch.Tensor:
    """Return the local optimum of a mixture of Betas, by Newton's method from a start in float64.

    The coordinates are log a, log b of each component and log(weight / last weight), in which the
    mean negative log-likelihood is smooth; steps that do not lower it are halved.

    Args:
        x: observations strictly between 0 and 1, shape (n,).
        start: (a, b, weight) of each component, near the optimum, shape (k, 3).
        steps: most Newton steps.

    Returns:
        (a, b, weight) of each component, shape (k, 3); the gradient there is below 1e-9 (tested).
    """
    x, start, k = x.to(torch.float64), start.to(torch.float64), len(start)

    def unpack(z: torch.Tensor) -> torch.Tensor:
        weights = torch.softmax(torch.cat([z[2 * k :], z.new_zeros(1)]), dim=0)
        return torch.cat([z[: 2 * k].exp().reshape(k, 2), weights[:, None]], dim=1)

    def loss(z: torch.Tensor) -> torch.Tensor:
        return -mixture_log_prob(unpack(z), x).mean()

    odds = torch.log(start[:-1, 2] / start[-1, 2])
    z = torch.cat([start[:, :2].log().flatten(), odds])
    for _ in range(steps):
        tracked = z.clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(loss(tracked), tracked)
        if slope.abs().max() < 1e-11:
            break
        move = torch.linalg.solve(torch.autograd.functional.hessian(loss, z), slope)
        while loss(z - move) > loss(z) and move.abs().max() > 1e-15:
            move = move / 2
        z = z - move
    return unpack(z)


def mean_loss(raw: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return the mean negative log-likelihood of a mixture in unconstrained parameters."""
    return -mixture_log_prob(parameters(raw), x).mean()


def solve_many(means: torch.Tensor, steps: int = 25) -> torch.Tensor:
    """Return what :func:`solve_scores` returns, for many pairs of means at once.

    Args:
        means: means of log x and of log(1 − x), shape (..., 2).
        steps: Newton steps.

    Returns:
        a and b, shape (..., 2); NaN where there is no solution.
    """
    ab = torch.full_like(means, 0.01)
    for _ in range(steps):
        score = means - torch.digamma(ab) + torch.digamma(ab.sum(-1, keepdim=True))
        slopes = torch.polygamma(1, ab)
        shared = torch.polygamma(1, ab.sum(-1, keepdim=True))
        # (D − c 11ᵀ)⁻¹ s = s/D + (1/D) c Σ(s/D) / (1 − c Σ 1/D), by Sherman and Morrison.
        both = (score / slopes).sum(-1, keepdim=True)
        ab = (
            ab
            + (score + shared * both / (1 - shared * (1 / slopes).sum(-1, keepdim=True))) / slopes
        )
    return ab


def em(
    components: torch.Tensor,
    x: torch.Tensor,
    steps: int = 1,
    shares: Callable[[torch.Tensor], torch.Tensor] = lambda joint: joint.softmax(-1),
    shapes: Callable[[torch.Tensor], torch.Tensor] = solve_many,
    weights: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> torch.Tensor:
    """Make steps of the EM algorithm, from one start or from many at once.

    Given the shares r, the expected complete log-likelihood Σᵢ Σₖ rᵢₖ [log wₖ + log pₖ(xᵢ)] is
    highest at wₖ = mean of rᵢₖ, and where each component's scores vanish at its weighted means of
    logs (Dempster, Laird and Rubin 1977).

    Args:
        components: (a, b, weight) of each component, shape (..., k, 3).
        x: observations strictly between 0 and 1, shape (n,).
        steps: how many.
        shares: makes shares, shape (..., n, k), of log weight + log density.
        shapes: solves for a and b, from the weighted means of log x and log(1 − x).
        weights: makes the new weights of the old ones, where not those of EM.

    Returns:
        The new components, of the shape of the old.
    """
    x = x.to(torch.float64)
    logs = torch.stack([torch.log(x), torch.log1p(-x)], dim=1)
    for _ in range(steps):
        a, b, w = (c.unsqueeze(-2) for c in components.to(torch.float64).unbind(-1))
        density = (a - 1) * logs[:, :1] + (b - 1) * logs[:, 1:] + torch.lgamma(a + b)
        r = shares(density - torch.lgamma(a) - torch.lgamma(b) + w.log())
        ab = shapes(r.mT @ logs / r.sum(-2).unsqueeze(-1))
        new = r.mean(-2) if weights is None else weights(components[..., 2])
        components = torch.cat([ab, new.unsqueeze(-1)], dim=-1)
    return components
