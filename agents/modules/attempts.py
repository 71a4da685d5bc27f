"""Attempts: one module run several times on the same inputs, each drawn apart from the others.

What an attempt raises is kept in it and loses no other attempt. Every exchange with a model is counted, of the
attempts that are thrown away too; the calls of those that the answer was made of are in the trace.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, SupportsFloat, TypeVar, cast

from loopwright.tools.errors import with_article

from ..ambient import context, current, unblocked
from ..errors import ConfigurationError, InputError, ReplayError
from ..models.base import NO_USAGE, Usage
from ..module import Module
from ..parallel import side_by_side
from ..signature import InputField, Signature
from ..trace import Call, Trace

T = TypeVar("T")

RewardFunction = Callable[[dict[str, Any], Any], SupportsFloat]

NESTED = 1_000_000  # room for the rollouts within a rollout
APART = 1_000  # room for the draws of one predictor (`Predict(n=...)`) within a rollout


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a module: what it answered or the error that ended it, and how good that was.

    `reward` is None where it was not judged, `feedback` what the judge said, `advice` what the attempt was told
    beforehand, by predictor. `usage` is what its model calls cost; `calls` are those of its predictors.
    """

    prediction: Any = None
    error: Exception | None = None
    reward: float | None = None
    feedback: str = ""
    advice: Mapping[str, str] = field(default_factory=dict)
    usage: Usage = NO_USAGE
    calls: tuple[Call, ...] = field(default=(), repr=False)


async def attempted(
    module: Module,
    inputs: Mapping[str, Any],
    number: int = 0,
    *,
    temperature: float | None = None,
    advice: Mapping[str, str] | None = None,
) -> Attempt:
    """Run a copy of the module that is drawn as attempt `number`, from 0; what it raises is in the attempt.

    `advice` is shown to the predictors at these paths, as one more input. In the calls of the attempt stand the
    module's own predictors and the inputs without the advice, so that they can be learned from.
    """
    told = dict(advice or {})
    copy, own = drawn_apart(module, number, temperature, told)
    made = await observed(copy, (), inputs)
    calls = tuple(own.get(id(call.predictor), _as_it_is)(call) for call in made.calls)
    return replace(made, advice=told, calls=calls)


async def observed(program: Module, args: Sequence[Any], inputs: Mapping[str, Any]) -> Attempt:
    """Run a program, and keep what it answered or raised, its calls and what they cost."""
    prediction: Any = None
    error: Exception | None = None
    with own_trace() as trace:
        try:
            prediction = await program.acall(*args, **inputs)
        except ReplayError:
            raise  # a recording that does not fit is no attempt that failed
        except Exception as raised:  # noqa: BLE001  # it loses no other attempt; who has all decides
            error = raised
    return Attempt(prediction, error, usage=trace.usage, calls=tuple(trace.calls))


async def all_of(makers: Sequence[Callable[[], Awaitable[Attempt]]], at_once: int) -> list[Attempt]:
    """Attempts that are made side by side, in order."""
    attempts = []
    for made in await side_by_side(makers, at_once):
        if isinstance(made, Exception):
            raise made
        attempts.append(made)
    return attempts


def drawn_apart(
    module: Module, number: int, temperature: float | None, advice: Mapping[str, str]
) -> tuple[Module, dict[int, Callable[[Call], Call]]]:
    """A copy of a module for one attempt, and how a call of each of its predictors reads as one of the module's."""
    copy = module.deepcopy()
    own: dict[int, Callable[[Call], Call]] = {}
    for (path, original), (_, predictor) in zip(
        module.named_predictors(), copy.named_predictors(), strict=True
    ):
        predictor.options = rollout_options(predictor.options, number, temperature)
        hint = ""
        if advice.get(path):
            hint = _free_name(predictor.signature.fields)
            predictor.signature = _with_hint(predictor.signature, hint, advice[path])
        own[id(predictor)] = _reader(original, hint)
    return copy, own


def rollout_options(
    options: Mapping[str, Any], number: int, temperature: float | None = None
) -> dict[str, Any]:
    """A predictor's options for attempt `number`: its own temperature stays, its seed and rollout id move on.

    The ids of attempts within attempts, and of several draws in one, are all different, so that no cache takes one
    for another.

    >>> rollout_options({"seed": 7}, 2, 1.0)
    {'seed': 9, 'temperature': 1.0, 'rollout_id': 2000}
    """
    new = dict(options)
    own = new.get("rollout_id") or 0
    if temperature is not None and new.get("temperature") is None:
        new["temperature"] = temperature
    if new.get("seed") is not None:
        new["seed"] += number
    if number or own:
        new["rollout_id"] = own * NESTED + number * APART
    return new


@contextmanager
def own_trace() -> Iterator[Trace]:
    """A trace for a part of the program; its exchanges are the surrounding trace's too, however the part ends.

    Its calls are not, unless the part is cut off: then nobody is left to choose among them.
    """
    around = current().trace
    trace = Trace()
    try:
        with context(trace=trace):
            yield trace
    except BaseException as error:
        if not isinstance(error, Exception):
            keep_calls(trace.calls)
        raise
    finally:
        if around is not None:
            around.exchanges.extend(trace.exchanges)


def keep_calls(calls: Sequence[Call]) -> None:
    """Put an attempt's calls into the context's trace: the answer was made of them."""
    trace = current().trace
    if trace is not None:
        trace.calls.extend(calls)


async def judged(attempt: Attempt, reward_fn: RewardFunction, inputs: Mapping[str, Any]) -> Attempt:
    """The attempt with its reward; a reward that can't be given makes it one that failed."""
    if attempt.error is not None:
        return attempt
    try:
        with own_trace():  # a judge's own calls are paid for, but are none of the program's
            given = await called(reward_fn, dict(inputs), attempt.prediction)
        return replace(attempt, reward=as_reward(given), feedback=str(getattr(given, "feedback", "") or ""))
    except ReplayError:
        raise
    except Exception as error:  # noqa: BLE001  # as in observed
        return replace(attempt, error=error)


def as_reward(given: object) -> float:
    """A reward as a number; raises ValueError that says what came instead.

    >>> as_reward(True)
    1.0
    """
    if inspect.iscoroutine(given):
        given.close()
        raise ValueError("the reward function is async: it must be a plain function")
    try:
        reward = float(cast("SupportsFloat", given))
    except (TypeError, ValueError):
        raise ValueError(
            f"the reward function returned {given!r:.80}; it must return a number, where more is better"
        ) from None
    if not math.isfinite(reward):
        raise ValueError(f"the reward function returned {reward}, which can't be compared")
    return reward


async def called(function: Callable[..., T], *args: Any) -> T:
    """A user's plain function, called in the way that the running code waits."""
    if current().blocking:
        with unblocked():
            return function(*args)
    return await asyncio.to_thread(function, *args)


def best_of(attempts: Sequence[Attempt]) -> Attempt:
    """The attempt with the highest reward, the first of several; raises the last error where all failed."""
    rewarded = [attempt for attempt in attempts if attempt.reward is not None]
    if not rewarded:
        raise_failure(attempts)
    return max(rewarded, key=lambda attempt: cast("float", attempt.reward))


def raise_failure(attempts: Sequence[Attempt]) -> NoReturn:
    """Raise the last attempt's error, with a note on how many others there were."""
    errors = [attempt.error for attempt in attempts if attempt.error is not None]
    errors[-1].add_note(f"{len(errors)} of {len(attempts)} attempts failed; this is the last one's error")
    raise errors[-1]


# What is asked of the arguments that all of these modules share


def checked_module(module: object, user: str) -> Module:
    """The module to run again and again; raises `ConfigurationError` where it is none."""
    if isinstance(module, Module):
        return module
    kind = (
        f"the class {module.__name__}: make one of it"
        if isinstance(module, type)
        else with_article(type(module).__name__)
    )
    raise ConfigurationError(
        f"{user} runs a module, such as ChainOfThought('question -> answer'), not {kind}"
    )


def checked_count(count: object, name: str, *, least: int = 1) -> int:
    """A whole number of at least that many; raises `ConfigurationError` that names the argument."""
    if isinstance(count, int) and not isinstance(count, bool) and count >= least:
        return count
    raise ConfigurationError(f"{name} must be a whole number of at least {least}, not {count!r}")


def checked_function(function: object, name: str) -> Any:
    """Something to call; raises `ConfigurationError` that names the argument."""
    if callable(function):
        return function
    raise ConfigurationError(f"{name} must be a function, not {function!r:.60}")


def checked_threshold(threshold: object) -> float | None:
    """The reward that is enough; None where none is."""
    if threshold is None or (isinstance(threshold, int | float) and not math.isnan(threshold)):
        return threshold
    raise ConfigurationError(
        f"threshold is the reward that is enough, a number, or None for none; not {threshold!r}"
    )


def by_name(args: Sequence[object], user: str) -> None:
    """Refuse inputs that were not given by name."""
    if args:
        raise InputError(f"{user} takes the module's inputs by name, as in {user}(...)(question='...')")


# Advice, as one more input


def _with_hint(signature: Signature, name: str, advice: str) -> Signature:
    hint = InputField("what an earlier attempt at this showed; do better by it", default=advice)
    return signature.append(name, hint)


def _free_name(taken: Mapping[str, object]) -> str:
    name = "advice"
    while name in taken:
        name += "_"
    return name


def _reader(original: Module, hint: str) -> Callable[[Call], Call]:
    def as_own(call: Call) -> Call:
        inputs = {name: value for name, value in call.inputs.items() if name != hint}
        return replace(call, predictor=original, inputs=inputs)

    return as_own


def _as_it_is(call: Call) -> Call:
    return call
