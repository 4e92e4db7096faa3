"""decompose(means, sds): the variance of an ensemble's prediction, split by where it comes from."""

import torch

from helpers.check.kit.asks import Argument, Draws, Given
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

Tensor = torch.Tensor
KINDS = {4: (4, 3), 9: (9, 5), 2: (2, 1), 1: (1, 3)}  # members and places, by what is asked


def _means(u: Draws, given: Given, kind: int) -> Tensor:
    k, m = KINDS[kind]
    return u.normal(k * m, 2.0, 1.5).reshape(k, m)


def _sds(u: Draws, given: Given, kind: int) -> Tensor:
    return u.uniform(given["means"].numel(), 0.3, 2.5).reshape(given["means"].shape)


def reference(means: Tensor, sds: Tensor) -> Tensor:
    """Return the mean of the variances, the variance of the means, and their sum, shape (3, m)."""
    aleatoric = (sds**2).sum(0) / len(sds)
    epistemic = ((means - means.sum(0) / len(means)) ** 2).sum(0) / len(means)
    return torch.stack([aleatoric, epistemic, aleatoric + epistemic])


def by_var(means: Tensor, sds: Tensor) -> object:
    """Split as the sheet leads to it."""
    aleatoric = (sds**2).mean(0)
    epistemic = means.var(0, correction=0)
    return aleatoric, epistemic, aleatoric + epistemic


def by_second_moment(means: Tensor, sds: Tensor) -> object:
    """Total first, as the second moment of the mixture less its squared mean."""
    aleatoric = (sds**2).mean(0)
    epistemic = (means**2).mean(0) - means.mean(0) ** 2
    return aleatoric, epistemic, (sds**2 + means**2).mean(0) - means.mean(0) ** 2


def _with(*pairs: tuple[Tensor, Tensor]) -> AnyOf:
    return AnyOf(*[torch.stack([a, e, a + e]) for a, e in pairs])


def _roots(means: Tensor, sds: Tensor) -> AnyOf:
    """Return roots in the place of variances, the total's before or after the sum."""
    a, e, t = reference(means, sds)
    return AnyOf(torch.stack([a.sqrt(), e.sqrt(), t.sqrt()]),
                 torch.stack([a.sqrt(), e.sqrt(), a.sqrt() + e.sqrt()]))  # fmt: skip


def _weighted(means: Tensor, sds: Tensor) -> AnyOf:
    """Return what weights by 1/sd² or 1/sd give, of both parts or of the disagreement alone."""
    found = []
    for power in (2, 1):
        w = sds**-power / (sds**-power).sum(0)
        spread = (w * (means - (w * means).sum(0)) ** 2).sum(0)
        found += [((w * sds**2).sum(0), spread), ((sds**2).mean(0), spread)]
    return _with(*found)


def _unbiased(means: Tensor, sds: Tensor) -> AnyOf:
    a, _, t = reference(means, sds)
    own = means.var(0)
    return AnyOf(torch.stack([a, own, a + own]), torch.stack([a, own, t]))


TURNS = (
    Turn("n − 1 for n", "the k members are the whole mixture, not a sample of one: divide by k.",
         _unbiased),
    Turn("deviations averaged", "variances average, standard deviations do not: square the sds "
         "first.", lambda m, s: _with((s.mean(0) ** 2, m.var(0, correction=0)))),
    Turn("deviations for variances", "three variances are asked for: leave out the roots.", _roots),
    Turn("deviations added", "the two variances add up; their roots do not.",
         lambda m, s: AnyOf(*[torch.stack([a, e, t]) for a, e, _ in [reference(m, s)]
                              for t in ((a.sqrt() + e.sqrt()) ** 2, a.sqrt() + e.sqrt())])),
    Turn("spread of the sds", "aleatoric is how large the noise is, not how far members disagree "
         "about it.", lambda m, s: _with(*[(s.var(0, correction=c), m.var(0, correction=0))
                                           for c in (0, 1)])),
    Turn("total for a part", "one part is the mean of the variances alone, the other the variance "
         "of the means alone; only the third is their sum.",
         lambda m, s: AnyOf(*[torch.stack(three) for a, e, t in [reference(m, s)]
                              for three in ([a, t, t], [t, e, t], [a, t, a + t])])),
    Turn("mean not subtracted", "members disagree about their common mean: measure from there.",
         lambda m, s: _with(((s**2).mean(0), (m**2).mean(0)))),
    Turn("sum over the members", "both parts are averages over the k members: divide by k.",
         lambda m, s: _with(((s**2).sum(0), m.var(0, correction=0)),
                            ((s**2).mean(0), len(m) * m.var(0, correction=0)),
                            ((s**2).sum(0), len(m) * m.var(0, correction=0)))),
    Turn("shrinks with members", "this is how sure the average over the members is; what one "
         "prediction is unsure of does not shrink with k.",
         lambda m, s: _with(((s**2).mean(0) / len(m), m.var(0, correction=0) / len(m)),
                            ((s**2).mean(0) / len(m), m.var(0, correction=0)),
                            ((s**2).mean(0), m.var(0, correction=0) / len(m)))),
    Turn("parts exchanged", "the noise of the data comes first, the disagreement second.",
         lambda m, s: reference(m, s)[[1, 0, 2]]),
    Turn("order of the three", "first aleatoric, then epistemic, then the total.",
         lambda m, s: AnyOf(*[reference(m, s)[i] for i in ([2, 0, 1], [2, 1, 0], [0, 2, 1],
                                                           [1, 2, 0])])),
    Turn("means and sds exchanged", "the first argument holds the means, the second the standard "
         "deviations.", lambda m, s: reference(s, m)),
    Turn("sds taken for variances", "sds are standard deviations: square them.",
         lambda m, s: _with((s.mean(0), m.var(0, correction=0)))),
    Turn("weighted by precision", "every member counts alike, the noisy ones too: no weights.",
         _weighted),
    Turn("wrong axis", "members are the rows: average over the first axis.",
         lambda m, s: reference(m.T, s.T)),
    Turn("places mixed", "one number for each of the m places: average over the members only.",
         lambda m, s: AnyOf(reference(m.flatten()[:, None], s.flatten()[:, None])[:, 0],
                            reference(m, s).mean(1))),
    Turn("medians for means", "a variance is a mean of squares, not their median.",
         lambda m, s: _with(*[(a, e) for a in ((s**2).median(0).values, (s**2).mean(0))
                              for e in (((m - m.median(0).values) ** 2).mean(0),
                                        ((m - m.mean(0)) ** 2).median(0).values,
                                        m.var(0, correction=0))][:-1])),
)  # fmt: skip

EXERCISE = Exercise(
    name="decompose",
    arguments=(
        Argument("means", _means, many=(4, 9), sizes=(2, 1)),
        Argument("sds", _sds, many=(4, 9), edges={
            "members that know no noise": lambda u, given: torch.zeros_like(given["means"]),
        }),
    ),
    reference=reference,
    turns=TURNS,
    worked=(by_var, by_second_moment),
    parts=("aleatoric", "epistemic", "total"),
    typical=2,
    passed="decompose: what the data scatter, what the members do not know, and their sum.",
)  # fmt: skip
decompose = EXERCISE.check
