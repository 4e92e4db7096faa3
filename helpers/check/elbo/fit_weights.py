"""fit_weights(x, hits, full): the normal nearest to a posterior that has no formula.

Few hits among many throws leave a posterior so skewed that a normal put on its peak is half a
posterior standard deviation off and more, and the posterior's own moments a quarter: ten and five
times the bound, a twentieth. Half of the entropy costs 0.6, weights that may not be correlated a
whole one. A climb by draws ends well within: with 200 draws a step, averaged over 250 steps, the
squared distance to the top is 2e-4 on average, spread over five parameters like chi-squared; so it
lies beyond the bound less than once in 1e9. A test holds that average.
"""

import math

import torch

from helpers import data
from helpers.check.elbo import logistic
from helpers.check.elbo.logistic import as_five, of_five, top
from helpers.check.kit.asks import Argument, Case, Draws, Given, sample
from helpers.check.kit.chance import MayDraw
from helpers.check.kit.compare import AnyOf, as_tensor
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.learned import Learned

Tensor = torch.Tensor
BOUND = 0.05
INDEPENDENT = 1e-6  # a correlation above it is one


def _x(u: Draws, given: Given, n: int) -> Tensor:
    return u.uniform(n, 1.0, 6.0)


def _hits(u: Draws, given: Given, n: int) -> Tensor:
    """Return two hits, the nearest throw and another near one, between them a miss or two."""
    hits = torch.zeros(n, dtype=torch.float64)
    hits[given["x"].argsort()[[0, u.whole(2, 3)]]] = 1.0
    return hits


def _throws() -> Tensor:
    """Return the sheet's own distances."""
    return data.uniform("elbo: distances", 14, 1.0, 6.0).sort().values


def _caught() -> Tensor:
    """Return the sheet's own hits."""
    return (data.uniform("elbo: hits", 14) < torch.sigmoid(4 - 1.5 * _throws())).double()


def _full(u: Draws, given: Given) -> bool:
    """Return the other one where there is one already: so it moves alone."""
    return not given["full"] if "full" in given else True


def reference(x: Tensor, hits: Tensor, full: bool) -> Tensor:
    """Return both means, both standard deviations and the correlation."""
    return as_five(*top(x, hits, full))


def minus_elbo(five: Tensor, x: Tensor, hits: Tensor, full: bool) -> Tensor:
    """Return minus the ELBO, infinite where there is no normal of the kind that is asked."""
    deviations, correlation = five[2:4], float(five[4].detach())
    allowed = 1 - 1e-9 if full else INDEPENDENT
    if not bool(five.isfinite().all() and (deviations > 0).all()) or abs(correlation) > allowed:
        return torch.tensor(math.inf, dtype=torch.float64)
    mean, covariance = of_five(five)
    return -logistic.elbo(mean, covariance, x, hits)


def _scaled(x: Tensor, hits: Tensor, full: bool) -> AnyOf:
    """Return variances, logs of the deviations or their squares in the deviations' place."""
    m0, m1, s0, s1, rho = reference(x, hits, full)
    return AnyOf(*[torch.stack([m0, m1, f(s0), f(s1), r])
                   for f in (torch.square, torch.log, torch.sqrt)
                   for r in (rho, rho * s0 * s1)])  # fmt: skip


def _factor(x: Tensor, hits: Tensor, full: bool) -> AnyOf:
    """Return the entries of a Cholesky factor in the place of deviations and correlation."""
    mean, covariance = top(x, hits, full)
    lower = torch.linalg.cholesky(covariance)
    rho = reference(x, hits, full)[4]
    corner, last = lower[1, 0], lower[1, 1]
    first, own = lower[0, 0], covariance[1, 1].sqrt()
    return AnyOf(*[torch.stack([*mean, f, s, r])
                   for f, s in ((first, last), (first, own), (first.log(), last.log()))
                   for r in (corner, rho, corner / last, corner / first, covariance[0, 1])
                   if not (s is own and r is rho)])  # fmt: skip


def _other_kind(x: Tensor, hits: Tensor, full: bool) -> Tensor:
    return reference(x, hits, not full)


def _uncorrelated(x: Tensor, hits: Tensor, full: bool) -> Tensor:
    """Return the full top with its correlation struck out."""
    five = reference(x, hits, True).clone()
    five[4] = 0.0
    return five


TURNS = (
    Turn("correlation of one sign", "the correlation may be of either sign: let no exp or softplus "
         "bend the number that the weights share.", lambda x, hits, full: (x, hits, full),
         alike=lambda got, given: _one_sided(got, *given)),
    Turn("factorised for full", "with full=True the weights may be correlated: their noise needs a "
         "number that they share.", lambda x, hits, full: reference(x, hits, False)),
    Turn("full for factorised", "with full=False each weight has noise of its own, and the "
         "correlation is 0.", lambda x, hits, full: reference(x, hits, True)),
    Turn("correlation struck out", "a factorised q is fitted as such: it is not the full one "
         "without its correlation.",
         lambda x, hits, full: AnyOf(_uncorrelated(x, hits, full),
                                     _uncorrelated(x, hits, full) if not full
                                     else reference(x, hits, full))),
    Turn("the sheet's throws", "this is the result for the sheet's own distances and hits; use "
         "those that the function is given.",
         lambda x, hits, full: AnyOf(reference(_throws(), _caught(), full),
                                     reference(_throws(), hits, full),
                                     reference(x, _caught(), full))),
    Turn("wrong kind", "full=True asks for correlated weights, full=False for independent ones.",
         _other_kind),
    Turn("mode and curvature",
         "a normal put on the peak (Laplace's) is not on the top of the ELBO: the posterior is "
         "skewed.", lambda x, hits, full: by_peak(x, hits, full)),
    Turn("KL direction",
         "these are the posterior's own moments, the minimum of KL(posterior‖q).",
         lambda x, hits, full: _of_kind(*logistic.posterior(x, hits), full)),
    Turn("prior forgotten", "the weights have a prior: its log-density belongs to the joint one.",
         lambda x, hits, full: reference(x, hits, full),
         alike=lambda got, best: _beyond(got, best)),
    Turn("another prior", "each weight has a prior with standard deviation 3, once.",
         lambda x, hits, full: AnyOf(*[as_five(*top(x, hits, full, prior=p)) for p in
                                       (1.0, math.sqrt(3.0), 9.0, 3 / math.sqrt(2))])),
    Turn("entropy halved", "the entropy counts in full.",
         lambda x, hits, full: as_five(*top(x, hits, full, entropy=0.5))),
    Turn("entropy doubled", "the entropy counts once.",
         lambda x, hits, full: as_five(*top(x, hits, full, entropy=2.0))),
    Turn("hits and misses swapped", "σ(w0 + w1·x) is the probability of a hit, and hits are the "
         "ones.", lambda x, hits, full: reference(x, 1 - hits, full)),
    Turn("order of the weights", "first the intercept w0, then the slope w1.",
         lambda x, hits, full: reference(x, hits, full)[[1, 0, 3, 2, 4]]),
    Turn("means and deviations mixed", "first both means, then both deviations, then the "
         "correlation.", lambda x, hits, full: reference(x, hits, full)[[0, 2, 1, 3, 4]]),
    Turn("factor reported", "these are entries of the factor: weight 1 has the deviation "
         "√(l10² + l11²), and the correlation is l10 over it.", _factor),
    Turn("deviations asked", "the third and fourth number are standard deviations themselves.",
         _scaled),
    Turn("prior returned", "this is the prior: do the hits reach the bound?",
         lambda x, hits, full: torch.tensor([0.0, 0.0, logistic.PRIOR, logistic.PRIOR, 0.0]),
         alike=lambda got, wrong: _close(got, wrong)),
    Turn("averaged over the throws", "the log-likelihood is a sum over the throws.",
         lambda x, hits, full: _tempered(x, hits, full), tolerance=0.2),
    Turn("entropy forgotten", "nothing holds q open: without its entropy it shrinks onto the peak "
         "of the joint density.",
         lambda x, hits, full: logistic.laplace(x, hits),
         alike=lambda got, given: _collapsed(got, *given)),
    Turn(".sample() for .rsample()", "the draws do not remember the means, so only the entropy has "
         "a slope: build the draws from tracked numbers and noise.",
         lambda x, hits, full: AnyOf(), alike=lambda got, wrong: _never_moved(got)),
    Turn("sign", "you walk down the ELBO: minimise its negative, or let the optimizer maximise.",
         lambda x, hits, full: AnyOf(), alike=lambda got, wrong: _descended(got)),
    Turn("uniform noise", "torch.rand lies between 0 and 1; standard normal noise comes from "
         "torch.randn.", lambda x, hits, full: reference(x, hits, full),
         alike=lambda got, best: _of_uniform_noise(got, best)),
    Turn("one noise for both", "each weight needs noise of its own: two columns of it, not one "
         "that both share.", lambda x, hits, full: (x, hits, full),
         alike=lambda got, given: _of_one_noise(got, *given)),
    Turn("not settled", "near the top, not on it: take more draws a step, and average more of the "
         "last steps; if that changes nothing, another bound is climbed.",
         lambda x, hits, full: (x, hits, full),
         alike=lambda got, given: _scattered(got, *given)),
    Turn("stops early", "on the way and not there: make more steps, or larger ones far away and "
         "smaller ones near the end, and average the last of them.",
         lambda x, hits, full: (x, hits, full), alike=lambda got, given: _on_the_way(got, *given)),
    Turn("gradient cut", "nothing tracked reaches the bound: are the draws made of tracked numbers "
         "and noise, by rsample or by hand?",
         raises=lambda error: "does not require grad" in str(error)),
    Turn("deviation not kept positive", "a standard deviation crossed zero: step its log.",
         raises=lambda error: "lower_bound=0.0" in str(error)),
)  # fmt: skip


def by_peak(x: Tensor, hits: Tensor, full: bool) -> AnyOf:
    """Return what a normal on the peak gives, with the peak's curvature."""
    return _of_kind(*logistic.laplace(x, hits), full)


def _of_kind(mean: Tensor, covariance: Tensor, full: bool) -> AnyOf:
    """Return a normal, and where independent weights are asked both ways to make it so."""
    five = as_five(mean, covariance)
    if full:
        return AnyOf(five)
    narrow = torch.diag(1 / torch.linalg.inv(covariance).diagonal())
    return AnyOf(five, as_five(mean, narrow), five * torch.tensor([1.0, 1.0, 1.0, 1.0, 0.0]))


def _close(got: object, wrong: Tensor) -> bool:
    five = _five(got)
    return five is not None and bool(((five - wrong).abs() < 0.1).all())


def _tempered(x: Tensor, hits: Tensor, full: bool) -> AnyOf:
    """Return the top where the log-likelihood counts 1/n, and where the log prior does as well.

    Times n, it is the top of the ELBO with an entropy, or entropy and prior, n times as heavy.
    """
    n = len(x)
    priors = logistic.PRIOR / math.sqrt(n), logistic.PRIOR
    return AnyOf(*[as_five(*top(x, hits, full, prior=p, entropy=float(n))) for p in priors])


def _five(got: object) -> Tensor | None:
    """Return an answer's five numbers, None where it has not five."""
    five = as_tensor(got)
    if five is None or five.shape != (5,) or bool(five.isnan().any()):
        return None
    return five.to(torch.float64)


BEGIN = torch.tensor([0.0, 0.0, 1.0, 1.0, 0.0], dtype=torch.float64)


def _on_the_way(got: object, x: Tensor, hits: Tensor, full: bool) -> bool:
    """Whether the ELBO has risen since the start, and the deviations are not far off."""
    five, best = _five(got), reference(x, hits, full)
    if five is None:
        return False
    ends = torch.stack([BEGIN[2:4], best[2:4]])
    between = (five[2:4] > 0.5 * ends.min(0).values) & (five[2:4] < 1.5 * ends.max(0).values)
    risen = minus_elbo(five, x, hits, full) < minus_elbo(BEGIN, x, hits, full)
    return bool(between.all() and risen)


def _scattered(got: object, x: Tensor, hits: Tensor, full: bool) -> bool:
    """Whether the ELBO has risen to within a posterior standard deviation of the top."""
    five, case = _five(got), Case(0, "", "", (x, hits, full), "")
    if five is None or not _on_the_way(got, x, hits, full):
        return False
    return AGREE.left(case, five, reference(x, hits, full)) < 1.0


def _of_one_noise(got: object, x: Tensor, hits: Tensor, full: bool) -> bool:
    """Whether the second weight is too wide, since its noise undoes that of the first."""
    five, best = _five(got), reference(x, hits, full)
    if five is None or not full:
        return five is not None and float(five[4]) == 0
    return bool(five[3] > 3 * best[3]) and -0.95 < float(five[4]) < -0.5


def _one_sided(got: object, x: Tensor, hits: Tensor, full: bool) -> bool:
    """Whether a normal is about the best one of no correlation, on the wrong side of it."""
    five, best = _five(got), reference(x, hits, False)
    if five is None:
        return False
    if not full:
        return bool(((five - best).abs() < 0.15 * best.abs() + 0.02).all())
    wrong = float(five[4]) * float(reference(x, hits, True)[4]) < 0 and abs(float(five[4])) < 0.5
    return wrong and bool(((five - best)[:4].abs() < 0.15 * best[:4].abs()).all())


def _of_uniform_noise(got: object, best: Tensor) -> bool:
    """Whether a normal is the top once its noise is taken as uniform between 0 and 1.

    Such noise has the mean ½ and the variance 1/12.
    """
    five = _five(got)
    if five is None or float(five[4].abs()) > 1:
        return False
    m0, m1, s0, s1, rho = five
    factor = rho + (1 - rho**2).sqrt()
    moved = torch.stack([m0 + 0.5 * s0, m1 + 0.5 * s1 * factor, *five[2:4] / math.sqrt(12)])
    return bool(((moved - best[:4]).abs() < 0.4 * best[2:4].repeat(2)).all())


def _beyond(got: object, best: Tensor) -> bool:
    """Whether means and deviations are too large: nothing draws the weights to zero."""
    five = _five(got)
    if five is None:
        return False
    means, deviations = five[:2] / best[:2], five[2:4] / best[2:4]
    return bool(
        (means > 1.3).all() and (deviations > 1.05).all() and deviations.max() < means.max()
    )


def _never_moved(got: object) -> bool:
    """Whether the means stand where runs begin while the deviations have grown."""
    five = _five(got)
    return five is not None and _descended(got) and bool((five[:2] == 0).all())


def _descended(got: object) -> bool:
    """Whether q has become wider than the prior, which no fit does."""
    five = _five(got)
    return five is not None and bool((five[2:4] > 2 * logistic.PRIOR).any())


def _collapsed(got: object, mode: Tensor, covariance: Tensor) -> bool:
    """Whether q has shrunk towards the mode of the joint density, as without its entropy."""
    five = _five(got)
    if five is None or bool((five[2:4] <= 0).any()):
        return False
    widths = covariance.diagonal().sqrt()
    narrow = 1 / torch.linalg.inv(covariance).diagonal().sqrt()
    area = five[2:4].prod() * (1 - five[4] ** 2).clamp(min=0).sqrt()
    small = (five[2:4] < 0.4 * narrow).all() or area < 0.5 * narrow.prod()
    return bool(small and ((five[:2] - mode).abs() < widths).all())


AGREE = Learned(
    mean_nll=minus_elbo,
    size=lambda *args: 1,
    near=0.05,
    most=BOUND,
    unit="posterior standard deviations",
    sampled=True,
)
EXERCISE = Exercise(
    name="fit_weights",
    arguments=(
        sample("x", _x, many=(14,), alone=False, used_instead=_throws),
        sample("hits", _hits, many=(14,), alone=False, used_instead=_caught),
        Argument("full", _full),
    ),
    reference=reference,
    agree=AGREE,
    turns=TURNS,
    chance=MayDraw(),
    typical=1,
    parts=("the mean of w0", "the mean of w1", "the deviation of w0", "the deviation of w1",
           "the correlation"),
    passed="fit_weights: the nearest normal, correlated and not, to a twentieth of a posterior "
    "standard deviation.",
)  # fmt: skip
fit_weights = EXERCISE.check
