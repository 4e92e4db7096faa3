"""Memory of a kernel and all that it starts, watched as a whole by the first process of the cage.

Stands in the cage, beside start.py, and imports nothing of the course. Resource limits count for
each process by itself, and not at all for memory that is shared or lives in a file system.
"""

import contextlib
import os
import signal
from pathlib import Path

PAUSE = 0.1  # seconds between two looks


def watch(kernel: int, most: int) -> int:
    """Wait for a kernel's end as the parent of all; end what uses too much memory.

    Args:
        kernel: process id of the kernel.
        most: bytes that all processes of this namespace may use together.

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
        used = used_by_each(most)
        while sum(used.values()) > most:  # the largest first: a kernel outlives its large children
            largest = max(used, key=lambda pid: used[pid])
            del used[largest]
            with contextlib.suppress(ProcessLookupError):
                os.kill(largest, signal.SIGKILL)
        signal.sigtimedwait({signal.SIGCHLD}, PAUSE)


def used_by_each(enough: int) -> dict[int, int]:
    """Return the bytes of memory that each other process here uses.

    Where pages that are shared are counted more than once and the sum is still no more than
    ``enough``, that will do; else each page is shared out among those who have it.
    """
    own = (1, os.getpid())
    others = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()]
    names = ("RssAnon:", "RssShmem:")
    used = {pid: _sum(f"/proc/{pid}/status", names) for pid in others if pid not in own}
    if sum(used.values()) <= enough:
        return used
    names = ("Pss_Anon:", "Pss_Shmem:")
    return {pid: _sum(f"/proc/{pid}/smaps_rollup", names) or used[pid] for pid in used}


def _sum(path: str, names: tuple[str, ...]) -> int:
    try:
        lines = [line.split() for line in Path(path).read_text().splitlines()]
    except OSError:
        return 0
    return sum(int(words[1]) << 10 for words in lines if words and words[0] in names)
