"""nbgrader's exchange, seen from the staff: what students have submitted, and the pages they fetch.

A folder in the exchange belongs to the student: it may change while it is read, and may hold links,
pipes or files of any size. Of it are taken two files that are plain and of bounded size.
"""

import contextlib
import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError, ExchangeFactory
from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback
from nbgrader.utils import notebook_hash

from course import stock_nbgrader
from course.errors import CourseError
from course.files import remove, shown, write_whole
from course.grading import assemble
from course.grading.ledger import feedback, gradebook, records
from course.grading.ledger.records import SECRET, STAMP, Place

try:
    import pwd
except ImportError:  # Windows, where nbgrader's exchange does not work either
    pwd = None  # type: ignore[assignment]

WHOLE = 0o777  # the mode that nbgrader's submit gives a folder last
PATIENCE = 60.0  # seconds after which a folder that is not whole is named


@dataclass(frozen=True)
class Arrival:
    """A submission in the exchange.

    Args:
        folder: where it lies.
        place: of whom and of which sheet it says it is.
        time: when it was submitted, in UTC, as its name says.
    """

    folder: Path
    place: Place
    time: datetime


@dataclass(frozen=True)
class Content:
    """What is taken of a submission: a notebook, or why there is none, and the student's secret."""

    notebook: bytes | None
    why_none: str
    secret: str


class Exchange:
    """The exchange of one course, remembered from look to look.

    Args:
        root: nbgrader course folder.
        must_see: takes lines that a person has to read; each is said once.
    """

    def __init__(self, root: Path, must_see: Callable[[str], None]) -> None:
        self.root, self.must_see = root, must_see
        config = stock_nbgrader.settings(root)
        with stock_nbgrader.quiet():
            coursedir = CourseDirectory(config=config)
            self._factory = ExchangeFactory(config=config)
            self._collect = ExchangeCollect(coursedir=coursedir, config=config)
            self._release = ExchangeReleaseFeedback(coursedir=coursedir, config=config)
        self.course = str(coursedir.course_id)
        self.inbound = Path(self._collect.root) / self.course / "inbound"
        self._arrivals: dict[str, Arrival | None] = {}  # by folder name; None is none of ours
        self._done: set[str] = set()
        self._named: set[str] = set()
        self._released: dict[Place, tuple[object, ...]] = {}

    def why_none(self) -> str:
        """Return why there is nothing to look at; an empty text where there is an exchange."""
        if self._factory.collect is not ExchangeCollect:
            return "the exchange is a plugin's, so only submitted/ is looked at"
        if not self.course:
            return "c.CourseDirectory.course_id is not set, so only submitted/ is looked at"
        if not self.inbound.is_dir():
            return f"{self.inbound} does not exist, so only submitted/ is looked at until it does"
        return ""

    def arrived(self, sheets: Iterable[str]) -> list[Arrival]:
        """Return the newest whole submission of each student and sheet that is not dealt with.

        Args:
            sheets: names of the sheets.

        Raises:
            CourseError: the exchange cannot be read.
        """
        if self.why_none():
            return []
        try:
            names = [folder.name for folder in self.inbound.iterdir()]
        except OSError as error:
            raise CourseError(
                f"{self.inbound} cannot be read ({error.strerror}); only the account that released "
                "the sheets may look into it: run the command as that one."
            ) from None
        known = set(sheets)
        newest: dict[Place, Arrival] = {}
        for name in names:
            if name in self._done:
                continue
            if name not in self._arrivals:
                self._arrivals[name] = _arrival(self.inbound / name)
                if self._arrivals[name] is None:
                    self._name_once(name, "is no submission of nbgrader's, left alone")
            found = self._arrivals[name]
            if found is None or found.place.sheet not in known or not self._is_whole(found):
                continue
            before = newest.get(found.place)
            if before is None or before.time < found.time:
                newest[found.place] = found
        return [one for one in newest.values() if not self._is_there(one)]

    def read(self, arrival: Arrival) -> Content | None:
        """Return what can be taken of a submission; None where it is not whose it says it is."""
        try:
            folder = os.open(arrival.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError as error:
            self._leave(arrival, f"cannot be read ({error.strerror})")
            return None
        try:
            owner = os.fstat(folder).st_uid
            if self._collect.check_owner and not _belongs(owner, arrival.place.student):
                self._leave(
                    arrival, f"belongs to {_name(owner)}, and is left alone; if students share one "
                    "account, set c.ExchangeCollect.check_owner = False",
                )  # fmt: skip
                return None
            name = f"{arrival.place.sheet}.ipynb"
            secret = _small(folder, SECRET)
            try:
                return Content(_bytes(folder, name, assemble.LARGEST), "", secret)
            except _NotPlain as why:
                return Content(None, f"{name} {why}", secret)
        finally:
            os.close(folder)

    def take_in(self, arrival: Arrival, content: Content) -> None:
        """Put a submission into submitted/; its time comes last, so that a kill loses nothing."""
        assert content.notebook is not None
        place = arrival.place
        folder = self.root / "submitted" / place.student / place.sheet
        write_whole(folder / f"{place.sheet}.ipynb", content.notebook)
        if content.secret:
            write_whole(folder / SECRET, content.secret)
        else:
            remove(folder / SECRET)
        write_whole(folder / STAMP, f"{arrival.time:%Y-%m-%d %H:%M:%S.%f} UTC")
        self._done.add(arrival.folder.name)

    def dealt_with(self, arrival: Arrival) -> None:
        """Do not return a submission again."""
        self._done.add(arrival.folder.name)

    def tell(self, arrival: Arrival, content: Content, sentence: str) -> None:
        """Release a page that says why a submission is not judged, or not yet."""
        place = arrival.place
        self._put(
            place.sheet, content.secret, feedback.notice(place.sheet, place.student, sentence)
        )

    def release(self, place: Place) -> bool:
        """Release a submission's feedback page, where it was handed in through the exchange.

        Returns:
            Whether the student can fetch something new.
        """
        if self.why_none():
            return False
        page = records.page_path(self.root, place)
        try:
            secret = page.with_name(SECRET).read_text(encoding="utf-8")
            look = page.stat()
            now = (secret, look.st_mtime_ns, look.st_size, look.st_ino)
            if self._released.get(place) == now:
                return False
            put = self._put(place.sheet, secret, page.read_text(encoding="utf-8"))
        except (OSError, UnicodeError):
            return False  # it was not handed in here, or there is no page yet
        self._released[place] = now
        return put

    def _put(self, sheet: str, secret: str, page: str) -> bool:
        if not secret:
            return False
        try:
            with stock_nbgrader.quiet():
                self._release.init_dest()
        except ExchangeError as error:
            raise CourseError(f"The exchange takes no feedback: {error}.") from None
        path = (
            Path(self._release.dest_path)
            / f"{notebook_hash(secret=secret, notebook_id=sheet)}.html"
        )
        with contextlib.suppress(OSError, UnicodeError):
            if path.read_text(encoding="utf-8") == page:
                return False
        try:
            write_whole(path, page)
            path.chmod(0o644)  # its name is the secret: a student who knows it may read
        except OSError as error:
            raise CourseError(
                f"{path.parent} takes no page ({error.strerror}); it must be yours, with room."
            ) from None
        return True

    def _is_whole(self, arrival: Arrival) -> bool:
        """Return whether a student's submit has come to its end."""
        try:
            look = arrival.folder.lstat()
            if stat.S_IMODE(look.st_mode) & 0o777 == WHOLE and os.path.lexists(
                arrival.folder / SECRET
            ):
                return True
        except OSError:
            return False
        if datetime.now().timestamp() - look.st_ctime > PATIENCE:
            self._name_once(
                arrival.folder.name,
                "is not whole, so the student's submit did not come to its end; left alone",
            )
        return False

    def _is_there(self, arrival: Arrival) -> bool:
        """Return whether a submission is in submitted/ already, or a later one is."""
        place = arrival.place
        there = gradebook.handed_in(records.stamp(self.root, place))
        if there is not None and there >= arrival.time:
            self._done.add(arrival.folder.name)
            return True
        return False

    def _leave(self, arrival: Arrival, why: str) -> None:
        self._done.add(arrival.folder.name)
        self._name_once(arrival.folder.name, why)

    def _name_once(self, name: str, why: str) -> None:
        if name not in self._named:
            self._named.add(name)
            self.must_see(f"{shown(str(self.inbound / name))} {why}")


class _NotPlain(Exception):
    """A file that is not taken; the text goes on from its name."""


def _arrival(folder: Path) -> Arrival | None:
    """Return what a folder's name says: STUDENT+SHEET+TIME+RANDOM, the last not always there."""
    parts = folder.name.split("+")
    for last in (1, 0):
        before = parts[: len(parts) - last]
        if len(before) < 3:
            continue
        *student, sheet, stamp = before
        time, who = gradebook.handed_in(stamp), "+".join(student)
        if time is not None and sheet and _is_name(who):
            return Arrival(folder, Place(who, sheet), time)
    return None


def _is_name(student: str) -> bool:
    """Return whether a folder of submitted/ can have this name."""
    try:
        student.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return bool(student) and not student.startswith(".") and "/" not in student


def _bytes(folder: int, name: str, most: int) -> bytes:
    """Return what a plain file in an open folder holds.

    Raises:
        _NotPlain: it is none, or too large.
    """
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except FileNotFoundError:
        raise _NotPlain("is not in the folder; hand in the released name") from None
    except OSError as error:
        raise _NotPlain(f"cannot be read ({error.strerror})") from None
    with os.fdopen(file, "rb") as opened:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise _NotPlain("is no file")
        content = opened.read(most + 1)
    if len(content) > most:
        raise _NotPlain(f"is larger than {most:,} bytes")
    return content


def _small(folder: int, name: str) -> str:
    try:
        return _bytes(folder, name, records.LONGEST_STAMP - 1).decode("utf-8", "replace")
    except _NotPlain:
        return ""


def _belongs(owner: int, student: str) -> bool:
    """Return whether a student's submission may have this owner: the student, the staff, root."""
    return owner in (0, os.geteuid()) or _name(owner) == student


def _name(owner: int) -> str:
    if pwd is not None:
        with contextlib.suppress(KeyError):
            return pwd.getpwuid(owner).pw_name
    return f"user {owner}"
