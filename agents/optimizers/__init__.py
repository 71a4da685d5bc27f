"""Optimizers: what makes a program better, and shows on held-out tasks that it did.

Each is a search that asks for rollouts and is told what came of them (`rollouts`); a driver around it runs them, within
a budget, and keeps them in a store (`driver`, `ledger`, `store`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import names_of

if TYPE_CHECKING:
    from .base import Optimizer as Optimizer
    from .base import Setting as Setting
    from .driving.amounts import Amounts as Amounts
    from .driving.driver import CompileInterrupted as CompileInterrupted
    from .driving.rollouts import Batch as Batch
    from .driving.rollouts import Compiled as Compiled
    from .driving.rollouts import Outcome as Outcome
    from .driving.rollouts import Rollout as Rollout
    from .driving.rollouts import Search as Search
    from .driving.rollouts import draws as draws
    from .driving.store import RolloutStore as RolloutStore
    from .estimates import Estimate as Estimate
    from .few_shot.bootstrap import BootstrapFewShot as BootstrapFewShot
    from .few_shot.knn import KNNFewShot as KNNFewShot
    from .few_shot.labeled import LabeledFewShot as LabeledFewShot
    from .few_shot.random_search import BootstrapFewShotWithRandomSearch as BootstrapFewShotWithRandomSearch
    from .few_shot.random_search import BootstrapRS as BootstrapRS
    from .report import Decision as Decision
    from .report import Report as Report
    from .report import report_of as report_of
    from .texts.copro import COPRO as COPRO
    from .texts.gepa import GEPA as GEPA
    from .texts.mipro import MIPROv2 as MIPROv2
    from .texts.simba import SIMBA as SIMBA
    from .trajectories import BootstrapTrajectories as BootstrapTrajectories

_HOME_OF = {
    "Amounts": "driving.amounts",
    "Batch": "driving.rollouts",
    "BootstrapFewShot": "few_shot.bootstrap",
    "BootstrapFewShotWithRandomSearch": "few_shot.random_search",
    "BootstrapRS": "few_shot.random_search",
    "BootstrapTrajectories": "trajectories",
    "COPRO": "texts.copro",
    "CompileInterrupted": "driving.driver",
    "Compiled": "driving.rollouts",
    "Decision": "report",
    "Estimate": "estimates",
    "GEPA": "texts.gepa",
    "KNNFewShot": "few_shot.knn",
    "LabeledFewShot": "few_shot.labeled",
    "MIPROv2": "texts.mipro",
    "Optimizer": "base",
    "Outcome": "driving.rollouts",
    "Report": "report",
    "Rollout": "driving.rollouts",
    "RolloutStore": "driving.store",
    "SIMBA": "texts.simba",
    "Search": "driving.rollouts",
    "Setting": "base",
    "draws": "driving.rollouts",
    "report_of": "report",
}

__all__ = list(_HOME_OF)  # all are names


if not TYPE_CHECKING:  # else a checker would believe in every name
    __getattr__ = names_of(__name__, _HOME_OF)
