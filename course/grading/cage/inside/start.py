"""What runs inside the cage: makes kernels, one at once (cold) or many by forking (warm).

A program, and alone: it imports nothing of the course, because the course is not in the cage.

    python start.py once  REQUEST      become one kernel; bubblewrap has isolated it already
    python start.py bare  REQUEST      become one kernel without a cage, for those who trust it
    python start.py serve MODULES      import the modules once, then fork a kernel for each message
                                        of JSON on standard input, and report on standard output;
                                        modules after a comma wait for the third kernel
    python start.py try   REQUEST      do all that isolates a kernel, and look whether it works

A request is {"id", "env", "limits", "uid", "connection", "work", "lib", "fonts", "caged"}, and
"door", the number of an open file that leads into a control group, or -1 (the server is sent that
file with the request). The server runs no student's code and no torch operation; a kernel that it
forks gets namespaces of its own, sees no other student's files or processes, and dies as a whole.
"""

# ruff: noqa: PTH100, PTH120, PTH123, PTH208, SIM115
import contextlib
import ctypes
import gc
import importlib
import importlib.util
import json
import os
import random
import resource
import select
import shutil
import signal
import socket
import sys
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import memory  # both beside this file, wherever that is
import system_calls

del sys.path[0]

# From <sched.h>, <sys/mount.h> and <sys/prctl.h> of Linux.
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 1 << 17, 1 << 26, 1 << 27
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 1 << 28, 1 << 29, 1 << 30
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
FILES = 10_000  # in each of a kernel's temporary folders
LARGEST_REQUEST = 1 << 16  # bytes
MANY = 3  # kernels
# Where memory runs out, the system ends a student's process before any of the staff's.
FIRST_TO_GO = 500

libc = ctypes.CDLL(None, use_errno=True)


def must(result: int, what: str) -> None:
    """Raise the error of a failed system call."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Call mount(2)."""
    source_, target_, kind_, given = (x.encode() or None for x in (source, target, kind, options))
    must(libc.mount(source_, target_, kind_, ctypes.c_ulong(flags), given), f"mount {target}")


# --- a kernel ----------------------------------------------------------------------------------


def become_kernel(request: dict[str, Any], bound: int = -1) -> None:
    """Turn this process into a kernel; return when it has been shut down.

    Args:
        request: what to be, see the module.
        bound: a pipe to write to when the sockets exist; -1 for none.
    """
    if request["caged"]:
        drop_privileges(request["uid"])
        set_limits(request["limits"])
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["work"])
    silence()
    shutil.copytree(request["fonts"], os.environ["MPLCONFIGDIR"], dirs_exist_ok=True)
    sys.path.append(request["lib"])
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    app.initialize(
        ["-f", request["connection"], "--log-level=CRITICAL", "--HistoryManager.enabled=False"]
    )
    app.kernel.shell_handlers["course_request"] = answer
    # The folder that the kernel works in is the student's: a file there must not shadow a module.
    sys.path[:] = [p for p in sys.path if p not in ("", ".", request["work"])]
    if bound >= 0:
        os.write(bound, b"1")
        os.close(bound)
    app.start()


def answer(stream: Any, idents: Any, message: dict[str, Any]) -> None:
    """Answer a request of the judge, which is no cell: nothing to parse, compile or number.

    Whatever ends the call but an interrupt leaves it without a reply, which the judge can tell.
    """
    try:
        __import__("_course_wire").reply(**message["content"])
    except KeyboardInterrupt:  # for whoever runs the messages: it ends this one alone
        raise
    except BaseException:
        pass


def drop_privileges(uid: int) -> None:
    """Give up root and every capability, and the way to get them back."""
    if os.geteuid() == 0 and uid:
        with contextlib.suppress(OSError):
            os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    nothing = (ctypes.c_uint32 * 6)()
    must(libc.capset(header, nothing), "capset")
    must(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    system_calls.allow_only()


def set_limits(limits: dict[str, int]) -> None:
    """Set limits on memory, file size, processes and open files; no core dumps."""
    for name, key in ((resource.RLIMIT_DATA, "memory"), (resource.RLIMIT_FSIZE, "file_size"),
                      (resource.RLIMIT_NPROC, "processes"),
                      (resource.RLIMIT_NOFILE, "open_files")):  # fmt: skip
        resource.setrlimit(name, (limits[key], limits[key]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def silence() -> None:
    """Point the standard streams at nothing: what a student prints travels as messages."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)
    # pytest or a test runner may have left these closed or captured.
    sys.stdin, sys.stdout, sys.stderr = (open(n, m) for n, m in ((0, "r"), (1, "w"), (2, "w")))


# --- a server of kernels -----------------------------------------------------------------------


def load(modules: list[str]) -> bool:
    """Import modules; return whether this process may fork, and say why not."""
    for module in modules:
        importlib.import_module(module)
    # A kernel's collector would visit all that was imported, and copy the pages it stands on.
    gc.collect()
    gc.freeze()
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        say({"event": "unsafe", "why": f"the imports started {threads - 1} threads"})
    return threads == 1


def serve(modules: list[str]) -> None:
    """Import the modules, say so, and fork a kernel for each request until input ends.

    What only some kernels need, and takes as long as all the rest, is imported once there are many.
    """
    at = modules.index(",")
    now, later = modules[:at], modules[at + 1 :]
    if not load(now):
        return
    started = 0
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    kernels: dict[int, str] = {}
    say({"event": "ready"})
    asked = socket.socket(fileno=0)
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
        reap(kernels)
        if 0 in ready:
            message, doors, _, _ = socket.recv_fds(asked, LARGEST_REQUEST, 1)
            if not message:
                break
            request = json.loads(message)
            if "kill" not in request:
                started += 1
                if started == MANY and not load(later):
                    break
            obey({**request, "door": doors[0] if doors else -1}, kernels)
            for door in doors:
                os.close(door)
    for pid in kernels:
        os.kill(pid, signal.SIGKILL)


def obey(request: dict[str, Any], kernels: dict[int, str]) -> None:
    """Start a kernel, or kill one."""
    if "kill" in request:
        for pid, name in kernels.items():
            if name == request["kill"]:
                os.kill(pid, signal.SIGKILL)
        return
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            code = guard(request)
        except BaseException as error:
            say({"event": "failed", "id": request["id"], "why": str(error)[:300]})
        finally:
            os._exit(code)
    kernels[pid] = request["id"]


def reap(kernels: dict[int, str]) -> None:
    """Report every kernel that has ended."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            if ended[0] in kernels:
                code = os.waitstatus_to_exitcode(ended[1])
                say({"event": "ended", "id": kernels.pop(ended[0]), "code": code})


def say(event: dict[str, Any]) -> None:
    """Write one line of JSON to whoever started the server."""
    os.write(1, json.dumps(event).encode() + b"\n")


def guard(request: dict[str, Any]) -> int:
    """Isolate, and start the kernel's own first process; return its exit code.

    Three processes: this one, in the server's process namespace, which can be killed by its number;
    the first of the new namespace, with whose end everything in it ends; and the kernel.
    """
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    enter(request["door"])
    root = os.geteuid() == 0 and bool(request["uid"])
    own, group = os.geteuid(), os.getegid()
    flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS
    must(libc.unshare(flags if root else flags | CLONE_NEWUSER), "unshare")
    if not root:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{own} {own} 1"),
                           ("gid_map", f"{group} {group} 1")):  # fmt: skip
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    first = os.fork()
    if first == 0:
        code = 1
        try:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            code = begin(request)
        except BaseException as error:
            say({"event": "failed", "id": request["id"], "why": str(error)[:300]})
        finally:
            os._exit(code)
    _, status = os.waitpid(first, 0)
    return os.waitstatus_to_exitcode(status) & 0xFF


def begin(request: dict[str, Any]) -> int:
    """As the first process of the namespace: mount what the kernel may see, start it, wait."""
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount(f"/cage/run/{request['id']}", "/cage/own", flags=MS_BIND)
    mount("tmpfs", "/cage/run", "tmpfs", MS_NOSUID | MS_NODEV, "size=4k,mode=0755")
    return parent(request, enclose(request["limits"]))


def enclose(limits: dict[str, int]) -> set[str]:
    """Make the folders that a kernel can write to, limited in size and files, and lock the rest.

    Returns:
        Those folders.
    """
    size = f"size={limits['disk']},nr_inodes={FILES},mode=0777"
    own = {"/cage/work", "/cage/home", "/dev/shm"}
    if not os.listdir("/tmp"):  # else this Python itself lives below /tmp
        own.add("/tmp")
    for path in sorted(own):
        mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, size)
    lock({"/proc", "/cage/own", *own})
    return own


def enter(door: int) -> None:
    """Enter the control group behind an open file, if there is one; what is forked is in it too."""
    if door >= 0:
        os.write(door, b"0")


def parent(request: dict[str, Any], folders: set[str]) -> int:
    """Start the kernel as a child, guard it until it ends, and return its exit code."""
    ready, bound = os.pipe()
    kernel = os.fork()
    if kernel == 0:
        code = 1
        try:
            # What the server has open, its pipes above all, is no student's to touch.
            os.closerange(3, bound)
            os.closerange(bound + 1, 4096)
            with open("/proc/self/oom_score_adj", "w") as file:
                file.write(str(FIRST_TO_GO))
            reseed()
            become_kernel(request, bound)
            code = 0
        except BaseException as error:  # told while standard output still leads outside
            say({"event": "failed", "id": request["id"], "why": repr(error)[:300]})
        finally:
            os._exit(code)
    os.close(bound)
    # The kernel may be the same user: what /proc tells of this process, and lets be set, is root's.
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.read(ready, 1):
        # The sockets exist: from now on the one folder shared with the host can only be read.
        flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV
        mount("none", "/cage/own", flags=flags)
    return memory.watch(kernel, request["limits"]["memory"], folders)


def try_out(request: dict[str, Any]) -> None:
    """Do all that isolates a kernel; raise where something of it does not work, or is not there."""
    enclose(request["limits"])
    drop_privileges(request["uid"])
    set_limits(request["limits"])
    for name in ("helpers", "torch"):  # found, not imported: that takes a second
        if importlib.util.find_spec(name) is None:
            raise ImportError(f"{name} is not to be seen in it")


def lock(writable: set[str]) -> None:
    """Make every mount read-only but those named: a folder that two kernels see is for reading."""
    kept = {"nosuid": MS_NOSUID, "nodev": MS_NODEV, "noexec": MS_NOEXEC, "noatime": 1024,
            "nodiratime": 2048, "relatime": 1 << 21}  # fmt: skip
    with open("/proc/self/mountinfo") as file:
        mounts = [line.split() for line in file]
    for fields in mounts:
        path, options = fields[4].encode().decode("unicode_escape"), fields[5].split(",")
        if path in writable or path.startswith("/dev/") or "ro" in options:
            continue
        flags = MS_REMOUNT | MS_BIND | MS_RDONLY
        for option in options:
            flags |= kept.get(option, 0)
        mount("none", path, flags=flags)


def reseed() -> None:
    """Give a forked kernel random numbers of its own, as a fresh process would have."""
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2:])
    elif sys.argv[1] == "try":
        try_out(json.loads(sys.argv[2]))
    else:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        given = json.loads(sys.argv[2])
        if given["caged"]:
            enter(given["door"])
            sys.exit(parent(given, enclose(given["limits"])))
        become_kernel(given)
