"""Does a failure at any write of the ledger lose anything that one more run does not make good?

Python tells an audit hook of every file that is opened for writing, made, renamed or removed,
before it is done and whoever does it. So the points to fail at are found, not listed: the class is
graded once to count them, and then once a point, in a process of its own that fails there. By day
at every third point, a kill at others than a full disk; by night at every one.
"""

import errno
import os
import shutil
import sys
import traceback

import pytest
import sqlalchemy
from support.by_hand import ByHand, course, grade_by_hand, graded, hand_in, kept, notebook

from course import files
from course.errors import CourseError
from course.grading.ledger import records

# What makes or changes something on the disk, of all that Python's audit events tell of.
WRITES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate",
          "os.chmod", "os.chown", "os.utime", "shutil.rmtree", "shutil.move"}  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

pytestmark = pytest.mark.slow


class Points:
    """Counts the writes below a folder and fails at one of them."""

    def __init__(self, root, fail, at):
        self.root, self.fail, self.at = str(root), fail, at
        self.seen, self.around = [], []
        self.failing = False

    def hook(self, event, args):
        """Take an audit event."""
        opened = event == "open" and isinstance(args[2], int) and args[2] & WRITING
        if not opened and event not in WRITES:
            return
        path = args[0]
        if self.failing or not isinstance(path, str | os.PathLike):
            return
        idle = {"os.mkdir": os.path.lexists(path), "os.remove": not os.path.lexists(path)}
        if str(path).startswith(self.root) and not idle.get(event, False):
            self.point(f"{event} {os.path.relpath(path, self.root)}")

    def commit(self, connection):
        """Take a commit; those of a gradebook in the making, beside its place, are one point."""
        what = (
            "commit of a new gradebook" if str(connection.engine.url).endswith("new") else "commit"
        )
        if what == "commit" or what not in self.seen:
            self.point(what)

    def point(self, what):
        """Reach a point; fail where it is the one."""
        self.seen.append(what)
        if not what.startswith("commit") and not made_by(files.__file__):
            self.around.append(what)
        if len(self.seen) == self.at:
            self.failing = True
            try:
                self.fail()
            finally:
                self.failing = False


def made_by(path):
    """Return whether a function of this file is at work."""
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_filename != path:
        frame = frame.f_back
    return frame is not None


def killed():
    os._exit(9)


def full():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def in_a_process(work):
    """Run something in a forked process; return how it ended, and what it wrote to its pipe."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 3
        try:
            os.close(reading)
            os.write(writing, work().encode())
            code = 0
        except CourseError as error:
            os.write(writing, str(error).encode())
            code = 2
        except BaseException:
            os.write(writing, traceback.format_exc().encode())
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), said


def run(root, fail, at):
    """Grade the class in this process, failing at a point; return the points as text."""
    points = Points(root, fail, at)
    sys.addaudithook(points.hook)
    # What SQLAlchemy commits is a write as well; SQLite itself makes it whole or not at all.
    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "commit", points.commit)
    grade_by_hand(root)
    return "\n".join(["seen:", *points.seen, "around:", *points.around])


@pytest.fixture(scope="module", params=["from nothing", "changed"])
def begun(request, tmp_path_factory):
    """A class that nobody has graded, and one with a student who has changed the answer since."""
    root = course(tmp_path_factory.mktemp("begun"), ["ben"])
    if request.param == "changed":
        grade_by_hand(root, ByHand(ben=lambda job: graded(job, "failed", "✗ no")))
        hand_in(root, "ben", notebook(slope="slope = 3"))
    return root


@pytest.fixture(scope="module")
def calm(begun, tmp_path_factory):
    """The same class after a run that nothing disturbs, and the points of that run."""
    root = tmp_path_factory.mktemp("calm") / "course"
    shutil.copytree(begun, root)
    code, said = in_a_process(lambda: run(root, killed, at=0))
    assert code == 0, said
    seen, around = said.removeprefix("seen:\n").split("around:")
    return kept(root), seen.splitlines(), around.split("\n")[1:]


def test_is_every_write_of_a_class_found_and_made_by_one_module(calm):
    _, seen, around = calm
    for what in ("os.rename", "os.remove", "open", "commit"):
        assert any(point.startswith(what) for point in seen), what
    for path in ("result.json", "record.json", "answers.gz", ".html", ".ipynb"):
        assert any(path in point for point in seen), path
    # The lock is no content: what is in it is gone with its process.
    assert [point for point in around if not point.endswith(".course/lock")] == []


@pytest.mark.parametrize("fail", [killed, full], ids=lambda f: f.__name__)
def test_does_one_more_run_make_good_what_a_failure_at_any_write_left(
    begun, calm, tmp_path, fail, pytestconfig
):
    whole, seen, _ = calm
    assert len(seen) > 15
    every = 1 if pytestconfig.getoption("--all-sheets") else 3
    for at in range(1 + (fail is full and every > 1), len(seen) + 1, every):
        if fail is full and seen[at - 1].startswith("os.remove"):
            continue  # which needs no room
        root = tmp_path / str(at)
        shutil.copytree(begun, root)
        code, said = in_a_process(lambda root=root, at=at: run(root, fail, at))
        point = f"{fail.__name__} before write {at}, {seen[at - 1]}"
        if fail is killed:
            assert code == 9, (point, said)
        else:
            assert code == 2, (point, said)  # one sentence
            assert "No space left on device" in said
            assert "\n" not in said
            assert list(root.rglob(".*.tmp")) == [], point
        _, seen_by, _ = grade_by_hand(root)
        assert seen_by == [], point
        assert kept(root) == whole, point
        shutil.rmtree(root)


def test_does_a_result_count_whose_writing_was_cut_short_and_whose_answer_was_taken_back(
    tmp_path, monkeypatch
):
    root = course(tmp_path, ["ben"])
    grade_by_hand(root)
    whole = kept(root)
    hand_in(root, "ben", notebook(slope="slope = 3"))
    failing = ByHand(ben=lambda job: graded(job, "failed", "✗ no"))
    with monkeypatch.context() as patch:
        patch.setattr(records, "finish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            grade_by_hand(root, failing)
    hand_in(root, "ben")
    grade_by_hand(root)
    assert kept(root) == whole


def interrupted(*_):
    raise KeyboardInterrupt
