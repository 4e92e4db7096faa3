"""Kernels: warm ones from a server that has imported everything, cold ones, or bare ones.

Importing torch, seaborn and matplotlib costs more than most answers. A server in the cage imports
them once and forks a kernel for each submission (inside/start.py says what a fork may share). Where
that is not safe or not possible, each kernel starts cold in a cage of its own: the same results,
later.
"""

import contextlib
import itertools
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course.grading.cage import claims, command
from course.grading.cage.groups import Group, Groups
from course.grading.cage.limits import Limits

MODULES = [
    "torch", "torch.distributions", "numpy", "matplotlib.pyplot", "ipywidgets",
    "matplotlib_inline.backend_inline", "IPython", "IPython.core.completerlib",
    "IPython.extensions.storemagic", "ipykernel.kernelapp", "ipykernel.inprocess",
    "ipykernel.debugger", "safetensors.torch",
    "helpers.data", "helpers.plots", "helpers.demos", "helpers.check",
]  # fmt: skip
# Only some sheets need these, and a torch.optim optimizer the first: two seconds for a whole class.
LATER = ["torch._dynamo", "scipy.optimize", "scipy.stats", "seaborn"]
PATIENCE = 60.0  # seconds that a server or a kernel may take to start


class NoKernel(Exception):
    """A kernel could not be started; the sentence says why."""


@dataclass
class Kernel:
    """A running kernel and how to reach it.

    Args:
        own: its folder on this side, with the sockets.
        info: its connection, as jupyter_client writes it down.
        ended: set when it has ended.
        group: its control group, if it has one.
    """

    name: str
    own: Path
    info: dict[str, Any]
    ended: threading.Event = field(default_factory=threading.Event)
    process: subprocess.Popen[bytes] | None = None
    server: "Server | None" = None
    group: Group | None = None

    def alive(self) -> bool:
        """Return whether the kernel still runs."""
        if self.process is not None:
            return self.process.poll() is None
        return not self.ended.is_set()

    def kill(self) -> None:
        """End the kernel and everything that it started, and remove its folder."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        elif self.server is not None:
            self.server.kill(self)
        if self.group is not None:
            self.group.remove()
        shutil.rmtree(self.own, ignore_errors=True)


class Server:
    """A warm server in a cage, seen from outside."""

    def __init__(self, folder: Path) -> None:
        words = [*command.command(folder), sys.executable, "-I", "-B", "/cage/start.py", "serve"]
        # A socket and not a pipe: requests stay apart, and open files can go with them.
        self.requests, given = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with given:
            self.process = command.started(
                [*words, *MODULES, ",", *LATER], stdin=given, stdout=subprocess.PIPE
            )
        self.kernels: dict[str, Kernel] = {}
        self.ready = threading.Event()
        self.trouble = ""
        threading.Thread(target=self._listen, daemon=True).start()
        if not self.ready.wait(PATIENCE) or self.trouble:
            self.close()
            raise NoKernel(f"no warm server: {self.trouble or 'it did not start in time'}")

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            if event["event"] == "unsafe":
                self.trouble = event["why"]
            elif event["event"] == "failed":
                self.trouble = self.trouble or event["why"]
            elif event["event"] == "ended" and event["id"] in self.kernels:
                self.kernels.pop(event["id"]).ended.set()
            if event["event"] in ("ready", "unsafe"):
                self.ready.set()
        self.trouble = self.trouble or "the server ended"
        self.ready.set()
        for kernel in list(self.kernels.values()):
            kernel.ended.set()

    def _tell(self, request: dict[str, Any], files: tuple[int, ...] = ()) -> None:
        try:
            socket.send_fds(self.requests, [json.dumps(request).encode()], files)
        except OSError:
            raise NoKernel("the warm server has ended") from None

    def start(self, kernel: Kernel, request: dict[str, Any], door: int) -> None:
        """Fork a kernel.

        Args:
            kernel: what is known of it.
            request: what it is to be.
            door: an open file that leads into its control group, or -1.
        """
        kernel.server = self
        self.kernels[kernel.name] = kernel
        self._tell(request, (door,) if door >= 0 else ())

    def kill(self, kernel: Kernel) -> None:
        """End a kernel and wait until nothing of it is left."""
        if not kernel.ended.is_set():
            with contextlib.suppress(NoKernel):
                self._tell({"kill": kernel.name})
            kernel.ended.wait(10)

    def close(self) -> None:
        """End the server and all its kernels."""
        self.process.kill()
        self.process.wait()
        self.requests.close()
        if self.process.stdout is not None:
            with contextlib.suppress(OSError):
                self.process.stdout.close()


class Kernels:
    """A source of kernels, for one process; close it when it is no longer needed.

    Args:
        caged: in a cage, else bare.
        warm: from a warm server where that works.
        limits: what each kernel may use.
    """

    def __init__(self, caged: bool = True, warm: bool = True, limits: Limits | None = None) -> None:
        self.caged, self.limits = caged, limits or Limits()
        where = Path(tempfile.gettempdir())
        claims.sweep(where)
        self.folder, self.held = claims.claimed(where)
        self.groups = Groups() if caged else None
        (self.folder / "run").mkdir()
        self.server: Server | None = None
        self.why_cold = "" if warm and caged else "not asked for"
        self.count = itertools.count()

    def _warm(self) -> Server | None:
        if not self.why_cold and (self.server is None or self.server.process.poll() is not None):
            try:
                self.server = Server(self.folder)
            except NoKernel as error:
                self.why_cold = str(error)
                self.server = None
        return self.server

    def start(self, extra: dict[str, str], limits: Limits | None = None) -> Kernel:
        """Start a kernel.

        Args:
            extra: what the kernel's environment holds on top, such as the data seed.
            limits: what it may use, in place of this source's limits.

        Raises:
            NoKernel: none could be started.
        """
        limits = limits or self.limits
        number = next(self.count)
        own = self.folder / "run" / str(number)
        own.mkdir()
        key = secrets.token_hex(16)
        info = {**command.connection(str(own), key), "key": key.encode()}
        kernel = Kernel(str(number), own, info)
        server = self._warm()
        if self.groups is not None:
            kernel.group = self.groups.new(kernel.name, limits.memory)
        with contextlib.ExitStack() as stack:
            door = kernel.group.door() if kernel.group else -1
            if door >= 0:
                stack.callback(os.close, door)
            if server is not None:
                uid = command.new_user()
                command.hand_over(own, command.connection("/cage/own", key), uid)
                request = command.asked(kernel.name, command.environment(extra), limits, uid)
                server.start(kernel, request, door)
            elif self.caged:
                words = command.once(self.folder, kernel.name, key, limits, extra, True, door)
                kernel.process = command.started(words, pass_fds=(door,) if door >= 0 else ())
            else:
                kernel.process = self._bare(own, key, extra, limits)
        try:
            self._await(kernel)
        except NoKernel:
            if server is None:
                raise
            # What the server cannot do, such as namespaces inside namespaces, a cold kernel can.
            self.why_cold = server.trouble or "its kernels do not start"
            server.close()
            self.server = None
            return self.start(extra, limits)
        return kernel

    def _bare(
        self, own: Path, key: str, extra: dict[str, str], limits: Limits
    ) -> subprocess.Popen[bytes]:
        command.hand_over(own, command.connection(str(own), key), 0)
        for part in ("work", "lib", "home"):
            (own / part).mkdir()
        shutil.copy(command.INSIDE / "wire.py", own / "lib" / "_course_wire.py")
        request = {
            **command.asked(own.name, command.environment(extra, str(own / "home")), limits, 0),
            "connection": str(own / "connection.json"), "work": str(own / "work"),
            "lib": str(own / "lib"), "fonts": command.font_cache(self.folder), "caged": False,
        }  # fmt: skip
        words = [
            sys.executable,
            "-I",
            "-B",
            str(command.INSIDE / "start.py"),
            "bare",
            json.dumps(request),
        ]
        return command.started(words)

    def _await(self, kernel: Kernel) -> None:
        """Wait until the kernel's sockets exist."""
        sockets = [kernel.own / f"k-{number}" for number in range(1, 6)]
        deadline = time.monotonic() + PATIENCE
        while not all(path.exists() for path in sockets):
            if not kernel.alive() or time.monotonic() > deadline:
                kernel.kill()
                raise NoKernel("the kernel did not start")
            time.sleep(0.005)

    def close(self) -> None:
        """End the server and remove what is left."""
        if self.server is not None:
            self.server.close()
        if self.groups is not None:
            self.groups.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.close(self.held)
