"""Whose file is whose: how platforms name what a class handed in.

- **Moodle**, «Download all submissions»: ``Ada Lovelace_1234567_assignsubmission_file_`` and then
  the file's name, in a folder of that name or joined to it. In group mode ``Group-`` stands before.
- **Canvas**, «Download Submissions»: ``lovelaceada_LATE_12345_678901_name-1.ipynb``, the sortable
  name in small letters, the user's number, the submission's, and a «-1» for a second upload.

Canvas gives each file the time at which the archive was made, and so does Moodle since it streams
archives (its `zip_writer`; Canvas's `lib/content_zipper.rb`): such a time says nothing about who
was late. Canvas marks the late ones; Moodle's grading worksheet tells the times (worksheet.py).
- **GitHub Classroom**: a folder of clones, each named after the assignment and the student.
- **a folder**: STUDENT/notebook.ipynb or STUDENT.ipynb.
"""

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from course.errors import CourseError
from course.term.collecting import archive
from course.term.collecting.archive import File


@dataclass(frozen=True)
class HandedIn:
    """A file and who handed it in, in the platform's words.

    Args:
        who: the student's name, or folder.
        number: what tells two students of one name apart, where the platform gives it.
        user: the platform's number of the student in all sheets, where it gives it.
        file: the file; its path is that of the student's own upload, its time may be the archive's.
        stem: its name without the marks that the platform adds.
        time: when it was handed in, in UTC; None where the platform does not tell.
        late: whether the platform marks it as late; None where it marks nobody.
        upload: the number of the upload, where the platform counts them; else minus the number of
            a copy, «(1)», since a file with its own name goes before its copies.
    """

    who: str
    number: str
    user: str
    file: File
    stem: str
    time: datetime | None = None
    late: bool | None = None
    upload: int = 0

    @property
    def order(self) -> tuple[datetime, int, str]:
        """What sorts the uploads of a student."""
        return self.time or datetime.min.replace(tzinfo=UTC), self.upload, self.file.path


MOODLE = re.compile(
    r"(?:.*/)?(?P<who>[^/]+)_(?P<number>\d+)_assignsubmission_file(?:_?/(?P<inside>.+)|_(?P<flat>.+))"
)
CANVAS = re.compile(r"(?P<who>[^_]+)(?P<late>_LATE)?_(?P<number>\d+)_\d+_(?P<file>.+)")
AGAIN = re.compile(r"(?:-(\d+)| ?\((\d+)\))$")  # «-1», «(1)»: a second upload of a file


# Files of an archive that were all changed within this time tell when the archive was made.
MAKING = timedelta(hours=1)


def _stem(name: str) -> str:
    return AGAIN.sub("", PurePosixPath(name).stem)


def _again(name: str) -> int:
    """Return the number that marks a second upload, or a copy; 0 where there is none."""
    again = AGAIN.search(PurePosixPath(name).stem)
    return int(again[1] or again[2]) if again else 0


def moodle(path: Path) -> list[HandedIn]:
    """Return what a Moodle archive, packed or unpacked, holds.

    A file's own time is taken for the hand-in's only where the files' times differ as those of a
    class do: older Moodles keep them.
    """
    files = [(file, m) for file in _files(path) if (m := MOODLE.fullmatch(file.path))]
    times = [file.time for file, _ in files]
    telling = bool(times) and max(times) - min(times) > MAKING
    found = []
    for file, match in files:
        own = match["inside"] or match["flat"]
        found.append(
            HandedIn(
                match["who"], match["number"], "", replace(file, path=own), _stem(own),
                time=file.time if telling else None, upload=-_again(own),
            )
        )  # fmt: skip
    return found


def canvas(path: Path) -> list[HandedIn]:
    """Return what a Canvas archive, packed or unpacked, holds."""
    found = []
    for file in _files(path):
        if match := CANVAS.fullmatch(file.name):
            own = replace(file, path=match["file"])
            user = match["number"]
            found.append(
                HandedIn(
                    match["who"], user, user, own, _stem(own.path), late=bool(match["late"]),
                    upload=_again(own.path),
                )
            )  # fmt: skip
    return found


def github(path: Path) -> list[HandedIn]:
    """Return what a folder of clones holds; the time is that of a clone's last commit."""
    found = []
    for clone in sorted(p for p in path.iterdir() if (p / ".git").exists()):
        time = _committed(clone)
        for file in archive.of_folder(clone):
            own = replace(file, time=time)
            found.append(
                HandedIn(clone.name, "", "", own, _stem(own.path), time, upload=-_again(own.path))
            )
    return found


def folder(path: Path) -> list[HandedIn]:
    """Return what a folder with a folder or a file for each student holds."""
    found = []
    for file in archive.of_folder(path):
        who, _, own = file.path.partition("/")
        name, path_of_it = (who, own) if own else (PurePosixPath(who).stem, who)
        found.append(
            HandedIn(
                name, "", "", replace(file, path=path_of_it), _stem(path_of_it), file.time,
                upload=-_again(path_of_it),
            )
        )  # fmt: skip
    return found


PLATFORMS: dict[str, Callable[[Path], list[HandedIn]]] = {
    "moodle": moodle, "canvas": canvas, "github": github, "folder": folder,
}  # fmt: skip


def read(path: Path, platform: str) -> tuple[str, list[HandedIn]]:
    """Return the platform and all files that were handed in.

    Args:
        path: a zip file, or a folder.
        platform: a name in ``PLATFORMS``, or empty to find it out.

    Raises:
        CourseError: an unknown platform, nothing there, or nothing in it of that platform's.
    """
    if platform and platform not in PLATFORMS:
        raise CourseError(
            f"There is no platform {platform!r}; choose one of {', '.join(PLATFORMS)}."
        )
    if not path.exists():
        raise CourseError(f"{path} does not exist; name a zip file or a folder of submissions.")
    if path.is_file() and platform in ("github", "folder"):
        raise CourseError(f"{path} is a file; --as {platform} takes a folder.")
    possible: Sequence[str] = [platform] if platform else _possible(path)
    for name in possible:
        if found := PLATFORMS[name](path):
            return name, found
    what = "no file named as " + " or ".join(possible) + " names submissions"
    raise CourseError(
        f"{path} holds {what}; say with --as where it comes from. An archive of anonymous grading "
        "has no names: switch that off, then download again."
    )


def _possible(path: Path) -> list[str]:
    if path.is_file():
        return ["moodle", "canvas"]
    clones = path.is_dir() and any((p / ".git").exists() for p in path.iterdir())
    return ["github"] if clones else ["moodle", "canvas", "folder"]


def _files(path: Path) -> list[File]:
    return archive.of_folder(path) if path.is_dir() else archive.of_zip(path)


def _committed(clone: Path) -> datetime:
    """Return the time of a clone's last commit.

    Raises:
        CourseError: git is not there, or the clone has no commit.
    """
    words = ["git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-C", str(clone), "log",
             "-1", "--format=%ct"]  # fmt: skip
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        return datetime.fromtimestamp(int(done.stdout), UTC)
    except FileNotFoundError:
        raise CourseError("git is not installed, which tells when a clone was committed.") from None
    except (subprocess.CalledProcessError, ValueError):
        raise CourseError(f"{clone} holds no commit; clone it again, or move it away.") from None
