"""Runs: an evaluation that is kept in a folder, gone on with, judged again, and compared with another.

folder         the folder: begun, gone on with, read
manifest       what a run is of, and what has changed since     sources   the files of its code
store          its trials, one line for each
codec          a trial's result as JSON, and back
spending       a run's budget           journals    its trials on record       dry_run   what it would ask for
rescore        judged again by changed tasks       comparison   with a baseline: what is broken, and is it chance
junit          the report for CI        cluster     trials on dask
"""

from __future__ import annotations

from .codec import trial_as_json, trial_from_json
from .comparison import Comparison, compare
from .folder import KeptRun, RunFolder
from .rescore import Rescored, rescored

__all__ = [
    "Comparison",
    "KeptRun",
    "Rescored",
    "RunFolder",
    "compare",
    "rescored",
    "trial_as_json",
    "trial_from_json",
]
