"""The data of a world: a tree of mappings and lists that is never changed in place.

A change makes new containers from the top down to what changed and shares all the rest, so that a copy of
a world costs nothing and two states of it are compared only where they differ.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from ..errors import WorldError, nearest
from .paths import Key, Path, Pattern, dotted

MAX_NODES = 1_000_000  # values in a world
MAX_DEPTH = 60
_MAX_LISTED = 12  # keys that an error names

Leaf = str | int | float | bool | None


def counted(value: object, path: Path = (), left: int = MAX_NODES) -> tuple[object, int]:
    """A value as a tree of its own, and how many values it holds; raises `WorldError` for what is no data.

    Keys that are whole numbers become text, as they do in JSON.

    >>> counted({17: (1, 2)})
    ({'17': [1, 2]}, 4)
    """
    if len(path) > MAX_DEPTH:
        raise WorldError(f"{dotted(path[:4])}… is nested too deeply for a world: at most {MAX_DEPTH} levels")
    if left < 1:
        raise WorldError(f"a world holds at most {MAX_NODES:,} values")
    if value is None or isinstance(value, bool | str):
        return value, 1
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise WorldError(f"{_place(path)} is {value}, which is no number for a world")
        return value, 1
    count = 1
    if isinstance(value, Mapping):
        made: dict[str, object] = {}
        for key, one in value.items():
            if isinstance(key, bool) or not isinstance(key, str | int):
                raise WorldError(
                    f"{_place(path)} has a key of type {type(key).__name__}: text or a whole number is wanted"
                )
            name = str(key)
            if name in made:
                raise WorldError(f"{_place(path)} has the key {name} twice, as text and as a number")
            made[name], more = counted(one, (*path, name), left - count)
            count += more
        return made, count
    if isinstance(value, list | tuple):
        items: list[object] = []
        for place, one in enumerate(value):
            item, more = counted(one, (*path, place), left - count)
            items.append(item)
            count += more
        return items, count
    raise WorldError(
        f"{_place(path)} is a value of type {type(value).__name__}: a world holds mappings, lists, text, "
        "numbers, true, false and nothing"
    )


def size(tree: object) -> int:
    """How many values a tree holds."""
    count, todo = 0, [tree]
    while todo:
        count += 1
        todo.extend(below(todo.pop()).values())
    return count


def weight(tree: object) -> int:
    """How large a tree is: its values, and the characters in them.

    >>> weight({"a": ["bc", 1]})
    7
    """
    total, todo = 0, [tree]
    while todo:
        node = todo.pop()
        total += 1 + (len(node) if isinstance(node, str) else 0)
        if isinstance(node, dict):
            total += sum(map(len, map(str, node)))
        todo.extend(below(node).values())
    return total


def below(node: object) -> Mapping[Key, object]:
    """What a container holds, by its keys or places; nothing for a leaf."""
    if isinstance(node, dict):
        return node
    return dict(enumerate(node)) if isinstance(node, list) else {}


def copied(node: object) -> object:
    """The same tree in containers of its own, for code that may change them."""
    if isinstance(node, dict):
        return {key: copied(one) for key, one in node.items()}
    return [copied(one) for one in node] if isinstance(node, list) else node


def key_in(node: object, step: Key) -> Key | None:
    """A container's own key for a step of a path; None where it has none.

    >>> key_in({17: "a"}, "17"), key_in({"17": "a"}, 17), key_in(["a"], "-1"), key_in({}, "a")
    (17, '17', 0, None)
    """
    number = _whole(step)
    if isinstance(node, dict):
        if step in node and not isinstance(step, bool):
            return step
        other: Key | None = str(step) if isinstance(step, int) else number
        return other if other is not None and other in node and str(other) == str(step) else None
    if isinstance(node, list) and number is not None and -len(node) <= number < len(node):
        return number % len(node)
    return None


def _whole(step: Key) -> int | None:
    if isinstance(step, int):
        return step
    digits = step.removeprefix("-")
    return int(step) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None


def located(tree: object, path: Sequence[Key]) -> Path | None:
    """A path by the containers' own keys; None where it leads to nothing."""
    found: list[Key] = []
    for step in path:
        key = key_in(tree, step)
        if key is None:
            return None
        found.append(key)
        tree = child(tree, key)
    return tuple(found)


def child(node: object, key: Key) -> object:
    """What a container holds under a key of its own."""
    return cast("Mapping[Key, object]", node)[key]  # a list takes a place in the same way


def at(tree: object, path: Sequence[Key]) -> object:
    """What is at a path; raises `WorldError` that says how far it leads."""
    for place, step in enumerate(path):
        key = key_in(tree, step)
        if key is None:
            raise WorldError(missing(tree, path, place))
        tree = child(tree, key)
    return tree


def missing(node: object, path: Sequence[Key], place: int) -> str:
    """That a path ends early, at `node`, with what there is in its place.

    >>> missing({"paid": 1, "sent": 2}, ("orders", "pad"), 1)
    'there is no orders.pad; did you mean "paid"?'
    """
    head = f"there is no {dotted(path[: place + 1])}"
    where = dotted(path[:place]) or "the world"
    if isinstance(node, list):
        return f"{head}: {where} is a list of {len(node)}, counted from 0"
    if not isinstance(node, dict):
        return f"{head}: {where} holds nothing further"
    near = nearest(str(path[place]), map(str, node)) if len(node) <= 10_000 else None
    if near is not None and not near.isdigit():
        return f'{head}; did you mean "{near}"?'
    if not node:
        return f"{head}: {where} is empty"
    names = [str(key)[:40] for key, _ in zip(node, range(_MAX_LISTED), strict=False)]
    more = len(node) - len(names)
    return f"{head}: {where} has {', '.join(names)}" + (f" and {more} more" if more else "")


def matching(tree: object, pattern: Pattern) -> Iterator[tuple[Path, object]]:
    """Everything that a pattern fits, each with its path, in the order of the tree."""
    todo: list[tuple[Path, object]] = [((), tree)]
    while todo:
        path, node = todo.pop()
        if path and pattern.fits(path):
            yield path, node
        if pattern.anywhere or len(path) < len(pattern.steps):
            wanted = None if pattern.anywhere else pattern.steps[len(path)]
            inner = [
                ((*path, key), one) for key, one in below(node).items() if wanted is None or wanted.fits(key)
            ]
            todo.extend(reversed(inner))


def replaced(tree: object, path: Sequence[Key], value: object) -> object:
    """The tree with another value at a path. The last key may be new in a mapping; the rest must be there.

    >>> replaced({"a": {"b": 1}}, ("a", "c"), 2)
    {'a': {'b': 1, 'c': 2}}
    """
    if not path:
        return value
    parent = at(tree, path[:-1])
    key = key_in(parent, path[-1])
    if isinstance(parent, dict):
        changed: object = {**parent, path[-1] if key is None else key: value}
    elif key is not None:
        changed = list(cast("list[object]", parent))
        changed[cast("int", key)] = value
    else:
        raise WorldError(missing(parent, path, len(path) - 1))
    return _with_parent(tree, path, changed)


def removed(tree: object, path: Sequence[Key]) -> object:
    """The tree without what is at a path; what follows in a list moves up.

    >>> removed({"a": [1, 2, 3]}, ("a", 0))
    {'a': [2, 3]}
    """
    parent = at(tree, path[:-1])
    key = key_in(parent, path[-1])
    if key is None:
        raise WorldError(missing(parent, path, len(path) - 1))
    rest = {other: one for other, one in below(parent).items() if other != key}
    return _with_parent(tree, path, rest if isinstance(parent, dict) else list(rest.values()))


def _with_parent(tree: object, path: Sequence[Key], changed: object) -> object:
    """The tree with another container around the last key of a path."""
    return replaced(tree, path[:-1], changed) if len(path) > 1 else changed


def _place(path: Path) -> str:
    return dotted(path) or "the world"
