"""The command line: one file a command, imported when the command is used.

Exit codes: 0 fine, 1 the work failed, 2 wrong options or files, 130 interrupted; `eval` has 3 and 4 as well.
"""

from __future__ import annotations

import io
import sys
import warnings
from importlib import import_module
from typing import cast

import click

from ..__about__ import __version__

COMMANDS = {
    "chat": "Talk to an agent with tools.",
    "run": "Ask an agent one question and watch its steps.",
    "eval": "Evaluate an agent on a file of tasks.",
    "optimize": "Make an agent better on a file of tasks.",
    "report": "Make the page of an evaluation that was kept.",
    "tools": "List, show, call, check and serve tools.",
    "trace": "Look at recorded runs, compare two, fork one.",
    "sandbox": "See what the sandbox can promise on this system.",
}


class _Commands(click.Group):
    """Finds a command's file only when the command is named, so that --help stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return cast("click.Command", import_module(f".{cmd_name}", __name__).command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(COMMANDS)}."
            raise click.UsageError(f"No command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", "-V", message="%(prog)s %(version)s")
def loopwright() -> None:
    """Agents as ordinary programs: run one, evaluate it, make it better.

    With no model named, the small embedded one answers; another: --model openai/gpt-5-mini, or the
    environment variable LOOPWRIGHT_MODEL.
    """


def main() -> None:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, io.TextIOWrapper
        ):  # an arrow in an ASCII terminal must not end a run that went well
            stream.reconfigure(errors="replace")
    warnings.formatwarning = _as_line
    sys.exit(run_command(sys.argv[1:]))


def _as_line(message: Warning | str, *_where: object, **_named: object) -> str:
    """A warning for a person: what is so, without the line of our source that says it."""
    return f"warning: {message}\n"


def run_command(arguments: list[str]) -> int:
    """Run a command and return its exit code; errors become one line on stderr."""
    try:
        result = loopwright.main(arguments, prog_name="loopwright", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        sys.stdout = None  # whoever read us has gone: nothing to flush at exit
        return 1
    except Exception as error:
        code = _code_of(error)
        if code is None:
            raise
        click.echo(f"error: {error}", err=True)
        return code
    return result if isinstance(result, int) else 0


def _code_of(error: Exception) -> int | None:
    """The exit code of an error that a person can mend; None for one that is ours to mend."""
    from loopwright.sandbox import SandboxError
    from loopwright.tools.errors import DocumentsError, ToolDefinitionError, ToolLookupError

    from ..errors import LMError, LoopwrightError, OutputError

    if isinstance(error, LMError | OutputError):
        return 1
    mendable = (LoopwrightError, ToolLookupError, ToolDefinitionError, DocumentsError, SandboxError, OSError)
    return 2 if isinstance(error, mendable) else None
