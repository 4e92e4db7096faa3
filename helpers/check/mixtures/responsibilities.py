"""responsibilities(components, x): which component an observation belongs to, by Bayes' rule."""

from collections.abc import Callable

import torch
from torch.nn.functional import softplus

from helpers.check.kit.agree import Located
from helpers.check.kit.asks import Argument, Draws, Given, Jointly
from helpers.check.kit.compare import AnyOf, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.mixtures import analytic
from helpers.check.mixtures.mixture_log_prob import LOGS

Density = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def rows(u: Draws, k: int, low: float = 0.6, high: float = 6.0) -> torch.Tensor:
    """Return (a, b, weight) of k components, shape (k, 3), none of the weights near another."""
    place = torch.arange(k, dtype=torch.float64)[:, None] + 0.5 * u.uniform(2 * k).reshape(k, 2)
    ab = low + (high - low) * place / k
    weights = 1 + torch.arange(k, dtype=torch.float64) + 0.4 * u.uniform(k)
    if k > 2:  # so that neither means nor weights are in order
        ab, weights = ab.roll(1, 0), weights.roll(2, 0)
    ab[:, 1] = ab[:, 1].flip(0)  # a large a goes with a small b
    return torch.cat([ab, (weights / weights.sum())[:, None]], dim=1)


def _rows(u: Draws, given: Given, k: int) -> torch.Tensor:
    return rows(u, k)


def _inside(u: Draws, given: Given) -> torch.Tensor:
    return u.uniform(7 if len(given["components"]) == 2 else 31, 0.02, 0.95)


def _far(u: Draws, given: Given) -> Jointly:
    """Return two tight components and points near 0, where both densities underflow, and others."""
    tiny = torch.tensor([1e-7, 3e-6, 4e-7], dtype=torch.float64)
    return Jointly(components=rows(u, 2, 60.0, 90.0), x=torch.cat([tiny, u.uniform(2, 0.3, 0.7)]))


def _tiny_weight(u: Draws, given: Given) -> Jointly:
    """Return a weight that double precision keeps and single loses, where it still decides."""
    few = torch.tensor([[90.0, 3.0, 1 - 1e-60], [2.0, 30.0, 1e-60]], dtype=torch.float64)
    return Jointly(components=few, x=u.uniform(9, 0.1, 0.4))


def joint(components: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return log weight + log density, shape (n, k)."""
    return analytic.joint(components, x)


def reference(components: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return P(component | x), shape (n, k)."""
    return torch.softmax(joint(components, x), dim=1)


def _with(*weights: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., AnyOf]:
    """Return the responsibilities under other weights."""

    def gives(components: torch.Tensor, x: torch.Tensor) -> AnyOf:
        densities = joint(components, x) - components[:, 2].log()
        return AnyOf(*[torch.softmax(densities + w(components[:, 2]).log(), 1) for w in weights])

    return gives


def _shaped(ab: Callable[[torch.Tensor], torch.Tensor]) -> Density:
    return lambda components, x: reference(
        torch.cat([ab(components[:, :2]), components[:, 2:]], 1), x
    )


def _densities(components: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return the density of each component without its weight, shape (n, k)."""
    return (joint(components, x) - components[:, 2].log()).exp()


def _hard(components: torch.Tensor, x: torch.Tensor) -> AnyOf:
    most = reference(components, x).argmax(1)
    return AnyOf(torch.eye(len(components), dtype=torch.float64)[most], most)


def _quotients(components: torch.Tensor, x: torch.Tensor) -> list[torch.Tensor]:
    """Return weight · density over their sum, with densities in float64 and in float32."""
    found = []
    for dtype in (torch.float64, torch.float32):
        densities = joint(components, x).to(dtype).exp()
        found.append((densities / densities.sum(1, keepdim=True)).double())
    return found + [f.nan_to_num(v) for f in found for v in (0.0, 1 / len(components))]


def _kept_off_zero(components: torch.Tensor, x: torch.Tensor) -> list[torch.Tensor]:
    """Return the quotients with a small number added, or put in the place of smaller ones."""
    densities = joint(components, x).exp()
    total = densities.sum(1, keepdim=True)
    small = [10.0**-k for k in (6, 8, 9, 10, 12, 15, 16, 20, 30, 50, 100, 200, 300)]
    return [q for e in small for q in (
        densities / (total + e),
        densities / total.clamp(min=e),
        (densities + e) / (densities + e).sum(1, keepdim=True),
    )]  # fmt: skip


def _by_columns(got: torch.Tensor, wanted: torch.Tensor) -> bool:
    """Whether each column is off by a factor of its own, before each row is made to sum to 1."""
    clear = (wanted > 1e-9).all(1) & (got > 1e-9).all(1)
    off = (got[clear] / wanted[clear]).log()
    off = off - off[:, :1]
    return len(off) == 0 or bool((off - off[:1]).abs().max() < 1e-3)


PLACES = (
    ("weights are off", "the densities are right, but the weights enter in another way: each "
     "density is multiplied by its weight, once.", _by_columns),
    ("rows do not sum to 1", "a point belongs to some component: divide each row by its sum.",
     lambda got, wanted: not same(got.sum(1), torch.ones(len(got)))),
)  # fmt: skip


def _weighted_late(components: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return components[:, 2] * torch.softmax(joint(components, x) - components[:, 2].log(), 1)


def _over_all(components: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    logs = joint(components, x)
    return (logs - logs.logsumexp((0, 1))).exp()


def _first_two(components: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return reference(components[:2], x)


TURNS = (
    Turn("weights forgotten",
         "you compare the densities alone; Bayes' rule multiplies each by its component's weight.",
         _with(torch.ones_like)),
    Turn("weights twice", "a weight multiplies its density once.", _with(torch.square)),
    Turn("weighted too late", "the weights come in before the sum: multiply first, then divide.",
         _weighted_late),
    Turn("not normalised", "a row sums to the density of the mixture; divide it by that sum.",
         lambda c, x: AnyOf(joint(c, x).exp(), _densities(c, x))),
    Turn("normalised over points",
         "each column sums to 1; a point must belong to some component, so each row should.",
         lambda c, x: torch.softmax(joint(c, x), 0)),
    Turn("one sum for all", "you divide by the sum over points and components; each point has "
         "a sum of its own.", _over_all),
    Turn("logs as shares", "you divide logs by their sum; the shares are of densities.",
         lambda c, x: joint(c, x) / joint(c, x).sum(1, keepdim=True)),
    Turn("softmax of densities", "softmax takes an exponential itself: hand it logs.",
         lambda c, x: AnyOf(*[torch.softmax(d, 1) for d in (joint(c, x).exp(), _densities(c, x))])),
    Turn("log returned", "this is the logarithm of the responsibilities.",
         lambda c, x: AnyOf(torch.log_softmax(joint(c, x), 1), joint(c, x))),
    Turn("hard assignment",
         "you name the likeliest component only; return how likely each of them is.", _hard),
    Turn("transposed", "a row for each point and a column for each component, please.",
         lambda c, x: reference(c, x).T),
    Turn("one component only", "this is one column; return all of them.",
         lambda c, x: AnyOf(*[reference(c, x)[:, i] for i in (0, -1)])),
    Turn("components reversed", "the columns stand in another order than the rows of components.",
         lambda c, x: reference(c, x).flip(1)),
    Turn("columns sorted", "the columns stand in the order of the rows of components, not in that "
         "of size.", lambda c, x: AnyOf(*[reference(c, x).sort(1, descending=d).values
                                          for d in (True, False)])),
    Turn("weights alone", "these are the weights, before a point is seen; look at its density too.",
         lambda c, x: c[:, 2].expand(len(x), len(c))),
    Turn("weights not logged", "a weight itself was taken for a log: add log(weight) to a "
         "log-density; the weights sum to 1 already and need no softmax.", _with(torch.exp)),
    Turn("weights times logs", "a weight multiplies a density: add its log to the log-density.",
         lambda c, x: torch.softmax((joint(c, x) - c[:, 2].log()) * c[:, 2], 1)),
    Turn("softplus of a and b", "these are a and b themselves, positive already: no softplus.",
         lambda c, x: AnyOf(_shaped(softplus)(c, x), reference(analytic.parameters(c), x))),
    Turn("a and b swapped", "the first column is a, the power of x; the second is b.",
         _shaped(lambda ab: ab.flip(1))),
    Turn("divided by the largest", "a row's parts are divided by their sum, not by the largest.",
         lambda c, x: (joint(c, x) - joint(c, x).max(1, keepdim=True).values).exp()),
    Turn("constant of the Beta", "log B(a, b) belongs to each component: it differs between them.",
         lambda c, x: torch.softmax(joint(c, x) + torch.lgamma(c[:, :2]).sum(1)
                                    - torch.lgamma(c[:, :2].sum(1)), 1)),
    Turn("first two only", "there may be more than two components: use every row.", _first_two),
    Turn("density underflows",
         "far out all densities round to 0; a small number or a repair hides 0/0 and gives other "
         "shares: subtract logs before you take exp.",
         lambda c, x: AnyOf(*_quotients(c, x), *_kept_off_zero(c, x))),
)  # fmt: skip

EXERCISE = Exercise(
    name="responsibilities",
    arguments=(
        Argument("components", _rows, many=(2, 3), shown=lambda c: f"{len(c)} rows", edges={
            "five components": lambda u, given: rows(u, 5),
        }),
        Argument("x", _inside, edges={
            "a single point": lambda u, given: u.uniform(1, 0.2, 0.6),
            "densities that underflow": _far,
            "a tiny weight": _tiny_weight,
        }),
    ),
    reference=reference,
    agree=Located(rtol=LOGS, places=PLACES),
    turns=TURNS,
    passed="responsibilities: weight times density over their sum, for two to five components.",
)  # fmt: skip
responsibilities = EXERCISE.check
