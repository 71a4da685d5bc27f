"""Files that are written whole or not at all: a full disk, Ctrl-C or a kill leaves what was there."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO


def write_whole(path: str | Path, content: str | bytes | Iterable[bytes]) -> Path:
    r"""Write a file whole or not at all, and make its folder if need be; returns its path.

    What was there stays until the new one is complete; its rights stay too, and a link to it stays a link. Text is
    written as UTF-8; half a character, which models write now and then, as its escape (`\udc80`). What is no file of a disk
    (`/dev/stdout`, a pipe) is written straight away. Raises `OSError`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write_whole(Path(folder) / "new" / "a.txt", "one\n")
    ...     written.read_text(), [file.name for file in written.parent.iterdir()]
    ('one\n', ['a.txt'])
    """
    target = Path(path)
    if target.exists() and not target.is_file():
        with target.open("wb") as stream:
            _fill(stream, content)
        return target
    place = Path(os.path.realpath(target))
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_name(f".{place.name}.{os.getpid()}.{threading.get_ident()}.partial")
    try:
        with partial.open("wb") as stream:
            _fill(stream, content)
        if place.exists():
            partial.chmod(place.stat().st_mode & 0o7777)
        partial.replace(place)
    finally:
        partial.unlink(missing_ok=True)
    return target


def _fill(stream: BinaryIO, content: str | bytes | Iterable[bytes]) -> None:
    if isinstance(content, str):
        content = content.encode("utf-8", "backslashreplace")
    stream.writelines([content] if isinstance(content, bytes) else content)
