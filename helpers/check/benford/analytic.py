"""Closed forms of sheet 12: the laws of leading digits, and the tests of them."""

import math

import torch

DOUBLE = torch.float64


def benford(base: int, digits: int) -> torch.Tensor:
    """Return the probability of each block of leading digits.

    Where the logarithm's fraction is uniform, a number begins with the block d, read as a whole
    number, with probability log_b(d + 1) − log_b(d) (Benford 1938; Hill 1995). The sum telescopes.

    Args:
        base: of the number system, at least 2.
        digits: length of the block, at least 1.

    Returns:
        float64, one for each block from base^(digits − 1) to base^digits − 1.
    """
    blocks = torch.arange(base ** (digits - 1), base**digits, dtype=DOUBLE)
    return torch.log1p(1 / blocks) / math.log(base)


def lognormal_digits(m: float, s: float) -> torch.Tensor:
    """Return the probabilities of the first digits where log₁₀ x is Normal(m, s), shape (9,).

    The sum over decades k of Φ((k + log₁₀(d + 1) − m)/s) − Φ((k + log₁₀ d − m)/s), nine standard
    deviations to each side.
    """
    decades = torch.arange(math.floor(m - 9 * s) - 1, math.ceil(m + 9 * s) + 1, dtype=DOUBLE)
    edges = torch.arange(1, 11, dtype=DOUBLE).log10()
    below = torch.special.ndtr((decades[:, None] + edges - m) / s)
    return below.diff(dim=1).sum(0)


def lognormal_digits_by_waves(m: float, s: float) -> torch.Tensor:
    """Return the same by its Fourier series: a second derivation, good for s above a tenth.

    The density of the fraction of log₁₀ x is 1 + 2 Σ_k exp(−2π²k²s²) cos 2πk(t − m); integrated
    from log₁₀ d to log₁₀(d + 1) it is Benford's law plus waves.
    """
    edges, k = torch.arange(1, 11, dtype=DOUBLE).log10(), torch.arange(1, 60, dtype=DOUBLE)[:, None]
    height = torch.exp(-2 * (math.pi * k * s) ** 2) / (math.pi * k)
    waves = (height * torch.sin(2 * math.pi * k * (edges - m))).sum(0)
    return edges.diff() + waves.diff()


def upper_tail(statistic: torch.Tensor, degrees: float) -> torch.Tensor:
    """Return the probability that χ² with some degrees of freedom exceeds a statistic."""
    half = torch.as_tensor(degrees / 2, dtype=DOUBLE)
    return torch.special.gammaincc(half, statistic.to(DOUBLE) / 2)


def chi2(counts: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
    """Return Pearson's Σ (observed − expected)²/expected."""
    return ((counts - expected) ** 2 / expected).sum()


def g_statistic(counts: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
    """Return the likelihood-ratio statistic 2 Σ observed · log(observed/expected) = 2n·KL.

    The categorical maximum-likelihood estimate is counts/n; twice the difference of the
    log-likelihoods there and at the law is this (Wilks 1938). Nothing observed adds nothing.
    """
    return 2 * torch.special.xlogy(counts, counts / expected).sum()
