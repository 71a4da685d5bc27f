"""Models without a model."""

from __future__ import annotations

import threading

import pytest
from lm_calls import Way, asking, each_way

from loopwright.errors import ConfigurationError, ServerError
from loopwright.models import Capabilities, Delta, FunctionLM, LMRequest, LMResponse, ScriptedLM, Usage
from loopwright.tools.calls import ToolCall

ADD, NOW = ToolCall("add", {"a": 1}), ToolCall("now", {}, "mine")


@pytest.mark.parametrize(
    ("answer", "response"),
    [
        ("four words are said", LMResponse("four words are said", model="m")),
        ("", LMResponse("", model="m")),
        (ADD, LMResponse("", (ToolCall("add", {"a": 1}, "call_0"),), finish_reason="tool_calls", model="m")),
        (
            [ADD, NOW, ADD],
            LMResponse(
                "",
                (ToolCall("add", {"a": 1}, "call_0"), NOW, ToolCall("add", {"a": 1}, "call_2")),
                finish_reason="tool_calls",
                model="m",
            ),
        ),
        (LMResponse("x", usage=Usage(1, 2)), LMResponse("x", usage=Usage(1, 2), model="m")),
        (LMResponse("x", model="other"), LMResponse("x", model="other")),
    ],
    ids=["text", "empty", "call", "calls", "response", "response of another model"],
)
@each_way
def test_every_form_of_an_answer_becomes_a_response(
    ask: Way, answer: str | LMResponse | ToolCall | list[ToolCall], response: LMResponse
) -> None:
    assert ask(ScriptedLM([answer], model="m"), asking()) == response
    assert ask(FunctionLM(lambda request: answer, model="m"), asking()) == response


@each_way
def test_an_exception_in_the_script_is_raised_and_the_script_goes_on(ask: Way) -> None:
    lm = ScriptedLM([ServerError("busy"), "done"])

    with pytest.raises(ServerError, match="busy"):
        ask(lm, asking())

    assert ask(lm, asking()).text == "done"


def test_a_script_that_has_run_out_says_so() -> None:
    lm = ScriptedLM(["only"], model="mine")
    lm.complete(asking())

    with pytest.raises(ConfigurationError, match="'mine' has 1 answers and was asked for one more"):
        lm.complete(asking())


def test_the_requests_are_kept_in_their_order() -> None:
    lm = ScriptedLM(["a", "b"])
    requests = [asking("one"), asking("two")]

    for request in requests:
        lm.complete(request)

    assert lm.requests == requests


def test_a_function_sees_the_request() -> None:
    seen: list[LMRequest] = []

    def look(request: LMRequest) -> str:
        seen.append(request)
        return "ok"

    FunctionLM(look).complete(asking("look"))

    assert seen == [asking("look")]


def test_each_answer_is_given_to_one_thread() -> None:
    lm = ScriptedLM(str(number) for number in range(200))
    given: list[str] = []

    def work() -> None:
        given.extend(lm.complete(asking()).text for _ in range(25))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(map(int, given)) == list(range(200))


def test_an_answer_is_streamed_word_by_word() -> None:
    assert list(FunctionLM(lambda request: "one two").stream(asking()))[:2] == [Delta("one "), Delta("two")]


def test_what_it_can_do_is_what_it_is_told() -> None:
    able = Capabilities(native_tools=True, response_format=True)

    assert ScriptedLM([]).capabilities == Capabilities()
    assert ScriptedLM([], capabilities=able).capabilities == able
    assert (ScriptedLM([]).identity, FunctionLM(lambda request: "").identity) == ("scripted", "function")
