"""Do two commands on one course keep out of each other's way, and does a killed one hinder any?"""

import json
import os
import signal
import subprocess
import sys

import pytest
from support.by_hand import course, grade_by_hand

from course.errors import CourseError
from course.grading.ledger import lock

HOLDER = """
import sys, time
from pathlib import Path
from course.grading.ledger import lock
with lock.held(Path(sys.argv[1]), "course grade"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout.readline() == b"held\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_is_the_second_command_told_who_holds_the_course(holder, tmp_path):
    course(tmp_path, ["ada"])
    with pytest.raises(CourseError) as caught:
        grade_by_hand(tmp_path)
    said = str(caught.value)
    for part in ("course grade", f"process {holder.pid}", os.uname().nodename, "since 20"):
        assert part in said
    assert "gradebook" not in said
    assert not (tmp_path / "autograded").exists()


def test_is_the_lock_of_a_killed_command_an_obstacle(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert json.loads((tmp_path / ".course" / "lock").read_text())["pid"] == holder.pid
    with lock.held(tmp_path, "course feedback"):
        who = json.loads((tmp_path / ".course" / "lock").read_text())
        assert (who["pid"], who["command"]) == (os.getpid(), "course feedback")


def test_does_a_lock_leave_anything(tmp_path):
    with lock.held(tmp_path, "course grade"):
        pass
    assert list((tmp_path / ".course").iterdir()) == []


def test_is_a_lock_that_was_removed_meanwhile_taken_for_one(tmp_path, monkeypatch):
    """Between opening and locking, the one who held it has ended and removed the file."""
    flock, removed = lock.fcntl.flock, []

    def late(descriptor, how):
        if not removed:
            removed.append((tmp_path / ".course" / "lock").unlink())
        flock(descriptor, how)

    monkeypatch.setattr(lock.fcntl, "flock", late)
    with lock.held(tmp_path, "course grade"), lock.tried(tmp_path, "another") as who:
        assert f"process {os.getpid()}" in who
    assert removed


def test_can_grades_be_looked_at_while_a_class_is_graded(tmp_path):
    from course.term import report

    grade_by_hand(course(tmp_path))
    with lock.held(tmp_path, "course grade"):
        report.show(tmp_path, report.graded(tmp_path, []))
