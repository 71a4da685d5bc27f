"""A conversation becomes a task: it is sound, it is proved, and it tells a good agent from a bad one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from chat_room import Room, Script, call
from chat_terminal import PATIENCE
from openai_server import answer

from loopwright.evaluation import TaskFile


def evaluated(room: Room, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "loopwright", "eval", *options]
    return subprocess.run(
        command, cwd=room.folder, env=room.env, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_a_turn_becomes_a_task_that_is_proved(script: Script, room: Room) -> None:
    server = room.server(call("get_order", order_id=17), answer("Order **17** is shipped, I am glad to say."))
    done = script(server, "Where is order 17?", "/save-task tasks.yaml")
    assert "task 1, 'where-is-order-17', 1 turn, 3 checks" in done.out
    expect = TaskFile.load("tasks.yaml").tasks[0].expect
    assert expect.answer["answer"].contains == ["17", "shipped"]
    assert [str(one) for one in expect.calls.required] == ["get_order(order_id=17)"]
    proved = evaluated(room, "tasks.yaml", "--check")
    assert proved.returncode == 0, proved.stderr
    assert "1 task proved" in proved.stdout


def test_a_conversation_becomes_a_task_of_several_turns(script: Script, room: Room) -> None:
    server = room.server(
        call("get_order", order_id=17),
        answer("Order 17 is shipped."),
        call("refund", order_id=17, amount=5),
        answer("I refunded 5 EUR."),
    )
    options = ["--allow", "refund", "--system", "You are the shop's assistant."]
    done = script(server, "Where is order 17?", "Refund 5", "/save-task sub/two.yaml", options=options)
    assert "for real" in done.out
    assert evaluated(room, "sub/two.yaml", "--check").returncode == 0
    good = room.server(
        call("get_order", order_id=17),
        call("submit", answer="Order 17 was shipped; it is shipped."),
        call("refund", order_id=17, amount=5),
        call("submit", answer="5 EUR are refunded"),
    )
    asked = ["-m", "openai/any", "--api-base", good.url, "--no-cache"]
    passed = evaluated(room, "sub/two.yaml", *asked)
    assert "1 passed" in passed.stdout, passed.stdout + passed.stderr
    idle = room.server(call("submit", answer="Order 17 is shipped."))
    asked = ["-m", "openai/any", "--api-base", idle.url, "--no-cache"]
    assert "1 failed" in evaluated(room, "sub/two.yaml", *asked).stdout


def test_a_second_conversation_is_added_to_the_file(script: Script, room: Room) -> None:
    server = room.server(call("get_order", order_id=17), answer("Order 17 is shipped."))
    script(server, "Where is order 17?", "/save-task tasks.yaml")
    before = Path("tasks.yaml").read_text()
    server = room.server(
        call("get_order", order_id=18), answer("Order 18 is lost."), answer("7 days."), answer("7 days.")
    )
    script(server, "Where is order 17?", "How long?", "/save-task tasks.yaml")
    assert Path("tasks.yaml").read_text().startswith(before.rstrip())
    assert [task.id for task in TaskFile.load("tasks.yaml").tasks] == [
        "where-is-order-17",
        "where-is-order-17-2",
    ]
    assert evaluated(room, "tasks.yaml", "--check").returncode == 0


def test_a_corrected_answer_is_what_the_task_wants(script: Script, room: Room) -> None:
    server = room.server(call("get_order", order_id=17), answer("It is lost."))
    script(server, "Where is order 17?", "/fix shipped", "/save-task tasks.yaml")
    wanted = TaskFile.load("tasks.yaml").tasks[0].expect.answer["answer"]
    assert wanted.contains == ["shipped"]
    assert wanted.problem("Order 17 is shipped.", lambda value: value) is None
    assert wanted.problem("It is lost.", lambda value: value) is not None


def test_a_corrected_answer_counts_also_where_the_turn_was_called_good(script: Script, room: Room) -> None:
    server = room.server(answer("I have no idea at all."))
    script(server, "Tell me.", "/fix Nobody here can say", "/good", "/save-task tasks.yaml")
    wanted = TaskFile.load("tasks.yaml").tasks[0].expect.answer["answer"]
    assert wanted.judge is not None
    assert "Nobody here can say" in wanted.judge.rubric


@pytest.mark.parametrize(
    ("said", "right", "wrong"),
    [
        ("36", ["36", "It is 36.0."], ["35", "36 or 37"]),
        ("about **8.05** km", ["8.04672", "8.05 kilometres"], ["8.1"]),
        ("2026-05-10", ["It was 2026-05-10."], ["2026-05-11"]),
        ("*Shipped*!", ["It is shipped by now."], ["It is lost."]),
        ("Lost in **Rome**.", ["It got lost in Rome, I fear."], ["Lost in Bern."]),
    ],
    ids=["a number", "a rounded number", "a date", "a word", "three words"],
)
def test_a_short_answer_may_be_said_in_other_words(
    script: Script, room: Room, said: str, right: list[str], wrong: list[str]
) -> None:
    script(room.server(answer(said)), "Tell me.", "/save-task tasks.yaml")
    wanted = TaskFile.load("tasks.yaml").tasks[0].expect.answer["answer"]
    assert [wanted.problem(one, lambda value: value) for one in right] == [None] * len(right)
    assert None not in [wanted.problem(one, lambda value: value) for one in wrong]
    assert evaluated(room, "tasks.yaml", "--check").returncode == 0


def test_the_checks_are_listed_and_others_can_be_chosen(script: Script, room: Room) -> None:
    server = room.server(call("get_order", order_id=17), answer("Order **17** is shipped, I am glad to say."))
    done = script(server, "Where is order 17?", "/save-task tasks.yaml", "/save-task tasks.yaml 1 3 5")
    listed = [line.strip() for line in done.out.splitlines() if line.startswith("  ")]
    assert listed == [
        "1 ✓ get_order(order_id=17) is called",
        '2 ✓ the answer says "17"',
        '3 ✓ the answer says "shipped"',
        "4   the answer is this, word for word",
        "5   a model judges that the answer says the same",
        "1 ✓ get_order(order_id=17) is called",
        '2   the answer says "17"',
        '3 ✓ the answer says "shipped"',
        "4   the answer is this, word for word",
        "5 ✓ a model judges that the answer says the same",
    ]
    [task] = TaskFile.load("tasks.yaml").tasks
    wanted = task.expect.answer["answer"]
    assert (wanted.contains, wanted.judge is not None) == (["shipped"], True)
    assert evaluated(room, "tasks.yaml", "--check").returncode == 0


def test_a_longer_conversation_is_another_task(script: Script, room: Room) -> None:
    server = room.server(answer("7 days"), answer("8 days"))
    script(server, "How long?", "/save-task tasks.yaml", "And then?", "/save-task tasks.yaml")
    assert [len(task.turns) for task in TaskFile.load("tasks.yaml").tasks] == [0, 2]


def test_a_file_that_was_changed_meanwhile_is_added_to(script: Script, room: Room) -> None:
    change = "!sed -i s/7/9/ tasks.yaml"
    script(
        room.server(answer("7 days")), "How long?", "/save-task tasks.yaml", change, "/save-task tasks.yaml"
    )
    assert len(TaskFile.load("tasks.yaml").tasks) == 2


def test_calls_that_only_compute_need_not_be_made_but_may_be_wanted(script: Script, room: Room) -> None:
    lines = ("What is 15% of 240?", "/save-task tasks.yaml")
    done = script(None, *lines)
    assert "1 ✓ the answer says the number 36" in done.out
    assert "2   calculate(expression=" in done.out
    done = script(None, *lines[:1], "/save-task other.yaml 1 2")
    required = TaskFile.load("other.yaml").tasks[0].expect.calls.required
    assert [one.tool for one in required] == ["calculate"]
    assert evaluated(room, "tasks.yaml", "other.yaml", "--check").returncode == 0
    assert "2 passed" in evaluated(room, "tasks.yaml", "other.yaml", "--no-cache").stdout


def test_a_check_that_is_not_there_is_named(script: Script, room: Room) -> None:
    done = script(room.server(answer("7 days")), "How long?", "/save-task tasks.yaml 9")
    assert "there is no check 9; there are 1 to 3" in done.err
    assert not (room.folder / "tasks.yaml").exists()


def test_what_the_person_refused_is_forbidden(script: Script, room: Room) -> None:
    server = room.server(call("refund", order_id=17, amount=5), answer("Order 17 was not refunded."))
    script(server, "Refund 17", "/save-task tasks.yaml", options=["--deny", "refund"])
    forbidden = TaskFile.load("tasks.yaml").tasks[0].expect.calls.forbidden
    assert [one.tool for one in forbidden] == ["refund"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["hi", "/save-task tasks.yaml"], "nothing in this conversation can be checked"),
        (["hi", "/bad", "/save-task tasks.yaml"], "nothing in this conversation can be checked"),
        (["hi", "/fix 7", "/save-task other.yaml"], "other.yaml is for request -> total: float"),
        (["hi", "/fix 7", "/save-task broken.yaml"], "broken.yaml is no task file"),
        (["hi", "/fix 7", "/save-task last.yaml"], "the tasks are not the last part"),
    ],
    ids=["no facts", "bad", "another signature", "no task file", "tasks not last"],
)
def test_what_can_be_no_task_is_said_and_no_file_is_touched(
    script: Script, room: Room, lines: list[str], said: str
) -> None:
    task = "tasks: [{id: a, input: {request: x}, expect: {answer: {total: 1}}}]\n"
    other = f"version: 1\nagent: {{signature: 'request -> total: float', module: predict}}\n{task}"
    (room.folder / "other.yaml").write_text(other)
    (room.folder / "broken.yaml").write_text("version: 2\n")
    last = task.replace("request", "question").replace("total", "answer")
    (room.folder / "last.yaml").write_text(
        f"version: 1\n{last}agent: {{signature: question -> answer, module: react, tools: ['shop.py:TOOLS']}}\n"
    )
    done = script(room.server(answer("I would be glad to help you.")), *lines)
    assert done.code in (1, 2)
    assert said in done.err
    assert (room.folder / "other.yaml").read_text() == other
    assert not (room.folder / "tasks.yaml").exists()


def test_optimize_shows_the_model_what_worked(script: Script, room: Room) -> None:
    tasks = "".join(
        f"- {{id: t{n}, input: {{question: 'Where is order {n}?'}}, expect: {{answer: {{answer: {{contains: shipped}}}}}}}}\n"
        for n in range(17, 20)
    )
    (room.folder / "tasks.yaml").write_text(
        f"version: 1\nagent: {{signature: question -> answer, tools: ['shop.py:TOOLS']}}\ntasks:\n{tasks}"
    )
    server = room.server(call("get_order", order_id=17), call("submit", answer="shipped"), answer("shipped"))
    done = script(server, "/optimize tasks.yaml", "/demos", "/usage", options=["--no-cache"])
    assert done.code == 0, done.err
    assert "BootstrapTrajectories: " in done.out
    assert "price unknown" in done.out.splitlines()[-1]
