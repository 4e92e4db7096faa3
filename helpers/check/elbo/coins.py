"""What the exercises of sheet 08 share: flips of a coin, places of q, and ELBOs in wrong ways."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from helpers.check.elbo import analytic
from helpers.check.kit.asks import Argument, Draws, Given, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn

DOUBLE = torch.float64


def five() -> torch.Tensor:
    """Return the sheet's own five flips."""
    return torch.tensor([0.0, 1.0, 1.0, 0.0, 0.0], dtype=DOUBLE)


def flips(u: Draws, given: Given, n: int) -> torch.Tensor:
    """Return n flips in random order: one side about three times as often, each at least once.

    Where there are flips already, it is the other side.
    """
    rare = max(1, round(n * u.real(0.15, 0.3))) if n > 1 else u.whole(0, 1)
    x = torch.zeros(n, dtype=DOUBLE)
    x[torch.randperm(n, generator=u.generator())[:rare]] = 1.0
    tails = u.choice((True, False)) if "flips" not in given else given["flips"].mean() > 0.5
    return x if tails else 1 - x


EDGES: dict[str, Any] = {
    "all of them heads": torch.ones(4, dtype=DOUBLE),
    "all of them tails": torch.zeros(6, dtype=DOUBLE),
}


def shown(x: torch.Tensor) -> str:
    """Return flips in words."""
    heads = int(x.sum())
    return f"{heads} heads and {len(x) - heads} tails"


def flips_argument(many: tuple[int, ...] = (8, 5, 13), **more: Any) -> Argument:
    """Return the argument ``flips``: also a single flip, all heads and all tails."""
    given = {"sizes": (1,), "edges": EDGES, "shown": shown, "used_instead": five, **more}
    return sample("flips", flips, many=many, **given)


def _mu(u: Draws, given: Given) -> torch.Tensor:
    return torch.tensor(u.choice((-1, 1)) * u.real(0.7, 2.0), dtype=DOUBLE)


def _sigma(u: Draws, given: Given) -> torch.Tensor:
    return torch.tensor(u.choice((u.real(0.4, 0.7), u.real(1.4, 2.2))), dtype=DOUBLE)


MU = Argument("mu", _mu, edges={"a location far out": torch.tensor(40.0, dtype=DOUBLE)})
SIGMA = Argument("sigma", _sigma, edges={
    "a narrow q": torch.tensor(0.05, dtype=DOUBLE), "a wide q": torch.tensor(3.0, dtype=DOUBLE),
})  # fmt: skip


@dataclass(frozen=True)
class Average:
    """An average under q: over the nodes of a quadrature, or over draws.

    Args:
        mu: location of q.
        sigma: standard deviation of q.
        a: 1 + heads.
        b: 1 + tails.
        y: where functions are taken.
        weights: of these places, which sum to 1.
        entropies: each way to have −E[log q]; of draws, in closed form and averaged.
    """

    mu: torch.Tensor
    sigma: torch.Tensor
    a: float
    b: float
    y: torch.Tensor
    weights: torch.Tensor
    entropies: tuple[torch.Tensor, ...]

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """Return the weighted mean of values at the places."""
        return (self.weights * values).sum()

    def joint(self, more: float = 0.0) -> torch.Tensor:
        """Return log p(x, y) at the places, both exponents enlarged by ``more``."""
        return analytic.log_joint(self.y, self.a + more, self.b + more)

    def log_q(self) -> torch.Tensor:
        """Return log q at the places."""
        return analytic.log_normal(self.y, self.mu, self.sigma)

    def elbos(self, expected: torch.Tensor, factor: float = 1.0) -> list[torch.Tensor]:
        """Return an expected value plus so many times each entropy."""
        return [expected + factor * entropy for entropy in self.entropies]


Averaged = Callable[..., Average]
Wrong = Callable[[Average], Any]


def _any(values: Any) -> AnyOf:
    return AnyOf(*values)


def turns(averaged: Averaged) -> tuple[Turn, ...]:
    """Return the misconceptions about the ELBO that quadrature and draws share.

    Args:
        averaged: takes what the answer takes, and returns the average that it makes.
    """

    def turn(name: str, hint: str, wrong: Wrong) -> Turn:
        return Turn(name, hint, lambda *args: wrong(averaged(*args)))

    return (
        turn("Jacobian forgotten",
             "you average the log-likelihood only; the prior's density on the scale of y is "
             "missing.", lambda v: _any(v.elbos(v.mean(v.joint(-1))))),
        turn("sign", "this is minus the ELBO, a loss to minimise; return the ELBO itself.",
             lambda v: _any([-e for e in v.elbos(v.mean(v.joint()))])),
        turn("entropy forgotten",
             "this is the mean of log p(x, y) alone; −log q is averaged as well.",
             lambda v: v.mean(v.joint())),
        turn("entropy halved", "the entropy counts in full: log σ + ½ log 2π + ½.",
             lambda v: _any(v.elbos(v.mean(v.joint()), 0.5))),
        turn("entropy subtracted", "entropy is the mean of minus log q: in the ELBO it is added.",
             lambda v: _any(v.elbos(v.mean(v.joint()), -1))),
        turn("entropy counted twice", "the entropy is the mean of −log q: one of the two will do.",
             lambda v: v.mean(v.joint()) + sum(v.entropies) * (2 / len(v.entropies))),
        turn("another entropy", "the entropy of a normal is log σ + ½ log 2π + ½.",
             lambda v: _any(v.mean(v.joint()) + e for e in _entropies(v))),
        turn("log outside the mean", "this goes to the log evidence: take the log first, then the "
             "mean.", lambda v: AnyOf(v.mean((v.joint() - v.log_q()).exp()).log(),
                                      analytic.log_evidence(v.a, v.b))),
        turn("gap returned", "this is what the ELBO lacks to the log evidence, or minus that.",
             lambda v: _any(s * (analytic.log_evidence(v.a, v.b) - e) for s in (1, -1)
                            for e in v.elbos(v.mean(v.joint())))),
        turn("flips forgotten", "this is the ELBO of the prior; the likelihood of the flips is "
             "missing.", lambda v: _any(v.elbos(v.mean(analytic.log_joint(v.y, 1, 1))))),
        turn("log forgotten", "p(x, y) enters the average by its log.",
             lambda v: _any([*v.elbos(v.mean(v.joint().exp())),
                             v.mean((v.joint() - v.log_q()).exp())])),
        turn("weighted twice", "the average under q has its weights already: do not multiply by "
             "q(y) again.",
             lambda v: _any([v.mean(v.log_q().exp() * (v.joint() - v.log_q())),
                             *v.elbos(v.mean(v.log_q().exp() * v.joint()))])),
        turn("Jacobian counted twice", "the Jacobian is the prior of y: it belongs there once.",
             lambda v: _any(v.elbos(v.mean(v.joint(1))))),
        turn("mean over the flips", "the flips are independent: add their log probabilities up.",
             lambda v: _any(e for per_flip in _per_flip(v) for e in v.elbos(v.mean(per_flip)))),
        turn("another q", "log q has the mu and the sigma of q, those that place y.",
             lambda v: _any(v.mean(v.joint() - analytic.log_normal(v.y, loc, scale))
                            for loc, scale in ((0.0, 1.0), (v.mu, 1.0), (0.0, v.sigma)))),
        Turn("sigma taken for log sigma", "sigma is the standard deviation itself: no exp, no log.",
             lambda mu, sigma, *rest: _any(
                 e for scale in (sigma.exp(), torch.nn.functional.softplus(sigma))
                 for v in [averaged(mu, scale, *rest)]
                 for e in [*v.elbos(v.mean(v.joint())),
                           v.mean(v.joint()) + analytic.entropy(sigma),
                           v.mean(v.joint() - analytic.log_normal(v.y, mu, sigma))])),
        turn("mean inside the log", "average log p over the places; you took it at their average.",
             lambda v: _any(v.elbos(analytic.log_joint(v.mean(v.y), v.a, v.b)))),
    )  # fmt: skip


def _per_flip(v: Average) -> list[torch.Tensor]:
    """Return the log joint density, or the likelihood alone, divided by the number of flips."""
    n, prior = v.a + v.b - 2, analytic.log_joint(v.y, 1, 1)
    return [v.joint() / n, v.joint(-1) / n + prior]


def _entropies(v: Average) -> list[torch.Tensor]:
    """Return entropies with a part missing or enlarged, and that of Normal(0, 1)."""
    entropy, half = v.entropies[0], 0.5 * math.log(2 * math.pi)
    log_sigma = v.sigma.log()
    return [
        entropy - 0.5,
        entropy + 0.5,
        entropy + half,
        entropy - half,
        entropy - log_sigma,
        entropy + log_sigma,
        entropy - 0.5 * log_sigma,
    ]
