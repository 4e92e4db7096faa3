"""Are the closed forms of sheet 04 optima, and do its samples give the tutorial's tables?"""

import math
from decimal import Decimal, localcontext

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal, StudentT

from helpers import check, data
from helpers.check.kit import message
from helpers.check.kit.message import CheckFailed
from helpers.check.normal_facts import normal_mle
from helpers.check.normals import adam_step, analytic, fit_mean_and_factor
from helpers.demos import normals as demo

# The tutorial's printed rows: steps made, loss, location, and scale where that is learned too. Its
# numbers are 32-bit floats, so the sums over the data differ in their last digits.
LOCATION = [
    (0, 512500.16, -10.00), (500, 170413.53, -5.61), (1000, 47114.50, -2.58),
    (1500, 18115.04, -0.90), (2000, 14446.38, -0.22), (2500, 14242.16, -0.05),
    (3000, 14238.12, -0.02),
]  # fmt: skip
BOTH = [
    (0, 127994.02, -10.00, 2.13), (500, 37320.10, -6.86, 4.15), (1000, 29944.32, -4.73, 4.59),
    (1500, 26326.08, -2.87, 4.37), (2000, 22592.90, -1.19, 3.46), (2500, 15968.47, -0.06, 1.63),
    (3000, 14237.87, -0.02, 1.01), (3500, 14237.87, -0.02, 1.00),
]  # fmt: skip
TRUTH = torch.tensor([[1.0, 0.5], [0.5, 2.0]], dtype=torch.float64)
ROWS = [[1.4, 0.0, 0.0], [-0.9, 0.6, 0.0], [0.5, -0.4, 0.8]]


@pytest.fixture(autouse=True)
def practice(monkeypatch):
    monkeypatch.delenv("COURSE_DATA_SEED", raising=False)


@pytest.fixture
def triples():
    return data.rows("test: triples", 30, [1.0, -2.0, 0.5], ROWS)


def adam(slopes, start, steps):
    """Return what Adam with rate 0.01 makes of several parameters, in plain Python."""
    values, m, v, path = list(start), [0.0] * len(start), [0.0] * len(start), [tuple(start)]
    for t in range(1, steps + 1):
        for i, g in enumerate(slopes(*values)):
            m[i], v[i] = 0.9 * m[i] + 0.1 * g, 0.999 * v[i] + 0.001 * g**2
            move = (m[i] / (1 - 0.9**t)) / (math.sqrt(v[i] / (1 - 0.999**t)) + 1e-8)
            values[i] -= 0.01 * move
        path.append(tuple(values))
    return path


def test_does_the_sample_give_the_tutorials_first_table():
    x = data.normals_sample()
    mean = float(x.mean())
    path = adam(lambda loc: [len(x) * (loc - mean)], [-10.0], 3100)
    for steps, loss, location in LOCATION:
        (loc,) = path[steps]
        assert loc == pytest.approx(location, abs=0.0051)
        assert float(-Normal(loc, 1.0).log_prob(x).sum()) == pytest.approx(loss, rel=1e-5)
    left = math.sqrt(len(x)) * abs(path[-1][0] - mean)
    assert f"{left:.2f}" == "0.11"


def test_does_the_sample_give_the_tutorials_second_table():
    x = data.normals_sample()
    n, (mean, deviation) = len(x), normal_mle(x)

    def slopes(loc, raw):
        scale = math.log1p(math.exp(raw))
        spread = deviation**2 + (loc - mean) ** 2
        return n * (loc - mean) / scale**2, n * (1 / scale - spread / scale**3) / (
            1 + math.exp(-raw)
        )

    path = adam(slopes, [-10.0, 2.0], 3500)
    for steps, loss, location, scale in BOTH:
        loc, raw = path[steps]
        now = math.log1p(math.exp(raw))
        assert loc == pytest.approx(location, abs=0.0051)
        assert now == pytest.approx(scale, abs=0.0051)
        assert float(-Normal(loc, now).log_prob(x).sum()) == pytest.approx(loss, rel=2e-5)


def test_do_the_pairs_give_the_tutorials_losses_and_estimates():
    x = data.normals_pairs()
    start, ones = torch.tensor([-10.0, 5.0]).double(), torch.tril(torch.ones(2, 2)).double()
    loc, covariance = analytic.mvn_mle(x)
    for at, matrix, printed in [
        (start, TRUTH, 81817.08), (start, ones @ ones.T, 166143.42),
        (loc, TRUTH, 3086.88), (loc, covariance, 3080.53),
    ]:  # fmt: skip
        loss = float(-MultivariateNormal(at, matrix).log_prob(x).sum())
        assert loss == pytest.approx(printed, abs=0.006)
    assert [round(v, 4) for v in loc.tolist()] == [0.0090, -0.0074]
    assert [round(v, 4) for v in covariance.flatten().tolist()] == [1.0582, 0.4563, 0.4563, 1.7320]


@pytest.mark.parametrize(("step", "full", "row"), [
    (0, None, (81817.08, -10.0, 5.0)), (500, None, (23362.23, -5.6703, 0.9632)),
    (500, [[1.0, 0.0], [1.0, 1.0]], (9512.82, -7.8985, 3.2943)),
    (1000, [[1.0, 0.0], [1.0, 1.0]], (6411.09, -6.4121, 2.5011)),
])  # fmt: skip
def test_do_the_pairs_give_rows_of_the_tutorials_tables(step, full, row):
    x = data.normals_pairs()
    first, second = x.mean(0), x.T @ x / len(x)
    loc = torch.tensor([-10.0, 5.0], dtype=torch.float64, requires_grad=True)
    factor = torch.linalg.cholesky(TRUTH)
    trained = [loc]
    if full is not None:
        factor = torch.tensor(full, dtype=torch.float64, requires_grad=True)
        trained.append(factor)
    optimizer = torch.optim.Adam(trained, lr=0.01)
    for _ in range(step + 1):
        optimizer.zero_grad()
        mixed = torch.outer(first, loc)
        spread = second - mixed - mixed.T + torch.outer(loc, loc)
        covariance = factor @ factor.T
        trace = (torch.linalg.inv(covariance) * spread).sum()
        loss = len(x) / 2 * (2 * math.log(2 * math.pi) + covariance.logdet() + trace)
        now = (loss.item(), *loc.tolist())
        loss.backward()
        optimizer.step()
    assert now[0] == pytest.approx(row[0], rel=1e-5)
    assert now[1:] == pytest.approx(row[1:], abs=1.01e-4)


def test_have_fresh_samples_a_location_that_no_typed_number_meets(monkeypatch):
    for seed in range(1, 30):
        monkeypatch.setenv("COURSE_DATA_SEED", str(seed))
        assert 0.2 < float(data.normals_sample().mean()) < 0.8


@pytest.mark.parametrize("scale", [1e-20, 3e-8, 0.05, 0.7, 12.5, 1400.0])
def test_is_the_inverse_of_softplus_right_to_twelve_digits(scale):
    with localcontext(prec=700):
        exact = (Decimal(scale).exp() - 1).ln()
        raw = float(exact)
        back = float((1 + exact.exp()).ln())
    at = torch.tensor(scale, dtype=torch.float64)
    assert float(analytic.softplus_inverse(at)) == pytest.approx(raw, rel=1e-12)
    assert back == pytest.approx(scale, rel=1e-12)
    there = analytic.softplus(torch.tensor(raw, dtype=torch.float64))
    assert float(there) == pytest.approx(scale, rel=1e-12)


def test_is_the_root_of_the_deviance_what_the_densities_say():
    x = data.normal("test: left", 11, 3.0, 1.5)
    best = normal_mle(x)
    for loc, scale in [(2.0, 1.0), (5.5, 3.0), best]:
        given, top = (Normal(*torch.tensor(p, dtype=torch.float64)) for p in ((loc, scale), best))
        excess = (top.log_prob(x) - given.log_prob(x)).sum()
        left = analytic.standard_errors_left(loc, scale, x)
        assert left**2 == pytest.approx(float(2 * excess), abs=1e-9)


def test_is_torchs_std_about_one_over_root_two_n_standard_errors_off():
    for n in (10, 100, 10000):
        x = data.normal(f"test: std {n}", n, 3.0, 1.5)
        left = analytic.standard_errors_left(float(x.mean()), float(x.std()), x)
        assert left == pytest.approx(1 / math.sqrt(2 * n), rel=0.1)


def test_is_the_reference_of_adam_step_torchs_adam():
    theta, target = data.normal("test: theta", 4), data.normal("test: target", 4)
    by_torch = theta.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([by_torch], lr=0.3)
    m = v = torch.zeros(4, dtype=torch.float64)
    for t in range(1, 101):
        optimizer.zero_grad()
        ((by_torch - target) ** 4).sum().backward()
        theta, m, v = adam_step.reference(theta, 4 * (theta - target) ** 3, m, v, t, 0.3)
        optimizer.step()
    assert torch.allclose(theta, by_torch.detach(), rtol=0, atol=1e-12)


def test_is_the_score_zero_at_the_mean_that_columns_share(triples):
    covariance = torch.tensor(ROWS).double() @ torch.tensor(ROWS).double().T
    mean = analytic.shared_mean(triples, covariance).requires_grad_(True)
    MultivariateNormal(mean.expand(3), covariance).log_prob(triples).sum().backward()
    assert abs(mean.grad) < 1e-9
    one = analytic.shared_mean(triples[:, :1], covariance[:1, :1])
    assert float(one) == pytest.approx(float(triples[:, 0].mean()))


@pytest.mark.parametrize("df", [1.0, 2.5, 8.0, 1e6])
def test_are_the_scores_zero_at_the_best_student_t(df):
    x = data.normal("test: t", 40, 2.0, 0.7)
    x[:3] += torch.tensor([9.0, -5.0, 12.0])
    best = torch.tensor(analytic.student_t_mle(x, df), dtype=torch.float64, requires_grad=True)
    StudentT(df, best[0], best[1]).log_prob(x).sum().backward()
    assert best.grad.abs().max() < 1e-8
    nll = analytic.student_t_mean_nll(best.detach(), x, df)
    by_torch = -StudentT(df, *best.detach()).log_prob(x).mean()
    assert float(nll) == pytest.approx(float(by_torch), rel=1e-8)
    if df == 1e6:
        assert best.tolist() == pytest.approx(normal_mle(x), rel=1e-3)


def test_do_the_slopes_vanish_at_the_multivariate_optimum(triples):
    loc, covariance = analytic.mvn_mle(triples)
    loc, factor = loc.requires_grad_(True), torch.linalg.cholesky(covariance).requires_grad_(True)
    (-MultivariateNormal(loc, scale_tril=factor).log_prob(triples).sum()).backward()
    assert loc.grad.abs().max() < 1e-9
    assert factor.grad.tril().abs().max() < 1e-9
    moved = MultivariateNormal(loc, scale_tril=factor + 0.01 * torch.eye(3)).log_prob(triples).sum()
    assert moved < MultivariateNormal(loc, scale_tril=factor).log_prob(triples).sum()


def test_is_the_mean_nll_by_the_factor_torchs(triples):
    loc, factor = torch.tensor([0.3, -1.0, 2.0]).double(), torch.tensor(ROWS).double()
    expected = -MultivariateNormal(loc, factor @ factor.T).log_prob(triples).mean()
    assert float(analytic.mvn_mean_nll(loc, factor, triples)) == pytest.approx(float(expected))
    pair = torch.tensor([0.3, 1.7])
    expected = -Normal(*pair.double()).log_prob(triples[:, 0]).mean()
    assert float(analytic.mean_nll(pair, triples[:, 0])) == pytest.approx(float(expected))


def test_is_the_factor_of_the_other_product_triangular_and_right(triples):
    _, covariance = analytic.mvn_mle(triples)
    factor = analytic.upper_lower_factor(covariance)
    assert torch.allclose(factor.T @ factor, covariance, rtol=1e-12)
    assert not torch.allclose(factor @ factor.T, covariance, rtol=0.1)
    assert (factor.triu(1) == 0).all()
    assert (factor.diagonal() > 0).all()


def test_is_n_minus_one_named_where_it_costs_a_learned_scale_its_points():
    with pytest.raises(CheckFailed) as failure:
        check.fit_loc_scale(lambda x: (x.mean(), x.std()))
    assert failure.value.wrong_turn == "n − 1 for n"


def test_is_a_factor_that_is_not_triangular_refused_whatever_its_covariance():
    def full(x):
        loc, covariance = analytic.mvn_mle(x)
        factor = torch.linalg.cholesky(covariance)
        turn = torch.linalg.qr(torch.ones(len(loc), len(loc)) + torch.eye(len(loc)))[0].double()
        assert torch.allclose((factor @ turn) @ (factor @ turn).T, covariance)
        return loc, factor @ turn

    with pytest.raises(CheckFailed) as failure:
        check.fit_mean_and_factor(full)
    assert failure.value.wrong_turn == "factor not triangular"


@pytest.mark.parametrize(
    "value", [None, "x", {}, [], (1.0,) * 7, (None, None), [[1.0], [2.0, 3.0]]]
)
def test_is_every_odd_value_told_in_words(value):
    for judge in (
        check.adam_step, check.fit_loc_scale, check.fit_mean_and_factor, check.mvn_mle,
        check.fit_shared_mean, check.fit_student_t,
    ):  # fmt: skip
        with pytest.raises(CheckFailed) as failure:
            judge(lambda *given: value)
        assert failure.value.wrong_turn in (*message.TYPES, *message.SHAPES), judge.__self__.name


INVERSE = analytic.softplus_inverse
SOFTPLUS = {
    "formula as typed": (lambda r: torch.log(1 + r.exp()), lambda s: (s.exp() - 1).log()),
    "overflow": (lambda r: torch.log1p(r.exp()), lambda s: torch.expm1(s).log()),
    "small lost": (lambda r: torch.where(r > 20, r, torch.log(1 + r.exp())),
                   lambda s: s + torch.log(1 - torch.exp(-s))),
}  # fmt: skip


@pytest.mark.parametrize("seed", ["1", "2", "3", "4", "5"])
@pytest.mark.parametrize("end", SOFTPLUS)
def test_is_softplus_told_which_of_its_ends_fails(end, seed, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_SEED", seed)
    forth, back = SOFTPLUS[end]
    for pair in [(forth, INVERSE), (analytic.softplus, back)]:
        with pytest.raises(CheckFailed) as failure:
            check.softplus_pair(*pair)
        told = failure.value.wrong_turn
        assert told.replace("values ", "").replace("scales ", "") == end


def test_is_a_lower_triangle_completed_to_the_factor_that_it_was_cut_from(triples):
    _, covariance = analytic.mvn_mle(triples)
    factor = torch.linalg.cholesky(covariance)
    turn = torch.linalg.qr(torch.ones(3, 3) + 2 * torch.eye(3))[0].double()
    full = factor @ turn
    assert torch.allclose(fit_mean_and_factor.completed(full.tril(), covariance), full)
    assert torch.allclose(fit_mean_and_factor.completed(factor, covariance), factor)


@pytest.mark.parametrize("steps", [20, 50, 90])
def test_is_a_run_that_stops_early_not_taken_for_one_that_was_cut(steps, monkeypatch):
    def short(x):
        loc = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)
        raw = torch.eye(x.shape[1], dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.Adam([loc, raw], lr=0.1)
        for _ in range(steps):
            optimizer.zero_grad()
            factor = raw.tril(-1) + analytic.softplus(raw.diagonal()).diag()
            (-MultivariateNormal(loc, scale_tril=factor).log_prob(x).sum()).backward()
            optimizer.step()
        return loc.detach(), factor.detach()

    for seed in ("1", "2", "3"):
        monkeypatch.setenv("COURSE_DATA_SEED", seed)
        with pytest.raises(CheckFailed) as failure:
            check.fit_mean_and_factor(short)
        assert failure.value.wrong_turn == "stops early"


def test_does_the_demo_arrive_where_the_formula_says_and_later_from_a_narrow_start():
    x = data.normal("normals: demo", 200)

    def left(scale):
        loc, end = demo.adam_path(x, -10.0, scale)[-1].tolist()
        return analytic.standard_errors_left(loc, end, x)

    assert left(2.1) < 0.1 < 10 < left(0.5)
    assert demo.adam_path(x, 5.0, 1.3)[0].tolist() == pytest.approx([5.0, 1.3])
