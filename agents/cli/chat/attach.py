"""Files and command output that go with a message."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loopwright.tools.threads import spawn

from ...text import one_line

LONGEST = 100_000  # characters of one attachment

_AFTER = ".,;:!?)"  # of the sentence, and of no file's name
_MENTION = re.compile(r'(?<!\S)@("[^"]+"|\S+)')


@dataclass(frozen=True, slots=True)
class Attached:
    """A message with what goes with it; `problems` are for the person."""

    message: str
    problems: tuple[str, ...] = ()


def with_files(message: str, before: list[str]) -> Attached:
    """The message, the files that it mentions as `@path`, and what was attached before.

    >>> with_files("see @nowhere.txt", []).problems
    ('@nowhere.txt: no such file; it is sent as it stands',)
    """
    blocks, problems = list(before), []
    for found in _MENTION.finditer(message):
        name = found[1].strip('"')
        path = next((p for p in (_path(name), _path(name.rstrip(_AFTER))) if p is not None), None)
        if path is None:
            problems.append(f"@{one_line(name.rstrip(_AFTER), 80)}: no such file; it is sent as it stands")
            continue
        try:
            blocks.append(file_block(path))
        except ValueError as error:
            problems.append(str(error))
    return Attached("\n\n".join([message, *blocks]), tuple(problems))


def _path(name: str) -> Path | None:
    try:
        path = Path(name).expanduser()
        return path if name and path.exists() else None
    except (OSError, RuntimeError, ValueError):  # a name that is too long, an unknown user, a null byte
        return None


def file_block(path: Path) -> str:
    """A file's text as a part of a message; raises ValueError that says why it can't be one."""
    shown = one_line(str(path), 200)
    if not path.exists():
        raise ValueError(f"{shown}: no such file")
    if not (path.is_file() or _is_piped(path)):
        raise ValueError(f"{shown} is no file: attach its files one by one")
    try:
        with path.open("rb") as file:
            raw = file.read(4 * LONGEST + 1)
    except OSError as error:
        raise ValueError(f"{shown} can't be read: {error.strerror}") from error
    if b"\0" in raw:
        raise ValueError(f"{shown} holds no text")
    text = raw.decode("utf-8", errors="replace")
    return f'<file name="{shown}">\n{_held(text)}\n</file>'


def _is_piped(path: Path) -> bool:
    """Whether it is what another program sends: /dev/stdin, or /dev/fd/N of a shell's <(…)."""
    return path.parts[:2] == ("/", "dev") and path.is_fifo()


def _held(text: str) -> str:
    if len(text) <= LONGEST:
        return text.removesuffix("\n")
    return f"{text[:LONGEST]}\n… (cut: the rest is left out)"


async def command_output(command: str) -> tuple[str, int]:
    """Run a command in the person's shell: what it printed, and its exit code. Cancelling it kills it."""
    process = subprocess.Popen(  # noqa: S602  # the person typed it, and wants a shell
        command,
        shell=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        # asyncio's own subprocesses hang where they are cancelled while they start (CPython 3.11)
        return await asyncio.wrap_future(spawn(lambda: _read(process), "shell"))
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise


def _read(process: subprocess.Popen[bytes]) -> tuple[str, int]:
    read = bytearray()
    with process:
        assert process.stdout is not None  # noqa: S101  # a pipe was asked for
        while piece := os.read(process.stdout.fileno(), 65_536):
            read += piece[: max(0, 4 * LONGEST - len(read))]
    return _held(read.decode("utf-8", errors="replace")), process.returncode


def output_block(command: str, output: str, code: int) -> str:
    """A command's output as a part of a message."""
    return f'<command line="{one_line(command, 200)}" exit="{code}">\n{output}\n</command>'
