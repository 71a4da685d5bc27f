"""The lines at the bottom of the screen that are written over, also where the window shrinks or the chat is stopped."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text


class Region:
    """Shows a text below everything that is printed, until it is closed; `draws` gives the text anew.

    What a tool prints on stdout in the meantime comes above it.
    """

    def __init__(self, console: Console, draws: Callable[[], Text]) -> None:
        from rich.live import Live

        self._console = console
        self._draws = draws
        self._live: Live | None = Live(console=console, auto_refresh=False, transient=True)
        self._width = console.width
        self._taken: list[int] = []
        self._live.start()
        self._watch()

    def draw(self) -> None:
        """Write it anew."""
        self.fit()
        if self._live is None:
            return
        text = self._draws()
        self._width = self._console.width
        self._taken = [line.cell_len for line in text.wrap(self._console, self._width)]
        self._live.update(text, refresh=True)

    def fit(self) -> None:
        """Find out, before anything is printed, how many rows it takes now: a window that shrank broke its lines."""
        width = self._console.width
        if self._live is not None and width < self._width and breaks_lines_anew(os.environ):
            rows = sum(max(1, -(-taken // width)) for taken in self._taken)
            self._live._live_render._shape = (width, rows)
            self._width, self._taken = width, [width] * rows

    def close(self) -> None:
        """Take it from the screen."""
        self.fit()
        self._watch(on=False)
        if self._live is not None:
            self._live.stop()
            self._live = None

    # ---- Ctrl-Z

    def _watch(self, *, on: bool = True) -> None:
        """Hear of Ctrl-Z, where an event loop runs that can tell."""
        try:
            loop = asyncio.get_running_loop()
            if on:
                loop.add_signal_handler(signal.SIGTSTP, self._stop)
            else:
                loop.remove_signal_handler(signal.SIGTSTP)
        except (RuntimeError, ValueError, AttributeError):  # no loop, no main thread, or Windows
            return

    def _stop(self) -> None:
        """Leave the screen to the shell, cursor and all, and be there again when the shell says so."""
        from rich.live import Live

        self.close()
        os.kill(os.getpid(), signal.SIGTSTP)  # nobody hears it now: it does what it always does
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()
        self._watch()
        self.draw()


def breaks_lines_anew(env: Mapping[str, str]) -> bool:
    """Whether a terminal breaks lines anew when it gets narrower: nearly all do, some cut them.

    >>> breaks_lines_anew({"TERM": "xterm-256color"}), breaks_lines_anew({"TERM": "linux"})
    (True, False)
    """
    return not ("XTERM_VERSION" in env or "STY" in env or env.get("TERM") == "linux")
