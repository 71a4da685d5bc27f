"""Guarded equals of names in the standard library that would read attributes by name or make classes."""

from __future__ import annotations

import collections
import dataclasses
import functools
import sys
import typing
from collections.abc import Callable, Mapping
from typing import Any

from . import coroutines, logs
from .guards import Guards
from .names import words
from .standins import METACLASS
from .templates import formatter

_MAX_DEPTH = 20_000


def replacements(
    guards: Guards, write: Callable[[str], int], describe: Callable[[BaseException], str]
) -> dict[str, dict[str, Any]]:
    """The members to add to each facade, for one session.

    `write` takes what is written to stdout; `describe` gives an exception's traceback as text.
    """
    return {
        "abc": {"ABCMeta": METACLASS},
        "asyncio": coroutines.members(),
        "collections": {"namedtuple": _namedtuple(guards)},
        "dataclasses": {"dataclass": _dataclass(guards)},
        "functools": {
            "wraps": _wraps(guards),
            "update_wrapper": _update_wrapper(guards),
            "singledispatch": _singledispatch,
        },
        "logging": logs.members(write, describe, guards.adopt),
        "operator": {"attrgetter": _attrgetter(guards), "methodcaller": _methodcaller(guards)},
        "os": {"environ": {}, "getenv": lambda name, default=None: default},
        "pprint": {"pprint": _pprint(write), "pp": _pprint(write)},
        "string": {"Formatter": guards.adopt(formatter(guards.getattr))},
        "sys": _sys(write),
        "traceback": _traceback(write, describe),
        "typing": _typing(guards),
        "warnings": {"warn": _ignore, "filterwarnings": _ignore, "simplefilter": _ignore},
    }


def _ignore(*args: Any, **options: Any) -> None:
    """Warnings go nowhere in the sandbox."""


# -- classes -----------------------------------------------------------------------------------


def _namedtuple(guards: Guards) -> Callable[..., Any]:
    def namedtuple(typename: str, field_names: Any, **options: Any) -> Any:
        made = collections.namedtuple(typename, field_names, **options)  # type: ignore[misc]  # names come at run time
        guards.check_fields(made, made._fields)
        made.__module__ = "__main__"
        return guards.adopt(made)

    return namedtuple


def _dataclass(guards: Guards) -> Callable[..., Any]:
    """`dataclasses.dataclass` compiles its methods from the field names: those must be names, and safe ones."""

    def dataclass(cls: Any = None, /, **options: Any) -> Any:
        if cls is None:
            return lambda made: decorate(made, options)
        return decorate(cls, options)

    def decorate(cls: Any, options: Mapping[str, Any]) -> Any:
        if id(cls) not in guards.own:
            raise TypeError("dataclass() takes a class of the program in the sandbox")
        guards.check_fields(cls, list(vars(cls).get("__annotations__", ())))
        return guards.adopt(dataclasses.dataclass(**options)(cls))

    return dataclass


# -- functions ---------------------------------------------------------------------------------


def _update_wrapper(guards: Guards) -> Callable[..., Any]:
    """Copies the names and the docstring, which are strings, and nothing that leads elsewhere."""

    def update_wrapper(wrapper: Any, wrapped: Any, *args: Any, **options: Any) -> Any:
        for name in ("__name__", "__qualname__", "__doc__"):
            value = getattr(wrapped, name, None)
            if isinstance(value, str) and guards.takes_attributes(wrapper):
                setattr(wrapper, name, value)
        return wrapper

    return update_wrapper


def _wraps(guards: Guards) -> Callable[..., Any]:
    update = _update_wrapper(guards)
    return lambda wrapped, *args, **options: lambda wrapper: update(wrapper, wrapped)


def _singledispatch(function: Any) -> Any:
    """`functools.singledispatch` over the classes' own order, without abstract classes' guesses."""
    known: dict[type, Any] = {object: function}

    def dispatch(cls: type) -> Any:
        return next(known[part] for part in type.mro(cls) if part in known)

    def call(*args: Any, **options: Any) -> Any:
        return dispatch(type(args[0]))(*args, **options)

    def register(cls: Any, target: Any = None) -> Any:
        if target is not None:
            known[cls] = target
            return target
        if isinstance(cls, type):
            return lambda made: register(cls, made)
        annotation = next(iter(cls.__annotations__.values()), None)
        if not isinstance(annotation, type):
            raise TypeError(
                "register() needs a class, or a function whose first parameter has one as annotation"
            )
        return register(annotation, cls)

    call.register = register  # type: ignore[attr-defined]  # functions take attributes
    call.dispatch = dispatch  # type: ignore[attr-defined]  # as above
    call.__name__, call.__doc__ = function.__name__, function.__doc__
    return call


def _attrgetter(guards: Guards) -> Callable[..., Any]:
    def one(path: str) -> Callable[[Any], Any]:
        if type(path) is not str:
            raise TypeError("attribute name must be a string")
        return lambda ob: functools.reduce(guards.getattr, path.split("."), ob)

    def attrgetter(*paths: str) -> Callable[[Any], Any]:
        readers = [one(path) for path in paths]
        if len(readers) == 1:
            return readers[0]
        return lambda ob: tuple(read(ob) for read in readers)

    return attrgetter


def _methodcaller(guards: Guards) -> Callable[..., Any]:
    def methodcaller(name: str, /, *args: Any, **options: Any) -> Callable[[Any], Any]:
        return lambda ob: guards.getattr(ob, name)(*args, **options)

    return methodcaller


def _pprint(write: Callable[[str], int]) -> Callable[..., None]:
    def pprint(ob: Any, *args: Any, **options: Any) -> None:
        from pprint import pformat

        options.pop("stream", None)
        write(pformat(ob, *args, **options) + "\n")

    return pprint


def _traceback(write: Callable[[str], int], describe: Callable[[BaseException], str]) -> dict[str, Any]:
    def format_exc(*args: Any, **options: Any) -> str:
        error = sys.exception()
        return "NoneType: None\n" if error is None else describe(error) + "\n"

    def format_exception(error: Any, *args: Any, **options: Any) -> list[str]:
        shown = args[0] if args and isinstance(args[0], BaseException) else error
        return describe(shown).splitlines(keepends=True)

    return {
        "format_exc": format_exc,
        "format_exception": format_exception,
        "print_exc": lambda *args, **options: write(format_exc()) and None,
        "print_exception": lambda error, *args, **options: (
            write("".join(format_exception(error, *args))) and None
        ),
    }


def _typing(guards: Guards) -> dict[str, Any]:
    def get_origin(form: Any) -> Any:
        found = typing.get_origin(form)
        return guards.type if found is type else found

    return {
        "get_args": lambda form: tuple(
            guards.type if part is type else part for part in typing.get_args(form)
        ),
        "get_origin": get_origin,
        "get_type_hints": lambda ob, *args, **options: dict(
            ob.__annotations__
        ),  # as they stand: text stays text
    }


# -- sys ---------------------------------------------------------------------------------------


class Stream:
    """What a program sees as `sys.stdout`."""

    __slots__ = ("flush", "isatty", "write", "writelines")

    def __init__(self, write: Callable[[str], int]) -> None:
        self.write = write
        self.flush = lambda: None
        self.isatty = lambda: False
        self.writelines = lambda lines: [write(line) for line in lines] and None


def _sys(write: Callable[[str], int]) -> dict[str, Any]:
    def setrecursionlimit(depth: int) -> None:
        sys.setrecursionlimit(max(100, min(depth, _MAX_DEPTH)))

    def exit_(status: object = None, /) -> typing.NoReturn:
        raise SystemExit(status)

    stream = Stream(write)
    same = "byteorder float_info getrecursionlimit getsizeof hash_info int_info intern maxsize maxunicode version"
    return {
        **{name: getattr(sys, name) for name in words(same)},
        "argv": [""],
        "exit": exit_,
        "platform": "sandbox",
        "setrecursionlimit": setrecursionlimit,
        "stderr": stream,
        "stdout": stream,
        "version_info": tuple(sys.version_info),
    }
