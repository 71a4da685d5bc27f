"""Programs that a task file names by the function that builds them."""

from __future__ import annotations

from pathlib import Path

import pytest
from replay import submit

from loopwright import MultiChainComparison, TaskFile, context
from loopwright.errors import ConfigurationError
from loopwright.evaluation import plan, run_trials
from loopwright.evaluation.file.programs import agents_in, tools_of
from loopwright.models import ScriptedLM
from loopwright.tools import ToolCall

HERE = Path(__file__).parent


def task_file(agent: str, task: str) -> TaskFile:
    return TaskFile.parse(f"version: 1\nagent: {{{agent}}}\ntasks: [{{id: t, {task}}}]", base=HERE)


def test_a_program_brings_its_signature_and_its_tools() -> None:
    file = task_file(
        'program: "own_programs.py:build"',
        "input: {question: x}, expect: {answer: {answer: 4}, calls: {required: [{tool: get_order, args: {order_id: 17}}]}}",
    )
    assert (str(file.signature), list(file.tools)) == (
        "question -> answer: float",
        ["get_order", "refund", "cancel_order", "ship"],
    )
    with context(lm=ScriptedLM([ToolCall("get_order", {"order_id": 17}), submit(answer=4)])):
        (result,) = run_trials(plan(file))
    assert result.passed


def test_each_agent_is_built_anew() -> None:
    file = task_file(
        'program: "own_programs.py:build"', "input: {question: x}, expect: {answer: {answer: 4}}"
    )
    assert file.agent() is not file.agent()


def test_a_module_beside_the_file_is_named_as_one() -> None:
    file = task_file('program: "own_programs:build"', "input: {question: x}, expect: {answer: {answer: 4}}")
    assert list(file.tools) == ["get_order", "refund", "cancel_order", "ship"]


def test_a_module_that_was_made_already_is_copied() -> None:
    file = task_file('program: "own_programs.py:MADE"', "input: {question: x}, expect: {answer: {answer: 4}}")
    assert file.agent() is not file.agent()


def test_a_program_of_several_agents_has_the_tools_of_all() -> None:
    file = task_file(
        'program: "own_programs.py:build_two", signature: "question -> answer: float"',
        "input: {question: x}, expect: {answer: {answer: 4}, calls: {order: {of: [get_order]}}}, limits: {steps: 3}",
    )
    program = file.agent()
    assert list(tools_of(program)) == ["get_order", "refund"]
    assert len(list(agents_in(program))) == 2


def test_a_program_with_a_history_takes_turns() -> None:
    file = task_file(
        'program: "own_programs.py:build_with_history"',
        "turns: [{user: One.}, {user: Two.}], expect: {answer: {reply: a}}",
    )
    lm = ScriptedLM(["[[ ## reply ## ]]\na"] * 2)
    with context(lm=lm):
        (result,) = run_trials(plan(file))
    assert result.passed
    assert "One." in str(lm.requests[1].messages)


def test_multi_chain_is_a_module_of_the_format() -> None:
    file = task_file(
        'module: multi_chain, signature: "question -> answer: int"',
        "input: {question: x}, expect: {answer: {answer: 4, rationale: {contains: agree}}}",
    )
    assert isinstance(file.agent(), MultiChainComparison)
    chain = "[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\n4"
    lm = ScriptedLM([chain, chain, chain, "[[ ## rationale ## ]]\nThey agree.\n\n[[ ## answer ## ]]\n4"])
    with context(lm=lm, num_threads=1):
        (result,) = run_trials(plan(file))
    assert result.passed


def test_tools_that_can_not_be_told_apart_are_refused() -> None:
    from loopwright import Module, ReAct

    class Both(Module):
        def __init__(self) -> None:
            def look(a: int) -> int:
                return a

            def other(b: str) -> str:
                return b

            other.__name__ = "look"
            self.parts = [ReAct("q -> a", tools=[look]), ReAct("q -> a", tools=[other])]

    with pytest.raises(ConfigurationError, match="its agents' tools can't be told apart"):
        tools_of(Both())
