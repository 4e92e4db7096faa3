"""Which course does a command work on that is not told?"""

import contextlib
import inspect

import pytest
from typer.testing import CliRunner

from course import cli

COMMANDS = [c.callback for c in cli.app.registered_commands if c.callback is not None]
OF_A_COURSE = [
    command for command in COMMANDS
    if "root" in inspect.signature(command).parameters and command is not cli.simulate
]  # fmt: skip


@pytest.fixture
def term(tmp_path):
    """A course folder beside the project, with nothing in it that could be graded."""
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n")
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ["grade", "--dry-run"],
        ["collect", "01-autodiff", "nothing.zip"],
        ["return", "01-autodiff", "--to", "zip", "--out", "back"],
        ["similar", "01-autodiff"],
    ],
)
def test_does_a_command_work_on_the_course_one_stands_in(term, words):
    with contextlib.chdir(term):
        ran = CliRunner().invoke(cli.app, words)
    assert f"{term} holds no source/SHEET/SHEET.ipynb" in str(ran.exception)


def test_is_it_the_project_where_one_stands_in_no_course(tmp_path):
    with contextlib.chdir(tmp_path):
        ran = CliRunner().invoke(cli.app, ["grade", "--dry-run"])
    assert f"grading {cli.PROJECT.resolve()}:" in ran.output


def test_is_the_course_found_in_one_place_for_every_command():
    assert len(OF_A_COURSE) >= 9
    for command in OF_A_COURSE:
        assert inspect.signature(command).parameters["root"].default is cli.ROOT


@pytest.mark.parametrize("name", ["grade", "why", "export", "collect"])
def test_does_the_help_say_which_course_is_meant(name):
    told = CliRunner().invoke(cli.app, [name, "--help"]).output.replace("│", "")
    assert "the folder you stand in, else the project" in " ".join(told.split())
