"""One typed value: to text for a prompt, and back from a model's answer.

What a model writes is hostile: it may be huge, nested without end, or no value at all. Nothing is
guessed: what does not say the value is refused, with words that a model can mend its answer by.
"""

from __future__ import annotations

import dataclasses
import enum
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..errors import SignatureError
from ..example import Example
from ..signature import Field
from ..signature_text import type_text
from .annotations import Reader, reader

write_json = json.JSONEncoder(ensure_ascii=False).encode  # one encoder: json.dumps makes a new one each time

MAX_QUOTED = 200  # characters of a refused value that an error message repeats
MAX_DEPTH = 100  # levels of nesting; no honest value has more
MAX_REWRITTEN = 100_000  # characters of Python's notation that are worth a second reading
MAX_NAME = 200  # characters of a text that may name a member of a Literal or an Enum


def format_value(value: object) -> str:
    """A value as a prompt shows it: text as it is, everything else as JSON.

    >>> format_value("a b"), format_value([1, 2]), format_value(True)
    ('a b', '[1, 2]', 'true')
    """
    plain = value if type(value) is str else to_plain(value)
    return plain if isinstance(plain, str) else write_json(plain)


def to_plain(value: object, _depth: int = 0) -> Any:
    """A value as JSON's own types. A record becomes an object, one with `passages` the list of them.

    >>> import datetime
    >>> to_plain({"on": datetime.date(2026, 1, 31), "tags": {"b", "a"}})
    {'on': '2026-01-31', 'tags': ['a', 'b']}
    >>> to_plain(Example(passages=["Paris is in France."], scores=[0.9]))
    ['Paris is in France.']
    """
    if value is None or type(value) in (str, int, float, bool):
        return value
    if _depth >= MAX_DEPTH:
        return "…"
    plain = partial(to_plain, _depth=_depth + 1)
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, Example):
        return plain(value["passages"] if "passages" in value else value.toDict())
    if isinstance(value, Mapping):
        return {key if type(key) is str else format_value(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return [plain(item) for item in sorted(value, key=str)]  # a prompt must not change from run to run
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return _plain_leaf(value)


def _plain_leaf(value: object) -> Any:
    if isinstance(value, Iterator):
        return str(value)  # it may have no end, and reading it would take its items away
    try:
        return _ANYTHING.dump_python(value, mode="json", fallback=str)
    except ValueError:  # bytes that are no text, text that can't be encoded
        return str(value)


_ANYTHING = TypeAdapter(Any)


# Reading


def parse_value(value: object, field: Field) -> Any:
    """Read what a model gave for a field as JSON; raises ValueError that says what was wanted and what came.

    A text is read as JSON where the type takes no text: models wrap values in text.

    >>> parse_value(7, Field("n", "output", int)), parse_value("[1, 2]", Field("n", "output", list[int]))
    (7, [1, 2])
    >>> parse_value(True, Field("n", "output", int))
    Traceback (most recent call last):
    ValueError: `n` must be a whole number, not true
    """
    made = reader(field)
    if isinstance(value, str):
        as_json = () if made.takes_text else (_from_json, _from_python)
        return _first_that_fits(value, field, made, (_as_it_is, _from_member, *as_json))
    if is_deeper_than(MAX_DEPTH, value):
        raise ValueError(f"`{field.name}` is nested more than {MAX_DEPTH} levels deep")
    if made.takes_text and isinstance(value, int | float) and made.accepts <= {str, type(None)}:
        value = json.dumps(value)  # 42 where a text was asked for: its JSON text is that text
    return _first_that_fits(value, field, made, (_as_it_is,))


def parse_text(text: str, field: Field) -> Any:
    """Read what a model wrote for a field in plain text; raises ValueError as `parse_value` does.

    >>> parse_text("yes", Field("ok", "output", bool)), parse_text("None", Field("n", "output", int | None))
    (True, None)
    >>> parse_text("maybe", Field("ok", "output", bool))
    Traceback (most recent call last):
    ValueError: `ok` must be true or false, not "maybe"
    """
    made = reader(field)
    if made.only_text:
        return _first_that_fits(text, field, made, (_as_it_is,))
    if type(None) in made.accepts and text.strip().lower() in ("null", "none", ""):
        return None
    if made.takes_text:  # else no number could ever be written where int | str is asked for
        return _first_that_fits(text, field, made, (_from_json, _as_it_is))
    return _first_that_fits(text.strip(), field, made, (_as_it_is, _from_member, _from_json, _from_python))


Attempt = Callable[[Any, Reader], Any]


def _first_that_fits(value: object, field: Field, made: Reader, attempts: Iterable[Attempt]) -> Any:
    complaint: ValidationError | None = None
    for attempt in attempts:
        try:
            return attempt(value, made)
        except ValidationError as error:
            if complaint is None or not _is_no_json(error) or str(value)[:1] in ("[", "{"):
                complaint = error  # what is wrong with the JSON tells more than that it is text
        except _NoReading:
            continue
        except TypeError as error:
            raise SignatureError(
                f"`{field.name}`: {error} (its constraints, or its type's own checks, do not fit {type_text(field.type)})"
            ) from error
    assert complaint is not None  # noqa: S101  # _as_it_is is among the attempts, and returns or complains
    raise ValueError(f"`{field.name}` {_in_words(complaint, value, field, made)}") from complaint


class _NoReading(Exception):  # noqa: N818  # no fault, only the way to the next attempt
    """There is no such reading of the value."""


def _as_it_is(value: object, made: Reader) -> Any:
    return made.adapter.validate_python(value)


def _from_member(text: str, made: Reader) -> Any:
    """The one member of a Literal or an Enum that a text names: its value, its name, or either in another case."""
    bare = text[: MAX_NAME + 1].strip("\"'` \n\t")
    for same in (_is_value, _is_name, _is_like):
        named = [member for member in made.members if same(bare, member)]
        if len(named) == 1:
            return made.adapter.validate_python(named[0])
    raise _NoReading


def _is_value(text: str, member: object) -> bool:
    value = member.value if isinstance(member, enum.Enum) else member
    return text == (value if isinstance(value, str) else json.dumps(value, default=str))


def _is_name(text: str, member: object) -> bool:
    return text == (member.name if isinstance(member, enum.Enum) else str(member))


def _is_like(text: str, member: object) -> bool:
    forms = (member.name, member.value) if isinstance(member, enum.Enum) else (member,)
    return text.casefold() in (str(form).casefold() for form in forms)


def _from_json(text: str, made: Reader) -> Any:
    return made.adapter.validate_json(_unfenced(text))


def _from_python(text: str, made: Reader) -> Any:
    """Lists, tuples and dicts as Python writes them, which models do."""
    if len(text) > MAX_REWRITTEN:
        raise _NoReading
    rewritten = _PYTHON.sub(_json_token, _unfenced(text))
    try:
        return made.adapter.validate_json(rewritten)
    except ValidationError as error:
        if _is_no_json(error):
            raise _NoReading from None
        raise


_PYTHON = re.compile(
    r""" "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | \b(?:True|False|None)\b | [()] """, re.VERBOSE | re.DOTALL
)
_WORDS = {"True": "true", "False": "false", "None": "null", "(": "[", ")": "]"}


def _unfenced(text: str) -> str:
    bare = text.strip()
    if not (bare.startswith("```") and bare.endswith("```") and len(bare) > 6):
        return text
    language, newline, inside = bare[3:-3].partition("\n")
    return inside if newline and len(language) < 20 else text


def _json_token(found: re.Match[str]) -> str:
    token = found[0]
    if token[0] != "'":
        return _WORDS.get(token, token)
    inside = token[1:-1].replace("\\'", "'").replace('"', '\\"')
    return f'"{inside}"'


def is_deeper_than(limit: int, value: object) -> bool:
    """Whether lists and dicts are nested in more levels than that."""
    level = [value]
    for _ in range(limit + 1):
        inner = [
            item.values() if isinstance(item, dict) else item
            for item in level
            if isinstance(item, dict | list)
        ]
        if not inner:
            return False
        level = list(itertools.chain.from_iterable(inner))
    return True


# Complaints


def _is_no_json(error: ValidationError) -> bool:
    return error.error_count() == 1 and _problems(error)[0]["type"] == "json_invalid"


def _problems(error: ValidationError) -> list[Any]:
    return error.errors(include_url=False, include_context=False, include_input=False)


def _in_words(error: ValidationError, value: object, field: Field, made: Reader) -> str:
    problems = _problems(error)
    first = problems[0]
    place = _place(first["loc"])
    about_type = first["type"].endswith(("_type", "_parsing")) or first["type"] in ("literal_error", "enum")
    if made.words and (len(problems) > 1 or (not place and about_type)):
        return f"must be {made.words}{made.limits}, not {_quoted(value)}"
    where = f" at {place}" if place else ""
    wanted = made.words or f"JSON that fits {type_text(field.type)}"
    return f"must be {wanted}{made.limits}: {first['msg'][:MAX_QUOTED]}{where}; got {_quoted(value)}"


def _place(steps: Iterable[int | str]) -> str:
    """Where in a value: `[0].age`. What pydantic calls a union's branches is left out where it shows."""
    shown = (
        f"[{step}]" if isinstance(step, int) else f".{step[:MAX_QUOTED]}"
        for step in steps
        if not _is_branch(step)
    )
    return "".join(shown).removeprefix(".")


def _is_branch(step: int | str) -> bool:
    return isinstance(step, str) and ("[" in step or "(" in step)


def _quoted(value: object) -> str:
    """The beginning of a value as JSON, whatever its size."""
    if isinstance(value, str):
        cut = value[:MAX_QUOTED] + "…" if len(value) > MAX_QUOTED else value
        return json.dumps(cut, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    text = ""
    for chunk in json.JSONEncoder(ensure_ascii=False, default=str).iterencode(value):
        text += chunk[: MAX_QUOTED + 1]
        if len(text) > MAX_QUOTED:
            return text[:MAX_QUOTED] + "…"
    return text
