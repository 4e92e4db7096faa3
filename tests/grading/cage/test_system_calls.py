"""Is the list of system calls what it says it is?"""

import errno
import struct

import pytest

from course.grading.cage.inside import system_calls

# Of <asm/unistd.h>: what opens a machine, on x86-64 and aarch64.
DENIED = {
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "pivot_root": (155, 41),
    "open_tree": (428, 428), "fsopen": (430, 430), "open_tree_attr": (467, 467),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "keyctl": (250, 219), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_setup": (206, 0), "memfd_create": (319, 279), "shmget": (29, 194), "mq_open": (240, 180),
    "fanotify_init": (300, 262), "vmsplice": (278, 75), "splice": (275, 76), "tee": (276, 77),
    "clone3": (435, 435), "x32": (0x40000000, 0x40000000), "none yet": (600, 600),
}  # fmt: skip


def answer(machine, number, *arguments, architecture=None):
    """Run the filter as Linux does, on one call."""
    column, known = system_calls.ARCHITECTURES[machine]
    data = struct.pack("=IIQ6Q", number, architecture or known, 0, *(*arguments, *[0] * 6)[:6])
    held, at, program = 0, 0, system_calls.program(column, known)
    while True:
        code, if_true, if_false, value = program[at]
        at += 1
        if code == system_calls.LOAD:
            held = int.from_bytes(data[value : value + 4], "little")
        elif code == system_calls.AND:
            held &= value
        elif code == system_calls.RETURN:
            return None if value == system_calls.ALLOW else value & 0xFFFF
        else:
            true = {system_calls.EQUAL: held == value, system_calls.AT_LEAST: held >= value,
                    system_calls.ANY_BIT: bool(held & value)}[code]  # fmt: skip
            at += if_true if true else if_false


@pytest.mark.parametrize("machine", system_calls.ARCHITECTURES)
def test_is_what_is_named_allowed_and_nothing_else(machine):
    column, _ = system_calls.ARCHITECTURES[machine]
    allowed = {numbers[column] for numbers in system_calls.ALLOWED.values()} - {-1}
    special = {system_calls.CLONE[column], system_calls.MMAP[column],
               system_calls.SETSOCKOPT[column], *(n[column] for n in system_calls.SOCKETS),
               *(n[column] for n in system_calls.ZERO)}  # fmt: skip
    assert not allowed & special
    for number in range(700):
        if number not in special:
            assert answer(machine, number) == (None if number in allowed else errno.ENOSYS), number
    for name, numbers in DENIED.items():
        assert answer(machine, numbers[column]) == errno.ENOSYS, name
    assert len(allowed) == sum(n[column] >= 0 for n in system_calls.ALLOWED.values())


@pytest.mark.parametrize("machine", system_calls.ARCHITECTURES)
def test_which_arguments_are_refused(machine):
    column, _ = system_calls.ARCHITECTURES[machine]

    def asked(numbers, *arguments):
        return answer(machine, numbers[column], *arguments)

    assert asked(system_calls.CLONE, 0x10000000) == errno.EPERM
    assert asked(system_calls.CLONE, 0x3D0F00) is None  # a thread
    shared, private, of_file = 0x21, 0x22, 0x01
    assert asked(system_calls.MMAP, 0, 4096, 3, shared) == errno.ENOMEM
    assert asked(system_calls.MMAP, 0, 4096, 3, shared | 0x4000) == errno.ENOMEM
    assert asked(system_calls.MMAP, 0, 4096, 3, private) is None
    assert asked(system_calls.MMAP, 0, 4096, 3, of_file) is None
    for numbers, place in system_calls.ZERO.items():
        assert asked(numbers, *[0] * place, 1) == errno.EPERM
        assert asked(numbers) is None
    for numbers in system_calls.SOCKETS:
        assert asked(numbers, 1) is None
        assert asked(numbers, 40) == errno.EAFNOSUPPORT  # AF_VSOCK: the machine below
    for option in system_calls.BUFFERS:
        assert asked(system_calls.SETSOCKOPT, 3, 1, option) == errno.EPERM
        assert asked(system_calls.SETSOCKOPT, 3, 6, option) is None
    assert asked(system_calls.SETSOCKOPT, 3, 1, 2) is None


def test_is_another_architectures_call_refused():
    assert answer("x86_64", 0, architecture=0x40000003) == errno.EPERM  # i386
