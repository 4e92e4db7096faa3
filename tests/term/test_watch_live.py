"""Does a watch with real kernels serve, survive a kill, and leave nothing?"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from support.classes import NAME, copied, solved
from support.watched import page, submit

from course.files import write_whole

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.night]
WRONG = {"derivative": "def derivative(f, x):\n    return f(x)"}
KILLER = {"derivative": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nos._exit(1)"}


@pytest.fixture
def root(tmp_path):
    root = copied(tmp_path / "course")
    exchange = tmp_path / "exchange"
    (exchange / "tiny" / "inbound").mkdir(parents=True)
    exchange.chmod(0o777)
    write_whole(
        root / "nbgrader_config.py",
        f"c = get_config()\nc.Exchange.root = {str(exchange)!r}\n"
        "c.CourseDirectory.course_id = 'tiny'\n",
    )
    return root


@contextlib.contextmanager
def running(root, caged, temporary):
    words = [sys.executable, "-m", "course.cli", "watch", "--root", str(root)]
    process = subprocess.Popen(
        words + ["--no-cage"] * (not caged), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, env={**os.environ, "WATCHED": str(root), "TMPDIR": temporary},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def awaited(root, secret, seconds=120):
    deadline = time.monotonic() + seconds
    while (found := page(root, secret, NAME)) is None:
        assert time.monotonic() < deadline, "no page was released"
        time.sleep(0.1)
    return found


def left(root):
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("WATCHED") == str(root):
                found.append(process)
    return found


def handed_in(root, student, changes=None):
    return submit(root, student, solved(changes).decode(), name=NAME)


def test_does_a_watch_serve_all_and_stop_without_a_trace(root, caged):
    with tempfile.TemporaryDirectory(prefix="w-") as temporary:
        with running(root, caged, temporary) as process:
            first = handed_in(root, "ada", WRONG)
            assert "value returned" in awaited(root, first)
            handed_in(root, "ben", KILLER)
            second = handed_in(root, "ada")
            assert "value returned" not in awaited(root, second)
            process.send_signal(signal.SIGTERM)
            said = process.stdout.read()
            assert process.wait(60) == 0, said
        assert "stopped" in said
        psutil.wait_procs(left(root), timeout=30)
        assert left(root) == []
        assert list(Path(temporary).iterdir()) == []


def test_is_what_a_killed_watch_had_under_way_graded_by_the_next(root, caged):
    with tempfile.TemporaryDirectory(prefix="w-") as temporary:
        with running(root, caged, temporary) as process:
            awaited(root, handed_in(root, "ada"))
            waits = [handed_in(root, who, WRONG) for who in ("ben", "cleo")]
            time.sleep(0.7)
            process.kill()
            process.wait()
        psutil.wait_procs(left(root), timeout=30)
        assert left(root) == []
        with running(root, caged, temporary):
            for secret in waits:
                assert "Attempt 1 of 5" in awaited(root, secret)
