"""What stands behind a callable: the function that has its annotations, its docstring, its name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial


def annotated(func: Callable[..., object]) -> object:
    """The function that carries the annotations: inside a partial, or an object's `__call__`."""
    inner: object = func
    while isinstance(inner, partial):
        inner = inner.func
    if inspect.isroutine(inner) or inspect.isfunction(inner):
        return inner
    return type(inner).__call__ if callable(inner) else inner


def docstring_of(func: Callable[..., object]) -> str:
    """The docstring of a callable: a partial's is its function's, an object's is its `__call__`'s or its class's."""
    inner: object = func
    while isinstance(inner, partial):
        inner = inner.func
    if inspect.isroutine(inner):
        return inspect.getdoc(inner) or ""
    kind = type(inner)
    return (kind.__call__.__doc__ if callable(inner) else None) or kind.__doc__ or ""


def called(func: object) -> str:
    """What to call a function in a message to a person."""
    while isinstance(func, partial):
        func = func.func
    return getattr(func, "__qualname__", None) or type(func).__qualname__
