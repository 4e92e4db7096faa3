"""The closed forms of sheet 02, and everything numerical that its checks rest on."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Exponential, Normal, Poisson, kl_divergence

from helpers import data
from helpers.check import normal_facts
from helpers.check.kit.asks import Draws
from helpers.check.likelihood import (
    analytic,
    censored_mle,
    first_underflow,
    grid_search,
    standard_errors,
)

DOUBLE = torch.float64
SEEDS = ["1", "2", "3", "4", "5"]


@pytest.fixture(params=SEEDS)
def seed(request, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_SEED", request.param)
    return request.param


def score(log_prob, *at):
    """The gradient of a log-likelihood, by autograd, at some parameters."""
    parameters = [torch.tensor(a, dtype=DOUBLE, requires_grad=True) for a in at]
    return [float(g) for g in torch.autograd.grad(log_prob(*parameters), parameters)]


def test_are_the_log_densities_those_of_torch():
    x = data.normal("test: densities", 50, 3.0, 2.0)
    loc, scale = torch.tensor(2.2, dtype=DOUBLE), torch.tensor(0.7, dtype=DOUBLE)
    assert torch.allclose(
        normal_facts.normal_log_densities(2.2, 0.7, x), Normal(loc, scale).log_prob(x), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("family", "closed_form", "sample"),
    [
        (Normal, normal_facts.normal_mle, data.normal("test: normal", 37, 5.0, 2.0)),
        (Bernoulli, analytic.bernoulli_mle, data.flips("test: flips", 37, 0.3)),
        (Exponential, analytic.exponential_mle, data.waits("test: waits", 37, 2.5)),
        (Poisson, analytic.poisson_mle, data.counts("test: counts", 37, 4.0)),
    ],
    ids=["normal", "bernoulli", "exponential", "poisson"],
)
def test_is_the_closed_form_where_the_gradient_vanishes(family, closed_form, sample):
    found = closed_form(sample)
    at = found if isinstance(found, tuple) else (found,)

    def total(*parameters):
        return family(*parameters).log_prob(sample).sum()

    assert score(total, *at) == pytest.approx([0.0] * len(at), abs=1e-9)
    best = total(*(torch.tensor(a, dtype=DOUBLE) for a in at))
    for factor in (0.97, 1.03):
        assert total(*(torch.tensor(a * factor, dtype=DOUBLE) for a in at)) < best


def test_are_entropy_and_kl_those_of_torch():
    p, q = (Normal(*torch.tensor(v, dtype=DOUBLE)) for v in [(-1.2, 0.8), (2.5, 3.1)])
    assert normal_facts.normal_entropy(0.8) == pytest.approx(float(p.entropy()), rel=1e-12)
    assert normal_facts.normal_kl(-1.2, 0.8, 2.5, 3.1) == pytest.approx(
        float(kl_divergence(p, q)), rel=1e-12
    )


@pytest.mark.parametrize(
    ("draw", "mean", "variance"),
    [
        (lambda n: data.flips("test: many flips", n, 0.3), 0.3, 0.21),
        (lambda n: data.waits("test: many waits", n, 2.5), 0.4, 0.16),
        (lambda n: data.counts("test: many counts", n, 1.7), 1.7, 1.7),
    ],
    ids=["flips", "waits", "counts"],
)
def test_do_the_draws_have_the_moments_of_their_family(draw, mean, variance):
    x = draw(40_000)
    assert float(x.mean()) == pytest.approx(mean, abs=6.5 * math.sqrt(variance / 40_000))
    assert float(x.var()) == pytest.approx(variance, rel=0.1)
    assert torch.equal(x, draw(40_000))


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
def test_does_every_order_of_multiplication_underflow_at_the_same_n(seed, dtype):
    densities = first_underflow.plunge(Draws("test: underflow"), dtype)
    zero_at = first_underflow.zero_at
    n = zero_at(densities)
    assert n is not None
    for order in (lambda d: d, lambda d: d.flip(0), lambda d: d.sort().values):
        assert zero_at(order(densities[:n])) is not None
        assert zero_at(order(densities[: n - 1])) is None
    assert int((densities.cumprod(0) > 0).sum()) + 1 == n
    assert bool(densities[:n].prod() == 0)
    assert bool(densities[: n - 1].prod() > 0)


def test_do_single_double_and_smallest_normal_underflow_at_different_n(seed):
    densities = first_underflow.plunge(Draws("test: underflow"), torch.float32)
    normal = (densities.cumprod(0) >= torch.finfo(torch.float32).tiny).sum() + 1
    single = first_underflow.zero_at(densities)
    double = first_underflow.zero_at(densities.to(DOUBLE))
    assert normal < single < double < len(densities)


def test_is_none_returned_where_nothing_underflows():
    assert first_underflow.zero_at(torch.full((100,), 0.5)) is None


@pytest.mark.parametrize(("loc", "scale"), [(6.0, 0.8), (-10.0, 3.0)])
def test_is_the_best_cell_within_half_a_cell_of_the_closed_form(seed, loc, scale):
    x = data.normal(f"test: grid {loc}", 80, loc, scale)
    mean, deviation = normal_facts.normal_mle(x)
    step = 0.2 * deviation
    locs = grid_search.grid_around(Draws("test: locs"), mean, step, 9, 5)
    scales = grid_search.grid_around(Draws("test: scales"), deviation, step, 7, 3)
    cells = grid_search.table(x, locs, scales)
    i, j = divmod(int(cells.argmax()), len(scales))
    assert (i, j) == (5, 3)
    assert abs(float(locs[i]) - mean) <= step / 2
    assert abs(float(scales[j]) - deviation) <= step / 2
    first, second = cells.flatten().topk(2).values
    assert first - second > 1e-4 * abs(first)  # no precision of an answer decides it


def test_is_the_table_the_sum_of_the_log_densities():
    x, locs = data.normal("test: table", 30, 2.0, 1.5), torch.linspace(1, 3, 4, dtype=DOUBLE)
    scales = torch.linspace(0.5, 2, 3, dtype=DOUBLE)
    by_torch = Normal(locs[:, None, None], scales[:, None]).log_prob(x).sum(-1)
    assert torch.allclose(grid_search.table(x, locs, scales), by_torch, rtol=1e-12)


def test_do_all_products_underflow_on_the_large_grid(seed):
    large = [c for c in grid_search.EXERCISE.cases() if len(c.args[0]) > 1000]
    for case in large:
        x, locs, scales = case.args
        assert bool((grid_search._densities(x, locs, scales).prod(-1) == 0).all())
    assert large


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
def test_does_every_way_agree_where_a_product_is_rounded_up(seed, dtype):
    densities = first_underflow._rounded_up(Draws("test: rounded up"), {}, dtype)
    n = first_underflow.zero_at(densities)
    assert n == 3
    assert int((densities.cumprod(0) > 0).sum()) + 1 == n
    assert int((densities.numpy().cumprod() > 0).sum()) + 1 == n
    assert [bool(densities[:i].prod() == 0) for i in (2, 3)] == [False, True]
    by_logs = densities.double().log().cumsum(0).exp().to(dtype)
    assert [float(p) == 0 for p in by_logs[1:3]] == [False, True]
    assert first_underflow._below_the_smallest(densities) == n - 1


def test_is_each_loss_lowest_where_it_says(seed):
    for case in standard_errors.EXERCISE.cases():
        loss, theta = case.args
        assert torch.func.grad(loss)(theta).abs().max() < 1e-6 * abs(float(loss(theta)))
        assert bool((torch.linalg.eigvalsh(standard_errors.curvature(loss, theta)) > 0).all())
        assert loss(theta * 1.01) > loss(theta)


def test_are_standard_errors_those_of_the_closed_forms(seed):
    u = Draws("test: errors")
    waits = standard_errors.waits(u, 23)
    by_formula = waits.lowest / math.sqrt(23)
    assert torch.allclose(standard_errors.reference(waits, waits.lowest), by_formula, rtol=1e-9)

    x, noise = u.uniform(17, 1.0, 4.0), 0.7
    columns = torch.stack([torch.ones_like(x), x], dim=1)
    inverse = torch.linalg.inv(columns.T @ columns)
    y = 1 - 2 * x + u.normal(17, 0.0, noise)
    best, spread = analytic.least_squares(x, y)
    lstsq = torch.linalg.lstsq(columns, y).solution
    assert torch.allclose(best, lstsq, rtol=1e-9)

    def nll(theta):
        return -Normal(theta[0] + theta[1] * x, theta[2]).log_prob(y).sum()

    errors = standard_errors.reference(nll, torch.cat([best, spread[None]]))
    assert torch.allclose(errors[:2], spread * inverse.diagonal().sqrt(), rtol=1e-9)
    assert float(errors[2]) == pytest.approx(float(spread) / math.sqrt(2 * 17), rel=1e-9)


def test_is_the_censored_estimate_at_the_top_of_what_was_seen(seed):
    for case in censored_mle.EXERCISE.cases():
        waits, ended = (a.to(DOUBLE) for a in case.args)
        rate, error = analytic.censored_mle(waits, ended)

        def nll(theta, waits=waits, ended=ended):
            family = Exponential(theta[0])
            beyond = torch.log1p(-family.cdf(waits))  # of waiting longer
            return -torch.where(ended == 1, family.log_prob(waits), beyond).sum()

        theta = torch.tensor([rate], dtype=DOUBLE)
        slope = float(torch.func.grad(nll)(theta))
        assert slope == pytest.approx(0.0, abs=1e-9 * float(waits.sum()))
        assert float(standard_errors.reference(nll, theta)) == pytest.approx(error, rel=1e-7)


def test_do_500_censored_samples_scatter_as_the_curvature_says():
    waits = data.waits("test: censored", 20_000, 0.4).reshape(500, 40)
    ended = (waits <= 3.0).double()
    found = [analytic.censored_mle(w.clamp(max=3.0), e) for w, e in zip(waits, ended, strict=True)]
    rates, errors = torch.tensor(found, dtype=DOUBLE).T
    # The spread of 500 estimates is known to 1/√1000 of itself.
    assert float(rates.std() / errors.mean()) == pytest.approx(1.0, abs=6.5 / math.sqrt(1000))
