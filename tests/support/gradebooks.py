"""Gradebooks to begin with, made once a session: nbgrader takes seconds to make one."""

import functools
import shutil
import tempfile
from pathlib import Path

from nbgrader.api import Gradebook

from course import stock_nbgrader


@functools.cache
def _empty() -> Path:
    path = Path(tempfile.mkdtemp(prefix="test-gradebook-")) / "gradebook.db"
    with stock_nbgrader.alembic_found():
        Gradebook(f"sqlite:///{path}").close()
    return path


def opened(root: Path) -> Gradebook:
    """Return the gradebook of a course folder; an empty one where there is none."""
    path = root / "gradebook.db"
    if not path.exists():
        shutil.copy(_empty(), path)
    return Gradebook(f"sqlite:///{path}")
