"""Checks of sheet 07: how a fitted normal is judged, and the one with the least KL(p‖q)."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.distributions import Categorical, Distribution, MixtureSameFamily, Normal

from helpers import data
from helpers.check.kit.agree import any_of, numbers, same, within
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import CheckFailed, passed, show
from helpers.check.kl import analytic

Pair = tuple[float, float]

# A fitted q may have this much more KL than the local optimum, in nats: two models that differ by
# it are a tenth of a standard error apart on 2500 observations, √(2 · 2500 · 2e-6) = 0.1. It is
# some thirty times what single precision resolves. Cutting q off beyond 4 standard deviations costs
# 6e-8, beyond 3 at least 2.5e-5. The tutorial's (3.99999, 0.50044) is 1.6e-7 above its optimum.
EXCESS = 2e-6


def mixture(weights: Any, locs: Any, scales: Any) -> MixtureSameFamily:
    """Return a mixture of normals with parameters in float64, each of shape (k,)."""
    w, m, s = (torch.as_tensor(v, dtype=torch.float64) for v in (weights, locs, scales))
    return MixtureSameFamily(Categorical(w), Normal(m, s))


def judge_excess(
    excess: Callable[[float, float], float],
) -> Callable[[str, Any, Any], None]:
    """Return what judges a fitted (loc, scale) by its KL above the optimum, in nats.

    The excess counts with either sign: a q that is better by far lies in another valley.
    """

    def judge(tested: str, value: Any, expected: Any) -> None:
        got = numbers(tested, value, expected).to(torch.float64)
        loc, scale = got.tolist()
        positive = math.isfinite(loc) and 0 < scale < math.inf
        above = excess(loc, scale) if positive else math.inf
        if within("excess KL", (abs(above) if not math.isnan(above) else math.inf) / EXCESS):
            return
        side = "above" if above > 0 else "below"
        how = (
            f"{abs(above):.2g} nats {side} the KL of the expected one"
            if positive
            else "no normal at all"
        )
        raise CheckFailed(tested, show(expected), f"{show(value)}, {how}")

    return judge


# --- mass-covering -----------------------------------------------------------------------------


def covering_normal(answer: Any) -> bool:
    """Check ``covering_normal(weights, locs, scales)``: the q with the least KL(p‖q).

    Its closed form are the mixture's moments. The components stand apart and are unlike in weight,
    and no scale is near 1, so that no wrong turn comes near.
    """
    cases = []
    for k in (2, 3, 4):
        u = data.uniform(f"kl: covering {k}", 3 * k).reshape(3, k)
        weights = torch.linspace(1.0, 2.6, k, dtype=torch.float64) + 0.4 * u[0]
        weights = (weights / weights.sum()).flip(0) if k == 3 else weights / weights.sum()
        locs = 3.0 * torch.arange(k, dtype=torch.float64) - 10 + u[1]
        scales = 0.4 + 0.3 * u[2]
        if k == 2:  # near enough that the other direction's optimum is not the component itself
            locs[1] = locs[0] + 3.05 * scales.sum()
        best = analytic.mixture_moments(weights, locs, scales)
        described = f"covering_normal({show(weights, 3)}, {show(locs, 3)}, {show(scales, 3)})"
        judge = judge_excess(lambda a, b, best=best: analytic.covering_excess(a, b, best))  # type: ignore[misc]
        cases.append(Case(described, (weights, locs, scales), best, judge=judge))
    function_agrees(answer, cases, COVERING_TURNS)
    return passed("covering_normal: within 2e-6 nats of the least KL(p‖q), for 2, 3 and 4 peaks.")


def _parts(
    w: torch.Tensor, m: torch.Tensor, s: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the mean, the variance within the components, and the variance between them."""
    mean = (w * m).sum()
    return mean, (w * s**2).sum(), (w * (m - mean) ** 2).sum()


def _moments(
    change: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor],
) -> Callable[..., Pair]:
    """Return a turn's (mean, scale), the scale from mean, within and between variance."""

    def gives(w: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> Pair:
        mean, within, between = _parts(w, m, s)
        return float(mean), float(change(mean, within, between))

    return gives


def _plain_means(w: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> list[Pair]:
    """Return the moments with a plain average in the place of one or of all weighted ones."""
    mean, within, between = _parts(w, m, s)
    found = []
    for at in (m.mean(), mean):
        spreads = [(w * (m - at) ** 2).sum(), ((m - at) ** 2).mean()]
        found += [(float(at), float((v + u).sqrt()))
                  for v in (within, (s**2).mean()) for u in spreads]  # fmt: skip
    return [pair for pair in found if not same(pair, (mean, (within + between).sqrt()))]


def _every_valley(w: torch.Tensor, m: torch.Tensor, s: torch.Tensor) -> list[Pair]:
    p = mixture(w, m, s)
    starts = zip(m.tolist(), s.tolist(), strict=True)
    return [analytic.seeking_optimum(p, *start) for start in starts]


def roughly(got: Any, wanted: list[Any], tolerance: float = 0.01) -> bool:
    """Return whether a value agrees with one of several to a relative tolerance."""
    return any(same(got, w, tolerance) for w in wanted)


COVERING_TURNS = [
    Turn("between forgotten",
         "the components also stand apart: their distances from the mean add to the variance.",
         _moments(lambda mean, within, between: within.sqrt())),
    Turn("within forgotten", "each component has a spread of its own, besides its distance.",
         _moments(lambda mean, within, between: between.sqrt())),
    Turn("variance for standard deviation", "the second number is a scale: take the root.",
         _moments(lambda mean, within, between: within + between)),
    Turn("weights ignored", "the heavier component counts more, in the mean and in the variance.",
         _plain_means, alike=any_of),
    Turn("mean not subtracted", "E[x²] is no variance yet: subtract the square of the mean.",
         _moments(lambda mean, within, between: (within + between + mean**2).sqrt())),
    Turn("scales averaged", "variances add up, standard deviations do not; and "
         "the distances count.",
         lambda w, m, s: (float((w * m).sum()), float((w * s).sum()))),
    Turn("scales not squared", "a scale is a standard deviation: square it before it joins a "
         "variance.",
         lambda w, m, s: (float((w * m).sum()),
                          float(((w * s).sum() + _parts(w, m, s)[2]).sqrt()))),
    Turn("weighted sum's spread", "p is a mixture, not a sum of weighted draws: no w² here.",
         lambda w, m, s: (float((w * m).sum()), float((w**2 * s**2).sum().sqrt()))),
    Turn("one component", "this is a component of p; the best q has to cover all of them.",
         lambda w, m, s: list(zip(m.tolist(), s.tolist(), strict=True)), alike=any_of),
    Turn("direction reversed", "this q minimises KL(q‖p): it sits on one peak and covers no mass.",
         _every_valley, alike=roughly),
    Turn("pair in wrong order", "the location comes first, the standard deviation second.",
         lambda w, m, s: analytic.mixture_moments(w, m, s)[::-1]),
]  # fmt: skip


# --- shared with mode-seeking ---------------------------------------------------------------------


def two_peaks(name: str, side: int, size: float = 1.0) -> tuple[MixtureSameFamily, list[Pair]]:
    """Return a mixture of two normals and its components, far from 0 and near enough to interact.

    The means are 3.0 to 3.1 times the sum of the scales apart: there are two valleys, whose bottoms
    differ from the components by more than 1e-4 nats.

    Args:
        name: names the draw.
        side: 1 or −1, where the mixture lies and which component is the heavier one.
        size: factor of both scales, and so of the distance between the means.
    """
    u = data.uniform(name, 5).tolist()
    scales = size * (0.5 + 0.3 * u[0]), size * (0.5 + 0.3 * u[1])
    near = side * (20 + 5 * u[2])
    far = near + side * (3.0 + 0.1 * u[3]) * sum(scales)
    weight = 0.35 + 0.1 * u[4]
    pairs = [(near, scales[0]), (far, scales[1])]
    return mixture([weight, 1 - weight], [near, far], scales), pairs


def words(p: MixtureSameFamily) -> str:
    """Return a mixture of normals in words, with rounded numbers."""
    c: Any = p.component_distribution
    parts = zip(p.mixture_distribution.probs, c.loc, c.scale, strict=True)
    return " + ".join(f"{w:.2f} Normal({m:.2f}, {s:.2f})" for w, m, s in parts)


def kl_of(p: Distribution) -> Callable[[Pair], float]:
    """Return the function that gives KL(q‖p) of q = Normal(loc, scale) in nats, by quadrature."""

    def kl(pair: Pair) -> float:
        loc, scale = torch.tensor(pair, dtype=torch.float64)
        return float(analytic.seeking_kl(p, loc, scale))

    return kl
