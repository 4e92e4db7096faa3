"""Networks that a check hands over: small, of several kinds, and fresh or used before."""

from typing import Any

import torch
from torch import nn

from helpers.check.kit.asks import Draws

SIDE, CLASSES = 8, 4  # pixels of a picture's side; kinds of pictures


def built(layers: list[tuple[Any, ...]], gradients: list[torch.Tensor]) -> nn.Sequential:
    """Return a network from its description, with gradients of an earlier step where there are.

    Args:
        layers: kind, and weight and bias where they are given; of a pooling layer its size.
        gradients: one for each parameter, or none at all.
    """
    made: list[nn.Module] = []
    for kind, *of in layers:
        if kind == "conv":
            made.append(nn.Conv2d(of[0].shape[1], of[0].shape[0], of[0].shape[2]))
        elif kind == "linear":
            made.append(nn.Linear(of[0].shape[1], of[0].shape[0]))
        elif kind == "prelu":
            made.append(nn.PReLU(dtype=torch.float64))
        elif kind == "pool":
            made.append(nn.MaxPool2d(of[0]))
        elif kind == "log_softmax":
            made.append(nn.LogSoftmax(dim=1))
        else:
            made.append(nn.ReLU() if kind == "relu" else nn.Flatten())
        if kind in ("conv", "linear"):
            made[-1].weight = nn.Parameter(of[0])
            made[-1].register_parameter("bias", nn.Parameter(of[1]) if len(of) > 1 else None)
    model = nn.Sequential(*made)
    for parameter, gradient in zip(model.parameters(), gradients, strict=False):
        parameter.grad = gradient.clone()
    return model


def drawn(u: Draws, kind: int, used: bool = False) -> nn.Sequential:
    """Return a network for pictures of 8 × 8 pixels, with weights and biases of its own.

    Args:
        u: draws its numbers.
        kind: 0, a convolution and two linear layers; 1, two linear layers; 2, two convolutions and
            a linear layer; 3, two linear layers, the first without a bias, and between them a
            layer that is neither and has a weight.
        used: whether gradients of an earlier step are left in it.
    """

    def part(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
        size = int(torch.tensor(shape).prod())
        inputs = size // shape[0]
        weight = u.normal(size, 0.0, 1.4 / inputs**0.5).reshape(shape)
        return weight, u.normal(shape[0], 0.0, 0.3)

    a, b = u.whole(2, 4), u.whole(5, 8)
    kinds: list[list[tuple[Any, ...]]] = [
        [("conv", *part(a, 1, 3, 3)), ("relu",), ("pool", 2), ("flatten",),
         ("linear", *part(b, 9 * a)), ("relu",), ("linear", *part(CLASSES, b))],
        [("flatten",), ("linear", *part(b, SIDE * SIDE)), ("relu",),
         ("linear", *part(CLASSES, b))],
        [("conv", *part(a, 1, 3, 3)), ("relu",), ("conv", *part(b, a, 3, 3)), ("relu",),
         ("pool", 2), ("flatten",), ("linear", *part(CLASSES, 4 * b))],
        [("flatten",), ("linear", part(b, SIDE * SIDE)[0]), ("prelu",),
         ("linear", *part(CLASSES, b))],
    ]  # fmt: skip
    layers = kinds[kind]
    layers.append(("log_softmax",))
    tensors = [p for layer in layers for p in layer if isinstance(p, torch.Tensor)]
    left = [u.normal(t.numel()).reshape(t.shape) for t in tensors] if used else None
    return built(layers, left or [])
