"""`write_file`: a text file under one folder, made, replaced or added to."""

from __future__ import annotations

import os
import stat
import threading
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Literal

from ..errors import ToolFailed
from ..tool import Tool
from ..tool_context import ToolContext
from .directory import Directory, NotAFile
from .folder import Folder, shown
from .text_encoding import text_encoding

_SECONDS = 30
_MB = 1_000_000

Mode = Literal["create", "replace", "append"]


@dataclass(slots=True)
class _Spent:
    """What a run has written so far."""

    bytes: int = 0
    made: int = 0


def write_file_tool(
    root: str | Path | Folder,
    *,
    file_bytes: int = 5 * _MB,
    total_bytes: int = 100 * _MB,
    files: int = 1_000,
) -> Tool:
    """A tool that writes text files (UTF-8) under this folder, and nowhere else.

    The new text is written beside the file and takes its place in one step: a reader sees the old text or the new, and a
    full disk leaves the old. That also holds for "append", so a file with several hard links is changed under this name
    only. A link inside the folder is followed; one that leads out is refused, and so is whatever is no regular
    file. Permissions stay as they were. A file may grow to `file_bytes`; a run may write `total_bytes`, and make `files` files and folders.

    >>> import tempfile
    >>> from loopwright.tools import ToolCall
    >>> with tempfile.TemporaryDirectory() as root:
    ...     write = write_file_tool(root)
    ...     print(write.run(ToolCall("write_file", {"path": "a.txt", "content": "one"})).content)
    ...     print(write.run(ToolCall("write_file", {"path": "a.txt", "content": "two"})).content)
    Made "a.txt": 1 line, 3 bytes.
    Error: "a.txt" is there already (3 bytes); write it with mode "replace" or "append", or under another name
    """
    folder = Folder.at(root)
    one_at_a_time = threading.Lock()
    quota = _Quota(file_bytes, total_bytes, files)

    def write_file(  # noqa: D417 - the context is filled in, and no model reads of it
        path: str, content: str, context: ToolContext, mode: Mode = "create", make_folders: bool = False
    ) -> str:
        """Write a text file; says what was done.

        Args:
            path: The file, relative to the folder.
            content: The text.
            mode: "create" makes a new file and leaves one that is there alone; "replace" writes it anew; "append" adds to its end.
            make_folders: Whether to make the folders on the way that are not there yet.
        """
        try:
            body = content.encode()
        except UnicodeEncodeError as error:
            raise ToolFailed(
                f"the content holds half a character, at {error.start:,}: it can't be written"
            ) from None
        spent = context.state.setdefault("write_file", _Spent())
        make = partial(quota.make, spent) if make_folders else partial(_no_folder, path)
        with one_at_a_time, folder.holder(path, make=make) as (here, name):
            return _written(_Target(here, name, path), body, mode, quota, spent)

    return Tool(write_file, effect="write", timeout=_SECONDS)


@dataclass(frozen=True, slots=True)
class _Quota:
    file_bytes: int
    total_bytes: int
    files: int

    def check(self, size: int, added: int, spent: _Spent) -> None:
        """Raise `ToolFailed` where a file of this size, or this much more of all, is too much."""
        if size > self.file_bytes:
            raise ToolFailed(
                f"that would make a file of {size:,} bytes; at most {self.file_bytes:,} are written"
            )
        if spent.bytes + added > self.total_bytes:
            raise ToolFailed(
                f"that would be more than the {self.total_bytes:,} bytes that one run may write; "
                f"{spent.bytes:,} are written"
            )

    def make(self, spent: _Spent) -> None:
        """Count a file or a folder that is about to be made; raises `ToolFailed` where it is one too many."""
        if spent.made >= self.files:
            raise ToolFailed(f"one run may make {self.files:,} files and folders, and they are made")
        spent.made += 1


@dataclass(frozen=True, slots=True)
class _Target:
    """Where to write: the open folder, the name in it, and the path as it was asked for."""

    here: Directory
    name: str
    path: str

    def status(self) -> os.stat_result | None:
        """The file that is there; None for none. Raises `OSError` for what is no regular file."""
        if self.name == ".":
            raise ToolFailed(f"{shown(self.path)} is a folder; a file wants a name in it")
        try:
            found = self.here.status(self.name)
        except FileNotFoundError:
            return None
        if stat.S_ISDIR(found.st_mode):
            raise ToolFailed(f"{shown(self.path)} is a folder; a file wants a name in it")
        if not stat.S_ISREG(found.st_mode):
            raise NotAFile  # the folder says it in its words
        return found


def _no_folder(path: str) -> None:
    raise ToolFailed(f"there is no folder for {shown(path)}; with make_folders=true it is made")


def _written(target: _Target, body: bytes, mode: Mode, quota: _Quota, spent: _Spent) -> str:
    old = target.status()
    where = shown(target.path)
    if old is not None and mode == "create":
        raise ToolFailed(
            f"{where} is there already ({_bytes(old.st_size)}); "
            'write it with mode "replace" or "append", or under another name'
        )
    try:
        before = b"" if old is None or mode != "append" else _earlier(target, quota.file_bytes)
        quota.check(len(before) + len(body), len(body), spent)
        if old is None:
            quota.make(spent)
            _create(target, body)
        else:
            _replace(target, before + body, old)
    except FileExistsError:
        raise ToolFailed(f"{where} has just been made by somebody else; nothing was written") from None
    except OSError as error:
        raise ToolFailed(f"{where} can't be written: {error.strerror}; it is as it was") from None
    spent.bytes += len(body)
    if old is None:
        return f"Made {where}: {_counted(body)}."
    if mode == "append":
        return f"Added to {where}: {_counted(body)}; it has {_bytes(len(before) + len(body))} now."
    return f"Replaced {where}: {_counted(body)}, where there were {_bytes(old.st_size)}."


def _earlier(target: _Target, limit: int) -> bytes:
    with target.here.open(target.name) as file:
        before = file.read(limit + 1)
    if text_encoding(before[:8_192]) != "utf-8-sig":
        raise ToolFailed(f"{shown(target.path)} is no text file in UTF-8; it can't be added to")
    return before


def _create(target: _Target, body: bytes) -> None:
    """Make a new file, which nobody else has made meanwhile; what can't be written whole is removed."""
    file = target.here.create(target.name)
    try:
        with file:
            _fill(file, body)
    except BaseException:
        target.here.remove(target.name)
        raise


def _replace(target: _Target, body: bytes, old: os.stat_result) -> None:
    """Put a new file into an old one's place, in one step."""
    here, temporary = target.here, target.here.temporary_name()
    here.check_writable(target.name)  # a new file could take the place of one that may not be written
    file = here.create(temporary)
    try:
        with file:
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), stat.S_IMODE(old.st_mode) & 0o777)
            _fill(file, body)
        here.replace(temporary, target.name)
    except BaseException:
        here.remove(temporary)
        raise


def _fill(file: FileIO, body: bytes) -> None:
    left = memoryview(body)
    while left:
        left = left[file.write(left) :]
    os.fsync(file.fileno())


def _counted(body: bytes) -> str:
    lines = body.count(b"\n") + (body != b"" and not body.endswith(b"\n"))
    return f"{lines:,} line{'' if lines == 1 else 's'}, {_bytes(len(body))}"


def _bytes(count: int) -> str:
    return f"{count:,} byte{'' if count == 1 else 's'}"
