"""Whose file is whose: how platforms name what a class handed in.

- **Moodle**, «Download all submissions»: ``Ada Lovelace_1234567_assignsubmission_file_`` and then
  the file's name, in a folder of that name or joined to it. In group mode ``Group-`` stands before.
- **Canvas**, «Download Submissions»: ``lovelaceada_LATE_12345_678901_name-1.ipynb``, the sortable
  name in small letters, the user's number, the submission's, and a «-1» for a second upload.
- **GitHub Classroom**: a folder of clones, each named after the assignment and the student.
- **a folder**: STUDENT/notebook.ipynb or STUDENT.ipynb.
"""

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
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
        file: the file; its path is that of the student's own upload.
        stem: its name without the marks that the platform adds.
    """

    who: str
    number: str
    user: str
    file: File
    stem: str

    @property
    def order(self) -> tuple[datetime, int, str]:
        """What sorts the uploads of a student: by time, then by the mark of a second upload."""
        again = AGAIN.search(PurePosixPath(self.file.path).stem)
        return self.file.time, int(again[1] or again[2]) if again else 0, self.file.path


MOODLE = re.compile(
    r"(?:.*/)?(?P<who>[^/]+)_(?P<number>\d+)_assignsubmission_file(?:_?/(?P<inside>.+)|_(?P<flat>.+))"
)
CANVAS = re.compile(r"(?P<who>[^_]+)(?:_LATE)?_(?P<number>\d+)_\d+_(?P<file>.+)")
AGAIN = re.compile(r"(?:-(\d+)| ?\((\d+)\))$")  # «-1», «(1)»: a second upload of a file


def _stem(name: str) -> str:
    return AGAIN.sub("", PurePosixPath(name).stem)


def moodle(path: Path) -> list[HandedIn]:
    """Return what a Moodle archive, packed or unpacked, holds."""
    found = []
    for file in _files(path):
        if match := MOODLE.fullmatch(file.path):
            own = match["inside"] or match["flat"]
            found.append(
                HandedIn(match["who"], match["number"], "", replace(file, path=own), _stem(own))
            )
    return found


def canvas(path: Path) -> list[HandedIn]:
    """Return what a Canvas archive, packed or unpacked, holds."""
    found = []
    for file in _files(path):
        if match := CANVAS.fullmatch(file.name):
            own = replace(file, path=match["file"])
            user = match["number"]
            found.append(HandedIn(match["who"], user, user, own, _stem(match["file"])))
    return found


def github(path: Path) -> list[HandedIn]:
    """Return what a folder of clones holds; the time is that of a clone's last commit."""
    found = []
    for clone in sorted(p for p in path.iterdir() if (p / ".git").exists()):
        time = _committed(clone)
        for file in archive.of_folder(clone):
            found.append(HandedIn(clone.name, "", "", replace(file, time=time), _stem(file.path)))
    return found


def folder(path: Path) -> list[HandedIn]:
    """Return what a folder with a folder or a file for each student holds."""
    found = []
    for file in archive.of_folder(path):
        who, _, own = file.path.partition("/")
        name = who if own else PurePosixPath(who).stem
        found.append(HandedIn(name, "", "", replace(file, path=own or who), _stem(own or who)))
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
    raise CourseError(f"{path} holds {what}; say with --as where it comes from.")


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
