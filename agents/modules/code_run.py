"""A run whose turns are programs: they run in a sandbox, and may call tools and `submit` by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loopwright.sandbox import Execution, ProcessSandbox, Sandbox
from loopwright.tools import Approval, Tool, ToolFailed, ToolRegistry, ToolRun
from loopwright.tools.calls import ToolCall, ToolResult

from ..adapters.base import CODE, SUBMIT, Turn
from ..adapters.values import to_plain
from ..ambient import current, unblocked
from ..errors import InputError
from ..seams import HostFunctions, Interpreter
from ..signature import Signature
from .acting import AgentPredict
from .agent_run import Run
from .limits import Limits

_ANY = Approval({"*": "allow"})
NOTHING = "(it printed nothing, and its last line has no value)"


def process_sandbox(functions: HostFunctions) -> Sandbox:
    """The default interpreter: a locked-down process of its own."""
    return ProcessSandbox(tools=functions)


class Programs:
    """The programs of one run: a session whose variables live on, and what the programs called.

    `inputs` are set as variables before the first program, and again where a session was lost.
    """

    def __init__(
        self,
        functions: ToolRegistry,
        signature: Signature,
        inputs: Mapping[str, Any],
        interpreter: Interpreter,
    ) -> None:
        self.functions = functions
        self.outputs = signature.output_fields
        self.inputs = {name: to_plain(value) for name, value in inputs.items()}
        taken = sorted({*functions, SUBMIT} & set(inputs))
        if taken:
            raise InputError(
                f"the input {taken[0]!r} has the name of a function that programs call: rename one"
            )
        self.submit: Callable[[ToolCall], ToolResult] = _nobody_listens
        self.tool_run: ToolRun | None = None
        self.called: list[ToolResult] = []
        self.left: int | None = None  # calls that may be made yet
        self.last: Execution | None = None
        calls = {name: self._caller(name) for name in functions}
        recorder = current().recorder
        made = interpreter if recorder is None else recorder.sandboxes(interpreter)
        self._session = made({**calls, SUBMIT: self._submit})
        self._fresh = True

    def run(self, code: str) -> str:
        """Run a program; raises `ToolFailed` with what it printed and what went wrong."""
        execution = self._session.run(code, self.inputs if self._fresh else {})
        self.last = execution
        self._fresh = not execution.session_kept
        if execution.ok:
            return str(execution) or NOTHING
        lost = "\nThe variables are lost; the inputs are set again." if self._fresh else ""
        raise ToolFailed(f"the program ended with {execution.end}.\n{execution}{lost}")

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def take_called(self) -> tuple[ToolResult, ...]:
        """The calls made since this was last asked."""
        called, self.called = tuple(self.called), []
        return called

    def _caller(self, name: str) -> Callable[..., object]:
        def call(*args: object, **options: object) -> object:
            if self.left is not None and len(self.called) >= self.left:
                raise ToolFailed(f"{name} was not called: the run has made as many tool calls as it may")
            result = self.functions.call(
                ToolCall(name, _by_name(name, self.functions[name].args, args, options)), self.tool_run
            )
            self.called.append(result)
            if not result.ok:
                raise ToolFailed(result.content.removeprefix("Error: "))
            return to_plain(result.value)

        return call

    def _submit(self, *args: object, **options: object) -> str:
        result = self.submit(ToolCall(SUBMIT, _by_name(SUBMIT, self.outputs, args, options)))
        if not result.ok:
            raise ToolFailed(result.content.removeprefix("Error: "))
        return result.content


def _nobody_listens(call: ToolCall) -> ToolResult:
    raise RuntimeError("a program submitted before its run was opened")


def _by_name(
    name: str, parameters: Mapping[str, object], args: tuple[object, ...], options: Mapping[str, object]
) -> dict[str, object]:
    """Arguments by position as arguments by name."""
    if len(args) > len(parameters):
        raise ToolFailed(
            f"{name}() takes {len(parameters)} arguments, not {len(args)}: {', '.join(parameters)}"
        )
    placed = dict(zip(parameters, args, strict=False))
    twice = sorted(placed.keys() & options.keys())
    if twice:
        raise ToolFailed(f"{name}() got {twice[0]!r} twice, by position and by name")
    return {**placed, **options}


@dataclass
class CodeRun(Run):
    """A run of programs. With `value_answers`, the value of a program's last line is the answer if it fits."""

    programs: Programs = field(kw_only=True)
    value_answers: bool = field(default=False, kw_only=True)

    @classmethod
    def of_programs(
        cls,
        predictor: AgentPredict,
        functions: ToolRegistry,
        limits: Limits,
        inputs: Mapping[str, Any],
        interpreter: Interpreter,
        *,
        value_answers: bool,
    ) -> CodeRun:
        """A run that has yet to ask for its first program."""
        programs = Programs(functions, predictor.signature, inputs, interpreter)
        tools = ToolRegistry(Tool(programs.run, CODE, _description(functions, value_answers=value_answers)))
        run = cls.opened(predictor, tools, limits, inputs, programs=programs, value_answers=value_answers)
        programs.submit, programs.tool_run = run.submit, run.tool_run
        return run

    def close(self) -> None:
        """End the session of its programs."""
        self.programs.close()

    async def _execute(self, calls: Sequence[ToolCall]) -> Sequence[ToolResult]:
        """Run programs: what they call is the run's, and under its policy; a program itself changes nothing."""
        self.programs.left = self._calls_left()
        free = ToolRun(approval=_ANY)
        if not current().blocking:
            return await self.tools.acall_all(calls, free)
        with unblocked():
            return self.tools.call_all(calls, free)

    def _allowed(self, work: Sequence[ToolCall]) -> Sequence[ToolCall]:
        """All programs: the last one may still hold the answer; what they call is what is bounded."""
        return work

    def _inner_calls(self) -> tuple[ToolResult, ...]:
        called = self.programs.take_called()
        self.tool_calls += len(called)
        return called

    async def _last_results(self, turn: Turn) -> tuple[ToolResult, ...]:
        return await self._results_of(turn)  # the answer may be in a program

    def _judged(self, results: tuple[ToolResult, ...]) -> tuple[ToolResult, ...]:
        """Take the last program's value for the answer where it fits; say why where it does not."""
        last = self.programs.last
        answered = self.outputs is not None
        if answered or not self.value_answers or last is None or not last.ok:
            return results
        outputs = self.predictor.signature.output_fields
        single = len(outputs) == 1 and not isinstance(last.value, dict)
        given = {next(iter(outputs)): last.value} if single else last.value
        if last.value_repr and isinstance(given, dict):
            verdict = self.submit(ToolCall(SUBMIT, given)).content.removeprefix("Error: ")
        else:
            verdict = f"the last line must be an expression whose value is the answer ({', '.join(outputs)})"
        if self.outputs is not None:
            return results
        *before, result = results
        problem = f"{result.content}\nThis is no answer yet: {verdict}."
        return (*before, ToolResult.failed(result.call, "raised", f"Error: {problem}"))


def _description(functions: ToolRegistry, *, value_answers: bool) -> str:
    parts = ["Run a Python program in a sandbox: no files, no network, a limit on time and memory."]
    if value_answers:
        parts.append(
            "The value of its last line is the answer if it fits the outputs; several outputs are a dict."
        )
    if functions:
        parts.append(f"Programs may call these functions; results are Python values:\n{functions.render()}")
    return "\n".join(parts)
