"""Do the processes that grade start, and does a machine that cannot start one say so?"""

import functools
import os
import signal
import subprocess
import sys
import time
import types

import psutil
import pytest

from course.errors import CourseError
from course.grading import workers
from course.grading.job import Job

pytestmark = [pytest.mark.slow, pytest.mark.alone]


def test_is_a_machine_that_can_start_no_process_told_so_in_one_sentence(monkeypatch):
    monkeypatch.setattr(workers, "_end_with_parent", functools.partial(os._exit, 1))
    with pytest.raises(CourseError, match="No process that grades can be started"):
        list(workers.surviving(2, [object()]))


def test_are_processes_forked_from_one_that_has_one_thread_and_all_imports():
    before = dict(os.environ)
    pool = workers.processes(1)
    try:
        threads = pool.submit(os.listdir, "/proc/self/task").result()
        imported = pool.submit(
            eval, "'course.grading.submission' in __import__('sys').modules"
        ).result()
    finally:
        pool.shutdown()
    assert len(threads) <= 2, "the process's own and the pool's"
    assert imported
    assert dict(os.environ) == before


KILLED = """
import os, sys, time
from course.grading import workers

if __name__ == "__main__":
    pool = workers.processes(2)
    busy = [pool.submit(time.sleep, 60) for _ in range(2)]
    print("started", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_is_no_process_left_when_the_command_is_killed(tmp_path, how):
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    command = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE)
    assert command.stdout.readline() == b"started\n"
    deadline = time.monotonic() + 60
    while len(started := psutil.Process(command.pid).children(recursive=True)) < 4:
        assert time.monotonic() < deadline, "a tracker, a fork server and two workers"
        time.sleep(0.1)
    command.send_signal(how)
    _, left = psutil.wait_procs(started, timeout=30)
    command.kill()
    command.wait()
    command.stdout.close()
    assert not left


def test_does_a_class_go_on_when_the_fork_server_is_killed(monkeypatch):
    graded = []

    def as_long_as_it_lives(executor, todo, under_way):
        if not graded:
            under_way[object()] = todo[0]
            raise EOFError
        yield from ()

    monkeypatch.setattr(workers, "completed", as_long_as_it_lives)
    monkeypatch.setattr(workers, "_grade", functools.partial(_graded_by, "alone"))
    job = Job("ada", "01-autodiff", None, "", "", 1)
    graded = list(workers.surviving(1, [job]))
    assert graded == [("alone", "ada")]


def _graded_by(who, job):
    return who, job.student


@pytest.fixture
def kept_pool(monkeypatch):
    """A pool whose jobs are expressions, and whose processes need no kernel."""
    monkeypatch.setattr(workers, "_grade", eval)
    monkeypatch.setattr(workers, "_warm", bool)
    gone = types.SimpleNamespace(lost=lambda job, why: ("lost", job))
    monkeypatch.setitem(sys.modules, "course.grading.submission", gone)
    pool = workers.Pool(2)
    yield pool
    pool.close()


def all_graded(pool):
    found = []
    while pool.under_way:
        found += pool.graded(1)
    return found


KILLS = "__import__('os')._exit(1)"


def test_does_a_kept_pool_go_on_when_a_submission_ends_its_process(kept_pool):
    kept_pool.hand_over(KILLS)
    kept_pool.hand_over("__import__('time').sleep(1) or 'beside'")
    assert sorted(all_graded(kept_pool), key=str) == [("lost", KILLS), "beside"]
    kept_pool.hand_over("'after'")
    assert all_graded(kept_pool) == ["after"]


def test_does_a_kept_pool_go_on_when_a_process_was_killed_while_it_waited(kept_pool):
    kept_pool.hand_over("__import__('os').getpid()")
    (pid,) = all_graded(kept_pool)
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=30)
    kept_pool.hand_over("'after'")
    assert all_graded(kept_pool) == ["after"]


def test_are_kept_processes_the_same_for_many_submissions_and_then_others(kept_pool, monkeypatch):
    def pids():
        for _ in range(4):
            kept_pool.hand_over("__import__('os').getpid()")
        return set(all_graded(kept_pool))

    first = pids() | pids()
    assert len(first) <= 2
    monkeypatch.setattr(workers, "MOST_SERVED", 3)
    pids()
    assert not pids() & first


def test_does_closing_a_kept_pool_end_what_is_under_way(kept_pool):
    kept_pool.hand_over("__import__('os').getpid()")
    (pid,) = all_graded(kept_pool)
    kept_pool.hand_over("__import__('time').sleep(600)")
    kept_pool.hand_over("__import__('time').sleep(600)")
    kept_pool.close()
    assert not psutil.pid_exists(pid)
    assert kept_pool.graded(0) == []
