"""The system calls that a kernel in the cage may make; there are no others for it.

Stands in the cage, beside start.py, and imports nothing of the course. Rights that a process gives
up come back inside of a user namespace, some calls hold memory that belongs to no process, and each
new version of Linux brings more: so what the sheets, Python, torch and Jupyter need is named, and
all the rest is answered as by a system that has not got it.

The filter is put together here, from a table that can be read, and not by libseccomp: that would be
a system package more, for the same forty lines.
"""

import ctypes
import errno
import platform
import struct

# Numbers on x86-64 and aarch64; -1 where there is no such call.
ALLOWED = {
    # files and folders
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66), "pread64": (17, 67),
    "pwrite64": (18, 68), "preadv": (295, 69), "pwritev": (296, 70), "preadv2": (327, 286),
    "pwritev2": (328, 287), "open": (2, -1), "openat": (257, 56), "creat": (85, -1),
    "close": (3, 57), "close_range": (436, 436), "dup": (32, 23), "dup2": (33, -1),
    "dup3": (292, 24), "lseek": (8, 62), "fcntl": (72, 25), "flock": (73, 32), "ioctl": (16, 29),
    "stat": (4, -1), "fstat": (5, 80), "lstat": (6, -1), "newfstatat": (262, 79),
    "statx": (332, 291), "statfs": (137, 43), "fstatfs": (138, 44), "access": (21, -1),
    "faccessat": (269, 48), "faccessat2": (439, 439), "readlink": (89, -1), "readlinkat": (267, 78),
    "getdents": (78, -1), "getdents64": (217, 61), "getcwd": (79, 17), "chdir": (80, 49),
    "fchdir": (81, 50), "mkdir": (83, -1), "mkdirat": (258, 34), "rmdir": (84, -1),
    "unlink": (87, -1), "unlinkat": (263, 35), "rename": (82, -1), "renameat": (264, 38),
    "renameat2": (316, 276), "link": (86, -1), "linkat": (265, 37), "symlink": (88, -1),
    "symlinkat": (266, 36), "mknod": (133, -1), "mknodat": (259, 33), "chmod": (90, -1),
    "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, -1), "fchown": (93, 55),
    "lchown": (94, -1), "fchownat": (260, 54), "truncate": (76, 45), "ftruncate": (77, 46),
    "fallocate": (285, 47), "fsync": (74, 82), "fdatasync": (75, 83), "utime": (132, -1),
    "utimes": (235, -1), "futimesat": (261, -1), "utimensat": (280, 88), "umask": (95, 166),
    "sendfile": (40, 71), "copy_file_range": (326, 285), "fadvise64": (221, 223),
    "getxattr": (191, 8), "lgetxattr": (192, 9), "fgetxattr": (193, 10), "listxattr": (194, 11),
    "llistxattr": (195, 12), "flistxattr": (196, 13), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    # memory; mmap stands below
    "brk": (12, 214), "munmap": (11, 215), "mremap": (25, 216), "mprotect": (10, 226),
    "madvise": (28, 233), "mincore": (27, 232), "msync": (26, 227), "membarrier": (324, 283),
    # processes, threads, signals; clone stands below
    "fork": (57, -1), "vfork": (58, -1), "execve": (59, 221), "exit": (60, 93),
    "exit_group": (231, 94), "wait4": (61, 260), "waitid": (247, 95), "kill": (62, 129),
    "tkill": (200, 130), "tgkill": (234, 131), "futex": (202, 98), "set_tid_address": (218, 96),
    "set_robust_list": (273, 99), "get_robust_list": (274, 100), "rseq": (334, 293),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigpending": (127, 136),
    "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133), "rt_sigreturn": (15, 139),
    "rt_sigqueueinfo": (129, 138), "sigaltstack": (131, 132), "pause": (34, -1),
    "restart_syscall": (219, 128), "prctl": (157, 167), "arch_prctl": (158, -1),
    "setsid": (112, 157), "setpgid": (109, 154), "sched_yield": (24, 124),
    # about oneself
    "getpid": (39, 172), "getppid": (110, 173), "gettid": (186, 178), "getpgrp": (111, -1),
    "getpgid": (121, 155), "getsid": (124, 156), "getuid": (102, 174), "geteuid": (107, 175),
    "getgid": (104, 176), "getegid": (108, 177), "getresuid": (118, 148), "getresgid": (120, 150),
    "getgroups": (115, 158), "capget": (125, 90), "getrlimit": (97, 163), "setrlimit": (160, 164),
    "getrusage": (98, 165), "getpriority": (140, 141), "sched_getaffinity": (204, 123),
    "sched_getparam": (143, 121), "sched_getscheduler": (145, 120),
    "sched_get_priority_max": (146, 125), "sched_get_priority_min": (147, 126),
    "getcpu": (309, 168), "sysinfo": (99, 179), "uname": (63, 160), "times": (100, 153),
    "getrandom": (318, 278),
    # time
    "time": (201, -1), "gettimeofday": (96, 169), "clock_gettime": (228, 113),
    "clock_getres": (229, 114), "clock_nanosleep": (230, 115), "nanosleep": (35, 101),
    "alarm": (37, -1), "getitimer": (36, 102), "setitimer": (38, 103), "timerfd_create": (283, 85),
    "timerfd_settime": (286, 86), "timerfd_gettime": (287, 87),
    # waiting, pipes, sockets; socket and setsockopt stand below
    "poll": (7, -1), "ppoll": (271, 73), "select": (23, -1), "pselect6": (270, 72),
    "epoll_create": (213, -1), "epoll_create1": (291, 20), "epoll_ctl": (233, 21),
    "epoll_wait": (232, -1), "epoll_pwait": (281, 22), "epoll_pwait2": (441, 441),
    "eventfd": (284, -1), "eventfd2": (290, 19), "pipe": (22, -1), "pipe2": (293, 59),
    "bind": (49, 200), "connect": (42, 203), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242), "getsockname": (51, 204), "getpeername": (52, 205), "sendto": (44, 206),
    "recvfrom": (45, 207), "sendmsg": (46, 211), "recvmsg": (47, 212), "sendmmsg": (307, 269),
    "recvmmsg": (299, 243), "shutdown": (48, 210), "getsockopt": (55, 209),
}  # fmt: skip
CLONE, MMAP, SETSOCKOPT = (56, 220), (9, 222), (54, 208)
SOCKETS = ((41, 198), (53, 199))  # socket, socketpair
# Other processes' limits and turns are not to be set: of each, the argument that has to be zero.
# prlimit64 and sched_setaffinity: the process, zero for oneself. sched_setscheduler: the policy,
# zero for the usual one, which libzmq asks for; it dies where there is no such call.
ZERO = {(302, 261): 0, (203, 122): 0, (144, 119): 1}

# CLONE_NEW* of <sched.h>, time namespaces aside, whose bit means something else to clone.
NEW_NAMESPACE = 0x7E020000
# AF_UNIX, and what libzmq and Python ask for as they start: AF_INET, AF_INET6, AF_NETLINK.
FAMILIES = (1, 2, 10, 16)
# MAP_SHARED and MAP_ANONYMOUS of <sys/mman.h>, and the bits that say which kind a mapping is. Such
# pages outlive their place in any process's tables, so that nobody can count them.
KIND, SHARED_ANONYMOUS = 0x2F, 0x21
# SOL_SOCKET and, of its options, SO_SNDBUF, SO_RCVBUF, SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_ZEROCOPY:
# what waits in a socket belongs to no process, so that each has the size that it is made with.
SOL_SOCKET, BUFFERS = 1, (7, 8, 32, 33, 60)

# From <linux/bpf_common.h>, <linux/seccomp.h> and <sys/prctl.h>.
LOAD, EQUAL, AT_LEAST, ANY_BIT, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
ALLOW, ERROR = 0x7FFF0000, 0x00050000
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
NUMBER, ARCHITECTURE, ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, value
PASS: Instruction = (RETURN, 0, 0, ALLOW)


def refuse(number: int) -> Instruction:
    """Return the instruction that ends a call with an error."""
    return RETURN, 0, 0, ERROR | number


def argument(number: int) -> Instruction:
    """Return the instruction that loads the lower half of an argument."""
    return LOAD, 0, 0, ARGUMENT + 8 * number


def program(column: int, architecture: int) -> list[Instruction]:
    """Return the filter for one architecture, in the instructions of classic BPF."""
    words: list[Instruction] = [
        (LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, architecture), refuse(errno.EPERM),
        (LOAD, 0, 0, NUMBER),
    ]  # fmt: skip

    def where(number: int, *block: Instruction) -> None:
        words.extend([(EQUAL, 0, len(block), number), *block])

    # glibc asks clone where there is no clone3, whose flags a filter cannot see.
    where(CLONE[column], argument(0), (ANY_BIT, 0, 1, NEW_NAMESPACE), refuse(errno.EPERM), PASS)
    where(
        MMAP[column],
        argument(3), (AND, 0, 0, KIND), (EQUAL, 0, 1, SHARED_ANONYMOUS), refuse(errno.ENOMEM), PASS,
    )  # fmt: skip
    for numbers, place in ZERO.items():
        where(numbers[column], argument(place), (EQUAL, 1, 0, 0), refuse(errno.EPERM), PASS)
    for numbers in SOCKETS:
        known: list[Instruction] = [
            (EQUAL, len(FAMILIES) - i, 0, family) for i, family in enumerate(FAMILIES)
        ]
        where(numbers[column], argument(0), *known, refuse(errno.EAFNOSUPPORT), PASS)
    options: list[Instruction] = [
        (EQUAL, len(BUFFERS) - i, 0, option) for i, option in enumerate(BUFFERS)
    ]
    where(
        SETSOCKOPT[column],
        argument(1), (EQUAL, 1, 0, SOL_SOCKET), PASS,
        argument(2), *options, PASS, refuse(errno.EPERM),
    )  # fmt: skip
    for first, last in ranges(sorted(n[column] for n in ALLOWED.values() if n[column] >= 0)):
        words += [(AT_LEAST, 0, 2, first), (AT_LEAST, 1, 0, last + 1), PASS]
    return [*words, refuse(errno.ENOSYS)]


def ranges(numbers: list[int]) -> list[tuple[int, int]]:
    """Return sorted numbers as first and last of each row of neighbours."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def allow_only() -> None:
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
