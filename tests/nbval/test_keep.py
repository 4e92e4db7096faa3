"""Is what nbval kept taken for a run of these very cells only, and is any difference seen?"""

import nbformat
import pytest
from support import executed
from support.project import PROJECT, SHEETS

from course.authoring import build

NAME = SHEETS[0]


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Keep the committed outputs of sheet 01, as if nbval had just seen them; return the sheet."""
    monkeypatch.setattr(executed, "PROJECT", tmp_path)
    monkeypatch.setattr(executed, "KEPT", tmp_path / "executed")
    (tmp_path / "helpers" / "check").mkdir(parents=True)
    (tmp_path / "helpers" / "check" / "one.py").write_text("BOUND = 1\n")
    (tmp_path / "requirements.lock").write_text("torch==2\n")
    cells = executed.code_cells(committed())
    executed.keep(NAME, executed.stamp(cells), [c.outputs for c in cells], [0.1] * len(cells))
    return committed()


def committed():
    return nbformat.read(PROJECT / "source" / NAME / f"{NAME}.ipynb", as_version=4)


def prepared():
    return build.prepared(PROJECT, NAME)


def test_does_a_kept_run_give_the_committed_source(kept):
    notebook = prepared()
    seconds = executed.put_in(NAME, notebook)
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    assert seconds == dict.fromkeys(code, 0.1)
    assert build.finished(PROJECT, NAME, notebook, seconds) == kept


def test_is_a_kept_run_of_other_cells_not_taken(kept):
    for change in (
        lambda cells: cells[1].update(source=cells[1].source + "\n# edited"),
        lambda cells: cells.reverse(),
        lambda cells: cells.pop(),
    ):
        notebook = prepared()
        cells = executed.code_cells(notebook)
        change(cells)
        notebook.cells = cells
        assert executed.put_in(NAME, notebook) is None


@pytest.mark.parametrize("path", ["helpers/check/one.py", "requirements.lock", "helpers/new.py"])
def test_is_a_kept_run_with_other_helpers_or_packages_not_taken(kept, path):
    assert executed.put_in(NAME, prepared()) is not None
    (executed.PROJECT / path).write_text("BOUND = 2\n")
    assert executed.put_in(NAME, prepared()) is None


def test_is_a_lost_or_broken_record_no_record(kept):
    path = executed.KEPT / f"{NAME}.json"
    path.write_text(path.read_text()[:1000])
    assert executed.put_in(NAME, prepared()) is None
    path.unlink()
    assert executed.put_in(NAME, prepared()) is None


@pytest.mark.parametrize("what", ["text", "picture"])
def test_is_an_output_that_differs_from_the_committed_one_seen(kept, what):
    notebook = prepared()
    seconds = executed.put_in(NAME, notebook)
    outputs = [o for cell in executed.code_cells(notebook) for o in cell.outputs]
    if what == "text":
        text = next(o for o in outputs if o.output_type == "stream")
        text.text += "1"
    else:
        one, other = [o for o in outputs if "image/png" in o.get("data", {})][:2]
        one.data["image/png"] = other.data["image/png"]
    assert build.finished(PROJECT, NAME, notebook, seconds) != kept
