"""layer_norms(model, images, labels): the length of every layer's gradient."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from helpers.check.kit.asks import Argument, Draws, Given
from helpers.check.kit.compare import AnyOf
from helpers.check.kit.diagnose import Turn
from helpers.check.kit.exercise import Exercise
from helpers.check.listening import analytic
from helpers.check.listening.networks import CLASSES, SIDE, drawn

Model = nn.Sequential


def _weighted(model: Model) -> list[Any]:
    """Return the layers that have a weight."""
    return [layer for layer in model if hasattr(layer, "weight")]


def reference(model: Model, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the Euclidean norm of each weight's gradient, by hand."""
    return torch.stack([g.norm() for g in analytic.weight_gradients(model, images, labels)])


def _of_weights(of: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., torch.Tensor]:
    return lambda *args: torch.stack([of(g) for g in analytic.weight_gradients(*args)])


def _parameters(
    model: Model, images: torch.Tensor, labels: torch.Tensor, how: str = "mean"
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return the gradients of each layer's weight and bias, by autograd, of another loss too."""
    p = model(images)
    if how == "probabilities":
        loss = -p.exp().gather(1, labels[:, None]).mean()
    elif how == "squares":
        loss = functional.mse_loss(p.exp(), functional.one_hot(labels, p.shape[1]).double())
    elif how == "all outputs":
        loss = p.mean()
    else:
        loss = functional.nll_loss(p, labels)
    layers = _weighted(model)
    weights = torch.autograd.grad(loss, [layer.weight for layer in layers], retain_graph=True)
    biases = [getattr(layer, "bias", None) for layer in layers]
    slopes = [loss.new_zeros(0) if b is None else torch.autograd.grad(loss, b, retain_graph=True)[0]
              for b in biases]  # fmt: skip
    return list(zip(weights, slopes, strict=True))


def _with_bias(*args: Any) -> AnyOf:
    pairs = _parameters(*args)
    both = [torch.cat([w.flatten(), b]).norm() for w, b in pairs]
    return AnyOf(torch.stack(both), torch.stack([w.norm() + b.norm() for w, b in pairs]),
                 torch.stack([t.norm() for pair in pairs for t in pair]))  # fmt: skip


def _other_loss(*hows: str) -> Callable[..., AnyOf]:
    def gives(model: Model, images: torch.Tensor, labels: torch.Tensor) -> AnyOf:
        return AnyOf(*[torch.stack([w.norm() for w, _ in _parameters(model, images, labels, how)])
                       for how in hows])  # fmt: skip

    return gives


def _piled(model: Model, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the norms where gradients of an earlier step stay."""
    new = analytic.weight_gradients(model, images, labels)
    old = [layer.weight.grad for layer in _weighted(model)]
    return torch.stack([(n if o is None else n + o).norm()
                        for n, o in zip(new, old, strict=True)])  # fmt: skip


def _left_over(model: Model, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the norms of what .grad holds before any backward pass."""
    old = [layer.weight.grad for layer in _weighted(model)]
    return torch.stack([torch.zeros(()).double() if o is None else o.norm() for o in old])


def _pass_by_pass(model: Model, images: torch.Tensor, labels: torch.Tensor) -> AnyOf:
    """Return the norms where each layer has a backward pass of its own, and none is cleared."""
    norms = reference(model, images, labels)
    passes = torch.arange(1, len(norms) + 1)
    return AnyOf(norms * passes, norms * passes.flip(0))


def _clipped(model: Model, images: torch.Tensor, labels: torch.Tensor) -> AnyOf:
    """Return the norms of gradients that were clipped together, or each layer by itself."""
    norms = reference(model, images, labels)
    pairs = _parameters(model, images, labels)
    every = torch.cat([t.flatten() for pair in pairs for t in pair]).norm()
    limits = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
    return AnyOf(*[norms * (c / total).clamp(max=1) for c in limits
                   for total in (every, norms.norm())],
                 *[norms.clamp(max=c) for c in limits])  # fmt: skip


def _each_image(model: Model, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return torch.stack([reference(model, images[i : i + 1], labels[i : i + 1])
                        for i in range(len(labels))]).mean(0)  # fmt: skip


def _weights(model: Model, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return torch.stack([layer.weight.detach().norm() for layer in _weighted(model)])


def _some_layers(model: Model, images: torch.Tensor, labels: torch.Tensor) -> AnyOf:
    layers = _weighted(model)
    norms = reference(model, images, labels)
    linear = torch.tensor([isinstance(layer, nn.Linear) for layer in layers])
    usual = torch.tensor([isinstance(layer, nn.Linear | nn.Conv2d) for layer in layers])
    chosen = [norms[:-1], norms[1:], norms[linear], norms[~linear], norms[:1], norms[-1:]]
    return AnyOf(*[c for c in chosen if len(c) < len(norms)], norms[usual])


def _together(*args: Any) -> AnyOf:
    norms = reference(*args)
    every = torch.cat([t.flatten() for p in _parameters(*args) for t in p])
    return AnyOf(norms.norm(), norms.sum(), norms.mean(), every.norm())


TURNS = (
    Turn("gradients piled up", "a gradient of an earlier step was in .grad already, and backward() "
         "adds to it: clear the gradients first.", _piled),
    Turn("cleared too late", "the gradients are cleared after backward(), and nothing is left to "
         "measure: clear them before.", lambda *a: torch.zeros_like(reference(*a))),
    Turn("no backward pass", "this is what an earlier step left in .grad: call backward() on the "
         "loss of these images.", _left_over),
    Turn("summed loss", "this is n times the norm: the loss is the mean over the images.",
         lambda m, x, y: len(y) * reference(m, x, y)),
    Turn("weights measured", "these are the norms of the weights; measure their gradients.",
         _weights),
    Turn("bias included", "the weights alone are asked for, one norm for each; leave the biases "
         "out.", _with_bias),
    Turn("a backward pass each", "one backward pass gives all layers' gradients; each further one "
         "adds to what is there.", _pass_by_pass),
    Turn("gradients clipped", "measure the gradients as they are, before anything clips them: "
         "clip_grad_norm_ changes them.", _clipped),
    Turn("a layer without weight", "not every layer has a weight, and other models have others: go "
         "through all layers, and ask each.",
         raises=lambda error: "has no attribute 'weight'" in str(error)
         or "is out of range" in str(error)),
    Turn("squared norm", "these are sums of squares: the norm is their root.",
         lambda *a: reference(*a) ** 2),
    Turn("layers taken together", "one norm for each layer is asked for, not one for all.",
         _together),
    Turn("a layer left out", "every layer that has a weight counts, convolutions and linear "
         "layers and any other.", _some_layers),
    Turn("another norm", "the Euclidean norm is the root of the sum of all squares.",
         lambda *a: AnyOf(*[_of_weights(f)(*a) for f in (
             lambda g: g.abs().sum(), lambda g: g.abs().max(), lambda g: g.max(),
             lambda g: g.abs().mean(), lambda g: torch.linalg.matrix_norm(g.flatten(1), 2),
             lambda g: g.norm(dim=0).max(), lambda g: g.flatten(1).norm(dim=1).mean(),
             lambda g: g.flatten(1).norm(dim=1).sum(), lambda g: g.sum(), lambda g: g.mean())])),
    Turn("divided by the size", "the norm is not averaged over the weights of a layer.",
         lambda *a: AnyOf(*[_of_weights(f)(*a) for f in (
             lambda g: g.norm() / g.numel(), lambda g: g.norm() / g.numel() ** 0.5,
             lambda g: g.norm() / len(g), lambda g: g.std(), lambda g: g.std(correction=0),
             lambda g: (g**2).mean())])),
    Turn("a norm for each image", "average the loss, not the norms: one backward pass serves the "
         "whole batch.", _each_image),
    Turn("probabilities in the loss", "the model returns log-probabilities: their mean at the "
         "labels, negative, is the loss.", _other_loss("probabilities", "squares")),
    Turn("relative to the weights", "the gradient's own length is asked for: divide by nothing.",
         lambda *a: reference(*a) / _weights(*a)),
    Turn("other labels", "the labels count from 0, as the model's outputs do.",
         lambda m, x, y: AnyOf(*[reference(m, x, (y + s) % CLASSES) for s in (1, -1)],
                               reference(m, x, m(x).argmax(1)))),
    Turn("labels not used", "only the log-probability of an image's own label counts.",
         _other_loss("all outputs")),
    Turn("first image only", "all images of the batch count.",
         lambda m, x, y: reference(m, x[:1], y[:1])),
)  # fmt: skip


def _images(u: Draws, given: Given, n: int) -> torch.Tensor:
    return u.normal(n * SIDE * SIDE).reshape(n, 1, SIDE, SIDE)


def _labels(u: Draws, given: Given) -> torch.Tensor:
    return (u.uniform(len(given["images"])) * CLASSES).long()


EXERCISE = Exercise(
    name="layer_norms",
    arguments=(
        Argument("model", lambda u, given: drawn(u, 0), shown=lambda m: f"{len(m)} layers", edges={
            "two linear layers": lambda u, given: drawn(u, 1),
            "two convolutions": lambda u, given: drawn(u, 2),
            "layers of another kind, and without a bias": lambda u, given: drawn(u, 3),
            "gradients of an earlier step": lambda u, given: drawn(u, 0, used=True),
        }),
        Argument("images", _images, many=(6, 3, 9), sizes=(1,),
                 shown=lambda x: f"{len(x)} pictures"),
        Argument("labels", _labels, shown=lambda y: f"{len(y)} labels"),
    ),
    reference=reference,
    turns=TURNS,
    passed="layer_norms: three kinds of networks, 1 to 9 pictures, fresh and with old gradients.",
)  # fmt: skip
layer_norms = EXERCISE.check
