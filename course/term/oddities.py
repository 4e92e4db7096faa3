"""What is odd about a class, whatever was graded: folders, files and sheets that are another's.

Each is one line, said at the end of `course grade` and of `course watch --once`.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from nbgrader.api import Gradebook

from course.errors import CourseError
from course.files import listed, shown
from course.grading.ledger import gradebook, records, standing, times
from course.term.collecting import roster


def lines(root: Path, sheets: Sequence[str], untimed: bool = False) -> Iterator[str]:
    """Yield what a person should look at.

    Args:
        root: course folder.
        sheets: only what concerns one of these; all where empty.
        untimed: whether to tell also of hand-ins whose time is in doubt.
    """
    known = {path.parent.name for path in root.glob("source/*/*.ipynb")}
    chosen = sorted(set(sheets) or known)
    if line := roster.unlisted(root, sheets):
        yield line
    if line := misnamed(root, chosen):
        yield line
    with contextlib.suppress(CourseError), gradebook.reading(root) as book:
        if line := unknown(book, known):
            yield line
        if untimed:
            places = [of for of in records.places(root) if of.sheet in chosen]
            yield from times.doubtful(root, places, standing.read(book, chosen))


def misnamed(root: Path, sheets: Sequence[str]) -> str:
    """Return a line on folders of a sheet that hold another notebook, and not the sheet's."""
    found = []
    for name in sheets:
        for folder in sorted(root.glob(f"submitted/[!.]*/{name}")):
            if folder.is_dir() and not (folder / f"{name}.ipynb").exists():
                others = sorted(shown(path.name) for path in folder.glob("[!.]*.ipynb"))
                if others:
                    found.append(f"{shown(folder.parent.name)}/{name} ({listed(others, 3)})")
    if not found:
        return ""
    return (
        "a notebook, but not under the sheet's name, so that nothing in it is graded: "
        f"{listed(found)} in submitted/; rename it"
    )


def unknown(book: Gradebook, known: set[str]) -> str:
    """Return a line on sheets that the gradebook holds and source/ does not: perhaps misspelt."""
    strange = sorted(str(a.name) for a in book.assignments if str(a.name) not in known)
    if not strange:
        return ""
    return (
        f"the gradebook knows {listed(strange)}, and source/ does not: where that is a slip, its "
        "due date counts for nobody"
    )
