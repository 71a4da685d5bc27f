"""`LM`, the class that users write: its defaults, its cache and retries, its history, and what it refuses."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lm_calls import Way, asking, each_way, run
from openai_server import OpenAIServer, Serve, answer, fail, from_lm, rate_limited

from loopwright.errors import AuthError, ConfigurationError, InputError, LoopwrightError, ServerError
from loopwright.messages import Message
from loopwright.models import (
    LM,
    FunctionLM,
    HostedLM,
    LMRequest,
    LMResponse,
    MemoryStore,
    ScriptedLM,
    as_lm,
)
from loopwright.tools.calls import ToolCall


def lm_at(server: OpenAIServer, **settings: object) -> LM:
    return LM("openai/any", api_base=server.url, **settings)  # type: ignore[arg-type]  # the constructor's own


def counting_server(openai_server: Serve) -> OpenAIServer:
    """A server whose n-th answer is "n"."""
    numbers = iter(range(1, 1000))
    return openai_server(from_lm(FunctionLM(lambda request: str(next(numbers)))))


def test_a_prompt_gets_a_list_with_the_answers_text(openai_server: Serve) -> None:
    server = openai_server(answer("4"))

    assert lm_at(server)("What is 2 + 2?") == ["4"]
    assert server.requests[0].body["messages"] == [{"role": "user", "content": "What is 2 + 2?"}]


def test_messages_may_be_mappings_or_messages(openai_server: Serve) -> None:
    server = openai_server(answer("4"))
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}

    lm_at(server)(
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Add "}, {"type": "text", "text": "it."}]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "content": "3", "tool_call_id": "c1"},
            Message("user", "Well?"),
        ]
    )

    assert server.requests[0].body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Add it."},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "content": "3", "tool_call_id": "c1"},
        {"role": "user", "content": "Well?"},
    ]


def test_an_awaited_call_does_the_same(openai_server: Serve) -> None:
    assert run(lm_at(openai_server(answer("4"))).acall("What is 2 + 2?")) == ["4"]


def test_defaults_are_sent_where_a_request_is_silent(openai_server: Serve) -> None:
    server = openai_server(answer("4"))
    lm = lm_at(server, temperature=0.7, max_tokens=50, top_p=0.9, stop="END", seed=3)

    lm("one")
    lm("two", temperature=0.0, max_tokens=9, stop=["A", "B"])

    sent = [
        {name: one.body[name] for name in ("temperature", "max_tokens", "top_p", "stop", "seed")}
        for one in server.requests
    ]
    assert sent == [
        {"temperature": 0.7, "max_tokens": 50, "top_p": 0.9, "stop": ["END"], "seed": 3},
        {"temperature": 0.0, "max_tokens": 9, "top_p": 0.9, "stop": ["A", "B"], "seed": 3},
    ]


@each_way
def test_every_way_to_ask_uses_the_defaults_and_is_remembered(ask: Way, openai_server: Serve) -> None:
    server = openai_server(answer("4"))
    lm = lm_at(server, temperature=0.7)

    response = ask(lm, asking())

    assert server.requests[0].body["temperature"] == 0.7
    ((request, remembered),) = lm.history
    assert (request.temperature, remembered) == (0.7, response)


def test_the_history_is_bounded_and_keeps_the_last_calls(openai_server: Serve) -> None:
    lm = lm_at(openai_server(answer("4")), cache=MemoryStore())

    for number in range(120):
        lm("always the same" if number < 119 else "and one more")

    assert len(lm.history) == 100
    assert lm.history[-1].request.messages[0].content == "and one more"
    assert lm.history[0].response.cached


@pytest.mark.parametrize(
    ("cache", "calls"), [(lambda: MemoryStore(), 1), (lambda: False, 2)], ids=["a store of one's own", "off"]
)
def test_an_answer_is_given_again_unless_the_cache_is_off(
    cache: Callable[[], object], calls: int, openai_server: Serve
) -> None:
    server = counting_server(openai_server)
    lm = lm_at(server, cache=cache())

    lm("one")
    lm("one")

    assert len(server.requests) == calls


def test_the_cache_is_on_disk_by_default_and_outlives_the_model(
    openai_server: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOPWRIGHT_CACHE", "on")
    monkeypatch.setenv("LOOPWRIGHT_CACHE_DIR", str(tmp_path))
    server = counting_server(openai_server)

    assert lm_at(server, api_key="sk-secretsecret")("one") == lm_at(server)("one") == ["1"]

    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert kept
    assert b"secretsecret" not in kept


def test_rollouts_are_drawn_and_kept_apart(openai_server: Serve) -> None:
    lm = lm_at(counting_server(openai_server), cache=MemoryStore(), temperature=1.0)

    drawn = [lm("one"), lm("one", rollout_id=1), lm("one", rollout_id=2), lm.copy(rollout_id=1)("one")]

    assert drawn == [["1"], ["2"], ["3"], ["2"]]


def test_failures_that_pass_are_tried_again_as_often_as_asked(openai_server: Serve) -> None:
    server = openai_server(rate_limited(0), rate_limited(0), answer("4"))

    assert lm_at(server, num_retries=2)("one") == ["4"]

    again = openai_server(rate_limited(0))
    with pytest.raises(LoopwrightError, match="too many requests"):
        lm_at(again, num_retries=0)("one")
    assert len(again.requests) == 1


def test_options_of_the_provider_are_sent(openai_server: Serve) -> None:
    server = openai_server(answer("4"))

    lm_at(server, extra_body={"top_k": 3})("one")

    assert server.requests[0].body["top_k"] == 3


def test_a_copy_has_other_settings_and_a_history_of_its_own(openai_server: Serve) -> None:
    lm = lm_at(openai_server(answer("4")), temperature=0.1, api_key="sk-abc")
    lm("one")

    other = lm.copy(temperature=0.9)

    assert (len(lm.history), len(other.history)) == (1, 0)
    assert other("one") == ["4"]
    assert other.history[0].request.temperature == 0.9
    assert lm.copy(model="openai/other").model == "openai/other"


def test_its_state_makes_it_again_and_holds_no_secret() -> None:
    lm = LM(
        "azure/gpt",
        temperature=0.5,
        max_tokens=100,
        num_retries=5,
        api_key="sk-secret",
        api_base="https://gateway.example/v1",
        extra_headers={"Authorization": "Bearer secret"},
        azure_ad_token="secret",
        reasoning_effort="low",
        cache=MemoryStore(),
        stop=["END"],
    )

    state = json.loads(json.dumps(lm.dump_state()))

    assert state == {
        "model": "azure/gpt",
        "temperature": 0.5,
        "max_tokens": 100,
        "num_retries": 5,
        "api_base": "https://gateway.example/v1",
        "reasoning_effort": "low",
        "stop": ["END"],
    }
    assert LM(**state).dump_state() == state
    assert "secret" not in repr(lm)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("gpt-9000", 'names no provider.*A model is written "provider/name", for example openai/gpt-5-mini'),
        ("gpt-4o-minni", "did you mean openai/gpt-4o-mini"),
        ("", "the model is ''"),
        ("/gpt-5", "lacks a provider or a name"),
        ("openai/", "lacks a provider or a name"),
        (None, "the model is None"),
        (7, "the model is 7"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_form(model: object, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        LM(model)  # type: ignore[arg-type]  # what a user may write


def test_a_bare_name_that_litellm_knows_will_do() -> None:
    assert LM("gpt-4o-mini").capabilities.native_tools


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"model_type": "text"}, "model_type is 'text', and only \"chat\""),
        ({"temperature": "hot"}, "temperature is 'hot'; it must be int or float"),
        ({"max_tokens": 1.5}, "max_tokens is 1.5; it must be int"),
        ({"seed": True}, "seed is True; it must be int"),
        ({"stop": 3}, "stop is 3; it must be str or list or tuple"),
        ({"timeout": 0}, "timeout is 0"),
        ({"api_base": "localhost:8000"}, "must start with http"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_at_once(settings: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        LM("openai/any", **settings)  # type: ignore[arg-type]  # what a user may write


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "a prompt or with messages=, one of both"),
        ({"prompt": "a", "messages": []}, "one of both"),
        ({"prompt": "a", "temprature": 1}, "no setting temprature; there are temperature"),
        (
            {"messages": [{"role": "robot", "content": "a"}]},
            "role is 'robot'; it must be one of system, user",
        ),
        ({"messages": [{"role": "user", "content": 7}]}, "content must be text, not int: 7"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "content must be text, not list",
        ),
    ],
    ids=["nothing", "both", "unknown setting", "role", "content", "image"],
)
def test_a_call_that_makes_no_sense_is_refused_with_the_reason(
    arguments: dict[str, object], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        LM("openai/any")(**arguments)  # type: ignore[arg-type]  # what a user may write


def test_a_missing_key_is_said_in_one_line() -> None:
    with pytest.raises(
        AuthError, match=r"^openai/gpt-5-mini: there is no key: set OPENAI_API_KEY, or pass api_key=$"
    ):
        LM("openai/gpt-5-mini")("Hi")


def test_an_error_is_not_in_the_history(openai_server: Serve) -> None:
    lm = lm_at(openai_server(fail(500, "oops")), num_retries=0)

    with pytest.raises(ServerError):
        lm("one")

    assert len(lm.history) == 0


@pytest.mark.parametrize("settings", [{"api_base": "http://a.example"}, {"reasoning_effort": "low"}])
def test_the_embedded_model_refuses_what_it_can_not_take(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="the embedded model takes no"):
        LM("embedded", **settings)  # type: ignore[arg-type]  # what a user may write


def test_the_embedded_model_is_there_by_its_name() -> None:
    lm = LM("embedded", temperature=0.0)

    assert (lm.model, lm.identity, lm.capabilities.chat) == ("embedded", "embedded", False)


def test_a_model_is_taken_by_itself_or_by_name() -> None:
    script = ScriptedLM([])

    assert as_lm(script) is script
    assert isinstance(as_lm("openai/any"), LM)
    with pytest.raises(ConfigurationError):
        as_lm("any")


def test_a_hosted_model_can_be_had_without_what_is_folded_around_it(openai_server: Serve) -> None:
    server = openai_server(fail(500, "oops"))

    with pytest.raises(ServerError):
        HostedLM("openai/any", api_base=server.url).complete(asking())

    assert len(server.requests) == 1


def test_many_tasks_share_one_model(openai_server: Serve) -> None:
    lm = lm_at(openai_server(from_lm(FunctionLM(lambda request: ToolCall("echo", {"n": request.seed})))))

    async def main() -> list[LMResponse]:
        await lm.acomplete(asking())
        requests = [LMRequest(asking().messages, seed=number) for number in range(8)]
        return list(await asyncio.gather(*map(lm.acomplete, requests)))

    assert [response.tool_calls[0].args["n"] for response in run(main())] == list(range(8))
    assert len(lm.history) == 9


def test_a_model_that_is_copied_with_a_program_is_still_usable(openai_server: Serve) -> None:
    lm = lm_at(openai_server(answer("4")))

    assert copy.copy(lm)("one") == ["4"]


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("temprature", "temperature"),
        ("max_token", "max_tokens"),
        ("timout", "timeout"),
        ("api_bse", "api_base"),
        ("reasoning_efort", "reasoning_effort"),
    ],
)
def test_a_slip_in_an_options_name_is_refused(slip: str, meant: str) -> None:
    given: dict[str, Any] = {slip: 1}
    with pytest.raises(ConfigurationError, match=f"no option '{slip}'; did you mean '{meant}'"):
        LM("openai/gpt-4o-mini", api_key="k", **given)


@pytest.mark.parametrize(
    "name", ["top_k", "min_p", "max_retries", "stream_timeout", "api_version", "base_url"]
)
def test_an_option_that_only_the_provider_knows_is_taken(name: str) -> None:
    given: dict[str, Any] = {name: 1}
    assert LM("openai/gpt-4o-mini", api_key="k", **given).dump_state()[name] == 1
