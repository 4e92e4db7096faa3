"""Gradebooks to begin with, made once a session: nbgrader takes seconds to make one."""

import functools
import shutil
import tempfile
from pathlib import Path

from nbgrader.api import Gradebook

from course import stock_nbgrader
from support.project import PROJECT


@functools.cache
def _empty() -> Path:
    path = Path(tempfile.mkdtemp(prefix="test-gradebook-")) / "gradebook.db"
    stock_nbgrader.gradebook(stock_nbgrader.sqlite_url(path)).close()
    return path


@functools.cache
def _knowing(name: str) -> Path:
    root = Path(tempfile.mkdtemp(prefix="test-gradebook-"))
    shutil.copytree(PROJECT / "source" / name, root / "source" / name)
    shutil.copy(_empty(), root / "gradebook.db")
    stock_nbgrader.generate(root, name, "released")
    return root / "gradebook.db"


def opened(root: Path) -> Gradebook:
    """Return the gradebook of a course folder; an empty one where there is none."""
    path = root / "gradebook.db"
    if not path.exists():
        shutil.copy(_empty(), path)
    return Gradebook(stock_nbgrader.sqlite_url(path))


def put_in(root: Path, name: str) -> None:
    """Give a course folder a gradebook that knows one of the project's sheets already."""
    shutil.copy(_knowing(name), root / "gradebook.db")
