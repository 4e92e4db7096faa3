"""The closed forms of sheet 09, and everything numerical that its checks and its demo rest on."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal

from helpers import check, data, demos
from helpers.check.kit.message import CheckFailed
from helpers.check.map import analytic, fit_map
from helpers.check.map import weight_decay as decay
from helpers.demos import map as demo

DOUBLE = torch.float64
DATA = torch.tensor([1.2, 0.7, 2.1, 1.6], dtype=DOUBLE)


def table(n=9, d=3):
    X = data.normal("test: rows", n * d).reshape(n, d) + 0.4
    X[:, 0] = 1.0
    return X, X @ torch.arange(1.0, d + 1, dtype=DOUBLE) + data.normal("test: noise", n)


@pytest.mark.parametrize(("m", "tau"), [(0.0, 1.0), (-2.0, 0.3), (5.0, 4.0)])
def test_is_the_posterior_of_a_mean_the_normalised_product(m, tau):
    theta = torch.linspace(-30, 30, 60001, dtype=DOUBLE)
    density = analytic.log_joint(theta, DATA, 0.8, m, tau)
    weights = density.softmax(0)
    mean, sd = analytic.posterior_mean(DATA, 0.8, m, tau)
    by_sum = (weights * theta).sum()
    assert float(by_sum) == pytest.approx(float(mean), rel=1e-9)
    assert float((weights * (theta - by_sum) ** 2).sum().sqrt()) == pytest.approx(float(sd))
    assert float(theta[density.argmax()]) == pytest.approx(float(mean), abs=1e-3)


def test_are_the_three_numbers_of_the_two_colleagues_right():
    mean, _ = analytic.posterior_mean(DATA, 1.0, 0.0, 1.0)
    n_times, _ = analytic.posterior_mean(DATA, 1.0, 0.0, 0.5)  # four priors of deviation 1
    assert float(mean) == pytest.approx(1.12)
    assert float(n_times) == pytest.approx(0.70)
    theta = torch.linspace(-9, 9, 18001, dtype=DOUBLE)
    literal = Normal(theta[:, None], 1.0).log_prob(DATA).sum(1) * Normal(0, 1).log_prob(theta).exp()
    rises = literal.diff() > 0
    assert float(theta[literal.argmin()]) == pytest.approx(-0.65, abs=0.001)
    assert int((rises[1:] != rises[:-1]).sum()) == 1, "one valley, and no top"


@pytest.mark.parametrize("free", [True, False])
def test_are_the_weights_those_without_a_slope(free):
    X, y = table()
    best = analytic.ridge(X, y, (0.7 / 0.4) ** 2, free)

    def loss(w):
        shrunk = w[1:] if free else w
        return ((y - X @ w) ** 2).sum() / (2 * 0.7**2) + (shrunk**2).sum() / (2 * 0.4**2)

    assert float(torch.func.grad(loss)(best).abs().max()) < 1e-10
    if free:
        values = analytic.minus_log_posterior(best, X, y, 0.7, 0.4)
        assert float(values) == pytest.approx(float(loss(best)))


def test_is_the_deviance_the_squared_distance_in_posterior_standard_deviations():
    X, y = table()
    best, covariance = analytic.weights_posterior(X, y, 0.7, 0.4, free=True)
    away = torch.tensor([0.3, -0.2, 0.5], dtype=DOUBLE)
    rise = [analytic.minus_log_posterior(w, X, y, 0.7, 0.4) for w in (best + away, best)]
    assert float(2 * (rise[0] - rise[1])) == pytest.approx(
        float(away @ torch.linalg.inv(covariance) @ away)
    )


@pytest.mark.parametrize("n", [2, 9])
def test_is_the_evidence_the_same_at_any_weights(n):
    X, y = table(n)
    mean, covariance = analytic.weights_posterior(X, y, 0.7, 0.4)
    posterior = MultivariateNormal(mean, covariance)
    for w in (mean, 0 * mean, mean + 1):
        joint = Normal(0.0, torch.tensor(0.4, dtype=DOUBLE)).log_prob(w).sum()
        joint = joint + Normal(X @ w, 0.7).log_prob(y).sum()
        evidence = float(analytic.log_evidence(X, y, 0.7, 0.4))
        assert float(joint - posterior.log_prob(w)) == pytest.approx(evidence, rel=1e-9)


def losses(X, y, scale):
    return {
        "half sum": lambda w: 0.5 * ((y - X @ w) ** 2).sum(),
        "sum": lambda w: ((y - X @ w) ** 2).sum(),
        "mean": lambda w: torch.nn.functional.mse_loss(X @ w, y),
        "nll": lambda w: -Normal(X @ w, scale).log_prob(y).sum(),
    }


@pytest.mark.parametrize("loss", decay.LOSSES)
def test_does_sgd_with_the_decay_end_at_the_top_of_the_posterior(loss):
    X, y = table()
    wanted = analytic.ridge(X, y, (0.7 / 0.4) ** 2)
    w = torch.zeros(3, dtype=DOUBLE, requires_grad=True)
    objective, number = losses(X, y, 0.7)[loss], decay.reference(0.7, 0.4, len(y), loss)
    steepest = torch.linalg.eigvalsh(torch.func.hessian(objective)(w.detach())).max() + number
    optimizer = torch.optim.SGD([w], lr=1 / float(steepest), weight_decay=number)
    for _ in range(400):
        optimizer.zero_grad()
        objective(w).backward()
        optimizer.step()
    assert torch.allclose(w.detach(), wanted, rtol=1e-9)


@pytest.mark.parametrize("penalty", [2.0, 8.0])
def test_does_adamw_end_within_a_box(penalty):
    X, y = table()
    w = torch.zeros(3, dtype=DOUBLE, requires_grad=True)
    optimizer = torch.optim.AdamW([w], lr=0.01, weight_decay=penalty)
    for _ in range(1500):
        optimizer.zero_grad()
        (0.5 * ((y - X @ w) ** 2).sum()).backward()
        optimizer.step()
    box = fit_map._boxed(X, y, 1 / penalty, True)
    assert torch.allclose(w.detach(), box, atol=0.02)
    assert fit_map._rests(w.detach(), box)
    assert not fit_map._rests(analytic.ridge(X, y, penalty, free=True), box)


def test_does_the_recipe_of_the_text_pass_where_there_are_more_weights_than_observations():
    X, y, scale, tau = check.case("fit_map", 9)
    assert X.shape[0] < X.shape[1]
    w = torch.zeros(X.shape[1], dtype=DOUBLE, requires_grad=True)
    optimizer = torch.optim.LBFGS([w], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = analytic.minus_log_posterior(w, X, y, scale, tau)
        loss.backward()
        return loss

    optimizer.step(closure)
    case = fit_map.EXERCISE.cases()[9]
    fit_map.EXERCISE.agree.compare(case, w, fit_map.reference(X, y, scale, tau))


def test_is_a_loss_alone_off_named_with_the_loss():
    def answer(scale, tau, n, loss):
        return 3.0 + n if loss == "sum" else decay.reference(scale, tau, n, loss)

    with pytest.raises(CheckFailed) as failed:
        check.weight_decay(answer)
    assert failed.value.wrong_turn == "off for «sum»"


@pytest.mark.parametrize("tau", [0.1, 1.0, 30.0])
def test_are_the_demos_weights_and_evidence_those_of_the_checks(tau):
    t, y = data.wave()
    X = t[:, None] ** torch.arange(demo.WEIGHTS)
    assert torch.allclose(demo.weights(tau), analytic.ridge(X, y, (0.3 / tau) ** 2), rtol=1e-6)
    assert demo.log_evidence(tau) == pytest.approx(
        float(analytic.log_evidence(X, y, 0.3, tau)), rel=1e-6
    )


def test_does_the_demo_say_where_the_evidence_is_highest():
    at = [demo.log_evidence(10.0**v) for v in (-1.0, 0.0, 1.0)]
    assert max(at) == at[1]
    _, sentence = demos.draw_prior_width(0.0)
    assert f"{at[1]:.1f}".replace("-", "−") in sentence
    assert math.isfinite(min(at))


def test_do_fresh_data_move_the_line_and_the_wave():
    with data.seeded(5):
        fresh = data.wave()[1], data.line("test: a line", 6, 1.0, 0.8, 0.5)[1]
    for one, other in zip(fresh, (data.wave()[1], data.line("test: a line", 6, 1.0, 0.8, 0.5)[1]),
                          strict=True):  # fmt: skip
        assert not torch.allclose(one, other)
