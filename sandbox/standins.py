"""What `type(x)` gives for the few types whose constructors or metaclass a program must not have.

The types of functions, code, frames, modules and classes are replaced by empty classes of the same name,
which still answer `isinstance` and compare as a program expects.
"""

from __future__ import annotations

import abc
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any


class Kind(type):
    """The metaclass of stand-ins: an instance of a stand-in is whatever is of the real type."""

    _real: tuple[type, ...]

    def __instancecheck__(cls, ob: Any) -> bool:
        return isinstance(ob, cls._real)

    def __subclasscheck__(cls, other: Any) -> bool:
        return other is cls or (isinstance(other, type) and issubclass(other, cls._real))

    def __repr__(cls) -> str:
        return f"<class '{cls.__name__}'>"

    def __call__(cls, *args: Any, **options: Any) -> Any:
        """No object of such a type is made by a program."""
        raise TypeError(f"objects of type {cls.__name__!r} can't be made in the sandbox")


def _standin(name: str, *real: type) -> Kind:
    made = Kind(name, (), {"__slots__": (), "__module__": "builtins"})
    made._real = real
    return made


_FUNCTION = _standin("function", types.FunctionType)
_METHOD = _standin("builtin_function_or_method", types.BuiltinFunctionType)
_STANDINS: dict[type, Kind] = {
    types.FunctionType: _FUNCTION,
    types.BuiltinFunctionType: _METHOD,
    types.CodeType: _standin("code", types.CodeType),
    types.FrameType: _standin("frame", types.FrameType),
    types.TracebackType: _standin("traceback", types.TracebackType),
    types.CellType: _standin("cell", types.CellType),
    types.ModuleType: _standin("module", types.ModuleType),
}


class _TypeOf(Kind):
    """The metaclass of the stand-in for `type` itself."""

    _make_class: Callable[[Any, Any, Any], Any]
    _own: Mapping[int, type]

    def __call__(cls, *args: Any, **options: Any) -> Any:
        """The type of one argument, or a new class from three."""
        if len(args) == 1 and not options:
            found = type(args[0])
            hidden = issubclass(found, type) and id(found) not in cls._own
            return cls if hidden else _STANDINS.get(found, found)
        if len(args) == 3 and not options:
            return cls._make_class(*args)
        raise TypeError("type() takes 1 or 3 arguments")

    def __getitem__(cls, item: Any) -> Any:
        return typing.Type[item]  # noqa: UP006 - `type[item]` could be called and would give the real `type`

    def __or__(cls, other: Any) -> Any:
        return typing.Union[typing.Type, other]  # noqa: UP006, UP007 - as above

    __ror__ = __or__


def type_standin(make_class: Callable[[Any, Any, Any], Any], own: Mapping[int, type]) -> Any:
    """The `type` that a program sees; `make_class` serves its three-argument form.

    `own` has the program's own classes by id: a metaclass among them is shown as it is.
    """
    made = _TypeOf("type", (), {"__slots__": (), "__module__": "builtins"})
    made._real = (type,)
    made._make_class = make_class
    made._own = own
    return made


METACLASS = _standin("ABCMeta", abc.ABCMeta)


def stand_in_for_modules_of(facade: type) -> None:
    """Let `type(math)` be the stand-in for modules, whatever class the facades are of."""
    known = _STANDINS[types.ModuleType]
    known._real = (types.ModuleType, facade)
    _STANDINS[facade] = known
