"""The process that workers are forked from: started once, everything imported, waiting.

It takes requests of five bytes on its control socket, an operation and a number, and answers with eight:

    F 0     fork a worker; its socket comes with the request. Answer: its process id (0: no room for one), 0
    E pid   end a worker at once.     Answer: its exit status (negative for a signal), 1 if it was killed by this
    W pid   give a worker a moment to end by itself, then as E

It keeps every dead worker's process id until it is asked to end it, so that no id can be taken for another's.
When the host goes away it ends, and every worker with it.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import time
import warnings
from collections.abc import Callable

from . import worker
from .copying import guard_copying
from .facades import preload
from .lockdown import address_space
from .namespace import Prepared
from .packages import prepare
from .wire import ANSWER, REQUEST

_MOMENT_SECONDS = 0.1


def serve(descriptor: int, packages: list[str], forget_packages: Callable[[], None]) -> None:
    """Answer requests until the host hangs up; `packages` are imported for programs to use."""
    control = socket.socket(fileno=descriptor)
    warnings.simplefilter("ignore")
    preload()
    guard_copying()
    prepared: Prepared = {}
    for package in packages:
        prepared.update(prepare(package))
    forget_packages()
    gc.collect()
    gc.freeze()  # collections in workers then leave the shared pages alone
    control.sendall(ANSWER.pack(0, 0))
    alive: set[int] = set()
    space = address_space()
    while True:
        request, sockets, _, _ = socket.recv_fds(control, REQUEST.size, 1)
        if len(request) < REQUEST.size:
            break
        operation, number = REQUEST.unpack(request)
        if operation == b"F":
            number = fork(control, sockets[0], space, prepared)
            alive |= {number} - {0}
            answer = ANSWER.pack(number, 0)
        elif number in alive:
            alive.discard(number)
            answer = ANSWER.pack(*end(number, _MOMENT_SECONDS if operation == b"W" else 0.0))
        else:
            answer = ANSWER.pack(0, 0)
        control.sendall(answer)
    for number in alive:
        end(number, 0.0)


def fork(control: socket.socket, descriptor: int, space: int, prepared: Prepared) -> int:
    """A new worker's process id, 0 where there is no room for one; in the worker itself this does not return."""
    parent = os.getpid()
    try:
        pid = os.fork()
    except OSError:
        os.close(descriptor)
        return 0
    if pid:
        os.close(descriptor)
        return pid
    try:
        control.close()
        worker.serve(descriptor, parent, space, prepared)
    finally:
        os._exit(0)


def end(pid: int, seconds: float) -> tuple[int, int]:
    """Wait for a worker as long as said, then kill it; its exit status, and whether it was killed."""
    deadline = time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status), 0
        if time.monotonic() >= deadline:
            break
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 1
