"""Are the areas right, how wrong do they say they are, and do they come for a whole grid?"""

import math

import pytest
import torch
from torch.distributions import Normal

from helpers import quadrature

DOUBLE = torch.float64


def test_are_straight_lines_integrated_exactly():
    assert float(quadrature.trapezoid(lambda x: 3 * x + 1, 1.0, 3.0, 2)) == pytest.approx(14.0)


def test_does_it_agree_with_torch():
    x = torch.linspace(-2, 5, 77, dtype=DOUBLE)
    ours = quadrature.trapezoid(torch.sin, -2.0, 5.0, 77)
    assert float(ours) == pytest.approx(float(torch.trapezoid(torch.sin(x), x)), rel=1e-13)


@pytest.mark.parametrize(
    ("f", "low", "high", "exact"),
    [
        (torch.sin, 0.0, 2.0, 1 - math.cos(2.0)),
        (torch.exp, -1.0, 1.5, math.exp(1.5) - math.exp(-1)),
        (torch.sqrt, 0.0, 1.0, 2 / 3),  # an infinite slope at the edge
        (lambda x: (x > 0.3).to(DOUBLE), 0.0, 1.0, 0.7),  # a jump
        (lambda x: Normal(0.0, 1.0).log_prob(x).exp(), -9.0, 9.0, 1.0),
    ],
    ids=["sin", "exp", "sqrt", "jump", "normal"],
)
@pytest.mark.parametrize("n", [11, 101, 1001])
def test_is_the_error_at_most_what_it_says(f, low, high, exact, n):
    integral = quadrature.trapezoid_with_error(f, low, high, n)
    assert abs(float(integral.value) - exact) <= float(integral.error) + 1e-14


def test_is_the_error_a_third_of_what_it_says_where_the_integrand_is_smooth():
    integral = quadrature.trapezoid_with_error(torch.exp, 0.0, 1.0, 101)
    error = abs(float(integral.value) - (math.e - 1))
    assert error == pytest.approx(float(integral.error) / 3, rel=0.01)


def test_does_one_call_give_what_loops_give():
    locs, scales = torch.linspace(-1, 2, 4, dtype=DOUBLE), torch.linspace(0.5, 2, 3, dtype=DOUBLE)

    def second_moment(x, loc, scale):
        return x**2 * Normal(loc, scale).log_prob(x).exp()

    fixed = quadrature.trapezoid(
        lambda x: second_moment(x[:, None, None], locs[:, None], scales), -30.0, 30.0, 2001
    )
    low, high = locs[:, None] - 12 * scales, locs[:, None] + 12 * scales
    moving = quadrature.trapezoid(lambda x: second_moment(x, locs[:, None], scales), low, high, 401)
    assert fixed.shape == moving.shape == (4, 3)
    for i, loc in enumerate(locs):
        for j, scale in enumerate(scales):
            exact = float(loc**2 + scale**2)
            alone = quadrature.trapezoid(
                lambda x, a=loc, b=scale: second_moment(x, a, b), -30.0, 30.0, 2001
            )
            assert float(alone) == pytest.approx(exact, rel=1e-12)
            assert float(fixed[i, j]) == pytest.approx(exact, rel=1e-12)
            assert float(moving[i, j]) == pytest.approx(exact, rel=1e-12)


def test_do_gradients_reach_the_ends_and_the_parameters():
    high, rate = (torch.tensor(v, dtype=DOUBLE, requires_grad=True) for v in (2.0, 0.7))
    area = quadrature.trapezoid(lambda x: torch.exp(-rate * x), 0.0, high, 4001)
    by_high, by_rate = torch.autograd.grad(area, (high, rate))
    assert float(by_high) == pytest.approx(math.exp(-1.4), rel=1e-6)
    exact = (math.exp(-1.4) * (1 + 1.4) - 1) / 0.7**2  # of (1 − e^(−2r))/r
    assert float(by_rate) == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: quadrature.trapezoid(torch.sin, 0, 1, 1), "at least 2 nodes, not 1"),
        (lambda: quadrature.trapezoid_with_error(torch.sin, 0, 1, 10), "odd number"),
        (lambda: quadrature.trapezoid_with_error(torch.sin, 0, 1, 1), "at least 3, not 1"),
    ],
)
def test_is_too_small_a_number_of_nodes_one_sentence(call, says):
    with pytest.raises(ValueError, match=says):
        call()
