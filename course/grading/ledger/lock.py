"""One command at a time on a course: a lock in .course/ that says who holds it.

The system's own lock on the file counts, not the file: it ends with its process, however that ends.
"""

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from course import files
from course.errors import CourseError

try:
    import fcntl
except ImportError:  # Windows, where no cage works either
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def held(root: Path, command: str, name: str = "lock") -> Iterator[None]:
    """Hold the lock of a course.

    Args:
        root: course folder.
        command: who holds it, for those who meet the lock.
        name: which lock: `course watch` has one for as long as it runs, beside that of a command.

    Raises:
        CourseError: another command holds it.
    """
    with tried(root, command, name) as holder:
        if holder:
            raise CourseError(
                f"{root}: {holder}; two commands would write over each other: "
                "wait until it is done, or end it."
            )
        yield


@contextlib.contextmanager
def tried(root: Path, command: str, name: str = "lock") -> Iterator[str]:
    """Hold the lock of a course if it is free; yield who holds it, or an empty text.

    Args:
        root: course folder.
        command: who holds it, for those who meet the lock.
        name: which lock.

    Raises:
        CourseError: there can be no lock.
    """
    if fcntl is None:
        yield ""
        return
    path = root / files.STAFF / name
    try:
        descriptor = _locked(files.staff(root) / name)
    except OSError as error:
        raise CourseError(
            f"{path} cannot be made ({error.strerror}); the course folder must be yours to write "
            "to, on a disk that has room and knows file locks."
        ) from None
    if descriptor is None:
        yield _holder(path)
        return
    who = {
        "command": command, "pid": os.getpid(), "host": socket.gethostname(),
        "since": f"{datetime.now():%Y-%m-%d %H:%M:%S}",
    }  # fmt: skip
    try:
        with contextlib.suppress(OSError):  # a full disk takes no name, and is found soon enough
            os.write(descriptor, json.dumps(who).encode())
        yield ""
    finally:
        with contextlib.suppress(OSError):
            files.remove(path)  # while it is held: whoever opened it meanwhile looks again
        os.close(descriptor)


def _locked(path: Path) -> int | None:
    """Return an open file that this process has locked, None where another has."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    os.ftruncate(descriptor, 0)
                    return descriptor
            os.close(descriptor)  # another held it, and has removed it since
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:
            os.close(descriptor)
            raise


def _holder(path: Path) -> str:
    try:
        who = json.loads(path.read_text(encoding="utf-8"))
        return (
            f"«{who['command']}» is at work here, process {who['pid']} on {who['host']} "
            f"since {who['since']}"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return "another command is at work here"
