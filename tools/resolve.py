"""Tools by what a command line or a task file says: a built-in's name, a module, a Python file."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType

from .builtin import BUILTIN_NAMES, PLACED, READERS, builtin_tool
from .errors import DocumentsError, ToolDefinitionError, ToolLookupError, nearest
from .registry import ToolRegistry
from .tool import Tool

_LOADED = "_loopwright_tools_"
_MCP = re.compile(r"mcp(?:\+(?P<url>https?://\S+)|:(?P<command>.*))", re.DOTALL)
_FILE = re.compile(r"(?P<path>.+\.py)(?::(?P<attr>[^:]*))?")
_MODULE = re.compile(r"(?P<module>[A-Za-z_][\w.]*)(?::(?P<attr>[^:]*))?")


def resolve(spec: str, *, base: Path | None = None) -> ToolRegistry:
    """Find the tools that a text names; relative paths start at `base` (the current folder unless told).

    - `calculate`: a built-in tool. One that works on files may be given a place: `retrieve:notes/`;
      without one, `read_file`, `list_files` and `search_files` see `base`.
    - `shop.tools:registry`: an attribute of a module, either next to `base` or importable. It may be a
      tool, a function, a list of these, or a registry.
    - `shop_tools.py` and `shop_tools.py:registry`: a Python file; without an attribute, every tool and
      registry in it.
    - `mcp:npx -y some-server --flag`: the tools of an MCP server that is started with this command in
      `base`; variables for it may stand in front, `mcp:KEY=$KEY npx …`.
    - `mcp+https://example.com/mcp`: those of an MCP server at a URL.

    Naming a module or a `.py` file runs its Python code, and naming a command runs it, with all the rights of this
    process: do it with what you trust. Raises `ToolLookupError`.

    >>> resolve("calculate")
    ToolRegistry(calculate)
    """
    folder = Path.cwd() if base is None else base
    text = spec.strip()
    name, _, place = text.partition(":")
    if name in BUILTIN_NAMES:
        try:
            return ToolRegistry(_builtin(name, place, folder))
        except (DocumentsError, NotADirectoryError) as error:
            raise ToolLookupError(f'"{spec}": {error}') from error
    if found := _MCP.fullmatch(text):
        return _from_server(found["url"] or found["command"], folder, spec)
    if found := _FILE.fullmatch(text):
        return _from_module(load_file(folder / found["path"]), found["attr"], spec)
    if (found := _MODULE.fullmatch(text)) and (found["attr"] is not None or "." in found["module"]):
        return _from_module(_import(found["module"], folder), found["attr"], spec)
    near = nearest(name, BUILTIN_NAMES)
    hint = f'; did you mean "{near}"?' if near else "."
    if _is_file(folder / f"{name}.py"):
        hint = f'; did you mean the file, "{name}.py"?'
    raise ToolLookupError(
        f'there is no tool "{spec}"{hint} Write a built-in ({", ".join(BUILTIN_NAMES)}), "module:name", "file.py:name" or "mcp:command"'
    )


def resolve_object(spec: str, *, base: Path | None = None) -> object:
    """The object that "module:name" or "file.py:name" names, whatever it is; by the rules of `resolve`.

    >>> resolve_object("math:tau") // 1
    6.0
    """
    folder, text = Path.cwd() if base is None else base, spec.strip()
    if (found := _FILE.fullmatch(text)) and found["attr"]:
        return _member(load_file(folder / found["path"]), found["attr"], spec)
    if (found := _MODULE.fullmatch(text)) and found["attr"]:
        return _member(_import(found["module"], folder), found["attr"], spec)
    raise ToolLookupError(f'"{spec}" names nothing: write "module:name" or "file.py:name"')


def _builtin(name: str, place: str, folder: Path) -> Tool:
    if place:
        return builtin_tool(name, folder / place if name in PLACED else place)
    return builtin_tool(name, folder if name in READERS else None)


def _from_server(server: str, folder: Path, spec: str) -> ToolRegistry:
    from .mcp.client import from_mcp  # it stands on the registry, as this module does

    try:
        return from_mcp(server, cwd=None if server.startswith("http") else folder)
    except ToolDefinitionError as error:
        raise ToolLookupError(f'"{spec}": {error}') from error


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is longer than any file's
        return False


def _import(name: str, folder: Path) -> ModuleType:
    beside = folder.joinpath(*name.split("."))
    if _is_file(path := beside.with_suffix(".py")):
        return load_file(path)
    try:
        with _importable(folder):
            return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise ToolLookupError(
                f'there is no module "{name}": no {path.relative_to(folder)} in {folder}, and nothing installed by that name'
            ) from error
        raise _broken(name, error) from error
    except (Exception, SystemExit) as error:
        raise _broken(name, error) from error


def load_file(path: Path) -> ModuleType:
    """Run a file as a module, once for each version of it."""
    path = path.resolve()
    if not _is_file(path):
        near = nearest(path.name, (one.name for one in path.parent.glob("*.py")))
        hint = f"; did you mean {near}?" if near else ""
        raise ToolLookupError(f"there is no file {path}{hint}")
    name = _name_of(path)
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ToolLookupError(f"{path} can't be loaded as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # before it runs: dataclasses and pydantic look annotations up there
    try:
        with _importable(path.parent):
            spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, (Exception, SystemExit)):
            raise _broken(path.name, error) from error
        raise
    return module


def _name_of(path: Path) -> str:
    """The name under which this version of a file is loaded."""
    seen = path.stat()
    key = hashlib.sha256(f"{path}:{seen.st_mtime_ns}:{seen.st_size}".encode()).hexdigest()[:16]
    return f"{_LOADED}{path.stem}_{key}"


def _folder_of(module: ModuleType | None) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file).parent if file else None


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let a module import its neighbours while it is being loaded, as a script can.

    A file is one module, whether a neighbour imports it or a text names it; one of the same name in another folder
    is another.
    """
    folder = folder.resolve()
    entry = str(folder)
    mine = {path.stem: _name_of(path) for path in folder.glob("*.py")}
    ours = {id(module) for name, module in sys.modules.items() if name.startswith(_LOADED)}
    before = {name: sys.modules[name] for name in mine if id(sys.modules.get(name)) in ours}
    for name in before:
        del sys.modules[name]
    lent = {
        name: sys.modules[key] for name, key in mine.items() if key in sys.modules and name not in sys.modules
    }
    sys.modules.update(lent)
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        if entry in sys.path:
            sys.path.remove(entry)
        for name, key in mine.items():
            module = sys.modules.get(name)
            if module is not None and name not in lent and _folder_of(module) == folder:
                sys.modules.setdefault(key, module)
        for name in lent:
            sys.modules.pop(name, None)
        sys.modules.update(before)


def _broken(name: str, error: BaseException) -> ToolLookupError:
    trace = (
        None if isinstance(error, SyntaxError) else error.__traceback__
    )  # a SyntaxError tells its line itself
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" (line {trace.tb_lineno} of {Path(trace.tb_frame.f_code.co_filename).name})" if trace else ""
    return ToolLookupError(f"{name} can't be loaded: {type(error).__name__}: {error}{where}")


def _from_module(module: ModuleType, attr: str | None, spec: str) -> ToolRegistry:
    members = vars(module)
    if not attr:
        found = [one for one in members.values() if isinstance(one, (Tool, ToolRegistry))]
        if found:
            return ToolRegistry(found)
        raise ToolLookupError(f'"{spec}" holds no tool and no registry; {_offers(module)}')
    return _registry_of(_member(module, attr, spec), spec)


def _member(module: ModuleType, attr: str, spec: str) -> object:
    members = vars(module)
    value: object = module
    for step in attr.split("."):
        known = list(members) if value is module else dir(value)
        try:
            value = getattr(value, step)
        except AttributeError:
            near = nearest(step, (name for name in known if not name.startswith("_")))
            hint = f'did you mean "{near}"?' if near else _offers(module)
            raise ToolLookupError(f'"{spec}": there is no "{step}"; {hint}') from None
    return value


def _registry_of(value: object, spec: str) -> ToolRegistry:
    if isinstance(value, ToolRegistry):
        return value
    if isinstance(value, Mapping):
        value = list(value.values())
    try:
        return ToolRegistry(value)
    except ToolDefinitionError as error:
        raise ToolLookupError(f'"{spec}": {error}') from error


def functions_of(spec: str, *, base: Path | None = None) -> list[str]:
    """The functions that a file or module defines beside its tools; none for any other text.

    As for `resolve`, naming a file or a module runs it.
    """
    folder, text = Path.cwd() if base is None else base, spec.strip()
    if found := _FILE.fullmatch(text):
        return [] if found["attr"] else _functions(load_file(folder / found["path"]))
    if (found := _MODULE.fullmatch(text)) and "." in found["module"] and not found["attr"]:
        return _functions(_import(found["module"], folder))
    return []


def _functions(module: ModuleType) -> list[str]:
    return [
        name
        for name, one in vars(module).items()
        if isinstance(one, FunctionType) and one.__module__ == module.__name__ and not name.startswith("_")
    ]


def _offers(module: ModuleType) -> str:
    """What a module has that could be named."""
    functions = _functions(module)
    found = [
        name
        for name, one in vars(module).items()
        if isinstance(one, (Tool, ToolRegistry)) or name in functions
    ]
    if not found:
        return "it defines no function either"
    return f"it defines {', '.join(found[:20])}: name one, or mark functions with @tool"
