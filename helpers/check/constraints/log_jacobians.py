"""increasing_log_jacobian(y), simplex_log_jacobian(y): the stretch of a volume, in logs."""

import torch
from torch.distributions import StickBreakingTransform

from helpers.check.constraints import analytic
from helpers.check.constraints.line import itself, line, shapes
from helpers.check.kit.asks import Draws, Given, sample
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise, Together

STICK = StickBreakingTransform()


def _lists(u: Draws, given: Given, k: int) -> torch.Tensor:
    """Return five lists of k numbers of the line, shape (5, k)."""
    return line(u, 5, k)


def rising(y: torch.Tensor) -> torch.Tensor:
    """Return increasing_log_jacobian as a student writes it."""
    return y[..., 1:].sum(-1)


def by_shares(y: torch.Tensor) -> torch.Tensor:
    """Return simplex_log_jacobian as a student writes it."""
    x = torch.cat([y, torch.zeros_like(y[..., :1])], dim=-1).softmax(-1)
    return torch.log(x).sum(-1)


def by_free_shares(y: torch.Tensor) -> torch.Tensor:
    """Return simplex_log_jacobian from the free shares and what they leave."""
    x = torch.exp(y) / (1 + torch.exp(y).sum(-1, keepdim=True))
    return torch.log(x).sum(-1) + torch.log(1 - x.sum(-1))


def all_but_first(y: torch.Tensor) -> torch.Tensor:
    """Return increasing_log_jacobian as a difference."""
    return y.sum(-1) - y[..., 0]


def by_one_logarithm(y: torch.Tensor) -> torch.Tensor:
    """Return simplex_log_jacobian with the log of the sum gathered."""
    k = y.shape[-1] + 1
    return y.sum(-1) - k * torch.log(1 + y.exp().sum(-1))


def by_determinant(y: torch.Tensor) -> torch.Tensor:
    """Return simplex_log_jacobian from the matrix of slopes."""
    x = torch.cat([y, torch.zeros_like(y[..., :1])], dim=-1).softmax(-1)[..., :-1]
    matrix = torch.diag_embed(x) - x.unsqueeze(-1) * x.unsqueeze(-2)
    return matrix.det().log()


INCREASING = Exercise(
    name="increasing_log_jacobian",
    arguments=(
        sample("y", _lists, many=(3, 4), sizes=(2, 6), dtypes=(torch.float32,),
               edges=shapes("y", (3,), (2, 3, 4), of=itself)),
    ),
    reference=analytic.increasing_log_jacobian,
    worked=(rising, all_but_first),
    typical=2,
    turns=(
        Turn("first counted", "x₁ = y₁ stretches nothing: its slope is 1, with the log 0.",
             lambda y: y.sum(-1)),
        Turn("log forgotten", "this is the determinant; its logarithm is asked for.",
             lambda y: y[..., 1:].sum(-1).exp()),
        Turn("Jacobian of the inverse", "this is the stretch from x to y; the way there is asked "
             "for.", lambda y: -y[..., 1:].sum(-1)),
        Turn("slopes added", "a determinant of a triangle is the product of its diagonal; the log "
             "of a product is a sum of logs.",
             lambda y: AnyOf(y[..., 1:].exp().sum(-1), y[..., 1:].exp().sum(-1).log(),
                             (1 + y[..., 1:].exp().sum(-1)).log())),
        Turn("one for each number", "one number for each list: a volume has one stretch.",
             lambda y: AnyOf(y[..., 1:], y, torch.cat([0 * y[..., :1], y[..., 1:]], dim=-1))),
        Turn("log taken at x", "the slopes are e^y: the sum runs over y, not over x.",
             lambda y: AnyOf(analytic.to_increasing(y)[..., 1:].sum(-1),
                             analytic.to_increasing(y).abs().log().sum(-1))),
        Turn("last number only", "every gap stretches: all of them count, not only one.",
             lambda y: AnyOf(y[..., -1], y[..., 1])),
        Turn("all lists together", "each list has a stretch of its own: sum along the last axis.",
             lambda y: AnyOf(y[..., 1:].sum(), y.sum(), y[1:].sum(0))),
        Turn("last left out", "the last gap stretches as well.", lambda y: y[..., :-1].sum(-1)),
        Turn("product for sum", "the log of a product is the sum of the logs, which are the y.",
             lambda y: AnyOf(y[..., 1:].prod(-1), y.prod(-1))),
        Turn("gaps counted again", "each gap stands on the diagonal once, whatever lies above it.",
             lambda y: AnyOf(y[..., 1:].cumsum(-1).sum(-1), y[..., 1:].flip(-1).cumsum(-1).sum(-1),
                             y.cumsum(-1).sum(-1))),
        Turn("mean for sum", "add the logs of the slopes; do not average.",
             lambda y: AnyOf(y[..., 1:].mean(-1), y.mean(-1))),
    ),
    passed="increasing_log_jacobian.",
)  # fmt: skip


def _logs(y: torch.Tensor) -> torch.Tensor:
    return analytic.to_simplex(y).log()


SIMPLEX = Exercise(
    name="simplex_log_jacobian",
    arguments=(
        sample("y", _lists, many=(2, 3), sizes=(1, 5), dtypes=(torch.float32,),
               edges=shapes("y", (4,), (2, 3, 2), of=itself)),
    ),
    reference=analytic.simplex_log_jacobian,
    worked=(by_shares, by_free_shares, by_one_logarithm, by_determinant),
    typical=2,
    turns=(
        Turn("last share forgotten", "the determinant holds 1 − x₁ − … − x₍K−1₎ as well, which is "
             "the last share.", lambda y: _logs(y)[..., :-1].sum(-1)),
        Turn("diagonal only", "the slopes off the diagonal are not zero: the product of the "
             "diagonal is no determinant here.",
             lambda y: (_logs(y) + (-_logs(y).expm1()).log())[..., :-1].sum(-1)),
        Turn("diagonal of all shares", "K − 1 shares are free, and the slopes off the diagonal "
             "count.", lambda y: (_logs(y) + (-_logs(y).expm1()).log()).sum(-1)),
        Turn("log forgotten", "this is the determinant; its logarithm is asked for.",
             lambda y: _logs(y).sum(-1).exp()),
        Turn("Jacobian of the inverse", "this is the stretch from x to y; the way there is asked "
             "for.", lambda y: -_logs(y).sum(-1)),
        Turn("stretch of the exponentials", "the shares are divided by their sum, which stretches "
             "as well.", lambda y: y.sum(-1)),
        Turn("shares added", "add the logs of the shares, not the shares: they add up to 1.",
             lambda y: AnyOf(torch.ones_like(y[..., 0]), torch.zeros_like(y[..., 0]))),
        Turn("one for each share", "one number for each list: a volume has one stretch.",
             lambda y: AnyOf(_logs(y), _logs(y)[..., :-1])),
        Turn("zero left out", "the shares are those of softmax of (y, 0), not of y.",
             lambda y: y.log_softmax(-1).sum(-1)),
        Turn("all lists together", "each list has a stretch of its own: sum along the last axis.",
             lambda y: AnyOf(_logs(y).sum(), _logs(y).sum(0))),
        Turn("mean for sum", "add the logs of the shares; do not average.",
             lambda y: _logs(y).mean(-1)),
        Turn("last share too often", "each share counts once, the last one too.",
             lambda y: AnyOf(_logs(y).sum(-1) + _logs(y)[..., -1],
                             _logs(y).sum(-1) + (y.shape[-1] - 1) * _logs(y)[..., -1])),
        Turn("divided once", "each of the K shares is e^y over the sum, whose log counts K times.",
             lambda y: AnyOf(y.sum(-1) - (1 + y.exp().sum(-1)).log(),
                                       y.sum(-1) - 2 * (1 + y.exp().sum(-1)).log())),
        Turn("two shares only", "the product runs over all K shares; for K = 2 there are no more.",
             lambda y: AnyOf(_logs(y)[..., :2].sum(-1), _logs(y)[..., 0] + _logs(y)[..., -1])),
        Turn("one share only", "the product runs over all K shares.",
             lambda y: AnyOf(_logs(y)[..., -1], _logs(y)[..., 0])),
        Turn("shares as weights", "add the logs of the shares, each once: this is an entropy.",
             lambda y: AnyOf((_logs(y).exp() * _logs(y)).sum(-1),
                             -(_logs(y).exp() * _logs(y)).sum(-1))),
        Turn("stick-breaking", "this is the stretch of another map to the simplex.",
             lambda y: STICK.log_abs_det_jacobian(y, STICK(y))),
        Turn("K times the last", "multiply all the shares, each once.",
             lambda y: _logs(y)[..., -1] * (y.shape[-1] + 1)),
    ),
    passed="simplex_log_jacobian.",
)  # fmt: skip

log_jacobians = Together(
    (INCREASING, SIMPLEX),
    "increasing_log_jacobian, simplex_log_jacobian: lists of 2 to 6 numbers, of several shapes.",
).check
