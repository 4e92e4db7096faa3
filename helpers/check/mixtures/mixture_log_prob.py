"""mixture_log_prob(raw, x): the log-density of a mixture of Betas, from unconstrained numbers."""

import itertools
import math
from collections.abc import Callable

import torch
from torch.nn.functional import softplus

from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Argument, Draws, Given, Jointly
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.mixtures import analytic

# In single precision lnΓ carries an absolute error of some 1e-6 into every log-density, so logs of
# densities may be 2e-4 away; every wrong turn differs by more than 0.01.
LOGS = 2e-4

Density = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
Map = Callable[[torch.Tensor], torch.Tensor]


def raw_rows(u: Draws, k: int, low: float, high: float) -> torch.Tensor:
    """Return unconstrained (raw a, raw b, raw weight) of k components, shape (k, 3).

    No two numbers of a column are near each other, and a differs from b in every row.
    """
    wiggle = 0.5 * u.uniform(3 * k).reshape(k, 3)
    place = (torch.arange(k, dtype=torch.float64)[:, None] + wiggle) / k
    rows = low + (high - low) * place
    rows[:, 1] = rows[:, 1].flip(0) + 0.3  # a large a goes with a small b
    rows[:, 2] = 0.2 + 1.6 * place[:, 2]
    return rows


def _raw(u: Draws, given: Given, k: int) -> torch.Tensor:
    """Return k components, of which one raw a is negative, and of three one raw weight."""
    raw = raw_rows(u, k, 0.4, 5.0)
    raw[0, 0] = -raw[0, 0]
    if k == 3:
        raw[1, 2] = -raw[1, 2]
    return raw


def _inside(u: Draws, given: Given) -> torch.Tensor:
    return u.uniform(9 if len(given["raw"]) == 2 else 31, 0.02, 0.95)


def _edges(u: Draws, low: float, high: float) -> Jointly:
    """Return two components, and points of which two are 0 and 1."""
    ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
    x = torch.cat([u.uniform(5, 0.02, 0.95), ends])
    return Jointly(raw=raw_rows(u, 2, low, high), x=x)


def _far(u: Draws, given: Given) -> Jointly:
    """Return two tight components, and points near 0, where both densities underflow."""
    tiny = torch.tensor([1e-7, 3e-6, 4e-7], dtype=torch.float64)
    return Jointly(raw=raw_rows(u, 2, 60.0, 90.0), x=torch.cat([u.uniform(2, 0.02, 0.95), tiny]))


def _large(u: Draws, given: Given) -> Jointly:
    """Return components whose softplus overflows by its formula, and whose weight by softmax.

    Near 0 the heavy component's density is smaller still than the weight that softmax loses.
    """
    raw = torch.tensor([[900.0, 4.0, 700.0], [1.5, 2.5, -700.0]], dtype=torch.float64)
    return Jointly(raw=raw, x=torch.cat([u.uniform(3, 0.02, 0.15), u.uniform(4, 0.3, 0.95)]))


def beta_logs(a: torch.Tensor, b: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return the log-density of each Beta at each point, shape (n, k)."""
    return analytic.joint(torch.stack([a, b, torch.ones_like(a)], dim=1), x)


def parts(raw: torch.Tensor, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the components' log-densities, shape (n, k), and the log weights, shape (k,)."""
    ab = softplus(raw[:, :2])
    return beta_logs(ab[:, 0], ab[:, 1], x), torch.log_softmax(raw[:, 2], 0)


def _joint(raw: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    logs, weights = parts(raw, x)
    return logs + weights


def _right(raw: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return torch.logsumexp(_joint(raw, x), dim=1)


def _weighted(*maps: Map) -> Callable[..., AnyOf]:
    """Return the mixtures whose weights are other functions of the raw weights."""
    return lambda raw, x: AnyOf(
        *[torch.logsumexp(parts(raw, x)[0] + weights(raw[:, 2]).log(), 1) for weights in maps]
    )


def _shaped(ab: Map) -> Density:
    """Return the mixture whose a and b are another function of the raw a and b."""

    def density(raw: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        a, b = ab(raw[:, :2]).unbind(1)
        return torch.logsumexp(beta_logs(a, b, x) + parts(raw, x)[1], 1)

    return density


def _averages(raw: torch.Tensor, x: torch.Tensor) -> AnyOf:
    logs, weights = parts(raw, x)
    return AnyOf((weights.exp() * logs).sum(1), logs.mean(1), logs.sum(1), (logs + weights).sum(1))


def _underflown(raw: torch.Tensor, x: torch.Tensor) -> AnyOf:
    logs, weights = parts(raw, x)
    return AnyOf(*[(logs.to(t).exp() * weights.to(t).exp()).sum(1).log().double()
                   for t in (torch.float64, torch.float32)])  # fmt: skip


def _kept_off_zero(raw: torch.Tensor, x: torch.Tensor) -> AnyOf:
    density = _right(raw, x).exp()
    small = [10.0**-k for k in (6, 8, 9, 10, 12, 15, 20, 30, 100, 300)]
    return AnyOf(*[(density + e).log() for e in small], *[density.clamp(min=e).log()
                                                          for e in small])  # fmt: skip


def _kept_inside(raw: torch.Tensor, x: torch.Tensor) -> AnyOf:
    small = [10.0**-k for k in range(3, 17)]
    return AnyOf(*[_right(raw, x.clamp(e, 1 - e)) for e in small])


def _by_hand(raw: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return a logsumexp made by subtracting the maximum, −∞ − (−∞) at the edges."""
    joint = _joint(raw, x)
    most = joint.max(dim=1, keepdim=True).values
    return most[:, 0] + (joint - most).exp().sum(1).log()


def says(*texts: str) -> Callable[[Exception], bool]:
    """Return whether an error's message holds one of the texts."""
    return lambda error: any(text in str(error) for text in texts)


RAW_USED = says("Expected parameter concentration")
LOGITS_USED = says("Expected parameter probs", "Simplex")


def _other_constants(raw: torch.Tensor, x: torch.Tensor) -> AnyOf:
    """Return the mixture without log B(a, b), and with it added in place of subtracted."""
    a, b = softplus(raw[:, :2]).unbind(1)
    log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
    logs, weights = parts(raw, x)
    return AnyOf(*[(logs + k * log_beta + weights).logsumexp(1) for k in (1, 2)])


def _other_powers(raw: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return the mixture with the powers a and b in place of a − 1 and b − 1."""
    logs, weights = parts(raw, x)
    return (logs + (x.log() + torch.log1p(-x))[:, None] + weights).logsumexp(1)


def _first_two(raw: torch.Tensor, x: torch.Tensor) -> AnyOf:
    """Return the mixture of two rows only, their weights made before or after the cut."""
    logs, weights = parts(raw, x)
    if len(raw) == 2:
        return AnyOf(_right(raw, x))
    several = ([0, 1], [0, -1])
    return AnyOf(*[of for two in several for of in (
        _right(raw[two], x), (logs + weights)[:, two].logsumexp(1))])  # fmt: skip


TURNS = (
    Turn("logs averaged",
         "you combine the logs of the components; the mixture is a sum of densities: log last.",
         _averages),
    Turn("weights forgotten",
         "every component counts alike; multiply each density by its weight before you add.",
         lambda raw, x: AnyOf(*[parts(raw, x)[0].logsumexp(1) - c
                                for c in (0.0, math.log(len(raw)))])),
    Turn("weights not normalised",
         "your weights do not sum to 1, so the area under the density is not 1; use softmax.",
         _weighted(torch.exp, softplus, torch.sigmoid, lambda w: (w - w.max()).exp())),
    Turn("softmax twice",
         "your weights went through softmax twice: probabilities were handed over as logits.",
         _weighted(lambda w: torch.softmax(torch.softmax(w, 0), 0))),
    Turn("weights not logged",
         "you add the weights themselves to the log-densities; add their logs: log_softmax.",
         _weighted(lambda w: torch.softmax(w, 0).exp())),
    Turn("logits as probabilities",
         "the third column holds any real numbers, not probabilities; softmax makes them that.",
         _weighted(lambda w: w / w.sum(), lambda w: w), raises=LOGITS_USED),
    Turn("not the softmax",
         "positive and summing to 1, but by another map; the sheet's weights are softmax.",
         _weighted(lambda w: softplus(w) / softplus(w).sum(),
                   lambda w: torch.sigmoid(w) / torch.sigmoid(w).sum(),
                   lambda w: torch.softmax(-w, 0))),
    Turn("softmax along the row", "the weights sum to 1 over the components: softmax of the third "
         "column, not of each row.",
         lambda raw, x: (parts(raw, x)[0] + raw.log_softmax(1)[:, 2]).logsumexp(1)),
    Turn("raw parameters used", "a and b are softplus of the first two columns, always positive.",
         _shaped(lambda ab: ab), raises=RAW_USED),
    Turn("exp for softplus", "a and b are made positive by exp; the sheet's layout says softplus.",
         _shaped(torch.exp)),
    Turn("not the softplus", "positive, but by another map; the sheet's a and b are softplus.",
         lambda raw, x: AnyOf(*[_shaped(of)(raw, x) for of in (
             torch.abs, torch.square, lambda ab: softplus(ab).clamp(min=1), torch.sigmoid,
             lambda ab: softplus(softplus(ab)))])),
    Turn("a and b swapped", "the first column is a, the power of x; the second is b.",
         lambda raw, x: _right(raw[:, [1, 0, 2]], x)),
    Turn("columns in another order", "a row is (raw a, raw b, raw weight), in this order.",
         lambda raw, x: AnyOf(*[_right(raw[:, list(p)], x)
                                for p in itertools.permutations(range(3)) if p[2] != 2])),
    Turn("density for log", "this is the density itself; return its logarithm.",
         lambda raw, x: _right(raw, x).exp()),
    Turn("one number for all", "you sum or average over x; return one log-density for each point.",
         lambda raw, x: AnyOf(_right(raw, x).sum(), _right(raw, x).mean())),
    Turn("summed over points", "a sum over dim 0 runs over the points; the components are in the "
         "other dimension.", lambda raw, x: _joint(raw, x).logsumexp(0)),
    Turn("components not summed", "there is one column for each component; add them up, as "
         "densities.", lambda raw, x: AnyOf(_joint(raw, x), parts(raw, x)[0], _joint(raw, x).T)),
    Turn("sign", "this is the negative log-density.", lambda raw, x: -_right(raw, x)),
    Turn("constant of the Beta", "the shape of each Beta is right, log B(a, b) is not: subtract "
         "lgamma(a) + lgamma(b) − lgamma(a + b).", _other_constants),
    Turn("exponents one off", "the powers of x and 1 − x are a − 1 and b − 1.",
         lambda raw, x: AnyOf(_other_powers(raw, x),
                              _shaped(lambda ab: softplus(ab) + 1)(raw, x))),
    Turn("weights times logs", "a weight multiplies a density: add its log to the log-density.",
         lambda raw, x: (parts(raw, x)[0] * parts(raw, x)[1].exp()).logsumexp(1)),
    Turn("likeliest component only", "you keep the largest term; the others belong to the sum.",
         lambda raw, x: _joint(raw, x).max(1).values),
    Turn("first two only", "there may be more than two components: use every row of raw.",
         _first_two),
    Turn("density underflows",
         "far out all densities round to 0, and log 0 is −∞; stay in logs, with torch.logsumexp.",
         _underflown),
    Turn("small number added", "a small number keeps log 0 away and gives another density far out: "
         "stay in logs.", _kept_off_zero),
    Turn("x kept off the edges", "at 0 and 1 the answer is the limit, which may be infinite: leave "
         "x as it is.", _kept_inside),
    Turn("NaN at an edge",
         "where every density is 0 you subtract −∞ from −∞; torch.logsumexp knows this case.",
         _by_hand),
)  # fmt: skip


EXERCISE = Exercise(
    name="mixture_log_prob",
    arguments=(
        Argument("raw", _raw, many=(2, 3), shown=lambda raw: f"{len(raw)} × 3 numbers", edges={
            "one component": lambda u, given: raw_rows(u, 1, 2.0, 3.0),
            "five components": lambda u, given: raw_rows(u, 5, 0.6, 8.0),
            "raw numbers far from 0": _large,
        }),
        Argument("x", _inside, edges={
            "a single point": lambda u, given: u.uniform(1, 0.02, 0.95),
            "edges where densities vanish": lambda u, given: _edges(u, 1.5, 5.0),
            "edges where densities grow": lambda u, given: _edges(u, -2.0, -0.5),
            "densities that underflow": _far,
        }),
    ),
    reference=_right,
    agree=Close(rtol=LOGS),
    turns=TURNS,
    slopes=("raw",),
    passed="mixture_log_prob: the log of the weighted sum, for one to five components.",
)  # fmt: skip
mixture_log_prob = EXERCISE.check
