"""Is an answer that is one slip away from a right formula told that slip?"""

import dataclasses
import math

import pytest
import torch

from helpers.check.kit.asks import positive, real, sample
from helpers.check.kit.edits import edited
from helpers.check.kit.exercise import Exercise
from helpers.check.kit.message import CheckFailed
from helpers.check.kit.slips import slips


def worked(x, loc, scale):
    """Return a sum that no relation and no turn reaches when a term of it is off."""
    spread = ((x - loc) / scale) ** 2
    return (spread + 3 * torch.log(scale * torch.ones_like(x))).sum() + math.sin(loc)


EXERCISE = Exercise(
    name="spread",
    arguments=(
        sample("x", lambda u, given, n: u.normal(n, 3.0, 2.0), many=(5, 12)),
        real("loc", -2, 2),
        positive("scale", 0.5, 3),
    ),
    reference=worked,
    worked=(worked,),
    passed="spread.",
)


def without_logs(x, loc, scale):
    return (((x - loc) / scale) ** 2).sum() + math.sin(loc)


def without_power(x, loc, scale):
    return ((x - loc) / scale + 3 * math.log(scale)).sum() + math.sin(loc)


def swapped(x, loc, scale):
    return (((x - loc) / scale) ** 2 + 3 * math.log(scale)).sum() + math.sin(scale)


def two_slips(x, loc, scale):
    return (((x - loc) / scale) ** 4 + 2 * math.log(scale)).sum() - math.sin(loc)


@pytest.mark.parametrize(
    ("answer", "name", "quoted"),
    [
        (without_logs, "slip: left out", "3 * torch.log(scale * torch.ones_like(x))"),
        (without_power, "slip: left out", "((x - loc) / scale) ** 2"),
        (swapped, "slip: scale for loc", "in the place of `loc`"),
    ],
)
def test_is_the_slip_named_and_shown(answer, name, quoted):
    with pytest.raises(CheckFailed) as caught:
        EXERCISE.check(answer)
    assert caught.value.wrong_turn == name
    assert quoted in caught.value.hint


def test_is_a_slip_claimed_where_it_explains_nothing():
    with pytest.raises(CheckFailed) as caught:
        EXERCISE.check(two_slips)
    assert "slip" not in caught.value.wrong_turn


def test_is_a_slip_named_without_a_worked_formula():
    with pytest.raises(CheckFailed) as caught:
        dataclasses.replace(EXERCISE, worked=()).check(swapped)
    assert "slip" not in caught.value.wrong_turn


def test_is_every_edit_another_program_shown_by_what_stood_there():
    code = "def f(a, b):\n    c = a + 2\n    return g(c).mean() / b ** 2"
    found = edited(code)
    assert len({e.code for e in found}) == len(found)
    assert all(e.was != e.now for e in found)
    shown = {(e.was, e.now) for e in found}
    assert {("a + 2", "a"), ("g(c)", "c"), ("2", "3"), ("c = a + 2", "pass")} <= shown


def test_is_a_formula_that_could_run_for_ever_refused():
    def endless(x):
        while x > 0:
            x = x - 1
        return x

    with pytest.raises(ValueError, match="for ever"):
        slips(endless)


def test_is_a_strange_edit_tried_without_a_warning(recwarn):
    def indexed(x):
        return x.softmax(0)[0]

    slips(indexed)
    assert not recwarn.list
