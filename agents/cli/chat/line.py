"""The input line: several lines, history, completion, safe paste."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from ...whole_file import write_whole
from .offering import Offers

PROMPT = "> "
_HISTORY = 2_000_000  # bytes of the file of typed lines


class Line:
    r"""Reads what a person types. Enter sends; `\` before it, or Esc, makes it a line break."""

    def __init__(self, folder: Path | None, offers: Callable[[str], Offers]) -> None:
        self._session: PromptSession[str] = PromptSession(
            message=PROMPT,
            history=_history(folder),
            completer=Completions(offers),
            complete_while_typing=True,
            key_bindings=_keys(),
            multiline=True,
            prompt_continuation="  ",
            reserve_space_for_menu=5,
            enable_suspend=True,
        )
        _patient(self._session)
        if sys.platform != "win32":  # where a terminal signals its size, nothing needs to look for it
            self._session.app.terminal_size_polling_interval = None

    async def read(self, default: str = "") -> str:
        """What a person types; raises KeyboardInterrupt for Ctrl-C on an empty line, EOFError for Ctrl-D."""
        return await self._session.prompt_async(default=default)

    async def ask(self, question: str, default: str = "") -> str:
        """A short answer to a question, which is kept in no history; raises as `read` does."""
        session: PromptSession[str] = PromptSession(enable_suspend=True)
        _patient(session)
        return await session.prompt_async(question, default=default, handle_sigint=False)


def _patient(session: PromptSession[str]) -> None:
    """Complain of no terminal that is slow to say where its cursor is: a line that is far away, or a busy machine."""
    session.app.renderer.cpr_not_supported_callback = None


def _history(folder: Path | None) -> History:
    """The lines typed before, in a file that is its owner's alone; in memory where there can be none."""
    if folder is None:
        return InMemoryHistory()
    path = folder / "history"
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        _shorten(path)
    except OSError:
        return InMemoryHistory()
    return _LinesKept(str(path))


def _shorten(path: Path) -> None:
    """Leave the later half of the lines where there are very many: every start reads all of them."""
    if path.stat().st_size <= _HISTORY:
        return
    with path.open("rb") as file:
        file.seek(-_HISTORY // 2, os.SEEK_END)
        tail = file.read()
    write_whole(path, tail[max(0, tail.find(b"\n# ")) :])


class _LinesKept(FileHistory):
    """A file of lines; one that can't be written keeps those of this chat in memory."""

    def store_string(self, string: str) -> None:
        try:
            super().store_string(string)
        except OSError:
            return


def _keys() -> KeyBindings:
    keys = KeyBindings()
    typing = has_focus(DEFAULT_BUFFER)  # and not searching: there the keys mean what they always mean

    @keys.add("enter", filter=typing)
    def _enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.document.text_before_cursor.endswith("\\"):
            buffer.delete_before_cursor()
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter", filter=typing)
    def _break(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("c-c", filter=typing)
    def _cancel(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt, style="class:aborting")

    return keys


class Completions(Completer):
    """Offers what may stand at the end of the line; paths in a shell command only where they are asked for."""

    def __init__(self, offers: Callable[[str], Offers]) -> None:
        self._offers = offers
        self._paths = PathCompleter(
            expanduser=True, file_filter=lambda name: Path(name).name != "__pycache__"
        )

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """What may stand here."""
        line = document.text_before_cursor
        found = self._offers(line)
        for one in found.words:
            yield Completion(one.word, -len(found.part), display_meta=one.meaning)
        asked = line.startswith("!") and complete_event.completion_requested
        if found.files or asked:
            part = found.part
            yield from self._paths.get_completions(Document(part, len(part)), complete_event)
