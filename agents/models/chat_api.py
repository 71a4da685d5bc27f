"""The chat completions form: how requests and answers look to OpenAI and to all that speak its API.

Pure functions between that form (JSON objects as Python mappings) and ours. What comes from a server
is hostile input: whatever it holds, reading it gives an `LMResponse` or raises `ServerError`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from loopwright.tools.calls import ToolCall
from loopwright.tools.exports import openai_tool

from ..errors import InputError, ServerError
from ..messages import Message, Role
from .base import Delta, FinishReason, LMRequest, LMResponse, Usage

Body = dict[str, object]

FINISH_REASONS: Mapping[object, FinishReason] = {
    "stop": "stop",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "length": "length",
    "content_filter": "content_filter",
    # what gateways pass on of other providers, in small letters; whatever else there is counts as "stop"
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
}

# Of a function's name: models make up others, and the API refuses a conversation with one in it.
_LEGAL, _ILLEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}"), re.compile(r"[^a-zA-Z0-9_-]")


def write_request(request: LMRequest) -> Body:
    """The request's body, without the model's name.

    >>> write_request(LMRequest((Message("user", "Hi"),), temperature=0.5))
    {'messages': [{'role': 'user', 'content': 'Hi'}], 'temperature': 0.5}
    """
    body: Body = {"messages": [write_message(message) for message in request.messages]}
    if request.tools:
        body["tools"] = [openai_tool(tool) for tool in request.tools]
        body["tool_choice"] = _write_tool_choice(request.tool_choice)
    if request.response_format is not None:
        body["response_format"] = _write_schema(request.response_format)
    if request.stop:
        body["stop"] = list(request.stop)
    for name in ("temperature", "top_p", "max_tokens", "seed"):
        value = getattr(request, name)
        if value is not None:
            body[name] = value
    return body


def write_message(message: Message) -> Body:
    """One message, as the API takes it."""
    body: Body = {"role": message.role}
    if message.content or not message.tool_calls:
        body["content"] = message.content
    if message.tool_calls:
        body["tool_calls"] = [_write_call(call) for call in message.tool_calls]
    if message.role == "tool":
        body["tool_call_id"] = message.tool_call_id
    if message.name:
        body["name"] = message.name
    return body


def _write_call(call: ToolCall) -> Body:
    # Malformed arguments go back as valid JSON: several servers parse what they once sent.
    args = {"malformed": call.malformed} if call.malformed else call.args
    arguments = (
        args.text if isinstance(args, _AsWritten) else json.dumps(dict(args), ensure_ascii=False, default=str)
    )
    name = call.name if _LEGAL.fullmatch(call.name) else _ILLEGAL.sub("_", call.name[:64]) or "unknown"
    return {"id": call.id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _write_tool_choice(choice: str) -> object:
    if choice in ("auto", "required", "none"):
        return choice
    return {"type": "function", "function": {"name": choice}}


def _write_schema(schema: Mapping[str, object]) -> Body:
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", str(schema.get("title", "")))[:64] or "answer"
    described = {"name": name, "schema": dict(schema), "strict": is_strict(schema)}
    return {"type": "json_schema", "json_schema": described}


def is_strict(schema: object) -> bool:
    """Whether every object of a schema lists all its properties as required and allows no others.

    Only then may a provider be asked to hold the answer to it strictly; it refuses the rest.

    >>> is_strict({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False})
    True
    >>> is_strict({"type": "object", "properties": {"a": {}}, "required": []})
    False
    """
    if isinstance(schema, Mapping):
        if schema.get("type") == "object" or "properties" in schema:
            properties = schema.get("properties", {})
            required = schema.get("required", [])
            closed = schema.get("additionalProperties") is False
            if not (closed and isinstance(required, Sequence) and set(properties) == set(required)):
                return False
        return all(is_strict(part) for part in schema.values())
    if isinstance(schema, list | tuple):
        return all(is_strict(part) for part in schema)
    return True


def read_message(message: Message | Mapping[str, object]) -> Message:
    """A message given as a mapping, `{"role": ..., "content": ...}`; a `Message` stays as it is.

    >>> read_message({"role": "user", "content": "Hi"})
    Message(role='user', content='Hi', tool_calls=(), tool_call_id='', name='')
    """
    if isinstance(message, Message):
        return message
    role = message.get("role")
    if role == "developer":
        role = "system"
    if role not in get_args(Role):
        raise InputError(f"a message's role is {role!r}; it must be one of {', '.join(get_args(Role))}")
    content = message.get("content")
    text = read_content(content)
    if text is None:
        raise InputError(f"a message's content must be text, not {type(content).__name__}: {content!r:.80}")
    calls = tuple(_read_calls(message.get("tool_calls")))
    return Message(role, text, calls, str(message.get("tool_call_id") or ""), str(message.get("name") or ""))  # type: ignore[arg-type]  # checked against Role above


def read_content(content: object) -> str | None:
    """The text of a message's content: a string, None, or a list of text parts; None if it is none of these."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        return None
    texts = [part.get("text") if isinstance(part, Mapping) else part for part in content]
    parts = [text for text in texts if isinstance(text, str)]
    return "".join(parts) if len(parts) == len(texts) else None


def read_response(body: object, model: str) -> LMResponse:
    """The answer in a response's body; `ServerError` if there is none."""
    choice = _first(_get(body, "choices"))
    message = _get(choice, "message")
    if not isinstance(message, Mapping):
        raise ServerError(f"{model}: the server's answer holds no message: {_why_empty(body)}", model=model)
    return _build(
        text=read_content(message.get("content")) or "",
        refusal=_text(message.get("refusal")),
        reasoning=_text(message.get("reasoning_content")) or _text(message.get("reasoning")),
        calls=tuple(_read_calls(message.get("tool_calls"))),
        finish=_get(choice, "finish_reason"),
        usage=read_usage(_get(body, "usage")),
        model=model,
    )


def read_usage(usage: object) -> Usage:
    """Token counts, 0 where the server says nothing; the price is not in there.

    >>> read_usage({"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 8}})
    Usage(prompt_tokens=9, completion_tokens=1, cached_tokens=8, usd=None)
    """
    return Usage(
        prompt_tokens=_count(_get(usage, "prompt_tokens")),
        completion_tokens=_count(_get(usage, "completion_tokens")),
        cached_tokens=_count(_get(_get(usage, "prompt_tokens_details"), "cached_tokens")),
    )


@dataclass(slots=True)
class StreamReader:
    """Puts a streamed answer together: `read` each chunk for its new text, then ask for the `response`."""

    model: str
    _text: list[str] = field(default_factory=list)
    _refusal: list[str] = field(default_factory=list)
    _reasoning: list[str] = field(default_factory=list)
    _calls: dict[int, _Fragments] = field(default_factory=dict)
    _finish: object = None
    _usage: Usage = field(default_factory=Usage)

    def read(self, chunk: object) -> Delta | None:
        """Take a chunk in; its new text or reasoning, None if it has neither."""
        usage = _get(chunk, "usage")
        if isinstance(usage, Mapping):
            self._usage = read_usage(usage)
        choice = _first(_get(chunk, "choices"))
        self._finish = _get(choice, "finish_reason") or self._finish
        delta = _get(choice, "delta")
        for place, part in enumerate(_items(_get(delta, "tool_calls"))):
            self._add_call(part, place)
        text = read_content(_get(delta, "content")) or ""
        reasoning = _text(_get(delta, "reasoning_content")) or _text(_get(delta, "reasoning"))
        self._text.append(text)
        self._reasoning.append(reasoning)
        self._refusal.append(_text(_get(delta, "refusal")))
        return Delta(text, reasoning) if text or reasoning else None

    @property
    def begun(self) -> bool:
        """Whether any chunk came."""
        return bool(self._text)

    def response(self) -> LMResponse:
        """The whole answer; `ServerError` if the stream broke off before its end."""
        if self._finish is None:
            raise self.broken_off()
        calls = (self._calls[index].call(place) for place, index in enumerate(sorted(self._calls)))
        return _build(
            text="".join(self._text),
            refusal="".join(self._refusal),
            reasoning="".join(self._reasoning),
            calls=tuple(calls),
            finish=self._finish,
            usage=self._usage,
            model=self.model,
        )

    def broken_off(self) -> ServerError:
        """The error that says that the answer's end never came."""
        written = sum(map(len, self._text))
        return ServerError(
            f"{self.model}: the stream broke off after {written} characters, before the answer's end: try again",
            model=self.model,
        )

    def _add_call(self, part: object, place: int) -> None:
        index = _get(part, "index")
        key = index if isinstance(index, int) else place
        fragments = self._calls.setdefault(key, _Fragments())
        function = _get(part, "function")
        fragments.id = fragments.id or _text(_get(part, "id"))
        fragments.name += _text(_get(function, "name"))
        fragments.arguments.append(_text(_get(function, "arguments")))


@dataclass(slots=True)
class _Fragments:
    """A tool call while its pieces come in."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def call(self, place: int) -> ToolCall:
        return read_call(self.name, "".join(self.arguments), self.id or f"call_{place}")


def read_call(name: str, arguments: object, call_id: str = "") -> ToolCall:
    """A tool call from its arguments as sent: a JSON text, nothing, or (from some servers) an object.

    >>> read_call("add", '{"a": 1}').args
    {'a': 1}
    >>> read_call("add", "a=1").malformed
    'a=1'
    """
    if isinstance(arguments, Mapping):
        return ToolCall(name, dict(arguments), call_id)
    text = arguments if isinstance(arguments, str) else ""
    if not text.strip():
        return ToolCall(name, {}, call_id)
    try:
        args = json.loads(text)
        if isinstance(args, str):  # some servers write their JSON as JSON once more
            text, args = args, json.loads(args)
    except (ValueError, RecursionError):
        return ToolCall(name, {}, call_id, malformed=text)
    if isinstance(args, dict):
        return ToolCall(name, _AsWritten(args, text), call_id)
    return ToolCall(name, {}, call_id, malformed=text)


class _AsWritten(dict[str, object]):
    """Arguments with the text that the model wrote: they go back byte for byte, so that its prefix cache fits."""

    def __init__(self, args: Mapping[str, object], text: str) -> None:
        super().__init__(args)
        self.text = text

    def __reduce__(self) -> tuple[type[_AsWritten], tuple[dict[str, object], str]]:
        return _AsWritten, (dict(self), self.text)


def _read_calls(calls: object) -> Iterator[ToolCall]:
    for place, call in enumerate(_items(calls)):
        function = _get(call, "function")
        name = _text(_get(function, "name"))
        yield read_call(name, _get(function, "arguments"), _text(_get(call, "id")) or f"call_{place}")


def _build(
    *,
    text: str,
    refusal: str,
    reasoning: str,
    calls: tuple[ToolCall, ...],
    finish: object,
    usage: Usage,
    model: str,
) -> LMResponse:
    reason: FinishReason = FINISH_REASONS.get(finish.lower(), "stop") if isinstance(finish, str) else "stop"
    if refusal and not text:
        text, reason = refusal, "content_filter"
    if calls and reason == "stop":
        reason = "tool_calls"  # several servers say "stop" here
    return LMResponse(text, calls, reasoning, reason, usage, model)


def _why_empty(body: object) -> str:
    error = _get(body, "error")
    said = _text(_get(error, "message")) or _text(error)
    return said or "try again; if it stays so, it is no server of the chat completions API"


def _get(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None


def _first(value: object) -> object:
    return value[0] if isinstance(value, list | tuple) and value else None


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
