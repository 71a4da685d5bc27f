"""Worlds: the state that tools work on, so that an evaluation can say what an agent has done to it.

paths, tree      paths and patterns; data that is never changed in place
changes          what differs between two states
world            World: declared data with snapshots, differences, a hash
environment      what tools act on in a run: a world, and the faults that calls meet
faults           what goes wrong with which call
crud             tools over a world that are declared, not written
"""

from __future__ import annotations

from .changes import ABSENT, Change
from .environment import Environment, Simulator
from .faults import Fault
from .world import Snapshot, World

__all__ = ["ABSENT", "Change", "Environment", "Fault", "Simulator", "Snapshot", "World"]
