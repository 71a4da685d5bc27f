"""`loopwright tools`: list, show, call, lint and serve, in this process; serving is tested from its clients."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from loopwright.cli import run_command
from loopwright.tools import ToolCall
from loopwright.tools.resolve import resolve

SERVER = Path(__file__).parents[1] / "tools" / "servers" / "raw.py"
SHOP = '''
from loopwright.tools import ToolFailed, ToolRegistry

registry = ToolRegistry()

@registry.tool(effect="read", timeout=60)
def price(item: str, pieces: int = 1, sizes: list[int] | None = None) -> float:
    """What so many pieces cost.

    Prices are in euros.

    Args:
        item: As the catalogue has it.
        pieces: How many.
        sizes: In centimetres.
    """
    return 2.5 * pieces * sum(sizes or [1])

@registry.tool
def order(item: str) -> str:
    """Order a piece.

    Args:
        item: As the catalogue has it.
    """
    raise ToolFailed("sold out")

@registry.tool(effect="irreversible")
def burn(what: str) -> str:
    """Burn something down.

    Args:
        what: Anything.
    """
    return f"{what} is gone\\x1b[2J"
'''


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "bad.py").write_text(
        "from loopwright.tools import tool\n\n@tool\ndef get(x):\n    return x\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def server(tmp_path: Path) -> str:
    """How a command line names an MCP server."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    tool = {"name": "look", "description": "Look at a number.", "inputSchema": schema}
    (tmp_path / "script.json").write_text(json.dumps({"tools": [tool], "does": "echo"}))
    return f"mcp:'{sys.executable}' '{SERVER}' script.json"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run_command(["tools", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_list_shows_effect_usage_and_first_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "list", "shop.py", "calculate,date_math")
    assert code == 0
    assert out.splitlines()[:4] == [
        "price(item: string, pieces: integer = 1, sizes?: list of integer)  [read]",
        "    What so many pieces cost.",
        "order(item: string)  [write]",
        "    Order a piece.",
    ]
    assert "calculate(expression: string)  [pure]" in out
    assert "date_math(" in out


def test_list_of_nothing_named_is_of_the_built_in_tools(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "list")
    assert code == 0
    assert "calculate(expression: string)  [pure]" in out
    assert '"retrieve" wants documents' in err


def test_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "list", "shop.py", "--json")
    assert code == 0
    assert json.loads(out)[0] == {
        "name": "price",
        "effect": "read",
        "usage": "price(item: string, pieces: integer = 1, sizes?: list of integer)",
        "summary": "What so many pieces cost.",
        "timeout": 60,
    }


def test_the_tools_of_an_mcp_server_are_listed_and_called(
    capsys: pytest.CaptureFixture[str], server: str
) -> None:
    assert run(capsys, "list", server) == (0, "look(n: integer)  [write]\n    Look at a number.\n", "")
    assert run(capsys, "call", "look", "n=17", "-t", server) == (0, '{"n": 17}\n', "")


def test_an_mcp_server_may_stand_among_others(capsys: pytest.CaptureFixture[str], server: str) -> None:
    code, out, _ = run(capsys, "list", f"calculate,{server},date_math", "--json")
    assert (code, [one["name"] for one in json.loads(out)]) == (0, ["calculate", "look", "date_math"])


def test_what_a_server_offers_in_vain_is_a_warning(
    capsys: pytest.CaptureFixture[str], server: str, tmp_path: Path
) -> None:
    script = json.loads((tmp_path / "script.json").read_text())
    (tmp_path / "script.json").write_text(json.dumps({**script, "tools": script["tools"] * 2}))
    code, out, err = run(capsys, "list", server)
    assert (code, out.count("look")) == (0, 1)
    assert err.startswith("warning: the MCP server ")
    assert err.endswith('raw.py: left out "look": it is listed twice; the first one counts\n')


def test_show_prints_what_a_model_sees(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", "price", "-t", "shop.py")
    assert code == 0
    assert out.startswith(
        "price(item: string, pieces: integer = 1, sizes?: list of integer)\n"
        "effect read, timeout 60 s, results cut to 20,000 characters\n\n"
        "What so many pieces cost.\n\nPrices are in euros.\n\n{\n"
    )
    assert json.loads(out[out.index("{") :])["required"] == ["item"]


def test_show_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", "order", "-t", "shop.py", "--json")
    shown = json.loads(out)
    assert (code, shown["effect"], shown["timeout"]) == (0, "write", None)
    assert shown["parameters"]["properties"]["item"]["type"] == "string"


def test_a_tool_that_is_named_where_it_is_needs_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "call", "calculate", "expression=6*7") == (0, "42\n", "")
    assert run(capsys, "call", "shop.py:order", "item=oak") == (1, "", "Error: sold out\n")
    code, out, _ = run(capsys, "show", "calculate")
    assert (code, out.splitlines()[0]) == (0, "calculate(expression: string)")


CALLS = {
    "converted": (["item=oak", "pieces=4"], "10.0\n"),
    "as JSON": (["item=oak", "sizes:=[1, 2]"], "7.5\n"),
    "all as JSON": (['{"item": "oak", "pieces": 2}'], "5.0\n"),
    "an equals sign in a value": (["item=a=b"], "2.5\n"),
    "the one value that is needed": (["oak"], "2.5\n"),
    "nothing for a parameter with a default": (["item=oak", "pieces:=null"], "2.5\n"),
}


@pytest.mark.parametrize(("arguments", "shown"), CALLS.values(), ids=CALLS)
def test_arguments_are_given_by_name_or_as_json(
    capsys: pytest.CaptureFixture[str], arguments: list[str], shown: str
) -> None:
    assert run(capsys, "call", "price", *arguments, "-t", "shop.py") == (0, shown, "")


def test_arguments_may_come_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"item": "oak"}'))
    assert run(capsys, "call", "price", "-", "-t", "shop.py") == (0, "2.5\n", "")


def test_a_result_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "call", "price", "item=oak", "-t", "shop.py", "--json")
    shown = json.loads(out)
    assert (code, shown["content"], shown["error"]) == (0, "2.5", None)


def test_a_call_that_fails_is_exit_code_1_and_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "call", "order", "item=oak", "-t", "shop.py") == (1, "", "Error: sold out\n")
    code, out, err = run(capsys, "call", "price", "pieces=many", "-t", "shop.py")
    assert (code, out) == (1, "")
    assert '"pieces" must be an integer, not "many"; "item" is missing' in err
    code, out, _ = run(capsys, "call", "order", "item=oak", "-t", "shop.py", "--json")
    assert (code, json.loads(out)["error"]) == (1, "raised")


def test_what_can_not_be_undone_wants_a_yes(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "call", "burn", "what=it", "-t", "shop.py")
    assert (code, out) == (1, "")
    assert "--yes" in err
    assert run(capsys, "call", "burn", "what=it", "-t", "shop.py", "--yes") == (0, "it is gone␛[2J\n", "")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "code", "out"), [("y\n", 0, "it is gone␛[2J\n"), ("n\n", 1, "")], ids=["yes", "no"]
)
def test_a_person_at_a_terminal_is_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, typed: str, code: int, out: str
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    shown = run(capsys, "call", "burn", "what=it", "-t", "shop.py")
    assert shown[:2] == (code, out)
    assert 'burn(what="it") is irreversible. Make the call?' in shown[2]


def test_lint_prints_why_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "lint", "bad.py")
    assert code == 1
    assert (
        "get: missing-description: a model can only guess from the name what it does\n    say in a docstring"
        in out
    )
    assert err == "1 tool: 5 to mend\n"


def test_lint_of_tools_as_they_should_be_is_exit_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "lint", "shop:registry") == (0, "3 tools: nothing found\n", "")


def test_a_rule_can_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "lint", "bad.py", "--ignore", "missing-description", "--json")
    assert code == 1
    rules = {one["rule"] for one in json.loads(out)}
    assert "missing-description" not in rules
    assert "vague-name" in rules


UNMARKED = "from loopwright.tools import tool\n\n@tool\ndef nuke() -> str: ...\n\ndef plain(x): ...\n"


@pytest.mark.parametrize("spec", ["unmarked.py", "calculate,unmarked.py", "lib.unmarked"])
def test_a_function_that_is_no_tool_is_pointed_at(
    capsys: pytest.CaptureFixture[str], shop: Path, spec: str
) -> None:
    (shop / "lib").mkdir()
    for folder in (shop, shop / "lib"):
        (folder / "unmarked.py").write_text(UNMARKED)
    code, _, err = run(capsys, "call", "plain", "x=1", "-t", spec)
    place = spec.removeprefix("calculate,")
    hint = f"{place} also defines plain: name it as {place}:plain, or mark it with @tool"
    assert (code, hint in err) == (2, True), err
    assert run(capsys, "call", "zzz", "-t", spec)[2].count("defines") == 0


def test_bytes_that_are_no_text_are_arguments_with_a_sign(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "call", "calculate", os.fsdecode(b"expression=2\xff"))
    assert (code, "\ufffd" in err) == (1, True)


def test_serve_tells_a_person_what_it_does(shop: Path) -> None:
    ours, theirs = pty.openpty()
    serving = [sys.executable, "-m", "loopwright", "tools", "serve", "calculate"]
    with subprocess.Popen(
        serving, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs, cwd=shop
    ) as child:
        os.close(theirs)
        with os.fdopen(ours, "rb", buffering=0) as terminal:
            told = terminal.read(1000)
            assert child.stdin is not None
            child.stdin.close()
            assert child.wait(120) == 0
    assert told == b"1 tool over stdio, for an MCP client; Ctrl-C ends it\r\n"


def test_a_tool_that_exits_ends_no_server(shop: Path) -> None:
    (shop / "exits.py").write_text(
        "import sys\nfrom loopwright.tools import tool\n\n@tool\ndef leave() -> str:\n    sys.exit(3)\n"
    )
    served = resolve(f"mcp:'{sys.executable}' -m loopwright tools serve exits.py calculate")
    assert "leave failed: SystemExit: 3" in served.call(ToolCall("leave")).content
    assert served.call(ToolCall("calculate", {"expression": "6*7"})).content == "42"


def test_serve_tells_a_client_nothing_on_stderr(shop: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "loopwright", "tools", "serve", "calculate"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, cwd=shop, check=True,
    )  # fmt: skip
    assert (ended.stdout, ended.stderr) == ("", "")


USAGE = {
    "no such tool": (["show", "pric", "-t", "shop.py"], "there is no tool 'pric'; did you mean 'price'?"),
    "no such tool at all": (["show", "zzz", "-t", "shop.py"], "there are price, order, burn"),
    "several tools by one name": (["call", "shop.py", "item=oak"], "-t shop.py"),
    "a tool of one's own, not said where": (
        ["call", "price", "item=oak"],
        "looked up where -t says: price -t FILE",
    ),
    "no such place": (["list", "nowhere.py"], "there is no file"),
    "no tools to lint": (["lint"], "Missing argument"),
    "no such rule": (
        ["lint", "shop.py", "--ignore", "vague"],
        "there is no rule 'vague'; did you mean 'vague-name'?",
    ),
    "no value": (["call", "price", "item", "-t", "shop.py"], "'item' is neither KEY=VALUE nor a JSON object"),
    "no name": (["call", "price", "=5", "-t", "shop.py"], "'=5' is neither KEY=VALUE nor a JSON object"),
    "twice": (["call", "price", "item=a", "item=b", "-t", "shop.py"], "'item' is given twice"),
    "broken JSON": (["call", "price", "item:={", "-t", "shop.py"], "item can't be read as JSON"),
    "broken JSON for all": (["call", "price", "{", "-t", "shop.py"], "the arguments can't be read as JSON"),
    "public without an address": (["serve", "shop.py", "--public"], "--public goes with --http"),
    "an address of other machines": (["serve", "shop.py", "--http", "0.0.0.0:0"], "say --public"),
    "nothing to serve": (["serve", "shop.py:burn", "--http", "127.0.0.1:0"], "there is no tool to serve"),
    "a server that can not be started": (["list", "mcp:/no/such/program"], "there is no '/no/such/program'"),
}


@pytest.mark.parametrize(("arguments", "told"), USAGE.values(), ids=USAGE)
def test_wrong_use_is_one_clear_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert "Traceback" not in err


@pytest.mark.parametrize("name", ["list", "show", "call", "lint", "serve"])
def test_help_has_examples(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, out, _ = run(capsys, name, "--help")
    assert code == 0
    assert f"loopwright tools {name} " in out.split("Examples:")[1]


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from loopwright.cli import run_command; run_command(['tools', 'serve', '--help'])\n"
        "print([name for name in ('pydantic', 'mcp', 'mcp_types', 'jsonschema', 'litellm', 'httpx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
