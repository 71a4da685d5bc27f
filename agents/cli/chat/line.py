"""The input line: several lines, history, completion, safe paste."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

PROMPT = "> "
_OF_FILES = ("/attach ", "/save ", "/save-task ", "/optimize ", "/export ")
_OF_TOOLS = ("/tools ", "/approve allow ", "/approve deny ", "/approve ask ")


class Line:
    r"""Reads what a person types. Enter sends; `\` before it, or Esc, makes it a line break."""

    def __init__(
        self, folder: Path | None, commands: Iterable[str], tools: Callable[[], Iterable[str]]
    ) -> None:
        self._session: PromptSession[str] = PromptSession(
            message=PROMPT,
            history=_history(folder),
            completer=Completions(tuple(commands), tools),
            complete_while_typing=True,
            key_bindings=_keys(),
            multiline=True,
            prompt_continuation="  ",
            reserve_space_for_menu=5,
        )
        if sys.platform != "win32":  # where a terminal signals its size, nothing needs to look for it
            self._session.app.terminal_size_polling_interval = None

    async def read(self, default: str = "") -> str:
        """What a person types; raises KeyboardInterrupt for Ctrl-C on an empty line, EOFError for Ctrl-D."""
        return await self._session.prompt_async(default=default)

    async def ask(self, question: str, default: str = "") -> str:
        """A short answer to a question, which is kept in no history; raises as `read` does."""
        session: PromptSession[str] = PromptSession()
        return await session.prompt_async(question, default=default, handle_sigint=False)


def _history(folder: Path | None) -> History:
    """The lines typed before, in a file that is its owner's alone; in memory where there can be none."""
    if folder is None:
        return InMemoryHistory()
    path = folder / "history"
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError:
        return InMemoryHistory()
    return _LinesKept(str(path))


class _LinesKept(FileHistory):
    """A file of lines; one that can't be written keeps those of this chat in memory."""

    def store_string(self, string: str) -> None:
        try:
            super().store_string(string)
        except OSError:
            return


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.document.text_before_cursor.endswith("\\"):
            buffer.delete_before_cursor()
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _break(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("c-c")
    def _cancel(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt, style="class:aborting")

    return keys


class Completions(Completer):
    """Commands after `/`, files after `@` and where a command wants one, tools where a command wants one."""

    def __init__(self, commands: tuple[str, ...], tools: Callable[[], Iterable[str]]) -> None:
        self._commands = commands
        self._tools = tools
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """What may stand here."""
        text = document.text_before_cursor
        word = text.rsplit(" ", 1)[-1]
        if text.startswith("/") and " " not in text:
            yield from (Completion(one, -len(text)) for one in self._commands if one.startswith(text))
        elif text.startswith(_OF_TOOLS):
            yield from (Completion(one, -len(word)) for one in self._tools() if one.startswith(word))
        elif word.startswith("@") or text.startswith(_OF_FILES):
            part = word.removeprefix("@")
            yield from self._paths.get_completions(Document(part, len(part)), complete_event)
