"""The language layer at run time: what a program may read, write and subclass, and the built-ins it sees.

One `Guards` belongs to one session. It knows the classes that the program made ("own"): only their
instances, they themselves and the program's own functions take new attributes, and only on them are
private names readable.
"""

from __future__ import annotations

import abc
import builtins
import decimal
import enum
import functools
import textwrap
import types
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, cast

from .metaclasses import check_members, metaclass_base
from .names import (
    CHECKED,
    DOCUMENTED_PRIVATE,
    INTERNALS,
    READABLE,
    WRITABLE,
    is_dunder,
    is_plain,
)
from .standins import METACLASS, Kind, type_standin
from .templates import safe_format

_OPEN_TO_WRITES = (BaseException, types.SimpleNamespace, decimal.Context, textwrap.TextWrapper)
_NOT_A_BASE = (BaseExceptionGroup, super)
_HARMLESS_PRIVATE = DOCUMENTED_PRIVATE | {"_abc_impl", "_is_protocol", "_is_runtime_protocol"}
_OPEN_MAPPINGS = frozenset({"_member_map_", "_value2member_map_", "_field_defaults"})
_BUILTIN_METHODS = (types.BuiltinMethodType, types.MethodDescriptorType)
_SUPER = super.__getattribute__
_MISSING = object()
_SELF_MATCHING = frozenset({bool, bytearray, bytes, dict, float, frozenset, int, list, set, str, tuple})
_PLAIN_METACLASSES = (type, abc.ABCMeta, enum.EnumMeta, type(Protocol), Kind)


class Guards:
    """The checks of one session; `variables` are the program's globals."""

    def __init__(self, variables: dict[str, Any]) -> None:
        self.variables = variables
        self.own: dict[int, type] = {}  # by id: a class's own hash and equality may lie
        self.simple: set[int] = set()  # those of them whose every private name is the program's
        self.type = type_standin(self.make_class, self.own)
        self._meta = metaclass_base(self._make_checked)
        self._readable: set[tuple[int, str]] = set()
        self._building = 0
        self._special: dict[str, Callable[[Any], Any]] = {
            "__class__": self.type,
            "__dict__": self._read_dict,
            "__subclasses__": self._read_subclasses,
            "__mro__": lambda ob: self._shown(ob.__mro__),
            "__bases__": lambda ob: self._shown(ob.__bases__),
            "__annotations__": lambda ob: dict(ob.__annotations__),
            "__dataclass_fields__": lambda ob: dict(ob.__dataclass_fields__),
            "__setattr__": lambda ob: self._setter(ob, "__setattr__"),
            "__delattr__": lambda ob: self._setter(ob, "__delattr__"),
        }

    # -- reading -------------------------------------------------------------------------------

    def read(self, ob: Any, name: str) -> Any:
        """The attribute `name`, which its spelling does not make safe; AttributeError where it may not be read."""
        if (id(type(ob)), name) in self._readable:
            return getattr(ob, name)
        if name in INTERNALS:
            raise self._refused(ob, name)
        if is_dunder(name):
            return self._read_dunder(ob, name)
        if name.startswith("_"):
            return self._read_private(ob, name)
        value = getattr(ob, name)
        if type(value) is types.MethodType and value.__func__ is abc.ABCMeta.register:
            raise self._refused(ob, name)
        if name == "mro" and type(value) in _BUILTIN_METHODS:
            return lambda *args: [*self._shown(value(*args))]
        return safe_format(self.getattr, value)

    def _shown(self, classes: Sequence[type]) -> tuple[type, ...]:
        """Classes as a program sees them: its own `type` in the place of the real one."""
        shown = [part for part in classes if part is not self._meta or type not in classes]
        return tuple(self.type if part in (type, self._meta) else part for part in shown)

    def _refused(self, ob: Any, name: str) -> AttributeError:
        return AttributeError(
            f"the attribute {name!r} of {type(ob).__name__!r} is not available in the sandbox"
        )

    def _read_dunder(self, ob: Any, name: str) -> Any:
        if name not in READABLE:
            raise self._refused(ob, name)
        if ob is self.type and name in ("__new__", "__init__", "__call__"):
            return getattr(self._meta, name)
        special = self._special.get(name)
        return getattr(ob, name) if special is None else special(ob)

    def _read_private(self, ob: Any, name: str) -> Any:
        kind = type(ob)
        owner = ob if issubclass(kind, type) else kind
        if kind is super:
            owner = _SUPER(ob, "__self_class__")
        if self._has_private(owner, name):
            if owner is kind:
                self._readable.add((id(kind), name))
            elif name in _OPEN_MAPPINGS and id(owner) not in self.own:
                return dict(getattr(ob, name))
        elif not self._is_own_function(ob):
            raise self._refused(ob, name)
        return getattr(ob, name)

    def _has_private(self, owner: type, name: str) -> bool:
        """Whether `name` is the program's own on instances of `owner`, or documented as public."""
        if name in DOCUMENTED_PRIVATE and (issubclass(owner, tuple) or isinstance(owner, enum.EnumMeta)):
            return True
        return id(owner) in self.own and not self._is_foreign(owner, name)

    def _is_foreign(self, owner: type, name: str) -> bool:
        """Whether a class that the program did not write has `name`, one of its metaclass's included."""
        parts = [*type.mro(owner), *type.mro(type(owner))]
        return any(name in _private_names(part) for part in parts if id(part) not in self.own)

    def _read_dict(self, ob: Any) -> dict[str, Any]:
        if issubclass(type(ob), type):
            if id(ob) in self.own:
                return {name: value for name, value in vars(ob).items() if not is_dunder(name)}
        elif id(type(ob)) in self.own or self._is_own_function(ob) or issubclass(type(ob), _OPEN_TO_WRITES):
            held: dict[str, Any] = object.__getattribute__(ob, "__dict__")
            if id(type(ob)) not in self.own or id(type(ob)) in self.simple:
                return held
            return {name: value for name, value in held.items() if not self._is_foreign(type(ob), name)}
        raise self._refused(ob, "__dict__")

    def _read_subclasses(self, ob: Any) -> Callable[[], list[type]]:
        if not issubclass(type(ob), type) or id(ob) not in self.own:
            raise self._refused(ob, "__subclasses__")
        return lambda: type.__subclasses__(ob)

    def _setter(self, ob: Any, name: str) -> Callable[..., None]:
        """`object.__setattr__(self, n, v)` and `super().__setattr__(n, v)`, with `setattr`'s checks."""
        found = getattr(ob, name)
        bound_to = _SUPER(ob, "__self__") if type(ob) is super else ob
        unbound = issubclass(type(ob), type)

        def checked(*args: Any) -> None:
            target, *rest = args if unbound else (bound_to, *args)
            self.check_store(target, rest[0] if rest else None)
            found(*args)

        return checked

    # -- writing -------------------------------------------------------------------------------

    def write(self, ob: Any) -> Any:
        """`ob`, if a program may set its attributes; else TypeError."""
        if id(type(ob)) in self.own or self.takes_attributes(ob):
            return ob
        raise TypeError(f"the attributes of {_described(ob)} can't be changed in the sandbox")

    def takes_attributes(self, ob: Any) -> bool:
        """Whether a program may set attributes of `ob`."""
        kind = type(ob)
        owner = ob if issubclass(kind, type) else kind
        if id(owner) in self.own:
            return True
        if self._building and vars(owner).get("__module__") == "__main__":
            self.adopt(owner)  # its body or a hook of it runs: members of an Enum, __init_subclass__
            return True
        return self._is_own_function(ob) or issubclass(kind, _OPEN_TO_WRITES)

    def _is_own_function(self, ob: Any) -> bool:
        return type(ob) is types.FunctionType and ob.__globals__ is self.variables

    def write_private(self, ob: Any, name: str) -> Any:
        """As `write`, for a name that begins with an underscore."""
        ob = self.write(ob)
        self.check_store(ob, name)
        return ob

    def check_store(self, ob: Any, name: Any) -> None:
        """Raise where `ob` may not get an attribute of this name."""
        self.write(ob)
        if type(name) is not str:
            raise TypeError(f"attribute name must be string, not {type(name).__name__!r}")
        if name in INTERNALS or (is_dunder(name) and name not in WRITABLE):
            raise self._refused(ob, name)
        if name.startswith("_") and not is_dunder(name) and name not in DOCUMENTED_PRIVATE:
            owner = ob if issubclass(type(ob), type) else type(ob)
            if self._is_foreign(owner, name):
                raise self._refused(ob, name)

    # -- the built-ins that take attribute names -----------------------------------------------

    def getattr(self, ob: Any, name: Any, default: Any = _MISSING) -> Any:
        """`getattr` under the guard."""
        if type(name) is not str:
            raise TypeError(f"attribute name must be string, not {type(name).__name__!r}")
        try:
            return getattr(ob, name) if is_plain(name) else self.read(ob, name)
        except AttributeError:
            if default is _MISSING:
                raise
            return default

    def hasattr(self, ob: Any, name: Any) -> bool:
        """`hasattr` under the guard."""
        try:
            self.getattr(ob, name)
        except AttributeError:
            return False
        return True

    def setattr(self, ob: Any, name: Any, value: Any) -> None:
        """`setattr` under the guard."""
        self.check_store(ob, name)
        setattr(ob, name, value)

    def delattr(self, ob: Any, name: Any) -> None:
        """`delattr` under the guard."""
        self.check_store(ob, name)
        delattr(ob, name)

    def vars(self, *args: Any) -> dict[str, Any]:
        """`vars(ob)`; without an argument a copy of the program's variables."""
        return self._read_dict(*args) if args else self.globals()

    def globals(self) -> dict[str, Any]:
        """A copy of the program's variables."""
        return {name: value for name, value in self.variables.items() if not _is_hidden(name)}

    def dir(self, *args: Any) -> list[str]:
        """`dir` without the names that can't be read."""
        names = builtins.dir(*args) if args else self.globals()
        return sorted(
            name for name in names if name not in INTERNALS and (not is_dunder(name) or name in READABLE)
        )

    # -- classes -------------------------------------------------------------------------------

    def build_class(self, body: Any, name: str, *bases: Any, metaclass: Any = None, **options: Any) -> Any:
        """What a `class` statement calls."""
        bases = tuple(self._meta if base is self.type else base for base in bases)  # `class Meta(type)`
        for base in bases:
            self._check_base(base)
        if metaclass is not None:
            options["metaclass"] = self._metaclass(metaclass)
        self._building += 1
        try:
            return self.adopt(builtins.__build_class__(body, name, *bases, **options))
        finally:
            self._building -= 1

    def _check_base(self, base: Any) -> None:
        if id(type(base)) in self.own and not issubclass(
            type(base), type
        ):  # its __mro_entries__ could name any class
            raise TypeError(f"a {type(base).__name__!r} object can't be a base in the sandbox")
        if isinstance(base, type) and (issubclass(base, _NOT_A_BASE) or issubclass(type(base), Kind)):
            raise TypeError(f"a class can't be derived from {base.__name__!r} in the sandbox")

    def _metaclass(self, wanted: Any) -> type:
        if wanted is METACLASS:
            return abc.ABCMeta
        if wanted is self.type:
            return type
        if id(wanted) in self.own and issubclass(wanted, type):
            return cast("type", wanted)
        raise TypeError(
            "a metaclass is ABCMeta or a class of the program that is derived from type, in the sandbox"
        )

    def adopt(self, made: Any) -> Any:
        """Take a class that the program made as its own, once its shape is checked."""
        if not isinstance(made, type):
            return made
        for base in type.mro(made)[1:]:
            self._check_base(base)
        if issubclass(made, type) and not issubclass(made, self._meta):
            raise TypeError("a class can't be derived from 'type' in this way in the sandbox")
        for name, value in vars(made).items():
            if type(value) is types.MemberDescriptorType and (name in INTERNALS or is_dunder(name)):
                raise TypeError(f"a class can't have a slot {name!r} in the sandbox")
        self.check_fields(made, getattr(made, "__match_args__", ()))
        self.own[id(made)] = made
        foreign = (part for part in type.mro(made) if id(part) not in self.own)
        if not any(_private_names(part) for part in foreign):
            self.simple.add(id(made))
        return made

    def make_class(self, name: Any, bases: Any, members: Any) -> Any:
        """`type(name, bases, members)`."""
        bases, members = tuple(bases), dict(members)
        check_members(members)
        for base in bases:
            self._check_base(base)
        filled = {"__module__": "__main__", **members}
        return self.adopt(types.new_class(name, bases, {}, lambda space: space.update(filled)))

    def _make_checked(self, bases: Iterable[Any], make: Callable[[], type]) -> Any:
        """As `build_class`, for a class that a metaclass of the program makes."""
        for base in bases:
            self._check_base(base)
        self._building += 1
        try:
            return self.adopt(make())
        finally:
            self._building -= 1

    def check_fields(self, owner: type, names: Any) -> None:
        """Refuse field names that the interpreter would read from instances of `owner` without a guard."""
        if type(names) not in (tuple, list):
            raise TypeError(f"the fields of {owner.__name__!r} must be a tuple of names")
        others = [part for part in type.mro(owner)[1:] if id(part) not in self.own]
        for name in names:
            wrong = type(name) is not str or not name.isidentifier() or name in INTERNALS or is_dunder(name)
            wrong = wrong or (name in CHECKED and issubclass(owner, str))
            if wrong or any(name in _private_names(part) - DOCUMENTED_PRIVATE for part in others):
                raise TypeError(f"{name!r} can't be a field of {owner.__name__!r} in the sandbox")

    def match(self, subject: Any, *classes: Any) -> Any:
        """The subject of a `match`, once it is known what its class patterns would read from it.

        Any class may come here, also one that a program made behind the guards' back.
        """
        for cls in classes:
            if not isinstance(cls, type):
                continue
            if not any(type(cls) is known for known in _PLAIN_METACLASSES):
                raise TypeError("this class can't be a pattern in the sandbox")
            if cls not in _SELF_MATCHING:
                for part in type.mro(cls):
                    self.check_fields(cls, vars(part).get("__match_args__", ()))
        return subject


@functools.cache
def _private_names(part: type) -> frozenset[str]:
    """The private names that a class of the library holds, or that its methods read or set on its instances."""
    found = set(vars(part))
    for value in vars(part).values():
        function = getattr(value, "fget", None) or getattr(value, "__func__", value)
        if type(function) is types.FunctionType:
            found |= set(function.__code__.co_names) - function.__globals__.keys()
    return frozenset(filter(_is_private, found))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not is_dunder(name) and name not in _HARMLESS_PRIVATE


def _described(ob: Any) -> str:
    return f"the class {ob.__name__!r}" if isinstance(ob, type) else f"{type(ob).__name__!r} objects"


def _is_hidden(name: str) -> bool:
    return "!" in name or name == "__builtins__"
