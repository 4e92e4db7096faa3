"""Does a term go as docs/term.md says, command by command?"""

import re
import shlex
import sys
import time

import pytest
import typer
from support import term_page
from support.project import PROJECT
from support.term_page import PAGE, Walk, commands, says

from course import cli

TEXT = PAGE.read_text(encoding="utf-8")
OF_AUTHORS = {"build", "check", "new", "simulate"}  # verbs that a term does not need
NOT_RUN = re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a project of sheet 01, and the archives that came back, on a machine in UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    term_page.lay_out(tmp_path)
    yield tmp_path
    sys.modules.pop("late", None)  # the late policy that the page writes
    monkeypatch.undo()
    time.tzset()


def typed(walk):
    """Type all commands; return what the page does not say, with what came instead."""
    wrong = []
    for command in commands(TEXT):
        status, printed = walk.type(command.words)
        to_be_seen = any(line.startswith("course: ") for line in command.prints)
        if not says(command.prints, printed) or status != int(to_be_seen):
            first = command.words.splitlines()[0]
            wrong.append(f"{PAGE.name}:{command.line}: {first} (exit status {status})\n{printed}")
    return wrong


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Object of type <Submitted")
def test_do_the_commands_print_what_the_page_says(project):
    """In this process, and judged without a kernel: a few seconds instead of forty."""
    wrong = typed(Walk(project, here=True))
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.night
def test_do_they_in_a_shell_and_a_cage(project, caged):
    wrong = typed(Walk(project, here=False, caged=caged))
    assert not wrong, "\n".join(wrong)


def test_is_all_that_the_page_has_a_prompt_for_typed():
    blocks = re.findall(r"^```console\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    prompts = sum(line.startswith("$ ") for block in blocks for line in block.splitlines())
    assert len(commands(TEXT)) == prompts > 40
    assert not any(line.startswith("$ ") for block in NOT_RUN for line in block.splitlines())


def test_are_the_commands_that_are_not_run_taken():
    """Their words are read as the command line reads them; make's targets are looked up."""
    known = typer.main.get_command(cli.app).commands
    targets = re.findall(r"^([\w-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    lines = [line for block in NOT_RUN for line in block.splitlines()]
    lines += re.findall(r"`((?:course|make) [^`…]+)`", TEXT)
    read = 0
    for line in lines:
        program, *words = shlex.split(line, comments=True)
        if program == "make":
            assert words[0] in targets, line
        elif program == "course":
            verb, *rest = words
            assert verb in known, line
            if rest:
                known[verb].make_context(verb, rest)
        read += program in ("make", "course")
    assert read > 10


def test_is_every_verb_of_a_term_on_the_page():
    verbs = set(typer.main.get_command(cli.app).commands) - OF_AUTHORS
    assert [verb for verb in sorted(verbs) if f"course {verb}" not in TEXT] == []


@pytest.mark.parametrize(
    ("page", "printed", "same"),
    [
        (["a", "…", "d"], "a\nb\nc\nd\n", True), (["a", "…", "d"], "a\nd\n", True),
        (["a", "…", "d"], "a\nb\nc\n", False), (["a"], "a\nb\n", False), ([], "a\n", False),
        (["4 to grade: … new"], "4 to grade: 4 new\n", True),
        (["4 to grade: … new"], "5 to grade: 4 new\n", False),
        (["│ ada  │  12 │"], "│ ada  │  13 │\n", False),
        (["│ ada  │  12 │"], "│ ada      │         12 │   \n", True),
    ],
)  # fmt: skip
def test_is_a_page_noticed_that_says_something_else(page, printed, same):
    assert says(page, printed) is same
