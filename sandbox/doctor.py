"""What this system gives the sandbox, found by starting a worker and asking it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from .base import Level, Limits
from .levels import LAYERS, reached
from .spawn import fork_worker, start_message


@dataclass(frozen=True, slots=True)
class Report:
    """The layers of the operating system by name: "" where it took effect, else why it did not."""

    layers: Mapping[str, str]
    system: str

    @property
    def level(self) -> Level:
        """The highest level that can be asked for here."""
        return reached(self.layers)

    def __str__(self) -> str:
        lines = [f"{self.system}: level {self.level!r}", ""]
        for name, meaning in LAYERS.items():
            reason = self.layers.get(name, "not tried")
            lines.append(f"  {'no ' if reason else 'yes'}  {name:<18} {reason or meaning}")
        return "\n".join([*lines, "", *_NOT_PROMISED[self.level]])


_NOT_PROMISED: Mapping[Level, list[str]] = {
    "strict": ["Not promised: safety from bugs of the kernel, and from side channels."],
    "standard": ["Not promised: as 'strict', and the layers above with a 'no'."],
    "language": [
        "Not promised: that hostile code stays in. Programs run in a process of their own, behind the language",
        "policy alone; a hole in that policy reaches everything that your own user may do.",
    ],
}


def probe() -> Report:
    """Start a worker, see what took effect, and end it. Raises SandboxError where none can be started."""
    start = start_message(Limits(), guarded=True, os_layer=True)
    worker, layers = fork_worker(start, 100_000)
    worker.end()
    python = ".".join(map(str, sys.version_info[:3]))
    return Report(layers, f"{platform.system()} {platform.release()} ({platform.machine()}), Python {python}")
