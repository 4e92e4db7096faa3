"""Are the committed notebooks what the text builds, and does a second build do nothing?"""

import copy
import shutil

import nbformat
import pytest
from support.project import PROJECT, SHEETS, TINY, with_hidden_test

from course.authoring import build, pictures, rules
from course.errors import CourseError

SLOWEST_SHEET = 20  # seconds, on two cores


def committed(part, name):
    return nbformat.read(PROJECT / part / name / f"{name}.ipynb", as_version=4)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHEETS)
def test_is_the_committed_source_what_the_text_builds(built, name):
    assert committed("source", name) == built(name), f"run «course build {name}» and commit"


@pytest.mark.slow
@pytest.mark.parametrize("name", SHEETS)
def test_is_the_committed_release_what_the_source_gives(built, name):
    release = build.build_release(PROJECT, name, built(name))
    assert committed("release", name) == release, f"run «course build {name}» and commit"


@pytest.mark.slow
def test_is_a_notebook_edited_by_hand_noticed(built):
    edited = committed("source", SHEETS[0])
    cell = next(c for c in edited.cells if c.cell_type == "code" and c.outputs)
    cell.source += "\n# edited by hand"
    assert edited != built(SHEETS[0])


@pytest.mark.parametrize("name", SHEETS)
def test_does_the_release_give_nothing_away(name):
    rules.of_release(name, committed("source", name), committed("release", name))


@pytest.mark.parametrize("name", SHEETS)
def test_is_anything_but_the_notebook_in_a_built_folder(name):
    for part in ("source", "release"):
        assert [p.name for p in (PROJECT / part / name).iterdir()] == [f"{name}.ipynb"]


@pytest.mark.parametrize("leak", ["hidden test", "solution", "output", "model answer"])
def test_is_a_leak_in_the_release_noticed(leak):
    name = SHEETS[0]
    source, release = with_hidden_test(committed("source", name)), committed("release", name)
    for cell, given in zip(source.cells, release.cells, strict=True):
        hidden = "BEGIN HIDDEN" in cell.source and leak == "hidden test"
        solution = "BEGIN SOLUTION" in cell.source and leak == "solution"
        model = cell.cell_type == "markdown" and "nbgrader" in cell.metadata and leak[0] == "m"
        if hidden or solution or model:
            given.source = cell.source
            break
        if leak == "output" and cell.cell_type == "code" and cell.outputs:
            given.outputs = copy.deepcopy(cell.outputs)
            break
    with pytest.raises(CourseError, match=f"release/{name}"):
        rules.of_release(name, source, release)


def test_are_cell_ids_stable_when_another_cell_changes(tiny):
    before, after = tiny(), tiny('print("slope", 4.5)', 'print("slope", 4.50)')
    same = [a.id == b.id for a, b in zip(before.cells, after.cells, strict=True)]
    assert same.count(False) == 1
    assert len({c.id for c in before.cells}) == len(before.cells)


@pytest.fixture
def tiny_project(tmp_path):
    return tiny_project_in(tmp_path)


def tiny_project_in(folder):
    (folder / "course" / "sheets").mkdir(parents=True)
    (folder / "course" / "sheets" / "tiny.md").write_text(TINY, encoding="utf-8")
    shutil.copy(PROJECT / "nbgrader_config.py", folder)
    return folder


@pytest.fixture(scope="module")
def built_once(tmp_path_factory):
    root = tiny_project_in(tmp_path_factory.mktemp("tiny"))
    build.build(root, [])
    return root


@pytest.fixture
def built_project(built_once, tmp_path):
    return shutil.copytree(built_once, tmp_path / "built")


@pytest.mark.slow
def test_does_a_second_build_change_no_file(built_project):
    files = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in built_project.rglob("*.ipynb")}
    assert len(files) == 2
    said = []
    build.build(built_project, [], say=said.append)
    assert said == ["tiny: nothing changed"]
    build.build(built_project, [], force=True)
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in files} == files


@pytest.mark.slow
def test_does_a_refused_sheet_leave_the_old_build_alone(built_project):
    before = {p: p.read_bytes() for p in built_project.rglob("*.ipynb")}
    text = built_project / "course" / "sheets" / "tiny.md"
    text.write_text(TINY.replace("4.50", "4.51"), encoding="utf-8")
    with pytest.raises(CourseError, match=r"4\.51"):
        build.build(built_project, ["tiny"])
    assert {p: p.read_bytes() for p in built_project.rglob("*.ipynb")} == before


def test_is_an_unknown_sheet_named(tiny_project):
    with pytest.raises(CourseError, match="no sheet 'tinny'; there are tiny"):
        build.build(tiny_project, ["tinny"])


def test_does_a_figure_that_looks_the_same_keep_its_bytes():
    notebook = committed("source", SHEETS[0])
    shown = [
        o.data["image/png"] for c in notebook.cells if c.cell_type == "code"
        for o in c.outputs if "image/png" in o.get("data", {})
    ]  # fmt: skip
    assert len(shown) >= 3
    assert pictures.same_picture(shown[0], shown[0])
    assert not pictures.same_picture(shown[0], shown[1])
