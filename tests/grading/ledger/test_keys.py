"""Is graded again what changed, all of it, and nothing else?"""

import dataclasses
import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from support.classes import NAME, copied, solved
from support.project import PROJECT

from course.grading.cage.limits import Limits
from course.grading.job import Job
from course.grading.ledger import keys

BY = keys.PACKAGES


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    root = copied(tmp_path_factory.mktemp("course"))
    texts = [(root / part / NAME / f"{NAME}.ipynb").read_text() for part in ("source", "release")]
    return Job("ada", NAME, solved(), *texts, 1)


@pytest.fixture
def packages(tmp_path):
    """Copy the project's packages below a folder that is called as one of them is."""
    place = tmp_path / "check" / "course"
    for name, folder in BY.items():
        shutil.copytree(folder, place / name, ignore=shutil.ignore_patterns("__pycache__", "*.md"))
    return {name: place / name for name in BY}


def test_does_a_moved_or_cloned_project_have_the_same_keys(packages):
    assert keys.code(packages) == keys.code(BY)
    for path in [*packages["course"].rglob("*.py"), *packages["helpers"].rglob("*.py")]:
        path.write_text("")
    assert keys.code(packages).run != keys.code(BY).run
    assert keys.code(packages).judging != keys.code(BY).judging


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("course/authoring/needed.py", "run"),
        ("course/authoring/names.py", "run"),
        ("course/authoring/sheet.py", "run"),
        ("course/notebooks.py", "run"),
        ("course/grading/session.py", "run"),
        ("course/grading/submission.py", "run"),
        ("course/grading/cage/inside/start.py", "run"),
        ("course/grading/cage/inside/wire.py", "run"),
        ("helpers/data.py", "run"),
        ("helpers/quadrature.py", "run"),
        ("course/verdict.py", "judging"),
        ("course/grading/judge.py", "judging"),
        ("helpers/check/kit/agree.py", "judging"),
        ("helpers/check/__init__.py", "judging"),
        ("course/a_new_module.py", "run"),
        ("helpers/check/a_new_module.py", "judging"),
        ("course/cli.py", ""),
        ("course/term/report.py", ""),
        ("course/grading/ledger/feedback.py", ""),
        ("course/authoring/build.py", ""),
    ],
)
def test_does_a_fix_that_decides_grade_again(packages, file, changes):
    before = keys.code(packages)
    package, _, inner = file.partition("/")
    with (packages[package] / inner).open("a") as text:
        text.write("\n# mended\n")
    after = keys.code(packages)
    found = [part for part in ("run", "judging") if getattr(after, part) != getattr(before, part)]
    assert found == ([changes] if changes else [])


def test_are_data_that_decide_in_the_keys(packages):
    before = keys.code(packages)
    (packages["helpers"] / "a_new_table.npz").write_bytes(b"numbers")
    assert keys.code(packages).run != before.run


def test_is_a_file_that_goes_noticed(packages):
    before = keys.code(packages)
    (packages["course"] / "grading" / "outputs.py").unlink()
    assert keys.code(packages).run != before.run


@pytest.mark.slow
def test_is_all_that_grading_a_submission_loads_in_the_keys():
    """What this process imports to grade, and what runs beside the student's code."""
    code = (
        "import sys, course.grading.submission\n"
        "for name, module in sorted(sys.modules.items()):\n"
        "    if name.split('.')[0] in ('course', 'helpers') and module.__file__:\n"
        "        print(module.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT
    )
    loaded = set(done.stdout.split())
    assert any(path.endswith("needed.py") for path in loaded)
    hashed = {str(path) for path in keys.deciding(BY).values()}
    bare = {str(p) for p in map(os.path.normpath, loaded) if "/course/files.py" in p
            or "/course/progress.py" in p}  # fmt: skip
    assert loaded - hashed <= bare, "a module decides and is not in the keys"
    inside = (BY["course"] / "grading" / "cage" / "inside").rglob("*.py")
    assert {str(p) for p in inside} <= hashed


@pytest.mark.parametrize("library", ["torch", "numpy", "ipykernel", "python"])
def test_does_another_version_of_a_library_grade_again(job, library, monkeypatch):
    before = keys.of(job)
    assert keys.versions()[library]
    monkeypatch.setattr(keys, "versions", lambda: dict(VERSIONS, **{library: "0.0"}))
    assert keys.of(job).run != before.run


VERSIONS = dict(keys.versions())


def changed(job, change):
    notebook = nbformat.reads(job.source, as_version=4)
    cells = {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}
    change(cells, notebook)
    return dataclasses.replace(job, source=nbformat.writes(notebook))


def test_are_changed_points_judged_anew_and_nothing_run(job):
    again = keys.of(
        changed(job, lambda c, _: c["test_derivative"].metadata.nbgrader.update(points=6))
    )
    assert again.run == keys.of(job).run
    assert again.judging != keys.of(job).judging


@pytest.mark.parametrize(
    "change",
    [
        lambda c, n: n.cells.remove(c["test_derivative"]),
        lambda c, n: c["test_derivative"].metadata.nbgrader.update(solution=True),
        lambda c, n: c["derivative"].metadata.nbgrader.update(grade_id="other"),
        lambda c, n: n.cells.insert(0, nbformat.v4.new_code_cell("x = 1")),
    ],
    ids=["removed", "kind", "name", "added"],
)
def test_does_a_sheet_of_other_cells_run_again(job, change):
    assert keys.of(changed(job, change)).run != keys.of(job).run


def test_does_what_decides_on_one_submission_change_its_key(job):
    for name, value in {
        "submission": b"x", "student": "karl", "sheet": "02", "data_seed": 2, "caged": False,
        "release": job.release + " ", "why_none": "x", "limits": Limits(cell_seconds=31),
    }.items():  # fmt: skip
        assert keys.of(dataclasses.replace(job, **{name: value})).run != keys.of(job).run, name
    none = dataclasses.replace(job, submission=None)
    assert keys.of(none).run != keys.of(dataclasses.replace(job, submission=b"")).run


def test_are_a_sheet_and_the_code_read_once_for_a_class(job, monkeypatch):
    keys.of(job)
    read = []
    monkeypatch.setattr(keys, "parse", lambda text: read.append(text))
    monkeypatch.setattr(keys, "code", lambda packages: read.append(packages))
    for number in range(100):
        keys.of(dataclasses.replace(job, student=f"student{number}"))
    assert read == []
