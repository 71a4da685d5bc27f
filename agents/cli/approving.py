"""The options that say which tool calls are allowed, and the question that a person is asked in the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..text import one_line
from .options import json_text

if TYPE_CHECKING:
    from loopwright.tools import Answer, Approval, Question

    from ..modules.agent import Agent

F = TypeVar("F", bound=Callable[..., Any])

CALL = 1_000  # characters of a call's arguments that are shown in a question
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


def check_patterns(patterns: tuple[str, ...], agent: Agent) -> None:
    """Refuse a rule for a tool or an argument that is not there: it would never fit, and nobody would know."""
    from loopwright.tools.approval import Rule

    tools = getattr(agent, "tools", {})
    for pattern in patterns:
        if problem := Rule.parse(pattern, "ask").problem(tools):
            raise click.UsageError(f'the pattern "{pattern}": {problem}')


def question_text(question: Question) -> str:
    """The call and its effect, on one line; long arguments are cut each, so that none can push another out of sight."""
    args = question.call.args
    shown = ", ".join(f"{name}={_cut(value, CALL // len(args))}" for name, value in args.items())
    return f"{one_line(f'{question.call.name}({shown})', 2 * CALL)} is {question.effect}"


def _cut(value: object, width: int) -> str:
    try:
        text = json_text(value)
    except (RecursionError, ValueError):  # nested without end, or holding itself
        return "…"
    return text if len(text) <= width else f"{text[:width]}… ({len(text):,} characters)"


def arguments_problem(question: Question, args: object) -> str:
    """What is wrong with the arguments that a person wrote; "" where the tool takes them."""
    if not isinstance(args, dict):
        return "write an object: the arguments by name"
    problem = question.problem(args)
    return f"{one_line(problem, CALL)}. It is used so: {question.usage}" if problem else ""


def ask_in_terminal(question: Question) -> Answer:
    """Show a call and wait for a line; Ctrl-C and Ctrl-D stop the run."""
    from loopwright.tools import Answer

    click.echo(f"{question_text(question)}.", err=True)
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

    shown = json_text(dict(question.call.args))
    while True:
        text = click.prompt("arguments, as JSON", default=shown, err=True)
        try:
            args = json.loads(text)
        except ValueError as error:
            click.echo(f"no JSON: {error}", err=True)
            continue
        shown = text
        if problem := arguments_problem(question, args):
            click.echo(problem, err=True)
        else:
            return Answer(allowed=True, args=args)
