"""Executors: threads, and tasks on an event loop; what comes out of either is the same."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from contextvars import ContextVar
from typing import Any

import pytest
from kept_runs import FILE, Reckoner
from openai_server import Serve, from_lm
from replay import always

from loopwright import Module, Prediction, ReAct, TaskFile, context
from loopwright.evaluation import plan, run_trials
from loopwright.evaluation.trials.engine import UnderWay, amake_trial, can_be_awaited, executor_for
from loopwright.evaluation.workers import AsDone, Executor, InTurn, Loop, Threads
from loopwright.models import LM, BaseLM, Delta, LMRequest, LMResponse

NAME: ContextVar[str] = ContextVar("NAME", default="")

Make = Callable[[Callable[[int], Any], int], Executor[int, Any]]


def looped(work: Callable[[int], Any], workers: int) -> Executor[int, Any]:
    async def awaited(item: int) -> Any:
        await asyncio.sleep(0)
        return work(item)

    return Loop(awaited, workers)


EXECUTORS = pytest.mark.parametrize("make", [looped, Threads], ids=["loop", "threads"])


@EXECUTORS
def test_every_result_comes_once_with_its_place(make: Make) -> None:
    with closing(make(lambda item: item * item, 4)) as executor:
        assert sorted(AsDone(executor, range(200))) == [(item, item * item) for item in range(200)]


@EXECUTORS
def test_an_error_is_a_result(make: Make) -> None:
    def work(item: int) -> int:
        if item == 1:
            raise KeyError("nothing there")
        if item == 2:
            raise SystemExit(3)
        return item

    with closing(make(work, 2)) as executor:
        outcomes = dict(AsDone(executor, range(4)))
    assert (outcomes[0], outcomes[3]) == (0, 3)
    assert [repr(outcomes[n]) for n in (1, 2)] == [
        "KeyError('nothing there')",
        "RuntimeError('the code called exit(3)')",
    ]


@EXECUTORS
def test_beside_others_a_piece_is_begun_only_where_there_is_enough_for_it(make: Make) -> None:
    asked: list[tuple[int, int]] = []

    def enough(item: int, open_: int) -> bool:
        asked.append((item, open_))
        return item % 3 > 0 and open_ < 2

    with closing(make(lambda item: item, 8)) as executor:
        assert sorted(place for place, _ in AsDone(executor, range(30), enough)) == list(range(30))
    assert {open_ for _, open_ in asked} <= {1, 2}  # alone, a piece is begun without a question


@EXECUTORS
def test_what_a_person_raises_is_not_swallowed(make: Make) -> None:
    def work(item: int) -> int:
        raise KeyboardInterrupt

    with closing(make(work, 1)) as executor, pytest.raises(KeyboardInterrupt):
        list(AsDone(executor, [1]))


@EXECUTORS
def test_the_context_is_inherited_and_not_shared(make: Make) -> None:
    def work(item: int) -> str:
        found = NAME.get()
        NAME.set(f"changed by {item}")
        return found

    token = NAME.set("outer")
    with closing(make(work, 2)) as executor:
        assert {outcome for _, outcome in AsDone(executor, range(20))} == {"outer"}
    NAME.reset(token)


@EXECUTORS
def test_it_is_never_handed_more_than_it_has_room_for(make: Make) -> None:
    begun: list[int] = []
    with closing(make(begun.append, 2)) as executor:
        results = iter(AsDone(executor, range(100)))
        next(results)
        time.sleep(0.2)  # nobody reads: what is begun must not go on growing
        assert len(begun) <= 2 * executor.room


@EXECUTORS
def test_after_a_stop_what_was_under_way_is_given_out_and_no_more(make: Make) -> None:
    go = threading.Event()
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if make is Threads:
            go.wait(120)
        return item

    with closing(make(work, 2)) as executor:
        done = AsDone(executor, range(50))

        def stop() -> None:
            done.stop()
            go.set()

        threading.Timer(0.2, stop).start()
        given = [place for place, _ in done]
    assert set(given) == set(begun)
    assert make is not Threads or len(begun) <= 4


def test_a_stop_waits_no_longer_than_its_grace() -> None:
    hanging = threading.Event()
    threads: Threads[int, bool] = Threads(lambda item: hanging.wait(300), 2)
    with closing(threads) as executor:
        done = AsDone(executor, range(9))
        threading.Timer(0.1, done.stop, [0.1]).start()
        begun = time.monotonic()
        assert list(done) == []
        assert time.monotonic() - begun < 120
    hanging.set()


def test_closing_a_loop_cancels_what_is_under_way() -> None:
    begun, cleaned_up = threading.Event(), threading.Event()

    async def work(item: int) -> None:
        try:
            begun.set()
            await asyncio.sleep(300)
        except asyncio.CancelledError:
            cleaned_up.set()
            raise

    with closing(Loop(work, 2)) as executor:
        executor.submit(1)
        assert begun.wait(60)
    assert cleaned_up.wait(60)


def test_one_worker_in_turn_does_nothing_ahead() -> None:
    begun: list[int] = []
    with closing(InTurn(begun.append)) as executor:
        results = iter(AsDone(executor, range(5)))
        next(results)
        assert begun == [0]


# Trials

SUMS = TaskFile.parse(FILE)


class Awaited(BaseLM):
    """A model that can only be awaited; counts how many wait at once."""

    model = "awaited"

    def __init__(self) -> None:
        self._inner = always(Reckoner())
        self.waiting = self.most = 0
        self.several = asyncio.Event()
        self.threads: set[int] = set()

    @property
    def capabilities(self) -> Any:
        return self._inner.capabilities

    def complete(self, request: LMRequest) -> LMResponse:
        raise AssertionError("it was asked in a way that blocks")

    async def acomplete(self, request: LMRequest) -> LMResponse:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        self.threads.add(threading.get_ident())
        if self.waiting > 4:
            self.several.set()
        await asyncio.wait_for(self.several.wait(), 60)
        self.waiting -= 1
        return self._inner.complete(request)

    async def astream(self, request: LMRequest) -> AsyncIterator[Delta | LMResponse]:
        yield await self.acomplete(request)


def test_a_model_that_can_be_awaited_is_awaited_by_many_trials_on_one_thread() -> None:
    lm = Awaited()
    with context(lm=lm):
        results = list(run_trials(plan(SUMS, epochs=10), executor=Loop(amake_trial, 16)))
    assert all(result.passed for result in results)
    assert len(results) == 40
    assert 4 < lm.most <= 16
    assert len(lm.threads) == 1


class Plain(Module):
    def forward(self, question: str) -> Prediction:
        left, _, right = question.split()
        time.sleep(0.01)
        return Prediction(answer=int(left) + int(right))


class Mixed(Module):
    def __init__(self) -> None:
        self.inner = Plain()

    async def aforward(self, question: str) -> Prediction:
        given: Prediction = await self.inner.acall(question=question)
        return given


@pytest.mark.parametrize(
    ("program", "lm", "awaited"),
    [
        (ReAct("question -> answer: int"), Awaited(), True),
        (ReAct("question -> answer: int"), LM("openai/any", api_base="http://127.0.0.1:9/v1"), True),
        (ReAct("question -> answer: int"), LM("embedded"), False),
        (ReAct("question -> answer: int"), always(""), False),
        (Plain(), Awaited(), False),
        (Mixed(), Awaited(), False),
    ],
    ids=["awaited", "hosted", "embedded", "function", "plain forward", "plain inside"],
)
def test_hundreds_of_trials_at_once_are_awaited_where_they_can_be(
    program: Module, lm: BaseLM, awaited: bool
) -> None:
    trials = plan(SUMS, program, epochs=100)
    with context(lm=lm):
        assert can_be_awaited(program) == awaited
        with closing(executor_for(trials, 300)) as executor:
            assert isinstance(executor, Loop if awaited else Threads)
        with closing(executor_for(trials, 64)) as executor:
            assert isinstance(executor, Threads)


def test_a_program_with_a_blocking_part_can_be_awaited_all_the_same() -> None:
    trials = plan(SUMS.select(ids=["two", "three"]), Mixed(), epochs=8)
    with UnderWay(trials, Loop(amake_trial, 8)) as work:
        assert all(result.passed for result in work)


def test_an_event_loop_asks_a_real_server(openai_server: Serve) -> None:
    server = openai_server(from_lm(always(Reckoner("1 + 2"))))
    with context(lm=LM("openai/any", api_base=server.url, cache=False)):
        results = list(run_trials(plan(SUMS, epochs=4), executor=Loop(amake_trial, 8)))
    assert sorted(result.task.id for result in results if not result.passed) == ["three"] * 4
    assert len(server.requests) == 32
