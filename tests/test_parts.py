"""Is what one run leaves out asked by the next, and everything at night?"""

import pytest
from support.sample import every, of_other_runs


class Config:
    """The options that a part follows from."""

    def __init__(self, seed, night=False):
        self.options = {"randomly_seed": seed, "--all-sheets": night}

    def getoption(self, name, default=None):
        return self.options.get(name, default)


class Item:
    """A test of a name, marked or not."""

    def __init__(self, nodeid, marks=()):
        self.nodeid, self.marks = nodeid, {mark.name: mark for mark in marks}

    def get_closest_marker(self, name):
        return self.marks.get(name)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_do_runs_in_turn_ask_everything(step):
    asked = [every(range(10), step, Config(seed)) for seed in range(step)]
    assert sorted(i for part in asked for i in part) == list(range(10))
    assert every(range(10), step, Config(1, night=True)) == range(10)


def test_is_a_part_left_to_other_runs_whatever_the_order():
    half = pytest.mark.part(2).mark
    items = [Item(f"a.py::test_x[{i}]", [half]) for i in range(6)]
    items += [Item("a.py::test_y"), Item("a.py::test_z[1]", [half])]
    one, other = (of_other_runs(items, Config(seed)) for seed in (0, 1))
    assert not one & other
    assert {item.nodeid for item in one | other} == {i.nodeid for i in items if i.marks}
    assert of_other_runs(items[::-1], Config(0)) == one
    assert of_other_runs(items, Config(0, night=True)) == set()
