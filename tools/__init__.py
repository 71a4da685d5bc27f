"""Typed tools: Python functions that a model can call.

A `Tool` reads a function's signature, annotations and docstring; a `ToolRegistry` holds tools and runs
calls; `resolve` finds tools by what a command line or a task file says. Nothing here knows a language
model. pydantic and the libraries behind the built-in tools are imported where they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .approval import Answer, Approval, Question
from .builtin import BUILTIN_NAMES, builtin_tool
from .calls import Effect, ErrorKind, ToolCall, ToolResult, ToolSpec
from .definitions import foreign_tools
from .documents import Bm25Index, Document, Hit, load_documents
from .errors import (
    ArgumentsError,
    DocumentsError,
    ModelRetry,
    ToolDefinitionError,
    ToolFailed,
    ToolLookupError,
    WorldError,
)
from .exports import anthropic_tool, openai_tool
from .registry import ToolRegistry
from .resolve import resolve
from .tool import Tool, tool
from .tool_context import ToolContext, ToolRun
from .world import World

if TYPE_CHECKING:
    from .mcp import McpTools, McpToolWarning, from_mcp

__all__ = [
    "BUILTIN_NAMES",
    "Answer",
    "Approval",
    "ArgumentsError",
    "Bm25Index",
    "Document",
    "DocumentsError",
    "Effect",
    "ErrorKind",
    "Hit",
    "McpToolWarning",
    "McpTools",
    "ModelRetry",
    "Question",
    "Tool",
    "ToolCall",
    "ToolContext",
    "ToolDefinitionError",
    "ToolFailed",
    "ToolLookupError",
    "ToolRegistry",
    "ToolResult",
    "ToolRun",
    "ToolSpec",
    "World",
    "WorldError",
    "anthropic_tool",
    "builtin_tool",
    "foreign_tools",
    "from_mcp",
    "load_documents",
    "openai_tool",
    "resolve",
    "tool",
]


def __getattr__(name: str) -> object:  # what few programs need is loaded at its first use (PEP 562)
    if name in ("McpToolWarning", "McpTools", "from_mcp"):
        return getattr(import_module(f"{__name__}.mcp"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
