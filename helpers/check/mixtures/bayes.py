"""Checks of sheet 06: Bayes' rule for the components of a mixture."""

from collections.abc import Callable
from typing import Any

import torch

from helpers.check.kit.agree import any_of
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.function_agrees import Case, function_agrees
from helpers.check.kit.message import passed
from helpers.check.mixtures import analytic
from helpers.check.mixtures.density import (
    LOGITS_USED,
    LOGS,
    RAW_USED,
    Density,
    beta_logs,
    inside,
    parts,
    raw_rows,
)


def responsibilities(answer: Any, sizes: str = "practice") -> bool:
    """Check ``responsibilities(raw, x)`` against Bayes' rule, components in the order given.

    Args:
        answer: the student's function of raw, shape (k, 3), and x, shape (n,).
        sizes: "practice" for two and three components, "fresh" for four on many points.
    """
    # Near 0 one of two tight components has it all; between them float32 would lose lnΓ's digits.
    near_0 = torch.tensor([1e-7, 3e-6, 4e-7], dtype=torch.float64)
    given = [
        (raw_rows("bayes two", 2, 0.8, 3.0), inside("bayes six", 6)),
        (raw_rows("bayes three", 3, 0.5, 5.0), inside("bayes five", 5)),
        (raw_rows("bayes tight", 2, 60.0, 90.0), near_0),
    ]
    if sizes == "fresh":
        given += [(raw_rows("bayes four", 4, 0.7, 6.0), inside("bayes many", 150))]
    cases = []
    for raw, x in given:
        expected = analytic.responsibilities(analytic.parameters(raw), x)
        described = f"responsibilities(raw, x) of {len(raw)} components on {len(x)} points"
        cases.append(Case(described, (raw, x), expected))
    function_agrees(answer, cases, BAYES_TURNS, bound=LOGS)
    return passed(f"responsibilities: weight times density over their sum, {len(cases)} mixtures.")


def _shares(*maps: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., list[torch.Tensor]]:
    """Return the responsibilities under weights that are other functions of the raw weights."""

    def shares(raw: torch.Tensor, x: torch.Tensor) -> list[torch.Tensor]:
        logs = parts(raw, x)[0]
        return [torch.softmax(logs + weights(raw[:, 2]).log(), dim=1) for weights in maps]

    return shares


def _bayes(raw: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return analytic.responsibilities(analytic.parameters(raw), x)


def _joint(raw: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return analytic.joint(analytic.parameters(raw), x)


def _hard(raw: torch.Tensor, x: torch.Tensor) -> list[torch.Tensor]:
    most = _bayes(raw, x).argmax(1)
    return [torch.eye(len(raw), dtype=torch.float64)[most], most.to(torch.float64)]


def _quotients(raw: torch.Tensor, x: torch.Tensor) -> list[torch.Tensor]:
    """Return weight · density over their sum, with densities in float64 and in float32."""
    found = []
    for dtype in (torch.float64, torch.float32):
        densities = _joint(raw, x).to(dtype).exp()
        found.append((densities / densities.sum(1, keepdim=True)).to(torch.float64))
    return found


def _bayes_of(a: Callable[[torch.Tensor], torch.Tensor]) -> Density:
    def shares(raw: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        ab = a(raw[:, :2])
        return torch.softmax(beta_logs(ab[:, 0], ab[:, 1], x) + parts(raw, x)[1], dim=1)

    return shares


BAYES_TURNS = [
    Turn("weights forgotten",
         "you compare the densities alone; Bayes' rule multiplies each by its component's weight.",
         _shares(torch.ones_like), alike=any_of),
    Turn("not normalised", "a row sums to the density of the mixture; divide it by that sum.",
         lambda raw, x: _joint(raw, x).exp()),
    Turn("normalised over points",
         "each column sums to 1; a point must belong to some component, so each row should.",
         lambda raw, x: [torch.softmax(_joint(raw, x), dim=0), _columns(raw, x)], alike=any_of),
    Turn("logs as shares", "you divide logs by their sum; the shares are of densities.",
         lambda raw, x: _joint(raw, x) / _joint(raw, x).sum(1, keepdim=True)),
    Turn("log returned", "this is the logarithm of the responsibilities.",
         lambda raw, x: [torch.log_softmax(_joint(raw, x), dim=1), _joint(raw, x)], alike=any_of),
    Turn("hard assignment",
         "you name the likeliest component only; return how likely each of them is.",
         _hard, alike=any_of),
    Turn("transposed", "a row for each point and a column for each component, please.",
         lambda raw, x: _bayes(raw, x).T),
    Turn("one component only", "this is one column; return all of them.",
         lambda raw, x: [_bayes(raw, x)[:, i] for i in (0, -1)], alike=any_of),
    Turn("components reversed", "the columns stand in another order than the rows of raw.",
         lambda raw, x: _bayes(raw, x).flip(1)),
    Turn("weights alone", "these are the weights, before a point is seen; look at its density too.",
         lambda raw, x: parts(raw, x)[1].exp().expand(len(x), len(raw))),
    Turn("weights not logged",
         "a weight stands where its log belongs: add log_softmax, or hand over probs, not logits.",
         _shares(lambda w: torch.softmax(torch.softmax(w, 0), 0)), alike=any_of),
    Turn("logits as probabilities",
         "the third column holds any real numbers, not probabilities; softmax makes them that.",
         _shares(lambda w: w), alike=any_of, raises=LOGITS_USED),
    Turn("raw parameters used", "a and b are softplus of the first two columns, always positive.",
         _bayes_of(lambda ab: ab), raises=RAW_USED),
    Turn("density underflows",
         "far out all densities round to 0, and 0/0 is NaN; subtract logs before you take exp.",
         _quotients, alike=any_of),
]  # fmt: skip


def _columns(raw: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    densities = _joint(raw, x).exp()
    return densities / densities.sum(0, keepdim=True)
