from __future__ import annotations

import asyncio
import threading
import time

import pytest
from awaiting import awaited

from loopwright import ReAct, context
from loopwright.models import Capabilities, ScriptedLM
from loopwright.tools import (
    Answer,
    Approval,
    Question,
    Tool,
    ToolCall,
    ToolDefinitionError,
    ToolRegistry,
    ToolRun,
)
from loopwright.tools.approval import Rule


def refund(order_id: int, reason: str = "late", full: bool = True) -> str:
    """Give money back."""
    return f"refunded {order_id}, {reason}"


REFUND = Tool(refund, effect="irreversible")


def call(**args: object) -> ToolCall:
    return ToolCall("refund", {"order_id": 17, **args})


@pytest.mark.parametrize(
    ("rules", "args", "error"),
    [
        ({"refund": "allow"}, {}, None),
        ({"*": "deny", "refund": "allow"}, {}, "denied"),
        ({"refund": "allow", "*": "deny"}, {}, None),
        ({"ref*": "deny"}, {}, "denied"),
        ({"refund(order_id=17)": "allow"}, {}, None),
        ({"refund(order_id=17)": "allow"}, {"order_id": "17"}, None),
        ({"refund(order_id=1?)": "allow"}, {"order_id": 170}, "denied"),
        ({"refund(reason=*damage*, order_id=1*)": "allow"}, {"reason": "water, damage"}, None),
        ({"refund(reason=late)": "allow"}, {}, None),
        ({"refund(full=true)": "deny", "refund": "allow"}, {}, "denied"),
        ({"refund(full=true)": "deny", "refund": "allow"}, {"full": False}, None),
        ({"refund(reason=a, b)": "allow"}, {"reason": "a, b"}, None),
        ({"refund": "ask"}, {}, "denied"),
        ({"refund(order_id<=17)": "allow"}, {}, None),
        ({"refund(order_id<17)": "allow"}, {}, "denied"),
        ({"refund(order_id>=5, order_id<=50, reason=l*)": "allow"}, {}, None),
        ({"refund(order_id>=5, order_id<=50)": "allow"}, {"order_id": 51}, "denied"),
        ({"refund(full>=0)": "allow"}, {}, "denied"),
    ],
    ids=str,
)
def test_the_first_rule_that_fits_decides(
    rules: dict[str, str], args: dict[str, object], error: str | None
) -> None:
    policy = Approval(rules)  # type: ignore[arg-type]  # the values are the words of a Decision
    assert REFUND.run(call(**args), ToolRun(approval=policy)).error == error


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"refund": "yes"}, "must be allow, deny or ask"),
        ({"refund(17)": "allow"}, "name=pattern"),
        ({"refund(": "allow"}, "no pattern of a call"),
        ({"refund(order_id<=many)": "allow"}, "no number to compare with"),
        ({"": "allow"}, "no pattern of a call"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rules: dict[str, str], words: str) -> None:
    with pytest.raises(ToolDefinitionError, match=words):
        Approval(rules)  # type: ignore[arg-type]  # as above


def test_a_denied_call_says_what_denied_it() -> None:
    policy = Approval({"refund(order_id=1*)": "deny"})
    content = REFUND.run(call(), ToolRun(approval=policy)).content
    assert (
        content
        == 'Error: refund is irreversible, and this call is not allowed: the rule "refund(order_id=1*)" says so'
    )


def test_what_a_tool_does_is_no_reason_where_it_is_harmless() -> None:
    lookup = Tool(lambda word: word, "look_up", effect="pure")
    result = lookup.run(ToolCall("look_up", {"word": "a"}), ToolRun(approval=Approval({"look_up": "deny"})))
    assert result.content == 'Error: this call of look_up is not allowed: the rule "look_up" says so'


def test_with_nobody_to_ask_the_answer_is_no() -> None:
    content = REFUND.run(call()).content
    assert content.endswith("it has to be approved, and nobody is there to ask")


def test_the_person_sees_the_arguments_as_the_tool_gets_them() -> None:
    seen: list[Question] = []

    def ask(question: Question) -> bool:
        seen.append(question)
        return True

    result = REFUND.run(call(order_id="17"), ToolRun(approval=Approval(ask=ask)))
    assert result.content == "refunded 17, late"
    assert (seen[0].args, seen[0].effect) == (
        {"order_id": 17, "reason": "late", "full": True},
        "irreversible",
    )


def test_a_no_with_a_reason_reaches_the_model() -> None:
    policy = Approval(ask=lambda question: Answer(allowed=False, reason="first ask for the receipt"))
    result = REFUND.run(call(), ToolRun(approval=policy))
    assert (result.error, result.content.endswith("not allowed: first ask for the receipt")) == (
        "denied",
        True,
    )


def test_the_person_may_change_the_arguments() -> None:
    policy = Approval(ask=lambda question: Answer(allowed=True, args={"order_id": "18"}))
    result = REFUND.run(call(), ToolRun(approval=policy))
    assert result.content == '(The user changed the call to refund(order_id="18").)\nrefunded 18, late'
    assert result.call.args == {"order_id": "18"}


def test_the_time_that_a_person_takes_is_not_the_tools() -> None:
    def thinks(question: Question) -> bool:
        time.sleep(0.5)
        return True

    began = time.monotonic()
    result = REFUND.run(call(), ToolRun(approval=Approval(ask=thinks)))
    assert result.seconds <= time.monotonic() - began - 0.5


def test_changed_arguments_are_checked_too() -> None:
    policy = Approval(ask=lambda question: Answer(allowed=True, args={"order_id": "x"}))
    assert REFUND.run(call(), ToolRun(approval=policy)).error == "invalid_args"


@pytest.mark.parametrize(
    ("remember", "asked"),
    [(False, [17, 17, 18]), (True, [17, 18]), ({"order_id": "1?"}, [17]), ({}, [17, 17, 18])],
    ids=["nothing", "exactly this call", "a pattern", "the name alone"],
)
def test_an_answer_is_remembered_for_a_pattern_of_arguments(
    remember: bool | dict[str, str], asked: list[int]
) -> None:
    seen: list[object] = []

    def ask(question: Question) -> Answer:
        seen.append(question.args["order_id"])
        return Answer(allowed=True, remember=remember)

    policy = Approval(ask=ask)
    for order in (17, 17, 18):
        assert REFUND.run(call(order_id=order), ToolRun(approval=policy)).ok
    assert seen == asked


def test_a_remembered_text_with_stars_fits_itself_alone() -> None:
    policy = Approval(ask=lambda question: Answer(allowed=question.args["reason"] == "*", remember=True))
    assert REFUND.run(call(reason="*"), ToolRun(approval=policy)).ok
    assert not REFUND.run(call(reason="anything"), ToolRun(approval=policy)).ok


@awaited
async def test_an_awaited_call_asks_without_blocking_the_loop() -> None:
    async def ask(question: Question) -> bool:
        await asyncio.sleep(0)
        return True

    run = ToolRun(approval=Approval(ask=ask))
    results = await asyncio.gather(*(REFUND.arun(call(order_id=n), run) for n in range(3)))
    assert all(result.ok for result in results)


@awaited
async def test_an_asker_that_blocks_does_not_block_the_loop() -> None:
    heard = threading.Event()
    run = ToolRun(approval=Approval(ask=lambda question: heard.wait(60)))
    waiting = asyncio.ensure_future(REFUND.arun(call(), run))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    heard.set()
    assert (await waiting).ok


def test_a_coroutine_may_be_asked_from_blocking_code() -> None:
    async def ask(question: Question) -> bool:
        return True

    assert REFUND.run(call(), ToolRun(approval=Approval(ask=ask))).ok


def test_questions_from_several_threads_come_one_at_a_time() -> None:
    asking: list[int] = []
    most: list[int] = []

    def ask(question: Question) -> bool:
        asking.append(1)
        most.append(len(asking))
        time.sleep(0.02)
        asking.pop()
        return True

    def look(n: int) -> str:
        return str(n)

    registry = ToolRegistry(Tool(look, effect="read"))
    run = ToolRun(approval=Approval({"*": "ask"}, ask=ask))
    results = registry.call_all([ToolCall("look", {"n": n}) for n in range(6)], run)
    assert [result.content for result in results] == list("012345")
    assert max(most) == 1


def test_an_argument_without_a_text_fits_no_rule_but_stars() -> None:
    loop: list[object] = []
    loop.append(loop)
    assert not Rule.parse("f(x=a*)", "allow").fits("f", {"x": loop})


def test_a_call_outside_of_any_run_is_under_the_policy_around_it() -> None:
    registry = ToolRegistry(REFUND)
    with context(approval={"refund": "allow"}):
        assert registry.call(call()).ok
        with context(dry_run=True):
            assert registry.call(call()).content.startswith("Dry run")
        with context(approval={"refund": "deny"}):
            assert registry.call(call()).error == "denied"


def test_rules_that_are_for_no_tool_are_found() -> None:
    policy = Approval({"refnd": "deny", "re*": "ask", "refund(order_id=1)": "allow"})
    assert policy.problems(ToolRegistry(REFUND)) == [
        (Rule.parse("refnd", "deny"), 'fits no tool; did you mean "refund"?')
    ]


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("refund(order=1)", 'refund has no argument "order"; did you mean "order_id"?'),
        ("refund(sum<=5)", 'refund has no argument "sum"; there are order_id, reason, full'),
        ("shop_*", "fits no tool; there is refund"),
        ("ref*(order_id=1, reason=*)", ""),
        ("*", ""),
    ],
)
def test_a_rule_that_fits_no_call_says_why(pattern: str, problem: str) -> None:
    assert Rule.parse(pattern, "deny").problem(ToolRegistry(REFUND)) == problem


def test_a_rule_for_an_argument_that_is_not_there_lets_no_call_pass() -> None:
    run = ToolRun(approval=Approval({"refund(order=1)": "deny", "refund": "allow"}))
    with pytest.raises(
        ToolDefinitionError, match=r'"refund\(order=1\)" fits no call: .* did you mean "order_id"'
    ):
        ToolRegistry(REFUND).call(call(), run)


@pytest.mark.parametrize("said", ["no", "yes", 1, None, []], ids=repr)
def test_only_true_and_false_are_answers(said: object) -> None:
    run = ToolRun(approval=Approval(ask=lambda question: said))  # type: ignore[arg-type, return-value]  # as a user may write
    with pytest.raises(ToolDefinitionError, match="is no answer"):
        ToolRegistry(REFUND).call(call(), run)


def test_a_name_that_is_nearly_a_tools_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    lm = ScriptedLM([ToolCall("submit", {"answer": "x"})] * 2, capabilities=Capabilities(native_tools=True))
    agent = ReAct("question -> answer", tools=[REFUND])
    with context(lm=lm, approval={"refnd": "deny", "drop_table": "deny"}):
        agent(question="?")
        agent(question="?")
    assert [record.message for record in caplog.records] == [
        'the rule "refnd" fits no tool of this agent; did you mean "refund"?'
    ]
