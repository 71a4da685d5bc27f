"""Keys that are typed while nobody reads them: whether a terminal shows them, and what becomes of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def echoing(*, shown: bool) -> Iterator[None]:
    """Show typed keys, or don't, until the end of this; nothing changes where stdin is no terminal.

    Keys typed amid an answer would be written into it; unseen, they are there when the next line is read.
    """
    try:
        import termios  # there is none on Windows

        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
    except (ImportError, ValueError, OSError, termios.error):
        yield
        return
    modes = list(before)
    modes[3] = modes[3] | termios.ECHO if shown else modes[3] & ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, modes)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)


def forget_typed() -> None:
    """Forget the keys that nobody has read yet: they can't be the answer to a question that nobody had seen."""
    with suppress(ImportError, ValueError, OSError):  # Windows, or no terminal
        import termios

        with suppress(termios.error):
            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
