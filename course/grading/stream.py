"""Submissions as they come → workers → the ledger, one by one, while others are under way.

A class is graded from its first to its last submission (grade.py). Here nobody waits for anybody
else's: what is handed in goes to the next free worker, and its result is written as soon as it is
there. One student at a time has one worker, so that endless loops of one cost the others nothing.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from course.errors import CourseError
from course.files import shown
from course.grading import canary, grade, submitted, workers
from course.grading.job import Graded, Job, Ungraded
from course.grading.ledger import keys, ledger, lock, records, trouble
from course.grading.ledger.keys import Keys
from course.grading.ledger.records import Place
from course.grading.result import Result

BATCH = 64  # submissions that are looked at together
AGAIN = 60.0  # seconds until something that failed on the staff's side is tried again
TRUSTED = 600.0  # seconds for which one passed test says that this machine judges a sheet rightly
BY = "NoneType"  # who grades, as a class's canary calls processes of this machine


class Stream:
    """Grades what it is told of, and writes it down.

    Args:
        root: nbgrader course folder.
        pool: the processes that grade.
        caged: whether students' code runs in a cage.
        say: takes lines that a person may read.
        must_see: takes lines that a person has to read.
        may_be_judged: is asked of each submission that is new or changed; where it says no, that
            submission stays as it is.
        written: is told of each result once it, its grades and its page are there, and whether
            it was graded just now.
    """

    def __init__(
        self,
        root: Path,
        pool: workers.Pool,
        caged: bool,
        say: Callable[[str], None],
        must_see: Callable[[str], None],
        may_be_judged: Callable[[Job], bool] = lambda job: True,
        written: Callable[[Result, bool], None] = lambda result, now: None,
    ) -> None:
        self.root, self.pool, self.caged = root, pool, caged
        self.say, self.must_see = say, must_see
        self.may_be_judged, self.written = may_be_judged, written
        self._told: dict[Place, None] = {}  # in the order in which they came
        self._first: dict[Place, None] = {}  # the same, before them
        self._again: dict[Place, float] = {}
        self._ready: deque[tuple[Job, Keys]] = deque()
        self._made_from: dict[Place, Keys] = {}  # of what is under way
        self._birds: set[str] = set()  # sheets whose own solution is under way
        self._held: dict[str, list[Graded | Ungraded]] = {}  # results that wait for one
        self._broken: dict[
            str, tuple[float, str]
        ] = {}  # sheets whose own solution failed: when, why
        self._passed: dict[str, float] = {}  # when a test of a sheet has passed last
        self._done: deque[Graded | Ungraded] = deque()  # to be written
        self._settled: list[Result] = []  # graded before; to be brought into line

    def add(self, places: Iterable[Place], first: bool = False) -> None:
        """Take note of submissions that are new, or may have changed.

        Args:
            places: the submissions.
            first: before all others: somebody waits for the answer.
        """
        for place in places:
            (self._first if first else self._told)[place] = None
            self._again.pop(place, None)

    def prove(self, sheets: Iterable[str]) -> None:
        """Let the sheets' own solutions be graded where that has not been seen to pass here.

        The first student of a sheet need not wait for it then.
        """
        for name in sheets:
            bird = self._bird(name)
            if name not in self._birds and not canary.has_passed(self.root, bird, BY):
                self._fly(bird)

    def idle(self) -> bool:
        """Return whether there is nothing to do now."""
        return not (
            self._told or self._first or self._ready or self.pool.under_way or self._done
            or self._settled or any(self._held.values())
        )  # fmt: skip

    def step(self, seconds: float) -> None:
        """Do what can be done now, and wait for results at most so long.

        Raises:
            CourseError: the course is broken, its disk is full, or another command is at work;
                nothing is lost, and another step goes on.
        """
        now = time.monotonic()
        self.add([place for place, when in self._again.items() if when <= now])
        self._write()
        self._look()
        self._hand_over()
        for graded in self.pool.graded(seconds):
            self._take(graded)
        self._write()

    def _look(self) -> None:
        """Make jobs of what is new or changed, a batch at a time."""
        busy = self._made_from.keys()
        first = [place for place in self._first if place not in busy]
        if not first and len(self._ready) > self.pool.workers:
            return
        free = first or [place for place in self._told if place not in busy]
        if not free:
            return
        name = free[0].sheet
        batch = [place for place in free if place.sheet == name][:BATCH]
        told = set(batch)
        self._ready = deque((j, k) for j, k in self._ready if Place(j.student, j.sheet) not in told)
        try:
            limits = grade.configured_limits(self.root)
            students = [p.student for p in batch if (self.root / "submitted" / p.student).is_dir()]
            work: list[Job] = []
            if students:
                names = submitted.sheets(self.root, [name])
                work = submitted.jobs(
                    self.root, names, students, self.caged, self.say, limits, True, self.must_see
                )
        except CourseError:
            self._later(batch)
            raise
        for job in work:
            at_hand, made_from = records.keys(self.root, job), keys.of(job)
            if job.unreadable and at_hand is not None:
                continue
            if at_hand != made_from and self.may_be_judged(job):
                earlier = records.earlier_run(self.root, job, made_from)
                self._put((replace(job, earlier=earlier), made_from), bool(first))
            elif kept := records.kept(self.root, job):
                self._settled.append(kept)
        self._forget(batch)

    def _put(self, work: tuple[Job, Keys], first: bool) -> None:
        (self._ready.appendleft if first else self._ready.append)(work)

    def _forget(self, places: Iterable[Place]) -> None:
        for place in places:
            self._told.pop(place, None)
            self._first.pop(place, None)

    def _hand_over(self) -> None:
        """Give jobs to free workers, one of a student at a time, each sheet's solution first."""
        busy = {place.student for place in self._made_from}
        for _ in range(len(self._ready)):
            if len(self.pool.under_way) >= self.pool.workers:
                return
            job, made_from = self._ready.popleft()
            if job.student in busy:
                self._ready.append((job, made_from))
                continue
            bird = canary.job(self.root, job)
            if job.sheet not in self._birds and not canary.has_passed(self.root, bird, BY):
                self._fly(bird)
            busy.add(job.student)
            self._made_from[Place(job.student, job.sheet)] = made_from
            self.pool.hand_over(job)

    def _fly(self, bird: Job) -> None:
        """Let a sheet's own solution be graded; results of the sheet wait for that."""
        self._birds.add(bird.sheet)
        self._held.setdefault(bird.sheet, [])
        self.pool.hand_over(bird)

    def _take(self, graded: Graded | Ungraded) -> None:
        """Let a result be written, at once or when the sheet's own solution has passed."""
        name = graded.sheet
        if graded.student == canary.NOBODY:
            self._birds.discard(name)
            held = self._held.pop(name, [])
            try:
                canary.judge(self.root, self._bird(name), graded, BY)
            except CourseError as error:
                if self._broken.get(name, (0.0, ""))[1] != str(error):
                    self.must_see(f"{error} It is tried again every {AGAIN:g} seconds.")
                self._broken[name] = time.monotonic(), str(error)
                for one in held:
                    self._drop(one)
                return
            self._broken.pop(name, None)
            self._passed[name] = time.monotonic()
            self._done.extend(held)
        elif name in self._birds:
            self._held[name].append(graded)
        elif time.monotonic() - self._broken.get(name, (-AGAIN, ""))[0] < AGAIN:
            self._drop(graded)
        elif self._credible(graded):
            self._done.append(graded)
        else:
            self._fly(self._bird(name))
            self._held[name].append(graded)

    def _bird(self, name: str) -> Job:
        source, release = submitted.texts(self.root, name)
        limits = grade.configured_limits(self.root)
        like = Job("", name, None, source, release, 0, self.caged, True, limits)
        return canary.job(self.root, like)

    def _credible(self, graded: Graded | Ungraded) -> bool:
        """Return whether it may be true: while nothing passes, the machine may be what is wrong."""
        now = time.monotonic()
        if isinstance(graded, Ungraded):
            return True
        if canary.has("passed", graded.result):
            self._passed[graded.sheet] = now
            return True
        return canary.has("refused", graded.result) or (
            now - self._passed.get(graded.sheet, -TRUSTED) < TRUSTED
        )

    def _drop(self, graded: Graded | Ungraded) -> None:
        """Leave a submission as it was; it is tried again later."""
        place = Place(graded.student, graded.sheet)
        self._made_from.pop(place, None)
        self._later([place])

    def _later(self, places: list[Place]) -> None:
        self._forget(places)
        for place in places:
            self._again[place] = time.monotonic() + AGAIN

    def _write(self) -> None:
        """Write what is done, while no other command is at work on the course."""
        for graded in [one for one in self._done if isinstance(one, Ungraded)]:
            self._done.remove(graded)
            self.must_see(
                f"{shown(graded.student)}, {graded.sheet}: could not be graded ({graded.why}), and "
                f"keeps what it had; it is tried again in {AGAIN:g} seconds"
            )
            self._drop(graded)
        if not self._done and not self._settled:
            return
        names = sorted({one.sheet for one in (*self._done, *self._settled)})
        with (
            lock.held(self.root, "course watch"),
            trouble.of_the_disk(self.root),
            ledger.opened(self.root, names, self.say) as book,
        ):
            while self._done:
                one = self._done[0]
                assert isinstance(one, Graded)
                place = Place(one.student, one.sheet)
                book.write(one, self._made_from[place], self.must_see)
                if one.trouble:
                    self.must_see(
                        f"{shown(one.student)}, {one.sheet}: grading it stopped "
                        f"({one.trouble}); it has no points"
                    )
                self.written(one.result, True)
                self._done.popleft()
                del self._made_from[place]
            if self._settled:
                book.bring_into_line(self._settled, self.must_see)
                for result in self._settled:
                    self.written(result, False)
                self._settled = []
