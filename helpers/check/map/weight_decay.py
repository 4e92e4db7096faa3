"""weight_decay(scale, tau, n, loss): what to hand to an optimizer for a normal prior of weights.

torch adds weight_decay · w to the gradient, as a penalty of weight_decay/2 · ‖w‖² would. A loss
that is c times the negative log-likelihood (and a constant) needs c times the prior's 1/tau².
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from helpers.check.kit.agree import Close, Outcome
from helpers.check.kit.asks import Argument, Draws, Given, Jointly, positive, whole
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

LOSSES = ("mean", "half sum", "sum", "nll")
By = Callable[[float, float, int], float]  # of scale, tau and n


def reference(scale: float, tau: float, n: int, loss: str) -> float:
    """Return the weight decay that makes the lowest loss the top of the posterior."""
    penalty = (scale / tau) ** 2
    return {"half sum": penalty, "sum": 2 * penalty, "mean": 2 * penalty / n, "nll": tau**-2}[loss]


def _loss(u: Draws, given: Given, kind: int) -> str:
    """Return the kind that is asked; another one where there is one already: so it moves alone."""
    return "sum" if "loss" in given else LOSSES[kind]


def _turns(name: str, hint: str, *tables: dict[str, By]) -> list[Turn]:
    """Return a turn of one name for each table of wrong formulas by loss; others are right."""

    def of(table: dict[str, By]) -> Callable[[float, float, int, str], float]:
        return lambda scale, tau, n, loss: (
            table[loss](scale, tau, n) if loss in table else reference(scale, tau, n, loss)
        )

    return [Turn(name, hint, of(table)) for table in tables]


def _penalised(penalty: By, nll: bool) -> dict[str, By]:
    """Return what another λ gives for the squares, and consistent with it for nll if asked."""
    table: dict[str, By] = {
        "half sum": penalty,
        "sum": lambda s, t, n: 2 * penalty(s, t, n),
        "mean": lambda s, t, n: 2 * penalty(s, t, n) / n,
    }
    return {**table, "nll": lambda s, t, n: penalty(s, t, n) / s**2} if nll else table


def _times(factor: float, *losses: str) -> dict[str, By]:
    """Return the right formulas of some losses, times a factor."""

    def scaled(loss: str) -> By:
        return lambda s, t, n: factor * reference(s, t, n, loss)

    return {loss: scaled(loss) for loss in losses}


def _averaged(*losses: str) -> dict[str, By]:
    """Return the right formulas of some losses, over n."""

    def divided(loss: str) -> By:
        return lambda s, t, n: reference(s, t, n, loss) / n

    return {loss: divided(loss) for loss in losses}


def _of_penalties(*penalties: By) -> list[dict[str, By]]:
    return [_penalised(penalty, nll) for penalty in penalties for nll in (False, True)]


FLIPPED = _of_penalties(lambda s, t, n: (t / s) ** 2, lambda s, t, n: (s * t) ** 2,
                        lambda s, t, n: t**2)  # fmt: skip
FLIPPED += [{**table, "nll": lambda s, t, n: t**2} for table in FLIPPED[::2]]
UNSCALED = _of_penalties(lambda s, t, n: t**-2)[:1]
ROOTED = _of_penalties(lambda s, t, n: s / t, lambda s, t, n: s / t**2, lambda s, t, n: s**2 / t)

TURNS = (
    *_turns("one decay for all", "the loss decides: one with twice the slope needs twice the "
            "decay.",
            dict.fromkeys(LOSSES, lambda s, t, n: (s / t) ** 2),
            dict.fromkeys(LOSSES, lambda s, t, n: t**-2),
            dict.fromkeys(LOSSES, lambda s, t, n: 2 * (s / t) ** 2),
            dict.fromkeys(LOSSES, lambda s, t, n: 2 * (s / t) ** 2 / n),
            dict.fromkeys(LOSSES[:3], lambda s, t, n: (s / t) ** 2)),
    *_turns("λ upside down", "the narrower the prior, the stronger the decay: tau² stands below.",
            *FLIPPED),
    *_turns("σ² forgotten", "the squares of the noise weigh 1/scale² in the likelihood: λ = "
            "scale²/tau².", *UNSCALED, _penalised(lambda s, t, n: t**-2, True)),
    *_turns("standard deviations for variances", "λ is a ratio of variances, scale²/tau².",
            *ROOTED, *[{**table, "nll": lambda s, t, n: 1 / t} for table in ROOTED[::2]],
            {"nll": lambda s, t, n: 1 / t}),
    *_turns("σ² counted twice", "«nll» has scale in it already: there the prior weighs 1/tau².",
            {"nll": lambda s, t, n: (s / t) ** 2}, {"nll": lambda s, t, n: 2 * (s / t) ** 2},
            {"nll": lambda s, t, n: (s / t) ** 2 / 2}),
    *_turns("mean not divided", "«mean» is the sum of the squares over n: its slope is n times "
            "smaller, and so is the decay.",
            {"mean": lambda s, t, n: 2 * (s / t) ** 2}, {"mean": lambda s, t, n: (s / t) ** 2}),
    *_turns("multiplied by n", "averaging makes the slope n times smaller: divide by n.",
            {"mean": lambda s, t, n: 2 * n * (s / t) ** 2},
            {"mean": lambda s, t, n: n * (s / t) ** 2}),
    *_turns("divided by n everywhere", "only «mean» averages; the others are sums over the "
            "observations.",
            _averaged("half sum", "sum", "nll"), _averaged("half sum", "sum"), _averaged("nll")),
    *_turns("½ overlooked", "compare slopes: that of c‖y − Xw‖² has a factor 2c, and torch adds "
            "weight_decay · w, not 2 · weight_decay · w.",
            _times(0.5, *LOSSES), _times(0.5, "sum", "mean"), _times(0.5, *LOSSES[:3]),
            _times(0.5, "sum"), _times(0.5, "mean"), _times(0.5, "nll"), _times(0.5, "half sum")),
    *_turns("2 too many", "torch adds weight_decay · w to the slope, and the slope of the prior's "
            "½w²/tau² is w/tau².",
            _times(2.0, *LOSSES), _times(2.0, "half sum"), _times(2.0, "nll"),
            _times(2.0, "half sum", "nll"), _times(2.0, "sum"), _times(2.0, "mean"),
            _times(2.0, "sum", "mean"), _times(2.0, *LOSSES[:3])),
    *_turns("half and whole exchanged", "the loss without ½ has the larger slope, and needs the "
            "larger decay.",
            {**_times(2.0, "half sum"), **_times(0.5, "sum")},
            {**_times(2.0, "half sum"), **_times(0.5, "sum", "mean")},
            {**_times(1.0, "half sum"), **_times(0.25, "sum", "mean")}),
    *_turns("n − 1 for n", "the mean divides by n.",
            {"mean": lambda s, t, n: 2 * (s / t) ** 2 / (n - 1)}),
    *_turns("sign", "torch adds the decay to the slope of the loss: it is positive.",
            _times(-1.0, *LOSSES)),
)  # fmt: skip


@dataclass(frozen=True)
class ByLoss(Close):
    """Numbers in closed form, of which it can be said for which losses they are off."""

    def named(self, failing: Sequence[Outcome]) -> tuple[str, str] | None:
        """Return the losses that are off, where others are right."""
        off = [loss for loss in LOSSES if any(o.case.args[3] == loss for o in failing)]
        if not off or len(off) == len(LOSSES):
            return None
        words = " and ".join(f"«{loss}»" for loss in off)
        return f"off for {words}", (
            f"the other losses are right; write down the slope of {words} beside that of the log "
            "prior, and look for the common factor."
        )


def by_table(scale, tau, n, loss):  # type: ignore[no-untyped-def]
    """Return λ times what the loss has in front of half of the squares."""
    penalty = scale**2 / tau**2
    if loss == "nll":
        return penalty / scale**2
    if loss == "half sum":
        return penalty
    if loss == "sum":
        return 2 * penalty
    return 2 * penalty / n


EXERCISE = Exercise(
    name="weight_decay",
    arguments=(
        positive("scale", 0.4, 4.0, used_instead=lambda: 0.8),
        positive("tau", 0.1, 3.0, used_instead=lambda: 0.2),
        whole("n", 5, 60, used_instead=lambda: 12),
        Argument("loss", _loss, many=(0, 1, 2, 3), edges={
            "a single observation": lambda u, given: Jointly(n=1)}),
    ),
    reference=reference,
    turns=TURNS,
    agree=ByLoss(),
    worked=(by_table,),
    typical=8,
    passed="weight_decay: for all four losses.",
)  # fmt: skip
weight_decay = EXERCISE.check
