"""From a platform's archive to submitted/STUDENT/SHEET: who is matched, doubled, missing, unknown.

Only the notebook is taken. One that is there and was handed in later is left alone, and so is the
time of one that is there already; a trial run writes nothing. Where nobody tells when somebody
handed in, no time is written: an archive's own would make a whole class late.
"""

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from course.authoring import sheet as sheets
from course.errors import CourseError
from course.files import STAFF, listed, staff, write_whole
from course.grading import submitted
from course.grading.ledger import gradebook, lock, trouble
from course.notebooks import parse
from course.term.collecting import platforms, roster, worksheet
from course.term.collecting.archive import TooLarge
from course.term.collecting.platforms import HandedIn

NEW, LATER, SAME, OLDER = "new", "handed in again", "there already", "older than what is there"
TIMED = "there already, its time is new"
MISSING, ELSEWHERE = "nothing handed in", "not in this archive, there already"
UNKNOWN, NO_NOTEBOOK = "unknown student", "no notebook of the sheet"
ON_TIME = "\n"  # in timestamp.txt: the platform calls it on time, and does not tell when
TO_BE_SEEN = {OLDER, UNKNOWN, NO_NOTEBOOK}


@dataclass(frozen=True)
class Row:
    """What became of one student, or of one name that no student has.

    Args:
        student: id, or the platform's name where no student has it.
        what: one of the words above.
        time: when it was handed in, in UTC; None where nothing was, or nobody tells.
        remark: what else a person should know.
        late: whether the platform calls it late, and nothing tells by how much.
        doubtful: whether another file may have been meant.
    """

    student: str
    what: str
    time: datetime | None = None
    remark: str = ""
    late: bool = False
    doubtful: bool = False

    @property
    def said(self) -> str:
        """Return what became of it, in words."""
        return self.what + (f" ({self.remark})" if self.remark else "")


@dataclass(frozen=True)
class Collected:
    """What a platform's archive held.

    Args:
        platform: where it comes from.
        rows: students by id, then unknown names.
    """

    platform: str
    rows: list[Row]

    def summary(self) -> str:
        """Return how many of what."""
        counts = Counter(row.what for row in self.rows)
        return f"{self.platform}: " + ", ".join(f"{n} {what}" for what, n in counts.items())

    def to_be_seen(self) -> list[str]:
        """Return a sentence on each row that a person has to look at."""
        found = [
            f"{row.student}: {row.said}" for row in self.rows
            if row.what in TO_BE_SEEN or row.doubtful
        ]  # fmt: skip
        if any(row.what == UNKNOWN and not row.remark for row in self.rows):
            found.append(
                "unknown students are taken once students.csv has their names as the platform "
                "writes them, and collect runs again"
            )
        late = [row.student for row in self.rows if row.late]
        if late:
            found.append(
                f"late by {self.platform}'s mark, which does not tell by how much: {listed(late)}; "
                "write the time into timestamp.txt beside each notebook, till then nothing is "
                "taken off"
            )
        taken = [row for row in self.rows if row.what in (NEW, LATER)]
        untimed = [row.student for row in taken if row.time is None]
        if untimed and self.platform == "moodle":
            found.append(
                f"the archive tells when it was made, and not when {listed(untimed)} handed in; "
                "without a time nobody is late: give Moodle's grading worksheet with --exported"
            )
        return found

    def table(self) -> list[str]:
        """Return the rows as lines of text."""
        width = max((len(row.student) for row in self.rows), default=0)
        return [
            f"{row.student:{width}}  {f'{row.time:%Y-%m-%d %H:%M} UTC' if row.time else '':20}  "
            f"{row.said}"
            for row in self.rows
        ]


def collect(
    root: Path, sheet: str, path: Path, platform: str = "", dry_run: bool = False,
    exported: Path | None = None,
) -> Collected:  # fmt: skip
    """Take one sheet's submissions from an archive or a folder.

    Args:
        root: an nbgrader course folder.
        sheet: name of the sheet.
        path: a zip file, or a folder.
        platform: moodle, canvas, github or folder; empty to find it out.
        dry_run: say what would be done, and write nothing.
        exported: Moodle's grading worksheet, which tells when students handed in.

    Raises:
        CourseError: an unknown sheet, platform or archive, or another command at work.
    """
    submitted.sheets(root, [sheet])
    release = parse((root / "release" / sheet / f"{sheet}.ipynb").read_text(encoding="utf-8"))
    own = {sheets.grade_id(cell) for cell in release.cells} - {""}
    known = roster.students(root)
    name, handed_in = platforms.read(path, platform)
    if exported is not None:
        if name != "moodle":
            raise CourseError(f"--exported takes a grading worksheet of Moodle; this is {name}.")
        told = worksheet.times(exported)
        handed_in = [replace(one, time=told.get(one.number, one.time)) for one in handed_in]
    by_student, rows = _matched(handed_in, known)
    with lock.held(root, "course collect"), trouble.of_the_disk(root):
        for student, files in sorted(by_student.items()):
            rows.append(_taken(root, student, sheet, files, own, dry_run))
        if not dry_run:
            _remember(root, name, sheet, by_student)
    for one in known:  # a class may hand in on two platforms
        if one.id not in by_student:
            there = (root / "submitted" / one.id / sheet / f"{sheet}.ipynb").is_file()
            rows.append(Row(one.id, ELSEWHERE if there else MISSING))
    rows.sort(key=lambda row: (row.what == UNKNOWN, row.student))
    return Collected(name, rows)


def _matched(
    handed_in: Sequence[HandedIn], known: Sequence[roster.Student]
) -> tuple[dict[str, list[HandedIn]], list[Row]]:
    """Return the files of each student, and rows of those that no single student has."""
    names = roster.Names(known)
    by_name: dict[tuple[str, str], list[HandedIn]] = {}
    for one in handed_in:
        by_name.setdefault((one.who, one.number), []).append(one)
    by_student: dict[str, list[HandedIn]] = {}
    rows = []
    for (who, number), files in by_name.items():
        if not known:  # whoever is in the archive is a student
            student = roster.made_up(who)
            if student in by_student:
                student = f"{student}-{number}"
            by_student.setdefault(student, []).extend(files)
            continue
        matching = names.of(who, files[0].user)
        if len(matching) == 1:
            by_student.setdefault(matching[0].id, []).extend(files)
        else:
            may_be = ", ".join(s.id for s in matching)
            rows.append(Row(who, UNKNOWN, remark=f"may be {may_be}" if may_be else ""))
    return by_student, rows


def _remember(root: Path, platform: str, sheet: str, by_student: dict[str, list[HandedIn]]) -> None:
    """Keep the platform's numbers of the students, by which `course return` gives back."""
    now = {student: files[0].number for student, files in by_student.items() if files[0].number}
    kept = numbers(root, platform, sheet)
    if now and kept | now != kept:
        staff(root)
        path = root / STAFF / "collected" / platform / f"{sheet}.json"
        write_whole(path, json.dumps(kept | now, indent=1, sort_keys=True) + "\n")


def numbers(root: Path, platform: str, sheet: str = "*") -> dict[str, str]:
    """Return a platform's numbers of students, as its archives told them.

    Args:
        root: course folder.
        platform: moodle, whose numbers are of one assignment, or canvas, whose are of the user.
        sheet: of this one; of all where none is named.
    """
    found: dict[str, str] = {}
    for path in sorted((root / STAFF / "collected" / platform).glob(f"{sheet}.json")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            found |= {str(s): str(n) for s, n in content.items() if str(n).isdecimal()}
        except (OSError, ValueError, AttributeError):
            continue
    return found


def _taken(
    root: Path, student: str, sheet: str, files: Sequence[HandedIn], own: set[str], dry_run: bool
) -> Row:
    chosen, remark, doubtful = _chosen(sheet, files, own)
    if chosen is None:
        return Row(student, NO_NOTEBOOK, remark=remark)
    content, one = chosen
    folder = root / "submitted" / student / sheet
    place, stamp = folder / f"{sheet}.ipynb", folder / "timestamp.txt"
    there, time = gradebook.handed_in(_text(stamp)), _in_seconds(one.time)
    same = place.is_file() and place.read_bytes() == content
    late = bool(one.late) and time is None and (there is None or not same)
    if same and (there is not None or time is None):
        return Row(student, SAME, there and there.replace(tzinfo=UTC), remark, late, doubtful)
    if place.is_file() and not same and _is_older(one, there, place):
        kept = f"{there:%Y-%m-%d %H:%M:%S} UTC is" if there else "it is"
        return Row(student, OLDER, time, f"{kept} left in its place")
    what = TIMED if same else LATER if place.is_file() else NEW
    if not dry_run:
        _write(place, content, stamp, one, time)
    return Row(student, what, time, remark, late, doubtful)


def _is_older(one: HandedIn, there: datetime | None, place: Path) -> bool:
    """Return whether what is there was handed in after this, or after this archive was made."""
    if there is not None:
        return (one.time or one.file.time) < there.replace(tzinfo=UTC)
    return one.file.time.timestamp() < place.stat().st_mtime - 1 and one.time is None


def _write(place: Path, content: bytes, stamp: Path, one: HandedIn, time: datetime | None) -> None:
    """Write a notebook and its time."""
    if time is not None:
        # The time last: until it is there, another run takes the notebook again.
        write_whole(place, content)
        write_whole(stamp, f"{time:%Y-%m-%d %H:%M:%S} UTC\n")
        return
    stamp.unlink(missing_ok=True)  # that of what was there before
    write_whole(place, content)
    made = one.file.time.timestamp()
    os.utime(place, (made, made))  # which tells a later archive from an earlier one
    if one.late is False:
        write_whole(stamp, ON_TIME)


def _in_seconds(time: datetime | None) -> datetime | None:
    return None if time is None else time.astimezone(UTC).replace(microsecond=0)


def _chosen(
    sheet: str, files: Sequence[HandedIn], own: set[str]
) -> tuple[tuple[bytes, HandedIn] | None, str, bool]:
    """Return content and file of a student's notebook of the sheet, a remark, and a doubt."""
    notebooks = sorted((f for f in files if f.file.name.endswith(".ipynb")), key=lambda f: f.order)
    named = [f for f in notebooks if f.stem.rpartition("/")[2] == sheet]
    try:
        candidates = named or [f for f in notebooks if _holds(f, own)]
        if not candidates:
            names = ", ".join(sorted(f.file.path for f in files)[:3])
            return None, f"there is {names}" if names else "", False
        last = candidates[-1]
        content = last.file.read()
    except TooLarge:
        return None, "a file is larger than any notebook", False
    remarks = []
    if last.file.name != f"{sheet}.ipynb":
        remarks.append(f"taken from {last.file.path}")
    if len(candidates) > 1:
        remarks.append(f"the last of {len(candidates)}")
    # Where the platform does not count uploads, files of one time leave open which was meant.
    doubtful = any(f.time == last.time and last.upload <= 0 for f in candidates[:-1])
    if doubtful:
        others = ", ".join(f.file.path for f in candidates[:-1])
        remarks.append(f"left: {others}")
    return (content, last), "; ".join(remarks), doubtful


def _holds(one: HandedIn, own: set[str]) -> bool:
    """Return whether a notebook of another name holds at least half of the sheet's cells."""
    try:
        notebook = parse(one.file.read().decode("utf-8"))
        found = {sheets.grade_id(cell) for cell in notebook.cells}
    except TooLarge:
        raise
    except Exception:  # nbformat raises many kinds
        return False
    return len(found & own) * 2 >= len(own)


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return None
