"""One open folder: what is in it is reached name by name, and never through a link.

Each name is opened relative to the folder's own descriptor (`openat`) with O_NOFOLLOW, so what was looked at is what
is opened, whoever swaps folders for links meanwhile. A system that can't do that (Windows) gets the paths instead: each
name is looked at, opened, and the opened thing compared with what was looked at. There, too, no link is followed that
was there before; but a program that swaps a folder for a link at just the right moment could win.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterable
from io import FileIO
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

DESCRIPTORS = hasattr(os, "O_NOFOLLOW") and {
    os.open,
    os.stat,
    os.mkdir,
    os.unlink,
    os.rename,
    os.readlink,
} <= (os.supports_dir_fd)

_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(
    os, "O_NOCTTY", 0
)  # a pipe can't make us wait for its writer
_FOLDER = _READ | getattr(os, "O_DIRECTORY", 0)
_PASS_THROUGH = _FOLDER | getattr(os, "O_PATH", 0)  # a folder may be passed through that may not be listed
_WRITE = os.O_WRONLY | (_READ & ~os.O_RDONLY)
_NO_WINDOWS_NAME = re.compile(
    r"(?i)(con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)\s*(\..*)?|.*[<>:\"|?*\\/].*|.*[. ]"
)


class NotAFile(OSError):  # noqa: N818 - says what is wrong, as the OSErrors do
    """A link, a device, a pipe or a socket, where a file was wanted."""


class Directory:
    """An open folder; every method wants one name in it (no slash) and raises `OSError` or `ValueError`."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def at(cls, path: Path, *, descriptors: bool = DESCRIPTORS) -> Directory:
        """Open the folder at this path; its last name may be no link."""
        if descriptors:
            return cls(path, os.open(path, _PASS_THROUGH))
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return cls(path, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the descriptor back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def status(self, name: str) -> os.stat_result:
        """What the name is; of a link, the link's own."""
        if self._descriptor is None:
            return self._beside(name).lstat()
        return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)

    def link(self, name: str) -> str | None:
        """Where a link leads; None for what is no link or not there."""
        try:
            if self._descriptor is None:
                return str(self._beside(name).readlink()).removeprefix("\\\\?\\")
            return os.readlink(name, dir_fd=self._descriptor)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):
                return None
            raise

    def enter(self, name: str) -> Directory:
        """Open a folder in this one."""
        if self._descriptor is None:
            if not stat.S_ISDIR(self.status(name).st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            return Directory(self._beside(name), None)
        return Directory(self._path / name, os.open(name, _PASS_THROUGH, dir_fd=self._descriptor))

    def make(self, name: str) -> Directory:
        """Make a folder in this one where there is none yet, and open it."""
        try:
            if self._descriptor is None:
                self._beside(name).mkdir()
            else:
                os.mkdir(name, dir_fd=self._descriptor)
        except FileExistsError:
            pass  # somebody else was quicker; if it is no folder, opening it says so
        return self.enter(name)

    def open(self, name: str) -> BinaryIO:
        """Open a regular file for reading."""
        seen = self.status(name)  # first, as merely opening a device can do something
        _must_be_file(seen)
        descriptor = self._opened(name, _READ | _NO_WAIT)
        try:
            found = os.fstat(descriptor)
            _must_be_file(found)
            if self._descriptor is None and not os.path.samestat(seen, found):
                raise OSError(errno.ELOOP, "it was exchanged while it was opened")
        except OSError:
            os.close(descriptor)
            raise
        return os.fdopen(descriptor, "rb")

    def create(self, name: str) -> FileIO:
        """Make a new file and open it for writing; raises `FileExistsError` where the name is taken, by a link too."""
        return os.fdopen(self._opened(name, _WRITE | os.O_CREAT | os.O_EXCL), "wb", buffering=0)

    def check_writable(self, name: str) -> None:
        """Raise `OSError` where a file may not be written."""
        os.close(self._opened(name, _WRITE | _NO_WAIT))

    def temporary_name(self) -> str:
        """A name that is most surely free."""
        return f".loopwright-{secrets.token_hex(8)}.tmp"

    def replace(self, old: str, new: str) -> None:
        """Rename, in one step; whatever had the new name (a link itself, not where it leads) is gone."""
        if self._descriptor is None:
            self._beside(old).replace(self._beside(new))
        else:
            os.replace(old, new, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    def remove(self, name: str) -> None:
        """Remove a file, or a link itself."""
        if self._descriptor is None:
            self._beside(name).unlink()
        else:
            os.unlink(name, dir_fd=self._descriptor)

    def names(self, limit: int) -> list[tuple[str, bool]]:
        """The first names in this folder in the system's order, each with whether it is a folder (no link to one)."""
        if self._descriptor is None:
            with os.scandir(self._path) as found:
                return _listed(found, limit)
        readable = os.open(".", _FOLDER, dir_fd=self._descriptor)
        try:
            with os.scandir(readable) as found:
                return _listed(found, limit)
        finally:
            os.close(readable)

    def _beside(self, name: str) -> Path:
        return self._path / name

    def _opened(self, name: str, flags: int) -> int:
        if os.name == "nt" and not legal_on_windows(name):
            raise OSError(errno.EINVAL, "the system keeps that name for itself")
        if self._descriptor is None:
            return os.open(self._beside(name), flags, 0o666)
        return os.open(name, flags, 0o666, dir_fd=self._descriptor)


def legal_on_windows(name: str) -> bool:
    """Whether Windows takes a name for a file, and for just that file: no device, no stream, no dot that it drops.

    >>> legal_on_windows("notes.txt"), legal_on_windows("NUL.txt"), legal_on_windows("a.txt:hidden")
    (True, False, False)
    """
    return _NO_WINDOWS_NAME.fullmatch(name) is None


def _must_be_file(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise NotAFile(errno.EINVAL, "it is no regular file")


def _listed(found: Iterable[os.DirEntry[str]], limit: int) -> list[tuple[str, bool]]:
    return [(one.name, one.is_dir(follow_symlinks=False)) for one in islice(found, limit)]
