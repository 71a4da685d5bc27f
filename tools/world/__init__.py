"""Worlds: the state that tools work on, so that an evaluation can say what an agent has done to it.

paths, tree      paths and patterns; data that is never changed in place
changes          what differs between two states
world            World: declared data with snapshots, differences, a hash
"""

from __future__ import annotations

from .changes import ABSENT, Change
from .world import Snapshot, World

__all__ = ["ABSENT", "Change", "Snapshot", "World"]
