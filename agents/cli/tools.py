"""`loopwright tools`: list, show, call, check and serve tools without an agent."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from ..text import counted, plain
from .options import WORDS, json_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loopwright.tools import Answer, Tool, ToolRegistry, ToolResult
    from loopwright.tools.approval import Question
    from loopwright.tools.lint import Finding

WHERE = """\
TOOLS are built-in names (calculate), modules and files (shop.tools:registry, shop.py:get_order), and MCP servers
(mcp:COMMAND, mcp+https://host/mcp), each an argument of its own or several with commas between them. Files and
commands are run with all your rights.
"""
TOOLS = "Where the tools are, as for list; by default NAME is looked up itself."


@click.group("tools", epilog="loopwright tools COMMAND --help shows examples.")
def command() -> None:
    """List, show, call, check and serve tools, without an agent."""


def _epilog(*lines: str) -> str:
    return "\b\nExamples:\n" + "\n".join(f"  loopwright tools {line}" for line in lines)


@command.command(
    "list",
    short_help="Tools by name: effect, usage, first line.",
    help=f"The tools by name, with effect, usage and first line; the built-in ones where none are named.\n\n{WHERE}",
    epilog=_epilog("list", "list shop.py calculate", 'list "mcp:python server.py" --json'),
)
@click.argument("tools", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="One JSON array on stdout.")
def list_command(tools: tuple[str, ...], as_json: bool) -> int:
    """Print one entry for each tool."""
    found = _built_in() if not tools else _named(tools)
    if as_json:
        _print_json([_summary(tool) for tool in found.values()])
        return 0
    for tool in found.values():
        click.echo(plain(f"{tool.usage}  [{tool.effect}]"))
        if first := _first_line(tool):
            click.echo(f"    {plain(first)}")
    return 0


@command.command(
    "show",
    short_help="One tool as a model sees it.",
    epilog=_epilog(
        "show calculate", "show get_order -t shop.py", 'show add -t "mcp:python server.py" --json'
    ),
)
@click.argument("name")
@click.option("--tools", "-t", multiple=True, metavar="TOOLS", help=TOOLS)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def show_command(name: str, tools: tuple[str, ...], as_json: bool) -> int:
    """Tool NAME as a model sees it: usage, description, JSON Schema; its effect and its limits."""
    tool = _one(name, tools)
    schema = tool.spec.parameters
    if as_json:
        _print_json({**_summary(tool), "description": tool.desc, "parameters": schema})
        return 0
    limit = "no timeout" if tool.timeout is None else f"timeout {tool.timeout:g} s"
    lines = [
        tool.usage,
        f"effect {tool.effect}, {limit}, results cut to {tool.max_chars:,} characters",
        *(["", tool.desc] if tool.desc else []),
        "",
        json.dumps(schema, indent=2, ensure_ascii=False),
    ]
    click.echo(plain("\n".join(lines)))
    return 0


@command.command(
    "call",
    short_help="Call a tool and print its result.",
    epilog=_epilog(
        'call calculate expression="6*7"',
        'call calculate "6*7"',
        "call convert_units value=5 from_unit=mi to_unit=km",
        """call get_order '{"order_id": 17, "verbose": true}' -t shop.py""",
        'call find tags:=\'["a", "b"]\' -t shop.py',
        "call add a=1 b=2 -t mcp+http://127.0.0.1:8000/mcp",
    ),
)
@click.argument("name")
@click.argument("arguments", nargs=-1, type=WORDS, metavar="[KEY=VALUE | KEY:=JSON]... | JSON")
@click.option("--tools", "-t", multiple=True, metavar="TOOLS", help=TOOLS)
@click.option("--yes", "-y", is_flag=True, help="Make an irreversible call without asking.")
@click.option("--json", "as_json", is_flag=True, help="The result as one JSON object on stdout.")
def call_command(
    name: str, arguments: tuple[str, ...], tools: tuple[str, ...], yes: bool, as_json: bool
) -> int:
    """Call tool NAME and print its result.

    Arguments are checked and converted as a model's are: "5" becomes 5 where a number is wanted. A JSON object
    gives them all at once ("-" reads it from standard input); a tool that needs only one takes its bare value.

    Exit codes: 0 the tool returned, 1 it did not (what was wrong is on stderr), 2 there is no such tool.
    """
    from loopwright.tools import Approval, ToolCall, ToolRun

    found = _registry_of(name, tools)
    given = _arguments(arguments, _one(name, tools, found))
    policy = Approval({"*": "allow"}) if yes else Approval(ask=_ask)
    result = found.call(ToolCall(_own_name(name, found), given), ToolRun(approval=policy))
    if as_json:
        _print_json(_outcome(result))
    else:
        click.echo(plain(result.content), err=not result.ok)
    return 0 if result.ok else 1


@command.command(
    "lint",
    short_help="Find what a model will stumble on.",
    help="Find what a model will stumble on: missing descriptions, vague or similar names, parameters that clash, results "
    f"without bounds, effects left unsaid, too many tools. Nothing is called.\n\n{WHERE}\n"
    "Exit codes: 0 nothing found, 1 something found, 2 there are no such tools.",
    epilog=_epilog(
        "lint shop.tools:registry", "lint shop.py --ignore unbounded-output", "lint shop.py --json"
    ),
)
@click.argument("tools", nargs=-1, required=True)
@click.option("--ignore", multiple=True, metavar="RULE", help="Leave this rule out.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array on stdout.")
def lint_command(tools: tuple[str, ...], ignore: tuple[str, ...], as_json: bool) -> int:
    """Print what was found, and return 1 where something was."""
    from loopwright.tools.lint import RULES, lint

    from ..text import did_you_mean

    for rule in ignore:
        if rule not in RULES:
            raise click.UsageError(
                f"there is no rule {rule!r}{did_you_mean(rule, RULES) or ': there are ' + ', '.join(RULES)}"
            )
    registry = _named(tools)
    findings = [one for one in lint(registry) if one.rule not in ignore]
    if as_json:
        _print_json(
            [{"tool": one.tool, "rule": one.rule, "why": one.why, "fix": one.fix} for one in findings]
        )
    else:
        _print_findings(findings, len(registry))
    return 1 if findings else 0


@command.command(
    "serve",
    short_help="Serve tools to any MCP client.",
    help="Serve tools to any MCP client: on standard input and output, or by streamable HTTP. Calls are checked, "
    "converted, limited and run as an agent's are; errors are results that say what was wrong.\n\n"
    "Tools that are irreversible are left out unless --allow-irreversible: their calls are then made without asking.\n\n"
    + WHERE,
    epilog=_epilog(
        "serve calculate shop.py",
        "serve shop.py --http 127.0.0.1:8000",
    )
    + '\n\n\b\nFor a client that is configured by JSON:\n  {"command": "loopwright", "args": ["tools", "serve", "calculate"]}',
)
@click.argument("tools", nargs=-1, required=True)
@click.option(
    "--http", metavar="HOST:PORT", help="Serve by HTTP at this address, path /mcp; port 0 takes a free one."
)
@click.option(
    "--public",
    is_flag=True,
    help="Let --http listen where other machines can reach it. There is no password.",
)
@click.option("--allow-irreversible", is_flag=True, help="Serve also what can't be undone.")
@click.option("--name", default="loopwright", show_default=True, help="What the server calls itself.")
def serve_command(
    tools: tuple[str, ...], http: str | None, public: bool, allow_irreversible: bool, name: str
) -> int:
    """Serve until the client hangs up, or the process is told to end."""
    import asyncio

    from loopwright.tools.mcp import listening, serve_http, serve_stdio, standard_streams, url_of

    if public and http is None:
        raise click.UsageError("--public goes with --http")
    if http is None:
        with standard_streams() as streams:  # before the tools are loaded: a module may print
            served = _servable(tools, allow_irreversible)
            if sys.stderr.isatty():  # a person, who would see nothing else; a client reads no stderr
                click.echo(
                    f"{counted(len(served), 'tool')} over stdio, for an MCP client; Ctrl-C ends it", err=True
                )
            asyncio.run(serve_stdio(served, streams, name))
        return 0
    with listening(http, public=public) as listener:
        served = _servable(tools, allow_irreversible)
        told = f"{counted(len(served), 'tool')} at {url_of(listener)}"
        asyncio.run(serve_http(served, listener, name, lambda: click.echo(told, err=True)))
    return 0


# ---- which tools


def _named(tools: Sequence[str]) -> ToolRegistry:
    from loopwright.tools import ToolRegistry

    from .options import named_tools

    return ToolRegistry(*(named_tools(one) for one in tools))


def _built_in() -> ToolRegistry:
    """Every built-in tool that works without being told a place."""
    from loopwright.tools import BUILTIN_NAMES, ToolLookupError, ToolRegistry, builtin_tool

    registry = ToolRegistry()
    for name in BUILTIN_NAMES:
        try:
            registry.add(builtin_tool(name))
        except ToolLookupError as error:
            click.echo(f"not shown: {error}", err=True)
    return registry


def _registry_of(name: str, tools: Sequence[str]) -> ToolRegistry:
    from loopwright.tools import ToolLookupError

    try:
        return _named(tools or [name])
    except ToolLookupError as error:
        if tools or not name.isidentifier():
            raise
        raise ToolLookupError(
            f"{error}. A tool of yours is looked up where -t says: {name} -t FILE"
        ) from error


def _own_name(name: str, registry: ToolRegistry) -> str:
    """The name of the tool that is meant: where NAME says itself where it is, there may be only one."""
    return next(iter(registry)) if name not in registry and len(registry) == 1 else name


def _one(name: str, tools: Sequence[str], registry: ToolRegistry | None = None) -> Tool:
    from ..errors import ConfigurationError
    from ..text import did_you_mean

    found = _registry_of(name, tools) if registry is None else registry
    if name not in found and (tools or len(found) != 1):
        hint = did_you_mean(name, found) or f"; there are {', '.join(found) or 'none'}"
        how = "" if tools else f": say which, loopwright tools … NAME -t {name}"
        raise ConfigurationError(f"there is no tool {name!r}{hint}{how}{_undecorated(name, tools)}")
    return found[_own_name(name, found)]


def _undecorated(name: str, tools: Sequence[str]) -> str:
    """A hint where a file has a function of this name that is no tool."""
    from loopwright.tools.resolve import functions_of

    from .options import separated

    for spec in (one for listed in tools for one in separated(listed)):
        if name in functions_of(spec):
            return f"; {spec} also defines {name}: name it as {spec}:{name}, or mark it with @tool"
    return ""


def _servable(tools: Sequence[str], allow_irreversible: bool) -> ToolRegistry:
    from loopwright.tools.mcp import servable

    from ..errors import ConfigurationError

    served, held = servable(_named(tools), allow_irreversible=allow_irreversible)
    if held:
        click.echo(
            f"not served, irreversible: {', '.join(held)} (--allow-irreversible serves them)", err=True
        )
    if not served:
        raise ConfigurationError("there is no tool to serve")
    return served


# ---- what is shown


def _summary(tool: Tool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "effect": tool.effect,
        "usage": tool.usage,
        "summary": _first_line(tool),
        "timeout": tool.timeout,
    }


def _first_line(tool: Tool) -> str:
    return next((line.strip() for line in tool.desc.splitlines() if line.strip()), "")


def _outcome(result: ToolResult) -> dict[str, Any]:
    return {"content": result.content, "error": result.error, "seconds": round(result.seconds, 4)}


def _print_json(shown: object) -> None:
    sys.stdout.write(json_text(shown, indent=2) + "\n")


def _print_findings(findings: Sequence[Finding], tools: int) -> None:
    for one in findings:
        click.echo(plain(f"{one.tool or 'all tools'}: {one.rule}: {one.why}"))
        click.echo(plain(f"    {one.fix}"))
    found = "nothing found" if not findings else f"{len(findings)} to mend"
    click.echo(f"{counted(tools, 'tool')}: {found}", err=bool(findings))


# ---- arguments and answers


def _arguments(given: Sequence[str], tool: Tool) -> dict[str, Any]:
    """KEY=VALUE and KEY:=JSON, or one JSON object, or the one value that the tool needs."""
    if len(given) == 1 and (given[0] == "-" or given[0].lstrip().startswith("{")):
        return _json_object(sys.stdin.read() if given[0] == "-" else given[0])
    if len(given) == 1 and (needed := _only_needed(tool, given[0])):
        return {needed: given[0]}
    made: dict[str, Any] = {}
    for one in given:
        key, equals, value = one.partition("=")
        if not equals or not key.rstrip(":"):
            raise click.UsageError(f"{one!r} is neither KEY=VALUE nor a JSON object")
        name = key.removesuffix(":")
        if name in made:
            raise click.UsageError(f"{name!r} is given twice")
        made[name] = _json_value(name, value) if key.endswith(":") else value
    return made


def _only_needed(tool: Tool, value: str) -> str:
    """The one parameter that the tool needs, where that is what a bare value is for; else ""."""
    schema = tool.spec.parameters
    needed, known = schema.get("required"), schema.get("properties")
    if not isinstance(needed, list) or not isinstance(known, dict) or len(needed) != 1:
        return ""
    return "" if "=" in value or value in known else str(needed[0])


def _json_object(text: str) -> dict[str, Any]:
    value = _json_value("the arguments", text)
    if not isinstance(value, dict):
        raise click.UsageError("the arguments must be a JSON object")
    return value


def _json_value(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"{name} can't be read as JSON: {error}") from error


def _ask(question: Question) -> Answer:
    """Ask whoever typed the command; where nobody can answer, the answer is no."""
    from loopwright.tools import Answer

    from .approving import question_text

    if not sys.stdin.isatty():
        return Answer(allowed=False, reason="it needs --yes, as there is no terminal to ask at")
    allowed = click.confirm(f"{question_text(question)}. Make the call?", err=True)
    return Answer(allowed=allowed, reason="" if allowed else "you said no")
