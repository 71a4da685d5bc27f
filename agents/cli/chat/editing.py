"""A message written in the person's editor."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import tempfile
from pathlib import Path

from ...errors import ConfigurationError


async def edited(text: str) -> str:
    """What the person made of a text in $VISUAL or $EDITOR; raises `ConfigurationError` where there is no editor."""
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    words = shlex.split(named)
    if not words or shutil.which(words[0]) is None:
        raise ConfigurationError(f"there is no editor {named!r}: set EDITOR to one")
    with tempfile.TemporaryDirectory(prefix="loopwright-") as folder:
        path = Path(folder) / "message.md"
        path.write_text(text, encoding="utf-8")
        process = await asyncio.create_subprocess_exec(*words, str(path))
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            process.terminate()
            await process.wait()
            raise
        if code:
            raise ConfigurationError(f"{words[0]} ended with code {code}: nothing was sent")
        return path.read_text(encoding="utf-8", errors="replace")
