"""The journals of trials: what models and tools said, so that a run can be repeated without asking them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError
from ...runtime.journal import Journal, JournalFile
from ..tasks import TaskFile
from ..trials.attempt import Trial, TrialResult

FILE = "journal.sqlite"


def journal_path(file: TaskFile) -> Path | None:
    """The journal of a task file's trials; None where none is kept."""
    spec = file.defaults.journal
    if spec is None or spec.mode == "off":
        return None
    path = file.base / spec.path
    return path / FILE if spec.path.endswith("/") or path.is_dir() else path


def open_journals(files: Iterable[TaskFile]) -> None:
    """Make the journals that are to be written; raises `ConfigurationError` where one can't be used."""
    for file in files:
        path = journal_path(file)
        if path is None or file.defaults.journal is None:
            continue
        if file.defaults.journal.mode == "replay" and not path.exists():
            raise ConfigurationError(
                f"{file.name}: there is no journal {path} to replay: record one first (mode: record)"
            )
        JournalFile(path).close()


def replayed(files: Iterable[TaskFile]) -> bool:
    """Whether no model is asked for any of these files."""
    specs = [file.defaults.journal for file in files]
    return all(spec is not None and spec.mode == "replay" for spec in specs)


def journaled(
    work: Callable[[Trial], Coroutine[Any, Any, TrialResult]],
) -> Callable[[Trial], Coroutine[Any, Any, TrialResult]]:
    """The same work, each trial in a journal's run of its own where its file keeps one."""

    async def made(trial: Trial) -> TrialResult:
        with _journal(trial):
            return await work(trial)

    return made


def _journal(trial: Trial) -> AbstractContextManager[object]:
    path, spec = journal_path(trial.file), trial.file.defaults.journal
    if path is None or spec is None or spec.mode == "off":
        return nullcontext()
    name = f"{trial.file.name}/{trial.task.id}/{trial.epoch}"
    if spec.mode == "record":
        _forget(path, name)
    return Journal(path, name, mode=spec.mode, title=f"{trial.task.id}, epoch {trial.epoch + 1}")


def _forget(path: Path, name: str) -> None:
    file = JournalFile(path)
    try:
        file.forget(name)
    finally:
        file.close()
