"""A PostgreSQL server of the tests' own: in a temporary folder, on a socket in it, on no port."""

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from course.doctor import postgresql


@contextlib.contextmanager
def running() -> Iterator[Callable[[str], str]]:
    """Start a server; the function that is given makes a database and returns its URL."""
    programs = postgresql()
    assert programs is not None
    place = Path(tempfile.mkdtemp(prefix="test-postgres-"))
    account: dict = {}
    if os.getuid() == 0:  # the server refuses to run as root
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        who = known.get("postgres") or known["nobody"]
        os.chown(place, who.pw_uid, who.pw_gid)
        account = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": place, **account}
    subprocess.run(
        [programs / "initdb", "-D", place / "data", "-U", "course", "--auth=trust", "--no-sync",
         "--encoding=UTF8", "--locale=C"],
        check=True, timeout=120, **quiet,
    )  # fmt: skip
    server = subprocess.Popen(
        [programs / "postgres", "-D", place / "data", "-k", place, "-c", "listen_addresses=",
         "-c", "fsync=off"],
        preexec_fn=_end_with_parent, **quiet,
    )  # fmt: skip
    try:
        _await(server, place)

        def database(name: str) -> str:
            with psycopg.connect(host=str(place), user="course", dbname="postgres",
                                 autocommit=True) as connection:  # fmt: skip
                connection.execute(f'CREATE DATABASE "{name}"'.encode())
            return f"postgresql+psycopg://course:secret@/{name}?host={place}"

        yield database
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nobody needs what it holds
        server.wait(30)
        shutil.rmtree(place, ignore_errors=True)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT, 0, 0, 0)  # PR_SET_PDEATHSIG


def _await(server: subprocess.Popen, place: Path) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(host=str(place), user="course", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            assert server.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.1)
