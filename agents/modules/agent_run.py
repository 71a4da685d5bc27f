"""One run of an agent: a conversation that only grows, and what came of it."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from loopwright.tools import ToolRegistry, ToolRun
from loopwright.tools.calls import ToolCall, ToolResult, ToolSpec

from ..adapters.base import SUBMIT, Adapter, Turn, parse_outputs, submit_spec, with_sound_calls, writes_code
from ..ambient import current, current_adapter, current_lm, unblocked
from ..calling import AgentToolRun, ask
from ..errors import BudgetError, ContextWindowError, LMError, OutputError
from ..example import Prediction
from ..messages import Message
from ..models.base import NO_USAGE, BaseLM, LMRequest, LMResponse, Usage
from ..text import counted
from ..trace import Exchange
from ..trajectory import Step, TerminationReason, Trajectory
from .acting import AgentPredict
from .limits import Limits
from .repetition import Repetition
from .tool_search import FIND, ToolSearch
from .transcript import Transcript

log = logging.getLogger("loopwright")

MAX_UNPARSED = 3  # turns in a row that hold no readable call
FORCED = ("max_steps", "max_calls", "parse_errors", "loop")  # the endings that leave one last turn
_SPENT: Mapping[str, TerminationReason] = {
    "usd": "max_cost",
    "tokens": "max_tokens",
    "calls": "max_calls",
    "seconds": "max_seconds",
}
NOT_RUN = f"Error: not run. There are no turns left to read its result in: only `{SUBMIT}` counts now."

SPOKEN = f"This was said and not submitted: the model did not call `{SUBMIT}`, and its text was taken for the answer."
_CALL_LIKE = re.compile(
    r"^[\[{<`]|\[\[ ##|<\W?(tool|function)|\"arguments\""
)  # a call that went wrong is no answer


@dataclass
class Run:
    """A run under way. It asks the model of `predictor`, and calls `tools`, until a limit or `submit`.

    `tool_run` is what its tools share; `search`, where there is one, says which of the tools are shown.
    """

    predictor: AgentPredict
    tools: ToolRegistry
    limits: Limits
    lm: BaseLM
    adapter: Adapter
    request: LMRequest
    specs: Sequence[ToolSpec]
    started: float
    steps: list[Step] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    usage: Usage = NO_USAGE
    ending: TerminationReason | None = None
    outputs: dict[str, Any] | None = None
    error: LMError | BudgetError | None = None
    tool_calls: int = 0
    unparsed: int = 0
    repetition: Repetition = field(default_factory=Repetition)
    call_ids: set[str] = field(default_factory=set)
    tool_run: ToolRun = field(default_factory=AgentToolRun)
    search: ToolSearch | None = None
    transcript: Transcript = field(init=False)

    def __post_init__(self) -> None:
        if self.tool_run.approval.rules:
            for rule, near in self.tool_run.approval.misspelt(self.tools):
                log.warning('the rule "%s" fits no tool of this agent; did you mean "%s"?', rule, near)
        self.transcript = Transcript(self.request, self.lm.capabilities.context_window)

    @classmethod
    def opened(
        cls,
        predictor: AgentPredict,
        tools: ToolRegistry,
        limits: Limits,
        inputs: Mapping[str, Any],
        *,
        search: ToolSearch | None = None,
        **more: Any,
    ) -> Self:
        """A run that has yet to ask for its first turn; `more` are the fields that a subclass adds."""
        lm = current_lm(predictor.lm)
        adapter = current_adapter(lm, agent=True)
        shown = tools.specs() if search is None else search.specs
        specs = [*shown, submit_spec(predictor.signature)]
        prompt = adapter.format_agent(predictor.guided, predictor.demos_for(inputs), inputs, specs)
        ids = {call.id for message in prompt.messages for call in message.tool_calls}
        request = predictor.request(lm, prompt)
        now = time.perf_counter()
        return cls(
            predictor,
            tools,
            limits,
            lm,
            adapter,
            request,
            specs,
            now,
            call_ids=ids,
            search=search,
            **more,
        )

    async def to_end(self) -> AsyncGenerator[Step, None]:
        """Take steps until the run has ended; each is yielded when it is done."""
        while self.ending is None:
            self.ending = self._limit_reached()
            step = await (self._step() if self.ending is None else self._last_step())
            if step is not None:
                self.steps.append(step)
                yield step

    def prediction(self) -> Prediction:
        """What came of the run so far."""
        outputs = self.outputs or dict.fromkeys(self.predictor.signature.output_fields)
        failure = {"error": self.error} if self.error is not None and self.outputs is None else {}
        return Prediction(
            outputs,
            trajectory=Trajectory(tuple(self.steps)),
            termination_reason=self.ending or "cancelled",
            **failure,
        )

    def close(self) -> None:
        """Give back what the run holds."""

    def submit(self, call: ToolCall) -> ToolResult:
        """Judge an answer; one that fits the signature is the run's, the first of several counts."""
        if call.malformed:
            text = f"Error: the arguments of {SUBMIT} are no JSON object."
            return ToolResult.failed(call, "invalid_args", text)
        try:
            outputs = parse_outputs(self.predictor.signature, call.args)
        except OutputError as error:
            return ToolResult.failed(call, "invalid_args", f"Error: {error}")
        if self.outputs is None:
            self.outputs = outputs
        return ToolResult(call, "Submitted.", value=outputs)

    def _inner_calls(self) -> tuple[ToolResult, ...]:
        """The calls that the turn's program made."""
        return ()

    def _judged(self, results: tuple[ToolResult, ...]) -> tuple[ToolResult, ...]:
        """The results of a turn, after a look at what they say of the answer."""
        return results

    def _limit_reached(self) -> TerminationReason | None:
        if self.unparsed >= MAX_UNPARSED:
            return "parse_errors"
        if self.repetition.is_loop:
            return "loop"
        return self.limits.reached(
            steps=len(self.steps),
            tool_calls=self.tool_calls,
            usage=self.usage,
            seconds=time.perf_counter() - self.started,
        )

    async def _step(self) -> Step | None:
        """Ask for a turn and do what it says."""
        started = time.perf_counter()
        try:
            response = await self._ask()
        except (LMError, BudgetError) as error:
            if not self.steps:
                raise
            self.error = error
            self.ending = _ending_of(error)
            return None
        turn = self._read(response)
        results = await self._results_of(turn)
        answers = (
            self.adapter.complain(response, turn.problem)
            if turn.problem
            else self.adapter.write_results(results)
        )
        self._extend(self.adapter.reply(response), *answers)
        if self.outputs is not None:
            self.ending = "submit"
        seconds = time.perf_counter() - started
        return Step(
            turn.thought, turn.calls, results, seconds, self._inner_calls(), response.usage.total_tokens
        )

    async def _last_step(self) -> Step | None:
        """Ask once more, on the same conversation, for nothing but the answer, where the ending leaves it."""
        if self.ending not in FORCED:
            return None
        self._say(self.adapter.last_turn)
        if self.request.tools:
            submits = any(tool.name == SUBMIT for tool in self.request.tools)
            self.request = replace(self.request, tool_choice=SUBMIT if submits else "none")
        started = time.perf_counter()
        try:
            response = await self._ask()
        except (LMError, BudgetError) as error:
            self.error = error
            return None
        turn = self._read(response)
        spoken = self._spoken(response) if turn.problem else None
        if spoken is not None:
            turn = Turn("", (spoken,))
        results = await self._last_results(turn)
        if spoken is not None and self.outputs is not None:
            results = (replace(results[0], content=SPOKEN),)
        if self.outputs is not None:
            self.ending = "forced_submit"
        seconds = time.perf_counter() - started
        results = results or _unparsed(turn)
        return Step(
            turn.thought, turn.calls, results, seconds, self._inner_calls(), response.usage.total_tokens
        )

    def _spoken(self, response: LMResponse) -> ToolCall | None:
        """The answer of a model that says it and calls nothing, also when it was told to: only where it is to be one text."""
        outputs = self.predictor.signature.output_fields
        by_call = any(tool.name == SUBMIT for tool in self.request.tools) and not writes_code(self.specs)
        if not by_call or not self.unparsed or len(outputs) != 1 or response.tool_calls:
            return None
        name, output = next(iter(outputs.items()))
        text = response.text.strip()
        if (
            output.type is not str
            or not text
            or response.finish_reason == "length"
            or _CALL_LIKE.search(text)
        ):
            return None
        return ToolCall(SUBMIT, {name: text})

    async def _last_results(self, turn: Turn) -> tuple[ToolResult, ...]:
        return tuple(
            self.submit(call) if call.name == SUBMIT else ToolResult.failed(call, "denied", NOT_RUN)
            for call in turn.calls
        )

    async def _ask(self) -> LMResponse:
        exchange = await self._asked()
        self.transcript.learn(exchange.response)
        self.exchanges.append(exchange)
        self.usage += exchange.response.usage
        return with_sound_calls(exchange.response, self.call_ids)

    async def _asked(self) -> Exchange:
        """Ask; where the conversation is too long for the model, with as much of it left out as it takes."""
        if not self.transcript.fits:
            self._leave_out()
        while True:
            try:
                return await ask(self.lm, self.request)
            except ContextWindowError:
                if not self._leave_out():
                    raise

    def _leave_out(self) -> bool:
        """Fold the oldest part of the conversation; False where there is nothing to fold."""
        less = self.transcript.leave_out(self.steps)
        if less:
            self.request = self.request.with_messages(self.transcript.messages())
        return less

    def _say(self, text: str) -> None:
        """Add a user's text, to the user's message that is yet to be sent where one is: some servers want turns to alternate."""
        last = self.request.messages[-1]
        if last.role != "user":
            self._extend(Message("user", text))
            return
        longer = replace(last, content=f"{last.content}\n\n{text}")
        self.transcript.amend(longer)
        self.request = replace(self.request, messages=(*self.request.messages[:-1], longer))

    def _extend(self, *messages: Message) -> None:
        self.transcript.add(*messages)
        self.request = self.request.followed_by(*messages)

    def _read(self, response: LMResponse) -> Turn:
        turn = self.adapter.read_turn(response, self.specs)
        if not turn.problem or response.finish_reason != "length":
            return turn
        return replace(turn, problem=f"{turn.problem} (it was cut off at max_tokens)")

    async def _results_of(self, turn: Turn) -> tuple[ToolResult, ...]:
        """Run a turn's calls; `submit` is judged after the others have run."""
        if turn.problem:
            self.unparsed += 1
            return _unparsed(turn)
        self.unparsed = 0
        work = [call for call in turn.calls if call.name != SUBMIT and not self._is_search(call)]
        allowed = self._allowed(work)
        self.tool_calls += len(allowed)
        beyond = [ToolResult.failed(call, "denied", self._too_many()) for call in work[len(allowed) :]]
        try:
            done = iter([*await self._execute(allowed), *beyond])
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            stopped = Step(turn.thought, turn.calls, self._until_now(turn.calls), inner=self._inner_calls())
            self.steps.append(stopped)
            raise
        results = tuple(self._own_result(call) or next(done) for call in turn.calls)
        return self.repetition.noted(turn.calls, self._judged(results))

    def _calls_left(self) -> int | None:
        """How many tool calls the run may make yet; None where that is not bounded."""
        limit = self.limits.tool_calls
        return None if limit is None else max(0, limit - self.tool_calls)

    def _too_many(self) -> str:
        return f"Error: not run: a run may make {counted(self.limits.tool_calls or 0, 'tool call')}, and they are made."

    def _allowed(self, work: Sequence[ToolCall]) -> Sequence[ToolCall]:
        """Those of a turn's calls that the limit leaves room for."""
        return work[: self._calls_left()]

    def _until_now(self, calls: Sequence[ToolCall]) -> tuple[ToolResult, ...]:
        """The results of a turn that is stopped: those that had come by then, and for the rest that it was."""
        come = {id(record.call): record.result for record in self.tool_run.records}
        stopped = "Error: the run was stopped."
        return tuple(come.get(id(call)) or ToolResult.failed(call, "cancelled", stopped) for call in calls)

    def _is_search(self, call: ToolCall) -> bool:
        return self.search is not None and call.name == FIND

    def _own_result(self, call: ToolCall) -> ToolResult | None:
        """The result of a call that is the agent's own and no tool's."""
        if call.name == SUBMIT:
            return self.submit(call)
        if self.search is None or call.name != FIND:
            return None
        known = len(self.search.specs)
        result = self.search.find(call)
        new = self.search.specs[known:]
        self.specs = (*self.specs, *new)
        if self.request.tools:
            self.request = replace(self.request, tools=(*self.request.tools, *new))
        return result

    async def _execute(self, calls: Sequence[ToolCall]) -> Sequence[ToolResult]:
        if not current().blocking:
            return await self.tools.acall_all(calls, self.tool_run)
        with unblocked():  # a tool may have an event loop of its own
            return self.tools.call_all(calls, self.tool_run)


def _ending_of(error: LMError | BudgetError) -> TerminationReason:
    """How a run ends that can't ask its model any more."""
    if isinstance(error, BudgetError):
        return _SPENT[error.limit]
    return "context" if isinstance(error, ContextWindowError) else "lm_error"


def _unparsed(turn: Turn) -> tuple[ToolResult, ...]:
    return (ToolResult.failed(ToolCall(""), "unparsed", f"Error: {turn.problem}"),)
