"""The closed forms of sheet 13, each by a second way, and what its checks rest on."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from helpers import data
from helpers.check.hierarchy import analytic, fit_full, hierarchical_fit, partial_pooling
from helpers.demos import hierarchy as demo

DOUBLE = torch.float64


@pytest.fixture
def pupils():
    """Sixty pupils in nine schools, one of which has none."""
    n = 60
    school = (9 * data.uniform("test: school", n) ** 2).long()
    school = torch.where(school == 4, 8, school)
    X = torch.stack([torch.ones(n, dtype=DOUBLE), data.normal("test: income", n, 5.0, 2.0)], dim=1)
    return X, 20 + 3 * X[:, 1] + data.normal("test: scores", n, 0.0, 20.0), school


@pytest.fixture
def weights(pupils):
    X, y, school = pupils
    H = torch.cat([X, analytic.members(school)], dim=1)
    prior = torch.tensor([50.0, 50.0, *[12.0] * (H.shape[1] - 2)], dtype=DOUBLE)
    return H, y, 18.0, prior


def test_is_partial_pooling_a_regression_on_ones(pupils):
    _, y, school = pupils
    beta, u = analytic.gls(torch.ones(len(y), 1, dtype=DOUBLE), y, school, 12.0, 18.0)
    assert torch.allclose(analytic.blup(y, school, 12.0, 18.0), beta[0] + u)
    assert u[4] == 0


def test_do_both_ends_of_tau_pool_none_and_all(pupils):
    _, y, school = pupils
    n = analytic.sizes(school)
    assert torch.allclose(analytic.blup(y, school, 0.0, 18.0), y.mean().expand(len(n)))
    none = analytic.blup(y, school, 1e7, 18.0)
    assert torch.allclose(none[n > 0], analytic.means(y, school)[n > 0])


def test_is_the_fit_the_limit_of_the_posterior_under_a_wide_prior(pupils):
    X, y, school = pupils
    beta, u = analytic.gls(X, y, school, 12.0, 18.0)
    H = torch.cat([X, analytic.members(school)], dim=1)
    prior = torch.cat([torch.full((2,), 1e5), torch.full((len(u),), 12.0)]).double()
    mean, _ = analytic.posterior(H, y, 18.0, prior)
    assert torch.allclose(mean, torch.cat([beta, u]), rtol=1e-5, atol=1e-5)


def test_does_the_bound_of_the_posterior_reach_the_evidence(weights):
    evidence = analytic.log_evidence(*weights)
    assert float(analytic.elbo(*analytic.posterior(*weights), *weights)) == pytest.approx(
        float(evidence), abs=1e-9
    )


def test_is_the_gap_of_any_q_its_divergence_from_the_posterior(weights):
    d = len(weights[3])
    L = 0.3 * data.normal("test: L", d * d).reshape(d, d).tril(-1) + torch.eye(d, dtype=DOUBLE)
    m = data.normal("test: m", d, 1.0, 3.0)
    mean, covariance = analytic.posterior(*weights)
    gap = analytic.log_evidence(*weights) - analytic.elbo(m, L @ L.T, *weights)
    q, p = MultivariateNormal(m, scale_tril=L), MultivariateNormal(mean, covariance)
    assert float(gap) == pytest.approx(float(kl_divergence(q, p)), rel=1e-8)


def test_is_the_mean_field_gap_what_its_bound_leaves(weights):
    H, y, sigma, prior = weights
    P = analytic.joint_precision(H, sigma, prior)
    m, variances, gap = analytic.mean_field(P, H.T @ y / sigma**2)
    bound = analytic.elbo(m, torch.diag(variances), *weights)
    assert float(analytic.log_evidence(*weights) - bound) == pytest.approx(float(gap), rel=1e-7)


def test_is_the_bound_of_fit_full_half_a_hundredth_of_a_nat(weights):
    mean, covariance = analytic.posterior(*weights)
    row = torch.cat([mean, covariance.flatten()])
    P = analytic.joint_precision(weights[0], weights[2], weights[3])
    step = torch.zeros_like(mean)
    step[0] = 1 / P[0, 0].sqrt()
    off = torch.cat([mean + 0.1 * step, covariance.flatten()])
    gap = fit_full.minus_elbo(off, *weights) - fit_full.minus_elbo(row, *weights)
    assert float(gap) == pytest.approx(0.005, rel=1e-6)


@pytest.mark.parametrize("spoil", ["lopsided", "negative", "nan"])
def test_is_a_matrix_that_is_no_covariance_beyond_every_bound(weights, spoil):
    mean, covariance = analytic.posterior(*weights)
    if spoil == "lopsided":
        covariance = covariance.triu()
    if spoil == "negative":
        covariance = -covariance
    if spoil == "nan":
        covariance = covariance * math.nan
    row = torch.cat([mean, covariance.flatten()])
    assert fit_full.minus_elbo(row, *weights) == math.inf


def test_is_it_said_which_part_fits(pupils):
    X, y, school = pupils
    given = (X, y, school, 12.0, 18.0)
    beta, u = analytic.gls(*given)
    share = analytic.shares(analytic.sizes(school), 12.0, 18.0)
    other = beta + 1
    assert hierarchical_fit._u_fits((other, share * analytic.means(y - X @ other, school)), given)
    assert not hierarchical_fit._u_fits((other, u), given)
    odd = u * torch.linspace(0.5, 2.0, len(u), dtype=DOUBLE)
    left = y - odd[school]
    assert hierarchical_fit._beta_fits((torch.linalg.solve(X.T @ X, X.T @ left), odd), given)
    assert not hierarchical_fit._beta_fits((beta, odd), given)


def test_is_it_said_what_schools_are_drawn_to(pupils):
    _, y, school = pupils
    given = (y, school, 12.0, 18.0)
    own, share = analytic.means(y, school), analytic.shares(analytic.sizes(school), 12.0, 18.0)
    elsewhere = 7.0 + share * (own - 7.0)
    assert partial_pooling._to_one_place(elsewhere, given)
    assert not partial_pooling._by_other_shares(elsewhere, given)
    pooled = analytic.blup(*given)
    assert not partial_pooling._to_one_place(pooled + share, given)


def test_are_the_schools_alike_at_every_call_and_others_under_a_seed():
    first, again = data.schools("hierarchy"), data.schools("hierarchy")
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    with data.seeded(3):
        assert not torch.equal(data.schools("hierarchy")[1], first[1])
    assert torch.bincount(first[2]).sort().values.tolist() == sorted(data.SCHOOL_SIZES)


@pytest.mark.parametrize("tau", [0.0, 40.0, 200.0])
def test_does_the_demo_pool_as_the_check_does(tau):
    _, y, school, _ = data.schools("hierarchy")
    pooled = demo.shrunk(tau)[2]
    assert torch.allclose(pooled, analytic.blup(y, school, tau, demo.SIGMA))
