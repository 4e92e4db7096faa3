"""A class: submissions → executor → results.

Grading a submission is a pure function of bytes, :func:`grade`, so any executor of
`concurrent.futures` can run it; the results come back to one writer, the ledger.
"""

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import nbformat
from nbformat import NotebookNode

import helpers
from course import sheet
from course.errors import CourseError
from course.grading import assemble, cage, ledger
from course.grading.judge import Verdict, of_outputs
from course.grading.result import Result, Test

SECONDS_A_CELL = 30
SECONDS_A_SUBMISSION = 240


@dataclass(frozen=True)
class Job:
    """Everything that grading one submission depends on."""

    student: str
    sheet: str
    submission: bytes | None
    source: str
    release: str
    data_seed: int
    caged: bool
    seconds_a_cell: int = SECONDS_A_CELL
    seconds_a_submission: int = SECONDS_A_SUBMISSION
    missing: str = ""

    def key(self) -> str:
        """Return a hash of the job and of the code that grades it."""
        digest = hashlib.sha256()
        parts = [self.student, self.sheet, self.source, self.release, self.data_seed, self.caged,
                 self.seconds_a_cell, self.seconds_a_submission, self.missing]  # fmt: skip
        digest.update(json.dumps(parts).encode())
        digest.update(self.submission or b"")
        digest.update(_code_hash().encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Graded:
    """A job's result, and the notebook that nbgrader's tools show."""

    result: Result
    notebook: str
    key: str


def _code_hash() -> str:
    """Return a hash of the helpers and of the engine."""
    digest = hashlib.sha256()
    folders = [Path(helpers.__file__).parent, Path(__file__).parent]
    for path in sorted(p for folder in folders for p in folder.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def grade(job: Job) -> Graded:
    """Grade one submission; whatever it is or does, this returns a result."""
    begun = time.monotonic()
    source = nbformat.reads(job.source, as_version=4)
    release = nbformat.reads(job.release, as_version=4)
    try:
        if job.submission is None:
            raise assemble.Refused(job.missing)
        notebook = assemble.assemble(job.submission, source, release)
    except assemble.Refused as refused:
        verdict = Verdict("refused", f"✗ {refused}")
        notebook = nbformat.from_dict(release)
        return _graded(job, notebook, release, lambda *_: verdict, begun, refused=True)
    executed, ran = run_notebook(notebook, job)
    return _graded(
        job, executed, release, lambda test, answer: of_outputs(test, answer, ran), begun
    )


def run_notebook(notebook: NotebookNode, job: Job) -> tuple[NotebookNode, str]:
    """Run a notebook in the cage.

    Returns:
        The notebook with outputs, as far as it came, and "" or "timeout" or "crashed".
    """
    with tempfile.TemporaryDirectory(prefix="cage-") as scratch:
        folder = Path(scratch)
        (folder / "work").mkdir()
        (folder / "notebook.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
        _copy_font_cache(folder / "matplotlib")
        inside = Path("/cage") if job.caged else folder
        words = [*(cage.command(folder) if job.caged else []), sys.executable, "-I", "-B",
                 cage.runner(), str(job.seconds_a_cell)]  # fmt: skip
        process = subprocess.Popen(
            words, cwd=folder, env=_environment(inside, job.data_seed), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        ran = ""
        try:
            if process.wait(timeout=job.seconds_a_submission):
                ran = "crashed"
        except subprocess.TimeoutExpired:
            ran = "timeout"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return _executed(folder / "executed.ipynb", notebook), ran


def _environment(folder: Path, data_seed: int) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(folder),
        "USER": "student",
        "LANG": "C.UTF-8",
        "TMPDIR": str(folder),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "COURSE_DATA_SEED": str(data_seed),
    }


def _copy_font_cache(folder: Path) -> None:
    """Hand matplotlib its list of fonts, which takes seconds to make."""
    folder.mkdir()
    for path in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
        shutil.copy(path, folder)


def _executed(path: Path, notebook: NotebookNode) -> NotebookNode:
    """Read what the runner left; of its cells, only outputs are taken."""
    try:
        left = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    except Exception:
        return notebook
    for cell, ran in zip(notebook.cells, left.cells, strict=False):
        if cell.cell_type == "code" and ran.cell_type == "code":
            cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
    return notebook


def _graded(
    job: Job,
    notebook: NotebookNode,
    release: NotebookNode,
    decide: Callable[[NotebookNode, NotebookNode], Verdict],
    begun: float,
    refused: bool = False,
) -> Graded:
    by_grade_id = {sheet.grade_id(c): c for c in notebook.cells if sheet.grade_id(c)}
    tests: dict[str, Test] = {}
    for exercise in sheet.exercises(release):
        cell = by_grade_id[exercise.test]
        said = decide(cell, by_grade_id[exercise.name])
        points = exercise.points if said.state == "passed" else 0.0
        tests[exercise.test] = Test(
            said.state, points, exercise.points, said.message, said.wrong_turn
        )
        cell.outputs = [_output(said)]
    for cell in release.cells:
        if sheet.is_manual(cell):
            name = sheet.grade_id(cell)
            written = by_grade_id[name].source.strip()
            untouched = written in ("", assemble.EMPTY, cell.source.strip())
            state = "refused" if refused else "missing" if untouched else "manual"
            tests[name] = Test(state, 0.0, float(sheet.flags(cell)["points"]))
    result = Result(
        job.student,
        job.sheet,
        sum(t.points for t in tests.values()),
        sum(t.max_points for t in tests.values()),
        job.data_seed,
        "bubblewrap" if job.caged else "none",
        round(time.monotonic() - begun, 2),
        tests,
    )
    return Graded(result, nbformat.writes(notebook) + "\n", job.key())


def _output(said: Verdict) -> NotebookNode:
    """Return the verdict as the test cell's output, in the form that nbgrader scores."""
    if said.state == "passed":
        return nbformat.v4.new_output("stream", name="stdout", text=said.message + "\n")
    return nbformat.v4.new_output(
        "error", ename=said.state, evalue=said.message, traceback=said.message.splitlines()
    )


# --- the class ---------------------------------------------------------------------------------


def secret(root: Path) -> bytes:
    """Return the course's secret, made on first use; data seeds are derived from it."""
    path = root / ".course-secret"
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
    return path.read_bytes()


def data_seed(key: bytes, student: str, name: str) -> int:
    """Return the data seed of a student's sheet, which nobody can guess without the secret."""
    digest = hmac.new(key, f"{student}/{name}".encode(), hashlib.sha256).digest()
    return 1 + int.from_bytes(digest[:4], "big") % (2**31 - 2)


def sheets(root: Path, wanted: list[str]) -> list[str]:
    """Return the sheets to grade: those that source/ and release/ hold, or the wanted ones.

    Raises:
        CourseError: no source/, or an unknown sheet.
    """
    known = sorted(p.parent.name for p in root.glob("source/*/*.ipynb") if p.stem == p.parent.name)
    if not known:
        raise CourseError(f"{root} holds no source/SHEET/SHEET.ipynb; name a course with --root.")
    for name in wanted:
        if name not in known:
            raise CourseError(f"There is no sheet {name!r} in {root / 'source'}; there are "
                              f"{', '.join(known)}.")  # fmt: skip
    for name in wanted or known:
        if not (root / "release" / name / f"{name}.ipynb").exists():
            raise CourseError(f"{root / 'release' / name} holds no {name}.ipynb; build the sheet.")
    return wanted or known


def jobs(
    root: Path, names: list[str], students: list[str], caged: bool, say: Callable[[str], None]
) -> list[Job]:
    """Return a job for every folder submitted/STUDENT/SHEET; what is none of these is named.

    Raises:
        CourseError: no submitted/, or a student who handed in nothing.
    """
    folder = root / "submitted"
    if not folder.is_dir():
        raise CourseError(
            f"{folder} does not exist; put submissions into submitted/STUDENT/SHEET/."
        )
    key = secret(root)
    present = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    for student in students:
        if student not in present:
            raise CourseError(f"There is no folder {folder / student}; check the student's name.")
    for path in sorted(folder.iterdir()):
        if not path.is_dir():
            say(f"{path.relative_to(root)}: not a student's folder, left alone")
    texts = {
        name: [(root / part / name / f"{name}.ipynb").read_text(encoding="utf-8")
               for part in ("source", "release")]
        for name in names
    }  # fmt: skip
    found: list[Job] = []
    for student in students or present:
        for path in sorted((folder / student).iterdir()):
            if path.name not in names or not path.is_dir():
                if not (root / "source" / path.name).is_dir():
                    say(f"{path.relative_to(root)}: not a sheet's folder, left alone")
                continue
            submission, missing = _submission(path)
            source, release = texts[path.name]
            seed = data_seed(key, student, path.name)
            found.append(
                Job(student, path.name, submission, source, release, seed, caged, missing=missing)
            )
    return found


def _submission(folder: Path) -> tuple[bytes | None, str]:
    path = folder / f"{folder.name}.ipynb"
    if path.is_file() and not path.is_symlink():
        try:
            if path.stat().st_size > assemble.LARGEST:
                return None, f"{path.name} is larger than {assemble.LARGEST:,} bytes."
            return path.read_bytes(), ""
        except OSError as error:
            return None, f"{path.name} cannot be read ({error.strerror}); hand it in again."
    others = sorted(p.name for p in folder.glob("*.ipynb"))
    found = f"; found {', '.join(others)}" if others else ""
    return None, f"There is no file {path.name} in the folder{found}; hand in the released name."


def grade_class(
    root: Path,
    names: list[str],
    students: list[str],
    workers: int | None = None,
    force: bool = False,
    no_cage: bool = False,
    say: Callable[[str], None] = print,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[Result]:
    """Grade what is new or changed, and bring the gradebook into line with all results.

    Args:
        root: nbgrader course folder.
        names: sheets to grade; all where empty.
        students: students to grade; all where empty.
        workers: how many submissions run at a time; by default one a processor.
        force: grade also what did not change.
        no_cage: run students' code without a cage.
        say: takes lines that a person should read.
        executor: where the work is done; by default threads that start processes.
        progress: told how many submissions of how many are done.

    Returns:
        The results of all submissions asked for, in the order of students and sheets.

    Raises:
        CourseError: no cage, or a broken course.
    """
    names = sheets(root, names)
    if not no_cage and cage.works():
        raise CourseError(f"There is no cage here: {cage.works()}; {cage.REMEDY}.")
    work = jobs(root, names, students, caged=not no_cage, say=say)
    todo = [
        job for job in work if force or not ledger.holds(root, job.student, job.sheet, job.key())
    ]
    with ledger.opened(root, names) as book:
        own = executor or ThreadPoolExecutor(workers or os.cpu_count() or 1)
        try:
            futures = [own.submit(grade, job) for job in todo]
            for done, future in enumerate(as_completed(futures), 1):
                graded = future.result()
                book.record(graded.result, graded.notebook, graded.key)
                progress(done, len(todo))
        finally:
            if executor is None:
                own.shutdown(cancel_futures=True)
        results = [ledger.result(root, job.student, job.sheet) for job in work]
        book.bring_into_line(results)
    return results
