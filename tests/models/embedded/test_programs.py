"""The programs and conventions that the generator teaches, held against the real sandbox and the real modules."""

from __future__ import annotations

from random import Random

import pytest
from examples.train_embedded.conventions import CONVENTIONS
from examples.train_embedded.evaluate import AXES, as_question, generated, is_right
from examples.train_embedded.mixture import NUMERIC, Draw, draw_episodes, render_row
from examples.train_embedded.programs import complaint, conversion, program_of, spoilt, value_of
from examples.train_embedded.scene import Episode, Settings
from examples.train_embedded.simulation import MEASURES, convert

import loopwright
from loopwright.models import Capabilities, ScriptedLM
from loopwright.sandbox import ProcessSandbox
from loopwright.tools import ToolCall

PROGRAMS = [
    episode
    for family in NUMERIC
    for n in range(12)
    for episode in draw_episodes(
        Random(f"{family}/{n}"), Settings("heldout"), 1, [family], Draw(programs=True)
    )
]
BENT = {
    kind: [
        draw_episodes(Random(f"{kind}/{n}"), Settings("heldout"), 3, draw=Draw(convention=kind))
        for n in range(6)
    ]
    for kind in CONVENTIONS
}


def code_of(episode: Episode) -> str:
    return str(episode.steps[-1].call.args["code"])


def test_the_real_sandbox_gives_what_the_generator_says() -> None:
    with ProcessSandbox() as sandbox:
        for episode in PROGRAMS:
            execution = sandbox.run(code_of(episode))
            assert str(execution) == episode.steps[-1].observation, code_of(episode)
            assert is_right(execution.value, *episode.answer.args.values())


def test_a_program_needs_no_tool_but_the_sandbox() -> None:
    for episode in PROGRAMS:
        assert [spec.name for spec in episode.specs] == ["python", "submit"]


@pytest.mark.parametrize(
    "wrong",
    [
        "sqrt(9)*2",
        "15% *80)",
        "print(6*7)",
        "x = 6*7",
        'date(2024,3,5).strftime("%A")',
        "import datetime\n(date(2024,3,5)-date(2024,1,1)).days",
        "5/(3-3)",
    ],
)
def test_a_program_that_fails_is_met_by_the_words_of_the_real_module(wrong: str) -> None:
    lm = ScriptedLM(
        [ToolCall("python", {"code": wrong}), ToolCall("submit", {"reply": 1})],
        capabilities=Capabilities(native_tools=True),
    )
    with loopwright.context(lm=lm):
        prediction = loopwright.ProgramOfThought("question -> reply: float")(question="?")
    assert prediction.trajectory.steps[0].results[0].content == complaint(wrong, "reply")


def test_a_program_that_answers_gets_no_complaint() -> None:
    assert all(complaint(code_of(episode), "answer") is None for episode in PROGRAMS)


def test_a_spoilt_program_is_never_the_program() -> None:
    rng = Random(1)
    assert all(spoilt(rng, code_of(episode)) != code_of(episode) for episode in PROGRAMS)


def test_programs_convert_as_the_tool_does() -> None:
    for units in MEASURES.values():
        first, *others = units
        for other in others:
            for source, target in ((first, other), (other, first)):
                by_tool = float(convert("12.5", source, target).split()[0])
                assert value_of(program_of(conversion("12.5", source, target))) == pytest.approx(
                    by_tool, rel=1e-8
                )


def test_nothing_is_learnt_of_a_mistake_but_its_repair() -> None:
    mistakes = 0
    for n in range(60):
        (episode,) = draw_episodes(Random(n), Settings(), 1, draw=Draw(mistakes=0.5, programs=n % 2 == 0))
        pieces = render_row([episode])
        calls = [pieces[at + 1].own for at, piece in enumerate(pieces) if piece.text == "<|call|>"]
        assert calls == [step.learnt for step in episode.steps] + [True] * (not episode.ends)
        mistakes += not all(calls)
    assert mistakes > 20


@pytest.mark.parametrize("kind", CONVENTIONS)
def test_a_convention_is_not_told_by_the_question(kind: str) -> None:
    for first, *_ in BENT[kind]:
        told = first.prompt.lower()
        assert "decimal" not in told
        assert "nearest" not in told
        (answer,) = first.answer.args.values()
        assert str(answer) not in first.prompt


@pytest.mark.parametrize("kind", CONVENTIONS)
def test_what_shows_a_convention_is_not_learnt(kind: str) -> None:
    for episodes in BENT[kind]:
        pieces = render_row(episodes, shown=1)
        first_end = [at for at, piece in enumerate(pieces) if piece.text == "<|user|>"][1]
        assert not any(piece.own for piece in pieces[:first_end])
        assert any(piece.own for piece in pieces[first_end:])


def test_of_two_like_tools_both_answer_and_not_the_same() -> None:
    for episodes in BENT["like tools"]:
        for episode in episodes:
            right = episode.steps[-1].call
            values = {
                tool.answer({name: value for name in tool.shown.values() for value in right.args.values()})
                for tool in episode.tools
                if tool.kind.startswith("lookup:")
            }
            assert episode.steps[-1].observation in values
            assert len([value for value in values if "rror" not in value]) >= 2


def test_a_last_step_is_the_same_in_every_question_of_a_scene() -> None:
    for episodes in BENT["last step"]:
        last = {
            str(next(iter(episode.steps[-1].call.args.values()))).lstrip("-0123456789.")
            for episode in episodes
        }
        assert len(last) == 1


def test_axes_of_one_source_put_the_same_questions() -> None:
    bare, shown = (list(generated(axis, "wording", 4, "seed")) for axis in AXES if axis.source == "unsaid")
    assert [each.inputs for each in bare] == [each.inputs for each in shown]
    assert all(len(each.demos) == 3 for each in shown)
    assert not any(each.demos for each in bare)


def test_a_question_for_a_program_has_no_tools() -> None:
    assert len(as_question(PROGRAMS[0], module="program_of_thought").tools) == 0
