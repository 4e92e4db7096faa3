"""Closed forms of sheet 10: a linear model with a normal prior, and the members of its ensemble.

Targets y = Xw + noise with standard deviation sigma, weights w ~ Normal(0, tau² I). Minus the log
posterior is ‖y − Xw‖²/2σ² + ‖w‖²/2τ², so the posterior has the precision P = XᵀX/σ² + I/τ², the
covariance P⁻¹ and the mean P⁻¹Xᵀy/σ². A member minimises the same with y + noise in the place of y
and w − draw in the place of w; its minimum is linear in both, with mean P⁻¹Xᵀy/σ² and covariance
P⁻¹(XᵀX/σ² + I/τ²)P⁻¹ = P⁻¹: it is a draw from the posterior (Osband, Aslanides and Cassirer, 2018).
"""

import torch

Tensor = torch.Tensor


def member(
    X: Tensor, y: Tensor, sigma: float, tau: float, noise: Tensor, draw: Tensor
) -> Tensor:  # fmt: skip
    """Return the weights of one member, by what its targets say of weights that it drew.

    Before the targets are seen w ~ Normal(draw, τ²I), so y + noise has the mean X·draw and the
    covariance τ²XXᵀ + σ²I, and its covariance with w is τ²Xᵀ: no normal equations.
    """
    of_targets = tau**2 * X @ X.T + sigma**2 * torch.eye(len(y), dtype=X.dtype)
    return draw + tau**2 * X.T @ torch.linalg.solve(of_targets, y + noise - X @ draw)


def pulled(
    X: Tensor, y: Tensor, ridge: float, noise: float, draw: float
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return mean and covariance of members that minimise ‖y + ε − Xw‖² + ridge·‖w − w̃‖².

    Args:
        X: inputs, shape (n, d).
        y: targets, shape (n,).
        ridge: weight of the pull; σ²/τ² in a right member.
        noise: standard deviation of ε.
        draw: standard deviation of w̃.
    """
    eye = torch.eye(X.shape[1], dtype=X.dtype)
    inverse = torch.linalg.inv(X.T @ X + ridge * eye)
    spread = noise**2 * X.T @ X + (ridge * draw) ** 2 * eye
    return inverse @ X.T @ y, inverse @ spread @ inverse


def posterior(X: Tensor, y: Tensor, sigma: float, tau: float) -> tuple[Tensor, Tensor]:
    """Return mean and covariance of the posterior of the weights."""
    precision = X.T @ X / sigma**2 + torch.eye(X.shape[1], dtype=X.dtype) / tau**2
    covariance = torch.linalg.inv(precision)
    return covariance @ X.T @ y / sigma**2, covariance


def unique_share(n: int) -> float:
    """Return which share of n observations occurs in a bootstrap sample of them, on average."""
    return 1 - (1 - 1 / n) ** n
