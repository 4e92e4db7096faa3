"""The closed forms of sheet 12, and everything numerical that its checks rest on."""

import math

import pytest
import torch

from helpers import data, demos
from helpers.check.benford import analytic, digit_distribution, digit_mle, digits, first_digit
from helpers.demos import benford as demo

DOUBLE = torch.float64


@pytest.mark.parametrize(("base", "length"), [(2, 1), (2, 5), (10, 1), (10, 3), (16, 2)])
def test_do_the_blocks_telescope_to_one(base, length):
    law = analytic.benford(base, length)
    assert len(law) == base**length - base ** (length - 1)
    assert float(law.sum()) == pytest.approx(1, rel=1e-13)


def test_do_longer_blocks_add_up_to_shorter_ones():
    assert torch.allclose(
        analytic.benford(10, 2).reshape(9, 10).sum(1), analytic.benford(10, 1), rtol=1e-13
    )


@pytest.mark.parametrize(("m", "s"), [(0.3, 0.1), (0.3, 0.5), (-7.3, 0.35), (4.1, 2.0)])
def test_do_sum_over_decades_and_waves_agree(m, s):
    by_decades, by_waves = analytic.lognormal_digits(m, s), analytic.lognormal_digits_by_waves(m, s)
    assert torch.allclose(by_decades, by_waves, rtol=0, atol=1e-14)


def test_are_log_normal_digits_what_is_drawn():
    x = data.magnitudes("test: magnitudes", 20_000, 1.7, 0.3).tolist()
    found = [first_digit.reference(repr(v)) for v in x]
    shares = torch.tensor([found.count(d) for d in range(1, 10)]) / len(x)
    assert float((shares - analytic.lognormal_digits(1.7, 0.3)).abs().max()) < 0.02


@pytest.mark.parametrize("degrees", [2, 8, 40])
def test_is_the_tail_the_finite_sum(degrees):
    x = torch.tensor(3.7 * degrees, dtype=DOUBLE)
    terms = [(x / 2) ** j / math.factorial(j) for j in range(degrees // 2)]
    by_sum = torch.exp(-x / 2) * torch.stack(terms).sum()
    assert float(analytic.upper_tail(x, degrees)) == pytest.approx(float(by_sum), rel=1e-11)


def test_is_chi2_the_first_term_of_g():
    expected = 1e6 * analytic.benford(10, 1)
    off = torch.tensor([1.0, -1, 2, -2, 3, -3, 1, -1, 0], dtype=DOUBLE) * 20
    chi2, g = (f(expected + off, expected) for f in (analytic.chi2, analytic.g_statistic))
    assert float(g) == pytest.approx(float(chi2), rel=1e-3)
    assert float(g) != pytest.approx(float(chi2), rel=1e-6)


def test_is_g_twice_the_log_likelihood_that_the_law_lacks():
    counts, law = (
        torch.tensor([30.0, 0, 5, 9, 0, 1, 2, 2, 8], dtype=DOUBLE),
        analytic.benford(10, 1),
    )
    best = digit_mle.reference(counts)
    lacks = torch.special.xlogy(counts, best).sum() - (counts * law.log()).sum()
    assert float(analytic.g_statistic(counts, counts.sum() * law)) == pytest.approx(
        float(2 * lacks)
    )


def test_does_anything_but_the_shares_lie_lower():
    counts = torch.tensor([20.0, 3, 9, 1], dtype=DOUBLE)
    best = digit_mle.reference(counts)
    lowest = float(digit_mle.mean_nll(best, counts))
    for factor in (0.97, 1.03):
        assert float(digit_mle.mean_nll(factor * best, counts)) > lowest + 1e-3
    p = best.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(digit_mle.mean_nll(p, counts), p)
    assert float(slope.abs().max()) < 1e-12


@pytest.mark.parametrize(
    ("text", "digit"),
    [("3400", 3), ("-0.0034", 3), (".5", 5), ("7.", 7), ("3.4e-05", 3), ("0e7", None),
     ("+0.0", None), ("9" * 30, 9), ("1e-400", 1)],
)  # fmt: skip
def test_is_a_first_digit_read(text, digit):
    assert first_digit.reference(text) == digit


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_do_sentences_keep_to_whole_decades(seed):
    with data.seeded(seed):
        lines = data.sentences("test: sentences", 800)
    sizes = [int(line.split()[-1].strip(".")) for line in lines if "population" in line]
    counts = torch.tensor([str(n).startswith(str(d)) for n in sizes for d in range(1, 10)])
    counts = counts.reshape(-1, 9).sum(0).to(DOUBLE)
    expected = len(sizes) * analytic.benford(10, 1)
    assert float(analytic.upper_tail(analytic.chi2(counts, expected), 8)) > 1e-4
    for end in (min(sizes), max(sizes)):
        assert abs(math.log10(end) - round(math.log10(end))) < 0.15
    assert all(set(str(n)[2:]) <= {"0"} for n in sizes)
    assert all(line.endswith(".\n") for line in lines)


def test_are_fresh_sentences_of_other_ranges():
    def years(seed):
        with data.seeded(seed):
            lines = data.sentences("test: sentences", 800)
        return [int(line.split()[-1].strip(".")) for line in lines if "year" in line]

    assert min(years(0)) >= 1900
    assert any(min(years(seed)) < 1890 for seed in range(1, 6))


def test_does_a_small_model_look_at_every_character():
    weights = torch.ones(digit_distribution.SIZE, digit_distribution.REACH + 1, dtype=DOUBLE)
    weights = weights * torch.arange(1, digit_distribution.REACH + 2)
    model = digit_distribution.SmallModel(weights)
    seen = [float(model(p)[0]) for p in ("size of ", "size of", "Size of ", " size of ", "")]
    assert len(set(seen)) == 5
    with pytest.raises(TypeError, match="str"):
        model(["size"])


def test_does_the_sheets_table_have_six_hundred_towns():
    assert float(digits.of_the_sheet().sum()) == 600


@pytest.mark.parametrize(("s", "factor"), [(0.2, 1.0), (0.6, 2.0)])
def test_does_the_demo_draw_the_closed_form(s, factor):
    exact = analytic.lognormal_digits(demo.MIDDLE + math.log10(factor), s)
    off = float((exact - analytic.benford(10, 1)).abs().max())
    assert demos.draw_magnitudes(s, factor)[1].endswith(f"Benford's law is {off:.4f}.")
