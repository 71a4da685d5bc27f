"""Which way a model is reached, with which key, and that its requests are those that litellm would send."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from lm_calls import Way, asking, complete, each_way
from openai_server import Serve, answer

from loopwright.errors import AuthError, BadRequestError, ConfigurationError, LoopwrightError
from loopwright.models import LM, DirectLM, HostedLM, LMRequest
from loopwright.models.openai_compatible import why_not_direct
from loopwright.models.openai_compatible.route import find_route, own_headers
from loopwright.tools.calls import ToolSpec

HERE = "http://127.0.0.1:1/v1"
ADD = ToolSpec("add", "Add two numbers.", {"type": "object", "properties": {"a": {"type": "number"}}})


@pytest.mark.parametrize(
    ("model", "api_base", "options", "why"),
    [
        ("openai/gpt-4o-mini", None, {}, ""),
        ("openai/gpt-5-mini", None, {"reasoning_effort": "low"}, ""),
        ("openai/o3", None, {}, ""),
        ("openai/any", HERE, {"extra_body": {"top_k": 1}, "extra_headers": {"X": "y"}}, ""),
        ("openai/org/name:tag", HERE, {}, ""),
        ("hosted_vllm/meta-llama/Llama-3", HERE, {}, ""),
        ("lm_studio/any", HERE, {}, ""),
        ("llamafile/any", None, {}, ""),
        ("openai/gpt-5.4", HERE, {}, ""),
        ("openai/gpt-5.4", None, {"reasoning_effort": "none"}, ""),
        ("openai/gpt-5.4", None, {}, "by another API (Responses)"),
        ("openai/gpt-6-sol", None, {}, "by another API (Responses)"),
        ("openai/gpt-5-codex", None, {}, "another API than that of chat"),
        ("openai/gpt-4o-audio-preview-2025-06-03", None, {}, "another API than that of chat"),
        ("openai/responses/gpt-4o", None, {}, "another API than that of chat"),
        ("openai/any", HERE, {"aws_region": "x", "n": 2}, "no option aws_region, n"),
        ("openai/o3", None, {"reasoning_effort": {"effort": "low"}}, "as a word"),
        ("anthropic/claude-sonnet-4-5", None, {}, "anthropic has an API of its own"),
        ("ollama_chat/llama3.2", HERE, {}, "ollama_chat has an API of its own"),
        ("gpt-4o-mini", None, {}, "gpt-4o-mini has an API of its own"),
    ],
)
def test_a_model_is_called_directly_where_that_is_known_to_be_right(
    model: str, api_base: str | None, options: dict[str, object], why: str
) -> None:
    found = why_not_direct(model, api_base, options)

    assert why in found
    assert bool(found) == bool(why)


def test_the_direct_route_can_be_demanded_and_says_why_it_is_none() -> None:
    assert "via='direct'" in repr(LM("openai/any", api_base=HERE, via="direct"))
    with pytest.raises(
        ConfigurationError, match=r"^anthropic/x: anthropic has an API of its own; without via= it goes"
    ):
        LM("anthropic/x", via="direct")
    with pytest.raises(
        ConfigurationError, match="no option num_ctx: what the server takes goes into extra_body="
    ):
        LM("openai/any", api_base=HERE, via="direct", num_ctx=5)
    with pytest.raises(ConfigurationError, match='via is \'httpx\'; it must be "direct" or "litellm"'):
        LM("openai/any", via="httpx")  # type: ignore[arg-type]  # what a user may write
    with pytest.raises(ConfigurationError, match="the embedded model takes no via"):
        LM("embedded", via="litellm")


def test_a_saved_model_keeps_its_way() -> None:
    state = LM("openai/any", api_base=HERE, via="litellm").dump_state()

    assert state["via"] == "litellm"
    assert LM(**state).dump_state() == state  # type: ignore[arg-type]  # the constructor's own arguments


def test_both_ways_share_what_is_cached() -> None:
    options: dict[str, Any] = {"api_base": HERE, "reasoning_effort": "low"}

    assert DirectLM("openai/any", **options).identity == HostedLM("openai/any", **options).identity


FIRST_CALL = """
import asyncio, sys

import loopwright as lw

lm = lw.LM("openai/any", api_base=sys.argv[1], cache=False, **eval(sys.argv[2]))
assert "h11" not in sys.modules, "nothing of HTTP before the first call"
with lw.context(lm=lm):
    prediction = lw.Predict("question -> answer: int")(question="What is 2 + 2?")
    assert prediction.answer == 4
    asyncio.run(lw.Predict("question -> answer: int").acall(question="What is 2 + 3?"))
    list(lm.stream(lm.history[0].request))
print([name for name in ("litellm", "openai", "httpx", "aiohttp") if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("options", "printed"),
    [("{}", "[]\n"), ("{'via': 'litellm'}", "['litellm', 'openai', 'httpx', 'aiohttp']\n")],
)
def test_only_the_other_way_imports_litellm(options: str, printed: str, openai_server: Serve) -> None:
    server = openai_server(answer("[[ ## answer ## ]]\n4\n\n[[ ## completed ## ]]"))

    done = subprocess.run(
        [sys.executable, "-c", FIRST_CALL, server.url, options],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert (done.stdout, done.stderr) == (printed, "")
    assert len(server.requests) == 3


WHOLE = LMRequest(
    asking().messages, (ADD,), "auto", {"type": "object"}, 0.5, 0.9, 50, ("END",), 7
)  # fmt: skip


@pytest.mark.usefixtures("litellm_loaded")
@pytest.mark.parametrize("way", [complete], ids=["complete"])
@pytest.mark.parametrize(
    "ask_for", [asking(), WHOLE, LMRequest(asking().messages, temperature=1.0)], ids=["bare", "whole", "warm"]
)
@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("openai/any", {}),
        ("openai/any", {"frequency_penalty": 0.5, "user": "me", "extra_body": {"top_k": 3, "seed": 8}}),
        ("openai/gpt-4o-mini", {"parallel_tool_calls": False}),
        ("openai/gpt-4.1", {"presence_penalty": 0.1, "service_tier": "flex"}),
        ("openai/o3-mini", {"reasoning_effort": "low", "presence_penalty": 0.1}),
        ("openai/o4-mini", {}),
        ("openai/gpt-5-mini", {"reasoning_effort": "minimal", "verbosity": "low"}),
        ("openai/gpt-5", {"frequency_penalty": 0.1}),
        ("openai/gpt-5.1", {}),
        ("openai/gpt-5.1", {"reasoning_effort": "none"}),
        ("openai/gpt-5.1", {"reasoning_effort": "high"}),
        ("openai/gpt-5-chat-latest", {}),
        ("openai/gpt-5.4", {}),
        ("hosted_vllm/any", {}),
        ("lm_studio/any", {}),
        ("llamafile/any", {}),
    ],
    ids=lambda value: "-".join([value] if isinstance(value, str) else [f"{k}={v}" for k, v in value.items()]),
)
def test_the_same_is_sent_as_by_litellm(
    model: str, options: dict[str, Any], ask_for: LMRequest, way: Way, openai_server: Serve
) -> None:
    server = openai_server(answer("4"))
    for route in (DirectLM, HostedLM):
        way(
            route(
                model, api_base=server.url, api_key="sk-test", json_schema=True, native_tools=True, **options
            ),
            ask_for,
        )

    direct, hosted = (request.body for request in server.requests)
    if model == "openai/any" and options:
        direct = {name: value for name, value in direct.items() if name != "user"}  # litellm drops it
    assert direct == hosted


@each_way
def test_the_key_is_read_when_it_is_needed(
    ask: Way, openai_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = openai_server(answer("4"))
    lm = DirectLM("openai/any", api_base=server.url)

    ask(lm, asking())
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-outside\n")
    ask(lm, asking())
    ask(DirectLM("openai/any", api_base=server.url, api_key="sk-passed"), asking())
    ask(DirectLM("openai/any", api_base=server.url, extra_headers={"authorization": "Basic abcd"}), asking())

    sent = [request.headers.get("authorization") for request in server.requests]
    assert sent == [None, "Bearer sk-from-outside", "Bearer sk-passed", "Basic abcd"]


@pytest.mark.parametrize(
    ("model", "variable"),
    [
        ("openai/any", "OPENAI_BASE_URL"),
        ("openai/any", "OPENAI_API_BASE"),
        ("hosted_vllm/any", "HOSTED_VLLM_API_BASE"),
        ("lm_studio/any", "LM_STUDIO_API_BASE"),
        ("llamafile/any", "LLAMAFILE_API_BASE"),
    ],
)
def test_the_address_may_come_from_the_environment(
    model: str, variable: str, openai_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = openai_server(answer("4"))
    monkeypatch.setenv(variable, server.url + "/")

    assert complete(DirectLM(model), asking()).text == "4"
    assert server.requests[0].body["model"] == "any"


@each_way
def test_an_address_that_nobody_named_is_asked_for(ask: Way) -> None:
    with pytest.raises(
        BadRequestError,
        match=r"^lm_studio/any: there is no address: set LM_STUDIO_API_BASE, or pass api_base=$",
    ):
        ask(DirectLM("lm_studio/any"), asking())


@pytest.mark.parametrize("base", ["{url}?version=2", "{url}/?version=2"])
def test_an_address_may_have_a_query(base: str, openai_server: Serve) -> None:
    server = openai_server(answer("4"))

    complete(DirectLM("openai/any", api_base=base.format(url=server.url)), asking())

    assert server.requests[0].path == "/v1/chat/completions?version=2"


@pytest.mark.parametrize(
    "base",
    [
        "http://",
        "http://:80/v1",
        "http://a.example:port/v1",
        "http://[::1/v1",
        "http://" + "ü" * 70 + ".example",
    ],
)
@each_way
def test_an_address_that_is_none_is_an_error_of_one_line(ask: Way, base: str) -> None:
    with pytest.raises(LoopwrightError) as caught:
        ask(DirectLM("openai/any", api_base=base), asking())

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["sk-secret secret", "sk-secret\nX-Evil: 1", "sk-sécret", "sk-secret\x00"])
@each_way
def test_a_key_that_can_be_none_is_refused_and_not_shown(ask: Way, key: str) -> None:
    with pytest.raises(AuthError, match="the key holds a space or another character") as caught:
        ask(DirectLM("openai/any", api_base=HERE, api_key=key), asking())

    assert "secret" not in str(caught.value)
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"X-A": "secret\r\nX-B: 1"}, "the value of the header X-A must be text of one line"),
        ({"X-A": 7}, "the value of the header X-A must be text"),
        ({"X A": "secret"}, "'X A', which is no header's name"),
        ({"Content-Length": "7"}, "can't set Content-Length"),
        (["X-A"], "must map names to values, not list"),
    ],
    ids=["two lines", "number", "name", "length", "list"],
)
def test_a_header_that_can_be_none_is_refused_and_its_value_not_shown(headers: object, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        DirectLM("openai/any", api_base=HERE, extra_headers=headers)

    assert "secret" not in str(caught.value)


def test_openai_itself_is_told_the_organization_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "bad value\n\n")

    there, here = find_route("openai/any", ""), find_route("openai/any", HERE)

    assert (there.address.host, there.address.port, there.address.tls) == ("api.openai.com", 443, True)
    assert (there.target, there.host) == ("/v1/chat/completions", "api.openai.com")
    assert list(own_headers("openai/any", there)) == [("OpenAI-Organization", "org-1")]
    assert list(own_headers("openai/any", here)) == []
