"""What a run is of: `run.json`, by which it is known again.

    format, loopwright, python, packages      versions
    started, status, planned, epochs          when (UTC); running, complete, interrupted or out of budget
    model                                     its name, and the settings that its answers depend on
    files                                     by name: path, and the digests of what its trials depend on:
                                              agent, defaults, program, world, each tool, each task; the seed;
                                              and of the Python files that their own code is in (sources)
    options                                   those of the command
    sessions                                  each time that it was worked on: started, seconds, calls, tokens, usd

Digests are of the meaning, not of the bytes: a comment in a task file changes none.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from loopwright.tools.world.environment import view_of

from ...__about__ import __version__
from ...adapters.values import to_plain
from ...errors import ConfigurationError
from ...models.base import BaseLM
from ...models.lm import LM
from ...module import Module
from ...whole_file import write_whole
from ..tasks import TaskFile
from ..trials.attempt import Trial
from .codec import from_json
from .sources import sources

FORMAT = 1
FILE = "run.json"
NAMED = 5  # differences that are named

_PACKAGES = ("pydantic", "litellm")  # those that an answer may depend on
_NO_MATTER = {"cache", "num_retries", "timeout", "model"}  # settings that change no answer; the name is apart


@dataclass(frozen=True, slots=True)
class FileDigests:
    """What the trials of a task file depend on, each part as a digest."""

    path: str
    agent: str
    defaults: str
    program: str
    seed: int | None
    tools: Mapping[str, str]
    tasks: Mapping[str, str]
    world: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Session:
    """One time that a run was worked on, and what that took; `usd` is None where a price is not known."""

    started: str
    seconds: float = 0.0
    calls: int = 0
    tokens: int = 0
    usd: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of `run.json`."""

    started: str
    planned: int
    epochs: int
    model: str
    settings: Mapping[str, Any]
    files: Mapping[str, FileDigests]
    status: str = "running"
    options: Mapping[str, Any] = field(default_factory=dict)
    sessions: Sequence[Session] = ()
    format: int = FORMAT
    loopwright: str = __version__
    python: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        trials: Sequence[Trial],
        model: BaseLM,
        started: str,
        *,
        paths: Mapping[str, str] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Manifest:
        """What these trials are of; `paths` of the files by their names."""
        return cls(
            started,
            len(trials),
            1 + max((trial.epoch for trial in trials), default=0),
            model.model,
            _settings(model),
            digests(trials, paths or {}),
            options=dict(options or {}),
            python=platform.python_version(),
            packages=dict(_versions()),
        )

    def write(self, folder: Path) -> None:
        """Write `run.json`, whole or not at all."""
        write_whole(folder / FILE, json.dumps(asdict(self), indent=1, default=str) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a folder; raises `ConfigurationError` where it is none."""
        path = folder / FILE
        try:
            body = json.loads(path.read_bytes())
            if body["format"] != FORMAT:
                raise ConfigurationError(
                    f"{path} was written by another version of loopwright ({body['loopwright']}): "
                    f"format {body['format']}, this one reads {FORMAT}"
                )
            read: Manifest = from_json(cls, body)
        except FileNotFoundError as error:
            raise ConfigurationError(f"{folder} holds no run: there is no {FILE} in it") from error
        except OSError as error:
            raise ConfigurationError(f"{path} can't be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigurationError(f"{path} is damaged: {error}") from error
        return read


def differences(then: Manifest, now: Manifest) -> list[str]:
    """What has changed between two manifests of one run, in words; empty where trials of both go together."""
    return list(_differences(then, now))


def doubts(then: Manifest, now: Manifest) -> list[str]:
    """What else has changed between two manifests of one run, and may make its trials unlike: code, in words."""
    found = []
    if then.loopwright != now.loopwright:
        found.append(f"loopwright was {then.loopwright}, now it is {now.loopwright}")
    for name, before in then.files.items():
        after = now.files[name].sources if name in now.files else {}
        found += [
            f"{source} has changed since trials of this run were made: they ran other code"
            for source, known in before.sources.items()
            if source in after and after[source] != known
        ]
    return list(dict.fromkeys(found))


def _differences(then: Manifest, now: Manifest) -> Iterator[str]:
    if then.model != now.model:
        yield f"the model was {then.model}, now it is {now.model}"
    else:
        yield from _changed("the model's setting", then.settings, now.settings)
    if now.epochs < then.epochs:
        yield f"there were {then.epochs} epochs, now {now.epochs} {'is' if now.epochs == 1 else 'are'} asked for"
    for name in dict.fromkeys([*then.files, *now.files]):
        before, after = then.files.get(name), now.files.get(name)
        if before is None or after is None:
            yield f"the file {name} {'was not' if before is None else 'was'} part of the run"
        else:
            yield from (f"{name}: {line}" for line in _file_differences(before, after))


def _file_differences(then: FileDigests, now: FileDigests) -> Iterator[str]:
    if then.seed != now.seed:
        yield f"the seed was {then.seed}, now it is {now.seed}"
    if then.agent != now.agent:
        yield "the agent (module, signature, instructions) is another"
    if then.program != now.program:
        yield "the program's state is another"
    if then.defaults != now.defaults:
        yield "the defaults are others"
    if then.world != now.world:
        yield "the world is another"
    yield from _changed("the tool", then.tools, now.tools)
    yield from _changed("the task", then.tasks, now.tasks)


def _changed(what: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    lines = []
    for name in dict.fromkeys([*then, *now]):
        if name not in now:
            lines.append(f"{what} {name} is not there any more")
        elif name not in then:
            lines.append(f"{what} {name} is new")
        elif then[name] != now[name]:
            lines.append(f"{what} {name} is another")
    yield from lines[:NAMED]
    if len(lines) > NAMED:
        yield f"and {len(lines) - NAMED} more such differences"


# Digests


def digest(value: object) -> str:
    """A digest of a value's meaning as JSON.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    text = json.dumps(to_plain(value), sort_keys=True, default=str)
    return hashlib.sha256(text.encode("ascii", "backslashreplace")).hexdigest()[:16]


def task_digest(task: BaseModel) -> str:
    """A digest of a task: of what it says, not of how it is written."""
    return digest(task.model_dump(mode="json", exclude_defaults=True))


def digests(trials: Sequence[Trial], paths: Mapping[str, str]) -> dict[str, FileDigests]:
    """What these trials depend on, by the name of their file."""
    programs = {trial.file.name: (trial.file, trial.program) for trial in trials}
    return {name: _digests(file, program, paths.get(name, "")) for name, (file, program) in programs.items()}


def _digests(file: TaskFile, program: Module, path: str) -> FileDigests:
    defaults = file.defaults.model_dump(mode="json", exclude_defaults=True)
    agent = file.spec.model_dump(mode="json", exclude={"tools", "program"}, exclude_defaults=True)
    return FileDigests(
        path,
        digest([agent, str(file.signature), type(program).__qualname__]),
        digest(
            {name: value for name, value in defaults.items() if name not in ("seed", "epochs", "journal")}
        ),
        digest(program.dump_state()),
        file.defaults.seed,
        {name: digest(asdict(tool.spec)) for name, tool in file.tools.items()},
        {task.id: task_digest(task) for task in file.tasks},
        "" if file.worlds is None else digest(view_of(file.worlds.fresh())),
        sources(file, program),
    )


def _settings(model: BaseLM) -> dict[str, Any]:
    """The settings that a model's answers depend on; nothing secret."""
    state = model.dump_state() if isinstance(model, LM) else {}
    return {name: to_plain(value) for name, value in state.items() if name not in _NO_MATTER}


def _versions() -> Iterator[tuple[str, str]]:
    for name in _PACKAGES:
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
