"""Does a bundle hold what a desk needs, and no line of an answer?"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path

import nbformat
import pytest
from support.project import PROJECT, SHEETS

from course.authoring import sheet
from course.bundling import bundle, leaks, wheel
from course.errors import CourseError
from course.proving import bank

NOW = datetime(2026, 11, 21)


@pytest.fixture(scope="module")
def known():
    return leaks.lines(PROJECT)


@pytest.fixture(scope="module")
def made(tmp_path_factory, known):
    """Return a bundle of the project, and what was said of it."""
    out, said = tmp_path_factory.mktemp("bundle") / "class", []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leaks, "lines", lambda root: known)  # every text is read once here
        bundle.bundle(PROJECT, out, said.append, said.append, NOW)
    return out, said


def test_are_the_lines_those_of_the_answers(known):
    """The comparison is worth something: it knows the solutions, whole, and the bank."""
    for name in SHEETS:
        of_it = {line for line, where in known.items() if where == name}
        text = sheet.load(PROJECT / "course" / "sheets" / f"{name}.md")
        exercises = sheet.exercises(text)
        for exercise in exercises:
            source = text.cells[exercise.answer_index].source
            given = sheet.stub(source)
            own = {x.strip() for x in source.splitlines()} - {x.strip() for x in given.splitlines()}
            right = [a for a in bank.read(PROJECT / "course" / "answers" / f"{name}.md",
                     [e.name for e in exercises]) if a.exercise == exercise.name
                     and a.kind == "right"]  # fmt: skip
            own |= {x.strip() for a in right for x in a.code.splitlines()}
            assert own & known.keys(), f"{name}, {exercise.name}: no line would be recognised"
        assert len(of_it) > 20


def test_is_a_line_of_an_answer_in_the_bundle(made, known):
    out, _ = made
    seen = 0
    for where, text in leaks.texts(out):
        found = [line for line in text.splitlines() if line.strip() in known]
        assert found == [], where
        seen += 1
    assert seen > 25
    names = {p.relative_to(out).parts[0] for p in out.rglob("*")}
    assert not names & {"source", "course", "tests", "docs", "submitted"}


@pytest.mark.parametrize("place", ["a page", "a release", "a wheel", "a model answer"])
def test_is_an_answer_left_in_a_bundle_noticed(made, known, tmp_path, monkeypatch, place):
    out = shutil.copytree(made[0], tmp_path / "copy")
    monkeypatch.setattr(leaks, "lines", lambda root: known)
    line = next(line for line, name in known.items() if name == "02-likelihood")
    path = out / "release" / SHEETS[0] / f"{SHEETS[0]}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    if place == "a page":
        with (out / "README.md").open("a") as page:
            page.write(f"\n    {line}\n")
    elif place == "a release":
        next(c for c in notebook.cells if sheet.is_test(c)).source += f"\n{line}"
        nbformat.write(notebook, path)
    elif place == "a model answer":
        source = nbformat.read(PROJECT / "source" / path.parent.name / path.name, as_version=4)
        given = next(c for c in notebook.cells if sheet.is_manual(c))
        given.source = next(c for c in source.cells if sheet.is_manual(c)).source
        nbformat.write(notebook, path)
    else:
        (own,) = (out / "wheels").glob("*.whl")
        with zipfile.ZipFile(own, "a") as packed:
            packed.writestr("helpers/check/kl/analytic.py", f"def f():\n    {line}\n")
    with pytest.raises(CourseError, match="answer"):
        leaks.hold(PROJECT, out, list(SHEETS))


def test_does_the_wheel_hold_its_data_and_nothing_of_the_staff(made):
    (own,) = (made[0] / "wheels").glob("*.whl")
    with zipfile.ZipFile(own) as packed:
        names = packed.namelist()
        about = next(packed.read(n).decode() for n in names if n.endswith("METADATA"))
    assert "helpers/jupyter/labconfig/page_config.json" in names
    assert "helpers/check/modules.packed" in names
    assert {n.split("/")[0].split("-")[0] for n in names} == {
        "helpers", "likelihood_course_helpers"
    }  # fmt: skip
    assert "Private :: Do Not Upload" in about
    assert "Requires-Dist: torch==2.13.0" in about


def test_does_the_projects_own_wheel_name_its_data():
    import tomllib

    tool = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["setuptools"]
    for package, patterns in tool["package-data"].items():
        folder = PROJECT / package.replace(".", "/")
        for pattern in patterns:
            assert list(folder.glob(pattern)), (package, pattern)
    data = {p for folder in ("course", "helpers") for p in (PROJECT / folder).rglob("*")
            if p.is_file() and p.suffix not in (".py", ".pyc")}  # fmt: skip
    named = {p for package, patterns in tool["package-data"].items() for pattern in patterns
             for p in (PROJECT / package.replace(".", "/")).glob(pattern)}  # fmt: skip
    left = {str(p.relative_to(PROJECT)).split("/")[1] for p in data - named}
    assert left <= {"sheets", "answers", "strangers"}, "texts of the course, no package's data"


def test_is_a_packed_package_imported_as_an_open_one(tmp_path):
    """A tiny one; the real one is asked by night, from a fresh environment."""
    tiny = tmp_path / "helpers" / "tiny"
    (tiny / "inner").mkdir(parents=True)
    (tiny.parent / "__init__.py").write_text("")
    (tiny / "__init__.py").write_text(
        "from helpers.tiny.inner.deep import f\nfrom helpers.tiny import beside\n"
    )
    (tiny / "beside.py").write_text("X = 1\n")
    (tiny / "inner" / "__init__.py").write_text("")
    (tiny / "inner" / "deep.py").write_text("def f():\n    return 'the whole answer'\n")
    wheel.pack(tiny)
    assert sorted(p.name for p in tiny.iterdir()) == ["__init__.py", "modules.packed"]
    assert not [where for where, text in leaks.texts(tmp_path) if "answer'" in text]
    code = (
        "import inspect, helpers.tiny as t, helpers.tiny.inner as inner\n"
        "print(t.f(), t.beside.X, inspect.getsource(t.f).split()[1], t.f.__module__)\n"
        "try:\n    import helpers.tiny.nothing\n"
        "except ModuleNotFoundError as error:\n    print(error.name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "the whole answer 1 f(): helpers.tiny.inner.deep", "helpers.tiny.nothing",
    ], done.stderr  # fmt: skip


def test_are_the_packages_those_of_the_lock(made):
    lines = (made[0] / "requirements.txt").read_text().splitlines()
    lock = (PROJECT / "requirements.lock").read_text().splitlines()
    assert {
        "torch==2.13.0",
        *[x for x in lock if x.startswith(("jupyterlab==", "nbgrader=="))],
    } <= {*lines}
    assert [x for x in lines[1:-1] if x not in lock] == []
    of_the_staff = ("distributed", "pytest", "typer", "playwright", "jupytext", "bubblewrap")
    assert [x for x in lines if x.startswith(of_the_staff)] == []
    assert (made[0] / lines[-1]).is_file()


def test_is_a_second_bundle_the_same_and_the_desk_in_it_left_alone(
    made, known, tmp_path, monkeypatch
):
    out = shutil.copytree(made[0], tmp_path / "class")
    kept = next((made[0] / "wheels").glob("*.whl"))

    def again(root, scratch, to):  # that its bytes are the same is asked by night
        to.mkdir()
        return Path(shutil.copy(kept, to))

    monkeypatch.setattr(wheel, "build", again)
    monkeypatch.setattr(leaks, "lines", lambda root: known)
    (out / "desk").mkdir()
    (out / "desk" / "mine.ipynb").write_text("mine")
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    said, all_of_it = [], bundle.released
    monkeypatch.setattr(
        bundle, "released", lambda root, names, now: (names[:2], {names[2]: "2027-01-01"})
    )
    bundle.bundle(PROJECT, out, said.append, said.append)
    assert f"{SHEETS[2]}: not before 2027-01-01" in said
    assert not [line for line in said if "since the bundle" in line]
    assert {p.name for p in (out / "release").iterdir()} == set(SHEETS[:2])
    assert "comes on 2027-01-01" in (out / "README.md").read_text()
    monkeypatch.setattr(bundle, "released", all_of_it)
    listed = json.loads((out / bundle.LIST).read_text())
    listed["sheets"][SHEETS[0]] = "another"
    (out / bundle.LIST).write_text(json.dumps(listed))
    bundle.bundle(PROJECT, out, said.append, said.append, NOW)
    assert f"{SHEETS[0]}: corrected since the bundle before" in said
    assert f"{SHEETS[2]}: new since the bundle before" in said
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before


def test_does_a_class_get_the_sheets_that_are_named_and_hear_of_no_others(
    made, known, tmp_path, monkeypatch
):
    out = shutil.copytree(made[0], tmp_path / "class")
    kept = next((made[0] / "wheels").glob("*.whl"))

    def again(root, scratch, to):
        to.mkdir()
        return Path(shutil.copy(kept, to))

    monkeypatch.setattr(wheel, "build", again)
    monkeypatch.setattr(leaks, "lines", lambda root: known)
    dates = {SHEETS[1]: "2099-01-01", SHEETS[2]: "2099-02-01"}
    monkeypatch.setattr(
        bundle, "released", lambda root, names, now: ([n for n in names if n not in dates], dates)
    )
    said = []
    bundle.bundle(PROJECT, out, said.append, said.append, only=[SHEETS[0], SHEETS[1]])
    assert [p.name for p in (out / "release").iterdir()] == [SHEETS[0]]
    for page in ("README.md", "START.html"):
        text = (out / page).read_text()
        assert [name for name in SHEETS if name in text] == SHEETS[:2]
    assert f"{SHEETS[1]}: not before 2099-01-01" in said
    left = [line for line in said if "left out now" in line]
    assert [line.partition(":")[0] for line in left] == SHEETS[1:]
    with pytest.raises(CourseError, match="no sheet '99-none'"):
        bundle.bundle(PROJECT, out, said.append, said.append, only=["99-none"])
    monkeypatch.undo()
    monkeypatch.setattr(wheel, "build", again)
    monkeypatch.setattr(leaks, "lines", lambda root: known)
    course = tmp_path / "term"
    course.mkdir()
    line = f"c = get_config()\nc.CourseSheets.release_dates = {{{SHEETS[1]!r}: '2099-01-01'}}\n"
    (course / "nbgrader_config.py").write_text(line)
    two = [SHEETS[0], SHEETS[1]]
    bundle.bundle(PROJECT, out, said.append, said.append, only=two, course=course)
    assert [p.name for p in (out / "release").iterdir()] == [SHEETS[0]], "the course's own dates"


@pytest.mark.parametrize("content", ["", "{", '{"files": 3}', "[]"])
def test_is_a_folder_that_holds_something_else_left_alone(tmp_path, content):
    (tmp_path / bundle.LIST).write_text(content)
    with pytest.raises(CourseError, match="is not empty and no bundle"):
        bundle.bundle(PROJECT, tmp_path, print, print)
    assert [p.name for p in tmp_path.iterdir()] == [bundle.LIST]


def test_does_a_list_of_files_lead_out_of_the_bundle(tmp_path):
    (tmp_path / bundle.LIST).write_text(json.dumps({"files": ["../x", "/etc/passwd", "a/b"],
                                                   "sheets": {}}))  # fmt: skip
    assert bundle._own_files(tmp_path) == (["a/b"], {})


@pytest.mark.parametrize(
    ("dates", "now", "out"),
    [
        ({}, NOW, []),
        ({"03-sgd": "2026-11-21 08:00"}, NOW, ["03-sgd"]),
        ({"03-sgd": "2026-11-21 08:00"}, datetime(2026, 11, 21, 8), []),
        ({"03-sgd": "2026-11-20", "04-normals": "2026-11-28"}, NOW, ["04-normals"]),
        ({"03-sgd": "2100-01-01T00:00:00+01:00"}, NOW, ["03-sgd"]),
    ],
)
def test_does_a_sheet_wait_for_its_date(tmp_path, dates, now, out):
    line = f"c = get_config()\nc.CourseSheets.release_dates = {dates!r}\n"
    (tmp_path / "nbgrader_config.py").write_text(line)
    names, coming = bundle.released(tmp_path, list(SHEETS), now)
    assert list(coming) == out
    assert names == [name for name in SHEETS if name not in out]


@pytest.mark.parametrize(
    ("dates", "says"),
    [("{'03-sgd': 'soon'}", "'soon' of 03-sgd is no date"), ("{'x': '2026-11-21'}", "names 'x'"),
     ("'monday'", "is 'monday'; write")],
)  # fmt: skip
def test_is_a_date_that_is_none_one_sentence(tmp_path, dates, says):
    line = f"c = get_config()\nc.CourseSheets.release_dates = {dates}\n"
    (tmp_path / "nbgrader_config.py").write_text(line)
    with pytest.raises(CourseError, match=says):
        bundle.released(tmp_path, list(SHEETS), NOW)


CONTAINERS = [PROJECT / "Containerfile", wheel.TEMPLATE / "Containerfile"]


@pytest.mark.parametrize("path", CONTAINERS, ids=["staff", "desk"])
def test_does_a_container_file_need_anything_but_registries(path, made):
    text = path.read_text()
    assert "http" not in text
    assert "curl" not in text
    assert "wget" not in text
    here = PROJECT if path == CONTAINERS[0] else made[0]
    words = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    assert words[0][:2] == ["FROM", words[0][1]]
    assert words[0][1].startswith("docker.io/library/python:3.11-")
    for line in words:
        assert line[0] in {"FROM", "RUN", "WORKDIR", "COPY", "USER", "EXPOSE", "CMD", "ENTRYPOINT",
                           "ENV", "&&"}, line  # fmt: skip
        if line[0] == "COPY":
            for source in line[1:-1]:
                assert (here / source).exists(), source


def test_does_binder_find_what_it_runs(made):
    binder = made[0] / "binder"
    assert (binder / "runtime.txt").read_text().startswith("python-3.11")
    for program in ("postBuild", "start"):
        assert os.access(binder / program, os.X_OK)
        subprocess.run(["bash", "-n", str(binder / program)], check=True)
    inner = (binder / "requirements.txt").read_text().split()
    assert inner[0] == "-r"
    assert (binder / inner[1]).resolve() == (made[0] / "requirements.txt").resolve()


@pytest.mark.slow
@pytest.mark.night
def test_does_a_desk_work_from_the_bundle_alone(made, tmp_path):
    """As a student: a fresh environment, the sheets laid out, one solved, its checks say so."""
    out = shutil.copytree(made[0], tmp_path / "class")
    (tmp_path / "scratch").mkdir()
    again = wheel.build(PROJECT, tmp_path / "scratch", tmp_path / "again")
    assert again.read_bytes() == (out / "wheels" / again.name).read_bytes()
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL"))}

    def run(*words):
        done = subprocess.run(words, cwd=out, env=clean, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("make", ".venv/.ready", f"PYTHON={sys.executable}")
    python = str(out / ".venv" / "bin" / "python")
    assert "a fresh copy" in run(python, "-m", "helpers.desk", "--no-lab")
    path = out / "desk" / SHEETS[0] / f"{SHEETS[0]}.ipynb"
    source = nbformat.read(PROJECT / "source" / SHEETS[0] / f"{SHEETS[0]}.ipynb", as_version=4)
    notebook = nbformat.read(path, as_version=4)
    own = {sheet.grade_id(c): c.source for c in source.cells if sheet.is_answer(c)}
    for cell in notebook.cells:
        if sheet.is_answer(cell):
            cell.source = own[sheet.grade_id(cell)]
    nbformat.write(notebook, path)
    to = ("--to", "notebook", "--execute", "--inplace")
    run(python, "-m", "jupyter", "nbconvert", *to, str(path))
    tests = [c for c in nbformat.read(path, as_version=4).cells if sheet.is_test(c)]
    assert len(tests) > 4
    assert all("✓" in str(test.outputs) for test in tests)
    code = (
        "import helpers; from helpers.check.kit.slips import slips; "
        "from helpers.check.likelihood.normal_mle import by_squares; "
        "assert len(slips(by_squares)) > 3; print(helpers.__file__)"
    )
    assert Path(run(python, "-c", code).strip()).is_relative_to(out)
