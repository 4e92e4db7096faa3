"""Does plain nbgrader, without this project's engine, work on this course?"""

import shutil

import nbformat
import pytest
from support import gradebooks
from support.project import FEW_SHEETS, PROJECT
from support.sample import every
from support.stock import nbgrader

from course.authoring import sheet

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def course(tmp_path_factory, some_sheet):
    root = tmp_path_factory.mktemp("stock")
    name = some_sheet
    shutil.copy(PROJECT / "nbgrader_config.py", root)
    shutil.copytree(PROJECT / "source" / name, root / "source" / name)
    done = nbgrader(root, "generate_assignment", name)
    assert done.returncode == 0, done.stderr
    for student, part in (("source", PROJECT / "source"), ("release", root / "release")):
        shutil.copytree(part / name, root / "submitted" / student / name)
    return root


def test_does_the_generator_give_the_committed_release(course, some_sheet):
    name = some_sheet
    made = nbformat.read(course / "release" / name / f"{name}.ipynb", as_version=4)
    assert made == nbformat.read(PROJECT / "release" / name / f"{name}.ipynb", as_version=4)


def test_do_source_and_release_score_everything_and_nothing(course, some_sheet):
    name = some_sheet
    done = nbgrader(course, "autograde", name)
    assert done.returncode == 0, done.stderr
    release = nbformat.read(course / "release" / name / f"{name}.ipynb", as_version=4)
    tests = [e.test for e in sheet.exercises(release)]
    with gradebooks.opened(course) as book:
        for test in tests:
            full = book.find_grade(test, name, name, "source")
            assert full.auto_score == full.max_score > 0, test
            assert book.find_grade(test, name, name, "release").auto_score == 0, test


@pytest.mark.parametrize(("part", "flags"), [("source", []), ("release", ["--invert"])])
def test_does_validate_accept_the_source_and_reject_the_release(
    few_sheets, part, flags, pytestconfig
):
    asked = every(few_sheets, len(FEW_SHEETS), pytestconfig)
    paths = [str(PROJECT / part / name / f"{name}.ipynb") for name in asked]
    done = nbgrader(PROJECT, "validate", *flags, *paths)
    said = done.stdout + done.stderr
    assert said.count("Success!") == len(paths), said[-2000:]
