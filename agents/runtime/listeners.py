"""What `streamify` gives to those who listen to single fields, as DSPy's programs do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..adapters.values import format_value
from ..ambient import current
from ..callbacks import BaseCallback
from ..errors import ConfigurationError
from ..field_tokens import FieldTokens
from ..models.base import Delta
from ..module import Module
from ..streaming import StatusMessage, StatusMessageProvider, StreamListener, StreamResponse
from ..text import did_you_mean

THOUGHT = "thought"  # of an agent's turns, beside its outputs


@dataclass(frozen=True, slots=True, eq=False)
class Ear:
    """A listener with the predictor that it was found to listen to."""

    name: str
    predictor: Any
    field: str
    reuse: bool

    def hears(self, predictor: Any, own: Collection[int]) -> bool:
        """Whether it listens to this one, or to what this one is a copy of: attempts are made by copies."""
        if id(predictor) in own:
            return predictor is self.predictor
        return bool(predictor.signature.output_fields == self.predictor.signature.output_fields)


def ears_of(program: Module, listeners: Sequence[StreamListener]) -> list[Ear]:
    """Whom the listeners listen to; raises `ConfigurationError` where that is nobody, or not one alone."""
    return [_ear(program, listener) for listener in listeners]


def _ear(program: Module, listener: object) -> Ear:
    if not isinstance(listener, StreamListener):
        raise ConfigurationError(
            f"stream_listeners are StreamListener(...) of a field's name, not {type(listener).__name__}"
        )
    wanted = listener.signature_field_name
    there = _asked_of(program, listener)
    found = [(name, one) for name, one in there if wanted in _fields(one)]
    if len(found) == 1:
        name, predictor = found[0]
        return Ear(listener.predict_name or name, predictor, wanted, listener.allow_reuse)
    if found:
        raise ConfigurationError(
            f"{' and '.join(name for name, _ in found)} all have a field {wanted!r}: say which one to listen to, as in "
            f"StreamListener({wanted!r}, predict=program.{found[-1][0]})"
        )
    fields = list(dict.fromkeys(field for _, one in there for field in _fields(one)))
    hint = did_you_mean(str(wanted), fields) or f"; there are: {', '.join(fields) or 'none'}"
    raise ConfigurationError(f"no predictor to listen to has an output field {wanted!r}{hint}")


def _asked_of(program: Module, listener: StreamListener) -> list[tuple[str, Any]]:
    """The predictors that a listener may mean, with their names."""
    named = list(program.named_predictors())
    if listener.predict is not None:
        if not isinstance(listener.predict, Module):
            raise ConfigurationError(f"predict is a module of the program, not {listener.predict!r:.60}")
        meant = {id(one) for one in listener.predict.predictors()}
        return [(name, one) for name, one in named if id(one) in meant]
    if listener.predict_name is not None:
        return [(name, one) for name, one in named if name == listener.predict_name]
    return named


def _fields(predictor: Any) -> list[str]:
    return [*predictor.signature.output_fields, *([THOUGHT] if predictor.takes_guidance else [])]


@dataclass
class _Turn:
    """One call of a model that somebody listens to."""

    ears: Sequence[Ear]
    module_call: str
    fields: FieldTokens = field(default_factory=FieldTokens)
    field: str = ""


class Listening(BaseCallback):
    """Puts the pieces of the fields that are listened to, and the messages of a provider.

    A field that no piece came of, since it was an argument of a native call or since the model does not stream, comes
    whole when its module returns.
    """

    def __init__(
        self,
        put: Callable[[Any], None],
        program: Module,
        ears: Sequence[Ear],
        provider: StatusMessageProvider,
    ) -> None:
        self.tokens = bool(ears)
        self._put = put
        self._ears = ears
        self._provider = provider
        self._own = {id(one) for one in program.predictors()}
        self._modules: dict[str, Any] = {}
        self._turns: dict[str, _Turn] = {}
        self._heard: set[Ear] = set()
        self._heard_in: dict[str, set[Ear]] = {}

    def on_module_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        """Remember which module a call is of."""
        self._modules[call_id] = instance
        self._say(self._provider.module_start_status_message(instance, inputs))

    def on_module_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """Give what was listened to and never came in pieces."""
        instance = self._modules.pop(call_id)
        heard = self._heard_in.pop(call_id, set())
        if exception is not None:
            return
        for ear in self._open_ears(instance):
            value = outputs.get(ear.field) if ear not in heard and ear.field != THOUGHT else None
            if value is not None:
                self._heard.add(ear)
                self._put(StreamResponse(ear.name, ear.field, format_value(value), is_last_chunk=True))
        self._say(self._provider.module_end_status_message(outputs))

    def on_lm_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        """Find out who listens to this call."""
        here = current().module_call
        module = self._modules.get(here)
        self._turns[call_id] = _Turn(() if module is None else self._open_ears(module), here)
        self._say(self._provider.lm_start_status_message(instance, inputs))

    def on_lm_token(self, call_id: str, delta: Delta) -> None:
        """Give a piece to those who listen to its field."""
        turn = self._turns[call_id]
        for name, text in turn.fields.feed(delta.text):
            self._give(turn, name, text)

    def on_lm_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """Give what was held back, and end the field that was being written."""
        turn = self._turns.pop(call_id)
        for name, text in turn.fields.end():
            self._give(turn, name, text)
        self._close(turn)
        self._heard |= self._heard_in.get(turn.module_call, set())
        if exception is None:
            self._say(self._provider.lm_end_status_message(outputs))

    def on_tool_start(self, call_id: str, instance: Any, inputs: Mapping[str, Any]) -> None:
        """Say that a tool is called."""
        self._say(self._provider.tool_start_status_message(instance, inputs))

    def on_tool_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """Say that a tool is done."""
        if outputs is not None:
            told = outputs.value if outputs.ok else outputs.content
            self._say(self._provider.tool_end_status_message(told))

    def _open_ears(self, module: Any) -> list[Ear]:
        """Who listens to the predictors that ask in this module's own name, and has not heard enough."""
        asking = [module] if module.is_predictor else module.predictors() if hasattr(module, "limits") else []
        return [
            ear
            for ear in self._ears
            if (ear.reuse or ear not in self._heard) and any(ear.hears(one, self._own) for one in asking)
        ]

    def _give(self, turn: _Turn, name: str, text: str) -> None:
        if name != turn.field:
            self._close(turn)
            turn.field = name
        for ear in self._listening(turn):
            self._heard_in.setdefault(turn.module_call, set()).add(ear)
            self._put(StreamResponse(ear.name, ear.field, text))

    def _close(self, turn: _Turn) -> None:
        for ear in self._listening(turn):
            if ear in self._heard_in.get(turn.module_call, set()):
                self._put(StreamResponse(ear.name, ear.field, "", is_last_chunk=True))

    def _listening(self, turn: _Turn) -> list[Ear]:
        """Who listens to the field that is being written; the text beside an agent's calls is its thought."""
        thinks = {False: turn.field, True: turn.field or THOUGHT}
        return [ear for ear in turn.ears if ear.field == thinks[ear.predictor.takes_guidance]]

    def _say(self, message: str | None) -> None:
        if message:
            self._put(StatusMessage(message))
