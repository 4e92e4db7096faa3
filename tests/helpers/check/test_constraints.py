"""The closed forms of sheet 05, and everything numerical that its checks and its demo rest on."""

import math
import re

import pytest
import torch
from torch.distributions import (
    AffineTransform,
    Beta,
    ComposeTransform,
    ExpTransform,
    Gamma,
    Normal,
    SigmoidTransform,
    StickBreakingTransform,
    TransformedDistribution,
    Uniform,
    transform_to,
)
from torch.distributions.constraints import interval

from helpers import data, demos
from helpers.check.constraints import analytic, fit_thresholds
from helpers.check.constraints.line import REACH, line
from helpers.check.constraints.mass_between import mass_between as check_mass
from helpers.check.kit.asks import Draws
from helpers.check.kit.message import CheckFailed
from helpers.demos.constraints import DENSITIES, MAPS

DOUBLE = torch.float64
Y = torch.linspace(-2.5, 2.5, 24, dtype=DOUBLE)


def double(value):
    return torch.tensor(value, dtype=DOUBLE)


PAIRS = {
    "above": (lambda y: analytic.to_above(y, -1.3), lambda x: analytic.from_above(x, -1.3)),
    "interval": (
        lambda y: analytic.to_interval(y, -2.0, 5.0),
        lambda x: analytic.from_interval(x, -2.0, 5.0),
    ),
    "increasing": (analytic.to_increasing, analytic.from_increasing),
    "simplex": (analytic.to_simplex, analytic.from_simplex),
}


@pytest.mark.parametrize(("to", "back"), PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("shape", [(12, 2), (2, 6, 2)])
def test_does_the_way_back_undo_the_map(to, back, shape):
    y = Y.reshape(shape)
    assert torch.allclose(back(to(y)), y, rtol=1e-12, atol=1e-12)


def test_are_the_maps_those_of_torch():
    above = ComposeTransform([ExpTransform(), AffineTransform(-1.25, 1.0)])
    assert torch.allclose(analytic.to_above(Y, -1.25), above(Y), rtol=1e-14)
    assert torch.allclose(analytic.from_above(above(Y), -1.25), above.inv(above(Y)), rtol=1e-14)
    between = transform_to(interval(double(1.0), double(4.0)))
    assert torch.allclose(analytic.to_interval(Y, 1.0, 4.0), between(Y), rtol=1e-14)
    assert torch.allclose(analytic.from_interval(between(Y), 1.0, 4.0), between.inv(between(Y)))
    two = StickBreakingTransform()(Y[:, None])
    assert torch.allclose(analytic.to_simplex(Y[:, None]), two, rtol=1e-12)


def test_do_the_maps_keep_their_constraints():
    lists = analytic.to_increasing(5 * Y.reshape(-1, 4))
    assert (lists.diff(dim=-1) > 0).all()
    shares = analytic.to_simplex(10 * Y.reshape(-1, 3))
    assert (shares > 0).all()
    assert torch.allclose(shares.sum(-1), torch.ones(len(shares), dtype=DOUBLE), rtol=1e-14)
    ends = analytic.to_interval(double([-30.0, 30.0]), -2.0, 5.0)
    assert ends.tolist() == pytest.approx([-2.0, 5.0], abs=1e-10)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_are_the_log_jacobians_those_of_autograd(k):
    y = line(Draws("test: log-Jacobian"), k)
    rising = torch.func.jacrev(analytic.to_increasing)(y)
    shares = torch.func.jacrev(lambda v: analytic.to_simplex(v)[:-1])(y)
    for matrix, formula in [(rising, analytic.increasing_log_jacobian(y)),
                            (shares, analytic.simplex_log_jacobian(y))]:  # fmt: skip
        assert torch.allclose(torch.linalg.slogdet(matrix).logabsdet, formula, rtol=1e-12)
    two = StickBreakingTransform()
    x = two(y[:1])
    by_torch = two.log_abs_det_jacobian(y[:1], x)
    assert torch.allclose(analytic.simplex_log_jacobian(y[:1]), by_torch, rtol=1e-12)


@pytest.mark.parametrize(("a", "b"), [(2.0, 3.0), (1.5, 4.25), (4.0, 1.7)])
def test_is_the_logit_beta_density_that_of_torch(a, b):
    on_line = TransformedDistribution(Beta(double(a), double(b)), SigmoidTransform().inv)
    ours = analytic.logit_beta_density(Y, a, b)
    assert torch.allclose(ours, on_line.log_prob(Y).exp(), rtol=1e-10)
    area = analytic.integral(lambda y: analytic.logit_beta_density(y, a, b), -40, 40, 400)
    assert area == pytest.approx(1.0, abs=1e-10)


FAMILIES = [
    (Gamma(double(1.0), double(1.0)), ExpTransform(), lambda y: y - y.exp()),
    (
        Beta(double(2.0), double(3.0)),
        SigmoidTransform(),
        lambda y: 2 * y.sigmoid().log() + 3 * (-y).sigmoid().log() + math.log(12),
    ),
    (
        Uniform(double(1.0), double(4.0)),
        ComposeTransform([SigmoidTransform(), AffineTransform(1.0, 3.0)]),
        lambda y: y.sigmoid().log() + (-y).sigmoid().log(),
    ),
    (
        Normal(double(0.5), double(2.0)),
        AffineTransform(0.5, -4.0),
        lambda y: -0.5 * (2 * y) ** 2 - 0.5 * math.log(2 * math.pi) + math.log(2),
    ),
]


@pytest.mark.parametrize(("distribution", "transform", "formula"), FAMILIES)
def test_is_the_density_on_the_line_that_of_torch_and_of_the_sheet(
    distribution, transform, formula
):
    ours = analytic.log_prob(distribution, transform, Y)
    torchs = TransformedDistribution(distribution, transform.inv).log_prob(Y)
    y = Y.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(transform(y).sum(), y)
    by_autograd = distribution.log_prob(transform(Y)) + slope.abs().log()
    for other in (torchs, by_autograd, formula(Y)):
        assert torch.allclose(ours, other, rtol=1e-10)


def test_do_draws_fall_where_the_density_on_the_line_says():
    n = 40_000
    gamma = Gamma(double(1.0), double(1.0))
    logs = data.waits("test: logs", n, 1.0).log()
    for low, high in [(-2.0, -1.0), (-0.5, 0.5), (0.5, 1.5)]:
        share = analytic.integral(
            lambda y: analytic.log_prob(gamma, ExpTransform(), y).exp(), low, high
        )
        found = float(((logs > low) & (logs < high)).double().mean())
        assert abs(found - share) < 6.5 * math.sqrt(share * (1 - share) / n)


def test_is_the_quadrature_exact_for_a_polynomial():
    assert analytic.integral(lambda x: 7 * x**6 - 3 * x**2, -1.0, 2.0) == pytest.approx(120.0)


def test_are_the_masses_those_of_the_cdf():
    gamma, uniform = Gamma(double(1.8), double(1.4)), Uniform(double(2.0), double(6.0))
    for distribution, low, high in [(gamma, 0.4, 1.9), (uniform, 2.5, 4.75)]:
        by_cdf = float(distribution.cdf(double(high)) - distribution.cdf(double(low)))
        assert analytic.mass(distribution, low, high) == pytest.approx(by_cdf, rel=1e-9)
    # P(X < x) for Beta(2, 3) is the integral of 12 x (1 - x)², a polynomial.
    by_hand = [6 * x**2 - 8 * x**3 + 3 * x**4 for x in (0.2, 0.6)]
    mass = analytic.mass(Beta(double(2.0), double(3.0)), 0.2, 0.6)
    assert mass == pytest.approx(by_hand[1] - by_hand[0], rel=1e-12)


@pytest.mark.parametrize(("a", "b"), [(2.5, 0.7), (6.0, 3.0), (1.0, 1.0)])
def test_is_the_mode_where_the_slope_vanishes_and_the_density_is_highest(a, b):
    gamma = Gamma(double(a), double(b), validate_args=False)
    in_x, on_line = (double(m) for m in analytic.gamma_modes(a, b))

    def q(y):
        return analytic.log_prob(gamma, ExpTransform(), y)

    for log_density, mode in [(gamma.log_prob, in_x), (q, on_line)]:
        if mode == 0 and log_density is not q:
            continue  # Gamma(1, ·) is highest at its edge, where no slope vanishes
        at = mode.clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(log_density(at), at)
        assert float(slope) == pytest.approx(0.0, abs=1e-12)
        assert all(log_density(mode + step) < log_density(mode) for step in (-0.01, 0.01))
    assert analytic.gamma_modes(1.0, 1.0) == (0.0, 0.0)


def trapezoids(points):
    """Return a right answer to mass_between, on a grid of so many points."""

    def mass_between(distribution, transform, low, high):
        first, last = float(transform.inv(low)), float(transform.inv(high))
        y = torch.linspace(first, last, points, dtype=DOUBLE)
        on_line = TransformedDistribution(distribution, transform.inv)
        return torch.trapezoid(on_line.log_prob(y).exp(), y)

    return mass_between


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_does_a_grid_of_a_few_hundred_points_pass_and_one_of_ten_fail(seed):
    with data.seeded(seed):
        assert check_mass(trapezoids(501))
        with pytest.raises(CheckFailed):
            check_mass(trapezoids(10))


@pytest.mark.parametrize("shape", [(), (5,), (3, 4)])
def test_do_the_points_of_the_cases_keep_off_zero_where_they_must(shape):
    for seed in range(1, 30):
        with data.seeded(seed):
            y = line(Draws("test"), *shape)
        assert y.shape == shape
        assert y.abs().mean() > 0.4
        assert y.abs().max() < REACH


def counts_of(seed):
    with data.seeded(seed):
        return [case.args[0] for case in fit_thresholds.EXERCISE.cases()] + [data.stars()]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("weight", [0.0, 0.01, 1.0])
def test_do_fishers_steps_end_where_the_slope_vanishes(seed, weight):
    for counts in counts_of(seed):
        theta = analytic.fit_thresholds(counts, weight).requires_grad_(True)
        loss = analytic.thresholds_nll(theta, counts) - weight * (theta[1] - theta[0]).log()
        (slope,) = torch.autograd.grad(loss, theta)
        assert slope.abs().max() < 1e-7


def test_are_the_shares_of_the_stars_those_of_draws():
    theta = double([-1.0, 0.8, 0.9])
    opinions = data.uniform("test: opinions", 40_000).logit()
    for row, shift in zip(analytic.threshold_shares(theta), (0.0, 0.9), strict=True):
        found = torch.bucketize(opinions + shift, theta[:2]).bincount(minlength=3) / len(opinions)
        assert torch.allclose(found.double(), row, atol=6.5 * 0.5 / math.sqrt(len(opinions)))


def test_does_the_recipe_of_the_sheet_come_to_rest_on_many_data_seeds():
    counts = torch.stack([c for seed in range(40) for c in counts_of(seed)])
    y = torch.zeros(len(counts), 3, dtype=DOUBLE, requires_grad=True)
    for _ in range(600):
        c = analytic.to_increasing(y[:, :2])
        theta = torch.cat([c, y[:, 2:]], dim=-1)
        losses = torch.vmap(analytic.thresholds_nll)(theta, counts)
        (slope,) = torch.autograd.grad(losses.sum(), y)
        with torch.no_grad():
            y -= 0.8 * slope
    assert slope.abs().max() < 1e-4
    for one, theta in zip(counts, torch.cat([c, y[:, 2:]], dim=-1).detach(), strict=True):
        excess = analytic.thresholds_nll(theta, one)
        excess -= analytic.thresholds_nll(analytic.fit_thresholds(one), one)
        assert math.sqrt(max(0.0, 2 * float(one.sum() * excess))) < 0.01


@pytest.mark.parametrize("transform", MAPS)
@pytest.mark.parametrize("density", list(DENSITIES))
@pytest.mark.parametrize("start", [0.0, 0.35, 0.8])
def test_does_the_demo_shade_equal_areas_and_the_right_ones(density, transform, start):
    chosen = DENSITIES[density]
    _, sentence = demos.draw_two_coordinates(density, transform, start)
    areas = [float(a) for a in re.findall(r"area (\d\.\d+)", sentence)]
    width = chosen.high - chosen.low
    low = chosen.low + width * max(start, 0.002)
    high = chosen.low + width * min(start + 0.2, 0.998)
    assert areas[0] == areas[1]
    assert areas[0] == pytest.approx(analytic.mass(chosen.of, low, high), abs=6e-4)
