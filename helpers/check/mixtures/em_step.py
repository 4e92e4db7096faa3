"""em_step(components, x): one step of the EM algorithm."""

from collections.abc import Callable
from typing import Any

import torch

from helpers.check.kit.agree import Located
from helpers.check.kit.asks import Argument, Draws, Given, Jointly
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.mixtures import analytic
from helpers.check.mixtures.responsibilities import rows

SIZES = {1: 30, 2: 45, 3: 130, 4: 90}  # observations, by the number of components


def hills(u: Draws, components: torch.Tensor, n: int) -> torch.Tensor:
    """Return n draws of a mixture, in random order."""
    counts = [round(float(w) * n) for w in components[:-1, 2]]
    drawn = [
        u.beta(count, float(a), float(b))
        for count, (a, b, _) in zip([*counts, n - sum(counts)], components, strict=True)
    ]
    x = torch.cat(drawn).clamp(1e-12, 1 - 1e-12)
    return x[torch.randperm(n, generator=u.generator())]


def _x(u: Draws, given: Given) -> torch.Tensor:
    k = len(given["components"])
    return hills(u, rows(u, k), SIZES[k])


def _far(u: Draws, given: Given) -> Jointly:
    """Return tight components in the middle, and an observation where both underflow."""
    x = torch.cat([u.uniform(40, 0.3, 0.7), torch.tensor([1e-8, 3e-7]).double()])
    return Jointly(components=rows(u, 2, 60.0, 90.0), x=x)


reference = analytic.em


def _with(**how: Any) -> Callable[..., torch.Tensor]:
    return lambda components, x: analytic.em(components, x, **how)


def _hard(joint: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(joint.argmax(-1), joint.shape[-1]).double()


def _parts(ab: bool, weights: bool) -> Callable[..., torch.Tensor]:
    """Return the step of which only a and b, or only the weights, are made."""

    def gives(components: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        new = analytic.em(components, x)
        return torch.cat([new[:, :2] if ab else components[:, :2],
                          new[:, 2:] if weights else components[:, 2:]], 1)  # fmt: skip

    return gives


def _moments(components: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return the step whose a and b match weighted means and variances."""
    r = analytic.responsibilities(components, x)
    m = r.T @ x / r.sum(0)
    v = (r * (x[:, None] - m) ** 2).sum(0) / r.sum(0)
    both = m * (1 - m) / v - 1
    return torch.stack([m * both, (1 - m) * both, r.mean(0)], 1)


def _newton_once(components: torch.Tensor, x: torch.Tensor) -> AnyOf:
    """Return the step with few Newton steps for a and b, from their old values or from low."""
    new, r = analytic.em(components, x), analytic.responsibilities(components, x)
    found = []
    for start in (components[:, :2], torch.full_like(components[:, :2], 0.01)):
        ab = start
        for _ in range(5):
            made = []
            for k, old in enumerate(ab):
                means = analytic.mean_logs(x, r[:, k])
                score = means - torch.digamma(old) + torch.digamma(old.sum())
                slope = torch.diag(torch.polygamma(1, old)) - torch.polygamma(1, old.sum())
                made.append(old + torch.linalg.solve(slope, score))
            ab = torch.stack(made)
            found.append(torch.cat([ab, new[:, 2:]], 1))
    return AnyOf(*found)


def _scaled(by: Callable[[torch.Tensor, torch.Tensor], Any]) -> Callable[..., torch.Tensor]:
    """Return the step whose weights are other functions of the shares, shape (n, k)."""

    def gives(components: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        new = analytic.em(components, x)
        weights = by(analytic.responsibilities(components, x), components[:, 2])
        return torch.cat([new[:, :2], weights[:, None]], 1)

    return gives


def _ran_off(got: Any, wrong: Any) -> bool:
    """Whether an a or b is no positive number, or so large that Newton has lost its way."""
    value = as_tensor(got)
    if value is None or value.ndim != 2 or value.shape[1] != 3:
        return False
    ab = value[:, :2]
    return len(value) == 1 or not bool(((ab > 0) & (ab < 1e6)).all())


def _unweighted(components: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    ab = analytic.beta_mle(x).expand(len(components), 2)
    return torch.cat([ab, analytic.em(components, x)[:, 2:]], 1)


def _weights_off(got: torch.Tensor, wanted: torch.Tensor) -> bool:
    return same(got[:, :2], wanted[:, :2])


def _shapes_off(got: torch.Tensor, wanted: torch.Tensor) -> bool:
    return same(got[:, 2], wanted[:, 2])


PLACES = (
    ("weights are off", "a and b agree; each weight is the mean of its component's shares.",
     _weights_off),
    ("a and b are off", "the weights agree, so the shares are right: look at the weighted means of "
     "the logs, and at how the scores are solved.", _shapes_off),
    ("shares are off", "neither the weights nor a and b agree: print your shares beside those of "
     "exercise 4.", lambda got, wanted: not same(got[:, 2], wanted[:, 2])),
)  # fmt: skip


def _of_new(change: Callable[[torch.Tensor], torch.Tensor], column: int) -> Callable[..., Any]:
    """Return the step whose a and b (0) or weights (2) are changed at the end."""

    def gives(components: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        new = analytic.em(components, x)
        if column == 0:
            return torch.cat([change(new[:, :2]), new[:, 2:]], 1)
        return torch.cat([new[:, :2], change(new[:, 2:])], 1)

    return gives


TURNS = (
    Turn("hard assignment", "each observation belongs to all components, in shares; you give it to "
         "the likeliest alone.", _with(shares=_hard)),
    Turn("weights left out of shares", "the shares are of weight times density, with the old "
         "weights.", lambda c, x: analytic.em(c / c[:, 2:] ** torch.tensor([0, 0, 1]), x)),
    Turn("shares not normalised", "weight times density becomes a share once it is divided by the "
         "sum over components.", _with(shares=torch.exp)),
    Turn("shares over points", "each observation's shares sum to 1 over the components.",
         _with(shares=lambda joint: joint.softmax(-2))),
    Turn("weights not updated", "the weights are renewed too: each is the mean of its shares.",
         _parts(ab=True, weights=False)),
    Turn("only the weights updated", "a and b are renewed too: solve each component's two scores.",
         _parts(ab=False, weights=True)),
    Turn("nothing updated", "these are the old components.", _parts(ab=False, weights=False)),
    Turn("sums of shares as weights", "a weight is the mean of its shares, so that all sum to 1.",
         _scaled(lambda r, old: r.sum(0))),
    Turn("equal weights", "a weight is the mean of its shares; they need not be alike.",
         _scaled(lambda r, old: torch.ones_like(old) / len(old))),
    Turn("weights multiplied", "the old weights are in the shares already: the new ones are the "
         "means of the shares alone.",
         _scaled(lambda r, old: r.mean(0) * old / (r.mean(0) * old).sum())),
    Turn("method of moments", "this matches weighted means and variances; the scores hold weighted "
         "means of logs.", _moments),
    Turn("all data in each", "each component is fitted to all observations alike: weight them by "
         "its shares.", _unweighted),
    Turn("equations without solution", "the means that you solve for are those of no sample: "
         "divide a component's weighted sums of logs by the sum of its shares, not by n.",
         lambda c, x: c, alike=_ran_off, raises=lambda error: "singular" in str(error)),
    Turn("too few Newton steps", "one EM step solves the scores: go on until a and b no longer "
         "change.", _newton_once),
    Turn("two steps", "this is where two EM steps lead; one is asked.", _with(steps=2)),
    Turn("many steps", "this is where many EM steps lead; one is asked.",
         lambda c, x: AnyOf(*[analytic.em(c, x, steps) for steps in (3, 4, 5, 10, 20)])),
    Turn("a and b swapped", "a belongs to log x, b to log(1 − x).",
         lambda c, x: AnyOf(analytic.em(c, x)[:, [1, 0, 2]],
                            analytic.em(c[:, [1, 0, 2]], x),
                            analytic.em(c[:, [1, 0, 2]], x)[:, [1, 0, 2]])),
    Turn("exponents returned", "these are the powers of x and 1 − x; a and b are one larger.",
         _of_new(lambda ab: ab - 1, 0)),
    Turn("raw a and b", "return a and b themselves, not what goes into softplus or exp.",
         lambda c, x: AnyOf(_of_new(lambda ab: ab.expm1().log(), 0)(c, x),
                            _of_new(torch.log, 0)(c, x))),
    Turn("log weights returned", "return the weights themselves, not their logarithms.",
         _of_new(torch.log, 2)),
    Turn("columns in another order", "a row is (a, b, weight), in this order.",
         lambda c, x: AnyOf(*[analytic.em(c, x).roll(s, 1) for s in (1, 2)])),
    Turn("half a step", "this lies between the old components and the new: return the new ones.",
         lambda c, x: (c + analytic.em(c, x)) / 2),
    Turn("softplus in the shares", "components hold a and b themselves, positive already: no "
         "softplus.", lambda c, x: analytic.em(
             torch.cat([torch.nn.functional.softplus(c[:, :2]), c[:, 2:]], 1), x)),
    Turn("rows in another order", "keep the order of the components.",
         lambda c, x: AnyOf(analytic.em(c, x).flip(0), *[
             analytic.em(c, x)[analytic.em(c, x)[:, i].argsort(descending=d)]
             for i in (0, 2) for d in (True, False)])),
    Turn("shares returned", "these are the shares; go on to new components.",
         analytic.responsibilities),
)  # fmt: skip

EXERCISE = Exercise(
    name="em_step",
    arguments=(
        Argument("components", lambda u, given, k: rows(u, k), many=(2, 3),
                 shown=lambda c: f"{len(c)} rows", edges={
            "one component": lambda u, given: Jointly(components=rows(u, 1),
                                                      x=u.beta(30, 2.0, 0.7)),
            "four components": lambda u, given: Jointly(components=rows(u, 4),
                                                        x=hills(u, rows(u, 4), SIZES[4])),
        }),
        Argument("x", _x, edges={"densities that underflow": _far}),
    ),
    reference=reference,
    agree=Located(rtol=1e-5, places=PLACES),
    turns=TURNS,
    typical=2,
    hints={  # the last number of a row is the weight
        "last one is off": "a and b agree, the weights do not: each is the mean of its component's "
        "shares.",
        "only the last agrees": "the weights agree, a and b do not: look at the weighted means of "
        "the logs, and at how the scores are solved.",
    },
    passed="em_step: shares, then the best a, b and weight for them, for one to four components.",
)  # fmt: skip
em_step = EXERCISE.check
