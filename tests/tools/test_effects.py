"""What each of the four effects decides, shown by calls and not by the table."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest
from awaiting import awaited

from loopwright.tools import Approval, Effect, Tool, ToolCall, ToolDefinitionError, ToolRegistry, ToolRun
from loopwright.tools.effects import EFFECTS
from loopwright.tools.tool_context import Record

ALLOWED = Approval({"*": "allow"})


@dataclass
class Counted:
    """A tool that counts how often its function really ran."""

    tool: Tool
    runs: list[int]


def counted(effect: Effect, failures: int = 0, **options: bool) -> Counted:
    runs: list[int] = []

    def act(n: int = 0) -> str:
        runs.append(n)
        if len(runs) <= failures:
            raise ConnectionError("the line is down")
        return f"did {len(runs)}"

    return Counted(Tool(act, effect=effect, cache=options.get("cache", False)), runs)


def effects(**expected: object) -> pytest.MarkDecorator:
    assert set(expected) == set(EFFECTS)
    return pytest.mark.parametrize(("effect", "wanted"), expected.items(), ids=expected)


@effects(pure=1, read=1, write=None, irreversible=None)
def test_a_result_is_cached_within_a_run(effect: Effect, wanted: int | None) -> None:
    if wanted is None:
        with pytest.raises(ToolDefinitionError, match="can be cached"):
            counted(effect, cache=True)
        return
    act, run = counted(effect, cache=True), ToolRun()
    for _ in range(3):
        act.tool.run(ToolCall("act"), run)
    assert len(act.runs) == wanted


@pytest.mark.parametrize(("effect", "wanted"), [("pure", 1), ("read", 2)])
def test_a_result_is_cached_across_runs(effect: Effect, wanted: int) -> None:
    act = counted(effect, cache=True)
    for _ in range(2):
        act.tool.run(ToolCall("act"), ToolRun())
    assert len(act.runs) == wanted


@pytest.mark.parametrize(("effect", "wanted"), [("pure", 1), ("read", 2)])
def test_a_write_makes_what_was_read_old(effect: Effect, wanted: int) -> None:
    act, change, run = counted(effect, cache=True), counted("write"), ToolRun()
    for tool in (act, change, act, act):
        tool.tool.run(ToolCall("act"), run)
    assert len(act.runs) == wanted


@effects(pure=True, read=True, write=False, irreversible=False)
def test_calls_of_one_turn_run_at_the_same_time(effect: Effect, wanted: bool) -> None:
    both = threading.Barrier(2)
    met: list[bool] = []

    def meet(n: int) -> str:
        try:
            both.wait(60.0 if wanted else 0.1)
            met.append(True)
        except threading.BrokenBarrierError:
            met.append(False)
        return str(n)

    registry = ToolRegistry(Tool(meet, effect=effect))
    results = registry.call_all([ToolCall("meet", {"n": n}) for n in (1, 2)], ToolRun(approval=ALLOWED))
    assert [result.content for result in results] == ["1", "2"]
    assert met == [wanted, wanted]


@effects(pure=3, read=3, write=1, irreversible=1)
def test_a_call_that_lost_its_connection_is_made_again(effect: Effect, wanted: int) -> None:
    act = counted(effect, failures=2)
    result = act.tool.run(ToolCall("act"), ToolRun(approval=ALLOWED))
    assert (len(act.runs), result.attempts, result.ok) == (wanted, wanted, wanted == 3)


@effects(pure=3, read=3, write=1, irreversible=1)
@awaited
async def test_an_awaited_call_that_lost_its_connection_is_made_again(effect: Effect, wanted: int) -> None:
    act = counted(effect, failures=2)
    result = await act.tool.arun(ToolCall("act"), ToolRun(approval=ALLOWED))
    assert (len(act.runs), result.attempts) == (wanted, wanted)


@pytest.mark.parametrize("effect", ["write", "irreversible"])
def test_retries_of_a_write_are_refused_when_the_tool_is_made(effect: Effect) -> None:
    with pytest.raises(ToolDefinitionError, match="never made twice"):
        Tool(lambda: None, "act", effect=effect, retries=1)


def test_a_mistake_of_the_tool_is_not_retried() -> None:
    runs: list[int] = []

    def act() -> str:
        runs.append(1)
        raise ValueError("no")

    assert Tool(act, effect="read").run(ToolCall("act")).error == "raised"
    assert runs == [1]


@effects(pure=None, read=None, write=None, irreversible="denied")
def test_without_a_rule_and_with_nobody_to_ask(effect: Effect, wanted: str | None) -> None:
    act = counted(effect)
    assert act.tool.run(ToolCall("act")).error == wanted
    assert act.tool.run(ToolCall("act"), ToolRun()).error == wanted
    assert len(act.runs) == (0 if wanted else 2)


@effects(pure=1, read=1, write=0, irreversible=0)
def test_a_dry_run_runs_what_changes_nothing(effect: Effect, wanted: int) -> None:
    act = counted(effect)
    result = act.tool.run(ToolCall("act"), ToolRun(approval=ALLOWED, dry_run=True))
    assert (len(act.runs), result.ok) == (wanted, True)


@effects(pure=1, read=1, write=0, irreversible=0)
def test_a_replay_makes_calls_that_it_has_no_record_of(effect: Effect, wanted: int) -> None:
    act = counted(effect)
    act.tool.run(ToolCall("act"), ToolRun(approval=ALLOWED, replay=True))
    assert len(act.runs) == wanted


@effects(pure=0, read=0, write=0, irreversible=0)
def test_a_recorded_call_is_answered_from_the_record_once(effect: Effect, wanted: int) -> None:
    first, run = counted(effect), ToolRun(approval=ALLOWED)
    told = first.tool.run(ToolCall("act", {"n": 5}, "a"), run)
    again = counted(effect)
    resumed = ToolRun(approval=ALLOWED, recorded=run.records)
    assert again.tool.run(ToolCall("act", {"n": 5}, "b"), resumed).content == told.content
    assert len(again.runs) == wanted
    again.tool.run(ToolCall("act", {"n": 5}, "c"), resumed)  # a second one is a new call
    assert len(again.runs) == wanted + 1


@effects(pure=1, read=1, write=0, irreversible=0)
def test_a_call_that_was_begun_and_never_ended_is_made_again(effect: Effect, wanted: int) -> None:
    act = counted(effect)
    resumed = ToolRun(approval=ALLOWED, recorded=[Record(ToolCall("act"))])
    result = act.tool.run(ToolCall("act"), resumed)
    assert len(act.runs) == wanted
    assert wanted or ("not known" in result.content and result.error == "cancelled")


def test_an_interrupted_irreversible_call_is_never_made_twice() -> None:
    runs: list[int] = []

    def refund(order_id: int) -> str:
        runs.append(order_id)
        raise KeyboardInterrupt

    tool, run = Tool(refund, effect="irreversible"), ToolRun(approval=ALLOWED)
    with pytest.raises(KeyboardInterrupt):
        tool.run(ToolCall("refund", {"order_id": 1}), run)
    for again in (
        ToolRun(approval=ALLOWED, recorded=run.records),
        ToolRun(approval=ALLOWED, recorded=run.records, replay=True),
    ):
        assert tool.run(ToolCall("refund", {"order_id": 1}), again).error == "cancelled"
    assert runs == [1]
