"""`str.format` without its power to walk from any object to anything: fields go through the guard."""

from __future__ import annotations

import _string  # type: ignore[import-not-found]  # what string.Formatter parses with; typeshed leaves it out
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Read = Callable[[Any, str], Any]

_UNBOUND = (str.format, str.format_map)
_BOUND = types.BuiltinMethodType
_CONVERSIONS: dict[str | None, Callable[[Any], Any]] = {None: lambda ob: ob, "s": str, "r": repr, "a": ascii}


def safe_format(read: Read, value: Any) -> Any:
    """The guarded equal of a built-in format method, bound or not; any other value as it is.

    >>> safe_format(getattr, "{0.real:>3}|{1!r}".format)(5, "a")
    "  5|'a'"
    """
    bound: str | None = None
    if type(value) is type(str.format):
        if value not in _UNBOUND:
            return value
    elif type(value) is _BOUND and isinstance(value.__self__, str) and value.__name__.startswith("format"):
        bound = value.__self__
    else:
        return value
    by_mapping = value.__name__ == "format_map"

    def format_(*args: Any, **fields: Any) -> str:
        template, *rest = args if bound is None else (bound, *args)
        if by_mapping:
            return fill(read, template, (), rest[0])
        return fill(read, template, rest, fields)

    return format_


def formatter(read: Read) -> type:
    """A `string.Formatter` for programs: its own methods may be overridden, its attribute reads are guarded."""

    class Formatter:
        def format(self, template: str, /, *args: Any, **fields: Any) -> str:
            return self.vformat(template, args, fields)

        def vformat(self, template: str, args: Sequence[Any], fields: Mapping[str, Any]) -> str:
            return "".join(
                _pieces(template, args, fields, self.get_field, self.format_field, self.convert_field)
            )

        def get_field(self, name: str, args: Sequence[Any], fields: Mapping[str, Any]) -> tuple[Any, Any]:
            return _walk(read, name, args, fields, self.get_value)

        def get_value(self, key: int | str, args: Sequence[Any], fields: Mapping[str, Any]) -> Any:
            return _value(key, args, fields)

        def convert_field(self, value: Any, conversion: str | None) -> Any:
            return _CONVERSIONS[conversion](value)

        def format_field(self, value: Any, spec: str) -> str:
            return format(value, spec)

    return Formatter


def fill(read: Read, template: str, args: Sequence[Any], fields: Mapping[str, Any]) -> str:
    """`template.format(*args, **fields)` whose attribute reads go through `read`."""

    def get_field(name: str, args: Sequence[Any], fields: Mapping[str, Any]) -> tuple[Any, Any]:
        return _walk(read, name, args, fields, _value)

    def convert(value: Any, conversion: str | None) -> Any:
        return _CONVERSIONS[conversion](value)

    return "".join(_pieces(str.__str__(template), args, fields, get_field, format, convert))


def _pieces(
    template: str,
    args: Sequence[Any],
    fields: Mapping[str, Any],
    get_field: Callable[[str, Sequence[Any], Mapping[str, Any]], tuple[Any, Any]],
    format_field: Callable[[Any, str], str],
    convert: Callable[[Any, str | None], Any],
) -> Iterator[str]:
    number = _numbering()
    for literal, name, spec, conversion in _string.formatter_parser(template):
        if literal:
            yield literal
        if name is not None:
            name = number(name)
            value = convert(get_field(name, args, fields)[0], conversion)
            filled = "".join(_nested(spec, args, fields, get_field, number))
            yield format_field(value, filled)


def _nested(
    spec: str,
    args: Sequence[Any],
    fields: Mapping[str, Any],
    get_field: Callable[[str, Sequence[Any], Mapping[str, Any]], tuple[Any, Any]],
    number: Callable[[str], str],
) -> Iterator[str]:
    """A format specification may hold fields itself, one level deep."""
    for literal, name, _, conversion in _string.formatter_parser(spec):
        if literal:
            yield literal
        if name is not None:
            found = get_field(number(name), args, fields)[0]
            yield format(_CONVERSIONS[conversion](found), "")


def _numbering() -> Callable[[str], str]:
    """Gives `{}` its number; a template numbers all of its fields itself, or none."""
    state = {"next": 0, "manual": False}

    def number(name: str) -> str:
        first = name.partition(".")[0].partition("[")[0]
        if not first:
            if state["manual"]:
                raise ValueError("cannot switch from manual field specification to automatic field numbering")
            state["next"] += 1
            return f"{state['next'] - 1}{name}"
        if first.isdigit():
            if state["next"]:
                raise ValueError("cannot switch from automatic field numbering to manual field specification")
            state["manual"] = True
        return name

    return number


def _walk(
    read: Read, name: str, args: Sequence[Any], fields: Mapping[str, Any], get_value: Callable[..., Any]
) -> tuple[Any, Any]:
    first, rest = _string.formatter_field_name_split(name)
    found = get_value(first, args, fields)
    for is_attribute, key in rest:
        found = read(found, key) if is_attribute else found[key]
    return found, first


def _value(key: int | str, args: Sequence[Any], fields: Mapping[str, Any]) -> Any:
    if not isinstance(key, int):
        return fields[key]
    if key >= len(args):
        raise IndexError(f"Replacement index {key} out of range for positional args tuple")
    return args[key]
