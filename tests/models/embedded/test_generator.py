from __future__ import annotations

import json
import re
from datetime import date
from random import Random

import pytest
from examples.train_embedded.evaluate import is_right, real_tool, wilson
from examples.train_embedded.families.asking import figure
from examples.train_embedded.mixture import FAMILIES, draw_episodes, draw_row, render_row, rows
from examples.train_embedded.phrasing import choose_pattern, expand
from examples.train_embedded.scene import Episode, Settings
from examples.train_embedded.simulation import ToolError, calculate, convert, days_between, shift
from examples.train_embedded.words import draw_name, is_heldout

from loopwright.tools.builtin.calculate import calculate as real_calculate

SOME = [
    episode
    for family in FAMILIES
    for n in range(25)
    for episode in draw_episodes(Random(f"{family}/{n}"), Settings("heldout", "heldout"), 2, [family])
]


def test_a_row_depends_on_its_seed_alone() -> None:
    assert [draw_row(Random(n), 0.5) for n in range(20)] == [draw_row(Random(n), 0.5) for n in range(20)]


def test_a_run_that_goes_on_draws_the_rows_that_would_have_come() -> None:
    whole, rest = rows(1, 0, 1, lambda: 0.3), rows(1, 5, 1, lambda: 0.3)
    for _ in range(5):
        next(whole)
    assert [next(whole) for _ in range(5)] == [next(rest) for _ in range(5)]


@pytest.mark.parametrize("episode", SOME[::7], ids=lambda episode: episode.family)
def test_the_tools_of_an_episode_give_its_observations_again(episode: Episode) -> None:
    tools = {tool.spec.name: tool for tool in episode.tools}
    for step in episode.steps:
        if "rror" not in step.observation:
            assert tools[step.call.name].answer(step.call.args) == step.observation


def test_the_real_tools_answer_as_the_simulated_ones() -> None:
    compared = 0
    for episode in SOME[::3]:
        tools = {tool.spec.name: real_tool(tool) for tool in episode.tools}
        for step in episode.steps:
            if "rror" in step.observation:
                continue
            observed = tools[step.call.name].run(step.call).content
            if observed != step.observation:  # pint counts in floats: the tenth figure may differ
                assert is_close(figure(observed), figure(step.observation)), (step, observed)
            compared += 1
    assert compared > 50


def is_close(left: str, right: str) -> bool:
    return abs(float(left) - float(right)) <= 2e-9 * abs(float(right))


@pytest.mark.parametrize(
    "expression",
    [
        "2+3*4",
        "(1+2)/3",
        "10/3",
        "sqrt(2)",
        "sqrt(16)",
        "2^10",
        "80*(1-15%)",
        "15% * 80",
        "1/8",
        "0.1+0.2",
        "5-7",
        "1.1^9",
        "7.123*9.87654321",
    ],
)
def test_the_simulated_calculator_writes_results_as_the_real_one(expression: str) -> None:
    assert calculate(expression) == real_calculate(expression)


@pytest.mark.parametrize(
    "expression", ["", "2+", "import os", "1/0", "x", "2**999999", "1" * 201, "sqrt(-1)", "'a'*3"]
)
def test_the_simulated_calculator_refuses_what_is_no_arithmetic(expression: str) -> None:
    with pytest.raises(ToolError):
        calculate(expression)


def test_simulated_units_and_dates_refuse_what_does_not_fit() -> None:
    for value, source, target in (("1", "km", "kg"), ("1", "parsnips", "km"), ("x", "km", "m")):
        with pytest.raises(ToolError):
            convert(value, source, target)
    with pytest.raises(ToolError):
        shift(date(2026, 1, 1), years=99999)
    with pytest.raises(ToolError):
        shift(date(2026, 1, 1), days=10**12)
    assert days_between(date(2026, 1, 1), date(2026, 1, 2)) == "1 day"


def test_names_of_one_split_never_come_up_in_the_other() -> None:
    rng = Random(1)
    train = {draw_name(rng, "place", "train") for _ in range(500)}
    heldout = {draw_name(rng, "place", "heldout") for _ in range(500)}
    assert not train & heldout
    assert all(map(is_heldout, heldout))


def test_the_last_of_four_wordings_is_held_out() -> None:
    rng, patterns = Random(1), ("a", "b", "c", "d")
    assert {choose_pattern(rng, patterns, "train") for _ in range(50)} == {"a", "b", "c"}
    assert choose_pattern(rng, patterns, "heldout") == "d"
    assert choose_pattern(rng, ("a",), "heldout") == "a"


def test_a_pattern_with_a_bracket_too_many_is_refused() -> None:
    with pytest.raises(ValueError, match="unbalanced"):
        expand(Random(1), "a]", {})


def test_every_answer_stands_in_the_last_result_or_is_rounded_from_it() -> None:
    for episode in SOME:
        (answer,) = episode.answer.args.values()
        last = episode.steps[-1].observation
        if isinstance(answer, int | float):
            assert min(abs(float(number) - answer) for number in re.findall(r"-?\d+\.?\d*", last)) <= 0.51, (
                episode
            )


def test_the_words_that_the_model_learns_are_the_calls() -> None:
    episode = SOME[0]
    learnt = "".join(piece.text for piece in render_row([episode]) if piece.own)
    assert all(step.call.name in learnt for step in episode.steps)
    assert episode.prompt not in learnt


@pytest.mark.parametrize(
    ("given", "wanted", "right"),
    [
        (3.0, "3", True),
        ("3.0000000001", 3, True),
        (3.1, 3, False),
        ("monday", "Monday", True),
        (None, 3, False),
    ],
)
def test_an_answer_is_compared_as_number_or_text(given: object, wanted: object, right: bool) -> None:
    assert is_right(given, wanted) is right


def test_an_interval_holds_its_share() -> None:
    low, high = wilson(40, 50)
    assert 0 < low < 0.8 < high < 1
    assert wilson(0, 0) == (0.0, 1.0)


def test_specs_are_plain_json() -> None:
    assert json.loads(json.dumps([dict(spec.parameters) for spec in SOME[0].specs]))
