"""One folder that tools may see, and nothing outside it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..errors import ToolFailed, nearest


@dataclass(frozen=True, slots=True)
class Folder:
    """A root; paths are given relative to it, and lie below it once every link is followed."""

    root: Path

    @classmethod
    def at(cls, place: str | Path) -> Folder:
        """The folder at this place; raises `NotADirectoryError` where there is none."""
        root = Path(place).expanduser().resolve()
        if not root.is_dir():
            raise NotADirectoryError(f"{root} is no folder")
        return cls(root)

    def find(self, path: str) -> Path:
        """The real path of something that is there; raises `ToolFailed` for what is outside or missing."""
        shown = path[:200]
        try:
            real = (self.root / path).resolve(strict=True)
        except FileNotFoundError:
            self._missing(path, shown)
        except (OSError, ValueError, RuntimeError):  # too long, a NUL in it, links in a circle, no permission
            raise ToolFailed(f'"{shown}" can\'t be opened') from None
        if not real.is_relative_to(self.root):
            raise ToolFailed(f'"{shown}" lies outside the folder that may be read; give a path inside it')
        return real

    def open_file(self, path: str) -> BinaryIO:
        """Open a regular file for reading; devices, pipes and folders are refused."""
        real = self.find(path)
        try:
            # the path holds no link any more; O_NONBLOCK so that a pipe can't make us wait for its writer
            descriptor = os.open(
                real, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            )
        except OSError as error:
            raise ToolFailed(f'"{path[:200]}" can\'t be opened: {error.strerror}') from None
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode):
            return os.fdopen(descriptor, "rb")
        os.close(descriptor)
        kind = "a folder; list_files shows what is in it" if stat.S_ISDIR(mode) else "no regular file"
        raise ToolFailed(f'"{path[:200]}" is {kind}')

    def _missing(self, path: str, shown: str) -> None:
        try:
            parent = (self.root / path).parent.resolve(strict=True)
            siblings = [one.name for one in parent.iterdir()] if parent.is_relative_to(self.root) else []
        except (OSError, ValueError, RuntimeError):
            siblings = []
        near = nearest(Path(path).name, siblings)
        hint = f'; did you mean "{near}"?' if near else ""
        raise ToolFailed(f'there is no "{shown}"{hint}')
