"""The compact chat template: how a conversation and its tools are written for the embedded model.

A whole conversation is one run of text cut by six markers:

    <|tools|>get_price(item:str)
    calculate(expression:str)
    submit(answer:num)<|user|>question: What do 3 oak desks cost?
    <|call|>get_price<|arg|>item= oak desk<|end|><|obs|>149.5
    <|call|>calculate<|arg|>expression= 149.5*3<|end|><|obs|>448.5
    <|call|>submit<|arg|>answer=448.5<|end|>

(without the line breaks before markers). A string value follows a blank and is written raw, so that the
words of a question and the words of an argument are the same tokens and an argument can be copied; any
other value is JSON. Markers are single tokens that no text can spell: text is encoded with them off.

System messages, tool descriptions and the words beside a call are left out: the model was not trained
to read them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from loopwright.tools.calls import ToolCall, ToolSpec

from ...messages import Message

PAD, TOOLS, USER, CALL, ARG, END, OBS = (
    "<|pad|>",
    "<|tools|>",
    "<|user|>",
    "<|call|>",
    "<|arg|>",
    "<|end|>",
    "<|obs|>",
)
MARKERS = (PAD, TOOLS, USER, CALL, ARG, END, OBS)
TERMINAL = "submit"
LONGEST_ENUM = 40
"""An enum whose options take more characters than this is shown as `str`."""

_SHORT_TYPES = {
    "number": "num",
    "integer": "int",
    "string": "str",
    "boolean": "bool",
    "array": "list",
    "object": "obj",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the rendered conversation: one marker, or text in which no marker is read.

    `own` is true for what the model itself writes; only that is learnt.
    """

    text: str
    marker: bool = False
    own: bool = False


@dataclass(frozen=True, slots=True)
class Argument:
    """A tool's parameter as the template shows it: `kind` is str, num, int, bool, date, list, obj or any.

    `options` are the allowed values of a short enum, as they are written in a call.
    """

    name: str
    kind: str
    required: bool
    options: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether the value is written raw after a blank."""
        return self.kind in ("str", "date")

    def __str__(self) -> str:
        shown = "|".join(self.options) if self.options else self.kind
        return f"{self.name}{'' if self.required else '?'}:{shown}"


def arguments_of(spec: ToolSpec) -> tuple[Argument, ...]:
    """Read a tool's parameters out of its JSON Schema, in the schema's order.

    >>> spec = ToolSpec("f", "", {"properties": {"n": {"type": "integer"}, "on": {"type": "boolean"}}, "required": ["n"]})
    >>> [str(argument) for argument in arguments_of(spec)]
    ['n:int', 'on?:bool']
    """
    properties = spec.parameters.get("properties")
    required = spec.parameters.get("required")
    if not isinstance(properties, Mapping):
        return ()
    needed = set(required) if isinstance(required, Sequence) else set()
    definitions = spec.parameters.get("$defs")
    return tuple(
        _argument(name, schema, name in needed, definitions if isinstance(definitions, Mapping) else {})
        for name, schema in properties.items()
        if isinstance(schema, Mapping)
    )


def _argument(
    name: str, schema: Mapping[str, object], required: bool, definitions: Mapping[str, object]
) -> Argument:
    schema = _plain(schema, definitions)
    options = schema.get("enum")
    if isinstance(options, Sequence) and not isinstance(options, str) and options:
        written = tuple(option if isinstance(option, str) else json.dumps(option) for option in options)
        text = all(isinstance(option, str) for option in options)
        if len("|".join(written)) <= LONGEST_ENUM:
            return Argument(name, "str" if text else "any", required, written)
        return Argument(name, "str" if text else "any", required)
    kind = schema.get("type")
    if isinstance(kind, Sequence) and not isinstance(kind, str):
        kind = next((each for each in kind if each != "null"), None)
    if kind == "string" and schema.get("format") == "date":
        return Argument(name, "date", required)
    return Argument(name, _SHORT_TYPES.get(str(kind), "any"), required)


def _plain(schema: Mapping[str, object], definitions: Mapping[str, object]) -> Mapping[str, object]:
    """Follow one reference, and take the first member of a union that is not null."""
    for _ in range(4):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            target = definitions.get(reference.rsplit("/", 1)[-1])
            schema = target if isinstance(target, Mapping) else {}
            continue
        members = schema.get("anyOf") or schema.get("oneOf")
        if isinstance(members, Sequence) and not isinstance(members, str):
            chosen = [each for each in members if isinstance(each, Mapping) and each.get("type") != "null"]
            schema = chosen[0] if chosen else {}
            continue
        break
    return schema


def tool_line(spec: ToolSpec) -> str:
    """One tool as a line: `name(arg:type,optional?:type)`."""
    return f"{spec.name}({','.join(map(str, arguments_of(spec)))})"


def render_tools(tools: Iterable[ToolSpec]) -> list[Piece]:
    """The head of every prompt: the tool list, `submit` last."""
    ordered = sorted(tools, key=lambda spec: spec.name == TERMINAL)
    return [Piece(TOOLS, marker=True), Piece("\n".join(map(tool_line, ordered)))]


def render_call(call: ToolCall, spec: ToolSpec | None = None) -> list[Piece]:
    """A call after its `<|call|>` marker, its end included."""
    kinds = {argument.name: argument for argument in arguments_of(spec)} if spec is not None else {}
    pieces = [Piece(call.name, own=True)]
    for name, value in call.args.items():
        argument = kinds.get(name)
        text = isinstance(value, str) and (argument is None or argument.is_text or argument.kind == "any")
        written = (
            f" {value}" if text else json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
        )
        pieces += [Piece(ARG, marker=True, own=True), Piece(f"{name}={written}", own=True)]
    return [*pieces, Piece(END, marker=True, own=True)]


def render_turns(messages: Iterable[Message], tools: Sequence[ToolSpec]) -> Iterator[Piece]:
    """All messages but the system's, without the `<|call|>` that asks for the next call."""
    specs = {spec.name: spec for spec in tools}
    for message in messages:
        if message.role == "user":
            yield Piece(USER, marker=True)
            yield Piece(message.content)
        elif message.role == "tool" and not _is_closing(message):
            yield Piece(OBS, marker=True)
            yield Piece(message.content)
        elif message.role == "assistant":
            for call in message.tool_calls:
                yield Piece(CALL, marker=True)
                yield from render_call(call, specs.get(call.name))


def _is_closing(message: Message) -> bool:
    """Whether it only says that an answer was taken, after a demonstration; a refusal is read and repaired."""
    return message.name == TERMINAL and not message.content.startswith("Error")


def render_prompt(messages: Sequence[Message], tools: Sequence[ToolSpec]) -> list[Piece]:
    """What the model reads before it writes a call."""
    return [*render_tools(tools), *render_turns(messages, tools), Piece(CALL, marker=True)]
