"""How much of the operating-system layer a level asks for, and what is missing from it."""

from __future__ import annotations

from collections.abc import Mapping

from .base import Level

LAYERS: Mapping[str, str] = {
    "descriptors": "no open file or socket but the one to the host",
    "memory": "a limit on its memory",
    "limits": "no process, file, descriptor or core of its own",
    "unprivileged": "not root, no capabilities",
    "no_new_privileges": "no program it might start could gain rights",
    "undumpable": "no other process of its user can read its memory",
    "dies_with_host": "killed when the host ends",
    "landlock": "the kernel allows it no path and no TCP port",
    "seccomp": "the kernel allows it about thirty harmless system calls",
}
_NEEDED: Mapping[Level, frozenset[str]] = {
    "strict": frozenset(LAYERS),
    "standard": frozenset(
        {"descriptors", "memory", "limits", "unprivileged", "no_new_privileges", "seccomp"}
    ),
    "language": frozenset(),
}


def missing(level: Level, layers: Mapping[str, str]) -> dict[str, str]:
    """The layers that `level` needs and that did not take effect, with the reason.

    >>> missing("strict", {**dict.fromkeys(LAYERS, ""), "landlock": "Function not implemented"})
    {'landlock': 'Function not implemented'}
    """
    return {
        name: layers.get(name, "not tried") for name in sorted(_NEEDED[level]) if layers.get(name, "-") != ""
    }


def reached(layers: Mapping[str, str]) -> Level:
    """The highest level that these layers make up."""
    return next(level for level in _NEEDED if not missing(level, layers))
