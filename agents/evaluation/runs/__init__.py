"""Runs: an evaluation that is kept in a folder, gone on with, judged again, and compared with another.

codec          a trial's result as JSON, and back
"""

from __future__ import annotations

from .codec import trial_as_json, trial_from_json

__all__ = ["trial_as_json", "trial_from_json"]
