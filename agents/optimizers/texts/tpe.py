"""A search over choices by optuna's tree-structured Parzen estimator, asked and told.

Bergstra et al., "Algorithms for Hyper-Parameter Optimization" (NeurIPS 2011). optuna is the extra `optuna`.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from ...errors import ConfigurationError

STARTUP = 8  # trials that are drawn at random before the estimator takes over


def load_optuna() -> ModuleType:
    """The library; raises `ConfigurationError` that says how to install it."""
    try:
        import optuna
    except ImportError:
        raise ConfigurationError(
            "MIPROv2 searches with optuna, which is not installed: pip install 'loopwright[optuna]'"
        ) from None
    module: ModuleType = optuna
    return module


@dataclass(slots=True)
class Chooser:
    """Proposes a choice of each kind, and learns from how well it did. The same seed proposes the same.

    `options` says by name how many there are of a kind; a choice is an index below that.
    """

    options: Mapping[str, int]
    seed: int
    _optuna: ModuleType = field(default_factory=load_optuna)
    _study: Any = None

    def __post_init__(self) -> None:
        with _quiet(self._optuna):
            sampler = self._optuna.samplers.TPESampler(seed=self.seed, n_startup_trials=STARTUP)
            self._study = self._optuna.create_study(direction="maximize", sampler=sampler)

    def try_first(self, choice: Mapping[str, int]) -> None:
        """Put a choice before all that are not asked for yet."""
        with _quiet(self._optuna):
            self._study.enqueue_trial(dict(choice))

    def ask(self) -> tuple[Any, dict[str, int]]:
        """A choice, and what to tell its value by."""
        kinds = {
            name: self._optuna.distributions.CategoricalDistribution(list(range(count)))
            for name, count in self.options.items()
        }
        with _quiet(self._optuna):
            trial = self._study.ask(kinds)
        return trial, {name: int(trial.params[name]) for name in self.options}

    def tell(self, trial: Any, value: float | None) -> None:
        """How well it did; None where that could not be measured."""
        with _quiet(self._optuna):
            if value is None:
                self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
            else:
                self._study.tell(trial, value)


@contextmanager
def _quiet(optuna: ModuleType) -> Generator[None, None, None]:
    """No log of optuna's own below a warning."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(before, optuna.logging.WARNING))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
