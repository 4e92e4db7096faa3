"""What nbval executed, kept for the tests that ask more of the same run.

`make test` runs every committed source under nbval first. Its outputs and times are kept in
.cache/executed/, and what the names stood for that its answers use, with a stamp of all that these
depend on. Where the stamp fits, no test executes the sheet again.
"""

import hashlib
import json
import pickle
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from course.authoring import execute, names, sheet
from course.files import write_whole

PROJECT = Path(__file__).parent.parent.parent
KEPT = PROJECT / ".cache" / "executed"


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return a notebook's code cells, in their order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def stamp(cells: list[NotebookNode]) -> str:
    """Return a hash of all that the execution of code cells depends on."""
    digest = hashlib.sha256(sys.version.encode())
    for cell in cells:
        digest.update(f"{len(cell.source)}\n{cell.source}\n".encode())
    for path in [*sorted((PROJECT / "helpers").rglob("*.py")), PROJECT / "requirements.lock"]:
        digest.update(str(path.relative_to(PROJECT)).encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def answers(notebook: NotebookNode) -> list[int]:
    """Return the places of the cells that hold answers in code."""
    return [
        i for i, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and sheet.is_answer(cell)
    ]  # fmt: skip


def used(notebook: NotebookNode) -> set[str]:
    """Return the names that the answers of a sheet use from above."""
    return set().union(*(names.used(notebook.cells[i].source) for i in answers(notebook)))


def begin(name: str) -> None:
    """Forget what was kept of a sheet: its run begins anew."""
    (KEPT / f"{name}.json").unlink(missing_ok=True)
    shutil.rmtree(KEPT / name, ignore_errors=True)
    (KEPT / name).mkdir(parents=True)


# Run in the sheet's kernel: it writes to no name of the sheet and draws nothing.
VALUES = """
import pickle, torch
from pathlib import Path
kinds = torch.Tensor | int | float | str | tuple | list | dict
values = {n: scope[n] for n in used if isinstance(scope.get(n), kinds)}
Path(path).write_bytes(pickle.dumps(values))
"""


def keeping_values(name: str, notebook: NotebookNode, place: int) -> str:
    """Return code for a sheet's kernel, which keeps what names stand for above an answer."""
    path = str(KEPT / name / f"{place}.pickle")
    given = f"'scope': globals(), 'used': {sorted(used(notebook))!r}, 'path': {path!r}"
    return f"exec({VALUES!r}, {{{given}}})"


def values(name: str, notebook: NotebookNode) -> dict[int, dict[str, Any]] | None:
    """Return what the names that answers use stood for at each answer, when all cells were run.

    Args:
        name: the sheet's name.
        notebook: the sheet; None is returned where no run of these very cells is kept.
    """
    found = {i: KEPT / name / f"{i}.pickle" for i in answers(notebook)}
    if _kept(name, code_cells(notebook)) is None or not all(map(Path.exists, found.values())):
        return None
    return {i: pickle.loads(path.read_bytes()) for i, path in found.items()}


def keep(name: str, stamp: str, outputs: list[list[NotebookNode]], seconds: list[float]) -> None:
    """Keep what the code cells of a sheet gave, and how long each of them took."""
    kept = {"stamp": stamp, "outputs": outputs, "seconds": seconds}
    write_whole(KEPT / f"{name}.json", json.dumps(kept))


def put_in(name: str, notebook: NotebookNode) -> dict[int, float] | None:
    """Put what was kept of a sheet into its notebook, as if it had been executed now.

    Args:
        name: the sheet's name.
        notebook: the sheet, ready to be executed; changed in place where a record fits.

    Returns:
        Run time of each code cell by its index; None where no run of these very cells is kept.
    """
    cells = code_cells(notebook)
    kept = _kept(name, cells)
    if kept is None:
        return None
    for number, (cell, outputs) in enumerate(zip(cells, kept["outputs"], strict=True), 1):
        cell.outputs = [nbformat.from_dict(output) for output in outputs]
        cell.execution_count = number
    execute.settle(notebook)
    places = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    return dict(zip(places, kept["seconds"], strict=True))


def _kept(name: str, cells: list[NotebookNode]) -> dict[str, Any] | None:
    try:
        kept: dict[str, Any] = json.loads((KEPT / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept if kept["stamp"] == stamp(cells) else None
