"""A part of what could be asked, another part in every run; at night all of it.

The part follows from the seed that pytest-randomly prints, so that a run is repeated by its
`-p randomly -p "randomly_seed=…"`, and what one run leaves out the next ones ask.
"""

from collections.abc import Sequence

import pytest


def every(things: Sequence, step: int, config: pytest.Config) -> Sequence:
    """Return each `step`-th thing, from a start that every run draws anew; at night all."""
    if config.getoption("--all-sheets"):
        return things
    return things[config.getoption("randomly_seed", 0) % step :: step]
