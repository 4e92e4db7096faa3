"""batch_gradient(location, batch, n): the slope of the whole loss, estimated from a batch."""

import torch

from helpers.check.kit.asks import Argument, Draws, Given, real, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.sgd.double import Double, single_precision
from helpers.check.sgd.sgd_step import NO_GRADIENT, SHEETS_N, UNTRACKED, skewed


def reference(location: float, batch: torch.Tensor, n: int) -> float:
    """Return (n/|B|) Σ_B (location − x)."""
    return n * float(location - batch.mean())


def _n(u: Draws, given: Given) -> int:
    size = len(given["batch"])
    return size * u.whole(3, 20) + u.whole(2, 3) % size


TURNS = (
    UNTRACKED,
    NO_GRADIENT,
    Turn("not scaled up", "this is the batch's own slope; the whole loss has n/|B| times as many "
         "observations.", lambda at, x, n: len(x) * float(at - x.mean())),
    Turn("mean for sum", "this is the slope of the mean loss; the loss is a sum of n.",
         lambda at, x, n: float(at - x.mean())),
    Turn("scaled twice", "the sum over the batch holds |B| terms already: scale it by n/|B|.",
         lambda at, x, n: n * len(x) * float(at - x.mean())),
    Turn("fraction upside down", "a batch is smaller than the whole: its sum must grow, by n/|B|.",
         lambda at, x, n: AnyOf(*[f * float(at - x.mean()) for f in
                                  (len(x) ** 2 / n, len(x) / n, 1 / n)])),
    Turn("whole number division", "n // |B| loses the remainder; divide with /.",
         lambda at, x, n: (n // len(x)) * len(x) * float(at - x.mean())),
    Turn("another power of n/|B|", "each observation of the batch stands for n/|B|: no root of it, "
         "no square.",
         lambda at, x, n: AnyOf(*[(n / len(x)) ** p * float((at - x).sum())
                                  for p in (0.5, 1.5, 2.0)])),
    Turn("one less on both sides", "nothing is estimated before the slope: n/|B|, no 1 taken off.",
         lambda at, x, n: (n - 1) / max(len(x) - 1, 1) * float((at - x).sum())),
    Turn("a number for |B|", "how many observations the batch holds, it tells itself.",
         lambda at, x, n: AnyOf(*[n / k * float((at - x).sum())
                                  for k in (10, 20, 32, 50, 64, 100, 128, 200, 500, 1000)])),
    Turn("sign", "the loss grows where the location moves away from the data: location − x.",
         lambda at, x, n: -reference(at, x, n)),
    Turn("gradient doubled", "the slope of ½(x − θ)² holds no 2: is a ½ missing, or backward() "
         "called twice?", lambda at, x, n: 2 * reference(at, x, n)),
    Turn("distances changed", "the slope holds the distances themselves: no signs, no powers.",
         lambda at, x, n: AnyOf(*[n / len(x) * change(at - x).sum() for change in
                                  (torch.sign, torch.abs, torch.square, lambda d: d**3)])),
    Turn("drawn without replacement", "(n − |B|)/(n − 1) belongs to a variance; the mean is right "
         "without it.",
         lambda at, x, n: AnyOf(*[reference(at, x, n) * f for f in
                                  ((n - len(x)) / max(n - 1, 1), 1 - len(x) / n,
                                   ((n - len(x)) / max(n - 1, 1)) ** 0.5,
                                   (1 - len(x) / n) ** 0.5)])),
    Turn("divided by the spread", "the model's scale is 1, whatever the spread of the batch.",
         lambda at, x, n: AnyOf(*[reference(at, x, n) / v for v in
                                  (x.std(), x.std(correction=0), x.var(), x.var(correction=0))])),
    Turn("loss returned", "this is a loss; its slope is asked for.",
         lambda at, x, n: AnyOf(*[f * -torch.distributions.Normal(at, 1.0).log_prob(x).sum()
                                  for f in (1, n / len(x), 1 / len(x))])),
    Turn("median for mean", "each observation pulls with its distance; the slope holds their sum.",
         lambda at, x, n: AnyOf(*[n * (at - m) for m in (x.median(), x.quantile(0.5))])),
    Turn("a slope for each", "add the slopes of the batch; one number is asked for.",
         lambda at, x, n: AnyOf(*[f * (at - x) for f in (1, n, n / len(x))])),
    single_precision(reference),
)  # fmt: skip


def by_sum(location: float, batch: torch.Tensor, n: int) -> torch.Tensor:
    """Return the scaled sum of the batch's slopes."""
    return n / len(batch) * (location - batch).sum()


def by_mean(location: float, batch: torch.Tensor, n: int) -> torch.Tensor:
    """Return n times the mean of the batch's slopes."""
    return n * (location - batch).mean()


EXERCISE = Exercise(
    name="batch_gradient",
    arguments=(
        real("location", -8, 8, used_instead=lambda: 1.0),
        sample("batch", skewed, many=(4, 32, 11), sizes=(1,), ties=True),
        Argument("n", _n, edges={"a batch of all": lambda u, given: len(given["batch"])},
                 used_instead=lambda: SHEETS_N),
    ),
    reference=reference,
    agree=Double(),
    turns=TURNS,
    worked=(by_sum, by_mean),
    passed="batch_gradient: (n/|B|) times the batch's slope, for batches of one to all.",
)  # fmt: skip
batch_gradient = EXERCISE.check
