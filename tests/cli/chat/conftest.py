"""A room for each test of the chat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from chat_room import Room, Script, made


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with ExitStack() as stack:
        yield made(tmp_path, stack)


@pytest.fixture
def script(room: Room, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Script:
    """Runs a chat in this process, line by line."""
    monkeypatch.chdir(room.folder)
    monkeypatch.syspath_prepend(str(room.folder))
    monkeypatch.delenv("LOOPWRIGHT_MODEL", raising=False)
    for name in ("LOOPWRIGHT_CHAT", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, room.env[name])
    return Script(room, capsys)
