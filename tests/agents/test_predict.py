from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from loopwright import (
    ChainOfThought,
    ChatAdapter,
    CodeAct,
    Example,
    InputField,
    JSONAdapter,
    MultiChainComparison,
    NativeAdapter,
    OutputField,
    Predict,
    ProgramOfThought,
    Signature,
    context,
)
from loopwright.errors import ConfigurationError, InputError, OutputError, ServerError, SignatureError
from loopwright.models import Capabilities, FunctionLM, LMRequest, LMResponse, ScriptedLM
from loopwright.tools import ToolCall
from loopwright.trace import Trace

Call = Callable[..., Any]


def called(program: Any, **inputs: Any) -> Any:
    return program(**inputs)


def awaited(program: Any, **inputs: Any) -> Any:
    return asyncio.run(program.acall(**inputs))


both_ways = pytest.mark.parametrize("call", [called, awaited])


@both_ways
def test_it_asks_once_and_gives_typed_outputs(call: Call) -> None:
    lm = ScriptedLM(["[[ ## sentiment ## ]]\nyes"])
    with context(lm=lm):
        prediction = call(Predict("sentence -> sentiment: bool"), sentence="Lovely.")
    assert prediction.sentiment is True
    assert [message.role for message in lm.requests[0].messages] == ["system", "user"]


@pytest.mark.parametrize(
    ("adapter", "bad", "good"),
    [
        (ChatAdapter(), "[[ ## n ## ]]\nmany", "[[ ## n ## ]]\n4"),
        (JSONAdapter(), '{"n": "many"}', '{"n": 4}'),
        (NativeAdapter(), ToolCall("submit", {"n": "many"}), ToolCall("submit", {"n": 4})),
    ],
    ids=["chat", "json", "native"],
)
@both_ways
def test_an_answer_that_does_not_fit_is_asked_for_again_on_the_same_conversation(
    call: Call, adapter: Any, bad: Any, good: Any
) -> None:
    lm = ScriptedLM([bad, good])
    with context(lm=lm, adapter=adapter):
        assert call(Predict("question -> n: int"), question="?").n == 4
    first, second = (request.messages for request in lm.requests)
    assert second[: len(first)] == first
    assert [message.role for message in second[len(first) :]] in (
        ["assistant", "user"],
        ["assistant", "tool"],
    )
    assert '`n` must be a whole number, not "many"' in second[-1].content


@both_ways
def test_an_answer_that_never_fits_ends_in_an_error_that_holds_it(call: Call) -> None:
    lm = ScriptedLM(["nonsense", "[[ ## n ## ]]\nmany", "[[ ## n ## ]]\nlots"])
    with context(lm=lm), pytest.raises(OutputError) as caught:
        call(Predict("question -> n: int"), question="?")
    assert str(caught.value).startswith(
        "scripted gave no usable answer in 3 tries: `n` must be a whole number"
    )
    assert (caught.value.raw, caught.value.field) == ("[[ ## n ## ]]\nlots", "n")


def test_how_often_it_is_asked_again_is_an_option() -> None:
    lm = ScriptedLM(["nonsense"])
    with context(lm=lm), pytest.raises(OutputError, match="in 1 tries"):
        Predict("question -> n: int", max_repairs=0)(question="?")
    assert len(lm.requests) == 1


def test_an_answer_that_was_cut_off_says_so() -> None:
    cut = LMResponse("[[ ## answer", finish_reason="length")
    lm = ScriptedLM([cut, "[[ ## answer ## ]]\nfine"])
    with context(lm=lm):
        Predict("question -> answer")(question="?")
    assert "(it was cut off at max_tokens)" in lm.requests[1].messages[-1].content


@both_ways
def test_a_models_error_comes_through(call: Call) -> None:
    with context(lm=ScriptedLM([ServerError("down")])), pytest.raises(ServerError, match="down"):
        call(Predict("question -> answer"), question="?")


@pytest.mark.parametrize(
    ("args", "inputs", "says"),
    [
        ((), {}, "input 'context', 'question' is missing"),
        (
            (),
            {"context": "c", "question": "q", "k": 3},
            "no input 'k'; this signature's are context, question",
        ),
        ((), {"context": "c", "qestion": "q"}, "no input 'qestion' (did you mean 'question'?)"),
        (("q",), {}, "inputs are given by name: this signature's are context, question"),
    ],
)
def test_inputs_that_do_not_fit_are_named(args: tuple[Any, ...], inputs: dict[str, Any], says: str) -> None:
    lm = ScriptedLM([])
    with context(lm=lm), pytest.raises(InputError) as caught:
        Predict("context, question -> answer")(*args, **inputs)
    assert says in str(caught.value)
    assert lm.requests == []


def test_an_input_with_a_default_may_be_left_out() -> None:
    signature = Signature(
        {"question": InputField(), "tone": InputField(default="dry"), "answer": OutputField()}
    )
    lm = ScriptedLM(["[[ ## answer ## ]]\n4"])
    with context(lm=lm):
        Predict(signature)(question="?")
    assert "[[ ## tone ## ]]\ndry" in lm.requests[0].messages[-1].content


def test_options_go_into_the_request_and_unknown_ones_are_refused() -> None:
    lm = ScriptedLM(["[[ ## answer ## ]]\n4"])
    with context(lm=lm):
        Predict("question -> answer", temperature=0.5, max_tokens=9, seed=1)(question="?")
    request = lm.requests[0]
    assert (request.temperature, request.max_tokens, request.seed, request.top_p) == (0.5, 9, 1, None)
    with pytest.raises(ConfigurationError, match="Predict has no option 'temprature'; did you mean 'temper"):
        Predict("question -> answer", temprature=0.5)


@pytest.mark.parametrize(
    ("module", "option", "words"),
    [
        (ChainOfThought, "temprature", "; did you mean 'temperature'? there are: n, max_repairs, lm, temp"),
        (
            CodeAct,
            "max_steps",
            "; did you mean 'max_iters'? there are: tools, max_iters, interpreter, limits, lm",
        ),
        (ProgramOfThought, "tools", "; there are: max_iters, interpreter, limits, lm, temperature"),
        (MultiChainComparison, "N", "; there are: M, temperature, module, num_threads, n, max_repairs, lm"),
    ],
)
def test_an_unknown_option_is_told_of_by_the_class_that_was_given_it(
    module: type, option: str, words: str
) -> None:
    told = f"{module.__name__} has no option {option!r}{words}"
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        module("question -> answer", **{option: 1})


def test_several_answers_are_drawn_apart() -> None:
    lm = ScriptedLM([f"[[ ## answer ## ]]\n{i}" for i in range(3)])
    with context(lm=lm):
        prediction = Predict("question -> answer", n=3)(question="?")
    assert prediction.answer == "0"
    assert [one.answer for one in prediction.completions] == ["0", "1", "2"]
    assert [request.rollout_id for request in lm.requests] == [None, 1, 2]


def test_a_schema_is_sent_only_to_a_model_that_can_be_held_to_one() -> None:
    for can in (True, False):
        lm = ScriptedLM(['{"answer": "4"}'], capabilities=Capabilities(response_format=can))
        with context(lm=lm, adapter=JSONAdapter()):
            Predict("question -> answer")(question="?")
        assert (lm.requests[0].response_format is not None) is can


def test_a_model_that_can_only_call_tools_answers_by_submit() -> None:
    lm = ScriptedLM(
        [ToolCall("submit", {"answer": "4"})], capabilities=Capabilities(native_tools=True, chat=False)
    )
    with context(lm=lm):
        assert Predict("question -> answer")(question="?").answer == "4"
    assert [tool.name for tool in lm.requests[0].tools] == ["submit"]
    assert lm.requests[0].tool_choice == "submit"


def test_demonstrations_come_before_the_question() -> None:
    lm = ScriptedLM(["[[ ## answer ## ]]\n4"])
    predict = Predict("question -> answer")
    predict.demos = [Example(question="1 + 1?", answer="2")]
    with context(lm=lm):
        predict(question="2 + 2?")
    assert [message.role for message in lm.requests[0].messages] == ["system", "user", "assistant", "user"]


@both_ways
def test_the_trace_has_every_call_with_its_exchanges(call: Call) -> None:
    trace, predict = Trace(), Predict("question -> n: int")
    with context(lm=ScriptedLM(["nonsense", "[[ ## n ## ]]\n4"]), trace=trace):
        prediction = call(predict, question="?")
    (made,) = trace
    assert tuple(made) == (predict, {"question": "?"}, prediction)
    assert len(made.exchanges) == len(trace.exchanges) == 2
    assert len(trace) == 1
    assert trace[0] is made


@both_ways
def test_chain_of_thought_reasons_first(call: Call) -> None:
    lm = ScriptedLM(["[[ ## reasoning ## ]]\nTwo and two.\n\n[[ ## answer ## ]]\n4"])
    with context(lm=lm):
        prediction = call(ChainOfThought("question -> answer: int"), question="2 + 2?")
    assert (prediction.reasoning, prediction.answer) == ("Two and two.", 4)
    assert prediction.keys() == ["reasoning", "answer"]


def test_chain_of_thought_keeps_a_reasoning_field_of_ones_own() -> None:
    signature = Signature(
        {"q": InputField(), "reasoning": (list[str], OutputField()), "answer": OutputField()}
    )
    assert ChainOfThought(signature).predict.signature == signature


def test_an_output_that_no_model_can_be_asked_for_is_refused_before_any_call() -> None:
    class Photo:
        pass

    with pytest.raises(SignatureError, match="a model can't be asked for `photo`, of type Photo"):
        Predict(Signature({"question": InputField(), "photo": (Photo, OutputField())}))


def test_a_predictor_may_be_used_from_many_threads() -> None:
    def answer(request: LMRequest) -> str:
        return f"[[ ## answer ## ]]\n{request.messages[-1].content.splitlines()[-1]}"

    predict = Predict("question -> answer")
    examples = [Example(question=f"q{i}").with_inputs("question") for i in range(50)]
    with context(lm=FunctionLM(answer)):
        assert [p.answer for p in predict.batch(examples, 8)] == [f"q{i}" for i in range(50)]
