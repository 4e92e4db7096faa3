"""Does a class get its grades from somebody who stands in another clone of the project?"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.classes import NAME, copied, graded_files, hand_in, solved
from support.project import PROJECT

from course.grading import workers
from course.grading.cage import command

pytestmark = pytest.mark.slow
KEPT = shutil.ignore_patterns(
    ".*", "source", "release", "docs", "tests", "desk", "demo", "*.egg-info"
)

# An answer of this class that needs the helpers, which sheet 01's own answers do not.
NEEDS = "from helpers import data\n\n\ndef derivative(f, x):\n    x = x.detach().clone()\n"
NEEDS += "    x.requires_grad_(True)\n    f(x).sum().backward()\n    return x.grad\n"


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """Another clone, whose helpers differ from those installed here by a line that nobody reads."""
    place = tmp_path_factory.mktemp("another") / "clone"
    shutil.copytree(PROJECT, place, ignore=KEPT)
    (place / "helpers" / "of_the_clone.py").write_text('"""Nothing of the installed ones."""\n')
    return place


SEES = "import importlib.util\nif importlib.util.find_spec('helpers.of_the_clone') is {}:\n"
SEES += "    raise RuntimeError('other helpers than those of the command')\n"


@pytest.mark.parametrize(
    "how", ["the installed command", pytest.param("python -m", marks=pytest.mark.night)]
)
def test_is_an_honest_class_graded_from_another_clone(clone, tmp_path, caged, how):
    root = copied(tmp_path / "course")
    installed = how == "the installed command"
    looks = SEES.format("not None" if installed else "None")
    hand_in(root, "ada", solved({"derivative": (looks if caged else "") + NEEDS}))
    script = str(Path(sys.executable).parent / "course")
    words = [script] if installed else [sys.executable, "-m", "course.cli"]
    ran = subprocess.run(
        [*words, "grade", "--root", str(root), "--workers", "1"]
        + ([] if caged else ["--no-cage"]),
        cwd=clone, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (result,) = graded_files(root).values()
    assert {n: t["message"] for n, t in result["tests"].items() if t["state"] != "passed"} == {
        "piling_up": ""
    }
    assert result["score"] == 12
    assert NAME in ran.stdout


def test_do_workers_import_what_the_command_imports(clone, tmp_path):
    """A fork server by itself would look into the working folder first."""
    look = (
        "from course.grading import workers\n"
        "import course, course.grading.submission as s\n"
        "if __name__ == '__main__':\n"
        "    pool = workers.processes(1)\n"
        "    print(course.__file__)\n"
        "    there = \"__import__('sys').modules['course.grading.submission'].__file__\"\n"
        "    print(pool.submit(eval, there).result())\n"
        "    print(pool.submit(eval, \"__import__('helpers').__file__\").result())\n"
        "    pool.shutdown()\n"
    )
    for path, place in ((PROJECT, tmp_path), (clone, clone)):
        (place / "look.py").write_text(look)
        ran = subprocess.run(
            [sys.executable, str(place / "look.py")], cwd=clone, capture_output=True, text=True,
            timeout=120,
        )  # fmt: skip
        ours, theirs, helpers = ran.stdout.split()
        assert Path(ours) == path / "course" / "__init__.py", ran.stderr
        assert Path(theirs) == path / "course" / "grading" / "submission.py"
        assert Path(helpers) == path / "helpers" / "__init__.py"


def test_is_the_environment_left_as_it_was():
    before = dict(os.environ)
    workers.begin()
    assert dict(os.environ) == before


def test_does_the_cage_look_for_helpers_where_they_are_installed():
    assert command.installed_helpers() == str(PROJECT / "helpers")
