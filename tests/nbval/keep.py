"""A plugin for the nbval run: keeps what nbval executed, for the tests that ask more of it.

nbval compares texts and forgets. Here the kernel's own messages are listened to as they pass, so
that what is kept is what a notebook would hold, pictures included.
"""

import os
import time
from collections.abc import Generator
from dataclasses import dataclass, field

import nbformat
import pytest
from nbformat import NotebookNode
from nbval.plugin import IPyNbCell, IPyNbFile

from tests.support import executed

OUTPUTS = {"stream", "display_data", "execute_result", "error"}
# What changes an output that is there already: nbval does not follow it, so nothing is kept.
CHANGES = {"clear_output", "update_display_data"}


@dataclass
class Run:
    """What has been heard of a sheet's run, by the number of each code cell."""

    stamp: str
    outputs: dict[int, list[NotebookNode]] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)
    followed: bool = True


RUN = pytest.StashKey[Run]()


def pytest_configure() -> None:
    """Let sheets run as they were committed: on the practice data, on one thread."""
    os.environ.pop("COURSE_DATA_SEED", None)
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Time a cell, listen to what the kernel says meanwhile, and keep the run after the last."""
    assert isinstance(item, IPyNbCell)
    sheet: IPyNbFile = item.parent
    cells = executed.code_cells(sheet.nb)
    if RUN not in sheet.stash:
        sheet.stash[RUN] = Run(executed.stamp(cells))
        executed.begin(sheet.path.stem)
    run = sheet.stash[RUN]
    _keep_values(sheet, item)
    heard: list[dict] = []
    ask = sheet.get_kernel_message

    def listening(timeout: float | None = None, stream: str = "iopub") -> dict:
        message = ask(timeout=timeout, stream=stream)
        heard.append(message)
        return message

    sheet.get_kernel_message = listening
    begun = time.monotonic()
    try:
        return (yield)
    finally:
        run.seconds[item.cell_num] = time.monotonic() - begun
        sheet.get_kernel_message = ask
        own = _of_this_cell(heard)
        run.outputs[item.cell_num] = [
            nbformat.v4.output_from_msg(m) for m in own if m["msg_type"] in OUTPUTS
        ]
        run.followed &= bool(own) and not any(m["msg_type"] in CHANGES for m in own)
        everything = range(len(cells))
        if run.followed and sorted(run.outputs) == list(everything):
            executed.keep(
                sheet.path.stem,
                run.stamp,
                [run.outputs[number] for number in everything],
                [run.seconds[number] for number in everything],
            )


def _keep_values(sheet: IPyNbFile, item: IPyNbCell) -> None:
    """Let the kernel keep what an answer finds above it."""
    place = sheet.nb.cells.index(item.cell)
    if place in executed.answers(sheet.nb):
        code = executed.keeping_values(sheet.path.stem, sheet.nb, place)
        asked = sheet.kernel.kc.execute(code, silent=True, store_history=False)
        sheet.kernel.await_reply(asked, timeout=60)


def _of_this_cell(heard: list[dict]) -> list[dict]:
    """Return the messages of the cell that began; those of earlier cells may come late."""
    asked = {m["parent_header"]["msg_id"] for m in heard if m["msg_type"] == "execute_input"}
    return [m for m in heard if m["parent_header"].get("msg_id") in asked]
