"""Predict: one signature, one model call. The module that all others are made of."""

from __future__ import annotations

import copy
import difflib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Self

from ..adapters.annotations import reader
from ..adapters.base import Adapter, Prompt, with_sound_calls
from ..adapters.values import parse_value
from ..ambient import current, current_adapter, current_lm
from ..calling import ask
from ..errors import ConfigurationError, InputError, OutputError, StateError
from ..example import Example, Prediction
from ..models.base import BaseLM, LMRequest
from ..module import Module, both_ways
from ..signature import Field, Signature, SignatureLike
from ..state import Nearest, State
from ..text import did_you_mean
from ..trace import Call, Exchange
from .knn import KNN, Vectorizer, hashed_words, vectorizer_name

OPTIONS = ("temperature", "top_p", "max_tokens", "stop", "seed", "rollout_id")
PREDICT_OPTIONS = ("n", "max_repairs", "lm", *OPTIONS)  # what modules made of a predictor hand on to it


class Predict(Module):
    r"""Ask a model once for a signature's outputs.

    `options` are the model's for this predictor: temperature, top_p, max_tokens, stop, seed, rollout_id;
    `n` draws several answers (`prediction.completions`). An answer that does not fit the signature is
    asked for again with the reason, at most `max_repairs` times; then `OutputError` holds the raw text.
    With `nearest` set, only so many of `demos` are shown: those nearest to the inputs, as `vectorizer` sees them
    (`KNN`), never one of the same inputs or its group.

    >>> from loopwright import context
    >>> from loopwright.models import ScriptedLM
    >>> capital = Predict("country -> capital")
    >>> with context(lm=ScriptedLM(["[[ ## capital ## ]]\nParis"])):
    ...     capital(country="France").capital
    'Paris'
    """

    def __init__(
        self,
        signature: SignatureLike,
        *,
        n: int = 1,
        max_repairs: int = 2,
        lm: BaseLM | None = None,
        **options: Any,
    ) -> None:
        check_options(Predict, options, OPTIONS)
        self.signature = Signature.of(signature)
        for field in self.signature.output_fields.values():
            reader(field)  # a type that can't be asked for is told of here, not at the first call
        self.demos: list[Example] = []
        self.nearest: int | None = None
        self.vectorizer: Vectorizer | None = None
        self._index: KNN | None = None
        self.lm = lm
        self.n = n
        self.max_repairs = max_repairs
        self.options = options

    @property
    def is_predictor(self) -> bool:
        """It asks a model and has state."""
        return True

    async def aforward(self, *args: Any, **inputs: Any) -> Prediction:
        """Ask for the outputs; the keyword arguments are the signature's inputs, and nothing else."""
        given = checked_inputs(self.signature, args, inputs)
        lm = current_lm(self.lm)
        adapter = current_adapter(lm, agent=False)
        prompt = adapter.format(self.signature, self.demos_for(given), given)
        exchanges: list[Exchange] = []
        drawn = [
            await self._answer(lm, adapter, self.request(lm, prompt, i), exchanges) for i in range(self.n)
        ]
        return self.record(given, Prediction.from_completions(drawn), exchanges)

    forward = both_ways(aforward)

    def demos_for(self, inputs: Mapping[str, Any]) -> Sequence[Example]:
        """The demonstrations that a prompt for these inputs shows; of the nearest, the most like them last."""
        if self.nearest is None:
            return self.demos
        index = self._index
        if index is None or index.k != self.nearest or index.trainset != self.demos:
            index = self._index = self._indexed(self.nearest)
        return index.others(inputs)[::-1]

    def _indexed(self, k: int) -> KNN:
        return KNN(k, self.demos, self.vectorizer, fields=self.signature.input_fields)

    def request(self, lm: BaseLM, prompt: Prompt, draw: int = 0) -> LMRequest:
        """A prompt as a request to this model with this predictor's options; `draw` counts repeated draws."""
        options = dict(self.options)
        if draw:
            options["rollout_id"] = (options.get("rollout_id") or 0) + draw
        return LMRequest(
            prompt.messages,
            prompt.tools,
            prompt.tool_choice,
            prompt.response_format if lm.capabilities.response_format else None,
            **options,
        )

    def record(
        self, inputs: Mapping[str, Any], prediction: Prediction, exchanges: Sequence[Exchange]
    ) -> Prediction:
        """Note the use of this predictor in the context's trace."""
        trace = current().trace
        if trace is not None:
            trace.calls.append(Call(self, inputs, prediction, tuple(exchanges)))
        return prediction

    async def _answer(
        self, lm: BaseLM, adapter: Adapter, request: LMRequest, exchanges: list[Exchange]
    ) -> dict[str, Any]:
        call_ids: set[str] = set()
        for attempt in range(self.max_repairs + 1):
            exchange = await ask(lm, request)
            exchanges.append(exchange)
            response = with_sound_calls(exchange.response, call_ids)
            try:
                return adapter.parse(self.signature, response)
            except OutputError as error:
                cut = " (it was cut off at max_tokens)" if response.finish_reason == "length" else ""
                if attempt == self.max_repairs:
                    raise OutputError(
                        f"{lm.model} gave no usable answer in {attempt + 1} tries{cut}: {error}",
                        raw=error.raw or response.text,
                        field=error.field,
                    ) from error
                complaint = adapter.complain(response, f"{error}{cut}")
                request = request.followed_by(adapter.reply(response), *complaint)
        raise AssertionError("the last attempt returns or raises")

    # State

    @property
    def takes_guidance(self) -> bool:
        """Whether it is an agent's predictor, which learns guidance and descriptions of tools."""
        return False

    def own_state(self) -> State:
        """What this predictor has learned."""
        near = None
        if self.nearest is not None:
            near = Nearest(self.nearest, vectorizer_name(self.vectorizer or hashed_words))
        return State(str(self.signature), self.signature.instructions, tuple(self.demos), near)

    def with_own_state(self, state: State, path: str = "self") -> Self:
        """A copy with this state; raises `StateError` where it does not fit: other fields, another vectorizer."""
        self._check_fit(state, path)
        new = copy.copy(self)
        new.nearest = None if state.nearest is None else state.nearest.k
        new.signature = self.signature.with_instructions(state.instructions)
        new.demos = [_typed(demo, self.signature) for demo in state.demos]
        new._index = None if new.nearest is None else new._indexed(new.nearest)  # once, for all copies
        return new

    def _check_fit(self, state: State, path: str) -> None:
        here = str(self.signature)
        if state.fields != here:
            raise StateError(
                f"predictor {path!r}: the state was learned for {state.fields!r}, this program has {here!r}"
            )
        if (state.guidance or state.tools) and not self.takes_guidance:
            raise StateError(f"predictor {path!r} is no agent's: it takes no guidance and describes no tools")
        own = vectorizer_name(self.vectorizer or hashed_words)
        if state.nearest is not None and state.nearest.vectorizer != own:
            raise StateError(
                f"predictor {path!r}: its demonstrations are chosen by {state.nearest.vectorizer}, this program has "
                f"{own}: set the predictor's vectorizer first"
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.signature)!r})"


def check_options(owner: type, options: Mapping[str, object], known: Sequence[str]) -> None:
    """Raise `ConfigurationError` for an option that is not known, naming the class that was given it and all it takes."""
    for name in options:
        if name not in known:
            own = [
                one.name
                for one in inspect.signature(owner).parameters.values()
                if one.kind != one.VAR_KEYWORD
            ]
            there = list(dict.fromkeys((*own[1:], *known)))  # the first is the signature
            hint = did_you_mean(name, there)
            raise ConfigurationError(
                f"{owner.__name__} has no option {name!r}{hint or ';'} there are: {', '.join(there)}"
            )


def checked_inputs(signature: Signature, args: Sequence[object], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs in the signature's order, defaults filled in; raises `InputError` that names the fields.

    >>> checked_inputs(Signature("a, b -> c"), (), {"b": 2, "a": 1})
    {'a': 1, 'b': 2}
    """
    fields = signature.input_fields
    names = ", ".join(fields) or "none"
    if args:
        raise InputError(f"inputs are given by name: this signature's are {names}")
    for name in inputs:
        if name not in fields:
            near = difflib.get_close_matches(name, fields, 1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise InputError(f"no input {name!r}{hint}; this signature's are {names}")
    missing = [name for name, field in fields.items() if name not in inputs and field.required]
    if missing:
        raise InputError(f"input {', '.join(map(repr, missing))} is missing; this signature's are {names}")
    return {name: inputs.get(name, _default(field)) for name, field in fields.items()}


def _default(field: Field) -> Any:
    return None if field.required else field.default


def _typed(demo: Example, signature: Signature) -> Example:
    """A demonstration whose values have the signature's types again after a round trip through JSON."""
    changes = {}
    for name, field in signature.fields.items():
        if name in demo:
            try:
                changes[name] = parse_value(demo[name], field)
            except ValueError as error:
                if field.kind == "input":
                    continue  # an input is only shown, and may have been of any type
                raise StateError(f"a demonstration does not fit the signature: {error}") from error
    return demo.copy(**changes)
