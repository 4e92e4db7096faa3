"""Are the closed forms of sheet 03 what gradient descent does, and its sample the tutorial's?"""

import math

import pytest
import torch

from helpers import data, demos
from helpers.check.kit import agree
from helpers.check.kit.message import CheckFailed
from helpers.check.sgd import analytic, steps, tuning

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


@pytest.mark.parametrize("n", [3, 50, 10000])
def test_do_runs_shrink_just_below_the_stable_rate_and_grow_just_above(n):
    edge = analytic.largest_stable_rate(n)
    near, far = (
        analytic.sgd_trajectory(0.0, n, 1.0, share * edge, 50)[-1].abs() for share in (0.99, 1.01)
    )
    assert near < 0.5 < 2 < far


def test_is_the_stable_rate_two_over_the_curvature_of_the_loss():
    sample = data.normal("test: curvature", 23)
    at = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(loss(at, sample), at, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, at)
    assert 2 / float(curvature) == pytest.approx(analytic.largest_stable_rate(23), rel=1e-12)


@pytest.mark.parametrize("at", [1.0, 1.3, 0.17, 900.0, 5000.0, 4097.5])
def test_is_the_gap_the_smallest_increase_that_is_not_lost(at):
    for dtype in (torch.float32, torch.float64):
        gap, here = analytic.float_gap(at, dtype), torch.tensor(at, dtype=dtype)
        assert float(here + gap) > float(here)
        assert float(here + 0.49 * gap) == float(here)
    assert analytic.float_gap(at, torch.float64) == math.ulp(at)


@pytest.mark.parametrize(("mean", "moved"), [(5000.3, 0.001), (300.7, 0.0005), (1500.1, 0.01)])
def test_does_float32_stall_at_the_distance_of_the_closed_form(mean, moved):
    location = torch.tensor(mean - 3 * analytic.stall_distance(mean, 1, moved, torch.float32))
    location = location.to(torch.float32)
    for _ in range(50000):
        new = location - moved * (location - torch.tensor(mean))
        if new == location:
            break
        location = new
    expected = analytic.stall_distance(float(location), 1, moved, torch.float32)
    gap = analytic.float_gap(mean, torch.float32)
    assert mean - float(location) == pytest.approx(expected, abs=2 * gap)


def test_does_the_simulated_slip_do_what_forgetting_to_zero_does():
    sample = data.normal("test: never zeroed", 9, loc=1.0)
    location = torch.tensor(4.0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([location], lr=0.02)
    ran = [location.item()]
    for _ in range(8):
        loss(location, sample).backward()
        optimizer.step()
        ran.append(location.item())
    simulated = steps.never_zeroed(sample, 4.0, 0.02, 8)
    assert torch.allclose(torch.tensor(ran, dtype=torch.float64), simulated, rtol=1e-12)


def test_are_the_standard_errors_left_root_n_times_the_distance():
    sample = data.sgd_sample(n=100)
    run = tuning.Run(1.0, sample, 1e-3, 20)
    distance = abs(run.end() - run.mean)
    assert run.left() == pytest.approx(10 * distance, rel=1e-9)
    assert distance == pytest.approx(0.9**20 * abs(1.0 - run.mean), rel=1e-12)


@pytest.mark.parametrize("rate", [2.001e-4, 1.0])
def test_is_a_run_beyond_the_edge_never_near(rate):
    assert tuning.Run(-5000.0, data.sgd_sample(), rate, 3000).left() > 1e4


def test_does_the_message_say_how_many_standard_errors_are_left():
    old = dict.fromkeys(tuning.cases(), (1e-7, 10000))
    with pytest.raises(CheckFailed) as failure:
        tuning.settings(old)
    assert failure.value.wrong_turn == "settings unchanged"
    assert "22.6 standard errors away" in str(failure.value)


def test_are_trajectories_taken_as_floats_tensors_and_arrays():
    def of(make):
        def fit_location(data, start, learning_rate, n_steps):
            run = analytic.sgd_trajectory(
                float(data.mean()), len(data), start, learning_rate, n_steps
            )
            return make(run)

        return fit_location

    for make in (torch.Tensor.tolist, torch.Tensor.numpy, list, tuple, torch.Tensor.float):
        with agree.measuring() as measured:
            assert steps.fit_location(of(make), sizes="fresh")
        assert max(m.ratio for m in measured) < 0.1


@pytest.mark.parametrize(
    ("rate", "word"),
    [(0.0, "never"), (0.05, "crawls"), (0.5, "converges"), (1.0, "single"), (1.5, "oscillates"),
     (2.0, "swings"), (2.2, "diverges")],
)  # fmt: skip
def test_does_the_demo_say_what_its_learning_rate_does(rate, word):
    assert word in demos.draw_learning_rate(rate)[1]
