"""Every file that a course keeps is written here, whole or not at all, and every name shown here.

A kill half-way, or a disk that is full, leaves what was there before.
"""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

STAFF = ".course"  # in a course folder: what stays with the staff


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all; folders on the way are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = _scratch(path)
    try:
        scratch.write_bytes(content.encode() if isinstance(content, str) else content)
        scratch.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)
        raise


def create_whole(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is not there, whole or not at all; one that is there is left alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = _scratch(path)
    scratch.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(scratch, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            scratch.replace(path)
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)


def replace_by(path: Path, made: Path) -> None:
    """Put a file that another program has made beside its place into that place."""
    made.replace(path)


def remove(path: Path) -> None:
    """Remove a file; one that is not there is no error."""
    path.unlink(missing_ok=True)


def staff(root: Path) -> Path:
    """Return the folder of a course that no student and no command of nbgrader looks into."""
    place = root / STAFF
    place.mkdir(mode=0o700, exist_ok=True)
    return place


def shown(text: str) -> str:
    """Return text of anybody's choice, such as a folder's name, as it may be printed.

    What a terminal would obey, or nobody could see, is written out.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def listed(names: Sequence[str], most: int = 8) -> str:
    """Return names as a phrase, cut where they are many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _scratch(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp")
