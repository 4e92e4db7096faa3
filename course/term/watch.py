"""`course watch`: what is handed in is graded as it comes, and the student reads why at once.

It looks at the inbound folder of nbgrader's exchange and at submitted/, however submissions come
there. Grades, pages and the order in which files are written are those of `course grade`, so that a
kill loses nothing: the next `course watch` or `course grade` takes it up.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from course import stock_nbgrader
from course.errors import CourseError
from course.files import shown
from course.grading import grade, submitted, workers
from course.grading.job import Job
from course.grading.ledger import attempts, gradebook, lock, records, trouble
from course.grading.ledger.records import SECRET, STAMP, Place
from course.grading.result import Result
from course.grading.stream import Stream
from course.term.exchange import Arrival, Exchange

PAUSE = 0.5  # seconds between two looks
SHARE = 10  # a look may take one part of so many of all time
QUIET = 2.0  # seconds for which a file in submitted/ has to be left alone before it is read
PAGES = 30.0  # seconds between two looks at pages that other commands have made
RECENT = 3600.0  # seconds: of what was handed in longer ago, nobody asks how long it took
MOST_ATTEMPTS = 5  # a day, of one student's sheet


def watch(
    root: Path,
    names: list[str],
    once: bool = False,
    count: int | None = None,
    no_cage: bool = False,
    say: Callable[[str], None] = print,
    must_see: Callable[[str], None] | None = None,
    pool: workers.Pool | None = None,
) -> None:
    """Grade what is handed in, as it comes, until the process is told to stop.

    Args:
        root: nbgrader course folder.
        names: sheets to grade; all where empty.
        once: end when nothing is left to do.
        count: how many submissions are graded at a time; by default one a processor, two at least.
        no_cage: run students' code without a cage.
        say: takes lines that a person may read.
        must_see: takes lines that a person has to read; by default as ``say``.
        pool: the processes that grade; by default new ones of this machine.

    Raises:
        CourseError: no cage, a broken course, or another watch of this course; with ``once`` also
            whatever ends a class.
    """
    submitted.sheets(root, names)
    grade.refuse_without_cage(root, no_cage)
    must_see = must_see or say
    with lock.held(root, "course watch", "watch"), _stoppable():
        pool = pool or workers.Pool(count or max(2, os.cpu_count() or 1), not no_cage)
        watching = Watch(root, names, pool, no_cage, say, must_see)
        try:
            watching.until_done() if once else watching.for_good()
        except KeyboardInterrupt:
            say("stopped; what was not written yet is graded by the next watch, or course grade")
        finally:
            with _undisturbed():
                watching.close()


class Watch:
    """One watch of one course; see ``watch``."""

    def __init__(
        self,
        root: Path,
        names: list[str],
        pool: workers.Pool,
        no_cage: bool,
        say: Callable[[str], None],
        must_see: Callable[[str], None],
    ) -> None:
        self.root, self.names, self.say, self.must_see = root, names, say, must_see
        self.most = _most_attempts(root)
        (root / "submitted").mkdir(exist_ok=True)
        self.exchange = Exchange(root, must_see)
        self.folder = Folder(root)
        self.pool = pool
        self.stream = Stream(
            root, self.pool, not no_cage, say, must_see, self._may_be_judged, self._written
        )
        self._until: dict[str, date] = {}  # submissions of the exchange that wait for another day
        self._pages_looked_at = 0.0
        where = self.exchange.why_none() or f"{self.exchange.inbound} and submitted/"
        say(f"watching {root}: {where}; {self.most} attempts a day at each sheet")

    def for_good(self) -> None:
        """Look, grade and release until the process is told to stop."""
        said: dict[str, str] = {}
        self.pool.open()
        proved = False
        while True:
            begun = time.monotonic()
            with self._tried_again("look", said):
                self._look()
            pause = max(PAUSE, SHARE * (time.monotonic() - begun))
            with self._tried_again("grade", said):
                if not proved:
                    self.stream.prove(submitted.sheets(self.root, self.names))
                    proved = True
                self.stream.step(pause if self.pool.under_way else 0)
            if not self.pool.under_way:
                time.sleep(pause)

    @contextlib.contextmanager
    def _tried_again(self, what: str, said: dict[str, str]) -> Iterator[None]:
        """Say what stops a part of the work, once; it is tried again as long as it does."""
        try:
            yield
            said.pop(what, None)
        except CourseError as error:
            if said.get(what) != str(error):
                said[what] = str(error)
                self.must_see(f"{error} It is tried again until it works.")

    def until_done(self) -> None:
        """Look, grade and release until nothing is left to do."""
        while True:
            self._look()
            self.stream.step(PAUSE)
            if self.stream.idle() and not self.folder.unquiet:
                return
            if not self.pool.under_way:
                time.sleep(PAUSE / 10)

    def close(self) -> None:
        """End the processes."""
        self.pool.close()

    def _look(self) -> None:
        sheets = submitted.sheets(self.root, self.names)
        for arrival in self.exchange.arrived(sheets):
            if self._until.get(arrival.folder.name, date.min) <= date.today():
                with trouble.of_the_disk(self.root):
                    self._taken_in(arrival)
        self.stream.add(self.folder.changed(sheets))
        if time.monotonic() - self._pages_looked_at > PAGES:
            self._pages_looked_at = time.monotonic()
            for place in records.places(self.root):
                self.exchange.release(place)

    def _taken_in(self, arrival: Arrival) -> None:
        """Take a submission in; where its student's folder cannot be written to, name it."""
        try:
            self._take_in(arrival)
        except OSError as error:
            if error.errno in trouble.OF_THE_DISK:
                raise
            self.exchange.dealt_with(arrival)
            place = Path("submitted") / arrival.place.student / arrival.place.sheet
            self.must_see(
                f"{shown(str(place))} cannot be written to ({error.strerror}), so what was handed "
                "in waits in the exchange; make it writable, then start the watch again"
            )

    def _take_in(self, arrival: Arrival) -> None:
        """Put a submission of the exchange into submitted/, if it may be judged today."""
        content = self.exchange.read(arrival)
        if content is None:
            return
        who, today = f"{shown(arrival.place.student)}, {arrival.place.sheet}", date.today()
        if content.notebook is None:
            self.exchange.tell(
                arrival, content,
                f"This submission cannot be taken: {content.why_none}. What you handed in before "
                "still counts.",
            )  # fmt: skip
            self.exchange.dealt_with(arrival)
            self.must_see(f"{who}: {content.why_none}; the student is told so")
            return
        answers = attempts.digest(content.notebook)
        if not attempts.left(self.root, arrival.place, answers, today, self.most):
            self._until[arrival.folder.name] = date.fromordinal(today.toordinal() + 1)
            self.exchange.tell(
                arrival, content,
                f"Your {self.most} attempts at this sheet on {today} are used. This submission is "
                "kept, and is judged tomorrow unless you hand in another one until then.",
            )  # fmt: skip
            self.say(f"{who}: waits until tomorrow, {self.most} attempts are used")
            return
        with lock.held(self.root, "course watch"):
            self.exchange.take_in(arrival, content)
        self.stream.add([arrival.place], first=True)
        self.folder.take_note(arrival.place)

    def _may_be_judged(self, job: Job) -> bool:
        """Count an attempt, if there is one left."""
        answers, today = attempts.digest(job.submission), date.today()
        if attempts.left(self.root, job, answers, today, self.most):
            attempts.count(self.root, job, answers, today, self.most)
            return True
        attempts.wait(self.root, job, self.most)
        self.folder.look_again(Place(job.student, job.sheet))
        self.say(f"{shown(job.student)}, {job.sheet}: waits until tomorrow, "
                 f"{self.most} attempts are used")  # fmt: skip
        return False

    def _written(self, result: Result, now: bool) -> None:
        place = Place(result.student, result.sheet)
        released = self.exchange.release(place)
        if not now:
            return
        automatic = [t for t in result.tests.values() if t.state != "manual"]
        took = _seconds_since(self.root, place)
        self.say(
            f"{shown(place.student)}, {place.sheet}: {result.score:g} of "
            f"{sum(t.max_points for t in automatic):g} points"
            + (f", {took:.1f} s after it was handed in" if took is not None else "")
            + (", page released" if released else "")
        )


@dataclass(frozen=True)
class _Looks:
    """What a submission's files looked like."""

    files: tuple[tuple[int, ...], ...]
    newest: float


class Folder:
    """submitted/, remembered from look to look.

    Args:
        root: nbgrader course folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._seen: dict[Place, object] = {}
        self._before: dict[Place, object] = {}
        self._again: dict[Place, date] = {}
        self._known: set[Place] = set()
        self.unquiet = False  # whether something has changed a moment ago, and is looked at again

    def changed(self, sheets: list[str]) -> list[Place]:
        """Return the submissions that have changed since they were returned last, or are new.

        A file that somebody is still writing is left for another look.
        """
        of_sheets = {
            name: _look([self.root / p / name / f"{name}.ipynb" for p in ("source", "release")])
            for name in sheets
        }
        found, self.unquiet, today = [], False, date.today()
        for student in _folders(self.root / "submitted"):
            for name in sheets:
                folder = student / name
                place = Place(student.name, name)
                looks = _look([folder, *(folder / n for n in (f"{name}.ipynb", STAMP, SECRET))])
                if not looks.files[0]:
                    continue
                now = (looks, of_sheets[name], self._again.get(place, date.min) <= today)
                if place in self._known:
                    self._known.discard(place)
                    self._seen[place] = now
                if self._seen.get(place) == now:
                    continue
                quiet = time.time() - looks.newest > QUIET or self._before.get(place) == now
                self._before[place] = now
                if quiet:
                    self._seen[place] = now
                    found.append(place)
                else:
                    self.unquiet = True
        return found

    def take_note(self, place: Place) -> None:
        """Take a submission for seen as it is now, and do not return it before it changes."""
        self._known.add(place)

    def look_again(self, place: Place) -> None:
        """Return a submission again tomorrow, also if it stays as it is."""
        self._again[place] = date.fromordinal(date.today().toordinal() + 1)


def _look(paths: list[Path]) -> _Looks:
    files: list[tuple[int, ...]] = []
    newest = 0.0
    for path in paths:
        try:
            look = path.lstat()
        except OSError:
            files.append(())
            continue
        files.append((look.st_mtime_ns, look.st_size, look.st_ino, look.st_mode))
        newest = max(newest, look.st_mtime)
    return _Looks(tuple(files), newest)


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(e.name for e in entries if not e.name.startswith(".") and e.is_dir())
    except OSError as error:
        raise CourseError(
            f"{folder} cannot be read ({error.strerror}); make the folder readable for you."
        ) from None
    return [folder / name for name in names if _is_text(name)]


def _is_text(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _seconds_since(root: Path, place: Place) -> float | None:
    """Return how long ago a submission was handed in, where that was lately."""
    time_in = gradebook.handed_in(records.stamp(root, place))
    if time_in is None:
        return None
    took = (datetime.now(UTC).replace(tzinfo=None) - time_in).total_seconds()
    return took if 0 <= took < RECENT else None


def _most_attempts(root: Path) -> int:
    """Return how many attempts nbgrader_config.py gives a day, under ``CourseWatch.attempts``.

    Raises:
        CourseError: a setting that does not exist, or is no count.
    """
    given = dict(stock_nbgrader.settings(root).get("CourseWatch", {}))
    most = given.pop("attempts", MOST_ATTEMPTS)
    if given:
        raise CourseError(
            f"nbgrader_config.py: CourseWatch has no {', '.join(sorted(given))}; it has attempts."
        )
    if type(most) is not int or most < 1:
        raise CourseError(
            f"nbgrader_config.py: CourseWatch.attempts is {most!r}; it is how many attempts a day "
            "a student has at a sheet, a whole number above 0."
        )
    return most


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGTERM stop this process as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Let nothing stop what is done in here: it stops already."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {s: signal.signal(s, signal.SIG_IGN) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
