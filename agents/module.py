"""Modules: programs made of predictors. A program is code plus state; state is what was learned."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import warnings
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar

from loopwright.tools import ToolRegistry
from loopwright.tools.errors import with_article

from .ambient import awaited_in_this_context, current, drive, in_this_context, unblocked
from .calling import module_call
from .errors import ConfigurationError, InputError, LoopwrightError, StateError
from .example import Example
from .models.base import BaseLM
from .parallel import in_threads
from .state import State, dump_state, read_program, refuse_pickle, undump_state, write_program
from .streaming import Event, aevents, events

T = TypeVar("T")


def both_ways(loop: Callable[..., Coroutine[Any, Any, T]]) -> Callable[..., T]:
    """The plain form of a loop that was written as a coroutine."""

    def forward(self: Any, *args: Any, **inputs: Any) -> T:
        return drive(loop(self, *args, **inputs))

    forward.__doc__ = loop.__doc__
    return forward


class Module:
    """A program. A subclass defines `forward` (or `aforward`) and keeps its parts in attributes.

    Predictors are found in attributes, lists, tuples and dicts, at any depth; `super().__init__()` need
    not be called. A call returns what `forward` returns; `acall` is the same without blocking, and a
    `forward` that blocks runs in a thread then (which runs on when the awaiting task is cancelled).

    >>> from loopwright.example import Prediction
    >>> class Shout(Module):
    ...     def forward(self, text):
    ...         return Prediction(text=text.upper())
    >>> Shout()(text="hey").text
    'HEY'
    """

    compile_report: Any = None  # of the optimizer that made this program, if one did
    _entry: ClassVar[Literal["both", "forward", "aforward", "none"]] = "none"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for base in cls.__mro__:
            own = {"forward", "aforward"} & vars(base).keys()
            if own:
                cls._entry = "both" if len(own) == 2 else "forward" if "forward" in own else "aforward"
                break

    def __call__(self, *args: Any, **inputs: Any) -> Any:
        """Run the program."""
        self._check_entry()
        if not current().callbacks:
            return self._called(args, inputs)
        with module_call(self, inputs) as returned:
            returned.append(self._called(args, inputs))
        return returned[0]

    def _called(self, args: tuple[Any, ...], inputs: Mapping[str, Any]) -> Any:
        if self._entry == "aforward":
            return _run_in_loop(lambda: self._aforward(*args, **inputs))
        if self._entry == "forward" and current().blocking:
            with unblocked():  # a user's forward may have event loops of its own
                return self._forward(*args, **inputs)
        return self._forward(*args, **inputs)

    async def acall(self, *args: Any, **inputs: Any) -> Any:
        """Run the program without blocking the event loop."""
        self._check_entry()
        if current().blocking:
            return self(*args, **inputs)
        if not current().callbacks:
            return await self._acalled(args, inputs)
        with module_call(self, inputs) as returned:
            returned.append(await self._acalled(args, inputs))
        return returned[0]

    async def _acalled(self, args: tuple[Any, ...], inputs: Mapping[str, Any]) -> Any:
        if self._entry == "forward":
            return await asyncio.to_thread(self._forward, *args, **inputs)
        return await self._aforward(*args, **inputs)

    def stream(self, *args: Any, **inputs: Any) -> Generator[Event, None, None]:
        """Run the program and give its events as they happen, an `EndEvent` with what it returns last.

        Who stops reading (closes the iterator) stops the program. The program runs in a thread of its own.
        """
        return in_this_context(events(lambda: self.acall(*args, **inputs)))

    def astream(self, *args: Any, **inputs: Any) -> AsyncGenerator[Event, None]:
        """As `stream`, without blocking the event loop."""
        return awaited_in_this_context(aevents(lambda: self.acall(*args, **inputs)))

    @property
    def _forward(self) -> Callable[..., Any]:
        return self.forward  # type: ignore[attr-defined,no-any-return]  # checked by _check_entry

    @property
    def _aforward(self) -> Callable[..., Awaitable[Any]]:
        return self.aforward  # type: ignore[attr-defined,no-any-return]  # as above

    def _check_entry(self) -> None:
        if self._entry == "none":
            raise TypeError(
                f"{type(self).__name__} defines neither forward() nor aforward(): write one of them"
            )

    def __repr__(self) -> str:
        inside = "".join(f"\n  {path} = {predictor!r}" for path, predictor in self.named_predictors())
        return f"{type(self).__name__}({inside}\n)" if inside else f"{type(self).__name__}()"

    # What it is made of

    def named_sub_modules(self, type_: type | None = None) -> Iterator[tuple[str, Module]]:
        """Every module in this one, itself first ("" as its path), each once; with `type_` those of that class alone."""
        found = self._walked()
        return found if type_ is None else ((path, part) for path, part in found if isinstance(part, type_))

    def _walked(self) -> Iterator[tuple[str, Module]]:
        seen: set[int] = set()

        def walk(path: str, value: object) -> Iterator[tuple[str, Module]]:
            if id(value) in seen:
                return
            if isinstance(value, Module):
                seen.add(id(value))
                yield path, value
                for name, part in vars(value).items():
                    yield from walk(f"{path}.{name}" if path else name, part)
            elif isinstance(value, dict):
                seen.add(id(value))
                for key, part in value.items():
                    yield from walk(f"{path}[{key!r}]", part)
            elif isinstance(value, list | tuple):
                seen.add(id(value))
                for index, part in enumerate(value):
                    yield from walk(f"{path}[{index}]", part)

        yield from walk("", self)

    def named_predictors(self) -> list[tuple[str, Any]]:
        """Every predictor with its path, in the order of the attributes."""
        return [(path or "self", m) for path, m in self.named_sub_modules() if m.is_predictor]

    def predictors(self) -> list[Any]:
        """Every predictor."""
        return [predictor for _, predictor in self.named_predictors()]

    @property
    def needs_thread(self) -> bool:
        """Whether it can only be called, so that `acall` needs a thread for it."""
        return self._entry == "forward"

    @property
    def is_predictor(self) -> bool:
        """Whether this module itself asks a model, and so has state."""
        return False

    def set_lm(self, lm: BaseLM | None) -> None:
        """Make every predictor ask this model, whatever the context says."""
        for predictor in self.predictors():
            predictor.lm = lm

    def get_lm(self) -> BaseLM | None:
        """The model that all predictors were set to; raises ValueError where they differ."""
        models = {id(p.lm): p.lm for p in self.predictors()}
        if len(models) > 1:
            raise ValueError("the predictors ask different models: look at each predictor's lm")
        return next(iter(models.values()), None)

    def map_named_predictors(self, func: Callable[[Any], Any]) -> Self:
        """Put what a function makes of each predictor in its place; the program itself is changed.

        A program that is a predictor can't replace itself, and raises ValueError.
        """
        if self.is_predictor:
            raise ValueError("a predictor can't replace itself: map the program that it is a part of")
        replaced = {id(predictor): func(predictor) for predictor in self.predictors()}
        done: dict[int, Any] = {}
        for name, part in list(vars(self).items()):
            vars(self)[name] = _copy_with(part, replaced, done)
        return self

    # Copies

    def deepcopy(self) -> Self:
        """A copy that shares nothing that learning changes; models and tools are shared."""
        return copy.deepcopy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        new = copy.copy(self)
        memo[id(self)] = new
        for name, value in vars(self).items():
            vars(new)[name] = value if isinstance(value, ToolRegistry) else _copied(value, memo)
        return new

    def reset_copy(self) -> Self:
        """A copy whose predictors have forgotten their demonstrations."""
        new = self.deepcopy()
        for predictor in new.predictors():
            predictor.demos = []
        return new

    def with_state(self, states: Mapping[str, State]) -> Self:
        """A copy in which the predictors at these paths have these states; the rest is shared.

        Raises `StateError` for a path that is not there or a state that does not fit.
        """
        there = dict(self.named_predictors())
        unknown = sorted(set(states) - set(there))
        if unknown:
            raise StateError(f"no predictor at {unknown[0]!r}; there are: {', '.join(there) or 'none'}")
        replaced = {
            id(there[path]): there[path].with_own_state(state, path) for path, state in states.items()
        }
        new: Self = _copy_with(self, replaced, {})
        return new

    def states(self) -> dict[str, State]:
        """What every predictor has learned, by path."""
        return {path: predictor.own_state() for path, predictor in self.named_predictors()}

    # Many at once

    def batch(
        self,
        examples: Sequence[Example | Mapping[str, Any]],
        num_threads: int | None = None,
        max_errors: int | None = None,
        return_failed_examples: bool = False,
        provide_traceback: bool | None = None,
        disable_progress_bar: bool = False,
        timeout: int = 120,
        straggler_limit: int = 3,
    ) -> Any:
        """Run the program on the inputs of many examples, in threads; results keep their order.

        A dict in place of an example is all inputs; for anything else `InputError` is raised before a run is begun.
        The first error is raised after all have run, or after `max_errors` of them, when no further example is begun.
        With `return_failed_examples` the result is (predictions, failed examples, their errors), as in DSPy. The
        arguments after it are taken because DSPy's programs give them, and change nothing.
        """
        failures: list[Exception] = []
        _check_examples(examples)

        def one(example: Example | Mapping[str, Any]) -> Any:
            if max_errors is not None and len(failures) >= max_errors:
                raise LoopwrightError(f"not run: {max_errors} examples had failed before (max_errors)")
            try:
                return self(**(example.inputs().toDict() if isinstance(example, Example) else example))
            except Exception as error:
                failures.append(error)
                raise

        outcomes = in_threads(one, examples, num_threads or current().num_threads)
        failed = [
            (example, o) for example, o in zip(examples, outcomes, strict=True) if isinstance(o, Exception)
        ]
        done = [o for o in outcomes if not isinstance(o, Exception)]
        if return_failed_examples:
            return done, [example for example, _ in failed], [error for _, error in failed]
        if failed:
            raise failed[0][1]
        return done

    # Saving

    def dump_state(self) -> dict[str, Any]:
        """What was learned, as JSON's own types, by predictor path. No keys, no code."""
        return {path: dump_state(state) for path, state in self.states().items()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over what `dump_state` gave; raises `StateError` where it does not fit, changing nothing."""
        there = dict(self.named_predictors())
        for path in state:
            if path not in there:
                raise StateError(
                    f"the state has a predictor {path!r} that this program lacks; it has: {', '.join(there)}"
                )
        missing = [path for path in there if path not in state]
        if missing:
            raise StateError(
                f"the state lacks the predictor {missing[0]!r}; it has: {', '.join(state) or 'none'}"
            )
        new = {
            path: there[path].with_own_state(undump_state(saved, path), path) for path, saved in state.items()
        }
        for path, predictor in new.items():
            vars(there[path]).update(vars(predictor))

    def save(self, path: str | Path, save_program: bool = False) -> None:
        """Write what was learned to a JSON file, whole or not at all; `save_program`, which DSPy has, is refused.

        A program without predictors, which has learned nothing, is saved with a warning.
        """
        if save_program:
            raise ConfigurationError(
                "a saved program holds no code: save(path) writes what was learned, and the program that is made again "
                "in your code takes it over with load(path)"
            )
        state = self.dump_state()
        if not state:
            warnings.warn(
                f"{type(self).__name__} has no predictors, and what is saved is empty: make them in __init__ and keep "
                "them in attributes; those that forward() makes are new at each call and learn nothing",
                stacklevel=2,
            )
        write_program(path, state)

    def load(self, path: str | Path, allow_pickle: bool = False) -> None:
        """Take over what `save` wrote; raises `StateError` that names the file and what does not fit."""
        refuse_pickle(allow_pickle)
        self.load_state(read_program(path))


def _check_examples(examples: Sequence[object]) -> None:
    for place, example in enumerate(examples):
        if not isinstance(example, Example | Mapping):
            raise InputError(
                f"examples[{place}] is {with_article(type(example).__name__)}: give an Example with its inputs named, "
                'Example(question="…").with_inputs("question"), or a dict of the inputs, {"question": "…"}'
            )


def _run_in_loop(start: Callable[[], Awaitable[T]]) -> T:
    """Run a user's coroutine from plain code: in a new event loop, in a thread if this one has a loop."""

    async def run() -> T:
        with unblocked():
            return await start()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run())
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(contextvars.copy_context().run, asyncio.run, run()).result()


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    """A deep copy, or the value itself where it can't be copied: a lock, a connection, an open file."""
    try:
        return copy.deepcopy(value, memo)
    except Exception:  # noqa: BLE001  # what copying a user's object raises is the object's own affair
        return value


def _copy_with(value: Any, replaced: Mapping[int, Any], done: dict[int, Any]) -> Any:
    """A copy of only those modules and containers that hold something replaced."""
    if id(value) in replaced:
        return replaced[id(value)]
    if id(value) in done:
        return done[id(value)]
    new = value
    if isinstance(value, Module):
        done[id(value)] = value
        parts = {name: _copy_with(part, replaced, done) for name, part in vars(value).items()}
        if any(part is not vars(value)[name] for name, part in parts.items()):
            new = copy.copy(value)
            vars(new).update(parts)
    elif isinstance(value, dict):
        items = {key: _copy_with(part, replaced, done) for key, part in value.items()}
        if any(part is not value[key] for key, part in items.items()):
            new = copy.copy(value)
            new.update(items)
    elif isinstance(value, list | tuple):
        members = [_copy_with(part, replaced, done) for part in value]
        if any(a is not b for a, b in zip(members, value, strict=True)):
            new = type(value)._make(members) if hasattr(value, "_make") else type(value)(members)
    done[id(value)] = new
    return new
