"""A sandbox whose runs are on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from loopwright.sandbox import Execution, Sandbox
from loopwright.sandbox.base import StopProgram
from loopwright.tools import ToolFailed

from ...seams import HostFunctions, Interpreter
from . import forms

if TYPE_CHECKING:
    from .file import Entry
    from .journal import Journal


class RecordedSandbox:
    """Runs programs and records them; in a strict replay it runs none, and calls what each of them called.

    A run that is resumed does run its programs again, since their variables are wanted; what they call is answered from
    the record.
    """

    def __init__(self, journal: Journal, made: Interpreter, functions: HostFunctions) -> None:
        self._journal = journal
        self._functions = functions
        self._calls: list[list[Any]] = []
        noted = {name: self._noted(name, function) for name, function in functions.items()}
        self._inside: Sandbox | None = None if journal.strict else made(noted)

    def _noted(self, name: str, function: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **options: object) -> object:
            self._calls.append([name, list(args), options])
            return function(*args, **options)

        return call

    def start(self) -> None:
        """Make the engine ready, where one is needed."""
        if self._inside is not None:
            self._inside.start()

    def run(self, code: str, inputs: Mapping[str, object] | None = None) -> Execution:
        """Run a program, or repeat what it did."""
        recorded = self._journal.program(code, inputs or {})
        if self._inside is None:
            return self._repeated(recorded)
        self._calls = []
        number = self._journal.program_began(code, inputs or {}) if recorded is None else recorded.number
        execution = self._inside.run(code, inputs)
        self._journal.program_ended(number, forms.program_response(self._calls, execution))
        return execution

    def _repeated(self, recorded: Entry | None) -> Execution:
        if recorded is None or recorded.response is None:
            return Execution("killed", session_kept=False)
        try:
            calls, execution = forms.read_program_response(recorded.response)
        except (ValueError, KeyError, TypeError) as error:
            raise recorded.damaged(self._journal.run) from error
        for name, args, options in calls:
            with suppress(ToolFailed, StopProgram):  # the program saw these, or was ended by them
                self._functions[name](*args, **options)
        return execution

    def close(self) -> None:
        """End the engine."""
        if self._inside is not None:
            self._inside.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
