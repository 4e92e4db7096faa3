"""train_members(network, starts, priors, xs, ys, optimizer, steps): many networks at once.

Each member is fitted to its own data with its own frozen prior; all of them in one run of stacked
parameters end where each would end alone. Equal to rounding, which a few steps magnify little.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.optim import SGD, Adam, AdamW, Optimizer

from helpers.check.kit.agree import Close
from helpers.check.kit.asks import Argument, Draws, Given
from helpers.check.kit.compare import AnyOf, as_tensor, same
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise

Tensor = torch.Tensor
Network = Callable[[Tensor, Tensor], Tensor]
Maker = Callable[[Sequence[Tensor]], Optimizer]
AFTER_STEPS = 1e-5
KINDS = {3: (3, 6), 4: (4, 5), 1: (1, 6), 2: (2, 1)}  # members and observations
LONGEST = 6  # steps


def net(hidden: int, bend: float) -> Network:
    """Return a small network of one input, which takes a stack as it is, without vmap.

    Args:
        hidden: number of units; of 3·hidden + 1 parameters.
        bend: by which the inputs are multiplied.
    """

    def network(theta: Tensor, x: Tensor) -> Tensor:
        slope, shift, out = theta[..., :-1].unflatten(-1, (3, 1, hidden)).unbind(-3)
        units = torch.tanh(bend * x[..., None] * slope + shift)
        return (units * out).sum(-1) + theta[..., -1:]

    return network


def _network(u: Draws, given: Given, kind: int) -> Network:
    # The number of parameters stays the same, so that the network can be moved alone.
    return net(2, u.choice((0.6, 1.7)) * u.real(0.9, 1.1))


def _parameters(u: Draws, given: Given, kind: int) -> Tensor:
    return u.normal(7 * KINDS[kind][0], 0.3, 0.8).reshape(-1, 7)


def _inputs(u: Draws, given: Given, kind: int) -> Tensor:
    k, n = KINDS[kind]
    return u.uniform(k * n, -1.0, 1.5).reshape(k, n)


def _targets(u: Draws, given: Given, kind: int) -> Tensor:
    k, n = KINDS[kind]
    return u.normal(k * n, 1.0, 1.0).reshape(k, n)


def _optimizer(u: Draws, given: Given) -> Maker:
    """Return a maker, another one than is given already."""
    was = given["optimizer"].func if "optimizer" in given else None
    kind = SGD if was is Adam else Adam if was is SGD else u.choice((SGD, Adam))
    return functools.partial(kind, lr=u.real(0.05, 0.12))


def _steps_asked(u: Draws, given: Given) -> int:
    """Return a number of steps, another one than is given already."""
    return u.choice([steps for steps in (3, 4) if steps != given.get("steps")])


def _words(maker: Maker) -> str:
    assert isinstance(maker, functools.partial)
    return f"{maker.func.__name__} with rate {maker.keywords['lr']:.3f}"


Loss = Callable[[Tensor, Tensor], Tensor]  # of outputs and targets of all members, (k, n)


def _sum_of_means(out: Tensor, y: Tensor) -> Tensor:
    return ((out - y) ** 2).mean(1).sum()


def run(
    network: Network, starts: Tensor, priors: Tensor, xs: Tensor, ys: Tensor, optimizer: Maker,
    steps: int, *, loss: Loss = _sum_of_means, prior: float = 1.0, sign: float = 1.0,
    train_prior: bool = False, zero: bool = True, anew: bool = False, longest: float = math.inf,
    prior_at: Tensor | None = None, pull: float = 0.0,
) -> Tensor:  # fmt: skip
    """Train all members in one stack, rightly or in another way.

    Args:
        network, starts, priors, xs, ys, optimizer, steps: as the exercise's.
        loss: of all members.
        prior: factor of the prior's output.
        sign: of the loss.
        train_prior: whether the prior learns too.
        zero: whether gradients are cleared.
        anew: whether the optimizer is made in each step.
        prior_at: inputs of the prior, where they are not those of the base.
        pull: weight of the parameters' squares in the loss.
        longest: to which length the gradient of all members is cut.

    Raises:
        ValueError: more steps than any case has, as in a search for a number typed in.
    """
    if steps > LONGEST:
        raise ValueError(f"no case has {steps} steps")
    thetas = starts.detach().clone().requires_grad_(True)
    frozen = priors.detach().clone().requires_grad_(train_prior)
    trained = [thetas, frozen] if train_prior else [thetas]
    method = optimizer(trained)
    for _ in range(steps):
        if anew:
            method = optimizer(trained)
        if zero:
            method.zero_grad()
        out = network(thetas, xs) + prior * network(frozen, xs if prior_at is None else prior_at)
        (sign * loss(out, ys) + pull * (thetas**2).sum()).backward()
        if longest < math.inf:
            torch.nn.utils.clip_grad_norm_(trained, longest)
        method.step()
    return thetas.detach()


def reference(
    network: Network, starts: Tensor, priors: Tensor, xs: Tensor, ys: Tensor, optimizer: Maker,
    steps: int,
) -> Tensor:  # fmt: skip
    """Return the trained parameters of all members, shape (k, P)."""
    return run(network, starts, priors, xs, ys, optimizer, steps)


def alone(
    network: Network, starts: Tensor, priors: Tensor, xs: Tensor, ys: Tensor, optimizer: Maker,
    steps: int,
) -> Tensor:  # fmt: skip
    """Return the same by a plain loop, one member after the other."""
    ends = []
    for start, prior, x, y in zip(starts, priors, xs, ys, strict=True):
        theta = start.clone().requires_grad_(True)
        method = optimizer([theta])
        for _ in range(steps):
            method.zero_grad()
            ((network(theta, x) + network(prior, x) - y) ** 2).mean().backward()
            method.step()
        ends.append(theta.detach())
    return torch.stack(ends)


def _otherwise(*ways: dict[str, Any]) -> Callable[..., AnyOf]:
    return lambda *given: AnyOf(*[run(*given, **way) for way in ways])


def _mean_of_all(out: Tensor, y: Tensor) -> Tensor:
    return ((out - y) ** 2).mean()


def _changed(given: tuple[Any, ...], other: dict[int, Any]) -> Tensor:
    """Return the reference's value with some arguments, by their places, in others' stead."""
    return reference(*[other.get(i, value) for i, value in enumerate(given)])


def _first_for_all(given: tuple[Any, ...], *places: int) -> dict[int, Tensor]:
    return {i: given[i][:1].expand_as(given[i]) for i in places}


def _one_for_all(place: int) -> Callable[..., Tensor]:
    """Return what comes where all members share the first one's argument."""

    return lambda *given: _changed(given, _first_for_all(given, place))


def _targets_for_inputs(*given: Any) -> AnyOf:
    """Return what comes where a network is asked at the targets: both, base or prior."""
    network, starts, priors, xs, ys, *how = given
    return AnyOf(*[run(network, starts, priors, base, ys, *how, prior_at=prior)
                   for base, prior in ((ys, ys), (ys, xs), (xs, ys))])  # fmt: skip


def _steps(by: int) -> Callable[..., Tensor]:
    return lambda *given: _changed(given, {6: given[6] + by})


def _with_maker(*makers: Callable[[Maker], Maker]) -> Callable[..., AnyOf]:
    return lambda *given: AnyOf(*[_changed(given, {5: make(given[5])})
                                  for make in makers])  # fmt: skip


def _as(kind: Any, **how: Any) -> Callable[[Maker], Maker]:
    return lambda maker: functools.partial(kind, **{**maker.keywords, **how})  # type: ignore


def _outputs(*given: Any) -> AnyOf:
    network, _, priors, xs, *_ = given
    prior = network(priors, xs)
    bases = [network(ends, xs) for ends in (reference(*given), _steps(-1)(*given))]
    return AnyOf(*[base + p for base in bases for p in (0 * prior, prior)])


def _losses(*given: Any) -> AnyOf:
    ys, (*_, now, before) = given[4], _outputs(*given).values
    each = [((outputs - ys) ** 2).mean(1) for outputs in (now, before)]
    return AnyOf(*[loss for one in each for loss in (one, one.sum(), one.mean())])


def _fixed_start(*given: Any) -> AnyOf:
    network, starts, *rest = given
    return AnyOf(reference(network, torch.zeros_like(starts), *rest),
                 reference(network, given[2], *rest))  # fmt: skip


def _with_prior(*given: Any) -> AnyOf:
    ends, priors = reference(*given), given[2]
    return AnyOf(ends + priors, torch.cat([ends, priors], 1))


def _own_optimizers(*given: Any) -> Tensor:
    """Return what one run gives that begins where the member before it ended."""
    network, starts, priors, xs, ys, optimizer, steps = given
    ends, now = [], starts[:1]
    for i in range(len(starts)):
        one = slice(i, i + 1)
        now = reference(network, now, priors[one], xs[one], ys[one], optimizer, steps)
        ends.append(now[0])
    return torch.stack(ends)


def _of_sum(network: Network, priors: Tensor) -> Network:
    """Return the network at the sum of the parameters and the priors'."""
    return lambda theta, x: network(theta + priors, x)


def _step_by_step(*given: Any) -> Tensor:
    """Return what comes where one optimizer of all members steps once for each of them."""
    network, starts, priors, xs, ys, optimizer, steps = given
    if steps > LONGEST:
        raise ValueError(f"no case has {steps} steps")
    thetas = starts.detach().clone().requires_grad_(True)
    method = optimizer([thetas])
    for number in range(steps * len(starts)):
        one = number % len(starts)
        method.zero_grad()
        out = network(thetas, xs) + network(priors, xs)
        ((out - ys)[one] ** 2).mean().backward()
        method.step()
    return thetas.detach()


TURNS = (
    Turn("never trained", "these are the starts: no step reached the parameters that you return.",
         lambda *given: given[1]),
    Turn("losses averaged over members", "averaged over the k members each one learns k times too "
         "slowly: add their losses up.", _otherwise({"loss": _mean_of_all})),
    Turn("sum for mean", "each member's loss is the mean over its own observations.",
         _otherwise({"loss": lambda out, y: ((out - y) ** 2).sum()})),
    Turn("averages exchanged", "average over the observations, add up over the members: it is the "
         "other way round here.",
         _otherwise({"loss": lambda out, y: ((out - y) ** 2).sum(1).mean()})),
    Turn("another loss", "the squared errors are averaged, large and small ones alike.",
         _otherwise({"loss": lambda out, y: torch.nn.functional.smooth_l1_loss(
             out, y, reduction="none").mean(1).sum()},
             *[{"loss": lambda out, y, p=p: ((out - y) ** p).mean(1).sum()} for p in (4, 3)])),
    Turn("half of the loss", "the mean squared error carries no ½.",
         _otherwise({"loss": lambda out, y: _sum_of_means(out, y) / 2})),
    Turn("root of the loss", "the mean squared error is asked for, without a root.",
         _otherwise({"loss": lambda out, y: ((out - y) ** 2).mean(1).sqrt().sum()})),
    Turn("absolute errors", "the squared errors are averaged, not the absolute ones.",
         _otherwise({"loss": lambda out, y: (out - y).abs().mean(1).sum()})),
    Turn("their average fitted", "each member fits its own targets: nothing is averaged over the "
         "members before the loss.",
         _otherwise({"loss": lambda out, y: ((out.mean(0) - y) ** 2).mean(1).sum()},
                    {"loss": lambda out, y: ((out.mean(0) - y) ** 2).mean()},
                    {"loss": lambda out, y: ((out.mean(0) - y.mean(0)) ** 2).mean()})),
    Turn("pulled to zero", "the squared errors are all of the loss: nothing pulls the parameters.",
         _otherwise(*[{"pull": c / d} for c in (1.0, 0.5, 0.1, 0.05, 0.01, 0.005, 1e-3, 1e-4)
                      for d in (1, 7)])),
    Turn("parameters added", "the outputs of base and prior are added, not their parameters.",
         lambda *given: run(_of_sum(given[0], given[2]), *given[1:], prior=0.0)),
    Turn("a step after each member", "one step serves all members: add up their losses, and step "
         "once.", _step_by_step),
    Turn("prior trained", "the prior learns as well: hand only the starts' copies to the "
         "optimizer.", _otherwise({"train_prior": True})),
    Turn("prior forgotten", "the output is base plus prior: without it every member fits the bare "
         "targets.", _otherwise({"prior": 0.0})),
    Turn("sign of the prior", "base plus prior fits the targets: the base fits what the prior "
         "leaves, y minus the prior's output.", _otherwise({"prior": -1.0})),
    Turn("prior counted twice", "the prior is added to the base's output once.",
         _otherwise({"prior": 2.0})),
    Turn("gradient never zeroed", "each step adds all earlier gradients; clear them between steps.",
         _otherwise({"zero": False})),
    Turn("optimizer begins anew", "the optimizer is made in every step and forgets what it has "
         "seen: make it once.", _otherwise({"anew": True})),
    Turn("ascent", "the loss grows: look at its sign.", _otherwise({"sign": -1.0})),
    Turn("one step too few", "exactly `steps` steps are asked for.", _steps(-1)),
    Turn("one step too many", "exactly `steps` steps are asked for.", _steps(1)),
    Turn("one step only", "exactly `steps` steps are asked for.",
         lambda *given: _changed(given, {6: 1})),
    Turn("targets for inputs", "the networks are asked at xs; ys are what they are to give.",
         _targets_for_inputs),
    Turn("one prior for all", "each member has its own row of priors.", _one_for_all(2)),
    Turn("one start for all", "each member has its own row of starts.", _one_for_all(1)),
    Turn("one sample for all", "each member has its own row of xs, and of ys.",
         lambda *given: AnyOf(_one_for_all(3)(*given), _one_for_all(4)(*given),
                              _changed(given, _first_for_all(given, 3, 4)))),
    Turn("another start", "every member begins at its row of starts.", _fixed_start),
    Turn("each begins where the last ended", "every member begins at its own row of starts, not "
         "where another one has ended.", _own_optimizers),
    Turn("weight decay", "AdamW pulls the parameters towards 0 as well; take the optimizer that is "
         "handed over.", _with_maker(_as(AdamW), _as(AdamW, lr=0.05))),
    Turn("another optimizer", "make the optimizer that is handed over: optimizer([…]).",
         _with_maker(*[_as(kind, **how) for kind in (SGD, Adam)
                       for how in ({}, {"lr": 0.05}, {"lr": 0.1}, {"lr": 0.01}, {"lr": 0.001})])),
    Turn("gradient cut", "the gradient enters whole: no clipping.",
         _otherwise(*[{"longest": c} for c in (0.1, 0.5, 1.0, 5.0)])),
    Turn("losses returned", "the trained parameters are asked for, shape (k, P), not the losses.",
         _losses),
    Turn("outputs returned", "the trained parameters are asked for, shape (k, P), not what the "
         "networks give.", _outputs),
    Turn("prior added to the parameters", "the base's parameters alone are asked for.",
         _with_prior),
    Turn("parameters replaced", "the optimizer steps other tensors than those you return.",
         lambda *given: given, alike=lambda got, given: _one_row(got, given)),
)  # fmt: skip


def _one_row(got: Any, given: Any) -> bool:
    """Whether every row is the one in which one of the members ends."""
    rows = as_tensor(got)
    right = reference(*given)
    if rows is None or rows.shape != right.shape:
        return False
    return any(same(rows, one.expand_as(right), 1e-4) for one in right)


EXERCISE = Exercise(
    name="train_members",
    arguments=(
        Argument("network", _network, many=(3, 4), shown=lambda network: "network"),
        Argument("starts", _parameters, many=(3, 4), sizes=(1, 2)),
        Argument("priors", _parameters, many=(3, 4)),
        Argument("xs", _inputs, many=(3, 4)),
        Argument("ys", _targets, many=(3, 4)),
        Argument("optimizer", _optimizer, shown=_words),
        Argument("steps", _steps_asked, edges={"six steps": LONGEST}),
    ),
    reference=reference,
    agree=Close(rtol=AFTER_STEPS),
    turns=TURNS,
    typical=2,
    passed="train_members: all at once end where each would end alone.",
)  # fmt: skip
train_members = EXERCISE.check
