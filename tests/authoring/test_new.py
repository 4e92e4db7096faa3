"""Does `course new` make a sheet that builds, and whose checks pass their bank?"""

import os
import re
import shutil
import subprocess
import sys
import tomllib

import nbformat
import pytest
from support.project import PROJECT

from course.authoring import new, rules
from course.errors import CourseError

NAME = "77-slow-waves"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a copy of the project, with one sheet begun and none of the others' texts."""
    root = tmp_path_factory.mktemp("copy")
    for part in ("course", "helpers"):
        shutil.copytree(PROJECT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("nbgrader_config.py", "pyproject.toml", "requirements.lock"):
        shutil.copy(PROJECT / file, root / file)
    said = []
    new.new(root, NAME, said.append)
    return root, said


def test_is_the_new_sheet_entered_where_the_others_are(made):
    root, said = made
    assert f"course build {NAME}, course check {NAME}" in said[-1]
    for line in said[:-1]:
        assert (root / line.split(": ")[0]).is_file(), line
    contracts = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]
    told = str(contracts["contracts"])
    assert "| slow_waves'" in told
    assert "'helpers.check.slow_waves'" in told
    words = [sys.executable, "-m", "ruff", "check", "--no-cache", "helpers"]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    for path in root.rglob("*slow_waves*"):
        assert path.is_dir() or "{{" not in path.read_text()


def test_is_nothing_written_over(made, tmp_path):
    root, _ = made
    before = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    for name, says in ((NAME, "has the number 77 already"), ("01-x", "has the number 01"),
                       ("78-slow-waves", "is there already"), ("78-kit", "is there already"),
                       ("waves", "is no name of a sheet"), ("78-Waves", "is no name"),
                       ("78-../../x", "is no name")):  # fmt: skip
        with pytest.raises(CourseError, match=re.escape(says)):
            new.new(root, name, print)
    assert {p: p.read_bytes() for p in root.rglob("*") if p.is_file()} == before


@pytest.mark.slow
def test_does_the_new_sheet_build_and_pass_its_bank(made):
    """In one process of the copy: its kernel imports the copy's helpers as well."""
    root, _ = made
    code = (
        "from course import cli\n"
        f"for verb in ('build', 'check'):\n    cli.app([verb, '{NAME}'], standalone_mode=False)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 of 4 right accepted, 11 of 11 wrong named" in done.stdout
    source, release = (
        nbformat.read(root / part / NAME / f"{NAME}.ipynb", as_version=4)
        for part in ("source", "release")
    )
    rules.of_release(NAME, source, release)
    assert any("image/png" in o.get("data", {}) for c in source.cells for o in c.get("outputs", []))


@pytest.mark.slow
def test_is_a_check_that_is_not_exported_told_as_that(tiny):
    notebook = tiny("check.derivative(derivative)\n###", "check.derivativ(derivative)\n###")
    with pytest.raises(CourseError) as caught:
        rules.of_stubs("tiny", notebook)
    assert "the test cell itself stops: AttributeError" in str(caught.value)
    assert "Declare derivativ in a file" in str(caught.value)
    assert "unsolved" not in str(caught.value)
