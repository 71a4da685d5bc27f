"""OpenTelemetry: a span for every agent, module, model call, tool call and evaluation.

Names and attributes follow the semantic conventions for generative AI, version 1.41 (in development there): `invoke_agent`,
`chat`, `execute_tool`. Wants the extra `loopwright[otel]`; nothing of it is imported, and nothing is spent, without it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from loopwright.tools import ToolCall
from loopwright.tools.render import encodable

from ..__about__ import __version__
from ..adapters.values import to_plain
from ..ambient import current
from ..callbacks import BaseCallback
from ..errors import ConfigurationError
from ..messages import Message
from ..models.base import LMRequest, LMResponse
from ..module import Module

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer, TracerProvider

_Part = dict[str, Any]  # of JSON

_SHOWN = 8_000  # characters of one message or argument in a span
# where the conventions have another word
_FINISHED = {"tool_calls": "tool_call"}
_PROVIDERS = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}


class Telemetry(BaseCallback):
    """A watcher that makes spans: `configure(callbacks=[Telemetry()])`.

    `provider` is a tracer provider, OpenTelemetry's global one by default. What was said (prompts, answers, arguments,
    results) is left out, unless `content` asks for it: it may hold secrets and people's data. What a tool does, other
    agents and spans of the user's own, lies below its call's span. Raises `ConfigurationError` where OpenTelemetry is not
    installed.
    """

    def __init__(self, provider: TracerProvider | None = None, *, content: bool = False) -> None:
        try:
            from opentelemetry import context, trace
        except ImportError as error:
            raise ConfigurationError(
                'Telemetry needs OpenTelemetry: pip install "loopwright[otel]", and an exporter of your choice'
            ) from error
        self._trace = trace
        self._otel = context
        self._tracer: Tracer = trace.get_tracer("loopwright", __version__, provider)
        self._content = content
        self._spans: dict[str, tuple[Span, Any]] = {}
        self._lock = threading.Lock()

    # ---- modules and evaluations

    def on_module_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        """A span for an agent is `invoke_agent`, one for another module has its class's name."""
        kind = type(instance).__name__
        agent = isinstance(instance, Module) and hasattr(instance, "limits")
        span = self._begin(call_id, f"invoke_agent {kind}" if agent else kind)
        if agent:
            span.set_attributes({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": kind})
        self._say(span, "loopwright.inputs", inputs)

    def on_module_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """An agent's span says how the run ended and how many steps it took."""
        span = self._taken(call_id)
        reason = getattr(outputs, "termination_reason", None)
        if isinstance(reason, str):
            steps = len(outputs.trajectory.steps)
            span.set_attributes({"loopwright.termination_reason": reason, "loopwright.steps": steps})
        self._end(span, exception)

    def on_evaluate_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        """An evaluation's span holds those of its trials."""
        self._begin(call_id, "evaluate").set_attributes({name: _value(one) for name, one in inputs.items()})

    def on_evaluate_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """Nothing to add."""
        self._end(self._taken(call_id), exception)

    # ---- models

    def on_lm_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        """A `chat` span, with the request's settings."""
        request: LMRequest = inputs["request"]
        provider, slash, name = instance.model.partition("/")
        model = name if slash else instance.model
        span = self._begin(call_id, f"chat {model}", self._trace.SpanKind.CLIENT)
        settings = {
            "temperature": request.temperature,
            "top_p": request.top_p,
            "max_tokens": request.max_tokens,
            "seed": request.seed,
            "stop_sequences": request.stop or None,
        }
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": _PROVIDERS.get(provider, provider),
                "gen_ai.request.model": model,
                **{f"gen_ai.request.{key}": value for key, value in settings.items() if value is not None},
            }
        )
        self._say_messages(span, "gen_ai.input.messages", lambda: [_asked(one) for one in request.messages])

    def on_lm_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """What the answer cost, and how it ended."""
        span = self._taken(call_id)
        if isinstance(outputs, LMResponse):
            used, finish = outputs.usage, outputs.finish_reason
            span.set_attributes(
                {
                    "gen_ai.response.model": outputs.model,
                    "gen_ai.response.finish_reasons": [_FINISHED.get(finish, finish)],
                    "gen_ai.usage.input_tokens": used.prompt_tokens,
                    "gen_ai.usage.output_tokens": used.completion_tokens,
                    "gen_ai.usage.cache_read.input_tokens": used.cached_tokens,
                    "loopwright.cached": outputs.cached,
                }
            )
            if used.usd is not None:
                span.set_attribute("loopwright.usd", used.usd)
            self._say_messages(span, "gen_ai.output.messages", lambda: [_answered(outputs)])
        self._end(span, exception)

    # ---- tools

    def on_tool_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        """An `execute_tool` span."""
        span = self._begin(call_id, f"execute_tool {instance.name}")
        span.set_attributes(
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": instance.name,
                "gen_ai.tool.type": "function",
                **({"gen_ai.tool.call.id": instance.id} if instance.id else {}),
            }
        )
        self._say(span, "gen_ai.tool.call.arguments", inputs)

    def on_tool_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """A failed call's span has its error's kind."""
        span = self._taken(call_id)
        if outputs is not None:
            self._say(span, "gen_ai.tool.call.result", outputs.content)
            if not outputs.ok:
                span.set_attribute("error.type", outputs.error)
                span.set_status(self._trace.StatusCode.ERROR)
        self._end(span, exception)

    # ---- spans

    def _begin(self, call_id: str, name: str, kind: Any = None) -> Span:
        """A span below that of the call that is under way, or below the user's own; the user's go below it."""
        with self._lock:
            around = self._spans.get(current().module_call)
        above = None if around is None else self._trace.set_span_in_context(around[0])
        span = self._tracer.start_span(name, above, kind or self._trace.SpanKind.INTERNAL)
        token = self._otel.attach(self._trace.set_span_in_context(span))
        with self._lock:
            self._spans[call_id] = (span, token)
        return span

    def _taken(self, call_id: str) -> Span:
        with self._lock:
            span, token = self._spans.pop(call_id)
        self._otel.detach(token)
        return span

    def _end(self, span: Span, exception: BaseException | None) -> None:
        if exception is not None:
            span.set_attribute("error.type", type(exception).__qualname__)
            span.set_status(self._trace.StatusCode.ERROR, type(exception).__name__)
        span.end()

    def _say(self, span: Span, name: str, what: object) -> None:
        if self._content and span.is_recording():
            text = what if isinstance(what, str) else _json(to_plain(what))
            span.set_attribute(name, encodable(text[:_SHOWN]))

    def _say_messages(self, span: Span, name: str, messages: Callable[[], list[_Part]]) -> None:
        if self._content and span.is_recording():
            span.set_attribute(name, encodable(_json(messages())))


def _asked(message: Message) -> _Part:
    """A message of the conversation in the conventions' form."""
    if message.role == "tool":
        part = {
            "type": "tool_call_response",
            "id": message.tool_call_id,
            "response": message.content[:_SHOWN],
        }
        return {"role": "tool", "parts": [part]}
    return {"role": message.role, "parts": [*_texts("text", message.content), *_calls(message.tool_calls)]}


def _answered(response: LMResponse) -> _Part:
    """An answer in the conventions' form."""
    parts = [
        *_texts("reasoning", response.reasoning),
        *_texts("text", response.text),
        *_calls(response.tool_calls),
    ]
    finish = _FINISHED.get(response.finish_reason, response.finish_reason)
    return {"role": "assistant", "parts": parts, "finish_reason": finish}


def _texts(kind: str, text: str) -> list[_Part]:
    return [{"type": kind, "content": text[:_SHOWN]}] if text else []


def _calls(calls: Sequence[ToolCall]) -> list[_Part]:
    return [
        {
            "type": "tool_call",
            "id": call.id,
            "name": call.name,
            "arguments": (call.malformed or _json(to_plain(dict(call.args))))[:_SHOWN],
        }
        for call in calls
    ]


def _json(body: object) -> str:
    return json.dumps(body, ensure_ascii=False, default=str)


def _value(given: object) -> str | bool | int | float:
    return given if isinstance(given, str | bool | int | float) else str(given)
