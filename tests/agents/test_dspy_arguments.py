"""Arguments and names by which DSPy's programs reach what is otherwise called here."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from openai_server import Serve, answer

import loopwright
from loopwright import LM, ChainOfThought, Limits, Module, Predict, ReAct, configure, context, settings
from loopwright.errors import ConfigurationError, StateError
from loopwright.models import LMResponse, ScriptedLM, Usage


class Program(Module):
    def __init__(self) -> None:
        self.think = ChainOfThought("question -> answer")
        self.ask = Predict("question -> answer")


def test_the_parts_of_a_program_are_found_by_their_class() -> None:
    assert [path for path, _ in Program().named_sub_modules()] == ["", "think", "think.predict", "ask"]
    assert [path for path, _ in Program().named_sub_modules(type_=ChainOfThought)] == ["think"]
    assert [path for path, _ in Program().named_sub_modules(Predict)] == ["think.predict", "ask"]


def test_no_program_is_saved_and_no_pickle_is_read(tmp_path: Path) -> None:
    path = tmp_path / "program.json"
    program = Program()
    with pytest.raises(ConfigurationError, match="a saved program holds no code"):
        program.save(path, save_program=True)
    assert not path.exists()
    program.save(path, save_program=False)
    for load in (program.load, loopwright.load):
        with pytest.raises(ConfigurationError, match="reads no pickle"):
            load(path, allow_pickle=True)
    program.load(path, allow_pickle=False)


def test_a_file_that_dspy_wrote_is_told_from_other_nonsense(tmp_path: Path) -> None:
    path = tmp_path / "program.json"
    state: dict[str, object] = {
        "demos": [],
        "signature": {"instructions": "Answer.", "fields": []},
        "lm": None,
    }
    path.write_text(json.dumps({"self": state, "metadata": {"dependency_versions": {"dspy": "3.4.1"}}}))
    with pytest.raises(
        StateError, match=r"looks like one that DSPy wrote: those are not read\. Copy the instr"
    ):
        Predict("question -> answer").load(path)


def test_a_name_that_is_not_there_says_where_dspys_are_told() -> None:
    with pytest.raises(AttributeError, match=r"has no 'Flex'; .* is in coming_from_dspy\.md"):
        _ = loopwright.Flex  # type: ignore[attr-defined]  # what is tested


def test_an_agents_turns_are_read_and_set() -> None:
    agent = ReAct("question -> answer", tools=[], limits=Limits(steps=7, tokens=100))
    assert agent.max_iters == 7
    agent.max_iters = 2
    assert agent.limits == Limits(steps=2, tokens=100)
    assert ReAct("question -> answer", tools=[]).max_iters == 20


def test_settings_are_read_like_a_mapping() -> None:
    lm = ScriptedLM([])
    with context(lm=lm):
        assert settings["lm"] is settings.get("lm") is settings.lm is lm
    assert settings.get("nothing") is None
    assert settings.get("nothing", 3) == 3
    with pytest.raises(KeyError, match="no setting 'nothing'; there are"):
        settings["nothing"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rm", "Retrieve searches documents="),
        ("track_usage", "with track_usage"),
        ("max_errors", "an argument of Evaluate"),
        ("allow_tool_async_sync_conversion", "async tools work in plain code"),
    ],
)
def test_a_setting_of_dspys_says_what_is_in_its_place(name: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=f"no setting '{name}' .*{words}.*; there are: adapter"):
        configure(**{name: True})


def test_a_call_of_a_model_is_read_by_dspys_names(openai_server: Serve) -> None:
    server = openai_server(answer(LMResponse("Hello", usage=Usage(9, 1))))
    lm = LM("openai/gpt-4o-mini", api_base=server.url, api_key="test", cache=False, temperature=0.5)
    lm("Hi")
    call: Any = lm.history[-1]
    assert call["messages"] == [{"role": "user", "content": "Hi"}]
    assert call["outputs"] == ["Hello"]
    assert call["usage"] == {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
    assert call["cost"] == call.response.usage.usd > 0
    assert call["kwargs"] == {"temperature": 0.5}
    assert (call[0], call[-1], call[:1]) == (call.request, call["response"], (call.request,))
    request, response = call
    assert (request, response) == (call.request, call.response)
    with pytest.raises(KeyError, match="no 'prompt' in a call of a model; there are: messages, kwargs"):
        call["prompt"]


@pytest.mark.parametrize("part", ["teleprompt", "evaluate", "streaming", "adapters", "utils"])
def test_the_modules_that_the_page_names_are_there(part: str) -> None:
    there = importlib.import_module(f"loopwright.{part}")
    for name in getattr(there, "__all__", []):
        assert getattr(there, name) is getattr(loopwright, name, getattr(there, name))
