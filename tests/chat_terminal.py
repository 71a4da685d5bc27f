"""A real terminal for the chat: a process on a pseudo-terminal, and a screen that shows what it prints."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import pexpect  # type: ignore[import-untyped]  # it comes without types
import pyte

PATIENCE = 120.0  # seconds: a hang-guard and no measure
WHERE_IS_THE_CURSOR = b"\x1b[6n"


class Terminal:
    """`loopwright chat` with these options; `lines` is what its screen shows, scrolled lines included."""

    def __init__(
        self,
        options: Sequence[str],
        env: Mapping[str, str],
        *,
        folder: Path,
        width: int = 100,
        height: int = 40,
        command: Sequence[str] = (sys.executable, "-m", "loopwright", "chat"),
    ) -> None:
        self.screen = pyte.HistoryScreen(width, height, history=10_000, ratio=0.01)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.tells_its_cursor = True
        self._shown = 0  # bytes of it
        self._text = (-1, "")
        self.process = pexpect.spawn(
            command[0],
            [*command[1:], *options],
            env=dict(env),
            cwd=str(folder),
            dimensions=(height, width),
            timeout=PATIENCE,
        )
        self.process.delaybeforesend = None
        self.process.ptyproc.delayafterclose = 0

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.isalive():
            self.process.kill(signal.SIGKILL)
        self.process.wait()
        self.process.close()

    # ---- what it shows

    def read(self, seconds: float = 0.05) -> bool:
        """Take what was printed; False at the end of it."""
        try:
            piece = self.process.read_nonblocking(65_536, seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += piece
        self._show()
        return True

    def _show(self) -> None:
        """Bring what was printed to the screen; a question for the cursor is answered where it was asked."""
        while (asked := self.raw.find(WHERE_IS_THE_CURSOR, self._shown)) >= 0:
            self._feed(asked + len(WHERE_IS_THE_CURSOR))
            if not self.tells_its_cursor:
                continue
            self.process.send(f"\x1b[{self.screen.cursor.y + 1};{self.screen.cursor.x + 1}R")
        self._feed(len(self.raw) - _begun(self.raw[self._shown :]))

    def _feed(self, end: int) -> None:
        self._stream.feed(self.raw[self._shown : end])
        self._shown = end

    @property
    def lines(self) -> list[str]:
        """Every line, from the first that was printed."""
        above = [
            "".join(line[x].data for x in range(self.screen.columns)).rstrip()
            for line in self.screen.history.top
        ]
        return [*above, *(line.rstrip() for line in self.screen.display)]

    @property
    def text(self) -> str:
        """The lines as one text; put together anew only where something came since."""
        if self._text[0] != self._shown:
            self._text = (self._shown, "\n".join(self.lines))
        return self._text[1]

    def wait(self, pattern: str | Callable[[str], bool], seconds: float = PATIENCE) -> str:
        """Wait until the screen shows this; returns the screen."""
        end = time.monotonic() + seconds
        fits = (lambda text: re.search(pattern, text) is not None) if isinstance(pattern, str) else pattern
        while time.monotonic() < end:
            alive = self.read()
            if fits(self.text):
                return self.text
            if not alive:
                break
        raise AssertionError(f"the screen does not show {pattern!r}:\n{self.text}\n---\n{self.raw[-2000:]!r}")

    def wait_for_prompt(self) -> str:
        """Wait until a line can be typed."""
        return self.wait(lambda text: text.rstrip().split("\n")[-1].rstrip() == ">")

    # ---- what is typed

    def type(self, text: str) -> None:
        self.process.send(text)

    def enter(self, text: str) -> None:
        """Type a line at the prompt, and send it when the screen shows it: from then on no prompt is empty."""
        seen = text.split("\n")[-1][:40]
        before = self.wait_for_prompt().count(seen)
        self.process.send(text)
        self.wait(lambda shown: shown.count(seen) > before)
        self.process.send("\r")

    def say(self, text: str) -> str:
        """Send a line, and wait for the next prompt; returns the screen."""
        self.enter(text)
        return self.wait_for_prompt()

    def interrupt(self) -> None:
        self.process.send("\x03")

    def ended(self) -> int:
        """Wait for the end; returns the exit code."""
        end = time.monotonic() + PATIENCE
        while self.read():
            assert time.monotonic() < end, f"it goes on:\n{self.text}"
        self.process.wait()
        code: int | None = self.process.exitstatus
        return -int(self.process.signalstatus) if code is None else code


def _begun(piece: bytes) -> int:
    """How many bytes at the end may be the beginning of a question for the cursor: the rest is still to come."""
    sizes = range(len(WHERE_IS_THE_CURSOR) - 1, 0, -1)
    return next((size for size in sizes if piece.endswith(WHERE_IS_THE_CURSOR[:size])), 0)
