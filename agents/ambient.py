"""The context: which model, which adapter, who is watching. The one ambient object of the package.

`configure` sets it for the whole process, `context` for the code inside a `with`; threads and tasks that
the framework starts inherit it.
"""

from __future__ import annotations

import contextvars
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any, TextIO, TypeVar

from loopwright.tools.approval import Approval
from loopwright.tools.errors import WorldError
from loopwright.tools.tool_context import ToolRun, policy_comes_from
from loopwright.tools.world import Environment, World

from .adapters.base import Adapter
from .adapters.chat import ChatAdapter
from .adapters.native import NativeAdapter
from .callbacks import BaseCallback
from .errors import ConfigurationError
from .models.base import BaseLM
from .models.lm import LM
from .models.shown import describe_call
from .retrieval import Index, as_index
from .seams import Meter, Recorder
from .trace import Exchange, Trace

T = TypeVar("T")

log = logging.getLogger("loopwright")

HISTORY = 200  # exchanges that inspect_history can look back on


@dataclass(frozen=True, slots=True)
class Context:
    """What a call finds around it.

    `lm` None means: the model that `LOOPWRIGHT_MODEL` names, else the embedded one. `adapter` None means:
    the one that fits the model. `documents` are what `Retrieve` searches. `approval` says which tool calls are allowed,
    and whom to ask; in a `dry_run` no tool runs that could change anything. `world` is what tools with a parameter of
    type `World` work on. `callbacks` are told what happens;
    `budget` and `recorder` are set by `with Budget(...)` and `with Journal(...)`. `blocking` says that the code runs
    without an event loop; `module_call` names the module call that it is in, for watchers.
    """

    lm: BaseLM | None = None
    adapter: Adapter | None = None
    documents: Index | None = None
    approval: Approval | None = None
    dry_run: bool = False
    world: Environment | None = None
    trace: Trace | None = None
    callbacks: tuple[BaseCallback, ...] = ()
    budget: Meter | None = None
    recorder: Recorder | None = None
    num_threads: int = 8
    blocking: bool = False
    module_call: str = ""
    history: deque[Exchange] = field(default_factory=lambda: deque(maxlen=HISTORY), repr=False)
    _other: Context | None = field(default=None, init=False, repr=False, compare=False)

    def waiting(self, *, blocking: bool) -> Context:
        """The same for code that waits in this way; made once, since every call and every step asks for it."""
        if self.blocking is blocking:
            return self
        other = self._other
        if other is None:
            other = replace(self, blocking=blocking)
            object.__setattr__(self, "_other", other)
        return other


class _Process:
    """What `configure` sets: the context of code that is in no `with context(...)`."""

    context = Context()
    lock = threading.Lock()
    blocks = 0  # of `with context(...)` and the like that are open in some thread
    warned = False


_current: ContextVar[Context | None] = ContextVar("loopwright_context", default=None)
_INTERNAL = {"blocking", "history", "module_call", "budget", "recorder", "_other"}
_OPTIONS = {f.name for f in fields(Context)} - _INTERNAL


def current() -> Context:
    """The context of the running code."""
    return _current.get() or _Process.context


def configure(**options: Any) -> None:
    """Set the model, the adapter and so on for the whole process.

    >>> configure(num_threads=8)
    >>> configure(model="openai/gpt-5-mini")
    Traceback (most recent call last):
    loopwright.errors.ConfigurationError: no setting 'model'; there are: adapter, approval, callbacks, documents, dry_run, lm, num_threads, trace, world
    """
    checked = _checked(options)
    with _Process.lock:
        _Process.context = replace(_Process.context, **checked)


@contextmanager
def context(**options: Any) -> Iterator[Context]:
    """Set the model, the adapter and so on inside a `with`.

    >>> with context(num_threads=2) as inside:
    ...     inside.num_threads
    2
    """
    new = replace(current(), **_checked(options))
    token = set_context(new)
    try:
        yield new
    finally:
        reset(token)


def inherited() -> contextvars.Context:
    """The caller's context, for a thread or task that is started in its name; it sees what its starter saw.

    That is so also where the starter stands in no `with context(...)`: its thread is then no stranger's that forgot one.
    """
    copied = contextvars.copy_context()
    copied.run(_current.set, current())
    return copied


def warn_of_plain_thread() -> None:
    """Say once that a thread of the user's own sees nothing of `with context(...)`, where one is open elsewhere."""
    if _current.get() is None and _Process.blocks and not _Process.warned:
        _Process.warned = True
        log.warning(
            "the thread %r sees nothing of `with context(...)`, budgets and journals: threads of your own start with an "
            "empty context. Start it with contextvars.copy_context().run, or use batch(), Parallel or Evaluate",
            threading.current_thread().name,
        )


def _policy() -> ToolRun | None:
    """The context's policy, for tool calls that belong to no agent's run."""
    here = current()
    if here.approval is None and not here.dry_run and here.world is None:
        return None
    return ToolRun(approval=here.approval, dry_run=here.dry_run, environment=here.world)


policy_comes_from(_policy)


class Settings:
    """The context, read as attributes: `settings.lm`."""

    def __getattr__(self, name: str) -> Any:
        if name not in _OPTIONS:
            raise AttributeError(_no_setting(name))
        return getattr(current(), name)

    def __getitem__(self, name: str) -> Any:
        if name not in _OPTIONS:
            raise KeyError(_no_setting(name))
        return getattr(current(), name)

    def get(self, name: str, default: Any = None) -> Any:
        """A setting, or the default where there is none of that name."""
        return getattr(current(), name) if name in _OPTIONS else default

    def configure(self, **options: Any) -> None:
        """The same as `loopwright.configure`."""
        configure(**options)

    def context(self, **options: Any) -> Any:
        """The same as `loopwright.context`."""
        return context(**options)


settings = Settings()


def _checked(options: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(options) - _OPTIONS)
    if unknown:
        raise ConfigurationError(_no_setting(unknown[0]))
    return {name: _CHECKS.get(name, _as_it_is)(value) for name, value in options.items()}


# Settings of DSPy's, and what is in their place.
_ELSEWHERE = {
    "allow_tool_async_sync_conversion": "async tools work in plain code as they are",
    "async_max_workers": "awaited modules need no threads",
    "max_errors": "it is an argument of Evaluate, Parallel and batch",
    "provide_traceback": "it is an argument of Evaluate and Parallel",
    "rm": "Retrieve searches documents=...",
    "track_usage": "usage is counted by `with track_usage() as usage`",
}


def _no_setting(name: str) -> str:
    instead = f" ({_ELSEWHERE[name]})" if name in _ELSEWHERE else ""
    return f"no setting {name!r}{instead}; there are: {', '.join(sorted(_OPTIONS))}"


def _checked_lm(lm: object) -> BaseLM | None:
    if lm is None or isinstance(lm, BaseLM):
        return lm
    if isinstance(lm, str):
        return LM(lm)
    raise ConfigurationError(f"lm must be a model, as in lm=LM('openai/gpt-5-mini'), not {_kind(lm)}")


def _checked_adapter(adapter: object) -> Adapter | None:
    if adapter is None or isinstance(adapter, Adapter):
        return adapter
    raise ConfigurationError(f"adapter must be an adapter, as in adapter=JSONAdapter(), not {_kind(adapter)}")


def _checked_documents(documents: object) -> Index | None:
    return None if documents is None else as_index(documents)


def _checked_approval(approval: object) -> Approval | None:
    if approval is None or isinstance(approval, Approval):
        return approval
    if isinstance(approval, Mapping):
        return Approval(approval)
    raise ConfigurationError(
        f'approval must be rules, as in approval={{"read_*": "allow", "*": "ask"}}, or an Approval, not {_kind(approval)}'
    )


def _checked_world(world: object) -> Environment | None:
    if world is None or isinstance(world, Environment):
        return world
    try:
        return Environment(World(world) if isinstance(world, Mapping) else world)
    except WorldError as error:
        raise ConfigurationError(f"world: {error}") from error


def _checked_callbacks(callbacks: object) -> tuple[BaseCallback, ...]:
    given = tuple(callbacks) if isinstance(callbacks, Iterable) else (callbacks,)
    for one in given:
        if not isinstance(one, BaseCallback):
            raise ConfigurationError(
                f"callbacks are objects of classes derived from loopwright.BaseCallback, not {_kind(one)}"
            )
    return given


def _checked_threads(count: object) -> int:
    if isinstance(count, int) and not isinstance(count, bool) and count >= 1:
        return count
    raise ConfigurationError(f"num_threads must be a whole number of at least 1, not {count!r}")


def _as_it_is(value: Any) -> Any:
    return value


def _kind(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "lm": _checked_lm,
    "adapter": _checked_adapter,
    "documents": _checked_documents,
    "approval": _checked_approval,
    "callbacks": _checked_callbacks,
    "world": _checked_world,
    "num_threads": _checked_threads,
}


def current_lm(own: BaseLM | None = None) -> BaseLM:
    """The model to ask: a module's own, else the context's, else the default."""
    chosen = own if own is not None else current().lm
    return chosen if chosen is not None else _default_lm(os.environ.get("LOOPWRIGHT_MODEL", ""))


@cache
def _default_lm(name: str) -> BaseLM:
    if name:
        return LM(name)
    log.warning(
        "no model configured: the small embedded one answers, for trying only; another: LOOPWRIGHT_MODEL=openai/gpt-5-mini"
    )
    return LM("embedded")


def current_adapter(lm: BaseLM, *, agent: bool) -> Adapter:
    """The context's adapter, else the one that fits what the model can do."""
    chosen = current().adapter
    if chosen is not None:
        return chosen
    can = lm.capabilities
    return _NATIVE if not can.chat or (agent and can.native_tools) else _CHAT


_CHAT = ChatAdapter()
_NATIVE = NativeAdapter()


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine whose every leaf blocks, without an event loop.

    The framework's own loops are written once, as coroutines; this is how a plain call runs them.
    """
    warn_of_plain_thread()
    token = _current.set(current().waiting(blocking=True))
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        _current.reset(token)
    coroutine.close()
    raise RuntimeError("this loop waits for an event loop: use acall()")


def unblocked() -> entered:
    """A context for code that has an event loop of its own."""
    return entered(current().waiting(blocking=False))


def set_context(new: Context) -> Token[Context | None]:
    """Make this the context; give the token to `reset` afterwards."""
    with _Process.lock:
        _Process.blocks += 1
    return _current.set(new)


def reset(token: Token[Context | None]) -> None:
    """Put back the context that was there before."""
    with _Process.lock:
        _Process.blocks -= 1
    _current.reset(token)


class entered:  # noqa: N801  # reads as the function that it would be, were it not for what a generator costs
    """Make this the context inside a `with`."""

    __slots__ = ("_new", "_token")

    def __init__(self, new: Context) -> None:
        self._new = new

    def __enter__(self) -> None:
        self._token = _current.set(self._new)

    def __exit__(self, *error: object) -> None:
        _current.reset(self._token)


def in_this_context(items: Generator[T, None, None]) -> Generator[T, None, None]:
    """The same items, each made in the context of this call, wherever and by whomever they are read.

    A plain generator runs in the context of whoever asks it for an item.

    >>> def counts():
    ...     while True:
    ...         yield current().num_threads
    >>> with context(num_threads=2):
    ...     items = in_this_context(counts())
    >>> next(items)
    2
    """
    return _read_in(current(), items)


def _read_in(here: Context, items: Generator[T, None, None]) -> Generator[T, None, None]:
    try:
        while True:
            with entered(here):
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item
    finally:
        with entered(here):
            items.close()


def awaited_in_this_context(items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """As `in_this_context`, for items that are awaited."""
    return _await_in(current(), items)


async def _await_in(here: Context, items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    try:
        while True:
            with entered(here):
                try:
                    item = await anext(items)
                except StopAsyncIteration:
                    return
            yield item
    finally:
        with entered(here):
            await items.aclose()


def inspect_history(n: int = 1, file: TextIO | None = None) -> None:
    """Print the last `n` exchanges with models: every message, the tools' names, the answer."""
    out = file or sys.stdout
    for exchange in list(current().history)[-n:]:
        out.write(describe_exchange(exchange) + "\n")


def describe_exchange(exchange: Exchange) -> str:
    """An exchange as text: what `inspect_history` prints."""
    return describe_call(exchange.model, exchange.request, exchange.response, exchange.seconds)
