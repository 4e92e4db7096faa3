"""A class: submissions → executor → results.

Grading a submission is a pure function of bytes, so any executor of `concurrent.futures` can run
it; the results come back to one writer, the ledger.
"""

import contextlib
import os
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor
from pathlib import Path

from course import stock_nbgrader
from course.authoring import stamps
from course.errors import CourseError
from course.files import shown
from course.grading import canary, plan, submitted
from course.grading.cage import command
from course.grading.cage.limits import Limits
from course.grading.cage.limits import configured as limits_of
from course.grading.job import Graded, Job, Ungraded
from course.grading.ledger import keys, ledger, lock, records, times, trouble
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
    must_see: Callable[[str], None] | None = None,
    under_way: Callable[[str], None] = lambda name: None,
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
        must_see: takes lines that a person has to read; by default as ``say``.
        under_way: told the name of what is being graded, from before the first one on.

    Returns:
        The results of all submissions asked for, in the order of students and sheets.

    Raises:
        CourseError: no cage, a broken course, another command at work, a full disk, or a sheet
            whose own solution does not pass here.
    """
    must_see = must_see or say
    names = submitted.sheets(root, names)
    refuse_without_cage(root, no_cage)
    limits = limits or configured_limits(root)
    with lock.held(root, "course grade"), trouble.of_the_disk(root):
        warn_of_old_sources(root, names, must_see)
        work = submitted.jobs(root, names, students, not no_cage, say, limits, warm, must_see)
        made_from = {(job.student, job.sheet): keys.of(job) for job in work}
        planned = plan.of(root, work, made_from, force)
        plan.say(planned, work, say)
        todo = [one.job for one in planned]
        if not work:
            must_see(f"{root / 'submitted'} holds no folder STUDENT/SHEET of {', '.join(names)}")

        def run(jobs: list[Job]) -> Generator[Graded | Ungraded, None, None]:
            return named(by(executor, workers, jobs), jobs, under_way)

        written = 0
        with (
            _told_if_interrupted(lambda: written, len(todo), say),
            ledger.opened(root, names, say) as book,
        ):
            with contextlib.closing(
                _checked(root, todo, run, type(executor).__name__, force, say)
            ) as found:
                for done, graded in enumerate(found, 1):
                    if isinstance(graded, Graded):
                        book.write(graded, made_from[graded.student, graded.sheet], must_see)
                        written += 1
                    if why := _to_look_at(graded):
                        must_see(f"{shown(graded.student)}, {graded.sheet}: {why}")
                    progress(done, len(todo))
            results = [kept for job in work if (kept := records.kept(root, job))]
            book.bring_into_line(results, must_see, say)
            for line in times.doubtful(root, results, book.standings(results)):
                must_see(line)
    return results


def refuse_without_cage(root: Path, no_cage: bool) -> None:
    """Refuse to run students' code where no cage stands between it and this machine, or the course.

    Args:
        root: course folder.
        no_cage: the staff trust the code.

    Raises:
        CourseError: there is no cage, or every cage shows this course.
    """
    if not no_cage and command.works():
        raise CourseError(f"There is no cage here: {command.works()}; {command.remedy()}.")
    if not no_cage and (open_to_all := command.shown(root)):
        raise CourseError(
            f"{root} lies in {open_to_all}, which every cage shows to the code inside: move the "
            "course elsewhere."
        )


def warn_of_old_sources(root: Path, names: list[str], must_see: Callable[[str], None]) -> None:
    """Say of which sheets the text was changed after source/ was built, where the texts are."""
    for name in names:
        if stamps.is_older_than_text(root, name):
            must_see(f"the text of {name} is newer than source/: course build {name}")


def by(
    executor: Executor | None, workers: int | None, jobs: list[Job]
) -> Generator[Graded | Ungraded, None, None]:
    """Return what is graded as it comes, by an executor or by processes of this machine."""
    if executor:
        return completed(executor, jobs)
    return surviving(min(workers or os.cpu_count() or 1, max(1, len(jobs))), jobs)


def named(
    found: Generator[Graded | Ungraded, None, None], jobs: list[Job], tell: Callable[[str], None]
) -> Generator[Graded | Ungraded, None, None]:
    """Yield what is graded, and tell which submission the work is at: the first that is not done.

    Args:
        found: what is graded.
        jobs: what is to be graded, in the order in which it is begun.
        tell: takes the name of the submission.
    """
    waiting = {(job.student, job.sheet): None for job in jobs}

    def tell_the_first() -> None:
        if waiting:
            tell(_name(*next(iter(waiting))))

    with contextlib.closing(found):
        tell_the_first()
        for graded in found:
            waiting.pop((graded.student, graded.sheet), None)
            tell_the_first()
            yield graded


def _name(student: str, sheet: str) -> str:
    return f"{student}, {sheet}" if student != canary.NOBODY else f"the solution of {sheet}"


@contextlib.contextmanager
def _told_if_interrupted(
    written: Callable[[], int], of: int, say: Callable[[str], None]
) -> Iterator[None]:
    """Say what an interruption left."""
    try:
        yield
    except KeyboardInterrupt:
        say(
            f"interrupted: {written()} of {of} are graded and kept, nothing is half-written; the "
            "same command goes on from there"
        )
        raise


def _checked(
    root: Path,
    todo: list[Job],
    run: Callable[[list[Job]], Generator[Graded | Ungraded, None, None]],
    by: str,
    force: bool,
    say: Callable[[str], None],
) -> Generator[Graded | Ungraded, None, None]:
    """Yield what is graded, as far as the sheets' own solutions pass in the same way."""
    birds = [b for b in canary.of(root, todo) if force or not canary.has_passed(root, b, by)]

    def look_again(names: set[str]) -> None:
        say("nobody has passed anything so far: the sheets' own solutions are graded again")
        again = [bird for bird in canary.of(root, todo) if bird.sheet in names]
        for _ in canary.trusted(run(again), root, again, by):
            pass

    with contextlib.closing(run([*birds, *todo])) as found:
        yield from canary.doubted(canary.trusted(found, root, birds, by), look_again)


def _to_look_at(graded: Graded | Ungraded) -> str:
    if isinstance(graded, Ungraded):
        return f"could not be graded ({graded.why}), and keeps what it had; run the command again"
    return graded.trouble and f"grading it stopped ({graded.trouble}); it has no points"


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
        CourseError: a limit that does not exist, or is no number above zero.
    """
    return limits_of(stock_nbgrader.settings(root).get("CourseLimits", {}))
