"""`copy` that neither reads nor sets an attribute on an object of another class than the one it copies.

`copy.copy` and `copy.deepcopy` ask the object itself for `__reduce_ex__`, not its class. What a program puts
there says which function is called, and which attributes of the outcome are set: on a class of the standard
library too. Nor may a class's own `__new__` or hooks hand out something else for the copied state to be set
on. `dataclasses.asdict` and the `copy` methods of collections use the same two functions.
"""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import Callable
from typing import Any

from .names import PROTOCOL, is_dunder


class _ByClass(dict[type, Callable[[Any], Any]]):
    """The reductions that `copy` knows, with one for every other class that asks the class alone."""

    def get(self, kind: type, default: Any = None) -> Callable[[Any], Any]:
        """How instances of `kind` are taken apart."""
        return super().get(kind, _reduced)


def _reduced(ob: Any) -> Any:
    kind: Any = type(ob)
    if (
        kind is types.MethodType
    ):  # its own reduction reads an attribute by the function's name, which is writable
        return types.MethodType, (ob.__func__, ob.__self__)
    try:
        held = object.__getattribute__(ob, "__dict__")
    except AttributeError:  # it has slots alone
        held = ()
    for name in held:
        if type(name) is not str or (is_dunder(name) and name not in PROTOCOL):
            raise TypeError(f"an object that holds {name!r} can't be copied in the sandbox")
    found = kind.__reduce_ex__(ob, 4)
    if type(found) is str:
        return found
    if type(found) is not tuple or len(found) < 2:
        raise TypeError(f"a {kind.__name__!r} object can't be copied in the sandbox")
    make, args, *rest = found
    has_state = bool(rest) and rest[0] is not None
    return functools.partial(_made, kind if has_state else None, make), args, *rest


def _made(kind: type | None, make: Callable[..., Any], *args: Any) -> Any:
    """The copy before its state is set, which sets attributes: on an object of the original's class only."""
    if make is getattr:
        raise TypeError("an object that is copied by reading an attribute can't be copied in the sandbox")
    made = make(*args)
    if kind is not None and type(made) is not kind:
        raise TypeError(
            f"the copy of a {kind.__name__!r} object can't be a {type(made).__name__!r} in the sandbox"
        )
    return made


def guard_copying() -> None:
    """Have the interpreter's `copy` module ask classes alone, from now on."""
    copy.dispatch_table = _ByClass(copy.dispatch_table)  # type: ignore[attr-defined]  # the module's own name for it
