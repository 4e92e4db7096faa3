"""Closed forms of sheet 11: gradients by hand, tones, their whole numbers, and what is heard."""

import math

import torch
from torch import nn
from torch.nn import functional

BASE, SLOPE, LOUDNESS = 200.0, 100.0, 0.1  # Hz, Hz a unit of norm, share of full scale
RATE, SECONDS = 44100, 0.01  # of a tone in the sheet's sound files
LONGEST = 10_000  # samples of a tone
FULL = 32767  # the largest whole number of 16 bits


def weight_gradients(
    layers: nn.Sequential, images: torch.Tensor, labels: torch.Tensor
) -> list[torch.Tensor]:
    """Return the gradient of the mean negative log-likelihood by each weight, without autograd.

    Forward, each layer's input is kept; backward, δ is the slope of the loss by a layer's output.
    It begins as (P − Y)/n before the log-softmax. A linear layer has the gradient δᵀh and hands
    down δW; a convolution is a linear layer on unfolded patches; ReLU passes δ where its input is
    positive, PReLU a share elsewhere, max-pooling to the place of the largest.

    Args:
        layers: a network of Conv2d, ReLU, PReLU with one weight, MaxPool2d, Flatten, Linear, and
            LogSoftmax at its end.
        images: its input, float64, n of them.
        labels: classes, int64, shape (n,).
    """
    kept, h = [], images
    with torch.no_grad():
        for layer in layers:
            kept.append(h)
            h = layer(h)
        delta = (h.exp() - functional.one_hot(labels, h.shape[1])) / len(labels)
        found = []
        for layer, h in zip(reversed(list(layers)[:-1]), reversed(kept[:-1]), strict=True):
            if isinstance(layer, nn.Linear):
                found.append(delta.T @ h)
                delta = delta @ layer.weight
            elif isinstance(layer, nn.Conv2d):
                patches = functional.unfold(h, layer.kernel_size)
                rows = delta.flatten(2)
                flat = layer.weight.flatten(1)
                found.append(torch.einsum("nop,nip->oi", rows, patches).view_as(layer.weight))
                handed = torch.einsum("oi,nop->nip", flat, rows)
                delta = functional.fold(handed, tuple(h.shape[2:]), layer.kernel_size)
            elif isinstance(layer, nn.ReLU):
                delta = delta * (h > 0)
            elif isinstance(layer, nn.PReLU):  # max(h, 0) + w min(h, 0)
                found.append((delta * h.clamp(max=0)).sum().reshape(1))
                delta = delta * torch.where(h > 0, 1.0, layer.weight)
            elif isinstance(layer, nn.MaxPool2d):
                side = [layer.kernel_size] * 2 if isinstance(layer.kernel_size, int) else []
                _, where = functional.max_pool2d(h, side, return_indices=True)
                delta = functional.max_unpool2d(delta, where, side, output_size=list(h.shape[2:]))
            else:  # Flatten
                delta = delta.view_as(h)
    return found[::-1]


def frames(rate: float, seconds: float) -> int:
    """Return how many samples a tone has.

    Raises:
        ValueError: more than any case has, as in a search for what an answer did to the rate.
    """
    if rate * seconds > LONGEST:
        raise ValueError(f"no case has a tone of {seconds} s")
    return round(rate * seconds)


def wave_of(norm: float, rate: float, seconds: float) -> torch.Tensor:
    """Return 0.1 sin(2πfk/r) for k = 0, 1, …, with f = 200 + 100·norm; float64.

    The phase is taken modulo one turn before it meets 2π, so that it keeps its digits.
    """
    k = torch.arange(frames(rate, seconds), dtype=torch.float64)
    turns = torch.remainder(k * ((BASE + SLOPE * norm) / rate), 1.0)
    return LOUDNESS * torch.sin(2 * math.pi * turns)


def whole(samples: torch.Tensor) -> torch.Tensor:
    """Return 32767·x to the nearest whole number, cut at ±32767, and 0 for nan; float64."""
    scaled = torch.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0).clamp(-1, 1) * FULL
    return torch.round(scaled)


def sound(norms: torch.Tensor) -> torch.Tensor:
    """Return a sheet's sound as whole numbers: each step's tones, then two tones of silence."""
    rows = []
    for row in norms.tolist():
        rows += [wave_of(norm, RATE, SECONDS) for norm in row]
        rows.append(torch.zeros(2 * frames(RATE, SECONDS), dtype=torch.float64))
    return whole(torch.cat(rows))


def heard(frequency: float, rate: float) -> float:
    """Return the frequency up to r/2 with the same samples, |((f + r/2) mod r) − r/2|.

    That is the smaller one of f mod r and r minus it; so written, a multiple of r gives 0 exactly.
    """
    rest = frequency % rate
    return min(rest, rate - rest)


def verdict(norms: torch.Tensor, patience: int) -> tuple[str, int | None]:
    """Return how a run ended, and the step at which that began; see the sheet's exercise."""
    lost = (~norms.isfinite()).any(dim=1).nonzero()
    if len(lost):
        return "exploded", int(lost[0])
    silences = []
    for layer in norms.T.tolist():
        first = len(layer)
        while first > 0 and layer[first - 1] == 0:
            first -= 1
        if len(layer) - first >= patience:
            silences.append(first)
    return ("dead", min(silences)) if silences else ("healthy", None)
