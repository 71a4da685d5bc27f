from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import jsonschema
import pytest

from loopwright.tools import Tool, ToolCall, ToolDefinitionError, ToolLookupError, ToolRegistry


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def greet(name: str = "you") -> str:
    """Greet somebody.

    Args:
        name: Whom.
    """
    return f"hello {name}"


def other_add() -> None: ...


def failing() -> None:
    raise ValueError("no")


# ---- holding tools


def test_a_registry_is_a_mapping_from_names_to_tools_in_order() -> None:
    registry = ToolRegistry(greet, add)
    assert (list(registry), len(registry), "add" in registry, "sub" in registry) == (
        ["greet", "add"],
        2,
        True,
        False,
    )
    assert registry["add"].usage == "add(a: integer, b: integer)"
    assert repr(registry) == "ToolRegistry(greet, add)"
    with pytest.raises(KeyError):
        registry["sub"]


def test_tools_functions_registries_and_lists_of_them_go_in() -> None:
    ready = Tool(add)
    registry = ToolRegistry([ready, ToolRegistry(greet)], (failing,), ready)
    assert list(registry) == ["add", "greet", "failing"]
    assert registry["add"] is ready


def test_the_decorator_registers_with_and_without_options() -> None:
    registry = ToolRegistry()

    @registry.tool
    def one() -> int:
        return 1

    @registry.tool(effect="pure", name="zwei")
    def two() -> int:
        return 2

    assert list(registry) == ["one", "zwei"]
    assert (one(), two(), registry["zwei"].effect) == (1, 2, "pure")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            [Tool(add), Tool(other_add, "add")],
            "two tools are named 'add': tests.tools.test_registry.add and tests.tools.test_registry.other_add",
        ),
        ([Tool(add, "submit")], "can't be named 'submit': that is how an agent ends its run"),
        ([Tool(add, "finish")], "can't be named 'finish'"),
        ("calculate", "'calculate' is text, not a tool; resolve('calculate') looks a tool up"),
        ([5], "a registry takes tools and functions, not an int"),
        ({"add": add}, "a registry takes tools and functions, not a dict"),
    ],
    ids=["duplicate", "submit", "finish", "text", "number", "dict"],
)
def test_what_does_not_belong_is_refused(given: object, said: str) -> None:
    with pytest.raises(ToolDefinitionError) as refused:
        ToolRegistry(given)
    assert said in str(refused.value)


def test_registries_are_joined() -> None:
    joined = ToolRegistry(add) | ToolRegistry(greet) | [failing]
    assert list(joined) == ["add", "greet", "failing"]
    with pytest.raises(ToolDefinitionError, match="two tools are named 'add'"):
        ToolRegistry(add) | ToolRegistry(Tool(other_add, "add"))


def test_some_of_the_tools_are_picked_by_name_or_tag() -> None:
    registry = ToolRegistry(Tool(add, tags=["maths"]), greet, Tool(failing, tags=["odd"]))
    assert list(registry.filtered(["greet"])) == ["greet"]
    assert list(registry.filtered(tags=["maths", "none"])) == ["add"]
    assert list(registry.filtered(["greet"], tags=["odd"])) == ["greet", "failing"]
    with pytest.raises(ToolLookupError, match='there is no tool "gret"; did you mean "greet"'):
        registry.filtered(["gret"])


def test_names_are_prefixed_and_changed() -> None:
    registry = ToolRegistry(add, greet)
    assert list(registry.prefixed("my_")) == ["my_add", "my_greet"]
    assert list(registry.renamed({"add": "plus"})) == ["plus", "greet"]
    assert registry.prefixed("my_").call(ToolCall("my_add", {"a": 1, "b": 2})).content == "3"
    with pytest.raises(ToolLookupError, match='no tool "sub"'):
        registry.renamed({"sub": "minus"})


# ---- showing them


def test_a_prompt_shows_usage_description_and_parameters() -> None:
    assert ToolRegistry(add, greet).render() == (
        "add(a: integer, b: integer)\n    Add two numbers.\n"
        'greet(name: string = "you")\n    Greet somebody.\n    name: Whom.'
    )


def test_specs_hold_valid_json_schema() -> None:
    for spec in ToolRegistry(add, greet, failing).specs():
        jsonschema.Draft202012Validator.check_schema(spec.parameters)
        assert spec.parameters["additionalProperties"] is False


# ---- calling them


def test_a_call_is_found_coerced_and_run() -> None:
    assert ToolRegistry(add).call(ToolCall("add", {"a": "1", "b": 2})).content == "3"


@pytest.mark.parametrize(
    ("registry", "name", "said"),
    [
        (ToolRegistry(add, greet), "ad", 'there is no tool "ad"; did you mean "add"? The tools: add, greet'),
        (
            ToolRegistry(add, greet),
            "Add",
            'there is no tool "Add"; did you mean "add"? The tools: add, greet',
        ),
        (ToolRegistry(add, greet), "zzz", 'there is no tool "zzz". The tools: add, greet'),
        (ToolRegistry(), "add", 'there is no tool "add"; there are no tools'),
        (ToolRegistry([Tool(add, f"t{n}") for n in range(50)]), "zzz", "t38, t39 and 10 more"),
        (ToolRegistry(add), "x" * 1_000_000, "x" * 80 + '"'),
    ],
    ids=["near", "case", "far", "none", "many", "long"],
)
def test_an_unknown_tool_lists_the_tools_and_the_nearest(
    registry: ToolRegistry, name: str, said: str
) -> None:
    for result in (registry.call(ToolCall(name)), asyncio.run(registry.acall(ToolCall(name)))):
        assert result.error == "unknown_tool"
        assert result.content.startswith("Error: ")
        assert said in result.content
        assert len(result.content) < 1_000


CALLS = [
    ToolCall("add", {"a": 1, "b": 2}, id="1"),
    ToolCall("failing", id="2"),
    ToolCall("nobody", id="3"),
    ToolCall("add", {"a": "x"}, id="4"),
    ToolCall("greet", id="5"),
]
Runner = Callable[[ToolRegistry, list[ToolCall]], object]


@pytest.mark.parametrize("effect", ["pure", "write"])
@pytest.mark.parametrize(
    "run",
    [ToolRegistry.call_all, lambda registry, calls: asyncio.run(registry.acall_all(calls))],
    ids=["sync", "async"],
)
def test_the_calls_of_a_turn_come_back_in_order_and_none_is_lost(effect: str, run: Runner) -> None:
    registry = ToolRegistry([Tool(one, effect=effect) for one in (add, greet, failing)])  # type: ignore[arg-type]  # one of two
    results = run(registry, CALLS)
    assert isinstance(results, list)
    assert [result.call.id for result in results] == ["1", "2", "3", "4", "5"]
    assert [result.error for result in results] == [None, "raised", "unknown_tool", "invalid_args", None]


def meeting(number: int) -> Callable[[], str]:
    """A tool that returns only when that many calls are under way at once."""
    barrier = threading.Barrier(number, timeout=60)

    def meet() -> str:
        barrier.wait()
        return "met"

    return meet


@pytest.mark.parametrize(
    "run",
    [ToolRegistry.call_all, lambda registry, calls: asyncio.run(registry.acall_all(calls))],
    ids=["sync", "async"],
)
def test_calls_that_change_nothing_run_at_the_same_time(run: Runner) -> None:
    registry = ToolRegistry(Tool(meeting(4), effect="read"))
    results = run(registry, [ToolCall("meet")] * 4)
    assert isinstance(results, list)
    assert [result.content for result in results] == ["met"] * 4


@pytest.mark.parametrize(
    "run",
    [ToolRegistry.call_all, lambda registry, calls: asyncio.run(registry.acall_all(calls))],
    ids=["sync", "async"],
)
def test_a_call_that_writes_runs_alone_and_in_its_place(run: Runner) -> None:
    log: list[str] = []
    lock = threading.Lock()

    def look(n: int) -> None:
        with lock:
            log.append(f"look {n}")

    def change(n: int) -> None:
        with lock:
            log.append(f"change {n}")

    registry = ToolRegistry(Tool(look, effect="read"), Tool(change, effect="write"))
    names = ["look", "look", "change", "change", "look"]
    run(registry, [ToolCall(name, {"n": n}) for n, name in enumerate(names)])
    assert sorted(log[:2]) == ["look 0", "look 1"]
    assert log[2:] == ["change 2", "change 3", "look 4"]


def test_more_calls_than_threads_are_all_run() -> None:
    results = ToolRegistry(Tool(add, effect="pure")).call_all(
        [ToolCall("add", {"a": n, "b": 1}) for n in range(50)]
    )
    assert [result.content for result in results] == [str(n + 1) for n in range(50)]


def test_what_ends_the_program_comes_out_of_a_turn() -> None:
    def leave() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ToolRegistry(Tool(leave, effect="read")).call_all([ToolCall("leave"), ToolCall("leave")])
