"""Checks of sheet 06: the log-density of a mixture of Betas."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn.functional import softplus

from helpers import data
from helpers.check.kit.agree import any_of
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed
from helpers.check.mixtures import analytic

# In single precision lnΓ carries an absolute error of some 1e-6 into every log-density, so these
# two comparisons allow 2e-4; every wrong turn differs by more than 0.01.
LOGS = 2e-4

Density = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def raw_rows(name: str, k: int, low: float, high: float) -> torch.Tensor:
    """Return unconstrained parameters (raw a, raw b, raw weight) of k components, shape (k, 3).

    No two numbers of a column are near each other, and a differs from b in every row.

    Args:
        name: names the draw.
        k: number of components.
        low: smallest raw a and b.
        high: largest raw a and b.
    """
    wiggle = data.uniform(f"mixtures: {name}", 3 * k, 0.0, 0.5).reshape(k, 3)
    place = (torch.arange(k, dtype=torch.float64)[:, None] + wiggle) / k
    rows = low + (high - low) * place
    rows[:, 1] = rows[:, 1].flip(0) + 0.3  # a large a goes with a small b
    rows[:, 2] = 0.2 + 1.6 * place[:, 2]
    return rows


def inside(name: str, n: int) -> torch.Tensor:
    """Return n points between 0.02 and 0.95, away from 1, where 1 − x loses digits in float32."""
    return data.uniform(f"mixtures: {name}", n, 0.02, 0.95)


def mixture_log_prob(answer: Any, sizes: str = "practice") -> bool:
    """Check ``mixture_log_prob(raw, x)`` against logsumexp of log weight + log density.

    Points at 0 and 1 and points where every density underflows are among the cases.

    Args:
        answer: the student's function of raw, shape (k, 3), and x, shape (n,).
        sizes: "practice" for two and three components, "fresh" for one and five as well.
    """
    edges = torch.tensor([0.0, 1.0], dtype=torch.float64)
    tiny = torch.tensor([1e-7, 3e-6, 4e-7], dtype=torch.float64)
    given = [
        ("6 points", raw_rows("two", 2, 0.5, 6.0), inside("six", 6)),
        ("9 points", _with_negatives(raw_rows("three", 3, 0.4, 4.0)), inside("nine", 9)),
        ("7 points, both edges among them", raw_rows("edges", 2, 1.5, 5.0),
         torch.cat([inside("edge points", 5), edges])),
        ("5 points, some near 0", raw_rows("tight", 2, 60.0, 90.0),
         torch.cat([inside("tight points", 2), tiny])),
    ]  # fmt: skip
    if sizes == "fresh":
        given += [
            ("4 points", raw_rows("one", 1, 2.0, 3.0), inside("four", 4)),
            ("200 points", raw_rows("five", 5, 0.6, 8.0), inside("many", 200)),
        ]
    cases = []
    for words, raw, x in given:
        expected = analytic.mixture_log_prob(analytic.parameters(raw), x)
        described = f"mixture_log_prob(raw, x) with {len(raw)} components on {words}"
        cases.append(Case(described.replace("1 components", "1 component"), (raw, x), expected))
    function_agrees(answer, cases, DENSITY_TURNS, bound=LOGS)
    return passed(f"mixture_log_prob: the log of the weighted sum, in {len(cases)} mixtures.")


def _with_negatives(raw: torch.Tensor) -> torch.Tensor:
    """Make one raw a and one raw weight negative, which a probability or a Beta cannot be."""
    raw[0, 0], raw[1, 2] = -raw[0, 0], -raw[1, 2]
    return raw


def beta_logs(a: torch.Tensor, b: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return the log-density of each Beta at each point, shape (n, k)."""
    return analytic.joint(torch.stack([a, b, torch.ones_like(a)], dim=1), x)


def parts(raw: torch.Tensor, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the components' log-densities, shape (n, k), and the log weights, shape (k,)."""
    a, b, weights = analytic.parameters(raw).unbind(1)
    return beta_logs(a, b, x), weights.log()


def _weighted(*maps: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., list[torch.Tensor]]:
    """Return the mixtures whose weights are other functions of the raw weights."""
    return lambda raw, x: [
        torch.logsumexp(parts(raw, x)[0] + weights(raw[:, 2]).log(), dim=1) for weights in maps
    ]


def _shaped(a: Callable[[torch.Tensor], torch.Tensor]) -> Density:
    """Return the mixture whose a and b are another function of the raw a and b."""

    def density(raw: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        ab = a(raw[:, :2])
        return torch.logsumexp(beta_logs(ab[:, 0], ab[:, 1], x) + parts(raw, x)[1], dim=1)

    return density


def _right(raw: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return analytic.mixture_log_prob(analytic.parameters(raw), x)


def _averages(raw: torch.Tensor, x: torch.Tensor) -> list[torch.Tensor]:
    logs, weights = parts(raw, x)
    terms = weights.exp() * logs
    # 0 · −∞ aside, a weighted sum of −∞ is −∞ at the edges, as the right answer is.
    return [terms.sum(1), logs.mean(1), logs.sum(1), (logs + weights).sum(1)]


def _underflown(raw: torch.Tensor, x: torch.Tensor) -> list[torch.Tensor]:
    logs, weights = parts(raw, x)
    return [(logs.to(t).exp() * weights.to(t).exp()).sum(1).log().to(torch.float64)
            for t in (torch.float64, torch.float32)]  # fmt: skip


def _by_hand(raw: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return a logsumexp made by subtracting the maximum, −∞ − (−∞) at the edges."""
    logs, weights = parts(raw, x)
    joint = logs + weights
    most = joint.max(dim=1, keepdim=True).values
    return most[:, 0] + (joint - most).exp().sum(1).log()


def says(*texts: str) -> Callable[[Exception], bool]:
    """Return whether an error's message holds one of the texts."""
    return lambda error: any(text in str(error) for text in texts)


RAW_USED = says("Expected parameter concentration")
LOGITS_USED = says("Expected parameter probs", "Simplex")


def _swapped(raw: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return _right(raw[:, [1, 0, 2]], x)


def _other_constants(raw: torch.Tensor, x: torch.Tensor) -> list[torch.Tensor]:
    """Return the mixture without log B(a, b), and with it added in place of subtracted."""
    a, b, _ = analytic.parameters(raw).unbind(1)
    log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
    logs, weights = parts(raw, x)
    return [(logs + k * log_beta + weights).logsumexp(1) for k in (1, 2)]


def _other_powers(raw: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return the mixture with the powers a and b in place of a − 1 and b − 1."""
    logs, weights = parts(raw, x)
    edge = (x.log() + torch.log1p(-x))[:, None]
    return (logs + edge + weights).logsumexp(1)


DENSITY_TURNS = [
    Turn("logs averaged",
         "you combine the logs of the components; the mixture is a sum of densities: log last.",
         _averages, alike=any_of),
    Turn("weights forgotten",
         "every component counts alike; multiply each density by its weight before you add.",
         lambda raw, x: [parts(raw, x)[0].logsumexp(1),
                         parts(raw, x)[0].logsumexp(1) - torch.tensor(float(len(raw))).log()],
         alike=any_of),
    Turn("weights not normalised",
         "your weights do not sum to 1, so the area under the density is not 1; use softmax.",
         _weighted(torch.exp, softplus, torch.sigmoid), alike=any_of),
    Turn("softmax twice",
         "your weights went through softmax twice: probabilities were handed over as logits.",
         _weighted(lambda w: torch.softmax(torch.softmax(w, 0), 0)), alike=any_of),
    Turn("weights not logged",
         "you add the weights themselves to the log-densities; add their logs: log_softmax.",
         _weighted(lambda w: torch.softmax(w, 0).exp()), alike=any_of),
    Turn("logits as probabilities",
         "the third column holds any real numbers, not probabilities; softmax makes them that.",
         _weighted(lambda w: w / w.sum(), lambda w: w), alike=any_of, raises=LOGITS_USED),
    Turn("not the softmax",
         "positive and summing to 1, but by another map; the sheet's weights are softmax.",
         _weighted(lambda w: softplus(w) / softplus(w).sum(),
                   lambda w: torch.sigmoid(w) / torch.sigmoid(w).sum(),
                   lambda w: torch.softmax(-w, 0)), alike=any_of),
    Turn("raw parameters used", "a and b are softplus of the first two columns, always positive.",
         _shaped(lambda ab: ab), raises=RAW_USED),
    Turn("exp for softplus", "a and b are made positive by exp; the sheet's layout says softplus.",
         _shaped(torch.exp)),
    Turn("a and b swapped", "the first column is a, the power of x; the second is b.", _swapped),
    Turn("density for log", "this is the density itself; return its logarithm.",
         lambda raw, x: _right(raw, x).exp()),
    Turn("one number for all", "you sum or average over x; return one log-density for each point.",
         lambda raw, x: [_right(raw, x).sum(), _right(raw, x).mean()], alike=any_of),
    Turn("components not summed", "there is one column for each component; add them up, as "
         "densities.", lambda raw, x: [sum(parts(raw, x)), parts(raw, x)[0]], alike=any_of),
    Turn("sign", "this is the negative log-density.", lambda raw, x: -_right(raw, x)),
    Turn("constant of the Beta", "the shape of each Beta is right, log B(a, b) is not: subtract "
         "lgamma(a) + lgamma(b) − lgamma(a + b).", _other_constants, alike=any_of),
    Turn("exponents one off", "the powers of x and 1 − x are a − 1 and b − 1.", _other_powers),
    Turn("weights times logs", "a weight multiplies a density: add its log to the log-density.",
         lambda raw, x: (parts(raw, x)[0] * parts(raw, x)[1].exp()).logsumexp(1)),
    Turn("density underflows",
         "far out all densities round to 0, and log 0 is −∞; stay in logs, with torch.logsumexp.",
         _underflown, alike=any_of),
    Turn("NaN at an edge",
         "where every density is 0 you subtract −∞ from −∞; torch.logsumexp knows this case.",
         _by_hand),
]  # fmt: skip
