from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from loopwright import CodeAct, Module, Predict, ReAct, configure, context
from loopwright.callbacks import BaseCallback
from loopwright.errors import ConfigurationError, LMError, ServerError
from loopwright.models import Capabilities, Delta, LMResponse, ScriptedLM, Usage
from loopwright.runtime import track_usage
from loopwright.tools import ToolCall

NATIVE = Capabilities(native_tools=True)
ADD = ToolCall("add", {"a": 1, "b": 2})
SUBMIT = ToolCall("submit", {"answer": "3"})


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


class Log(BaseCallback):
    """Everything that was told, as one line each."""

    def __init__(self, tokens: bool = False) -> None:
        self.lines: list[str] = []
        self.ids: dict[str, list[str]] = {}
        self.tokens = tokens

    def _note(self, call_id: str, line: str) -> None:
        self.lines.append(line)
        self.ids.setdefault(call_id, []).append(line)

    def on_module_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        self._note(call_id, f"{type(instance).__name__}{dict(inputs)}")

    def on_module_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        self._note(
            call_id, f"module ends: {type(exception).__name__ if exception else type(outputs).__name__}"
        )

    def on_lm_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        self._note(call_id, f"lm, {len(inputs['request'].messages)} messages")

    def on_lm_token(self, call_id: str, delta: Delta) -> None:
        self._note(call_id, f"token {delta.text!r}")

    def on_lm_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        self._note(call_id, f"lm ends: {type(exception).__name__ if exception else type(outputs).__name__}")

    def on_tool_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        self._note(call_id, f"tool {instance.name}{dict(inputs)}")

    def on_tool_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        self._note(call_id, f"tool ends: {type(exception).__name__ if exception else outputs.content}")

    def on_step(self, call_id: str, step: Any) -> None:
        self._note(call_id, f"step {len(step.calls)}")


def agent() -> tuple[ReAct, ScriptedLM]:
    return ReAct("question -> answer", tools=[add]), ScriptedLM([ADD, SUBMIT], capabilities=NATIVE)


AGENT_RUN = [
    "ReAct{'question': '1 + 2?'}",
    "lm, 2 messages",
    "lm ends: LMResponse",
    "tool add{'a': 1, 'b': 2}",
    "tool ends: 3",
    "step 1",
    "lm, 4 messages",
    "lm ends: LMResponse",
    "step 1",
    "module ends: Prediction",
]


@pytest.mark.parametrize("way", ["called", "awaited"])
def test_an_agents_run_is_told_in_order(way: str) -> None:
    watcher, (program, lm) = Log(), agent()
    with context(lm=lm, callbacks=[watcher]):
        if way == "called":
            program(question="1 + 2?")
        else:
            asyncio.run(program.acall(question="1 + 2?"))
    assert watcher.lines == AGENT_RUN
    assert [len(lines) for lines in watcher.ids.values()] == [4, 2, 2, 2]  # a start and an end share an id


def test_the_parts_of_a_program_are_told_inside_it() -> None:
    class Outer(Module):
        def __init__(self) -> None:
            self.inner = Predict("country -> capital")

        def forward(self, country: str) -> Any:
            return self.inner(country=country)

    watcher = Log()
    with context(lm=ScriptedLM(["[[ ## capital ## ]]\nParis"]), callbacks=watcher):
        Outer()(country="France")
    assert [line.split("{")[0] for line in watcher.lines] == [
        "Outer", "Predict", "lm, 2 messages", "lm ends: LMResponse", "module ends: Prediction", "module ends: Prediction",
    ]  # fmt: skip


def test_what_is_raised_is_told() -> None:
    watcher = Log()
    with context(lm=ScriptedLM([ServerError("down")]), callbacks=[watcher]), pytest.raises(ServerError):
        Predict("a -> b")(a=1)
    assert watcher.lines[-2:] == ["lm ends: ServerError", "module ends: ServerError"]


def test_tokens_are_told_to_those_who_want_them() -> None:
    deaf, watcher = Log(), Log(tokens=True)
    with context(lm=ScriptedLM(["[[ ## b ## ]]\nyes"]), callbacks=[deaf, watcher]):
        Predict("a -> b")(a=1)
    tokens = [line for line in watcher.lines if line.startswith("token")]
    assert len(tokens) > 1
    assert tokens[-1].endswith("yes'")


def test_a_stream_without_an_end_is_an_error() -> None:
    class Broken(ScriptedLM):
        def stream(self, request: Any) -> Any:
            yield Delta("half")

    with (
        context(lm=Broken([]), callbacks=[Log(tokens=True)]),
        pytest.raises(LMError, match="ended without an answer"),
    ):
        Predict("a -> b")(a=1)


def test_the_calls_of_a_program_are_told() -> None:
    watcher = Log()
    lm = ScriptedLM([ToolCall("python", {"code": "submit(answer=str(add(1, 2)))"})], capabilities=NATIVE)
    with context(lm=lm, callbacks=[watcher]):
        CodeAct("question -> answer", tools=[add])(question="1 + 2?")
    assert "tool ends: 3" in watcher.lines


def test_a_watcher_that_raises_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(BaseCallback):
        def on_lm_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
            raise ValueError("my fault")

    watcher, (program, lm) = Log(), agent()
    with context(lm=lm, callbacks=[Broken(), watcher]), caplog.at_level(logging.ERROR, "loopwright"):
        assert program(question="1 + 2?").answer == "3"
    assert watcher.lines == AGENT_RUN
    assert "Broken.on_lm_start raised" in caplog.text


def test_what_is_no_watcher_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"derived from loopwright\.BaseCallback"):
        configure(callbacks=[print])


# ---- usage


def test_usage_is_counted_by_model_module_and_tool() -> None:
    answers = [
        LMResponse("", (call,), usage=Usage(10, 2, usd=0.5)) for call in (ADD, ToolCall("add", {}), SUBMIT)
    ]
    program = ReAct("question -> answer", tools=[add])
    with context(lm=ScriptedLM(answers, capabilities=NATIVE)), track_usage(program) as usage:
        program(question="1 + 2?")
    assert usage.total == Usage(30, 6, usd=1.5)
    assert usage.by_module == {"ReAct": Usage(30, 6, usd=1.5)}
    assert (usage.tool_calls["add"], usage.model_calls["scripted"]) == (1, 3)
    assert usage.get_total_tokens()["scripted"]["total_tokens"] == 36


def test_usage_of_many_threads_is_all_counted() -> None:
    answers = [LMResponse("[[ ## b ## ]]\nx", usage=Usage(1, 1, usd=0.0)) for _ in range(64)]
    program = Predict("a -> b")
    with context(lm=ScriptedLM(answers)), track_usage() as usage:
        from loopwright import Example

        program.batch([Example(a=n).with_inputs("a") for n in range(64)], num_threads=16)
    assert usage.total.total_tokens == 128
    assert threading.active_count() < 40
