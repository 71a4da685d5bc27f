from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.models.embedded.grammar import Call, is_complete, may_start
from loopwright.models.embedded.json_prefix import is_json, starts_json
from loopwright.models.embedded.template import Argument

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, st.booleans())
def test_every_beginning_of_a_json_text_is_accepted(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert is_json(text)
    assert all(starts_json(text[:end]) for end in range(len(text) + 1))


@pytest.mark.parametrize(
    "text",
    [
        "]",
        "[1 2",
        "[,",
        "{1",
        '{"a" 1',
        '{"a":,',
        '{"a":1,}',
        "tru e",
        "[01",
        '"a\nb',
        '"\\x',
        '"\\u12g',
        "1 2",
        "[1]]",
        "--1",
        "1.e",
        '["\\u12"',
    ],
)
def test_a_text_that_no_json_begins_with_is_refused(text: str) -> None:
    assert not starts_json(text)


@pytest.mark.parametrize(
    ("kind", "text", "whole"),
    [
        ("list", "[1]", True),
        ("list", "{}", False),
        ("obj", '{"a": 1}', True),
        ("obj", "[", False),
        ("any", "NaN", False),
    ],
)
def test_a_kind_of_json_takes_no_other(kind: str, text: str, whole: bool) -> None:
    assert is_json(text, kind) is whole
    assert starts_json(text, kind) is whole


@pytest.mark.parametrize(
    ("kind", "text", "may_begin", "whole"),
    [
        pytest.param("str", " oak desk", True, True, id="text"),
        pytest.param("str", "oak", False, False, id="text without its blank"),
        pytest.param("int", "-12", True, True, id="whole number"),
        pytest.param("int", "-", True, False, id="a sign alone"),
        pytest.param("int", "1.5", False, False, id="fraction for a whole number"),
        pytest.param("int", "012", False, False, id="leading zero"),
        pytest.param("num", "1.5", True, True, id="number"),
        pytest.param("num", "1.", True, False, id="number cut at its point"),
        pytest.param("num", "1" * 31, False, True, id="endless number"),
        pytest.param("bool", "tr", True, False, id="half a boolean"),
        pytest.param("bool", "true", True, True, id="boolean"),
        pytest.param("bool", "True", False, False, id="boolean with a capital"),
        pytest.param("date", " 2026-0", True, False, id="half a date"),
        pytest.param("date", " 2026-03-17", True, True, id="date"),
        pytest.param("date", " 2026-03-170", False, False, id="longer than a date"),
        pytest.param("date", " tomorrow", False, False, id="no date"),
        pytest.param("list", "[1,", True, False, id="half a list"),
        pytest.param("any", " text", True, True, id="text where anything goes"),
        pytest.param("any", "{}", True, True, id="object where anything goes"),
    ],
)
def test_a_value_is_held_to_its_type(kind: str, text: str, may_begin: bool, whole: bool) -> None:
    argument = Argument("x", kind, True)
    assert (may_start(argument, text), is_complete(argument, text)) == (may_begin, whole)


def test_an_option_is_written_in_full() -> None:
    argument = Argument("unit", "str", True, ("kg", "km"))
    assert [may_start(argument, text) for text in (" k", " kg", " kgs", "kg")] == [True, True, False, False]
    assert [is_complete(argument, text) for text in (" k", " kg")] == [False, True]


TOOLS = {
    "add": (Argument("a", "int", True), Argument("b", "int", False)),
    "address": (Argument("name", "str", True),),
    "now": (),
}


def written(*texts: str) -> Call:
    """A call after these texts; "|" begins the next argument."""
    call = Call(TOOLS)
    for text in texts:
        if text == "|":
            assert call.may_go_on
            call = call.next_argument()
        else:
            grown = call.write(text)
            assert grown is not None, f"{text!r} was refused"
            call = grown
    return call


def test_a_call_ends_when_its_required_arguments_are_there() -> None:
    assert not written("add").may_end
    assert not written("add", "|", "a=").may_end
    assert written("add", "|", "a=1").may_end
    assert written("now").may_end


def test_a_call_without_open_arguments_begins_no_other() -> None:
    assert not written("now").may_go_on
    assert not written("add", "|", "a=1", "|", "b=2").may_go_on


def test_a_tool_that_is_the_beginning_of_another_can_be_called() -> None:
    assert written("add").may_go_on
    assert written("add", "ress").may_go_on
    assert not written("addr").may_go_on


@pytest.mark.parametrize(
    ("before", "text"),
    [
        pytest.param((), "subtract", id="a tool that is not listed"),
        pytest.param(("add", "|"), "c", id="an argument that the tool does not have"),
        pytest.param(("add", "|", "a=1", "|"), "a=", id="an argument twice"),
        pytest.param(("add", "|"), "a= one", id="a value of another type"),
        pytest.param(("add", "|", "a=1"), "x", id="a value that leaves its type"),
    ],
)
def test_what_breaks_the_form_is_refused(before: tuple[str, ...], text: str) -> None:
    assert written(*before).write(text) is None


def test_what_has_no_alternative_is_forced() -> None:
    assert Call({"now": ()}).forced == "now"
    assert Call(TOOLS).forced == ""
    assert written("addr").forced == "ess"
    assert written("address", "|").forced == "name="
    assert written("address", "|", "name=").forced == ""


def test_a_finished_call_has_its_arguments_in_order() -> None:
    assert written("add", "|", "b=2", "|", "a=1").finished() == ("add", (("b", "2"), ("a", "1")))
