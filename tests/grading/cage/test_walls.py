"""Does the wall hold for root and for an ordinary user, warm and cold, without control groups?"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from support.attacks import alone
from support.project import PROJECT

from course.grading.cage import command, groups
from course.grading.cage.kernels import Kernels
from course.grading.cage.limits import Limits
from course.grading.session import Session

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(command.works()), reason="hostile code runs in a cage only"),
]
# What may differ between users, and between warm and cold.
ATTACKS = [
    "leaving-guard-stopped", "leaving-children-without-a-first-thread", "leaving-full-sockets",
    "leaving-tables-of-pages", "leaving-shared-pages-given-back", "leaving-files-without-content",
    "reaching-first-process-attacked", "reaching-memory-of-the-first-process-limited",
    "reaching-calls-that-nobody-needs", "reaching-written-outside",
]  # fmt: skip


@contextlib.contextmanager
def scratch(user):
    """A temporary folder that a user may write to, outside of those that only root may enter."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="h") as folder:
        os.chown(folder, user, -1)
        yield folder


# As whoever runs the tests, and warm, test_attacks tries the whole bank.
@pytest.mark.parametrize(
    ("how", "who"),
    [
        ("warm", "ordinary"),
        pytest.param("cold", "ordinary", marks=pytest.mark.night),
        ("cold", "present"),
    ],
)
def test_does_the_wall_hold(who, how):
    words = alone.as_ordinary_user() if who == "ordinary" else []
    user = alone.ORDINARY if words else os.geteuid()
    with scratch(user) as folder:
        done = subprocess.run(
            [*words, sys.executable, str(Path(alone.__file__)), how, *ATTACKS],
            capture_output=True, text=True, timeout=300,
            env={**os.environ, "TMPDIR": folder, "HOME": folder, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        left = {path.name for path in Path(folder).iterdir()} - {".cache", ".config"}
    assert done.returncode == 0, done.stderr[-2000:]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [attack["student"] for attack in found] == ATTACKS
    for attack in found:
        assert "REACHED" not in attack["said"], attack
        assert attack["user"] == user
        assert bool(attack["why cold"]) == (how == "cold"), attack
    assert not left


@pytest.mark.skipif(groups.parent() is None, reason="no control group can be made here")
def test_is_a_kernel_in_a_control_group_that_goes_with_it():
    memory = 1 << 30
    kernels = Kernels(warm=False)
    try:
        limits = Limits(memory=memory)
        kernel = kernels.start({}, limits)
        assert kernel.group is not None
        path = kernel.group.path
        with Session(kernel, limits, time.monotonic() + 40) as session:
            assert session.run("1").state == "ok"
            inside = (path / "cgroup.procs").read_text().split()
            assert len(inside) >= 2  # the guard and the kernel
            names = ("memory.max", "memory.limit_in_bytes")
            (limit,) = (path / name for name in names if (path / name).exists())
            assert int(limit.read_text()) == memory
            seen = session.run("import os; print(os.path.exists('/sys/fs/cgroup'))")
            assert "False" in str(seen.outputs)
        assert not path.exists()
    finally:
        kernels.close()
    assert kernels.groups is not None
    assert not path.parent.exists()


def test_does_a_device_or_a_private_file_stand_in_the_cage():
    look = """
import os
print(sorted(os.listdir("/dev")), sorted(os.listdir("/")), sorted(os.listdir("/cage")))
"""
    kernels = Kernels(warm=False)
    try:
        with Session(kernels.start({}), Limits(), time.monotonic() + 40) as session:
            (said,) = session.run(look).outputs
    finally:
        kernels.close()
    devices, top, cage = (line.split(", ") for line in said.text.strip("[]\n").split("] ["))
    assert set(devices) == {"'null'", "'random'", "'shm'", "'urandom'"}
    assert not {"'home'", "'root'", "'srv'", "'mnt'", "'var'", "'run'", "'sys'"} & (
        set(top) - {f"'{Path(path).parts[1]}'" for path in command.python_folders()}
    )
    assert "'run'" in cage


def test_is_a_course_noticed_that_a_cage_would_show(tmp_path):
    assert not command.shown(tmp_path)
    assert not command.shown(PROJECT)
    assert command.shown(Path(sys.prefix) / "share" / "course")
    assert command.shown(Path("/usr/local/course")) == "/usr"


def test_does_a_folder_of_a_dead_process_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = (
        "import os, sys, tempfile, time\n"
        "from course.grading.cage.kernels import Kernels\n"
        "print(Kernels(caged=False).folder, flush=True)\n"
        "time.sleep(1000)\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert other.stdout is not None
    with other.stdout:
        held = Path(other.stdout.readline().strip())
        assert held.parent == tmp_path
        Kernels(caged=False).close()
        assert held.is_dir(), "it belongs to a process that runs"
        other.kill()
        other.wait()
    Kernels(caged=False).close()
    assert not held.exists()


def test_is_another_containers_folder_swept(tmp_path, monkeypatch):
    """There the same process number means another process, or none."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        words = []
    else:
        words = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kernels = Kernels(caged=False)
    try:
        program = "from course.grading.cage.kernels import Kernels; Kernels(caged=False).close()"
        subprocess.run(
            [*words, sys.executable, "-c", program], check=True, timeout=60,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )  # fmt: skip
        assert kernels.folder.is_dir()
    finally:
        kernels.close()
