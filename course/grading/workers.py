"""Processes that grade, and what becomes of a class when one of them is killed."""

import ctypes
import multiprocessing
import os
import resource
import signal
import sys
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

from course.grading.grade import grade, lost
from course.grading.job import Graded, Job

JUDGE_MEMORY = 4 << 30  # bytes that a worker may allocate
MOST_UNDER_WAY = 32  # jobs handed to the executor at a time


def processes(workers: int) -> ProcessPoolExecutor:
    """Return an executor of processes that share nothing with this one, and end with it."""
    return ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), _end_with, (os.getpid(),)
    )


def _end_with(parent: int) -> None:
    """Ask the system to end this process when its parent ends, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told, and ends this one
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)
    # What an answer does to the judge's memory ends in an error, not in the end of this process.
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (JUDGE_MEMORY, most))


def surviving(workers: int, todo: list[Job]) -> Generator[Graded, None, None]:
    """Yield what is graded by processes of this machine, also when one of them is killed.

    What was under way then is graded again, each submission in a process of its own: one that ends
    this process as well has crashed, and the others go on.
    """
    while todo:
        pool = processes(min(workers, len(todo)))
        under_way: dict[Future[Graded], Job] = {}
        ended: set[tuple[str, str]] = set()
        try:
            for graded in completed(pool, todo, under_way):
                ended.add((graded.result.student, graded.result.sheet))
                yield graded
            return
        except BrokenExecutor:
            suspects = list(under_way.values())
        finally:
            pool.shutdown(cancel_futures=True)
        for job in suspects:
            ended.add((job.student, job.sheet))
            alone = processes(1)
            try:
                yield alone.submit(grade, job).result()
            except BrokenExecutor:
                yield lost(job, "its grading process was killed")
            finally:
                alone.shutdown(cancel_futures=True)
        todo = [job for job in todo if (job.student, job.sheet) not in ended]


def completed(
    executor: Executor, todo: list[Job], under_way: dict[Future[Graded], Job] | None = None
) -> Generator[Graded, None, None]:
    """Yield what is graded as it comes; few jobs are under way, however many there are.

    Args:
        executor: where the work is done.
        todo: the jobs.
        under_way: is kept up to date with the jobs that were handed over and are not done.
    """
    waiting = iter(todo)
    under_way = {} if under_way is None else under_way

    def hand_over(count: int) -> None:
        under_way.update({executor.submit(grade, job): job for job in islice(waiting, count)})

    hand_over(2 * MOST_UNDER_WAY)
    while under_way:
        done, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            graded = future.result()
            del under_way[future]
            yield graded
        hand_over(len(done))
