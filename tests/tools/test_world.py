"""Worlds: paths, changes, snapshots, and tools that are given one."""

from __future__ import annotations

import asyncio
import copy
import json
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from loopwright.tools import Tool, ToolCall, ToolDefinitionError, ToolResult, ToolRun, World, WorldError
from loopwright.tools.world import ABSENT, Change, Environment, Fault
from loopwright.tools.world.changes import applied, differences, same
from loopwright.tools.world.paths import Pattern, Selection, dotted, is_pattern, steps_of
from loopwright.tools.world.tree import counted

SHOP = {
    "orders": {
        17: {"status": "paid", "items": ["lamp", "chair"], "updated_at": "mon"},
        "18": {"status": "sent", "items": [], "updated_at": "tue"},
    },
    "customers": {"a.b@c.org": {"name": "Mara", "vip": None}},
    "ledger": [{"amount": 20}, {"amount": 5.5}],
}


def shop() -> World:
    return World(SHOP)


# ---- paths

REACHED = {
    "a key of text that looks like a number": ("orders.17.status", "paid"),
    "a list's place": ("orders.17.items.1", "chair"),
    "a place from the end": ("ledger.-1.amount", 5.5),
    "a key with dots, in quotes": ('customers."a.b@c.org".name', "Mara"),
    "keys, with a number for text": (("orders", 18, "status"), "sent"),
    "nothing is a value": ('customers."a.b@c.org".vip', None),
}


@pytest.mark.parametrize(("path", "value"), REACHED.values(), ids=REACHED)
def test_a_path_leads_to_a_value(path: str, value: object) -> None:
    assert shop().get(path) == value
    assert path in shop()


NOT_THERE = {
    "a wrong name": ("oders.17", 'there is no oders; did you mean "orders"?'),
    "a wrong field": ("orders.17.statsu", 'there is no orders.17.statsu; did you mean "status"?'),
    "a wrong number": ("orders.99", "there is no orders.99: orders has 17, 18"),
    "a place beyond a list": ("ledger.2", "there is no ledger.2: ledger is a list of 2, counted from 0"),
    "a name in a list": ("ledger.first", "there is no ledger.first: ledger is a list of 2, counted from 0"),
    "below a leaf": ("orders.17.status.x", "there is no orders.17.status.x: orders.17.status holds nothing further"),
    "below nothing": ("orders.18.items.0", "there is no orders.18.items.0: orders.18.items is a list of 0, counted from 0"),
    "an unclosed quote": (
        'a."b',
        "'a.\"b' is no path: write keys with dots between them, as in orders.17.status, "
        'and a key that has dots in quotes: users."a@b.c"',
    ),
    "an empty step": (
        "a..b",
        "'a..b' is no path: write keys with dots between them, as in orders.17.status, "
        'and a key that has dots in quotes: users."a@b.c"',
    ),
    "a pattern": ("orders.*", "orders.* is a pattern of several paths, where one is wanted"),
    "a path without end": ("a." * 600 + "a", "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.… is too long for a path"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "words"), NOT_THERE.values(), ids=NOT_THERE)
def test_a_path_to_nothing_says_how_far_it_leads(path: str, words: str) -> None:
    with pytest.raises(WorldError) as caught:
        shop().get(path)
    assert str(caught.value) == words


def test_a_default_stands_for_what_is_not_there() -> None:
    assert shop().get("orders.99", None) is None
    assert shop().get("orders.17.status", "none") == "paid"


def test_many_names_are_not_all_listed() -> None:
    with pytest.raises(WorldError, match=r"orders has 0, 1, .*, 11 and 88 more$"):
        World({"orders": {str(number): 0 for number in range(100)}}).get("orders.100")


COVERED = {
    "the path itself": ("orders.17", "orders.17", True),
    "all below it": ("orders.17", "orders.17.items.0", True),
    "not its neighbour": ("orders.17", "orders.170", False),
    "not what is above it": ("orders.17", "orders", False),
    "any one key": ("orders.*.status", "orders.18.status", True),
    "one key, not two": ("orders.*.status", "orders.18.old.status", False),
    "at any depth": ("*.updated_at", "orders.18.updated_at", True),
    "at any depth, and below": ("*.items", "orders.18.items.3", True),
    "at any depth but the top": ("*.orders", "orders", False),
    "part of a key": ("tmp_*", "tmp_1.a", True),
    "part of a key at the start": ("tmp_*.a", "x.tmp_1.a", False),
    "a star alone": ("*", "orders", True),
    "a star in quotes": ('"*"', "orders", False),
}


@pytest.mark.parametrize(("pattern", "path", "covers"), COVERED.values(), ids=COVERED)
def test_a_pattern_covers_what_lies_below_it(pattern: str, path: str, covers: bool) -> None:
    assert Pattern.of(pattern).covers(steps_of(path)) is covers


def test_the_last_of_several_patterns_decides() -> None:
    chosen = Selection.of(["orders", "!orders.17", "orders.17.status"])
    covered = [
        path
        for path in ("orders.18.a", "orders.17.items", "orders.17.status", "ledger")
        if chosen.covers(steps_of(path))
    ]
    assert covered == ["orders.18.a", "orders.17.status"]


@pytest.mark.parametrize("key", ["a", "a.b", 'a"b', "*", "", " ", "a b", "ü", "a[0]", "\\", "\n", "?"])
def test_a_path_as_text_is_read_back(key: str) -> None:
    assert steps_of(dotted(("x", key, "y"))) == ("x", key, "y")
    assert not is_pattern(dotted((key,)))


# ---- changing


def test_what_is_handed_out_is_a_copy() -> None:
    world = shop()
    order = world.get("orders.17")
    assert isinstance(order, dict)
    order["status"] = "stolen"
    assert world.get("orders.17.status") == "paid"


def test_what_was_put_in_is_a_copy_too() -> None:
    world, notes = World(), ["a"]
    world.set("notes", notes)
    notes.append("b")
    assert world.get("notes") == ["a"]


def test_a_field_may_be_new_but_not_what_is_above_it() -> None:
    world = shop()
    world.set("orders.17.note", "call first")
    assert world.get("orders.17.note") == "call first"
    with pytest.raises(WorldError, match=r"^there is no orders\.99: orders has 17, 18$"):
        world.set("orders.99.status", "paid")


def test_an_item_is_added_and_taken_away() -> None:
    world = shop()
    assert world.append("ledger", {"amount": 1}) == 2
    assert world.remove("ledger.0") == {"amount": 20}
    assert world.find("ledger.*.amount") == {"ledger.0.amount": 5.5, "ledger.1.amount": 1}
    assert world.remove("orders.18") == {"status": "sent", "items": [], "updated_at": "tue"}
    assert "orders.18" not in world


REFUSED: dict[str, tuple[Callable[[World], object], str]] = {
    "adding to no list": (lambda w: w.append("orders", 1), "orders is no list that something could be added to"),
    "removing all": (lambda w: w.remove(()), "the whole of a world can't be removed"),
    "removing nothing": (lambda w: w.remove("ledger.7"), "there is no ledger.7: ledger is a list of 2, counted from 0"),
    "no mapping at the top": (lambda w: w.set((), [1]), "the whole of a world is a mapping"),
    "an object": (lambda w: w.set("x", object()), "the world is a value of type object: a world holds mappings, lists, text, numbers, true, false and nothing"),
    "an object inside": (lambda w: w.set("x", {"a": [b"1"]}), "a.0 is a value of type bytes: a world holds mappings, lists, text, numbers, true, false and nothing"),
    "no number": (lambda w: w.set("x", {"a": float("nan")}), "a is nan, which is no number for a world"),
    "a key that is none": (lambda w: w.set("x", {True: 1}), "the world has a key of type bool: text or a whole number is wanted"),
    "a key twice": (lambda w: w.set("x", {1: 1, "1": 2}), "the world has the key 1 twice, as text and as a number"),
    "too much": (lambda w: w.set("x", [0] * 1_000_001), "a world holds at most 1,000,000 values"),
    "a foreign state": (lambda w: w.restore({}), "a world goes back to what snapshot() gave, not to dict"),  # type: ignore[arg-type]  # that is the mistake
    "a list as a world": (lambda w: World([1]), "a world is made from a mapping, not from list"),  # type: ignore[arg-type]  # that is the mistake
}  # fmt: skip


@pytest.mark.parametrize(("change", "words"), REFUSED.values(), ids=REFUSED)
def test_what_can_not_be_is_refused_and_changes_nothing(
    change: Callable[[World], object], words: str
) -> None:
    world = shop()
    with pytest.raises(WorldError) as caught:
        change(world)
    assert str(caught.value) == words
    assert world == shop()


def test_nesting_has_an_end() -> None:
    deep: dict[str, object] = {}
    for _ in range(100):
        deep = {"a": deep}
    with pytest.raises(WorldError, match="nested too deeply"):
        World(deep)


def test_a_world_that_shrinks_may_grow_again() -> None:
    world = World({"many": [0] * 999_990})
    with pytest.raises(WorldError, match="at most 1,000,000"):
        world.set("more", [0] * 100)
    world.remove("many")
    world.set("more", [0] * 100)


# ---- states


def test_a_state_can_be_gone_back_to() -> None:
    world = shop()
    state = world.snapshot()
    world.set("orders.17.status", "refunded")
    world.append("ledger", 1)
    world.restore(state)
    assert world == shop()
    world.remove("ledger")
    world.rollback()
    assert world == shop()


def test_a_copy_shares_nothing_that_changes() -> None:
    world = shop()
    other = copy.deepcopy(world)
    other.set("orders.17.status", "lost")
    assert world.get("orders.17.status") == "paid"
    assert World.of(world.snapshot()) == world != other


def test_equal_data_has_an_equal_hash_whatever_its_order() -> None:
    assert World({"a": 1, "b": [1.0, True]}).hash() == World({"b": [1, True], "a": 1}).hash()
    assert World({"a": 1}).hash() != World({"a": True}).hash() != World({"a": "1"}).hash()
    assert World({"a": {}}).hash() != World({"a": []}).hash()


def test_several_changes_are_made_all_or_not_at_all() -> None:
    world = shop()

    def refund_wrongly() -> None:
        with world.undone_on_error():
            world.set("orders.17.status", "refunded")
            world.append("orders", 1)

    with pytest.raises(WorldError, match="orders is no list"):
        refund_wrongly()
    assert world == shop()


# ---- differences

DIFFERENT: dict[str, tuple[object, object, list[str]]] = {
    "nothing": ({"a": [1]}, {"a": [1.0]}, []),
    "a leaf": ({"a": {"b": 1}}, {"a": {"b": 2}}, ["a.b: 1 → 2"]),
    "true is not 1": ({"a": True}, {"a": 1}, ["a: true → 1"]),
    "nothing is a value": ({}, {"a": None}, ["a added: null"]),
    "a whole part": ({"a": {"b": 1}}, {}, ['a removed: {"b": 1}']),
    "another kind": ({"a": {"b": 1}}, {"a": [1]}, ['a: {"b": 1} → [1]']),
    "added at the end": ({"a": [1]}, {"a": [1, 2, 3]}, ["a.1 added: 2", "a.2 added: 3"]),
    "put in front": ({"a": [1]}, {"a": [0, 1]}, ["a.0 added: 0"]),
    "taken from the middle": ({"a": [1, 2, 3, 4]}, {"a": [1, 4]}, ["a.1 removed: 2", "a.2 removed: 3"]),
    "one of a row": ({"a": [5, 5, 5]}, {"a": [5, 5]}, ["a.2 removed: 5"]),
    "an item of a list": ({"a": [{"n": 1, "m": 1}]}, {"a": [{"n": 2, "m": 1}]}, ["a.0.n: 1 → 2"]),
    "several at once": (
        {"a": [1, 2, 3], "b": 1},
        {"a": [9, 3], "c": 1},
        ["a.0: 1 → 9", "a.1 removed: 2", "b removed: 1", "c added: 1"],
    ),
}


@pytest.mark.parametrize(("before", "after", "words"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_differs_is_told_and_leads_there(before: object, after: object, words: list[str]) -> None:
    found = list(differences(before, after))
    assert [str(one) for one in found] == words
    assert same(applied(before, found), after)


def random_tree(draw: random.Random, depth: int = 0) -> object:
    kind = draw.randrange(6 if depth < 4 else 3)
    if kind < 3:
        return draw.choice([1, 2, "a", "b", None, True])
    if kind == 3:
        return {draw.choice("abcd"): random_tree(draw, depth + 1) for _ in range(draw.randrange(4))}
    return [random_tree(draw, depth + 1) for _ in range(draw.randrange(5))]


@pytest.mark.parametrize("seed", range(8))
def test_differences_always_lead_to_the_other_state_also_by_way_of_json(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(300):
        before, after = {"x": random_tree(draw)}, {"x": random_tree(draw)}
        found = list(differences(before, after))
        read = [Change.from_json(json.loads(json.dumps(one.as_json()))) for one in found]
        assert same(applied(before, read), after), (before, after)
        assert bool(found) == (not same(before, after))


def test_a_change_of_a_part_is_one_of_each_value_in_it() -> None:
    change = Change(("a",), {"b": 1, "c": {"d": 2}}, {"b": 3})
    assert [str(one) for one in change.leaves()] == ["a.b: 1 → 3", "a.c.d removed: 2"]


@pytest.mark.no_cover  # covered elsewhere; it takes twice as long with an eye on it
def test_a_small_change_of_a_large_world_is_found_at_once() -> None:
    world = World({"rows": {str(n): {"v": n, "w": [n]} for n in range(50_000)}})
    started = time.perf_counter()
    for n in range(20):
        state = world.snapshot()
        world.set(f"rows.{n}.v", -1)
        assert [one.where for one in world.diff(state)] == [f"rows.{n}.v"]
    assert time.perf_counter() - started < 120  # a hang-guard: a walk of the whole takes longer each time


def test_threads_lose_no_change() -> None:
    world = World({"log": []})
    threads = [
        threading.Thread(target=lambda: [world.append("log", 1) for _ in range(200)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(world.find("log.*"))) == 1600


# ---- tools that are given a world


def refund(order_id: int, world: World, note: str = "") -> str:
    """Give the money back."""
    world.set(f"orders.{order_id}.status", "refunded")
    return f"refunded {note}".strip()


async def arefund(order_id: int, *, world: World) -> str:
    world.set(f"orders.{order_id}.status", "refunded")
    return "refunded"


class Counter:
    """Written by somebody who never heard of us."""

    def __init__(self) -> None:
        self.count = 0

    def snapshot(self) -> dict[str, int]:
        return {"count": self.count}

    def restore(self, state: dict[str, int]) -> None:
        self.count = state["count"]


def count_up(counter: Counter | None = None) -> int:
    if counter is None:
        return -1
    counter.count += 1
    return counter.count


def in_world(world: object, *faults: Fault) -> ToolRun:
    return ToolRun(environment=Environment(world, faults))


def called(tool: Tool, run: ToolRun | None = None, **args: object) -> ToolResult:
    return tool.run(ToolCall(tool.name, args), run)


def test_the_model_never_sees_the_world_and_can_not_give_it() -> None:
    tool = Tool(refund)
    assert tool.usage == 'refund(order_id: integer, note: string = "")'
    assert 'there is no parameter "world"' in called(tool, in_world(shop()), order_id=17, world={}).content


@pytest.mark.parametrize("func", [refund, arefund], ids=["blocking", "async"])
def test_a_tool_changes_the_world_of_its_run_and_its_result_says_what(func: Callable[..., object]) -> None:
    world = shop()
    result = called(Tool(func), in_world(world), order_id="17")
    assert result.content == "refunded"
    assert world.get("orders.17.status") == "refunded"
    assert [str(one) for one in result.changes] == ['orders.17.status: "paid" → "refunded"']


def test_what_is_not_in_the_world_is_told_to_the_model() -> None:
    result = called(Tool(refund), in_world(shop()), order_id=99)
    assert (result.error, result.content) == ("raised", "Error: there is no orders.99: orders has 17, 18")
    assert result.changes == ()


def test_without_a_world_the_call_fails_and_says_so() -> None:
    result = called(Tool(refund), order_id=17)
    assert result.content == "Error: refund works on a world of type World, and there is none"
    result = called(Tool(refund), in_world(Counter()), order_id=17)
    assert result.content == "Error: refund works on a world of type World, and it is a Counter"


def test_an_object_of_somebody_else_is_a_world_by_its_class() -> None:
    counter = Counter()
    result = called(Tool(count_up), in_world(counter))
    assert (result.content, counter.count) == ("1", 1)
    assert [str(one) for one in result.changes] == ["count: 0 → 1"]
    assert called(Tool(count_up)).content == "-1"


def test_a_list_of_worlds_is_no_world() -> None:
    with pytest.raises(ToolDefinitionError, match="can't be asked for 'worlds'"):
        Tool(lambda worlds: 0, "f", arg_types={"worlds": list[Counter]})


def test_two_worlds_are_one_too_many() -> None:
    def move(source: World, target: World) -> None: ...

    with pytest.raises(
        ToolDefinitionError, match="one parameter, that can be given by name, may be the world"
    ):
        Tool(move)


def test_what_comes_of_a_world_is_not_remembered_for_good() -> None:
    with pytest.raises(ToolDefinitionError, match="results are good until that changes"):
        Tool(refund, effect="pure", cache=True)
    read = Tool(lambda world: world.get("n"), "read", arg_types={"world": World}, effect="read", cache=True)
    worlds = [World({"n": n}) for n in (1, 2)]
    assert [called(read, in_world(world)).content for world in worlds] == ["1", "2"]


def test_what_is_no_world_is_refused() -> None:
    with pytest.raises(WorldError, match="not dict"):
        Environment({"a": 1})


def test_a_simulator_whose_state_is_no_data_needs_a_view() -> None:
    class Opaque(Counter):
        def snapshot(self) -> bytes:  # type: ignore[override]  # that is the mistake
            return b"1"

    with pytest.raises(WorldError, match=r"snapshot\(\) of Opaque gives bytes, and checks need a mapping"):
        Environment(Opaque())
    with_view = type("Seen", (Opaque,), {"view": lambda self: {"count": self.count}})()
    assert [str(c) for c in called(Tool(count_up), in_world(with_view)).changes] == ["count: 0 → 1"]


def test_a_call_that_changes_much_keeps_a_bounded_record() -> None:
    def fill(world: World) -> None:
        world.set("big", {str(n): "x" for n in range(5_000)})
        world.set("text", "x" * 50_000)
        for n in range(300):
            world.set(f"n{n}", n)

    changes = called(Tool(fill), in_world(World())).changes
    assert len(changes) == 100
    assert changes[0].after == "… (5,001 values)"
    assert str(changes[1].after).endswith("x… (50,000 characters)")


# ---- faults


def look_up(order_id: int) -> str:
    return f"order {order_id}"


async def alook_up(order_id: int) -> str:
    return f"order {order_id}"


@pytest.mark.parametrize("func", [look_up, alook_up], ids=["blocking", "async"])
def test_a_fault_meets_the_call_of_its_number_and_looks_like_any_failure(func: Callable[..., object]) -> None:
    tool, run = (
        Tool(func, "look_up", effect="read"),
        in_world(World(), Fault("look_up", 2, error="503 upstream")),
    )
    results = [called(tool, run, order_id=n) for n in (1, 2, 3)]
    assert [(one.error, one.content) for one in results] == [
        (None, "order 1"),
        ("raised", "Error: 503 upstream"),
        (None, "order 3"),
    ]
    assert results[1].detail == "this was a fault that the task sets: call 2 of look_up"


def test_calls_that_do_not_reach_the_tool_are_not_counted() -> None:
    tool, run = Tool(look_up), in_world(World(), Fault("look_up", 1, error="503"))
    assert called(tool, run, order_id="x").error == "invalid_args"
    assert called(tool, run, order_id=1).content == "Error: 503"


def test_the_tool_is_not_called_when_it_fails_but_is_when_its_answer_gets_lost() -> None:
    world = shop()
    run = in_world(
        world, Fault("refund", 1, error="refused"), Fault("refund", 2, error="connection lost", done=True)
    )
    assert called(Tool(refund), run, order_id=17).content == "Error: refused"
    assert world.get("orders.17.status") == "paid"
    lost = called(Tool(refund), run, order_id=17)
    assert (lost.error, lost.content) == ("raised", "Error: connection lost")
    assert [str(one) for one in lost.changes] == ['orders.17.status: "paid" → "refunded"']


@pytest.mark.parametrize("func", [refund, arefund], ids=["blocking", "async"])
def test_an_answer_gets_lost_in_either_way_of_waiting(func: Callable[..., object]) -> None:
    world = shop()
    run = in_world(world, Fault("refund", error="gone", done=True))
    assert called(Tool(func, "refund"), run, order_id=17).content == "Error: gone"
    assert world.get("orders.17.status") == "refunded"


@pytest.mark.parametrize("func", [look_up, alook_up], ids=["blocking", "async"])
def test_a_fault_may_answer_in_place_of_the_tool(func: Callable[..., object]) -> None:
    run = in_world(World(), Fault("look_up", 1, result={"total": 3}))
    assert called(Tool(func, "look_up"), run, order_id=1).content == '{"total": 3}'


@pytest.mark.parametrize("func", [look_up, alook_up], ids=["blocking", "async"])
def test_a_delay_runs_against_the_tools_own_time(func: Callable[..., object]) -> None:
    run = in_world(World(), Fault("look_up", 1, delay_s=60), Fault("look_up", 2, delay_s=0.01))
    assert called(Tool(func, "look_up", timeout=0.2), run, order_id=1).error == "timeout"
    slow = called(Tool(func, "look_up", timeout=60), run, order_id=1)
    assert slow.content == "order 1"
    assert slow.seconds >= 0.01


def test_a_time_out_can_be_had_without_the_wait() -> None:
    run = in_world(World(), Fault("refund", 1, error="", kind="timeout"))
    result = called(Tool(refund), run, order_id=17)
    assert result.error == "timeout"
    assert result.content == (
        "Error: refund did not finish in time; it may have been done, or be done yet: "
        "whether it took effect is not known, look before you do it again"
    )


def test_a_fault_is_not_retried_away() -> None:
    tool = Tool(look_up, effect="read", retry_on=(Exception,), retries=3)
    run = in_world(World(), Fault("look_up", 1, error="503"))
    assert called(tool, run, order_id=1).content == "Error: 503"


def test_faults_count_the_calls_of_all_runs_in_an_environment() -> None:
    environment = Environment(World(), [Fault("look_up", 2, error="503")])
    runs = [ToolRun(environment=environment) for _ in range(2)]
    results = [asyncio.run(Tool(look_up).arun(ToolCall("look_up", {"order_id": 1}), run)) for run in runs]
    assert [one.content for one in results] == ["order 1", "Error: 503"]


def test_values_are_told_apart_from_nothing() -> None:
    assert Change(("a",)).as_json() == {"path": ["a"]}
    assert copy.deepcopy(ABSENT) is ABSENT
    assert counted(None) == (None, 1)


# ---- a world beside a plain tree


def random_path(draw: random.Random, tree: object) -> tuple[str | int, ...]:
    path: tuple[str | int, ...] = ()
    while isinstance(tree, dict | list) and tree and (not path or draw.random() < 0.7):
        key = draw.choice(list(tree) if isinstance(tree, dict) else list(range(len(tree))))
        path, tree = (*path, key), tree[key]
    return path


def container(tree: object, path: tuple[str | int, ...]) -> Any:
    for key in path:
        tree = tree[key]  # type: ignore[index]  # the path was taken from it
    return tree


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_done_to_a_world_it_is_what_a_plain_tree_would_be(seed: int) -> None:
    draw = random.Random(seed)
    world, plain_tree = World({"a": [1], "b": {}}), {"a": [1], "b": {}}
    start, whole = world.snapshot(), copy.deepcopy(plain_tree)
    for _ in range(400):
        path, value = random_path(draw, plain_tree), random_tree(draw)
        parent = container(plain_tree, path[:-1])
        match draw.randrange(4):
            case 0 if path:
                world.set(path, value)
                parent[path[-1]] = copy.deepcopy(value)
            case 1 if isinstance(container(plain_tree, path), list):
                world.append(path, value)
                container(plain_tree, path).append(copy.deepcopy(value))
            case 2 if len(path) > 1:
                world.remove(path)
                del parent[path[-1]]
            case 3 if isinstance(parent, dict):
                world.set((*path[:-1], "new"), value)
                parent["new"] = copy.deepcopy(value)
        assert world.get() == plain_tree
        assert world.snapshot().size == World(plain_tree).snapshot().size
        assert same(applied(start.tree, world.diff(start)), plain_tree)
    assert start.tree == whole
    world.restore(start)
    assert world.get() == whole


def test_what_a_call_does_after_its_time_is_not_the_next_ones_work() -> None:
    go_on, done = threading.Event(), threading.Event()

    def slow(world: World) -> None:
        go_on.wait(60)
        world.set("late", True)
        done.set()

    run = in_world(shop())
    assert called(Tool(slow, timeout=0.1), run).error == "timeout"
    go_on.set()
    assert done.wait(60)
    assert [str(one) for one in called(Tool(refund), run, order_id=17).changes] == [
        'orders.17.status: "paid" → "refunded"'
    ]


@pytest.mark.parametrize("func", [refund, arefund], ids=["blocking", "async"])
def test_a_call_that_was_late_has_not_reached_the_tool(func: Callable[..., object]) -> None:
    world = shop()
    result = called(
        Tool(func, "refund", timeout=0.1), in_world(world, Fault("refund", delay_s=60)), order_id=17
    )
    assert result.error == "timeout"
    ended = time.monotonic() + 60
    while (
        any(thread.name.endswith("refund") for thread in threading.enumerate()) and time.monotonic() < ended
    ):
        time.sleep(0.01)
    assert world.get("orders.17.status") == "paid"
