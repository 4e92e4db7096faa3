"""Runs of torch's other optimizers, where gradient descent is asked."""

import functools
from collections.abc import Callable
from typing import Any

import torch

from helpers.check.kit.compare import AnyOf

Maker = Callable[..., torch.optim.Optimizer]
ADAPTIVE: list[Maker] = [torch.optim.Adam, torch.optim.RMSprop, torch.optim.Adagrad]


def _heavy(momentum: float) -> list[Maker]:
    return [
        functools.partial(torch.optim.Adam, betas=(momentum, 0.999)),
        functools.partial(torch.optim.RMSprop, momentum=momentum),
    ]


PLAIN: list[Maker] = [functools.partial(torch.optim.SGD, momentum=m) for m in (0.5, 0.9)]


def others(
    loss: Callable[[torch.Tensor], torch.Tensor], start: torch.Tensor, rate: float, n_steps: int,
    momentum: float | None = None,
) -> AnyOf:  # fmt: skip
    """Return the locations on the way of each of them, the start first.

    Args:
        loss: of a location.
        start: of any shape, float64.
        rate: learning rate.
        n_steps: number of steps.
        momentum: None where plain descent is asked, which has none.
    """
    paths: list[Any] = []
    for maker in ADAPTIVE + (PLAIN if momentum is None else _heavy(momentum)):
        theta = start.detach().clone().requires_grad_(True)
        optimizer, path = maker([theta], lr=rate), [start.detach().clone()]
        for _ in range(n_steps):
            optimizer.zero_grad()
            loss(theta).backward()
            optimizer.step()
            path.append(theta.detach().clone())
        paths.append(torch.stack(path))
    return AnyOf(*paths)
