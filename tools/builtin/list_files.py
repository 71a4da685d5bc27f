"""`list_files`: the files under one folder."""

from __future__ import annotations

import re
import time
from fnmatch import translate
from pathlib import Path

from ..errors import ToolFailed
from ..tool import Tool
from .folder import Folder, Walk, plain, shown

_MAX_SHOWN = 300
_MAX_CHARS = 16_000  # of the names: below what a tool's result is cut to
_SECONDS = 20

Pattern = list[re.Pattern[str] | None]


def list_files_tool(root: str | Path | Folder = ".") -> Tool:
    """A tool that lists the files under this folder.

    Links are named and never followed; a name that would break a line or a terminal is shown as a JSON string. A
    listing is bounded in entries (50,000 looked at, 300 shown), depth (64 folders) and time, and says when it is cut.

    >>> import tempfile
    >>> from loopwright.tools import ToolCall
    >>> with tempfile.TemporaryDirectory() as root:
    ...     Path(root, "docs").mkdir()
    ...     size = Path(root, "docs", "a.md").write_text("one")
    ...     print(list_files_tool(root).run(ToolCall("list_files", {"pattern": "**/*"})).content)
    docs/
    docs/a.md
    """
    folder = Folder.at(root)

    def list_files(path: str = ".", pattern: str = "*") -> str:
        """List files and folders, one a line; a folder's name ends with "/".

        Args:
            path: The folder to list, relative to the root.
            pattern: Which names, such as "*.md"; "**/*.md" also looks into the folders below.
        """
        parts = compiled_pattern(pattern)
        with folder.directory(path) as top:
            walk = Walk(top, time.monotonic() + _SECONDS / 2, deep=len(parts) > 1)
            found = sorted(
                f"{plain(entry.path)}{'/' if entry.is_folder else ''}"
                for entry in walk
                if matches(entry.path.split("/"), parts)
            )
        notes = [f"[{missed}]" for missed in walk.missed]
        if not found:
            return "\n".join([f"Nothing in {shown(path)} matches {shown(pattern)}.", *notes])
        fitting = _fitting(found)
        if more := len(found) - len(fitting):
            notes.insert(0, f"[and {more:,} more; use a narrower pattern]")
        return "\n".join(fitting + notes)

    return Tool(list_files, effect="read", timeout=_SECONDS)


def _fitting(names: list[str]) -> list[str]:
    size = 0
    for count, name in enumerate(names[:_MAX_SHOWN]):
        size += len(name) + 1
        if size > _MAX_CHARS:
            return names[:count]
    return names[:_MAX_SHOWN]


def compiled_pattern(pattern: str) -> Pattern:
    """A pattern's parts between slashes; None for `**`, which stands for any folders. Raises `ToolFailed`."""
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    if pattern.startswith("/") or ".." in parts or not parts or len(pattern) > 200 or parts.count("**") > 2:
        raise ToolFailed(
            f"{shown(pattern)} is no pattern for names under the folder; write one like *.md or **/*.txt"
        )
    return [None if part == "**" else re.compile(translate(part)) for part in parts]


def matches(names: list[str], pattern: Pattern) -> bool:
    """Whether a path's names fit a pattern.

    >>> matches(["docs", "deep", "a.md"], compiled_pattern("**/*.md"))
    True
    """
    if not pattern:
        return not names
    if pattern[0] is None:
        return any(matches(names[skip:], pattern[1:]) for skip in range(len(names) + 1))
    return bool(names) and pattern[0].match(names[0]) is not None and matches(names[1:], pattern[1:])
