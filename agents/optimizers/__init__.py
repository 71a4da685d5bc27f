"""Optimizers: what makes a program better, and shows on held-out tasks that it did.

Each is a search that asks for rollouts and is told what came of them (`rollouts`); a driver around it runs them, within
a budget, and keeps them in a store (`driver`, `ledger`, `store`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import names_of

if TYPE_CHECKING:
    from .amounts import Amounts as Amounts
    from .base import Optimizer as Optimizer
    from .base import Setting as Setting
    from .bootstrap_few_shot import BootstrapFewShot as BootstrapFewShot
    from .copro import COPRO as COPRO
    from .driver import CompileInterrupted as CompileInterrupted
    from .estimates import Estimate as Estimate
    from .gepa import GEPA as GEPA
    from .knn_few_shot import KNNFewShot as KNNFewShot
    from .labeled_few_shot import LabeledFewShot as LabeledFewShot
    from .mipro import MIPROv2 as MIPROv2
    from .random_search import BootstrapFewShotWithRandomSearch as BootstrapFewShotWithRandomSearch
    from .random_search import BootstrapRS as BootstrapRS
    from .report import Decision as Decision
    from .report import Report as Report
    from .report import report_of as report_of
    from .rollouts import Batch as Batch
    from .rollouts import Compiled as Compiled
    from .rollouts import Outcome as Outcome
    from .rollouts import Rollout as Rollout
    from .rollouts import Search as Search
    from .rollouts import draws as draws
    from .simba import SIMBA as SIMBA
    from .store import RolloutStore as RolloutStore
    from .trajectories import BootstrapTrajectories as BootstrapTrajectories

_HOME_OF = {
    "Amounts": "amounts",
    "Batch": "rollouts",
    "BootstrapFewShot": "bootstrap_few_shot",
    "BootstrapFewShotWithRandomSearch": "random_search",
    "BootstrapRS": "random_search",
    "BootstrapTrajectories": "trajectories",
    "COPRO": "copro",
    "CompileInterrupted": "driver",
    "Compiled": "rollouts",
    "Decision": "report",
    "Estimate": "estimates",
    "GEPA": "gepa",
    "KNNFewShot": "knn_few_shot",
    "LabeledFewShot": "labeled_few_shot",
    "MIPROv2": "mipro",
    "Optimizer": "base",
    "Outcome": "rollouts",
    "Report": "report",
    "Rollout": "rollouts",
    "RolloutStore": "store",
    "SIMBA": "simba",
    "Search": "rollouts",
    "Setting": "base",
    "draws": "rollouts",
    "report_of": "report",
}

__all__ = list(_HOME_OF)  # all are names


if not TYPE_CHECKING:  # else a checker would believe in every name
    __getattr__ = names_of(__name__, _HOME_OF)
