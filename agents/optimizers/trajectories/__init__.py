"""Learning from trajectories: runs are collected, gated, rewritten, shortlisted, selected and confirmed."""

from __future__ import annotations

from .bootstrap import BootstrapTrajectories

__all__ = ["BootstrapTrajectories"]
