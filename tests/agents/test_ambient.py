from __future__ import annotations

import asyncio
import contextvars
import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from loopwright import (
    ChatAdapter,
    Example,
    JSONAdapter,
    Module,
    Predict,
    Prediction,
    configure,
    context,
    inspect_history,
    settings,
)
from loopwright.ambient import current, current_lm, drive
from loopwright.errors import ConfigurationError, RetrievalError
from loopwright.models import FunctionLM, LMResponse, ScriptedLM
from loopwright.parallel import in_threads
from loopwright.tools import ToolCall, ToolSpec

ECHO = FunctionLM(lambda request: f"[[ ## answer ## ]]\n{request.messages[-1].content.splitlines()[-1]}")


@pytest.fixture
def process_defaults() -> Iterator[None]:
    before = {
        name: getattr(settings, name) for name in ("lm", "adapter", "num_threads", "documents", "trace")
    }
    yield
    configure(**before)


@pytest.mark.usefixtures("process_defaults")
def test_configure_sets_the_process_and_context_the_code_inside() -> None:
    ours, adapter = ScriptedLM([]), JSONAdapter()
    configure(lm=ECHO, num_threads=3)
    assert (settings.lm, settings.num_threads) == (ECHO, 3)
    with context(lm=ours) as inside:
        assert settings.lm is inside.lm is ours
        assert settings.num_threads == 3
        with settings.context(adapter=adapter):
            assert (settings.lm, settings.adapter) == (ours, adapter)
        assert settings.adapter is None
    assert settings.lm is ECHO
    settings.configure(num_threads=5)
    assert settings.num_threads == 5


def test_the_model_of_the_environment_is_asked_where_none_is_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOOPWRIGHT_MODEL", "openai/gpt-5-mini")
    with context(lm=None):
        assert current_lm().model == "openai/gpt-5-mini"
        assert current_lm() is current_lm()
        assert current_lm(ECHO) is ECHO


def test_a_context_ends_with_its_code_even_when_that_fails() -> None:
    before = settings.lm
    with pytest.raises(ZeroDivisionError), context(lm=ECHO):
        _ = 1 / 0
    assert settings.lm is before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"model": "x"}, "no setting 'model'; there are: adapter, approval, callbacks, documents, dry_run, lm, num_threads, trace, world"),
        ({"lm": 3}, r"lm must be a model, as in lm=LM\('openai/gpt-5-mini'\), not int"),
        ({"adapter": ChatAdapter}, r"adapter must be an adapter, as in adapter=JSONAdapter\(\), not the class ChatAdapter"),
        ({"num_threads": 0}, "num_threads must be a whole number of at least 1, not 0"),
        ({"num_threads": True}, "not True"),
        ({"lm": "gpt"}, "names no provider"),
    ],
)  # fmt: skip
def test_a_setting_that_makes_no_sense_is_named(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says), context(**options):
        pass
    with pytest.raises(ConfigurationError, match=says):
        configure(**options)


def test_an_unknown_setting_can_not_be_read() -> None:
    with pytest.raises(
        AttributeError, match=r"no setting 'rm' .*; there are: adapter, approval, callbacks, documents"
    ):
        _ = settings.rm


def test_documents_that_can_not_be_read_are_named_when_they_are_set() -> None:
    with (
        pytest.raises(RetrievalError, match="there is no file or folder nowhere"),
        context(documents="nowhere"),
    ):
        pass


def test_threads_of_the_framework_inherit_the_context() -> None:
    class Asks(Module):
        def __init__(self) -> None:
            self.predict = Predict("question -> answer")

        def forward(self, question: str) -> Prediction:
            inner = in_threads(lambda q: self.predict(question=q).answer, [question, question + "!"], 2)
            return Prediction(answers=inner)

    examples = [Example(question=str(i)).with_inputs("question") for i in range(6)]
    with context(lm=ECHO):
        predictions = Asks().batch(examples, num_threads=3)
    assert [p.answers for p in predictions] == [[str(i), f"{i}!"] for i in range(6)]


def test_tasks_inherit_the_context_and_keep_their_own() -> None:
    async def ask(word: str) -> str:
        with context(lm=FunctionLM(lambda request: f"[[ ## answer ## ]]\n{word}")):
            await asyncio.sleep(0)
            prediction = await Predict("question -> answer").acall(question="?")
            return str(prediction.answer)

    async def main() -> list[str]:
        return list(await asyncio.gather(ask("one"), ask("two"), ask("three")))

    with context(lm=ECHO):
        assert asyncio.run(main()) == ["one", "two", "three"]


@pytest.mark.usefixtures("process_defaults")
def test_a_thread_of_ones_own_has_the_process_defaults_unless_it_is_given_the_context() -> None:
    configure(lm=ECHO)
    seen: list[object] = []

    def look() -> None:
        seen.append(settings.lm)

    with context(lm=ScriptedLM([])) as inside:
        given = contextvars.copy_context()
        for target in (look, lambda: given.run(look)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert seen == [ECHO, inside.lm]


def test_in_threads_keeps_order_and_gives_errors_as_results() -> None:
    results = in_threads(lambda n: 1 // n, [1, 0, 1], 2)
    assert results[0] == results[2] == 1
    assert isinstance(results[1], ZeroDivisionError)
    assert in_threads(len, [], 4) == []


def test_the_history_shows_messages_answer_and_tokens() -> None:
    out = io.StringIO()
    with context(lm=ScriptedLM(["[[ ## answer ## ]]\n4"])):
        Predict("question -> answer")(question="2 + 2?")
        inspect_history(1, out)
    shown = out.getvalue()
    assert "[user] [[ ## question ## ]]\n2 + 2?" in shown
    assert "[answer] [[ ## answer ## ]]\n4" in shown
    assert "(0 + 0 tokens)" in shown


def test_the_history_keeps_only_the_last_exchanges(capsys: pytest.CaptureFixture[str]) -> None:
    with context(lm=ECHO):
        predict = Predict("question -> answer")
        for i in range(205):
            predict(question=f"number {i}")
        assert len(current().history) == 200
        inspect_history(2)
    shown = capsys.readouterr().out
    assert "number 203" in shown
    assert "number 204" in shown
    assert "number 202" not in shown


def test_the_history_names_the_tools_of_a_request() -> None:
    from loopwright.ambient import describe_exchange
    from loopwright.messages import Message
    from loopwright.models import LMRequest
    from loopwright.trace import Exchange

    request = LMRequest((Message("assistant", "", (ToolCall("add", {"a": 1}),)),), (ToolSpec("add", "", {}),))
    shown = describe_exchange(Exchange("m", request, LMResponse("", (ToolCall("add"),)).as_cached(), 1.5))
    assert shown.splitlines() == [
        "── m, 1.50 s",
        "[assistant]",
        "    → add(a=1)",
        "(tools: add)",
        "[answer]",
        "    → add()",
        "(0 + 0 tokens, from the cache)",
    ]


def test_a_loop_that_waits_for_an_event_loop_says_so() -> None:
    with pytest.raises(RuntimeError, match=r"use acall\(\)"):
        drive(asyncio.sleep(0))


def test_a_plain_thread_that_asks_inside_of_a_block_is_warned_of_once() -> None:
    code = """
import logging, threading
import loopwright as lw
from loopwright.models import ScriptedLM
logging.basicConfig(format="%(message)s")
lw.configure(lm=ScriptedLM(["[[ ## b ## ]]\\nx"] * 3))
ask = lambda: lw.Predict("a -> b")(a=1)
ask()
with lw.context(dry_run=True):
    for _ in range(2):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert ended.stderr.count("sees nothing of `with context(...)`") == 1


def test_threads_that_the_framework_starts_are_no_plain_threads() -> None:
    script = """
import time
import loopwright as lw
from loopwright.models import ScriptedLM

class Slow(lw.Module):
    def __init__(self):
        self.ask = lw.Predict("a -> b")

    def forward(self, a):
        with lw.context(dry_run=True):
            time.sleep(0.01 * int(a))
        return self.ask(a=a)

lw.configure(lm=ScriptedLM(["[[ ## b ## ]]\\nyes"] * 8))
print(len(Slow().batch([lw.Example(a=n).with_inputs("a") for n in range(8)], num_threads=4)))
"""
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    assert ended.stdout.split() == ["8"]
    assert "sees nothing" not in ended.stderr
