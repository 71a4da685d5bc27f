"""Which requests the embedded model was trained for, told by their tools alone."""

from __future__ import annotations

from collections.abc import Sequence

from loopwright.tools.calls import ToolSpec

from .template import TERMINAL, arguments_of

PROGRAM = "python"
"""The one tool of a module that writes programs: `python(code)`."""
_CALLABLE = "Programs may call these functions"  # in the description of that tool, where there are any
_ANSWERS = ("str", "num", "int", "date")


def refusal(tools: Sequence[ToolSpec]) -> str | None:
    """Why the model can't work with these tools: None where it can.

    >>> answer = ToolSpec("submit", "", {"properties": {"answer": {"type": "string"}}, "required": ["answer"]})
    >>> refusal([answer])
    'it only drives agents with tools, such as ReAct, and programs of ProgramOfThought; this request has no tool but `submit`'
    >>> refusal([ToolSpec("now", "", {}), answer])
    """
    others = [tool for tool in tools if tool.name != TERMINAL]
    if not others:
        return (
            "it only drives agents with tools, such as ReAct, and programs of ProgramOfThought; this request has no tool"
            + (f" but `{TERMINAL}`" if tools else "")
        )
    if any(tool.name == PROGRAM and _CALLABLE in tool.description for tool in others):
        return "it writes programs that call no functions: use ReAct with these tools, or CodeAct without any"
    return next(filter(None, map(_unknown_answer, tools)), None)


def _unknown_answer(tool: ToolSpec) -> str | None:
    if tool.name != TERMINAL:
        return None
    outputs = arguments_of(tool)
    if len(outputs) > 1:
        names = ", ".join(output.name for output in outputs)
        return f"it gives one output, and the signature has {len(outputs)} ({names})"
    strange = [output for output in outputs if output.kind not in _ANSWERS or output.options]
    if strange:
        return f"its output is text, a number or a date, and `{strange[0].name}` is none of these"
    return None
