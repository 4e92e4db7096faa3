"""A class: submissions → executor → results.

Grading a submission is a pure function of bytes, so any executor of `concurrent.futures` can run
it; the results come back to one writer, the ledger.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import fields, replace
from pathlib import Path

from course import stock_nbgrader
from course.errors import CourseError
from course.grading import submitted
from course.grading.cage import command
from course.grading.cage.limits import Limits
from course.grading.job import Job
from course.grading.ledger import keys, ledger, records
from course.grading.result import Result
from course.grading.workers import completed, surviving


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
    names = submitted.sheets(root, names)
    if not no_cage and command.works():
        raise CourseError(f"There is no cage here: {command.works()}; {command.REMEDY}.")
    work = submitted.jobs(
        root, names, students, not no_cage, say, limits or configured_limits(root), warm
    )
    made_from = {(job.student, job.sheet): keys.of(job) for job in work}

    def key(of: Job | Result) -> keys.Keys:
        return made_from[of.student, of.sheet]

    todo = [job for job in work if force or records.keys(root, job) != key(job)]
    if not force:
        todo = [replace(job, earlier=records.earlier_run(root, job, key(job))) for job in todo]
    with ledger.opened(root, names, say) as book:
        workers = min(workers or os.cpu_count() or 1, max(1, len(todo)))
        found = completed(executor, todo) if executor else surviving(workers, todo)
        with contextlib.closing(found):
            for done, graded in enumerate(found, 1):
                book.write(graded, key(graded.result))
                progress(done, len(todo))
        results = [records.result(root, job) for job in work]
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


def configured_limits(root: Path) -> Limits:
    """Return the limits that nbgrader_config.py sets under ``CourseLimits``, else the defaults.

    Raises:
        CourseError: a limit that does not exist.
    """
    given = dict(stock_nbgrader.settings(root).get("CourseLimits", {}))
    unknown = set(given) - {f.name for f in fields(Limits)}
    if unknown:
        known = ", ".join(f.name for f in fields(Limits))
        raise CourseError(
            f"nbgrader_config.py: CourseLimits has no {', '.join(sorted(unknown))}; it has {known}."
        )
    return replace(Limits(), **{k: type(getattr(Limits(), k))(v) for k, v in given.items()})
