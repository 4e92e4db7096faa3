"""Does a student get their own copies, keep what they wrote, and need nothing else of the project?

Continuous integration runs this file where nothing but a desk is installed, so it imports nothing
of the teaching staff's side.
"""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from helpers import desk

SHEETS = sorted(path.parent.name for path in desk.RELEASE.glob("*/*.ipynb"))


def test_does_a_new_desk_hold_every_sheet(tmp_path):
    said = desk.lay_out(desk.RELEASE, tmp_path)
    assert len(said) == len(SHEETS) > 0
    for name in SHEETS:
        given = desk.RELEASE / name / f"{name}.ipynb"
        assert (tmp_path / name / f"{name}.ipynb").read_bytes() == given.read_bytes()


def test_is_a_students_work_left_alone(tmp_path):
    desk.lay_out(desk.RELEASE, tmp_path)
    mine = tmp_path / SHEETS[0] / f"{SHEETS[0]}.ipynb"
    mine.write_text("my work")
    said = desk.lay_out(desk.RELEASE, tmp_path)
    assert mine.read_text() == "my work"
    assert "left as it is" in said[0]


@pytest.mark.slow
def test_does_a_sheet_run_from_top_to_bottom_before_anything_is_solved(tmp_path: Path):
    desk.lay_out(desk.RELEASE, tmp_path)
    path = tmp_path / SHEETS[0] / f"{SHEETS[0]}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=120, allow_errors=True, resources={"metadata": {"path": str(path.parent)}}
    ).execute()
    asked = open_exercises = 0
    for cell in notebook.cells:
        flags = cell.metadata.get("nbgrader") or {}
        stops = [o.ename for o in cell.get("outputs", []) if o.output_type == "error"]
        if cell.cell_type == "code" and flags.get("grade"):
            asked += 1
            assert stops == ["CheckFailed"], cell.source
        elif flags.get("solution"):
            assert not set(stops) - {"NotImplementedError"}, cell.source
        elif "raises-exception" in cell.metadata.get("tags", []):  # it asks an answer
            assert stops in (["CheckFailed"], ["NameError"]), cell.source
            shown = "".join(o.get("traceback", [""])[0] for o in cell.outputs)
            open_exercises += "is not solved yet" in shown
        else:
            assert not stops, cell.source
    assert asked > 0
    assert open_exercises > 0
