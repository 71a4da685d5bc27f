"""`loopwright run`: one question, every step shown."""

from __future__ import annotations

import shlex
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from .approving import approval_options, check_patterns, chosen_approval
from .options import WORDS, json_text, model_options, terminal

if TYPE_CHECKING:
    from ..modules.agent import Agent
    from ..signature import Signature


@click.command("run")
@click.argument("question", nargs=-1, required=True, type=WORDS)
@click.option(
    "--tools",
    "-t",
    default="calculate,convert_units,date_math",
    show_default=True,
    metavar="NAMES",
    help="Built-in tools, module:name, path/file.py:name or mcp:COMMAND, separated by commas; '' for none.",
)
@click.option(
    "--signature",
    "-s",
    type=WORDS,
    default="question -> answer",
    show_default=True,
    metavar="TEXT",
    help="What goes in (one text field) and what must come out.",
)
@click.option(
    "--module",
    type=click.Choice(["react", "code_act", "program_of_thought"]),
    default="react",
    show_default=True,
    help="Call tools, or write programs that call them, or one program and no tools.",
)
@click.option("--instructions", type=WORDS, default="", help="Instructions for the agent.")
@click.option("--program", type=click.Path(path_type=Path), help="A saved program's state to load.")
@click.option(
    "--max-steps",
    type=click.IntRange(1),
    default=12,
    show_default=True,
    help="Turns before the run is ended.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a step on stdout, the prediction last."
)
@click.option(
    "--journal",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Record the run in this file; a run of that name that was stopped goes on.",
)
@click.option(
    "--run-name", type=WORDS, metavar="NAME", help="The run's name in the journal; made up by default."
)
@click.option(
    "--replay",
    type=WORDS,
    metavar="NAME",
    help="Repeat a recorded run strictly: no model is asked, no tool runs.",
)
@approval_options
@model_options
def command(
    question: tuple[str, ...],
    tools: str,
    signature: str,
    module: str,
    instructions: str,
    program: Path | None,
    max_steps: int,
    as_json: bool,
    allow: tuple[str, ...],
    deny: tuple[str, ...],
    dry_run: bool,
    journal: Path | None,
    run_name: str | None,
    replay: str | None,
    **model: Any,
) -> int:
    """Ask an agent one QUESTION and watch its steps.

    Calls of irreversible tools need a yes: in a terminal you are asked, elsewhere --allow says it.
    """
    from ..ambient import context
    from ..errors import ConfigurationError
    from ..signature import Signature
    from .options import chosen_model

    asked = Signature.of(signature, instructions)
    if not " ".join(question).strip():
        raise ConfigurationError("the question is empty")
    if len(asked.input_fields) != 1:
        raise ConfigurationError(f"run asks one question: a signature with one input, not {asked}")
    agent = _agent(module, asked, _tool_names(module, tools), max_steps)
    check_patterns((*allow, *deny), agent)
    if program is not None:
        _load(agent, program)
    show = _as_json if as_json else _as_text
    kept = _journal(journal, run_name, replay, " ".join(question))
    lm = chosen_model(**model, replayed=replay is not None)
    with context(lm=lm, approval=chosen_approval(allow, deny), dry_run=dry_run), kept:
        prediction = show(agent.run(**{next(iter(asked.input_fields)): " ".join(question)}))
    return 0 if prediction.termination_reason in ("submit", "forced_submit") else 1


def _load(agent: Agent, program: Path) -> None:
    """Take over a saved program's state; one that was learned for another signature is told with that."""
    from ..errors import StateError
    from ..state import read_program

    try:
        agent.load(program)
    except StateError as error:
        own = agent.dump_state()
        for path, learned in read_program(program).items():
            if path in own and learned["fields"] != own[path]["fields"]:
                hint = f"give --signature {shlex.quote(learned['fields'])}"
                raise StateError(f"{error}: {hint}") from None
        raise


def _journal(
    path: Path | None, name: str | None, replay: str | None, title: str
) -> AbstractContextManager[object]:
    """Where the run is recorded or repeated from; nowhere by default."""
    if path is None:
        if name is not None or replay is not None:
            raise click.UsageError("--run-name and --replay need --journal FILE")
        return nullcontext()
    if name is not None and replay is not None:
        raise click.UsageError(
            "--run-name is of a run that is recorded, --replay of one that is repeated: not both"
        )
    from ..runtime import Journal

    if name is not None and path.exists():
        _check_same_question(path, name, title)
    return Journal(
        path, name if replay is None else replay, mode="auto" if replay is None else "replay", title=title
    )


def _check_same_question(path: Path, name: str, title: str) -> None:
    """Going on with another question's run would mix two in one record."""
    from ..runtime.journal import JournalFile
    from ..text import one_line

    file = JournalFile(path)
    known = file.run(name)
    file.close()
    if known is not None and known.title and known.title != title:
        raise click.UsageError(
            f"run {name!r} was recorded for another question ({one_line(known.title, 80)}): take another name"
        )


def _tool_names(module: str, tools: str) -> str:
    """The tools to give the agent; a program of thought calls none, so that naming some is a mistake."""
    if module != "program_of_thought":
        return tools
    source = click.get_current_context().get_parameter_source("tools")
    if tools.strip() and source is not ParameterSource.DEFAULT:
        raise click.UsageError(
            "program_of_thought calls no tools: leave --tools out, or take --module code_act"
        )
    return ""


def _agent(module: str, signature: Signature, tools: str, max_steps: int) -> Agent:
    from ..modules import CodeAct, ProgramOfThought, ReAct
    from .options import named_tools

    if module == "program_of_thought":
        return ProgramOfThought(signature, max_iters=max_steps)
    return (CodeAct if module == "code_act" else ReAct)(signature, named_tools(tools), max_iters=max_steps)


def _as_text(run: Any) -> Any:
    from rich.text import Text

    from ..adapters.values import format_value
    from ..text import call_text, plain
    from ..trajectory import IN_WORDS, Step

    out = terminal()
    for item in run:
        if not isinstance(item, Step):
            break
        if item.thought:
            out.print(Text(plain(item.thought), style="italic dim"))
        for result in item.made:
            if result.call.name == "submit" and result.ok:
                continue
            mark, style = ("→", "cyan") if result.ok else ("✗", "red")
            out.print(
                Text(f"{mark} {call_text(result.call)}", style=style), Text(f"  {plain(result.content)}")
            )
    outputs = [name for name in item if name not in ("trajectory", "termination_reason", "error")]
    answered = item.termination_reason in ("submit", "forced_submit")
    for name in outputs if answered else ():
        label = f"{name}: " if len(outputs) > 1 else ""
        out.print(Text(f"{label}{plain(format_value(item[name]))}", style="bold"))
    if item.termination_reason == "forced_submit":
        click.echo("this answer was forced: a limit left no further step, look at what went before", err=True)
    if not answered:
        reason = item.termination_reason
        problem = str(item.error) if "error" in item else IN_WORDS.get(reason, "")
        click.echo(f"no answer: the run ended with {reason}: {plain(problem)}", err=True)
    return item


def _as_json(run: Any) -> Any:
    from ..adapters.values import to_plain
    from ..trajectory import Step

    for item in run:
        if isinstance(item, Step):
            shown = {
                "thought": item.thought,
                "calls": [{"name": c.name, "args": to_plain(dict(c.args))} for c in item.calls],
                "results": [{"content": r.content, "error": r.error} for r in item.results],
                "inner": [{"call": str(r.call), "content": r.content, "error": r.error} for r in item.inner],
                "seconds": round(item.seconds, 4),
            }
        else:
            shown = {
                name: to_plain(value) for name, value in item.items() if name not in ("trajectory", "error")
            }
            shown |= {"error": str(item.error)} if "error" in item else {}
        sys.stdout.write(json_text(shown) + "\n")
        sys.stdout.flush()
    return item
