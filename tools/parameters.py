"""A tool's parameters, and how a model's arguments are read: coerced, mended, or refused in words."""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from .complaints import Shown, complaints, without_idle_nulls
from .errors import ArgumentsError, ToolDefinitionError, nearest
from .wording import Schema, usage

if typing.TYPE_CHECKING:
    from pydantic_core import ValidationError

_MAX_MENDED = 200_000  # characters of broken JSON that are tried to be mended
_MAX_PROBLEMS = 3  # an answer to a model: the first few mistakes are the ones it can mend


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its JSON Schema, and `read`, which coerces a value or raises pydantic's error.

    `name` is what a model calls it; `own_name` is the function's, where that is no name that providers take.
    """

    name: str
    schema: Schema
    read: Callable[[object], object]
    required: bool = True
    default: object = None
    positional_only: bool = False
    own_name: str | None = None

    @property
    def own(self) -> str:
        """What the function calls it."""
        return self.name if self.own_name is None else self.own_name

    @property
    def takes_json(self) -> bool:
        """Whether an object or a list is wanted, so that text may be JSON for one."""
        return _wants_container(self.schema)


@dataclass(frozen=True, slots=True)
class WorldParameter:
    """The parameter that takes the run's world: its name, the class that is wanted, whether it can do without."""

    name: str
    kind: type
    required: bool = True


@dataclass(frozen=True, slots=True)
class Parameters:
    """A tool's parameters in order. `definitions` holds the schemas that refer to themselves; `context` names the one that
    takes the `ToolContext` and `world` the one that takes the run's world, of this type: they are none of a model's.
    """

    by_name: Mapping[str, Parameter]
    definitions: Mapping[str, Schema] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    positional_only: tuple[Parameter, ...] = ()
    extra: Parameter | None = None
    context: str = ""
    world: WorldParameter | None = None

    @property
    def schemas(self) -> dict[str, Schema]:
        """Each parameter's JSON Schema."""
        return {name: parameter.schema for name, parameter in self.by_name.items()}

    @property
    def defaults(self) -> dict[str, object]:
        """What the function takes for an argument that is not given, by name."""
        return {one.own: one.default for one in self.by_name.values() if not one.required}

    @property
    def own_names(self) -> list[str]:
        """What the function calls each of them: by these names rules of approval know arguments."""
        return [one.own for one in self.by_name.values()]

    def json_schema(self) -> dict[str, object]:
        """The JSON Schema (2020-12) of an object that holds the arguments."""
        schema: dict[str, object] = {
            "type": "object",
            "properties": self.schemas,
            "required": list(self.required),
            "additionalProperties": False if self.extra is None else (self.extra.schema or True),
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
            parameter = self.by_name.get(name) or self._meant(name)
            if parameter is None:
                problems.append(_unknown(name, self.by_name))
                continue
            try:
                ready[name if parameter.own_name is None else parameter.own_name] = parameter.read(value)
            except Exception as error:  # noqa: BLE001 - a user's own validators run in here, and may raise anything
                if value is None and not parameter.required:
                    continue  # null for a parameter with a default: the default
                problems.extend(_mend(parameter, value, error, ready, self.definitions))
        problems.extend(
            f'"{name}" is missing'
            for name in self.required
            if name not in given and self.by_name[name].own_name not in given
        )
        if problems:
            more = len(problems) - _MAX_PROBLEMS
            raise ArgumentsError(
                "; ".join(problems[:_MAX_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
            )
        return ready

    def _meant(self, name: str) -> Parameter | None:
        """The parameter that the function calls so, or the one for all other names, if there is one."""
        for one in self.by_name.values():
            if one.own_name == name:
                return one
        return None if self.extra is None else replace(self.extra, name=name, own_name=name)

    def described(self, descriptions: Mapping[str, str], *, of: str) -> Parameters:
        """The same parameters with these descriptions; `of` names the tool in an error."""
        made: dict[str, Parameter] = {}
        for name, text in descriptions.items():
            one = self.by_name.get(name) or self._meant(name)
            if one is None or one.name not in self.by_name:
                raise ToolDefinitionError(f"{of}: {_unknown(name, self.by_name)}")
            made[one.name] = replace(one, schema={**one.schema, "description": text})
        return replace(self, by_name={**self.by_name, **made}) if made else self

    def split(self, ready: dict[str, object]) -> tuple[list[object], dict[str, object]]:
        """The same arguments, those that the function takes by position only set apart."""
        if not self.positional_only:
            return [], ready
        by_position = [ready.get(one.own, one.default) for one in self.positional_only]
        names = {one.own for one in self.positional_only}
        return by_position, {name: value for name, value in ready.items() if name not in names}


def _unknown(name: str, known: Mapping[str, object]) -> str:
    text = f"there is no parameter {json.dumps(str(name)[:60], ensure_ascii=False)}"
    near = nearest(str(name), known)
    return f'{text}; did you mean "{near}"?' if near else text


def _mend(
    parameter: Parameter,
    value: object,
    error: Exception,
    ready: dict[str, object],
    definitions: Mapping[str, Schema],
) -> list[str]:
    """Read a refused value into `ready` after all: JSON text for an object, null for what need not be given.

    Gives the problems in words where that does not do.
    """
    from pydantic import ValidationError

    name = parameter.own
    shown = Shown(parameter.schema, definitions)
    if isinstance(value, str) and parameter.takes_json and value.lstrip()[:1] in ("{", "["):
        with suppress(ValueError, RecursionError):
            value = json.loads(value)
            try:
                ready[name] = parameter.read(value)
                return []
            except Exception as second:  # noqa: BLE001 - a user's own validators, as in coerced()
                error = second
    if isinstance(error, ValidationError):
        found = _errors(error)
        spared = without_idle_nulls(shown, value, found)
        if spared is None:
            return complaints(parameter.name, shown, value, found)
        try:
            ready[name] = parameter.read(spared)
            return []
        except ValidationError as third:
            return complaints(parameter.name, shown, spared, _errors(third))
        except Exception as third:  # noqa: BLE001 - as above
            error = third
    return [f'"{parameter.name}" could not be read: {type(error).__name__}: {str(error)[:200]}']


def _errors(error: ValidationError) -> list[dict[str, object]]:
    return typing.cast(list[dict[str, object]], error.errors(include_url=False, include_context=False))


def _wants_container(schema: Schema) -> bool:
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if "array" in kinds or "object" in kinds or "$ref" in schema:
        return True
    branches = schema.get("anyOf") or schema.get("oneOf")
    return isinstance(branches, list) and any(_wants_container(one) for one in branches)


def mended(text: str) -> object:
    """What broken JSON was meant to be; None where it is not worth the time to find out."""
    open_ones = text.count("{") - text.count("}")
    if "{" not in text or len(text) > _MAX_MENDED or open_ones > 100:
        return None
    import json_repair

    try:
        return json_repair.loads(text)
    except (ValueError, RecursionError):
        return None
