"""What a chain of exceptions tells of a call that failed, and what of that may be shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

# Where a provider's key is read from, unless it is PROVIDER_API_KEY.
KEY_VARIABLES = {
    "bedrock": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "huggingface": "HF_TOKEN",
    "sagemaker": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "together_ai": "TOGETHERAI_API_KEY",
    "vertex_ai": "GOOGLE_APPLICATION_CREDENTIALS",
}

_KEYS = re.compile(
    r"\b(?:sk|pk|gsk|xai|hf|key)[-_][\w*.-]{6,}|AIza[\w-]{10,}|(?<=[Bb]earer )\S+|(?<=[?&]key=)[^\s&]+"
)
_WRAPPING = re.compile(r"^(?:(?:litellm\.)?\w*(?:Error|Exception|Timeout)\w*\s*[:-]\s*|Error code: \d+ - )+")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Whom a call went to: what an error message may say, and what it must not (`secrets`)."""

    model: str
    api_base: str = ""
    timeout: float = 0.0
    secrets: tuple[str, ...] = ()

    @property
    def provider(self) -> str:
        """The part of the model's name before the first slash."""
        return self.model.partition("/")[0]

    @property
    def shown_base(self) -> str:
        """The address without a user's name and password."""
        return without_login(self.api_base)

    @property
    def key_variable(self) -> str:
        """The environment variable that holds the provider's key.

        >>> Endpoint("mistral/mistral-small").key_variable
        'MISTRAL_API_KEY'
        """
        return KEY_VARIABLES.get(self.provider, f"{self.provider.upper()}_API_KEY")


@dataclass(frozen=True, slots=True)
class Failure:
    """What a chain of exceptions tells.

    `status` is the answer's (0: there was none), `said` the provider's message as one line, `text` all
    that the exceptions say.
    """

    chain: tuple[BaseException, ...]
    status: int
    said: str
    text: str

    def has(self, *names: str) -> bool:
        """Whether an exception in the chain is of a class of one of these names (its bases count)."""
        return any(base.__name__ in names for error in self.chain for base in type(error).__mro__)


def read_failure(error: BaseException, secrets: tuple[str, ...] = ()) -> Failure:
    """Gather what the exceptions in a chain tell, with secrets taken out."""
    chain = tuple(_chain(error))
    text = redact(" ".join(str(one) for one in chain), secrets)
    said = _one_line(redact(_message(chain), secrets))
    return Failure(chain, _status(chain), said, text)


def retry_after(failure: Failure, now: datetime) -> float | None:
    """The seconds that the answer's headers ask to wait; None if they don't say, or say it unreadably."""
    for headers in _headers(failure.chain):
        milliseconds = _number(headers.get("retry-after-ms"))
        if milliseconds is not None:
            return milliseconds / 1000
        asked = headers.get("retry-after")
        seconds = _number(asked)
        if seconds is not None:
            return seconds
        if isinstance(asked, str):
            return _seconds_until(asked, now)
    return None


def redact(text: str, secrets: tuple[str, ...] = ()) -> str:
    """The text with secrets, and what looks like a key, made unreadable.

    >>> redact("Incorrect API key provided: sk-abcdefgh.")
    'Incorrect API key provided: ***'
    """
    for secret in secrets:
        text = text.replace(secret, "***")
    return _KEYS.sub("***", text)


def without_login(url: str) -> str:
    """The address without a user's name, password or query, which may hold secrets.

    >>> without_login("https://me:secret@gateway.example/v1?key=1")
    'https://gateway.example/v1'
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _status(chain: tuple[BaseException, ...]) -> int:
    """The status of a real answer; litellm's own `status_code` is 500 also where none came."""
    for error in chain:
        if type(error).__name__ == "HTTPStatusError":
            return _integer(getattr(getattr(error, "response", None), "status_code", 0))
    return 0


def _headers(chain: tuple[BaseException, ...]) -> Iterator[Mapping[str, object]]:
    for error in chain:
        for holder in (error, getattr(error, "response", None)):
            for name in ("headers", "litellm_response_headers"):
                headers = getattr(holder, name, None)
                if isinstance(headers, Mapping):
                    yield {str(key).lower(): value for key, value in headers.items()}


def _message(chain: tuple[BaseException, ...]) -> str:
    """What the provider said, from the body of its answer where there is one; else what the system said."""
    for error in chain:
        body = getattr(error, "body", None)
        if isinstance(body, Mapping) and isinstance(body.get("message"), str):
            return str(body["message"])
    for error in chain:
        if type(error).__name__ == "HTTPStatusError":
            return _error_in_body(error)
    system = [str(error) for error in chain if isinstance(error, OSError)]
    if system:
        return system[-1]
    # A client's "connection error" says nothing: what it came from does.
    generic = any(base.__name__ == "APIConnectionError" for error in chain for base in type(error).__mro__)
    return str(chain[-1]) if generic else str(getattr(chain[0], "message", "") or chain[0])


def _error_in_body(error: BaseException) -> str:
    try:
        body = json.loads(getattr(getattr(error, "response", None), "text", ""))
    except (ValueError, RecursionError, RuntimeError):  # RuntimeError: a stream's body that was never read
        return ""
    inner = body.get("error", body) if isinstance(body, Mapping) else body
    message = inner.get("message") if isinstance(inner, Mapping) else inner
    return message if isinstance(message, str) else ""


def _one_line(text: str) -> str:
    text = _WRAPPING.sub("", text.partition("\nTraceback")[0]).strip()
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= 300 else line[:299] + "…"


def _seconds_until(date: str, now: datetime) -> float | None:
    from email.utils import parsedate_to_datetime  # with much behind it, for a header that few servers send

    try:
        return max(0.0, (parsedate_to_datetime(date) - now).total_seconds())
    except (ValueError, TypeError):  # no date; or one without a time zone
        return None


def _number(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, str | int | float) else -1.0
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _integer(value: object) -> int:
    return value if isinstance(value, int) else 0
