"""Runs one notebook inside the cage, with nbgrader's own executor; a program, imported by nobody.

Reads notebook.ipynb in the present folder and writes executed.ipynb after every cell, so that what
ran before a limit struck is not lost. When the kernel dies or hangs in a cell, that cell is left
out and the notebook is run again: a bad cell costs what depends on it, and no more.

    python runner.py SECONDS_A_CELL
"""

import json
import resource
import sys
from pathlib import Path

import nbformat
from nbclient.exceptions import DeadKernelError
from nbgrader.preprocessors import Execute

MEMORY = 8 << 30  # bytes of address space, torch's own reservations included
LARGEST_FILE = 200 << 20
LONGEST_OUTPUT = 20_000  # characters of one output that are kept
MOST_DEATHS = 3
OUT = Path("executed.ipynb")


def main() -> None:
    """Run the notebook; leave executed.ipynb."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    text = Path("notebook.ipynb").read_text(encoding="utf-8")
    deadly: dict[int, str] = {}
    while len(deadly) <= MOST_DEATHS:
        notebook = nbformat.reads(text, as_version=4)
        for index in deadly:
            notebook.cells[index].source = ""
        running = [-1]
        try:
            run(notebook, running, deadly)
            return
        except DeadKernelError:
            deadly[running[0]] = "KernelDied"
        except Exception:  # a cell that ignores the interrupt leaves a kernel that never answers
            deadly[running[0]] = "CellTimeoutError"
        save(notebook, deadly)


def run(notebook: nbformat.NotebookNode, running: list[int], deadly: dict[int, str]) -> None:
    """Run the notebook from the top, noting the cell that runs in running[0]."""
    executor = Execute(timeout=int(sys.argv[1]), extra_arguments=["--log-level=ERROR"])

    def started(cell: nbformat.NotebookNode, cell_index: int) -> None:
        running[0] = cell_index

    report = executor.on_cell_executed

    def done(**event: object) -> None:
        report(**event)
        save(notebook, deadly)

    executor.on_cell_execute = started
    executor.on_cell_executed = done
    executor.preprocess(notebook, {"metadata": {"path": "work"}})
    save(notebook, deadly)


def save(notebook: nbformat.NotebookNode, deadly: dict[int, str]) -> None:
    """Write what there is so far: cut outputs, and the cells that ended the kernel."""
    kept = nbformat.from_dict(notebook)
    for index, cell in enumerate(kept.cells):
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            if "text" in output and len(output.text) > LONGEST_OUTPUT:
                output.text = output.text[:LONGEST_OUTPUT] + "\n... cut here"
        if index in deadly:
            died = {"output_type": "error", "ename": deadly[index], "traceback": [],
                    "evalue": "the kernel did not outlive this cell"}  # fmt: skip
            cell.outputs = [nbformat.from_dict(died)]
            cell.execution_count = cell.execution_count or 0
    scratch = OUT.with_suffix(".tmp")
    scratch.write_text(json.dumps(kept), encoding="utf-8")
    scratch.replace(OUT)


if __name__ == "__main__":
    main()
