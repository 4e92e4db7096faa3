"""The demos of sheet 11, its players, and its pictures of digits."""

import ipywidgets
import torch
from IPython.display import display

from helpers import plots
from helpers.demos.demo import Demo, Drawn, slider

RATE = 44100.0  # samples a second
SILENCE = "[sound, played by whoever runs this cell: "


def listen(sound: bytes, sentence: str) -> None:
    """Show a player for a sound; it plays when it is asked to.

    A notebook keeps the sentence alone: the sound is there as long as its kernel is.

    Args:
        sound: the content of a WAV file.
        sentence: what is heard, in words.
    """
    player = ipywidgets.Audio(value=sound, format="wav", autoplay=False, loop=False, controls=True)
    bundle = player._repr_mimebundle_()
    bundle["text/plain"] = f"{SILENCE}{sentence}]"
    display(bundle, raw=True)


def draw_digits(images: torch.Tensor, labels: torch.Tensor) -> Drawn:
    """Draw pictures of digits side by side.

    Args:
        images: shape (n, 1, 28, 28).
        labels: what they show, shape (n,).
    """
    (ax,) = plots.panels(size=(0.62 * len(images), 0.95))
    row = torch.cat([*images[:, 0]], dim=1)
    ax.imshow(plots.numpy(row), cmap="gray", aspect="equal")
    ax.set(yticks=[], xticks=[14 + 28 * i for i in range(len(images))])
    ax.set_xticklabels([str(label) for label in labels.tolist()])
    ax.set_xlabel("label")
    ax.tick_params(length=0)
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax, f"{len(images)} digits, with their labels below: other fonts, turns, sizes, noise."


def _folded(frequency: torch.Tensor, rate: float) -> torch.Tensor:
    """Return which frequency up to half the rate has the same samples."""
    return (torch.remainder(frequency + rate / 2, rate) - rate / 2).abs()


def draw_folding(norm: float) -> Drawn:
    """Draw the tone that a norm asks for, its samples, and the tone that is heard.

    Args:
        norm: a gradient norm, at least 0; its tone has 200 + 100·norm Hz.
    """
    asked = 200 + 100 * norm
    norms = torch.linspace(0, 900, 1801, dtype=torch.float64)
    heard = float(_folded(torch.tensor(asked, dtype=torch.float64), RATE))
    left, right = plots.panels(2)
    plots.curves(norms, {"": _folded(200 + 100 * norms, RATE) / 1000}, "gradient norm",
                 "frequency heard in kHz", ax=left)  # fmt: skip
    left.plot([norm], [heard / 1000], "o", color=plots.RED, markersize=8, clip_on=False, zorder=5)
    left.set(xlim=(0, 900), ylim=(0, 23.5))
    fine = torch.linspace(0, 8 / RATE, 1200, dtype=torch.float64)
    k = torch.arange(9, dtype=torch.float64) / RATE
    turn = 2 * torch.pi
    samples = torch.sin(turn * asked * k)
    side = float(torch.remainder(torch.tensor(asked + RATE / 2), RATE)) - RATE / 2
    right.plot(1e3 * fine, torch.sin(turn * asked * fine), "-", color=plots.SKY, linewidth=1,
               label="asked")  # fmt: skip
    right.plot(1e3 * fine, torch.sin(turn * side * fine), "-", color=plots.RED, label="heard")
    right.plot(1e3 * k, samples, "o", color=plots.INK, markersize=6, zorder=5, label="samples")
    right.set(xlabel="time in ms", ylabel="share of loudness", ylim=(-1.15, 1.75),
              xticks=[0.0, 0.06, 0.12, 0.18])  # fmt: skip
    right.legend(frameon=False, fontsize=11, ncols=3, loc="upper center", handlelength=1.2,
                 columnspacing=1.0)  # fmt: skip
    return left, (
        f"A norm of {norm:.0f} asks for {asked:.0f} Hz, and {heard:.0f} Hz is heard: both pass "
        "through the same samples."
    )


def folding() -> Demo:
    """Return the frequency that is heard of a norm, moved by a slider."""
    return Demo("folding", draw_folding, {"norm": slider("gradient norm", 0, 900, 100, 5)})


def _growth(rate: torch.Tensor, momentum: float) -> torch.Tensor:
    """Return the larger |z| of z² − (1 + β − a) z + β = 0, for rates a in units of 1/n."""
    middle = (1 + momentum - rate) / 2
    apart = (middle**2 - momentum).to(torch.complex128).sqrt()
    return torch.maximum((middle + apart).abs(), (middle - apart).abs())


def draw_momentum(rate: float, momentum: float) -> Drawn:
    """Draw 30 steps of gradient descent with momentum on a quadratic of curvature n.

    Args:
        rate: the learning rate in units of 1/n.
        momentum: share of the velocity that is kept at each step.
    """
    rate, momentum = round(rate, 2), round(momentum, 2)
    offsets, velocity = [1.0], 0.0
    for _ in range(30):
        velocity = momentum * velocity + offsets[-1]
        offsets.append(offsets[-1] - rate * velocity)
    left, right = plots.panels(2)
    plots.curves(range(31), {"": offsets}, "number of steps", "offset θ − x̄", ax=left)
    left.plot(range(31), offsets, "o", color=plots.BLUE, markersize=4)
    left.axhline(0, color=plots.INK, linewidth=1, linestyle="-", zorder=1)
    left.set(ylim=(-2.2, 2.2))
    rates = torch.linspace(0, 4.2, 421, dtype=torch.float64)
    plots.curves(rates, {f"β = {momentum:g}": _growth(rates, momentum),
                         "no momentum": _growth(rates, 0.0)}, "learning rate · n",
                 "factor a step, in the long run", ax=right)  # fmt: skip
    right.axhline(1, color=plots.INK, linewidth=1, linestyle="-", zorder=1)
    here = float(_growth(torch.tensor([rate], dtype=torch.float64), momentum))
    right.plot([rate], [here], "o", color=plots.RED, markersize=8, zorder=5)
    right.set(ylim=(0, 1.8), xlim=(0, 4.2))
    ends = "it diverges" if here > 1 else "it stays as large" if here == 1 else "it comes to rest"
    return left, (
        f"Learning rate {rate:.2f}/n, momentum {momentum:.2f}: in the long run a step multiplies "
        f"the offset by {here:.3f}; {ends}."
    )


def momentum() -> Demo:
    """Return a run with momentum that sliders move, and the factor of its steps."""
    rate = slider("learning rate · n", 0.1, 4.0, 2.5, 0.1)
    beta = slider("momentum β", 0.0, 0.9, 0.5, 0.1)
    return Demo("momentum", draw_momentum, {"rate": rate, "momentum": beta})
