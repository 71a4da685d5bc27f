"""Finding the lines of a text that hold something: plain text here, a regular expression in a process of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ToolFailed
from .folder import shown

_CHILD_BYTES = 1_000_000_000  # of address space; a file and its lines take a tenth

Spot = tuple[int, int]  # a line's number, counted from 1, and where in it the match begins
Finder = Callable[[str, int], list[Spot]]  # at most so many lines of a text


class TooSlow(Exception):  # noqa: N818 - says what is wrong, as ToolFailed does
    """A regular expression took too much time or memory."""


def plain_finder(wanted: str, *, ignore_case: bool) -> Finder:
    r"""Finds a plain text, in time that grows with the text and no faster.

    >>> plain_finder("B", ignore_case=True)("a\nab", 9)
    [(2, 1)]
    """
    if ignore_case:
        wanted = wanted.lower()

    def find(text: str, limit: int) -> list[Spot]:
        found: list[Spot] = []
        for number, line in enumerate(text.split("\n"), 1):
            place = (line.lower() if ignore_case else line).find(wanted)
            if place >= 0:
                found.append((number, place))
                if len(found) == limit:
                    break
        return found

    return find


@contextmanager
def regex_finder(pattern: str, *, ignore_case: bool, deadline: float) -> Iterator[Finder]:
    """Finds a regular expression, in a process that is killed at the deadline: then the finder raises `TooSlow`.

    Raises `ToolFailed` for what is no regular expression.
    """
    seconds = max(0.1, deadline - time.monotonic())
    try:
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and file
            [sys.executable, "-I", "-S", "-B", str(Path(__file__).with_name("line_matcher.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # ctrl-c is for the host, which ends the child itself
        )
    except OSError as error:
        raise ToolFailed(
            f"a regular expression can't be tried: {error.strerror}; search for plain text"
        ) from None
    alarm = threading.Timer(seconds, child.kill)
    alarm.daemon = True
    try:
        alarm.start()
        wrong = _asked(child, [pattern, ignore_case, int(seconds) + 1, _CHILD_BYTES])
        if wrong:
            raise ToolFailed(f"{shown(pattern)} is no regular expression: {wrong}")

        def find(text: str, limit: int) -> list[Spot]:
            body = text.encode(errors="replace")
            found = _asked(child, [len(body), limit], body)
            return [(number, place) for number, place in found] if isinstance(found, list) else []

        yield find
    finally:
        alarm.cancel()
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):  # what was not sent before it was killed
                    stream.close()


def _asked(child: subprocess.Popen[bytes], question: object, body: bytes = b"") -> object:
    assert child.stdin is not None  # noqa: S101 - pipes were asked for
    assert child.stdout is not None  # noqa: S101
    try:
        child.stdin.write(json.dumps(question).encode() + b"\n" + body)
        child.stdin.flush()
    except OSError:
        raise TooSlow from None
    answer = child.stdout.readline()
    if not answer:
        raise TooSlow
    return json.loads(answer)
