"""`list_files`: the files under one folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import translate
from itertools import islice
from pathlib import Path

from ..errors import ToolFailed
from ..tool import Tool
from .folder import Folder

_MAX_SHOWN = 300
_MAX_SEEN = 50_000  # entries looked at
_SECONDS = 20


def list_files_tool(root: str | Path = ".") -> Tool:
    """A tool that lists the files under this folder."""
    folder = Folder.at(root)

    def list_files(path: str = ".", pattern: str = "*") -> str:
        """List files and folders, one a line; a folder's name ends with "/".

        Args:
            path: The folder to list, relative to the root.
            pattern: Which names, such as "*.md"; "**/*.md" also looks into the folders below.
        """
        where = folder.find(path)
        if not where.is_dir():
            raise ToolFailed(f'"{path[:200]}" is a file; read_file shows what is in it')
        parts = _parts(pattern)
        seen = islice(_walk(where, deep=len(parts) > 1), _MAX_SEEN)
        found = sorted(entry for entry in seen if _matches(entry.rstrip("/").split("/"), parts))
        if not found:
            return f'Nothing in "{path[:200]}" matches "{pattern}".'
        more = len(found) - _MAX_SHOWN
        return "\n".join(found[:_MAX_SHOWN]) + (
            f"\n[and {more} more; use a narrower pattern]" if more > 0 else ""
        )

    return Tool(list_files, effect="read", timeout=_SECONDS)


def _parts(pattern: str) -> list[re.Pattern[str] | None]:
    """A pattern's parts between slashes; None for `**`, which stands for any folders."""
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    if pattern.startswith("/") or ".." in parts or not parts or len(pattern) > 200 or parts.count("**") > 2:
        raise ToolFailed(
            f'"{pattern[:200]}" is no pattern for names under the folder; write one like *.md or **/*.txt'
        )
    return [None if part == "**" else re.compile(translate(part)) for part in parts]


def _walk(top: Path, *, deep: bool) -> Iterator[str]:
    """The entries below a folder as relative paths; links to folders are named, never followed."""
    for folder, names, files in os.walk(top):
        names.sort()
        below = Path(folder).relative_to(top).as_posix()
        start = "" if below == "." else f"{below}/"
        yield from (f"{start}{name}/" for name in names)
        yield from (f"{start}{name}" for name in sorted(files))
        if not deep:
            return


def _matches(names: list[str], parts: list[re.Pattern[str] | None]) -> bool:
    if not parts:
        return not names
    if parts[0] is None:
        return any(_matches(names[skip:], parts[1:]) for skip in range(len(names) + 1))
    return bool(names) and parts[0].match(names[0]) is not None and _matches(names[1:], parts[1:])
