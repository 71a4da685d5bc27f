from __future__ import annotations

import asyncio
import gc
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import pytest

from loopwright import (
    ChatAdapter,
    Example,
    JSONAdapter,
    Limits,
    Predict,
    Prediction,
    ReAct,
    Signature,
    Step,
    Tool,
    ToolRegistry,
    Trajectory,
    context,
)
from loopwright.errors import (
    ConfigurationError,
    ContextWindowError,
    InputError,
    RateLimitError,
    ServerError,
    SignatureError,
)
from loopwright.models import Capabilities, FunctionLM, LMRequest, LMResponse, ScriptedLM, Usage
from loopwright.tools import ToolCall, ToolFailed, ToolResult
from loopwright.trace import Trace

NATIVE = Capabilities(native_tools=True)
SIGNATURE = "question -> answer: int"

Answer = str | LMResponse | ToolCall | Sequence[ToolCall]
Call = Callable[..., Any]


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def fail(reason: str) -> str:
    """Fail, always."""
    raise ValueError(reason)


def call(name: str, **args: object) -> ToolCall:
    return ToolCall(name, args)


def submit(answer: object) -> ToolCall:
    return ToolCall("submit", {"answer": answer})


class Script:
    """A run that is played to an agent in one of the transports."""

    def __init__(self, transport: Literal["native", "chat", "json"]) -> None:
        self.adapter: Any = {"native": None, "chat": ChatAdapter(), "json": JSONAdapter()}[transport]
        self.native = transport == "native"

    def lm(self, *turns: object) -> ScriptedLM:
        return ScriptedLM(map(self.turn, turns), capabilities=NATIVE if self.native else None)

    def turn(self, said: object) -> Any:
        """A call is said in the transport's form; text, errors and whole responses as they are."""
        if isinstance(said, ToolCall) and not self.native:
            return self.adapter.write_turn("", [said]).content
        return said

    def run(self, agent: ReAct, lm: ScriptedLM, way: Call, **inputs: Any) -> Prediction:
        with context(lm=lm, adapter=self.adapter):
            prediction: Prediction = way(agent, **inputs)
        assert_prefixes(lm)
        return prediction


def assert_prefixes(lm: ScriptedLM) -> None:
    """The transcript is append-only: each request begins with the one before it and its answer."""
    for before, after in zip(lm.requests, lm.requests[1:], strict=False):
        assert after.messages[: len(before.messages)] == before.messages
        answer = after.messages[len(before.messages)]
        assert answer.role == "assistant"
        assert after.tools == before.tools


def called(agent: ReAct, **inputs: Any) -> Any:
    return agent(**inputs)


def awaited(agent: ReAct, **inputs: Any) -> Any:
    return asyncio.run(agent.acall(**inputs))


def stepped(agent: ReAct, **inputs: Any) -> Any:
    *steps, prediction = agent.run(**inputs)
    assert isinstance(prediction, Prediction)
    assert tuple(steps) == prediction.trajectory.steps
    return prediction


@pytest.fixture(params=["native", "chat", "json"])
def script(request: pytest.FixtureRequest) -> Script:
    return Script(request.param)


@pytest.fixture(params=[called, awaited, stepped], ids=["called", "awaited", "stepped"])
def way(request: pytest.FixtureRequest) -> Iterator[Call]:
    yield request.param
    gc.collect()  # what a run left open would complain now


def test_a_run_of_n_turns_costs_n_model_calls(script: Script, way: Call) -> None:
    lm = script.lm(call("add", a=1, b=2), call("add", a=3, b=4), submit(10))
    prediction = script.run(ReAct(SIGNATURE, tools=[add]), lm, way, question="?")
    assert (prediction.answer, prediction.termination_reason) == (10, "submit")
    assert len(lm.requests) == len(prediction.trajectory.steps) == 3
    assert [r.content for r in prediction.trajectory.results] == ["3", "7", "Submitted."]
    assert prediction.keys() == ["answer", "trajectory", "termination_reason"]


def test_the_trajectory_reads_as_dspys_flat_mapping(script: Script) -> None:
    lm = script.lm(call("add", a=1, b=2), submit(3))
    flat = script.run(ReAct(SIGNATURE, tools=[add]), lm, called, question="?").trajectory
    assert flat["tool_name_0"] == "add"
    assert flat["tool_args_0"] == {"a": 1, "b": 2}
    assert flat["observation_0"] == "3"
    assert flat["tool_name_1"] == "submit"
    assert list(flat)[:4] == ["thought_0", "tool_name_0", "tool_args_0", "observation_0"]
    assert len(flat) == 8
    assert "add(a=1, b=2) -> 3" in str(flat)


def test_what_went_wrong_with_a_call_is_what_the_model_reads(script: Script, way: Call) -> None:
    lm = script.lm(
        call("ad", a=1, b=2), call("add", a="one", b=2), call("fail", reason="no money"), submit(3)
    )
    prediction = script.run(ReAct(SIGNATURE, tools=[add, fail]), lm, way, question="?")
    assert prediction.answer == 3
    assert [r.error for r in prediction.trajectory.results] == [
        "unknown_tool",
        "invalid_args",
        "raised",
        None,
    ]
    for request, words in zip(lm.requests[1:], ['"ad"', "must be an integer", "no money"], strict=True):
        assert words in request.messages[-1].content
    assert "Traceback" not in "".join(message.content for message in lm.requests[-1].messages)


def test_an_answer_of_the_wrong_type_is_repaired(script: Script, way: Call) -> None:
    lm = script.lm(submit("many"), ToolCall("submit", {"anser": 3}), submit(3))
    prediction = script.run(ReAct(SIGNATURE), lm, way, question="?")
    assert (prediction.answer, prediction.termination_reason) == (3, "submit")
    first, second, _ = prediction.trajectory.results
    assert first.content == 'Error: `answer` must be a whole number, not "many"'
    assert second.content == "Error: the output `answer` is missing (found: `anser`)"
    assert first.content in lm.requests[1].messages[-1].content


def test_a_turn_that_can_not_be_read_is_answered_with_the_form(script: Script, way: Call) -> None:
    lm = script.lm("The answer is 3.", submit(3))
    prediction = script.run(ReAct(SIGNATURE), lm, way, question="?")
    assert prediction.answer == 3
    unparsed = prediction.trajectory.steps[0]
    assert (unparsed.calls, unparsed.results[0].error) == ((), "unparsed")
    complaint = lm.requests[1].messages[-1].content
    assert "This answer can't be used" in complaint
    assert ("submit" if script.native else "tool_name") in complaint


def test_turns_that_are_never_readable_end_the_run(script: Script, way: Call) -> None:
    lm = script.lm("Hm.", "Hm.", "Hm.", "Hm.")
    prediction = script.run(ReAct(SIGNATURE), lm, way, question="?")
    assert (prediction.answer, prediction.termination_reason) == (None, "parse_errors")
    assert len(lm.requests) == 4  # three, and the one that was forced
    assert [step.failed for step in prediction.trajectory.steps] == [True] * 4


@pytest.mark.parametrize(
    ("signature", "last", "answer"),
    [
        ("question -> answer", "It is 4.", "It is 4."),
        ("question -> answer: int", "4", None),
        ("question -> answer, unit", "It is 4.", None),
        ("question -> answer", '<tool_call>{"name": "submit"', None),
        ("question -> answer", LMResponse("It is", finish_reason="length"), None),
        ("question -> answer", " ", None),
    ],
    ids=["text", "number", "two outputs", "a call gone wrong", "cut off", "empty"],
)
def test_an_answer_that_is_only_ever_said_is_taken_in_the_last_turn(
    signature: str, last: str | LMResponse, answer: str | None
) -> None:
    said = last if isinstance(last, LMResponse) else LMResponse(last)
    lm = ScriptedLM([*[LMResponse("It is 4.")] * 3, said], capabilities=NATIVE)
    with context(lm=lm):
        prediction = ReAct(signature, tools=[add])(question="2 + 2?")
    assert prediction.answer == answer
    assert prediction.termination_reason == ("parse_errors" if answer is None else "forced_submit")
    told = prediction.trajectory.results[-1].content
    assert ("its text was taken for the answer" in told) == (answer is not None)


def test_a_model_that_has_called_its_tools_is_not_taken_at_its_word() -> None:
    steps = [LMResponse("", (ToolCall("add", {"a": n, "b": n}),)) for n in range(2)]
    lm = ScriptedLM([*steps, LMResponse("Next I look at it.")], capabilities=NATIVE)
    with context(lm=lm):
        prediction = ReAct("question -> answer", tools=[add], max_iters=2)(question="?")
    assert (prediction.answer, prediction.termination_reason) == (None, "max_steps")


def test_a_readable_turn_between_forgives_the_unreadable_ones(script: Script) -> None:
    lm = script.lm("Hm.", "Hm.", call("add", a=1, b=1), "Hm.", "Hm.", submit(2))
    assert script.run(ReAct(SIGNATURE, tools=[add]), lm, called, question="?").answer == 2


def test_a_call_that_fails_again_and_again_is_pointed_out_and_then_ended(script: Script, way: Call) -> None:
    same = call("fail", reason="x")
    lm = script.lm(same, same, same, submit(0))
    prediction = script.run(ReAct(SIGNATURE, tools=[fail]), lm, way, question="?")
    assert (prediction.answer, prediction.termination_reason) == (0, "forced_submit")
    contents = [result.content for result in prediction.trajectory.results]
    assert "same call as before" not in contents[0]
    assert "same call as before" in contents[1]
    assert "There are no turns left" in lm.requests[3].messages[-1].content


@pytest.mark.parametrize(
    "failures",
    [["503 upstream"] * 3, ["it timed out"] * 3, ["no such order", "no such customer", "no such shop"]],
    ids=["server", "time", "other each time"],
)
def test_a_failure_that_may_pass_or_changes_is_not_said_to_be_as_before(
    script: Script, failures: list[str]
) -> None:
    left = iter(failures)

    def find(n: int) -> str:
        """Find an order."""
        raise ToolFailed(next(left))

    lm = script.lm(*[call("find", n=1)] * 3, submit(0))
    prediction = script.run(ReAct(SIGNATURE, tools=[find]), lm, called, question="?")
    contents = [result.content for result in prediction.trajectory.results]
    assert contents[0] == f"Error: {failures[0]}"
    assert "same call as before, and it failed again" in contents[1]
    assert not any("failed as before" in content for content in contents)
    assert prediction.termination_reason == "forced_submit"  # it ends all the same


def test_a_call_that_fails_in_other_ways_or_between_others_is_no_loop(script: Script) -> None:
    turns = [call("fail", reason=str(i % 2)) for i in range(6)]
    lm = script.lm(*turns, submit(0))
    prediction = script.run(ReAct(SIGNATURE, tools=[fail]), lm, called, question="?")
    assert prediction.termination_reason == "submit"


# Limits


def test_a_limit_leaves_one_last_turn_to_submit(script: Script, way: Call) -> None:
    lm = script.lm(call("add", a=1, b=2), call("add", a=3, b=3), submit(6))
    prediction = script.run(ReAct(SIGNATURE, tools=[add], max_iters=2), lm, way, question="?")
    assert (prediction.answer, prediction.termination_reason) == (6, "forced_submit")
    assert lm.requests[-1].tool_choice == ("submit" if script.native else "auto")
    assert len(lm.requests) == 3


def test_a_run_without_an_answer_says_which_limit_it_hit(script: Script, way: Call) -> None:
    lm = script.lm(call("add", a=1, b=2), call("add", a=3, b=3))
    prediction = script.run(ReAct(SIGNATURE, tools=[add], max_iters=1), lm, way, question="?")
    assert (prediction.answer, prediction.termination_reason) == (None, "max_steps")
    last = prediction.trajectory.steps[-1]
    assert last.results[0].error == "denied"  # it asked for a tool, and was asked for the answer
    assert "not run" in last.results[0].content
    assert len(prediction.trajectory.calls) == 2


def test_no_turns_at_all_is_a_forced_answer(script: Script) -> None:
    lm = script.lm(submit(3))
    prediction = script.run(ReAct(SIGNATURE, max_iters=0), lm, called, question="?")
    assert (prediction.answer, prediction.termination_reason) == (3, "forced_submit")
    assert [message.role for message in lm.requests[0].messages] == ["system", "user"]


@pytest.mark.parametrize(
    ("limits", "reason", "asked"),
    [
        (Limits(tool_calls=1), "forced_submit", 2),
        (Limits(tokens=10), "max_tokens", 1),
        (Limits(usd=0.5), "max_cost", 1),
        (Limits(seconds=0.0), "max_seconds", 0),
    ],
    ids=["calls", "tokens", "money", "time"],
)
def test_each_limit_ends_a_run(limits: Limits, reason: str, asked: int, way: Call) -> None:
    used = Usage(9, 1, usd=0.5)
    turns: list[Answer] = [LMResponse("", (call("add", a=1, b=2),), usage=used), submit(3)]
    lm = ScriptedLM(turns, capabilities=NATIVE)
    prediction = Script("native").run(ReAct(SIGNATURE, tools=[add], limits=limits), lm, way, question="?")
    assert prediction.termination_reason == reason
    assert len(lm.requests) == asked
    assert len(prediction.trajectory.steps) == asked


def test_a_run_whose_price_is_not_known_is_not_ended_by_it() -> None:
    turns: list[Answer] = [LMResponse("", (call("add", a=1, b=2),), usage=Usage(9, 1)), submit(3)]
    agent = ReAct(SIGNATURE, tools=[add], limits=Limits(usd=0.0001))
    assert (
        Script("native").run(agent, ScriptedLM(turns, capabilities=NATIVE), called, question="?").answer == 3
    )


@pytest.mark.parametrize(
    ("options", "limits"),
    [
        ({}, Limits(steps=20)),
        ({"max_iters": 5}, Limits(steps=5)),
        ({"limits": Limits(steps=7, tokens=9)}, Limits(steps=7, tokens=9)),
        ({"max_iters": 5, "limits": Limits(tokens=9)}, Limits(steps=5, tokens=9)),
        ({"limits": Limits(steps=None)}, Limits(steps=None)),
    ],
)
def test_max_iters_and_limits_go_together(options: dict[str, Any], limits: Limits) -> None:
    assert ReAct(SIGNATURE, **options).limits == limits


# Models that fail


def test_a_models_error_in_the_middle_ends_the_run_with_what_there_is(script: Script, way: Call) -> None:
    lm = script.lm(call("add", a=1, b=2), RateLimitError("slow down"))
    prediction = script.run(ReAct(SIGNATURE, tools=[add]), lm, way, question="?")
    assert (prediction.answer, prediction.termination_reason) == (None, "lm_error")
    assert str(prediction.error) == "slow down"
    assert [r.content for r in prediction.trajectory.results] == ["3"]


def test_a_conversation_that_outgrows_the_model_says_so(script: Script, way: Call) -> None:
    lm = script.lm(call("add", a=1, b=2), ContextWindowError("too long"))
    prediction = script.run(ReAct(SIGNATURE, tools=[add]), lm, way, question="?")
    assert prediction.termination_reason == "context"


def test_a_models_error_on_the_first_turn_is_raised(script: Script, way: Call) -> None:
    with pytest.raises(ServerError, match="down"):
        script.run(ReAct(SIGNATURE), script.lm(ServerError("down")), way, question="?")


def test_a_models_error_on_the_forced_turn_keeps_the_limits_name(script: Script, way: Call) -> None:
    lm = script.lm(call("add", a=1, b=2), ServerError("down"))
    prediction = script.run(ReAct(SIGNATURE, tools=[add], max_iters=1), lm, way, question="?")
    assert (prediction.termination_reason, str(prediction.error)) == ("max_steps", "down")


# Native turns


def test_calls_of_one_turn_run_at_the_same_time(way: Call) -> None:
    together = threading.Barrier(3)

    def wait(who: str) -> str:
        """Wait for the others."""
        together.wait(60)  # breaks unless all three run at once
        return who

    turn = [call("wait", who=who) for who in "abc"]
    lm = ScriptedLM([turn, submit(3)], capabilities=NATIVE)
    agent = ReAct(SIGNATURE, tools=[Tool(wait, effect="read")])
    prediction = Script("native").run(agent, lm, way, question="?")
    assert [r.content for r in prediction.trajectory.steps[0].results] == ["a", "b", "c"]
    observations = lm.requests[1].messages[-3:]
    assert [message.role for message in observations] == ["tool"] * 3
    asked = lm.requests[1].messages[-4].tool_calls
    assert [message.tool_call_id for message in observations] == [one.id for one in asked]


def test_a_submit_beside_other_calls_is_judged_after_they_ran(way: Call) -> None:
    done: list[int] = []

    def note(n: int) -> str:
        """Note a number."""
        done.append(n)
        return "noted"

    lm = ScriptedLM([[submit(1), call("note", n=7), submit(2)]], capabilities=NATIVE)
    prediction = Script("native").run(ReAct(SIGNATURE, tools=[note]), lm, way, question="?")
    assert (prediction.answer, done) == (1, [7])
    assert [r.content for r in prediction.trajectory.results] == ["Submitted.", "noted", "Submitted."]


def test_calls_without_ids_or_with_one_id_twice_get_ids_of_their_own(way: Call) -> None:
    same = ToolCall("add", {"a": 1, "b": 2}, id="x")
    turns = [LMResponse("", (same, same)), LMResponse("", (same,)), LMResponse("", (submit(3),))]
    lm = ScriptedLM(turns, capabilities=NATIVE)
    Script("native").run(ReAct(SIGNATURE, tools=[add]), lm, way, question="?")
    ids = [one.id for message in lm.requests[-1].messages for one in message.tool_calls]
    answered = [message.tool_call_id for message in lm.requests[-1].messages if message.role == "tool"]
    assert len(set(ids)) == 3
    assert answered == ids


def test_arguments_that_are_no_json_are_an_observation(way: Call) -> None:
    broken = [ToolCall("add", malformed="{a: "), ToolCall("submit", malformed="{answer")]
    lm = ScriptedLM([broken, submit(3)], capabilities=NATIVE)
    prediction = Script("native").run(ReAct(SIGNATURE, tools=[add]), lm, way, question="?")
    assert prediction.answer == 3
    assert [r.error for r in prediction.trajectory.steps[0].results] == ["invalid_args", "invalid_args"]


def test_arguments_nested_without_end_do_not_end_the_run(way: Call) -> None:
    deep: list[Any] = []
    for _ in range(3_000):
        deep = [deep]
    turns: list[Answer] = [[call("add", a=deep, b=2), submit(deep)], [call("none", x=deep)], submit(3)]
    lm = ScriptedLM(turns, capabilities=NATIVE)
    prediction = Script("native").run(ReAct(SIGNATURE, tools=[add]), lm, way, question="?")
    assert prediction.answer == 3
    assert [r.error for r in prediction.trajectory.results[:3]] == [
        "invalid_args",
        "invalid_args",
        "unknown_tool",
    ]
    json.dumps([dict(one.args) for message in lm.requests[-1].messages for one in message.tool_calls])
    assert "nested more than 100 levels" in str(prediction.trajectory)


# Tools


def test_tools_are_functions_tools_registries_and_names() -> None:
    registry = ToolRegistry(add)
    assert ReAct(SIGNATURE, registry).tools is registry
    assert list(ReAct(SIGNATURE, [add, Tool(fail, name="broken")]).tools) == ["add", "broken"]
    assert list(ReAct(SIGNATURE, add).tools) == ["add"]
    assert list(ReAct(SIGNATURE, ["calculate", add]).tools) == ["calculate", "add"]
    assert list(ReAct(SIGNATURE, "calculate").tools) == ["calculate"]
    assert list(ReAct(SIGNATURE, (one for one in [add])).tools) == ["add"]
    assert list(ReAct(SIGNATURE).tools) == []


@pytest.mark.parametrize("name", ["trajectory", "termination_reason", "error"])
def test_an_output_that_would_hide_behind_the_runs_own_is_refused(name: str) -> None:
    with pytest.raises(SignatureError, match=f"an agent's output can't be called '{name}'"):
        ReAct(f"question -> {name}")


def test_inputs_and_options_are_checked_as_predicts_are() -> None:
    with context(lm=ScriptedLM([])), pytest.raises(InputError, match="'question' is missing"):
        ReAct(SIGNATURE)()
    with pytest.raises(ConfigurationError, match="no option 'temprature'"):
        ReAct(SIGNATURE, temprature=0.5)


def test_a_nested_agent_is_a_tool() -> None:
    inner = ReAct("task -> answer", tools=[add])

    def delegate(task: str) -> str:
        """Hand a task on."""
        return str(inner(task=task).answer)

    def answer(request: LMRequest) -> ToolCall:
        asked = next(m.content for m in request.messages if m.role == "user")
        if request.messages[-1].role == "tool":
            return submit(f"<{request.messages[-1].content}>")
        return call("delegate", task="sum") if asked.startswith("question") else submit("inner")

    with context(lm=FunctionLM(answer, capabilities=NATIVE)):
        assert ReAct("question -> answer", tools=[delegate])(question="?").answer == "<inner>"


def test_a_tool_may_await_several_programs_at_once() -> None:
    together = threading.Barrier(3)

    def answer(request: LMRequest) -> Answer:
        if request.tools:
            return submit(1) if request.messages[-1].role == "tool" else call("ask_all", n=3)
        together.wait(60)  # breaks unless all three are asked at once
        return "[[ ## answer ## ]]\nyes"

    def ask_all(n: int) -> str:
        """Ask n times."""

        async def many() -> list[Any]:
            predict = Predict("question -> answer")
            return await asyncio.gather(*(predict.acall(question=str(i)) for i in range(n)))

        return ", ".join(prediction.answer for prediction in asyncio.run(many()))

    with context(lm=FunctionLM(answer, capabilities=NATIVE)):
        prediction = ReAct(SIGNATURE, tools=[ask_all])(question="?")
    assert prediction.trajectory["observation_0"] == "yes, yes, yes"


# State


def test_instructions_and_demonstrations_are_the_agents_state(script: Script) -> None:
    agent = ReAct(SIGNATURE, tools=[add])
    steps = (Step("", (call("add", a=5, b=6),), (ToolResult(call("add", a=5, b=6), "11"),)),)
    demo = Example(question="5 + 6?", answer=11, trajectory=Trajectory(steps))
    state = agent.states()["react"]
    taught = agent.with_state({"react": type(state)(state.fields, "Use the tools.", (demo,))})
    assert taught.signature.instructions == "Use the tools."
    assert agent.signature.instructions == Signature(SIGNATURE).instructions
    lm = script.lm(submit(3))
    script.run(taught, lm, called, question="?")
    messages = lm.requests[0].messages
    assert "Use the tools." in messages[0].content
    assert "5 + 6?" in messages[1].content
    assert len(messages) == (7 if script.native else 6)  # a native submit has a result too


# Watching and stopping


def traced(agent: ReAct, lm: ScriptedLM, reading: Callable[[ReAct], None]) -> Any:
    trace = Trace()
    with context(lm=lm, trace=trace):
        reading(agent)
        gc.collect()
    (made,) = trace
    return made.prediction


def test_steps_are_seen_while_the_run_goes_on() -> None:
    lm = ScriptedLM([call("add", a=1, b=2), submit(3)], capabilities=NATIVE)
    with context(lm=lm):
        run = ReAct(SIGNATURE, tools=[add]).run(question="?")
        first = next(run)
        assert isinstance(first, Step)
        assert first.results[0].content == "3"
        assert len(lm.requests) == 1
        assert [type(item) for item in run] == [Step, Prediction]


def test_who_stops_reading_stops_the_run_and_its_trace_is_whole() -> None:
    lm = ScriptedLM([call("add", a=1, b=2)] * 9, capabilities=NATIVE)

    def read_two(agent: ReAct) -> None:
        run = agent.run(question="?")
        assert isinstance(next(run), Step)
        assert isinstance(next(run), Step)
        run.close()

    prediction = traced(ReAct(SIGNATURE, tools=[add]), lm, read_two)
    assert (prediction.answer, prediction.termination_reason) == (None, "cancelled")
    assert [r.content for r in prediction.trajectory.results] == ["3", "3"]
    assert len(lm.requests) == 2


def test_who_stops_awaiting_stops_the_run_and_its_trace_is_whole() -> None:
    lm = ScriptedLM([call("add", a=1, b=2)] * 9, capabilities=NATIVE)

    async def main(agent: ReAct) -> None:
        run = agent.arun(question="?")
        async for item in run:
            assert isinstance(item, Step)
            break
        await run.aclose()

    prediction = traced(ReAct(SIGNATURE, tools=[add]), lm, lambda agent: asyncio.run(main(agent)))
    assert prediction.termination_reason == "cancelled"
    assert len(prediction.trajectory.steps) == 1


def test_a_cancelled_call_leaves_a_trajectory_in_which_every_call_has_a_result() -> None:
    started = asyncio.Event()

    async def hang(a: int) -> str:
        """Never end."""
        started.set()
        await asyncio.sleep(60)
        return "never"

    lm = ScriptedLM([call("add", a=1, b=2), [call("add", a=3, b=4), call("hang", a=1)]], capabilities=NATIVE)

    async def main(agent: ReAct) -> None:
        task = asyncio.create_task(agent.acall(question="?"))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    prediction = traced(ReAct(SIGNATURE, tools=[add, hang]), lm, lambda agent: asyncio.run(main(agent)))
    assert prediction.termination_reason == "cancelled"
    assert [len(step.calls) for step in prediction.trajectory.steps] == [1, 2]
    assert [r.error for r in prediction.trajectory.results] == [None, None, "cancelled"]


def test_ctrl_c_in_a_tool_ends_the_run_and_leaves_its_trace() -> None:
    def interrupt() -> str:
        """As if Ctrl-C had been pressed."""
        raise KeyboardInterrupt

    lm = ScriptedLM([call("interrupt")], capabilities=NATIVE)

    def press(agent: ReAct) -> None:
        with pytest.raises(KeyboardInterrupt):
            agent(question="?")

    prediction = traced(ReAct(SIGNATURE, tools=[interrupt]), lm, press)
    assert [r.error for r in prediction.trajectory.results] == ["cancelled"]


def test_a_run_is_one_call_in_the_trace() -> None:
    lm = ScriptedLM([call("add", a=1, b=2), submit(3)], capabilities=NATIVE)
    trace, agent = Trace(), ReAct(SIGNATURE, tools=[add])
    with context(lm=lm, trace=trace):
        prediction = agent(question="?")
    (made,) = trace
    assert (made.predictor, made.inputs, made.prediction) == (agent.react, {"question": "?"}, prediction)
    assert len(made.exchanges) == 2


def test_two_runs_of_one_agent_at_once_do_not_mix() -> None:
    def answer(request: LMRequest) -> ToolCall:
        asked = next(m.content for m in request.messages if m.role == "user")
        number = int(asked.split()[-1])
        if request.messages[-1].role == "tool":
            return submit(int(request.messages[-1].content))
        return call("add", a=number, b=number)

    examples = [Example(question=f"double {i}").with_inputs("question") for i in range(24)]
    with context(lm=FunctionLM(answer, capabilities=NATIVE)):
        predictions = ReAct(SIGNATURE, tools=[add]).batch(examples, 6)
    assert [p.answer for p in predictions] == [2 * i for i in range(24)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"max_steps": 3},
            "ReAct has no option 'max_steps'; did you mean 'max_iters'? there are: tools, max_iters",
        ),
        (
            {"n": 3},
            "ReAct has no option 'n'; there are: tools, max_iters, limits, tool_search, lm, temperature",
        ),
        ({"max_iters": "3"}, "a limit on steps is a whole number of at least 0, or None; not '3'"),
        ({"max_iters": -1}, "not -1"),
        ({"max_iters": 2.5}, "not 2.5"),
        ({"max_iters": True}, "not True"),
    ],
    ids=lambda given: str(given)[:20],
)
def test_what_an_agent_can_not_be_given_is_said_when_it_is_made(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        ReAct(SIGNATURE, **options)


@pytest.mark.parametrize("limits", [{"usd": "1"}, {"seconds": -0.5}, {"tokens": 1.5}, {"usd": float("nan")}])
def test_a_limit_is_an_amount(limits: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"a limit on {next(iter(limits))} is a"):
        Limits(**limits)


@pytest.mark.parametrize("way", ["called", "awaited"])
def test_no_call_is_made_beyond_the_limit_also_of_one_turn(way: str) -> None:
    done: list[int] = []

    def book(n: int) -> str:
        """Book a seat."""
        done.append(n)
        return f"seat {n}"

    def turn(*numbers: int) -> LMResponse:
        return LMResponse("", tuple(ToolCall("book", {"n": n}) for n in numbers))

    lm = ScriptedLM([turn(1, 2), turn(3, 4, 5), submit(3)], capabilities=Capabilities(native_tools=True))
    agent = ReAct(SIGNATURE, tools=[book], limits=Limits(tool_calls=3))
    with context(lm=lm):
        prediction = agent(question="?") if way == "called" else asyncio.run(agent.acall(question="?"))
    assert done == [1, 2, 3]
    assert (prediction.answer, prediction.termination_reason) == (3, "forced_submit")
    told = [result.content for result in prediction.trajectory.steps[1].results]
    refused = "Error: not run: a run may make 3 tool calls, and they are made."
    assert told == ["seat 3", refused, refused]
    assert [result.error for result in prediction.trajectory.steps[1].results] == [None, "denied", "denied"]
