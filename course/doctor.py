"""What works here and what does not, with the remedy: every line is tried, not looked up."""

import importlib.util
import shutil
import sys
from pathlib import Path

from course.grading.cage import command

OURS = {"likelihood-course", "likelihood-course-helpers"}


def chromium() -> str | None:
    """Return the path of a Chromium for the browser test, or None."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    return None


def postgresql() -> Path | None:
    """Return the folder of PostgreSQL's programs for the tests of the gradebook, or None."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return folders[-1].parent if folders else None


def others_names() -> str:
    """Return what to do where another distribution has installed one of our top-level names.

    Two that hold the same name write over one another's files, and pip says nothing.
    """
    from importlib.metadata import packages_distributions

    told: list[str] = []
    for name, owners in packages_distributions().items():
        others = sorted(set(owners) - OURS)
        if name in ("course", "helpers") and others:
            told.append(
                f"{', '.join(others)} has installed a package {name!r} over this project's or "
                f"beside it: run «pip uninstall {' '.join(others)}», or make an environment of its "
                "own for the course (docs/decisions/0012)"
            )
    return "; ".join(told)


def findings() -> list[tuple[str, str]]:
    """Return (what, remedy) for each thing tried; the remedy is empty where it works."""
    missing = [
        name
        for name in ("torch", "nbgrader", "jupyterlab", "jupytext", "ipywidgets", "seaborn")
        if importlib.util.find_spec(name) is None
    ]
    why = command.works()
    return [
        ("Python 3.11 or newer", "" if sys.version_info >= (3, 11) else "install a newer Python"),
        ("packages", f"missing {', '.join(missing)}: run «make setup»" if missing else ""),
        ("cage for students' code", f"{why}: {command.remedy()}" if why else ""),
        ("the names course and helpers", others_names()),
        ("Chromium, for the browser test", "" if chromium() else "install the package «chromium»"),
        ("PostgreSQL, for its test", "" if postgresql() else "install the package «postgresql»"),
    ]
