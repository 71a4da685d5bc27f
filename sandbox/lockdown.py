"""The operating-system layer: what a fresh worker gives away, in order, before it runs anything.

Each step is tried and says what came of it; the host decides whether that is enough for the level that was
asked for. Everything here is the kernel's own doing, reached through ctypes; nothing needs root.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from . import seccomp

_MIB = 1 << 20
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT, _LANDLOCK_ASK_VERSION = 444, 446, 1
_LANDLOCK_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # by version: how many rights it knows
_CAPABILITY_VERSION = 0x20080522
_CAPSET = {"x86_64": 126, "aarch64": 91}
_NOBODY = 65534


def lock_down(descriptor: int, memory_mb: int, parent: int, space: int) -> dict[str, str]:
    """Take every step; each maps to "" where it took effect, else to the reason why not.

    `descriptor` is the socket to the host, the only one that stays open; `parent` is the process without
    which this one is not to live; `space` is the address space in bytes that it has to begin with.
    """
    steps: dict[str, Callable[[], None]] = {
        "memory": lambda: limit_memory(memory_mb, space),
        "descriptors": lambda: close_descriptors(descriptor),
        "unprivileged": drop_privileges,
        "no_new_privileges": lambda: _prctl(_PR_SET_NO_NEW_PRIVS, 1),
        "undumpable": lambda: _prctl(_PR_SET_DUMPABLE, 0),
        "dies_with_host": lambda: die_with(parent),
        "landlock": restrict_files,
        "limits": lambda: limit_resources(descriptor),
        "seccomp": lambda: seccomp.install(_libc(), descriptor),
    }
    return {name: tried(step) for name, step in steps.items()}


def tried(step: Callable[[], None]) -> str:
    """Take a step: "" where it took effect, else why not."""
    try:
        step()
    except (OSError, ValueError, AttributeError) as error:  # AttributeError: a libc without the call
        return str(error) or type(error).__name__
    return ""


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    _checked(_libc().prctl(option, value, 0, 0, 0))


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def close_descriptors(kept: int) -> None:
    """Close all but `kept`; the standard three lead to the null device."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    highest = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    os.closerange(3, kept)
    os.closerange(kept + 1, min(highest, 1 << 16))


def limit_resources(descriptor: int) -> None:
    """No file, no core, no process and no further descriptor."""
    for limit in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC):
        resource.setrlimit(limit, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptor + 1, descriptor + 1))


def limit_memory(memory_mb: int, space: int) -> None:
    """At most `memory_mb` of address space on top of the `space` in bytes that is there."""
    if space == 0:
        raise OSError("this system does not limit address space, so memory has no limit inside")
    total = space + memory_mb * _MIB
    resource.setrlimit(resource.RLIMIT_AS, (total, total))


def address_space() -> int:
    """Bytes of address space of this process; 0 where the system does not say."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()


def drop_privileges() -> None:
    """Be a user without rights, where this one is root, and hold no capability in any case."""
    if os.getuid() == 0 or os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    number = _CAPSET.get(os.uname().machine)
    if sys.platform == "linux" and number is not None:
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
        none = (ctypes.c_uint32 * 6)()
        _checked(_libc().syscall(number, ctypes.byref(header), ctypes.byref(none)))


def die_with(parent: int) -> None:
    """Be killed when the parent ends; it may have ended already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def restrict_files() -> None:
    """A landlock ruleset that handles every right its version knows, and allows none (landlock(7))."""
    if sys.platform != "linux":  # the same numbers are other calls elsewhere
        raise OSError("only Linux has landlock")
    libc = _libc()
    version = _checked(libc.syscall(_LANDLOCK_CREATE, None, 0, _LANDLOCK_ASK_VERSION))
    files = (1 << _LANDLOCK_FILE_RIGHTS.get(version, 16)) - 1
    wanted = [files, *([0b11] if version >= 4 else []), *([0b11] if version >= 6 else [])]
    attributes = (ctypes.c_uint64 * len(wanted))(*wanted)
    ruleset = _checked(libc.syscall(_LANDLOCK_CREATE, ctypes.byref(attributes), ctypes.sizeof(attributes), 0))
    try:
        _checked(libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0))
    finally:
        os.close(ruleset)
