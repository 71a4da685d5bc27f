"""A tool: a Python function that a model can call, with its errors as values."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Final, Unpack, cast, overload

from .callables import annotated, called, docstring_of
from .calls import Effect, ToolCall, ToolResult, ToolSpec
from .docstrings import read_docstring
from .errors import ArgumentsError, ToolDefinitionError, ToolFailed
from .memory import CallMemory
from .names import legal_name
from .options import ToolOptions, check_options
from .parameters import mended
from .render import (
    MAX_CHARS,
    NoTextForm,
    TooLarge,
    as_text,
    cut,
    encodable,
    exception_text,
    kept,
    traceback_text,
)
from .schema import compile_parameters
from .threads import drive, loop_is_running, spawn
from .wording import Schema

_GRACE = 0.25  # seconds for a cancelled coroutine to clean up before it is left behind


class Tool:
    """A function that a model can call.

    The JSON Schema is built once, here, from the function's signature, annotations and docstring; `args`
    (JSON Schema by parameter), `arg_types` (a Python type by parameter) and `arg_desc` override what is
    read there. `effect` says what a call does to the world ("pure", "read", "write", "irreversible");
    `timeout` is in seconds; `cache` remembers the results of a pure tool; a result is cut to `max_chars`.
    Raises `ToolDefinitionError` when a model could not be told how to call the function.

    >>> def get_order(order_id: int, verbose: bool = False) -> str:
    ...     '''Look an order up.'''
    ...     return f"order {order_id}: 3 items"
    >>> order = Tool(get_order, effect="read")
    >>> order.usage
    'get_order(order_id: integer, verbose: boolean = false)'
    >>> order.run(ToolCall("get_order", {"order_id": "17"})).content
    'order 17: 3 items'
    >>> order.run(ToolCall("get_order", {"order_id": "x"})).error
    'invalid_args'
    """

    def __init__(
        self,
        func: Callable[..., object],
        name: str | None = None,
        desc: str | None = None,
        args: Mapping[str, Schema] | None = None,
        arg_types: Mapping[str, object] | None = None,
        arg_desc: Mapping[str, str] | None = None,
        *,
        effect: Effect = "write",
        timeout: float | None = None,
        cache: bool = False,
        tags: Iterable[str] = (),
        max_chars: int = MAX_CHARS,
    ) -> None:
        _check_function(func)
        check_options(called(func), effect, timeout, cache, max_chars)
        described = read_docstring(docstring_of(func))
        self.func: Final[Callable[..., object]] = func
        self.name: Final[str] = legal_name(name or called(func).rsplit(".", 1)[-1], of=called(func))
        self.desc: Final[str] = described.text if desc is None else desc
        self.effect: Final[Effect] = effect
        self.timeout: Final[float | None] = timeout
        self.cache: Final = cache
        self.tags: Final = frozenset(tags)
        self.max_chars: Final = max_chars
        self.parameters: Final = compile_parameters(func, described, schemas=args, types=arg_types).described(
            arg_desc or {}, of=self.name
        )
        self.usage: Final = self.parameters.usage(self.name)
        self.spec: Final = ToolSpec(self.name, self.desc, self.parameters.json_schema())
        self.is_async: Final = inspect.iscoroutinefunction(func) or inspect.iscoroutinefunction(
            annotated(func)
        )
        self._args: Final = args
        self._arg_types: Final = arg_types
        self._arg_desc: Final = arg_desc
        self._memory: Final = CallMemory() if cache else None
        self.__doc__ = docstring_of(func)
        self.__name__ = self.name
        self.__module__ = getattr(func, "__module__", None) or __name__
        self.__wrapped__ = func

    @property
    def args(self) -> dict[str, Schema]:
        """Each parameter's JSON Schema."""
        return self.parameters.schemas

    @property
    def source(self) -> str:
        """Where the function comes from, for a message to a person: `shop.get_order`."""
        return f"{self.__module__}.{called(self.func)}"

    def __repr__(self) -> str:
        return f"<Tool {self.usage}>"

    def __str__(self) -> str:
        lines = [self.usage, *(f"    {line}" for line in self.desc.splitlines())]
        lines += [
            f"    {name}: {one['description']}" for name, one in self.args.items() if "description" in one
        ]
        return "\n".join(lines)

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Call the function itself: no coercion, and exceptions are exceptions."""
        return self.func(*args, **kwargs)

    async def acall(self, *args: object, **kwargs: object) -> object:
        """Call the function itself and await what it gives, when that can be awaited."""
        result = self.func(*args, **kwargs)
        return await result if isinstance(result, Awaitable) else result

    def __deepcopy__(self, memo: object) -> Tool:
        return self  # nothing in it changes, and the function is the user's own

    def __get__(self, instance: object, owner: type | None = None) -> Tool:
        """A method made into a tool in its class's body, seen from an instance: bound to it.

        Any other tool that a class holds is itself.
        """
        home = called(self.func).rpartition(".")[0]
        if instance is None or all(kind.__qualname__ != home for kind in type(instance).__mro__):
            return self
        bind = getattr(self.func, "__get__", None)
        return self if bind is None else self._made(bind(instance, owner), self.name, self.desc)

    def with_(self, *, name: str | None = None, desc: str | None = None) -> Tool:
        """The same tool under another name or description.

        >>> def ping() -> str: ...
        >>> Tool(ping).with_(name="net_ping").usage
        'net_ping()'
        """
        return self._made(self.func, name or self.name, self.desc if desc is None else desc)

    def _made(self, func: Callable[..., object], name: str, desc: str) -> Tool:
        return Tool(
            func,
            name,
            desc,
            self._args,
            self._arg_types,
            self._arg_desc,
            effect=self.effect,
            timeout=self.timeout,
            cache=self.cache,
            tags=self.tags,
            max_chars=self.max_chars,
        )

    # ---- running a model's call

    def coerced(self, call: ToolCall) -> dict[str, object]:
        """The call's arguments as the function gets them; raises `ArgumentsError`."""
        given: object = call.args
        if call.malformed:
            given = mended(call.malformed)
        if not isinstance(given, Mapping):
            raise ArgumentsError("the arguments must be a JSON object")
        return self.parameters.coerced(given)

    def run(self, call: ToolCall) -> ToolResult:
        """Run a model's call. Blocks, at most `timeout` seconds; what goes wrong is in the result."""
        started = time.perf_counter()
        try:
            ready = self.coerced(call)
        except ArgumentsError as error:
            return self._refused(call, error)
        if self._memory is None:
            return self._run(call, ready, started)
        result = self._memory.known(call, ready)
        if result is None:
            result = self._run(call, ready, started)
            self._memory.keep(ready, result)
        return result

    async def arun(self, call: ToolCall) -> ToolResult:
        """As `run`, without blocking the event loop: a function that blocks has a thread of its own."""
        started = time.perf_counter()
        try:
            ready = self.coerced(call)
        except ArgumentsError as error:
            return self._refused(call, error)
        if self._memory is not None and (known := self._memory.known(call, ready)) is not None:
            return known
        if self.is_async:
            result = await self._in_time(call, ready, started)
        else:
            future = asyncio.wrap_future(spawn(lambda: self._finished(call, ready, started), self.name))
            try:
                done, _ = await asyncio.wait({future}, timeout=self.timeout)
                result = future.result() if done else self._late(call, started)
            finally:
                future.cancel()  # the thread itself can't be stopped; its late result is dropped
        if self._memory is not None:
            self._memory.keep(ready, result)
        return result

    def _run(self, call: ToolCall, ready: dict[str, object], started: float) -> ToolResult:
        if self.is_async:
            if self.timeout is None and not loop_is_running():
                return asyncio.run(self._awaited(call, ready, started))
            # its own loop in its own thread: one can't run inside another, and a coroutine that
            # blocks or will not be cancelled can still be left behind
            future = spawn(lambda: asyncio.run(self._in_time(call, ready, started)), self.name)
            patience = None if self.timeout is None else self.timeout + 2 * _GRACE
        elif self.timeout is None:
            return self._finished(call, ready, started)
        else:
            future, patience = spawn(lambda: self._finished(call, ready, started), self.name), self.timeout
        try:
            return future.result(patience)
        except TimeoutError:
            return self._late(call, started)

    def _finished(self, call: ToolCall, ready: dict[str, object], started: float) -> ToolResult:
        try:
            by_position, by_name = self.parameters.split(ready)
            value = self.func(*by_position, **by_name)
            if hasattr(type(value), "__await__"):  # a plain function that hands out a coroutine
                value = drive(cast("Coroutine[object, object, object]", value))
            return self._succeeded(call, value, started)
        except Exception as error:  # noqa: BLE001 - a tool's exception is an observation, whatever it is
            return self._failed(call, error, started)

    async def _awaited(self, call: ToolCall, ready: dict[str, object], started: float) -> ToolResult:
        try:
            by_position, by_name = self.parameters.split(ready)
            value = await cast("Awaitable[object]", self.func(*by_position, **by_name))
            return self._succeeded(call, value, started)
        except Exception as error:  # noqa: BLE001 - as above
            return self._failed(call, error, started)

    async def _in_time(self, call: ToolCall, ready: dict[str, object], started: float) -> ToolResult:
        if self.timeout is None:
            return await self._awaited(call, ready, started)
        task = asyncio.ensure_future(self._awaited(call, ready, started))
        try:
            done, _ = await asyncio.wait({task}, timeout=self.timeout)
            if done:
                return task.result()
            task.cancel()
            await asyncio.wait({task}, timeout=_GRACE)
        finally:
            task.cancel()
        return self._late(call, started)

    # ---- results

    def _succeeded(self, call: ToolCall, value: object, started: float) -> ToolResult:
        seconds = time.perf_counter() - started
        try:
            text = as_text(value)
        except TooLarge as error:
            return ToolResult.failed(
                call, "too_large", f"Error: {self.name} returned {error}, too large to show", seconds=seconds
            )
        except NoTextForm as error:
            content = f"Error: {self.name} returned {error}, which has no text form"
            return ToolResult.failed(call, "unserialisable", content, seconds=seconds)
        except Exception as error:  # noqa: BLE001 - a value's own methods are a stranger's code
            content = f"Error: {self.name} returned something that can't be shown: {exception_text(error)}"
            return ToolResult.failed(
                call, "unserialisable", content, seconds=seconds, detail=traceback_text(error)
            )
        shown = encodable(cut(text, self.max_chars))
        return ToolResult(call, shown, None, value, seconds, kept(text) if len(text) > self.max_chars else "")

    def _failed(self, call: ToolCall, error: Exception, started: float) -> ToolResult:
        seconds = time.perf_counter() - started
        if isinstance(error, ToolFailed):
            words = encodable(cut(f"Error: {error}", self.max_chars))
            return ToolResult.failed(call, "raised", words, seconds=seconds)
        words = encodable(f"Error: {self.name} failed: {exception_text(error)}")
        return ToolResult.failed(call, "raised", words, seconds=seconds, detail=traceback_text(error))

    def _late(self, call: ToolCall, started: float) -> ToolResult:
        content = f"Error: {self.name} did not finish within {self.timeout:g} s"
        return ToolResult.failed(call, "timeout", content, seconds=time.perf_counter() - started)

    def _refused(self, call: ToolCall, error: ArgumentsError) -> ToolResult:
        text = str(error)
        end = "" if text.endswith("?") else "."
        content = encodable(f"Error: {self.name}: {text}{end} Usage: {self.usage}")
        return ToolResult.failed(call, "invalid_args", content)


@overload
def tool(func: Callable[..., object], /) -> Tool: ...


@overload
def tool(**options: Unpack[ToolOptions]) -> Callable[[Callable[..., object]], Tool]: ...


def tool(
    func: Callable[..., object] | None = None, /, **options: Unpack[ToolOptions]
) -> Tool | Callable[[Callable[..., object]], Tool]:
    """Make a function into a `Tool`; with options or without.

    >>> @tool(effect="pure")
    ... def double(n: int) -> int:
    ...     return 2 * n
    >>> double(4), double.run(ToolCall("double", {"n": "4"})).content
    (8, '8')
    """
    if func is not None:
        return Tool(func)
    return lambda decorated: Tool(decorated, **options)


def _check_function(func: object) -> None:
    if isinstance(func, Tool):
        raise ToolDefinitionError(f"{func.name} is a tool already; its with_() gives a changed copy")
    if isinstance(func, type) or not callable(func):
        kind = f"the class {func.__qualname__}" if isinstance(func, type) else f"a {type(func).__name__}"
        raise ToolDefinitionError(f"a tool is made from a function or a method, not from {kind}")
