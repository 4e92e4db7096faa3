"""fit_beta(data): the best single Beta, judged by its likelihood."""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch.nn.functional import softplus

from helpers import data
from helpers.check.kit import runs
from helpers.check.kit.asks import Draws, Given, sample
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.learned import Learned
from helpers.check.mixtures import analytic

_best = analytic.beta_mle
Map = Callable[[torch.Tensor], torch.Tensor]


def mean_nll(ab: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return the mean loss of Beta(a, b) on x, infinite where that is no distribution."""
    if not bool((ab > 0).all()):
        return torch.tensor(math.inf)
    log_norm = torch.lgamma(ab).sum() - torch.lgamma(ab.sum())
    return log_norm - ((ab - 1) * analytic.mean_logs(x)).sum()


def inside(x: torch.Tensor) -> torch.Tensor:
    """Return observations of which those that were rounded to 0 or 1 lie just inside."""
    return x.clamp(1e-300, 1 - 2**-53)


def lopsided(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return draws from a Beta with one of a and b below 1: a for 40 draws, else b."""
    if n == 2:
        return torch.cat([u.uniform(1, 0.1, 0.3), u.uniform(1, 0.5, 0.8)])
    ab = u.real(0.5, 0.8), u.log_real(2, 6)
    return inside(u.beta(n, *ab) if n == 40 else u.beta(n, *ab[::-1]))


def _inverse_digamma(y: torch.Tensor) -> torch.Tensor:
    """Return the x with ψ(x) = y, by bisection on log x."""
    low, high = torch.full_like(y, -20.0), torch.full_like(y, 20.0)
    for _ in range(80):
        middle = (low + high) / 2
        below = torch.digamma(middle.exp()) < y
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return low.exp()


def _one_mean(which: int) -> Turn:
    return Turn(
        "one mean used twice",
        "both equations hold the same mean of logs; one is of log x, one of log(1 − x).",
        lambda x: _with_one(analytic.mean_logs(x)[which]),
        raises=lambda error: "singular" in str(error),
        alike=lambda got, wrong: _equal(got) if wrong is None else same(got, wrong, 2e-3),
    )


def _equal(got: object) -> bool:
    """Whether both numbers are the same, as of two equations that are."""
    value = as_tensor(got)
    return value is not None and value.shape == (2,) and same(value[0], value[1])


def _is_nan(got: object, wrong: object) -> bool:
    value = as_tensor(got)
    return value is not None and value.shape == (2,) and bool(value.isnan().any())


def _with_one(mean: torch.Tensor) -> torch.Tensor | None:
    """Return the solution for one mean in both equations, None where there is none."""
    return analytic.solve_scores(mean, mean) if 2 * float(mean.exp()) < 0.999 else None


def _kept_off(x: torch.Tensor) -> AnyOf:
    small = (0.1, 0.05, 0.02, 0.01, 5e-3, 1e-3, 1e-4, 1e-5, 1e-6)
    return AnyOf(*[_best(x.clamp(e, 1 - e)) for e in small])


def _scaled_means(factor: Callable[[int], float]) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda x: analytic.solve_scores(*analytic.mean_logs(x) * factor(len(x)))


def _spikes(got: object, mean: torch.Tensor) -> bool:
    """Whether a and b are huge, and their distribution a spike on the mean of the data."""
    value = as_tensor(got)
    if value is None or value.shape != (2,) or not bool((value > 0).all()):
        return False
    return bool(value.sum() > 1e4) and same(value[0] / value.sum(), mean, 1e-3)


def _few_steps(x: torch.Tensor) -> AnyOf:
    """Return where the first steps lead, by the whole matrix or by its diagonal alone."""
    means = analytic.mean_logs(x)
    found = [analytic.solve_scores(means[0], means[1], steps=k, start=s)
             for s in (0.01, 0.1) for k in range(1, 11)]  # fmt: skip
    for start in (0.01, 0.1, 1.0):
        ab = torch.full((2,), start, dtype=torch.float64)
        for step in range(1, 101):
            score = means - torch.digamma(ab) + torch.digamma(ab.sum())
            ab = ab - score / (torch.polygamma(1, ab.sum()) - torch.polygamma(1, ab))
            if step in (1, 2, 3, 5, 8, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100):
                found.append(ab)
    return AnyOf(*[ab for ab in found if bool(ab.isfinite().all())])


def _not_positive(got: object, wrong: object) -> bool:
    value = as_tensor(got)
    return value is not None and value.shape == (2,) and bool((value <= 0).any())


def _losses(raw: torch.Tensor, x: torch.Tensor, positive: Map) -> torch.Tensor:
    ab = positive(raw)
    log_norm = torch.lgamma(ab).sum(-1) - torch.lgamma(ab.sum(-1))
    return log_norm - ((ab - 1) * analytic.mean_logs(x)).sum(-1)


WAYS = [
    runs.Way(lambda x: torch.zeros(2), partial(_losses, positive=positive), positive, back)
    for positive, back in ((softplus, lambda ab: ab.expm1().log()), (torch.exp, torch.log))
]

TURNS = (
    Turn("method of moments",
         "this matches mean and variance; maximum likelihood matches the means of the two logs.",
         lambda x: AnyOf(analytic.beta_moments(x), analytic.beta_moments(x, 1)),
         tolerance=1e-4),
    Turn("a and b swapped", "a belongs to log x, b to log(1 − x).", lambda x: _best(x).flip(0)),
    Turn("sum's digamma forgotten",
         "you solved ψ(a) = mean log x; both equations also hold ψ(a + b).",
         lambda x: _inverse_digamma(analytic.mean_logs(x))),
    Turn("Newton ran off", "from too high a step jumps over zero, and the next has no number; and "
         "for some means there is no solution: look at the start, and at the means of the logs.",
         lambda x: x, alike=_is_nan, raises=lambda error: "singular" in str(error)),
    _one_mean(0),
    _one_mean(1),
    Turn("a and b tied", "you solved for one number; where the data lean, a and b differ.",
         lambda x: analytic.solve_scores(*analytic.mean_logs(x).mean().expand(2))),
    Turn("kept off the edges", "an observation near 0 or 1 counts as it is: do not clamp it.",
         _kept_off, tolerance=1e-4),
    Turn("log base 2", "the scores hold natural logarithms.",
         _scaled_means(lambda n: 1 / math.log(2)), tolerance=1e-4),
    Turn("log of the mean", "log first, then the mean: the log of a mean is another number, and "
         "has no solution here.", lambda x: x.mean(), alike=_spikes),
    Turn("n − 1 for n", "the means of the logs are sums divided by n.",
         _scaled_means(lambda n: n / (n - 1)), tolerance=1e-4),
    Turn("only the first 200", "use all of data, however many there are.",
         lambda x: _best(x[:200]), tolerance=1e-4),
    Turn("exponents returned", "these are the powers of x and 1 − x; a and b are one larger.",
         lambda x: _best(x) - 1),
    Turn("mean and concentration", "this is a/(a + b) and a + b; return a and b themselves.",
         lambda x: torch.stack([_best(x)[0] / _best(x).sum(), _best(x).sum()])),
    Turn("raw parameters returned",
         "these are unconstrained numbers, before softplus or exp; return the positive a and b.",
         lambda x: AnyOf(_best(x).expm1().log(), _best(x).log())),
    Turn("transformed twice", "a and b went through softplus or exp once more after training.",
         lambda x: AnyOf(softplus(_best(x)), _best(x).exp())),
    Turn("kept above 1", "a and b may lie below 1: that makes the U.",
         lambda x: _best(x).clamp(min=1)),
    Turn("mean and spread", "these describe the data; a and b are the Beta's parameters.",
         lambda x: AnyOf(*[(x.mean(), spread) for c in (0, 1)
                           for spread in (x.std(correction=c), x.var(correction=c))])),
    Turn("means of logs", "these are the right-hand sides of the equations; solve for a and b.",
         analytic.mean_logs),
    Turn("not positive", "a and b are positive; did a step jump over zero, or have the wrong sign? "
         "Start lower.", lambda x: x, alike=_not_positive),
    Turn("too few steps", "this is where the first few Newton steps lead; go on until the numbers "
         "no longer change.", _few_steps, tolerance=1e-5),
    Turn("a grid's point", "these are points of a grid: the scores vanish beside them, and where "
         "a and b are large far beyond.", _best, alike=runs.on_grid),
    *runs.turns(runs.trails(WAYS, 300)),
)  # fmt: skip

EXERCISE = Exercise(
    name="fit_beta",
    arguments=(
        sample("data", lopsided, many=(40, 251), sizes=(2,),
               edges={
                   "piled up at both ends": lambda u, given: inside(u.beta(150, 0.05, 0.08)),
                   "a narrow hill": lambda u, given: u.beta(150, 60.0, 25.0),
               },
               used_instead=data.two_peaks),
    ),
    reference=_best,
    agree=Learned(
        mean_nll=mean_nll,
        near=2e-3,  # less than leaving out an observation makes
        start=lambda x: AnyOf(*[(s, s) for s in (0.01, 0.1, 0.6931, 1.0, 2.0)], (2.0, 3.0)),
    ),
    turns=TURNS,
    parts=("a", "b"),
    typical=2,
    passed="fit_beta: both scores vanish, for shapes from a twentieth to sixty.",
)  # fmt: skip
fit_beta = EXERCISE.check
