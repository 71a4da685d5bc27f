"""What makes tools hard for a model to choose and to call, found without a model."""

from __future__ import annotations

import inspect
import re
import typing
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations

from .callables import annotated
from .registry import ToolRegistry
from .tool import Tool
from .wording import Schema, type_name

RULES = (
    "missing-description",
    "short-description",
    "vague-name",
    "undescribed-parameter",
    "untyped-parameter",
    "vague-parameter",
    "unbounded-output",
    "unsaid-effect",
    "too-many-tools",
    "similar-names",
    "clashing-parameter",
)
MANY = 30  # tools, above which a model chooses noticeably worse and every prompt is long
_SHORT = 12  # characters of a description that can hardly say anything
_ALIKE = 0.88  # of two names, from 0 to 1


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_READING = _set("get list read find search fetch look lookup show view query count check describe load")
_MANY_RESULTS = _set("list search find query all dump export browse scan")
_SAME_VERB = {
    word: group.split()[0]
    for group in (
        "get fetch retrieve load lookup read",
        "find search query",
        "create add new make insert",
        "delete remove drop erase",
        "update change edit modify set",
        "send post submit push",
    )
    for word in group.split()
}
_VAGUE = _set(
    "do run execute exec call process handle perform action act tool function func helper util utility task "
    "work main test data info stuff thing misc operation manage get set go"
)
_VAGUE_PARAMETERS = _set(
    "data info input arg args param params value values obj x y z a b thing stuff payload"
)
_BOUNDS = _set(
    "limit k n top max maximum count size page cursor offset first last head tail lines length chars rows since "
    "until start end from to before after depth"
)


_SAYS_HOW_MANY = re.compile(r"\b(?:at most|up to|the first|the last|the latest|limited to) \d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend: of which tool ("" for all of them), by which rule, why it matters, what to do."""

    tool: str
    rule: str
    why: str
    fix: str

    def __str__(self) -> str:
        return f"{self.tool or '(all tools)'}: {self.rule}: {self.why}; {self.fix}"


def lint(registry: ToolRegistry) -> list[Finding]:
    """Find what a model will stumble on; no tool is called.

    >>> def get(x): ...
    >>> [finding.rule for finding in lint(ToolRegistry(get))]
    ['missing-description', 'vague-name', 'undescribed-parameter', 'untyped-parameter', 'unsaid-effect']
    """
    found = [finding for one in registry.values() for rule in _OF_ONE for finding in rule(one)]
    return [*found, *(finding for rule in _OF_ALL for finding in rule(registry))]


# ---- one tool


def _description(tool: Tool) -> Iterator[Finding]:
    text = " ".join(tool.desc.split())
    if not text:
        why = "a model can only guess from the name what it does"
        yield Finding(
            tool.name, "missing-description", why, "say in a docstring what it does and when to use it"
        )
    elif len(text) < _SHORT or _words(text) <= _words(tool.name):
        why = f"its description, {text!r}, says no more than its name"
        yield Finding(tool.name, "short-description", why, "say what it gives back and when to use it")


def _name(tool: Tool) -> Iterator[Finding]:
    words = _words(tool.name)
    if words <= _VAGUE or re.fullmatch(r"[a-zA-Z]{1,2}|.*[a-z]_?\d", tool.name):
        why = "its name does not say what it acts on"
        yield Finding(tool.name, "vague-name", why, "name it by verb and object, such as get_order")


def _parameters(tool: Tool) -> Iterator[Finding]:
    bare = [name for name, schema in tool.args.items() if not schema.get("description")]
    if bare:
        why = f"{_quoted(bare)} {'has' if len(bare) == 1 else 'have'} no description"
        fix = "describe each in the docstring's Args section, with its unit or form"
        yield Finding(tool.name, "undescribed-parameter", why, fix)
    untyped = [name for name, schema in tool.args.items() if type_name(schema) == "any"]
    if untyped:
        why = f"{_quoted(untyped)} may be anything, so that nothing a model gives is checked or converted"
        yield Finding(tool.name, "untyped-parameter", why, "annotate with a type")
    vague = [
        name
        for name, schema in tool.args.items()
        if name in _VAGUE_PARAMETERS and not schema.get("description")
    ]
    if vague and len(tool.args) > 1:
        why = f"{_quoted(vague)} does not say what it is"
        yield Finding(tool.name, "vague-parameter", why, "name it by what it holds, such as order_id")


def _output(tool: Tool) -> Iterator[Finding]:
    first = _ordered_words(tool.name)[:1]
    many = _returns_many(tool) or (first and first[0] in _MANY_RESULTS)
    bounded = any(_words(name) & _BOUNDS for name in tool.args) or _SAYS_HOW_MANY.search(tool.desc)
    if many and not bounded:
        why = f"its result can be of any length (it is cut after {tool.max_chars:,} characters), and each turn pays for it"
        fix = 'add a parameter such as limit: int = 20, or say in the description how much it gives ("at most 50")'
        yield Finding(tool.name, "unbounded-output", why, fix)


def _returns_many(tool: Tool) -> bool:
    try:
        hint = typing.get_type_hints(annotated(tool.func)).get("return")
    except Exception:  # noqa: BLE001 - evaluating a stranger's annotations may raise anything; then nothing is known
        hint = inspect.Signature.empty
    origin = typing.get_origin(hint) or hint
    return isinstance(origin, type) and issubclass(origin, (list, set, frozenset)) and tool.effect != "pure"


def _effect(tool: Tool) -> Iterator[Finding]:
    first = _ordered_words(tool.name)[:1]
    if tool.effect == "write" and first and first[0] in _READING:
        why = 'it looks as if it only reads, and has the effect "write": it runs alone and is never retried or cached'
        fix = (
            "give effects={...} or trust_annotations=True to from_mcp"
            if "mcp" in tool.tags
            else 'say effect="read", or effect="pure" where the same arguments always give the same result'
        )
        yield Finding(tool.name, "unsaid-effect", why, fix)


# ---- between tools


def _too_many(registry: ToolRegistry) -> Iterator[Finding]:
    if len(registry) > MANY:
        why = f"there are {len(registry)}: every one of them is in every prompt, and more are mistaken for each other"
        yield Finding(
            "",
            "too-many-tools",
            why,
            f"give an agent those it needs (registry.filtered), at most about {MANY}",
        )


def _names_alike(registry: ToolRegistry) -> Iterator[Finding]:
    for one, other in combinations(registry, 2):
        if _same_meaning(one, other) or SequenceMatcher(None, one, other).ratio() >= _ALIKE:
            why = f'its name is hard to tell from "{other}"'
            yield Finding(one, "similar-names", why, "name the difference in both, or make them one tool")


def _same_meaning(one: str, other: str) -> bool:
    first, second = _ordered_words(one), _ordered_words(other)
    return [_SAME_VERB.get(word, word) for word in first] == [_SAME_VERB.get(word, word) for word in second]


def _types_clash(registry: ToolRegistry) -> Iterator[Finding]:
    by_name: dict[str, dict[str, str]] = defaultdict(dict)
    for tool in registry.values():
        for name, schema in tool.args.items():
            by_name[name].setdefault(_plain_type(schema), tool.name)
    for name, kinds in by_name.items():
        if len(kinds) > 1:
            (first, one), *others = kinds.items()
            told = ", ".join(f'{kind} in "{tool}"' for kind, tool in others)
            why = f'its parameter "{name}" is {first} here and {told}'
            yield Finding(one, "clashing-parameter", why, "use one type for one name, or two names")


def _spellings_clash(registry: ToolRegistry) -> Iterator[Finding]:
    seen: dict[frozenset[str], tuple[str, str]] = {}
    for tool in registry.values():
        for name in tool.args:
            words = frozenset(_words(name))
            known, where = seen.setdefault(words, (name, tool.name))
            if known != name and where != tool.name:
                why = f'its parameter "{name}" is called "{known}" in "{where}"'
                yield Finding(tool.name, "clashing-parameter", why, "spell one thing one way")


_OF_ONE: tuple[Callable[[Tool], Iterator[Finding]], ...] = (
    _description,
    _name,
    _parameters,
    _output,
    _effect,
)
_OF_ALL: tuple[Callable[[ToolRegistry], Iterator[Finding]], ...] = (
    _too_many,
    _names_alike,
    _types_clash,
    _spellings_clash,
)


# ---- words


def _ordered_words(name: str) -> list[str]:
    """A name's words in lower case: get_order, getOrder and get-order are the same."""
    apart = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return [word.lower() for word in re.split(r"[^A-Za-z0-9]+", apart) if word]


def _words(name: str) -> set[str]:
    return set(_ordered_words(name))


def _plain_type(schema: Schema) -> str:
    """A type without the null that only says that an argument may be left out."""
    return type_name(schema).removesuffix(" | null").replace("integer", "number")


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
