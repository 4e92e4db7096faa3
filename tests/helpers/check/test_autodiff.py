"""The closed forms of sheet 01, and what its exercises' cases rest on."""

import math
from functools import partial

import pytest
import torch
from torch.distributions import Beta, Normal

from helpers import data
from helpers.check.autodiff import analytic, beta_slope, derivative, forecast_slope, nll_gradient
from helpers.check.kit.asks import ALONE, TYPICAL, Draws
from helpers.check.kit.message import CheckFailed

DOUBLE = torch.float64
SEEDS = (0, 1, 2, 3, 4, 5)
POINTS = torch.linspace(-2, 2, 41, dtype=DOUBLE)


def told(exercise, answer):
    """Return the name that an answer gets, empty where it passes."""
    try:
        exercise.check(answer)
    except CheckFailed as failure:
        return failure.wrong_turn or "nameless"
    return ""


@pytest.mark.parametrize("family", analytic.FAMILIES, ids=lambda family: family.__name__)
@pytest.mark.parametrize("c", [0.4, 0.8, 1.2])
def test_are_slope_and_curvature_those_of_autograd(family, c):
    f = partial(family, c)
    x = POINTS.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(f(x).sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    assert torch.allclose(analytic.slope(f, POINTS), slope, rtol=1e-13)
    assert torch.allclose(analytic.curvature(f, POINTS), curvature, rtol=1e-12)


@pytest.mark.parametrize("family", analytic.FAMILIES, ids=lambda family: family.__name__)
def test_has_the_opposite_family_the_other_signs_everywhere(family):
    for c in (0.4, 1.2):
        one, other = partial(family, c), partial(analytic.OPPOSITE[family], c)
        for of in (analytic.slope, analytic.curvature):
            signs = of(one, POINTS).sign()
            assert len(signs.unique()) == 1
            assert torch.equal(signs, -of(other, POINTS).sign())


def test_does_a_function_that_travels_carry_its_slope():
    for family in analytic.FAMILIES:
        assert set(family.__code__.co_names) <= {"torch", "log", "sin", "sigmoid", "exp"}


@pytest.mark.parametrize(("a", "b"), [(1.05, 6.0), (2.0, 2.0), (3.5, 1.3), (20.0, 4.0)])
def test_is_the_beta_slope_that_of_torch(a, b):
    u = torch.linspace(0.001, 0.999, 50, dtype=DOUBLE).requires_grad_(True)
    at = [torch.tensor(v, dtype=DOUBLE) for v in (a, b)]
    (slope,) = torch.autograd.grad(Beta(*at).log_prob(u).exp().sum(), u)
    assert torch.allclose(analytic.beta_slope(u.detach(), a, b), slope, rtol=1e-9, atol=1e-12)
    outside = torch.tensor([-1e6, -1e-9, 0.0, 1.0, 1.1], dtype=DOUBLE)
    assert torch.equal(analytic.beta_slope(outside, a, b), torch.zeros(5, dtype=DOUBLE))


def test_are_both_slopes_of_the_loss_those_of_autograd():
    x = data.normal("test: nll", 30, 2.0, 1.5)
    at = torch.tensor([0.7, -0.4], dtype=DOUBLE, requires_grad=True)
    (slopes,) = torch.autograd.grad(-Normal(at[0], at[1].exp()).log_prob(x).mean(), at)
    assert analytic.nll_gradient(0.7, -0.4, x) == pytest.approx(slopes.tolist(), rel=1e-12)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_is_the_forecasts_slope_that_of_autograd(weight):
    x = data.river(25)
    w = torch.tensor(weight, dtype=DOUBLE, requires_grad=True)
    ahead, losses = x[0], []
    for reading in x[1:]:
        losses.append(0.5 * (reading - ahead) ** 2)
        ahead = ahead + w * (reading - ahead)
    torch.stack(losses).mean().backward()
    assert analytic.forecast_slope(weight, x) == pytest.approx(float(w.grad), rel=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_is_no_slope_so_near_zero_that_rounding_decides(seed):
    with data.seeded(seed):
        for case in forecast_slope.EXERCISE.cases():
            if case.kind == TYPICAL:
                errors, moves = analytic.forecasts(*case.args)
                products = errors * moves
                assert products.mean().abs() > 0.2 * products.abs().mean()
        for case in nll_gradient.EXERCISE.cases():
            if case.kind == TYPICAL:
                assert min(abs(v) for v in analytic.nll_gradient(*case.args)) > 1e-2


@pytest.mark.parametrize("seed", SEEDS)
def test_do_the_cases_show_slopes_of_either_sign(seed):
    with data.seeded(seed):
        first, *rest = derivative.EXERCISE.cases()
        (moved,) = [c for c in rest if (c.kind, c.moved) == (ALONE, "f")]
        signs = [analytic.slope(*case.args).sign()[0] for case in (first, moved)]
    assert signs[0] == -signs[1]


def test_do_the_points_lie_inside_on_both_edges_and_on_either_side():
    x = beta_slope._points(Draws("test: points"), {}, 6)
    assert [bool((x < 0).any()), bool((x > 1).any())] == [True, True]
    assert {0.0, 1.0} <= set(x.tolist())
    assert 0 < float(x[0]) < 1
    assert torch.equal(x[2:4].float().double(), x[2:4])
    assert math.log2(beta_slope.NEAR) == -17
    assert float(torch.tensor(1 - beta_slope.NEAR)) == 1 - beta_slope.NEAR  # single precision too


@pytest.mark.parametrize("h", [1e-3, 1e-5, 1e-7])
def test_does_any_step_of_a_difference_quotient_pass(h):
    def two_sided(f, x):
        return (f(x + h) - f(x - h)) / (2 * h)

    def five_points(f, x):
        return (8 * (f(x + h) - f(x - h)) - f(x + 2 * h) + f(x - 2 * h)) / (12 * h)

    with data.seeded(1):
        for answer in (two_sided, five_points):
            assert told(derivative.EXERCISE, answer) == "finite differences"
