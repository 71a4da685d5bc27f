"""How effects are written down: requests as keys, results as JSON, both without secrets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from loopwright.sandbox import Execution
from loopwright.sandbox.base import Failure
from loopwright.tools.calls import ToolCall, ToolResult

from ...adapters.values import to_plain
from ...models.base import BaseLM, LMRequest, LMResponse
from ...models.cache import request_text
from ...models.stores import read_answer, write_answer
from .redaction import redact


def key_of(text: str) -> str:
    """The key of what was asked: of its text without secrets, so that a record finds itself again."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def model_request(lm: BaseLM, request: LMRequest) -> str:
    """A request to a model, all that its answer depends on."""
    return redact(request_text(request, lm.identity))


def model_response(response: LMResponse) -> str:
    """A model's answer as JSON."""
    text = write_answer(response)
    if text is None:
        text = write_answer(LMResponse(response.text, usage=response.usage, model=response.model)) or "null"
    return redact(text)


def read_model_response(text: str) -> LMResponse | None:
    """The answer again."""
    return read_answer(text)


def tool_request(call: ToolCall) -> str:
    """A tool call as JSON."""
    return redact(_json({"name": call.name, "args": dict(call.args)}))


def tool_response(result: ToolResult, state: Mapping[str, object]) -> str:
    """A tool's result as JSON, with the run's state after it."""
    body = {
        "call": [result.call.name, dict(result.call.args)],
        "content": result.content,
        "error": result.error,
        "value": to_plain(result.value),
        "seconds": result.seconds,
        "detail": result.detail,
        "attempts": result.attempts,
        "state": to_plain(dict(state)),
    }
    return redact(_json(body))


def read_tool_response(text: str) -> tuple[ToolResult, dict[str, Any]]:
    """The result and the state again; made of JSON's types."""
    body = json.loads(text)
    name, args = body["call"]
    result = ToolResult(
        ToolCall(name, args),
        body["content"],
        body["error"],
        body["value"],
        body["seconds"],
        body["detail"],
        body["attempts"],
    )
    return result, body["state"]


def program_request(code: str, inputs: Mapping[str, object]) -> str:
    """A program for a sandbox as JSON."""
    return redact(_json({"code": code, "inputs": dict(inputs)}))


def program_response(calls: list[list[Any]], execution: Execution) -> str:
    """What a program called, and how it ended, as JSON."""
    return redact(_json({"calls": calls, "execution": asdict(execution)}))


def read_program_response(text: str) -> tuple[list[list[Any]], Execution]:
    """The calls and the execution again."""
    body = json.loads(text)
    told = body["execution"]
    error = Failure(**told.pop("error")) if told["error"] else told.pop("error")
    return body["calls"], Execution(**told, error=error)


def _json(body: object) -> str:
    """JSON that a file takes: half a surrogate pair, as names of files may have, is written as its escape."""
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, default=str)
    return text if _is_sound(text) else json.dumps(body, sort_keys=True, default=str)


def _is_sound(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
