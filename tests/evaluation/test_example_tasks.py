"""Every example task can be solved with its own tools, is not solved by doing nothing, and lies where its group lies."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from click.testing import CliRunner
from golds.playing import Turn, calls_made, run
from golds.sets import EXAMPLES, FILES, ExampleFile
from golds.tasks import CALLS, PROGRAMS

from loopwright import TaskFile
from loopwright.cli import loopwright

SETS = ("tasks", "figures", "research_desk", "support_desk")
LAST = {name: row[1] for table in (CALLS, PROGRAMS) for name, row in table.items()}
LEAST = {"tasks": 48, "figures": 60, "research_desk": 30, "support_desk": 30}


def of(*sets: str) -> list[ExampleFile]:
    return [one for one in FILES if one.set in sets]


@pytest.fixture(scope="module", params=FILES, ids=lambda file: file.name)
def example(request: pytest.FixtureRequest) -> ExampleFile:
    assert isinstance(request.param, ExampleFile)
    return request.param


@pytest.fixture(scope="module")
def file(example: ExampleFile) -> TaskFile:
    return example.load()


def test_every_file_of_the_sets_has_good_runs() -> None:
    found = [
        path
        for name in SETS
        for path in (EXAMPLES / name).glob("*.yaml")
        if re.search(r"(?m)^tasks:", path.read_text(encoding="utf-8"))
    ]
    assert sorted(found) == sorted(one.path for one in FILES)


def test_the_sets_are_large_enough_and_no_two_tasks_share_a_name() -> None:
    sizes: Counter[str] = Counter()
    names: Counter[str] = Counter()
    for one in FILES:
        sizes[one.set] += len(one.plays)
        names.update(list(one.plays))
    assert {name: size for name, size in sizes.items() if size < LEAST[name]} == {}
    assert [name for name, count in names.items() if count > 1] == []


def test_the_good_runs_solve_every_task(example: ExampleFile, file: TaskFile) -> None:
    assert sorted(example.plays) == sorted(task.id for task in file.tasks)
    failures: dict[str, object] = {}
    for name, play in example.plays.items():
        result = run(file, name, play)
        failures |= {} if result.passed else {name: result.failure or result.error}
    assert failures == {}


def test_an_idle_agent_solves_none(example: ExampleFile, file: TaskFile) -> None:
    passed = []
    for name, play in example.plays.items():
        result = run(file, name, tuple(Turn((), example.idle) for _ in play))
        assert result.outcome != "excluded", result.error
        passed += [name] if result.passed else []
    assert passed == []


def test_a_file_is_proved_by_the_command_line(example: ExampleFile) -> None:
    done = CliRunner().invoke(loopwright, ["eval", str(example.path), "--check"])
    assert done.exit_code == 0, done.output
    assert example.set == "tasks" or "proved in part" not in done.output


@pytest.mark.parametrize("one", of("figures", "research_desk"), ids=lambda one: one.name)
def test_the_way_that_a_file_shows_is_the_good_run(one: ExampleFile) -> None:
    file = one.load()
    for name, play in one.plays.items():
        reference = file.task(name).expect.reference
        assert reference is not None
        shown = [
            (call.tool, {key: str(value) for key, value in call.args.items()})
            for call in reference.calls or ()
        ]
        made = [
            (call.name, {key: str(value) for key, value in call.args.items()})
            for call in calls_made(run(file, name, play))
        ]
        assert shown == made, name


@pytest.mark.parametrize("one", of("figures", "research_desk", "support_desk"), ids=lambda one: one.name)
def test_a_group_of_like_tasks_lies_in_one_split(one: ExampleFile) -> None:
    groups: dict[str, set[str | None]] = {}
    for task in one.load().tasks:
        groups.setdefault(task.tags[0], set()).add(task.split)
    assert {name: splits for name, splits in groups.items() if len(splits) > 1 or None in splits} == {}


@pytest.mark.parametrize("name", ["figures", "research_desk", "support_desk"])
def test_a_set_has_tasks_to_learn_from_and_tasks_held_out(name: str) -> None:
    splits = Counter(task.split for one in FILES if one.set == name for task in one.load().tasks)
    assert set(splits) == {"train", "dev", "test"}
    assert min(splits.values()) >= 8


@pytest.mark.parametrize("one", of("figures"), ids=lambda one: one.name)
def test_a_figure_is_tagged_with_the_calls_that_it_takes(one: ExampleFile) -> None:
    for task in one.load().tasks:
        calls = len(one.plays[task.id][0].calls)
        assert f"{calls}-step{'s' if calls > 1 else ''}" in task.tags, task.id


@pytest.mark.parametrize("one", of("tasks"), ids=lambda one: one.name)
def test_the_last_call_of_a_plain_task_gives_what_it_should(one: ExampleFile) -> None:
    file = one.load()
    for name, play in one.plays.items():
        *_, last = (made for made in run(file, name, play).trajectory.results if made.call.name != "submit")
        assert last.content == LAST[name], name


def test_what_is_looked_for_at_the_research_desk_is_found() -> None:
    (desk,) = of("research_desk")
    file = desk.load()
    missed = []
    for name, play in desk.plays.items():
        first, *_ = run(file, name, play).trajectory.results
        paths = [str(call.args["path"]) for call in play[0].calls if call.name == "read_file"]
        missed += [name] if paths and paths[0] not in first.content else []
    assert missed == []
