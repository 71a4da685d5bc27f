"""The built-ins of a session: Python's own where they are harmless, guarded ones where they take names."""

from __future__ import annotations

import builtins
import functools
import importlib
import sys
from collections.abc import Callable, Mapping, Set
from typing import Any, NoReturn

from .facades import INTERNAL, Module, build, public_names
from .guards import Guards
from .names import words
from .replacements import replacements

Prepared = dict[str, dict[str, Any]]
_PLAIN = words("""
    abs aiter all anext any ascii bin bool bytearray bytes callable chr classmethod complex dict divmod
    enumerate filter float format frozenset hash hex id int isinstance issubclass iter len list map max
    memoryview min next object oct ord pow property range repr reversed round set slice sorted
    staticmethod str sum super tuple zip True False None Ellipsis NotImplemented
""")
_EXCEPTIONS = [
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
]
_ABSENT = {
    "open": "files can't be opened in the sandbox",
    "input": "there is no one to ask in the sandbox: the inputs are variables",
    "eval": "eval() is not available in the sandbox; ast.literal_eval() reads literals",
    "exec": "exec() is not available in the sandbox: write the code itself",
    "compile": "compile() is not available in the sandbox: write the code itself",
    "locals": "locals() is not available in the sandbox",
    "help": "help() is not available in the sandbox",
    "breakpoint": "breakpoint() is not available in the sandbox",
}


def make_builtins(
    guards: Guards, write: Callable[[str], int], describe: Callable[[BaseException], str], prepared: Prepared
) -> dict[str, Any]:
    """Everything that a program sees without defining it, and the guards that its compiled form calls.

    `write` takes what is printed; `describe` gives an exception's traceback as text; `prepared` has what
    packages offer besides the standard library, by module.
    """
    importer = Importer(guards, build({**prepared, **replacements(guards, write, describe)}))
    packages = {name.partition(".")[0] for name in prepared}
    return {
        **{name: getattr(builtins, name) for name in [*_PLAIN, *_EXCEPTIONS]},
        **{name: _absent(text) for name, text in _ABSENT.items()},
        "__build_class__": guards.build_class,
        "__import__": functools.partial(import_internal, packages),
        "delattr": guards.delattr,
        "dir": guards.dir,
        "exit": sys.exit,
        "getattr": guards.getattr,
        "globals": guards.globals,
        "hasattr": guards.hasattr,
        "id!": id,
        "import!": importer.module,
        "import_all!": importer.all_members,
        "import_from!": importer.member,
        "match!": guards.match,
        "own!": guards.own,
        "print": _print(write),
        "quit": sys.exit,
        "read!": guards.read,
        "simple!": guards.simple,
        "setattr": guards.setattr,
        "type": guards.type,
        "type!": type,
        "vars": guards.vars,
        "write!": guards.write,
        "write_private!": guards.write_private,
    }


def _absent(text: str) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **options: Any) -> NoReturn:
        raise PermissionError(text)

    return refuse


def _print(write: Callable[[str], int]) -> Callable[..., None]:
    def print(  # noqa: A001 - the name that a program sees
        *values: Any, sep: str | None = None, end: str | None = None, file: Any = None, flush: bool = False
    ) -> None:
        joiner = " " if sep is None else sep
        text = joiner.join([str(value) for value in values]) + ("\n" if end is None else end)
        (write if file is None else file.write)(text)

    return print


def import_internal(packages: Set[str], name: str, *args: Any) -> Any:
    """The interpreter's own imports on behalf of a call such as `datetime.strptime`, or of `packages`' C code."""
    if name in sys.modules and (name in INTERNAL or name.partition(".")[0] in packages):
        return importlib.import_module(name)
    raise ImportError(f"no module {name!r} in the sandbox")


class Importer:
    """What import statements become."""

    def __init__(self, guards: Guards, modules: Mapping[str, Module]) -> None:
        self._variables = guards.variables
        self._modules = modules

    def module(self, name: str, inner: bool) -> Module:
        """`import name`; with `inner`, `import name as ...`, which binds the submodule itself."""
        found = self._find(name)
        return found if inner else self._find(name.partition(".")[0])

    def member(self, name: str, member: str) -> Any:
        """`from name import member`."""
        found = self._find(name)
        if member not in found.__dict__:
            raise ImportError(f"cannot import name {member!r} from {name!r} in the sandbox", name=name)
        return found.__dict__[member]

    def all_members(self, name: str) -> None:
        """`from name import *`."""
        self._variables.update(public_names(self._find(name)))

    def _find(self, name: str) -> Module:
        found = self._modules.get(name)
        if found is None:
            offered = ", ".join(sorted(name for name in self._modules if "." not in name))
            raise ModuleNotFoundError(f"no module {name!r} in the sandbox; there are {offered}", name=name)
        return found
