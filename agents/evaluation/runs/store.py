"""The trials of a run in a file, `trials.jsonl`: one line for each, written whole before it counts.

The file is only ever added to. A line without its end is what a killed process left behind: it is no trial,
and is cut off before the next one is written. The first line of a trial that says something about the agent
is the one that counts; one that was excluded is made again, and counts until then.

What is written survives the death of the process at once, and that of the machine after `SYNCED` seconds.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self, overload

from loopwright.tools.threads import spawn

from ...errors import ConfigurationError
from ...trajectory import Step, Trajectory
from ..trials.attempt import TrialResult
from .codec import Lookup, RecordError, from_json, trial_as_json, trial_from_json, written

FILE = "trials.jsonl"
KEPT = 32 * 2**20  # bytes of trials whose trajectories are held in memory while a report is made
SYNCED = 0.5  # seconds that a power cut may take back


class Key(NamedTuple):
    """What a trial is known by: the file's name, the task's id, the epoch from 0."""

    file: str
    task: str
    epoch: int


class Place(NamedTuple):
    """Where a trial's line lies, and what came of it."""

    offset: int
    length: int
    outcome: str

    @property
    def excluded(self) -> bool:
        """Whether it says nothing of the agent."""
        return self.outcome == "excluded"


class TrialStore:
    """The trials of one run, written by one process at a time.

    Raises `ConfigurationError` where the file can't be used, or another process writes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[Key, Place] = {}
        self._synced = time.monotonic()
        self._syncing: Future[None] | None = None
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise ConfigurationError(f"{path} can't be written: {error.strerror}") from error
        try:
            _hold(self._file, path)
            self._places, self._end = read_places(path)
            if os.fstat(self._file).st_size > self._end:
                os.ftruncate(self._file, self._end)
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Make sure that all is on the disk, and let go of the file."""
        try:
            self._wait_for_sync()
            os.fsync(self._file)
        except OSError as error:
            raise self._unwritable(error) from error
        finally:
            os.close(self._file)

    def __contains__(self, key: Key) -> bool:
        """Whether the trial was made, and not excluded."""
        place = self._places.get(key)
        return place is not None and not place.excluded

    def __len__(self) -> int:
        return len(self._places)

    def places(self) -> dict[Key, Place]:
        """Where each trial lies."""
        return dict(self._places)

    def add(self, result: TrialResult, note: Mapping[str, object]) -> bool:
        """Write a trial, with a note beside it; False where it is there already.

        Raises `ConfigurationError` where it can't be written, and loses nothing that was.
        """
        key = Key(result.file, result.task.id, result.epoch)
        if key in self:
            return False
        line = (written({**trial_as_json(result), **note}) + "\n").encode("ascii")
        try:
            _write(self._file, line)
        except OSError as error:
            os.ftruncate(self._file, self._end)
            raise self._unwritable(error) from error
        self._places[key] = Place(self._end, len(line), result.outcome)
        self._end += len(line)
        self._sync()
        return True

    def _sync(self) -> None:
        """Let the disk catch up beside the trials: it may take its time, and what is done must be written at once."""
        now = time.monotonic()
        if now - self._synced < SYNCED or not (self._syncing is None or self._syncing.done()):
            return
        self._synced = now
        self._wait_for_sync()
        self._syncing = spawn(partial(os.fsync, self._file), "loopwright-sync")

    def _wait_for_sync(self) -> None:
        syncing, self._syncing = self._syncing, None
        try:
            if syncing is not None:
                syncing.result()
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"{self.path} can't be written: {error.strerror}; the {len(self._places)} trials in it are safe, "
            "and the run can be gone on with (--resume) once there is room"
        )


def lines(path: Path) -> Iterator[bytes]:
    """The whole lines of a file; what follows the last of them is a write that was cut off."""
    with path.open("rb") as file:
        yield from (line for line in file if line.endswith(b"\n"))


def read_places(path: Path) -> tuple[dict[Key, Place], int]:
    """Where each trial lies that counts, and where the last whole line ends."""
    places: dict[Key, Place] = {}
    end = 0
    for line in lines(path):
        body = _body(line, path, end)
        key = Key(body["file"], body["task"], body["epoch"])
        known = places.get(key)
        if known is None or known.excluded:
            places[key] = Place(end, len(line), body["outcome"])
        end += len(line)
    return places, end


def _body(line: bytes, path: Path, offset: int) -> dict[str, Any]:
    try:
        body = json.loads(line)
        _ = body["file"], body["task"], body["epoch"], body["outcome"]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{path} is damaged at byte {offset:,}: the line there is no trial. Cut it out to go on"
        ) from error
    whole: dict[str, Any] = body
    return whole


def _write(file: int, line: bytes) -> None:
    view = memoryview(line)
    while view:
        view = view[os.write(file, view) :]


def _hold(file: int, path: Path) -> None:
    """Keep other processes from writing the file; the system lets go of it when this one ends."""
    try:
        import fcntl
    except ImportError:  # Windows: two processes on one run are not noticed there
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ConfigurationError(
            f"{path.parent} is being written by another process: let it end, or take another folder"
        ) from error
    except OSError:
        return  # a file system without locks


# Reading


class StoredTrajectory(Trajectory):
    """A trajectory that lies in a file, and is read each time that its steps are looked at."""

    def __init__(self, path: Path, place: Place) -> None:
        vars(self)["_source"] = (path, place)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the run."""
        body = _at(*vars(self)["_source"])
        read: Trajectory = from_json(Trajectory, body["trajectory"])
        return read.steps

    def __reduce__(self) -> tuple[type[Trajectory], tuple[tuple[Step, ...]]]:
        return Trajectory, (self.steps,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trajectory) and self.steps == other.steps

    __hash__ = None  # type: ignore[assignment]  # as of any value that is read


class StoredTrials(Sequence[TrialResult]):
    """The trials of a run as a sequence, in the order in which they are given.

    Where their lines come to more than `kept` bytes, trajectories stay in the file: a report takes seconds longer
    then, and no more memory.
    """

    def __init__(self, path: Path, places: Sequence[Place], task: Lookup, kept: int = KEPT) -> None:
        large = sum(place.length for place in places) > kept
        self._results = [_read(path, place, task, large=large) for place in places]

    @overload
    def __getitem__(self, place: int) -> TrialResult: ...
    @overload
    def __getitem__(self, place: slice) -> list[TrialResult]: ...
    def __getitem__(self, place: int | slice) -> TrialResult | list[TrialResult]:
        return self._results[place]

    def __len__(self) -> int:
        return len(self._results)


def _read(path: Path, place: Place, task: Lookup, *, large: bool) -> TrialResult:
    body = _at(path, place)
    if not large:
        return trial_from_json(body, task)
    result = trial_from_json({**body, "trajectory": {"steps": []}}, task)
    return replace(result, trajectory=StoredTrajectory(path, place))


def _at(path: Path, place: Place) -> dict[str, Any]:
    with path.open("rb") as file:
        file.seek(place.offset)
        line = file.read(place.length)
    try:
        body: dict[str, Any] = json.loads(line)
    except ValueError as error:
        raise RecordError(f"{path} was changed while it was read") from error
    return body
