"""`loopwright chat`: talk to an agent with tools."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..approving import approval_options
from ..options import WORDS, one_thread_for

if TYPE_CHECKING:
    from .chat import Chat
    from .events import SetupEvent
    from .show import Show
    from .store import Sessions

DEFAULT_TOOLS = "calculate,convert_units,date_math"


@click.command("chat")
@click.option(
    "--print", "-p", "message", type=WORDS, metavar="TEXT", help="Say this, print the answer, and end."
)
@click.option(
    "--script",
    type=click.Path(dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Say each line of a file; commands work as well. - for stdin.",
)
@click.option("--json", "as_json", is_flag=True, help="One event a line, as JSON; its form: --schema.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of those lines, and end.")
@click.option("--continue", "-c", "goes_on", is_flag=True, help="Go on with the last session.")
@click.option(
    "--resume", metavar="ID", type=WORDS, help="Go on with this session; the beginning of its id will do."
)
@click.option("--tools", "-t", metavar="NAMES", help=f"As of `run`; {DEFAULT_TOOLS} by default, '' for none.")
@click.option(
    "--module",
    type=click.Choice(["react", "code_act", "program_of_thought", "chain_of_thought", "predict"]),
    help="What answers; react by default.",
)
@click.option(
    "--signature",
    "-s",
    type=WORDS,
    metavar="TEXT",
    help='Your message and what comes back; "question -> answer" by default.',
)
@click.option("--system", type=WORDS, metavar="TEXT", help="What the model is told first.")
@click.option(
    "--program", type=click.Path(path_type=Path), help="A saved program: instructions and demonstrations."
)
@click.option(
    "--max-steps", type=click.IntRange(1), help="Turns of the model for one message; 20 by default."
)
@click.option(
    "--max-usd",
    type=click.FloatRange(0, min_open=True),
    metavar="USD",
    help="What all model calls may cost together; for models whose price is known.",
)
@click.option("--ephemeral", is_flag=True, help="Keep nothing: no session, no history of what was typed.")
@approval_options
@click.option(
    "--temperature", type=click.FloatRange(0), help="Sampling temperature; the model's own by default."
)
@click.option("--api-base", metavar="URL", help="The server to ask, for one that speaks a known API.")
@click.option("--no-cache", is_flag=True, help="Ask the model anew, also what it was asked before.")
@click.option(
    "--model", "-m", metavar="NAME", help="As litellm names it: openai/gpt-5-mini, ollama_chat/llama3.2."
)
def command(**given: Any) -> int:
    """Talk to an agent with tools; /help inside says what there is.

    With -p, --script, --json or a pipe nothing is asked and nothing is coloured. Exit codes: 0 fine, 1 a turn failed,
    2 wrong options, 130 interrupted.
    """
    if given["schema"]:
        from ..options import json_text
        from .events import json_schema

        click.echo(json_text(json_schema(), 1))
        return 0
    _check(given)
    gc.disable()  # an eighth of the time to the first prompt: what is imported is here to stay
    return _run(given)


def _check(given: dict[str, Any]) -> None:
    if given["message"] is not None and given["script"] is not None:
        raise click.UsageError("-p is one message, --script a file of them: not both")
    if given["goes_on"] and given["resume"] is not None:
        raise click.UsageError("-c goes on with the last session, --resume with the one you name: not both")
    if given["ephemeral"] and (given["goes_on"] or given["resume"]):
        raise click.UsageError("--ephemeral keeps no session, and goes on with none")
    if given["message"] is not None and not given["message"].strip():
        raise click.UsageError("the message is empty")


def _run(given: dict[str, Any]) -> int:
    import asyncio

    from .repl import at_terminal

    headless = given["message"] is not None or given["script"] is not None or given["as_json"]
    person = at_terminal() and not headless
    lines = None if person else _lines(given)
    chat = _chat(given, _show(given, person=person), person=person)
    gc.enable()
    limit = nullcontext() if given["max_usd"] is None else _budget(given["max_usd"])
    try:
        with limit:
            return asyncio.run(_talk(chat, lines, given))
    finally:
        if chat.store is not None:
            _close(chat.store)


def _close(store: Sessions) -> None:
    from .pruning import tidy

    tidy(store)
    store.close()


def _budget(usd: float) -> AbstractContextManager[object]:
    from ...runtime.budget import Budget

    return Budget(usd=usd)


async def _talk(chat: Chat, lines: Iterable[str] | None, given: dict[str, Any]) -> int:
    if lines is not None:
        from .headless import run_lines

        return await run_lines(chat, lines)
    from .columns import wrapped
    from .commands.sessions import where
    from .repl import talk
    from .running import leaving_well
    from .setup import GOOD_FOR

    if chat.conversation.turns:
        chat.show.text(wrapped(where(chat)))
    said = f"{chat.answering.lm.model} answers. " if chat.answering.remembers else f"{GOOD_FOR}\n"
    chat.show.text(wrapped(f"{said}/help says what there is, Ctrl-D leaves."))
    with leaving_well():
        return await talk(chat)


def _lines(given: dict[str, Any]) -> Iterable[str]:
    """What is said without a person: one message, a script, or what comes through the pipe."""
    from .commands import UsageMistake
    from .headless import checked_script, joined

    if given["message"] is not None:
        text = given["message"].strip()
        return [text if not text.startswith(("/", "!")) else f" {text}"]
    name = given["script"]
    if name is None or name == "-":
        return joined(sys.stdin)
    try:
        return checked_script(Path(name).read_text(encoding="utf-8", errors="replace"), name)
    except OSError as error:
        raise click.UsageError(f"{name}: {error.strerror}") from error
    except UsageMistake as error:
        raise click.UsageError(str(error)) from error


def _show(given: dict[str, Any], *, person: bool) -> Show:
    from .show import AnswerShow, JsonShow, PlainShow

    if given["as_json"]:
        return JsonShow()
    if given["message"] is not None:
        return AnswerShow()
    if person and "NO_COLOR" not in os.environ and os.environ.get("TERM", "dumb") != "dumb":
        from .screen import ScreenShow

        return ScreenShow()
    return PlainShow(echo=not person)


def _chat(given: dict[str, Any], show: Show, *, person: bool) -> Chat:
    from loopwright.tools import Approval

    from ..options import named_tools
    from .chat import Chat
    from .store import Sessions, default_folder

    rules = dict.fromkeys(given["deny"], "deny") | {
        one: "allow" for one in given["allow"] if one not in given["deny"]
    }
    store = None if given["ephemeral"] else _store(Sessions, default_folder(), show)
    chat = Chat(show, store, Approval(rules), named_tools, dry_run=given["dry_run"])  # type: ignore[arg-type]  # the words of a Decision
    chat.bounded = given["max_usd"] is not None
    wanted = given["resume"]
    if given["goes_on"] and store is not None:
        known = store.known()
        if not known:
            raise click.UsageError("there is no session to go on with yet")
        wanted = known[0].id
    if wanted:
        chat.resume(wanted, lambda setup: setup.model_copy(update=_changes(given)))
    else:
        chat.begin(_setup(given))
    _check_rules(chat)
    return chat


def _store(make: Callable[[Path], Any], folder: Path, show: Show) -> Any:
    """Where sessions are kept; nowhere where the folder can't be used, which is said once."""
    from ...errors import ConfigurationError
    from .events import NoticeEvent

    try:
        return make(folder)
    except ConfigurationError as error:
        show.event(NoticeEvent(text=f"this session is not being saved: {error}", error=True))
        return None


def _check_rules(chat: Chat) -> None:
    """A rule for a tool or an argument that is not there would protect nothing."""
    for rule, problem in chat.policy.problems(chat.answering.tools):
        raise click.UsageError(f'the pattern "{rule}": {problem}')


def _setup(given: dict[str, Any]) -> SetupEvent:
    from .events import SetupEvent

    model = given["model"] or os.environ.get("LOOPWRIGHT_MODEL") or "embedded"
    one_thread_for(model)
    plain = SetupEvent(model=model, tools=DEFAULT_TOOLS)
    return plain.model_copy(update={**_changes(given), "model": model})


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    """What the options say of the setup, and nothing of what they leave out."""
    names = ("model", "api_base", "tools", "module", "signature", "system", "max_steps")
    changes = {name: given[name] for name in names if given[name] is not None}
    if given["program"] is not None:
        changes["program"] = str(given["program"])
    options: dict[str, Any] = {}
    if given["temperature"] is not None:
        options["temperature"] = given["temperature"]
    if given["no_cache"]:
        options["cache"] = False
    return changes | ({"options": options} if options else {})
