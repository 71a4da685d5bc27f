"""Names that every provider takes, of tools and of parameters, and the two that belong to the agent."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

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

    A legal name stays as it is; another keeps what can be read of it, and where that is too long or taken
    already, a few digits of its hash. The result does not depend on the order of the names.

    >>> legal_names(["find", "filter[id]", "größe", "a.b", "a_b"])
    {'find': 'find', 'filter[id]': 'filter_id', 'größe': 'grosse', 'a.b': 'a_b-2e7336', 'a_b': 'a_b'}
    """
    given = dict.fromkeys(names)
    plain = {name: name if _LEGAL.fullmatch(name) else _readable(name) for name in given}
    wanted = Counter(plain.values())
    return {
        name: legal
        if legal == name or (wanted[legal] == 1 and len(legal) <= _LONGEST)
        else _marked(name, legal)
        for name, legal in plain.items()
    }


def _readable(name: str) -> str:
    """The letters and digits of a name as ASCII has them, and what is between them as underscores."""
    latin = unicodedata.normalize("NFKD", name[:_CONSIDERED].replace("ß", "ss"))
    ascii_only = "".join(one for one in latin if not unicodedata.combining(one))
    return re.sub(r"[^a-zA-Z0-9_-]+", "_", ascii_only).strip("_") or "x"


def _marked(name: str, legal: str) -> str:
    digits = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:6]
    return f"{legal[: _LONGEST - 7]}-{digits}"
