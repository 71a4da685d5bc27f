"""The one path of a call, once its tool is found: coerce, approve, remember, run within limits, render.

A `Pending` call is one whose arguments fit. Blocking and awaited calls decide the same things in the same order;
they differ only in how they wait.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Awaitable, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from .approval import Answer, Approval, Question
from .calls import ToolCall, ToolResult
from .errors import ArgumentsError, ToolFailed, WorldError
from .isolated import IsolatedError, OutOfTimeError, call_isolated
from .memory import CallMemory
from .render import NoTextForm, TooLarge, as_text, cut, encodable, exception_text, kept, traceback_text
from .threads import drive, loop_is_running, spawn
from .tool_context import Record, ToolContext, ToolRun, policy_around
from .world.changes import ABSENT
from .world.faults import Fault, FaultMet, Meeting

if TYPE_CHECKING:
    from .parameters import WorldParameter
    from .tool import Tool

log = logging.getLogger("loopwright.tools")

_GRACE = 0.25  # seconds for a cancelled coroutine to clean up before it is left behind
_FIRST_WAIT = (
    0.1  # seconds before a call that failed for a passing reason is made again; then four times as long
)
_UNKNOWN_OUTCOME = "whether it took effect is not known, look before you do it again"


@dataclass(slots=True)
class Pending:
    """A call whose arguments fit the tool. `run` is what it belongs to, None for a call on its own.

    `asked` is the call as the model made it, `call` as a person may have changed it.
    """

    tool: Tool
    asked: ToolCall
    call: ToolCall
    ready: dict[str, object]
    run: ToolRun | None
    started: float
    cancelled: threading.Event | None = None
    deadline: float | None = None
    preface: str = ""
    record: Record | None = None
    repeats: bool = False
    meeting: Meeting = field(default_factory=lambda: Meeting(None))

    # ---- what is known before anything runs

    def recorded(self) -> ToolResult | None:
        """The result that an earlier run has on record; None: go on."""
        run = self.run
        if run is None:
            return None
        record = run.earlier(self.asked)
        if record is None:
            if run.replay and not self.tool.rules.in_replay:
                return self._denied("this run repeats a record, and the record has no such call")
            return None
        if self.tool.world is not None:  # its world is a fresh one: what was done is done again
            self.repeats = True
            return None
        if record.state is not None:
            run.state.update(record.state)
        if record.result is not None:
            again = replace(record.result.call, id=self.asked.id)
            return replace(record.result, call=again, seconds=0.0)
        if self.tool.rules.writes:
            return self._stopped(
                f"an earlier run was stopped while this call ran, and it is not made again: {_UNKNOWN_OUTCOME}"
            )
        return None

    def settled(self) -> ToolResult | Question | None:
        """The result of a call that is not to be made, or what a person must be asked; None: go on."""
        if self.run is None and not self.tool.rules.asks:
            return None
        return self._by_policy(_NOBODY if self.run is None else self.run.approval)

    def _by_policy(self, policy: Approval) -> ToolResult | Question | None:
        policy.check(self.tool)
        args = {**self.tool.parameters.defaults, **self.ready}
        rule = policy.decide(self.tool.name, args, self.tool.effect)
        if rule.decision == "deny":
            return self._denied(f'the rule "{rule}" says so')
        if self.run is not None and self.run.dry_run and not self.tool.rules.in_dry_run:
            return ToolResult(self.call, f"Dry run: {cut(str(self.call), 500)} was not made.")
        if rule.decision == "allow":
            return None
        return Question(self.call, self.tool.effect, self.tool.usage, args, self._problem)

    def _problem(self, args: Mapping[str, object]) -> str:
        try:
            self.tool.coerced(replace(self.call, args=dict(args), malformed=""))
        except ArgumentsError as error:
            return str(error)
        return ""

    def answered(self, answer: Answer) -> ToolResult | None:
        """What a person's answer makes of the call; None: go on."""
        if not answer.allowed:
            return self._denied(answer.reason or "the user said no")
        if answer.args is None:
            return None
        changed = replace(self.call, args=dict(answer.args), malformed="")
        try:
            self.ready = self.tool.coerced(changed)
        except ArgumentsError as error:
            return refused(self.tool, changed, error)
        self.call = changed
        self.preface = f"(The user changed the call to {cut(str(changed), 500)}.)\n"
        return None

    def memory(self) -> CallMemory | None:
        """Where results are remembered, if they are."""
        if not self.tool.cache:
            return None
        if self.tool.rules.remembered == "always":
            return self.tool.memory
        return None if self.run is None else self.run.reads(self.tool)

    # ---- running

    def begin(self) -> None:
        """Note that the call is being made; its time counts from here, and not from when a person was asked."""
        self.started = time.perf_counter()
        if self.run is not None:
            self.record = (self.run.repeated if self.repeats else self.run.began)(self.asked)
            if self.tool.rules.writes:
                self.run.wrote()
            if self.run.environment is not None:
                if self.run.environment.unsettled:  # what a late call did since is not this one's work
                    self.run.environment.changes()
                self.meeting = Meeting(self.run.environment.fault(self.tool.name))
        if self.tool.timeout is not None:
            self.deadline = time.monotonic() + self.tool.timeout
        if self.tool.timeout is not None or self.tool.context_name or self.tool.isolate:
            self.cancelled = threading.Event()

    def ended(self, result: ToolResult) -> ToolResult:
        """Note what came of it."""
        if self.preface:
            result = replace(result, content=self.preface + result.content)
        if self.run is not None and self.run.environment is not None:
            changes = self.run.environment.changes(wrote=self.tool.rules.writes)
            result = replace(result, changes=changes) if changes else result
        if self.run is not None and self.record is not None:
            self.run.ended(self.record, result)
            if self.tool.rules.writes:
                self.run.wrote()
        return result

    def without_running(self, result: ToolResult) -> ToolResult:
        """Note the result of a call that was not made: it is on record too, so that a replay has it."""
        if self.run is not None:
            self.run.ended(self.run.began(self.asked), result)
        return result

    def stopped(self, error: BaseException) -> None:
        """Note that the call was interrupted."""
        if self.run is not None and self.record is not None:
            self.run.stopped(self.record, error)

    def arguments(self) -> tuple[list[object], dict[str, object]]:
        """What the function is called with."""
        by_position, by_name = self.tool.parameters.split(self.ready)
        if self.tool.world is not None:
            by_name = {**by_name, **self._world(self.tool.world)}
        if not self.tool.context_name:
            return by_position, by_name
        state = {} if self.run is None else self.run.state
        context = ToolContext(self.call, state, self.cancelled or threading.Event(), self.deadline)
        return by_position, {**by_name, self.tool.context_name: context}

    def _world(self, wanted: WorldParameter) -> dict[str, object]:
        """The run's world as an argument; raises `WorldError` where it is none of the wanted kind."""
        world = None if self.run is None or self.run.environment is None else self.run.environment.world
        if isinstance(world, wanted.kind):
            return {wanted.name: world}
        if world is None and not wanted.required:
            return {}
        found = f"it is a {type(world).__name__}" if world is not None else "there is none"
        raise WorldError(f"{self.tool.name} works on a world of type {wanted.kind.__name__}, and {found}")

    def worth_another(self, error: BaseException, attempt: int) -> float | None:
        """Seconds to wait before the call is made again; None where it is not."""
        if (
            attempt >= self.tool.retries
            or isinstance(error, FaultMet)
            or not isinstance(error, self.tool.retry_on)
        ):
            return None
        wait = _FIRST_WAIT * 4**attempt * random.uniform(0.75, 1.25)  # no secret: spreads retries
        late = self.deadline is not None and time.monotonic() + wait >= self.deadline
        return None if late or (self.cancelled is not None and self.cancelled.is_set()) else wait

    def in_this_thread(self) -> ToolResult:
        """Call a function that blocks, and wait for what it hands out if that can be awaited."""
        attempt = 0
        while True:
            try:
                if (instead := self.meeting.before(self.cancelled)) is not ABSENT:
                    return self.succeeded(instead, attempt)
                by_position, by_name = self.arguments()
                if self.tool.reference is not None:
                    value = call_isolated(
                        self.tool.reference, by_position, by_name, self.tool.timeout, self.cancelled
                    )
                    self.meeting.after()
                    return self.succeeded(value, attempt)
                value = self.tool.func(*by_position, **by_name)
                if hasattr(type(value), "__await__"):  # a plain function that hands out a coroutine
                    value = drive(cast("Coroutine[object, object, object]", value))
                self.meeting.after()
                return self.succeeded(value, attempt)
            except OutOfTimeError:
                return self.late()
            except (Exception, SystemExit, asyncio.CancelledError) as error:  # noqa: BLE001 - an observation, whatever it is
                wait = self.worth_another(error, attempt)
                if wait is None:
                    return self.failed(error, attempt)
            time.sleep(wait)
            attempt += 1

    async def awaited(self) -> ToolResult:
        """Call a coroutine function."""
        attempt = 0
        while True:
            try:
                if (instead := await self.meeting.abefore()) is not ABSENT:
                    return self.succeeded(instead, attempt)
                by_position, by_name = self.arguments()
                value = await cast("Awaitable[object]", self.tool.func(*by_position, **by_name))
                self.meeting.after()
                return self.succeeded(value, attempt)
            except (Exception, SystemExit, asyncio.CancelledError) as error:
                if _is_cancelled():
                    raise
                wait = self.worth_another(error, attempt)
                if wait is None:
                    return self.failed(error, attempt)
            await asyncio.sleep(wait)
            attempt += 1

    async def in_time(self) -> ToolResult:
        """As `awaited`, within the tool's time."""
        if self.tool.timeout is None:
            return await self.awaited()
        task = asyncio.ensure_future(self.awaited())
        try:
            done, _ = await asyncio.wait({task}, timeout=self.tool.timeout)
            if done:
                return task.result()
            task.cancel()
            await asyncio.wait({task}, timeout=_GRACE)
        finally:
            task.cancel()
        return self.late()

    def left_behind(self, future: Future[ToolResult]) -> ToolResult:
        """The result of a call whose thread goes on: what it gives in the end is dropped, and noted."""
        if self.cancelled is not None:
            self.cancelled.set()
        if self.run is not None and self.run.environment is not None:
            self.run.environment.unsettled = True
        future.add_done_callback(self._note_late)
        return self.late()

    def _note_late(self, future: Future[ToolResult]) -> None:
        if future.cancelled() or future.exception() is not None:
            return
        seconds = time.perf_counter() - self.started
        log.info("%s ended after %.1f s; nobody waited any more, its result is dropped", self.call, seconds)

    # ---- results

    def succeeded(self, value: object, attempt: int = 0) -> ToolResult:
        """What the function returned, as text."""
        seconds = time.perf_counter() - self.started
        name = self.tool.name
        try:
            text = as_text(value)
        except TooLarge as error:
            content = f"Error: {name} returned {error}, too large to show"
            return ToolResult.failed(self.call, "too_large", content, seconds=seconds)
        except NoTextForm as error:
            content = f"Error: {name} returned {error}, which has no text form"
            return ToolResult.failed(self.call, "unserialisable", content, seconds=seconds)
        except Exception as error:  # noqa: BLE001 - the value's own code runs in there
            content = f"Error: {name} returned something that can't be shown: {exception_text(error)}"
            return ToolResult.failed(
                self.call, "unserialisable", content, seconds=seconds, detail=traceback_text(error)
            )
        limit = self.tool.max_chars
        whole = kept(text) if len(text) > limit else ""
        return ToolResult(self.call, encodable(cut(text, limit)), None, value, seconds, whole, attempt + 1)

    def failed(self, error: BaseException, attempt: int = 0) -> ToolResult:
        """What the function raised, as an observation."""
        seconds = time.perf_counter() - self.started
        detail = ""
        if isinstance(error, FaultMet):
            return self._faulted(error.fault)
        if isinstance(error, ToolFailed):
            words = cut(f"Error: {error}", self.tool.max_chars)
        elif isinstance(error, IsolatedError):
            words, detail = f"Error: {self.tool.name} failed: {error}", error.detail
        else:
            words, detail = f"Error: {self.tool.name} failed: {exception_text(error)}", traceback_text(error)
        made = ToolResult.failed(self.call, "raised", encodable(words), seconds=seconds, detail=detail)
        return replace(made, attempts=attempt + 1) if attempt else made

    def _faulted(self, fault: Fault) -> ToolResult:
        """The result of a call that failed as a task wants it to: to the model, as any other."""
        detail = f"this was a fault that the task sets: {fault}"
        if fault.kind == "timeout":
            return replace(self.late(), detail=detail)
        words = encodable(cut(f"Error: {fault.error}", self.tool.max_chars))
        seconds = time.perf_counter() - self.started
        return ToolResult.failed(self.call, "raised", words, seconds=seconds, detail=detail)

    def late(self) -> ToolResult:
        """The result of a call that did not end in time."""
        limit = "in time" if self.tool.timeout is None else f"within {self.tool.timeout:g} s"
        content = f"Error: {self.tool.name} did not finish {limit}"
        if self.tool.rules.writes:
            content += f"; it may have been done, or be done yet: {_UNKNOWN_OUTCOME}"
        return ToolResult.failed(self.call, "timeout", content, seconds=time.perf_counter() - self.started)

    def _stopped(self, why: str) -> ToolResult:
        return ToolResult.failed(self.call, "cancelled", f"Error: {why}")

    def _denied(self, why: str) -> ToolResult:
        name, effect = self.tool.name, self.tool.effect
        what = f"{name} is {effect}, and this call" if effect == "irreversible" else f"this call of {name}"
        words = f"Error: {what} is not allowed: {why}"
        return ToolResult.failed(self.call, "denied", encodable(cut(words, self.tool.max_chars)))


_NOBODY = Approval()


def _is_cancelled() -> bool:
    """Whether the running task is to end; a tool may have cancelled something of its own, which is no such wish."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def refused(tool: Tool, call: ToolCall, error: ArgumentsError) -> ToolResult:
    """The result of a call whose arguments do not fit."""
    text = str(error)
    end = "" if text.endswith("?") else "."
    return ToolResult.failed(
        call, "invalid_args", encodable(f"Error: {tool.name}: {text}{end} Usage: {tool.usage}")
    )


def pending(tool: Tool, call: ToolCall, run: ToolRun | None) -> Pending | ToolResult:
    """The call with its arguments coerced, or the result that says what is wrong with them.

    A call that belongs to no run is under the policy around it, where there is one.
    """
    started = time.perf_counter()
    if run is None:
        run = policy_around()
    try:
        return Pending(tool, call, call, tool.coerced(call), run, started)
    except ArgumentsError as error:
        return refused(tool, call, error)


# ---- blocking


def run_call(tool: Tool, call: ToolCall, run: ToolRun | None) -> ToolResult:
    """Run a call; blocks, at most the tool's `timeout`, and as long as a person takes to answer."""
    waiting = pending(tool, call, run)
    if isinstance(waiting, ToolResult):
        return waiting
    if (recorded := waiting.recorded()) is not None:
        return recorded
    settled = waiting.settled()
    if isinstance(settled, Question):
        settled = waiting.answered((_NOBODY if waiting.run is None else waiting.run.approval).ask(settled))
    memory = waiting.memory()
    if settled is None and memory is not None:
        settled = memory.known(waiting.call, waiting.ready)
    if settled is not None:
        return waiting.without_running(settled)
    waiting.begin()
    try:
        result = waiting.ended(_blocking(waiting))
    except BaseException as error:
        waiting.stopped(error)
        raise
    if memory is not None:
        memory.keep(waiting.ready, result)
    return result


def _blocking(waiting: Pending) -> ToolResult:
    tool = waiting.tool
    if tool.reference is not None or (tool.timeout is None and not tool.is_async):
        return waiting.in_this_thread()
    if not tool.is_async:
        future, patience = spawn(waiting.in_this_thread, tool.name), tool.timeout
    elif tool.timeout is None and not loop_is_running():
        return asyncio.run(waiting.awaited())
    else:
        # its own loop in its own thread: one can't run inside another, and a coroutine that
        # blocks or will not be cancelled can still be left behind
        future = spawn(lambda: asyncio.run(waiting.in_time()), tool.name)
        patience = None if tool.timeout is None else tool.timeout + 2 * _GRACE
    try:
        return future.result(patience)
    except TimeoutError:
        return waiting.left_behind(future)


# ---- awaited


async def arun_call(tool: Tool, call: ToolCall, run: ToolRun | None) -> ToolResult:
    """As `run_call`, without blocking the event loop: a function that blocks has a thread of its own."""
    waiting = pending(tool, call, run)
    if isinstance(waiting, ToolResult):
        return waiting
    if (recorded := waiting.recorded()) is not None:
        return recorded
    settled = waiting.settled()
    if isinstance(settled, Question):
        settled = waiting.answered(
            await (_NOBODY if waiting.run is None else waiting.run.approval).aask(settled)
        )
    memory = waiting.memory()
    if settled is None and memory is not None:
        settled = memory.known(waiting.call, waiting.ready)
    if settled is not None:
        return waiting.without_running(settled)
    waiting.begin()
    try:
        awaited = tool.is_async and tool.reference is None
        result = waiting.ended(await (waiting.in_time() if awaited else _in_a_thread(waiting)))
    except BaseException as error:
        waiting.stopped(error)
        raise
    if memory is not None:
        memory.keep(waiting.ready, result)
    return result


async def _in_a_thread(waiting: Pending) -> ToolResult:
    thread = spawn(waiting.in_this_thread, waiting.tool.name)
    future = asyncio.wrap_future(thread)
    patience = None if waiting.tool.reference is not None else waiting.tool.timeout
    try:
        done, _ = await asyncio.wait({future}, timeout=patience)
        return future.result() if done else waiting.left_behind(thread)
    finally:
        if waiting.cancelled is not None and not thread.done():
            waiting.cancelled.set()  # an isolated function is killed; one in a thread can only be told
        future.cancel()
