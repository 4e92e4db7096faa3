"""Builds the sheets: text → source/ (executed) → release/ (without answers).

The build is deterministic: cell ids come from content and place, times and model ids are dropped,
and a figure that looks like the committed one keeps the committed bytes. It is idempotent: a sheet
whose text, helpers and notebooks are what they were at the last build is left alone.
"""

import hashlib
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course import notebooks
from course.authoring import names as names_in
from course.authoring import pictures, rules, sheet, stamps
from course.authoring.execute import KERNEL, execute
from course.errors import CourseError


def names(root: Path) -> list[str]:
    """Return the names of the sheets of a course, in teaching order."""
    return sorted(path.stem for path in (root / "course" / "sheets").glob("*.md"))


def build(
    root: Path, wanted: list[str], say: Callable[[str], None] = print, force: bool = False
) -> None:
    """Build sheets, those named or all.

    Args:
        root: the project's folder.
        wanted: names of sheets; all of them where empty.
        say: takes a line of progress.
        force: build also what did not change.

    Raises:
        CourseError: an unknown sheet, or one that breaks a rule; what was built before is kept.
    """
    known = names(root)
    for name in wanted:
        if name not in known:
            raise CourseError(f"There is no sheet {name!r}; there are {', '.join(known)}.")
    for name in wanted or known:
        why = "asked for" if force else stamps.why_not_built(root, name)
        if not why:
            say(f"{name}: nothing changed")
            continue
        start = time.monotonic()
        say(f"{name}: building ({why})")
        try:
            source = build_source(root, name)
            release = build_release(root, name, source)
        except KeyboardInterrupt:
            say(f"interrupted: {name} is as it was; what was built before it is kept")
            raise
        for folder, notebook in (("source", source), ("release", release)):
            notebooks.write(root / folder / name / f"{name}.ipynb", notebook)
        stamps.write(root, name)
        say(f"{name}: built in {time.monotonic() - start:.0f} s")


def build_source(root: Path, name: str) -> NotebookNode:
    """Return the executed source of a sheet, or raise the rule that it breaks."""
    notebook = prepared(root, name)
    return finished(root, name, notebook, execute(notebook))


def prepared(root: Path, name: str) -> NotebookNode:
    """Return a sheet's text as a notebook that is ready to be executed.

    Raises:
        CourseError: the first rule that the text breaks.
    """
    notebook = with_stable_ids(name, sheet.load(root / "course" / "sheets" / f"{name}.md"))
    rules.of_text(name, notebook)
    rules.of_stubs(name, notebook)
    return notebook


def finished(
    root: Path, name: str, notebook: NotebookNode, seconds: dict[int, float]
) -> NotebookNode:
    """Return an executed sheet as it is stored, figures that look as before with their old bytes.

    Args:
        root: the project's folder.
        name: the sheet's name.
        notebook: the sheet, its outputs inside.
        seconds: run time of each code cell by its index.

    Raises:
        CourseError: the first rule that the run or its outputs break.
    """
    rules.of_execution(name, notebook, seconds)
    rules.of_numbers(name, notebook)
    committed = root / "source" / name / f"{name}.ipynb"
    if committed.exists():
        pictures.keep(notebook, nbformat.read(committed, as_version=4))
    return notebook


def with_stable_ids(name: str, notebook: NotebookNode) -> NotebookNode:
    """Give a sheet stable ids and metadata, and let Run All go on past an open exercise."""
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: Counter[str] = Counter()
    open_at_first = _built_on_answers(notebook)
    for index, cell in enumerate(notebook.cells):
        key = sheet.grade_id(cell) or f"{cell.cell_type}\n{cell.source}"
        seen[key] += 1
        cell.id = hashlib.sha256(f"{name}\n{key}\n{seen[key]}".encode()).hexdigest()[:12]
        asks = index in open_at_first or sheet.is_answer(cell) or sheet.is_test(cell)
        if asks and cell.cell_type == "code":
            cell.metadata["tags"] = ["raises-exception"]
    return notebook


def _built_on_answers(notebook: NotebookNode) -> set[int]:
    """Return the given cells that use an answer, or what a cell makes that uses one."""
    found: set[int] = set()
    unsure: set[str] = set()  # names that an open exercise leaves unmade
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or sheet.is_test(cell) or not names_in.readable(cell.source):
            continue  # what cannot be read is told by the rules
        made = names_in.made(cell.source)
        if sheet.is_answer(cell):
            unsure |= made
        elif names_in.used(cell.source) & unsure:
            found.add(index)
            unsure |= made
        else:
            unsure -= made
    return found


def build_release(root: Path, name: str, source: NotebookNode) -> NotebookNode:
    """Return the release of a sheet, made by nbgrader's own generator from its source."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        shutil.copy(root / "nbgrader_config.py", scratch)
        notebooks.write(scratch / "source" / name / f"{name}.ipynb", source)
        from course import stock_nbgrader  # with a kernel's client, which few commands need

        stock_nbgrader.generate(scratch, name, "release", gradebook=False)
        release = nbformat.read(scratch / "release" / name / f"{name}.ipynb", as_version=4)
    rules.of_release(name, source, release)
    return release
