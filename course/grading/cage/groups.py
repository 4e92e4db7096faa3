"""Control groups for memory: where the system counts for us, it counts everything.

Pages that no process has in its tables, tables of pages, what waits in pipes and sockets, files in
memory: a control group is charged with all of it. It is made below the group that this process is
in (version 1, as root), or beside it where the memory controller is handed down and may be written
(version 2, delegated by systemd or as root). Where neither is possible, the first process of the
cage counts (inside/memory.py), and system calls that hide memory are not to be had either way.
"""

import contextlib
import functools
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from course.grading.cage import claims

FILES = Path("/sys/fs/cgroup")
PATIENCE = 3.0  # seconds that the last processes of a group may take to be gone


@dataclass(frozen=True)
class Group:
    """A control group of one kernel."""

    path: Path

    def door(self) -> int:
        """Return an open file; a process that writes "0" to it comes in, and cannot leave."""
        return os.open(self.path / "cgroup.procs", os.O_WRONLY)

    def remove(self) -> None:
        """Remove the group once its processes have ended; what stays is swept another time."""
        until = time.monotonic() + PATIENCE
        while not _removed(self.path) and time.monotonic() < until:
            time.sleep(0.01)


class Groups:
    """A source of control groups, for one process; close it when it is no longer needed."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.held = -1
        where = parent()
        if where is not None:
            claims.sweep(where, _remove_tree)
            with contextlib.suppress(OSError):
                self.folder, self.held = claims.claimed(where)
                _prepare(self.folder)

    def new(self, name: str, memory: int) -> Group | None:
        """Make a group, or return None where there is none to be had.

        Args:
            name: of the kernel.
            memory: bytes that everything in the group may hold together.
        """
        if self.folder is None:
            return None
        group = Group(self.folder / name)
        group.path.mkdir()
        _limit(group.path, memory)
        return group

    def close(self) -> None:
        """Remove what is left."""
        if self.folder is not None:
            _remove_tree(self.folder)
            os.close(self.held)
            self.folder = None


@functools.cache
def parent() -> Path | None:
    """Return the group below which groups with a limit can be made, tried for real, or None."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _, kinds, own = line.split(":", 2)
        if "memory" in kinds.split(","):
            places = [FILES / "memory" / own.lstrip("/")]
        elif not kinds:
            here = FILES / own.lstrip("/")
            places = [here, *(p for p in here.parents if p == FILES or FILES in p.parents)]
        else:
            continue
        for place in places:
            if _works(place):
                return place
    return None


def _works(place: Path) -> bool:
    """Return whether a process can be put into a limited group made in a place."""
    try:
        folder, held = claims.claimed(place)
    except OSError:
        return False
    try:
        _prepare(folder)
        inner = folder / "try"
        inner.mkdir()
        _limit(inner, 64 << 20)
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            try:
                (inner / "cgroup.procs").write_text(str(process.pid))
            finally:
                process.kill()
    except OSError:
        return False
    finally:
        _remove_tree(folder)
        os.close(held)
    return True


def _prepare(folder: Path) -> None:
    """Hand the memory controller down to the groups of kernels; in version 1 it always is."""
    if (folder / "cgroup.controllers").exists():
        (folder / "cgroup.subtree_control").write_text("+memory")


def _limit(folder: Path, memory: int) -> None:
    """Limit memory, swapped memory included."""
    if (folder / "memory.max").exists():
        (folder / "memory.max").write_text(str(memory))
        swap, most = folder / "memory.swap.max", 0
    else:
        (folder / "memory.limit_in_bytes").write_text(str(memory))
        swap, most = folder / "memory.memsw.limit_in_bytes", memory
    if swap.exists():  # else the system does not count what is swapped, or has no swap
        swap.write_text(str(most))


def _remove_tree(folder: Path) -> None:
    for inner in folder.iterdir() if folder.is_dir() else ():
        if inner.is_dir():
            Group(inner).remove()
    Group(folder).remove()


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
