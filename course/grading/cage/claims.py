"""Folders that belong to a running process, and what becomes of them when it was killed.

A process holds a lock on each folder that it has made, and the system lets go of it however the
process ends. So a folder without a holder is nobody's, whichever container made it: a process
number would mean someone else in another container that shares the temporary folder.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

PREFIX = "course-cage-"


def claimed(within: Path) -> tuple[Path, int]:
    """Make a folder that is this process's own.

    Args:
        within: the folder that it is made in.

    Returns:
        The folder, and an open file whose closing gives it up.
    """
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=within))
        held = _held(folder)
        if held is not None:  # else somebody who sweeps was faster
            return folder, held


def sweep(within: Path, remove: Callable[[Path], None] | None = None) -> None:
    """Remove the folders whose holders have ended.

    Args:
        within: the folder that they were made in.
        remove: takes a folder away; by default with all that is in it.
    """
    remove = remove or (lambda folder: shutil.rmtree(folder, ignore_errors=True))
    for folder in within.glob(f"{PREFIX}*"):
        held = _held(folder)
        if held is not None:
            remove(folder)
            os.close(held)


def _held(folder: Path) -> int | None:
    """Return a lock on a folder of this user's, or None where it has a holder or is gone."""
    try:
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    with contextlib.suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found, there = os.fstat(file), folder.lstat()
        if found.st_uid == os.geteuid() and os.path.samestat(found, there):
            return file
    os.close(file)
    return None
