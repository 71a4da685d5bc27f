"""Several attempts over a real HTTP server: requests that are the same to the model, answers kept apart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from openai_server import Serve, answer, rate_limited

import loopwright as lw
from loopwright.models import MemoryStore


def called(program: Any, **inputs: Any) -> Any:
    return program(**inputs)


def awaited(program: Any, **inputs: Any) -> Any:
    return asyncio.run(program.acall(**inputs))


both_ways = pytest.mark.parametrize("call", [called, awaited])


def said(number: int) -> str:
    return f"[[ ## answer ## ]]\n{number}"


@both_ways
def test_attempts_are_asked_apart_and_then_come_from_the_cache(
    call: Callable[..., Any], openai_server: Serve
) -> None:
    server = openai_server(answer(said(1)), rate_limited(0.01), answer(said(2)), answer(said(3)))
    lm = lw.LM("openai/any", api_base=server.url, api_key="test", cache=MemoryStore())
    program = lw.BestOfN(lw.Predict("question -> answer: int"), 3, lambda args, pred: pred.answer / 10, 1.0)
    with lw.context(lm=lm):
        first, again = call(program, question="?"), call(program, question="?")
    assert [one.prediction.answer for one in first.attempts] == [1, 2, 3]
    assert [one.prediction.answer for one in again.attempts] == [1, 2, 3]
    assert len(server.requests) == 4  # three answers, and one request that was put off
    bodies = [request.body for request in server.requests]
    assert all(body == bodies[0] for body in bodies)  # the model can't tell the attempts apart
    assert bodies[0]["temperature"] == 1.0
