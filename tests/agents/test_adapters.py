from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from loopwright import (
    Adapter,
    ChatAdapter,
    Example,
    InputField,
    JSONAdapter,
    NativeAdapter,
    OutputField,
    Signature,
    Step,
    Trajectory,
)
from loopwright.adapters import SUBMIT
from loopwright.adapters.base import submit_spec, with_sound_calls
from loopwright.errors import OutputError
from loopwright.models import LMResponse
from loopwright.tools import ToolCall, ToolResult, ToolSpec

QA = Signature("question -> answer: int")
FRANCE = {"question": "How many?"}
TWO = Signature("question -> reasoning, answer: int")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[[ ## answer ## ]]\n4\n\n[[ ## completed ## ]]", {"answer": "4"}),
        ("[[ ## answer ## ]] 4", {"answer": "4"}),
        ("[[## answer ##]]\n4", {"answer": "4"}),
        ("Let me think.\n  [[ ## answer ## ]]\n4", {"answer": "4"}),
        ("[[ ## a ## ]]\n1\n[[ ## b ## ]]\n2", {"a": "1", "b": "2"}),
        ("[[ ## a ## ]]\n1\n[[ ## a ## ]]\n2", {"a": "1"}),
        ("[[ ## a ## ]]\n1\n[[ ## completed ## ]]\n[[ ## b ## ]]\n2", {"a": "1"}),
        ("[[ ## a ## ]]\nsee [[ ## b ## ]] there", {"a": "see [[ ## b ## ]] there"}),
        ("[[ ## a ## ]]\n", {"a": ""}),
        ('{"a": 1}', {"a": 1}),
    ],
)
def test_chat_reads_sections_under_markers(text: str, found: dict[str, Any]) -> None:
    assert ChatAdapter().read(text) == found


@pytest.mark.parametrize("text", ["", "4", "{}", "[1]", "## answer\n4", "[[ ## ans wer ## ]]\n4"])
def test_chat_says_when_there_is_no_marker(text: str) -> None:
    with pytest.raises(OutputError, match=r"there is no \[\[ ## field ## \]\] marker") as caught:
        ChatAdapter().parse(QA, LMResponse(text))
    assert "[[ ## answer ## ]]\n<a whole number>" in str(caught.value)  # the form, to write it by
    assert caught.value.raw == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"answer": 4}', {"answer": 4}),
        ('Sure:\n```json\n{"answer": 4}\n```\nDone.', {"answer": 4}),
        ('I {think} so: {"answer": 4}', {"answer": 4}),
        ('{"answer": 4} and {"answer": 5}', {"answer": 4}),
        ("{'answer': 4,}", {"answer": 4}),
        ("{answer: 'four'}", {"answer": "four"}),
        ('{"answer": {"a": [1, {}]}}', {"answer": {"a": [1, {}]}}),
    ],
)
def test_json_reads_the_first_object_and_mends_its_form(text: str, found: dict[str, Any]) -> None:
    assert JSONAdapter().read(text) == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("4", "there is no JSON object in it"),
        ("[4]", "there is no JSON object in it"),
        ("", "there is no JSON object in it"),
        ('{"answer": "it was cut o', "its JSON object does not end"),
        ("{}", "its JSON object can't be read"),
        ("{" * 50 + "}", "its JSON object can't be read"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "it is nested too deep"),
        ("{'a': " + "x" * 200_000 + "}", "its JSON object can't be read"),
    ],
    ids=["number", "list", "nothing", "cut off", "empty", "braces", "deep", "long and broken"],
)
def test_json_says_why_there_is_no_answer(text: str, says: str) -> None:
    with pytest.raises(OutputError) as caught:
        JSONAdapter().parse(QA, LMResponse(text))
    assert says in str(caught.value)
    assert '{"answer": <a whole number>}' in str(caught.value)


@pytest.mark.parametrize(
    ("response", "says"),
    [
        (LMResponse("4"), "it calls no tool"),
        (LMResponse("", (ToolCall("sumbit", {"answer": 4}),)), "it calls no tool"),
        (LMResponse("", (ToolCall(SUBMIT, malformed="{answer"),)), "are no JSON object"),
        (
            LMResponse("", (ToolCall(SUBMIT, {"anser": 4}),)),
            "the output `answer` is missing (found: `anser`)",
        ),
        (LMResponse("", (ToolCall(SUBMIT),)), "the output `answer` is missing (found: none)"),
    ],
    ids=["no call", "other tool", "malformed", "other field", "no arguments"],
)
def test_native_says_why_there_is_no_answer(response: LMResponse, says: str) -> None:
    with pytest.raises(OutputError) as caught:
        NativeAdapter().parse(QA, response)
    assert says in str(caught.value)


def test_native_takes_the_answer_beside_other_calls() -> None:
    response = LMResponse("", (ToolCall("think"), ToolCall(SUBMIT, {"answer": 4})))
    assert NativeAdapter().parse(QA, response) == {"answer": 4}


@pytest.mark.parametrize("adapter", [ChatAdapter(), JSONAdapter()])
def test_a_missing_output_is_named_with_those_that_are_there(adapter: Any) -> None:
    with pytest.raises(OutputError, match="`reasoning` is missing \\(found: `answer`\\)") as caught:
        adapter.parse(TWO, LMResponse(adapter.write({"answer": 4})))
    assert caught.value.field == "reasoning"


def test_an_output_that_was_not_asked_for_is_left_out() -> None:
    assert ChatAdapter().parse(QA, LMResponse(ChatAdapter().write({"mood": "good", "answer": 4}))) == {
        "answer": 4
    }


@pytest.mark.parametrize("adapter", [ChatAdapter(), JSONAdapter(), NativeAdapter()])
def test_the_same_inputs_give_the_same_prompt(adapter: Adapter) -> None:
    demos = [Example(question="One?", answer=1)]
    first, second = (adapter.format(QA, demos, FRANCE) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("adapter", [ChatAdapter(), JSONAdapter(), NativeAdapter()])
def test_a_dollar_sign_is_no_template(adapter: Adapter) -> None:
    signature = Signature("$cost -> answer".replace("$", ""), "Costs are in $, as $cost or ${cost}.")
    prompt = adapter.format(signature, (), {"cost": "$5 $instructions"})
    assert "as $cost or ${cost}." in prompt.messages[0].content
    assert "$5 $instructions" in prompt.messages[-1].content


def test_a_demonstration_that_lacks_an_output_says_so() -> None:
    prompt = ChatAdapter().format(TWO, [Example(question="One?", answer=1)], FRANCE)
    assert "[[ ## reasoning ## ]]\n(not given in this example)" in prompt.messages[2].content


def test_the_response_format_is_the_outputs_schema() -> None:
    assert JSONAdapter().format(QA, (), FRANCE).response_format == {
        "type": "object",
        "properties": {"answer": {"type": "integer"}},
        "required": ["answer"],
        "additionalProperties": False,
    }
    assert ChatAdapter().format(QA, (), FRANCE).response_format is None


class Item(BaseModel):
    title: str
    count: int = 1


def same_name() -> type[BaseModel]:
    class Item(BaseModel):
        weight: float

    return Item


def test_two_types_of_one_name_keep_their_own_schemas() -> None:
    signature = Signature(
        {"q": InputField(), "a": (list[Item], OutputField(desc="things")), "b": (same_name(), OutputField())}
    )
    schema = submit_spec(signature).parameters
    definitions = schema["$defs"]
    assert isinstance(definitions, dict)
    assert sorted(sorted(one["properties"]) for one in definitions.values()) == [
        ["count", "title"],
        ["weight"],
    ]
    assert "titel" not in str(schema)
    assert not [
        one for one in definitions.values() if "title" in one
    ]  # pydantic's titles only repeat the names
    properties = schema["properties"]
    assert isinstance(properties, dict)
    assert properties["a"]["description"] == "things"


def test_a_text_model_is_told_of_the_types_that_a_tool_refers_to() -> None:
    spec = submit_spec(Signature({"q": InputField(), "items": (list[Item], OutputField())}))
    system = ChatAdapter().format_agent(QA, (), FRANCE, [spec]).messages[0].content
    assert '"$ref": "#/$defs/Item"' in system
    assert 'where $defs is {"Item": {"properties": {"title": {"type": "string"}' in system


# Agents

ADD = ToolSpec(
    "add", "Add two numbers.", {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
)
CALLS = (ToolCall("add", {"a": 1}), ToolCall("add", {"a": 2}))
RUN = Trajectory(
    (
        Step("Both at once.", CALLS, (ToolResult(CALLS[0], "1"), ToolResult(CALLS[1], "2"))),
        Step("", (), (ToolResult.failed(ToolCall(""), "unparsed", "Error: no call"),)),
        Step("Done.", (ToolCall(SUBMIT, {"answer": 3}),), (ToolResult(ToolCall(SUBMIT), "Submitted."),)),
    )
)
DEMO = Example(question="1 and 2?", answer=3, trajectory=RUN)


def test_native_demonstrations_are_calls_with_results_and_ids_of_their_own() -> None:
    messages = NativeAdapter().format_agent(QA, [DEMO, DEMO], FRANCE, [ADD, submit_spec(QA)]).messages
    assert [m.role for m in messages] == ["system", *(["user", "assistant", "tool", "tool", "assistant", "tool"] * 2), "user"]  # fmt: skip
    ids = [call.id for message in messages for call in message.tool_calls]
    assert len(set(ids)) == len(ids) == 6
    assert [m.tool_call_id for m in messages if m.role == "tool"] == ids
    assert messages[5].tool_calls[0].args == {"answer": 3}


@pytest.mark.parametrize("adapter", [ChatAdapter(), JSONAdapter()])
def test_text_demonstrations_are_turns_and_observations(adapter: Any) -> None:
    messages = adapter.format_agent(QA, [DEMO], FRANCE, [ADD, submit_spec(QA)]).messages
    assert [m.role for m in messages] == ["system", *(["user", "assistant"] * 3), "user"]
    turns = [adapter.read_turn(LMResponse(messages[place].content)) for place in (2, 4, 6)]
    assert [turn.calls for turn in turns] == [(CALLS[0],), (CALLS[1],), (ToolCall(SUBMIT, {"answer": 3}),)]
    assert "1" in messages[3].content
    assert "2" in messages[5].content


@pytest.mark.parametrize("adapter", [ChatAdapter(), JSONAdapter()])
def test_a_turn_that_an_adapter_writes_it_reads_again(adapter: Any) -> None:
    call = ToolCall("add", {"a": 1, "note": 'two\nlines, "quoted"', "deep": {"x": [None, True]}})
    turn = adapter.read_turn(LMResponse(adapter.write_turn("First add.", [call]).content))
    assert (turn.thought, turn.calls, turn.problem) == ("First add.", (call,), "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("I will add.", "there is no [[ ## field ## ]] marker in it"),
        ("[[ ## thought ## ]]\nadd", "the output `tool_name` is missing (found: `thought`)"),
        ("[[ ## tool_name ## ]]\nadd", "the output `tool_args` is missing"),
        (
            "[[ ## tool_name ## ]]\nadd\n[[ ## tool_args ## ]]\na = 1",
            '`tool_args` must be a JSON object, not "a = 1"',
        ),
        ('[[ ## tool_name ## ]]\nadd\n[[ ## tool_args ## ]]\n{"a": ', "Invalid JSON: EOF"),
    ],
)
def test_a_turn_without_a_readable_call_says_what_is_wrong(text: str, problem: str) -> None:
    turn = ChatAdapter().read_turn(LMResponse(text))
    assert problem in turn.problem
    assert turn.calls == ()


def test_a_turn_without_a_thought_is_a_turn() -> None:
    turn = ChatAdapter().read_turn(
        LMResponse("[[ ## tool_name ## ]]\n`add`\n[[ ## tool_args ## ]]\n{'a': 1}")
    )
    assert (turn.thought, turn.calls) == ("", (ToolCall("add", {"a": 1}),))


def test_a_native_turn_keeps_every_call_and_its_thought() -> None:
    turn = NativeAdapter().read_turn(LMResponse("Both.", CALLS))
    assert (turn.thought, turn.calls) == ("Both.", CALLS)
    assert NativeAdapter().read_turn(LMResponse("", CALLS, reasoning="Hm.")).thought == "Hm."
    assert "it calls no tool" in NativeAdapter().read_turn(LMResponse("3")).problem


def test_a_complaint_answers_each_native_call() -> None:
    response = LMResponse("", (ToolCall("add", id="a"), ToolCall("add", id="b")))
    complaint = NativeAdapter().complain(response, "too many")
    assert [(m.role, m.tool_call_id) for m in complaint] == [("tool", "a"), ("tool", "b")]
    assert all("too many" in m.content for m in complaint)
    assert [m.role for m in NativeAdapter().complain(LMResponse("3"), "no call")] == ["user"]


@pytest.mark.parametrize(
    ("ids", "taken", "given"),
    [
        (["a", "b"], set(), ["a", "b"]),
        (["", ""], set(), ["call_0", "call_1"]),
        (["a", "a"], set(), ["a", "call_1"]),
        (["call_0"], {"call_0"}, ["call_1"]),
        (["", "call_0"], set(), ["call_0", "call_1"]),
    ],
)
def test_every_call_of_a_conversation_has_an_id_of_its_own(
    ids: list[str], taken: set[str], given: list[str]
) -> None:
    response = with_sound_calls(LMResponse("", tuple(ToolCall("add", id=one) for one in ids)), taken)
    assert [call.id for call in response.tool_calls] == given
    assert taken >= set(given)
