"""Tasks of several turns: what the agent is told, what each turn is judged by, who plays the user, what it costs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from openai_server import Serve, answer, from_lm
from replay import NATIVE, submit

from loopwright import LM, Module, Prediction, Signature, TaskFile, context
from loopwright.evaluation import TrialResult, plan, run_trials
from loopwright.evaluation.reports.text import print_trials
from loopwright.evaluation.runs.codec import trial_as_json, trial_from_json
from loopwright.evaluation.runs.rescore import rejudged
from loopwright.models import FunctionLM, LMRequest, LMResponse, ScriptedLM, Usage
from loopwright.models.scripted import Answer
from loopwright.runtime import Journal
from loopwright.tools import ToolCall

HERE = Path(__file__).parent


def conversation(turns: str, expect: str = "{}", **more: str) -> TaskFile:
    rest = "".join(f"  {key}: {value}\n" for key, value in more.items())
    return TaskFile.parse(
        'version: 1\nagent: {signature: "request -> reply, refunded: bool", tools: ["shop.py:TOOLS"]}\n'
        f"tasks:\n- id: t\n  turns: {turns}\n  expect: {expect}\n{rest}",
        base=HERE,
    )


def trial(file: TaskFile, lm: Any, program: Module | None = None) -> TrialResult:
    with context(lm=lm):
        (result,) = run_trials(plan(file, program))
    return result


def reply(text: str, refunded: bool = False) -> ToolCall:
    return submit(reply=text, refunded=refunded)


def said(message: str, done: bool = False) -> str:
    return f"[[ ## done ## ]]\n{str(done).lower()}\n\n[[ ## message ## ]]\n{message}"


GET17 = ToolCall("get_order", {"order_id": 17})
GET18 = ToolCall("get_order", {"order_id": 18})
REFUND = ToolCall("refund", {"order_id": 17, "amount": 20})

TWO = """
  - user: Order 17 arrived broken.
    expect: {calls: {required: [{tool: get_order, args: {order_id: 17}}], max: {refund: 0}}}
  - user: Yes, refund it.
    expect: {answer: {refunded: true}}
"""


def shown(result: TrialResult) -> list[tuple[str, int | None, str, int | None]]:
    return [(one.check, one.turn, one.feedback, one.step) for one in result.checks if not one.passed]


def test_the_agent_is_told_what_was_said_and_done_before() -> None:
    lm = ScriptedLM([GET17, reply("Shall I?"), REFUND, reply("Done.", True)])
    result = trial(conversation(TWO, "{answer: {reply: done}}"), lm)
    assert result.passed
    second = lm.requests[2].messages
    assert [(message.role, message.content) for message in second if message.role == "user"] == [
        ("user", "request: Order 17 arrived broken."),
        ("user", "request: Yes, refund it."),
    ]
    calls = [call.name for message in second for call in message.tool_calls]
    assert calls == ["get_order", "submit"]
    assert any("order 17: damaged" in message.content for message in second if message.role == "tool")


def test_step_numbers_run_through_and_turns_say_where_they_begin() -> None:
    lm = ScriptedLM([GET17, reply("Shall I?"), REFUND, reply("Done.", True)])
    result = trial(conversation(TWO), lm)
    assert [call.name for call in result.trajectory.calls] == ["get_order", "submit", "refund", "submit"]
    assert [
        (turn.item, turn.user, turn.first, turn.last, turn.termination, turn.user_model)
        for turn in result.turns
    ] == [
        (0, "Order 17 arrived broken.", 1, 2, "submit", ""),
        (1, "Yes, refund it.", 3, 4, "submit", ""),
    ]
    assert result.turns[0].outputs == {"reply": "Shall I?", "refunded": False}
    assert result.outputs == {"reply": "Done.", "refunded": True}


def test_a_turn_is_judged_by_its_own_calls_and_answers() -> None:
    lm = ScriptedLM([REFUND, reply("Refunded.", True), GET17, reply("It was damaged.")])
    result = trial(conversation(TWO), lm)
    assert shown(result) == [
        (
            "calls.required",
            1,
            "turn 1: required call get_order(order_id=17): get_order was never called",
            2,
        ),
        (
            "calls.max",
            1,
            "turn 1: at most 0 calls of refund: 1 was made, the first too many is refund(order_id=17, amount=20)",
            1,
        ),
        ("answer", 2, "turn 2: refunded: false is not true", 4),
    ]


def test_the_task_itself_judges_all_turns_together() -> None:
    expect = "{calls: {order: {of: [get_order, refund]}, no_repeat: true}, ends: submit}"
    lm = ScriptedLM([GET17, reply("Shall I?"), GET17, REFUND, reply("Done.", True)])
    result = trial(conversation(TWO, expect), lm)
    assert shown(result) == [
        (
            "calls.no_repeat",
            None,
            "repeated call: step 3 makes get_order(order_id=17) again, as step 1 did",
            3,
        )
    ]


def test_inputs_beside_the_turn_stay_the_same() -> None:
    file = TaskFile.parse(
        'version: 1\nagent: {signature: "note, customer: int, request -> reply", module: predict, '
        "turn_input: request}\ntasks:\n- id: t\n  input: {note: vip, customer: 3}\n"
        "  turns: [{user: Hello, expect: {answer: {reply: hi}}}, {user: Bye, expect: {answer: {reply: bye}}}]"
    )
    lm = ScriptedLM(["[[ ## reply ## ]]\nHi", "[[ ## reply ## ]]\nBye"])
    assert trial(file, lm).passed
    last = lm.requests[1].messages[-1].content
    assert "vip" in last
    assert "Bye" in last
    assert "Hello" not in last
    assert "Hello" in lm.requests[1].messages[-3].content


@pytest.mark.parametrize(
    ("limits", "turns", "ended"),
    [
        ("{steps: 2}", 1, "max_steps"),
        ("{steps: 3}", 2, "max_steps"),
        ("{tool_calls: 1}", 2, "max_calls"),
        ("{tokens: 20}", 1, "max_tokens"),
        ("{usd: 0.02}", 1, "max_cost"),
    ],
)
def test_limits_are_for_the_whole_conversation(limits: str, turns: int, ended: str) -> None:
    made: list[Answer] = [GET17, reply("Shall I?"), REFUND, REFUND]
    usage = Usage(10, 2, usd=0.01)
    lm = ScriptedLM([LMResponse("", (call,), usage=usage) for call in made if isinstance(call, ToolCall)])
    result = trial(conversation(TWO, limits=limits), lm)
    assert (len(result.turns), result.termination, result.outcome) == (turns, ended, "failed")


def test_an_agent_without_tool_calls_left_may_still_answer() -> None:
    lm = ScriptedLM([GET17, reply("Shall I?"), reply("I can't.", True)])
    result = trial(conversation(TWO, limits="{tool_calls: 1}"), lm)
    assert (result.outcome, result.termination) == ("passed", "forced_submit")


def test_a_turn_that_is_not_reached_fails_the_trial_and_says_why() -> None:
    turns = "[{user: One.}, {user: Two.}, {user: Three., expect: {answer: {reply: yes}}}]"
    lm = ScriptedLM([GET17, GET17, reply("One.")])
    result = trial(conversation(turns, "{answer: {reply: one}}", limits="{steps: 3}"), lm)
    why = "the conversation ended in turn 1 with max_steps"
    assert shown(result) == [
        ("turns", 2, f"turn 2 was not reached: {why}", 3),
        ("answer", 3, f"turn 3 was not reached: {why}", 3),
    ]
    assert (result.score, result.outcome) == (0.0, "failed")


def test_a_turn_without_an_answer_ends_the_conversation() -> None:
    lm = ScriptedLM(["nothing"] * 4)
    result = trial(conversation(TWO), lm)
    assert (len(result.turns), result.termination) == (1, "parse_errors")
    assert result.failure is not None
    assert (
        result.failure.feedback
        == "turn 2 was not reached: the conversation ended in turn 1 with parse_errors"
    )


def test_a_program_that_raises_in_a_later_turn_keeps_the_turns_before_it() -> None:
    class Fragile(Module):
        def __init__(self) -> None:
            self.signature = Signature("request, history: History -> reply, refunded: bool")
            self.turns = 0

        def forward(self, request: str, history: Any) -> Prediction:
            if len(history.messages) == 1:
                raise RuntimeError("no second turn")
            return Prediction(reply="ok", refunded=False)

    result = trial(conversation(TWO), ScriptedLM([]), Fragile())
    assert result.failure is not None
    assert result.failure.feedback == "the program raised RuntimeError: no second turn"
    assert [turn.user for turn in result.turns] == ["Order 17 arrived broken."]


def test_a_model_that_fails_in_a_later_turn_excludes_the_trial() -> None:
    from loopwright.errors import AuthError

    lm = ScriptedLM([reply("Shall I?"), *[AuthError("the key is wrong")] * 5])
    result = trial(conversation(TWO), lm)
    assert (result.outcome, result.error) == ("excluded", "AuthError: the key is wrong")


# The simulated user

ASKS = """
  - simulate: {persona: Ann is brief., goal: Get order 17 refunded., max_turns: 3}
    expect: {answer: {refunded: true}, calls: {required: [{tool: refund, args: {order_id: 17, amount: 20}}]}}
"""


def test_a_model_plays_the_user_until_it_is_done() -> None:
    lm = ScriptedLM(
        [
            said("My order broke."),
            reply("Which one?"),
            said("17."),
            REFUND,
            reply("Refunded.", True),
            said("", True),
        ]
    )
    result = trial(conversation(ASKS), lm)
    assert result.passed
    assert [(turn.user, turn.item, turn.user_model) for turn in result.turns] == [
        ("My order broke.", 0, "scripted"),
        ("17.", 0, "scripted"),
    ]
    player = lm.requests[2].messages
    assert "You play a person" in player[0].content
    assert "Get order 17 refunded." in player[-1].content
    assert '"speaker": "assistant", "said": "Which one?"' in player[-1].content
    assert "refunded" not in player[-1].content.replace("Get order 17 refunded.", "")


def test_the_agent_is_not_told_of_the_goal() -> None:
    lm = ScriptedLM([said("My order broke."), reply("Which one?"), said("17.", True)])
    trial(conversation(ASKS), lm)
    assert "Get order 17" not in str(lm.requests[1].messages)


def test_the_user_says_no_more_than_max_turns() -> None:
    lm = ScriptedLM([one for n in range(3) for one in (said(f"No {n}"), reply("Sorry."))])
    result = trial(conversation(ASKS), lm)
    assert [turn.user for turn in result.turns] == ["No 0", "No 1", "No 2"]
    assert shown(result)[0][:3] == ("answer", 1, "turn 1: refunded: false is not true")


def test_scripted_and_simulated_turns_follow_each_other() -> None:
    turns = "[{user: Hello., expect: {answer: {reply: hi}}}, {simulate: {persona: Ann, goal: Leave.}}, {user: Bye.}]"
    lm = ScriptedLM([reply("Hi"), said("I go."), reply("Fine."), said("Bye", True), reply("Bye.")])
    result = trial(conversation(turns), lm)
    assert [(turn.item, turn.user) for turn in result.turns] == [(0, "Hello."), (1, "I go."), (2, "Bye.")]
    assert result.passed


def test_the_first_to_speak_says_something_even_when_done() -> None:
    lm = ScriptedLM([said("Never mind.", True), reply("Fine.", True), said("", True)])
    assert [turn.user for turn in trial(conversation(ASKS), lm).turns] == ["Never mind."]


def test_the_users_model_is_metered_apart() -> None:
    def costing(item: Answer, usd: float) -> LMResponse:
        calls = (item,) if isinstance(item, ToolCall) else ()
        return LMResponse(item if isinstance(item, str) else "", calls, usage=Usage(5, 1, usd=usd))

    lm = ScriptedLM(
        [costing(said("Refund 17."), 1.0), costing(reply("Done.", True), 0.25), costing(said("", True), 1.0)],
        capabilities=NATIVE,
    )
    result = trial(conversation(ASKS), lm)
    assert result.usage.usd == 0.25
    assert {name: usage.usd for name, usage in result.other_usage.items()} == {"users": 2.0}


@pytest.mark.parametrize(
    "unusable", [["no fields"] * 3, [said("")]], ids=["not what was asked for", "an empty message"]
)
def test_a_user_that_says_nothing_usable_excludes_the_trial(unusable: Sequence[str]) -> None:
    result = trial(conversation(ASKS), ScriptedLM([*unusable, *unusable], capabilities=NATIVE))
    assert result.outcome == "excluded"
    assert result.error.startswith("ServerError: the simulated user ")
    assert (result.attempts, result.turns) == (2, ())


def test_the_users_own_model_is_named_in_the_result(
    openai_server: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = openai_server(answer(said("Refund 17.")), answer(said("Thanks", True)))
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    monkeypatch.setenv("OPENAI_API_BASE", server.url)
    turns = ASKS.replace("max_turns: 3", "max_turns: 3, model: openai/user")
    result = trial(conversation(turns), ScriptedLM([reply("Done.", True)]))
    assert [turn.user_model for turn in result.turns] == ["openai/user"]
    assert [request.body["model"] for request in server.requests] == ["user", "user"]


def test_a_journal_plays_a_simulated_conversation_back(tmp_path: Path) -> None:
    answers: list[Answer] = [said("Refund 17."), REFUND, reply("Done.", True), said("", True)]
    with Journal(tmp_path / "log", "first", mode="record"):
        first = trial(conversation(ASKS), ScriptedLM(answers))
    with Journal(tmp_path / "log", "first", mode="replay"):
        again = trial(conversation(ASKS), ScriptedLM([], capabilities=NATIVE))
    assert (again.turns, again.outcome) == (first.turns, "passed")


# What a person is shown, and a stored trial


def test_a_trial_is_shown_with_what_the_user_said() -> None:
    lm = ScriptedLM([said("My order broke."), GET17, reply("Refunded."), said("", True)])
    out = StringIO()
    print_trials([trial(conversation(ASKS), lm)], out)
    lines = out.getvalue().splitlines()
    assert lines[1] == "  user (scripted): My order broke."
    assert lines[2].startswith("  1. → get_order(order_id=17)")


def test_a_trial_without_steps_is_shown_turn_by_turn() -> None:
    file = TaskFile.parse(
        'version: 1\nagent: {signature: "request -> reply", module: predict}\n'
        "tasks: [{id: t, turns: [{user: One.}, {user: Two.}], expect: {answer: {reply: b}}}]"
    )
    out = StringIO()
    print_trials([trial(file, ScriptedLM([f"[[ ## reply ## ]]\n{text}" for text in "ab"]))], out)
    assert out.getvalue().splitlines()[1:5] == ["  user: One.", "  reply = a", "  user: Two.", "  reply = b"]


def test_a_stored_conversation_is_judged_again_turn_by_turn() -> None:
    file = TaskFile.parse(
        'version: 1\nagent: {signature: "request -> day: datetime.date", tools: ["shop.py:TOOLS"]}\n'
        "tasks: [{id: t, turns: [{user: When?, expect: {answer: {day: '2026-03-01'}}}, {user: Sure?}]}]",
        base=HERE,
    )
    result = trial(file, ScriptedLM([submit(day="2026-03-01"), submit(day="2026-03-02")]))
    stored = trial_from_json(trial_as_json(result), lambda name, task: file.task(task))
    again = rejudged(stored, file, stored.task)
    assert (again.outcome, again.checks) == ("passed", result.checks)


WITH_WORLD = """
version: 1
agent: {signature: "request -> reply"}
defaults:
  world:
    data: {orders: {"17": {status: paid}}, ledger: []}
    tools:
      set_status: {set: "orders.{number}.status", value: [paid, refunded]}
      book: {append: ledger, value: {amount: integer}}
tasks:
- id: t
  turns:
  - {user: Refund 17.}
  - {user: Book it.}
  - {user: Thank you., expect: {state: [{unchanged: "*"}]}}
"""
SET = ToolCall("set_status", {"number": "17", "value": "refunded"})
BOOK = ToolCall("book", {"amount": 20})


def test_a_check_of_a_turns_world_can_be_added_to_a_stored_conversation() -> None:
    file = TaskFile.parse(WITH_WORLD)
    lm = ScriptedLM([SET, submit(reply="Done."), BOOK, submit(reply="Booked."), submit(reply="Bye.")])
    kept = trial_as_json(trial(file, lm))
    stricter = TaskFile.parse(
        WITH_WORLD.replace(
            "Book it.}", "Book it., expect: {state: [{unchanged: orders}, {path: ledger, length: 2}]}}"
        )
    )
    again = rejudged(trial_from_json(kept, lambda name, task: file.task(task)), stricter, stricter.task("t"))
    assert shown(again) == [
        ("state", 2, "turn 2: state ledger: it holds 1, not 2; step 3, book(amount=20), left it so", 3)
    ]


def test_a_turn_whose_world_is_not_on_record_can_not_be_judged_by_it() -> None:
    file = TaskFile.parse(WITH_WORLD)
    kept = trial_as_json(trial(file, ScriptedLM([submit(reply="Done.")] * 3)))
    for turn in kept["turns"]:
        del turn["changes"]  # as versions before wrote it
    again = rejudged(trial_from_json(kept, lambda name, task: file.task(task)), file, file.task("t"))
    assert (again.outcome, again.error) == (
        "excluded",
        "turn 3: what the turn left in the world is not on record",
    )


def test_the_turns_of_a_simulated_user_are_judged_by_what_they_leave_together() -> None:
    file = TaskFile.parse(
        WITH_WORLD.replace(
            "- {user: Book it.}",
            "- {simulate: {persona: Ann, goal: Two bookings., max_turns: 2}, expect: {state: [{path: ledger, length: 2}, "
            "{unchanged: orders}]}}",
        )
    )
    answers: list[Answer] = [
        SET,
        submit(reply="Done."),
        said("Book."),
        BOOK,
        submit(reply="Once."),
        said("Again."),
        BOOK,
    ]
    result = trial(file, ScriptedLM([*answers, submit(reply="Twice."), submit(reply="Bye.")]))
    assert (result.outcome, shown(result)) == ("passed", [])


# Programs and signatures that take turns


def test_every_module_of_the_format_takes_turns() -> None:
    scripts: dict[str, list[Answer]] = {
        "predict": ["[[ ## reply ## ]]\na"] * 2,
        "chain_of_thought": ["[[ ## reasoning ## ]]\nr\n\n[[ ## reply ## ]]\na"] * 2,
        "program_of_thought": [ToolCall("python", {"code": "submit(reply='a')"})] * 2,
        "code_act": [ToolCall("python", {"code": "submit(reply='a')"})] * 2,
    }
    for module, answers in scripts.items():
        file = TaskFile.parse(
            f'version: 1\nagent: {{signature: "request -> reply", module: {module}}}\n'
            "tasks: [{id: t, turns: [{user: One.}, {user: Two.}], expect: {answer: {reply: a}}}]"
        )
        lm = ScriptedLM(answers)
        result = trial(file, lm)
        assert (module, result.outcome, len(result.turns)) == (module, "passed", 2)
        assert "One." in str(lm.requests[1].messages)


def test_a_history_of_the_signatures_own_is_used() -> None:
    file = TaskFile.parse(
        'version: 1\nagent: {signature: "request, before: History -> reply", module: predict}\n'
        "tasks: [{id: t, turns: [{user: One.}, {user: Two.}], expect: {answer: {reply: a}}}]"
    )
    assert list(file.signature.input_fields) == ["request", "before"]
    assert trial(file, ScriptedLM(["[[ ## reply ## ]]\na"] * 2)).passed


def test_a_task_of_one_input_is_a_conversation_that_begins() -> None:
    file = TaskFile.parse(
        'version: 1\nagent: {signature: "request, before: History -> reply", module: predict}\n'
        "tasks: [{id: t, input: {request: One.}, expect: {answer: {reply: a}}}]"
    )
    assert trial(file, ScriptedLM(["[[ ## reply ## ]]\na"])).passed


def test_a_task_of_one_input_stands_beside_one_of_turns() -> None:
    file = TaskFile.parse(
        'version: 1\nagent: {signature: "request -> reply", module: predict}\n'
        "tasks: [{id: t, turns: [{user: One.}], expect: {answer: {reply: a}}},\n"
        "  {id: u, input: {request: Two.}, expect: {answer: {reply: a}}}]"
    )
    with context(lm=ScriptedLM(["[[ ## reply ## ]]\na"] * 2)):
        results = list(run_trials(plan(file), workers=1))
    assert [(result.task.id, result.passed, len(result.turns)) for result in results] == [
        ("t", True, 1),
        ("u", True, 0),
    ]


def test_epochs_of_a_conversation_draw_the_user_apart(openai_server: Serve) -> None:
    server = openai_server(*[answer("[[ ## reply ## ]]\na") for _ in range(2)])
    file = TaskFile.parse(
        'version: 1\nagent: {signature: "request -> reply", module: predict}\ndefaults: {epochs: 2}\n'
        "tasks: [{id: t, turns: [{user: One.}], expect: {answer: {reply: a}}}]"
    )
    with context(lm=LM("openai/any", api_base=server.url, api_key="test", cache=True)):
        assert [result.cached for result in run_trials(plan(file), workers=1)] == [0, 0]


def test_a_trace_keeps_what_each_turn_was_told() -> None:
    class Watching(Module):
        """Keeps the histories that it was given."""

        def __init__(self) -> None:
            self.signature = Signature("request, history: History -> reply, refunded: bool")

        def forward(self, request: str, history: Any) -> Prediction:
            TOLD.append(history)
            return Prediction(reply="ok", refunded=True)

    TOLD: list[Any] = []  # noqa: N806  # the module is copied, this is not
    trial(conversation(TWO), ScriptedLM([]), Watching())
    assert [len(history.messages) for history in TOLD] == [0, 1]


def test_conversations_at_the_same_time_keep_apart(openai_server: Serve) -> None:
    """Over HTTP on one event loop, the users' model and the agent's the same: each knows its own order alone."""

    def model(request: LMRequest) -> Answer:
        text = request.messages[-1].content
        order = re.findall(r"order (\d+)", str([message.content for message in request.messages]))
        assert len(set(order)) == 1, order
        if "[[ ## goal ## ]]" in text:
            return said(f"Again, order {order[0]}.", text.count('"speaker": "assistant"') == 3)
        return submit(reply=f"Yes, order {order[0]}.", refunded=True)

    server = openai_server(from_lm(FunctionLM(model, capabilities=NATIVE)))
    tasks = "".join(
        f"- id: t{n}\n  turns: [{{simulate: {{persona: Ann, goal: Get order {n} refunded.}}}}]\n"
        f"  expect: {{answer: {{reply: 'Yes, order {n}.'}}}}\n"
        for n in range(100, 130)
    )
    file = TaskFile.parse(
        f'version: 1\nagent: {{signature: "request -> reply, refunded: bool"}}\ntasks:\n{tasks}'
    )
    with context(lm=LM("openai/any", api_base=server.url, api_key="test", cache=False)):
        results = list(run_trials(plan(file), workers=10))
    assert [result.outcome for result in results] == ["passed"] * 30
    for result in results:
        number = result.task.id[1:]
        assert [turn.user for turn in result.turns] == [f"Again, order {number}."] * 3
        assert result.other_usage["users"].total_tokens > 0


def test_what_a_turn_did_wrong_is_told_before_what_came_of_it() -> None:
    lm = ScriptedLM([reply("Shall I?"), reply("No.")])
    result = trial(conversation(TWO, "{calls: {required: [{tool: refund, extra: allow}]}}"), lm)
    assert [one.turn for one in result.checks if one.failed] == [1, 2, None]
    assert result.failure is not None
    assert result.failure.feedback.startswith("turn 1: required call get_order")
