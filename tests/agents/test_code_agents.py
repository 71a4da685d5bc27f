"""ProgramOfThought and CodeAct, with real programs in the real sandbox; the model is a script."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

import loopwright as lw
from loopwright.errors import InputError
from loopwright.models import Capabilities, ScriptedLM
from loopwright.models.scripted import Answer
from loopwright.sandbox import Limits, ProcessSandbox
from loopwright.seams import HostFunctions
from loopwright.tools import ToolCall

NATIVE = Capabilities(native_tools=True)


def program(code: str) -> ToolCall:
    return ToolCall("python", {"code": code})


def marked(code: str, thought: str = "Compute it.") -> str:
    return (
        f"[[ ## thought ## ]]\n{thought}\n\n[[ ## code ## ]]\n```python\n{code}\n```\n\n[[ ## completed ## ]]"
    )


def native(*answers: Answer) -> ScriptedLM:
    return ScriptedLM(answers, capabilities=NATIVE)


def get_price(item: str) -> float:
    """The price of one item.

    Args:
        item: Its name.
    """
    return {"desk": 149.5, "lamp": 40.0}[item]


def refund(order_id: int, amount: float = 0.0) -> dict[str, float]:
    """Refund an order."""
    return {"order": order_id, "amount": amount}


def quick(functions: HostFunctions) -> ProcessSandbox:
    limits = Limits(wall_seconds=60, cpu_seconds=1, memory_mb=64, output_chars=2_000)
    return ProcessSandbox(limits, tools=functions)


# ProgramOfThought


@pytest.mark.parametrize(
    "lm", [native(program("sum(numbers)")), ScriptedLM([marked("sum(numbers)")])], ids=["native", "text"]
)
def test_the_value_of_the_last_line_is_the_answer_in_one_model_call(lm: ScriptedLM) -> None:
    with lw.context(lm=lm):
        prediction = lw.ProgramOfThought("numbers: list[int] -> total: int")(numbers=[1, 2, 39])
    assert (prediction.total, prediction.termination_reason, len(lm.requests)) == (42, "submit", 1)


def test_several_outputs_are_a_dict_or_a_submit() -> None:
    agent = lw.ProgramOfThought("n: int -> double: int, text: str")
    for code in (
        "{'double': 2 * n, 'text': str(n)}",
        "submit(double=2 * n, text=str(n))",
        "submit(2 * n, str(n))",
    ):
        with lw.context(lm=native(program(code))):
            prediction = agent(n=4)
        assert (prediction.double, prediction.text) == (8, "4"), code


def test_a_failing_program_comes_back_with_its_line_and_is_repaired() -> None:
    lm = native(program("a = 1\nb = a / 0"), program("a + 41"))
    with lw.context(lm=lm):
        prediction = lw.ProgramOfThought("question -> answer: int")(question="?")
    seen = lm.requests[1].messages[-1].content
    assert prediction.answer == 42
    assert "ZeroDivisionError" in seen
    assert "b = a / 0" in seen
    assert "/site-packages/" not in seen


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("'a text'", "`answer` must be a whole number"),
        ("print(42)", "the last line must be an expression"),
        ("x = 42", "the last line must be an expression"),
    ],
    ids=["wrong type", "printed", "assigned"],
)
def test_a_value_that_does_not_fit_is_asked_for_again_with_the_reason(code: str, said: str) -> None:
    lm = native(program(code), program("42"))
    with lw.context(lm=lm):
        prediction = lw.ProgramOfThought("question -> answer: int")(question="?")
    assert prediction.answer == 42
    assert said in lm.requests[1].messages[-1].content


def test_after_the_last_repair_one_turn_is_left_to_answer_in() -> None:
    lm = native(program("1/0"), program("2/0"), ToolCall("submit", {"answer": 7}))
    with lw.context(lm=lm):
        prediction = lw.ProgramOfThought("question -> answer: int", max_iters=2)(question="?")
    assert (prediction.answer, prediction.termination_reason) == (7, "forced_submit")
    assert lm.requests[2].tool_choice == "submit"


def test_in_text_the_last_turn_is_a_program_that_submits() -> None:
    lm = ScriptedLM([marked("1/0"), marked("submit(answer=7)")])
    with lw.context(lm=lm):
        prediction = lw.ProgramOfThought("question -> answer: int", max_iters=1)(question="?")
    assert (prediction.answer, prediction.termination_reason) == (7, "forced_submit")


def test_inputs_are_variables_and_never_program_text() -> None:
    hostile = "'''\nimport os\nos.remove('x')\n'''"
    lm = native(program("len(note)"))
    with lw.context(lm=lm):
        prediction = lw.ProgramOfThought("note -> length: int")(note=hostile)
    assert prediction.length == len(hostile)


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("while True: pass", "timeout"),
        ("x = []\nwhile True: x.append('y' * 10**6)", "memory"),
        ("for _ in range(10**5): print('z' * 1000)", "output"),
    ],
    ids=["loops for ever", "eats memory", "prints 100 MB"],
)
def test_a_runaway_program_is_an_observation_and_the_run_goes_on(code: str, end: str) -> None:
    lm = native(program(code), program("question + '!'"))
    with lw.context(lm=lm):
        prediction = lw.ProgramOfThought("question -> answer", interpreter=quick)(question="ok")
    seen = lm.requests[1].messages[-1].content
    assert prediction.answer == "ok!"
    assert seen.startswith(f"Error: the program ended with {end}.")
    assert len(seen) < 10_000


def test_an_input_named_as_a_function_is_refused() -> None:
    with lw.context(lm=native()), pytest.raises(InputError, match="'submit' has the name of a function"):
        lw.ProgramOfThought("submit -> answer")(submit="x")


# CodeAct


def test_programs_call_tools_and_variables_live_on() -> None:
    lm = native(program("p = get_price('desk')\nprint(p)"), program("submit(answer=p * 3)"))
    with lw.context(lm=lm):
        prediction = lw.CodeAct("question -> answer: float", tools=[get_price])(question="3 desks?")
    first = prediction.trajectory.steps[0]
    assert prediction.answer == 448.5
    assert [str(result.call) for result in first.inner] == ['get_price(item="desk")']
    assert first.results[0].content == "149.5"
    assert [call.name for call in prediction.trajectory.calls] == ["get_price", "python", "python"]


def test_calls_in_programs_are_coerced_and_their_errors_can_be_caught() -> None:
    code = "try:\n    refund('x')\nexcept Exception as error:\n    print('refused:', error)\nrefund('17', amount='2.5')"
    lm = native(program(code), ToolCall("submit", {"answer": "done"}))
    with lw.context(lm=lm):
        prediction = lw.CodeAct("question -> answer", tools=[refund])(question="?")
    step = prediction.trajectory.steps[0]
    assert [result.error for result in step.inner] == ["invalid_args", None]
    assert (
        '"order_id" must be a whole number' in step.results[0].content
        or "order_id" in step.results[0].content
    )
    assert "'amount': 2.5" in step.results[0].content


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("get_price('desk', 'lamp')", "takes 1 arguments, not 2: item"),
        ("get_price('desk', item='desk')", "got 'item' twice"),
        ("get_price('sofa')", "KeyError"),
        ("get_prize('desk')", "get_prize"),
    ],
    ids=["too many", "twice", "raises", "unknown"],
)
def test_a_bad_call_in_a_program_names_what_is_wrong(code: str, said: str) -> None:
    lm = native(program(code), ToolCall("submit", {"answer": "x"}))
    with lw.context(lm=lm):
        prediction = lw.CodeAct("question -> answer", tools=[get_price])(question="?")
    result = prediction.trajectory.steps[0].results[0]
    assert not result.ok
    assert said in result.content


def test_a_submit_of_the_wrong_type_is_an_exception_in_the_program() -> None:
    lm = native(program("submit(answer='many')"), program("submit(answer=3)"))
    with lw.context(lm=lm):
        prediction = lw.CodeAct("question -> answer: int")(question="?")
    assert prediction.answer == 3
    assert "`answer` must be a whole number" in prediction.trajectory.steps[0].results[0].content


def test_a_session_that_is_lost_has_its_inputs_again() -> None:
    lm = native(program("import math\nsum(range(10**12))"), program("submit(answer=question)"))
    with lw.context(lm=lm):
        prediction = lw.CodeAct("question -> answer", interpreter=quick)(question="still here")
    assert prediction.answer == "still here"


def test_tool_calls_of_programs_count_against_the_limit() -> None:
    lm = native(program("for _ in range(5): get_price('desk')"), ToolCall("submit", {"answer": "enough"}))
    agent = lw.CodeAct("question -> answer", tools=[get_price], limits=lw.Limits(tool_calls=4))
    with lw.context(lm=lm):
        prediction = agent(question="?")
    assert prediction.termination_reason == "forced_submit"
    (step, _) = prediction.trajectory.steps
    assert len(step.inner) == 3  # and the program itself
    assert (
        "get_price was not called: the run has made as many tool calls as it may" in step.results[0].content
    )


def test_the_functions_are_described_in_both_transports() -> None:
    agent = lw.CodeAct("question -> answer", tools=[get_price])
    text, called = ScriptedLM([marked("submit(answer='a')")]), native(program("submit(answer='a')"))
    for lm in (text, called):
        with lw.context(lm=lm):
            assert agent(question="?").answer == "a"
    assert "get_price(item: string)" in text.requests[0].messages[0].content
    assert "get_price(item: string)" in called.requests[0].tools[0].description


def test_awaited_runs_give_the_same() -> None:
    async def run() -> Sequence[object]:
        agent = lw.CodeAct("question -> answer: float", tools=[get_price])
        with lw.context(lm=native(program("submit(answer=get_price('lamp'))"))):
            return [(await agent.acall(question="?")).answer]

    assert asyncio.run(run()) == [40.0]


def test_state_round_trips_and_a_demonstration_is_shown_as_a_program(tmp_path: object) -> None:
    agent = lw.CodeAct("question -> answer: float", tools=[get_price])
    with lw.context(lm=native(program("submit(answer=get_price('lamp'))"))):
        solved = agent(question="lamp?")
    agent.codeact.demos = [solved.copy(question="lamp?").with_inputs("question")]
    agent.load_state(agent.dump_state())
    text = ScriptedLM([marked("submit(answer=1)")])
    with lw.context(lm=text):
        agent(question="desk?")
    shown = "\n".join(message.content for message in text.requests[0].messages)
    assert "[[ ## code ## ]]\nsubmit(answer=get_price('lamp'))" in shown
    assert "submit(answer=40.0)" not in shown


def test_a_labelled_example_is_shown_as_a_program_that_submits() -> None:
    agent = lw.ProgramOfThought("question -> answer: float")
    agent.program.demos = [lw.Example(question="lamp?", answer=40.0).with_inputs("question")]
    lm = ScriptedLM([marked("1.5")])
    with lw.context(lm=lm):
        agent(question="desk?")
    assert "[[ ## code ## ]]\nsubmit(answer=40.0)" in lm.requests[0].messages[2].content


@pytest.mark.parametrize(
    ("kind", "last", "answer"),
    [
        (date, "import datetime\ndatetime.date(2026, 1, 31) + datetime.timedelta(days=1)", date(2026, 2, 1)),
        (Decimal, "from decimal import Decimal\nDecimal('1.10') * 2", Decimal("2.20")),
    ],
)
def test_a_date_and_a_decimal_are_answers(kind: type, last: str, answer: object) -> None:
    signature = lw.Signature("n: int -> out").with_updated_fields("out", kind)
    with lw.context(lm=native(program(last))):
        assert lw.ProgramOfThought(signature)(n=1).out == answer
