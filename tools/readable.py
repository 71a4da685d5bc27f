"""Annotations that pydantic would not take, or take only half, as ones that mean the same."""

from __future__ import annotations

import sys
import types
import typing
from collections import abc
from typing import Annotated, Any, Literal, NotRequired, Required, Union

_LAZY = (
    abc.Collection,
    abc.Iterable,
)  # pydantic would check these only while the tool reads them, or not at all


def readable(hint: object, inside: tuple[object, ...] = ()) -> object:
    """The annotation with lists for `Iterable` and `Collection`, and a `TypedDict` that every Python's pydantic takes.

    >>> readable(abc.Iterable[int] | None)
    typing.Optional[list[int]]
    """
    if sys.version_info < (3, 12) and typing.is_typeddict(hint) and type(hint).__module__ == "typing":
        return hint if hint in inside else _typed_dict(hint, inside)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint in _LAZY or origin in _LAZY:
        return types.GenericAlias(list, tuple(readable(one, inside) for one in args)) if args else list
    if not args or origin in (Literal, abc.Callable):
        return hint
    if origin is Annotated:
        return _annotated(readable(args[0], inside), args, hint)
    made: Any = tuple(readable(one, inside) for one in args)  # types computed at run time
    if made == args:
        return hint
    if origin in (Union, types.UnionType):
        return Union[made]  # noqa: UP007 - `|` wants them one by one
    copy: Any = getattr(hint, "copy_with", None)
    return types.GenericAlias(typing.cast("type", origin), made) if copy is None else copy(made)


def _annotated(kind: object, args: tuple[Any, ...], hint: object) -> object:
    return hint if kind is args[0] else Annotated[(kind, *args[1:])]


def _typed_dict(
    hint: Any, inside: tuple[object, ...]
) -> object:  # Any: a TypedDict, which has no static type
    import typing_extensions

    fields: dict[str, Any] = {}
    for name, kind in typing.get_type_hints(hint, include_extras=True).items():
        origin = typing.get_origin(kind)
        if origin in (Required, NotRequired):
            needed, kind = origin is Required, typing.get_args(kind)[0]
        else:
            needed = name in hint.__required_keys__
        inner: Any = readable(kind, (*inside, hint))
        fields[name] = Required[inner] if needed else NotRequired[inner]
    functional: Any = typing_extensions.TypedDict  # called with what a checker can't know
    made = functional(hint.__name__, fields)
    made.__doc__, made.__module__ = hint.__doc__, hint.__module__
    return made
