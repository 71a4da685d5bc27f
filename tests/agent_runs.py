"""An agent's run over a real HTTP server: the model's turns are given, and what came of them is looked at.

    played = play(openai_server, transport, way, [call("add", a=1, b=2), submit(3)], tools=[add])

A turn is said in the transport's form: as native calls, or as text with markers. What must hold of every
run, however it went, is in `assert_appended` and `assert_sound`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, cast

import pytest
from openai_server import Behaviour, OpenAIServer, Serve, answer
from strict_server import complaint

from loopwright import ChatAdapter, Limits, Prediction, ReAct, context
from loopwright.models import LM, LMResponse
from loopwright.tools import ToolCall
from loopwright.trace import Trace

Transport = Literal["native", "text"]
Said = str | ToolCall | Sequence[ToolCall] | LMResponse | Behaviour
Way = Callable[..., Prediction]
Message = dict[str, Any]

TRANSPORTS: tuple[Transport, ...] = ("native", "text")


def call(name: str, **args: object) -> ToolCall:
    return ToolCall(name, args)


def submit(value: object) -> ToolCall:
    return ToolCall("submit", {"answer": value})


def said(turn: Said, transport: Transport) -> Behaviour:
    """A turn as a behaviour of the server; a behaviour, and any text, stays as it is."""
    if callable(turn):
        return turn
    if isinstance(turn, ToolCall) and transport == "text":
        return answer(ChatAdapter().write_turn("Go on.", [turn]).content)
    return answer(turn)


def message(finish_reason: str = "stop", **body: object) -> Behaviour:
    """Answer with exactly this message of the API."""
    choice = {"index": 0, "message": {"role": "assistant", **body}, "finish_reason": finish_reason}
    whole = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "any"}
    return lambda reply: reply.send_json(200, {**whole, "choices": [choice]})


def model(server: OpenAIServer, transport: Transport, **options: Any) -> LM:
    given = {"cache": False, "num_retries": 0, "native_tools": transport == "native", **options}
    return LM(given.pop("name", "openai/any"), api_base=server.url, api_key="test", **given)


def called(agent: ReAct, **inputs: Any) -> Prediction:
    return cast(Prediction, agent(**inputs))


def awaited(agent: ReAct, **inputs: Any) -> Prediction:
    return cast(Prediction, asyncio.run(agent.acall(**inputs)))


each_way = pytest.mark.parametrize("way", [called, awaited], ids=["called", "awaited"])
each_transport = pytest.mark.parametrize("transport", TRANSPORTS)


@dataclass(frozen=True)
class Played:
    """A run that was played: what came back, and each request's body as the server got it."""

    prediction: Prediction
    bodies: list[dict[str, Any]]
    trace: Trace

    @property
    def reason(self) -> object:
        return self.prediction.termination_reason

    @property
    def errors(self) -> list[str | None]:
        return [result.error for result in self.prediction.trajectory.results]

    def messages(self, request: int) -> list[Message]:
        return cast(list[Message], self.bodies[request]["messages"])

    def told(self, turn: int) -> str:
        """What the model was told after its turn of this number, from 1."""
        before, after = self.messages(turn - 1), self.messages(turn)
        return "\n".join(str(one.get("content")) for one in after[len(before) + 1 :])


def play(
    serve: Serve,
    transport: Transport,
    way: Way,
    turns: Sequence[Said],
    *,
    tools: Sequence[Any] = (),
    limits: Limits | None = None,
    callbacks: Sequence[Any] = (),
    grows: bool = True,
    **options: Any,
) -> Played:
    """Have an agent with these tools talk to a server that says these turns; `options` are the model's.

    `grows` says that the conversation is never shortened.
    """
    server = serve(*(said(turn, transport) for turn in turns))
    trace = Trace()
    agent = ReAct("question -> answer: int", tools=tools, limits=limits)
    with context(lm=model(server, transport, **options), trace=trace, callbacks=callbacks):
        prediction = way(agent, question="?")
    played = Played(prediction, [cast(dict[str, Any], one.body) for one in server.requests], trace)
    if grows:
        assert_appended(played)
    assert_sound(played)
    return played


def assert_appended(played: Played) -> None:
    """Each request begins with the one before it, and with the model's reply to that."""
    for before, after in pairwise(distinct(played.bodies)):
        start = [json.dumps(one) for one in before["messages"]]
        assert [json.dumps(one) for one in after["messages"][: len(start)]] == start
        assert after["messages"][len(start)]["role"] == "assistant"
        assert after.get("tools") == before.get("tools")


def assert_sound(played: Played) -> None:
    """What holds of every run: every call has one result, and a strict API takes each of the conversations."""
    for step in played.prediction.trajectory.steps:
        assert [result.call.name for result in step.results] == [one.name for one in step.calls] or (
            [result.error for result in step.results] == ["unparsed"] and not step.calls
        )
    assert_answered(played.messages(-1))
    assert [complaint(body["messages"]) for body in played.bodies] == [""] * len(played.bodies)


def distinct(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The requests without those that only repeat the one before, as a retry does."""
    return [now for before, now in zip([None, *bodies], bodies, strict=False) if now != before]


def assert_answered(messages: list[Message]) -> None:
    """Every native call has an id of its own, and is answered once, right after its turn."""
    ids = [one["id"] for said in messages for one in said.get("tool_calls") or ()]
    assert len(set(ids)) == len(ids)
    assert [said["tool_call_id"] for said in messages if said["role"] == "tool"] == ids
