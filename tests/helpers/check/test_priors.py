"""The closed forms of sheet 10, and what its checks rest on."""

import math

import pytest
import torch

from helpers import check, data
from helpers.check.kit.message import CheckFailed
from helpers.check.priors import analytic, linear_ensemble, train_members

DOUBLE = torch.float64


def some_data(n=7, d=3):
    g = torch.Generator().manual_seed(3)
    return (torch.randn(shape, generator=g, dtype=DOUBLE) for shape in ((n, d), (n,), (n,), (d,)))


def test_does_a_member_sit_at_the_bottom_of_its_loss():
    X, y, noise, draw = some_data()
    w = analytic.member(X, y, 0.6, 1.7, noise, draw).requires_grad_(True)
    loss = ((y + noise - X @ w) ** 2).sum() / 0.6**2 + ((w - draw) ** 2).sum() / 1.7**2
    assert torch.autograd.grad(loss, w)[0].abs().max() < 1e-10


def test_is_the_posterior_that_of_conditioning_a_joint_normal():
    X, y, *_ = some_data()
    mean, covariance = analytic.posterior(X, y, 0.6, 1.7)
    of_y = 1.7**2 * X @ X.T + 0.6**2 * torch.eye(7, dtype=DOUBLE)
    gain = 1.7**2 * X.T @ torch.linalg.inv(of_y)
    assert torch.allclose(mean, gain @ y)
    assert torch.allclose(covariance, 1.7**2 * torch.eye(3, dtype=DOUBLE) - gain @ X * 1.7**2)


def test_are_members_draws_from_the_posterior():
    X, y, *_ = some_data()
    (mean, covariance), ridge = analytic.posterior(X, y, 0.6, 1.7), 0.6**2 / 1.7**2
    for got, wanted in zip(analytic.pulled(X, y, ridge, 0.6, 1.7), (mean, covariance), strict=True):
        assert torch.allclose(got, wanted)
    parts = [analytic.pulled(X, y, ridge, *which)[1] for which in ((0.6, 0.0), (0.0, 1.7))]
    assert torch.allclose(parts[0] + parts[1], covariance)


@pytest.mark.parametrize("n", [1, 2, 20])
def test_is_the_share_of_different_ones_that_of_counting(n):
    draws = torch.randint(0, n, (20000, n), generator=torch.Generator().manual_seed(n))
    share = sum(len(set(row)) for row in draws[:4000].tolist()) / 4000 / n
    assert share == pytest.approx(analytic.unique_share(n), abs=0.005)


@pytest.mark.parametrize("seed", [1, 2])
def test_do_noise_and_prior_have_shares_of_their_own(seed):
    with data.seeded(seed):
        for case in linear_ensemble.EXERCISE.cases()[:2]:
            X, y, sigma, tau, _ = case.args
            mean, covariance = analytic.posterior(X, y, sigma, tau)
            of_noise = analytic.pulled(X, y, sigma**2 / tau**2, sigma, 0.0)[1]
            share = float(torch.trace(torch.linalg.solve(covariance, of_noise))) / len(mean)
            assert 0.3 < share < 0.7
            assert float((mean**2 / covariance.diagonal()).min()) > 4


@pytest.mark.parametrize("seed", [1, 2])
def test_do_members_trained_together_end_where_each_ends_alone(seed):
    with data.seeded(seed):
        for case in train_members.EXERCISE.cases():
            one, all_at_once = train_members.alone(*case.args), train_members.reference(*case.args)
            assert torch.allclose(one, all_at_once, rtol=1e-9)


def test_is_a_right_ensemble_ever_refused():
    with data.seeded(1):
        case = linear_ensemble.EXERCISE.cases()[0]
    rare = []
    for seed in range(200):
        torch.manual_seed(seed)
        z = torch.randn(case.args[-1], 2, dtype=DOUBLE)
        mean, covariance = analytic.posterior(*case.args[:-1])
        w = mean + z @ torch.linalg.cholesky(covariance).T
        rare += [test(w, *case.args)[2] for _, _, test in linear_ensemble.LAW.statistics]
    # Tail probabilities are at least as large as uniform ones: one in 2000 is not below 1e-6.
    assert max(rare) < math.log(1e-6) / math.log(2e-12)


class Mistaken(torch.nn.Module):
    """A model whose every prior is another one."""

    def __init__(self, base, prior, scale):
        super().__init__()
        self.base, self.prior, self.scale = base, prior, scale

    def forward(self, x):
        with torch.no_grad():
            for parameter in self.prior.parameters():
                parameter.normal_()
            return_prior = self.prior(x)
        return self.base(x) + self.scale * return_prior


@pytest.mark.parametrize(("answer", "name"), [(Mistaken, "prior drawn anew"),
                                              (3.0, "wrong type")])  # fmt: skip
def test_is_a_class_asked_like_a_function(answer, name):
    with pytest.raises(CheckFailed) as caught:
        check.model_with_prior(answer)
    assert caught.value.wrong_turn == name
