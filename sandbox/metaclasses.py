"""What `type` is to a program that derives a metaclass from it: its classes are checked however they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from .names import INTERNALS, PROTOCOL, is_dunder, words

CLASS_MEMBERS = PROTOCOL | {"__doc__", "__slots__", "__match_args__"}
_MADE_BY_COMPILER = frozenset(
    f"__{name}__"
    for name in words("""
    module qualname annotations classcell orig_bases static_attributes firstlineno type_params annotate
    annotate_func classdictcell conditional_annotations
    """)
)


class Maker(Protocol):
    """Takes a class that was made as the program's own."""

    def __call__(self, bases: Iterable[Any], make: Callable[[], type]) -> Any:
        """Check the bases, make the class, and check what became of it."""
        ...


def check_members(members: Mapping[Any, Any], allowed: frozenset[str] = CLASS_MEMBERS) -> None:
    """Refuse names that a class body could not bind either."""
    for key in members:
        if type(key) is not str or key in INTERNALS or (is_dunder(key) and key not in allowed):
            raise TypeError(f"a class can't have a member {key!r} in the sandbox")


def metaclass_base(make: Maker) -> type:
    """The class that `class Meta(type)` is derived from."""

    class Base(type):
        def __new__(meta, name: str, bases: Any, members: Any, **options: Any) -> Any:
            bases, members = tuple(bases), dict(members)
            check_members(members, CLASS_MEMBERS | _MADE_BY_COMPILER)
            made = super().__new__
            return make(bases, lambda: made(meta, name, bases, members, **options))

        def mro(cls) -> list[type]:
            # Its being here keeps `Meta.mro` from being the method of `type` itself.
            return super().mro()

    Base.__name__ = Base.__qualname__ = "type"
    Base.__module__ = "builtins"
    return Base
