"""What is kept of a graded submission: files, whole or not there.

In autograded/STUDENT/SHEET/ lies what nbgrader's tools show and copy: the result, the notebook, the
time. What stays with the staff lies in .course/, where no command of nbgrader copies from: what a
result was made from, the data seed, and what the answers replied.
"""

import contextlib
import filecmp
import gzip
import json
import os
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from course import stock_nbgrader
from course.errors import CourseError
from course.files import STAFF, remove, replace_by, shown, staff, write_whole
from course.grading import result as results
from course.grading.job import EarlierRun, Graded, Job
from course.grading.ledger.keys import Keys
from course.grading.result import Result

RECORD = "record.json"  # keys and data seed: with them a result counts as graded
REPLIES = "answers.gz"  # what the answers replied, to judge them anew
PAGE = "page"  # a hash of what the feedback page was made from
STAMP = "timestamp.txt"
SECRET = "submission_secret.txt"  # by which the exchange finds the student of a page
LONGEST_STAMP = 1000  # bytes of these two
BEFORE = (".graded-from", ".answers.gz")  # where an earlier version kept them, beside the result


@dataclass(frozen=True)
class Place:
    """A submission by name."""

    student: str
    sheet: str


Of = Job | Result | Place


def folder(root: Path, of: Of) -> Path:
    """Return where a submission's result is kept."""
    return root / "autograded" / of.student / of.sheet


def staff_folder(root: Path, of: Of) -> Path:
    """Return where lies what only the staff may see of a submission."""
    return root / STAFF / "graded" / of.student / of.sheet


def keys(root: Path, of: Of) -> Keys | None:
    """Return the keys that the result at hand was made from, or None where there is no result."""
    try:
        result(root, of)
        (folder(root, of) / f"{of.sheet}.ipynb").stat()
        record = json.loads((staff_folder(root, of) / RECORD).read_text(encoding="utf-8"))
        run, judging = str(record["run"]), str(record["judging"])
        return Keys(run, judging, dict(record.get("parts") or {}))  # an earlier version kept none
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def result(root: Path, of: Of) -> Result:
    """Return the result that is kept of a submission.

    Raises:
        OSError: there is none that can be read.
        ValueError: what is there is no result, or another's.
    """
    path = folder(root, of) / "result.json"
    kept = results.load(path)
    if (kept.student, kept.sheet) != (of.student, of.sheet):
        raise ValueError(f"{path} is of {kept.student!r}, {kept.sheet!r}")
    return kept


def kept(root: Path, of: Of) -> Result | None:
    """Return the result that is kept of a submission, None where there is none or it is damaged."""
    try:
        return result(root, of)
    except (OSError, ValueError):
        return None


def forget(root: Path, of: Of) -> None:
    """Let a submission count as ungraded; what is kept of it stays until it is graded again."""
    remove(staff_folder(root, of) / RECORD)


def places(root: Path) -> list[Place]:
    """Return all submissions of a course that have a result."""
    found = root.glob("autograded/*/*/result.json")
    return [Place(p.parent.parent.name, p.parent.name) for p in sorted(found)]


def graded(root: Path, sheets: list[str], must_see: Callable[[str], None] = print) -> list[Result]:
    """Return all results of a course, or those of some sheets.

    Args:
        root: course folder.
        sheets: only these; all where empty.
        must_see: is told of each result that is damaged, and left out.

    Raises:
        CourseError: nothing was graded, or not this sheet.
    """
    all_of_it = places(root)
    if not all_of_it:
        raise CourseError(f"{root / 'autograded'} holds no results; run «course grade» first.")
    known = sorted({place.sheet for place in all_of_it})
    for name in sheets:
        if name not in known:
            raise CourseError(f"No result for a sheet {name!r}; graded were {', '.join(known)}.")
    found: list[Result] = []
    for place in all_of_it:
        if sheets and place.sheet not in sheets:
            continue
        try:
            found.append(result(root, place))
        except (OSError, ValueError):
            path = folder(root, place).relative_to(root) / "result.json"
            must_see(f"{shown(str(path))} is damaged; «course grade» makes it anew")
    return found


def earlier_run(root: Path, job: Job, key: Keys) -> EarlierRun | None:
    """Return what an earlier run of the same code left, if only the judging has changed."""
    at_hand = keys(root, job)
    if at_hand is None or at_hand.run != key.run:
        return None
    try:
        packed = (staff_folder(root, job) / REPLIES).read_bytes()
        notebook = (folder(root, job) / f"{job.sheet}.ipynb").read_text(encoding="utf-8")
        replies = json.loads(gzip.decompress(packed))
        earlier = result(root, job)
    except (OSError, ValueError, EOFError, RecursionError, zlib.error):
        return None
    if not isinstance(replies, dict) or not all(isinstance(r, str) for r in replies.values()):
        return None
    return EarlierRun(earlier, notebook, replies)


def begin(root: Path, graded: Graded) -> None:
    """Write what a graded submission left, all but its keys: without them it counts as ungraded."""
    of = graded.result
    place, private = folder(root, of), staff_folder(root, of)
    forget(root, of)
    for name in BEFORE:
        remove(place / name)
    write_whole(place / f"{of.sheet}.ipynb", graded.notebook)
    renew_stamp(root, of)
    packed = gzip.compress(json.dumps(graded.replies).encode(), 1, mtime=0)
    write_whole(private / REPLIES, packed)
    write_whole(place / "result.json", of.text())


def finish(root: Path, graded: Graded, key: Keys) -> None:
    """Write the keys of a result: from now on it counts as graded."""
    record = {
        "run": key.run, "judging": key.judging, "data_seed": graded.data_seed,
        "parts": dict(key.parts),
    }  # fmt: skip
    path = staff_folder(root, graded.result) / RECORD
    write_whole(path, json.dumps(record, indent=1, sort_keys=True) + "\n")


def data_seed(root: Path, of: Of) -> int | None:
    """Return the seed of the data that a submission was judged on, or None where none is kept."""
    try:
        record = json.loads((staff_folder(root, of) / RECORD).read_text(encoding="utf-8"))
        return int(record["data_seed"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def renew_stamp(root: Path, of: Of) -> str | None:
    """Copy a submission's timestamp.txt where it is new or changed; return its text.

    Where nothing was handed in with a time, what is kept from before is returned.
    """
    kept = _text(folder(root, of) / STAMP)
    handed_in = _text(root / "submitted" / of.student / of.sheet / STAMP)
    if handed_in is None or handed_in == kept:
        return kept
    write_whole(folder(root, of) / STAMP, handed_in)
    return handed_in


def stamp(root: Path, of: Of) -> str | None:
    """Return the text of the timestamp.txt that was handed in, None without one.

    One that cannot be taken, a link or too long or unreadable, is an empty text.
    """
    path = root / "submitted" / of.student / of.sheet / STAMP
    return (_text(path) or "") if os.path.lexists(path) else None


def _text(path: Path) -> str | None:
    """Return the text of a short file, or None where there is none that can be read."""
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size >= LONGEST_STAMP:
            return None
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return None


def page_made_from(root: Path, of: Of) -> str | None:
    """Return the hash of what a submission's feedback page was made from, None without a page."""
    try:
        return (staff_folder(root, of) / PAGE).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def write_page(root: Path, of: Of, page: str, made_from: str) -> None:
    """Write a feedback page, then what it was made from."""
    write_whole(page_path(root, of), page)
    write_whole(staff_folder(root, of) / PAGE, made_from)


def renew_exchange(root: Path, of: Of) -> None:
    """Lay beside a page what nbgrader's exchange finds its student by, where it was handed in so.

    `nbgrader release_feedback` reads time and secret of a submission there, and names the page by
    the secret.
    """
    handed_in = root / "submitted" / of.student / of.sheet
    if _text(handed_in / SECRET) is None:
        return
    for name in (STAMP, SECRET):
        place, text = page_path(root, of).with_name(name), _text(handed_in / name) or ""
        if text != _text(place):
            write_whole(place, text)


def page_path(root: Path, of: Of) -> Path:
    """Return where a submission's feedback page lies."""
    return root / "feedback" / of.student / of.sheet / f"{of.sheet}.html"


def copy_gradebook(root: Path, url: str) -> Path | None:
    """Copy the gradebook, where it is a file, into .course/ under the time of day.

    A server's gradebook is not copied: that is what its own backups are for. Where the newest copy
    holds the very same, since a run was cut short after it, that one is kept and no second made.

    Returns:
        The copy; None where the gradebook is no file.

    Raises:
        OSError, sqlite3.Error: there is no room for it; nothing is left of it.
    """
    path = stock_nbgrader.sqlite_file(url)
    if path is None:
        return None
    place = staff(root)
    name = f"gradebook-{datetime.now():%Y-%m-%d-%H%M%S-%f}.db"
    scratch = place / ".gradebook.tmp"
    clear_database(scratch)
    try:
        with closing(sqlite3.connect(path)) as book, closing(sqlite3.connect(scratch)) as copy:
            book.backup(copy)
        newest = max(place.glob("gradebook-*.db"), default=None)
        if newest is not None and filecmp.cmp(newest, scratch, shallow=False):
            return newest
        replace_by(place / name, scratch)
    finally:
        with contextlib.suppress(OSError):
            clear_database(scratch)
    return place / name


def clear_database(path: Path) -> None:
    """Remove the file of a database in the making, and what SQLite writes beside it."""
    for name in (path.name, f"{path.name}-journal", f"{path.name}-wal", f"{path.name}-shm"):
        remove(path.with_name(name))
