"""fit_mixture(data, starts): the best of several fits, judged by its likelihood."""

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import softplus

from helpers import data
from helpers.check.kit import runs
from helpers.check.kit.agree import Outcome
from helpers.check.kit.asks import Argument, Draws, Given, Jointly
from helpers.check.kit.compare import STANDARD_ERRORS, AnyOf, as_tensor, several
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.learned import Learned
from helpers.check.mixtures import analytic
from helpers.check.mixtures.em_step import hills

# The truths that the samples are drawn from, before each shape is moved by a fifth.
TRUTHS = {
    2: [[3.0, 9.0, 0.35], [9.0, 2.5, 0.65]],
    3: [[2.5, 18.0, 0.3], [18.0, 16.0, 0.45], [18.0, 2.0, 0.25]],
}
SIZES = {2: 320, 3: 450}  # observations
SETTLED = 30  # EM steps after which the starts of a case are in their valleys
FEW = 200


def mean_nll(components: torch.Tensor, x: torch.Tensor, *_: Any) -> torch.Tensor:
    """Return the mean loss of a mixture, infinite where its numbers make no distribution."""
    if not is_mixture(components):
        return torch.tensor(math.inf)
    return -analytic.mixture_log_prob(components, x).mean()


def is_mixture(components: torch.Tensor) -> bool:
    """Whether a and b are positive and the weights probabilities that sum to 1, to 1e-5."""
    components = components.detach()
    weights = components[:, 2]
    one = abs(float(weights.sum()) - 1) < 1e-5
    return bool((components[:, :2] > 0).all() and (weights >= 0).all() and one)


@dataclass(frozen=True)
class BestMixture(Learned):
    """Components in any order, within a tenth of a standard error of the best interior optimum.

    The likelihood of a mixture of Betas has no top: a spike on one observation goes beyond any
    bound. So a loss far below that of the optimum is refused as one above it is.
    """

    def left(self, case: Any, got: torch.Tensor, expected: Any) -> float:
        """Return the root of the deviance, of either sign."""
        optimum = as_tensor(expected)
        assert optimum is not None
        excess = float(self.mean_nll(got, *case.args) - self.mean_nll(optimum, *case.args))
        return math.sqrt(2 * self.size(*case.args) * abs(excess))

    def same(self, got: Any, wrong: Any) -> bool:
        """Return whether a value is what a wrong turn gives, its rows in any order."""
        wanted = [v for v in (as_tensor(w) for w in several(wrong)) if v is not None]
        turned = [w[list(p)] for w in wanted if w.ndim == 2
                  for p in itertools.permutations(range(len(w)))]  # fmt: skip
        return super().same(got, AnyOf(*turned, *wanted))

    def named(self, failing: Any) -> tuple[str, str] | None:
        """Return «stops early», with the rows of the optimum in the order of the answer's."""
        return super().named([_turned(o) for o in failing])


def _turned(outcome: Outcome) -> Outcome:
    """Return the outcome with the optimum's rows in the order of the answer's, by their means."""
    got, optimum = as_tensor(outcome.value), as_tensor(outcome.expected)
    if got is None or optimum is None or got.shape != optimum.shape:
        return outcome
    places = [(c[:, 0] / (c[:, 0] + c[:, 1])).argsort() for c in (got, optimum)]
    expected = torch.empty_like(optimum)
    expected[places[0]] = optimum[places[1]]
    return Outcome(outcome.case, expected, outcome.value, outcome.failure)


@dataclass(frozen=True)
class Fits:
    """What is known of one case: where each start ends, and the best interior optimum."""

    x: torch.Tensor
    starts: torch.Tensor
    ends: torch.Tensor
    optimum: torch.Tensor

    def loss(self, components: Any) -> float:
        """Return the mean loss of a mixture."""
        return float(mean_nll(components, self.x))

    def left(self, components: torch.Tensor) -> float:
        """Return how many standard errors a mixture is from the best one."""
        excess = self.loss(components) - self.loss(self.optimum)
        return math.sqrt(2 * len(self.x) * abs(excess))


def fits(x: torch.Tensor, starts: torch.Tensor) -> Fits:
    """Return the fits of a case; they are made once."""
    shape = tuple(starts.shape)
    return _fits(x.double().numpy().tobytes(), starts.double().numpy().tobytes(), shape)


@functools.lru_cache(maxsize=16)
def _fits(x_bytes: bytes, starts_bytes: bytes, shape: tuple[int, ...]) -> Fits:
    x = torch.frombuffer(bytearray(x_bytes), dtype=torch.float64)
    starts = torch.frombuffer(bytearray(starts_bytes), dtype=torch.float64).reshape(shape)
    ends = analytic.em(starts, x, SETTLED)
    best = min(ends, key=lambda end: float(mean_nll(end, x)))
    return Fits(x, starts, ends, analytic.mixture_optimum(x, best))


def reference(x: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
    """Return the best interior optimum that one of the starts leads to.

    Raises:
        ValueError: these are the data of no case; so that a fit is not made for each way in which
            data can be altered.
    """
    if len(x) not in SIZES.values() or not bool(((x > 0) & (x < 1)).all()):
        raise ValueError("no case has these data")
    return fits(x, starts).optimum


# --- cases ---------------------------------------------------------------------------------------


def _sample(u: Draws, k: int) -> torch.Tensor:
    truth = torch.tensor(TRUTHS[k], dtype=torch.float64)
    truth[:, :2] *= u.uniform(2 * k, -0.2, 0.2).exp().reshape(k, 2)
    return hills(u, truth, SIZES[k])


def _starts(x: torch.Tensor, k: int) -> torch.Tensor:
    """Return three starts, the second over the hills and so narrow that its loss is high.

    The others begin lower, and have twins, which no step parts.
    """
    good = torch.tensor(TRUTHS[k], dtype=torch.float64).roll(1, 0)
    good[:, :2] *= 3
    good[:, 2] = 1 / k
    twins = good.clone()
    twins[:, :2] = 0.8 * analytic.beta_mle(x)
    other = twins * 1.5
    other[:, 2] = torch.tensor([0.7, 0.2, 0.1] if k == 3 else [0.9, 0.1])
    return torch.stack([twins, good, other])


def _slow(u: Draws, given: Given) -> Jointly:
    """Return three hills, and a good start that lags behind a trap for the first steps.

    In the trap two components are alike, and all fit as well as two can; it goes nowhere.
    """
    x = _sample(u, 3)
    truth = torch.tensor(TRUTHS[3], dtype=torch.float64)
    traps = []
    for pair in ([0, 1], [1, 2]):
        twins = truth.clone()
        twins[pair, :2] = truth[pair, :2].mean(0) / 4
        traps.append(analytic.em(twins, x, 20))
    trap = min(traps, key=lambda end: float(mean_nll(end, x)))
    wide = [[1.5, 4.0, 0.34], [3.0, 3.0, 0.33], [4.0, 1.5, 0.33]]
    return Jointly(data=x, starts=torch.stack([trap, torch.tensor(wide, dtype=torch.float64)]))


def _three(u: Draws, given: Given) -> Jointly:
    x = _sample(u, 3)
    return Jointly(data=x, starts=_starts(x, 3))


# --- wrong turns ---------------------------------------------------------------------------------

Rows = Callable[[torch.Tensor], torch.Tensor]


def _columns(ab: Rows | None = None, weights: Rows | None = None) -> Rows:
    """Return a reading of (a, b, weight) in which the one or the other is transformed."""
    return lambda c: torch.cat([ab(c[:, :2]) if ab else c[:, :2],
                                weights(c[:, 2:]) if weights else c[:, 2:]], 1)  # fmt: skip


def _permuted(columns: tuple[int, ...]) -> Rows:
    return lambda c: c[:, list(columns)]


# Ways to read the numbers of an answer: what was forgotten, or done once too often.
READINGS: dict[str, tuple[str, list[Rows]]] = {
    "raw parameters returned": (
        "these are the unconstrained numbers; apply softplus to a and b, softmax to weights.",
        [_columns(of, lambda w: w.softmax(0)) for of in (softplus, torch.exp)],
    ),
    "logits returned": (
        "the weights are still logits; softmax makes them sum to 1.",
        [_columns(None, lambda w: w.softmax(0))],
    ),
    "weights not normalised": (
        "the weights must sum to 1.",
        [_columns(None, lambda w: w / w.sum())],
    ),
    "raw a and b": (
        "a and b are before their softplus; the weights are fine.",
        [_columns(softplus), _columns(torch.exp)],
    ),
    "softplus twice": (
        "softplus has been applied twice to a and b.",
        [_columns(lambda ab: ab.clamp(min=1e-9).expm1().log())],
    ),
    "columns in another order": (
        "a row is (a, b, weight), in this order.",
        [_permuted(p) for p in itertools.permutations(range(3))],
    ),
    "weights in wrong rows": (
        "each weight stands in the row of its component.",
        [_columns(None, functools.partial(torch.roll, shifts=s, dims=0)) for s in (1, 2)],
    ),
}


def _reading(name: str) -> Turn:
    """Return the turn that shows when the numbers fit well once they are read in another way."""

    def alike(got: Any, known: Fits) -> bool:
        value = as_tensor(got)
        if value is None or value.shape != known.optimum.shape:
            return False
        value = value.double()
        left = {n: min(known.left(read(value)) for read in READINGS[n][1]) for n in READINGS}
        best = min(left, key=lambda n: left[n])
        return best == name and left[best] < min(1.0, known.left(value) / 5)

    return Turn(name, READINGS[name][0], fits, alike=alike)


def _trapped(got: Any, known: Fits) -> bool:
    """Whether the loss is that of another end than the best, or the best, where no trap was."""
    value = as_tensor(got)
    if value is None or value.shape != known.optimum.shape:
        return False
    loss, best = known.loss(value.double()), known.loss(known.optimum)
    traps = [known.loss(end) for end in known.ends]
    return known.left(value.double()) < STANDARD_ERRORS or any(
        abs(loss - t) < 0.1 * (t - best) for t in traps if t - best > 0.02
    )


def _spiked(got: Any, known: Fits) -> bool:
    value = as_tensor(got)
    if value is None or value.shape != known.optimum.shape or not is_mixture(value.double()):
        return False
    return bool((value[:, :2].sum(1) > 5000).any())


def _from_best(**how: Any) -> Callable[..., torch.Tensor]:
    """Return where another algorithm leads from the good start."""

    def gives(x: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
        known = fits(x, starts)
        best = min(range(len(starts)), key=lambda i: known.loss(known.ends[i]))
        return analytic.em(known.starts[best], x, 60, **how)

    return gives


def _averages(ends: torch.Tensor) -> list[torch.Tensor]:
    """Return the mean of ends, whose rows are taken as they come, or by size of one of them."""
    orders = [column.argsort(1) for column in (ends[..., 0], ends[..., 1], ends[..., 2],
                                               ends[..., 0] / ends[..., :2].sum(-1))]  # fmt: skip
    return [ends.mean(0), *[ends.take_along_dim(o[..., None], 1).mean(0) for o in orders]]


def _hard(joint: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(joint.argmax(-1), joint.shape[-1]).double()


def _moments(r: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return a and b that match weighted means and variances, for shares of shape (n, k)."""
    mean = r.T @ x / r.sum(0)
    square = (r * (x[:, None] - mean) ** 2).sum(0) / r.sum(0)
    both = (mean * (1 - mean) / square - 1).clamp(min=1e-3)
    return torch.stack([mean * both, (1 - mean) * both], dim=1)


def _by_moments(x: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
    """Return where EM comes to rest whose M step matches moments, from the best fit."""
    components = fits(x, starts).optimum
    for _ in range(200):
        r = analytic.responsibilities(components, x)
        components = torch.cat([_moments(r, x), r.mean(0)[:, None]], dim=1)
    return components


def _by_halves(x: torch.Tensor, starts: torch.Tensor) -> AnyOf:
    half = len(x) // 2
    return AnyOf(*[fits(part, starts).optimum for part in (x[:half], x[half:], x[::2])])


def _of_the_sheet(x: torch.Tensor, starts: torch.Tensor) -> AnyOf:
    own = data.two_peaks()
    return AnyOf(*[fits(part, starts).optimum for part in (own[:FEW], own)])


def _steps(x: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
    """Return where EM from each start comes by."""
    passed = [starts]
    for _ in range(SETTLED):
        passed.append(analytic.em(passed[-1], x))
    return torch.stack(passed).flatten(-2)


def _started(place: int) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Return a function that gives one of the starts in raw parameters, a, b, log w."""

    def raw(x: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
        start = starts[place % len(starts)]
        return torch.cat([start[:, :2].expm1().log(), start[:, 2:].log()], dim=1).flatten()

    return raw


def _components(raw: torch.Tensor) -> torch.Tensor:
    rows = raw.unflatten(-1, (-1, 3))
    return torch.cat([softplus(rows[..., :2]), rows[..., 2:].softmax(-2)], dim=-1)


def _losses(raw: torch.Tensor, x: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
    a, b, w = (c.unsqueeze(-2) for c in _components(raw).unbind(-1))
    x = x[:, None]
    logs = (a - 1) * x.log() + (b - 1) * (-x).log1p() + torch.lgamma(a + b)
    return -(logs - torch.lgamma(a) - torch.lgamma(b) + w.log()).logsumexp(-1).mean(-1)


TRAILS = runs.trails(
    [runs.Way(_started(i), _losses, lambda raw: _components(raw).flatten(-2)) for i in range(3)],
    150, rates=(0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3), kinds={"on the way": [runs.Kind()]},
)  # fmt: skip

TURNS = (
    Turn("a spike", "one component sits on next to nothing: the loss has no bottom there; the best "
         "fit with wide components is asked.", fits, alike=_spiked),
    Turn("start returned", "this is a start: go on from it.",
         lambda x, starts: AnyOf(*starts), tolerance=1e-6),
    Turn("ends averaged", "rows of different ends do not belong together: keep one end.",
         lambda x, starts: AnyOf(starts.mean(0), *_averages(fits(x, starts).ends))),
    *[_reading(name) for name in READINGS],
    Turn("stuck in a trap", "this is the end of another start, with two components alike: go on "
         "from every start, and keep the end with the lowest loss.", fits, alike=_trapped),
    Turn("hard assignment", "each observation belongs to all components, in shares; you give it to "
         "the likeliest alone.", _from_best(shares=_hard)),
    Turn("weights not fitted", "the weights have stayed where they began; they are learned too.",
         _from_best(weights=lambda w: w)),
    Turn("method of moments", "each M step solves the scores, which hold weighted means of logs: "
         "matching means and variances comes to rest elsewhere.", _by_moments),
    Turn("half of the data", "use all of data for the fit, and for the choice as well: the lowest "
         "loss on data is asked.", _by_halves),
    Turn("the sheet's data", "this is the fit to the sheet's own data; use the argument that the "
         "function is given.", _of_the_sheet, tolerance=5e-3),
    Turn("too few steps", "a run from one of the starts comes by here and goes on: go on until the "
         "components no longer change.", _steps, alike=runs.comes_by),
    Turn("too few steps", "a run from one of the starts comes by here and goes on: make more "
         "steps, or longer ones.", TRAILS, alike=lambda got, known: any(
             runs.comes_by(got, passed) for passed in known.of["on the way"])),
    Turn(f"only the first {FEW}", "use all of data, however many there are.",
         lambda x, starts: fits(x[:FEW], starts).optimum, tolerance=5e-3),
)  # fmt: skip

EXERCISE = Exercise(
    name="fit_mixture",
    arguments=(
        Argument("data", lambda u, given: _sample(u, 2), alone=False,
                 shown=lambda x: f"{len(x)} values"),
        Argument("starts", lambda u, given: _starts(given["data"], 2), alone=False,
                 shown=lambda s: f"{len(s)} starts of {s.shape[1]} components", edges={
            "three components": _three,
            "a good start that is slow": _slow,
            "a single start": lambda u, given: _starts(given["data"], 2)[1:2],
        }),
    ),
    reference=reference,
    agree=BestMixture(mean_nll=mean_nll, start=lambda x, starts: AnyOf(*starts), near=1e-2),
    turns=TURNS,
    typical=1,
    passed="fit_mixture: within a tenth of a standard error of the best fit, of two and of three "
    "components.",
    hints={"stops early": "the loss still falls from here: make more steps from each start, or "
           "choose among the starts when they have arrived, not before."},
)  # fmt: skip
fit_mixture = EXERCISE.check
