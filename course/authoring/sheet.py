"""A sheet as text, and what it is made of: exercises, each an answer cell with its test cell."""

import ast
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from course.authoring import names
from course.errors import CourseError

BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
STUB = "raise NotImplementedError"
ADDED = "added-"  # how the ids of a student's own cells begin, where they are run


@dataclass(frozen=True)
class Exercise:
    """One exercise of a sheet.

    Args:
        name: grade_id of the answer cell.
        test: grade_id of the test cell.
        answer_index: place of the answer cell in the notebook.
        test_index: place of the test cell in the notebook.
        wants: the names that the test cell takes from the answer.
        points: what the test cell is worth.
    """

    name: str
    test: str
    answer_index: int
    test_index: int
    wants: tuple[str, ...]
    points: float


def load(path: Path) -> NotebookNode:
    """Load a sheet's text as a notebook without outputs.

    Raises:
        CourseError: the file is missing, not UTF-8, or not MyST Markdown with a jupytext header.
    """
    import jupytext  # brings a kernel's client with it: only where a text is read

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CourseError(
            f"{path} does not exist; the sheets are the .md files beside it."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read ({error}); save it as UTF-8 text.") from error
    if not text.startswith("---\n") or "format_name: myst" not in text:
        raise CourseError(
            f"{path} does not begin with a jupytext header that says format_name: myst; "
            "copy the header of another sheet."
        )
    try:
        return jupytext.reads(text, fmt="md:myst")
    except Exception as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CourseError(f"{path} is not MyST Markdown that jupytext reads: {first}.") from error


def flags(cell: NotebookNode) -> dict:
    """Return a cell's nbgrader metadata, empty where it has none."""
    return dict(cell.metadata.get("nbgrader") or {})


def grade_id(cell: NotebookNode) -> str:
    """Return the cell's grade_id, or an empty string."""
    return str(flags(cell).get("grade_id", ""))


def is_answer(cell: NotebookNode) -> bool:
    """Return whether a student writes here, code or text."""
    return bool(flags(cell).get("solution"))


def is_test(cell: NotebookNode) -> bool:
    """Return whether this is an autograder test cell."""
    return bool(flags(cell).get("grade")) and not is_answer(cell) and cell.cell_type == "code"


def is_manual(cell: NotebookNode) -> bool:
    """Return whether a person grades this cell."""
    return bool(flags(cell).get("grade")) and is_answer(cell)


def exercises(notebook: NotebookNode) -> list[Exercise]:
    """Return the exercises in order: each code answer cell with the test cell that follows it.

    An answer cell without a test cell is left out here; ``course build`` refuses the sheet.
    """
    found: list[Exercise] = []
    waiting: int | None = None
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and is_answer(cell) and not is_manual(cell):
            waiting = index
        elif is_test(cell) and waiting is not None:
            found.append(
                Exercise(
                    grade_id(notebook.cells[waiting]),
                    grade_id(cell),
                    waiting,
                    index,
                    tuple(sorted(names.free(cell.source))),
                    float(flags(cell)["points"]),
                )
            )
            waiting = None
    return found


def stub(source: str) -> str:
    """Return an answer cell with its solution taken out, as nbgrader's generator leaves it."""
    kept: list[str] = []
    inside = False
    for line in source.splitlines():
        if line.strip() == BEGIN_SOLUTION:
            inside = True
            kept.append(line[: len(line) - len(line.lstrip())] + STUB)
        elif line.strip() == END_SOLUTION:
            inside = False
        elif not inside:
            kept.append(line)
    return "\n".join(kept)


def without_hidden(source: str) -> str:
    """Return a test cell without its hidden tests."""
    kept: list[str] = []
    inside = False
    for line in source.splitlines():
        if line.strip() == BEGIN_HIDDEN:
            inside = True
        elif line.strip() == END_HIDDEN:
            inside = False
        elif not inside:
            kept.append(line)
    return "\n".join(kept)


def ends_in_value(source: str) -> bool:
    """Return whether the last line of a cell is an expression, whose value nbgrader would grade."""
    body = ast.parse(source).body
    return bool(body) and isinstance(body[-1], ast.Expr)
