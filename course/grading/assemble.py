"""A submission + its source → the notebook that is run.

The notebook is the instructor's. Only text travels from the submission: the text of the answer
cells, and of the cells that the student added. Deleted, duplicated, moved, re-typed, re-tagged or
re-pointed cells and all metadata cannot matter, because none of them is taken.
"""

import copy
import json
from typing import Any

import nbformat
from nbformat import NotebookNode

from course.authoring import sheet

LARGEST = 20_000_000  # bytes of a submission
MOST_CELLS = 2_000
MOST_TEXT = 1_000_000  # characters in all cells together, outputs aside
EMPTY = "# this cell was deleted"


class Refused(Exception):
    """A submission cannot be taken as an answer; the sentence says why and what to do."""


def cells_of(submission: bytes) -> list[tuple[str, str, str, str]]:
    """Return a submission's cells as (cell_type, source, grade_id, cell id); nothing else is taken.

    Raises:
        Refused: the bytes are no notebook.
    """
    if len(submission) > LARGEST:
        raise Refused(
            f"The file has {len(submission):,} bytes, more than {LARGEST:,}; "
            "clear all outputs and hand it in again."
        )
    try:
        content = json.loads(submission.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Refused("The file is not UTF-8 text; save it from JupyterLab again.") from None
    except (ValueError, RecursionError):
        raise Refused("The file is not a notebook (no JSON); save it from JupyterLab.") from None
    if not isinstance(content, dict):
        raise Refused("The file is JSON, but not a notebook; save it from JupyterLab again.")
    if content.get("nbformat") == 3:
        try:
            content = nbformat.convert(nbformat.from_dict(content), 4)
        except Exception:
            raise Refused("The notebook has the old format 3 and cannot be converted.") from None
    if not isinstance(content.get("cells"), list):
        raise Refused("The notebook has no list of cells; save it from JupyterLab again.")
    cells = [_cell(cell) for cell in content["cells"][: MOST_CELLS + 1] if isinstance(cell, dict)]
    if len(content["cells"]) > MOST_CELLS or sum(len(text) for _, text, *_ in cells) > MOST_TEXT:
        raise Refused(
            f"The notebook has more than {MOST_CELLS:,} cells or {MOST_TEXT:,} characters of text; "
            "take out what is no answer and hand it in again."
        )
    return cells


def _cell(cell: dict[str, Any]) -> tuple[str, str, str, str]:
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    metadata = cell.get("metadata")
    flags = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = flags.get("grade_id") if isinstance(flags, dict) else ""
    kind = "code" if cell.get("cell_type") == "code" else "markdown"
    texts = (source, grade_id, cell.get("id"))
    # A lone surrogate is legal in JSON and in no file; a cell that has one keeps the rest.
    clean = [t.encode("utf-8", "replace").decode() if isinstance(t, str) else "" for t in texts]
    return kind, clean[0], clean[1], clean[2]


def assemble(submission: bytes, source: NotebookNode, release: NotebookNode) -> NotebookNode:
    """Put a student's answers and added cells into the instructor's notebook.

    Args:
        submission: the bytes of the student's file, whatever they are.
        source: the sheet's source notebook, hidden tests inside.
        release: the sheet's released notebook, which says what an untouched cell looks like.

    Returns:
        A notebook without outputs, ready to run.

    Raises:
        Refused: the bytes are no notebook.
    """
    cells = cells_of(submission)
    known = {sheet.grade_id(c): i for i, c in enumerate(source.cells) if sheet.grade_id(c)}
    by_id = {c.id: i for i, c in enumerate(source.cells)}
    texts = {c.source.strip(): i for i, c in enumerate(release.cells)}
    answers: dict[int, str] = {}
    added: dict[int, list[tuple[str, str]]] = {}
    at = -1
    for kind, text, grade_id, cell_id in cells:
        place = known.get(grade_id, by_id.get(cell_id, texts.get(text.strip())))
        if place is None:
            if text.strip():
                added.setdefault(at, []).append((kind, text))
            continue
        at = place
        untouched = text.strip() == release.cells[place].source.strip()
        if sheet.is_answer(source.cells[place]):
            if (
                place not in answers
                or answers[place].strip() == release.cells[place].source.strip()
            ):
                answers[place] = text
            elif not untouched:
                added.setdefault(at, []).append((kind, text))
        elif not untouched and not sheet.flags(source.cells[place]):
            # A given cell that the student edited: the given one runs, then what they made of it.
            added.setdefault(at, []).append((kind, text))
    return _placed(source, release, answers, added)


def _placed(
    source: NotebookNode,
    release: NotebookNode,
    answers: dict[int, str],
    added: dict[int, list[tuple[str, str]]],
) -> NotebookNode:
    notebook = nbformat.v4.new_notebook(metadata=copy.deepcopy(source.metadata))
    notebook.nbformat_minor = 5
    count = 0

    def add(place: int) -> None:
        nonlocal count
        for kind, text in added.get(place, []):
            make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
            notebook.cells.append(make(text, id=f"{sheet.ADDED}{count}"))
            count += 1

    add(-1)
    for place, cell in enumerate(source.cells):
        cell = copy.deepcopy(cell)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if sheet.is_answer(cell):
            cell.source = answers.get(place, EMPTY)
            # What nbgrader needs to see whether a written answer was touched at all.
            cell.metadata.nbgrader = copy.deepcopy(release.cells[place].metadata.nbgrader)
        notebook.cells.append(cell)
        add(place)
    return notebook
