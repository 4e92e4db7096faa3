"""The closed forms of sheet 02, and everything numerical that its checks rest on."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Exponential, Normal, Poisson, kl_divergence

from helpers import data
from helpers.check import normal_facts
from helpers.check.kit import agree
from helpers.check.likelihood import analytic, divergence, estimates, log_likelihoods

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
    densities = log_likelihoods.plunge("test: underflow", dtype)
    n = log_likelihoods.zero_at(densities)
    assert n is not None
    for order in (lambda d: d, lambda d: d.flip(0), lambda d: d.sort().values):
        assert log_likelihoods.zero_at(order(densities[:n])) is not None
        assert log_likelihoods.zero_at(order(densities[: n - 1])) is None
    assert int((densities.cumprod(0) > 0).sum()) + 1 == n
    assert bool(densities[:n].prod() == 0)
    assert bool(densities[: n - 1].prod() > 0)


def test_do_single_double_and_smallest_normal_underflow_at_different_n(seed):
    densities = log_likelihoods.plunge("test: underflow", torch.float32)
    normal = (densities.cumprod(0) >= torch.finfo(torch.float32).tiny).sum() + 1
    single, double = (
        log_likelihoods.zero_at(densities),
        log_likelihoods.zero_at(densities.to(DOUBLE)),
    )
    assert normal < single < double < len(densities)


def test_is_none_returned_where_nothing_underflows():
    assert log_likelihoods.zero_at(torch.full((100,), 0.5)) is None


@pytest.mark.parametrize(("loc", "scale"), [(6.0, 0.8), (-10.0, 3.0)])
def test_is_the_best_cell_within_half_a_cell_of_the_closed_form(seed, loc, scale):
    x = data.normal(f"test: grid {loc}", 80, loc, scale)
    mean, deviation = normal_facts.normal_mle(x)
    step = 0.2 * deviation
    locs = estimates.grid_around("test: locs", mean, step, 9, 5)
    scales = estimates.grid_around("test: scales", deviation, step, 7, 3)
    cells = estimates.table(x, locs, scales)
    i, j = divmod(int(cells.argmax()), len(scales))
    assert (i, j) == (5, 3)
    assert abs(float(locs[i]) - mean) <= step / 2
    assert abs(float(scales[j]) - deviation) <= step / 2
    first, second = cells.flatten().topk(2).values
    assert first - second > 1e-4 * abs(first)  # no precision of an answer decides it


def test_do_all_products_underflow_on_the_large_grid(seed):
    x = data.normal("likelihood: grid 400", 400, -10.0, 3.0)
    assert bool((Normal(-10.0, 3.0).log_prob(x).exp().prod()) == 0)


@pytest.mark.parametrize(("ratio", "shift"), [(0.4, 1.2), (0.3, -1.8), (1.5, 0.5)])
def test_is_the_standard_error_that_of_the_wider_estimator(ratio, shift):
    n, repeats = 50, 4000
    z = data.normal(f"test: kl {ratio}", n * repeats).reshape(repeats, n)
    p, q = Normal(0.0, 1.0), Normal(-shift / ratio, 1 / ratio)
    with_entropy = -q.log_prob(z).mean(1) - p.entropy()
    with_ratio = (p.log_prob(z) - q.log_prob(z)).mean(1)
    wider = max(float(with_entropy.std()), float(with_ratio.std()))
    assert divergence.kl_standard_error(ratio, shift, n) == pytest.approx(wider, rel=0.06)


def upper_tail(a: float, b: float, n: int, z: float) -> float:
    """P(mean of n terms a·(x² − 1) + b·x is z standard errors up), x standard normal.

    Lugannani and Rice's saddlepoint formula, from the cumulant function
    K(t) = −at − ½ log(1 − 2at) + b²t²/(2(1 − 2at)) of one term.
    """
    level = z * math.sqrt((2 * a**2 + b**2) / n)

    def k(t):
        return -a * t - 0.5 * torch.log(1 - 2 * a * t) + b**2 * t**2 / (2 * (1 - 2 * a * t))

    def slopes(t):
        at = torch.tensor(t, dtype=DOUBLE, requires_grad=True)
        (first,) = torch.autograd.grad(k(at), at, create_graph=True)
        (second,) = torch.autograd.grad(first, at)
        return first.item(), second.item()

    t = 0.0
    for _ in range(20):  # Newton's method for K'(t) = level
        first, second = slopes(t)
        t += (level - first) / second
    w = math.sqrt(2 * n * (t * level - float(k(torch.tensor(t, dtype=DOUBLE)))))
    u = t * math.sqrt(n * slopes(t)[1])
    normal_tail = 0.5 * math.erfc(w / math.sqrt(2))
    return normal_tail + math.exp(-(w**2) / 2) / math.sqrt(2 * math.pi) * (1 / u - 1 / w)


def test_is_the_tail_formula_right_where_it_can_be_simulated():
    x = data.normal("test: tail", 2_000_000).reshape(-1, 10)
    seen = ((0.5 * (x**2 - 1) + 0.3 * x).mean(1) > 2 * math.sqrt(0.59 / 10)).double().mean()
    assert float(seen) == pytest.approx(upper_tail(0.5, 0.3, 10, 2.0), rel=0.05)


def test_does_a_right_kl_estimate_fail_less_than_once_in_a_billion():
    for ratio in (1 / 2.5, 1 / 3.5):
        for shift in (1.2, 1.8):
            se = divergence.kl_standard_error(ratio, shift, divergence.KL_DRAWS)
            for a in (ratio**2 / 2, (ratio**2 - 1) / 2):
                b = ratio * shift
                own = math.sqrt((2 * a**2 + b**2) / divergence.KL_DRAWS)
                z = agree.SAMPLED_Z * se / own  # the narrower estimator has more room
                both = sum(upper_tail(s, b, divergence.KL_DRAWS, z) for s in (a, -a))
                assert 2 * both < 1e-9  # two cases in one check
