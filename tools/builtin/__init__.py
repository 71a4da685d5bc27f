"""The tools that come with the package, by name; each is imported when it is asked for.

calculate       arithmetic, exact
convert_units   between units of measurement
date_math       days between dates, and dates from dates
solve           equations, systems of them, inequalities
notes           what to remember during one run
run_python      a program in the sandbox
web_search      DuckDuckGo
fetch_page      the text of a public web page
read_file       a text file under one folder
list_files      the files under one folder
search_files    the lines that hold a text, in the files under one folder
write_file      a text file under one folder, made or changed
retrieve        passages from the user's documents
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import cast

from ..errors import ToolLookupError, nearest
from ..tool import Tool

_PLAIN = (
    "calculate",
    "convert_units",
    "date_math",
    "solve",
    "notes",
    "run_python",
    "web_search",
    "fetch_page",
)
READERS = ("read_file", "list_files", "search_files")  # these see the current folder unless told
_WANTED = {
    "write_file": "the folder that it may write in, such as write_file:out",
    "retrieve": "documents: a folder of .txt and .md files, or a .jsonl file",
}
PLACED = (*READERS, *_WANTED)  # these work on a file or folder
BUILTIN_NAMES = _PLAIN + PLACED


def builtin_tool(name: str, place: str | Path | None = None) -> Tool:
    """A built-in tool by its name.

    `place` is the folder that `read_file`, `list_files` and `search_files` may see (the current one unless told), the
    one that `write_file` may write in (none unless told), and the documents that `retrieve` searches: a folder of text
    files or a JSONL file. Raises `ToolLookupError`.

    >>> builtin_tool("calculate").usage
    'calculate(expression: string)'
    """
    if name not in BUILTIN_NAMES:
        near = nearest(name, BUILTIN_NAMES)
        hint = f'did you mean "{near}"?' if near else f"there are {', '.join(BUILTIN_NAMES)}"
        raise ToolLookupError(f'there is no built-in tool "{name}"; {hint}')
    if name in _PLAIN:
        if place is not None:
            raise ToolLookupError(f'"{name}" works on no file or folder: leave "{place}" away')
        return cast(Tool, getattr(import_module(f"{__name__}.{name}"), f"{name}_tool")())
    if name in _WANTED and place is None:
        raise ToolLookupError(f'"{name}" wants {_WANTED[name]}')
    return cast(Tool, getattr(import_module(f"{__name__}.{name}"), f"{name}_tool")(Path(place or ".")))
