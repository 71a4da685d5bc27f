"""A real HTTP server on loopback that speaks the OpenAI chat completions API, well or badly.

    with OpenAIServer(rate_limited(0.1), answer("4")) as server:
        lm = LM("openai/any", api_base=server.url, api_key="test")

Each request takes the next behaviour of the queue; the last one stays. A behaviour is a function of a
`Reply`; those below answer, fail, hang, drip, break off and talk nonsense. `from_lm` puts any `BaseLM`
behind the server.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import cast

from loopwright.errors import LMError
from loopwright.models.base import BaseLM, LMRequest, LMResponse
from loopwright.models.chat_api import read_message
from loopwright.models.scripted import Answer, as_response
from loopwright.tools.calls import ToolCall, ToolSpec

Json = dict[str, object]


@dataclass(frozen=True)
class Received:
    """A request as it came in; header names are in lower case, `port` is the client's end of the connection.

    `raw` is the body byte for byte.
    """

    path: str
    headers: Mapping[str, str]
    body: Json
    port: int = 0
    raw: bytes = b""

    @property
    def streamed(self) -> bool:
        return self.body.get("stream") is True


class Reply:
    """One request, and the means to answer it."""

    def __init__(self, handler: BaseHTTPRequestHandler, received: Received, stopped: threading.Event) -> None:
        self.received = received
        self.stopped = stopped
        self._handler = handler

    def send(
        self, status: int, body: bytes, content_type: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.start(status, content_type, {"Content-Length": str(len(body)), **(headers or {})})
        self.write(body)

    def send_json(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> None:
        self.send(status, json.dumps(body).encode(), "application/json", headers)

    def start(self, status: int, content_type: str, headers: Mapping[str, str]) -> None:
        self._handler.send_response(status)
        self._handler.send_header("Content-Type", content_type)
        for name, value in headers.items():
            self._handler.send_header(name, value)
        self._handler.end_headers()

    def start_events(self) -> None:
        self.start(200, "text/event-stream", {"Transfer-Encoding": "chunked"})

    def write(self, data: bytes) -> None:
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def write_chunk(self, data: bytes) -> None:
        self.write(b"%x\r\n%s\r\n" % (len(data), data))

    def write_event(self, event: object) -> None:
        shown = event if isinstance(event, str) else json.dumps(event)
        self.write_chunk(b"data: " + shown.encode() + b"\n\n")

    def end_events(self) -> None:
        self.write_event("[DONE]")
        self.write(b"0\r\n\r\n")

    def wait_for_hangup(self, seconds: float) -> bool:
        """Whether the client closes the connection, without a word, within this time."""
        self._handler.connection.settimeout(seconds)
        try:
            return len(self._handler.connection.recv(1)) == 0
        except OSError as error:
            return not isinstance(error, TimeoutError)

    def close(self) -> None:
        self._handler.close_connection = True

    def hang_up(self) -> None:
        """Close the connection at once: the client's end knows it when this returns."""
        self._handler.connection.shutdown(socket.SHUT_RDWR)
        self.close()

    def reset(self) -> None:
        """Drop the connection hard: the client sees "connection reset"."""
        connection = self._handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        self.close()


Behaviour = Callable[[Reply], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # the default of 5 makes clients wait when many connect at once

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


class OpenAIServer:
    """The server; `url` is its api_base, `requests` what it was asked."""

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Received] = []
        self._behaviours = list(behaviours)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}/v1"

    def then(self, *behaviours: Behaviour) -> None:
        """Queue further behaviours."""
        with self._lock:
            self._behaviours.extend(behaviours)

    def __enter__(self) -> OpenAIServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def _next(self, received: Received) -> Behaviour:
        with self._lock:
            self.requests.append(received)
            if not self._behaviours:
                return fail(500, "the test queued no behaviour")
            return self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(length)
                body = cast(Json, json.loads(raw or b"{}"))
                headers = {name.lower(): value for name, value in self.headers.items()}
                received = Received(self.path, headers, body, self.client_address[1], raw)
                try:
                    server._next(received)(Reply(self, received, server._stopped))
                except OSError:  # the client went away, as clients with a timeout do
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
                pass

        return Handler


Serve = Callable[..., OpenAIServer]  # the fixture `openai_server`


# Good behaviour


def answer(value: Answer, *, finish_reason: str | None = None) -> Behaviour:
    """Answer with a text, tool calls or a whole response; streamed if asked to."""

    def behave(reply: Reply) -> None:
        model = str(reply.received.body.get("model"))
        _send(reply, as_response(value, model), finish_reason)

    return behave


def from_lm(lm: BaseLM) -> Behaviour:
    """Let a model answer; its errors become the API's."""

    def behave(reply: Reply) -> None:
        try:
            response = lm.complete(read_request(reply.received.body))
        except LMError as error:
            reply.send_json(error.status or 500, {"error": {"message": str(error), "type": "server_error"}})
        else:
            _send(reply, response, None)

    return behave


def read_request(body: Json) -> LMRequest:
    """Our form of a request in the API's form."""
    messages = cast(list[Json], body["messages"])
    functions = [cast(Json, tool["function"]) for tool in cast(list[Json], body.get("tools") or [])]
    tools = [
        ToolSpec(str(one["name"]), str(one.get("description") or ""), cast(Json, one.get("parameters") or {}))
        for one in functions
    ]
    choice = body.get("tool_choice") or "auto"
    if isinstance(choice, dict):
        choice = choice["function"]["name"]
    held = cast(Json, body.get("response_format") or {})
    schema = cast(Json, held.get("json_schema") or {}).get("schema")
    stop = body.get("stop") or ()
    return LMRequest(
        messages=tuple(read_message(message) for message in messages),
        tools=tuple(tools),
        tool_choice=str(choice),
        response_format=cast("Json | None", schema),
        temperature=cast("float | None", body.get("temperature")),
        top_p=cast("float | None", body.get("top_p")),
        max_tokens=cast("int | None", body.get("max_tokens") or body.get("max_completion_tokens")),
        stop=(stop,) if isinstance(stop, str) else tuple(cast("list[str]", stop)),
        seed=cast("int | None", body.get("seed")),
    )


# Bad behaviour


def fail(
    status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None
) -> Behaviour:
    """An error as the API reports it."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return lambda reply: reply.send_json(status, body, headers)


def rate_limited(retry_after: float | str | None = None) -> Behaviour:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return fail(429, "Rate limit reached for requests", code="rate_limit_exceeded", headers=headers)


def out_of_quota() -> Behaviour:
    return fail(429, "You exceeded your current quota, check your plan", code="insufficient_quota")


def unauthorised(key: str = "sk-wrong") -> Behaviour:
    return fail(401, f"Incorrect API key provided: {key}. Find yours at the site.", code="invalid_api_key")


def no_such_model(name: str = "nope") -> Behaviour:
    return fail(404, f"The model `{name}` does not exist or you do not have access", code="model_not_found")


def too_long(limit: int = 4096) -> Behaviour:
    message = f"This model's maximum context length is {limit} tokens. However, your messages came to 9999."
    return fail(400, message, code="context_length_exceeded")


def filtered() -> Behaviour:
    """The provider cuts its answer off for its content."""
    return answer("I can", finish_reason="content_filter")


def hang(reply: Reply) -> None:
    """Say nothing until the server stops."""
    reply.stopped.wait(300)
    reply.close()


def drip(reply: Reply) -> None:
    """Send one space every 50 ms for ever: each read succeeds, the answer never comes."""
    reply.start(200, "application/json", {"Content-Length": "1000000"})
    while not reply.stopped.wait(0.05):
        reply.write(b" ")
    reply.close()


def drip_events(reply: Reply) -> None:
    """Stream one word every 50 ms for ever."""
    reply.start_events()
    while not reply.stopped.wait(0.05):
        reply.write_event(_chunk(reply, {"content": "more "}))
    reply.close()


def reset(reply: Reply) -> None:
    """Drop the connection before a byte of an answer."""
    reply.reset()


def reset_in_body(reply: Reply) -> None:
    """Drop the connection in the middle of an answer."""
    reply.start(200, "application/json", {"Content-Length": "1000"})
    reply.write(b'{"id": "chatcmpl-1", "choices": [')
    reply.reset()


def raw(body: bytes, content_type: str = "application/json", status: int = 200) -> Behaviour:
    """Send these bytes as the answer."""
    return lambda reply: reply.send(status, body, content_type)


def no_choices(reply: Reply) -> None:
    reply.send_json(200, {"id": "chatcmpl-1", "object": "chat.completion", "model": "m", "choices": []})


def raw_events(*events: object, done: bool = True) -> Behaviour:
    """Stream these events (JSON values, or strings sent as they are), then end cleanly or not."""

    def behave(reply: Reply) -> None:
        reply.start_events()
        for event in events:
            reply.write_event(event)
        if done:
            reply.end_events()
        reply.close()

    return behave


def break_off(text: str, *, clean: bool) -> Behaviour:
    """Stream some text and stop there: with the stream closed as if it were whole, or cut."""

    def behave(reply: Reply) -> None:
        reply.start_events()
        for word in text.split():
            reply.write_event(_chunk(reply, {"content": word + " "}))
        if clean:
            reply.write(b"0\r\n\r\n")
            reply.close()
        else:
            reply.reset()

    return behave


# The API's own forms


def _send(reply: Reply, response: LMResponse, finish_reason: str | None) -> None:
    finish = finish_reason or response.finish_reason
    usage = _usage(reply.received.body, response)
    if not reply.received.streamed:
        choice = {"index": 0, "message": _message(response), "finish_reason": finish}
        reply.send_json(200, {**_head(reply, "chat.completion"), "choices": [choice], "usage": usage})
        return
    reply.start_events()
    for delta in _deltas(response):
        reply.write_event(_chunk(reply, delta))
    reply.write_event(_chunk(reply, {}, finish))
    options = cast(Json, reply.received.body.get("stream_options") or {})
    if options.get("include_usage"):
        reply.write_event({**_head(reply, "chat.completion.chunk"), "choices": [], "usage": usage})
    reply.end_events()


def _head(reply: Reply, kind: str) -> Json:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": reply.received.body.get("model")}


def _chunk(reply: Reply, delta: Json, finish: str | None = None) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {**_head(reply, "chat.completion.chunk"), "choices": [choice]}


def _message(response: LMResponse) -> Json:
    message: Json = {"role": "assistant", "content": response.text or None}
    if response.reasoning:
        message["reasoning_content"] = response.reasoning
    if response.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}
            for call, arguments in _arguments(response)
        ]
    return message


def _arguments(response: LMResponse) -> Iterator[tuple[ToolCall, str]]:
    for call in response.tool_calls:
        yield call, call.malformed or json.dumps(dict(call.args))


def _deltas(response: LMResponse) -> Iterator[Json]:
    yield {"role": "assistant", "content": ""}
    for name, text in (("reasoning_content", response.reasoning), ("content", response.text)):
        for word in re.findall(r"\s*\S+\s*$|\s*\S+", text):
            yield {name: word}
    for index, (call, arguments) in enumerate(_arguments(response)):
        opening = {"name": call.name, "arguments": ""}
        yield {"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": opening}]}
        for start in range(0, len(arguments), 5):
            fragment = {"arguments": arguments[start : start + 5]}
            yield {"tool_calls": [{"index": index, "function": fragment}]}


def _usage(body: Json, response: LMResponse) -> Json:
    """The response's own counts, or the number of words where it has none."""
    usage = response.usage
    prompt = usage.prompt_tokens or len(json.dumps(body.get("messages")).split())
    completion = usage.completion_tokens or len(response.text.split()) + 5 * len(response.tool_calls)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }
