"""What may be put around a program: a budget, a journal, watchers of its events.

Names resolve on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import names_of

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
    __getattr__ = names_of(__name__, _HOME_OF)
