"""A part of what could be asked, another part in every run; at night all of it.

The part follows from the seed that pytest-randomly prints, so that a run is repeated by its
`-p randomly -p "randomly_seed=…"`, and what one run leaves out the next ones ask.
"""

from collections import defaultdict
from collections.abc import Sequence

import pytest


def every(things: Sequence, step: int, config: pytest.Config) -> Sequence:
    """Return each `step`-th thing, from a start that every run draws anew; at night all."""
    if config.getoption("--all-sheets"):
        return things
    return things[config.getoption("randomly_seed", 0) % step :: step]


def of_other_runs(items: list[pytest.Item], config: pytest.Config) -> set[pytest.Item]:
    """Return what a test marked `part(n)` leaves to other runs: all but each n-th of its cases."""
    cases: defaultdict[tuple[str, int], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if mark := item.get_closest_marker("part"):
            cases[item.nodeid.partition("[")[0], mark.args[0]].append(item)
    left: set[pytest.Item] = set()
    for (_, step), some in cases.items():
        in_order = sorted(some, key=lambda item: item.nodeid)
        left |= set(in_order) - set(every(in_order, step, config))
    return left
