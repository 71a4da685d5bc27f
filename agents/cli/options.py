"""What the commands share: how a model is named, and how text reaches the terminal."""

from __future__ import annotations

import json
import re
import sys
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..text import CONTROLS
from ..text import plain as plain

if TYPE_CHECKING:
    from rich.console import Console

    from loopwright.tools import ToolRegistry

    from ..models.base import BaseLM

_PART = re.compile(r"""(?:[^,"']|"[^"]*"|'[^']*'|["'])+""")
_HALVES = re.compile(r"[\ud800-\udfff]")
F = TypeVar("F", bound=Callable[..., Any])


class _Words(click.types.StringParamType):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return _HALVES.sub("\ufffd", super().convert(value, param, ctx))


WORDS = _Words()
"""Text for people and models, not a path: bytes that are no UTF-8 become U+FFFD, as nothing can encode them."""


def json_text(value: object, indent: int | None = None) -> str:
    r"""JSON for stdout: readable, but what would steer a terminal, or can't be encoded there, is escaped.

    >>> json_text({"said": "é\u009b2J"})
    '{"said": "é\\u009b2J"}'
    """
    readable = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    text = json.dumps(value, indent=indent, ensure_ascii=not readable, default=str)
    return CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def model_options(command: F) -> F:
    """The options that choose a model."""
    for option in (
        click.option(
            "--temperature",
            type=click.FloatRange(0),
            help="Sampling temperature; the model's own by default.",
        ),
        click.option("--api-base", metavar="URL", help="The server to ask, for one that speaks a known API."),
        click.option("--no-cache", is_flag=True, help="Ask the model anew, also what it was asked before."),
        click.option(
            "--model",
            "-m",
            metavar="NAME",
            help="As litellm names it: openai/gpt-5-mini, ollama_chat/llama3.2.",
        ),
    ):
        command = option(command)
    return command


def chosen_model(
    *,
    model: str | None,
    api_base: str | None,
    temperature: float | None,
    no_cache: bool,
    replayed: bool = False,
) -> BaseLM:
    """The model that the options name; without any, the context's default.

    One that is `replayed` is asked nothing, so that nobody has to hear that none was named.
    """
    import os

    from ..ambient import current, current_lm
    from ..models.lm import LM

    name = model or os.environ.get("LOOPWRIGHT_MODEL")
    one_thread_for(name or "embedded")
    if name is None and api_base is None and temperature is None:
        return (current().lm or LM("embedded")) if replayed else current_lm()
    return LM(name or "embedded", api_base=api_base, temperature=temperature, cache=not no_cache)


def one_thread_for(model: str) -> None:
    """Have the embedded model reckon in one thread, unless the environment says otherwise.

    Its matrices are so small that threads which share them do four times the work, in more time and not in less.
    """
    import os

    if model == "embedded":
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def named_tools(names: str) -> ToolRegistry:
    """The tools that a list such as `calculate,mytools.py` names; paths start at the current folder.

    A comma in quotes parts nothing: `calculate,mcp:'server --only a,b'`.
    """
    from loopwright.tools import ToolRegistry
    from loopwright.tools.resolve import resolve

    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always", UserWarning)
        found = ToolRegistry(*map(resolve, separated(names)))
    for one in noted:
        click.echo(f"warning: {plain(str(one.message))}", err=True)
    return found


def separated(names: str) -> list[str]:
    """The parts of a list of tools."""
    return [name for name in _PART.findall(names) if name.strip()]


def terminal(*, stderr: bool = False) -> Console:
    """A console that colours only where a person looks, and never wraps what a program reads."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, highlight=False, soft_wrap=not stream.isatty())
