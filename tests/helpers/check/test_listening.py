"""The closed forms of sheet 11, and the digits that its network reads."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import nll_loss

from helpers import data, glyphs
from helpers.check.kit.asks import Draws
from helpers.check.listening import analytic, networks, score
from helpers.demos import listening as demo

DOUBLE = torch.float64


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_is_the_gradient_by_hand_that_of_autograd(kind):
    u = Draws(f"test: network {kind}")
    model = networks.drawn(u, kind)
    images = u.normal(5 * networks.SIDE**2).reshape(5, 1, networks.SIDE, networks.SIDE)
    labels = torch.tensor([0, 3, 1, 1, 2])
    nll_loss(model(images), labels).backward()
    weights = [layer.weight for layer in model if hasattr(layer, "weight")]
    by_hand = analytic.weight_gradients(model, images, labels)
    assert len(by_hand) == len(weights) > 1
    for got, weight in zip(by_hand, weights, strict=True):
        assert torch.allclose(got, weight.grad, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("frequency", [100.0, 3000.0, 5700.0, 8100.0, 21900.0])
def test_is_what_is_heard_the_peak_of_the_spectrum(frequency):
    rate, n = 8000, 800  # a line every 10 Hz
    wave = torch.sin(2 * math.pi * frequency * torch.arange(n, dtype=DOUBLE) / rate)
    assert float(torch.fft.rfft(wave).abs().argmax()) * rate / n == analytic.heard(frequency, rate)


def test_do_the_bits_of_floats_sound_as_the_sheet_says():
    tone = analytic.wave_of(2.0, 44100, 0.01).float()
    played = tone.view(torch.int32).double() / 2**31
    power = torch.fft.rfft(played).abs() ** 2
    assert float(power[4] / power[1:].sum()) == pytest.approx(8 / math.pi**2, abs=2e-3)


def test_does_a_file_hold_the_samples_that_were_written():
    norms = torch.tensor([[1.0, 2.5], [math.nan, math.inf]], dtype=DOUBLE)
    read = score.read(score.reference(norms))
    assert (read.channels, read.width, read.rate) == (1, 2, 44100)
    assert torch.equal(read.samples, analytic.sound(norms))
    assert not read.samples[4 * 441 : 6 * 441].any()


def test_is_a_head_that_contradicts_itself_no_file():
    right = score.reference(torch.ones(1, 1, dtype=DOUBLE))
    wrong = bytearray(right)
    wrong[32] = 4  # bytes of a frame
    assert score.read(right) is not None
    assert score.read(bytes(wrong)) is None


def test_is_the_root_of_momentum_one_at_its_edge():
    for momentum in (0.0, 0.5, 0.9):
        edge = torch.tensor([2 * (1 + momentum)], dtype=DOUBLE)
        assert float(demo._growth(edge, momentum)) == pytest.approx(1.0, abs=1e-7)
        assert float(demo._growth(edge + 0.1, momentum)) > 1.01


def test_are_the_stored_digits_those_that_the_fonts_draw():
    assert np.abs(glyphs.load().astype(int) - glyphs.draw().astype(int)).max() <= 2


def test_are_digits_fresh_under_another_seed_and_of_the_scale_that_is_promised():
    images, labels = data.digits("test: digits", 500)
    assert images.shape == (500, 1, 28, 28)
    assert images.dtype == DOUBLE
    assert float(images.mean()) == pytest.approx(0, abs=0.05)
    assert float(images.std()) == pytest.approx(1, abs=0.05)
    assert set(labels.tolist()) == set(range(10))
    with data.seeded(5):
        assert not torch.equal(images, data.digits("test: digits", 500)[0])
