"""Secrets, taken out of what is written to disk."""

from __future__ import annotations

import json
import os
import re
from functools import cache

HIDDEN = "[redacted]"

_SHORTEST = 8  # characters of an environment variable's value that count as a secret
_NAMES = re.compile(r"(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(?:$|_)")
_FORMS = (
    re.compile(r"\b(?:sk|pk|rk|ghp|gho|ghs|glpat|hf|xox[abpr]|AKIA|ASIA)[-_]?[A-Za-z0-9_-]{16,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+"),  # a JSON web token
    re.compile(r"(?<=Bearer )[A-Za-z0-9._~+/=-]{16,}"),
    re.compile(r"(?<=://)[^\s/:@\"]+:[^\s/@\"]+(?=@)"),  # user:password of an address
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL),
)


def redact(text: str) -> str:
    """A text without what looks like a key, and without the values of environment variables that are named like one.

    Doing it twice changes nothing more.

    >>> redact("send it with Bearer abcdefghijklmnop1234")
    'send it with Bearer [redacted]'
    """
    for secret in _of_environment(_snapshot()):
        if secret in text:
            text = text.replace(secret, HIDDEN)
    for form in _FORMS:
        text = form.sub(HIDDEN, text)
    return text


def _snapshot() -> tuple[str, ...]:
    return tuple(
        value
        for name, value in os.environ.items()
        if len(value) >= _SHORTEST and _NAMES.search(name.upper()) and value != HIDDEN
    )


@cache
def _of_environment(values: tuple[str, ...]) -> tuple[str, ...]:
    """As they stand in texts and in JSON; the longest first, so that one that holds another goes as a whole."""
    in_json = {json.dumps(value, ensure_ascii=escaped)[1:-1] for value in values for escaped in (True, False)}
    return tuple(sorted({*values, *in_json}, key=len, reverse=True))
