"""A function's parameters, compiled once: a JSON Schema to show and a validator to call.

Everything that needs `inspect` or pydantic's schema building happens when the tool is made; a call only
runs compiled validators.
"""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any

from .docstrings import Description, read_docstring
from .errors import ArgumentsError, ToolDefinitionError, nearest
from .wording import Schema, problem, usage

if typing.TYPE_CHECKING:
    from pydantic_core import ValidationError

_MAX_PROBLEMS = 3  # an answer to a model: the first few mistakes are the ones it can mend


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its JSON Schema, and `read`, which coerces a value or raises pydantic's error."""

    name: str
    schema: Schema
    read: Callable[[object], object]
    required: bool = True
    default: object = None
    positional_only: bool = False

    @property
    def takes_json(self) -> bool:
        """Whether an object or a list is wanted, so that text may be JSON for one."""
        return _wants_container(self.schema)


@dataclass(frozen=True, slots=True)
class Parameters:
    """A tool's parameters in order. `definitions` holds the schemas that refer to themselves."""

    by_name: Mapping[str, Parameter]
    definitions: Mapping[str, Schema] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    positional_only: tuple[Parameter, ...] = ()

    @property
    def schemas(self) -> dict[str, Schema]:
        """Each parameter's JSON Schema."""
        return {name: parameter.schema for name, parameter in self.by_name.items()}

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema (2020-12) of an object that holds the arguments."""
        schema: dict[str, object] = {
            "type": "object",
            "properties": self.schemas,
            "required": list(self.required),
            "additionalProperties": False,
        }
        return schema | {"$defs": dict(self.definitions)} if self.definitions else schema

    def usage(self, name: str) -> str:
        """The tool in one line: `find(text: string, k: integer = 3)`."""
        return usage(name, self.schemas, self.required)

    def coerced(self, given: Mapping[str, object]) -> dict[str, object]:
        """Arguments as the function wants them.

        Raises `ArgumentsError` that says, for each argument that does not fit, what is wanted.
        """
        ready: dict[str, object] = {}
        problems: list[str] = []
        for name, value in given.items():
            parameter = self.by_name.get(name)
            if parameter is None:
                problems.append(_unknown(name, self.by_name))
                continue
            try:
                ready[name] = parameter.read(value)
            except Exception as error:  # noqa: BLE001 - a user's own validators run in here, and may raise anything
                if value is None and not parameter.required:
                    continue  # null for a parameter with a default: the default
                problems.extend(_mend(parameter, value, error, ready))
        problems.extend(f'"{name}" is missing' for name in self.required if name not in given)
        if problems:
            more = len(problems) - _MAX_PROBLEMS
            raise ArgumentsError(
                "; ".join(problems[:_MAX_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
            )
        return ready

    def described(self, descriptions: Mapping[str, str], *, of: str) -> Parameters:
        """The same parameters with these descriptions; `of` names the tool in an error."""
        for name in descriptions:
            if name not in self.by_name:
                raise ToolDefinitionError(f"{of}: {_unknown(name, self.by_name)}")
        made = {
            name: replace(one, schema={**one.schema, "description": descriptions[name]})
            for name, one in self.by_name.items()
            if name in descriptions
        }
        return replace(self, by_name={**self.by_name, **made}) if made else self

    def split(self, ready: dict[str, object]) -> tuple[list[object], dict[str, object]]:
        """The same arguments, those that the function takes by position only set apart."""
        if not self.positional_only:
            return [], ready
        by_position = [ready.get(one.name, one.default) for one in self.positional_only]
        names = {one.name for one in self.positional_only}
        return by_position, {name: value for name, value in ready.items() if name not in names}


def _unknown(name: str, known: Mapping[str, object]) -> str:
    text = f"there is no parameter {json.dumps(str(name)[:60], ensure_ascii=False)}"
    near = nearest(str(name), known)
    return f'{text}; did you mean "{near}"?' if near else text


def _mend(parameter: Parameter, value: object, error: Exception, ready: dict[str, object]) -> list[str]:
    """Read JSON text where an object or list is wanted, into `ready`; else the problems in words."""
    if isinstance(value, str) and parameter.takes_json and value.lstrip()[:1] in ("{", "["):
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            return _problems(parameter, value, error)
        try:
            ready[parameter.name] = parameter.read(parsed)
        except Exception as second:  # noqa: BLE001 - as above
            return _problems(parameter, parsed, second)
        return []
    return _problems(parameter, value, error)


def _problems(parameter: Parameter, value: object, error: Exception) -> list[str]:
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return [f'"{parameter.name}" could not be read: {type(error).__name__}: {str(error)[:200]}']
    return _validation_problems(parameter, value, error)


def _validation_problems(parameter: Parameter, value: object, error: ValidationError) -> list[str]:
    errors = typing.cast(list[dict[str, object]], error.errors(include_url=False, include_context=False))
    schema = parameter.schema
    if isinstance(branches := schema.get("anyOf"), list) and (len(errors) > 1 or errors[0]["loc"]):
        present = [one for one in branches if one.get("type") != "null"]
        if len(present) > 1:  # a union: pydantic tells of every branch, under names of its own
            errors = [{"type": "union_type", "loc": (), "msg": "", "input": value}]
        elif errors[0]["loc"]:
            schema = present[0]
    return [problem(parameter.name, schema, one) for one in errors]


def _wants_container(schema: Schema) -> bool:
    if schema.get("type") in ("array", "object") or "$ref" in schema:
        return True
    branches = schema.get("anyOf") or schema.get("oneOf")
    return isinstance(branches, list) and any(_wants_container(one) for one in branches)


# ---- compiling


def compile_parameters(
    func: Callable[..., object],
    description: Description | None = None,
    *,
    schemas: Mapping[str, Schema] | None = None,
    types: Mapping[str, object] | None = None,
) -> Parameters:
    """Compile a callable's parameters from its signature, its annotations and its docstring.

    `types` overrides annotations by name. `schemas` gives the parameters by hand, as JSON Schema; then
    the function may also take them by `**kwargs`. Raises `ToolDefinitionError`.

    >>> def find(text: str, k: int = 3) -> str: ...
    >>> compile_parameters(find).json_schema()["required"]
    ['text']
    """
    named = _signature(func, open_ended=schemas is not None)
    hints = {**_annotations(func, named), **(types or {})}
    words = (description or read_docstring(docstring_of(func))).parameters
    if schemas is not None:
        from .foreign import foreign_parameter

        made = [
            foreign_parameter(name, schema, named.get(name), hints.get(name))
            for name, schema in schemas.items()
        ]
        definitions: dict[str, Schema] = {}
    else:
        made, definitions = _parameters(func, named, hints, words)
    return Parameters(
        by_name={one.name: one for one in made},
        definitions=definitions,
        required=tuple(one.name for one in made if one.required),
        positional_only=tuple(one for one in made if one.positional_only),
    )


def _signature(func: Callable[..., object], *, open_ended: bool) -> dict[str, inspect.Parameter]:
    try:
        signature = inspect.signature(func)
    except (TypeError, ValueError) as error:
        raise ToolDefinitionError(
            f"{called(func)} has no signature that can be read; wrap it in a function of your own"
        ) from error
    named = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            if open_ended and parameter.kind == parameter.VAR_KEYWORD:
                continue
            star = "*" if parameter.kind == parameter.VAR_POSITIONAL else "**"
            raise ToolDefinitionError(
                f"{called(func)} takes {star}{name}, which a model can't be told how to fill: name each "
                f"parameter, or take one list or dict"
            )
        named[name] = parameter
    return named


def _parameters(
    func: Callable[..., object],
    named: Mapping[str, inspect.Parameter],
    hints: Mapping[str, object],
    words: Mapping[str, str],
) -> tuple[list[Parameter], dict[str, Schema]]:
    made: list[Parameter] = []
    definitions: dict[str, Schema] = {}
    for name, parameter in named.items():
        read, shape, refers = _compiled(func, name, hints.get(name, object))
        for key, schema in refers.items():
            if definitions.setdefault(key, schema) != schema:
                raise ToolDefinitionError(
                    f"{called(func)} uses two different types called {key} that refer to themselves: rename one"
                )
        required = parameter.default is parameter.empty
        schema = {
            **shape,
            **_extras(hints.get(name), words.get(name), None if required else parameter.default),
        }
        made.append(
            Parameter(
                name,
                schema,
                read,
                required,
                None if required else parameter.default,
                parameter.kind == parameter.POSITIONAL_ONLY,
            )
        )
    return made, definitions


def _extras(hint: object, words: str | None, default: object) -> dict[str, object]:
    """What stands beside the type in a schema: the description and the default."""
    from .render import plain

    found: dict[str, object] = {}
    text = words or next((one for one in getattr(hint, "__metadata__", ()) if isinstance(one, str)), None)
    if text:
        found["description"] = text
    if default is not None:
        with suppress(TypeError, ValueError):  # a default that JSON can't show is still the function's own
            found["default"] = plain(default)
    return found


def _annotations(func: Callable[..., object], named: Mapping[str, inspect.Parameter]) -> dict[str, object]:
    """The evaluated annotation of each parameter that has one."""
    owner = annotated(func)
    try:
        hints = typing.get_type_hints(owner, include_extras=True)
    except Exception:  # noqa: BLE001 - evaluating text may raise anything; each is tried alone to name the culprit
        hints = _one_by_one(func, owner, named)
    return {name: hint for name, hint in hints.items() if name in named}


def _one_by_one(
    func: Callable[..., object], owner: object, named: Mapping[str, inspect.Parameter]
) -> dict[str, object]:
    hints: dict[str, object] = {}
    scope = getattr(inspect.unwrap(typing.cast(Callable[..., object], owner)), "__globals__", {})
    for name, parameter in named.items():
        if parameter.annotation is parameter.empty:
            continue
        alone = type("alone", (), {"__annotations__": {name: parameter.annotation}})
        try:
            hints |= typing.get_type_hints(alone, globalns=scope, include_extras=True)
        except Exception as error:
            raise ToolDefinitionError(
                f"{called(func)}: the annotation {parameter.annotation!r} of {name!r} can't be evaluated "
                f"({type(error).__name__}: {error}); define the type at module level"
            ) from error
    return hints


def annotated(func: Callable[..., object]) -> object:
    """The function that carries the annotations: inside a partial, or an object's `__call__`."""
    inner: object = func
    while isinstance(inner, partial):
        inner = inner.func
    if inspect.isroutine(inner) or inspect.isfunction(inner):
        return inner
    return type(inner).__call__ if callable(inner) else inner


def docstring_of(func: Callable[..., object]) -> str:
    """The docstring of a callable: a partial's is its function's, an object's is its `__call__`'s or its class's."""
    inner: object = func
    while isinstance(inner, partial):
        inner = inner.func
    if inspect.isroutine(inner):
        return inspect.getdoc(inner) or ""
    kind = type(inner)
    return (kind.__call__.__doc__ if callable(inner) else None) or kind.__doc__ or ""


def called(func: object) -> str:
    """What to call a function in a message to a person."""
    while isinstance(func, partial):
        func = func.func
    return getattr(func, "__qualname__", None) or type(func).__qualname__


Compiled = tuple[Callable[[object], object], Schema, Mapping[str, Schema]]


def _compiled(func: Callable[..., object], name: str, hint: object) -> Compiled:
    from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUserError

    try:
        try:
            return _compile_cached(hint)
        except TypeError:  # an annotation that can't be hashed
            return _compile(hint)
    except (
        PydanticSchemaGenerationError,
        PydanticInvalidForJsonSchema,
        PydanticUserError,
        TypeError,
    ) as error:
        shown = getattr(hint, "__name__", None) or str(hint)
        raise ToolDefinitionError(
            f"{called(func)}: a model can't be asked for {name!r} of type {shown}; use plain types, "
            f"lists, dicts, Literal, Enum, dataclasses or pydantic models"
        ) from error


def compiled_type(hint: object) -> Callable[[object], object]:
    """What coerces a value to this type, or raises pydantic's error."""
    return _compile(hint)[0]


def _compile(hint: object) -> Compiled:
    from pydantic import ConfigDict, PydanticUserError, TypeAdapter

    adapter: TypeAdapter[object]
    kind: Any = hint  # what a user wrote as an annotation: pydantic says whether it is a type
    try:
        adapter = TypeAdapter(kind, config=ConfigDict(coerce_numbers_to_str=True))
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":
            raise
        adapter = TypeAdapter(kind)  # a model or a dataclass has its own configuration
    whole = adapter.json_schema()
    definitions = typing.cast(dict[str, Schema], whole.pop("$defs", {}))
    kept: dict[str, Schema] = {}
    shape = _inlined(whole, definitions, kept, ())
    return adapter.validator.validate_python, typing.cast(Schema, shape), kept


_compile_cached = lru_cache(maxsize=256)(_compile)


def _inlined(
    node: object, definitions: Mapping[str, Schema], kept: dict[str, Schema], inside: Sequence[str]
) -> object:
    """A schema with its references replaced by what they name, and without pydantic's own titles.

    A type that refers to itself can't be: its reference stays, and its definition goes to `kept`.
    """
    if isinstance(node, list):
        return [_inlined(one, definitions, kept, inside) for one in node]
    if not isinstance(node, dict):
        return node
    target = str(node.get("$ref", "")).removeprefix("#/$defs/")
    if target in definitions:
        if target in inside:
            kept.setdefault(target, {})  # filled in below, when its own definition is done
            return {"$ref": f"#/$defs/{target}"}
        made = typing.cast(
            dict[str, object], _inlined(definitions[target], definitions, kept, (*inside, target))
        )
        if target in kept:
            kept[target] = made
            made = {"$ref": f"#/$defs/{target}"}
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return {**made, **typing.cast(dict[str, object], _inlined(beside, definitions, kept, inside))}
    clean: dict[str, object] = {}
    for key, value in node.items():
        if key == "title" and isinstance(value, str):
            continue
        if key in ("properties", "patternProperties") and isinstance(value, dict):
            clean[key] = {name: _inlined(one, definitions, kept, inside) for name, one in value.items()}
        elif key in ("enum", "const", "default", "examples"):
            clean[key] = value
        else:
            clean[key] = _inlined(value, definitions, kept, inside)
    return clean
