"""log_joint(y, flips): the log joint density of flips and the logit of their probability."""

import math

import torch
from torch.nn.functional import logsigmoid

from helpers.check.elbo import analytic
from helpers.check.elbo.coins import DOUBLE, flips_argument
from helpers.check.kit.asks import Argument, Draws, Given
from helpers.check.kit.compare import AnyOf, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

ROUNDS = "y far out, where σ(y) rounds"


def reference(y: torch.Tensor, flips: torch.Tensor, more: float = 0.0) -> torch.Tensor:
    """Return the log joint density, both exponents enlarged by ``more``."""
    a, b = analytic.exponents(flips)
    return analytic.log_joint(y, a + more, b + more)


def _y(u: Draws, given: Given) -> torch.Tensor:
    """Return seven points: no number of flips that is asked is seven."""
    return u.uniform(7, -3.0, 3.0)


def _rounded(y: torch.Tensor, flips: torch.Tensor) -> AnyOf:
    """Return what a small number gives that is added to a probability, or bounds it."""
    heads, tails, p = flips.sum(), (1 - flips).sum(), torch.sigmoid(y)
    values = []
    for tiny in [10.0**-k for k in (4, 5, 6, 7, 8)] + [torch.finfo(torch.float32).eps]:
        q = p.clamp(tiny, 1 - tiny)
        jacobian = logsigmoid(y) + logsigmoid(-y)
        values += [(heads + 1) * (p + tiny).log() + (tails + 1) * (1 - p + tiny).log(),
                   (heads + 1) * q.log() + (tails + 1) * (1 - q).log(),
                   heads * q.log() + tails * (1 - q).log() + jacobian,
                   heads * (p + tiny).log() + tails * (1 - p + tiny).log() + jacobian]  # fmt: skip
    return AnyOf(*values)


def _log_orders(flips: torch.Tensor) -> float:
    """Return the log of the number of orders in which so many heads and tails can come."""
    a, b = analytic.exponents(flips)
    return math.lgamma(a + b - 1) - math.lgamma(a) - math.lgamma(b)


def _half_logged(y: torch.Tensor, flips: torch.Tensor) -> AnyOf:
    """Return the joint density with no log, or with the log of one of its two factors only."""
    likelihood, jacobian = reference(y, flips, -1), reference(y, flips[:0])
    return AnyOf((likelihood + jacobian).exp(), likelihood.exp() + jacobian,
                 likelihood.exp() * jacobian, likelihood + jacobian.exp(),
                 likelihood * jacobian.exp())  # fmt: skip


def _mirrored(y: torch.Tensor, flips: torch.Tensor) -> AnyOf:
    """Return what σ(1 − y) or −σ(y) gives in the place of 1 − σ(y), in both factors or in one."""
    a, b = analytic.exponents(flips)
    found = []
    for tails in (logsigmoid(1 - y), -logsigmoid(y)):
        found += [a * logsigmoid(y) + b * tails,
                  a * logsigmoid(y) + (b - 1) * tails + logsigmoid(-y),
                  a * logsigmoid(y) + (b - 1) * logsigmoid(-y) + tails]  # fmt: skip
    return AnyOf(*found)


def _flip_by_flip(y: torch.Tensor, flips: torch.Tensor) -> torch.Tensor:
    jacobian = logsigmoid(y) + logsigmoid(-y)
    return flips * logsigmoid(y) + (1 - flips) * logsigmoid(-y) + jacobian


def _each_flip(y: torch.Tensor, flips: torch.Tensor) -> AnyOf:
    """Return one number for each y and each flip."""
    with_flips = _flip_by_flip(y[..., None], flips)
    likelihood = with_flips - (logsigmoid(y) + logsigmoid(-y))[..., None]
    return AnyOf(with_flips, likelihood, with_flips.movedim(-1, 0), likelihood.movedim(-1, 0))


TURNS = (
    Turn("Jacobian forgotten",
         "this is the likelihood alone; on the scale of y the uniform prior has the density "
         "σ(y)(1 − σ(y)).", lambda y, flips: reference(y, flips, -1)),
    Turn("Jacobian subtracted",
         "the density of y is that of θ times dθ/dy: add the log of the Jacobian.",
         lambda y, flips: reference(y, flips, -2)),
    Turn("Jacobian for each flip",
         "the prior, with its Jacobian, belongs in the joint density once, whatever the flips.",
         lambda y, flips: reference(y, flips, len(flips) - 1)),
    Turn("Jacobian counted twice", "the Jacobian is the prior of y: it belongs there once.",
         lambda y, flips: reference(y, flips, 1)),
    Turn("sign", "this is the negative log joint density; leave the minus out.",
         lambda y, flips: -reference(y, flips)),
    Turn("sign of the likelihood", "the log-likelihood is added as it is; a loss has the opposite "
         "sign.",
         lambda y, flips: reference(y, flips[:0]) - reference(y, flips, -1)),
    Turn("1 − y for −y", "1 − σ(y) is σ(−y), not σ(1 − y).", _mirrored),
    Turn("log forgotten",
         "a product was not logged: likelihood and Jacobian both enter by their logs.",
         _half_logged,
         alike=lambda got, wrong: any(same(got, w) or _next_to_nothing(got, w)
                                      for w in wrong.values)),
    Turn("posterior for joint",
         "this is the log posterior: the joint density is not divided by the evidence.",
         lambda y, flips: AnyOf(*[reference(y, flips, k) - analytic.log_evidence(a + m, b + m)
                                  for a, b in [analytic.exponents(flips)]
                                  for k, m in ((0, 0), (-1, 0), (0, 1))])),
    Turn("another prior", "the prior is uniform in θ: on the scale of y it is the Jacobian.",
         lambda y, flips: AnyOf(*[reference(y, flips, -1) + analytic.log_normal(y, 0.0, s)
                                  for s in (1.0, 2.0)])),
    Turn("5 for the number of flips", "count the flips that you are given; the sheet has five.",
         lambda y, flips: AnyOf(*[analytic.log_joint(y, a, 7 - a) for a, _ in
                                  [analytic.exponents(flips)]])),
    Turn("orders counted",
         "the flips came in one order; a binomial coefficient would count all orders.",
         lambda y, flips: reference(y, flips) + _log_orders(flips)),
    Turn("missing + 1", "the Jacobian has two factors: it adds 1 to the exponent of each.",
         lambda y, flips: AnyOf(*[analytic.log_joint(y, a - i, b - 1 + i)
                                  for a, b in [analytic.exponents(flips)] for i in (0, 1)])),
    Turn("heads and tails swapped", "σ(y) is the probability of heads, and heads are the ones.",
         lambda y, flips: reference(y, 1 - flips)),
    Turn("mean for sum", "the flips are independent: add their log probabilities up.",
         lambda y, flips: reference(y, flips, -1) / len(flips) + reference(y, flips[:0])),
    Turn("summed over y", "add over the flips only: one number for each y is asked for.",
         lambda y, flips: AnyOf(reference(y, flips).sum(), reference(y, flips).mean())),
    Turn("flips not added up", "this is one number for each y and each flip: add over the flips.",
         _each_flip),
    Turn("y paired with flips",
         "every y meets all flips; count heads and tails, or give y a further dimension.",
         _flip_by_flip, raises=lambda error: any(
             text in str(error) for text in ("must match", "not broadcastable", "broadcast"))),
    Turn("y for θ", "y is the logit: the probability of heads is σ(y).",
         lambda y, flips: AnyOf(*[(flips.sum() + k) * y.log() + ((1 - flips).sum() + k)
                                  * (1 - y).log() for k in (0, 1)])),
    Turn("log of zero",
         "a small number, added or as a bound, keeps the log finite and makes it wrong; "
         "logsigmoid(y) and logsigmoid(−y) need none.", _rounded),
)  # fmt: skip


def _next_to_nothing(got: object, wrong: torch.Tensor) -> bool:
    """Whether two tensors of densities agree but for numbers that are next to nothing."""
    return (isinstance(got, torch.Tensor) and got.shape == wrong.shape
            and bool(((got - wrong).abs() < 1e-12).all()))  # fmt: skip


def counted(y: torch.Tensor, flips: torch.Tensor) -> torch.Tensor:
    """Return heads and tails counted, each with one more."""
    heads = flips.sum()
    tails = len(flips) - heads
    return (heads + 1) * logsigmoid(y) + (tails + 1) * logsigmoid(-y)


def by_factors(y: torch.Tensor, flips: torch.Tensor) -> torch.Tensor:
    """Return likelihood and Jacobian, each logged."""
    likelihood = flips.sum() * logsigmoid(y) + (1 - flips).sum() * logsigmoid(-y)
    jacobian = logsigmoid(y) + logsigmoid(-y)
    return likelihood + jacobian


EXERCISE = Exercise(
    name="log_joint",
    arguments=(
        Argument("y", _y, edges={
            ROUNDS: torch.tensor([-800.0, -40.0, 40.0, 800.0], dtype=DOUBLE),
            "a single y, of shape ()": torch.tensor(0.8, dtype=DOUBLE),
            "y of shape (2, 3)": lambda u, given: u.uniform(6, -3, 3).reshape(2, 3),
            "a y for each flip": lambda u, given: u.uniform(len(given["flips"]), -3, 3),
        }),
        flips_argument(),
    ),
    reference=reference,
    turns=TURNS,
    worked=(counted, by_factors),
    hints={ROUNDS: "far out σ(y) rounds to 0 or 1, or exp overflows, and the log goes wrong; "
           "logsigmoid(y) and logsigmoid(−y) do not.",
           "y ignored": "the result does not move when y does: is another y of the notebook in "
           "its place?"},
    passed="log_joint: likelihood times Jacobian, on the log scale, at every y.",
)  # fmt: skip
log_joint = EXERCISE.check
