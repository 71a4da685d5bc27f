"""`read_file`: a text file under one folder."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, TextIO

from pydantic import Field

from ..errors import ToolFailed
from ..tool import Tool
from .folder import Folder, shown
from .text_encoding import text_encoding

_MAX_CHARS = (
    16_000  # of one answer: below what a tool's result is cut to, so that nothing in the middle is lost
)
_MAX_LINE = 4_000  # characters of a line


def read_file_tool(root: str | Path | Folder = ".", *, seconds: float = 10) -> Tool:
    r"""A tool that reads text files under this folder.

    Paths that leave it by `..`, as a whole path or through a link are refused, as are devices, pipes and binary files.
    One answer holds at most 16,000 characters and says where to read on; a line is cut at 4,000.
    Getting to the first line that is asked for may take `seconds`, however large the file is.

    >>> import tempfile
    >>> from loopwright.tools import ToolCall
    >>> with tempfile.TemporaryDirectory() as root:
    ...     size = Path(root, "a.txt").write_text("one\ntwo")
    ...     read = read_file_tool(root)
    ...     print(read.run(ToolCall("read_file", {"path": "a.txt"})).content)
    ...     print(read.run(ToolCall("read_file", {"path": "../a.txt"})).content)
    one
    two
    Error: "../a.txt" lies outside the folder; give a path inside it
    """
    folder = Folder.at(root)

    def read_file(
        path: str, start_line: Annotated[int, Field(ge=1)] = 1, max_lines: Annotated[int, Field(ge=1)] = 200
    ) -> str:
        """Read lines of a text file.

        Args:
            path: The file, relative to the folder.
            start_line: The first line to read, counted from 1.
            max_lines: How many lines at most.
        """
        with folder.open_file(path) as file:
            return _excerpt(_lines(file, path, seconds), path, start_line, max_lines)

    return Tool(read_file, effect="read", timeout=seconds + 10)


def _excerpt(lines: Iterator[str], path: str, start: int, count: int) -> str:
    taken: list[str] = []
    size = 0
    last = 0
    more = False
    for last, line in enumerate(lines, 1):
        if last < start:
            continue
        if len(taken) == count or size + len(line) > _MAX_CHARS:
            more = True
            break
        taken.append(line)
        size += len(line) + 1
    if not taken:
        if last == 0:
            return "[the file is empty]"
        raise ToolFailed(f"{shown(path)} has only {last} line{'' if last == 1 else 's'}")
    end = start + len(taken) - 1
    if more:
        return (
            "\n".join(taken) + f"\n[lines {start} to {end}; there is more: read on with start_line={end + 1}]"
        )
    if start > 1:
        return "\n".join(taken) + f"\n[lines {start} to {end}, the end of the file]"
    return "\n".join(taken)


def _lines(file: BinaryIO, path: str, seconds: float) -> Iterator[str]:
    """The lines of a text, without holding more than one of them."""
    encoding = text_encoding(file.read(8_192))
    file.seek(0)
    if encoding is None:
        raise ToolFailed(f"{shown(path)} is no text file")
    deadline = time.monotonic() + seconds
    with io.TextIOWrapper(file, encoding, errors="replace") as text:
        while line := text.readline(_MAX_LINE):
            yield _whole_line(line, text, deadline)
            if time.monotonic() > deadline:
                raise ToolFailed(f"{shown(path)} is too large to get that far in {seconds:g} s")


def _whole_line(line: str, text: TextIO, deadline: float) -> str:
    """A line without its end; what goes beyond the limit is read and dropped."""
    if line.endswith("\n") or len(line) < _MAX_LINE:
        return line.removesuffix("\n")
    rest = text.readline(65_536)
    if rest in ("", "\n"):
        return line  # it ended just there
    while rest and not rest.endswith("\n") and time.monotonic() < deadline:
        rest = text.readline(65_536)
    return f"{line} [the line goes on]"
