"""Fixtures that tests of several folders use."""

from pathlib import Path

import pytest
from support.project import PROJECT, TINY

from course.authoring import build, sheet
from course.grading.cage import command


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
    """Return a function that builds a sheet's source afresh from its text, once a session."""
    done: dict = {}

    def make(name: str):
        if name not in done:
            done[name] = build.build_source(PROJECT, name)
        return done[name]

    return make


@pytest.fixture(scope="session")
def caged() -> bool:
    """Return whether cages work here; where they do not, grading tests run without one."""
    return not command.works()
