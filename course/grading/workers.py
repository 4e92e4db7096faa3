"""Processes that grade, and what becomes of a class when one of them is killed.

They are forked from one process that has imported all that grading needs, which is asked for before
the command's own imports: both happen at the same time, and once however many processes there are.
"""

import contextlib
import ctypes
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from itertools import islice
from multiprocessing import connection, forkserver
from pathlib import Path
from typing import TYPE_CHECKING

from course.errors import CourseError

if TYPE_CHECKING:
    from course.grading.job import Graded, Job, Ungraded

JUDGE_MEMORY = 4 << 30  # bytes that a worker may allocate
MOST_UNDER_WAY = 32  # jobs handed to the executor at a time
MOST_SERVED = 1000  # submissions, before kept processes are replaced by new ones
GRACE = 3.0  # seconds in which kept processes may end by themselves
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # to fork takes one thread


def begin() -> None:
    """Start the process that imports what grading needs; what it takes runs beside this one.

    It imports from where this process does. By itself it would look into the working folder first:
    in another clone of the project it would find that clone's course and helpers.
    """
    before = dict(os.environ)
    here = [str(Path(folder).resolve()) for folder in sys.path]
    os.environ.update(ONE_THREAD, PYTHONSAFEPATH="1", PYTHONPATH=os.pathsep.join(here))
    in_main = threading.current_thread() is threading.main_thread()
    # Inherited: Ctrl-C is for this process to answer, also while the other one imports.
    answer = signal.signal(signal.SIGINT, signal.SIG_IGN) if in_main else None
    try:
        multiprocessing.get_context("forkserver").set_forkserver_preload(
            ["course.grading.submission"]
        )
        forkserver.ensure_running()
    finally:
        if in_main:
            signal.signal(signal.SIGINT, answer)
        os.environ.clear()
        os.environ.update(before)


def processes(workers: int) -> ProcessPoolExecutor:
    """Return an executor of processes that share nothing with this one, and end with it.

    Raises:
        CourseError: no such process can be started.
    """
    begin()
    context = multiprocessing.get_context("forkserver")
    pool = ProcessPoolExecutor(workers, context, _end_with_parent)
    try:
        pool.submit(os.getpid).result()
    except (BrokenExecutor, EOFError, OSError) as error:
        pool.shutdown(cancel_futures=True)
        raise CourseError(
            f"No process that grades can be started here ({error}); look at what this machine has "
            "left of memory and processes, then run the command again: nothing is lost."
        ) from None
    return pool


def _end_with_parent() -> None:
    """End this process when the command ends, or the process it was forked from, however they end.

    The system knows the latter as its parent. The command is watched here: it holds one end of a
    pipe, and its own fork server would not notice, since each worker holds a copy of that one's.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and ends this one
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    command = multiprocessing.parent_process()
    assert command is not None
    threading.Thread(target=_end_after, args=(command.sentinel,), daemon=True).start()
    # What an answer does to the judge's memory ends in an error, not in the end of this process.
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (JUDGE_MEMORY, most))


def _end_after(sentinel: int) -> None:
    connection.wait([sentinel])
    os.kill(os.getpid(), signal.SIGKILL)


def _grade(job: "Job") -> "Graded | Ungraded":
    from course.grading.cage.kernels import NoKernel
    from course.grading.job import Ungraded
    from course.grading.submission import grade_submission

    try:
        return grade_submission(job)
    except NoKernel:
        try:  # a machine that is busy for a moment costs nobody anything
            return grade_submission(job)
        except NoKernel as error:
            return Ungraded(job.student, job.sheet, str(error))


def surviving(workers: int, todo: "list[Job]") -> "Generator[Graded | Ungraded, None, None]":
    """Yield what is graded by processes of this machine, also when one of them is killed.

    What was under way then is graded again, each submission in a process of its own: one that ends
    this process as well has crashed, and the others go on.
    """
    while todo:
        pool = processes(min(workers, len(todo)))
        under_way: dict[Future[Graded | Ungraded], Job] = {}
        ended: set[tuple[str, str]] = set()
        try:
            for graded in completed(pool, todo, under_way):
                ended.add((graded.student, graded.sheet))
                yield graded
            return
        except (BrokenExecutor, EOFError, ConnectionError):  # the latter: as a process is started
            suspects = list(under_way.values())
        finally:
            pool.shutdown(cancel_futures=True)
        for job in suspects:
            ended.add((job.student, job.sheet))
            alone = processes(1)
            try:
                yield alone.submit(_grade, job).result()
            except (BrokenExecutor, EOFError, ConnectionError):
                from course.grading.submission import lost

                yield lost(job, "its grading process was killed")
            finally:
                alone.shutdown(cancel_futures=True)
        todo = [job for job in todo if (job.student, job.sheet) not in ended]


class Pool:
    """Processes that are kept from one submission to the next, with their warm kernels.

    A submission that ends its process has crashed. What was under way beside it is graded again,
    each in a process of its own, and the others go on in new ones.

    Args:
        workers: how many submissions are graded at a time.
        caged: whether the kernels to be kept warm stand in a cage.
    """

    def __init__(self, workers: int, caged: bool = True) -> None:
        self.workers, self.caged = workers, caged
        self.under_way: dict[Future[Graded | Ungraded], Job] = {}
        self._executor: ProcessPoolExecutor | None = None
        self._alone: dict[Future[Graded | Ungraded], ProcessPoolExecutor] = {}
        self._served = 0

    def open(self) -> ProcessPoolExecutor:
        """Start the processes if they do not run, and let each make a kernel."""
        if self._executor is None:
            self._executor = processes(self.workers)
            self._served = 0
            for _ in range(self.workers):
                self._executor.submit(_warm, self.caged)
        return self._executor

    def hand_over(self, job: "Job") -> None:
        """Let a job be graded as soon as a process is free."""
        try:
            future = self.open().submit(_grade, job)
        except BrokenExecutor:  # one of its processes has been killed while nothing was under way
            self._shut()
            future = self.open().submit(_grade, job)
        self._served += 1
        self.under_way[future] = job

    def graded(self, seconds: float) -> "list[Graded | Ungraded]":
        """Return what has been graded since the last time; wait for something at most so long."""
        found = []
        done, _ = wait(self.under_way, timeout=seconds, return_when=FIRST_COMPLETED)
        for future in done:
            job, alone = self.under_way.pop(future), self._alone.pop(future, None)
            try:
                found.append(future.result())
            except (BrokenExecutor, EOFError, ConnectionError):
                if alone is not None:
                    from course.grading.submission import lost

                    found.append(lost(job, "its grading process was killed"))
                else:
                    self._shut()
                    alone = processes(1)
                    again = alone.submit(_grade, job)
                    self.under_way[again], self._alone[again] = job, alone
                    continue
            if alone is not None:
                alone.shutdown(wait=False)
        if self._served > MOST_SERVED and not self.under_way:
            self._shut()
            self.open()
        return found

    def close(self) -> None:
        """End the processes, also those that are grading."""
        for executor in (self._executor, *self._alone.values()):
            if executor is not None:
                executor.shutdown(wait=False, cancel_futures=True)
        self._executor, self._alone, self.under_way = None, {}, {}
        deadline = time.monotonic() + GRACE
        for process in multiprocessing.active_children():
            process.join(max(0.0, deadline - time.monotonic()))
            process.kill()
            process.join()
        from course.grading.cage import claims

        claims.sweep(Path(tempfile.gettempdir()))  # what the killed ones have left

    def _shut(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None


def _warm(caged: bool) -> None:
    from course.grading.cage.kernels import NoKernel
    from course.grading.submission import kernels

    with contextlib.suppress(NoKernel):
        kernels(caged, True).start({}).kill()


def completed(
    executor: Executor,
    todo: "list[Job]",
    under_way: "dict[Future[Graded | Ungraded], Job] | None" = None,
) -> "Generator[Graded | Ungraded, None, None]":
    """Yield what is graded as it comes; few jobs are under way, however many there are.

    Args:
        executor: where the work is done.
        todo: the jobs.
        under_way: is kept up to date with the jobs that were handed over and are not done.
    """
    waiting = iter(todo)
    under_way = {} if under_way is None else under_way

    def hand_over(count: int) -> None:
        under_way.update({executor.submit(_grade, job): job for job in islice(waiting, count)})

    hand_over(2 * MOST_UNDER_WAY)
    while under_way:
        done, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            graded = future.result()
            del under_way[future]
            yield graded
        hand_over(len(done))
