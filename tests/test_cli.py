"""Which course does a command work on that is not told?"""

import contextlib
import inspect

import pytest
from support.by_hand import ByHand, course
from support.ledgers import book
from typer.testing import CliRunner

from course import cli
from course.grading import grade, workers

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
@pytest.mark.parametrize("below", ["", "submitted/ada"])
def test_does_a_command_work_on_the_course_one_stands_in(term, words, below):
    (term / below).mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(term / below):
        ran = CliRunner().invoke(cli.app, words)
    assert f"{term} holds no source/SHEET/SHEET.ipynb" in str(ran.exception)


def test_is_it_the_project_where_one_stands_in_no_course(tmp_path):
    with contextlib.chdir(tmp_path):
        ran = CliRunner().invoke(cli.app, ["grade", "--dry-run"])
    assert f"grading {cli.PROJECT.resolve()}:" in ran.output
    assert f"{tmp_path} is in no course (nbgrader_config.py); the project's is meant" in ran.output


def test_is_the_course_found_in_one_place_for_every_command():
    assert len(OF_A_COURSE) >= 9
    for command in OF_A_COURSE:
        assert inspect.signature(command).parameters["root"].default is cli.ROOT


@pytest.mark.parametrize("name", ["grade", "why", "export", "collect"])
def test_does_the_help_say_which_course_is_meant(name):
    told = CliRunner().invoke(cli.app, [name, "--help"]).output.replace("│", "")
    assert "the course that you stand in, else the project" in " ".join(told.split())


def test_is_a_folder_of_whom_no_list_knows_named_by_grade(tmp_path, monkeypatch):
    root = course(tmp_path, ["ada", "oscar", "zoe"])

    @contextlib.contextmanager
    def by_hand(_):
        yield ByHand()

    monkeypatch.setattr(grade, "cluster", by_hand)
    monkeypatch.setattr(workers, "begin", lambda: None)

    def told():
        ran = CliRunner().invoke(cli.app, ["grade", "--no-cage", "--root", str(root)])
        return ran.exit_code, [x for x in ran.stderr.splitlines() if "no list" in x]

    assert told() == (0, []), "there is no list"
    assert (root / "autograded" / "oscar").is_dir()
    (root / "students.csv").write_text("id,first_name\nada,Ada\n")
    with book(root) as opened:
        opened.update_or_create_student("zoe", first_name="Zoë")
    line = "course: in no list of students, so perhaps misspelt: oscar in submitted/"
    assert told() == (1, [line]) == told()
    (root / "students.csv").unlink()
    with book(root) as opened:
        opened.update_or_create_student("ada", first_name="Ada")
    assert told() == (1, [line]), "the gradebook's is a list"
