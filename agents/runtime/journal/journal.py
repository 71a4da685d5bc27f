"""Recording a run, repeating it, and going on with one that was stopped."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Mapping
from contextvars import Token
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, get_args

from loopwright.tools.calls import ToolCall, ToolResult
from loopwright.tools.tool_context import Record

from ...ambient import Context, current, reset, set_context
from ...errors import ConfigurationError, ReplayError
from ...models.base import BaseLM, LMRequest, LMResponse
from ...seams import Interpreter
from . import forms
from .difference import nearest
from .file import Entry, JournalFile, Kind, RunLock
from .sandboxes import RecordedSandbox

Mode = Literal["auto", "record", "resume", "replay"]


class Journal:
    r"""Keeps what models, tools and sandboxes say inside a `with`, in a file.

    `run` names the run. In mode "record" it is a new one. "resume" goes on with one that was stopped: what is on record
    is answered from there and not done again, and a tool call that was begun and never ended is not made again if it
    could have changed anything. "replay" repeats a run strictly: no model is asked, no tool and no program runs, and
    whatever is not on record raises `ReplayError`, which names what comes nearest. "auto" resumes a run that is there,
    and records one that is not. What repeats is found by what was asked, not by its place, so threads may race.

    Secrets (keys, tokens, passwords, values of environment variables that are named so) are not written. Raises
    `ConfigurationError` for a file that can't be used.

    >>> from loopwright import Predict, context
    >>> from loopwright.models import ScriptedLM
    >>> capital = Predict("country -> capital")
    >>> with context(lm=ScriptedLM(["[[ ## capital ## ]]\nParis"])), Journal("runs.sqlite", "first"):
    ...     capital(country="France").capital
    'Paris'
    >>> with context(lm=ScriptedLM([])), Journal("runs.sqlite", "first", mode="replay"):
    ...     capital(country="France").capital
    'Paris'
    >>> Path("runs.sqlite").unlink()
    """

    def __init__(
        self, path: str | Path, run: str | None = None, *, mode: Mode = "auto", title: str = ""
    ) -> None:
        if mode not in get_args(Mode):
            raise ConfigurationError(f"a journal's mode is {', '.join(get_args(Mode))}, not {mode!r}")
        if run is None and mode in ("resume", "replay"):
            raise ConfigurationError(f"mode={mode!r} needs the run to {mode}: Journal(path, run=...)")
        self.file = JournalFile(path)
        known = None if run is None else self.file.run(run)
        if mode in ("resume", "replay") and known is None:
            raise ConfigurationError(f"{self.file.path} has no run {run!r}; it has {_named(self.file)}")
        if mode == "record" and known is not None:
            raise ConfigurationError(
                f"{self.file.path} has a run {run!r} already: resume it, or take another name"
            )
        self.mode: Mode = ("record" if known is None else "resume") if mode == "auto" else mode
        self.run = known.id if known else self.file.begin(run, title)
        self._entries: list[Entry] = []
        self._next = 0
        self._unused: dict[str, deque[Entry]] = defaultdict(deque)
        self._held: RunLock | None = None
        self._lock = threading.Lock()
        self._token: Token[Context | None] | None = None

    def __enter__(self) -> Self:
        here = current()
        if here.recorder is not None:
            raise ConfigurationError("a journal is being kept already: one inside another is not supported")
        self._held = None if self.strict else self.file.taken(self.run)
        try:
            self._entries = self.file.entries(self.run)
        except ConfigurationError:
            self._let_go()
            raise
        self._next = self._entries[-1].number + 1 if self._entries else 0
        for entry in self._entries:
            self._unused[entry.key].append(entry)
        self._token = set_context(replace(here, recorder=self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            reset(self._token)
            self._token = None
        try:
            if not self.strict:
                self.file.mark(self.run, "done" if kind is None else f"ended by {kind.__name__}")
        finally:
            self._let_go()

    def _let_go(self) -> None:
        self.file.close()
        if self._held is not None:
            self._held.close()

    @property
    def strict(self) -> bool:
        """Whether nothing may be done that is not on record."""
        return self.mode == "replay"

    # ---- models

    def recall(self, lm: BaseLM, request: LMRequest) -> LMResponse | None:
        """The recorded answer; None where the model must be asked."""
        entry = self._take("model", forms.model_request(lm, request))
        if entry is None:
            return None
        if entry.response is None:
            if self.strict:
                raise ReplayError(
                    f"run {self.run!r} was stopped before the model answered: resume it, then repeat it"
                )
            return None
        response = forms.read_model_response(entry.response)
        if response is None:
            raise entry.damaged(self.run)
        return response

    def keep(self, lm: BaseLM, request: LMRequest, response: LMResponse) -> None:
        """Record an answer."""
        number = self._begin("model", forms.model_request(lm, request))
        self.file.ended(self.run, number, forms.model_response(response))

    # ---- tools

    def earlier(self, call: ToolCall) -> Record | None:
        """The recorded tool call that this one repeats."""
        entry = self._take("tool", forms.tool_request(call))
        if entry is None:
            return None
        if entry.response is None:
            return Record(call)
        try:
            return Record(call, *forms.read_tool_response(entry.response))
        except (ValueError, KeyError, TypeError) as error:
            raise entry.damaged(self.run) from error

    def began(self, call: ToolCall) -> int:
        """Record that a tool call is about to be made."""
        return self._begin("tool", forms.tool_request(call))

    def ended(self, number: int, result: ToolResult, state: Mapping[str, object]) -> None:
        """Record what came of it, and the run's state after it."""
        self.file.ended(self.run, number, forms.tool_response(result, state))

    # ---- sandboxes

    def sandboxes(self, made: Interpreter) -> Interpreter:
        """Sandboxes whose runs are recorded, or answered from the record."""
        return lambda functions: RecordedSandbox(self, made, functions)

    def program(self, code: str, inputs: Mapping[str, object]) -> Entry | None:
        """The recorded run of a program."""
        return self._take("program", forms.program_request(code, inputs))

    def program_began(self, code: str, inputs: Mapping[str, object]) -> int:
        """Record that a program is about to be run."""
        return self._begin("program", forms.program_request(code, inputs))

    def program_ended(self, number: int, response: str) -> None:
        """Record what came of it."""
        self.file.ended(self.run, number, response)

    # ---- what all of them do

    def _take(self, kind: Kind, asked: str) -> Entry | None:
        """The first entry for a request that was not used yet; in a strict replay there must be one."""
        with self._lock:
            waiting = self._unused.get(forms.key_of(kind + asked))
            if waiting:
                return waiting.popleft()
        if self.strict:
            raise ReplayError(
                f"run {self.run!r} has no such {kind} call: {nearest(asked, self._entries, kind)}"
            )
        return None

    def _begin(self, kind: Kind, asked: str) -> int:
        with self._lock:
            number = self._next
            self._next += 1
            self.file.began(self.run, number, kind, forms.key_of(kind + asked), asked)
        return number


def _named(file: JournalFile) -> str:
    runs = [one.id for one in file.runs()]
    return (
        ", ".join(runs[:10]) + (f" and {len(runs) - 10} more" if len(runs) > 10 else "") if runs else "none"
    )
