"""BootstrapTrajectories on programs that are no plain ReAct: an agent inside a program, programs as actions, plain calls."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest

from loopwright import CodeAct, Example, Module, Predict, Prediction, ReAct, TaskFile, context
from loopwright.evaluation.metrics import exact_match
from loopwright.models import Capabilities, FunctionLM, LMRequest
from loopwright.optimizers import BootstrapTrajectories, Report, report_of
from loopwright.optimizers.driving.execution import call_program
from loopwright.optimizers.splits import distinct, group_of, grouped, is_of, of_example, told_apart
from loopwright.tools import Tool, ToolCall

PRICES = {f"item{k}": 3 * k + 7 for k in range(40)}
CAN = Capabilities(native_tools=True)


def price_of(item: str) -> int:
    """The price of an item."""
    return PRICES[item]


def knows(request: LMRequest, item: str, rate: float) -> bool:
    """Whether the model looks the price up: always where a prompt shows how, else now and then."""
    shown = sum(message.role == "user" for message in request.messages) > 1
    drawn = hashlib.sha256(f"{item}/{request.rollout_id}/{request.temperature}".encode()).digest()[0]
    return shown or drawn < 256 * rate


def priced(request: LMRequest) -> str | ToolCall:
    if not request.tools:
        asked: list[str] = re.findall(r"item\d+", request.messages[-1].content)
        return f"[[ ## item ## ]]\n{asked[-1]}"
    last = request.messages[-1]
    if last.role == "tool":
        return ToolCall("submit", {"price": int(last.content)})
    item = last.content.split()[-1]
    return (
        ToolCall("price_of", {"item": item})
        if knows(request, item, 0.3)
        else ToolCall("submit", {"price": 0})
    )


class Desk(Module):
    """Finds out which item is meant, and has an agent price it."""

    def __init__(self) -> None:
        self.find = Predict("question -> item")
        self.agent = ReAct("item -> price: int", [Tool(price_of, effect="read")])

    def forward(self, question: str) -> Prediction:
        found: Prediction = self.agent(item=self.find(question=question).item)
        return found


def test_an_agent_inside_a_program_learns_by_its_own_part_of_the_runs() -> None:
    rows = [Example(question=f"What is {i}?", price=p).with_inputs("question") for i, p in PRICES.items()]
    with context(lm=FunctionLM(priced, capabilities=CAN)):
        program = BootstrapTrajectories(exact_match).compile(Desk(), trainset=rows, num_threads=2)
    report = report_of(program)
    assert report.improved
    assert report.confirmed is not None
    assert report.confirmed.mean == 1.0
    assert not program.find.demos
    (demo,) = program.agent.react.demos
    assert (demo.price, [call.name for call in demo.trajectory.calls]) == (
        PRICES[demo.item],
        ["price_of", "submit"],
    )


def manual(text: str) -> str:
    """Search the manual."""
    return "the manual says nothing of that"


class Once:
    """Prices that can be asked for once each."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def price_of(self, item: str) -> int:
        """The price of an item."""
        if item in self.asked:
            raise RuntimeError("sold")
        self.asked.add(item)
        return PRICES[item]


def wandering(request: LMRequest) -> str | ToolCall:
    """As `priced`, by way of the manual."""
    last = request.messages[-1]
    if last.role == "user" and request.tools and isinstance(priced(request), ToolCall):
        made = priced(request)
        assert isinstance(made, ToolCall)
        return ToolCall("manual", {"text": "prices"}) if made.name == "price_of" else made
    if last.role == "tool" and "manual" in last.content:
        item = next(m for m in reversed(request.messages) if m.role == "user").content.split()[-1]
        return ToolCall("price_of", {"item": item})
    return priced(request)


def compiled_desk(price: Tool, **options: Any) -> tuple[Desk, Report]:
    rows = [Example(question=f"What is {i}?", price=p).with_inputs("question") for i, p in PRICES.items()]
    desk = Desk()
    desk.agent = ReAct("item -> price: int", [price, Tool(manual, effect="read")])
    with context(lm=FunctionLM(wandering, capabilities=CAN)):
        program = BootstrapTrajectories(exact_match, attempts=3).compile(
            desk, trainset=rows, num_threads=1, **options
        )
    return program, report_of(program)


def test_an_agent_inside_a_program_is_run_again_by_itself_and_loses_its_detours() -> None:
    program, report = compiled_desk(Tool(price_of, effect="read"))
    (demo,) = program.agent.react.demos
    assert [call.name for call in demo.trajectory.calls] == ["price_of", "submit"]
    assert all(one["replayed"] for one in report.notes["bank"])
    (replays,) = [use.used for use in report.phases if use.phase == "replay"]
    assert (replays.calls, replays.replays > 0) == (0, True)


def test_what_an_agent_inside_a_program_can_not_do_again_is_no_demonstration() -> None:
    _, report = compiled_desk(Tool(Once().price_of, effect="read"))
    assert not report.improved
    refused = [one for one in report.decisions if one.stage == "rewrite"]
    assert refused
    assert {one.reason for one in refused} == {"it did not pass when it was run again"}


def test_an_agent_that_needs_what_is_around_it_is_shown_as_it_was() -> None:
    shop: set[str] = set()

    def price_of(item: str) -> int:
        """The price of an item."""
        if "open" not in shop:
            raise RuntimeError("closed")
        return PRICES[item]

    def in_the_shop(program: Module, example: Example) -> Any:
        shop.add("open")
        try:
            return call_program(program, example)
        finally:
            shop.clear()

    program, report = compiled_desk(Tool(price_of, effect="read"), run=in_the_shop)
    assert report.improved
    assert {one.verdict for one in report.decisions if one.stage == "rewrite"} == {"left as it was"}
    (demo,) = program.agent.react.demos
    assert [call.name for call in demo.trajectory.calls] == ["manual", "price_of", "submit"]


def programmed(request: LMRequest) -> ToolCall:
    last = request.messages[-1]
    item = last.content.split()[-1]
    if last.role != "tool" and knows(request, item, 0.4):
        return ToolCall("python", {"code": f"price = price_of({item!r})\nprint(price)\nsubmit(price=price)"})
    return ToolCall("python", {"code": "submit(price=0)"})


def test_programs_as_actions_are_demonstrated_whole() -> None:
    rows = [Example(item=i, price=p).with_inputs("item") for i, p in list(PRICES.items())[:20]]
    with context(lm=FunctionLM(programmed, capabilities=CAN)):
        program = BootstrapTrajectories(exact_match, attempts=3).compile(
            CodeAct("item -> price: int", [Tool(price_of, effect="read")]), trainset=rows, num_threads=2
        )
    (demo,) = program.predictors()[0].demos
    assert "submit(price=price)" in str(demo.trajectory.calls[-1].args["code"])
    assert report_of(program).improved


CONVERSATIONS = """
version: 1
agent: {signature: "request, history: History -> reply", tools: [calculate]}
tasks:
"""
TURN = '- {{id: t{k}, turns: [{{user: "hello"}}, {{user: "bye {k}", expect: {{answer: {{reply: bye}}}}}}]}}\n'


def test_conversations_that_begin_alike_are_tasks_of_their_own_and_repeated_ones_are_not() -> None:
    turns = [TURN.format(k=k) for k in range(12)] + [TURN.format(k=3).replace("id: t3", "id: again")]
    file = TaskFile.parse(CONVERSATIONS + "".join(turns))
    examples = told_apart(file, file.examples())
    assert {example.request for example in examples} == {"hello"}
    assert len(grouped(examples)) == len(distinct(examples)) == 12
    assert group_of(examples[3]) == group_of(examples[12])
    first, other = examples[0], examples[1]
    demo = of_example(Example(request="hello", reply="?").with_inputs("request"), first)
    assert (is_of(demo, first), is_of(demo, other)) == (True, False)
    assert grouped(told_apart(None, file.examples())).keys() == grouped(file.examples()).keys()


PRICED = (
    '- {{id: t{k}, turns: [{{user: "price item{k}", expect: {{answer: {{reply: "{price}"}}}}}}, '
    '{{user: "bye", expect: {{answer: {{reply: bye}}}}}}]}}\n'
)


def test_the_first_turn_of_a_conversation_is_a_demonstration() -> None:
    file = TaskFile.parse(
        CONVERSATIONS + "".join(PRICED.format(k=k, price=PRICES[f"item{k}"]) for k in range(40))
    )

    def polite(request: LMRequest) -> ToolCall:
        last = request.messages[-1]
        if last.role == "tool":
            return ToolCall("submit", {"reply": last.content})
        said = last.content.split()[-1]
        if said == "bye":
            return ToolCall("submit", {"reply": "bye"})
        looks = knows(request, said, 0.3)
        return ToolCall("price_of", {"item": said}) if looks else ToolCall("submit", {"reply": "dear"})

    student = ReAct("request, history: History -> reply", [Tool(price_of, effect="read")])
    with context(lm=FunctionLM(polite, capabilities=CAN)):
        program = BootstrapTrajectories(file.metric, attempts=4).compile(
            student, trainset=file.examples(), num_threads=1
        )
    report = report_of(program)
    assert report.improved, report.reason
    assert report.confirmed is not None
    assert report.confirmed.mean == 1.0
    assert [str(demo.request).split()[0] for demo in program.react.demos] == ["price"] * len(report.demos)
    assert {len(demo.trajectory.calls) for demo in program.react.demos} == {2}


@pytest.mark.parametrize("teacher", [True, False], ids=["a teacher", "alone"])
def test_a_teacher_solves_what_the_student_never_does(teacher: bool) -> None:
    def clueless(request: LMRequest) -> ToolCall:
        last = request.messages[-1]
        if last.role == "tool":
            return ToolCall("submit", {"price": int(last.content)})
        item = last.content.split()[-1]
        return (
            ToolCall("price_of", {"item": item})
            if knows(request, item, 0.0)
            else ToolCall("submit", {"price": 0})
        )

    def able(request: LMRequest) -> ToolCall:
        last = request.messages[-1]
        if last.role == "tool":
            return ToolCall("submit", {"price": int(last.content)})
        return ToolCall("price_of", {"item": last.content.split()[-1]})

    rows = [Example(item=i, price=p).with_inputs("item") for i, p in list(PRICES.items())[:20]]
    with context(lm=FunctionLM(clueless, capabilities=CAN)):
        program = BootstrapTrajectories(exact_match).compile(
            ReAct("item -> price: int", [Tool(price_of, effect="read")]),
            trainset=rows,
            teacher=FunctionLM(able, capabilities=CAN) if teacher else None,
            num_threads=2,
        )
    assert report_of(program).improved is teacher
    assert program.get_lm() is None, "the student asks its own model again"


WORLD = """
version: 1
agent: {signature: "request -> reply"}
defaults:
  world:
    data:
      orders: {ORDERS}
    tools:
      get_order: {get: "orders.{order_id}"}
      set_status: {set: "orders.{order_id}.status", value: [paid, refunded]}
tasks:
"""
REFUND = """\
- id: refund-{k}
  input: {{request: "Refund order {k}."}}
  expect: {{state: [{{path: orders.{k}.status, equals: refunded}}, {{length: 30, path: orders}}]}}
"""


def test_in_a_world_every_run_and_every_replay_starts_afresh() -> None:
    orders = ", ".join(f"{k}: {{status: paid, total: {k}}}" for k in range(100, 130))
    text = WORLD.replace("ORDERS", orders) + "".join(REFUND.format(k=k) for k in range(100, 130))
    file = TaskFile.parse(text)

    def clerk(request: LMRequest) -> ToolCall:
        turns = [message for message in request.messages if message.role != "system"]
        live = max(place for place, message in enumerate(turns) if message.role == "user")
        order = int(re.findall(r"\d+", turns[live].content)[0])
        made = sum(message.role == "assistant" for message in turns[live:])
        calls = [
            ToolCall("get_order", {"order_id": order}),
            ToolCall("set_status", {"order_id": order, "value": "refunded"}),
        ]
        if not knows(request, str(order), 0.3) or made == len(calls):
            return ToolCall("submit", {"reply": "done"})
        # an order that was refunded in another run's world would be left alone
        return (
            calls[made]
            if "refunded" not in turns[-1].content
            else ToolCall("submit", {"reply": "done before"})
        )

    with context(lm=FunctionLM(clerk, capabilities=CAN)):
        optimizer = BootstrapTrajectories(file.metric, attempts=4)
        program = optimizer.compile(file.agent(), trainset=file.examples(), num_threads=4)
    report = report_of(program)
    assert report.improved
    assert report.confirmed is not None
    assert report.confirmed.mean == 1.0
    (demo,) = report.demos
    assert "set_status" in [call["name"] for step in demo["trajectory"] for call in step["calls"]]
