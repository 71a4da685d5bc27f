"""What a provider can reuse of an agent's requests, measured at the HTTP server, byte for byte.

Each request must begin with the one before it and the model's own reply, and N steps must cost N requests.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any, cast

import pytest
from agent_runs import Transport, Way, each_transport, each_way, message, model
from openai_server import Behaviour, OpenAIServer, Received, Reply, Serve

from loopwright import ReAct, context
from loopwright.models.lm import Via

Body = dict[str, Any]

THOUGHT = "  Zähle: 1 + 1 ≠ 3 \u2028 \n"  # what a careless client would trim or escape


def add(a: int, b: int) -> str:
    """Add two numbers, at some length."""
    return f"{a} + {b} = {a + b}, “sicher” \U0001fa91\n" * 20


def turn_of(number: int, steps: int, transport: Transport) -> Body:
    """The reply to a request, in a form of its own: no spaces, some spaces, fields in any order."""
    name, arguments = "add", f'{{"b":1,   "a":{number} }}' if number % 2 else f'{{"a":{number},"b":1}}'
    if number == steps:
        name, arguments = "submit", f'{{"answer":{steps}}}'
    if transport == "text":
        form = (
            f"[[ ## tool_name ## ]]\n{name}\n\n[[ ## tool_args ## ]]\n{arguments}\n\n[[ ## completed ## ]]\n"
        )
        return {"role": "assistant", "content": f"[[ ## thought ## ]]\n{THOUGHT}\n{form}"}
    call = {"id": f"call-{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": THOUGHT, "tool_calls": [call]}


def conversation(steps: int, transport: Transport) -> Behaviour:
    """A model that adds in each step but the last, and reads from the conversation how far it has come."""

    def behave(reply: Reply) -> None:
        body = turn_of(1 + len(said(reply.received)), steps, transport)
        message(**{key: value for key, value in body.items() if key != "role"})(reply)

    return behave


def said(request: Received) -> list[Body]:
    """The model's own replies in a request."""
    messages = cast(list[Body], request.body["messages"])
    return [one for one in messages if one["role"] == "assistant"]


def run(server: OpenAIServer, transport: Transport, steps: int, way: Way, **options: Any) -> Any:
    agent = ReAct("question -> answer: int", tools=[add], max_iters=steps)
    with context(lm=model(server, transport, **options)):
        return way(agent, question="Wie viele Stühle?")


def encoded(message: Body) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def conversation_bytes(request: Received) -> bytes:
    """The messages of a request as they were sent, without the bracket that closes their list."""
    messages = b",".join(map(encoded, cast(list[Body], request.body["messages"])))
    assert b"[" + messages + b"]" in request.raw
    return messages


def assert_each_begins_with_the_one_before(requests: list[Received]) -> None:
    for before, after in pairwise(requests):
        end = before.raw.index(conversation_bytes(before)) + len(conversation_bytes(before))
        assert after.raw[:end] == before.raw[:end]
        assert after.raw[end : end + 1] == b","
        rest = {name: value for name, value in before.body.items() if name != "messages"}
        assert {name: value for name, value in after.body.items() if name != "messages"} == rest


@each_way
@each_transport
@pytest.mark.parametrize("steps", [2, 5, 20, 50])
def test_each_request_begins_with_the_one_before_and_its_reply(
    steps: int, transport: Transport, way: Way, openai_server: Serve
) -> None:
    server = openai_server(conversation(steps, transport))
    prediction = run(server, transport, steps, way)
    assert (prediction.answer, prediction.termination_reason) == (steps, "submit")
    assert len(server.requests) == steps  # and no call to extract the answer
    assert_each_begins_with_the_one_before(server.requests)
    replies = [turn_of(number, steps, transport) for number in range(1, steps)]
    assert said(server.requests[-1]) == replies


@each_transport
@pytest.mark.parametrize("via", ["direct", "litellm"])
def test_both_routes_send_the_same_conversation(via: Via, transport: Transport, openai_server: Serve) -> None:
    server = openai_server(conversation(5, transport))
    agent = ReAct("question -> answer: int", tools=[add], max_iters=5)
    with context(lm=model(server, transport, via=via)):
        assert agent(question="Wie viele Stühle?").answer == 5
    assert len(server.requests) == 5
    for before, after in pairwise(server.requests):
        start = cast(list[Body], before.body["messages"])
        assert cast(list[Body], after.body["messages"])[: len(start)] == start
    assert said(server.requests[-1]) == [turn_of(number, 5, transport) for number in range(1, 5)]
