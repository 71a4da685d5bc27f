"""What `solve` is asked: equations and inequalities in a text, and the unknowns in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..errors import ToolFailed
from .expression import MAX_LENGTH, compute_with_unknowns

_MAX_RELATIONS = 30
_MAX_UNKNOWNS = 20
_SIGNS = str.maketrans({"≤": "<=", "⩽": "<=", "≥": ">=", "⩾": ">=", "≠": "!=", "＝": "="})
_SIGN = re.compile(r"<=|>=|==|!=|=|<|>")
# a comma between two relations, unless it stands in a number such as 1,250
_BREAK = re.compile(r"[;\n]|,(?!\d{3}(?!\d))|\band\b|&&?", re.IGNORECASE)
_SPAN = 40  # characters of the text that a message shows


@dataclass(frozen=True, slots=True)
class Relation:
    """Two expressions, as text, and the sign between them: one of = != < <= > >=."""

    left: str
    sign: str
    right: str

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Relations that are to hold together; `unknowns` are wanted, other names stand for given numbers."""

    relations: tuple[Relation, ...]
    unknowns: tuple[str, ...]
    given: tuple[str, ...]

    @property
    def equations(self) -> tuple[Relation, ...]:
        """The relations that say =."""
        return tuple(one for one in self.relations if one.sign == "=")


class _Names:
    """The names in an expression, in the order in which they come."""

    def number(self, value: Fraction) -> tuple[str, ...]:
        return ()

    def constant(self, name: str) -> tuple[str, ...]:
        return ()

    def unknown(self, name: str) -> tuple[str, ...]:
        return (name,)

    def apply(self, name: str, args: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for one in args for name in one))


def read_problem(text: str, wanted: str = "") -> Problem:
    """Read equations and inequalities; raises `ToolFailed` in words for a model.

    >>> read_problem("2x + y = 7; x - y <= 2").unknowns
    ('x', 'y')
    """
    if len(text) > MAX_LENGTH:
        raise ToolFailed(f"the equations have {len(text):,} characters; at most {MAX_LENGTH:,} can be read")
    relations: list[Relation] = []
    for piece in _pieces(text.translate(_SIGNS)):
        relations += _relations(piece)
    if not relations:
        raise ToolFailed('there is no equation; write one like "2*x + 3 = 7"')
    if len(relations) > _MAX_RELATIONS:
        raise ToolFailed(f"{len(relations)} equations are more than the {_MAX_RELATIONS} that can be solved")
    found: dict[str, None] = {}
    for relation in relations:
        for side in (relation.left, relation.right):
            names: tuple[str, ...] = compute_with_unknowns(side, _Names())
            found |= dict.fromkeys(names)
    return _problem(tuple(relations), tuple(found), wanted)


def _problem(relations: tuple[Relation, ...], names: tuple[str, ...], wanted: str) -> Problem:
    chosen = tuple(dict.fromkeys(re.split(r"[\s,;]+", wanted.strip()))) if wanted.strip() else names
    if not names:
        raise ToolFailed(
            f'there is no unknown in "{str(relations[0])[:_SPAN]}"; an unknown is a name like x (pi and e are numbers)'
        )
    for name in chosen:
        if name not in names:
            raise ToolFailed(
                f'"{name[:_SPAN]}" is to be found, but stands in no equation; there is {", ".join(names)}'
            )
    if len(chosen) > _MAX_UNKNOWNS:
        raise ToolFailed(f"{len(chosen)} unknowns are more than the {_MAX_UNKNOWNS} that can be found")
    return Problem(relations, chosen, tuple(name for name in names if name not in chosen))


def _pieces(text: str) -> list[str]:
    """The text cut where one relation ends and another begins: not inside parentheses."""
    pieces, start, depth, at = [], 0, 0, 0
    while at < len(text):
        match = _BREAK.match(text, at) if depth == 0 else None
        if match is not None:
            pieces.append(text[start:at])
            start = at = match.end()
            continue
        depth = max(depth + {"(": 1, ")": -1}.get(text[at], 0), 0)
        at += 1
    pieces.append(text[start:])
    return [piece.strip() for piece in pieces if piece.strip()]


def _relations(piece: str) -> list[Relation]:
    """The relations in `a = b` or in a chain such as `1 < x <= 5`."""
    sides, signs = _SIGN.split(piece), _SIGN.findall(piece)
    if not signs:
        raise ToolFailed(
            f'an equation wants =, and there is none in "{piece[:_SPAN]}"; write it like "2*x + 3 = 7"'
        )
    for side in sides:
        if not side.strip():
            raise ToolFailed(f'one side of "{piece[:_SPAN]}" is empty; an equation has an expression on each')
    return [
        Relation(left.strip(), "=" if sign == "==" else sign, right.strip())
        for left, sign, right in zip(sides, signs, sides[1:], strict=False)
    ]
