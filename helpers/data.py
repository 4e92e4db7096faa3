"""The data of every sheet, drawn with explicit generators.

At a desk everyone has the same practice data. Where the environment variable ``COURSE_DATA_SEED``
is set, as it is while an answer is graded, the same calls give fresh data: an answer that works out
its result keeps passing, a copied or typed-in number does not.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from contextvars import ContextVar

import numpy as np
import torch

from helpers import glyphs

PRACTICE_SEED = 0
_seed: ContextVar[int | None] = ContextVar("data seed", default=None)


def seed() -> int:
    """Return the data seed: that of :func:`seeded`, else ``COURSE_DATA_SEED``, else practice's."""
    chosen = _seed.get()
    return int(os.environ.get("COURSE_DATA_SEED") or PRACTICE_SEED) if chosen is None else chosen


@contextlib.contextmanager
def seeded(chosen: int) -> Iterator[None]:
    """Set the data seed for what is drawn inside: the judge draws what the answer drew.

    Args:
        chosen: the data seed; the environment is not asked.
    """
    token = _seed.set(chosen)
    try:
        yield
    finally:
        _seed.reset(token)


def is_practice() -> bool:
    """Return whether the data are everyone's practice data, not fresh data of a grading run."""
    return seed() == PRACTICE_SEED


def generator(name: str) -> torch.Generator:
    """Return a generator of its own for each name, so that one draw never shifts another.

    Args:
        name: what is drawn, such as ``"sgd: sample"``; the same name and data seed give the
            same numbers.

    Returns:
        A CPU generator, seeded from the name and :func:`seed`.
    """
    digest = hashlib.sha256(f"{seed()}/{name}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def normal(
    name: str, n: int, loc: float = 0.0, scale: float = 1.0, dtype: torch.dtype = torch.float64
) -> torch.Tensor:
    """Draw n independent values from a normal distribution.

    Args:
        name: names the draw, see :func:`generator`.
        n: number of observations.
        loc: mean of the distribution.
        scale: standard deviation of the distribution, positive.
        dtype: floating-point type of the result.

    Returns:
        Tensor of shape (n,).
    """
    draws = torch.randn(n, generator=generator(name), dtype=torch.float64)
    return (loc + scale * draws).to(dtype)


def uniform(name: str, n: int, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
    """Draw n independent values, uniform on [low, high), as a float64 tensor of shape (n,)."""
    draws = torch.rand(n, generator=generator(name), dtype=torch.float64)
    return low + (high - low) * draws


# --- 01 autodiff -------------------------------------------------------------------------------


def river(n: int = 60) -> torch.Tensor:
    """Return the level of a river on n days in cm, float64 of shape (n,): a walk, read with noise.

    The level drifts by 0.6 cm a day, standard deviation, and each reading is off by 1 cm.
    """
    level = 20 + normal("autodiff: drift", n, 0.0, 0.6).cumsum(0)
    return level + normal("autodiff: reading", n)


# --- 03 sgd ------------------------------------------------------------------------------------

# Mean and 1/n variance of the sample that the sheet's tutorial was run on. Its whole table depends
# on the sample through these two numbers only, so a sample that has them gives the table again.
TUTORIAL_MEAN, TUTORIAL_VARIANCE = -0.00150459, 1.01391813


def sgd_sample(location: float = 0.0, n: int = 10000) -> torch.Tensor:
    """Draw n observations from a normal distribution with standard deviation 1.

    At a desk, the sample of 10000 is shifted and scaled to the mean and the 1/n variance of the
    tutorial's sample; fresh data keep the mean and the variance that they were drawn with.

    Args:
        location: true mean of the distribution.
        n: number of observations.

    Returns:
        float64 tensor of shape (n,).
    """
    draws = normal(f"sgd: sample of {n}", n)
    if is_practice() and n == 10000:
        draws = (draws - draws.mean()) / draws.std(correction=0)
        draws = TUTORIAL_MEAN + TUTORIAL_VARIANCE**0.5 * draws
    return location + draws


def sgd_wide() -> torch.Tensor:
    """Draw 400 observations around 20, with standard deviation 3; float64 of shape (400,)."""
    return normal("sgd: wide data", 400, 20.0, 3.0)


def flips(name: str, n: int, share: float) -> torch.Tensor:
    """Draw n coin flips, 1 with probability share and else 0, as a float64 tensor of shape (n,)."""
    return (uniform(name, n) < share).to(torch.float64)


def waits(name: str, n: int, rate: float) -> torch.Tensor:
    """Draw n waiting times, exponential with a rate in events per unit of time, shape (n,)."""
    return -torch.log1p(-uniform(name, n)) / rate


def counts(name: str, n: int, rate: float) -> torch.Tensor:
    """Draw n Poisson counts with mean rate, whole numbers as a float64 tensor of shape (n,)."""
    return torch.poisson(torch.full((n,), rate, dtype=torch.float64), generator=generator(name))


# --- 05 constraints ----------------------------------------------------------------------------


def stars() -> torch.Tensor:
    """Count one, two and three stars from 70 guests before a change and 260 after it.

    A guest's opinion is logistic, 0.9 higher after the change; two stars are between −1 and 0.8.

    Returns:
        float64 tensor of shape (2, 3): before and after, by stars.
    """
    counts = []
    for group, guests, shift in [("before", 70, 0.0), ("after", 260, 0.9)]:
        opinions = uniform(f"constraints: {group}", guests).logit() + shift
        below = [int((opinions < c).sum()) for c in (-1.0, 0.8)]
        counts.append([below[0], below[1] - below[0], guests - below[1]])
    return torch.tensor(counts, dtype=torch.float64)


# --- 06 mixtures -------------------------------------------------------------------------------


def beta_draws(name: str, n: int, a: float, b: float) -> torch.Tensor:
    """Draw n independent values from Beta(a, b), as a float64 tensor of shape (n,)."""
    rng = np.random.default_rng(generator(name).initial_seed())
    return torch.as_tensor(rng.beta(a, b, n))


def two_peaks(n: int = 10000) -> torch.Tensor:
    """Draw from Beta(10, 1.5) and Beta(1.5, 10), a coin deciding each time which of the two.

    At a desk, the sample of 10000 is the very one of the sheet's tutorial: NumPy's generator with
    seed 0 draws coins, then both Betas. Fresh data come from the same calls with another seed.

    Args:
        n: number of observations.

    Returns:
        float64 tensor of shape (n,), between 0 and 1.
    """
    own = 0 if is_practice() and n == 10000 else generator(f"mixtures: {n}").initial_seed()
    rng = np.random.default_rng(own)
    coin, high, low = rng.binomial(1, 0.5, n), rng.beta(10, 1.5, n), rng.beta(1.5, 10, n)
    return torch.as_tensor(coin * high + (1 - coin) * low)


# --- 04 normals --------------------------------------------------------------------------------

# What the tutorial's printed losses say about its samples, to more digits than its estimates: mean
# and 1/n variance of the first, mean and 1/n covariance of the second. Every run in it depends on
# the data through these numbers only, so samples that have them give its tables again.
NORMALS_MEAN, NORMALS_VARIANCE = -0.0173946, 1.0097441
NORMALS_PAIRS_MEAN = (0.0090449, -0.0074197)
NORMALS_PAIRS_COVARIANCE = ((1.0582160, 0.4562852), (0.4562852, 1.7320359))


def normals_sample() -> torch.Tensor:
    """Draw the 10000 observations of sheet 04, normal with standard deviation 1.

    At a desk they are shifted and scaled to the mean and the 1/n variance of the tutorial's sample.
    Fresh data have a location of their own, which no number typed in meets.

    Returns:
        float64 tensor of shape (10000,).
    """
    draws = normal("normals: sample", 10000)
    if not is_practice():
        return draws + uniform("normals: location", 1, 0.3, 0.7)
    draws = (draws - draws.mean()) / draws.std(correction=0)
    return NORMALS_MEAN + NORMALS_VARIANCE**0.5 * draws


def normals_pairs() -> torch.Tensor:
    """Draw the 1000 pairs of sheet 04: mean (0, 0), covariance [[1, 0.5], [0.5, 2]].

    At a desk they are moved to the mean and the 1/n covariance of the tutorial's sample.

    Returns:
        float64 tensor of shape (1000, 2).
    """
    truth = torch.tensor([[1.0, 0.5], [0.5, 2.0]], dtype=torch.float64)
    draws = normal("normals: pairs", 2000).reshape(1000, 2)
    if not is_practice():
        return draws @ torch.linalg.cholesky(truth).T
    draws = draws - draws.mean(dim=0)
    spread = torch.linalg.cholesky(draws.T @ draws / len(draws))
    white = torch.linalg.solve_triangular(spread, draws.T, upper=False).T
    wanted = torch.tensor(NORMALS_PAIRS_COVARIANCE, dtype=torch.float64)
    mean = torch.tensor(NORMALS_PAIRS_MEAN, dtype=torch.float64)
    return mean + white @ torch.linalg.cholesky(wanted).T


def rows(name: str, n: int, loc: list[float], factor: list[list[float]]) -> torch.Tensor:
    """Draw n rows loc + factor · z, z standard normal, as a float64 tensor of shape (n, d)."""
    z = normal(name, n * len(loc)).reshape(n, len(loc))
    wide = torch.tensor(factor, dtype=torch.float64)
    return torch.tensor(loc, dtype=torch.float64) + z @ wide.T


# --- 07 kl -------------------------------------------------------------------------------------


def kl_sample(n: int = 20_000) -> torch.Tensor:
    """Draw from 0.4 Normal(−1, 0.75) + 0.6 Normal(4, 0.5), as a float64 tensor of shape (n,)."""
    right = flips("kl: which peak", n, share=0.6) == 1
    return torch.where(
        right, normal("kl: right peak", n, 4.0, 0.5), normal("kl: left peak", n, -1.0, 0.75)
    )


# --- 09 map ------------------------------------------------------------------------------------


def line(
    name: str, n: int, intercept: float, slope: float, scale: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw n points about a line over hours of light, between 6 and 14 hours a day.

    Args:
        name: names the draw, see :func:`generator`.
        n: number of points.
        intercept: height of the line at no light, in cm.
        slope: cm for each hour of light.
        scale: standard deviation of the points about the line, in cm.

    Returns:
        Tuple (hours, heights), float64 tensors of shape (n,).
    """
    hours = uniform(f"{name}: hours", n, 6.0, 14.0)
    return hours, intercept + slope * hours + normal(f"{name}: noise", n, 0.0, scale)


WAVE_NOISE = 0.3


def wave(n: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    """Return n evenly spaced times t in [−1, 1], and sin(2.5 t) read with a noise of 0.3.

    Returns:
        Tuple (t, y), float64 tensors of shape (n,).
    """
    t = torch.linspace(-1, 1, n, dtype=torch.float64)
    return t, torch.sin(2.5 * t) + normal("map: twelve", n, 0.0, WAVE_NOISE)


# --- 10 priors ---------------------------------------------------------------------------------


def gap(n: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw n points of a curve on two stretches with a gap between them.

    Three fifths lie between −0.9 and −0.3, the others between 0.4 and 0.8; the noise of y has the
    standard deviation 0.1.

    Args:
        n: number of points.

    Returns:
        x, in ascending order, and y, float64 tensors of shape (n,).
    """
    left = 3 * n // 5
    x = torch.cat([
        uniform("priors: left", left, -0.9, -0.3), uniform("priors: right", n - left, 0.4, 0.8)
    ]).sort().values  # fmt: skip
    return x, x * torch.sin(3 * x) + x / 2 + normal("priors: noise", n, 0.0, 0.1)


def five_targets() -> torch.Tensor:
    """Draw y at x = −1, −0.5, …, 1 from a line with prior weights and standard normal noise.

    Returns:
        float64 tensor of shape (5,).
    """
    x = torch.linspace(-1, 1, 5, dtype=torch.float64)
    intercept, slope = normal("priors: weights", 2, 0.0, 0.7)
    return intercept + slope * x + normal("priors: targets", 5)


# --- 12 benford --------------------------------------------------------------------------------


def magnitudes(name: str, n: int, m: float, s: float) -> torch.Tensor:
    """Draw n positive numbers whose decimal logarithm is Normal(m, s), float64 of shape (n,)."""
    return 10 ** normal(name, n, m, s)


def sentences(name: str, n: int) -> list[str]:
    """Return n short lines about towns, lakes, schools and persons, each with one number.

    At a desk, populations are 10^u with u uniform on (2, 7), areas with u uniform on (1, 5), years
    are uniform on 1900 to 2019, heights on 50 to 199 cm. Fresh data have other ranges, of whole
    decades again. Populations and areas keep two leading digits, the rest is cut to zeros.

    Args:
        name: names the draw, see :func:`generator`.
        n: number of lines.
    """
    ranges = [(2, 5), (1, 4), (1900, 120), (50, 150)]  # from where, how far
    if not is_practice():
        u = uniform(f"{name}: ranges", 4).tolist()
        ranges = [(1 + int(3 * u[0]), 4), (1 + int(2 * u[1]), 5),
                  (1700 + 50 * int(4 * u[2]), 150), (60 + 20 * int(4 * u[3]), 130)]  # fmt: skip
    lines = []
    kinds, places = uniform(f"{name}: kinds", n).tolist(), uniform(f"{name}: places", n).tolist()
    for kind, place in zip(kinds, places, strict=True):
        which = int(4 * kind)
        low, width = ranges[which]
        number = int(10 ** (low + width * place) if which < 2 else low + width * place)
        digits = str(number)
        cut = digits[:2] + "0" * (len(digits) - 2)
        lines.append((
            f"a town with a population size of {cut}.\n",
            f"a lake with an area of {cut} ha.\n",
            f"a school founded in the year {number}.\n",
            f"a person with a height of {number} cm.\n",
        )[which])  # fmt: skip
    return lines


# --- 13 hierarchy ------------------------------------------------------------------------------

# Pupils of forty schools, few in some and many in others.
SCHOOL_SIZES = (
    2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 7, 7, 8, 8, 9, 10, 10,
    11, 12, 12, 14, 15, 16, 18, 20, 20, 22, 25, 25, 28, 30, 35, 40, 50, 60, 80, 120,
)  # fmt: skip


def schools(name: str, sorted_by_effect: float = 0.0) -> tuple[torch.Tensor, ...]:
    """Draw exam scores of 764 pupils in forty schools; no real pupil is among them.

    A score is 470 + 35·private + 9·income + effect of the school + noise, the effects normal with
    standard deviation 30, the noise with 70. One school in four is private. Income comes in classes
    from 1 to 17; each school has a mean class of its own, from which its pupils differ.

    Args:
        name: names the draw, see :func:`generator`.
        sorted_by_effect: classes by which a school's mean income rises with each standard deviation
            of its effect; 0 where the two are independent.

    Returns:
        Tuple of X, float64 of shape (764, 3) with the columns 1, private (0 or 1) and income; the
        scores, float64 of shape (764,); the school of each pupil, int64 of shape (764,), in no
        order; and the true effects, float64 of shape (40,).
    """
    count = len(SCHOOL_SIZES)
    ordered = torch.arange(count).repeat_interleave(torch.tensor(SCHOOL_SIZES))
    school = ordered[torch.randperm(len(ordered), generator=generator(f"{name}: order"))]
    n = len(school)
    effect = normal(f"{name}: effects", count, 0.0, 30.0)
    places = torch.randperm(count, generator=generator(f"{name}: private"))
    private = (places < count // 4).double()
    mean = normal(f"{name}: mean income", count, 6.0, 1.5) + 2 * private
    mean = mean + sorted_by_effect * effect / 30
    income = (mean[school] + normal(f"{name}: income", n, 0.0, 2.5)).round().clamp(1, 17)
    X = torch.stack([torch.ones(n, dtype=torch.float64), private[school], income], dim=1)
    noise = normal(f"{name}: noise", n, 0.0, 70.0)
    y = X @ torch.tensor([470.0, 35.0, 9.0], dtype=torch.float64) + effect[school] + noise
    return X, y, school, effect


# --- 11 listening ------------------------------------------------------------------------------

DIGITS_MEAN, DIGITS_SPREAD = 0.14, 0.318  # of a pixel, measured


def digits(name: str, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw n pictures of digits: a font, a turn, a size, a shift, and noise on every pixel.

    They stand in for handwritten ones, and are much easier to read.

    Args:
        name: names the draw, see :func:`generator`.
        n: number of pictures.

    Returns:
        Images, float64 of shape (n, 1, 28, 28), with mean about 0 and standard deviation about 1;
        and labels from 0 to 9, int64 of shape (n,).
    """
    drawn = torch.from_numpy(glyphs.load()).double() / 255
    own = generator(name)
    font = torch.randint(len(drawn), (n,), generator=own)
    labels = torch.randint(10, (n,), generator=own)
    turn, size, right, down = 2 * torch.rand(4, n, generator=own, dtype=torch.float64) - 1
    cos, sin = (1 + 0.15 * size) * (0.25 * turn).cos(), (1 + 0.15 * size) * (0.25 * turn).sin()
    moves = torch.stack([cos, -sin, 0.15 * right, sin, cos, 0.15 * down], dim=1).reshape(n, 2, 3)
    grid = torch.nn.functional.affine_grid(moves, [n, 1, 28, 28], align_corners=False)
    moved = torch.nn.functional.grid_sample(drawn[font, labels][:, None], grid, align_corners=False)
    noise = 0.1 * torch.randn(moved.shape, generator=own, dtype=torch.float64)
    return (moved + noise - DIGITS_MEAN) / DIGITS_SPREAD, labels
