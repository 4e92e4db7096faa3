"""A class: submissions → executor → results.

Grading a submission is a pure function of bytes, so any executor of `concurrent.futures` can run
it; the results come back to one writer, the ledger.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import fields, replace
from pathlib import Path

from course import stock
from course.errors import CourseError
from course.grading import assemble, cage, ledger
from course.grading.cage import Limits
from course.grading.job import Job
from course.grading.result import Result
from course.grading.workers import completed, surviving


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
    root: Path,
    names: list[str],
    students: list[str],
    caged: bool,
    say: Callable[[str], None],
    limits: Limits | None = None,
    warm: bool = True,
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
            say(f"{_shown(path, root)}: not a student's folder, left alone")
    texts = {
        name: [(root / part / name / f"{name}.ipynb").read_text(encoding="utf-8")
               for part in ("source", "release")]
        for name in names
    }  # fmt: skip
    found: list[Job] = []
    for student in students or present:
        for path in sorted((folder / student).iterdir()):
            if path.name not in names:
                if not (root / "source" / path.name).is_dir():
                    say(f"{_shown(path, root)}: not a sheet's folder, left alone")
                continue
            submission, missing = _submission(path)
            source, release = texts[path.name]
            seed = data_seed(key, student, path.name)
            job = Job(student, path.name, submission, source, release, seed, caged, warm)
            found.append(replace(job, limits=limits or Limits(), missing=missing))
    return found


def _shown(path: Path, root: Path) -> str:
    """Return a path as text that can be printed and written, whatever bytes its names are."""
    return ascii(str(path.relative_to(root)))[1:-1]


def _submission(folder: Path) -> tuple[bytes | None, str]:
    path = folder / f"{folder.name}.ipynb"
    if folder.is_symlink() or folder.parent.is_symlink() or not folder.is_dir():
        return None, f"{folder.name} is a link or a file; hand in a folder with the notebook in it."
    if path.is_file() and not path.is_symlink():
        try:
            if path.stat().st_size > assemble.LARGEST:
                return None, f"{path.name} is larger than {assemble.LARGEST:,} bytes."
            return path.read_bytes(), ""
        except OSError as error:
            return None, f"{path.name} cannot be read ({error.strerror}); hand it in again."
    others = sorted(_shown(p, folder) for p in folder.glob("*.ipynb"))
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    found = f"; found {', '.join(others[:3])}{more}" if others else ""
    return None, f"There is no file {path.name} in the folder{found}; hand in the released name."


def grade_class(
    root: Path,
    names: list[str],
    students: list[str],
    workers: int | None = None,
    force: bool = False,
    no_cage: bool = False,
    warm: bool = True,
    limits: Limits | None = None,
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
        warm: fork kernels from a server that has imported everything.
        limits: what a submission may use; by default what nbgrader_config.py says.
        say: takes lines that a person should read.
        executor: where the work is done; by default processes of this machine.
        progress: told how many submissions of how many are done.

    Returns:
        The results of all submissions asked for, in the order of students and sheets.

    Raises:
        CourseError: no cage, or a broken course.
    """
    names = sheets(root, names)
    if not no_cage and cage.works():
        raise CourseError(f"There is no cage here: {cage.works()}; {cage.REMEDY}.")
    work = jobs(root, names, students, not no_cage, say, limits or configured(root), warm)
    todo = [job for job in work if force or not ledger.holds(root, job)]
    if not force:
        todo = [replace(job, recorded=ledger.recorded(root, job)) for job in todo]
    with ledger.opened(root, names) as book:
        workers = min(workers or os.cpu_count() or 1, max(1, len(todo)))
        found = completed(executor, todo) if executor else surviving(workers, todo)
        with contextlib.closing(found):
            for done, graded in enumerate(found, 1):
                book.record(graded)
                progress(done, len(todo))
        results = [ledger.result(root, job.student, job.sheet) for job in work]
        book.bring_into_line(results)
    return results


@contextlib.contextmanager
def cluster(address: str | None) -> Iterator[Executor | None]:
    """Connect to a Dask scheduler, whose client gives an executor; without an address, to none.

    Raises:
        CourseError: nobody answers there, or no worker is there.
    """
    if address is None:
        yield None
        return
    from distributed import Client

    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise CourseError(
            f"No Dask scheduler answers at {address} ({error}); start one with «dask scheduler»."
        ) from None
    with client:
        if not client.scheduler_info()["workers"]:
            raise CourseError(f"The scheduler at {address} has no workers; start «dask worker».")
        yield client.get_executor(retries=3)


def configured(root: Path) -> Limits:
    """Return the limits that nbgrader_config.py sets under ``CourseLimits``, else the defaults.

    Raises:
        CourseError: a limit that does not exist.
    """
    given = dict(stock.settings(root).get("CourseLimits", {}))
    unknown = set(given) - {f.name for f in fields(Limits)}
    if unknown:
        known = ", ".join(f.name for f in fields(Limits))
        raise CourseError(
            f"nbgrader_config.py: CourseLimits has no {', '.join(sorted(unknown))}; it has {known}."
        )
    return replace(Limits(), **{k: type(getattr(Limits(), k))(v) for k, v in given.items()})
