"""A run whose budget is out, or that is stopped: it ends at once, whole, and nothing is done twice. Over HTTP."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pytest
from agent_runs import Said, Way, call, each_transport, each_way, model, play, said, submit
from awaiting import awaited as on_a_loop
from openai_server import Reply, Serve, answer, rate_limited

from loopwright import CodeAct, Limits, Prediction, ReAct, Tool, context
from loopwright.callbacks import BaseCallback
from loopwright.errors import BudgetError, ConfigurationError
from loopwright.models import LMResponse, Usage
from loopwright.runtime import Budget
from loopwright.tools import ToolCall, ToolContext
from loopwright.trace import Trace

DONE: list[int] = []
BUDGETS: list[Budget] = []


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    DONE.clear()
    BUDGETS.clear()


def book(n: int) -> str:
    """Book seat n."""
    DONE.append(n)
    return f"seat {n} is yours"


def wait_for_the_end(n: int) -> str:
    """Book seat n, and take all the time that is left."""
    DONE.append(n)
    while BUDGETS and BUDGETS[0].seconds < (BUDGETS[0].limits["seconds"] or 0):
        time.sleep(0.01)
    return f"seat {n} is yours"


# ---- budgets and limits

PRICED = "openai/gpt-4o-mini"  # a model whose price is known
COST = 1000 * 0.15e-6 + 100 * 0.6e-6  # of one turn, in dollars


def turn(call: ToolCall) -> LMResponse:
    return LMResponse("", (ToolCall(call.name, call.args, "x"),), usage=Usage(1000, 100))


@dataclass(frozen=True)
class Spent:
    name: str
    ends: str
    budget: Callable[[], Budget] | None = None
    limits: Limits | None = None
    last: str = "book"
    turns: int = 3
    forced: bool = False


SPENT = [
    Spent("a budget of calls", "max_calls", lambda: Budget(calls=3)),
    Spent("a budget of tokens", "max_tokens", lambda: Budget(tokens=3300)),
    Spent("a budget of dollars", "max_cost", lambda: Budget(usd=2.99 * COST)),
    Spent("a budget of seconds", "max_seconds", lambda: Budget(seconds=1.5), last="wait_for_the_end"),
    Spent("a limit of tokens", "max_tokens", limits=Limits(tokens=3300)),
    Spent("a limit of dollars", "max_cost", limits=Limits(usd=2.99 * COST)),
    Spent("a limit of tool calls", "forced_submit", limits=Limits(tool_calls=3), forced=True),
    Spent("a limit of steps", "forced_submit", limits=Limits(steps=3), forced=True),
]


@each_way
@pytest.mark.parametrize("spent", SPENT, ids=lambda spent: spent.name)
def test_what_is_spent_at_step_four_ends_the_run_with_its_three_steps(
    spent: Spent, way: Way, openai_server: Serve
) -> None:
    turns: list[Said] = [turn(call("book", n=1)), turn(call("book", n=2)), turn(call(spent.last, n=3))]
    budget = spent.budget() if spent.budget else None
    BUDGETS.extend([budget] if budget else [])
    with budget or nullcontext():
        played = play(
            openai_server,
            "native",
            way,
            [*turns, submit(3)],
            tools=[book, wait_for_the_end],
            limits=spent.limits,
            name=PRICED,
        )
    assert played.reason == spent.ends
    assert played.prediction.answer == (3 if spent.forced else None)
    assert DONE == [1, 2, 3]
    assert len(played.bodies) == 3 + spent.forced
    assert played.errors == [None] * (3 + spent.forced)
    assert isinstance(played.prediction.get("error"), BudgetError) == (spent.budget is not None)


@each_way
def test_a_budget_that_is_out_before_the_first_turn_is_raised(way: Way, openai_server: Serve) -> None:
    with Budget(calls=0), pytest.raises(BudgetError):
        play(openai_server, "native", way, [submit(3)])


# ---- stopped from outside


def assert_cancelled(trace: Trace, steps: list[list[str | None]]) -> None:
    """The trace has the run, ended, with every call of every step answered."""
    (made,) = trace.calls
    prediction = made.prediction
    assert isinstance(prediction, Prediction)
    assert (prediction.termination_reason, prediction.answer) == ("cancelled", None)
    assert [[result.error for result in step.results] for step in prediction.trajectory.steps] == steps


class Reader(BaseCallback):
    """Whoever wants an answer as it is written: the run is streamed then."""

    tokens = True


@each_transport
@pytest.mark.parametrize("callbacks", [[], [Reader()]], ids=["whole", "streamed"])
@on_a_loop
async def test_a_task_cancelled_while_the_model_is_asked_hangs_up_and_leaves_its_steps(
    callbacks: list[BaseCallback], transport: Any, openai_server: Serve
) -> None:
    asked, hung_up = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def listen(reply: Reply) -> None:
        if reply.received.streamed:
            reply.start_events()
        loop.call_soon_threadsafe(asked.set)
        if reply.wait_for_hangup(60):
            hung_up.set()
        reply.close()

    server = openai_server(said(call("book", n=1), transport), listen)
    trace = Trace()
    with context(lm=model(server, transport, num_retries=3), trace=trace, callbacks=callbacks):
        task = asyncio.create_task(ReAct("question -> answer: int", tools=[book]).acall(question="?"))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await asyncio.to_thread(hung_up.wait, 60)
    assert_cancelled(trace, [[None]])
    assert (DONE, len(server.requests)) == ([1], 2)


@on_a_loop
async def test_a_task_cancelled_while_it_waits_to_ask_again_does_not_ask_again(openai_server: Serve) -> None:
    server = openai_server(answer(call("book", n=1)), rate_limited(60), answer(submit(1)))
    trace = Trace()
    with context(lm=model(server, "native", num_retries=3), trace=trace):
        task = asyncio.create_task(ReAct("question -> answer: int", tools=[book]).acall(question="?"))
        while len(server.requests) < 2:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert_cancelled(trace, [[None]])
    assert len(server.requests) == 2


@on_a_loop
async def test_a_time_limit_around_a_run_ends_it_and_leaves_its_steps(openai_server: Serve) -> None:
    async def sleep(n: int) -> str:
        """Use up the time."""
        limit.reschedule(asyncio.get_running_loop().time())
        await asyncio.sleep(60)
        return "late"

    server = openai_server(answer(call("book", n=1)), answer([call("book", n=2), call("sleep", n=3)]))
    trace = Trace()
    limit = asyncio.timeout(60)
    with context(lm=model(server, "native"), trace=trace), pytest.raises(TimeoutError):
        async with limit:
            await ReAct("question -> answer: int", tools=[book, sleep]).acall(question="?")
    assert_cancelled(trace, [[None], [None, "cancelled"]])
    assert DONE == [1, 2]


@on_a_loop
async def test_a_blocking_tool_of_a_cancelled_run_is_told_so(openai_server: Serve) -> None:
    started, told = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def work(waiting: ToolContext) -> str:
        """Work until told to stop."""
        loop.call_soon_threadsafe(started.set)
        if waiting.cancelled.wait(60):
            told.set()
        return "stopped"

    server = openai_server(answer(call("work")))
    trace = Trace()
    with context(lm=model(server, "native"), trace=trace):
        task = asyncio.create_task(ReAct("question -> answer: int", tools=[work]).acall(question="?"))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await asyncio.to_thread(told.wait, 60)
    assert_cancelled(trace, [["cancelled"]])


@on_a_loop
async def test_one_of_several_runs_is_cancelled_and_the_others_go_on(openai_server: Serve) -> None:
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def meet(n: int) -> str:
        """Wait for the others."""
        DONE.append(n)
        await gate.wait()
        return "met"

    def turn_of(reply: Reply) -> None:
        messages: Any = reply.received.body["messages"]
        met = any(message["role"] == "tool" for message in messages)
        number = int(messages[1]["content"].split()[-1])
        answer(submit(number) if met else call("meet", n=number))(reply)

    agent = ReAct("question -> answer: int", tools=[meet])
    with context(lm=model(openai_server(turn_of), "native")):
        tasks = [asyncio.create_task(agent.acall(question=f"seat {n}")) for n in range(8)]
        while len(DONE) < 8:
            await asyncio.sleep(0.01)
        tasks[3].cancel()
        loop.call_soon(gate.set)
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(ended.pop(3), asyncio.CancelledError)
    assert [one.answer for one in ended if isinstance(one, Prediction)] == [0, 1, 2, 4, 5, 6, 7]


# ---- stopped from inside


def press_ctrl_c(n: int) -> str:
    """As if Ctrl-C had been pressed."""
    raise KeyboardInterrupt


def leave(n: int) -> str:
    """End the program, as functions made for a command line do."""
    sys.exit(3)


STOPS = {"Ctrl-C": (press_ctrl_c, KeyboardInterrupt)}


@each_transport
def test_a_tool_that_exits_has_failed_and_the_run_goes_on(transport: Any, openai_server: Serve) -> None:
    turns = [call("leave", n=2), submit(3)]
    server = openai_server(*(said(one, transport) for one in turns))
    with context(lm=model(server, transport)):
        prediction = ReAct("question -> answer: int", tools=[leave])(question="?")
    assert prediction.answer == 3
    assert "SystemExit" in prediction.trajectory["observation_0"]


@each_transport
@pytest.mark.parametrize(("tool", "error"), STOPS.values(), ids=STOPS)
def test_who_stops_the_program_in_a_tool_stops_the_run_and_its_trace_is_whole(
    tool: Callable[[int], str], error: type[BaseException], transport: Any, openai_server: Serve
) -> None:
    turns = [call("book", n=1), call(tool.__name__, n=2), submit(3)]
    server = openai_server(*(said(one, transport) for one in turns))
    trace = Trace()
    with context(lm=model(server, transport), trace=trace), pytest.raises(error):
        ReAct("question -> answer: int", tools=[book, tool])(question="?")
    assert_cancelled(trace, [[None], ["cancelled"]])
    assert (DONE, len(server.requests)) == ([1], 2)


@pytest.mark.parametrize(("tool", "error"), STOPS.values(), ids=STOPS)
def test_who_stops_the_program_beside_other_calls_is_told_which_were_made(
    tool: Callable[[int], str], error: type[BaseException], openai_server: Serve
) -> None:
    calls = [call("book", n=1), call(tool.__name__, n=2), call("book", n=3)]
    server = openai_server(answer(calls))
    trace = Trace()
    with context(lm=model(server, "native"), trace=trace), pytest.raises(error):
        ReAct("question -> answer: int", tools=[book, Tool(tool, effect="read")])(question="?")
    assert_cancelled(trace, [[None, "cancelled", "cancelled"]])
    assert DONE == [1]


@each_way
def test_an_error_of_the_set_up_in_a_tool_is_an_observation_like_any_other(
    way: Way, openai_server: Serve
) -> None:
    def misconfigured(n: int) -> str:
        """Fail as a nested agent without a key does."""
        raise ConfigurationError("no key")

    turns: list[Said] = [call("misconfigured", n=1), submit(3)]
    played = play(openai_server, "native", way, turns, tools=[misconfigured])
    assert (played.errors, played.reason) == (["raised", None], "submit")
    assert "no key" in played.told(1)


# ---- programs


def test_what_a_program_had_done_when_it_was_stopped_is_in_the_trace(openai_server: Serve) -> None:
    code = "book(1)\nbook(2)\npress_ctrl_c(3)"
    server = openai_server(answer(call("python", code=code)))
    trace = Trace()
    agent = CodeAct("question -> answer: int", tools=[book, press_ctrl_c])
    with context(lm=model(server, "native"), trace=trace), pytest.raises(KeyboardInterrupt):
        agent(question="?")
    assert_cancelled(trace, [["cancelled"]])
    inner = trace.calls[0].prediction.trajectory.steps[0].inner
    assert [str(result.call) for result in inner] == ["book(n=1)", "book(n=2)"]
    assert DONE == [1, 2]


@each_way
def test_a_program_that_was_cut_off_is_not_run(way: Way, openai_server: Serve) -> None:
    cut = "[[ ## thought ## ]]\nBook.\n\n[[ ## code ## ]]\nbook(1)\nbook(1"
    whole = "[[ ## code ## ]]\nsubmit(answer=3)\n\n[[ ## completed ## ]]"
    server = openai_server(answer(cut.removesuffix("\nbook(1"), finish_reason="length"), answer(whole))
    with context(lm=model(server, "text")):
        prediction = way(CodeAct("question -> answer: int", tools=[book]), question="?")
    assert (prediction.answer, DONE) == (3, [])
    assert "cut off at max_tokens" in str(server.requests[1].body["messages"])
