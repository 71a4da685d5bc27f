"""What the commands share: how a model is named, and how text reaches the terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console

    from loopwright.tools import ToolRegistry

    from ..models.base import BaseLM

F = TypeVar("F", bound=Callable[..., Any])

# C0 and C1 controls but tab and newline, and the marks that change the direction of text: what a model
# or a tool wrote must not move the cursor, recolour the screen or reorder a line.
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def model_options(command: F) -> F:
    """The options that choose a model."""
    for option in (
        click.option("--temperature", type=float, help="Sampling temperature; the model's own by default."),
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
    """The tools that a list such as `calculate,mytools.py` names; paths start at the current folder."""
    from loopwright.tools import ToolRegistry
    from loopwright.tools.resolve import resolve

    return ToolRegistry(*(resolve(name) for name in names.split(",") if name.strip()))


def terminal(*, stderr: bool = False) -> Console:
    """A console that colours only where a person looks, and never wraps what a program reads."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, highlight=False, soft_wrap=not stream.isatty())


def plain(text: str) -> str:
    r"""Text from a model or a tool, with its control characters made visible.

    >>> plain("\x1b[31mred")
    '␛[31mred'
    """
    return CONTROLS.sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    return chr(0x2400 + code) if code < 0x20 else f"<{code:04X}>"
