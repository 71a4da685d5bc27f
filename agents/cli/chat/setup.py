"""What answers in a chat: a model, a module, tools, what was learned; made anew when one of them changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopwright.tools import ToolRegistry

from ...adapters.base import Adapter
from ...ambient import current_adapter
from ...errors import ConfigurationError
from ...example import Example
from ...history import History
from ...models.base import BaseLM
from ...models.catalog import lookup
from ...models.lm import LM
from ...module import Module
from ...signature import InputField, Signature
from ...state import State, dump_state, undump_state
from ...text import did_you_mean
from .adapter import ConversationAdapter
from .events import SetupEvent

HISTORY = "history"
MODEL_OPTIONS = (
    "temperature",
    "top_p",
    "max_tokens",
    "seed",
    "stop",
    "reasoning_effort",
    "timeout",
    "num_retries",
    "cache",
)
GOOD_FOR = "Embedded model: sums, units and dates, one question at a time. /model: another."


@dataclass(frozen=True)
class Answering:
    """Whatever answers: `plain` is the program without a history, as it is saved; `live` is what is asked."""

    plain: Module
    live: Module
    lm: BaseLM
    adapter: Adapter
    tools: ToolRegistry
    question: str
    outputs: tuple[str, ...]
    remembers: bool

    @property
    def predictor(self) -> Any:
        """The predictor whose demonstrations and instructions the chat changes."""
        return self.plain.predictors()[0]

    @property
    def signature(self) -> Signature:
        """What goes in and comes out, without the history."""
        signature: Signature = self.predictor.signature
        return signature

    @property
    def converses(self) -> bool:
        """Whether plain text is the answer, and can be shown while it is written."""
        return isinstance(self.adapter, ConversationAdapter)


def model_of(setup: SetupEvent) -> BaseLM:
    """The model that the setup names; raises `ConfigurationError` where there can be none such."""
    options: dict[str, Any] = dict(setup.options)
    if setup.api_base is not None:
        options["api_base"] = setup.api_base
    return LM(setup.model, **options)


def check_price(model: str) -> None:
    """Raise `ConfigurationError` for a model of which nobody knows what it costs: a bound in dollars can't hold for it.

    >>> check_price("embedded"); check_price("openai/gpt-4o-mini")
    """
    facts = None if model == "embedded" else lookup(model)
    if model != "embedded" and (facts is None or not facts.priced):
        raise ConfigurationError(
            f"--max-usd bounds what is spent, and the price of {model} is not known: start without it"
        )


def answering(
    setup: SetupEvent, demos: Sequence[dict[str, Any]] | None, tools: ToolRegistry, lm: BaseLM
) -> Answering:
    """The agent of a setup, with these demonstrations; raises where the parts don't fit each other.

    Demonstrations that are None are those of its saved program.
    """
    signature = Signature.of(setup.signature, setup.system)
    if len(signature.input_fields) != 1:
        raise ConfigurationError(
            f'a chat has one input, your message, as in "question -> answer"; not {signature}'
        )
    plain = _module(setup, signature, tools)
    if setup.program is not None:
        plain.load(Path(setup.program))
    predictor = plain.predictors()[0]
    if setup.system:
        predictor.signature = predictor.signature.with_instructions(setup.system)
    if demos is not None:
        predictor.demos = list(read_demos(demos, predictor))
    chats = lm.capabilities.chat
    live = plain.deepcopy()
    if chats:
        inside = live.predictors()[0]
        inside.signature = inside.signature.append(HISTORY, InputField("what was said before"), History)
    outputs = tuple(signature.output_fields)
    return Answering(
        plain,
        live,
        lm,
        _adapter(setup, signature, tools, lm),
        tools,
        next(iter(signature.input_fields)),
        outputs,
        chats,
    )


def _module(setup: SetupEvent, signature: Signature, tools: ToolRegistry) -> Module:
    """The module, imported alone: the first prompt waits for it."""
    if setup.module == "react":
        from ...modules.react import ReAct

        return ReAct(signature, tools, max_iters=setup.max_steps)
    from ...modules import ChainOfThought, CodeAct, Predict, ProgramOfThought

    match setup.module:
        case "code_act":
            return CodeAct(signature, tools, max_iters=setup.max_steps)
        case "program_of_thought":
            return ProgramOfThought(signature, max_iters=setup.max_steps)
        case "chain_of_thought":
            return ChainOfThought(signature)
        case "predict":
            return Predict(signature)


def _adapter(setup: SetupEvent, signature: Signature, tools: ToolRegistry, lm: BaseLM) -> Adapter:
    can = lm.capabilities
    fields = [*signature.input_fields.values(), *signature.output_fields.values()]
    plain_text = len(fields) == 2 and all(field.type is str for field in fields)
    if setup.module == "react" and plain_text and can.chat and (can.native_tools or not tools):
        return ConversationAdapter()
    return current_adapter(lm, agent=setup.module not in ("predict", "chain_of_thought"))


def read_demos(demos: Sequence[dict[str, Any]], predictor: Any) -> tuple[Example, ...]:
    """Demonstrations from their saved form; raises `StateError`."""
    state = {"fields": str(predictor.signature), "instructions": "", "demos": list(demos)}
    read = undump_state(state, "self").demos
    with_types: Any = predictor.with_own_state(State(str(predictor.signature), "-", read))
    return tuple(with_types.demos)


def written_demos(demos: Sequence[Example]) -> list[dict[str, Any]]:
    """Demonstrations in their saved form."""
    written: list[dict[str, Any]] = dump_state(State("", "", tuple(demos)))["demos"]
    return written


def checked_option(name: str) -> str:
    """An option of `/set`; raises `ConfigurationError` with the nearest one there is."""
    known = (*MODEL_OPTIONS, "max_steps")
    if name in known:
        return name
    raise ConfigurationError(f"no setting {name!r}{did_you_mean(name, known)}; there are: {', '.join(known)}")
