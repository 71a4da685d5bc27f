"""A system-call filter for the worker: an allow-list, built here as classic BPF and installed through prctl.

What is not listed fails with EPERM; what no interpreter asks for by accident (running programs, making
processes, tracing, mounting, loading kernel code) ends the process. There is no call on the list that opens
a file or a socket, so the filter alone also holds where the kernel lacks landlock. `read` and `write` work
on the one socket to the host, and no memory can be made executable.

Layout of `struct seccomp_data` and the return values: linux/seccomp.h; instruction codes: linux/bpf_common.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCH_AT, _ARGS_AT = 0, 4, 16
_ALLOW = 0x7FFF0000
_FAIL = 0x00050000 | errno.EPERM
_KILL = 0x80000000
_PROT_EXEC = 4
_X32_BIT = 0x40000000
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2


@dataclass(frozen=True, slots=True)
class Architecture:
    """The numbers of one machine's system calls, from its kernel's unistd.h."""

    audit: int
    on_socket: dict[str, int]
    without_exec: dict[str, int]
    free: dict[str, int]
    deadly: dict[str, int]


_X86_64 = Architecture(
    audit=0xC000003E,
    on_socket={"read": 0, "write": 1},
    without_exec={"mmap": 9, "mprotect": 10},
    free={
        "munmap": 11, "brk": 12, "rt_sigreturn": 15, "sched_yield": 24, "mremap": 25, "madvise": 28,
        "nanosleep": 35, "getitimer": 36, "setitimer": 38, "getpid": 39, "exit": 60, "gettimeofday": 96,
        "getrusage": 98, "times": 100, "gettid": 186, "time": 201, "futex": 202, "restart_syscall": 219,
        "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231,
        "getrandom": 318,
    },
    deadly={
        "clone": 56, "fork": 57, "vfork": 58, "execve": 59, "ptrace": 101, "pivot_root": 155,
        "chroot": 161, "mount": 165, "umount2": 166, "swapon": 167, "reboot": 169, "init_module": 175,
        "delete_module": 176, "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250,
        "unshare": 272, "perf_event_open": 298, "open_by_handle_at": 304, "setns": 308,
        "process_vm_readv": 310, "process_vm_writev": 311, "finit_module": 313, "bpf": 321,
        "execveat": 322, "userfaultfd": 323, "io_uring_setup": 425, "clone3": 435,
    },
)  # fmt: skip
_AARCH64 = Architecture(
    audit=0xC00000B7,
    on_socket={"read": 63, "write": 64},
    without_exec={"mmap": 222, "mprotect": 226},
    free={
        "munmap": 215, "brk": 214, "rt_sigreturn": 139, "sched_yield": 124, "mremap": 216,
        "madvise": 233, "nanosleep": 101, "getitimer": 102, "setitimer": 103, "getpid": 172, "exit": 93,
        "gettimeofday": 169, "getrusage": 165, "times": 153, "gettid": 178, "futex": 98,
        "restart_syscall": 128, "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115,
        "exit_group": 94, "getrandom": 278,
    },
    deadly={
        "clone": 220, "execve": 221, "ptrace": 117, "pivot_root": 41, "chroot": 51, "mount": 40,
        "umount2": 39, "swapon": 224, "reboot": 142, "init_module": 105, "delete_module": 106,
        "kexec_load": 104, "add_key": 217, "request_key": 218, "keyctl": 219, "unshare": 97,
        "perf_event_open": 241, "open_by_handle_at": 265, "setns": 268, "process_vm_readv": 270,
        "process_vm_writev": 271, "finit_module": 273, "bpf": 280, "execveat": 281, "userfaultfd": 282,
        "io_uring_setup": 425, "clone3": 435,
    },
)  # fmt: skip
ARCHITECTURES = {"x86_64": _X86_64, "aarch64": _AARCH64}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def instructions(calls: Architecture, descriptor: int) -> list[tuple[int, int, int, int]]:
    """The filter as (code, jump if true, jump if false, operand), for a worker whose socket is `descriptor`.

    >>> instructions(ARCHITECTURES["x86_64"], 3)[-1] == (6, 0, 0, 0x00050001)
    True
    """
    made = [(_LOAD, 0, 0, _ARCH_AT), (_JUMP_EQUAL, 1, 0, calls.audit), (_RETURN, 0, 0, _KILL)]
    made += [(_LOAD, 0, 0, _NUMBER_AT)]
    if calls is _X86_64:
        made += [(_JUMP_AT_LEAST, 0, 1, _X32_BIT), (_RETURN, 0, 0, _KILL)]
    for number in calls.on_socket.values():
        made += _checked(number, _ARGS_AT, (_JUMP_EQUAL, 0, 1, descriptor))
    for number in calls.without_exec.values():
        made += _checked(number, _ARGS_AT + 2 * 8, (_JUMP_BITS, 1, 0, _PROT_EXEC))
    for number in calls.free.values():
        made += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    for number in calls.deadly.values():
        made += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _KILL)]
    return [*made, (_RETURN, 0, 0, _FAIL)]


def _checked(
    number: int, argument_at: int, test: tuple[int, int, int, int]
) -> list[tuple[int, int, int, int]]:
    """Allow the call where `test` of an argument's lower half goes on; where it jumps one, fail."""
    return [
        (_JUMP_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, argument_at),
        test,
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _FAIL),
    ]


def install(libc: ctypes.CDLL, descriptor: int) -> None:
    """Put the filter on this process, for good. Raises OSError where the system has no such thing."""
    calls = ARCHITECTURES.get(platform.machine())
    if calls is None:
        raise OSError(errno.ENOSYS, f"no table of system calls for {platform.machine()}")
    packed = [struct.pack("=HBBI", *instruction) for instruction in instructions(calls, descriptor)]
    program = _Program(len(packed), b"".join(packed))
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
