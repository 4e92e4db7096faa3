"""largest_stable_learning_rate(data, scales, momentum): the edge beyond which runs diverge."""

import math

import torch

from helpers.check.kit.asks import Argument, Draws, Given
from helpers.check.kit.compare import AnyOf, as_tensor
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.sgd import analytic

SHEETS_N = 10_000


def _data(u: Draws, given: Given, d: int) -> torch.Tensor:
    """Return rows for so many directions, whose spread is not what their scales say."""
    d = len(given["scales"]) if "scales" in given else d
    n = u.whole(6, 60)
    return u.normal(n * d, 1.5, 2.3).reshape(n, d)


def _scales(u: Draws, given: Given, d: int) -> torch.Tensor:
    """Return known standard deviations; the least and the greatest neither first nor last."""
    inner = torch.exp(u.uniform(d, math.log(0.5), math.log(2.5)))
    if d > 1:
        inner[u.whole(1, d - 2) if d > 2 else 1] = 0.6 * inner.min()
    if d > 3:
        place = u.choice([i for i in range(1, d - 1) if i != int(inner.argmin())])
        inner[place] = 1.5 * inner.max()
    return inner


def reference(x: torch.Tensor, scales: torch.Tensor, momentum: float) -> float:
    """Return 2 (1 + β)/λ, with the curvature λ = n/σ² of the steepest direction."""
    return analytic.largest_stable_rate(len(x) / float(scales.min()) ** 2, momentum)


def _with(scale: object, x: torch.Tensor, momentum: float) -> object:
    return 2 * (1 + momentum) * scale**2 / len(x)  # type: ignore[operator]


TURNS = (
    Turn("momentum forgotten", "this is the edge without momentum; put (−1)^t into the step with "
         "momentum.", lambda x, s, m: reference(x, s, 0.0)),
    Turn("momentum's sign", "momentum makes larger rates stable, not smaller: look at its sign.",
         lambda x, s, m: reference(x, s, -m)),
    Turn("momentum otherwise", "β enters in another way: put (−1)^t into the two steps again.",
         lambda x, s, m: AnyOf(*[reference(x, s, 0.0) * f for f in
                                 (1 / (1 - m), (1 - m) ** 2, (1 + m) ** 2, (1 + m**0.5) ** 2 / 2,
                                  (1 + m) / (1 - m), 1 + m**0.5)])),
    Turn("one-step rate", "at this rate one step lands on the mean; how far may you overshoot it?",
         lambda x, s, m: AnyOf(*[c * s.min() ** 2 / len(x) for c in (1, 1 + m)])),
    Turn("flattest direction", "this is the edge of the flattest direction; the steepest one is "
         "left first.", lambda x, s, m: AnyOf(*[_with(s.max(), x, b) for b in (m, 0.0)])),
    Turn("the first direction", "the steepest direction need not be the first: look at all scales.",
         lambda x, s, m: AnyOf(*[_with(s[k], x, b) for k in (0, -1) for b in (m, 0.0)])),
    Turn("a rate for each", "each direction has an edge; one rate serves them all, so return the "
         "edge of the steepest.",
         lambda x, s, m: AnyOf(*[_with(s, x, b) for b in (m, 0.0)])),
    Turn("directions averaged", "the steepest direction alone decides; do not average or add them.",
         lambda x, s, m: AnyOf(*[2 * (1 + b) * v / len(x) for b in (m, 0.0)
                                 for v in ((s**2).mean(), s.mean() ** 2, s.prod() ** 2,
                                           1 / (1 / s**2).sum(),
                                           1 / (1 / s**2).mean(), (s**2).sum())])),
    Turn("scale for variance", "a slope of n/σ² times the distance holds the square of the scale.",
         lambda x, s, m: AnyOf(*[2 * (1 + b) * s.min() / len(x) for b in (m, 0.0)])),
    Turn("curvature upside down", "a wider scale makes a flatter loss and allows larger steps.",
         lambda x, s, m: AnyOf(*[2 * (1 + b) / s.min() ** 2 / len(x) for b in (m, 0.0)],
                               *[2 * (1 + b) / s.max() ** 2 / len(x) for b in (m, 0.0)])),
    Turn("scales ignored", "this is right for scales of 1; the loss divides by their squares.",
         lambda x, s, m: AnyOf(*[2 * (1 + b) / len(x) for b in (m, 0.0)])),
    Turn("spread of the data", "the scales of the model are given; the data's own spread moves no "
         "curvature.",
         lambda x, s, m: AnyOf(*[2 * (1 + b) * v.min() / len(x) for b in (m, 0.0)
                                 for v in (x.var(0), x.var(0, correction=0))])),
    Turn("mean's limit", "this is the edge for the mean of the losses; here the loss is their sum.",
         lambda x, s, m: AnyOf(*[2 * (1 + b) * s.min() ** 2 for b in (m, 0.0)])),
    Turn("numbers for rows", "n is the number of rows, not of numbers.",
         lambda x, s, m: AnyOf(*[2 * (1 + b) * s.min() ** 2 / x.numel() for b in (m, 0.0)])),
    Turn("columns for rows", "n is the number of rows of data, not of columns.",
         lambda x, s, m: AnyOf(*[2 * (1 + b) * s.min() ** 2 / x.shape[1] for b in (m, 0.0)])),
    Turn("two upside down", "the 2 is on the wrong side of the fraction; solve for ηλ once more.",
         lambda x, s, m: AnyOf(*[reference(x, s, b) / 4 for b in (m, 0.0)])),
    Turn("n squared", "the curvature of the sum holds n once; you divide by it twice.",
         lambda x, s, m: AnyOf(*[reference(x, s, b) / len(x) for b in (m, 0.0)])),
    Turn("the sheet's n", "this is right for 10000 observations only; ask the data for n.",
         lambda x, s, m: AnyOf(*[2 * (1 + b) * s.min() ** 2 / SHEETS_N for b in (m, 0.0)])),
    Turn("upside down", "this grows with n, but more data make a steeper loss.",
         lambda x, s, m: AnyOf(*[f / reference(x, s, b) for b in (m, 0.0)
                                 for f in (1, 2, 4 * (1 + b) ** 2)])),
    Turn("n − 1 for n", "all n rows make the loss steeper: divide by n.",
         lambda x, s, m: AnyOf(*[reference(x, s, b) * len(x) / (len(x) - 1) for b in (m, 0.0)])),
    Turn("inside the edge", "this is a little less than the edge: return the edge itself.",
         reference, alike=lambda got, want: _little_off(got, float(want))),
)  # fmt: skip


def _little_off(got: object, want: float) -> bool:
    """Whether a number is between 0.9 and 1 of another."""
    value = as_tensor(got)
    return value is not None and value.ndim == 0 and 0.9 < float(value) / want < 1


def by_curvature(data: torch.Tensor, scales: torch.Tensor, momentum: float) -> torch.Tensor:
    """Return the edge of the greatest curvature."""
    curvatures = len(data) / scales**2
    return 2 * (1 + momentum) / curvatures.max()


def by_scale(data: torch.Tensor, scales: torch.Tensor, momentum: float) -> torch.Tensor:
    """Return the edge of the least scale."""
    return 2 * (1 + momentum) * scales.min() ** 2 / len(data)


EXERCISE = Exercise(
    name="largest_stable_learning_rate",
    arguments=(
        Argument("data", _data, many=(4, 5), shown=lambda x: "{} × {} values".format(*x.shape),
                 edges={"a single row": lambda u, given: _data(u, given, 4)[:1]}),
        Argument("scales", _scales, many=(4, 5), sizes=(1, 2)),
        Argument("momentum", lambda u, given: u.real(0.3, 0.9),
                 edges={"without momentum": 0.0}, used_instead=lambda: 0.5),
    ),
    reference=reference,
    turns=TURNS,
    worked=(by_curvature, by_scale),
    passed="largest_stable_learning_rate: that of the steepest direction, with and without "
    "momentum.",
)  # fmt: skip
largest_stable_learning_rate = EXERCISE.check
