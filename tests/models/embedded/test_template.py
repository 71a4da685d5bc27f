from __future__ import annotations

import pytest

from loopwright.messages import Message
from loopwright.models.embedded.template import (
    CALL,
    END,
    Piece,
    arguments_of,
    render_call,
    render_prompt,
    tool_line,
)
from loopwright.tools.calls import ToolCall, ToolSpec


def spec(name: str, required: tuple[str, ...] = (), **properties: object) -> ToolSpec:
    return ToolSpec(
        name, "what it does", {"type": "object", "properties": properties, "required": list(required)}
    )


def text(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


PRICE = spec("get_price", ("item",), item={"type": "string"})
SUBMIT = spec("submit", ("answer",), answer={"type": "number"})


@pytest.mark.parametrize(
    ("schema", "shown"),
    [
        pytest.param({"type": "string"}, "x?:str", id="string"),
        pytest.param({"type": "number"}, "x?:num", id="number"),
        pytest.param({"type": "integer"}, "x?:int", id="integer"),
        pytest.param({"type": "boolean"}, "x?:bool", id="boolean"),
        pytest.param({"type": "array", "items": {"type": "string"}}, "x?:list", id="array"),
        pytest.param({"type": "object"}, "x?:obj", id="object"),
        pytest.param({"type": "string", "format": "date"}, "x?:date", id="date"),
        pytest.param({"type": ["integer", "null"]}, "x?:int", id="nullable by a list of types"),
        pytest.param({"anyOf": [{"type": "null"}, {"type": "number"}]}, "x?:num", id="nullable by a union"),
        pytest.param({"enum": ["kg", "lb"]}, "x?:kg|lb", id="short enum"),
        pytest.param({"enum": [1, 2, None]}, "x?:1|2|null", id="enum of other values"),
        pytest.param({"enum": ["a long option"] * 9}, "x?:str", id="long enum"),
        pytest.param({"enum": list(range(100))}, "x?:any", id="long enum of numbers"),
        pytest.param({"$ref": "#/$defs/Size"}, "x?:S|M", id="reference"),
        pytest.param({"$ref": "#/$defs/Missing"}, "x?:any", id="reference to nothing"),
        pytest.param({"anyOf": [{"type": "null"}]}, "x?:any", id="nothing but null"),
        pytest.param({}, "x?:any", id="anything"),
    ],
)
def test_a_parameter_is_shown_by_its_short_type(schema: dict[str, object], shown: str) -> None:
    tool = ToolSpec("f", "", {"properties": {"x": schema}, "$defs": {"Size": {"enum": ["S", "M"]}}})
    assert tool_line(tool) == f"f({shown})"


def test_a_required_parameter_has_no_question_mark() -> None:
    assert tool_line(spec("f", ("b",), a={"type": "string"}, b={"type": "integer"})) == "f(a?:str,b:int)"


@pytest.mark.parametrize(
    "parameters", [{}, {"properties": None}, {"properties": {"x": "text"}}], ids=["none", "null", "no schema"]
)
def test_a_schema_without_readable_properties_has_no_arguments(parameters: dict[str, object]) -> None:
    assert arguments_of(ToolSpec("f", "", parameters)) == ()


def test_a_prompt_is_the_tools_then_the_turns_then_the_call_to_write() -> None:
    messages = [
        Message("system", "Be brief."),
        Message("user", "question: How much are 3 oak desks?"),
        Message("assistant", "a thought", (ToolCall("get_price", {"item": "oak desk"}),)),
        Message("tool", "149.5", name="get_price"),
    ]
    assert text(render_prompt(messages, [SUBMIT, PRICE])) == (
        "<|tools|>get_price(item:str)\nsubmit(answer:num)<|user|>question: How much are 3 oak desks?"
        "<|call|>get_price<|arg|>item= oak desk<|end|><|obs|>149.5<|call|>"
    )


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        pytest.param("string", "12", "x= 12", id="text that looks like a number"),
        pytest.param("number", 12.5, "x=12.5", id="number"),
        pytest.param("boolean", True, "x=true", id="boolean"),
        pytest.param("array", ["a", 1], 'x=["a",1]', id="list"),
        pytest.param("number", "twelve", 'x="twelve"', id="text where a number belongs"),
    ],
)
def test_a_value_is_raw_text_after_a_blank_or_json(kind: str, value: object, written: str) -> None:
    pieces = render_call(ToolCall("f", {"x": value}), spec("f", x={"type": kind}))
    assert text(pieces) == f"f<|arg|>{written}<|end|>"


def test_only_what_the_model_writes_is_its_own() -> None:
    pieces = render_prompt([Message("user", "hi"), Message("assistant", "", (ToolCall("f"),))], [spec("f")])
    assert [piece.text for piece in pieces if piece.own] == ["f", END]
    assert pieces[-1] == Piece(CALL, marker=True)


@pytest.mark.parametrize(
    ("content", "shown"),
    [("Submitted.", ""), ("Error: `answer` is missing", "<|obs|>Error: `answer` is missing")],
)
def test_of_the_results_of_submit_only_a_refusal_is_read(content: str, shown: str) -> None:
    messages = [Message("user", "hi"), Message("tool", content, name="submit")]
    assert text(render_prompt(messages, [SUBMIT])).removesuffix(CALL).endswith(f"<|user|>hi{shown}")
