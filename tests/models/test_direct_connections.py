"""The direct route's connections: kept, shared, given up when they are of no more use, and never left open."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from awaiting import awaited
from lm_calls import WAYS, Way, asking, each_way
from openai_server import (
    Behaviour,
    OpenAIServer,
    Reply,
    Serve,
    answer,
    from_lm,
    rate_limited,
    read_request,
    reset,
)

from loopwright.errors import NetworkError
from loopwright.models import LM, Delta, DirectLM, FunctionLM, LMRequest, LMResponse

ECHO = FunctionLM(lambda request: request.messages[-1].content.upper())


def direct(server: OpenAIServer, **options: object) -> DirectLM:
    return DirectLM("openai/any", api_base=server.url, timeout=60, **options)


def connections(server: OpenAIServer) -> int:
    """How many connections the requests came over."""
    return len({request.port for request in server.requests})


class AndGone:
    """Answers, and closes the connection without having said so."""

    def __init__(self) -> None:
        self.times = threading.Semaphore(0)

    def __call__(self, reply: Reply) -> None:
        answer("4")(reply)
        reply.hang_up()
        self.times.release()


class Hangup:
    """A behaviour that begins an answer and then waits for the client to go away."""

    def __init__(self, begin: Behaviour) -> None:
        self.seen = threading.Event()
        self.begun = threading.Event()
        self._begin = begin

    def __call__(self, reply: Reply) -> None:
        self._begin(reply)
        self.begun.set()
        if reply.wait_for_hangup(60):
            self.seen.set()
        reply.close()


def silence(reply: Reply) -> None:
    """Begin nothing."""


def first_words(reply: Reply) -> None:
    reply.start_events()
    for word in ("one ", "two "):
        reply.write_event({"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})


def test_calls_of_every_kind_go_over_one_connection(openai_server: Serve) -> None:
    server = openai_server(answer("4"))
    lm = direct(server)

    for ask in WAYS * 3:
        assert ask(lm, asking()).text == "4"

    assert (len(server.requests), connections(server)) == (12, 1)


def test_copies_of_a_model_share_its_connections(openai_server: Serve) -> None:
    server = openai_server(answer("4"))
    lm = LM("openai/any", api_base=server.url, cache=False)

    for number in range(5):
        lm.copy(rollout_id=number, temperature=1.0)("one")

    assert connections(server) == 1


def test_an_error_gives_its_connection_back(openai_server: Serve) -> None:
    server = openai_server(rate_limited(0), rate_limited(0), answer("4"))

    assert LM("openai/any", api_base=server.url, cache=False)("one") == ["4"]

    assert (len(server.requests), connections(server)) == (3, 1)


@each_way
def test_a_connection_that_the_server_closed_meanwhile_is_replaced(ask: Way, openai_server: Serve) -> None:
    and_gone = AndGone()
    server = openai_server(and_gone)
    lm = direct(server)

    for _ in range(3):
        assert ask(lm, asking()).text == "4"
        assert and_gone.times.acquire(timeout=60)

    assert (len(server.requests), connections(server)) == (3, 3)


@each_way
def test_a_connection_that_takes_no_byte_is_replaced_and_the_request_is_sent_once(
    ask: Way, openai_server: Serve
) -> None:
    server = openai_server(answer("4"))
    lm = direct(server)
    ask(lm, asking())

    with end_of(server.requests[0].port) as end:
        end.shutdown(socket.SHUT_WR)
        assert ask(lm, asking()).text == "4"

    assert (len(server.requests), connections(server)) == (2, 2)


@contextmanager
def end_of(port: int) -> Iterator[socket.socket]:
    """This process's end of a connection, by its port."""
    for number in range(3, 200):
        try:
            end = socket.socket(fileno=os.dup(number))
        except OSError:
            continue
        with end:
            if end.family == socket.AF_INET and end.getsockname()[1] == port:
                yield end
                return
    raise AssertionError(f"no connection has the port {port}")


@each_way
def test_what_a_server_may_have_seen_is_not_sent_again(ask: Way, openai_server: Serve) -> None:
    server = openai_server(answer("4"), reset)
    lm = direct(server)
    ask(lm, asking())

    with pytest.raises(NetworkError, match="broke"):
        ask(lm, asking())

    assert (len(server.requests), connections(server)) == (2, 1)


def test_an_answer_that_asks_for_it_ends_its_connection(openai_server: Serve) -> None:
    def last(reply: Reply) -> None:
        body = b'{"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}]}'
        reply.send(200, body, "application/json", {"Connection": "close"})
        reply.close()

    server = openai_server(last)
    lm = direct(server)

    assert [lm.complete(asking()).text for _ in range(2)] == ["4", "4"]
    assert connections(server) == 2


@each_way
def test_more_than_was_asked_for_is_not_taken_for_the_next_answer(ask: Way, openai_server: Serve) -> None:
    body = b'{"choices": [{"message": {"content": "4"}, "finish_reason": "stop"}]}'
    whole = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)

    def twice(reply: Reply) -> None:
        reply.write((whole + body) * 2)

    server = openai_server(twice)
    lm = direct(server)

    assert [ask(lm, asking()).text for _ in range(3)] == ["4", "4", "4"]
    assert connections(server) == 3


def test_many_threads_get_each_its_own_answer_over_kept_connections(openai_server: Serve) -> None:
    server = openai_server(from_lm(ECHO))
    lm = direct(server)
    wrong: list[str] = []

    def work(number: int) -> None:
        for turn in range(10):
            ask = WAYS[(number + turn) % 4]
            text = ask(lm, asking(f"number {number} {turn}")).text
            if text != f"NUMBER {number} {turn}":
                wrong.append(text)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert wrong == []
    assert len(server.requests) == 160
    assert connections(server) <= 16


@awaited
async def test_many_tasks_get_each_its_own_answer_over_kept_connections() -> None:
    with OpenAIServer(from_lm(ECHO)) as server:
        lm = direct(server)

        async def work(number: int) -> list[str]:
            return [(await lm.acomplete(asking(f"number {number} {turn}"))).text for turn in range(5)]

        answers = await asyncio.gather(*map(work, range(64)))

        assert answers == [[f"NUMBER {number} {turn}" for turn in range(5)] for number in range(64)]
        assert connections(server) <= 64


@awaited
async def test_a_cancelled_call_closes_its_connection_and_harms_no_other() -> None:
    hangup = Hangup(silence)
    with OpenAIServer(hangup, answer("4")) as server:
        lm = direct(server)
        task = asyncio.create_task(lm.acomplete(asking()))
        await asyncio.to_thread(hangup.begun.wait, 60)

        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert await asyncio.to_thread(hangup.seen.wait, 60)
        assert (await lm.acomplete(asking())).text == "4"


@awaited
async def test_a_cancelled_stream_closes_its_connection() -> None:
    hangup = Hangup(first_words)
    with OpenAIServer(hangup, answer("4")) as server:
        lm = direct(server)
        got: list[Delta | LMResponse] = []

        async def read() -> None:
            async for piece in lm.astream(asking()):
                got.append(piece)  # noqa: PERF401 (seen from outside while it goes on)

        task = asyncio.create_task(read())
        while len(got) < 2:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert await asyncio.to_thread(hangup.seen.wait, 60)
        assert got == [Delta("one "), Delta("two ")]
        assert (await lm.acomplete(asking())).text == "4"


@awaited
async def test_a_stream_that_is_left_early_closes_its_connection() -> None:
    hangup = Hangup(first_words)
    with OpenAIServer(hangup) as server:
        pieces = direct(server).astream(asking())
        assert await anext(aiter(pieces)) == Delta("one ")

        await pieces.aclose()  # type: ignore[attr-defined]  # a generator, as the seam's streams are

        assert await asyncio.to_thread(hangup.seen.wait, 60)


def test_a_blocking_stream_that_is_left_early_closes_its_connection(openai_server: Serve) -> None:
    hangup = Hangup(first_words)
    pieces = iter(direct(openai_server(hangup)).stream(asking()))
    assert next(pieces) == Delta("one ")

    del pieces

    assert hangup.seen.wait(60)


@each_way
def test_a_call_that_runs_out_of_time_closes_its_connection(ask: Way, openai_server: Serve) -> None:
    hangup = Hangup(silence)
    lm = DirectLM("openai/any", api_base=openai_server(hangup).url, timeout=0.3)

    with pytest.raises(TimeoutError, match=r"within 0\.3 s"):
        ask(lm, asking())

    assert hangup.seen.wait(60)


INTERRUPTED = """
import sys

from loopwright.messages import Message
from loopwright.models import DirectLM, LMRequest

lm = DirectLM("openai/any", api_base=sys.argv[1])
try:
    lm.complete(LMRequest((Message("user", "Hi"),)))
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process there")
def test_ctrl_c_ends_a_blocking_call_at_once(openai_server: Serve) -> None:
    hangup = Hangup(silence)
    server = openai_server(hangup)
    child = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", INTERRUPTED, server.url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert hangup.begun.wait(60)

    child.send_signal(signal.SIGINT)

    assert child.communicate(timeout=60) == ("interrupted\n", "")
    assert hangup.seen.wait(60)


FORKED = """
import asyncio, os, sys

from loopwright.messages import Message
from loopwright.models import DirectLM, LMRequest

lm = DirectLM("openai/any", api_base=sys.argv[1])


def ask(who):
    assert lm.complete(LMRequest((Message("user", who),))).text == who.upper()


ask("parent")
child = os.fork()
if child == 0:
    ask("child")
    ask("child")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
ask("parent")
asyncio.run(lm.acomplete(LMRequest((Message("user", "parent"),))))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
def test_a_forked_process_leaves_its_parents_connections_alone(openai_server: Serve) -> None:
    server = openai_server(from_lm(ECHO))

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKED, server.url],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("", "")
    ports: dict[str, set[int]] = {"parent": set(), "child": set()}
    for request in server.requests:
        ports[read_request(request.body).messages[0].content].add(request.port)
    assert len(ports["parent"]) == len(ports["child"]) == 1
    assert ports["parent"] != ports["child"]


@awaited
async def test_more_tasks_than_a_pool_keeps_connections_for_all_get_their_answer() -> None:
    with OpenAIServer(from_lm(ECHO)) as server:
        lm = direct(server)
        requests = [asking(f"number {number}") for number in range(200)]

        answers = await asyncio.gather(*map(lm.acomplete, requests))

        assert [one.text for one in answers] == [f"NUMBER {number}" for number in range(200)]


def test_a_long_request_reaches_a_server_that_reads_slowly(openai_server: Serve) -> None:
    text = "long " * 2_000_000
    server = openai_server(from_lm(FunctionLM(lambda request: str(len(request.messages[-1].content)))))
    lm = direct(server)

    for ask in WAYS[:2]:
        assert ask(lm, LMRequest(asking(text).messages)).text == str(len(text))
