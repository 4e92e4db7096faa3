"""Options, and fixtures that tests of several folders use."""

import os

# Before anything imports torch: on two threads the sheets' small models are slower than on one.
os.environ["OMP_NUM_THREADS"] = "1"

from pathlib import Path

import hypothesis
import pytest
from support import executed
from support.project import FEW_SHEETS, PROJECT, SHEETS, TINY
from support.sample import every, of_other_runs

from course.authoring import build, execute, sheet
from course.grading.cage import command

GRADING = PROJECT / "tests" / "grading"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-sheets", action="store_true",
        help="ask of every sheet what is asked of a few otherwise, of larger classes, and with "
        "more random notebooks; for the night",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    hypothesis.settings.register_profile("few", max_examples=12)
    hypothesis.settings.register_profile("many", max_examples=50)
    hypothesis.settings.load_profile("many" if config.getoption("--all-sheets") else "few")


def asked(config: pytest.Config) -> tuple[str, ...]:
    """Return one sheet of each kind, or all of them where that is asked."""
    return tuple(SHEETS) if config.getoption("--all-sheets") else FEW_SHEETS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test of `some_sheet` one sheet of each kind, or all of them where that is asked."""
    chosen = asked(metafunc.config)
    if "some_sheet" in metafunc.fixturenames:
        metafunc.parametrize("some_sheet", chosen, scope="module")
    if "opened" in metafunc.fixturenames:  # in a browser, by day, one of these in turn
        chosen = every(chosen, len(FEW_SHEETS), metafunc.config)
        metafunc.parametrize("opened", chosen, scope="module", indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the night's tests to the night; count lines for the tests of grading alone.

    Counting makes the checks a third slower.
    """
    if not config.getoption("--all-sheets"):
        left = {item for item in items if item.get_closest_marker("night")}
        left |= of_other_runs([item for item in items if item not in left], config)
        config.hook.pytest_deselected(items=[item for item in items if item in left])
        items[:] = [item for item in items if item not in left]
    for item in items:
        if not item.path.is_relative_to(GRADING) or item.path.stem == "test_judge":
            item.add_marker("no_cover")


@pytest.fixture(scope="session")
def few_sheets(pytestconfig: pytest.Config) -> tuple[str, ...]:
    """Return one sheet of each kind, or all of them where that is asked."""
    return asked(pytestconfig)


@pytest.fixture
def tiny(tmp_path: Path):
    """Return a function that writes the tiny sheet, with a replacement, and reads it back."""

    def make(old: str = "", new: str = ""):
        assert old in TINY
        path = tmp_path / "tiny.md"
        path.write_text(TINY.replace(old, new) if old else TINY, encoding="utf-8")
        return build.with_stable_ids("tiny", sheet.load(path))

    return make


@pytest.fixture(scope="session")
def built():
    """Return a function that gives a sheet's source as its text builds it, once a session.

    What nbval has executed is not executed again, where it ran these very cells.
    """
    done: dict = {}

    def make(name: str):
        if name not in done:
            notebook = build.prepared(PROJECT, name)
            seconds = executed.put_in(name, notebook)
            if seconds is None:
                seconds = execute.execute(notebook)
            done[name] = build.finished(PROJECT, name, notebook, seconds)
        return done[name]

    return make


@pytest.fixture(scope="session")
def caged() -> bool:
    """Return whether cages work here; where they do not, grading tests run without one."""
    return not command.works()
