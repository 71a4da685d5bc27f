"""Tools over a world that are declared, not written: get, find, set, append and remove on a path.

A path may have parameters in braces, `orders.{order_id}.status`: each is one key, whatever text a model gives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, cast, get_args

from ..calls import Effect
from ..errors import ToolDefinitionError
from ..tool import Tool
from ..wording import Schema
from .changes import value_text
from .paths import Key, Pattern, Step, dotted, parts_of
from .tree import below, key_in
from .world import World

Operation = Literal["get", "find", "set", "append", "remove"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
TYPES = ("text", "integer", "number", "boolean", "any")

MAX_FOUND = 50  # entries that a tool which finds shows at once
_EFFECTS: Mapping[Operation, Effect] = {
    "get": "read",
    "find": "read",
    "set": "write",
    "append": "write",
    "remove": "write",
}
_PARAMETER = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")
_SAMPLE = 200  # entries that are looked at to find out what a key or a field is


@dataclass(frozen=True, slots=True)
class Declared:
    """A tool that is to be made: what it does at which path.

    `value` is the type of what `set` and `append` put there: one of `TYPES` (`string` is text too), a list of the values that it may be, or
    a mapping of its fields to their types, which are parameters then. `where` are the fields by which `find` chooses. `args` gives the types of
    parameters that the world's own keys and values do not tell.
    """

    name: str
    operation: Operation
    path: str
    desc: str = ""
    value: object = "any"
    where: Sequence[str] = ()
    args: Mapping[str, object] = field(default_factory=dict)

    @property
    def parameters(self) -> list[str]:
        """The parameters in the path, in order."""
        return [name for step in parts_of(self.path) for name in _PARAMETER.findall(step.text)]

    @property
    def others(self) -> list[str]:
        """The parameters beside those in the path: of what is found, or of the value and its fields."""
        if self.operation == "find":
            return list(self.where)
        if self.operation not in ("set", "append"):
            return []
        return [str(name) for name in self.value] if isinstance(self.value, Mapping) else ["value"]

    def given(self, arguments: Mapping[str, object]) -> object:
        """What the arguments beside those in the path say: the fields to find by, or the value."""
        if self.operation == "find" or isinstance(self.value, Mapping):
            return {name: arguments[name] for name in self.others if arguments.get(name) is not None}
        return arguments.get("value")


def declared_tool(declared: Declared, tree: object) -> Tool:
    """The tool; `tree` is the data of the world at the start, which says what its keys are.

    Raises `ToolDefinitionError` and `WorldError`.

    >>> from loopwright.tools import ToolCall, ToolRun
    >>> from loopwright.tools.world import Environment
    >>> world = World({"orders": {"17": {"status": "paid"}}})
    >>> pay = declared_tool(Declared("set_status", "set", "orders.{id}.status", value=["paid", "sent"]), world.tree)
    >>> pay.usage
    'set_status(id: integer, value: "paid" | "sent")'
    >>> pay.run(ToolCall("set_status", {"id": 17, "value": "sent"}), ToolRun(environment=Environment(world))).content
    'orders.17.status is now "sent"; it was "paid"'
    """
    template = _Template(declared)
    schemas = dict(_schemas(declared, template, tree))
    optional = set(declared.where)
    schema = {
        "type": "object",
        "properties": schemas,
        "required": [name for name in schemas if name not in optional],
    }
    act = _ACTS[declared.operation]

    def call(_world: World, **arguments: object) -> object:
        return act(_world, template.filled(arguments), declared.given(arguments))

    call.__qualname__ = call.__name__ = declared.name
    return Tool(
        call,
        declared.name,
        declared.desc or _described(declared),
        schema,  # type: ignore[arg-type]  # the schema of an object, which is read as one
        effect=_EFFECTS[declared.operation],
        tags=("world",),
    )


class _Template:
    """A path with parameters."""

    def __init__(self, declared: Declared) -> None:
        self.steps = parts_of(declared.path)
        several = any(step.wild for step in self.steps)
        if several != (declared.operation == "find"):
            wanted = "a pattern, as in orders.*" if declared.operation == "find" else "the path of one thing"
            raise ToolDefinitionError(
                f"{declared.name}: {declared.operation} takes {wanted}, not {declared.path}"
            )
        names = declared.parameters
        for step in self.steps:
            bare = _PARAMETER.sub("", step.text)
            if "{" in bare or "}" in bare or (step.wild and bare != step.text):
                raise ToolDefinitionError(
                    f"{declared.name}: {step.text} is no parameter: write a name in braces, as in orders.{{order_id}}"
                )
        if declared.where and declared.operation != "find":
            raise ToolDefinitionError(f"{declared.name}: where goes with find")
        for name in names:
            if names.count(name) > 1 or name in declared.others:
                raise ToolDefinitionError(f"{declared.name}: two parameters would be named {name!r}")

    def filled(self, arguments: Mapping[str, object]) -> Pattern:
        """The path with the arguments in it; in one of them a dot or a star is nothing but itself."""
        steps = (
            Step(_PARAMETER.sub(lambda one: str(arguments[one[1]]), one.text), one.wild) for one in self.steps
        )
        return Pattern("", tuple(steps))

    def places(self, tree: object) -> Iterator[tuple[str, list[Key]]]:
        """Each parameter that is a whole key, with keys that the world has in its place."""
        for place, step in enumerate(self.steps):
            if name := _PARAMETER.fullmatch(step.text):
                yield name[1], [key for node in self.entries(tree, place) for key in below(node)]

    def entries(self, tree: object, steps: int | None = None) -> list[object]:
        """Some of what is at the path, or at its first steps, whatever the parameters."""
        nodes = [tree]
        for step in self.steps[:steps]:
            every = step.wild or "{" in step.text
            inner = (
                one
                for node in nodes
                for key, one in below(node).items()
                if every or key == key_in(node, step.text)
            )
            nodes = list(islice(inner, _SAMPLE))
        return nodes


# ---- what the model is asked for


def _schemas(declared: Declared, template: _Template, tree: object) -> Iterator[tuple[str, Schema]]:
    known = {name: _of_keys(keys) for name, keys in template.places(tree)}
    for name in declared.parameters:
        yield name, _given(declared, name) or known.get(name, {"type": "string"})
    if declared.where:
        entries = template.entries(tree)
        for name in declared.where:
            values = [below(entry)[key] for entry in entries if (key := key_in(entry, name)) is not None]
            yield name, _given(declared, name) or _of_values(values)
    if declared.operation in ("set", "append"):
        whole = type_schema(declared.value, f"{declared.name}: value")
        if isinstance(declared.value, Mapping):
            yield from cast("Mapping[str, Schema]", whole["properties"]).items()
        else:
            yield "value", whole
    unknown = [name for name in declared.args if name not in {*declared.parameters, *declared.where}]
    if unknown:
        raise ToolDefinitionError(
            f"{declared.name}: it has no parameter {unknown[0]!r} that args could describe"
        )


def _given(declared: Declared, name: str) -> Schema | None:
    return type_schema(declared.args[name], f"{declared.name}: {name}") if name in declared.args else None


def _of_keys(keys: Sequence[Key]) -> Schema:
    whole = bool(keys) and all(isinstance(key, int) or re.fullmatch(r"0|[1-9]\d{0,17}", key) for key in keys)
    return {"type": "integer"} if whole else {"type": "string"}


def _of_values(values: Sequence[object]) -> Schema:
    for kind, name in ((bool, "boolean"), (int, "integer"), (int | float, "number")):
        if values and all(isinstance(one, kind) for one in values):
            return {"type": name}
    return {"type": "string"}


def type_schema(given: object, of: str) -> Schema:
    """A type as a task file says it, as JSON Schema; `of` names it in an error, `ToolDefinitionError`.

    `string` is text too: that is what JSON Schema and a tool's usage call it.

    >>> type_schema({"amount": "number"}, "refund")["properties"], type_schema(["a", "b"], "refund")
    ({'amount': {'type': 'number'}}, {'enum': ['a', 'b'], 'type': 'string'})
    """
    if given == "any":
        return {}
    if isinstance(given, str) and given in (*TYPES, "string"):
        return {"type": "string" if given == "text" else given}
    if isinstance(given, list) and given and all(isinstance(one, str) for one in given):
        return {"enum": given, "type": "string"}
    if isinstance(given, list) and given and all(isinstance(one, str | int | float) for one in given):
        return {"enum": given}
    if isinstance(given, Mapping) and given:
        fields = {str(name): type_schema(one, f"{of}.{name}") for name, one in given.items()}
        return {
            "type": "object",
            "properties": fields,
            "required": list(fields),
            "additionalProperties": False,
        }
    raise ToolDefinitionError(
        f"{of} is {_words(given)}, which is no type: write one of {', '.join(TYPES)}, a list of the values that it "
        "may be, or a mapping of its fields to their types"
    )


def _words(given: object) -> str:
    return json.dumps(given, default=str)[:60]


def _described(declared: Declared) -> str:
    match declared.operation:
        case "get":
            return f"Look up {declared.path}."
        case "find":
            by = f" by {', '.join(declared.where)}" if declared.where else ""
            return f"Find {declared.path}{by}."
        case "set":
            return f"Set {declared.path} to a value."
        case "append":
            return f"Add a value at the end of {declared.path}."
        case "remove":
            return f"Remove {declared.path}."


# ---- what happens


def _get(world: World, pattern: Pattern, given: object) -> object:
    return world.get(pattern.path)


def _find(world: World, pattern: Pattern, given: object) -> object:
    found = world.find(pattern, cast("Mapping[str, object]", given))
    by_key = sum(step.wild for step in pattern.steps) == 1 and pattern.steps[-1].wild
    shown = {
        parts_of(path)[-1].text if by_key else path: one for path, one in islice(found.items(), MAX_FOUND)
    }
    more = len(found) - len(shown)
    return {**shown, "…": f"and {more} more: look for less"} if more else shown


def _set(world: World, pattern: Pattern, given: object) -> object:
    path = pattern.path
    before = value_text(world.get(path)) if path in world else None
    world.set(path, given)
    after = value_text(world.get(path))
    return f"{dotted(path)} is now {after}" + (f"; it was {before}" if before is not None else "")


def _append(world: World, pattern: Pattern, given: object) -> object:
    place = world.append(pattern.path, given)
    return f"added as {dotted((*pattern.path, place))}"


def _remove(world: World, pattern: Pattern, given: object) -> object:
    return f"removed {dotted(pattern.path)}: {value_text(world.remove(pattern.path))}"


_ACTS = {"get": _get, "find": _find, "set": _set, "append": _append, "remove": _remove}
