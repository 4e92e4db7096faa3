"""System calls that nothing in the cage may make.

Stands in the cage, beside start.py, and imports nothing of the course. Rights that a process gives
up come back inside of a user namespace, and some calls hold memory that belongs to no process: both
are closed here.
"""

import ctypes
import errno
import platform
import struct

# System calls that make namespaces, mount, look into other processes, hold memory that belongs to
# no process, reach keys of the user, or open large parts of the kernel: numbers on x86-64, aarch64.
DENIED = {
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "memfd_create": (319, 279),
    "memfd_secret": (447, 447), "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190),
    "mq_open": (240, 180),
}  # fmt: skip
CLONE, CLONE3, SOCKET = (56, 220), (435, 435), (41, 198)
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
# CLONE_NEW* of <sched.h>, time namespaces aside, whose bit means something else to clone.
NEW_NAMESPACE = 0x7E020000
FAMILIES = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK (which libzmq needs)
# From <linux/bpf_common.h>, <linux/seccomp.h> and <sys/prctl.h>.
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, ERROR = 0x7FFF0000, 0x00050000
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, value


def program(column: int, architecture: int) -> list[Instruction]:
    """Return the filter for one architecture, in the instructions of classic BPF."""

    def refuse(number: int) -> Instruction:
        return RETURN, 0, 0, ERROR | number

    words: list[Instruction] = [
        (LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, architecture), refuse(errno.EPERM),
        (LOAD, 0, 0, NUMBER), (AT_LEAST, 0, 1, 0x40000000), refuse(errno.EPERM),  # x32's numbers
    ]  # fmt: skip
    for numbers in DENIED.values():
        words += [(EQUAL, 0, 1, numbers[column]), refuse(errno.EPERM)]
    # glibc asks clone where there is no clone3, whose flags a filter cannot see.
    words += [(EQUAL, 0, 1, CLONE3[column]), refuse(errno.ENOSYS)]
    words += [(EQUAL, 0, 4, CLONE[column]), (LOAD, 0, 0, FIRST_ARGUMENT)]
    words += [(ANY_BIT, 0, 1, NEW_NAMESPACE), refuse(errno.EPERM), (RETURN, 0, 0, ALLOW)]
    words += [(EQUAL, 0, 2 + len(FAMILIES), SOCKET[column]), (LOAD, 0, 0, FIRST_ARGUMENT)]
    words += [(EQUAL, len(FAMILIES) - i, 0, family) for i, family in enumerate(FAMILIES)]
    return [*words, refuse(errno.EAFNOSUPPORT), (RETURN, 0, 0, ALLOW)]


def deny() -> None:
    """Install the filter for this process and all that it starts; there is no way back.

    On an architecture whose numbers are not known here, the other walls have to do.
    """
    if platform.machine() not in ARCHITECTURES:
        return
    words = program(*ARCHITECTURES[platform.machine()])
    code = b"".join(struct.pack("HBBI", *word) for word in words)
    held = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: a length, and a pointer at the next aligned place.
    given = struct.pack("HxxxxxxP", len(words), ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(given), 0, 0):
        raise OSError(ctypes.get_errno(), "the filter of system calls cannot be installed")
