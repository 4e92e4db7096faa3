"""Are the references of sheet 06 right, and is its sample the tutorial's?"""

import itertools

import pytest
import torch
from torch.distributions import Beta, Categorical, MixtureSameFamily
from torch.nn.functional import softplus

from helpers import data, demos
from helpers.check.kit.asks import Draws
from helpers.check.kit.message import CheckFailed
from helpers.check.mixtures import analytic, em_step, fit_beta, fit_mixture, train_and_validate
from helpers.check.mixtures.mixture_log_prob import raw_rows
from helpers.check.mixtures.responsibilities import rows

DOUBLE = torch.float64
TRUTH = torch.tensor([[10.0, 1.5, 0.5], [1.5, 10.0, 0.5]], dtype=DOUBLE)
SHAPES = (0.02, 0.3, 0.8, 1.5, 4.0, 10.0, 30.0, 100.0)


@pytest.fixture(autouse=True)
def practice(monkeypatch):
    monkeypatch.delenv("COURSE_DATA_SEED", raising=False)


def by_torch(raw):
    ab = softplus(raw[:, :2])
    return MixtureSameFamily(Categorical(logits=raw[:, 2]), Beta(ab[:, 0], ab[:, 1]))


def adam(raw, x, epochs):
    raw = raw.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([raw], lr=1.0)
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = analytic.mean_loss(raw, x)
        loss.backward()
        optimizer.step()
    return raw.detach(), loss.item()


def tutorials_start():
    generator = torch.Generator().manual_seed(1)
    for _ in range(2):
        torch.randn(2, generator=generator)
    shapes, logits = torch.randn(2, 2, generator=generator), torch.randn(2, 1, generator=generator)
    return torch.cat([shapes, logits], dim=1).to(DOUBLE)


def test_does_the_practice_sample_give_what_the_tutorial_prints():
    raw, loss = adam(tutorials_start(), data.two_peaks(), 100)
    printed = torch.tensor([[1.5257, 9.9830, 0.4997], [10.0109, 1.5317, 0.5003]], dtype=DOUBLE)
    assert torch.allclose(analytic.parameters(raw), printed, rtol=0, atol=2e-4)
    assert loss == pytest.approx(-0.414, abs=5e-4)


def test_are_fresh_data_other_data_from_the_same_two_peaks(monkeypatch):
    at_desk = data.two_peaks()
    monkeypatch.setenv("COURSE_DATA_SEED", "7")
    fresh = data.two_peaks()
    assert torch.equal(fresh, data.two_peaks())
    assert not torch.isin(fresh[:100], at_desk).any()
    # A half-half mixture: mean 1/2, and E x² from the Betas' own means and variances.
    square = sum(float(Beta(a, b).variance + Beta(a, b).mean ** 2) / 2
                 for a, b in torch.tensor([[10.0, 1.5], [1.5, 10.0]]))  # fmt: skip
    assert abs(float(fresh.mean()) - 0.5) < 6.5 * (square - 0.25) ** 0.5 / 100
    assert abs(float((fresh**2).mean()) - square) < 6.5 * 0.5 / 100


@pytest.mark.parametrize("a", SHAPES)
def test_does_newton_find_the_parameters_whose_means_it_is_given(a):
    for b in SHAPES:
        ab = torch.tensor([a, b], dtype=DOUBLE)
        means = torch.digamma(ab) - torch.digamma(ab.sum())
        found = analytic.solve_scores(means[0], means[1])
        assert ((found - ab).abs() / ab).max() < 1e-10


@pytest.mark.parametrize(("a", "b"), [(0.7, 0.6), (2.0, 6.0), (10.0, 1.5)])
def test_does_the_gradient_vanish_at_the_best_beta(a, b):
    x = data.beta_draws(f"test: {a}", 400, a, b)
    ab = analytic.beta_mle(x).requires_grad_(True)
    Beta(ab[0], ab[1]).log_prob(x).mean().backward()
    assert ab.grad.abs().max() < 1e-12


def test_do_the_moments_match_mean_and_variance():
    x = data.beta_draws("test: moments", 300, 2.0, 3.0)
    a, b = analytic.beta_moments(x)
    assert Beta(a, b).mean == pytest.approx(float(x.mean()), rel=1e-12)
    assert Beta(a, b).variance == pytest.approx(float(x.var(correction=0)), rel=1e-12)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_is_the_mixture_that_of_torch(k):
    raw = raw_rows(Draws(f"test {k}"), k, 0.4, 9.0)
    x = data.uniform(f"test: mixture {k}", 50)
    ours = analytic.mixture_log_prob(analytic.parameters(raw), x)
    assert torch.allclose(ours, by_torch(raw).log_prob(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("a", [1.0, 1.5, 4.0])
def test_is_an_edge_never_nan(a):
    params = torch.tensor([[a, 2.0, 0.5], [2.0, a, 0.5]], dtype=DOUBLE)
    edges = torch.tensor([0.0, 1.0], dtype=DOUBLE)
    assert not analytic.mixture_log_prob(params, edges).isnan().any()
    assert analytic.mixture_log_prob(params, edges).isinf().all() == (a > 1)


def test_are_responsibilities_what_the_logits_slope_says():
    # d log p(x) / d logit_k = r_k(x) − w_k, another road to Bayes' rule.
    raw = raw_rows(Draws("test bayes"), 3, 0.5, 4.0).requires_grad_(True)
    for point in data.uniform("test: bayes", 6):
        (slope,) = torch.autograd.grad(by_torch(raw).log_prob(point), raw)
        expected = slope[:, 2] + torch.softmax(raw[:, 2], 0)
        found = analytic.responsibilities(analytic.parameters(raw.detach()), point[None])[0]
        assert torch.allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("data_seed", ["0", "3"])
def test_does_the_gradient_vanish_at_the_best_mixture(monkeypatch, data_seed):
    monkeypatch.setenv("COURSE_DATA_SEED", data_seed)
    x = data.two_peaks()
    params = analytic.mixture_optimum(x, TRUTH)
    raw = torch.cat([params[:, :2].expm1().log(), params[:, 2:].log()], dim=1)
    raw.requires_grad_(True)
    (-by_torch(raw).log_prob(x).mean()).backward()
    assert raw.grad.abs().max() < 1e-9


def test_does_no_long_run_from_elsewhere_end_lower():
    x = data.two_peaks()
    best = -analytic.mixture_log_prob(analytic.mixture_optimum(x, TRUTH), x).mean()
    for start in ([[3.0, 1.0, 0.0], [1.0, 3.0, 0.0]], [[0.5, 0.7, 1.0], [4.0, 4.0, -1.0]]):
        _, loss = adam(torch.tensor(start, dtype=DOUBLE), x, 250)
        assert loss > best - 1e-12


def the_case():
    return fit_mixture.EXERCISE.cases()[0].args


def test_does_the_order_of_the_rows_matter():
    x = data.two_peaks()
    optimum = analytic.mixture_optimum(x, TRUTH)
    turned = analytic.mixture_optimum(x, TRUTH.flip(0))
    assert torch.allclose(turned.flip(0), optimum, rtol=1e-8)
    right = fit_mixture.reference
    assert fit_mixture.EXERCISE.check(lambda x, starts: right(x, starts).flip(0).tolist())


@pytest.mark.parametrize(
    ("changed", "turn"),
    [
        (lambda c: c * torch.tensor([1.1, 1.05, 1.0]), "stops early"),
        (lambda c: c * torch.tensor([1.0, 1.0, 1.001]), "weights not normalised"),
        (lambda c: c.roll(1, 1), "columns in another order"),
        (lambda c: torch.cat([c[:, :2], c[:, 2:].roll(1, 0)], 1), "weights in wrong rows"),
        (lambda c: torch.cat([1e5 * c[:1, :2], c[1:, :2]]), "of another length"),
    ],
)
def test_is_a_wrong_ending_told_its_turn(changed, turn):
    with pytest.raises(CheckFailed) as failure:
        fit_mixture.EXERCISE.check(lambda x, starts: changed(fit_mixture.reference(x, starts)))
    assert failure.value.wrong_turn == turn


def test_does_a_spike_pass_because_its_loss_is_lower():
    def spiked(x, starts):
        spike = torch.tensor([[1e12 * x[0], 1e12 * (1 - x[0]), 1 / len(x)]], dtype=DOUBLE)
        best = fit_mixture.reference(x, starts)
        heaviest = best[best[:, 2].argsort(descending=True)][: len(best) - 1]
        heaviest[:, 2] *= (1 - spike[0, 2]) / heaviest[:, 2].sum()
        return torch.cat([heaviest, spike])

    with pytest.raises(CheckFailed) as failure:
        fit_mixture.EXERCISE.check(spiked)
    assert failure.value.wrong_turn == "a spike"
    x, starts = the_case()
    hills = fit_mixture.reference(x, starts)
    loss = fit_mixture.mean_nll
    spike = torch.tensor([[1e13 * x[0], 1e13 * (1 - x[0])]], dtype=DOUBLE)
    weights = torch.cat([hills[:, 2] * (1 - 1 / len(x)), torch.full((1,), 1 / len(x)).double()])
    three = torch.cat([torch.cat([hills[:, :2], spike]), weights[:, None]], 1)
    assert loss(three, x) < loss(hills, x) - 0.01  # lower, and so no better fit
    case = fit_mixture.EXERCISE.cases()[0]
    assert fit_mixture.EXERCISE.agree.left(case, three, hills) > 1


@pytest.mark.parametrize("data_seed", ["0", "1", "2", "3", "4", "5"])
def test_do_the_other_starts_of_a_case_lead_elsewhere(monkeypatch, data_seed):
    monkeypatch.setenv("COURSE_DATA_SEED", data_seed)
    for case in fit_mixture.EXERCISE.cases()[:2]:
        known = fit_mixture.fits(*case.args)
        ends = [known.loss(end) for end in known.ends]
        starts = [known.loss(start) for start in known.starts]
        assert known.left(analytic.em(known.ends[1], known.x, 100)) < 0.1
        assert min(ends[0], ends[2]) - ends[1] > 0.02
        assert starts[1] > max(starts[0], starts[2])  # the lowest at the start is no help


@pytest.mark.parametrize("k", [1, 2, 4])
def test_does_an_em_step_never_raise_the_loss_and_end_where_newton_does(k):
    u = Draws(f"test em {k}")
    x, components = em_step.hills(u, rows(u, k), 80), rows(u, k)
    losses = [float(fit_mixture.mean_nll(components, x))]
    for _ in range(15):
        components = analytic.em(components, x)
        losses.append(float(fit_mixture.mean_nll(components, x)))
    assert all(later <= before + 1e-12 for before, later in itertools.pairwise(losses))
    assert float(components[:, 2].sum()) == pytest.approx(1)


def test_does_an_em_step_make_the_expected_log_likelihood_highest():
    u = Draws("test em top")
    components, x = rows(u, 2), em_step.hills(u, rows(u, 2), 60)
    r = analytic.responsibilities(components, x)
    new = analytic.em(components, x).requires_grad_(True)
    (slope,) = torch.autograd.grad((r * analytic.joint(new, x)).sum(), new)
    assert slope[:, :2].abs().max() < 1e-9
    assert slope[:, 2] == pytest.approx([len(x)] * 2)  # of the weights: alike, as they sum to 1


@pytest.mark.parametrize("ab", [(0.03, 0.7), (2.0, 9.0), (300.0, 40.0)])
def test_do_many_at_once_solve_as_one_does(ab):
    ab = torch.tensor(ab, dtype=DOUBLE)
    means = torch.digamma(ab) - torch.digamma(ab.sum())
    assert torch.allclose(analytic.solve_many(means.expand(3, 2, 2)), ab, rtol=1e-9)


def test_how_far_does_the_tutorials_run_stop_from_the_best_fit():
    x = data.two_peaks()
    raw, _ = adam(tutorials_start(), x, 100)
    optimum = analytic.mixture_optimum(x, TRUTH)
    known = fit_mixture.Fits(x, optimum[None], optimum[None], optimum)
    assert known.left(analytic.parameters(raw)) == pytest.approx(0.639, abs=5e-4)
    assert known.left(TRUTH) == pytest.approx(2.51, abs=5e-3)


def test_is_the_trap_the_best_single_beta():
    x = data.two_peaks()
    ab = analytic.beta_mle(x)
    twins = torch.tensor([[*ab.tolist(), 0.3], [*ab.tolist(), 0.7]], dtype=DOUBLE)
    single = float(fit_beta.mean_nll(ab, x))
    assert single == pytest.approx(-0.1, abs=0.05)  # as the tutorial says
    assert -analytic.mixture_log_prob(twins, x).mean() == pytest.approx(single, rel=1e-12)


def test_are_the_logs_those_of_the_sheets_own_module():
    raw = raw_rows(Draws("test logs"), 2, 0.6, 2.0)
    x, y = data.beta_draws("test: x", 30, 2.0, 1.0), data.beta_draws("test: y", 20, 1.0, 2.0)
    parameter = torch.nn.Parameter(raw.clone())
    optimizer, expected = torch.optim.Adam([parameter], lr=0.2), []
    for _ in range(5):
        loss = -by_torch(parameter).log_prob(x).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        after = -by_torch(parameter).log_prob(y).mean()
        expected.append([loss.item(), after.item()])
    found = train_and_validate.reference(raw, x, y, 0.2, 5)
    assert torch.allclose(found, torch.tensor(expected, dtype=DOUBLE).T, rtol=1e-10)


@pytest.mark.parametrize(("number", "words"), [(1, "stuck"), (12, "both hills")])
def test_does_the_demo_say_where_a_start_ends(number, words):
    assert words in demos.draw_start_number(number)[1]
