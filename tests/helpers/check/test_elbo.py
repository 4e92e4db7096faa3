"""The closed forms of sheet 08, and everything numerical that its checks rest on."""

import math

import pytest
import torch
from torch.distributions import Beta, Normal, SigmoidTransform, TransformedDistribution

from helpers import check, data, demos
from helpers.check.elbo import analytic, elbo_quadrature, fit_weights, logistic
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
    assert float(analytic.expectation(lambda y: y**2, mu, sigma)) == pytest.approx(
        mu**2 + sigma**2, rel=1e-13
    )
    assert float(analytic.expectation(torch.exp, mu, sigma)) == pytest.approx(
        math.exp(mu + sigma**2 / 2), rel=1e-13
    )
    assert analytic.entropy(sigma) == pytest.approx(float(Normal(0.0, 1.3).entropy()), rel=1e-6)


@pytest.mark.parametrize("sigma", [0.2, 1.0, 2.5])
def test_does_a_finer_and_wider_grid_give_the_same_elbo(sigma):
    z = torch.linspace(-16, 16, 20001, dtype=DOUBLE)
    weights = Normal(0.0, 1.0).log_prob(z).exp()
    mean = torch.trapezoid(weights * analytic.log_joint(0.4 + sigma * z, 3, 4), z)
    expected = float(mean + analytic.entropy(sigma))
    assert float(analytic.elbo(0.4, sigma, 3, 4)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("a", "b"), SHAPES)
@pytest.mark.parametrize(("mu", "sigma"), [(-1.0, 1.0), (1.5, 2.0), (0.0, 0.3)])
def test_is_evidence_minus_elbo_the_divergence_to_the_posterior(a, b, mu, sigma):
    mu, sigma = torch.tensor(mu, dtype=DOUBLE), torch.tensor(sigma, dtype=DOUBLE)
    q, y = Normal(mu, sigma), mu + sigma * torch.linspace(-12, 12, 4001, dtype=DOUBLE)
    log_p, log_q = posterior(a, b).log_prob(y), q.log_prob(y)
    integral = torch.trapezoid(log_q.exp() * (log_q - log_p), y)
    assert float(analytic.kl(mu, sigma, a, b)) == pytest.approx(float(integral), rel=1e-8)


def test_is_the_reverse_divergence_that_of_draws_from_the_posterior():
    a, b, mu, sigma = 3.0, 4.0, 0.5, 1.2
    theta = data.uniform("test: elbo beta", 7 * 40_000).log().reshape(7, -1)
    heads, tails = -theta[:3].sum(0), -theta[3:].sum(0)  # two gammas, so heads/(both) is a Beta
    y = (heads / tails).log()
    terms = posterior(a, b).log_prob(y) - Normal(mu, sigma).log_prob(y)
    error = float(terms.std()) / math.sqrt(len(y))
    back = float(analytic.reverse_kl(mu, sigma, a, b))
    assert back == pytest.approx(float(terms.mean()), abs=5 * error)
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
    exact = [float(v) for v in analytic.gradient(0.9, 0.6, a, b)]
    assert exact == pytest.approx([by_mu, by_log_sigma / 0.6], rel=1e-10)
    at_top = [float(v) for v in analytic.gradient(*analytic.optimum(a, b), a, b)]
    assert at_top == pytest.approx([0, 0], abs=1e-11)


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_is_the_optimum_the_highest_point_around(a, b):
    mu, sigma = analytic.optimum(a, b)
    top = analytic.elbo(mu, sigma, a, b)
    for off in (-0.01, 0.01):
        assert analytic.elbo(mu + off, sigma, a, b) < top
        assert analytic.elbo(mu, sigma + off, a, b) < top


def test_is_the_optimum_of_the_five_flips_the_printed_one():
    assert analytic.optimum(3, 4) == pytest.approx((-0.329726, 0.817149), abs=6e-7)


def number(value):
    return torch.tensor(value, dtype=DOUBLE)


@pytest.mark.parametrize(("a", "b"), SHAPES)
@pytest.mark.parametrize(("mu", "sigma"), [(-1.0, 1.0), (1.5, 2.0), (0.0, 0.3)])
def test_do_the_parts_add_up_to_the_log_evidence(a, b, mu, sigma):
    fit, to_prior, gap = (float(v) for v in analytic.evidence_parts(mu, sigma, a, b))
    assert fit - to_prior + gap == pytest.approx(analytic.log_evidence(a, b), rel=1e-12)
    assert to_prior == pytest.approx(-float(analytic.elbo(mu, sigma, 1, 1)), rel=1e-12)
    assert min(to_prior, gap, -fit) > 0


@pytest.mark.parametrize("reach", [4, 8])
def test_are_the_wrong_integrals_what_their_nodes_give(reach):
    mu, sigma, flips = number(0.3), number(1.1), number([0.0, 1.0, 1.0, 0.0, 0.0])
    y = mu + sigma * torch.linspace(-reach, reach, 500, dtype=DOUBLE)
    log_q = Normal(mu, sigma).log_prob(y)
    integral = torch.trapezoid(log_q.exp() * (analytic.log_joint(y, 3, 4) - log_q), y)
    ends = mu - reach * sigma, mu + reach * sigma
    by_check = elbo_quadrature.integral(mu, sigma, flips, *ends)
    assert float(by_check) == pytest.approx(float(integral), rel=1e-6)
    short = abs(float(integral) / float(analytic.elbo(mu, sigma, 3, 4)) - 1)
    assert (short > 1e-5) == (reach == 4)


def test_is_a_fit_measured_in_posterior_standard_deviations():
    exercise = check.fit_elbo.__self__
    case = exercise.cases()[0]
    top = exercise.reference(*case.args)
    for off, away in [((0.01, 0.0), 0.01), ((0.0, 0.01), 0.01 * 2**0.5)]:
        got = number([top[0] + off[0] * top[1], top[1] * (1 + off[1])])
        assert exercise.agree.left(case, got, top) == pytest.approx(away, rel=0.1)
    assert exercise.agree.left(case, number([top[0], -top[1]]), top) == math.inf


def test_does_the_message_say_how_far_a_fit_is_away():
    with pytest.raises(CheckFailed) as failure:
        check.fit_elbo(lambda flips: analytic.laplace(*analytic.exponents(flips)))
    assert failure.value.wrong_turn == "mode and curvature"
    assert "posterior standard deviations away" in str(failure.value)


@pytest.mark.parametrize("make", [
    tuple, list, torch.tensor, lambda pair: torch.tensor(pair, dtype=DOUBLE).numpy(),
])  # fmt: skip
def test_are_fits_taken_as_floats_tensors_and_arrays(make):
    assert check.fit_elbo(lambda flips: make(analytic.optimum(*analytic.exponents(flips))))


# --- two weights ---------------------------------------------------------------------------------

SEEDS = range(1, 9)


def throws(seed):
    with data.seeded(seed):
        return fit_weights.EXERCISE.cases()[0].args[:2]


def away(seed, mean, covariance, full=True):
    """How many posterior standard deviations a normal is from the top."""
    x, hits = throws(seed)
    top = logistic.elbo(*logistic.top(x, hits, full), x, hits)
    return math.sqrt(2 * float(top - logistic.elbo(mean, covariance, x, hits)))


def test_is_the_elbo_of_weights_that_of_a_fine_grid():
    x, hits = throws(1)
    mean, covariance = logistic.top(x, hits, True)
    z = torch.linspace(-8, 8, 321, dtype=DOUBLE)
    pairs = torch.cartesian_prod(z, z)
    w = pairs @ torch.linalg.cholesky(covariance).T + mean
    logits = w @ logistic.design(x).T
    log_p = torch.nn.functional.logsigmoid((2 * hits - 1) * logits).sum(1)
    log_p = log_p + Normal(number(0.0), number(logistic.PRIOR)).log_prob(w).sum(1)
    q = torch.distributions.MultivariateNormal(mean, covariance)
    weights = torch.exp(-(pairs**2).sum(1) / 2) / (2 * math.pi) * (z[1] - z[0]) ** 2
    by_grid = float((weights * (log_p - q.log_prob(w))).sum())
    assert float(logistic.elbo(mean, covariance, x, hits)) == pytest.approx(by_grid, abs=1e-8)


@pytest.mark.parametrize("full", [True, False])
def test_is_the_top_of_the_weights_the_highest_point_around(full):
    x, hits = throws(2)
    five = logistic.as_five(*logistic.top(x, hits, full)).requires_grad_()
    elbo = logistic.elbo(*logistic.of_five(five), x, hits)
    (slope,) = torch.autograd.grad(elbo, five)
    assert slope[: 5 if full else 4].abs().max() < 1e-8


def test_is_every_other_normal_bounds_away_on_every_seed():
    for seed in SEEDS:
        x, hits = throws(seed)
        assert away(seed, *logistic.laplace(x, hits)) > 0.4
        assert away(seed, *logistic.posterior(x, hits)) > 0.2
        assert away(seed, *logistic.top(x, hits, False)) > 1.0


def test_is_a_normal_on_the_peak_refused_and_named():
    with pytest.raises(CheckFailed) as failure:
        check.fit_weights(lambda *given: fit_weights.by_peak(*given).values[-1])
    assert failure.value.wrong_turn == "mode and curvature"


def climbed(x, hits, generator):
    """Return where the text's recipe ends: five raw numbers, averaged over half of 500 steps."""
    raw = torch.zeros(5, dtype=DOUBLE, requires_grad=True)
    optimizer, kept = torch.optim.Adam([raw], lr=0.1), []
    for _ in range(500):
        z = torch.randn(200, 2, generator=generator, dtype=DOUBLE)
        second = raw[1] + raw[3].exp() * z[:, 1] + raw[4] * z[:, 0]
        w = torch.stack([raw[0] + raw[2].exp() * z[:, 0], second], dim=1)
        logits = (2 * hits - 1) * (w @ logistic.design(x).T)
        log_p = torch.nn.functional.logsigmoid(logits).sum(1) - (w**2).sum(1) / 18
        optimizer.zero_grad()
        (-log_p.mean() - raw[2:4].sum()).backward()
        optimizer.step()
        kept.append(raw.detach().clone())
    m0, m1, l0, l1, l10 = torch.stack(kept[250:]).mean(0)
    lower = torch.stack([torch.stack([l0.exp(), 0 * l0]), torch.stack([l10, l1.exp()])])
    return torch.stack([m0, m1]), lower @ lower.T


def test_does_the_recipe_of_the_text_end_near_the_top():
    # The squared distance is about a chi-squared of five degrees, scaled: beyond 10.5 times its
    # mean lie less than 1e-9 of it.
    ends = [away(s, *climbed(*throws(s), data.generator(f"test: {s}"))) ** 2 for s in SEEDS[:4]]
    assert sum(ends) / len(ends) < fit_weights.BOUND**2 / 10.5


@pytest.mark.parametrize("mu", [-2.0, 0.3, 2.0])
@pytest.mark.parametrize("sigma", [0.4, 2.5])
def test_do_the_bars_of_the_demo_always_end_at_the_log_evidence(mu, sigma):
    elbo, gap, evidence = demo.parts(mu, sigma)
    assert elbo + gap == pytest.approx(evidence, abs=1e-6)
    assert elbo == pytest.approx(float(analytic.elbo(mu, sigma, 3, 4)), abs=1e-6)
    assert elbo > demo.FLOOR
    assert f"{gap:.3f}" in demos.draw_elbo_and_gap(mu, sigma)[1]
