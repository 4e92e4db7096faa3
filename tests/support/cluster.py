"""A Dask cluster on this machine: a scheduler on a free port, workers of one thread each."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from distributed import Client


@contextlib.contextmanager
def running(folder: Path, workers: int = 2) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """Start a cluster.

    Args:
        folder: where workers may write.
        workers: how many.

    Yields:
        The scheduler's address and the workers' processes, each the first of its process group.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    host = ["--host", "127.0.0.1", "--no-dashboard"]
    scheduler = ["distributed.cli.dask_scheduler", *host, "--port", address.rsplit(":")[-1]]
    worker = ["distributed.cli.dask_worker", address, *host, "--nthreads", "1", "--no-nanny",
              "--local-directory", str(folder)]  # fmt: skip
    started = [
        subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, start_new_session=True)
        for words in (scheduler, *[worker] * workers)
    ]  # fmt: skip
    try:
        with Client(address, timeout=60) as client:
            client.wait_for_workers(workers, timeout=60)
        yield address, started[1:]
    finally:
        for process in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
