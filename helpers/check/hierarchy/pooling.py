"""no_pooling(y, school, sigma) and complete_pooling(y, school): each for itself, or all as one."""

import torch

from helpers.check.hierarchy import classes
from helpers.check.hierarchy.analytic import means, members, sizes
from helpers.check.kit.agree import Close
from helpers.check.kit.asks import positive
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise, Together

Tensor = torch.Tensor
OF_SHEET = "this is the result for the sheet's own pupils; use those that the function is given."
Two = tuple[Tensor, Tensor]


def each(y: Tensor, school: Tensor, sigma: float) -> Two:
    """Return the mean of each school and its standard error, σ/√n."""
    return means(y, school), sigma / sizes(school).sqrt()


def all_as_one(y: Tensor, school: Tensor) -> Tensor:
    """Return the mean of all pupils, once for each school."""
    return y.double().mean().expand(int(school.max()) + 1)


def by_counts(y: Tensor, school: Tensor, sigma: float) -> object:
    """The means as sums over counts."""
    n = torch.bincount(school).double()
    found = torch.bincount(school, weights=y) / n
    return found, sigma / torch.sqrt(n)


def _errors(y: Tensor, school: Tensor, sigma: float) -> AnyOf:
    n, found = sizes(school), means(y, school)
    return AnyOf((found, sigma**2 / n), (found, sigma / n), (found, (sigma / n).sqrt()))


def _of_all(y: Tensor, school: Tensor, sigma: float) -> AnyOf:
    n, found = sizes(school), means(y, school)
    every = torch.ones_like(n) * len(y)
    return AnyOf((found, sigma / every.sqrt()), (found, sigma * torch.ones_like(n)),
                 (found, sigma / (0 * n + len(n)).sqrt()))  # fmt: skip


def _own_spread(y: Tensor, school: Tensor, correction: int) -> Two:
    spread = torch.stack([y[school == j].std(correction=correction)
                          for j in range(int(school.max()) + 1)])  # fmt: skip
    return means(y, school), spread / sizes(school).sqrt()


def _by_one_less(y: Tensor, school: Tensor, sigma: float) -> AnyOf:
    """Return it with n − 1 for n; a school of one pupil is divided by nothing."""
    n, (found, errors) = sizes(school), each(y, school, sigma)
    total = members(school).T @ y.double()
    return AnyOf((found, sigma / (n - 1).sqrt()), (total / (n - 1), errors),
                 (total / (n - 1), sigma / (n - 1).sqrt()))  # fmt: skip


def _by_appearance(y: Tensor, school: Tensor, sigma: float) -> Two:
    """Return the schools in the order in which their first pupils stand."""
    seen = list(dict.fromkeys(school.tolist()))
    found, errors = each(y, school, sigma)
    return found[seen], errors[seen]


def _in_order(y: Tensor, school: Tensor) -> Tensor:
    """Return the means where the pupils are taken to stand school by school."""
    split = y.split(sizes(school).long().tolist())
    return torch.stack([part.mean() for part in split])


def _per_pupil(y: Tensor, school: Tensor, sigma: float) -> AnyOf:
    found, errors = each(y, school, sigma)
    return AnyOf((found[school], errors[school]), (found[school], errors))


EACH = (
    Turn("the sheet's pupils", OF_SHEET,
         lambda y, school, sigma: each(*classes.of_sheet()[1:], sigma)),
    Turn("standard error asked", "the second part is σ/√n, the standard error of a mean of n.",
         _errors),
    Turn("n of all pupils", "each school's mean has an error of its own, by its own number of "
         "pupils.", _of_all),
    Turn("the school's own spread", "σ is given: the spread of two or three pupils says little.",
         lambda y, school, sigma: AnyOf(_own_spread(y, school, 1), _own_spread(y, school, 0))),
    Turn("order of the pupils", "the pupils stand in no order: `school` says whose is whose.",
         lambda y, school, sigma: (_in_order(y, school), each(y, school, sigma)[1])),
    Turn("one for each pupil", "return one number for each school, not for each pupil.",
         _per_pupil),
    Turn("n − 1", "divide by the number of pupils, not by one less: σ is given, nothing is lost to "
         "its estimate.", _by_one_less),
    Turn("order of the schools", "the first number is school 0's, and so on: not that of the pupil "
         "who stands first.", _by_appearance),
    Turn("pooled", "every school for itself: its own pupils only.",
         lambda y, school, sigma: (all_as_one(y, school), each(y, school, sigma)[1])),
    Turn("sum for mean", "divide each school's sum by its own number of pupils.",
         lambda y, school, sigma: AnyOf(
             *[(means(y, school) * sizes(school) / by, each(y, school, sigma)[1])
               for by in (1, len(y), len(y) / len(sizes(school)))])),
    Turn("precision", "the second part is a standard error, not one over its square.",
         lambda y, school, sigma: AnyOf(
             (means(y, school), sizes(school) / sigma**2), (means(y, school), sizes(school)),
             (means(y, school), sizes(school).sqrt() / sigma))),
)  # fmt: skip

AS_ONE = (
    Turn("the sheet's pupils", OF_SHEET,
         lambda y, school: all_as_one(*classes.of_sheet()[1:])),
    Turn("mean of means", "every pupil counts once: a school of two counts less than one of "
         "twenty.", lambda y, school: (0 * sizes(school) + means(y, school).mean())),
    Turn("divided by the schools", "the mean of all pupils divides by their number, not by that of "
         "the schools.", lambda y, school: 0 * sizes(school) + y.sum() / len(sizes(school))),
    Turn("not pooled", "these are the schools' own means; here all pupils are one school.", means),
    Turn("one number only", "return one number for each school, all of them alike.",
         lambda y, school: y.mean()),
    Turn("one for each pupil", "return one number for each school, not for each pupil.",
         lambda y, school: y.mean().expand(len(y))),
    Turn("order of the pupils", "the pupils stand in no order: `school` says whose is whose.",
         _in_order),
    Turn("n − 1", "a mean divides by the number of pupils, not by one less.",
         lambda y, school: 0 * sizes(school) + y.sum() / (len(y) - 1)),
    Turn("median", "the mean of all pupils is asked.",
         lambda y, school: 0 * sizes(school) + y.median()),
)  # fmt: skip

EDGES = {"with every pupil in a school of their own": classes.each_its_own}
EXERCISE = Together(
    (
        Exercise(
            name="no_pooling",
            arguments=(classes.y(sizes=(1, 2)), classes.school(edges=EDGES),
                       positive("sigma", 5.0, 90.0)),
            reference=each, agree=Close(single=True), turns=EACH, worked=(by_counts,),
            parts=("the mean", "the standard error"), passed="no_pooling.",
        ),
        Exercise(
            name="complete_pooling",
            arguments=(classes.y(sizes=(1, 2)), classes.school(edges=EDGES, ignorable=True)),
            reference=all_as_one, agree=Close(single=True), turns=AS_ONE,
            passed="complete_pooling.",
        ),
    ),
    "no_pooling, complete_pooling: schools of one pupil and of many, in any order.",
)  # fmt: skip
pooling = EXERCISE.check
