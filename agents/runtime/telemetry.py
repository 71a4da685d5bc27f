"""OpenTelemetry: a span for every agent, module, model call, tool call and evaluation.

Names and attributes follow the semantic conventions for generative AI, version 1.41 (in development there): `invoke_agent`,
`chat`, `execute_tool`. Wants the extra `loopwright[otel]`; nothing of it is imported, and nothing is spent, without it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..__about__ import __version__
from ..adapters.values import to_plain
from ..ambient import current
from ..callbacks import BaseCallback
from ..errors import ConfigurationError
from ..models.base import LMRequest, LMResponse
from ..module import Module

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer, TracerProvider

_SHOWN = 8_000  # characters of one message or argument in a span
_FINISHED = {"tool_calls": "tool_call"}  # where the conventions have another word


class Telemetry(BaseCallback):
    """A watcher that makes spans: `configure(callbacks=[Telemetry()])`.

    `provider` is a tracer provider, OpenTelemetry's global one by default. What was said (prompts, answers, arguments,
    results) is left out, unless `content` asks for it: it may hold secrets and people's data. Raises `ConfigurationError`
    where OpenTelemetry is not installed.
    """

    def __init__(self, provider: TracerProvider | None = None, *, content: bool = False) -> None:
        try:
            from opentelemetry import trace
        except ImportError as error:
            raise ConfigurationError(
                'Telemetry needs OpenTelemetry: pip install "loopwright[otel]", and an exporter of your choice'
            ) from error
        self._trace = trace
        self._tracer: Tracer = trace.get_tracer("loopwright", __version__, provider)
        self._content = content
        self._spans: dict[str, Span] = {}
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
                "gen_ai.provider.name": provider,
                "gen_ai.request.model": model,
                **{f"gen_ai.request.{key}": value for key, value in settings.items() if value is not None},
            }
        )
        self._say(
            span, "gen_ai.input.messages", [_message(one.role, one.content) for one in request.messages]
        )

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
            self._say(span, "gen_ai.output.messages", [_message("assistant", outputs.text)])
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
        """A span below that of the module call that is under way, or below the user's own."""
        with self._lock:
            parent = self._spans.get(current().module_call)
        above = None if parent is None else self._trace.set_span_in_context(parent)
        span = self._tracer.start_span(name, above, kind or self._trace.SpanKind.INTERNAL)
        with self._lock:
            self._spans[call_id] = span
        return span

    def _taken(self, call_id: str) -> Span:
        with self._lock:
            return self._spans.pop(call_id)

    def _end(self, span: Span, exception: BaseException | None) -> None:
        if exception is not None:
            span.set_attribute("error.type", type(exception).__qualname__)
            span.set_status(self._trace.StatusCode.ERROR, type(exception).__name__)
        span.end()

    def _say(self, span: Span, name: str, what: object) -> None:
        if self._content and span.is_recording():
            text = (
                what if isinstance(what, str) else json.dumps(to_plain(what), ensure_ascii=False, default=str)
            )
            span.set_attribute(name, text)


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text[:_SHOWN]}]}


def _value(given: object) -> str | bool | int | float:
    return given if isinstance(given, str | bool | int | float) else str(given)
