"""Are the closed forms of sheet 03 what gradient descent does, and its sample the tutorial's?"""

import itertools

import pytest
import torch

from helpers import check, data, demos
from helpers.check.kit import compare
from helpers.check.kit.message import CheckFailed
from helpers.check.sgd import analytic, batch_gradient, fit_location, settings
from helpers.check.sgd.descend import bowl, slope_of

# The tutorial's printed table: steps made, loss, estimate. Its data are 32-bit floats, whose sums
# leave noise in the losses' third decimal.
TABLE = [
    (0, 19274.0312, 1.0),
    (500, 16102.988, 0.60579),
    (1000, 14937.011, 0.36674),
    (1500, 14508.284, 0.22179),
    (2000, 14350.645, 0.13390),
    (2500, 14292.682, 0.08060),
    (3000, 14271.368, 0.04828),
    (3500, 14263.533, 0.02869),
    (4000, 14260.650, 0.01680),
    (4500, 14259.591, 0.00960),
    (5000, 14259.201, 0.00523),
    (5500, 14259.059, 0.00258),
    (6000, 14259.006, 0.00097),
    (6500, 14258.986, -0.00000),
    (7000, 14258.979, -0.00059),
    (7500, 14258.977, -0.00095),
    (8000, 14258.977, -0.00117),
    (8500, 14258.977, -0.00130),
    (9000, 14258.975, -0.00138),
    (9500, 14258.976, -0.00143),
    (10000, 14258.976, -0.00146),
]


@pytest.fixture(autouse=True)
def practice(monkeypatch):
    monkeypatch.delenv("COURSE_DATA_SEED", raising=False)


def loss(location, sample):
    return -torch.distributions.Normal(location, 1.0).log_prob(sample).sum()


@pytest.mark.parametrize(("steps", "printed_loss", "printed_estimate"), TABLE)
def test_does_the_practice_sample_give_the_tutorials_row(steps, printed_loss, printed_estimate):
    sample = data.sgd_sample()
    location = analytic.sgd_trajectory(float(sample.mean()), len(sample), 1.0, 1e-7, steps)[-1]
    assert float(location) == pytest.approx(printed_estimate, abs=5.1e-6)
    assert float(loss(location, sample)) == pytest.approx(printed_loss, abs=0.003)


def test_is_the_first_step_the_tutorials():
    sample = data.sgd_sample()
    location = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    loss(location, sample).backward()
    assert float(location.grad) == pytest.approx(10015.0458984375, abs=1e-3)
    assert 1 - 1e-7 * float(location.grad) == pytest.approx(0.9989984954101563, abs=1e-9)


def test_does_fresh_data_keep_its_own_mean(monkeypatch):
    monkeypatch.setenv("COURSE_DATA_SEED", "7")
    sample = data.sgd_sample(location=5000.0)
    again = data.sgd_sample(location=5000.0)
    z = float(sample.mean() - 5000) * len(sample) ** 0.5
    assert torch.equal(sample, again)
    assert abs(float(sample.mean()) - 5000 - data.TUTORIAL_MEAN) > 1e-6
    assert abs(z) < 6.5


@pytest.mark.parametrize(("n", "moved"), [(7, 0.3), (1, 0.9), (40, 1.7), (12, 2.1)])
def test_is_the_closed_form_what_torch_optim_does(n, moved):
    sample = data.normal(f"test: {n}", n, loc=2.0)
    location = torch.tensor(-3.0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([location], lr=moved / n)
    ran = [location.item()]
    for _ in range(15):
        optimizer.zero_grad()
        loss(location, sample).backward()
        optimizer.step()
        ran.append(location.item())
    expected = analytic.sgd_trajectory(float(sample.mean()), n, -3.0, moved / n, 15)
    assert torch.allclose(torch.tensor(ran, dtype=torch.float64), expected, rtol=1e-12, atol=1e-12)


def steepest(curvature, rate, momentum, steps):
    """Return the offset that torch's optimizer leaves of 1 on a quadratic."""
    theta = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([theta], lr=rate, momentum=momentum)
    for _ in range(steps):
        optimizer.zero_grad()
        (curvature / 2 * theta**2).backward()
        optimizer.step()
    return abs(theta.item())


@pytest.mark.parametrize("curvature", [3.0, 10000.0])
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.8])
def test_do_runs_shrink_just_below_the_stable_rate_and_grow_just_above(curvature, momentum):
    edge = analytic.largest_stable_rate(curvature, momentum)
    assert steepest(curvature, 0.98 * edge, momentum, 500) < 0.5
    assert steepest(curvature, 1.02 * edge, momentum, 500) > 2


def test_is_the_stable_rate_two_over_the_curvature_of_the_loss():
    sample = data.normal("test: curvature", 23)
    at = torch.tensor(0.4, dtype=torch.float64)
    curvature = torch.func.hessian(lambda theta: loss(theta, sample))(at)
    assert 2 / float(curvature) == pytest.approx(analytic.largest_stable_rate(23), rel=1e-12)


def test_is_the_momentum_path_what_torch_optim_does():
    f = bowl(1.3, 0.9, 0.4)
    theta = torch.tensor([2.0, -3.0, 2.5], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([theta], lr=0.04, momentum=0.7)
    expected = analytic.momentum_path(slope_of(f), theta.detach().clone(), 0.04, 0.7, 9)
    for row in expected:
        assert torch.allclose(theta.detach(), row, rtol=1e-12)
        optimizer.zero_grad()
        f(theta).backward()
        optimizer.step()


@pytest.mark.parametrize(("n", "size"), [(5, 1), (6, 2), (7, 4), (4, 4)])
def test_is_a_batchs_slope_unbiased_over_all_batches(n, size):
    sample = data.normal(f"test: batches {n}", n, 3.0)
    batches = [torch.stack(b) for b in itertools.combinations(sample, size)]
    slopes = [batch_gradient.reference(0.7, batch, n) for batch in batches]
    assert sum(slopes) / len(slopes) == pytest.approx(n * float(0.7 - sample.mean()), rel=1e-12)


@pytest.mark.parametrize(("n", "size", "share"), [(5, 1, 0.3), (6, 2, 1.0), (7, 3, 1.6)])
def test_does_the_resting_spread_stay_the_same_in_a_step(n, size, share):
    """Every batch of a small sample is one way on: the variance is worked out over all of them."""
    sample = data.normal(f"test: rest {n}", n, 3.0, 2.0)
    variance = analytic.resting_spread(sample, size, share / n) ** 2
    means = torch.stack([torch.stack(b).mean() for b in itertools.combinations(sample, size)])
    after = (1 - share) ** 2 * variance + share**2 * float(means.var(correction=0))
    assert after == pytest.approx(variance, rel=1e-12)


@pytest.mark.parametrize("at", [1.0, 1.3, 0.17, 900.0, 5000.0, 4097.5, 4096.0, -4096.0, -2.6])
@pytest.mark.parametrize("side", [1, -1])
def test_is_the_gap_the_smallest_change_that_is_not_lost(at, side):
    for dtype in (torch.float32, torch.float64):
        gap, here = analytic.float_gap(at, at + side, dtype), torch.tensor(at, dtype=dtype)
        assert float(here + side * gap) != float(here)
        assert float(here + side * 0.49 * gap) == float(here)
        assert float(here + side * 0.51 * gap) != float(here)


@pytest.mark.parametrize(("mean", "moved"), [(5000.3, 0.001), (300.7, 0.0005), (1500.1, 0.01)])
@pytest.mark.parametrize("side", [1, -1])
def test_does_float32_stall_at_the_distance_of_the_closed_form(mean, moved, side):
    location = torch.tensor(
        mean - side * 3 * analytic.stall_distance(mean, mean + 1, 1, moved, torch.float32)
    )
    location = location.to(torch.float32)
    for _ in range(50000):
        new = location - moved * (location - torch.tensor(mean))
        if new == location:
            break
        location = new
    expected = analytic.stall_distance(float(location), mean, 1, moved, torch.float32)
    gap = analytic.float_gap(mean, mean + 1, torch.float32)
    assert side * (mean - float(location)) == pytest.approx(expected, abs=2 * gap)


def test_does_the_simulated_slip_do_what_forgetting_to_zero_does():
    sample = data.normal("test: never zeroed", 9, loc=1.0)
    location = torch.tensor(4.0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([location], lr=0.02)
    ran = [location.item()]
    for _ in range(8):
        loss(location, sample).backward()
        optimizer.step()
        ran.append(location.item())
    simulated = fit_location.never_zeroed(sample, 4.0, 0.02, 8)
    assert torch.allclose(torch.tensor(ran, dtype=torch.float64), simulated, rtol=1e-12)


def test_are_the_standard_errors_left_root_n_times_the_distance():
    sample = data.sgd_sample(n=100)
    run = settings.Run(1.0, sample, 1.0, 1e-3, 20)
    distance = abs(run.end() - run.mean)
    assert run.left() == pytest.approx(10 * distance, rel=1e-9)
    assert distance == pytest.approx(0.9**20 * abs(1.0 - run.mean), rel=1e-12)


def test_does_a_wider_scale_flatten_the_loss_and_widen_the_error():
    sample = data.sgd_wide()
    run = settings.Run(1.0, sample, 3.0, 9 / 400, 1)
    assert run.left() < 1e-9
    half = settings.Run(1.0, sample, 3.0, 4.5 / 400, 1)
    assert half.left() == pytest.approx(20 / 3 * abs(half.end() - half.mean), rel=1e-9)
    assert half.end() == pytest.approx((1.0 + half.mean) / 2, rel=1e-12)


@pytest.mark.parametrize("rate", [2.001e-4, 1.0])
def test_is_a_run_beyond_the_edge_never_near(rate):
    assert settings.Run(-5000.0, data.sgd_sample(), 1.0, rate, 3000).left() > 1e4


def test_does_the_message_say_how_many_standard_errors_are_left():
    old = dict.fromkeys(settings.ENTRIES, (1e-7, 10000))
    with pytest.raises(CheckFailed) as failure:
        check.settings(old)
    assert failure.value.wrong_turn == "settings unchanged"
    assert "22.6 standard errors away" in str(failure.value)


@pytest.mark.parametrize("make", [torch.Tensor.tolist, torch.Tensor.numpy, list, tuple])
def test_are_trajectories_taken_as_floats_tensors_and_arrays(make):
    def answer(x, start, learning_rate, n_steps):
        return make(fit_location.reference(x, start, learning_rate, n_steps))

    with compare.measuring() as measured:
        assert check.fit_location(answer)
    assert max(m.ratio for m in measured) < 0.1


@pytest.mark.parametrize("seed", range(1, 6))
def test_is_a_32_bit_parameter_told_from_a_result_that_is_stored_in_32_bits(seed):
    """Where the text asks for a float, rounding once at the end is no miss; for float64, it is."""

    def stored(location, x, learning_rate):
        return torch.tensor(check.sgd_step.__self__.reference(location, x, learning_rate)).float()

    def computed(location, x, learning_rate):
        at = torch.tensor(location)
        return at - learning_rate * (at - x).sum().float()

    def rounded(x, start, learning_rate, n_steps):
        return fit_location.reference(x, start, learning_rate, n_steps).float()

    with data.seeded(seed):
        assert check.sgd_step(stored)
        for checked, answer in ((check.sgd_step, computed), (check.fit_location, rounded)):
            with pytest.raises(CheckFailed) as failure:
                checked(answer)
            assert failure.value.wrong_turn == "single precision"


@pytest.mark.parametrize(
    ("rate", "word"),
    [(0.0, "never"), (0.05, "crawls"), (0.5, "converges"), (1.0, "single"), (1.5, "oscillates"),
     (2.0, "swings"), (2.2, "diverges")],
)  # fmt: skip
def test_does_the_demo_say_what_its_learning_rate_does(rate, word):
    assert word in demos.draw_learning_rate(rate)[1]


@pytest.mark.parametrize(
    ("rate", "momentum", "word"),
    [(1.9, 0.0, "0.042 of that across"), (2.1, 0.0, "diverges"), (2.1, 0.5, "is left")],
)
def test_does_the_valley_say_whether_a_run_arrives(rate, momentum, word):
    assert word in demos.draw_valley(rate, momentum)[1]
