"""Does a student get their own copies, keep what they wrote, and need nothing else of the project?

Continuous integration runs this file where nothing but a desk is installed, so it imports nothing
of the teaching staff's side.
"""

import json
import shutil
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


def test_is_a_file_that_hides_a_package_named(tmp_path):
    desk.lay_out(desk.RELEASE, tmp_path)
    assert desk.in_the_way(tmp_path) == []
    (tmp_path / SHEETS[0] / "helpers.py").write_text("x = 1")
    (said,) = desk.in_the_way(tmp_path)
    assert "hides the package helpers" in said


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


# --- corrected sheets --------------------------------------------------------------------------


def cell(text, key, name="", solution=False, kind="code"):
    flags = {"grade_id": name, "solution": solution, "grade": bool(name) and not solution}
    made = {"cell_type": kind, "id": key, "metadata": {"nbgrader": flags} if name else {},
            "source": text}  # fmt: skip
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


STUB = "def f(x):\n    raise NotImplementedError"


def given(first="Look.", stub=STUB, test="assert check.f(f)"):
    key = f"{abs(hash(first)) % 16**12:012x}"  # the build's ids of given cells follow their text
    return [
        cell(first, key, kind="markdown"),
        cell("x = 1", "aaaaaaaaaaaa"),
        cell(stub, "bbbbbbbbbbbb", "f", solution=True),
        cell(test, "cccccccccccc", "test_f"),
        cell("*Write your answer here.*", "dddddddddddd", "why", solution=True, kind="markdown"),
    ]


class Desk:
    """A desk with one sheet, and the course that gave it."""

    def __init__(self, folder):
        self.release, self.desk = folder / "release", folder / "desk"
        self.own = self.desk / "01-a" / "01-a.ipynb"

    def give(self, cells):
        path = self.release / "01-a" / "01-a.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4,
                                    "nbformat_minor": 5}))  # fmt: skip
        (said,) = desk.lay_out(self.release, self.desk)
        return said

    def write(self, change):
        notebook = json.loads(self.own.read_text())
        change(notebook["cells"])
        self.own.write_text(json.dumps(notebook))

    def texts(self):
        return ["".join(c["source"]) for c in json.loads(self.own.read_text())["cells"]]


@pytest.fixture
def at_desk(tmp_path):
    made = Desk(tmp_path)
    made.give(given())
    return made


ANSWER = "def f(x):\n    return x"


def solve(cells):
    cells[2]["source"] = ANSWER.splitlines(keepends=True)  # as JupyterLab writes it
    cells[2]["execution_count"] = 3
    cells[4]["source"] = "Because."
    cells.insert(3, cell("f(2)", "my-own-scratch-cell"))


def test_does_a_corrected_sheet_hold_the_students_answers(at_desk):
    at_desk.write(solve)
    before = at_desk.own.read_bytes()
    said = at_desk.give(given("Look twice.", test="assert check.f(f) is True"))
    assert "01-a was corrected, and your answers are in it" in said
    assert at_desk.texts() == ["Look twice.", "x = 1", ANSWER, "f(2)", "assert check.f(f) is True",
                               "Because."]  # fmt: skip
    (kept,) = at_desk.own.parent.glob("01-a-before-*.ipynb")
    assert kept.read_bytes() == before
    assert json.loads(at_desk.own.read_text())["cells"][2]["execution_count"] == 3
    flags = json.loads(at_desk.own.read_text())["cells"][2]["metadata"]["nbgrader"]
    assert flags["grade_id"] == "f"
    nbformat.validate(nbformat.read(at_desk.own, as_version=4))


def test_is_a_corrected_sheet_merged_once(at_desk):
    at_desk.write(solve)
    at_desk.give(given("Look twice."))
    after = at_desk.own.read_bytes()
    assert "left as it is" in at_desk.give(given("Look twice."))
    assert at_desk.own.read_bytes() == after


def test_does_an_open_exercise_get_its_new_stub(at_desk):
    new = STUB.replace("f(x)", "f(x, y)")
    at_desk.give(given(stub=new))
    assert at_desk.texts()[2] == new


def test_is_an_answered_exercise_in_new_words_told(at_desk):
    at_desk.write(solve)
    said = at_desk.give(given(stub=STUB.replace("f(x)", "f(x, y)")))
    assert at_desk.texts()[2] == ANSWER
    assert "the task of f has new words" in said


def test_is_what_a_student_did_to_given_cells_kept(at_desk):
    def change(cells):
        cells[0]["source"] = "Look, I say."
        cells[1]["source"] = "x = 2"

    at_desk.write(change)
    at_desk.give(given("Look twice."))
    assert at_desk.texts()[:3] == ["Look, I say.", "Look twice.", "x = 2"]


def test_is_an_answer_to_an_exercise_that_is_gone_kept(at_desk):
    at_desk.write(solve)
    at_desk.give([c for c in given() if "f" not in str(c["metadata"].get("nbgrader", {})
                  .get("grade_id"))])  # fmt: skip
    assert at_desk.texts() == ["Look.", "x = 1", ANSWER, "f(2)", "Because."]
    made = json.loads(at_desk.own.read_text())["cells"]
    assert "nbgrader" not in next(c for c in made if "".join(c["source"]) == ANSWER)["metadata"]


def test_is_a_doubled_answer_kept_beside_the_one_that_counts(at_desk):
    def change(cells):
        solve(cells)
        double = dict(cells[2], id="another-id", source="def f(x):\n    return 7")
        cells.insert(2, double)

    at_desk.write(change)
    at_desk.give(given("Look twice."))
    made = json.loads(at_desk.own.read_text())["cells"]
    counting = [c for c in made if c["metadata"].get("nbgrader", {}).get("grade_id") == "f"]
    assert ["".join(c["source"]) for c in counting] == [ANSWER]
    assert "def f(x):\n    return 7" in at_desk.texts()


def test_does_a_desk_of_before_keep_its_answers(at_desk):
    """Desks that an earlier version laid out do not know how a sheet was given."""
    at_desk.write(solve)
    shutil.rmtree(at_desk.desk / desk.GIVEN)
    at_desk.give(given("Look twice."))
    assert at_desk.texts() == ["Look twice.", "x = 1", ANSWER, "f(2)", "assert check.f(f)",
                               "Because."]  # fmt: skip


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', '{"cells": [1]}'])
def test_is_a_sheet_that_is_no_notebook_left_alone(at_desk, text):
    at_desk.own.write_text(text)
    said = at_desk.give(given("Look twice."))
    assert at_desk.own.read_text() == text
    assert "left as it is" in said
    beside = json.loads((at_desk.own.parent / "01-a-corrected.ipynb").read_text())
    assert beside["cells"][0]["source"] == "Look twice."


def test_does_every_sheet_survive_a_correction_unchanged(tmp_path):
    """A sheet as it is, merged into itself solved: nothing but the answers differs."""
    for name in SHEETS[:2]:
        new = json.loads((desk.RELEASE / name / f"{name}.ipynb").read_text(encoding="utf-8"))
        own = json.loads(json.dumps(new))
        for one in own["cells"]:
            if one["metadata"].get("nbgrader", {}).get("solution"):
                one["source"] = "solved"
        made, _ = desk.merged(new, own, new)
        assert made["cells"] == own["cells"]
