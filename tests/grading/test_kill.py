"""Does a kill at any moment lose anything that the next run does not make good?"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest
from support import gradebooks
from support.classes import NAME, copied, graded_files, hand_in, solved

pytestmark = [pytest.mark.slow, pytest.mark.alone]


@pytest.fixture
def kills(pytestconfig):
    return 5 if pytestconfig.getoption("--all-sheets") else 2


def command(root, caged):
    words = [sys.executable, "-m", "course.cli", "grade", "--root", str(root), "--workers", "2"]
    return words if caged else [*words, "--no-cage"]


def scores(root):
    with gradebooks.opened(root) as book:
        return {
            (s.student.id, g.name): (g.auto_score, g.needs_manual_grade)
            for s in book.assignment_submissions(NAME) for n in s.notebooks for g in n.grades
        }  # fmt: skip


def a_class(root, **how):
    copied(root, **how)
    for number in range(2):
        hand_in(root, f"right{number}", solved())
    hand_in(root, "wrong", solved({"derivative": "def derivative(f, x):\n    return f(x)"}))
    hand_in(root, "unreadable", b"x")
    (root / ".course-secret").write_text("the same for both classes")
    return root


def of_this_class(root):
    """The processes that a killed command has left: all that have its mark in their environment."""
    left = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("KILLED_CLASS") == str(root):
                left.append((process.pid, process.name()))
    return left


def test_is_nothing_lost_when_grading_is_killed_at_random_moments(tmp_path, caged, kills):
    killed, calm = a_class(tmp_path / "killed", gradebook=False), a_class(tmp_path / "calm")
    begun = time.monotonic()
    subprocess.run(command(calm, caged), check=True, capture_output=True, timeout=300)
    usual = time.monotonic() - begun
    choose = random.Random(1)
    died = 0
    for _ in range(3 * kills):
        process = subprocess.Popen(
            command(killed, caged), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "KILLED_CLASS": str(killed)},
        )  # fmt: skip
        try:
            process.wait(timeout=choose.uniform(0.2, 0.9) * usual)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            died += 1
        if died == kills:
            break
        # Take results away again, so that there is work left to be killed in.
        for key in sorted(killed.glob(".course/graded/*/*/record.json")):
            if choose.random() < 0.7:
                key.unlink()
    assert died == kills
    deadline = time.monotonic() + 30
    while left := of_this_class(killed):
        assert time.monotonic() < deadline, f"processes are left: {left}"
        time.sleep(0.2)
    done = subprocess.run(command(killed, caged), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert graded_files(killed) == graded_files(calm)
    assert scores(killed) == scores(calm)
    feedback = {p.relative_to(calm) for p in calm.glob("feedback/*/*/*.html")}
    assert {p.relative_to(killed) for p in killed.glob("feedback/*/*/*.html")} == feedback
