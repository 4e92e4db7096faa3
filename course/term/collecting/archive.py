"""The files of an archive or a folder, to be looked at: nothing is unpacked, nothing is followed.

Only what is asked for is read, and never more than a notebook may have; so an archive that would
fill the disk fills nothing, and a name that climbs out of it leads nowhere.
"""

import os
import stat
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from course.errors import CourseError
from course.files import shown

LARGEST = 50 << 20  # bytes of a file that is read
MOST = 100_000  # files of an archive


class TooLarge(Exception):
    """A file is larger than any submission."""


@dataclass(frozen=True)
class File:
    """A file that was handed in.

    Args:
        path: its path in the archive or folder, with slashes.
        time: when it was changed last, in UTC.
        read: returns its content; raises TooLarge.
    """

    path: str
    time: datetime
    read: Callable[[], bytes]

    @property
    def name(self) -> str:
        """The last part of its path."""
        return PurePosixPath(self.path).name


def of_zip(path: Path) -> list[File]:
    """Return the files of a zip file, in their order.

    Times are taken as this machine's: a zip file names no time zone.

    Raises:
        CourseError: it is no zip file, is encrypted, holds too many files, or one that climbs out.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is damaged or no zip file"
        remedy = "download it again from the platform"
        if path.suffix.casefold() in (".csv", ".xlsx", ".xls", ".ipynb"):
            remedy = "give the archive of the submissions, or a folder"
        raise CourseError(f"{path} cannot be read as a zip file ({why}); {remedy}.") from None
    if len(entries) > MOST:
        raise CourseError(f"{path} holds {len(entries)} files; no class hands in so many.")
    found = []
    for entry in entries:
        name = _name(entry)
        if _climbs(name):
            raise CourseError(
                f"{path} holds {shown(name)}, which leads out of the archive: nothing was taken; "
                "no platform makes such an archive."
            )
        if entry.flag_bits & 1:
            raise CourseError(f"{path} is encrypted; download it without a password.")
        if not entry.is_dir():
            found.append(File(name, _time(entry), _reader(path, entry)))
    return found


def of_folder(folder: Path) -> list[File]:
    """Return the ordinary files below a folder, sorted; links are not followed.

    Raises:
        CourseError: the folder cannot be read.
    """
    if not folder.is_dir():
        raise CourseError(f"{folder} is no folder; name a zip file or a folder of submissions.")

    def complain(error: OSError) -> None:
        raise CourseError(f"{error.filename} cannot be read ({error.strerror}).")

    found = []
    for here, folders, names in os.walk(folder, onerror=complain):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(here) / name
            about = path.lstat()
            if not stat.S_ISREG(about.st_mode):
                continue
            time = datetime.fromtimestamp(about.st_mtime, UTC)
            found.append(File(path.relative_to(folder).as_posix(), time, _of_disk(path)))
    return found


def _of_disk(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        with path.open("rb") as file:
            return _limited(file.read(LARGEST + 1))

    return read


def _reader(path: Path, entry: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            with zipfile.ZipFile(path) as archive, archive.open(entry) as file:
                return _limited(file.read(LARGEST + 1))
        except (zipfile.BadZipFile, OSError, NotImplementedError, EOFError) as error:
            raise CourseError(
                f"{path}: {shown(_name(entry))} is damaged ({error}); download the archive again."
            ) from None

    return read


def _limited(content: bytes) -> bytes:
    if len(content) > LARGEST:
        raise TooLarge
    return content


def _name(entry: zipfile.ZipInfo) -> str:
    """Return an entry's name; some platforms write UTF-8 and do not say so."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _climbs(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or name.startswith(("/", "\\")) or parts[0].endswith(":")


def _time(entry: zipfile.ZipInfo) -> datetime:
    try:
        return datetime(*entry.date_time).astimezone(UTC)
    except (ValueError, OverflowError):  # a month 0: no time was kept
        return datetime(1980, 1, 1, tzinfo=UTC)
