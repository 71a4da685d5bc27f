"""The options that say which tool calls are allowed, and the question that a person is asked in the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..text import plain

if TYPE_CHECKING:
    from loopwright.tools import Answer, Approval, Question

F = TypeVar("F", bound=Callable[..., Any])

_CHOICES = "y: yes, n: no, a: always for these arguments, e: edit the arguments, or a reason why not"


def approval_options(command: F) -> F:
    """The options that choose a policy for tool calls."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Run no tool that could change anything."),
        click.option(
            "--deny",
            multiple=True,
            metavar="PATTERN",
            help='Never make such calls: "write_*", "refund(amount=*)".',
        ),
        click.option(
            "--allow",
            multiple=True,
            metavar="PATTERN",
            help="Make such calls without asking; --deny goes first.",
        ),
    ):
        command = option(command)
    return command


def chosen_approval(allow: tuple[str, ...], deny: tuple[str, ...]) -> Approval:
    """The policy that the options name; in a terminal a person is asked about what is left open."""
    from loopwright.tools import Approval

    asks = sys.stdin.isatty() and sys.stderr.isatty()
    rules = dict.fromkeys(deny, "deny") | {one: "allow" for one in allow if one not in deny}
    return Approval(rules, ask=ask_in_terminal if asks else None)  # type: ignore[arg-type]  # the words of a Decision


def ask_in_terminal(question: Question) -> Answer:
    """Show a call and wait for a line; Ctrl-C and Ctrl-D stop the run."""
    from loopwright.tools import Answer

    click.echo(f"{question.effect}: {plain(str(question.call))}", err=True)
    click.echo(_CHOICES, err=True)
    try:
        said = click.prompt("allow?", prompt_suffix=" ", err=True, default="n", show_default=False).strip()
    except click.Abort:
        click.echo(err=True)
        raise KeyboardInterrupt from None
    word = said.lower()
    if word in ("y", "yes"):
        return Answer(allowed=True)
    if word in ("a", "always"):
        return Answer(allowed=True, remember=True)
    if word in ("e", "edit"):
        return _edited(question)
    return Answer(allowed=False, reason="" if word in ("", "n", "no") else said)


def _edited(question: Question) -> Answer:
    from loopwright.tools import Answer

    shown = json.dumps(dict(question.call.args), ensure_ascii=False, default=str)
    while True:
        text = click.prompt("arguments, as JSON", default=shown, err=True)
        try:
            args = json.loads(text)
        except ValueError as error:
            click.echo(f"no JSON: {error}", err=True)
            continue
        if isinstance(args, dict):
            return Answer(allowed=True, args=args)
        click.echo("write an object: the arguments by name", err=True)
