"""ModelWithPrior(base, prior, scale): a network that learns, on top of one that does not.

The class is asked as a plain function, see :func:`helpers.watching.with_a_step`.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from helpers.check.kit.asks import Argument, Draws, Given
from helpers.check.kit.compare import AnyOf, as_row, parts_of, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

Tensor = torch.Tensor
Six = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]
KINDS = {1: (1, 6), 2: (2, 4), 3: (1, 1)}  # columns and rows of x


def _filled(u: Draws, module: nn.Module) -> nn.Module:
    """Return a module in float64 whose parameters are drawn."""
    module = module.double()
    for parameter in module.parameters():
        drawn = u.normal(parameter.numel(), 0.2, 0.9).reshape(parameter.shape)
        parameter.data.copy_(drawn)
    return module


def _base(u: Draws, given: Given, kind: int) -> nn.Module:
    d = KINDS[kind][0]
    return _filled(u, nn.Sequential(nn.Linear(d, 3), nn.SELU(), nn.Linear(3, 1)))


def _prior(u: Draws, given: Given, kind: int) -> nn.Module:
    d = KINDS[kind][0]
    return _filled(u, nn.Sequential(nn.Linear(d, 2), nn.Tanh(), nn.Linear(2, 1)))


def _x(u: Draws, given: Given, kind: int) -> Tensor:
    d, n = KINDS[kind]
    return u.normal(d * n, 0.5, 1.2).reshape(n, d)


def _y(u: Draws, given: Given, kind: int) -> Tensor:
    return u.normal(KINDS[kind][1], 2.0, 1.0)[:, None]


def _slopes(module: nn.Module, loss: Tensor, learns: bool) -> Tensor:
    """Return the slopes by all parameters in one row, zeros where it does not learn."""
    parameters = list(module.parameters())
    if not (learns and parameters and loss.requires_grad):
        return torch.zeros(max(1, sum(p.numel() for p in parameters)), dtype=loss.dtype)
    got = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
    return torch.cat([(torch.zeros_like(p) if g is None else g).flatten()
                      for p, g in zip(parameters, got, strict=True)]).detach()  # fmt: skip


def _of(
    output: Callable[[Tensor, Tensor, float], Tensor], learn: tuple[str, ...] = ("base",)
) -> Callable[..., Six]:
    """Return what a module gives whose output is another, or whose other part learns.

    Args:
        output: of base's output, prior's output and scale.
        learn: which parts do: base, prior.
    """

    def gives(base: nn.Module, prior: nn.Module, scale: float, x: Tensor, y: Tensor) -> Six:
        base, prior = copy.deepcopy(base), copy.deepcopy(prior)
        b, p = base(x), prior(x)
        out = output(b, p, scale)
        kept = output(b if "base" in learn else b.detach(), p if "prior" in learn else p.detach(),
                      scale)  # fmt: skip
        loss = nn.functional.mse_loss(kept, y)
        slopes = [_slopes(m, loss, n in learn) for n, m in (("base", base), ("prior", prior))]
        found = torch.ones(len(list(base.parameters())))
        return out.detach(), out.detach(), slopes[0], slopes[1], found, torch.zeros(())

    return gives


def _sum(b: Tensor, p: Tensor, scale: float) -> Tensor:
    return b + scale * p


reference = _of(_sum)
ORDER = ("the output", "a second call's output", "the slopes of the base", "the slopes of the "
         "prior", "what an optimizer finds", "what else would be trained")  # fmt: skip


def _rows(got: Any) -> list[Tensor] | None:
    parts = parts_of(got)
    if parts is None and isinstance(got, tuple | list):
        parts = [row for row in map(as_row, got) if row is not None]
    return [p.double().flatten() for p in parts] if parts and len(parts) == 6 else None


def _differs(got: Any, given: Any) -> bool:
    """Whether two calls of one model disagree."""
    rows = _rows(got)
    return rows is not None and not same(rows[0], rows[1])


def _copied(got: Any, right: Six) -> bool:
    """Whether outputs are right, but neither slopes nor an optimizer reach the caller's base."""
    rows = _rows(got)
    if rows is None or bool(rows[2].any()) or bool(rows[4].any()):
        return False
    return all(same(rows[i], right[i].double().flatten()) for i in (0, 1, 3))


def _hidden(got: Any, right: Six) -> bool:
    """Whether outputs and slopes are right, but an optimizer misses the base's parameters."""
    rows = _rows(got)
    if rows is None or not bool((rows[4] == 0).any()):
        return False
    return all(same(g, e.double().flatten()) for g, e in zip(rows[:4], right[:4], strict=True))


def _trained_besides(got: Any, right: Six) -> bool:
    """Whether all is right, but the module has parameters of its own that learn."""
    rows = _rows(got)
    if rows is None or not bool(rows[5].any()):
        return False
    return all(same(g, e.double().flatten()) for g, e in zip(rows[:5], right[:5], strict=True))


BOTH = ("base", "prior")


def _other(
    *outputs: Callable[..., Tensor], who: tuple[tuple[str, ...], ...] = (("base",), BOTH, ())
) -> Callable[..., AnyOf]:
    """Return what comes with other outputs, whoever learns."""
    return lambda *given: AnyOf(*[_of(output, learn)(*given) for output in outputs
                                  for learn in who])  # fmt: skip


def _scaled_inside(base: nn.Module, prior: nn.Module, scale: float, x: Tensor, y: Tensor) -> AnyOf:
    """Return what comes where the prior is asked at scaled inputs."""
    return AnyOf(*[_of(lambda b, p, s: b + prior(s * x).detach())(base, prior, scale, x, y)])


def _chained(base: nn.Module, prior: nn.Module, scale: float, x: Tensor, y: Tensor) -> AnyOf:
    """Return what comes where one part is asked at the other's output, whoever learns."""
    ways = (lambda b, p, s: b + s * prior(b), lambda b, p, s: s * prior(b),
            lambda b, p, s: base(p) + s * p, lambda b, p, s: base(s * p))  # fmt: skip
    return AnyOf(*[_of(way, learn)(base, prior, scale, x, y)[:2] for way in ways
                   for learn in (("base",), BOTH, ())])  # fmt: skip


def _outputs(got: Any, wrong: AnyOf) -> bool:
    """Whether both outputs are those of a wrong way, whatever the slopes are."""
    rows = _rows(got)
    return rows is not None and any(
        all(same(r, w.double().flatten()) for r, w in zip(rows[:2], one, strict=True))
        for one in wrong.values
    )


TURNS = (
    Turn("prior trained", "the prior's parameters get slopes: make its output under no_grad, or "
         "detach it.", _of(_sum, BOTH)),
    Turn("base frozen", "the base gets no slope and the prior does: no_grad stands around the "
         "wrong one.", _of(_sum, ("prior",))),
    Turn("nothing learns", "no slope reaches the base: no_grad is for the prior's output alone.",
         _of(_sum, ())),
    Turn("scale on the base", "the scale multiplies the prior's output, not the base's.",
         _other(lambda b, p, s: s * b + p)),
    Turn("scale on both", "the scale multiplies the prior's output alone.",
         _other(lambda b, p, s: s * (b + p))),
    Turn("scale forgotten", "the prior's output is multiplied by the scale.",
         _other(lambda b, p, s: b + p)),
    Turn("scale at the input", "the scale multiplies what the prior gives, not what it is given.",
         _scaled_inside),
    Turn("one after the other", "base and prior are asked at the same x, side by side; then their "
         "outputs are added.", _chained, alike=_outputs,
         raises=lambda error: "(4x1 and 2x" in str(error)),
    Turn("prior subtracted", "base plus prior: the base learns by itself what the prior leaves.",
         _other(lambda b, p, s: b - s * p)),
    Turn("prior forgotten", "the output is the base's and the prior's together.",
         _other(lambda b, p, s: b + 0 * p)),
    Turn("base forgotten", "the output is the base's and the prior's together.",
         _other(lambda b, p, s: s * p, lambda b, p, s: p, who=(("prior",), ()))),
    Turn("multiplied", "base and prior are added, not multiplied.",
         _other(lambda b, p, s: b * s * p, lambda b, p, s: b * p)),
    Turn("averaged", "base and prior are added; nothing is divided by two.",
         _other(lambda b, p, s: (b + s * p) / 2, lambda b, p, s: (1 - s) * b + s * p)),
    Turn("base and prior exchanged", "the first module learns, the second one is frozen and "
         "scaled.", _other(lambda b, p, s: p + s * b, who=(("prior",),))),
    Turn("prior drawn anew", "two calls of one model differ: the prior is drawn once, by whoever "
         "makes the model, and then kept, in training and in evaluation.",
         lambda *given: given, alike=_differs),
    Turn("the scale learns", "base.parameters() are all that is trained: keep the scale as the "
         "number it is, no nn.Parameter.", reference, alike=_trained_besides),
    Turn("a copy of the base", "no slope reaches the base that was handed over: let the model hold "
         "that very module, no copy.", reference, alike=_copied),
    Turn("base not registered", "an optimizer that is given model.parameters() does not find the "
         "base: keep the module itself, as self.base, and no copy or list of it.",
         reference, alike=_hidden),
)  # fmt: skip


def _no_parameters(u: Draws, given: Given) -> nn.Module:
    return nn.Tanh().double()


EXERCISE = Exercise(
    name="ModelWithPrior",
    arguments=(
        Argument("base", _base, many=(1, 2), shown=lambda base: "base"),
        Argument("prior", _prior, many=(1, 2), shown=lambda prior: "prior", edges={
            "a prior without parameters": _no_parameters,
        }),
        Argument("scale", lambda u, given: u.choice((0.4, 2.0)) * u.real(0.9, 1.2),
                 edges={"scale zero": 0.0}),
        Argument("x", _x, many=(1, 2), sizes=(3,)),
        Argument("y", _y, many=(1, 2), shown=lambda y: f"{len(y)} targets"),
    ),
    reference=reference,
    turns=TURNS,
    parts=ORDER,
    typical=2,
    adapter="with_a_step",
    passed="ModelWithPrior: base plus scale times prior, and only the base learns.",
)  # fmt: skip
model_with_prior = EXERCISE.check
