"""What every test may use. Keep it small: a room's own fixtures go into the room's conftest."""

from __future__ import annotations

import inspect
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings
from openai_server import Behaviour, OpenAIServer, Serve

from loopwright.models.hosted import load_litellm

# Before numpy is imported: a worker has one core, and the embedded model's small matrices gain nothing by threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile(  # the same cases everywhere, however slow the machine
    "suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")


@pytest.fixture(scope="session", autouse=True)
def _nothing_from_outside(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No keys, no addresses and no cache of the developer's: the tests see a fresh machine."""
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_API_BASE", "_BASE_URL")) or name.startswith("LOOPWRIGHT_"):
            del os.environ[name]
    os.environ["LOOPWRIGHT_CACHE"] = "off"
    os.environ["LOOPWRIGHT_CHAT"] = str(tmp_path_factory.mktemp("chat"))


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> None:
    """A job in the background of a shell ignores Ctrl-C, and hands that on to every child that a test starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def openai_server() -> Iterator[Serve]:
    """Start servers that behave as told, `openai_server(answer("4"))`; they stop with the test."""
    with ExitStack() as stack:

        def serve(*behaviours: Behaviour) -> OpenAIServer:
            return stack.enter_context(OpenAIServer(*behaviours))

        yield serve
    _close_litellms_connections()


def _close_litellms_connections() -> None:
    """litellm keeps a client for each address it ever called; left to the collector they warn of open sockets."""
    if load_litellm.cache_info().currsize:
        clients = load_litellm().in_memory_llm_clients_cache
        for client in list(clients.cache_dict.values()):
            if not inspect.iscoroutinefunction(client.close):
                client.close()
        clients.flush_cache()


@pytest.fixture(scope="session")
def litellm_loaded() -> None:
    """litellm's first call takes seconds for its imports: behind us, before a test with a short timeout."""
    messages = [{"role": "user", "content": "-"}]
    load_litellm().completion(model="openai/any", messages=messages, mock_response="-")
