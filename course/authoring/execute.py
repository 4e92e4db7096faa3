"""Executes a sheet's source in a kernel, as a reader would with Run All, and times its cells."""

import os
import tempfile
import time

import nbformat
from nbformat import NotebookNode

from course import notebooks

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LONGEST_CELL = 120  # seconds


def execute(notebook: NotebookNode) -> dict[int, float]:
    """Run a notebook in an empty folder on the practice data; return each cell's seconds."""
    from nbclient import NotebookClient  # a kernel's client: only where something is executed

    env = {k: v for k, v in os.environ.items() if k != "COURSE_DATA_SEED"}
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=LONGEST_CELL,
            allow_errors=True,
            record_timing=False,
            store_widget_state=False,
            resources={"metadata": {"path": folder}},
            extra_arguments=["--log-level=ERROR"],
        )
        begun: dict[int, float] = {}
        seconds: dict[int, float] = {}
        client.on_cell_execute = lambda cell, cell_index: begun.update(
            {cell_index: time.monotonic()}
        )
        client.on_cell_executed = lambda cell, cell_index, execute_reply: seconds.update(
            {cell_index: time.monotonic() - begun[cell_index]}
        )
        client.execute(env=env)
    settle(notebook)
    return seconds


def settle(notebook: NotebookNode) -> None:
    """Make of an executed notebook what is stored: nothing in it differs from run to run."""
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    )
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [_settled(output) for output in notebooks.joined(cell.outputs)]


def _settled(output: NotebookNode) -> NotebookNode:
    """Drop what differs from run to run: a widget's model id, which a dead kernel made."""
    output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    return output
