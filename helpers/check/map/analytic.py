"""Closed forms of sheet 09: normal likelihoods with normal priors.

The sum of a quadratic log-likelihood and a quadratic log prior is quadratic. Completing the square
gives every posterior here: its precision is the sum of the two precisions, its mean the average of
what the two say, weighted by them (Gelman et al., Bayesian Data Analysis, chapters 2 and 14).
"""

import math

import torch

Tensor = torch.Tensor
DOUBLE = torch.float64


def log_normal(x: Tensor, loc: Tensor | float, scale: float) -> Tensor:
    """Return the log-density of Normal(loc, scale) at x, in the precision of x."""
    return -0.5 * ((x - loc) / scale) ** 2 - math.log(scale) - 0.5 * math.log(2 * math.pi)


def log_joint(theta: Tensor, data: Tensor, scale: float, m: float, tau: float) -> Tensor:
    """Return log-likelihood plus log prior of each mean theta, shape of theta."""
    return log_normal(data, theta[:, None], scale).sum(1) + log_normal(theta, m, tau)


def posterior_mean(data: Tensor, scale: float, m: float, tau: float) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of the posterior of a normal mean."""
    of_data, of_prior = len(data) / scale**2, 1 / tau**2
    precision = torch.tensor(of_data + of_prior, dtype=DOUBLE)
    mean = (of_data * data.to(DOUBLE).mean() + of_prior * m) / precision
    return mean, precision**-0.5


def gram(X: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return XᵀX and Xᵀy in double precision."""
    X, y = X.to(DOUBLE), y.to(DOUBLE)
    return X.T @ X, X.T @ y


def ridge(X: Tensor, y: Tensor, penalty: float, free: bool = False) -> Tensor:
    """Return argmin of ‖y − Xw‖² + penalty·‖w‖², shape (d,).

    Args:
        X: rows of an observation each, shape (n, d).
        y: what is explained, shape (n,).
        penalty: λ.
        free: whether the first weight is left out of the penalty.
    """
    squares, products = gram(X, y)
    return torch.linalg.solve(squares + penalties(len(products), penalty, free), products)


def penalties(d: int, penalty: float, free: bool) -> Tensor:
    """Return λD: the penalty on the diagonal, without the first weight where that is free."""
    diagonal = torch.full((d,), float(penalty), dtype=DOUBLE)
    if free:
        diagonal[0] = 0.0
    return diagonal.diag()


def weights_posterior(
    X: Tensor, y: Tensor, scale: float, tau: float, free: bool = False
) -> tuple[Tensor, Tensor]:
    """Return mean and covariance of the weights, each with the prior Normal(0, tau)."""
    penalty = (scale / tau) ** 2
    squares, products = gram(X, y)
    inverse = torch.linalg.inv(squares + penalties(len(products), penalty, free))
    return inverse @ products, scale**2 * inverse


def minus_log_posterior(w: Tensor, X: Tensor, y: Tensor, scale: float, tau: float) -> Tensor:
    """Return minus the log posterior of weights of which the first is free, up to a constant."""
    misfit = ((y.to(DOUBLE) - X.to(DOUBLE) @ w) ** 2).sum() / (2 * scale**2)
    return misfit + (w[1:] ** 2).sum() / (2 * tau**2)


def log_evidence(X: Tensor, y: Tensor, scale: float, tau: float) -> Tensor:
    """Return log N(y; 0, scale² I + tau² XXᵀ)."""
    spread = scale**2 * torch.eye(len(y), dtype=DOUBLE) + tau**2 * X.to(DOUBLE) @ X.to(DOUBLE).T
    lower = torch.linalg.cholesky(spread)
    z = torch.linalg.solve_triangular(lower, y.to(DOUBLE)[:, None], upper=False)
    return -0.5 * (z**2).sum() - lower.diagonal().log().sum() - 0.5 * len(y) * math.log(2 * math.pi)
