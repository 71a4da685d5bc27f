"""Reading YAML or JSON with the line of everything in it, so that an error can say where it is.

The YAML read here is the part that JSON also has: mappings with text keys, lists, text, numbers, true,
false and null, by the rules of YAML 1.2's core schema (`yes` and `2026-01-31` are text). Anchors,
aliases and merge keys work; tags that would build objects are refused, and so is a key that stands twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import yaml

from ...errors import TaskFileError

MAX_BYTES = 5_000_000
MAX_NODES = 200_000  # after aliases are followed: ten lines of YAML can stand for billions
MAX_DEPTH = 50

JsonPath = tuple[str | int, ...]

_MERGE = "tag:yaml.org,2002:merge"
_NULL = re.compile(r"(?:~|null|Null|NULL|)$")
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)$")
_INT = re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")

# An escape of JSON; the two halves of a pair together.
_ESCAPE = re.compile(
    r"\\u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)
# What JSON lets stand in a text and YAML does not, or reads as the end of a line.
_NOT_IN_YAML = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029\ufeff]"
)


# Where the parser's words are its own, what people mostly did.
_HINTS = {
    "'\\t' that cannot start": "indent with spaces, not with tabs",
    "parsing a flow": "is a bracket open, or a text with : , [ ] { } in it not in quotes?",
    "mapping values are not allowed": "is it indented wrongly, or a text with : in it not in quotes?",
    "expected <block end>": "is it indented as what stands beside it?",
}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C one where PyYAML has it
    """YAML 1.2's core schema in place of 1.1's, which reads `no` as false and `12:30` as 750."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


for _kind, _pattern, _starts in (
    ("null", _NULL, ["~", "n", "N", ""]),
    ("bool", _BOOL, list("tTfF")),
    ("int", _INT, list("-+0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
    ("merge", re.compile(r"<<$"), ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", _pattern, _starts)


@dataclass(frozen=True, slots=True)
class Document:
    """A document's value, and the line (from 1) of each part of it by its path."""

    name: str
    value: Any
    lines: Mapping[JsonPath, int] = field(default_factory=dict)

    def line(self, path: JsonPath) -> int:
        """The line of the part at this path, or of the nearest part around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_document(path: Path, name: str) -> Document:
    """Read a file; `name` is what errors call it. Raises `TaskFileError` with the line."""
    try:
        if path.is_file() and path.stat().st_size > MAX_BYTES:
            raise TaskFileError(
                [f"{name}: larger than {MAX_BYTES // 1_000_000} MB, the most that one file may be"]
            )
        raw = path.read_bytes()
    except FileNotFoundError:
        raise TaskFileError([f"{name}: no such file{_neighbour(path)}"]) from None
    except OSError as error:
        raise TaskFileError([f"{name}: can't be read: {error.strerror or error}"]) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise TaskFileError([f"{name}:{line}: not UTF-8 text (byte 0x{raw[error.start]:02x})"]) from None
    return parse_document(text, name)


def parse_document(text: str, name: str) -> Document:
    r"""Read a text as JSON where `name` ends in .json, else as YAML.

    >>> document = parse_document("tasks:\n- id: a\n", "t.yaml")
    >>> document.value, document.line(("tasks", 0, "id"))
    ({'tasks': [{'id': 'a'}]}, 2)
    """
    if name.endswith(".json"):
        text = _checked_json(text, name)
    try:
        _check_depth(text, name)
        node = yaml.compose(text, Loader=_Loader)
        documents = _Reader(name)
        value = None if node is None else documents.read(node, (), 0)
    except yaml.YAMLError as error:
        raise TaskFileError([_yaml_problem(text, name, error)]) from None
    if documents.problems:
        raise TaskFileError(documents.problems)
    return Document(name, value, documents.lines)


def _check_depth(text: str, name: str) -> None:
    """Refuse deep nesting before nodes are made of it: PyYAML's C composer has no bound of its own."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise TaskFileError([f"{name}:{_line(event)}: nested too deeply"])


def _neighbour(path: Path) -> str:
    from ...text import did_you_mean

    try:
        return did_you_mean(path.name, (p.name for p in path.parent.iterdir()))
    except OSError:
        return ""


def _checked_json(text: str, name: str) -> str:
    """JSON as text that YAML reads in the same way, line for line; raises where it is no JSON."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise TaskFileError([f"{name}:{error.lineno}: no valid JSON: {error.msg}"]) from None
    except ValueError as error:
        raise TaskFileError([f"{name}: no valid JSON: {error}"]) from None
    except RecursionError:
        raise TaskFileError([f"{name}: nested too deeply"]) from None
    text = _ESCAPE.sub(_one_escape, text)
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text).replace("\t", " ")


def _one_escape(found: re.Match[str]) -> str:
    """JSON writes a character beyond U+FFFF as two escapes, YAML as one."""
    if found["high"] is None:
        return found[0]
    return f"\\U{0x10000 + (int(found['high'], 16) - 0xD800) * 0x400 + int(found['low'], 16) - 0xDC00:08x}"


def _yaml_problem(text: str, name: str, error: yaml.YAMLError) -> str:
    """What is wrong, in the words of PyYAML's own parser: those of the C one say less."""
    kind = "JSON" if name.endswith(".json") else "YAML"
    try:
        yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as marked:
        mark = marked.problem_mark or marked.context_mark
        words = ", ".join(part for part in (marked.context, marked.problem) if part)
        hint = next((f" ({hint})" for part, hint in _HINTS.items() if part in words), "")
        return f"{name}:{mark.line + 1 if mark else 1}: no valid {kind}: {words}{hint}"
    except yaml.reader.ReaderError as refused:
        place = int(refused.position)
        line = text.count("\n", 0, place) + 1
        return f"{name}:{line}: no valid {kind}: the character U+{ord(text[place]):04X} may not stand there"
    mark = getattr(error, "problem_mark", None)
    return f"{name}:{mark.line + 1 if mark else 1}: no valid {kind}: {getattr(error, 'problem', error)}"


class _Reader:
    """Turns nodes into values and notes their lines; what is wrong is noted too, and reading goes on."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[JsonPath, int] = {}
        self.problems: list[str] = []
        self.count = 0

    def read(self, node: yaml.Node, path: JsonPath, depth: int) -> Any:
        self.count += 1
        if self.count > MAX_NODES or depth > MAX_DEPTH:
            many = f"more than {MAX_NODES:,} values, the most that one file may hold"
            what = many if self.count > MAX_NODES else "nested too deeply"
            raise TaskFileError([f"{self.name}:{_line(node)}: {what} (are aliases (*name) multiplied?)"])
        self.lines.setdefault(path, _line(node))
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self.read(item, (*path, i), depth + 1) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return self.mapping(node, path, depth)
        return self.refuse(node, f"the tag {_short_tag(node)} is not allowed here: plain values only")

    def mapping(self, node: yaml.MappingNode, path: JsonPath, depth: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for key_node, value_node, own in self.pairs(node, depth):
            if not isinstance(key_node, yaml.ScalarNode):
                self.refuse(key_node, "a key must be text")
                continue
            key = str(key_node.value)
            here = (*path, key)
            if key not in value:
                self.lines[here] = _line(key_node)
                value[key] = self.read(value_node, here, depth + 1)
            elif own:
                self.refuse(key_node, f"the key {key!r} stands twice; first in line {self.lines[here]}")
        return value

    def pairs(
        self, node: yaml.MappingNode, depth: int, *, own: bool = True
    ) -> Iterator[tuple[yaml.Node, yaml.Node, bool]]:
        """A mapping's own keys and values, then those that it merges in from others with `<<`."""
        if depth > MAX_DEPTH:
            raise TaskFileError([f"{self.name}:{_line(node)}: nested too deeply: << merges itself"])
        merges = [(k, v) for k, v in node.value if k.tag == _MERGE]
        yield from ((k, v, own) for k, v in node.value if k.tag != _MERGE)
        for key, merged in merges:
            for source in merged.value if isinstance(merged, yaml.SequenceNode) else [merged]:
                if isinstance(source, yaml.MappingNode):
                    yield from self.pairs(source, depth + 1, own=False)
                else:
                    self.refuse(key, "<< merges a mapping, as in <<: *name")

    def scalar(self, node: yaml.ScalarNode) -> Any:
        text = str(node.value)
        try:
            match node.tag.removeprefix("tag:yaml.org,2002:"):
                case "str":
                    text.encode()
                    return text
                case "null" if _NULL.match(text):
                    return None
                case "bool" if _BOOL.match(text):
                    return text.lower() == "true"
                case "int" if _INT.match(text):
                    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
                case "float" if _FLOAT.match(text):
                    return _finite(text)
        except UnicodeEncodeError:
            return self.refuse(node, "half a character: \\ud800 to \\udfff stand for text only in pairs")
        except ValueError:
            return self.refuse(node, f"{text[:20]}… is too large for a number")
        return self.refuse(node, f"the tag {_short_tag(node)} is not allowed here: plain values only")

    def refuse(self, node: yaml.Node, message: str) -> None:
        self.problems.append(f"{self.name}:{_line(node)}: {message}")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


def _short_tag(node: yaml.Node) -> str:
    return str(node.tag).replace("tag:yaml.org,2002:", "!!")[:60]


def _line(node: yaml.Node | yaml.Event) -> int:
    return node.start_mark.line + 1 if node.start_mark is not None else 1
