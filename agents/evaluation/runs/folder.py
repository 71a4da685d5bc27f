"""The folder of a run: what it is of, its trials as they are made, and its report.

run.json        what was run: versions, digests, options (`manifest`)
tasks.json      the tasks as they were, by file and id
trials.jsonl    a line for each trial (`store`)
report.json, report.html, junit.xml       written in the end; a partial run has them too
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from ...errors import ConfigurationError
from ...models.base import BaseLM
from ...runtime.budget import Budget
from ...whole_file import write_whole
from ..file.format import Task
from ..reports.report import Report
from ..trials.attempt import Trial, TrialResult
from . import manifest as manifests
from . import store
from .codec import trial_from_json
from .manifest import Manifest, Session, differences, digests, doubts
from .spending import calls_of, whole_usage
from .store import Key, Place, StoredTrials, TrialStore

TASKS = "tasks.json"


class RunFolder:
    """A run that is being made, in its folder.

    Raises `ConfigurationError` where the folder can't be used, or holds another run than the one to go on with.

    >>> import tempfile
    >>> from loopwright import TaskFile, context
    >>> from loopwright.evaluation import plan, run_trials
    >>> from loopwright.models import ScriptedLM
    >>> from loopwright.runtime import Budget
    >>> from loopwright.tools import ToolCall
    >>> file = TaskFile.parse('''
    ... version: 1
    ... agent: {signature: "question -> answer: int"}
    ... tasks: [{id: sum, input: {question: "2 + 2?"}, expect: {answer: {answer: 4}}}]
    ... ''')
    >>> lm = ScriptedLM([ToolCall("submit", {"answer": 4})])
    >>> folder = Path(tempfile.mkdtemp())
    >>> with RunFolder.begin(folder, plan(file), lm) as run, context(lm=lm), Budget() as budget:
    ...     run.start()
    ...     for result in run_trials(run.remaining()):
    ...         _ = run.add(result)
    ...     run.finish("complete", budget)
    ...     print(run.remaining(), run.report().passed)
    [] 1
    >>> [result.outcome for result in KeptRun(folder).results]
    ['passed']
    """

    def __init__(
        self,
        path: Path,
        planned: Sequence[Trial],
        manifest: Manifest,
        trials: TrialStore,
        doubts: Sequence[str] = (),
    ) -> None:
        self.path = path
        self.planned = planned
        self.manifest = manifest
        self.doubts = doubts
        self._store = trials
        self._started = time.perf_counter()

    @classmethod
    def begin(
        cls,
        path: Path,
        trials: Sequence[Trial],
        model: BaseLM,
        *,
        resume: bool = False,
        paths: Mapping[str, str] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Self:
        """A new run in this folder; with `resume`, the one that is there, if it is of the same.

        `doubts` says what of its code has changed since the trials that it holds were made. Until `start()` nothing
        is written of it.
        """
        started = datetime.now(UTC).isoformat(timespec="seconds")
        now = Manifest.of(trials, model, started, paths=paths, options=options)
        known = Manifest.read(path) if (path / manifests.FILE).exists() else None
        if known is not None and not resume:
            status = "under way, or killed" if known.status == "running" else known.status
            raise ConfigurationError(
                f"{path} holds a run already ({status}, {known.planned} trials planned): "
                "--resume goes on with it; or give --out another folder. Nothing was run"
            )
        if known is not None and (lines := differences(known, now)):
            raise ConfigurationError(
                f"the run in {path} can't be gone on with, since it is of something else: "
                + "; ".join(lines)
                + ". Give --out another folder. Nothing was run"
            )
        return cls._opened(path, trials, now, known)

    @classmethod
    def _opened(cls, path: Path, trials: Sequence[Trial], now: Manifest, known: Manifest | None) -> Self:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"--out {path} can't be written: {error.strerror}; nothing was run"
            ) from error
        kept = TrialStore(path / store.FILE)
        try:
            if known is None and len(kept):
                raise ConfigurationError(
                    f"{path} holds trials, but no {manifests.FILE} that says of what: give --out another folder"
                )
            sessions = (*(known.sessions if known else ()), Session(now.started))
            began = known.started if known else now.started
            doubtful = doubts(known, now) if known and len(kept) else []
            return cls(path, trials, replace(now, started=began, sessions=sessions), kept, doubtful)
        except BaseException:
            kept.close()
            raise

    def start(self) -> None:
        """Write down what the run is of, and that it is being worked on."""
        self._started = time.perf_counter()
        _write_tasks(self.path, self.planned)
        self._write_manifest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._store.close()

    @property
    def session(self) -> int:
        """The number of this session, from 0."""
        return len(self.manifest.sessions) - 1

    def remaining(self) -> list[Trial]:
        """The trials that are yet to be made; those that were excluded are made again."""
        return [trial for trial in self.planned if key_of(trial) not in self._store]

    @cached_property
    def before(self) -> Session:
        """What earlier sessions took; of one that was killed, what its trials took."""
        earlier = self.manifest.sessions[:-1]
        told = [one for one in earlier if one.seconds]
        told += self._killed({number for number, one in enumerate(earlier) if not one.seconds})
        prices = [one.usd for one in told]
        return Session(
            self.manifest.started,
            sum(one.seconds for one in told),
            sum(one.calls for one in told),
            sum(one.tokens for one in told),
            None if None in prices else sum(one or 0.0 for one in prices),
        )

    def _killed(self, numbers: set[int]) -> Iterator[Session]:
        """What sessions took that could not say so."""
        took: dict[int, Session] = {}
        for line in store.lines(self.path / store.FILE) if numbers else ():
            body = json.loads(line)
            if (number := body["session"]) in numbers:
                result = trial_from_json(body, self._task)
                one, usage = took.get(number, Session("")), whole_usage(result)
                took[number] = Session(
                    "",
                    body["elapsed"],
                    one.calls + calls_of(result),
                    one.tokens + usage.total_tokens,
                    None if None in (one.usd, usage.usd) else (one.usd or 0.0) + (usage.usd or 0.0),
                )
        yield from took.values()

    def _task(self, file: str, name: str) -> Task:
        return self._tasks[file, name]

    @cached_property
    def _tasks(self) -> dict[tuple[str, str], Task]:
        return {(trial.file.name, trial.task.id): trial.task for trial in self.planned}

    def made(self) -> dict[Key, str]:
        """The outcome of each trial that is there."""
        return {key: place.outcome for key, place in self._store.places().items()}

    def add(self, result: TrialResult) -> bool:
        """Keep a trial's result; False where it is there already."""
        elapsed = round(time.perf_counter() - self._started, 3)
        return self._store.add(result, {"session": self.session, "elapsed": elapsed})

    def finish(self, status: str, budget: Budget) -> None:
        """Write how this session ended; `budget` holds what all of them took, trials that were dropped included."""
        usd = None if budget.usage.usd is None else budget.usage.usd - (self.before.usd or 0.0)
        last = replace(
            self.manifest.sessions[-1],
            seconds=round(max(time.perf_counter() - self._started, 0.001), 3),
            calls=budget.calls - self.before.calls,
            tokens=budget.usage.total_tokens - self.before.tokens,
            usd=usd,
        )
        sessions = (*self.manifest.sessions[:-1], last)
        self.manifest = replace(self.manifest, sessions=sessions, status=status)
        self._write_manifest()

    def report(self) -> Report:
        """The report of all that was made until now."""
        places = self._store.places()
        made = [places[key] for key in map(key_of, self.planned) if key in places]
        results = StoredTrials(self._store.path, made, self._task)
        seconds = self.before.seconds + self.manifest.sessions[-1].seconds
        started = datetime.fromisoformat(self.manifest.started)
        return Report.of(self.planned, results, model=self.manifest.model, started=started, seconds=seconds)

    def _write_manifest(self) -> None:
        try:
            self.manifest.write(self.path)
        except OSError as error:
            raise ConfigurationError(f"{self.path} can't be written: {error.strerror}") from error


def _write_tasks(path: Path, trials: Sequence[Trial]) -> None:
    tasks: dict[str, dict[str, Any]] = {}
    for trial in trials:
        if trial.epoch == 0:
            dumped = trial.task.model_dump(mode="json", exclude_defaults=True, by_alias=True)
            tasks.setdefault(trial.file.name, {})[trial.task.id] = dumped
    try:
        write_whole(path / TASKS, json.dumps(tasks, default=str))
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written: {error.strerror}") from error


def key_of(trial: Trial) -> Key:
    """What a trial is known by."""
    return Key(trial.file.name, trial.task.id, trial.epoch)


def write_judged(path: Path, run: KeptRun, trials: Sequence[Trial], results: Iterable[TrialResult]) -> None:
    """Keep the trials of a run in another folder as they are judged now, by the tasks of `trials`."""
    if (path / manifests.FILE).exists():
        raise ConfigurationError(f"{path} holds a run already: give --out another folder")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--out {path} can't be written: {error.strerror}") from error
    with TrialStore(path / store.FILE) as kept:
        for result in results:
            kept.add(result, {"session": 0, "elapsed": 0.0})
    _write_tasks(path, trials)
    paths = {name: file.path for name, file in run.manifest.files.items()}
    replace(run.manifest, files=digests(trials, paths), sessions=()).write(path)


class KeptRun:
    """A run in its folder, to be read: also one that is under way, or whose task file is gone."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.manifest = Manifest.read(self.path)
        self._tasks = _read_tasks(self.path / TASKS)
        places, _ = store.read_places(self.path / store.FILE)
        order = {(file, task): n for n, (file, task) in enumerate(self._tasks)}
        ordered: list[Place] = [
            places[key] for key in sorted(places, key=lambda key: (order[key.file, key.task], key.epoch))
        ]
        self.results = StoredTrials(
            self.path / store.FILE, ordered, lambda file, task: self._tasks[file, task]
        )

    def digest(self, file: str, task: str) -> str:
        """The digest of a task, as it was run."""
        return self.manifest.files[file].tasks[task]


def _read_tasks(path: Path) -> dict[tuple[str, str], Task]:
    try:
        body = json.loads(path.read_bytes())
        return {
            (file, name): Task.model_validate(task)
            for file, tasks in body.items()
            for name, task in tasks.items()
        }
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, AttributeError) as error:
        raise ConfigurationError(f"{path} is damaged: {error}") from error
