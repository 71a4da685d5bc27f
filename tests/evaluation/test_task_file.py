"""What a sound task file gives: its agent, its tasks, examples and a metric; and its JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from replay import always, replaying, submit

from loopwright import ChainOfThought, Evaluate, Example, Predict, Prediction, ReAct, TaskFile, context
from loopwright.errors import InputError, TaskFileError
from loopwright.evaluation.file.locate import parse_document

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples" / "tasks"

FULL = """
version: 1
name: full
agent:
  module: react
  signature: "question, order: int -> reply, amount: float"
  instructions: You are the shop's assistant.
  tools: [calculate, "shop.py:TOOLS"]
defaults:
  epochs: 3
  seed: 7
  limits: {steps: 12, tool_calls: 20, tokens: 40000, usd: 0.20, seconds: 90}
tasks:
- id: refund
  tags: [refund, shop]
  split: test
  input: {question: It broke., order: "17"}
  limits: {steps: 5}
  expect:
    answer:
      reply: {contains: [refund, "17"], not_contains: sorry, regex: "[0-9]+"}
      amount: {number: 20, tol: 0.01}
    calls:
      required:
      - {tool: get_order, args: {order_id: 17}}
      - {tool: refund, args: {order_id: 17, amount: {number: {value: 20, tol: 0.01}}}, count: 1, extra: allow}
      forbidden: [{tool: cancel_order}, {tool: refund, args: {order_id: {not: 17}}}]
      order: {mode: subsequence, of: [get_order, {tool: refund, args: {order_id: 17}}]}
      max: {total: 8, "get_*": 3}
      no_repeat: true
    ends: submit
- id: sum
  tags: [shop]
  split: train
  input: {question: 2 + 2?, order: 1}
  expect: {answer: {amount: 4, reply: {one_of: [four, "4"]}}, ends: [submit, forced_submit]}
"""


def task_files() -> list[str]:
    """The examples, whatever folder they are in; a world's data is none."""
    texts = [path.read_text() for path in sorted(EXAMPLES.parent.rglob("*.yaml"))]
    return [text for text in texts if "\nversion: 1\n" in f"\n{text}"]


def test_every_key_of_the_format_is_read() -> None:
    file = TaskFile.parse(FULL, base=HERE)
    assert file.name == "full"
    assert list(file.tools) == ["calculate", "get_order", "refund", "cancel_order", "ship"]
    assert file.signature.instructions == "You are the shop's assistant."
    refund = file.task("refund")
    assert refund.input == {"question": "It broke.", "order": 17}  # as the signature's types
    assert file.limits(refund) == {"steps": 5, "tool_calls": 20, "tokens": 40000, "usd": 0.2, "seconds": 90}


def test_its_json_schema_takes_what_the_loader_takes() -> None:
    schema = TaskFile.json_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert len(task_files()) >= 4
    for text in (FULL, *task_files()):
        assert list(validator.iter_errors(parse_document(text, "t.yaml").value)) == []
    assert list(validator.iter_errors(parse_document(FULL.replace("tags:", "tag:"), "t.yaml").value))


def test_the_whole_format_is_read_and_its_schema_takes_it() -> None:
    path = HERE / "whole" / "refunds.yaml"
    file = TaskFile.load(path)
    task = file.task("refund-damaged")
    assert [turn.simulate is not None for turn in task.turns] == [False, False, True]
    assert task.score is not None
    assert (task.score.gates, task.score.pass_) == (["state", "calls.forbidden"], 1.0)
    validator = Draft202012Validator(TaskFile.json_schema())
    assert list(validator.iter_errors(parse_document(path.read_text(), "t.yaml").value)) == []


WRONG = {
    "a turn of nobody": ('- user: "Order 17 arrived broken."', "- usr: Hello"),
    "a turn of two": ("- {simulate: {persona", "- {user: a, simulate: {persona"),
    "a user without a goal": ("goal: Thank you.", "gaol: x"),
    "a weight that is text": ("calls.order: 0.5", "calls.order: much"),
    "a gate that is a number": ("gates: [state,", "gates: [3,"),
    "a module that is none": ("module: react ", "module: reakt "),
    "a bound that is negative": ("steps: 12", "steps: -1"),
}


@pytest.mark.parametrize(("old", "new"), WRONG.values(), ids=WRONG)
def test_its_json_schema_refuses_what_the_loader_refuses(old: str, new: str) -> None:
    text = (HERE / "whole" / "refunds.yaml").read_text()
    assert text.count(old) == 1
    broken = text.replace(old, new)
    with pytest.raises(TaskFileError):
        TaskFile.parse(broken, base=HERE / "whole")
    validator = Draft202012Validator(TaskFile.json_schema())
    assert list(validator.iter_errors(parse_document(broken, "t.yaml").value))


def test_json_is_read_as_yaml_is() -> None:
    value = parse_document(FULL, "t.yaml").value
    value["tasks"][0]["input"]["question"] = "\u2028 \x7f 😀 \\ud83d \t end"
    for text in (json.dumps(value), json.dumps(value, indent="\t", ensure_ascii=False)):
        file = TaskFile.parse(text, "full.json", base=HERE)
        assert file.task("refund").input["question"] == "\u2028 \x7f 😀 \\ud83d \t end"
        assert file.task("sum").expect == TaskFile.parse(FULL, base=HERE).task("sum").expect


def test_plain_words_of_yaml_stay_text() -> None:
    text = "a: yes\nb: 2026-01-31\nc: 12:30\nd: 017\ne: 1e3\nf: 0x1f\ng: True\nh: ~\ni: .5\nj: 'no'\nk: .inf\non: 0o17\n"
    assert parse_document(text, "t.yaml").value == {
        "a": "yes",
        "b": "2026-01-31",
        "c": "12:30",
        "d": 17,
        "e": 1000.0,
        "f": 31,
        "g": True,
        "h": None,
        "i": 0.5,
        "j": "no",
        "k": ".inf",
        "on": 15,
    }


def test_anchors_and_merges_share_parts() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc:\n  <<: [*a, {z: 4}]\nd: *a\n"
    document = parse_document(text, "t.yaml")
    assert document.value["b"] == {"y": 3, "x": 1}
    assert document.value["c"] == {"x": 1, "y": 2, "z": 4}
    assert document.line(("c", "x")) == 1
    assert document.line(("c", "nowhere")) == 3


def test_a_file_is_named_after_itself_where_it_has_no_name(tmp_path: Path) -> None:
    path = tmp_path / "shopping.yaml"
    path.write_text(
        'version: 1\nagent: {signature: "q -> a"}\ntasks: [{id: t, input: {q: x}, expect: {answer: {a: x}}}]'
    )
    assert TaskFile.load(path).name == "shopping"
    assert TaskFile.load(str(path)).base == tmp_path


@pytest.mark.parametrize(
    ("module", "kind"), [("react", ReAct), ("predict", Predict), ("chain_of_thought", ChainOfThought)]
)
def test_the_agent_is_the_module_that_is_named(module: str, kind: type) -> None:
    file = TaskFile.parse(
        f'version: 1\nagent: {{module: {module}, signature: "q -> a"}}\n'
        "tasks: [{id: t, input: {q: x}, expect: {answer: {a: x}}}]"
    )
    assert type(file.agent()) is kind


def test_the_reasoning_of_a_chain_of_thought_can_be_checked() -> None:
    file = TaskFile.parse(
        'version: 1\nagent: {module: chain_of_thought, signature: "q -> a"}\n'
        "tasks: [{id: t, input: {q: x}, expect: {answer: {reasoning: {contains: because}}}}]"
    )
    assert file.tasks[0].expect.answer["reasoning"].contains == ["because"]


def test_a_saved_program_is_loaded_into_the_agent(tmp_path: Path) -> None:
    text = (
        'version: 1\nagent: {signature: "q -> a", program: learned.json}\n'
        "tasks: [{id: t, input: {q: x}, expect: {answer: {a: x}}}]"
    )
    learned = ReAct("q -> a")
    learned.react.signature = learned.react.signature.with_instructions("Answer in French.")
    learned.save(tmp_path / "learned.json")
    agent = TaskFile.parse(text, base=tmp_path).agent()
    assert agent.predictors()[0].signature.instructions == "Answer in French."


def test_a_saved_program_of_another_agent_is_refused(tmp_path: Path) -> None:
    ReAct("q -> b").save(tmp_path / "learned.json")
    text = (
        'version: 1\nagent: {signature: "q -> a", program: learned.json}\n'
        "tasks: [{id: t, input: {q: x}, expect: {answer: {a: x}}}]"
    )
    with pytest.raises(TaskFileError) as caught:
        TaskFile.parse(text, base=tmp_path)
    assert caught.value.problems == (
        "tasks.yaml:2: agent.program: predictor 'react': the state was learned for 'q -> b', this program has 'q -> a'",
    )


def test_tasks_are_selected_by_split_tag_and_id() -> None:
    file = TaskFile.parse(FULL, base=HERE)

    def ids(**wanted: object) -> list[str]:
        return [task.id for task in file.select(**wanted).tasks]  # type: ignore[arg-type]  # as the tests name them

    assert ids(split="train") == ["sum"]
    assert ids(tags=["refund"]) == ["refund"]
    assert ids(tags=["refund", "shop"], limit=1) == ["refund"]
    assert ids(ids=["sum"]) == ["sum"]
    assert ids(split="dev") == []


def test_an_unknown_task_names_the_nearest() -> None:
    with pytest.raises(KeyError, match="no task 'refnd'; did you mean 'refund'"):
        TaskFile.parse(FULL, base=HERE).task("refnd")


def test_an_unknown_split_is_not_an_empty_one() -> None:
    with pytest.raises(InputError, match="there is no split 'tst'; did you mean 'test'"):
        TaskFile.parse(FULL, base=HERE).examples("tst")  # type: ignore[arg-type]  # what a typo gives


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        pytest.param({}, "this example has no task_id", id="made by hand"),
        pytest.param({"task_id": "refnd"}, "this example is of the task 'refnd'", id="of another file"),
    ],
)
def test_an_example_of_elsewhere_is_not_judged(labels: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        TaskFile.parse(FULL, base=HERE).metric(Example(request="x", **labels), Prediction(reply="y"))


def test_tasks_are_examples_with_a_metric() -> None:
    file = TaskFile.load(EXAMPLES / "arithmetic.yaml").select(ids=["plain-average", "class-trip"])
    average, trip = file.examples()
    assert average.labels().toDict() == {"answer": 29, "task_id": "plain-average"}
    turns = {average.question: [submit(answer=29)], trip.question: [submit(answer=1)]}
    with context(lm=replaying(turns)):
        result = Evaluate(devset=file.examples(), metric=file.metric)(file.agent())
    assert result.score == 50.0
    wrong = result.results[1][2]
    assert (wrong.value, wrong.passed, wrong.feedback, wrong.step) == (0.0, False, "answer: 1 is not 27", 1)


def test_the_metric_gives_the_part_of_the_checks_that_passed() -> None:
    file = TaskFile.parse(FULL, base=HERE)
    example = next(example for example in file.examples("train"))
    with context(lm=always(submit(reply="four", amount=5))):
        score = file.metric(example, file.agent()(**example.inputs().toDict()))
    assert score.value == pytest.approx(2 / 3)
    assert file.metric(example, Prediction(reply="four", amount=4)).feedback.startswith(
        "ends: the run ended with no"
    )


def test_a_signature_with_a_field_task_id_gives_no_examples() -> None:
    file = TaskFile.parse(
        'version: 1\nagent: {signature: "task_id -> a"}\n'
        "tasks: [{id: t, input: {task_id: x}, expect: {answer: {a: x}}}]"
    )
    with pytest.raises(InputError, match="a signature with a field 'task_id'"):
        file.examples()


def test_an_optional_input_may_be_left_out_and_any_type_expected() -> None:
    file = TaskFile.parse(
        'version: 1\nagent: {signature: "q -> a: str | None, b: Any, c: Literal[1, 2], d: list[int]"}\n'
        "tasks: [{id: t, input: {q: x}, expect: {answer: {a: , b: {contains: x, number: 3}, c: {number: 1}, "
        "d: {contains: '3'}}}}]"
    )
    assert file.tasks[0].expect.answer["a"].equals is None
