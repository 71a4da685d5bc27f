"""Trials on a dask cluster: what a worker there needs to make one again is a file's path and some names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ...ambient import context
from ...errors import ConfigurationError
from ...models.base import BaseLM
from ...models.lm import LM
from ...module import Module
from ..tasks import TaskFile
from ..trials.attempt import Trial, TrialResult
from ..trials.engine import make_trial, programmed
from ..workers import AHEAD
from .codec import trial_as_json, trial_from_json

CONNECTING = 15  # seconds for the scheduler to answer


@dataclass(frozen=True, slots=True)
class TrialRef:
    """A trial by names: the task file and what it held, the program's state, the task, the epoch."""

    path: str
    digest: str
    program: str
    task: str
    epoch: int


class Cluster:
    """The workers of a dask cluster, who read the task files, and the program's state, under the same paths.

    Raises `ConfigurationError` where no scheduler answers at the address. A model that is an `LM` is made anew by
    each worker, who needs its key in the environment; others are sent as they are.
    """

    def __init__(
        self,
        address: str,
        paths: Mapping[str, str],
        program: Path | None,
        model: BaseLM,
        *,
        connecting: float = CONNECTING,
    ) -> None:
        self._client = _connected(address, connecting)
        threads = sum(self._client.nthreads().values())
        if not threads:
            self._client.close()
            raise ConfigurationError(f"the dask cluster at {address} has no workers: start some")
        self.room = AHEAD * threads
        self._paths = {name: (str(Path(path).absolute()), _digest(path)) for name, path in paths.items()}
        self._program = "" if program is None else str(program.absolute())
        self._model: str | BaseLM = json.dumps(model.dump_state()) if isinstance(model, LM) else model
        self._open: set[Any] = set()  # dask forgets what nobody holds

    def submit(self, trial: Trial, /) -> Future[TrialResult]:
        """Hand a trial over."""
        path, digest = self._paths[trial.file.name]
        ref = TrialRef(path, digest, self._program, trial.task.id, trial.epoch)
        made: Future[TrialResult] = Future()
        remote: Any = self._client.submit(run_ref, ref, self._model, pure=False)
        self._open.add(remote)
        remote.add_done_callback(lambda done: self._arrived(trial, done, made))
        return made

    def stop(self) -> None:
        """Let the workers finish what they were handed, which is little: what is taken back would be paid for in vain."""

    def close(self) -> None:
        """Leave the cluster; it drops what nobody waits for."""
        self._client.close()

    def _arrived(self, trial: Trial, remote: Any, made: Future[TrialResult]) -> None:
        self._open.discard(remote)
        if remote.cancelled():
            made.cancel()
            return
        try:
            result = trial_from_json(remote.result(), lambda file, task: trial.task)
        except Exception as error:  # noqa: BLE001  # whoever reads the future raises it again
            made.set_exception(error)
        else:
            made.set_result(result)


def _connected(address: str, seconds: float) -> Any:
    try:
        import distributed
    except ImportError as error:
        raise ConfigurationError("--dask needs the extra: pip install 'loopwright[dask]'") from error
    make: Any = distributed.Client  # untyped
    try:
        return make(address, timeout=seconds, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ConfigurationError(f"no dask scheduler answers at {address}: {error}") from error


def run_ref(ref: TrialRef, model: str | BaseLM) -> dict[str, Any]:
    """Make a trial from its names; the result as `trial_as_json` gives it. What a worker runs."""
    file, program = _loaded(ref.path, ref.digest, ref.program)
    trial = Trial(file, program, file.task(ref.task), ref.epoch)
    with context(lm=_model(model) if isinstance(model, str) else model):
        return trial_as_json(make_trial(trial))


@cache
def _model(state: str) -> LM:
    return LM(**json.loads(state))


@cache
def _loaded(path: str, digest: str, program: str) -> tuple[TaskFile, Module]:
    """The file, once for each worker."""
    try:
        found = _digest(path)
    except OSError as error:
        raise ConfigurationError(
            f"a worker of the dask cluster can't read {path}: {error.strerror}"
        ) from error
    if found != digest:
        raise ConfigurationError(f"{path} is another file where the dask worker runs: give it the same one")
    file = TaskFile.load(path)
    return file, programmed(file, Path(program) if program else None)


def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
