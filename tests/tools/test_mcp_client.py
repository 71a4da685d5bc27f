"""`from_mcp`: tools of real servers, on the SDK and hostile ones, over standard streams and HTTP."""

from __future__ import annotations

import asyncio
import copy
import gc
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from loopwright.tools import ToolCall, ToolDefinitionError, ToolLookupError, ToolRegistry, resolve
from loopwright.tools.mcp import McpTools, McpToolWarning, from_mcp

SERVERS = Path(__file__).parent / "servers"
SDK = [sys.executable, str(SERVERS / "sdk.py")]
OBJECT: dict[str, Any] = {"type": "object", "properties": {}}

Raw = Callable[..., list[str]]


def tool(name: str = "look", **more: object) -> dict[str, object]:
    return {"name": name, "description": "Look.", "inputSchema": OBJECT, **more}


@pytest.fixture
def raw(tmp_path: Path) -> Raw:
    """The command of a server that does as this script says."""

    def command(**script: object) -> list[str]:
        path = tmp_path / "script.json"
        path.write_text(json.dumps({"tools": [tool()], "pid": str(tmp_path / "pids"), **script}))
        return [sys.executable, str(SERVERS / "raw.py"), str(path)]

    return command


@pytest.fixture(scope="module")
def workshop() -> Iterator[McpTools]:
    with from_mcp(SDK) as tools:
        yield tools


@pytest.fixture(scope="module")
def http_url() -> Iterator[str]:
    process = subprocess.Popen([*SDK, "http"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    yield f"http://127.0.0.1:{process.stdout.readline().strip()}/mcp"
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def remote(http_url: str) -> Iterator[McpTools]:
    with from_mcp(http_url) as tools:
        yield tools


@pytest.fixture(params=["workshop", "remote"], ids=["stdio", "http"])
def tools(request: pytest.FixtureRequest) -> McpTools:
    found: McpTools = request.getfixturevalue(request.param)
    return found


def children() -> set[str]:
    """The processes that this one started, where the system lists them."""
    found: set[str] = set()
    for file in Path("/proc/self/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            found.update(file.read_text(encoding="ascii").split())
    return found


@pytest.fixture(autouse=True)
def _no_process_is_left(workshop: McpTools, http_url: str) -> Iterator[None]:
    """The two servers of the whole module are there before; nothing else is afterwards."""
    before = children()
    yield
    wait_until(lambda: children() <= before)


def pids(tmp_path: Path) -> list[int]:
    noted = tmp_path / "pids"
    return [int(word) for word in noted.read_text().split()] if noted.exists() else []


def alive(pid: int) -> bool:
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):  # the latter where it ends in the middle of this
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def said(tools: ToolRegistry, name: str = "look", **args: object) -> str:
    return tools.call(ToolCall(name, args)).content


# ---- a server as it should be


CALLS: dict[str, tuple[str, dict[str, object], str, object]] = {
    "a number": ("add", {"a": 3}, "5", 5),
    "a number that is text": ("add", {"a": "3", "b": "4"}, "7", 7),
    "an object and a list": (
        "shift",
        {"point": {"x": 1}, "by": [2, 3]},
        '{"x": 3, "y": 3}',
        {"x": 3, "y": 3},
    ),
    "a list": ("words", {"text": "to be"}, '["to", "be"]', ["to", "be"]),
    "a list of one": ("words", {"text": "be"}, '["be"]', ["be"]),
    "nothing in a list": ("words", {"text": ""}, "[]", []),
    "a picture": (
        "picture",
        {},
        "[image: image/png, 70 bytes, not shown]",
        "[image: image/png, 70 bytes, not shown]",
    ),
}


@pytest.mark.parametrize(("name", "args", "content", "value"), CALLS.values(), ids=CALLS)
def test_a_call_gives_the_servers_result(
    tools: McpTools, name: str, args: dict[str, object], content: str, value: object
) -> None:
    result = tools.call(ToolCall(name, args))
    assert (result.error, result.content, result.value) == (None, content, value)


def test_a_call_can_be_awaited_in_any_loop(tools: McpTools) -> None:
    async def several() -> list[str]:
        results = await tools.acall_all([ToolCall("add", {"a": n}) for n in range(5)])
        return [result.content for result in results]

    assert asyncio.run(several()) == ["2", "3", "4", "5", "6"]


def test_a_failing_tool_is_an_observation(tools: McpTools) -> None:
    result = tools.call(ToolCall("fail", {"reason": "no such shelf"}))
    assert result.error == "raised"
    assert "no such shelf" in result.content


def test_a_tool_that_asks_a_person_is_an_observation(tools: McpTools) -> None:
    result = tools.call(ToolCall("confirm"))
    assert result.error == "raised"
    assert "elicitation" in result.content


def test_arguments_are_checked_before_the_server_sees_them(tools: McpTools) -> None:
    result = tools.call(ToolCall("add", {"a": "three"}))
    assert (result.error, result.content) == (
        "invalid_args",
        'Error: add: "a" must be an integer, not "three". Usage: add(a: integer, b: integer = 2)',
    )


def test_the_tools_are_described_as_the_server_does(workshop: McpTools) -> None:
    assert workshop["add"].desc == "Add two whole numbers."
    assert workshop["shift"].args["point"]["properties"]["x"]["type"] == "integer"  # type: ignore[index]  # it is a dict
    assert workshop.instructions == "Add before you multiply."
    assert workshop.server == f"{Path(sys.executable).name} sdk.py"
    assert workshop["add"].tags == {"mcp"}


def test_effects_are_write_unless_the_user_says_otherwise(http_url: str, workshop: McpTools) -> None:
    assert {one.effect for one in workshop.values()} == {"write"}
    with from_mcp(http_url, trust_annotations=True, effects={"words": "pure"}) as trusting:
        effects = {name: one.effect for name, one in trusting.items()}
    assert effects["add"] == "read"
    assert effects["fail"] == "irreversible"
    assert effects["sleep"] == "write"
    assert effects["words"] == "pure"


def test_only_the_wanted_tools_are_there(http_url: str) -> None:
    with from_mcp(http_url, only=["add", "words"]) as tools:
        assert list(tools) == ["add", "words"]


def test_a_server_gets_a_short_environment_and_what_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SECRET", "hidden")
    with from_mcp(SDK, env={"GIVEN": "1"}, only=["environment"]) as tools:
        seen = said(tools, "environment")
    assert "GIVEN" in seen
    assert "PATH" in seen
    assert "MY_SECRET" not in seen


def test_a_command_line_may_begin_with_variables(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "secret")
    line = "A=b C=$MY_TOKEN " + " ".join(f"'{word}'" for word in raw(does="echo"))
    with from_mcp(line) as tools:
        assert list(tools) == ["look"]
    with pytest.raises(ToolDefinitionError, match="the environment variable NOT_THERE is not set"):
        from_mcp("A=$NOT_THERE server")


def test_a_call_that_takes_too_long_is_a_timeout_and_the_next_one_works(raw: Raw) -> None:
    with from_mcp(SDK, timeout=1) as tools:
        started = time.monotonic()
        result = tools.call(ToolCall("sleep", {"seconds": 30}))
        assert result.error == "timeout"
        assert result.content.startswith("Error: sleep did not finish within 1 s; it may have been done")
        assert time.monotonic() - started < 25  # a guard: the server would take 30 s
        again = said(tools, "add", a=1)
        assert again == "3" or again.startswith(
            "Error: add did not finish within 1 s"
        )  # it may still be asleep


# ---- servers that fail


def test_a_server_that_dies_at_a_call_says_how_and_is_started_again(raw: Raw) -> None:
    with from_mcp(SDK) as tools:
        result = tools.call(ToolCall("end", {"code": 3}))
        assert result.error == "raised"
        assert result.content == (
            f"Error: the MCP server {tools.server} ended during the call (exit code 3; "
            'its last words: "out of paper"); whether the call took effect is not known'
        )
        assert said(tools, "add", a=1) == "3"


DEATHS = {
    "die at a call": '(exit code 7; its last words: "no more ink")',
    "be killed at a call": "(killed by signal 9)",
    "send without end": "(it sent a message of more than 33,554,432 bytes)",
    "hang up at a call": "ended during the call",
}


@pytest.mark.parametrize(("does", "told"), DEATHS.items(), ids=DEATHS)
def test_a_lost_server_is_an_observation_and_leaves_no_process(
    raw: Raw, tmp_path: Path, does: str, told: str
) -> None:
    with from_mcp(raw(does=does), timeout=120) as tools:
        result = tools.call(ToolCall("look"))
        assert result.error == "raised"
        assert told in result.content
        assert "\x1b" not in result.content
    assert not any(map(alive, pids(tmp_path)))


def test_a_server_that_always_dies_is_not_started_for_ever(raw: Raw, tmp_path: Path) -> None:
    with from_mcp(raw(does="die at a call")) as tools:
        results = [said(tools) for _ in range(5)]
    assert "ended during the call" in results[2]
    assert "ended 3 times in a row: it is not started again" in results[4]
    assert len(pids(tmp_path)) == 3


def test_a_server_that_ended_between_calls_is_started_again(raw: Raw, tmp_path: Path) -> None:
    with from_mcp(raw(does="die after the listing")) as tools:
        (first,) = pids(tmp_path)
        wait_until(lambda: not alive(first))
        assert said(tools) == "fine"
        assert len(pids(tmp_path)) == 2


def test_a_server_that_can_not_be_started_again_says_so(raw: Raw, tmp_path: Path) -> None:
    with from_mcp(raw(does="die at a second start")) as tools:
        os.kill(pids(tmp_path)[0], 9)
        told = "\n".join([said(tools), said(tools)])  # the first call may have been on its way
    assert (
        "ended (killed by signal 9) and, started again, ended before it could be used (exit code 1; " in told
    )
    assert '"spent"' in told


STARTS: dict[str, tuple[dict[str, object], str]] = {
    "dies": (
        {"does": "die at the start"},
        r'ended before it could be used \(exit code 1; its last words: "no conf',
    ),
    "hangs": ({"does": "hang at the start"}, r"did not answer within 1 s"),
    "no tools": ({"tools": []}, "offers no tools"),
    "says it has no tools": ({"capabilities": {}}, "offers no tools"),
    "lists without end": ({"tools": [tool()], "pages": 10_000}, "lists its tools on more than 200 pages"),
    "lists 10,000": (
        {"tools": [tool(f"t{n}") for n in range(10_000)]},
        "lists more than 500 tools: name those",
    ),
    "lists nonsense": ({"tools": [{"name": 5}]}, "sent an answer that is not MCP: tools.0"),
}


@pytest.mark.parametrize(("script", "told"), STARTS.values(), ids=STARTS)
def test_a_server_that_can_not_be_used_is_refused_and_ended(
    raw: Raw, tmp_path: Path, script: dict[str, object], told: str
) -> None:
    with pytest.raises(ToolLookupError, match=f"the MCP server .*raw.py {told}"):
        from_mcp(raw(**script), start_timeout=1 if script.get("does") == "hang at the start" else 120)
    assert not any(map(alive, pids(tmp_path)))


def test_some_of_very_many_tools_can_be_named(raw: Raw) -> None:
    with from_mcp(raw(tools=[tool(f"t{n}") for n in range(2_000)]), only=["t7"]) as tools:
        assert list(tools) == ["t7"]


@pytest.mark.parametrize(
    ("server", "told"),
    [
        (["/no/such/program"], "can't be started: there is no '/no/such/program'"),
        ([str(SERVERS)], "can't be started: '.*servers' may not be run"),
        ("http://127.0.0.1:9/mcp", "http://127.0.0.1:9/mcp can't be reached: ConnectError"),
    ],
    ids=["missing", "a folder", "nobody listens"],
)
def test_a_server_that_is_not_there_is_named(server: str | list[str], told: str) -> None:
    with pytest.raises(ToolLookupError, match=told):
        from_mcp(server)


def test_a_server_that_prints_beside_the_protocol_is_understood(raw: Raw) -> None:
    with from_mcp(raw(does="print beside the protocol")) as tools:
        assert said(tools) == "fine"


def test_a_server_that_floods_stderr_is_not_blocked(raw: Raw) -> None:
    with from_mcp(raw(does="write to stderr without end of line")) as tools:
        assert said(tools) == "fine"


def test_notifications_of_a_server_are_passed_over(raw: Raw, capfd: pytest.CaptureFixture[str]) -> None:
    with from_mcp(raw(does="flood with notifications")) as tools:
        assert said(tools) == "fine"
    assert capfd.readouterr().err == ""


def test_a_refused_call_is_an_observation(raw: Raw) -> None:
    with from_mcp(raw(does="refuse calls")) as tools:
        told = said(tools)
    assert "raw.py refused the call: bad arguments" in told


# ---- servers that lie


def test_what_can_not_be_read_is_left_out_with_a_warning(raw: Raw) -> None:
    listed = [
        tool("good"),
        tool("good", description="Another."),
        tool("loop", inputSchema={"type": "object", "properties": {"a": {"$ref": "https://example.com/x"}}}),
        tool("odd", outputSchema={"type": "object", "properties": {"n": {"type": "whole"}}}),
        tool("deep", outputSchema=json.loads('{"type": "object", "not": ' * 150 + "{}" + "}" * 150)),
        tool("huge", inputSchema={**OBJECT, "description": "x" * 200_000}),
        tool("\x1b[31m"),
        tool("\x1b[31mgood"),
    ]
    with pytest.warns(McpToolWarning, match="raw.py: left out") as caught:
        tools = from_mcp(raw(tools=listed))
    with tools:
        assert list(tools) == ["good"]
        assert tools["good"].desc == "Look."
        assert set(tools.refused) == {"good", "loop", "odd", "deep", "huge", ""}
        assert "listed twice" in tools.refused["good"]
        assert "example.com" in tools.refused["loop"]
        assert "its outputSchema is no valid JSON Schema: 'whole'" in tools.refused["odd"]
        assert "100,000 are read" in tools.refused["huge"]
    assert len(caught) == 1


def test_names_become_legal_and_the_server_hears_its_own(raw: Raw) -> None:
    schema = {
        "type": "object",
        "properties": {"user id": {"type": "integer"}, "from": {"type": "string"}},
        "required": ["user id"],
    }
    listed = [
        tool("get.user/name", inputSchema=schema),
        tool("submit"),
        tool("mcp_submit"),
        tool("\x1b[1mbold"),
    ]
    with from_mcp(raw(does="echo", tools=listed)) as tools:
        assert tools.names == {
            "get_user_name": "get.user/name",
            "mcp_mcp_submit": "submit",
            "mcp_submit": "mcp_submit",
            "bold": "\x1b[1mbold",
        }
        (first, *_) = tools["get_user_name"].args
        shown = said(tools, "get_user_name", **{first: "17", "from": "here"})
    assert json.loads(shown) == {"user id": 17, "from": "here"}


def test_schemas_of_other_dialects_are_read(raw: Raw) -> None:
    schema = {
        "$defs": {"Point": {"type": "dict", "properties": {"x": {"type": "float"}}, "required": ["x"]}},
        "type": "object",
        "properties": {
            "at": {"$ref": "#/$defs/Point"},
            "sizes": {"type": "tuple", "items": {"type": "int"}},
            "note": {"type": "str", "nullable": True},
            "rest": {"type": "any"},
        },
        "required": ["at"],
    }
    with from_mcp(raw(does="echo", tools=[tool(inputSchema=schema)])) as tools:
        shown = said(tools, at={"x": "2.5"}, sizes=["1", 2], rest=[None])
        assert json.loads(shown) == {"at": {"x": 2.5}, "sizes": [1, 2], "rest": [None]}
        assert tools.call(ToolCall("look", {"sizes": []})).error == "invalid_args"


def test_tools_keep_their_server_in_other_registries(raw: Raw) -> None:
    with from_mcp(raw()) as tools:
        assert said(tools.prefixed("raw_"), "raw_look") == "fine"
        assert said(ToolRegistry(tools.renamed({"look": "watch"})), "watch") == "fine"
        assert copy.deepcopy(tools) is tools


def test_effects_and_choices_may_use_the_servers_names(raw: Raw) -> None:
    command = raw(tools=[tool("get.user"), tool("get.order")])
    with from_mcp(command, only=["get.user"], effects={"get.user": "read"}) as tools:
        assert [(one.name, one.effect) for one in tools.values()] == [("get_user", "read")]


def test_descriptions_are_cleaned_and_cut(raw: Raw) -> None:
    hidden = "\U000e0041\U000e0042"
    schema = {
        "type": "object",
        "properties": {"x": {"type": "string", "description": "\x1b[1mbold" + "y" * 5_000}},
    }
    listed = tool(
        description=f"\x1b]0;title\x07Look\u202e here{hidden}.\n" + "z" * 50_000, inputSchema=schema
    )
    with from_mcp(raw(tools=[listed])) as tools:
        look = tools["look"]
    assert look.desc.startswith("Look here.\nzzz")
    assert len(look.desc) <= 4_000
    assert "more characters left out" in look.desc
    described = look.args["x"]["description"]
    assert isinstance(described, str)
    assert described.startswith("boldyyy")
    assert len(described) <= 600


OUTPUT = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
TEXT = [{"type": "text", "text": "well"}]
RESULTS: dict[str, tuple[dict[str, object], str]] = {
    "structured content of another kind": (
        {"content": TEXT, "structuredContent": {"n": "many"}},
        "sent a result that does not fit its own outputSchema: n: 'many' is not of type 'integer'",
    ),
    "no structured content": ({"content": TEXT}, "promised structured content (outputSchema) and sent none"),
    "no content": ({"structuredContent": {"n": 5}}, "sent an answer that is not MCP"),
}


@pytest.mark.parametrize(("result", "told"), RESULTS.values(), ids=RESULTS)
def test_a_result_that_breaks_a_promise_is_an_observation(
    raw: Raw, result: dict[str, object], told: str
) -> None:
    with from_mcp(raw(result=result, tools=[tool(outputSchema=OUTPUT)])) as tools:
        outcome = tools.call(ToolCall("look"))
    assert outcome.error == "raised"
    assert told in outcome.content
    assert "raw.py" in outcome.content


def test_a_servers_own_patterns_are_never_run(raw: Raw) -> None:
    slow = {"type": "object", "properties": {"s": {"type": "string", "pattern": "^(a+)+$"}}}
    result = {"content": TEXT, "structuredContent": {"s": "a" * 40 + "!"}}
    with from_mcp(raw(result=result, tools=[tool(outputSchema=slow)]), timeout=60) as tools:
        assert "well" in said(tools)


SHOWN: dict[str, tuple[dict[str, object], str]] = {
    "nothing": ({"content": []}, "(the tool returned nothing)"),
    "two texts": ({"content": [*TEXT, *TEXT]}, "well\nwell"),
    "text and what it does not say": (
        {"content": TEXT, "structuredContent": {"n": 5}},
        'well\n{"n": 5}',
    ),
    "only structured": ({"content": [], "structuredContent": {"n": 5}}, '{"n": 5}'),
    "a sound": (
        {"content": [{"type": "audio", "data": "QUJD" * 100, "mimeType": "audio/wav"}]},
        "[audio: audio/wav, 300 bytes, not shown]",
    ),
    "a link": (
        {
            "content": [
                {
                    "type": "resource_link",
                    "uri": "file:///a.md",
                    "name": "a",
                    "mimeType": "text/markdown",
                    "size": 1234,
                }
            ]
        },
        "[resource a: file:///a.md, text/markdown, 1,234 bytes]",
    ),
    "a bare link": (
        {"content": [{"type": "resource_link", "uri": "file:///a.md", "name": "a"}]},
        "[resource a: file:///a.md]",
    ),
    "a text file": (
        {"content": [{"type": "resource", "resource": {"uri": "file:///a.md", "text": "# A"}}]},
        "[resource file:///a.md]\n# A",
    ),
    "a binary file": (
        {"content": [{"type": "resource", "resource": {"uri": "file:///a.bin", "blob": "QUJD"}}]},
        "[resource file:///a.bin: binary, 3 bytes, not shown]",
    ),
    "an error without words": (
        {"content": [], "isError": True},
        "Error: the tool failed and did not say why",
    ),
}


@pytest.mark.parametrize(("result", "shown"), SHOWN.values(), ids=SHOWN)
def test_a_result_of_any_kind_has_a_text(raw: Raw, result: dict[str, object], shown: str) -> None:
    with from_mcp(raw(result=result)) as tools:
        assert said(tools) == shown


def test_a_server_that_wants_more_input_is_answered_in_words(raw: Raw) -> None:
    question = {"method": "elicitation/create", "params": {"message": "Sure?", "requestedSchema": OBJECT}}
    result = {"resultType": "input_required", "inputRequests": {"sure": question}}
    with from_mcp(raw(modern=True, result=result)) as tools:
        told = said(tools)
    assert told.endswith("raw.py wants to ask a person something, which is not possible here")


# ---- the end


def test_a_server_that_will_not_go_is_killed_with_its_children(raw: Raw, tmp_path: Path) -> None:
    with from_mcp(raw(does="not go")):
        server, child = pids(tmp_path)
        assert alive(server)
        assert alive(child)
    assert not alive(server)
    assert not alive(child)


def test_closing_answers_the_calls_that_wait(raw: Raw, tmp_path: Path) -> None:
    async def close_during_a_call() -> str:
        tools = await asyncio.to_thread(from_mcp, raw(does="hang at a call"))
        async with tools:
            waiting = asyncio.ensure_future(tools.acall(ToolCall("look")))
            await asyncio.to_thread(wait_until, lambda: len(pids(tmp_path)) == 2)  # the call has come
        return (await waiting).content

    assert asyncio.run(close_during_a_call()).endswith("was closed during the call")
    assert not any(map(alive, pids(tmp_path)))


def test_a_closed_registry_says_so(raw: Raw) -> None:
    with from_mcp(raw()) as tools:
        pass
    assert said(tools).endswith("was closed: its tools can't be called any more")
    tools.close()


def test_a_server_that_nobody_holds_any_more_is_ended(raw: Raw, tmp_path: Path) -> None:
    look = from_mcp(raw())["look"]
    gc.collect()
    (server,) = pids(tmp_path)
    assert look.run(ToolCall("look")).content == "fine"
    del look
    gc.collect()
    wait_until(lambda: not alive(server))


def test_a_program_that_ends_takes_its_servers_with_it(raw: Raw, tmp_path: Path) -> None:
    code = f"from loopwright.tools.mcp import from_mcp\nkept = from_mcp({raw(does='not go')!r})\nprint(list(kept))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "['look']\n"
    assert done.stderr == ""
    assert len(pids(tmp_path)) == 2
    assert not any(map(alive, pids(tmp_path)))


def test_a_cancelled_call_leaves_the_session_usable() -> None:
    async def cancel_one() -> str:
        tools = await asyncio.to_thread(from_mcp, SDK)
        async with tools:
            waiting = asyncio.ensure_future(tools.acall(ToolCall("sleep", {"seconds": 0.5})))
            await asyncio.sleep(0.1)
            waiting.cancel()
            return (await tools.acall(ToolCall("add", {"a": 1}))).content

    assert asyncio.run(cancel_one()) == "3"


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60  # a guard against hanging
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


# ---- wrong use


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "no command": (lambda: from_mcp(""), "from_mcp takes a command"),
    "an empty list": (lambda: from_mcp([]), "from_mcp takes a command"),
    "not text": (lambda: from_mcp([5]), "from_mcp takes a command"),  # type: ignore[list-item]  # the point of the test
    "an open quote": (lambda: from_mcp("python 'x"), "can't be read: No closing quotation"),
    "headers for a command": (lambda: from_mcp("x", headers={"A": "b"}), "headers are for a server at a URL"),
    "variables for a URL": (
        lambda: from_mcp("http://x", env={"A": "b"}),
        "env and cwd are for a server that is started",
    ),
    "no time": (lambda: from_mcp("x", timeout=0), "timeout is a number of seconds above 0"),
    "no time to start": (lambda: from_mcp("x", start_timeout=0), "start_timeout is a number"),
    "an effect": (lambda: from_mcp("x", effects={"y": "none"}), "effects: y is one of pure, read"),  # type: ignore[dict-item]  # likewise
}


@pytest.mark.parametrize(("use", "told"), WRONG.values(), ids=WRONG)
def test_wrong_use_is_refused_before_anything_is_started(use: Callable[[], object], told: str) -> None:
    with pytest.raises(ToolDefinitionError, match=told):
        use()


@pytest.mark.parametrize("option", ["only", "effects"])
def test_a_name_that_the_server_does_not_have_is_met_with_the_nearest(
    raw: Raw, tmp_path: Path, option: str
) -> None:
    given: dict[str, Any] = {"only": ["lok"], "effects": {"lok": "read"}}
    with pytest.raises(ToolLookupError, match=r'raw.py has no tool "lok"; did you mean "look"\?'):
        from_mcp(raw(), **{option: given[option]})
    assert not any(map(alive, pids(tmp_path)))


def test_a_wanted_tool_that_can_not_be_used_says_why(raw: Raw) -> None:
    broken = tool("loop", inputSchema={"type": "object", "description": "x" * 200_000})
    with pytest.raises(
        ToolLookupError, match=r'the tool "loop" of the MCP server .* can.t be used: its inputSchema'
    ):
        from_mcp(raw(tools=[broken]), only=["loop"])


def test_without_the_sdk_the_extra_is_named(tmp_path: Path) -> None:
    code = (
        "import sys\nsys.path = [p for p in sys.path if 'site-packages' not in p] + sys.argv[1:]\n"
        "from loopwright.tools.mcp import from_mcp\nfrom_mcp('server')"
    )
    libraries = tmp_path / "site"
    libraries.mkdir()
    for path in (Path(p) for p in sys.path if "site-packages" in p):
        for one in path.iterdir():
            if not one.name.startswith(("mcp", "_")) and not (libraries / one.name).exists():
                (libraries / one.name).symlink_to(one)
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, str(source), str(libraries)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "pip install 'loopwright[mcp]'" in done.stderr.splitlines()[-1]


# ---- by name


def test_a_text_names_a_server_and_relative_paths_start_at_the_base(raw: Raw, tmp_path: Path) -> None:
    raw(does="echo")
    (tmp_path / "server.py").write_text((SERVERS / "raw.py").read_text())
    tools = resolve(f"mcp:'{sys.executable}' server.py script.json", base=tmp_path)
    assert isinstance(tools, McpTools)
    with tools:
        assert said(tools) == "{}"


def test_a_text_names_a_url(http_url: str) -> None:
    tools = resolve(f"mcp+{http_url}")
    assert isinstance(tools, McpTools)
    with tools:
        assert said(tools, "add", a=1) == "3"


@pytest.mark.parametrize(
    "spec", ["mcp:", "mcp:'", "mcp:A=$NOT_THERE x", "mcp+ftp://x", "mcp:/no/such/program"]
)
def test_a_text_that_names_no_server_is_a_lookup_error(spec: str, tmp_path: Path) -> None:
    with pytest.raises(ToolLookupError):
        resolve(spec, base=tmp_path)


def test_no_warning_where_nothing_is_left_out(raw: Raw) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_mcp(raw()).close()
