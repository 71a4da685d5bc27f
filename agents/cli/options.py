"""What the commands share: how a model is named, and how text reaches the terminal."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..text import plain as plain

if TYPE_CHECKING:
    from rich.console import Console

    from loopwright.tools import ToolRegistry

    from ..models.base import BaseLM

_PART = re.compile(r"""(?:[^,"']|"[^"]*"|'[^']*'|["'])+""")
F = TypeVar("F", bound=Callable[..., Any])


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
    *, model: str | None, api_base: str | None, temperature: float | None, no_cache: bool
) -> BaseLM:
    """The model that the options name; without any, the context's default."""
    import os

    from ..ambient import current_lm
    from ..models.lm import LM

    name = model or os.environ.get("LOOPWRIGHT_MODEL")
    if name is None and api_base is None and temperature is None:
        return current_lm()
    return LM(name or "embedded", api_base=api_base, temperature=temperature, cache=not no_cache)


def named_tools(names: str) -> ToolRegistry:
    """The tools that a list such as `calculate,mytools.py` names; paths start at the current folder.

    A comma in quotes parts nothing: `calculate,mcp:'server --only a,b'`.
    """
    from loopwright.tools import ToolRegistry
    from loopwright.tools.resolve import resolve

    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always", UserWarning)
        found = ToolRegistry(*(resolve(name) for name in _PART.findall(names) if name.strip()))
    for one in noted:
        click.echo(f"warning: {plain(str(one.message))}", err=True)
    return found


def terminal(*, stderr: bool = False) -> Console:
    """A console that colours only where a person looks, and never wraps what a program reads."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, highlight=False, soft_wrap=not stream.isatty())
