"""Each example task fails what is not quite right: a good run with one call dropped, changed, repeated or swapped.

Every mutant goes through the engine, with the real tools and worlds. Where the task covers what the mutant breaks, the trial
must fail, and a line of its feedback must name the step that went wrong. `python -m golds.table` (in tests/) prints the counts.
"""

from __future__ import annotations

import pytest
from golds.mutants import KINDS, Kind, Verdict, verdicts_of
from golds.sets import FILES

# By set: how many mutants of each kind are covered, at the least. Fewer would mean that expectations were weakened.
LEAST: dict[str, dict[Kind, int]] = {
    "figures": {"drop": 55, "argument": 260, "idle": 89},
    "research_desk": {"drop": 102, "argument": 61, "repeat": 121, "swap": 36, "idle": 41},
    "support_desk": {"drop": 200, "argument": 285, "repeat": 72, "swap": 33, "idle": 41},
}


@pytest.fixture(scope="module")
def verdicts() -> dict[str, list[Verdict]]:
    """What came of every covered mutant, by file."""
    return {file.name: list(verdicts_of(file)) for file in FILES if file.path.stem != "programs"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_mutant_of_a_good_run_fails(kind: Kind, verdicts: dict[str, list[Verdict]]) -> None:
    survived = [
        f"{name}: {verdict}"
        for name, found in verdicts.items()
        for verdict in found
        if verdict.mutant.kind == kind and not verdict.caught
    ]
    assert survived == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_blame_names_the_step_that_went_wrong(kind: Kind, verdicts: dict[str, list[Verdict]]) -> None:
    wrong = [
        f"{name}: {verdict}"
        for name, found in verdicts.items()
        for verdict in found
        if verdict.mutant.kind == kind and verdict.caught and not verdict.blames_rightly
    ]
    assert wrong == []


@pytest.mark.parametrize("name", LEAST)
def test_the_tasks_of_a_set_cover_nearly_all_that_can_go_wrong(
    name: str, verdicts: dict[str, list[Verdict]]
) -> None:
    kinds = [
        one.mutant.kind for file, found in verdicts.items() if file.startswith(f"{name}/") for one in found
    ]
    few = {kind: kinds.count(kind) for kind, least in LEAST[name].items() if kinds.count(kind) < least}
    assert few == {}
