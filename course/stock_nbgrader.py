"""What this project asks of nbgrader's Python API, in one place."""

import contextlib
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbgrader.apps import NbGraderAPI
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from course.errors import CourseError

PROJECT = Path(__file__).parent.parent


@contextlib.contextmanager
def alembic_found() -> Iterator[None]:
    """Let nbgrader find `alembic`, which it starts by name, beside this Python."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Turn the log of nbgrader's applications down to errors."""
    log = logging.getLogger("traitlets")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def settings(root: Path) -> Config:
    """Return nbgrader's configuration for a course folder: its own file, else the project's."""
    own = root / "nbgrader_config.py"
    path = own if own.exists() else PROJECT / "nbgrader_config.py"
    config: Config = PyFileConfigLoader(path.name, path=str(path.parent)).load_config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
    return config


def api(root: Path, **overrides: dict[str, Any]) -> NbGraderAPI:
    """Return nbgrader's API for a course folder.

    Args:
        root: course folder.
        overrides: settings by class, such as ``CourseDirectory={"release_directory": "x"}``.
    """
    config = settings(root)
    for section, values in overrides.items():
        config[section].update(values)
    config.Application.log_level = logging.ERROR
    return NbGraderAPI(config=config)


# What nbgrader's own flag --no-db sets.
NO_GRADEBOOK = {"GenerateAssignment": {"no_database": True}, "SaveCells": {"enabled": False}}


def generate(root: Path, sheet: str, release: str, gradebook: bool = True) -> None:
    """Run nbgrader's generator: root/source/SHEET → root/RELEASE/SHEET.

    Args:
        root: course folder.
        sheet: the sheet's name.
        release: the folder of root that it is released to.
        gradebook: enter the sheet into the gradebook as well, made where there is none.

    Raises:
        CourseError: nbgrader refused; with its own words.
    """
    more = {} if gradebook else NO_GRADEBOOK
    with quiet(), alembic_found():
        made = api(root, CourseDirectory={"release_directory": release}, **more)
        result = made.generate_assignment(sheet, force=True, create=True)
    if not result["success"]:
        log = (result.get("log") or "").splitlines()
        reason = [x.strip() for x in log if "Error:" in x or "RuntimeError" in x]
        raise CourseError(
            f"source/{sheet}/{sheet}.ipynb: nbgrader cannot generate the assignment: "
            f"{reason[-1] if reason else 'no reason given'}"
        )


def register(root: Path, sheet: str) -> None:
    """Make a sheet known to the gradebook of a course folder, leaving its release/ alone."""
    scratch = f".generated-{sheet}"
    try:
        generate(root, sheet, scratch)
    finally:
        shutil.rmtree(root / scratch, ignore_errors=True)
