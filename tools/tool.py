"""A tool: a Python function that a model can call, with its errors as values."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final, Unpack, overload

from .callables import annotated, called, docstring_of
from .calls import Effect, ToolCall, ToolResult, ToolSpec
from .docstrings import read_docstring
from .effects import RULES
from .errors import ArgumentsError, ToolDefinitionError, with_article
from .execution import arun_call, run_call
from .isolated import Reference
from .memory import CallMemory
from .names import legal_name
from .options import RETRIES, RETRY_ON, ToolOptions, check_options
from .parameters import mended
from .render import MAX_CHARS
from .schema import compile_parameters
from .tool_context import ToolRun
from .wording import Schema


class Tool:
    """A function that a model can call.

    The JSON Schema is built once, here, from the function's signature, annotations and docstring; `args`
    (JSON Schema by parameter), `arg_types` (a Python type by parameter) and `arg_desc` override what is
    read there. `effect` says what a call does to the world ("pure", "read", "write", "irreversible"; what that decides
    is in `loopwright.tools.effects`). `timeout` is in seconds; with `isolate` the function runs in a process of its
    own, which is killed when its time is up. `cache` remembers the results of a pure tool for good, and those of a
    reading one until its run writes. A call of either that raises one of `retry_on` (a lost connection, a time-out)
    is made again, `retries` times (2 unless told). A result is cut to `max_chars`. A parameter that is annotated
    `ToolContext`, `World` or with any class that has `snapshot` and `restore` is filled in, and no model sees it.
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
        isolate: bool = False,
        cache: bool = False,
        retries: int | None = None,
        retry_on: tuple[type[Exception], ...] = RETRY_ON,
        tags: Iterable[str] = (),
        max_chars: int = MAX_CHARS,
    ) -> None:
        _check_function(func)
        check_options(called(func), effect, timeout, cache, retries, max_chars)
        described = read_docstring(docstring_of(func))
        self.func: Final[Callable[..., object]] = func
        self.name: Final[str] = legal_name(
            name or getattr(func, "__name__", "") or called(func).rsplit(".", 1)[-1], of=called(func)
        )
        self.desc: Final[str] = described.text if desc is None else desc
        self.effect: Final[Effect] = effect
        self.timeout: Final[float | None] = timeout
        self.rules: Final = RULES[effect]
        self.cache: Final = cache
        self.isolate: Final = isolate
        self.reference: Final = Reference.of(func) if isolate else None
        self.retries: Final[int] = (RETRIES if self.rules.retried else 0) if retries is None else retries
        self.retry_on: Final = retry_on
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
        self.context_name: Final = self.parameters.context
        self.world: Final = self.parameters.world
        if isolate and (self.context_name or self.world):
            what = "a ToolContext" if self.context_name else "a world"
            raise ToolDefinitionError(
                f"{called(func)} runs isolated and takes {what}: a run can't be shared with another process"
            )
        if cache and self.world and self.rules.remembered == "always":
            raise ToolDefinitionError(
                f'{called(func)} works on a world, so that its results are good until that changes: effect="read"'
            )
        self.memory: Final = CallMemory() if cache else None
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
        if name is None and desc is not None:
            return self._described(desc)
        return self._made(self.func, name or self.name, self.desc if desc is None else desc)

    def _described(self, desc: str) -> Tool:
        """The same tool, its schema and what it remembers shared, under another description."""
        new = copy.copy(self)
        vars(new).update(desc=desc, spec=replace(self.spec, description=desc))
        return new

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
            isolate=self.isolate,
            cache=self.cache,
            retries=self.retries,
            retry_on=self.retry_on,
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

    def run(self, call: ToolCall, run: ToolRun | None = None) -> ToolResult:
        """Run a model's call. Blocks, at most `timeout` seconds; what goes wrong is in the result.

        `run` is what the call belongs to: the run's state, policy and record.
        """
        return run_call(self, call, run)

    async def arun(self, call: ToolCall, run: ToolRun | None = None) -> ToolResult:
        """As `run`, without blocking the event loop: a function that blocks has a thread of its own."""
        return await arun_call(self, call, run)


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
        kind = (
            f"the class {func.__qualname__}" if isinstance(func, type) else with_article(type(func).__name__)
        )
        raise ToolDefinitionError(f"a tool is made from a function or a method, not from {kind}")
