"""Memory of a kernel and all that it starts, watched as a whole by the first process of the cage.

Stands in the cage, beside start.py, and imports nothing of the course. Resource limits count for
each process by itself, and not at all for memory that is shared or lives in a file system. Where
there is a control group the system counts better (groups.py); this holds where there is none.
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

PAUSE = 0.1  # seconds between two looks
A_FILE = 8 << 10  # bytes that an open file may hold that no process is charged with: two pages
A_SOCKET = 256 << 10  # bytes that may wait in a socket whose buffers have the size it is made with


def watch(kernel: int, most: int, folders: set[str]) -> int:
    """Wait for a kernel's end as the parent of all; end what uses too much memory.

    Args:
        kernel: process id of the kernel.
        most: bytes that all processes of this namespace may use together.
        folders: the folders that the kernel can write to, which live in memory.

    Returns:
        The kernel's exit code, as a shell gives it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 1
        if pid == kernel:
            return os.waitstatus_to_exitcode(status) & 0xFF
        if pid:
            continue
        nobodys = sockets() * A_SOCKET + sum(written(folder) for folder in folders)
        used = used_by_each(most - nobodys)
        while used and sum(used.values()) + nobodys > most:
            # The largest first: a kernel outlives its large children.
            largest = max(used, key=lambda pid: used[pid])
            del used[largest]
            with contextlib.suppress(ProcessLookupError):
                os.kill(largest, signal.SIGKILL)
        signal.sigtimedwait({signal.SIGCHLD}, PAUSE)


def used_by_each(enough: int) -> dict[int, int]:
    """Return the bytes of memory that each other process here uses, with its tables and files.

    Where pages that are shared are counted more than once and the sum is still no more than
    ``enough``, that will do; else each page is shared out among those who have it.
    """
    own = (1, os.getpid())
    others = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]
    statuses = {pid: status(pid) for pid in others if pid not in own}
    beside = {
        pid: _sum(lines, ("VmSwap:", "VmPTE:")) + _count(lines, "FDSize:") * A_FILE
        for pid, lines in statuses.items()
    }
    used = {
        pid: beside[pid] + _sum(lines, ("RssAnon:", "RssShmem:")) for pid, lines in statuses.items()
    }
    if sum(used.values()) <= enough:
        return used
    names = ("Pss_Anon:", "Pss_Shmem:")
    shared = {pid: _sum(_lines(f"/proc/{pid}/smaps_rollup"), names) for pid in used}
    return {pid: beside[pid] + shared[pid] if shared[pid] else used[pid] for pid in used}


def status(pid: int) -> list[list[str]]:
    """Return what the system says of a process, from the first of its threads that still runs.

    The memory of a process whose first thread has ended is told by its other threads alone.
    """
    lines: list[list[str]] = []
    for path in _threads(pid):
        lines = _lines(path) or lines
        if any(words and words[0] == "RssAnon:" for words in lines):
            break
    return lines


def _threads(pid: int) -> Iterator[str]:
    yield f"/proc/{pid}/status"
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
            yield f"/proc/{pid}/task/{thread}/status"


def sockets() -> int:
    """Return how many sockets there are in this network namespace, open or on their way."""
    return _count(_lines("/proc/net/sockstat"), "sockets:", place=2)


def written(folder: str) -> int:
    """Return the bytes that a file system in memory holds."""
    found = os.statvfs(folder)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def _lines(path: str) -> list[list[str]]:
    try:
        return [line.split() for line in Path(path).read_text().splitlines()]
    except OSError:
        return []


def _sum(lines: list[list[str]], names: tuple[str, ...]) -> int:
    return sum(int(words[1]) << 10 for words in lines if words and words[0] in names)


def _count(lines: list[list[str]], name: str, place: int = 1) -> int:
    return sum(int(words[place]) for words in lines if words and words[0] == name)
