"""digit_mle(counts): the probabilities of digits that are likeliest, learned or by formula."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from helpers.check.benford import analytic, digits
from helpers.check.kit.agree import Outcome
from helpers.check.kit.asks import ALONE, TYPICAL, Draws, Given, sample
from helpers.check.kit.compare import AnyOf, as_tensor
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.learned import Learned

DOUBLE = torch.float64


def reference(counts: torch.Tensor) -> torch.Tensor:
    """Return counts/n: the score through softmax is n_d − n·p_d, zero there and nowhere else."""
    return counts.to(DOUBLE) / counts.sum()


def mean_nll(p: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Return the mean negative log-likelihood of probabilities, and of numbers that are none.

    Where the sum of p is 1, as it must be, what is added changes nothing. Elsewhere it makes
    counts/n the lowest point among all positive numbers, by far: no larger p looks better.
    """
    total = p.sum()
    return total + 1e3 * (total - 1) ** 2 - (reference(counts) * p.log()).sum()


def _added(counts: torch.Tensor) -> AnyOf:
    return AnyOf(*[(counts + a) / (counts + a).sum() for a in (1.0, 0.5, 0.1, 2.0)],
                 (counts + 1) / counts.sum())  # fmt: skip


def _not_normalised(counts: torch.Tensor) -> AnyOf:
    p = reference(counts)
    return AnyOf(counts, p / p.max(), p / p.norm(), counts / len(counts), counts / counts.mean(),
                 100 * p)  # fmt: skip


def _reweighed(*of: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], AnyOf]:
    return lambda counts: AnyOf(*[w / w.sum() for w in (f(reference(counts)) for f in of)])


def _logits(got: object, p: torch.Tensor) -> bool:
    """Whether a value is the logarithm of the right one, up to a constant of any size."""
    value = as_tensor(got)
    if value is None or value.shape != p.shape or not bool(value.isfinite().all()):
        return False
    rest = value.double() - p.log()
    return float((rest - rest.mean()).abs().max()) < 0.05 and float(value.min()) < 0


def _mean_of_digits(counts: torch.Tensor) -> AnyOf:
    d = torch.arange(1, len(counts) + 1, dtype=DOUBLE)
    mean = (counts * d).sum() / counts.sum()
    return AnyOf(mean, counts * d / (counts * d).sum(), torch.full_like(counts, float(mean)))


def _decayed(counts: torch.Tensor) -> AnyOf:
    """Return the tops where logits are pulled to zero, by several weights, of the mean or sum."""
    shares, eye = reference(counts), torch.eye(len(counts), dtype=DOUBLE)
    found = []
    for pull in (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0):
        for weight in (pull, pull / float(counts.sum())):
            raw = shares.log() - shares.log().mean()
            for _ in range(50):  # Newton, in steps that are cut
                p = raw.softmax(0)
                bend = p.diag() - torch.outer(p, p) + weight * eye
                raw = raw - torch.linalg.solve(bend, p - shares + weight * raw).clamp(-2, 2)
            found.append(raw.softmax(0))
    return AnyOf(*found)


def _no_last(counts: torch.Tensor) -> AnyOf:
    """Return what comes when one of the logits is held, and then left out of the softmax."""
    head = counts[:-1] / counts[:-1].sum()
    return AnyOf(head, torch.cat([head, torch.zeros(1, dtype=DOUBLE)]), reference(counts)[:-1])


TURNS = (
    Turn("a number for k", "there need not be nine digits: take as many as there are counts.",
         raises=lambda error: "must match the size" in str(error)),
    Turn("counts smoothed", "something was added to every count: that belongs to a prior, not to "
         "the top of the likelihood.", _added),
    Turn("logits returned", "these are logits or log-probabilities; softmax makes probabilities "
         "of them.", reference, alike=lambda got, wrong: _logits(got, wrong)),
    Turn("likeliest only", "all the probability went to the digit that came most often: is the "
         "loss a sum over all counts?",
         lambda counts: torch.nn.functional.one_hot(counts.argmax(), len(counts)).to(DOUBLE)),
    Turn("softmax of the counts", "softmax takes logits; the counts are none, but their logs are.",
         lambda counts: AnyOf(counts.softmax(0), reference(counts).softmax(0))),
    Turn("not normalised", "probabilities add up to 1: divide by the sum of the counts.",
         _not_normalised),
    Turn("weight decay", "the likelihood alone has its top at the shares: no pull on the logits.",
         _decayed),
    Turn("n − 1 for n", "divide by the number of observations, all of them.",
         lambda counts: AnyOf(counts / (counts.sum() - 1), counts / (counts.sum() + 1))),
    Turn("mean of the digits", "one probability for each digit is asked for; the digit itself is a "
         "name, not a weight.", _mean_of_digits),
    Turn("Benford's law", "this is the law, whatever was counted; asked is what fits the counts "
         "best.", lambda counts: analytic.benford(len(counts) + 1, 1)),
    Turn("never moved", "all digits are equally likely where the logits begin: did a step move "
         "them, and do the counts weigh the loss?",
         lambda counts: torch.full_like(counts, 1 / len(counts))),
    Turn("last one left out", "the last digit has a probability too: a logit that is held at zero "
         "still belongs to the softmax.", _no_last),
    Turn("counts reweighed", "the log-likelihood counts each log p as often as its digit came: no "
         "square, root or logarithm of the counts.",
         lambda counts: AnyOf(*_reweighed(torch.square, torch.sqrt)(counts).values,
                              counts.log() / counts.log().sum(),
                              counts.log1p() / counts.log1p().sum())),
    Turn("each digit alone", "a sigmoid for each digit is another model: one softmax over all.",
         lambda counts: AnyOf(torch.sigmoid(reference(counts)),
                              torch.sigmoid(reference(counts).log()))),
    Turn("ascent for descent", "the loss rises: the least likely digit got it all.",
         lambda counts: AnyOf(torch.nn.functional.one_hot(counts.argmin(), len(counts)).to(DOUBLE),
                              reference((counts == counts.min()).to(DOUBLE)))),
)  # fmt: skip


def _counts(u: Draws, given: Given, k: int) -> torch.Tensor:
    return digits.counted(u, given, k, 30, 250)


def _few(u: Draws, given: Given) -> torch.Tensor:
    """Return counts of twenty or so, where n and n − 1 are told apart."""
    return digits.counted(u, given, 6, 9, 14)


def _lopsided(u: Draws, given: Given) -> torch.Tensor:
    """Return counts of one or two but for one digit, where anything that is added shows."""
    main = u.whole(0, 6)
    counts = torch.ones(7, dtype=DOUBLE)
    counts[main], counts[(main + u.whole(1, 6)) % 7] = float(u.whole(40, 60)), 2.0
    return counts


@dataclass(frozen=True)
class Climbed(Learned):
    """Probabilities that were learned: a climb that ends too soon is told how it ended."""

    def named(self, failing: Sequence[Outcome]) -> tuple[str, str] | None:
        """Return how the climb ended on typical counts, or what is known of any learned value."""
        plain = [o for o in failing if o.case.kind in (TYPICAL, ALONE)]
        left = [_left(o.value, o.case.args[0]) for o in plain]
        if not left or not all(map(math.isfinite, left)):
            return super().named(failing)
        if min(left) > 1:
            return "thrown about", (
                "the loss is higher here than at the start: minimise it, of the mean, in steps "
                "that are not too large for it."
            )
        if min(left) > 0.3:
            return "hardly moved", "the logits are still near zero: larger steps, or more of them."
        if max(left) < 0.3:
            return "near the top only", (
                "the climb came near the shares and has not come to rest: more steps, and nothing "
                "but the log-likelihood in the loss."
            )
        return super().named(failing)


def _left(got: object, counts: torch.Tensor) -> float:
    """Return the share of the climb from even digits to the top that is left; inf of no climb."""
    value, shares = as_tensor(got), reference(counts)
    if value is None or value.shape != shares.shape or abs(float(value.sum()) - 1) > 1e-3:
        return math.inf

    def lacks(p: torch.Tensor) -> float:
        return float((shares * (shares / p.double().clamp(min=1e-300)).log()).sum())

    return lacks(value) / lacks(torch.full_like(shares, 1 / len(shares)))


EXERCISE = Exercise(
    name="digit_mle",
    arguments=(
        sample("counts", _counts, many=(9, 6, 12), sizes=(2,),
               edges={"twenty observations": _few,
                      "nearly all of one digit": _lopsided,
                      "ten thousand observations": lambda u, given: torch.cat(
                          [_counts(u, given, 4), torch.tensor([1.0], dtype=DOUBLE)])
                      * torch.tensor([97.0, 41.0, 23.0, 77.0, 60.0], dtype=DOUBLE)},
               used_instead=digits.of_the_sheet),
    ),
    reference=reference,
    agree=Climbed(
        mean_nll=mean_nll,
        size=lambda counts: int(counts.sum()),
        start=lambda counts: torch.full((len(counts),), 1 / len(counts), dtype=DOUBLE),
        near=0.005,
    ),
    turns=TURNS,
    typical=2,
    passed="digit_mle: within a tenth of a standard error of the top, for two to twelve digits.",
)  # fmt: skip
digit_mle = EXERCISE.check
