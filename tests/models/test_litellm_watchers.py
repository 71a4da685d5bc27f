"""What litellm's own callbacks find around a call, which is made in a thread of ours."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from lm_calls import asking
from openai_server import Serve, answer

from loopwright.models import HostedLM
from loopwright.models.hosted import load_litellm

CUSTOMER = ContextVar("customer", default="nobody")


@contextmanager
def looking(look: Any) -> Iterator[list[Any]]:
    """What `look` sees in the thread of each call, just before the request goes out."""
    litellm = load_litellm()
    from litellm.integrations.custom_logger import CustomLogger

    seen: list[Any] = []

    class Watcher(CustomLogger):
        def log_pre_api_call(self, model: object, messages: object, kwargs: object) -> None:
            seen.append(look())

    watcher = Watcher()
    litellm.callbacks.append(watcher)
    try:
        yield seen
    finally:
        for known in list(vars(litellm).values()):  # it spreads a callback over lists, one for each occasion
            if isinstance(known, list) and watcher in known:
                known.remove(watcher)


def test_a_callback_sees_the_callers_context(openai_server: Serve) -> None:
    server = openai_server(answer("4"))
    lm = HostedLM("openai/any", api_base=server.url, api_key="sk-test")

    with looking(CUSTOMER.get) as seen:
        token = CUSTOMER.set("ada")
        lm.complete(asking("2 + 2?"))
        CUSTOMER.reset(token)
        lm.complete(asking("2 + 2?"))

    assert seen == ["ada", "nobody"]


def test_every_call_in_a_thread_finds_the_threads_one_event_loop(openai_server: Serve) -> None:
    server = openai_server(answer("4"))
    lm = HostedLM("openai/any", api_base=server.url, api_key="sk-test")

    def look() -> tuple[int, asyncio.AbstractEventLoop, bool]:
        loop = asyncio.get_event_loop()
        return threading.get_ident(), loop, loop.is_running() or loop.is_closed()

    with looking(look) as seen:
        for _ in range(5):
            lm.complete(asking("2 + 2?"))

    assert len(seen) == 5
    assert len({(thread, loop) for thread, loop, _ in seen}) == len({thread for thread, _, _ in seen})
    assert not any(unusable for _, _, unusable in seen)
