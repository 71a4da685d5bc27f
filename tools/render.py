"""What a model reads of a result or of an exception: text, of bounded size, that gives no host away."""

from __future__ import annotations

import dataclasses
import json
import re
import traceback
from collections.abc import Mapping, Set
from datetime import date, datetime, time, timedelta
from enum import Enum
from functools import lru_cache
from pathlib import Path

MAX_CHARS = 20_000  # of a result, as a model reads it
_MAX_KEPT = 1_000_000  # of the whole of a cut result or a traceback, for a person
_MAX_MESSAGE = 1_000  # of an exception, as a model reads it

_PATH = re.compile(
    r"(?<![\w/:.~-])(?:/(?=[\w.~])|[A-Za-z]:\\)(?:[^\s/\\'\",:;()<>|]+[/\\])+([^\s/\\'\",:;()<>|]*)"
)

_write_json = json.JSONEncoder(ensure_ascii=False).encode  # one encoder: json.dumps makes a new one each time


class NoTextForm(TypeError):  # noqa: N818 - says what is wrong, as ToolFailed does
    """A value can't be shown as text; the message says what it is."""


class TooLarge(ValueError):  # noqa: N818 - as above
    """A value can't be shown as text, because of its size."""


def as_text(value: object) -> str:
    """A result as text: text as it is, everything else as JSON.

    Raises `NoTextForm` or `TooLarge`.

    >>> as_text("plain"), as_text({"total": 3.5, "paid": True}), as_text(date(2026, 1, 31))
    ('plain', '{"total": 3.5, "paid": true}', '2026-01-31')
    """
    if isinstance(value, str) and not isinstance(value, Enum):
        return value
    try:
        shown = plain(value)
        return shown if isinstance(shown, str) else _write_json(shown)
    except RecursionError:
        raise NoTextForm("something nested too deeply to show") from None
    except ValueError as error:
        if "integer string conversion" in str(error):
            raise TooLarge("a whole number of thousands of digits") from None
        raise


def plain(value: object, inside: tuple[int, ...] = ()) -> object:
    """A value as JSON knows it: dict, list, text, number, bool or None.

    >>> plain({"when": date(2026, 1, 31), "tags": {"b", "a"}})
    {'when': '2026-01-31', 'tags': ['a', 'b']}
    """
    if value is None or type(value) in (str, bool, int, float):
        return value
    if isinstance(value, Enum):
        return plain(value.value, inside)
    if isinstance(value, (str, bool, int, float)):
        return value
    if id(value) in inside:
        raise NoTextForm("something that holds itself")
    deeper = (*inside, id(value))
    if isinstance(value, Mapping):
        return {_key(key): plain(one, deeper) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one, deeper) for one in value]
    if isinstance(value, Set):
        return [plain(one, deeper) for one in sorted(value, key=str)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name), deeper) for one in dataclasses.fields(value)}
    dump = getattr(value, "model_dump", None)
    if callable(dump) and not isinstance(value, type):
        return plain(dump(), deeper)
    return _scalar(value)


def _key(key: object) -> str:
    if isinstance(key, Enum):
        key = key.value
    return key if isinstance(key, str) else as_text(key)


def _scalar(value: object) -> object:
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, (bytes, bytearray)):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise NoTextForm(f"{len(value):,} bytes that are no text") from None
    kind = type(value)
    if kind.__str__ in (object.__str__, type.__str__) or isinstance(value, type):
        raise NoTextForm(f"a {kind.__name__}")
    return str(value)


def _duration(value: timedelta) -> str:
    """A span of time as ISO 8601 has it, which is what a schema asks for: PT1H30M."""
    sign, whole = ("-", -value) if value < timedelta(0) else ("", value)
    minutes, seconds = divmod(whole.seconds, 60)
    fraction = f".{whole.microseconds:06}" if whole.microseconds else ""
    parts = [
        (minutes // 60, "H"),
        (minutes % 60, "M"),
        (f"{seconds}{fraction}" if seconds or fraction else 0, "S"),
    ]
    of_day = "".join(f"{number}{unit}" for number, unit in parts if number)
    days = f"{whole.days}D" if whole.days else ""
    return f"{sign}P{days}T{of_day}" if of_day else f"{sign}P{days or 'T0S'}"


def cut(text: str, limit: int = MAX_CHARS) -> str:
    """Shorten a text to `limit` characters by leaving out its middle, with a note of how much.

    >>> print(cut("a" * 60 + "b" * 60, 60))
    aaaaaaaaaaa
    [… 98 of 120 characters left out …]
    bbbbbbbbbbb
    """
    if len(text) <= limit:
        return text
    room = limit - len(_note(len(text), len(text)))  # the widest the note can be
    head = max(room - room // 2, 0)
    tail = max(room // 2, 0)
    note = _note(len(text) - head - tail, len(text))
    return text[:head] + note + text[len(text) - tail :]


def _note(left_out: int, whole: int) -> str:
    return f"\n[… {left_out:,} of {whole:,} characters left out …]\n"


def kept(text: str) -> str:
    """The whole of a text for a person, unless it is truly huge."""
    return cut(text, _MAX_KEPT)


def encodable(text: str) -> str:
    """The text with lone surrogates replaced: no encoder would take them."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


def exception_text(error: BaseException) -> str:
    """An exception's type and message, without paths of this machine, and bounded.

    >>> exception_text(KeyError("x"))
    "KeyError: 'x'"
    """
    kind = type(error).__name__
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - the exception is a stranger's; its __str__ may do anything
        return f"{kind} (its message can't be shown)"
    if "Traceback (most recent call last)" in message:
        message = message.strip().rsplit("\n", 1)[-1]
    message = without_paths(cut(message, _MAX_MESSAGE))
    return f"{kind}: {message}" if message else kind


def without_paths(text: str) -> str:
    """The text with this machine's absolute paths cut down to their last part.

    >>> without_paths("GET https://example.com/v1/orders failed")
    'GET https://example.com/v1/orders failed'
    """
    return _PATH.sub(lambda found: found[1] or "…" if _is_of_host(found[0]) else found[0], text)


def _is_of_host(path: str) -> bool:
    if path[0] != "/":
        return True  # C:\…
    return path.split("/", 2)[1] in _top_folders()


@lru_cache(maxsize=1)
def _top_folders() -> frozenset[str]:
    try:
        return frozenset(one.name for one in Path("/").iterdir())
    except OSError:
        return frozenset({"home", "root", "usr", "var", "tmp", "etc", "opt", "srv", "mnt", "Users"})


def traceback_text(error: BaseException) -> str:
    """The traceback, for a person."""
    return cut("".join(traceback.format_exception(error)), 20_000)
