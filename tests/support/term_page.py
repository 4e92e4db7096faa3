"""docs/term.md, walked: its commands, what it says they print, and a class of five for them.

In a `console` block a line that begins with `$ ` is a command, with its here-document if it has
one; the lines after it are what it prints. There `…` stands for anything: alone on a line for
lines, within one for letters. Blocks of other kinds are not run.
"""

import contextlib
import csv
import functools
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from course import cli
from course.authoring import sheet
from course.grading import assemble, grade, workers
from course.grading.cage import command
from course.grading.job import Graded, Job
from course.grading.result import Result, TestResult
from course.notebooks import parse
from course.proving import bank
from course.verdict import of_test_cell
from helpers import data
from support import gradebooks
from support.classes import NAME
from support.project import PROJECT

PAGE = PROJECT / "docs" / "term.md"
LONGEST = 300  # seconds of a command


@dataclass(frozen=True)
class Command:
    """A command of the page.

    Args:
        line: where it stands in the page, from 1.
        words: what is typed; the here-document of a command stands below its first line.
        prints: the lines that it prints, as the page says.
    """

    line: int
    words: str
    prints: list[str]


def commands(text: str) -> list[Command]:
    """Return the commands of a page in their order."""
    found: list[Command] = []
    inside, ends_with = False, ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            inside = line == "```console"
        elif inside and ends_with:
            found[-1] = Command(found[-1].line, f"{found[-1].words}\n{line}", [])
            ends_with = "" if line == ends_with else ends_with
        elif inside and line.startswith("$ "):
            found.append(Command(number, line[2:], []))
            here = re.search(r"<<'(\w+)'", line)
            ends_with = here[1] if here else ""
        elif inside:
            found[-1].prints.append(line)
    return found


def says(expected: list[str], printed: str) -> bool:
    """Return whether the page says what was printed; blanks at the end of a line do not count."""
    parts = [
        r"(?:.*\n)*?" if line == "…" else re.escape(line.rstrip()).replace("…", ".*") + r" *\n"
        for line in expected
    ]
    # A table is as wide as its terminal: blanks and rules between its columns may be longer.
    pattern = re.sub(r"(\\ ){2,}", " +", "".join(parts))
    text = "".join(line.rstrip() + "\n" for line in printed.splitlines())
    return re.fullmatch(pattern, text) is not None


# --- the class ---------------------------------------------------------------------------------

# What each student's answers to some exercises are, by the bank's titles; the others are right.
ANSWERS: dict[str, dict[str, str]] = {
    "ada": {},
    "joerg": {"derivative": "adds the slopes up"},
    "zoe": {"derivative": "adds the slopes up", "beta_slope": "no mask"},
    "ben": {"beta_slope": "unsolved", "curvature": "unsolved", "forecast_slope": "unsolved"},
    "dan": {"derivative": "goes back from the mean"},
}
MOODLE = {"ada": "Ada Lovelace_5001", "joerg": "Jörg Müller_5002", "zoe": "Zoë Ångström_5003"}
CANVAS = {"ben": "turingben_71_901", "dan": "voidedan_72_902"}
# What platforms give the files of an archive: the time at which it was made.
MADE, MADE_LATER = (2026, 11, 3, 20, 0, 0), (2026, 11, 4, 20, 0, 0)
BEFORE, AFTER = "Sunday, 1 November 2026, 6:00 PM", "Tuesday, 3 November 2026, 9:00 AM"
EXPORTED = [
    ["Student", "ID", "SIS Login ID", "Section", "01 autodiff (4711)"],
    ["    Points Possible", "", "", "", "14.00"],
    ["Turing, Ben", "71", "ben", "B", ""],
    ["Void, Dan", "72", "dan", "B", ""],
]


@functools.cache
def _bank() -> dict[tuple[str, str], str]:
    text = sheet.load(PROJECT / "course" / "sheets" / f"{NAME}.md")
    answers = bank.load(PROJECT / "course" / "answers" / f"{NAME}.md", text)
    return {(answer.exercise, answer.title): answer.code for answer in answers}


def _notebook(answers: dict[str, str]) -> str:
    """Return a submission: the source, with answers of the bank by exercise and title."""
    made = nbformat.read(PROJECT / "source" / NAME / f"{NAME}.ipynb", as_version=4)
    for cell in made.cells:
        cell.pop("outputs", None)
        if cell.cell_type == "code":
            cell.outputs = []
        if (name := sheet.grade_id(cell)) in answers:
            cell.source = _bank()[name, answers[name]]
    return nbformat.writes(made)


def _zipped(path: Path, files: dict[str, tuple[str, tuple[int, ...]]]) -> None:
    with zipfile.ZipFile(path, "w") as made:
        for name, (text, when) in files.items():
            made.writestr(zipfile.ZipInfo(name, when), text)


def _worksheet(path: Path, late: set[str]) -> None:
    """Write Moodle's grading worksheet, as far as it tells when somebody handed in."""
    with path.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["Identifier", "Full name", "Status", "Grade", "Last modified (submission)"])
        for student, who in MOODLE.items():
            name, number = who.split("_")
            time = AFTER if student in late else BEFORE
            rows.writerow([f"Participant {number}", name, "Submitted for grading", "", time])


def lay_out(folder: Path) -> None:
    """Put into a folder what the page begins with: a project of one sheet, and what came back."""
    for part in ("source", "release"):
        shutil.copytree(PROJECT / part / NAME, folder / part / NAME)
    shutil.copy(PROJECT / "nbgrader_config.py", folder)
    upload, file = "assignsubmission_file_", f"{NAME}.ipynb"
    _zipped(folder / "moodle.zip", {
        f"{who}_{upload}/{file}": (_notebook(ANSWERS[student]), MADE)
        for student, who in MOODLE.items()
    })  # fmt: skip
    _worksheet(folder / "worksheet.csv", {"zoe"})
    _zipped(folder / "moodle-later.zip", {
        f"{who}_{upload}/{file}": (
            _notebook({} if student == "joerg" else ANSWERS[student]), MADE_LATER,
        )
        for student, who in MOODLE.items()
    })  # fmt: skip
    _worksheet(folder / "worksheet-later.csv", {"joerg", "zoe"})
    _zipped(folder / "canvas.zip", {
        f"{who}_{file}": (_notebook(ANSWERS[student]), MADE) for student, who in CANVAS.items()
    })  # fmt: skip
    with (folder / "canvas-export.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(EXPORTED)


def correct(folder: Path) -> None:
    """Stand in for an edit of the text and `course build`: a test is worth more."""
    for part in ("source", "release"):
        path = folder / part / NAME / f"{NAME}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        cell = next(c for c in notebook.cells if sheet.grade_id(c) == "test_derivative")
        cell.metadata["nbgrader"]["points"] = 3
        nbformat.write(notebook, path)


# --- the walk ----------------------------------------------------------------------------------


class Here(Executor):
    """Grades at once, in this process, without a kernel: answers of the bank, which are ours."""

    def submit(self, function, /, job, **_):
        """Grade one job."""
        future: Future[Graded] = Future()
        future.set_result(_graded(job))
        return future


@functools.cache
def _judged(given: str, answer: str, test: str) -> tuple[str, str, str]:
    """Return state, message and wrong turn of an answer; the same one is asked once."""
    scope: dict[str, object] = {}
    exec(f"{given}\n{answer}", scope)
    verdict = of_test_cell(test, {k: v for k, v in scope.items() if k != "__builtins__"})
    return verdict.state, verdict.message, verdict.wrong_turn


def _graded(job: Job) -> Graded:
    source = parse(job.source)
    assert job.submission is not None
    made = assemble.assemble(job.submission, source, parse(job.release))
    tests: dict[str, TestResult] = {}
    # Of what a sheet gives, the answers of this one use imports only.
    lines = "\n".join(c.source for c in made.cells if not sheet.grade_id(c)).splitlines()
    given = "\n".join(x for x in lines if re.match(r"(import torch|from torch)\b", x))
    with data.seeded(1):
        for one in sheet.exercises(made):
            cell = made.cells[one.test_index]
            most = float(sheet.flags(cell)["points"])
            state, message, turn = _judged(given, made.cells[one.answer_index].source, cell.source)
            points = most if state == "passed" else 0.0
            tests[one.test] = TestResult(state, points, most, message, turn)
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=message + "\n")]
    for cell in filter(sheet.is_manual, made.cells):
        tests[sheet.grade_id(cell)] = TestResult("manual", 0.0, float(sheet.flags(cell)["points"]))
    points, most = (sum(getattr(t, n) for t in tests.values()) for n in ("points", "max_points"))
    result = Result(job.student, job.sheet, points, most, "none", 0.5, tests)
    return Graded(result, nbformat.writes(made), {}, job.data_seed)


@dataclass
class Walk:
    """A reader who types the page's commands; `course build` alone is stood in for.

    Args:
        project: the folder of the project, laid out; the reader begins there.
        here: whether commands of the course and of nbgrader, and Python, run in this process, and
            submissions are judged without a kernel; else all of it is typed into a shell.
        caged: whether cages work on this machine.
    """

    project: Path
    here: bool
    caged: bool = True

    def __post_init__(self) -> None:
        self.folder = self.project

    def type(self, words: str) -> tuple[int, str]:
        """Do what a command says; return its exit status, and what it printed, errors as well."""
        if words.startswith("cd "):
            self.folder = (self.folder / words.removeprefix("cd ")).resolve()
            return 0, ""
        if words.startswith("course build "):
            correct(self.project)
            return 0, f"built {NAME}\n"
        program, _, rest = words.partition(" ")
        if not self.here or program not in ("course", "nbgrader", "python"):
            return self._in_a_shell(words)
        if program == "python":
            _, code, _ = re.split(r"<<'\w+'\n|\n\w+$", rest)
            return self._in_here(lambda: exec(compile(code, "<here>", "exec"), {}))
        rest, _, file = rest.partition(" > ")
        argv = [program, *shlex.split(rest)]
        status, printed = self._in_here(
            lambda: (_course if program == "course" else _nbgrader)(argv)
        )
        if file:
            (self.folder / file).write_text(printed, encoding="utf-8")
            printed = ""
        return status, printed

    def _in_a_shell(self, words: str) -> tuple[int, str]:
        own = str(Path(sys.executable).parent)
        if not self.caged:
            words = re.sub(r"^course (grade|watch)", r"\g<0> --no-cage", words)
        env = os.environ | {"PATH": os.pathsep.join([own, os.environ["PATH"]]), "TZ": "UTC"}
        done = subprocess.run(
            ["bash", "-c", words], cwd=self.folder, env=env, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LONGEST,
        )  # fmt: skip
        return done.returncode, done.stdout

    def _in_here(self, run: Callable[[], object]) -> tuple[int, str]:
        printed, status = io.StringIO(), 0
        with (
            contextlib.chdir(self.folder), contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
        ):  # fmt: skip
            try:
                run()
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else 1
        return status, printed.getvalue()


def _course(argv: list[str]) -> None:
    """Run the command `course` in this process, and judge without a kernel what it grades."""

    @contextlib.contextmanager
    def cluster(_: object) -> Iterator[Here]:
        yield Here()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", argv)
        patch.setattr(workers, "begin", lambda: None)
        patch.setattr(grade, "cluster", cluster)
        patch.setattr(command, "works", lambda: "")
        patch.setattr(command, "shown", lambda root: None)
        cli.main()


def _nbgrader(argv: list[str]) -> None:
    """Run a command of nbgrader's `db` in this process; it says things by way of a logger."""
    from nbgrader.apps.dbapp import DbApp
    from traitlets.config import Application

    if not Path("gradebook.db").exists():
        gradebooks.opened(Path.cwd()).close()
    assert argv[:2] == ["nbgrader", "db"], argv
    try:
        DbApp.launch_instance(argv=argv[2:])
    finally:
        for app in (DbApp, Application):
            app.clear_instance()
