"""The text form of a signature: `question, k: int -> answer: list[str]`, read and written.

Types are parsed with `ast` and looked up by name; nothing in the text is evaluated.
"""

from __future__ import annotations

import ast
import collections.abc
import datetime
import decimal
import difflib
import enum
import fractions
import re
import types
import typing
import uuid
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from .errors import SignatureError

TYPES: Mapping[str, Any] = {
    **{
        t.__name__: t
        for t in (str, int, float, bool, bytes, list, dict, tuple, set, frozenset, object, complex)
    },
    **{n: getattr(typing, n) for n in ("Any", "Optional", "Union", "Literal")},
    **{t.__name__.title(): t for t in (list, dict, tuple, set)},
    **{n: getattr(collections.abc, n) for n in ("Sequence", "Mapping", "Iterable")},
    **{t.__name__: t for t in (datetime.date, datetime.datetime, datetime.time, datetime.timedelta)},
    "Decimal": decimal.Decimal,
    "Fraction": fractions.Fraction,
    "UUID": uuid.UUID,
    "None": type(None),
}
OWN_TYPES = {"History": "history", "Code": "code", "Tool": "tools", "ToolCalls": "tool_calls"}  # name: module
MODULES = {"typing", "datetime", "decimal", "fractions", "uuid", "collections", "dspy", "loopwright", "lw"}

_NEEDS_ARGUMENTS = (typing.Literal, typing.Optional, typing.Union)
_ARROW = re.compile(r"""->(?=(?:[^'"]|'[^']*'|"[^"]*")*$)""")  # one in quotes is a Literal's

TypedNames = list[tuple[str, Any]]


def parse_signature(text: str, custom_types: Mapping[str, Any]) -> tuple[TypedNames, TypedNames]:
    """Read `"a, b: int -> c"` into the typed names of its inputs and of its outputs.

    >>> parse_signature("question -> score: float", {})
    ([('question', <class 'str'>)], [('score', <class 'float'>)])
    """
    sides = _ARROW.split(text)
    if len(sides) != 2:
        raise SignatureError(
            f"a signature has one '->' between inputs and outputs, as in 'question -> answer'; got {text!r}"
        )
    inputs, outputs = (_parse_side(side, text, custom_types) for side in sides)
    names = [name for name, _ in inputs + outputs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SignatureError(f"field {twice[0]!r} stands twice in {text!r}")
    return inputs, outputs


def type_text(annotation: Any) -> str:
    """A type as it is written in a signature's text.

    >>> type_text(list[int]), type_text(typing.Optional[str])
    ('list[int]', 'str | None')
    """
    if annotation is type(None):
        return "None"
    if annotation is Any:
        return "Any"
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(type_text(arg) for arg in args)
    if origin is typing.Literal:
        return f"Literal[{', '.join(map(_literal_text, args))}]"
    if origin is typing.Annotated:
        return type_text(args[0])
    if origin is not None and args:
        inner = ", ".join("..." if arg is Ellipsis else type_text(arg) for arg in args)
        return f"{getattr(origin, '__name__', str(origin))}[{inner}]"
    return getattr(annotation, "__name__", str(annotation))


def _literal_text(value: object) -> str:
    return str(value) if isinstance(value, enum.Enum) else repr(value)


def _parse_side(side: str, whole: str, custom_types: Mapping[str, Any]) -> TypedNames:
    if not side.strip():
        return []
    try:
        # A parameter list has the same grammar: names with annotations, separated by commas.
        function, *more = ast.parse(f"def _({side.strip()}\n): pass").body
    except SyntaxError as error:
        raise SignatureError(
            f"can't read {side.strip()!r} in the signature {whole!r}: {error.msg}"
        ) from error
    assert isinstance(function, ast.FunctionDef)  # noqa: S101  # narrows the type; the text above is a def
    arguments = function.args
    if (
        arguments.vararg
        or arguments.kwarg
        or arguments.kwonlyargs
        or arguments.posonlyargs
        or arguments.defaults
        or more
    ):
        raise SignatureError(f"fields are names with types; *, / and = have no place in {whole!r}")
    read = _TypeReader(custom_types, whole)
    return [(a.arg, str if a.annotation is None else read.type(a.annotation)) for a in arguments.args]


class _TypeReader:
    """Turns a parsed type expression into the type."""

    def __init__(self, custom_types: Mapping[str, Any], whole: str) -> None:
        self.names = {**TYPES, **custom_types}
        self.whole = whole

    def type(self, node: ast.expr) -> Any:
        found = self._bare(node)
        if any(found is one for one in _NEEDS_ARGUMENTS):
            raise SignatureError(
                f"{ast.unparse(node)} needs its types in brackets, in the signature {self.whole!r}"
            )
        return found

    def _bare(self, node: ast.expr) -> Any:
        match node:
            case ast.Name(id=name) | ast.Constant(value=str(name)):
                return self._named(name)
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in MODULES:
                return self._named(name)
            case ast.Constant(value=None):
                return types.NoneType
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return typing.Union[self.type(left), self.type(right)]  # noqa: UP007  # built at run time
            case ast.Subscript(value=base, slice=index):
                return self._subscripted(self._bare(base), index)
        raise SignatureError(f"{ast.unparse(node)!r} is no type, in the signature {self.whole!r}")

    def _subscripted(self, base: Any, index: ast.expr) -> Any:
        items = index.elts if isinstance(index, ast.Tuple) else [index]
        if base is typing.Literal:
            return typing.Literal[tuple(self._literal(item) for item in items)]
        arguments = tuple(
            ... if isinstance(i, ast.Constant) and i.value is ... else self.type(i) for i in items
        )
        try:
            return base[arguments if len(arguments) > 1 else arguments[0]]
        except TypeError as error:
            raise SignatureError(
                f"{type_text(base)} takes no such type arguments, in the signature {self.whole!r}: {error}"
            ) from error

    def _literal(self, node: ast.expr) -> object:
        try:
            value = ast.literal_eval(node)
        except ValueError:
            value = ...
        if value is None or isinstance(value, str | bytes | int):
            return value
        raise SignatureError(
            f"a Literal holds text, whole numbers, True, False or None, not {ast.unparse(node)!r}, "
            f"in the signature {self.whole!r}"
        )

    def _named(self, name: str) -> Any:
        if name in self.names:
            return self.names[name]
        if name in OWN_TYPES:
            return getattr(import_module(f".{OWN_TYPES[name]}", __package__), name)
        near = difflib.get_close_matches(name, [*self.names, *OWN_TYPES], 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise SignatureError(
            f"unknown type {name!r} in the signature {self.whole!r}{hint} (types of your own: "
            f"Signature(text, custom_types={{{name!r}: {name}}}), or write the signature as a class)"
        )
