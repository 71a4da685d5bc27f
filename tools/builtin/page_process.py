"""HTML read in a process of its own, which has a bound on its memory and is killed when it takes too long."""

from __future__ import annotations

import json
import subprocess
import sys

from ..errors import ToolFailed
from .line_matcher import limit_process
from .page_text import PageText, html_text

_BYTES = 1_000_000_000  # of address space; the largest page that is fetched takes a third
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from loopwright.tools.builtin.page_process import serve; serve(int(sys.argv[2]))"
)


def read_html(page: str, seconds: float) -> PageText:
    """As `html_text`, in at most so many seconds; raises `ToolFailed` where they are over.

    >>> read_html("<title>T</title><p>a", 60)
    PageText(title='T', text='a', whole=True)
    """
    command = [sys.executable, "-I", "-S", "-B", "-c", _BOOT, json.dumps(sys.path), str(int(seconds) + 1)]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            command, input=page.encode(errors="replace"), capture_output=True, timeout=seconds, check=True
        )
    except subprocess.TimeoutExpired:
        raise ToolFailed("the page is too complicated to be read in the time there is") from None
    except (subprocess.CalledProcessError, OSError) as error:
        raise ToolFailed("the page is too complicated to be read") from error
    title, text, whole = json.loads(done.stdout)
    return PageText(title, text, whole)


def serve(seconds: int) -> None:
    """Read the page on standard input; this is the child."""
    limit_process(seconds, _BYTES)
    found = html_text(sys.stdin.buffer.read().decode())
    sys.stdout.buffer.write(json.dumps([found.title, found.text, found.whole]).encode())
