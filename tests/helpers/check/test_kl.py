"""The closed forms of sheet 07, and everything numerical that its checks rest on."""

import math

import pytest
import torch
from torch.distributions import Beta, Gamma, Normal, kl_divergence

from helpers import data
from helpers.check.kit import chance
from helpers.check.kit.asks import Case, Draws
from helpers.check.kit.compare import same
from helpers.check.kit.message import CheckFailed
from helpers.check.kl import (
    analytic,
    covering_normal,
    kl_monte_carlo,
    kl_quadrature,
    seeking_grid,
    seeking_normal,
)
from helpers.check.kl.distributions import components, mixture, target, two_peaks
from helpers.check.kl.excess import EXCESS, Excess

DOUBLE = torch.float64
SEEDS = ["1", "2", "3", "4", "5"]


@pytest.fixture(params=SEEDS)
def seed(request, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_SEED", request.param)
    return request.param


def tensors(*values):
    return [torch.tensor(v, dtype=DOUBLE) for v in values]


@pytest.mark.parametrize(
    ("family", "p", "q", "low", "high"),
    [
        (Normal, (-1.2, 0.8), (2.5, 3.1), -12.0, 10.0),
        (Gamma, (4.5, 1.3), (7.1, 0.4), 0.0, 60.0),
        (Gamma, (7.1, 0.4), (4.5, 1.3), 0.0, 180.0),
        (Beta, (3.2, 6.5), (6.1, 4.4), 0.0, 1.0),
        (Beta, (6.1, 4.4), (3.2, 6.5), 0.0, 1.0),
    ],
)
def test_is_the_rule_on_many_nodes_the_closed_form(family, p, q, low, high):
    pair = family(*tensors(*p)), family(*tensors(*q))
    found = kl_quadrature.reference(*pair, low, high, 4001)
    assert found == pytest.approx(float(kl_divergence(*pair)), rel=1e-7)


def test_is_the_divergence_of_two_normals_that_of_torch():
    p, q = (-1.2, 0.8), (2.5, 3.1)
    by_torch = kl_divergence(Normal(*tensors(*p)), Normal(*tensors(*q)))
    assert analytic.normal_kl(*p, *q) == pytest.approx(float(by_torch), rel=1e-10)


def test_are_the_cumulants_of_the_log_ratio_those_of_its_draws():
    pair = (0.5, 2.0, -1.0, 2.6)
    mean, variance, fourth = analytic.log_ratio_cumulants(*pair)
    p, q = Normal(*tensors(*pair[:2])), Normal(*tensors(*pair[2:]))
    x = torch.linspace(-40, 40, 40_001, dtype=DOUBLE)
    ratio, weight = p.log_prob(x) - q.log_prob(x), p.log_prob(x).exp()
    centred = [float(torch.trapezoid(weight * (ratio - mean) ** k, x)) for k in range(5)]
    assert centred[1] == pytest.approx(0.0, abs=1e-9)
    assert variance == pytest.approx(centred[2], rel=1e-9)
    assert fourth == pytest.approx(centred[4] - 3 * centred[2] ** 2, rel=1e-9)


# --- fits --------------------------------------------------------------------------------------


def some_mixture():
    weights, locs, scales = tensors([0.2, 0.5, 0.3], [-1.0, 2.0, 5.0], [0.5, 1.0, 0.7])
    return mixture(weights, locs, scales), (weights, locs, scales)


def kl_of(p):
    """KL(q‖p) as a function of q's pair (loc, scale)."""
    return lambda pair: float(analytic.seeking_kl(p, *tensors(*pair)))


def covering_kl(p, at):
    """KL(p‖q) by trapezoids, at a tensor (loc, log scale)."""
    x = torch.linspace(-30, 40, 7001, dtype=DOUBLE)
    log_p = p.log_prob(x)
    return torch.trapezoid(log_p.exp() * (log_p - Normal(at[0], at[1].exp()).log_prob(x)), x)


def test_is_the_closed_form_where_the_gradient_vanishes():
    p, parts = some_mixture()
    loc, scale = analytic.mixture_moments(*parts)
    assert loc == pytest.approx(float(p.mean), rel=1e-12)
    assert scale == pytest.approx(float(p.stddev), rel=1e-12)
    at = torch.tensor([loc, math.log(scale)], dtype=DOUBLE, requires_grad=True)
    (gradient,) = torch.autograd.grad(covering_kl(p, at), at)
    assert gradient.tolist() == pytest.approx([0.0, 0.0], abs=1e-10)


@pytest.mark.parametrize(("loc", "scale"), [(2.3, 2.2), (0.0, 1.0), (6.0, 5.0)])
def test_is_the_covering_excess_the_difference_of_two_divergences(loc, scale):
    p, parts = some_mixture()
    best = analytic.mixture_moments(*parts)
    at, least = ([v[0], math.log(v[1])] for v in ((loc, scale), best))
    difference = covering_kl(p, *tensors(at)) - covering_kl(p, *tensors(least))
    assert analytic.covering_excess(loc, scale, best) == pytest.approx(float(difference), rel=1e-8)
    assert analytic.covering_excess(loc, -scale, best) == math.inf


def test_is_seeking_kl_that_of_torch_where_the_target_is_normal():
    p = mixture([1.0], [2.0], [1.5])
    loc, scale = tensors([0.0, 2.0, -3.0], [1.0, 1.5, 4.0])
    by_torch = kl_divergence(Normal(loc, scale), Normal(*tensors(2.0, 1.5)))
    found = analytic.seeking_kl(p, loc, scale)
    assert found.tolist() == pytest.approx(by_torch.tolist(), rel=1e-10, abs=1e-12)


def test_is_the_optimum_the_target_where_the_target_is_normal():
    p = mixture([1.0], [2.0], [1.5])
    for start in [(2.0, 1.5), (0.0, 0.5), (6.0, 4.0)]:
        assert analytic.seeking_optimum(p, *start) == pytest.approx((2.0, 1.5), rel=1e-8)


def test_is_the_optimum_of_the_sheet_found():
    p = mixture([0.4, 0.6], [-1.0, 4.0], [0.75, 0.5])
    right, left = analytic.seeking_optimum(p, 4.0, 0.5), analytic.seeking_optimum(p, -1.0, 0.75)
    assert right == pytest.approx((3.99987, 0.50025), abs=5e-6)
    assert left == pytest.approx((-0.99956, 0.75087), abs=6e-6)
    assert kl_of(p)(right) == pytest.approx(0.51076, abs=6e-6)
    # p is at least 0.6 times its right component, so this component costs at most −log 0.6.
    assert kl_of(p)(right) < kl_of(p)((4.0, 0.5)) < -math.log(0.6)


def gradient_and_hessian(p, best, nodes=analytic.NODES):
    at = torch.tensor([best[0], math.log(best[1])], dtype=DOUBLE, requires_grad=True)
    z = torch.linspace(-analytic.SPAN, analytic.SPAN, nodes, dtype=DOUBLE)
    q_z = Normal(0.0, 1.0).log_prob(z)
    value = torch.trapezoid(q_z.exp() * (q_z - at[1] - p.log_prob(at[0] + at[1].exp() * z)), z)
    (slopes,) = torch.autograd.grad(value, at, create_graph=True)
    hessian = torch.stack([torch.autograd.grad(s, at, retain_graph=True)[0] for s in slopes])
    return value.detach(), slopes.detach(), hessian


def test_is_each_valley_a_minimum_on_twice_as_many_nodes(seed):
    for number in range(2):
        p = two_peaks(Draws(f"test: valleys {number}"))
        for pair in components(p):
            best = analytic.seeking_optimum(p, *pair)
            value, slopes, hessian = gradient_and_hessian(p, best, 2 * analytic.NODES - 1)
            assert slopes.tolist() == pytest.approx([0.0, 0.0], abs=1e-8)
            assert bool((torch.linalg.eigvalsh(hessian) > 0.1).all())
            assert kl_of(p)(best) == pytest.approx(float(value), abs=1e-12)
            # What the bound leaves room for: the component itself is well outside, a q cut at
            # five standard deviations well inside, and one cut at three outside again.
            above = [kl_of(p)(v) - float(value) for v in (
                pair, analytic.seeking_optimum(p, *pair, 5.0),
                analytic.seeking_optimum(p, *pair, 3.0))]  # fmt: skip
            assert above[0] > 10 * EXCESS
            assert 0 <= above[1] < 0.1 * EXCESS
            assert above[2] > 10 * EXCESS


def test_does_each_start_lie_in_one_valley_of_several(seed):
    for case in seeking_normal.EXERCISE.cases():
        p, loc, scale = case.args
        found = analytic.seeking_optimum(p, loc, scale)
        bottoms = seeking_normal._every_bottom(p)
        assert sum(same(found, bottom, 1e-6) for bottom in set(bottoms)) >= 1
        assert kl_of(p)(found) < kl_of(p)((loc, scale))
        if case.where == "from between the peaks":
            assert len({round(bottom[0], 2) for bottom in bottoms}) == 3
            assert found == pytest.approx(bottoms[-1], rel=1e-6)


def test_does_a_cut_at_five_standard_deviations_pass_everywhere(seed):
    for case in seeking_normal.EXERCISE.cases():
        p, loc, scale = case.args
        best, cut = (analytic.seeking_optimum(p, loc, scale, span) for span in (12.0, 5.0))
        assert kl_of(p)(cut) - kl_of(p)(best) < 0.1 * EXCESS


def test_does_the_tutorials_answer_pass_with_room():
    p = mixture([0.4, 0.6], [-1.0, 4.0], [0.75, 0.5])
    of = kl_of(p)
    excess = of((3.9999881, 0.5004359)) - of(analytic.seeking_optimum(p, 4.0, 0.5))
    assert 0 < excess < 0.1 * EXCESS
    above = analytic.covering_excess(2.0005128, 2.5248651, (2.0, math.sqrt(6.375)))
    assert 0 < above < 0.1 * EXCESS


def test_is_the_best_grid_point_best_by_far(seed):
    for case in seeking_grid.EXERCISE.cases():
        p, locs, scales = case.args
        table = analytic.seeking_kl(p, *torch.broadcast_tensors(locs.double()[:, None], scales))
        if len(locs) > 1 or len(scales) > 1:
            first, second = table.flatten().topk(2, largest=False).values
            assert second - first > 1e-3
        i, j = divmod(int(table.argmin()), len(scales))
        assert same(seeking_grid.reference(*case.args), (locs[i], scales[j]), 1e-12)


def test_is_an_excess_below_the_optimum_refused():
    case = Case(0, "typical", "", (), "a test")
    judge = Excess(mean_nll=lambda at: 0.3 * at[0])
    with pytest.raises(CheckFailed, match="nats below the KL of the expected"):
        judge.compare(case, (1.0, 2.0), (2.0, 4.0))
    with pytest.raises(CheckFailed, match="no normal"):
        judge.compare(case, (1.0, -2.0), (3.0, 4.0))
    judge.compare(case, (3.0 + 1e-6, 2.0), (3.0, 4.0))


# --- false failures ----------------------------------------------------------------------------


def tail(values, weight, level, n):
    """P(mean of n terms is at least ``level`` above, or below if it is lower, their mean).

    Lugannani and Rice's saddlepoint formula with the cumulant function of one term taken by
    quadrature: ``values`` of the term on a grid of x, ``weight`` their probabilities.
    """
    weight = weight / weight.sum()
    mean = float((weight * values).sum())
    centred = (values - mean).to(DOUBLE)

    def cumulants(t):
        shifted = t * centred
        top = shifted.max()
        tilted = weight * (shifted - top).exp()
        first = (tilted * centred).sum() / tilted.sum()
        second = (tilted * centred**2).sum() / tilted.sum() - first**2
        return float(tilted.sum().log() + top), float(first), float(second)

    t = 0.0
    for _ in range(50):  # Newton's method for K'(t) = level
        _, first, second = cumulants(t)
        t += (level - first) / second
    k, first, second = cumulants(t)
    assert first == pytest.approx(level, rel=1e-6)
    w = math.sqrt(2 * n * (t * level - k))
    u = abs(t) * math.sqrt(n * second)
    normal_tail = 0.5 * math.erfc(w / math.sqrt(2))
    return normal_tail + math.exp(-(w**2) / 2) / math.sqrt(2 * math.pi) * (1 / u - 1 / w)


def ratio_on_a_grid(pair, reach=9.0):
    """Log-ratios on a grid of x, and their probabilities; 1e-18 of them is cut off.

    Beyond, a term of a squared log-ratio would need no help of others: n · 1e-18 is 1e-13.
    """
    z = torch.linspace(-reach, reach, 40_001, dtype=DOUBLE)
    loc_p, scale_p, loc_q, scale_q = pair
    x = loc_p + scale_p * z
    p, q = Normal(*tensors(loc_p, scale_p)), Normal(*tensors(loc_q, scale_q))
    return p.log_prob(x) - q.log_prob(x), Normal(0.0, 1.0).log_prob(z).exp()


def test_is_the_tail_formula_right_where_it_can_be_simulated():
    pair = (0.0, 4.0, 6.0, 5.2)
    values, weight = ratio_on_a_grid(pair)
    mean, variance, _ = analytic.log_ratio_cumulants(*pair)
    n, level = 20, 2 * math.sqrt(variance / 20)
    x = data.normal("test: kl tail", 4_000_000, pair[0], pair[1])
    p, q = Normal(*tensors(*pair[:2])), Normal(*tensors(*pair[2:]))
    means = (p.log_prob(x) - q.log_prob(x)).reshape(-1, n).mean(1) - mean
    for sign in (1, -1):
        seen = float((sign * means > level).double().mean())
        assert tail(values, weight, sign * level, n) == pytest.approx(seen, rel=0.05)


def test_does_a_right_estimate_fail_less_than_once_in_a_billion():
    """The mean of many calls, at both sizes, for the extremes of the pairs that are drawn."""
    asked, worst = kl_monte_carlo.EXERCISE.chance, 0.0
    for away, wider in [(1.2, 1.2), (1.2, 1.5), (2.2, 1.2), (2.2, 1.5)]:
        pair = (0.0, 4.0, 4.0 * away, 4.0 * wider)
        _, variance, _ = analytic.log_ratio_cumulants(*pair)
        values, weight = ratio_on_a_grid(pair)
        rate = 0.0
        for n in (size * asked.times for size in asked.sizes):
            level = chance.FURTHEST * math.sqrt(variance / n)
            rate += tail(values, weight, level, n) + tail(values, weight, -level, n)
        worst = max(worst, rate)
    assert worst < 1e-9


def test_is_the_standard_error_of_the_standard_error_right():
    pair = (0.0, 4.0, -8.0, 5.6)
    _, variance, fourth = analytic.log_ratio_cumulants(*pair)
    n = 500
    x = data.normal("test: kl error", 4000 * n, pair[0], pair[1])
    p, q = Normal(*tensors(*pair[:2])), Normal(*tensors(*pair[2:]))
    errors = (p.log_prob(x) - q.log_prob(x)).reshape(-1, n).std(1) / math.sqrt(n)
    relative = 0.5 * math.sqrt((fourth / variance**2 + 2) / n)
    assert float(errors.mean()) == pytest.approx(math.sqrt(variance / n), rel=0.01)
    assert float(errors.std() / errors.mean()) == pytest.approx(relative, rel=0.06)


def test_are_the_cases_of_quadrature_what_they_are_for(seed):
    """In each precision p and q are 0 at the nodes that a case is about, and at no other."""
    wanted = {"where p rounds to 0": (True, False), "where q rounds to 0": (False, True),
              "where log p is −∞": (True, False), "where q is 0 and p is not": (True, True),
              "where both are 0": (True, False), "where p rounds to 0 and q is 0": (True, False),
              "for two gammas": (True, False), "for two betas": (True, False),
              "on many nodes, most of which have p at 0": (True, False),
              "on 4001 nodes": (True, False)}  # fmt: skip
    for case in kl_quadrature.EXERCISE.cases():
        p, q, low, high, n = case.args
        for dtype in (torch.float32, DOUBLE):
            x = torch.linspace(low, high, n, dtype=dtype)
            p_x, q_x = p.log_prob(x).exp(), q.log_prob(x).exp()
            zeros = bool((p_x == 0).any()), bool(((q_x == 0) & (p_x > 0)).any())
            assert zeros == wanted.get(case.where, (False, False)), (case.described, dtype)


def test_do_fixed_nodes_explain_a_walk_off_them_and_no_start(seed):
    p, loc, scale = seeking_normal.EXERCISE.cases()[0].args
    best = analytic.seeking_optimum(p, loc, scale)
    assert seeking_normal._off_its_nodes(best, (p, loc, scale))
    assert not seeking_normal._off_its_nodes((loc, 1.2 * scale), (p, loc, scale))


def test_are_the_divergences_of_the_covering_check_those_of_quadrature():
    p, parts = some_mixture()
    for first, second in [((2.3, 2.2), (0.0, 1.0)), ((6.0, 5.0), (2.0, 2.0))]:
        by_moments = [covering_normal.divergence(torch.tensor(v), *parts) for v in (first, second)]
        at = [torch.tensor([v[0], math.log(v[1])], dtype=DOUBLE) for v in (first, second)]
        by_area = covering_kl(p, at[0]) - covering_kl(p, at[1])
        assert float(by_moments[0] - by_moments[1]) == pytest.approx(float(by_area), rel=1e-6)


def test_is_the_target_that_of_the_sheet():
    p = target()
    assert components(p) == [(-1.0, 0.75), (4.0, 0.5)]
    assert float(p.log_prob(torch.tensor(4.0)).exp()) == pytest.approx(0.4787, abs=1e-4)
