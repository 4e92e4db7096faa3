"""covering_normal(weights, locs, scales): the normal with the least KL(p‖q) to a mixture p."""

import math
from collections.abc import Callable

import torch

from helpers.check.kit.asks import Draws, Given, Jointly, sample
from helpers.check.kit.compare import AnyOf, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kl import analytic
from helpers.check.kl.distributions import Pair, components, mixture, target
from helpers.check.kl.excess import Excess

Three = tuple[torch.Tensor, torch.Tensor, torch.Tensor]  # weights, locs, scales
Gives = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], object]


def divergence(at: torch.Tensor, *p: torch.Tensor) -> torch.Tensor:
    """Return KL(p‖q) less a constant, for q at (loc, scale), from mean and variance of p."""
    mean, deviation = analytic.mixture_moments(*p)
    return at[1].log() + (deviation**2 + (mean - at[0]) ** 2) / (2 * at[1] ** 2)


def by_moments(weights: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> object:
    """The mixture's moments as the sheet leads to them."""
    loc = (weights * locs).sum()
    variance = (weights * (scales**2 + (locs - loc) ** 2)).sum()
    return loc, variance.sqrt()


def by_squares(weights: torch.Tensor, locs: torch.Tensor, scales: torch.Tensor) -> object:
    """The mixture's moments from E[x²] − E[x]²."""
    loc = (weights * locs).sum()
    return loc, ((weights * scales**2).sum() + (weights * locs**2).sum() - loc**2) ** 0.5


def _parts(w: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> Three:
    """Return the mean, the variance within the components, and the variance between them."""
    mean = (w * m).sum()
    return mean, (w * s**2).sum(), (w * (m - mean) ** 2).sum()


def _scale(of: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]) -> Gives:
    """Return a turn's (mean, scale), the scale from mean, within and between variance."""

    def gives(w: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> Pair:
        mean, within, between = _parts(w, m, s)
        return float(mean), float(of(mean, within, between))

    return gives


def _plain_means(w: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> AnyOf:
    """Return the moments with a plain average in the place of one or of all weighted ones."""
    mean, within, between = _parts(w, m, s)
    found: list[object] = []
    for at in (m.mean(), mean):
        spreads = [(w * (m - at) ** 2).sum(), ((m - at) ** 2).mean()]
        found += [(float(at), float((v + u).sqrt()))
                  for v in (within, (s**2).mean()) for u in spreads]  # fmt: skip
    right = mean, (within + between).sqrt()
    return AnyOf(*[pair for pair in found if not same(pair, right)] or [right])


def _between_components(w: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> AnyOf:
    """Return the scale with the spread of the locations divided by k − 1, or unweighted."""
    mean, within, _ = _parts(w, m, s)
    if len(m) < 2:
        raise ValueError("a single component has no such spread")
    return AnyOf((mean, (within + m.var()).sqrt()), (mean, m.std()))


def _two_only(w: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> AnyOf:
    """Return the moments of the first two components and of the last two, and of p without one."""
    if len(w) < 3:
        raise ValueError("there are no more")
    parts = [(w[k], m[k], s[k]) for k in (slice(2), slice(-2, None), slice(1, None), slice(-1))]
    return AnyOf(
        *[analytic.mixture_moments(*p) for p in parts],
        *[analytic.mixture_moments(p[0] / p[0].sum(), *p[1:]) for p in parts],
    )


def _by_precision(w: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> AnyOf:
    """Return what comes of weighing with 1/s², alone or as well, in the mean or in both."""
    found = []
    for v in (1 / s**2, w / s**2):
        share = v / v.sum()
        mean = (share * m).sum()
        found += [(mean, (w * (s**2 + (m - mean) ** 2)).sum().sqrt()),
                  (mean, (share * (s**2 + (m - mean) ** 2)).sum().sqrt()),
                  (mean, v.sum() ** -0.5)]  # fmt: skip
    return AnyOf(*found)


def _every_valley(w: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> AnyOf:
    p = mixture(w, m, s)
    starts = zip(m.tolist(), s.tolist(), strict=True)
    return AnyOf(*[analytic.seeking_optimum(p, *start) for start in starts])


def _sheets_own(w: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> AnyOf:
    """Return the moments with the sheet's peaks, or one kind of their numbers, in the place."""
    p = target()
    own = p.mixture_distribution.probs.double(), *(
        torch.tensor(v, dtype=torch.float64) for v in zip(*components(p), strict=True))  # fmt: skip
    mixed = [(w, *own[1:]), (w, m, own[2]), (w, own[1], s), own]
    fits = [v for v in mixed if len({len(part) for part in v}) == 1]
    return AnyOf(*[analytic.mixture_moments(*v) for v in fits],
                 *[analytic.mixture_moments(v[0] / v[0].sum(), *v[1:]) for v in fits])  # fmt: skip


# Ranges that a sheet has, or that one would write down, and that p leaves.
FIXED = [(-4.0, 8.0), (-5.0, 7.0), (-6.0, 8.0), (-6.0, 10.0), (-8.0, 8.0), (-10.0, 10.0),
         (-16.0, 20.0), (-20.0, 20.0), (-20.0, 24.0), (-30.0, 30.0), (-50.0, 50.0),
         (-100.0, 100.0)]  # fmt: skip


def _cut_off(w: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> AnyOf:
    """Return integrals over ranges that suit the sheet's p, with the mass that is in them or 1."""
    p, found = mixture(w, m, s), []
    for ends in FIXED:
        x = torch.linspace(*ends, 8001, dtype=torch.float64)
        p_x = p.log_prob(x).exp()
        mass = torch.trapezoid(p_x, x)
        for by in (1.0, mass):
            mean = torch.trapezoid(p_x * x, x) / by
            found.append((mean, (torch.trapezoid(p_x * (x - mean) ** 2, x) / by).sqrt()))
    return AnyOf(*found)


def _walks(w: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> AnyOf:
    """Return where Adam is on its way from (0, 1), after as many steps as the sheet's or others."""
    mean, deviation = analytic.mixture_moments(w, m, s)
    found: list[Pair] = []
    for rate in (0.01, 0.05, 0.1):
        at, first, second = [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]
        for step in range(1, 1001):
            off = (deviation**2 + (mean - at[0]) ** 2) * math.exp(-2 * at[1])
            for i, slope in enumerate(((at[0] - mean) * math.exp(-2 * at[1]), 1 - off)):
                first[i] = 0.9 * first[i] + 0.1 * slope
                second[i] = 0.999 * second[i] + 0.001 * slope**2
                far = first[i] / (1 - 0.9**step)
                at[i] -= rate * far / (math.sqrt(second[i] / (1 - 0.999**step)) + 1e-8)
            if step in (100, 200, 300, 400, 401, 500, 800, 1000):
                found.append((at[0], math.exp(at[1])))
    return AnyOf(*found)


TURNS = (
    Turn("between forgotten",
         "the components also stand apart: their distances from the mean add to the variance.",
         _scale(lambda mean, within, between: within.sqrt())),
    Turn("within forgotten", "each component has a spread of its own, besides its distance.",
         _scale(lambda mean, within, between: between.sqrt())),
    Turn("variance for standard deviation", "the second number is a scale: take the root.",
         _scale(lambda mean, within, between: within + between)),
    Turn("weights ignored", "the heavier component counts more, in the mean and in the variance.",
         _plain_means),
    Turn("weights ignored", "the heavier component counts more, in the mean and in the variance.",
         _between_components),
    Turn("mean not subtracted", "E[x²] is no variance yet: subtract the square of the mean.",
         _scale(lambda mean, within, between: (within + between + mean**2).sqrt())),
    Turn("scales averaged", "variances add up, standard deviations do not; and the distances "
         "count.",
         lambda w, m, s: AnyOf(((w * m).sum(), (w * s).sum()),
                               ((w * m).sum(), (w * s).sum() + _parts(w, m, s)[2].sqrt()),
                               ((w * m).sum(), ((w * s).sum() ** 2 + _parts(w, m, s)[2]).sqrt()))),
    Turn("roots added", "add the two variances, then take one root.",
         _scale(lambda mean, within, between: within.sqrt() + between.sqrt())),
    Turn("scales not squared", "a scale is a standard deviation: square it before it joins a "
         "variance.",
         lambda w, m, s: ((w * m).sum(), ((w * s).sum() + _parts(w, m, s)[2]).sqrt())),
    Turn("distances not squared", "a variance is a mean of squares, of distances as well.",
         lambda w, m, s: AnyOf(*[((w * m).sum(), (_parts(w, m, s)[1] + d).sqrt())
                                 for d in [(w * (m - (w * m).sum()).abs()).sum()]])),
    Turn("weighted sum's spread", "p is a mixture, not a sum of weighted draws: no w² here.",
         lambda w, m, s: AnyOf(((w * m).sum(), (w**2 * s**2).sum().sqrt()),
                               ((w * m).sum(), ((w**2 * s**2).sum() + _parts(w, m, s)[2]).sqrt()))),
    Turn("two components only", "p has as many components as weights: use all of them.", _two_only),
    Turn("median for mean", "the location is the weighted mean of the locations.",
         lambda w, m, s: AnyOf(*[(c, (_parts(w, m, s)[1] + (w * (m - d) ** 2).sum()).sqrt())
                                 for c in (m.median(), m.quantile(0.5))
                                 for d in (c, (w * m).sum())])),
    Turn("precisions as weights", "a component's weight is its share of p, however wide it is.",
         _by_precision),
    Turn("weights altered", "the weights add up to 1 already: use them as they are.",
         lambda w, m, s: AnyOf(*[analytic.mixture_moments(v, m, s)
                                 for v in (w.softmax(0), w**2 / (w**2).sum())])),
    Turn("one component", "this is a component of p; the best q has to cover all of them.",
         lambda w, m, s: AnyOf(*zip(m.tolist(), s.tolist(), strict=True))),
    Turn("direction reversed", "this q minimises KL(q‖p): it sits on one peak and covers no mass.",
         _every_valley, tolerance=0.01),
    Turn("pair in wrong order", "the location comes first, the standard deviation second.",
         lambda w, m, s: analytic.mixture_moments(w, m, s)[::-1]),
    Turn("the sheet's peaks", "weights, locs and scales are handed over: use all three in the "
         "place of the notebook's.", _sheets_own, raises=lambda error: "must match" in str(error)),
    Turn("range too short", "part of p lies outside your range of x; sums over the components need "
         "none.", _cut_off, tolerance=1e-4),
    Turn("walk too short", "these steps do not reach a p that is far off; the formula needs none.",
         _walks, tolerance=1e-3),
)  # fmt: skip


# --- cases: components apart and unlike in weight and width, none of the scales near 1 ------------


def _weights(u: Draws, given: Given, k: int) -> torch.Tensor:
    steps = torch.linspace(1.0, 2.6, k, dtype=torch.float64) + u.uniform(k, 0.0, 0.4)
    weights = steps / steps.sum()
    if "weights" in given:  # moved alone: the other end is the heavy one
        return weights.flip(0) if given["weights"][0] < given["weights"][-1] else weights
    return u.choice((weights, weights.flip(0)))


def _locs(u: Draws, given: Given, k: int) -> torch.Tensor:
    start = u.choice((-1, 1)) * u.real(6, 12)
    places = start + u.real(2.5, 3.5) * torch.arange(k, dtype=torch.float64) + u.uniform(k, -0.4)
    return u.choice((places, places.roll(1)))


def _scales(u: Draws, given: Given, k: int) -> torch.Tensor:
    return torch.linspace(0.4, 1.5, k, dtype=torch.float64) + u.uniform(k, 0.0, 0.15)


def _one_place(u: Draws, given: Given) -> torch.Tensor:
    return torch.full_like(given["locs"], float(given["locs"][0]))


def _equal(u: Draws, given: Given) -> torch.Tensor:
    return torch.full_like(given["weights"], 1 / len(given["weights"]))


def _near(u: Draws, given: Given) -> Jointly:
    """Return two components so near that the other direction's optimum is none of them."""
    scales = _scales(u, {}, 2)
    start = u.real(-10, -5)
    locs = torch.stack([torch.tensor(start).double(), start + 3.05 * scales.sum()])
    return Jointly(weights=_weights(u, {}, 2), locs=locs, scales=scales)


EXERCISE = Exercise(
    name="covering_normal",
    arguments=(
        sample("weights", _weights, many=(3, 2, 4), sizes=(1,), dtypes=(torch.float32,),
               edges={"with equal weights": _equal, "with peaks close together": _near},
               used_instead=lambda: target().mixture_distribution.probs),
        sample("locs", _locs, many=(3, 2, 4), dtypes=(torch.float32,),
               edges={"with all components in one place": _one_place,
                      "on both sides of zero": lambda u, given: given["locs"] -
                      given["locs"].mean() + 0.2,
                      "far from zero": lambda u, given: given["locs"] +
                      u.choice((-1, 1)) * u.real(200, 300)}),
        sample("scales", _scales, many=(3, 2, 4), dtypes=(torch.float32,),
               edges={"with one component far wider": lambda u, given: torch.cat(
                   [given["scales"][:-1], 5 * given["scales"][-1:]])}),
    ),
    reference=analytic.mixture_moments,
    agree=Excess(
        mean_nll=divergence,
        near=1e-4,
    ),
    turns=TURNS,
    worked=(by_moments, by_squares),
    parts=("location", "scale"),
    passed="covering_normal: within 2e-6 nats of the least KL(p‖q), for 1 to 4 components.",
)  # fmt: skip
covering_normal = EXERCISE.check
