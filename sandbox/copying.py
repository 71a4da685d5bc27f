"""`copy` without hooks that are kept in an object's own `__dict__`.

`copy.copy` and `copy.deepcopy` ask the object itself for `__reduce_ex__`, not its class. What a program puts
there says which function is called, and which attributes of the outcome are set: on a class of the standard
library too. `dataclasses.asdict` and the `copy` methods of collections use the same two functions.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from .names import PROTOCOL, is_dunder


class _ByClass(dict[type, Callable[[Any], Any]]):
    """The reductions that `copy` knows, with one for every other class that asks the class alone."""

    def get(self, kind: type, default: Any = None) -> Callable[[Any], Any]:
        """How instances of `kind` are taken apart."""
        return super().get(kind, _reduced)


def _reduced(ob: Any) -> Any:
    try:
        held = object.__getattribute__(ob, "__dict__")
    except AttributeError:  # it has slots alone
        held = ()
    for name in held:
        if type(name) is not str or (is_dunder(name) and name not in PROTOCOL):
            raise TypeError(f"an object that holds {name!r} can't be copied in the sandbox")
    kind: Any = type(ob)
    return kind.__reduce_ex__(ob, 4)


def guard_copying() -> None:
    """Have the interpreter's `copy` module ask classes alone, from now on."""
    copy.dispatch_table = _ByClass(copy.dispatch_table)  # type: ignore[attr-defined]  # the module's own name for it
