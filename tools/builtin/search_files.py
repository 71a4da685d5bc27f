"""`search_files`: the lines that hold a text or a regular expression, in the files under one folder."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, BinaryIO

from pydantic import Field

from ..errors import ToolFailed
from ..tool import Tool
from .directory import NotAFile
from .folder import Folder, Walk, plain, shown
from .line_search import Finder, TooSlow, plain_finder, regex_finder
from .list_files import Pattern, compiled_pattern, matches
from .text_encoding import text_encoding

_MAX_HITS = 100
_MAX_CHARS = 16_000  # of one answer: below what a tool's result is cut to
_MAX_LINE = 240  # characters shown of a line
_MAX_FILE = 5_000_000  # bytes of one file
_MAX_BYTES = 300_000_000  # of all files


def search_files_tool(root: str | Path | Folder = ".", *, seconds: float = 10) -> Tool:
    r"""A tool that searches the text files under this folder, line by line.

    A search is bounded: 100 lines, 5 MB of one file and 300 MB of all, 50,000 entries, 64 folders deep, and `seconds`.
    What it left out is said at its end. A regular expression runs in a process of its own that is killed when the time is
    over, so one that would take years takes `seconds`. Links are not followed, binary files are skipped, and so are
    folders whose name starts with a dot, unless `path` names one.

    >>> import tempfile
    >>> from loopwright.tools import ToolCall
    >>> with tempfile.TemporaryDirectory() as root:
    ...     size = Path(root, "a.txt").write_text("one\ntwo\nthree")
    ...     print(search_files_tool(root).run(ToolCall("search_files", {"query": "t", "pattern": "*.txt"})).content)
    a.txt:2: two
    a.txt:3: three
    """
    folder = Folder.at(root)

    def search_files(
        query: Annotated[str, Field(min_length=1, max_length=500)],
        path: str = ".",
        pattern: str = "**/*",
        regex: bool = False,
        ignore_case: bool = False,
    ) -> str:
        """Search text files for a text; gives each line that holds it as "path:line: text".

        Args:
            query: The text to look for, within one line.
            path: The folder or the file to search, relative to the root.
            pattern: Which files of a folder, such as "*.md" or "**/*.py".
            regex: Whether the query is a regular expression, as Python writes them.
            ignore_case: Whether upper and lower case are the same.
        """
        if "\n" in query:
            raise ToolFailed("a search is for a text within one line; the query has several")
        parts = compiled_pattern(pattern)
        deadline = time.monotonic() + seconds
        search = _Search(deadline)
        finder: AbstractContextManager[Finder] = (
            regex_finder(query, ignore_case=ignore_case, deadline=deadline)
            if regex
            else nullcontext(plain_finder(query, ignore_case=ignore_case))
        )
        with finder as find:
            for name, file in _files(folder, path, parts, search):
                with file:
                    if not search.look(name, file, find):
                        break
        return search.report(f"{shown(path)} matches {shown(query)}")

    return Tool(search_files, effect="read", timeout=seconds + 10)


@dataclass(slots=True)
class _Search:
    """What was found, and what was left out."""

    deadline: float
    lines: list[str] = field(default_factory=list)
    missed: dict[str, None] = field(default_factory=dict)
    files: int = 0
    chars: int = 0
    bytes: int = 0

    def look(self, name: str, file: BinaryIO, find: Finder) -> bool:
        """Search one file; False where the search ends here."""
        try:
            body = file.read(_MAX_FILE + 1)
        except OSError:
            return self.miss("some files could not be read")
        self.bytes += len(body)
        encoding = text_encoding(body[:8_192])
        if encoding is None:
            return True
        if len(body) > _MAX_FILE:
            self.miss(f"of files over {_MAX_FILE // 1_000_000} MB only the beginning was searched")
        text = body[:_MAX_FILE].decode(encoding, errors="replace").replace("\r\n", "\n").replace("\r", "\n")
        self.files += 1
        try:
            spots = find(text, _MAX_HITS - len(self.lines) + 1)
        except TooSlow:
            self.miss(
                f"the regular expression took too much time or memory in {plain(name)}; "
                "make it simpler, or search fewer files"
            )
            return False
        return self._keep(name, text, spots) and self._may_go_on()

    def miss(self, what: str) -> bool:
        """Note that something was left out; the search goes on."""
        self.missed[what] = None
        return True

    def _keep(self, name: str, text: str, spots: list[tuple[int, int]]) -> bool:
        lines = text.split("\n") if spots else []
        for number, place in spots:
            line = f"{plain(name)}:{number}: {_around(lines[number - 1], place)}"
            if len(self.lines) == _MAX_HITS or self.chars + len(line) > _MAX_CHARS:
                self.miss("there are more; make the query or the pattern narrower")
                return False
            self.lines.append(line)
            self.chars += len(line) + 1
        return True

    def _may_go_on(self) -> bool:
        if self.bytes > _MAX_BYTES:
            self.miss(f"the search ended after {_MAX_BYTES // 1_000_000} MB")
            return False
        if time.monotonic() > self.deadline:
            self.miss("the time ended before everything was looked at")
            return False
        return True

    def report(self, nothing: str) -> str:
        notes = [f"[{missed}]" for missed in self.missed]
        if self.lines:
            return "\n".join(self.lines + notes)
        counted = f"{self.files:,} file{'' if self.files == 1 else 's'} searched"
        return "\n".join([f"Nothing in {nothing} ({counted}).", *notes])


def _files(folder: Folder, path: str, parts: Pattern, search: _Search) -> Iterator[tuple[str, BinaryIO]]:
    """The files to search, open, each with its path from the root as far as it was asked for."""
    with folder.holder(path) as (here, name):
        if name != "." and not stat.S_ISDIR(here.status(name).st_mode):
            yield path, here.open(name)
            return
    asked = path.removeprefix("./").rstrip("/")
    start = "" if asked in ("", ".") else asked + "/"
    with folder.directory(path) as top:
        walk = Walk(top, search.deadline, deep=len(parts) > 1, hidden=False)
        for entry in walk:
            if entry.is_folder or not matches(entry.path.split("/"), parts):
                continue
            try:
                file = entry.holder.open(entry.name)
            except NotAFile:
                continue
            except OSError:
                search.miss("some files could not be opened")
                continue
            yield start + entry.path, file
        search.missed.update(walk.missed)


def _around(line: str, place: int) -> str:
    """A line, or the part of a long one in which the match begins."""
    if len(line) <= _MAX_LINE:
        return line
    start = max(0, min(place - _MAX_LINE // 3, len(line) - _MAX_LINE))
    end = start + _MAX_LINE
    return f"{'…' if start else ''}{line[start:end]}{'…' if end < len(line) else ''}"
