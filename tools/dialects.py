"""JSON Schema as it is met in the wild, read into draft 2020-12.

Names of types from other languages, OpenAPI's `nullable`, boolean bounds and lists of `items` from older drafts,
properties as a list, references to any place of the document: all of it says something that 2020-12 can say.
What can't be read is refused in words. A schema is hostile input: its depth and its size have limits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from urllib.parse import unquote

from .names import legal_names
from .render import cut, encodable
from .subschemas import with_subschemas
from .type_names import schema_of_type
from .wording import Schema

_MAX_DEPTH = 60
_MAX_PARTS = 20_000  # values of any kind in one document
_MAX_CHARS = 1_000_000  # of all its names and texts, descriptions apart
_MAX_DESCRIPTION = 4_000
_MAX_PATTERN = 1_000

_NUMBERS = frozenset({"exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"})
_COUNTS = frozenset(
    {
        "maxContains",
        "maxItems",
        "maxLength",
        "maxProperties",
        "minContains",
        "minItems",
        "minLength",
        "minProperties",
    }
)
_TEXTS = frozenset({"$ref", "contentEncoding", "contentMediaType", "format", "pattern"})
_FLAGS = frozenset({"deprecated", "readOnly", "uniqueItems", "writeOnly"})
_LISTS = frozenset({"allOf", "anyOf", "enum", "examples", "oneOf", "prefixItems"})
_SCHEMAS = frozenset({"additionalProperties", "contains", "else", "if", "not", "propertyNames", "then"})
_ANYTHING = frozenset(
    {
        "additionalItems",
        "const",
        "default",
        "description",
        "items",
        "patternProperties",
        "properties",
        "required",
        "type",
    }
)
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class NotASchemaError(ValueError):
    """A schema can't be read; the message says why, and fits after the name of what it describes."""


class Document:
    """One document in any dialect, from which schemas are read; `definitions` are what these refer to.

    Raises `NotASchemaError` where it is nested too deeply or too large.
    """

    def __init__(self, root: object) -> None:
        _check_size(root)
        self.definitions: dict[str, Schema] = {}
        self._root = root
        self._names: dict[str, str] = {}  # of definitions, by the reference to them
        self._waiting: list[str] = []  # references to what has not been read yet

    def read(self, schema: object) -> dict[str, object]:
        """A schema of this document in draft 2020-12; raises `NotASchemaError`.

        >>> Document({}).read({"type": "dict", "properties": {"n": {"type": "int", "nullable": True}}})
        {'type': 'object', 'properties': {'n': {'type': ['integer', 'null']}}}
        """
        made = self._read(spelled_out(schema))
        while self._waiting:
            reference = self._waiting.pop()
            self.definitions[self._names[reference]] = self._read(spelled_out(self.at(reference)))
        return made

    def _read(self, schema: Schema) -> dict[str, object]:
        clean = _typed(_known(schema))
        _read_bounds(clean)
        _read_items(clean)
        read_properties(clean)
        for key in ("allOf", "anyOf", "oneOf", "prefixItems"):
            if isinstance(several := clean.get(key), list):
                clean[key] = [spelled_out(one) for one in several]
        if isinstance(reference := clean.get("$ref"), str):
            clean["$ref"] = f"#/$defs/{self._name_of(reference)}"
        return _nullable(with_subschemas(clean, self._read), bool(schema.get("nullable")))

    def _name_of(self, reference: str) -> str:
        if reference not in self._names:
            wanted = reference.rsplit("/", 1)[-1].removeprefix("#") or "root"
            name = legal_names([wanted])[wanted]
            taken = frozenset(self._names.values())
            self._names[reference] = name if name not in taken else f"{name[:56]}_{len(taken)}"
            self._waiting.append(reference)
        return self._names[reference]

    def at(self, reference: str) -> object:
        """What a reference names, as it stands; raises `NotASchemaError`."""
        path = reference.removeprefix("#")
        if not reference.startswith("#") or (path and not path.startswith("/")):
            raise NotASchemaError(
                f"$ref {reference[:100]!r} leads out of the schema; put what it names under $defs"
            )
        found = self._root
        for step in path.split("/")[1:]:
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(found, Mapping) and key in found:
                found = found[key]
            elif isinstance(found, list) and key.isdecimal() and int(key[:9]) < len(found):
                found = found[int(key)]
            else:
                raise NotASchemaError(f"$ref {reference[:100]!r} leads nowhere")
        return found


def tidy_text(text: object, limit: int = _MAX_DESCRIPTION) -> str:
    """A stranger's description, its length bounded and without what no screen shows and no encoder takes.

    >>> tidy_text("Find " + chr(27) + "[31mit")
    'Find [31mit'
    """
    return encodable(_UNSEEN.sub("", cut(str(text), limit))).strip()


def _check_size(root: object) -> None:
    """Refuse what is nested too deeply, too large, or holds itself."""
    parts = chars = depth = 0
    level: list[object] = [root]
    while level:
        depth += 1
        parts += len(level)
        below: list[object] = []
        for one in level:
            if isinstance(one, Mapping):
                chars += sum(len(name) for name in one if isinstance(name, str))
                below += [value for name, value in one.items() if name != "description"]
            elif isinstance(one, (list, tuple)):
                below += one
            elif isinstance(one, str):
                chars += len(one)
            if parts + len(below) > _MAX_PARTS or chars > _MAX_CHARS:
                raise NotASchemaError("its schema is too large")
        if depth > _MAX_DEPTH:
            raise NotASchemaError(f"its schema is nested more than {_MAX_DEPTH} levels deep")
        level = below


def spelled_out(schema: object) -> Schema:
    """A schema as an object: `true` and null say nothing, `false` refuses all, a text is the name of a type."""
    if isinstance(schema, Mapping):
        return schema
    if schema is None or schema is True:
        return {}
    if schema is False:
        return {"not": {}}
    if isinstance(schema, str):
        return schema_of_type(schema, _no_type)
    raise NotASchemaError(f"a schema is an object, not {type(schema).__name__}")


def _known(schema: Schema) -> dict[str, object]:
    """The keywords that 2020-12 has, or that can be read into it, with values of the right kind."""
    clean = {key: value for key, value in schema.items() if _fits(key, value)}
    if "description" in clean:
        clean["description"] = tidy_text(clean["description"])
    return clean


def _fits(key: str, value: object) -> bool:
    if key in _NUMBERS:
        return isinstance(value, int) or (isinstance(value, float) and isfinite(value))  # a flag is an int
    if key in _COUNTS:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if key in _TEXTS:
        return isinstance(value, str) and (key != "pattern" or len(value) <= _MAX_PATTERN)
    if key in _FLAGS:
        return isinstance(value, bool)
    if key in _LISTS:
        return isinstance(value, list) and bool(value)
    if key in _SCHEMAS:
        return isinstance(value, (Mapping, bool))
    return key in _ANYTHING


def _typed(clean: dict[str, object]) -> dict[str, object]:
    """`type` by the names that JSON Schema has."""
    kinds = clean.pop("type", None)
    if isinstance(kinds, str):
        return {**schema_of_type(kinds, _no_type), **clean}
    if not isinstance(kinds, list):
        return clean
    made = [schema_of_type(str(one), _no_type) for one in kinds]
    if not made or {} in made:
        return clean
    if all(set(one) == {"type"} for one in made):
        return {"type": list(dict.fromkeys(one["type"] for one in made)), **clean}
    return {"anyOf": made, **clean}


def _no_type(text: str) -> dict[str, object]:
    raise NotASchemaError(
        f"there is no type {text[:60]!r}; JSON Schema has string, integer, number, boolean, array, object and null"
    )


def _read_bounds(clean: dict[str, object]) -> None:
    """Draft 4 has `"exclusiveMinimum": true` beside the bound."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(clean.get(bound), bool):
            del clean[bound]
        if isinstance(flag := clean.get(exclusive), bool):
            del clean[exclusive]
            if flag and bound in clean:
                clean[exclusive] = clean.pop(bound)
    step = clean.get("multipleOf")
    if isinstance(step, (int, float)) and (isinstance(step, bool) or step <= 0):
        del clean["multipleOf"]


def _read_items(clean: dict[str, object]) -> None:
    """Up to 2019-09 `items` may be a list, one schema for each place; OpenAI takes no list without `items`."""
    rest = clean.pop("additionalItems", None)
    if isinstance(first := clean.get("items"), list):
        del clean["items"]
        if first:
            clean["prefixItems"] = first
            if isinstance(rest, (Mapping, bool)):
                clean["items"] = rest
    first = clean.get("prefixItems")
    if isinstance(first, list) and clean.get("items") is False:  # no more than these
        most = clean.get("maxItems")
        clean["maxItems"] = min(most, len(first)) if isinstance(most, int) else len(first)
        del clean["items"]
    kinds = clean.get("type")
    if kinds == "array" or (isinstance(kinds, list) and "array" in kinds):
        clean["items"] = spelled_out(clean.get("items"))


def read_properties(clean: dict[str, object]) -> None:
    """Properties by name, and the names of those required; draft 3 says that of each itself."""
    properties = clean.pop("properties", None)
    if isinstance(properties, list):  # [{"name": "n", "type": "integer"}]
        properties = {
            str(one["name"]): one for one in properties if isinstance(one, Mapping) and "name" in one
        }
    listed = clean.pop("required", None)
    required = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
    if isinstance(properties, Mapping):
        clean["properties"] = {str(name): spelled_out(one) for name, one in properties.items()}
        required += [
            str(name)
            for name, one in properties.items()
            if isinstance(one, Mapping) and one.get("required") is True
        ]
    if required:
        clean["required"] = list(dict.fromkeys(required))


def _nullable(clean: dict[str, object], nullable: bool) -> dict[str, object]:
    clean.pop("nullable", None)
    if not nullable:
        return clean
    if isinstance(choices := clean.get("enum"), list) and None not in choices:
        clean["enum"] = [*choices, None]
    kinds = clean.get("type")
    if isinstance(kinds, (str, list)):
        listed = [kinds] if isinstance(kinds, str) else kinds
        clean["type"] = list(dict.fromkeys([*listed, "null"]))
    elif isinstance(branches := clean.get("anyOf"), list):
        clean["anyOf"] = [*branches, {"type": "null"}]
    elif clean and "enum" not in clean:
        beside: dict[str, object] = {
            key: clean.pop(key) for key in ("description", "default") if key in clean
        }
        return {"anyOf": [clean, {"type": "null"}], **beside} if clean else beside
    return clean
