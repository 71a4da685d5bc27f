"""A message written in the person's editor."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from loopwright.tools.threads import spawn

from ...errors import ConfigurationError
from .echo import echoing


async def edited(text: str) -> str:
    """What the person made of a text in $VISUAL or $EDITOR; raises `ConfigurationError` where there is no editor."""
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    words = shlex.split(named)
    if not words or shutil.which(words[0]) is None:
        raise ConfigurationError(f"there is no editor {named!r}: set EDITOR to one")
    with tempfile.TemporaryDirectory(prefix="loopwright-") as folder:
        path = Path(folder) / "message.md"
        path.write_text(text, encoding="utf-8")
        with echoing(shown=True):
            process = subprocess.Popen([*words, str(path)])  # noqa: S603  # the person's own editor
            try:
                code = await asyncio.wrap_future(spawn(process.wait, "editor"))
            except asyncio.CancelledError:
                process.terminate()
                process.wait()
                raise
        if code:
            raise ConfigurationError(f"{words[0]} ended with code {code}: nothing was sent")
        return path.read_text(encoding="utf-8", errors="replace")
