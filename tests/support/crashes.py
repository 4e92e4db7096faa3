"""A class that fails at one of its writes: found by what Python tells of files, not listed.

Python tells an audit hook of every file that is opened for writing, made, renamed or removed,
before it is done and whoever does it.
"""

import os
import sys
import traceback

import sqlalchemy

from course import files
from course.errors import CourseError

# What makes or changes something on the disk, of all that Python's audit events tell of.
WRITES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate",
          "os.chmod", "os.chown", "os.utime", "shutil.rmtree", "shutil.move"}  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


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


def failing_at(at, fail, root, work):
    """Do something in this process, failing at a point; return the points as text."""
    points = Points(root, fail, at)
    sys.addaudithook(points.hook)
    # What SQLAlchemy commits is a write as well; SQLite itself makes it whole or not at all.
    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "commit", points.commit)
    work(root)
    return "\n".join(["seen:", *points.seen, "around:", *points.around])
