"""The kernel provisioner ``course-cage``: nbclient and nbgrader, too, can start kernels in cages.

It is registered by an entry point in pyproject.toml; a last line in nbgrader_config.py uses it.
What a kernel may use is what ``CourseLimits`` says in the settings of whoever starts it; times are
that one's own affair.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Bool

from course.grading.cage import claims, command, limits
from course.grading.cage.groups import Group, Groups


class CageProvisioner(KernelProvisionerBase):
    """Starts each kernel in a cage of its own: ``course-cage`` for jupyter_client."""

    hide_key = Bool(False, help="Put an empty module in the place of helpers.check.").tag(
        config=True
    )
    process: subprocess.Popen[bytes] | None = None
    folder: Path | None = None
    held = door = -1
    groups: Groups | None = None
    group: Group | None = None

    @property
    def has_process(self) -> bool:
        """Whether a kernel was started and not cleaned up."""
        return self.process is not None

    async def poll(self) -> int | None:
        """Return None while the kernel runs, else its exit code."""
        return self.process.poll() if self.process else 0

    async def wait(self) -> int | None:
        """Wait until the kernel has ended; return its exit code."""
        while self.process and self.process.poll() is None:
            await asyncio.sleep(0.05)
        code = self.process.returncode if self.process else 0
        self.process = None
        return code

    async def send_signal(self, signum: int) -> None:
        """Send a signal; an interrupt goes as a message instead, which crosses namespaces."""
        if self.process and signum not in (0, 2):
            self.process.send_signal(signum)

    async def kill(self, restart: bool = False) -> None:
        """End the cage, and with it every process inside."""
        if self.process:
            self.process.kill()

    async def terminate(self, restart: bool = False) -> None:
        """End the cage as well: nothing inside needs to be asked."""
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the cage's folder."""
        if self.group:
            self.group.remove()
            self.group = None
        if self.folder and not restart:
            shutil.rmtree(self.folder, ignore_errors=True)
            os.close(self.held)
            self.folder = None
            if self.groups:
                self.groups.close()

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose sockets in a private folder, and compose the command of the cage."""
        why = command.works()
        if why:
            raise RuntimeError(f"There is no cage here: {why}; {command.remedy()}.")
        manager: Any = self.parent
        if self.folder is None:
            where = Path(tempfile.gettempdir())
            claims.sweep(where)
            self.folder, self.held = claims.claimed(where)
            self.groups = Groups()
            own = self.folder / "run" / "0"
            own.mkdir(parents=True)
            for name, value in command.connection(str(own), "").items():
                if name not in ("key", "signature_scheme", "kernel_name"):
                    setattr(manager, name, value)
        self.kernel_spec.interrupt_mode = "message"
        key = manager.session.key.decode()
        given = self._limits()
        door = -1
        if self.groups is not None:
            self.group = self.groups.new("0", given.memory)
            door = self.group.door() if self.group else -1
        kept = self._kept(kwargs)
        words = command.once(self.folder, "0", key, given, kept, self.hide_key, door)
        self.door = door
        self.connection_info = manager.get_connection_info()
        return await super().pre_launch(cmd=words, **kwargs)

    def _limits(self) -> limits.Limits:
        """Return the limits that the settings give, else the defaults."""
        return limits.configured(self.config.get("CourseLimits", {}))

    def _kept(self, kwargs: dict[str, Any]) -> dict[str, str]:
        """Return what a caged kernel may know of the caller's environment."""
        names = ("COURSE_DATA_SEED", "NBGRADER_EXECUTION", "NBGRADER_VALIDATING")
        given = {**os.environ, **kwargs.get("env", {})}
        return {name: given[name] for name in names if name in given}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the cage."""
        doors = (self.door,) if self.door >= 0 else ()
        try:
            self.process = command.started(cmd, pass_fds=doors)
        finally:
            for door in doors:
                os.close(door)
        return self.connection_info
