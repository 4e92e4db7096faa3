"""What nbval executed, kept for the tests that ask more of the same run.

`make test` runs every committed source under nbval first. Its outputs and times are kept in
.cache/executed/, with a stamp of all that they depend on; where the stamp fits, no test executes
the sheet again.
"""

import hashlib
import json
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course.authoring import execute
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
    try:
        kept = json.loads((KEPT / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    cells = code_cells(notebook)
    if kept["stamp"] != stamp(cells):
        return None
    for number, (cell, outputs) in enumerate(zip(cells, kept["outputs"], strict=True), 1):
        cell.outputs = [nbformat.from_dict(output) for output in outputs]
        cell.execution_count = number
    execute.settle(notebook)
    places = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    return dict(zip(places, kept["seconds"], strict=True))
