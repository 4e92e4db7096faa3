"""Start a JupyterHub on this machine with the course in it, and `course watch` beside it.

python hub/start.py [--folder .cache/hub/trial] [--port 8765]

`make hub` installs what it needs, then runs it. Ctrl-C ends everything that it started. What the
users did stays in the folder; remove it to begin anew.
"""

import argparse
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PARTS = PROJECT / ".cache" / "hub"
LOCKED = PROJECT / ".venv"
PORT = 8765
PATIENCE = 90.0  # seconds for the hub to answer
# What `nbgrader release_assignment` does, for several sheets in one process.
RELEASE = """
import sys
from pathlib import Path
from course import stock_nbgrader

for name in sys.argv[2:]:
    done = stock_nbgrader.api(Path(sys.argv[1])).release_assignment(name)
    if not done["success"]:
        sys.exit(done.get("log") or done.get("error") or name)
"""

# The formgrader would look for a gradebook below the folder that its server was started in.
SETTINGS = """
from pathlib import Path

c.CourseDirectory.db_url = f"sqlite:///{Path(__file__).parent / 'gradebook.db'}"
"""


class CannotStart(Exception):
    """Why the hub cannot start: one sentence with the remedy."""


def lay_out(folder: Path, sheets: list[str] | None = None) -> Path:
    """Make a trial's folders where they are not there yet; return its course folder.

    Args:
        folder: the trial's folder.
        sheets: names of the sheets; all by default.
    """
    course = folder / "course"
    for part in ("exchange", "home/ada", "home/ben", "home/teacher", "run", "course/submitted"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "exchange").chmod(0o777)
    if not (course / "nbgrader_config.py").exists():
        text = (PROJECT / "nbgrader_config.py").read_text(encoding="utf-8")
        (course / "nbgrader_config.py").write_text(f"{text}{SETTINGS}", encoding="utf-8")
    for path in sorted((PROJECT / "source").glob("*/*.ipynb")):
        name = path.parent.name
        if sheets is None or name in sheets:
            for part in ("source", "release"):
                shutil.copytree(PROJECT / part / name, course / part / name, dirs_exist_ok=True)
    return course


def environment(folder: Path, port: int) -> dict[str, str]:
    """Return the environment of the hub, of the watch, and of nbgrader's commands for the course.

    Args:
        folder: the trial's folder.
        port: the hub's; the two above it are its own as well.
    """
    path = [str(LOCKED / "bin"), str(PARTS / "venv" / "bin"), os.environ.get("PATH", "")]
    return os.environ | {
        "COURSE_HUB": str(folder),
        "COURSE_HUB_PARTS": str(PARTS),
        "COURSE_HUB_LOCKED": str(LOCKED),
        "COURSE_HUB_PORT": str(port),
        "COURSE_HUB_ADMIN": secrets.token_hex(32),  # nobody's: the hub wants one and no user has it
        "JUPYTER_CONFIG_PATH": str(PROJECT / "hub" / "shared"),
        "PATH": os.pathsep.join(path),
    }


def refuse(port: int) -> None:
    """Refuse to start where something is not there or in use.

    Raises:
        CannotStart: what, with the remedy.
    """
    for path in (PARTS / "venv/bin/jupyterhub", PARTS / "proxy/node_modules/.bin"):
        if not path.exists():
            raise CannotStart(f"{path} is not there: run «make hub», which installs it.")
    for one in range(port, port + 3):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", one))
            except OSError as error:
                raise CannotStart(
                    f"Port {one} of this machine cannot be had ({error.strerror}); the hub needs "
                    f"{port} to {port + 2}: end what uses it, or choose others, such as "
                    f"«make hub PORT={port + 1000}»."
                ) from None


@contextlib.contextmanager
def running(
    folder: Path, port: int, sheets: list[str] | None = None
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run the hub and the watch; yield both processes once the hub answers.

    Args:
        folder: the trial's folder.
        port: the hub's.
        sheets: names of the sheets; all by default.

    Raises:
        CannotStart: something is not there, in use, or has ended.
    """
    refuse(port)
    course = lay_out(folder, sheets)
    env = environment(folder, port)
    outbound = folder / "exchange" / "likelihood-course" / "outbound"
    if new := [p.name for p in (course / "release").iterdir() if not (outbound / p.name).exists()]:
        words = [str(LOCKED / "bin" / "python"), "-c", RELEASE, str(course), *sorted(new)]
        done = subprocess.run(words, cwd=course, env=env, capture_output=True, text=True)
        if done.returncode:
            raise CannotStart(f"The sheets cannot be released: {done.stderr.strip()[-300:]}")
    hub = [str(PARTS / "venv/bin/jupyterhub"), "-f", str(PROJECT / "hub/jupyterhub_config.py")]
    commands = {
        "hub": hub,
        "watch": [str(LOCKED / "bin" / "course"), "watch", "--root", str(course)],
    }
    started: list[subprocess.Popen[bytes]] = []
    try:
        for name, words in commands.items():
            with (folder / "run" / f"{name}.log").open("ab") as log:
                started.append(subprocess.Popen(
                    words, cwd=folder / "run", env=env, stdout=log, stderr=log,
                    start_new_session=True,
                ))  # fmt: skip
        _await(started, port, folder)
        yield started
    finally:
        for process in started:
            process.terminate()
        for process in started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _await(started: list[subprocess.Popen[bytes]], port: int, folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        ended = [name for name, p in zip(("hub", "watch"), started, strict=True) if p.poll()]
        if ended:
            said = (folder / "run" / f"{ended[0]}.log").read_text(errors="replace").strip()
            raise CannotStart(f"The {ended[0]} has ended: {said.splitlines()[-1] if said else ''}")
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/hub/health", timeout=5).close()
            return
        time.sleep(0.3)
    raise CannotStart(f"The hub does not answer; {folder / 'run' / 'hub.log'} says why.")


def main() -> None:
    """Start everything, and wait for Ctrl-C."""
    parser = argparse.ArgumentParser(prog="make hub", description=__doc__)
    parser.add_argument("--folder", type=Path, default=PARTS / "trial")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--sheets", nargs="*", help="names of sheets; all by default")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = chosen.folder.resolve()
    print("releasing the sheets, starting the hub …", flush=True)
    try:
        with running(folder, chosen.port, chosen.sheets) as started:
            print(
                f"http://127.0.0.1:{chosen.port}  log in as ada, ben or teacher; "
                "the password is likelihood\n"
                "students: Nbgrader → Assignment List; instructor: Nbgrader → Formgrader\n"
                f"what the watch says: {folder / 'run' / 'watch.log'}\n"
                f"the course, for course report and others: --root {folder / 'course'}\n"
                "Ctrl-C ends it.", flush=True,
            )  # fmt: skip
            while all(process.poll() is None for process in started):
                time.sleep(0.5)
            sys.exit(f"hub: something has ended; see {folder / 'run'}")
    except CannotStart as error:
        sys.exit(f"hub: {error}")
    except KeyboardInterrupt:
        print("ended")


if __name__ == "__main__":
    main()
