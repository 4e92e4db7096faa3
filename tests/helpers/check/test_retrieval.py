"""The closed forms of sheet 14, each against another way to the same number."""

import math

import pytest
import torch
from torch.distributions import Binomial

from helpers import data
from helpers.check.kit.asks import Draws
from helpers.check.retrieval import angle_mle, nearest, recall, signs

DOUBLE = torch.float64
RATE = 1e-9  # of a false failure


def pair_at(theta, d):
    """Return two vectors of unlike lengths at an angle, in a plane that no axis lies in."""
    turn = torch.linalg.qr(data.normal("test: turn", d * d).reshape(d, d)).Q
    flat = torch.zeros(2, d, dtype=DOUBLE)
    flat[0, 0], flat[1, 0], flat[1, 1] = 2.0, 0.3 * math.cos(theta), 0.3 * math.sin(theta)
    return flat @ turn


def tails(count, b, p):
    """Return the probabilities of at most and of at least count, summed exactly."""
    terms = Binomial(b, torch.tensor(p, dtype=DOUBLE)).log_prob(torch.arange(b + 1).double()).exp()
    return float(terms[: count + 1].sum()), float(terms[count:].sum())


@pytest.mark.parametrize(("degrees", "d"), [(5, 3), (20, 2), (60, 8), (90, 3), (150, 32)])
def test_do_random_planes_part_two_vectors_as_often_as_the_sheet_says(degrees, d):
    planes = data.normal(f"test: planes {degrees}", 20000 * d).reshape(20000, d)
    one, other = signs.reference(pair_at(math.radians(degrees), d), planes)
    assert min(tails(int((one != other).sum()), 20000, degrees / 180)) > RATE / 2


def test_is_the_angle_at_the_top_of_the_likelihood():
    one = torch.ones(64, dtype=torch.int64)
    other = torch.cat([torch.zeros(14), torch.ones(50)]).long()
    angle, error = angle_mle.reference(one, other)

    def loss(theta):
        return -Binomial(64, theta / math.pi).log_prob(torch.tensor(14.0, dtype=DOUBLE))

    at = torch.tensor(angle, dtype=DOUBLE)
    slope = torch.func.grad(loss)(at)
    curvature = torch.func.hessian(loss)(at)
    assert abs(float(slope)) < 1e-8
    assert float(curvature**-0.5) == pytest.approx(error, rel=1e-9)


def test_is_recall_the_share_of_tables_that_match_summed_over_all_codes():
    share, k, tables = 0.7, 3, 2
    found = 0.0
    for code in range(2 ** (k * tables)):  # which bits of all tables agree
        bits = [(code >> place) & 1 for place in range(k * tables)]
        if any(all(bits[k * t : k * t + k]) for t in range(tables)):
            found += math.prod(share if bit else 1 - share for bit in bits)
    theta = torch.tensor([math.pi * (1 - share)], dtype=DOUBLE)
    assert float(recall.reference(theta, k, tables)) == pytest.approx(found, rel=1e-12)


def test_do_distance_and_angle_rank_unit_vectors_alike_and_others_not():
    u = Draws("test: ranks")
    rows = u.normal(90).reshape(30, 3)
    unit = rows / rows.norm(dim=1, keepdim=True)
    ranks = [nearest.reference(unit[:4], unit, 30, metric) for metric in ("euclidean", "cosine")]
    assert torch.equal(*ranks)
    unlike = [nearest.reference(rows[:4], rows, 30, metric) for metric in ("euclidean", "cosine")]
    assert not torch.equal(*unlike)
