"""A function's parameters, compiled once: a JSON Schema to show and a validator to call.

Everything that needs `inspect` or pydantic's schema building happens when the tool is made; a call only
runs compiled validators.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from .annotation import CompiledType, NotATypeError, compile_type
from .callables import annotated, called, docstring_of
from .docstrings import Description, read_docstring
from .errors import ToolDefinitionError
from .foreign import Foreign, foreign_parameters
from .names import legal_names
from .parameters import Parameter, Parameters, WorldParameter
from .render import plain
from .tool_context import ToolContext
from .wording import Schema
from .world.environment import is_world_type


def compile_parameters(
    func: Callable[..., object],
    description: Description | None = None,
    *,
    schemas: Mapping[str, Schema] | None = None,
    types: Mapping[str, object] | None = None,
) -> Parameters:
    """Compile a callable's parameters from its signature, its annotations and its docstring.

    `types` overrides annotations by name. `schemas` gives the parameters by hand, as JSON Schema: one of each by
    name, or that of the object which holds them all; then the function may also take them by `**kwargs`. Raises
    `ToolDefinitionError`.

    >>> def find(text: str, k: int = 3) -> str: ...
    >>> compile_parameters(find).json_schema()["required"]
    ['text']
    """
    named = _signature(func, open_ended=schemas is not None)
    hints = {**_annotations(func, named), **(types or {})}
    words = (description or read_docstring(docstring_of(func))).parameters
    context = _context_of(func, named, hints)
    named.pop(context, None)
    world = _world_of(func, named, hints)
    if world is not None:
        del named[world.name]
    if schemas is None:
        found = Foreign(*_parameters(func, named, hints, words))
    else:
        found = foreign_parameters(schemas, named, hints, called(func))
        _check_fits(func, named, [one.own for one in found.parameters])
    made = found.parameters
    return Parameters(
        by_name={one.name: one for one in made},
        definitions=found.definitions,
        required=tuple(one.name for one in made if one.required),
        positional_only=tuple(one for one in made if one.positional_only),
        extra=found.extra,
        context=context,
        world=world,
    )


def _check_fits(
    func: Callable[..., object], named: Mapping[str, inspect.Parameter], given: Sequence[str]
) -> None:
    """Refuse a schema by hand of which the function could not be called."""
    missing = [name for name, one in named.items() if one.default is one.empty and name not in given]
    if missing:
        raise ToolDefinitionError(
            f"{called(func)} needs {missing[0]!r}, of which the schema by hand says nothing"
        )
    kinds = {one.kind for one in inspect.signature(func).parameters.values()}
    unknown = [name for name in given if name not in named]
    if unknown and inspect.Parameter.VAR_KEYWORD not in kinds:
        raise ToolDefinitionError(
            f"{called(func)} takes no {unknown[0]!r}, which the schema by hand has; name it there, or take **kwargs"
        )


def _context_of(
    func: Callable[..., object], named: Mapping[str, inspect.Parameter], hints: Mapping[str, object]
) -> str:
    """The parameter that takes the `ToolContext`; "" where none does."""
    found = [name for name in named if ToolContext in (hints.get(name), *typing.get_args(hints.get(name)))]
    if not found:
        return ""
    if len(found) > 1 or named[found[0]].kind == inspect.Parameter.POSITIONAL_ONLY:
        raise ToolDefinitionError(
            f"{called(func)}: one parameter, that can be given by name, may be a ToolContext"
        )
    return found[0]


def _world_of(
    func: Callable[..., object], named: Mapping[str, inspect.Parameter], hints: Mapping[str, object]
) -> WorldParameter | None:
    """The parameter that takes the run's world, if there is one."""
    found = {name: kind for name in named if (kind := _world_type(hints.get(name))) is not None}
    if not found:
        return None
    name, kind = next(iter(found.items()))
    if len(found) > 1 or named[name].kind == inspect.Parameter.POSITIONAL_ONLY:
        raise ToolDefinitionError(
            f"{called(func)}: one parameter, that can be given by name, may be the world"
        )
    return WorldParameter(name, kind, named[name].default is inspect.Parameter.empty)


def _world_type(hint: object) -> type | None:
    """The class of world that an annotation asks for, also beside `None`."""
    one_of = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    return next((kind for kind in one_of if isinstance(kind, type) and is_world_type(kind)), None)


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
    legal = legal_names(named)
    for name, parameter in named.items():
        kind = _compiled(func, name, hints.get(name, object))
        for key, schema in kind.definitions.items():
            if definitions.setdefault(key, schema) != schema:
                raise ToolDefinitionError(
                    f"{called(func)} uses two different types called {key} that refer to themselves: rename one"
                )
        required = parameter.default is parameter.empty
        schema = {
            **kind.schema,
            **_extras(hints.get(name), words.get(name), None if required else parameter.default),
        }
        made.append(
            Parameter(
                legal[name],
                schema,
                kind.read,
                required,
                None if required else parameter.default,
                parameter.kind == parameter.POSITIONAL_ONLY,
                name,
            )
        )
    return made, definitions


def _extras(hint: object, words: str | None, default: object) -> dict[str, object]:
    """What stands beside the type in a schema: the description and the default."""
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


def _compiled(func: Callable[..., object], name: str, hint: object) -> CompiledType:
    try:
        return compile_type(hint)
    except NotATypeError as error:
        raise ToolDefinitionError(
            f"{called(func)}: a model can't be asked for {name!r} of type {error}; use plain types, lists, dicts, "
            f"Literal, Enum, dataclasses or pydantic models"
        ) from error
