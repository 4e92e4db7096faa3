"""The closed forms of sheet 08, and everything numerical that its checks rest on."""

import math

import pytest
import torch
from torch.distributions import Beta, Normal, SigmoidTransform, TransformedDistribution

from helpers import data, demos
from helpers.check.elbo import analytic, bound, draws, fit
from helpers.check.elbo import joint as checks
from helpers.check.elbo import noise as fresh_noise
from helpers.check.kit import agree
from helpers.check.kit.message import CheckFailed
from helpers.demos import elbo as demo

DOUBLE = torch.float64
SHAPES = [(3.0, 4.0), (2.0, 8.0), (12.0, 5.0)]


def posterior(a, b):
    beta = Beta(torch.tensor(a, dtype=DOUBLE), torch.tensor(b, dtype=DOUBLE))
    return TransformedDistribution(beta, SigmoidTransform().inv)


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_is_the_joint_density_the_posterior_times_the_evidence(a, b):
    y = torch.linspace(-6, 6, 41, dtype=DOUBLE)
    by_torch = posterior(a, b).log_prob(y) + analytic.log_evidence(a, b)
    assert torch.allclose(analytic.log_joint(y, a, b), by_torch, rtol=1e-10)


def test_is_the_evidence_of_the_five_flips_one_in_sixty():
    flips = torch.tensor([0.0, 1.0, 1.0, 0.0, 0.0])
    assert analytic.exponents(flips) == (3.0, 4.0)
    assert analytic.log_evidence(3, 4) == pytest.approx(-math.log(60), rel=1e-14)


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_is_the_evidence_the_integral_of_the_joint_density(a, b):
    y = torch.linspace(-80, 80, 40001, dtype=DOUBLE)
    integral = torch.trapezoid(analytic.log_joint(y, a, b).exp(), y)
    assert float(integral.log()) == pytest.approx(analytic.log_evidence(a, b), rel=1e-12)


def test_is_the_slope_that_of_autograd():
    y = torch.linspace(-5, 5, 11, dtype=DOUBLE, requires_grad=True)
    (by_autograd,) = torch.autograd.grad(analytic.log_joint(y, 3, 4).sum(), y)
    assert torch.allclose(analytic.slope(y.detach(), 3, 4), by_autograd, rtol=1e-12)


def test_are_expectations_under_a_normal_exact_where_they_are_known():
    mu, sigma = 0.7, 1.3
    assert analytic.expectation(lambda y: y**2, mu, sigma) == pytest.approx(
        mu**2 + sigma**2, rel=1e-13
    )
    assert analytic.expectation(torch.exp, mu, sigma) == pytest.approx(
        math.exp(mu + sigma**2 / 2), rel=1e-13
    )
    assert analytic.entropy(sigma) == pytest.approx(float(Normal(0.0, 1.3).entropy()), rel=1e-6)


@pytest.mark.parametrize("sigma", [0.2, 1.0, 2.5])
def test_does_a_finer_and_wider_grid_give_the_same_elbo(sigma):
    z = torch.linspace(-16, 16, 20001, dtype=DOUBLE)
    weights = Normal(0.0, 1.0).log_prob(z).exp()
    mean = torch.trapezoid(weights * analytic.log_joint(0.4 + sigma * z, 3, 4), z)
    expected = float(mean) + analytic.entropy(sigma)
    assert analytic.elbo(0.4, sigma, 3, 4) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("a", "b"), SHAPES)
@pytest.mark.parametrize(("mu", "sigma"), [(-1.0, 1.0), (1.5, 2.0), (0.0, 0.3)])
def test_is_evidence_minus_elbo_the_divergence_to_the_posterior(a, b, mu, sigma):
    mu, sigma = torch.tensor(mu, dtype=DOUBLE), torch.tensor(sigma, dtype=DOUBLE)
    q, y = Normal(mu, sigma), mu + sigma * torch.linspace(-12, 12, 4001, dtype=DOUBLE)
    log_p, log_q = posterior(a, b).log_prob(y), q.log_prob(y)
    integral = torch.trapezoid(log_q.exp() * (log_q - log_p), y)
    assert analytic.kl(float(mu), float(sigma), a, b) == pytest.approx(float(integral), rel=1e-8)


def test_is_the_reverse_divergence_that_of_draws_from_the_posterior():
    a, b, mu, sigma = 3.0, 4.0, 0.5, 1.2
    theta = data.uniform("test: elbo beta", 7 * 40_000).log().reshape(7, -1)
    heads, tails = -theta[:3].sum(0), -theta[3:].sum(0)  # two gammas, so heads/(both) is a Beta
    y = (heads / tails).log()
    terms = posterior(a, b).log_prob(y) - Normal(mu, sigma).log_prob(y)
    error = float(terms.std()) / math.sqrt(len(y))
    assert analytic.reverse_kl(mu, sigma, a, b) == pytest.approx(float(terms.mean()), abs=5 * error)
    mean, deviation = analytic.moments(a, b)
    assert mean == pytest.approx(float(y.mean()), abs=5 * deviation / math.sqrt(len(y)))
    assert deviation == pytest.approx(float(y.std()), rel=0.03)


def elbo_of(parameters, a, b):
    """The ELBO as a function of (mu, log sigma), tracked."""
    mu, sigma = parameters[0], parameters[1].exp()
    joint = analytic.log_joint(mu + sigma * analytic.NODES, a, b)
    return (analytic.WEIGHTS * joint).sum() + parameters[1]


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_is_the_gradient_that_of_autograd_and_zero_at_the_optimum(a, b):
    at = torch.tensor([0.9, math.log(0.6)], dtype=DOUBLE, requires_grad=True)
    by_mu, by_log_sigma = torch.autograd.grad(elbo_of(at, a, b), at)[0].tolist()
    exact = analytic.gradient(0.9, 0.6, a, b)
    assert exact == pytest.approx((by_mu, by_log_sigma / 0.6), rel=1e-10)
    assert analytic.gradient(*analytic.optimum(a, b), a, b) == pytest.approx((0, 0), abs=1e-11)


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_is_the_optimum_the_highest_point_around(a, b):
    mu, sigma = analytic.optimum(a, b)
    top = analytic.elbo(mu, sigma, a, b)
    for off in (-0.01, 0.01):
        assert analytic.elbo(mu + off, sigma, a, b) < top
        assert analytic.elbo(mu, sigma + off, a, b) < top


def test_is_the_optimum_of_the_five_flips_the_printed_one():
    assert analytic.optimum(3, 4) == pytest.approx((-0.329726, 0.817149), abs=6e-7)


def test_is_the_distance_in_posterior_standard_deviations():
    mu, sigma = analytic.optimum(3, 4)
    assert analytic.distance(mu + 0.01 * sigma, sigma, 3, 4) == pytest.approx(0.01, rel=0.05)
    assert analytic.distance(mu, sigma * 1.01, 3, 4) == pytest.approx(0.01 * 2**0.5, rel=0.1)
    assert analytic.distance(mu, sigma, 3, 4) < 1e-6
    assert analytic.distance(mu, -sigma, 3, 4) == math.inf


@pytest.mark.parametrize("reach", [4, 8])
def test_are_the_wrong_integrals_what_their_nodes_give(reach):
    mu, sigma = 0.3, 1.1
    y = mu + sigma * torch.linspace(-reach, reach, 500, dtype=DOUBLE)
    log_q = Normal(*torch.tensor([mu, sigma], dtype=DOUBLE)).log_prob(y)
    integral = torch.trapezoid(log_q.exp() * (analytic.log_joint(y, 3, 4) - log_q), y)
    ends = mu - reach * sigma, mu + reach * sigma
    assert bound._integrated(mu, sigma, 3, 4, *ends) == pytest.approx(float(integral), rel=1e-6)
    short = abs(float(integral) / analytic.elbo(mu, sigma, 3, 4) - 1)
    assert (short > 1e-5) == (reach == 4)


def cumulants(terms):
    """Mean and standard deviation of terms at the nodes, under a standard normal."""
    mean = (analytic.WEIGHTS * terms).sum()
    return mean, ((analytic.WEIGHTS * (terms - mean) ** 2).sum()).sqrt()


def upper_tail(terms, n, level):
    """P(mean of n terms lies ``level`` above its expectation), terms given at the nodes.

    Lugannani and Rice's saddlepoint formula, with the cumulant function integrated on the nodes.
    """
    mean, deviation = cumulants(terms)
    x = terms - mean
    t = level / float(deviation) ** 2
    for _ in range(30):
        tilted = analytic.WEIGHTS * torch.exp(t * x)
        total = tilted.sum()
        first = float((tilted * x).sum() / total)
        second = float((tilted * x**2).sum() / total) - first**2
        t += (level - first) / second
    k = math.log(float(total))
    w = math.copysign(math.sqrt(2 * n * (t * level - k)), t)
    u = t * math.sqrt(n * second)
    return 0.5 * math.erfc(w / math.sqrt(2)) + math.exp(-(w**2) / 2) / math.sqrt(2 * math.pi) * (
        1 / u - 1 / w
    )


def test_is_the_tail_formula_right_where_it_can_be_simulated():
    a, b, n = 3.0, 4.0, 10
    y = data.normal("test: elbo tail", 2_000_000, 0.2, 1.3).reshape(-1, n)
    terms = analytic.log_joint(0.2 + 1.3 * analytic.NODES, a, b)
    mean, deviation = cumulants(terms)
    level = -2.5 * float(deviation) / math.sqrt(n)
    seen = (analytic.log_joint(y, a, b).mean(1) - mean < level).double().mean()
    assert float(seen) == pytest.approx(upper_tail(-terms, n, -level), rel=0.05)


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_does_a_right_estimate_fail_less_than_once_in_a_billion(monkeypatch, seed):
    monkeypatch.setenv("COURSE_DATA_SEED", seed)
    z, n = analytic.NODES, draws.DRAWS

    def both_tails(terms, allowed):
        skewness = (analytic.WEIGHTS * ((terms - cumulants(terms)[0]) ** 3)).sum()
        assert abs(float(skewness / cumulants(terms)[1] ** 3)) < 3.0
        level = agree.SAMPLED_Z * allowed / math.sqrt(n)
        return upper_tail(terms, n, level) + upper_tail(-terms, n, level)

    spent = 0.0
    for _, mu, sigma, flips in draws.sampled_cases():
        given = bound.plain(mu, sigma, flips)
        joint = analytic.log_joint(mu + sigma * z, *given[2:])
        allowed = draws.spread(*given)
        spent += max(both_tails(terms, allowed) for terms in (joint, joint + z**2 / 2))
    assert spent < 1e-9
    spent = 0.0
    for _, mu, sigma, flips in draws.gradient_cases():
        given = bound.plain(mu, sigma, flips)
        s = analytic.slope(mu + sigma * z, *given[2:])
        for allowed, weight in zip(
            draws.gradient_spread(*given).tolist(), (torch.ones_like(z), z), strict=True
        ):
            spent += max(both_tails(weight * v, allowed) for v in (s, s + z / sigma))
    assert spent < 1e-9


def test_are_the_spreads_those_of_draws():
    mu, sigma, a, b = 0.4, 0.6, 3.0, 4.0
    z = data.normal("test: elbo spread", 100_000)
    y = mu + sigma * z
    joint, s = analytic.log_joint(y, a, b), analytic.slope(y, a, b)
    wider = max(float(joint.std()), float((joint + z**2 / 2).std()))
    assert draws.spread(mu, sigma, a, b) == pytest.approx(wider, rel=0.03)
    wider = [max(float((w * v).std()) for v in (s, s + z / sigma)) for w in (torch.ones(1), z)]
    assert draws.gradient_spread(mu, sigma, a, b).tolist() == pytest.approx(wider, rel=0.03)


def largest_share(values, width):
    """The largest share of values in any window of a width."""
    ordered = values.sort().values
    inside = torch.searchsorted(ordered, ordered + width) - torch.arange(len(ordered))
    return float(inside.max()) / len(ordered)


def test_do_right_estimates_hardly_ever_lie_so_near_each_other_as_to_be_refused():
    z = data.normal("test: elbo noise", 200_000).reshape(2, -1)
    pairs = {"two draws": z, "antithetic": torch.stack([z[0], -z[0]])}
    for mu, sigma in [(0.9, 1.4), (1.2, 1.6)]:
        given = mu, sigma, 7.0, 4.0
        near = {}
        for name, noise in pairs.items():
            y = mu + sigma * noise
            joint, s = analytic.log_joint(y, 7, 4), analytic.slope(y, 7, 4)
            terms = {"closed": joint, "averaged": joint + noise**2 / 2}
            slopes = {"closed": s, "path": s + noise / sigma}
            of_elbo = 0.1 * draws.spread(*given) / 2**0.5
            of_slope = 0.1 * float(draws.gradient_spread(*given)[0]) / 2**0.5
            near |= {(name, k): largest_share(t.mean(0), of_elbo) for k, t in terms.items()}
            near |= {(name, "by mu", k): largest_share(t.mean(0), of_slope)
                     for k, t in slopes.items()}  # fmt: skip
        worst = max(near.values())
        assert worst < 0.4, near
        assert fresh_noise.CALLS * worst ** (fresh_noise.CALLS - 1) < 1e-10


def test_is_the_joint_density_finite_where_the_sigmoid_rounds():
    y = torch.tensor([-60.0, -40.0, 40.0, 60.0], dtype=DOUBLE)
    flips = checks.shuffled("test: elbo far", 2, 1)
    by_hand, clamped = checks._rounded(y, flips)[:2]
    assert analytic.log_joint(y, 3, 2).isfinite().all()
    assert torch.isneginf(by_hand[2:]).all()
    assert (clamped - analytic.log_joint(y, 3, 2)).abs().min() > 1


def test_does_the_message_say_how_far_a_fit_is_away():
    with pytest.raises(CheckFailed) as failure:
        fit.fit_elbo(lambda flips: analytic.laplace(*analytic.exponents(flips)))
    assert failure.value.wrong_turn == "mode and curvature"
    assert "0.1 posterior standard deviations away" in str(failure.value)


@pytest.mark.parametrize("fresh", ["practice", "fresh"])
def test_are_fits_taken_as_floats_tensors_and_arrays(fresh):
    for make in (tuple, list, torch.tensor, lambda pair: torch.tensor(pair, dtype=DOUBLE).numpy()):
        assert fit.fit_elbo(
            lambda flips, make=make: make(analytic.optimum(*analytic.exponents(flips))), fresh
        )


@pytest.mark.parametrize("mu", [-2.0, 0.3, 2.0])
@pytest.mark.parametrize("sigma", [0.4, 2.5])
def test_do_the_bars_of_the_demo_always_end_at_the_log_evidence(mu, sigma):
    elbo, gap, evidence = demo.parts(mu, sigma)
    assert elbo + gap == pytest.approx(evidence, abs=1e-6)
    assert elbo == pytest.approx(analytic.elbo(mu, sigma, 3, 4), abs=1e-6)
    assert elbo > demo.FLOOR
    assert f"{gap:.3f}" in demos.draw_elbo_and_gap(mu, sigma)[1]
