"""What the context and the agent decide about tool calls: approval, dry runs, which tools are shown."""

from __future__ import annotations

from typing import Any

import pytest

from loopwright import CodeAct, ReAct, configure, context
from loopwright.adapters.native import NativeAdapter
from loopwright.errors import ConfigurationError
from loopwright.models import Capabilities, ScriptedLM
from loopwright.modules.tool_search import ToolSearch
from loopwright.tools import Approval, Tool, ToolCall, ToolContext, ToolDefinitionError

NATIVE = Capabilities(native_tools=True)
DONE: list[int] = []


def refund(order_id: int) -> str:
    """Give the money of an order back."""
    DONE.append(order_id)
    return f"refunded {order_id}"


REFUND = Tool(refund, effect="irreversible")
SUBMIT = ToolCall("submit", {"answer": "done"})


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    DONE.clear()


def asked(*turns: Any, agent: Any = None, **around: Any) -> Any:
    lm = ScriptedLM([*turns, SUBMIT], capabilities=NATIVE)
    with context(lm=lm, **around):
        return (agent or ReAct("question -> answer", tools=[REFUND]))(question="refund 17")


@pytest.mark.parametrize(
    ("around", "error", "done"),
    [
        ({}, "denied", []),
        ({"approval": {"refund": "allow"}}, None, [17]),
        ({"approval": Approval({"refund(order_id=18)": "allow", "*": "deny"})}, "denied", []),
        ({"approval": Approval(ask=lambda question: True)}, None, [17]),
        ({"approval": {"refund": "allow"}, "dry_run": True}, None, []),
    ],
    ids=["nobody to ask", "a rule", "another rule", "a person", "a dry run"],
)
def test_the_context_decides_on_calls(around: dict[str, Any], error: str | None, done: list[int]) -> None:
    prediction = asked(ToolCall("refund", {"order_id": 17}), **around)
    assert prediction.trajectory.steps[0].results[0].error == error
    assert (prediction.termination_reason, done) == ("submit", DONE)


@pytest.mark.parametrize(("around", "done"), [({}, []), ({"approval": {"refund": "allow"}}, [17])])
def test_calls_of_a_program_are_under_the_same_policy(around: dict[str, Any], done: list[int]) -> None:
    program = ToolCall(
        "python", {"code": "try:\n    print(refund(17))\nexcept Exception as error:\n    print(error)"}
    )
    prediction = asked(program, agent=CodeAct("question -> answer", tools=[REFUND]), **around)
    assert (DONE, len(prediction.trajectory.steps[0].inner)) == (done, 1)


def test_a_dry_run_still_runs_programs() -> None:
    program = ToolCall("python", {"code": "print(6 * 7)"})
    prediction = asked(program, agent=CodeAct("question -> answer", tools=[REFUND]), dry_run=True)
    assert prediction.trajectory["observation_0"] == "42"


def test_a_policy_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="approval must be rules"):
        configure(approval="always")


def test_each_run_has_a_state_of_its_own() -> None:
    def count(context: ToolContext) -> int:
        """Count."""
        context.state["n"] = context.state.get("n", 0) + 1
        return int(context.state["n"])

    agent = ReAct("question -> answer", tools=[count])
    for _ in range(2):
        prediction = asked(ToolCall("count"), ToolCall("count"), agent=agent)
        assert [step.results[0].content for step in prediction.trajectory.steps[:2]] == ["1", "2"]


# ---- tool search


def shop(count: int = 30) -> list[Tool]:
    """Many tools that are alike, and one that is not."""

    def shelf(n: int) -> str:
        """What stands on a shelf."""
        return f"shelf {n}"

    return [*(Tool(shelf, f"shelf_{number}") for number in range(count)), REFUND]


def test_a_run_shows_what_fits_and_finds_the_rest() -> None:
    lm = ScriptedLM(
        [ToolCall("find_tools", {"query": "money back"}), ToolCall("refund", {"order_id": 17}), SUBMIT],
        capabilities=NATIVE,
    )
    agent = ReAct("question -> answer", tools=shop(), tool_search=4)
    with context(lm=lm, adapter=NativeAdapter(), approval={"*": "allow"}):
        prediction = agent(question="what is on the shelf?")
    assert [len(request.tools) for request in lm.requests] == [6, 7, 7]
    assert [tool.name for tool in lm.requests[1].tools][-1] == "refund"
    assert "refund(order_id: integer)" in prediction.trajectory["observation_0"]
    assert DONE == [17]


def test_few_tools_are_all_shown() -> None:
    lm = ScriptedLM([SUBMIT], capabilities=NATIVE)
    with context(lm=lm, adapter=NativeAdapter()):
        ReAct("question -> answer", tools=[REFUND], tool_search=True)(question="hello")
    assert [tool.name for tool in lm.requests[0].tools] == ["refund", "submit"]


@pytest.mark.parametrize(
    ("args", "words"),
    [({}, '"query" must say'), ({"query": " "}, '"query" must say'), ({"query": "xyzzy"}, "No tool fits")],
)
def test_a_search_that_finds_nothing_says_so(args: dict[str, Any], words: str) -> None:
    search = ToolSearch(ReAct("question -> answer", tools=shop()).tools, {"question": "shelf"}, 3)
    assert words in search.find(ToolCall("find_tools", args)).content
    assert len(search.specs) == 4


def test_a_tool_that_has_the_name_of_the_search_is_refused() -> None:
    tools = [*shop(), Tool(refund, "find_tools")]
    with pytest.raises(ToolDefinitionError, match="is the search"):
        asked(agent=ReAct("question -> answer", tools=tools, tool_search=3))
