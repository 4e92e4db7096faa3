"""The closed forms of sheet 02, and everything numerical that its checks rest on."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Exponential, Normal, Poisson, kl_divergence

from helpers import data
from helpers.check import normal_facts
from helpers.check.kit.asks import Draws
from helpers.check.likelihood import analytic, first_underflow, grid_search

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
