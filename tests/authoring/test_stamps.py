"""Is it said why a sheet is built again, and is one left alone that a change does not concern?"""

import shutil

import pytest
from support.project import PROJECT
from support.project import SHEETS as ALL

from course.authoring import stamps

SHEETS = ALL[:3]


@pytest.fixture(scope="module")
def stamped_once(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    for part in ("helpers", "course/sheets", "course/authoring"):
        shutil.copytree(
            PROJECT / part, root / part, ignore=shutil.ignore_patterns("__pycache__")
        )  # fmt: skip
    for name in SHEETS:
        for part in ("source", "release"):
            shutil.copytree(PROJECT / part / name, root / part / name)
        stamps.write(root, name)
    return root


@pytest.fixture
def root(stamped_once, tmp_path):
    return shutil.copytree(stamped_once, tmp_path / "copy")


def changed(root):
    return {name: why for name in SHEETS if (why := stamps.why_not_built(root, name))}


def append(path, text="\n# mended\n"):
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_is_nothing_built_twice(root):
    assert changed(root) == {}


def test_does_a_change_to_one_sheet_rebuild_the_others(root):
    append(root / "course" / "sheets" / "01-autodiff.md")
    append(root / "helpers" / "check" / "likelihood" / "normal_mle.py")
    append(root / "helpers" / "demos" / "sgd.py")
    assert changed(root) == {
        "01-autodiff": "changed: its text",
        "02-likelihood": "changed: helpers/check/likelihood/normal_mle.py",
        "03-sgd": "changed: helpers/demos/sgd.py",
    }


def test_does_a_new_sheets_line_among_the_imports_rebuild_the_others(root):
    init = root / "helpers" / "check" / "__init__.py"
    text = init.read_text(encoding="utf-8")
    new = "from helpers.check.waves.wave import wave\n"
    init.write_text(text.replace("\n__all__", f"{new}\n__all__", 1), encoding="utf-8")
    assert changed(root) == {}
    append(init, "\nTHIS = 1\n")
    assert set(changed(root)) == set(SHEETS)


@pytest.mark.parametrize(
    "file", ["helpers/check/kit/agree.py", "helpers/plots.py", "course/authoring/sheet.py"]
)
def test_does_a_change_to_what_all_stand_on_rebuild_all(root, file):
    append(root / file)
    assert changed(root) == {name: f"changed: {file}" for name in SHEETS}


def test_is_a_text_with_a_name_that_leads_nowhere_held_to_all_checks(root):
    name = "01-autodiff"
    path = root / "course" / "sheets" / f"{name}.md"
    append(path, "\ncheck.nobody_knows\n")
    stamps.write(root, name)
    append(root / "helpers" / "check" / "kl" / "analytic.py")
    assert name in changed(root)


def test_is_a_notebook_that_is_gone_told(root):
    (root / "release" / "01-autodiff" / "01-autodiff.ipynb").unlink()
    (root / ".cache" / "build" / "02-likelihood.json").unlink()
    assert changed(root) == {
        "01-autodiff": "never built", "02-likelihood": "no note of an earlier build here",
    }  # fmt: skip


def test_is_a_text_newer_than_its_source_noticed_in_a_fresh_clone(root):
    shutil.rmtree(root / ".cache")
    assert not stamps.is_older_than_text(root, "01-autodiff")
    append(root / "course" / "sheets" / "01-autodiff.md", "\nOne more sentence.\n")
    assert stamps.is_older_than_text(root, "01-autodiff")
