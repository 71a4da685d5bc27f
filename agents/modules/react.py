"""ReAct: think, call tools, read their results, and in the end submit the answer.

After Yao et al., "ReAct: Synergizing Reasoning and Acting in Language Models" (ICLR 2023). The answer is
a typed call of `submit`, so a run of N turns costs N model calls; there is no extraction call after it.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from loopwright.tools import Tool, ToolRegistry
from loopwright.tools.calls import ToolCall, ToolResult
from loopwright.tools.resolve import resolve

from ..adapters.base import SUBMIT, Adapter, Turn, parse_outputs, submit_spec
from ..ambient import ask, current, current_adapter, current_lm, drive
from ..errors import ContextWindowError, LMError, OutputError
from ..example import Prediction
from ..messages import Message
from ..models.base import NO_USAGE, BaseLM, LMRequest, LMResponse, Usage
from ..module import Module, both_ways
from ..signature import Signature, SignatureLike
from ..trace import Exchange
from ..trajectory import Step, TerminationReason, Trajectory
from .limits import Limits
from .predict import Predict, checked_inputs

MAX_UNPARSED = 3  # turns in a row that hold no readable call
MAX_REPEATS = 3  # times that one failing call is made in a row
LAST_TURN = f"There are no turns left. Call `{SUBMIT}` now, with the best answer you can give."
REPEATED = "This is the same call as before, and it failed as before: do something else."

ToolLike = Tool | Callable[..., Any] | str


class ReAct(Module):
    """An agent: a loop of thoughts and tool calls that ends with the signature's outputs.

    `tools` are functions, `Tool`s, names that `loopwright.tools.resolve` knows ("calculate",
    "shop.py:registry"), or a `ToolRegistry`. The prediction has the outputs, `trajectory` and
    `termination_reason`. A failed call, an unknown tool or a turn that can't be read becomes an
    observation, and the loop goes on. A limit ends the run: one last turn may still submit; if that fails
    too, the outputs are None. A model error ends it with "lm_error" and `error`; on the first turn, where
    nothing would be lost, it is raised.

    `options` are those of `Predict` (temperature and so on).

    >>> from loopwright import context
    >>> from loopwright.models import ScriptedLM, Capabilities
    >>> def double(n: int) -> int:
    ...     "Twice a number."
    ...     return 2 * n
    >>> lm = ScriptedLM([ToolCall("double", {"n": 21}), ToolCall("submit", {"answer": 42})],
    ...                 capabilities=Capabilities(native_tools=True))
    >>> with context(lm=lm):
    ...     prediction = ReAct("question -> answer: int", tools=[double])(question="twice 21?")
    >>> prediction.answer, prediction.termination_reason, prediction.trajectory["observation_0"]
    (42, 'submit', '42')
    """

    def __init__(
        self,
        signature: SignatureLike,
        tools: Iterable[ToolLike] | ToolRegistry = (),
        max_iters: int = 20,
        *,
        limits: Limits | None = None,
        **options: Any,
    ) -> None:
        self.signature = Signature.of(signature)
        self.tools = tools if isinstance(tools, ToolRegistry) else ToolRegistry(*map(_found, tools))
        self.limits = limits or Limits(steps=max_iters)
        self.react = Predict(self.signature, **options)

    async def aforward(self, *args: Any, **inputs: Any) -> Prediction:
        """Run to the end."""
        async for item in self.arun(*args, **inputs):
            if isinstance(item, Prediction):
                return item
        raise AssertionError("a run ends with its prediction")

    forward = both_ways(aforward)

    def run(self, *args: Any, **inputs: Any) -> Iterator[Step | Prediction]:
        """Run step by step: each `Step` when it is done, then the `Prediction`."""
        items = self.arun(*args, **inputs)
        while True:
            try:
                yield drive(_next_of(items))
            except StopAsyncIteration:
                return

    async def arun(self, *args: Any, **inputs: Any) -> AsyncIterator[Step | Prediction]:
        """As `run`, without blocking the event loop."""
        given = checked_inputs(self.signature, args, inputs)
        run = _Run.opened(self, given)
        ending: TerminationReason | None = None
        while ending is None:
            ending = run.limit_reached()
            if ending is None:
                step, ending = await run.take_step()
                if step is not None:
                    yield step
        if ending in FORCED:
            step, forced = await run.take_last_step()
            ending = forced or ending
            if step is not None:
                yield step
        yield self.react.record(given, run.prediction(ending), run.exchanges)


def _found(tool: ToolLike | ToolRegistry) -> object:
    return resolve(tool) if isinstance(tool, str) else tool


FORCED = ("max_steps", "max_calls", "parse_errors", "loop")


async def _next_of(items: AsyncIterator[Step | Prediction]) -> Step | Prediction:
    return await anext(items)


@dataclass
class _Run:
    """One run under way: the conversation so far, which only grows, and what came of it."""

    agent: ReAct
    lm: BaseLM
    adapter: Adapter
    request: LMRequest
    started: float
    steps: list[Step] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    usage: Usage = NO_USAGE
    tool_calls: int = 0
    unparsed: int = 0
    failing: tuple[ToolCall, ...] = ()
    repeats: int = 0
    outputs: dict[str, Any] | None = None
    error: LMError | None = None

    @classmethod
    def opened(cls, agent: ReAct, inputs: Mapping[str, Any]) -> _Run:
        lm = current_lm(agent.react.lm)
        adapter = current_adapter(lm, agent=True)
        signature = agent.react.signature
        specs = [*agent.tools.specs(), submit_spec(signature)]
        prompt = adapter.format_agent(signature, agent.react.demos, inputs, specs)
        return cls(agent, lm, adapter, agent.react.request(lm, prompt), time.perf_counter())

    def limit_reached(self) -> TerminationReason | None:
        if self.unparsed >= MAX_UNPARSED:
            return "parse_errors"
        if self.repeats >= MAX_REPEATS:
            return "loop"
        return self.agent.limits.reached(
            steps=len(self.steps),
            tool_calls=self.tool_calls,
            usage=self.usage,
            seconds=time.perf_counter() - self.started,
        )

    async def take_step(self) -> tuple[Step | None, TerminationReason | None]:
        """Ask for a turn and do what it says; the reason is None while the run goes on."""
        started = time.perf_counter()
        try:
            response = await self.ask()
        except LMError as error:
            if not self.steps:
                raise
            self.error = error
            return None, "context" if isinstance(error, ContextWindowError) else "lm_error"
        turn = self.adapter.read_turn(response)
        self.extend(self.adapter.reply(response))
        results = await self.results_of(turn)
        if turn.problem:
            self.extend(*self.adapter.complain(response, turn.problem))
        else:
            self.extend(*self.adapter.write_results(results))
        step = Step(turn.thought, turn.calls, results, time.perf_counter() - started)
        self.steps.append(step)
        return step, "submit" if self.outputs is not None else None

    async def take_last_step(self) -> tuple[Step | None, TerminationReason | None]:
        """Ask once more, on the same conversation, for nothing but the answer."""
        self.extend(Message("user", LAST_TURN))
        if self.request.tools:
            self.request = replace(self.request, tool_choice=SUBMIT)
        started = time.perf_counter()
        try:
            response = await self.ask()
        except LMError as error:
            self.error = error
            return None, None
        turn = self.adapter.read_turn(response)
        submits = tuple(call for call in turn.calls if call.name == SUBMIT)
        results = tuple(self.submit(call) for call in submits)
        step = Step(turn.thought, submits, results, time.perf_counter() - started)
        self.steps.append(step)
        return step, "forced_submit" if self.outputs is not None else None

    async def ask(self) -> LMResponse:
        exchange = await ask(self.lm, self.request)
        response = _with_call_ids(exchange.response, self.tool_calls)
        self.exchanges.append(exchange)
        self.usage += response.usage
        return response

    def extend(self, *messages: Message) -> None:
        self.request = replace(self.request, messages=(*self.request.messages, *messages))

    async def results_of(self, turn: Turn) -> tuple[ToolResult, ...]:
        """Run a turn's calls; `submit` is judged after the others have run."""
        if turn.problem:
            self.unparsed += 1
            return (ToolResult.failed(ToolCall(""), "unparsed", f"Error: {turn.problem}"),)
        self.unparsed = 0
        work = [call for call in turn.calls if call.name != SUBMIT]
        self.tool_calls += len(work)
        done = iter(await self.execute(work))
        results = tuple(self.submit(call) if call.name == SUBMIT else next(done) for call in turn.calls)
        return self.note_repetition(turn.calls, results)

    async def execute(self, calls: Sequence[ToolCall]) -> Sequence[ToolResult]:
        tools = self.agent.tools
        return tools.call_all(calls) if current().blocking else await tools.acall_all(calls)

    def submit(self, call: ToolCall) -> ToolResult:
        if call.malformed:
            return ToolResult.failed(
                call, "invalid_args", f"Error: the arguments of {SUBMIT} are no JSON object."
            )
        try:
            outputs = parse_outputs(self.agent.react.signature, call.args, str(call))
        except OutputError as error:
            return ToolResult.failed(call, "invalid_args", f"Error: {error}")
        if self.outputs is None:
            self.outputs = outputs
        return ToolResult(call, "Submitted.", value=outputs)

    def note_repetition(
        self, calls: tuple[ToolCall, ...], results: tuple[ToolResult, ...]
    ) -> tuple[ToolResult, ...]:
        """Count a failing turn that repeats the one before it, and tell the model."""
        bare = tuple(replace(call, id="") for call in calls)
        failed = bool(results) and all(not result.ok for result in results)
        self.repeats = self.repeats + 1 if failed and bare == self.failing else int(failed)
        self.failing = bare if failed else ()
        if self.repeats < 2:
            return results
        return tuple(replace(result, content=f"{result.content}\n{REPEATED}") for result in results)

    def prediction(self, reason: TerminationReason) -> Prediction:
        outputs = self.outputs or dict.fromkeys(self.agent.react.signature.output_fields)
        failure = {"error": self.error} if self.error is not None and self.outputs is None else {}
        return Prediction(
            outputs, trajectory=Trajectory(tuple(self.steps)), termination_reason=reason, **failure
        )


def _with_call_ids(response: LMResponse, made: int) -> LMResponse:
    """Give each call an id where the model gave none, or one twice: results must be told apart."""
    ids = [call.id for call in response.tool_calls]
    if all(ids) and len(set(ids)) == len(ids):
        return response
    calls = tuple(replace(call, id=f"call_{made + i}") for i, call in enumerate(response.tool_calls, 1))
    return replace(response, tool_calls=calls)
