"""What may be put around a program: a budget, a journal, watchers of its events.

Names resolve on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .budget import Budget as Budget
    from .journal import Journal as Journal
    from .streamify import streamify as streamify
    from .telemetry import Telemetry as Telemetry
    from .usage import UsageTracker as UsageTracker
    from .usage import track_usage as track_usage

_HOME_OF = {
    "Budget": "budget",
    "Journal": "journal",
    "Telemetry": "telemetry",
    "UsageTracker": "usage",
    "streamify": "streamify",
    "track_usage": "usage",
}

__all__ = list(_HOME_OF)  # all are names


if not TYPE_CHECKING:  # else a checker would believe in every name

    def __getattr__(name: str) -> object:
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
        value = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
        globals()[name] = value
        return value
