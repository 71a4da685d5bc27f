"""OpenTelemetry spans, read back from the SDK's own exporter."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, get_current_span

from loopwright import Evaluate, Example, Predict, Prediction, ReAct, Tool, context
from loopwright.errors import ServerError
from loopwright.models import Capabilities, LMResponse, ScriptedLM, Usage
from loopwright.runtime import Telemetry
from loopwright.streaming import ToolCallEvent
from loopwright.tools import ToolCall

NATIVE = Capabilities(native_tools=True)


class Spans:
    """What was exported, by name."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    def all(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    def one(self, name: str) -> ReadableSpan:
        (found,) = [span for span in self.all() if span.name == name]
        return found

    def parent_of(self, span: ReadableSpan) -> str:
        found = [one.name for one in self.all() if span.parent and one.context.span_id == span.parent.span_id]
        return found[0] if found else ""


@pytest.fixture
def spans() -> Spans:
    return Spans()


def look(n: int) -> str:
    """Look."""
    if n < 0:
        raise ValueError("below ground")
    return "secret garden"


def run(spans: Spans, *turns: Any, content: bool = False) -> None:
    answers = [
        LMResponse("", (turn,), usage=Usage(10, 2, 4, 0.5), model="m-1", finish_reason="tool_calls")
        for turn in turns
    ]
    lm = ScriptedLM(answers, capabilities=NATIVE)
    lm.model = "openai/m"
    with context(lm=lm, callbacks=[Telemetry(spans.provider, content=content)]):
        ReAct("question -> answer", tools=[look], temperature=0.5)(question="my secret question")


SUBMIT = ToolCall("submit", {"answer": "x"})


def test_an_agents_run_is_a_tree_of_spans(spans: Spans) -> None:
    run(spans, ToolCall("look", {"n": 1}, "c1"), SUBMIT)
    assert [span.name for span in spans.all()] == [
        "chat m",
        "execute_tool look",
        "chat m",
        "invoke_agent ReAct",
    ]
    assert {spans.parent_of(span) for span in spans.all()[:3]} == {"invoke_agent ReAct"}
    assert dict(spans.one("invoke_agent ReAct").attributes or {}) == {
        "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "ReAct",
        "loopwright.termination_reason": "submit", "loopwright.steps": 2,
    }  # fmt: skip
    assert dict(spans.one("execute_tool look").attributes or {}) == {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look", "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "c1",
    }  # fmt: skip


def test_a_model_calls_span_has_what_was_asked_and_what_it_cost(spans: Spans) -> None:
    run(spans, SUBMIT)
    assert dict(spans.one("chat m").attributes or {}) == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m",
        "gen_ai.request.temperature": 0.5, "gen_ai.response.model": "m-1",
        "gen_ai.response.finish_reasons": ("tool_call",), "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 2, "gen_ai.usage.cache_read.input_tokens": 4,
        "loopwright.cached": False, "loopwright.usd": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize("content", [False, True])
def test_what_was_said_is_in_spans_only_where_that_is_wanted(content: bool, spans: Spans) -> None:
    run(spans, ToolCall("look", {"n": 1}), SUBMIT, content=content)
    said = json.dumps([dict(span.attributes or {}) for span in spans.all()])
    assert ("secret question" in said, "secret garden" in said) == (content, content)


def test_a_conversation_is_told_in_the_conventions_parts(spans: Spans) -> None:
    turn = LMResponse(
        "I look.",
        (ToolCall("look", {"n": 1}, "c1"),),
        reasoning="Where is it?",
        finish_reason="tool_calls",
    )
    end = LMResponse("", (ToolCall("submit", {}, "c2", malformed="{oops"),), finish_reason="tool_calls")
    lm = ScriptedLM([turn, end, SUBMIT], capabilities=NATIVE)
    with context(lm=lm, callbacks=[Telemetry(spans.provider, content=True)]):
        ReAct("question -> answer", tools=[look])(question="where?")
    first, second, third = [
        dict(span.attributes or {}) for span in spans.all() if span.name == "chat scripted"
    ]
    call = {"type": "tool_call", "id": "c1", "name": "look", "arguments": '{"n": 1}'}
    assert json.loads(str(first["gen_ai.output.messages"])) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Where is it?"},
                {"type": "text", "content": "I look."},
                call,
            ],
            "finish_reason": "tool_call",
        }
    ]
    asked = json.loads(str(second["gen_ai.input.messages"]))
    assert [message["role"] for message in asked] == ["system", "user", "assistant", "tool"]
    assert asked[2]["parts"] == [{"type": "text", "content": "I look."}, call]
    assert asked[3]["parts"] == [{"type": "tool_call_response", "id": "c1", "response": "secret garden"}]
    (told,) = json.loads(str(third["gen_ai.input.messages"]))[4]["parts"]
    assert told["arguments"] == "{oops"


def test_what_is_long_is_cut_and_half_a_letter_is_replaced(spans: Spans) -> None:
    def long(text: str) -> str:
        """Give it back."""
        return text

    turns = [ToolCall("long", {"text": "x" * 15_000}), ToolCall("submit", {"answer": "caf\udce9"})]
    lm = ScriptedLM(turns, capabilities=NATIVE)
    with context(lm=lm, callbacks=[Telemetry(spans.provider, content=True)]):
        ReAct("question -> answer", tools=[long])(question="caf\udce9")
    attributes = [str(value) for span in spans.all() for value in (span.attributes or {}).values()]
    assert max(map(len, attributes)) < 30_000
    assert all(value.encode() for value in attributes)
    assert len(str((spans.one("execute_tool long").attributes or {})["gen_ai.tool.call.arguments"])) == 8_000


@pytest.mark.parametrize(
    ("model", "provider"), [("gemini/g", "gcp.gemini"), ("xai/g", "x_ai"), ("anthropic/c", "anthropic")]
)
def test_a_provider_has_the_conventions_name(model: str, provider: str, spans: Spans) -> None:
    lm = ScriptedLM(["[[ ## b ## ]]\nx"])
    lm.model = model
    with context(lm=lm, callbacks=[Telemetry(spans.provider)]):
        Predict("a -> b")(a=1)
    (chat,) = [span for span in spans.all() if span.name.startswith("chat")]
    assert (chat.attributes or {})["gen_ai.provider.name"] == provider


def test_a_failed_tool_call_is_an_error(spans: Spans) -> None:
    run(spans, ToolCall("look", {"n": -1}), SUBMIT)
    span = spans.one("execute_tool look")
    assert (span.status.status_code, (span.attributes or {})["error.type"]) == (StatusCode.ERROR, "raised")


def test_a_failed_model_call_is_an_error_up_to_the_top(spans: Spans) -> None:
    watching = context(lm=ScriptedLM([ServerError("down")]), callbacks=[Telemetry(spans.provider)])
    with watching, pytest.raises(ServerError):
        Predict("a -> b")(a=1)
    assert [(span.status.status_code, (span.attributes or {})["error.type"]) for span in spans.all()] == [
        (StatusCode.ERROR, "ServerError")
    ] * 2


def test_an_evaluation_holds_its_runs_also_those_in_threads(spans: Spans) -> None:
    devset = [Example(a=n, b="x").with_inputs("a") for n in range(6)]
    with context(lm=ScriptedLM(["[[ ## b ## ]]\nx"] * 6), callbacks=[Telemetry(spans.provider)]):
        Evaluate(devset=devset, metric=lambda example, given: True, num_threads=3)(Predict("a -> b"))
    assert {spans.parent_of(span) for span in spans.all() if span.name == "Predict"} == {"evaluate"}
    assert (spans.one("evaluate").attributes or {})["trials"] == 6
    assert len(spans.all()) == 13


def test_spans_lie_below_the_users_own(spans: Spans) -> None:
    with spans.provider.get_tracer("mine").start_as_current_span("request"):
        run(spans, SUBMIT)
    assert spans.parent_of(spans.one("invoke_agent ReAct")) == "request"


@pytest.mark.parametrize("way", ["called", "awaited", "streamed"])
def test_what_a_tool_does_lies_below_its_span(way: str, spans: Spans) -> None:
    def delegate(task: str) -> str:
        """Let another agent do it."""
        with spans.provider.get_tracer("mine").start_as_current_span("lookup"):
            pass
        inner: Prediction = ReAct("task -> answer", tools=[look])(task=task)
        return str(inner.answer)

    turns = [ToolCall("delegate", {"task": "t"}), SUBMIT, SUBMIT]
    agent = ReAct("question -> answer", tools=[delegate])
    tracer = spans.provider.get_tracer("mine")
    with (
        context(lm=ScriptedLM(turns, capabilities=NATIVE), callbacks=[Telemetry(spans.provider)]),
        tracer.start_as_current_span("request") as request,
    ):
        if way == "called":
            agent(question="?")
        elif way == "awaited":
            asyncio.run(agent.acall(question="?"))
        else:
            list(agent.stream(question="?"))
        assert get_current_span() is request
    tree = [(span.name, spans.parent_of(span)) for span in spans.all()]
    assert tree == [
        ("chat scripted", "invoke_agent ReAct"),
        ("lookup", "execute_tool delegate"),
        ("chat scripted", "invoke_agent ReAct"),
        ("invoke_agent ReAct", "execute_tool delegate"),
        ("execute_tool delegate", "invoke_agent ReAct"),
        ("chat scripted", "invoke_agent ReAct"),
        ("invoke_agent ReAct", "request"),
        ("request", ""),
    ]


async def _cancelled(agent: ReAct, begun: threading.Event) -> None:
    task = asyncio.create_task(agent.acall(question="?"))
    await asyncio.to_thread(begun.wait, 30)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("way", ["cancelled", "left"])
def test_a_run_that_is_broken_off_leaves_no_span_open(
    way: str, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    begun = threading.Event()

    async def wait() -> str:
        """Wait for ever."""
        begun.set()
        await asyncio.sleep(600)
        return "late"

    lm = ScriptedLM([ToolCall("wait", {})], capabilities=NATIVE)
    agent = ReAct("question -> answer", tools=[wait])
    with context(lm=lm, callbacks=[Telemetry(spans.provider)]):
        if way == "cancelled":
            asyncio.run(_cancelled(agent, begun))
        else:
            events = agent.stream(question="?")
            while not isinstance(next(events), ToolCallEvent):
                pass
            events.close()
    assert [span.name for span in spans.all()] == ["chat scripted", "execute_tool wait", "invoke_agent ReAct"]
    assert get_current_span().get_span_context().span_id == 0
    assert "detach" not in caplog.text


def test_calls_side_by_side_lie_below_their_own_spans(spans: Spans) -> None:
    def note(n: int) -> str:
        """Note it."""
        with spans.provider.get_tracer("mine").start_as_current_span(f"noted {n}"):
            return "noted"

    calls = [ToolCall("note", {"n": n}, f"c{n}") for n in range(8)]
    lm = ScriptedLM([LMResponse("", tuple(calls)), SUBMIT], capabilities=NATIVE)
    agent = ReAct("question -> answer", tools=[Tool(note, effect="read")])
    with context(lm=lm, callbacks=[Telemetry(spans.provider)]):
        asyncio.run(agent.acall(question="?"))
    ids = {
        span.context.span_id: dict(span.attributes or {}).get("gen_ai.tool.call.id") for span in spans.all()
    }
    below = {
        span.name: ids[span.parent.span_id]
        for span in spans.all()
        if span.name.startswith("noted") and span.parent
    }
    assert below == {f"noted {n}": f"c{n}" for n in range(8)}


def test_without_opentelemetry_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from loopwright.runtime import Telemetry\n"
        "try: Telemetry()\nexcept RuntimeError as error: print(error)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert 'pip install "loopwright[otel]"' in ended.stdout
