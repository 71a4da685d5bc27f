"""`PythonInterpreter`: the sandbox under the names that programs written for DSPy know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from .base import Execution, Limits, StopProgram
from .process import ProcessSandbox

_SUBMIT = "SUBMIT"


class CodeInterpreterError(RuntimeError):
    """The program raised, was stopped at a limit or was refused; the text is its own traceback."""


@dataclass(frozen=True, slots=True)
class FinalOutput:
    """What a program handed to `SUBMIT(...)`."""

    output: object


class PythonInterpreter:
    r"""Runs code with variables that live from call to call; `SUBMIT(...)` inside ends the program with an answer.

    `output_fields` names what SUBMIT takes, in order, as dicts with a "name" (and a "type", which is not
    enforced here); without it SUBMIT takes one value. `limits` or a
    whole `sandbox` say what code may use.

    >>> with PythonInterpreter(tools={"double": lambda n: 2 * n}) as interpreter:
    ...     interpreter.execute("print(double(21))")
    ...     interpreter.execute("total = double(price)\ntotal + 1", {"price": 4})
    ...     interpreter("SUBMIT(total)")
    '42'
    9
    FinalOutput(output=8)
    """

    def __init__(
        self,
        tools: Mapping[str, Callable[..., object]] | None = None,
        output_fields: Sequence[Mapping[str, Any]] | None = None,
        *,
        limits: Limits | None = None,
        sandbox: ProcessSandbox | None = None,
    ) -> None:
        self._sandbox = sandbox or ProcessSandbox(limits)
        self._sandbox.tools.update(tools or {})
        self._fields = [str(field["name"]) for field in output_fields or ()]
        self._submitted: list[object] = []
        self._sandbox.tools[_SUBMIT] = self._submit

    @property
    def tools(self) -> dict[str, Callable[..., object]]:
        """The host functions that code may call; may be changed between calls."""
        return self._sandbox.tools

    def start(self) -> None:
        """Make the interpreter ready; `execute` does so where it has not been done."""
        self._sandbox.start()

    def execute(self, code: str, variables: Mapping[str, object] | None = None) -> Any:
        """Run code: the value of its last line, else what it printed; a FinalOutput where it called SUBMIT.

        A value that is not made of JSON's types comes as its text. Raises SyntaxError and
        CodeInterpreterError.
        """
        self._submitted.clear()
        execution = self._sandbox.run(code, variables)
        if self._submitted:
            return FinalOutput(self._submitted[0])
        return _answer(execution)

    __call__ = execute

    def shutdown(self) -> None:
        """End the interpreter and everything in it."""
        self._sandbox.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()

    def _submit(self, *values: object, **named: object) -> None:
        if not self._fields:
            if len(values) != 1 or named:
                given = len(values) + len(named)
                raise TypeError(f"SUBMIT takes one value; {given} were given")
            self._submitted.append(values[0])
            raise StopProgram
        answer = dict(zip(self._fields, values, strict=False)) | named
        wanted = set(self._fields)
        if len(values) > len(self._fields) or set(answer) != wanted:
            raise TypeError(
                f"SUBMIT takes {', '.join(self._fields)}; {', '.join(answer) or 'nothing'} was given"
            )
        self._submitted.append(answer)
        raise StopProgram


def _answer(execution: Execution) -> Any:
    error = execution.error
    if error is not None and error.type in ("SyntaxError", "IndentationError", "TabError"):
        raise SyntaxError(str(error))
    if error is not None:
        raise CodeInterpreterError(str(error))
    if execution.value is not None:
        return execution.value
    return execution.value_repr or execution.stdout.removesuffix("\n")
