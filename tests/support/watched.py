"""A tiny course that is watched, with an exchange, and workers that grade by hand."""

import secrets
from datetime import UTC, datetime

from nbgrader.utils import notebook_hash

from course.files import write_whole
from course.grading.canary import NOBODY
from course.term.watch import watch
from support.by_hand import NAME, course, graded, notebook

NEVER = object()  # how a submission is graded that does not come to its end


class HandPool:
    """Workers that grade as they are told.

    Args:
        ways: how each student is graded: a function of the job, or NEVER; by default all pass.
    """

    def __init__(self, workers=2, **ways):
        self.workers, self.ways = workers, ways
        self.under_way, self.asked, self.opened = {}, [], 0

    def open(self):
        self.opened += 1

    def hand_over(self, job):
        assert len(self.under_way) <= self.workers + 1
        self.asked.append(job.student)
        self.under_way[job.student, job.sheet] = job

    def graded(self, seconds):
        found = []
        for place, job in list(self.under_way.items()):
            name = "solution" if job.student == NOBODY else job.student
            way = self.ways.get(name, self.ways.get("everyone", graded))
            if way is not NEVER:
                found.append(way(job))
                del self.under_way[place]
        return found

    def close(self):
        self.under_way = {}


def watched(root, attempts=5):
    """Make a course with an exchange that has no students yet."""
    course(root, ())
    exchange = root.parent / "exchange"
    (exchange / "tiny" / "inbound").mkdir(parents=True)
    exchange.chmod(0o777)
    write_whole(
        root / "nbgrader_config.py",
        f"c = get_config()\nc.Exchange.root = {str(exchange)!r}\n"
        f"c.CourseDirectory.course_id = 'tiny'\nc.CourseWatch.attempts = {attempts}\n",
    )
    return root


def submit(root, student, text=None, name=NAME, at=None, whole=True):
    """Do what nbgrader's submit does; return the secret."""
    stamp = f"{at or datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"
    place = root.parent / "exchange" / "tiny" / "inbound"
    folder = place / f"{student}+{name}+{stamp}+{secrets.token_urlsafe(9)}"
    folder.mkdir()
    secret = secrets.token_hex(64)
    (folder / f"{name}.ipynb").write_text(notebook(why="Since.") if text is None else text)
    (folder / "timestamp.txt").write_text(stamp)
    if whole:
        (folder / "submission_secret.txt").write_text(secret)
        folder.chmod(0o777)
    return secret


def page(root, secret, name=NAME):
    """Return what a student who knows the secret can fetch; None where there is nothing."""
    path = root.parent / "exchange" / "tiny" / "feedback"
    path /= f"{notebook_hash(secret=secret, notebook_id=name)}.html"
    return path.read_text(encoding="utf-8") if path.exists() else None


def once(root, pool=None):
    """Watch until nothing is left to do; return what was said, and what a person must see."""
    said, seen = [], []
    watch(root, [], True, None, True, said.append, seen.append, pool or HandPool())
    return said, seen
