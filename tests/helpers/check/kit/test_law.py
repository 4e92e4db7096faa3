"""Are random numbers judged by their law, at the stated rate and in words?"""

import math

import pytest
import torch

from helpers.check.kit.asks import Argument
from helpers.check.kit.compare import measuring
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.law import RAREST, Fresh, Law, binomial, bounded, chi_squared
from helpers.check.kit.message import CheckFailed


@pytest.mark.parametrize(("degrees", "value"), [(2, 44.23), (2, 5e-10), (1, 30.0), (3998, 3466.8)])
def test_is_a_chi_squared_as_rare_as_closed_forms_say(degrees, value):
    came = math.exp(chi_squared(value, degrees) * math.log(RAREST))
    if degrees == 2:
        assert came == pytest.approx(min(math.exp(-value / 2), -math.expm1(-value / 2)), rel=1e-6)
    if degrees == 1:
        assert came == pytest.approx(math.erfc(math.sqrt(value / 2)), rel=1e-6)
    if degrees == 3998:
        assert came == pytest.approx(2.509e-10, rel=1e-3)


@pytest.mark.parametrize(("n", "p"), [(1, 0.5), (6, 0.2), (40, 1 / 12), (30, 1.0)])
def test_is_no_binomial_count_rarer_than_is_said(n, p):
    of = [math.comb(n, c) * p**c * (1 - p) ** (n - c) for c in range(n + 1)]
    for count in range(n + 1):
        side = sum(of[count:]) if count >= n * p else sum(of[: count + 1])
        said = math.exp(-binomial(count, n, p) * -math.log(RAREST))
        assert side <= said * (1 + 1e-9)


def test_is_a_mean_no_rarer_than_is_said():
    flips = torch.randint(0, 2, (4000, 10), generator=torch.Generator().manual_seed(1)).sum(1)
    for away in (1, 2, 3, 4):
        share = float((flips - 5 >= away).double().mean())
        assert share <= math.exp(bounded(away, 10, 1.0) * math.log(RAREST))


def squares(draws, n):
    value = float((draws**2).sum())
    return f"about {n}", f"{value:.3g}", chi_squared(value, n)


NORMALS = Exercise(
    name="normals",
    arguments=(Argument("n", lambda u, given: u.choice([n for n in (200, 300)
                                                        if n != given.get("n")])),),
    reference=lambda n: torch.randn(n, generator=torch.Generator().manual_seed(2)).double(),
    agree=Law(statistics=[("another spread", "draws are standard normal.", squares)]),
    chance=Fresh(args=lambda u: (4,)),
    passed="normals.",
)  # fmt: skip
KEPT: dict[int, torch.Tensor] = {}


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (torch.randn, ""),
        (lambda n: torch.randn(n).tolist(), ""),
        (lambda n: 2 * torch.randn(n), "another spread"),
        (lambda n: torch.randn(n - 1), "of another length"),
        (lambda n: torch.randn(n, generator=torch.Generator().manual_seed(0)), "no fresh draws"),
        (lambda n: KEPT.setdefault(n, torch.randn(n)), "no fresh draws"),
    ],
)
def test_is_what_is_wrong_with_draws_named(answer, name):
    if not name:
        assert NORMALS.check(answer)
        return
    with pytest.raises(CheckFailed) as caught:
        NORMALS.check(answer)
    assert caught.value.wrong_turn == name


def test_is_the_law_measured_as_sampled():
    with measuring() as taken:
        NORMALS.check(torch.randn)
    assert {m.kind for m in taken} == {"sampled tail"}
    assert all(m.ratio < 1 for m in taken)
