"""Do the processes that grade start, and does a machine that cannot start one say so?"""

import functools
import os

import pytest

from course.errors import CourseError
from course.grading import workers


@pytest.mark.slow
def test_is_a_machine_that_can_start_no_process_told_so_in_one_sentence(monkeypatch):
    monkeypatch.setattr(workers, "_end_with_parent", functools.partial(os._exit, 1))
    with pytest.raises(CourseError, match="No process that grades can be started"):
        list(workers.surviving(2, [object()]))


@pytest.mark.slow
def test_are_processes_forked_from_one_that_has_one_thread_and_all_imports():
    before = dict(os.environ)
    pool = workers.processes(1)
    try:
        threads = pool.submit(os.listdir, "/proc/self/task").result()
        imported = pool.submit(eval, "'course.grading.grade' in __import__('sys').modules").result()
    finally:
        pool.shutdown()
    assert len(threads) <= 2, "the process's own and the pool's"
    assert imported
    assert dict(os.environ) == before
