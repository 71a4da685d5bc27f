"""Names that every provider takes, of tools and of parameters, and the two that belong to the agent."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator

from .errors import ToolDefinitionError

RESERVED = frozenset({"submit", "finish"})  # how an agent ends its run
_LONGEST = 64
_CONSIDERED = 200  # characters of an illegal name from which a readable one is made
_LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def legal_name(name: str, *, of: str = "") -> str:
    """The name itself when every provider takes it; else raises `ToolDefinitionError` with one that would do.

    >>> legal_name("get_order")
    'get_order'
    """
    if _LEGAL.fullmatch(name):
        return name
    if name == "<lambda>":
        raise ToolDefinitionError('a lambda has no name of its own: give one, Tool(func, name="...")')
    instead = re.sub(r"[^a-zA-Z0-9_-]+", "_", name).strip("_")[:64] or "my_tool"
    whose = f" (of {of})" if of and of != name else ""
    raise ToolDefinitionError(
        f"{name!r}{whose} can't be a tool's name: providers take 1 to 64 of the letters a-z and A-Z, digits, "
        f"_ and -; use for example name={instead!r}"
    )


def legal_names(names: Iterable[str]) -> dict[str, str]:
    """A name for each of these that every provider takes, and no two alike: a table to read in both directions.

    A legal name stays as it is; another keeps what can be read of it, and where that is too long, taken already
    or nothing, a few digits of its hash. The result does not depend on the order of the names.

    >>> legal_names(["find", "filter[id]", "größe", "a.b", "a_b"])
    {'find': 'find', 'filter[id]': 'filter_id', 'größe': 'grosse', 'a.b': 'a_b-2e7336', 'a_b': 'a_b'}
    """
    given = dict.fromkeys(names)
    legal = {name: name for name in given if _LEGAL.fullmatch(name)}
    readable = {name: _readable(name) for name in given if name not in legal}
    wanted = Counter([*legal, *readable.values()])
    taken = {*legal, *readable.values()}
    made = dict(legal)
    for name, short in readable.items():
        if 0 < len(short) <= _LONGEST and wanted[short] == 1:
            made[name] = short
        else:
            made[name] = next(one for one in _marked(name, short) if one not in taken)
            taken.add(made[name])
    return {name: made[name] for name in given}


def _readable(name: str) -> str:
    """The letters and digits of a name as ASCII has them, and what is between them as underscores."""
    latin = unicodedata.normalize("NFKD", name[:_CONSIDERED].replace("ß", "ss"))
    ascii_only = "".join(one for one in latin if not unicodedata.combining(one))
    return re.sub(r"[^a-zA-Z0-9_-]+", "_", ascii_only).strip("_")


def _marked(name: str, short: str) -> Iterator[str]:
    """The name with more and more digits of its hash."""
    digits = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
    for count in range(6, _LONGEST):
        yield f"{short[: _LONGEST - 1 - count] or 'x'}-{digits[:count]}"
