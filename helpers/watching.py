"""A function is called, and what the call did besides returning is seen.

At a desk a check watches the call itself; while a class is graded, the student's kernel does, and
tells the judge. Neither knows more than the other.
"""

import copy
import hashlib
import math
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

# What a call may have done besides returning, in the order in which it is looked for.
REPLACED = "its numbers were changed"
TRACKED = "it is tracked now"
GRADIENT = "its .grad was filled"
GRADIENTS_OFF = "gradients were left switched off"
FROZEN = "its tracking was switched"
DEFAULT_DTYPE = "the default dtype was changed"

CALLS = 31  # of a module: one that tosses a coin in each shows two sides but once in 1e9 times


class Effects(NamedTuple):
    """What a call did besides returning: plain data, which crosses the wall of a cage.

    Args:
        arguments: of an argument, by its place, what happened to it.
        process: what happened to the whole process: gradients, default dtype.
        random_states: digests of the random states that the call left, torch's, NumPy's and
            Python's; two calls that begin in unlike states and end in one have set a seed.
    """

    arguments: tuple[tuple[int, str], ...] = ()
    process: tuple[str, ...] = ()
    random_states: tuple[str, ...] = ()


def watched(
    function: Callable[..., Any], args: Sequence[Any], seed: int | None = None
) -> tuple[Any, Effects]:
    """Call a function and see what it does.

    Args:
        function: any function; what it raises is raised.
        args: its arguments, handed over as they are.
        seed: begins the call in this random state, and restores the state that was there before;
            None leaves the random state alone.

    Returns:
        What the function returned, and the effects of the call.
    """
    before = [_kept(argument) for argument in args]
    states = _random_states()
    grad, dtype = torch.is_grad_enabled(), torch.get_default_dtype()
    if seed is not None:
        # Only this one: torch.manual_seed writes down the stack for each device that is not there.
        torch.default_generator.manual_seed(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)
    try:
        value = function(*args)
        process = []
        if torch.is_grad_enabled() != grad:
            process.append(GRADIENTS_OFF)
        if torch.get_default_dtype() != dtype:
            process.append(DEFAULT_DTYPE)
        changed = [(i, words) for i, (was, argument) in enumerate(zip(before, args, strict=True))
                   if (words := _change(was, argument))]  # fmt: skip
        left = [hashlib.sha256(repr(s).encode()).hexdigest()[:16] for s in _printed_states()]
        return value, Effects(tuple(changed), tuple(process), tuple(left))
    finally:
        torch.set_grad_enabled(grad)
        torch.set_default_dtype(dtype)
        if seed is not None:
            torch.set_rng_state(states[0])
            np.random.set_state(states[1])
            random.setstate(states[2])


def _random_states() -> tuple[torch.Tensor, Any, Any]:
    return torch.get_rng_state(), np.random.get_state(), random.getstate()


def _printed_states() -> tuple[Any, Any, Any]:
    """Return the random states in a form that is alike where the states are."""
    of_torch, of_numpy, of_python = _random_states()
    kind, keys, *rest = of_numpy
    return of_torch.numpy().tobytes(), (kind, keys.tobytes(), *rest), of_python


def _kept(argument: Any) -> Any:
    """Return what is needed to see later whether an argument was changed."""
    if isinstance(argument, torch.Tensor):
        return argument.detach().clone(), argument.requires_grad, argument.grad is None
    if isinstance(argument, np.ndarray):
        return argument.copy()
    if isinstance(argument, list | dict):
        return repr(argument)
    if isinstance(argument, torch.nn.Module):
        return _held(argument)
    return None


def _held(module: torch.nn.Module) -> list[tuple[torch.Tensor, bool]]:
    """Return the numbers of a network, and which of them are tracked; gradients are its own."""
    tensors = [*module.parameters(), *module.buffers()]
    return [(t.detach().clone(), t.requires_grad) for t in tensors]


def _change(was: Any, argument: Any) -> str:
    if isinstance(argument, torch.Tensor):
        values, tracked, no_gradient = was
        now = argument.detach()
        if now.shape != values.shape or not torch.equal(now.nan_to_num(), values.nan_to_num()):
            return REPLACED
        if argument.requires_grad != tracked:
            return TRACKED
        if (argument.grad is None) != no_gradient:
            return GRADIENT
        return ""
    if isinstance(argument, np.ndarray):
        return (
            "" if np.array_equal(argument, was, equal_nan=argument.dtype.kind == "f") else REPLACED
        )
    if isinstance(argument, list | dict):
        return "" if repr(argument) == was else REPLACED
    if isinstance(argument, torch.nn.Module):
        return _change_of_network(was, _held(argument))
    return ""


def _change_of_network(
    was: Sequence[tuple[torch.Tensor, bool]], now: Sequence[tuple[torch.Tensor, bool]]
) -> str:
    if len(now) != len(was) or not all(
        a.shape == b.shape and torch.equal(a.nan_to_num(), b.nan_to_num())
        for (a, _), (b, _) in zip(now, was, strict=True)
    ):
        return REPLACED
    return "" if [tracked for _, tracked in now] == [tracked for _, tracked in was] else FROZEN


def parameter(
    numbers: torch.Tensor, tracked: bool, gradient: torch.Tensor | None
) -> torch.nn.Parameter:
    """Return a network's parameter as a check handed it over, its gradient included."""
    made = torch.nn.Parameter(numbers, tracked)
    made.grad = gradient
    return made


def repeated(
    function: Callable[..., Any], args: Sequence[Any], times: int, seed: int = 0
) -> list[Any]:
    """Call a function many times with the same arguments, from one random state onwards.

    Args:
        function: any function; what it raises is raised.
        args: its arguments.
        times: how many calls.
        seed: of the random state in which the first call begins.
    """

    def all_of_them() -> list[Any]:
        return [function(*args) for _ in range(times)]

    return list(watched(all_of_them, (), seed)[0])


def slopes(
    function: Callable[..., Any], args: Sequence[Any], places: Sequence[int]
) -> list[torch.Tensor | None]:
    """Return the slopes of a function through some of its arguments, None where none passes.

    A function of several numbers is weighted first, with 1 to 2, so that each of them counts.

    Args:
        function: a function that returns a number or a tensor.
        args: its arguments.
        places: which of them the slopes go through; they become float64 tensors.
    """
    args = list(args)
    for place in places:
        number = torch.as_tensor(args[place], dtype=torch.float64)
        args[place] = number.detach().clone().requires_grad_(True)
    value = function(*args)
    if isinstance(value, tuple | list):
        value = torch.stack([torch.as_tensor(v, dtype=torch.float64) for v in value])
    value = torch.as_tensor(value, dtype=torch.float64)
    if not value.requires_grad:
        return [None for _ in places]
    weights = torch.linspace(1, 2, value.numel(), dtype=torch.float64).reshape(value.shape)
    inputs = [args[place] for place in places]
    return list(torch.autograd.grad((weights * value).sum(), inputs, allow_unused=True))


def with_a_step(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return a plain function of a module's class, whose objects hold a base and a prior.

    So a class can be asked like any function, here and in a cage: its numbers come by value.

    Args:
        make: takes base, prior and scale, and returns a module.

    Returns:
        A function of base, prior, scale, inputs x and targets y. It works on copies, and returns
        the outputs; of many more calls, in training and in evaluation, the one that differs most;
        the slopes of the mean squared error by the base's parameters, and those by the prior's
        (zero where there are none); one number for each parameter of the base: 1 where an optimizer
        that is given the module's parameters finds it, else 0; and how many others it would train.
    """

    def stepped(base: Any, prior: Any, scale: float, x: torch.Tensor, y: torch.Tensor) -> Any:
        base, prior = copy.deepcopy(base), copy.deepcopy(prior)
        model = make(base, prior, scale)
        model(0.5 - x)  # what this call computes may not stay for the next one
        out = model(x)
        again = max(_called_in_both_modes(model, x), key=lambda other: _apart(other, out))
        loss = torch.nn.functional.mse_loss(out, y)
        if loss.requires_grad:
            loss.backward()
        found = {id(p) for p in model.parameters()}
        known = {id(p) for module in (base, prior) for p in module.parameters()}
        others = [p for p in model.parameters() if id(p) not in known and p.grad is not None]
        return (
            out.detach(),
            again.detach(),
            _slopes_held(base),
            _slopes_held(prior),
            torch.tensor([float(id(p) in found) for p in base.parameters()]),
            torch.tensor(float(len(others))),
        )

    return stepped


def _called_in_both_modes(model: Any, x: torch.Tensor) -> list[torch.Tensor]:
    """Return the outputs of many calls, by turns in training and in evaluation."""
    outputs = []
    for call in range(CALLS):
        model.train(call % 2 == 0)
        outputs.append(model(x))
    model.train()
    return outputs


def _apart(one: torch.Tensor, other: torch.Tensor) -> float:
    """Return the largest difference, infinite where one is not a number."""
    return float((one - other).detach().abs().nan_to_num(math.inf).max())


def _slopes_held(module: torch.nn.Module) -> torch.Tensor:
    """Return the .grad of all parameters in one row, zeros where there is none."""
    held = [(torch.zeros_like(p) if p.grad is None else p.grad) for p in module.parameters()]
    return torch.cat([g.detach().flatten() for g in held]) if held else torch.zeros(1)
