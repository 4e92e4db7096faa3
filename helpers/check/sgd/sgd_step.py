"""sgd_step(location, data, learning_rate): where one step of gradient descent leads."""

import torch

from helpers import data
from helpers.check.kit.asks import Argument, Draws, Given, real, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.sgd import analytic
from helpers.check.sgd.double import Double, single_precision

SHEETS_N, SHEETS_RATE = 10_000, 1e-7


STEP_TRACKED = Turn(
    "step is tracked",
    "a tracked tensor may not be changed while PyTorch records: step under torch.no_grad().",
    raises=lambda error: (
        "a leaf Variable that requires grad is being used in an in-place" in str(error)
    ),
)
UNTRACKED = Turn(
    "parameter not tracked",
    "backward() finds nothing to differentiate; make the parameter with requires_grad=True.",
    gives=lambda *args: None,
    alike=lambda got, want: False,  # a call that returns is another mistake: the first step raises
    raises=lambda error: "does not require grad" in str(error),
)
NO_GRADIENT = Turn(
    "backward forgotten",
    "the gradient is None: backward() fills it, for a parameter that was made with "
    "requires_grad=True.",
    raises=lambda error: "NoneType" in str(error),
)


def skewed(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return n observations away from the location, where there is one; mean and median apart."""
    x = u.normal(n)
    loc = given.get("location", 0.0) + u.choice((-1.0, 1.0)) * u.real(4, 9)
    return loc + x + 0.3 * (x**2 - 1)


def rate(low: float, high: float) -> Argument:
    """Return a learning rate that goes a share of the way between low and high in one step."""

    def edge(share: float) -> object:
        return lambda u, given: share / len(given["data"])

    return Argument(
        "learning_rate", lambda u, given: u.real(low, high) / len(given["data"]),
        edges={"with an overshooting rate": edge(1.45), "with a tiny rate": edge(1e-3)},
        used_instead=lambda: SHEETS_RATE,
    )  # fmt: skip


def slope(location: float, x: torch.Tensor) -> float:
    """Return the gradient of the summed loss, n (location − mean)."""
    return len(x) * float(location - x.mean())


def reference(location: float, x: torch.Tensor, rate: float) -> float:
    """Return the location after one step."""
    return float(analytic.sgd_trajectory(float(x.mean()), len(x), location, rate, 1)[1])


def _one_by_one(location: float, x: torch.Tensor, rate: float) -> float:
    for value in x.tolist():
        location -= rate * (location - value)
    return location


TURNS = (
    STEP_TRACKED,
    UNTRACKED,
    NO_GRADIENT,
    Turn("ascent", "you step up the slope, where the loss is larger; look at the sign of the step.",
         lambda location, x, rate: location + rate * slope(location, x)),
    Turn("mean's gradient", "your step is n times too small: the loss is the sum over the data.",
         lambda location, x, rate: location - rate * slope(location, x) / len(x)),
    Turn("old location returned", "the value you return has not moved; return it after the step.",
         lambda location, x, rate: location),
    Turn("gradient returned", "this is the gradient; the new location is asked for.",
         lambda location, x, rate: AnyOf(slope(location, x), -slope(location, x))),
    Turn("move returned", "this is how far to go, not where one arrives: subtract it.",
         lambda location, x, rate: AnyOf(*[s * rate * slope(location, x) for s in (1, -1)])),
    Turn("loss returned", "this is the loss; the new location is asked for.",
         lambda location, x, rate: AnyOf(*[_loss(at, x) for at in
                                           (location, reference(location, x, rate))])),
    Turn("learning rate forgotten", "you subtract the whole gradient; scale it first.",
         lambda location, x, rate: AnyOf(*[location - s * slope(location, x) for s in (1, -1)])),
    Turn("two steps", "this is where two steps lead; make one.",
         lambda location, x, rate: reference(reference(location, x, rate), x, rate)),
    Turn("gradient doubled", "the gradient is in your step twice: is backward() called twice, or a "
         "½ missing from the loss?",
         lambda location, x, rate: location - 2 * rate * slope(location, x)),
    Turn("a step for each", "you step once for every observation; add their slopes, then step "
         "once.", _one_by_one),
    Turn("goes to the mean", "this is where the run will end; asked is where one step leads.",
         lambda location, x, rate: x.mean()),
    Turn("median for mean", "each observation pulls with its distance; the slope holds their sum.",
         lambda location, x, rate: AnyOf(*[location - rate * len(x) * (location - m)
                                           for m in (x.median(), x.quantile(0.5))])),
    Turn("only the direction", "the step is the learning rate times the slope, not its sign alone.",
         lambda location, x, rate: AnyOf(*[location - rate * c * (1 if location > x.mean() else -1)
                                           for c in (1, len(x))])),
    Turn("another power of n", "the slope of the sum is n times the distance: n once, no root.",
         lambda location, x, rate: AnyOf(*[location - rate * slope(location, x) * len(x) ** p
                                           for p in (-0.5, 0.5, 1.0)])),
    Turn("n − 1 for n", "all n observations pull: there is no n − 1 in a slope.",
         lambda location, x, rate: location - rate * (len(x) - 1) * (location - x.mean())),
    Turn("divided by the variance", "the model's scale is 1, whatever the spread of the data.",
         lambda location, x, rate: AnyOf(*[location - rate * slope(location, x) / v
                                           for v in (x.var(), x.var(correction=0), x.std())])),
    Turn("gradient changed", "the step is the learning rate times the slope: neither squared nor "
         "without its sign.",
         lambda location, x, rate: AnyOf(location - rate * slope(location, x) ** 2,
                                         location - rate * abs(slope(location, x)))),
    Turn("data forgotten", "the step goes towards the data: each slope is location − x.",
         lambda location, x, rate: AnyOf(location * (1 - rate * len(x)), location * (1 - rate))),
    Turn("multiplied, not subtracted", "the move is subtracted from the location.",
         lambda location, x, rate: location * (1 - rate * slope(location, x))),
    Turn("the sheet's n", "n is how many observations the function is given, not the sheet's.",
         lambda location, x, rate: location - rate * SHEETS_N * (location - x.mean())),
    Turn("the sheet's mean", "this steps towards the mean of the sheet's data: use the argument.",
         lambda location, x, rate: location
         - rate * len(x) * (location - data.sgd_sample().mean())),
    single_precision(reference),
)  # fmt: skip


def _loss(location: float, x: torch.Tensor) -> float:
    return -float(torch.distributions.Normal(location, 1.0).log_prob(x).sum())


def by_mean(location: float, data: torch.Tensor, learning_rate: float) -> torch.Tensor:
    """Return the location less its share of the way to the mean."""
    n, mean = len(data), data.mean()
    return location - learning_rate * n * (location - mean)


def by_sum(location: float, data: torch.Tensor, learning_rate: float) -> torch.Tensor:
    """Return the location less the scaled sum of the slopes."""
    gradient = (location - data).sum()
    return location - learning_rate * gradient


EXERCISE = Exercise(
    name="sgd_step",
    arguments=(
        real("location", -8, 8, edges={"a start far away": -5000.3}, used_instead=lambda: 1.0),
        sample("data", skewed, many=(6, 25, 320), sizes=(1, 2), ties=True,
               used_instead=data.sgd_sample),
        rate(0.2, 0.6),
    ),
    reference=reference,
    agree=Double(),
    turns=TURNS,
    worked=(by_mean, by_sum),
    passed="sgd_step: location − learning_rate · n · (location − mean), for samples of 1 to 320.",
)  # fmt: skip
sgd_step = EXERCISE.check
