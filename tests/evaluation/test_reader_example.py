"""The research desk's own program: an agent that only answers, and sources that are what it opened."""

from __future__ import annotations

import doctest
from dataclasses import replace
from types import ModuleType

import pytest
from examples.research_desk.reader import FILE, Reader
from golds import other_values, playing
from golds.playing import player
from golds.research import LOOKS

from loopwright import TaskFile, context
from loopwright.evaluation import Trial, run_trials


@pytest.fixture(scope="module")
def file() -> TaskFile:
    return TaskFile.load(FILE)


def answering(name: str) -> playing.Play:
    (turn,) = LOOKS[name].play
    return (replace(turn, answer={"answer": turn.answer["answer"]}),)


@pytest.mark.parametrize("name", LOOKS)
def test_the_sources_of_a_reader_are_the_documents_that_it_opened(name: str, file: TaskFile) -> None:
    with context(lm=player(answering(name))):
        (result,) = run_trials([Trial(file, Reader(file), file.task(name))], workers=1)
    assert result.passed, result.failure
    assert result.outputs["sources"] == list(LOOKS[name].documents)


def test_a_document_that_was_not_there_is_no_source(file: TaskFile) -> None:
    (turn,) = answering("hotel-in-the-capital")
    search, read = turn.calls
    missing = replace(read, args={"path": "handbook/hotels.md"})
    with context(lm=player((replace(turn, calls=(search, missing, read)),))):
        (result,) = run_trials([Trial(file, Reader(file), file.task("hotel-in-the-capital"))], workers=1)
    assert result.outputs["sources"] == ["handbook/travel.md"]


@pytest.mark.parametrize("module", [playing, other_values], ids=["playing", "other_values"])
def test_the_examples_in_the_docstrings_of_the_good_runs_hold(module: ModuleType) -> None:
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)
