"""The optimizers, where DSPy's programs look for them: `dspy.teleprompt`."""

from __future__ import annotations

from .modules import Ensemble
from .optimizers import (
    COPRO,
    GEPA,
    SIMBA,
    BootstrapFewShot,
    BootstrapFewShotWithRandomSearch,
    BootstrapRS,
    BootstrapTrajectories,
    KNNFewShot,
    LabeledFewShot,
    MIPROv2,
)

__all__ = [
    "COPRO",
    "GEPA",
    "SIMBA",
    "BootstrapFewShot",
    "BootstrapFewShotWithRandomSearch",
    "BootstrapRS",
    "BootstrapTrajectories",
    "Ensemble",
    "KNNFewShot",
    "LabeledFewShot",
    "MIPROv2",
]
