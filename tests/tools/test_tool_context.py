from __future__ import annotations

import logging
import threading
import time
from typing import Annotated, Any

import pytest
from awaiting import awaited

from loopwright.tools import Tool, ToolCall, ToolContext, ToolDefinitionError, ToolRegistry, ToolRun


def remember(key: str, context: ToolContext, value: str = "") -> str:
    """Keep a value.

    Args:
        key: Its name.
        context: Never shown.
    """
    if value:
        context.state[key] = value
    return str(context.state.get(key, "nothing"))


async def aremember(key: str, *, context: ToolContext | None = None) -> str:
    assert context is not None
    return str(context.state.get(key, "nothing"))


def test_a_model_never_sees_it() -> None:
    assert Tool(remember).usage == 'remember(key: string, value: string = "")'
    assert "context" not in str(Tool(remember).spec)


def test_a_model_cannot_give_it() -> None:
    result = Tool(remember).run(ToolCall("remember", {"key": "a", "context": {}}))
    assert 'there is no parameter "context"' in result.content


@awaited
async def test_the_tools_of_a_run_share_its_state_and_no_other_run_does() -> None:
    registry, run = ToolRegistry(remember, aremember), ToolRun()
    registry.call(ToolCall("remember", {"key": "a", "value": "1"}), run)
    assert (await registry.acall(ToolCall("aremember", {"key": "a"}), run)).content == "1"
    assert registry.call(ToolCall("remember", {"key": "a"}), ToolRun()).content == "nothing"
    assert registry.call(ToolCall("remember", {"key": "a"})).content == "nothing"


def test_it_knows_the_call_and_the_time_that_is_left() -> None:
    seen: list[Any] = []

    def look(context: Annotated[ToolContext, "the run"]) -> str:
        seen.extend([context.call.id, context.seconds_left])
        return ""

    Tool(look, timeout=60).run(ToolCall("look", id="c1"))
    Tool(look).run(ToolCall("look", id="c2"))
    assert seen[0] == "c1"
    assert 0 < seen[1] <= 60
    assert seen[2:] == ["c2", None]


def test_a_tool_is_told_that_nobody_waits_any_more(caplog: pytest.LogCaptureFixture) -> None:
    told = threading.Event()

    def wait(context: ToolContext) -> str:
        if context.cancelled.wait(60):
            told.set()
        return "late"

    with caplog.at_level(logging.INFO, "loopwright.tools"):
        assert Tool(wait, timeout=0.05).run(ToolCall("wait")).error == "timeout"
        assert told.wait(60)
        deadline = time.monotonic() + 60
        while not caplog.records and time.monotonic() < deadline:
            time.sleep(0.01)
    assert "its result is dropped" in caplog.text


def test_two_of_them_are_refused() -> None:
    def act(a: ToolContext, b: ToolContext) -> str:
        return ""

    with pytest.raises(ToolDefinitionError, match="one parameter"):
        Tool(act)
