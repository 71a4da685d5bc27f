"""Threads for work that nobody has to wait for: used again, and never shared with what runs."""

from __future__ import annotations

import os
import threading
import time
from contextvars import ContextVar

import pytest

from loopwright.tools.threads import in_threads, spawn

NAME: ContextVar[str] = ContextVar("NAME", default="")


def test_a_thread_that_is_done_is_used_again() -> None:
    idents = set()
    for _ in range(50):
        idents.add(spawn(threading.get_ident).result(timeout=60))
        time.sleep(0.002)  # until it waits for more
    assert len(idents) < 25


def test_work_that_hangs_keeps_its_thread_to_itself() -> None:
    go = threading.Event()
    hanging = [spawn(lambda: go.wait(60)) for _ in range(5)]
    assert [spawn(lambda: 2).result(timeout=60) for _ in range(10)] == [2] * 10
    go.set()
    assert all(future.result(timeout=60) for future in hanging)


def test_each_piece_of_work_has_the_context_of_who_began_it() -> None:
    found = []
    for name in ("first", "second"):
        token = NAME.set(name)
        found.append(spawn(lambda: (NAME.get(), NAME.set("changed"))[0]).result(timeout=60))
        NAME.reset(token)
    assert found == ["first", "second"]
    assert spawn(NAME.get).result(timeout=60) == ""


def test_each_piece_of_work_has_its_name() -> None:
    names = [
        spawn(lambda: threading.current_thread().name, name).result(timeout=60) for name in ("one", "two")
    ]
    assert names == ["one", "two"]


def test_an_error_is_raised_where_the_result_is_read() -> None:
    with pytest.raises(ValueError, match="nothing"):
        spawn(lambda: int("nothing")).result(timeout=60)
    assert spawn(lambda: 1).result(timeout=60) == 1


def test_many_at_once_are_all_done() -> None:
    assert in_threads(lambda n: n * n, range(500), 50) == [n * n for n in range(500)]


def test_threads_that_nobody_needs_end() -> None:
    before = set(threading.enumerate())
    go = threading.Event()
    futures = [spawn(lambda: go.wait(60)) for _ in range(30)]
    new = set(threading.enumerate()) - before
    assert new
    go.set()
    for future in futures:
        future.result(timeout=60)
    for thread in new:
        thread.join(60)
    assert not any(thread.is_alive() for thread in new)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own() -> None:
    assert spawn(lambda: 1).result(timeout=60) == 1
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if spawn(lambda: 5).result(timeout=60) == 5 else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
